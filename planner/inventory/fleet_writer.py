"""A fleet as a fleet folder: what `read_fleet` reads back to the same values."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Final

import numpy as np
import tomli_w

from planner.domain.calendar import WEEKDAYS, iso, to_date
from planner.domain.certificates import CertificateKind
from planner.domain.errors import Fault, InventoryError
from planner.domain.fleet import (
    AccountKind,
    Authentication,
    ClientKind,
    Fleet,
    LabelledEnum,
    Numbers,
    SessionKind,
)
from planner.domain.options import OPTIONS, SSLREQUIRED
from planner.inventory.certificate_table import split_address
from planner.inventory.csv_tables import table_text
from planner.inventory.files import reason_of
from planner.inventory.fleet_tables import implied_account_kind
from planner.inventory.hints import quoted
from planner.inventory.schema import CERTIFICATE_FOLDER, FILES, SETTINGS_FILE
from planner.inventory.writing import write_files

_YES_NO: Final = ("No", "Yes")
_AUTHENTICATIONS: Final = {
    Authentication.OF_SERVER: "",
    Authentication.LOCAL: "Local",
    Authentication.LDAP: "LDAP",
}

Texts = Sequence[str]


def write_fleet(
    fleet: Fleet, folder: str | Path, *, further: Mapping[str, bytes] | None = None
) -> None:
    """Write a fleet as a fleet folder: every file whole, or nothing at all.

    Every default is written out. A plan.csv that stands in the folder stays as it is.

    Parameters
    ----------
    fleet
        The fleet; columns of its files that the kit does not use are written back.
    folder
        A new folder, or one whose files are replaced.
    further
        Files that are written with it, by their paths in the folder.

    Raises
    ------
    InventoryError
        If the folder cannot be written, holds certificate files that are not the fleet's, or a
        text of the fleet cannot stand in a text file.
    """
    folder = Path(folder)
    contents = fleet_files(fleet)
    try:
        faults = _foreign_certificates(folder, contents)
        if faults:
            raise InventoryError(faults)
        write_files(folder, contents | dict(further or {}))
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        what = f"the folder cannot be written ({reason_of(error)})"
        cure = "name a folder that you may write to, on a disk with space"
        raise InventoryError([Fault(file=str(folder), what=what, cure=cure)]) from error


def fleet_files(fleet: Fleet) -> dict[str, bytes]:
    """Return every file of a fleet folder by its path in the folder.

    Raises
    ------
    InventoryError
        If a text of the fleet cannot stand in a text file.
    """
    tables = {
        "servers.csv": _servers(fleet),
        "clients.csv": _clients(fleet),
        "accounts.csv": _accounts(fleet),
        "sessions.csv": _sessions(fleet),
        "certificates.csv": _certificates(fleet),
        "trust.csv": _trust(fleet),
        "rules.csv": _rules(fleet),
    }
    faults: list[Fault] = []
    contents = {SETTINGS_FILE: _encoded(SETTINGS_FILE, _settings(fleet), faults)}
    for name, columns in tables.items():
        extra = fleet.origin.extra_columns.get(name, {})
        headings = [*(column.name for column in FILES[name]), *extra]
        text = table_text(headings, [*columns, *extra.values()])
        contents[name] = _encoded(name, text, faults)
    if faults:
        raise InventoryError(faults)
    return contents | dict(fleet.origin.certificate_files)


def _encoded(name: str, text: str, faults: list[Fault]) -> bytes:
    place = text.find("\0")
    try:
        content = text.encode()
    except UnicodeEncodeError as error:
        content, place = b"", error.start
    if place >= 0:
        line = text.count("\n", 0, place) + 1
        what = f"the line would hold {quoted(text[place])}, which no text file can"
        faults.append(Fault(file=name, line=line, what=what, cure="take it out of the fleet"))
    return content


def _foreign_certificates(folder: Path, contents: Mapping[str, bytes]) -> list[Fault]:
    """Files in `certs/` that would become part of the fleet when it is read back."""
    certificates = folder / CERTIFICATE_FOLDER
    if not certificates.is_dir():
        return []
    files = (
        f"{CERTIFICATE_FOLDER}/{path.name}"
        for path in sorted(certificates.iterdir())
        if not path.name.startswith(".") and not path.is_dir()
    )
    what, cure = "this certificate file is not of the fleet that is written", "move it away"
    return [Fault(file=file, what=what, cure=cure) for file in files if file not in contents]


def _settings(fleet: Fleet) -> str:
    calendar, capacity = fleet.calendar, fleet.capacity
    counts = {
        "clients_per_week": capacity.clients_per_week,
        "servers_per_week": capacity.servers_per_week,
        "imports_per_week": capacity.imports_per_week,
    }
    document: dict[str, object] = {
        "name": fleet.name,
        "start": to_date(fleet.start),
        "end": to_date(fleet.end),
        "policy": {
            "lead_days": calendar.lead_days,
            "automatic_distribution": fleet.automatic_distribution,
        },
        "capacity": {key: count for key, count in counts.items() if count is not None},
        "calendar": {
            "working_days": _weekdays(calendar.working_days),
            "holidays": [to_date(day) for day in sorted(calendar.holidays)],
        },
    }
    freezes = [
        {"name": freeze.name, "start": to_date(freeze.start), "end": to_date(freeze.end)}
        for freeze in calendar.freezes
    ]
    windows = [
        {"site": window.site, "days": _weekdays(window.weekdays)} for window in calendar.windows
    ]
    return "".join(
        [
            tomli_w.dumps({key: value for key, value in document.items() if value != {}}),
            *(f"\n[[calendar.freeze]]\n{tomli_w.dumps(entry)}" for entry in freezes),
            *(f"\n[[calendar.window]]\n{tomli_w.dumps(entry)}" for entry in windows),
        ]
    )


def _weekdays(weekdays: Iterable[int]) -> list[str]:
    return [WEEKDAYS[day] for day in sorted(weekdays)]


def _servers(fleet: Fleet) -> list[Texts]:
    servers = fleet.servers
    return [
        servers.name,
        _levels(fleet, servers.level),
        ["LDAP" if ldap else "Local" for ldap in servers.ldap.tolist()],
        _picked(fleet.certificates.name, servers.certificate),
        _yes_no(servers.tls12.tolist()),
        _ports(servers.tcpport),
        _ports(servers.ssltcpport),
        servers.address,
        servers.site,
        _levels(fleet, servers.target_level),
        _days(servers.upgrade),
        servers.note,
    ]


def _clients(fleet: Fleet) -> list[Texts]:
    clients = fleet.clients
    return [
        clients.name,
        _levels(fleet, clients.level),
        _labels(ClientKind, clients.kind.tolist()),
        clients.platform,
        clients.site,
        clients.owner,
        _levels(fleet, clients.target_level),
        _days(clients.upgrade),
        clients.note,
    ]


def _accounts(fleet: Fleet) -> list[Texts]:
    """Columns of the accounts that their sessions do not imply."""
    accounts, sessions = fleet.accounts, fleet.sessions
    implied = np.full(len(accounts), -1, dtype=np.int32)
    for session in range(len(sessions) - 1, -1, -1):  # the first session of an account decides
        implied[sessions.account[session]] = implied_account_kind(int(sessions.kind[session]))
    is_default = (accounts.authentication == 0) & ~accounts.strict & (accounts.sslrequired == 0)
    rows = np.flatnonzero((accounts.line > 0) | ~is_default | (accounts.kind != implied)).tolist()
    return [
        _picked(fleet.servers.name, accounts.server[rows]),
        [accounts.name[row] for row in rows],
        _labels(AccountKind, accounts.kind[rows].tolist()),
        [_AUTHENTICATIONS[Authentication(code)] for code in accounts.authentication[rows].tolist()],
        ["Strict" if strict else "Transitional" for strict in accounts.strict[rows].tolist()],
        [SSLREQUIRED.choices[code] for code in accounts.sslrequired[rows].tolist()],
    ]


def _sessions(fleet: Fleet) -> list[Texts]:
    sessions = fleet.sessions
    packed = sessions.options
    ports = {"tcpport": sessions.port, "replsslport": sessions.replsslport}
    columns: dict[str, Texts] = {
        "client": _picked(fleet.endpoint_names().tolist(), sessions.client),
        "server": _picked(fleet.servers.name, sessions.server),
        "account": _picked(fleet.accounts.name, sessions.account),
        "kind": _labels(SessionKind, sessions.kind.tolist()),
        "key_database": _picked(fleet.key_databases.name, sessions.key_database),
        "weight": [_number(weight) for weight in sessions.weight.tolist()],
        "encrypt_data": _yes_no(sessions.encrypt_data.tolist()),
    }
    for option in OPTIONS:
        if option.choices:
            codes = (packed & np.uint16(option.mask)) >> np.uint16(option.shift)
            columns[option.column] = [option.choices[code] for code in codes.tolist()]
        else:
            columns[option.column] = _ports(ports[option.column])
    return [columns[column.name] for column in FILES["sessions.csv"]]


def _certificates(fleet: Fleet) -> list[Texts]:
    """Columns of the certificates that no file of their own name describes."""
    certificates, files = fleet.certificates, fleet.origin.certificate_files
    has_file = [split_address(file)[0] in files for file in certificates.file]
    rows = [
        row
        for row in np.flatnonzero(certificates.described).tolist()
        if certificates.line[row] > 0 or not has_file[row]
    ]
    return [
        [certificates.name[row] for row in rows],
        [CertificateKind(certificates.kind[row]).label for row in rows],
        _picked(certificates.name, certificates.issuer[rows]),
        _days(certificates.not_before[rows]),
        _days(certificates.not_after[rows]),
        [certificates.signature[row] for row in rows],
        _picked(fleet.servers.name, certificates.server[rows]),
        _days(certificates.available[rows]),
        [certificates.file[row] if has_file[row] else "" for row in rows],
    ]


def _trust(fleet: Fleet) -> list[Texts]:
    trust, databases = fleet.trust, fleet.key_databases
    return [
        _picked(fleet.endpoint_names().tolist(), databases.endpoint[trust.key_database]),
        _picked(databases.name, trust.key_database),
        _picked(fleet.certificates.name, trust.certificate),
        _days(trust.since),
    ]


def _rules(fleet: Fleet) -> list[Texts]:
    rules = fleet.rules
    return [
        [rule.kind.value for rule in rules],
        [fleet.endpoint_name(rule.first) for rule in rules],
        [fleet.endpoint_name(rule.then) if rule.then >= 0 else iso(rule.day) for rule in rules],
        [str(rule.days) for rule in rules],
        _yes_no([rule.hard for rule in rules]),
    ]


def _picked(texts: Texts, numbers: Numbers) -> list[str]:
    """Text of each number; empty for -1."""
    return [texts[number] if number >= 0 else "" for number in numbers.tolist()]


def _levels(fleet: Fleet, numbers: Numbers) -> list[str]:
    return _picked([str(level) for level in fleet.levels], numbers)


def _days(days: Numbers) -> list[str]:
    return _distinct(iso, days.tolist())


def _ports(ports: Numbers) -> list[str]:
    return [str(port) if port else "" for port in ports.tolist()]


def _labels(kinds: type[LabelledEnum], codes: Sequence[int]) -> list[str]:
    return _distinct(lambda code: kinds(code).label, codes)


def _distinct(text_of: Callable[[int], str], values: Sequence[int]) -> list[str]:
    """Text of each value, made once for equal values."""
    texts = {value: text_of(value) for value in set(values)}
    return [texts[value] for value in values]


def _yes_no(flags: Sequence[bool]) -> list[str]:
    return [_YES_NO[flag] for flag in flags]


def _number(value: float) -> str:
    return str(int(value)) if value.is_integer() else repr(value)
