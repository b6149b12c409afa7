"""Columns of every file of a fleet folder and of a plan, for readers, writers and documentation."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from planner.domain.options import OPTIONS


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column of a CSV file; a heading may be as short as `shortest`."""

    name: str
    shortest: str
    is_required: bool = False


_SHORTEST: Final = {option.column: option.abbreviation.casefold() for option in OPTIONS}


def _columns(names: str, *, required: str) -> tuple[Column, ...]:
    needed = required.split(", ")
    return tuple(
        Column(name=name, shortest=_SHORTEST.get(name, name), is_required=name in needed)
        for name in names.split(", ")
    )


def find_column(heading: str, columns: Iterable[Column]) -> Column | None:
    """Return the column that a heading means; None where it means none of them.

    Letter case and the separator do not matter, and options may be shortened as IBM allows.

    Examples
    --------
    >>> find_column("Key Database", TRUST).name, find_column("sslreq", SESSIONS).name
    ('key_database', 'sslrequired')
    """
    folded = re.sub(r"[\s_-]+", "_", heading.strip().casefold())
    for column in columns:
        if column.name.startswith(folded) and folded.startswith(column.shortest):
            return column
    return None


SERVERS: Final = _columns(
    "server, level, authentication, certificate, tls12, tcpport, ssltcpport, address, site, "
    "target_level, upgrade, note",
    required="server, level",
)
CLIENTS: Final = _columns(
    "client, level, kind, platform, site, owner, target_level, upgrade, note",
    required="client, level",
)
ACCOUNTS: Final = _columns(
    "server, account, kind, authentication, session_security, sslrequired",
    required="server, account",
)
SESSIONS: Final = _columns(
    "client, server, account, kind, ssl, sslrequired, sslacceptcertfromserv, sslfipsmode, "
    "ssldisablelegacytls, lanfreessl, replsslport, tcpport, commmethod, key_database, weight, "
    "encrypt_data",
    required="client, server",
)
CERTIFICATES: Final = _columns(
    "certificate, kind, issuer, not_before, not_after, signature, server, available, file",
    required="certificate",
)
TRUST: Final = _columns(
    "client, key_database, certificate, since",
    required="client, certificate",
)
RULES: Final = _columns("kind, first, then, days, hard", required="kind, first")
SCHEDULE: Final = _columns(
    "date, action, client, server, account, key_database, certificate, option, value, wave, "
    "use_case, needed, latest_safe, slack_days, command, status, note",
    required="date, action",
)

FILES: Final = {
    "servers.csv": SERVERS,
    "clients.csv": CLIENTS,
    "accounts.csv": ACCOUNTS,
    "sessions.csv": SESSIONS,
    "certificates.csv": CERTIFICATES,
    "trust.csv": TRUST,
    "rules.csv": RULES,
}
OPTIONAL_FILES: Final = ("accounts.csv", "certificates.csv", "trust.csv", "rules.csv")
SETTINGS_FILE: Final = "fleet.toml"
PLAN_FILE: Final = "plan.csv"
CERTIFICATE_FOLDER: Final = "certs"

TOML_KEYS: Final = (
    "name",
    "start",
    "end",
    "policy.lead_days",
    "policy.automatic_distribution",
    "calendar.working_days",
    "calendar.holidays",
    "calendar.freeze",
    "calendar.window",
    "capacity.clients_per_week",
    "capacity.servers_per_week",
    "capacity.imports_per_week",
)
TOML_ENTRY_KEYS: Final = {
    "calendar.freeze": ("name", "start", "end"),
    "calendar.window": ("site", "days"),
}
"""Keys of each table in a list of tables."""
