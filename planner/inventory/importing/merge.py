"""Evidence into the tables of a fleet: one client, one server, one account from many sources."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from planner.domain.errors import Fault
from planner.domain.findings import Finding, Severity
from planner.domain.fleet import BETWEEN_SERVERS, AccountKind
from planner.domain.observations import ObservedSession
from planner.inventory.csv_tables import Table
from planner.inventory.importing.account_book import AccountBook
from planner.inventory.importing.certificate_book import CertificateBook, KnownCertificate
from planner.inventory.importing.evidence import Evidence, Observer, Source, finding_at
from planner.inventory.importing.server_book import Row, ServerBook
from planner.inventory.importing.session_book import SessionBook, some
from planner.inventory.schema import FILES

KEYS: Final = {
    "servers.csv": ("server",),
    "clients.csv": ("client",),
    "accounts.csv": ("server", "account"),
    "sessions.csv": ("client", "server", "account", "key_database"),
    "certificates.csv": ("certificate",),
    "trust.csv": ("client", "key_database", "certificate"),
    "rules.csv": ("kind", "first", "then"),
}
"""The columns by which a row of each table is known."""

Key = tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """The tables of a fleet as rows, and what was found on the way.

    Parameters
    ----------
    rows
        By file, then by key, in order.
    listed
        The servers, folded, and the kinds of accounts of which they were exported whole.
    registered
        The accounts that were exported: server and name, folded.
    key_databases
        Those that were listed whole: client and name, folded.
    sources
        The line of an export that each row of a table came from.
    observed
        The sessions of the activity logs, each with its client where that is known.
    """

    rows: Mapping[str, Mapping[Key, Row]]
    certificate_files: Mapping[str, bytes]
    listed: frozenset[tuple[str, AccountKind]]
    registered: frozenset[tuple[str, str]]
    key_databases: frozenset[tuple[str, str]]
    sources: Mapping[tuple[str, Key], Source]
    observed: tuple[ObservedSession, ...]
    findings: tuple[Finding, ...]


def key_of(file: str, row: Mapping[str, str]) -> Key:
    """Return the key of a row, without regard to letter case, defaults filled in.

    Examples
    --------
    >>> key_of("sessions.csv", {"client": "DB1", "server": "A"})
    ('db1', 'a', 'db1', 'default')
    """
    defaults = {"account": row.get("client", ""), "key_database": "default"}
    return tuple((row.get(part) or defaults.get(part, "")).casefold() for part in KEYS[file])


def merge(
    evidence: Evidence,
    *,
    known: Iterable[KnownCertificate] = (),
    observer: Observer | None = None,
) -> Draft:
    """Merge what all sources say into the tables of one fleet.

    What sources contradict each other in is a finding, and the finding says what was taken.

    Parameters
    ----------
    known
        The certificates that the fleet has already.
    observer
        Is told how many nodes are merged.

    Notes
    -----
    Linear in the number of records.
    """

    def tell(done: int, whole: int) -> None:
        if observer is not None:
            observer("merging nodes", done, whole)

    servers = ServerBook(evidence)
    accounts = AccountBook(evidence, servers)
    sessions = SessionBook(evidence, servers, accounts, tell=tell)
    certificates = CertificateBook(evidence, servers, known)
    findings = [
        *evidence.findings,
        *servers.findings,
        *accounts.findings,
        *sessions.findings,
        *certificates.findings,
    ]
    findings.extend(_unknown_options(sessions))
    trust = _trust(certificates, sessions, servers, evidence, findings)
    rows = {
        "servers.csv": list(servers.rows.values()),
        "clients.csv": [client.row() for client in sessions.clients.values()],
        "accounts.csv": accounts.rows(),
        "sessions.csv": _sessions(sessions),
        "certificates.csv": certificates.rows(),
        "trust.csv": trust,
        "rules.csv": [],  # no source has any; a refresh keeps those of the fleet
    }
    return Draft(
        rows={file: {key_of(file, row): row for row in table} for file, table in rows.items()},
        certificate_files=certificates.files,
        listed=accounts.listed,
        registered=frozenset((one.server.casefold(), one.name.casefold()) for one in accounts),
        key_databases=frozenset(
            (one.owner.casefold(), (one.key_database or "default").casefold())
            for one in evidence.listings
        ),
        sources=_sources(servers, accounts, sessions, certificates),
        observed=tuple(sessions.observed()),
        findings=tuple(findings),
    )


def _sources(
    servers: ServerBook,
    accounts: AccountBook,
    sessions: SessionBook,
    certificates: CertificateBook,
) -> dict[tuple[str, Key], Source]:
    """Return the line that each row came from, by file and key."""
    by_file: dict[str, Mapping[Key, Source]] = {
        "servers.csv": {(name,): source for name, source in servers.sources.items()},
        "clients.csv": {(name,): one.source for name, one in sessions.clients.items()},
        "accounts.csv": {
            (one.server.casefold(), one.name.casefold()): one.source for one in accounts
        },
        "sessions.csv": {
            (*key[:3], key[3] or "default"): one.source for key, one in sessions.sessions.items()
        },
        "certificates.csv": certificates.sources(),
        "trust.csv": certificates.trust_sources,
    }
    return {(file, key): source for file, own in by_file.items() for key, source in own.items()}


def _sessions(book: SessionBook) -> list[Row]:
    """Return the rows of sessions.csv, those of one client side by side."""
    of_client: dict[str, list[Row]] = {name: [] for name in book.clients}
    for session in book.sessions.values():
        row = {
            "client": session.client,
            "server": session.server,
            "account": session.account,
            "kind": session.kind.label,
            "key_database": session.stanza.key_database if session.stanza else "",
            **session.columns,
        }
        of_client.setdefault(session.client.casefold(), []).append(row)
    return [row for rows in of_client.values() for row in rows]


def _trust(
    certificates: CertificateBook,
    sessions: SessionBook,
    servers: ServerBook,
    evidence: Evidence,
    findings: list[Finding],
) -> list[Row]:
    """Return the rows of trust.csv; a listing of nobody is a finding."""
    rows = []
    strangers: dict[str, None] = {}
    for row in certificates.trust.values():
        name = row["client"]
        if name.casefold() in sessions.clients or name in servers:
            rows.append(row)
        else:
            strangers[name] = None
    for name in strangers:
        source = next(one.source for one in evidence.held if one.owner == name)
        findings.append(
            finding_at(
                source,
                rule="listing-without-client",
                severity=Severity.WARNING,
                subject=name,
                what="a key database of this client was listed, and nothing else names it",
                why="Trust without a session has no effect, so it was left out.",
                fix="Correct the name before the =, or give its option files.",
            )
        )
    return rows


def _unknown_options(book: SessionBook) -> list[Finding]:
    """Return one finding for all sessions whose options no file shows."""
    clients = [
        session.client
        for session in book.sessions.values()
        if session.stanza is None and session.kind not in BETWEEN_SERVERS
    ]
    if not clients:
        return []
    return [
        finding_at(
            Source(),
            rule="options-unknown",
            severity=Severity.NOTE,
            subject=some(clients),
            what="their sessions have the defaults where no options file was given; number of such "
            f"sessions: {len(clients)}",
            why="Ports, SSL and the rest stand in dsm.sys and dsm.opt alone.",
            fix="Give these files, or correct sessions.csv.",
        )
    ]


def tables_of(rows: Mapping[str, Mapping[Key, Row]]) -> dict[str, Table]:
    """Return rows as the tables that a fleet is built from."""
    return {file: _table(file, tuple(own.values())) for file, own in rows.items()}


def _table(file: str, rows: Sequence[Row]) -> Table:
    names = [column.name for column in FILES[file]]
    extra = dict.fromkeys(name for row in rows for name in row if name not in names)
    return Table(
        file=file,
        lines=range(2, len(rows) + 2),
        columns={name: [row.get(name, "") for row in rows] for name in names},
        extra_columns={name: tuple(row.get(name, "") for row in rows) for name in extra},
        heading_line=1,
        is_whole=True,
    )


def unmerged(evidence: Evidence) -> list[Fault]:
    """Return the faults that keep evidence from being merged."""
    faults = list(evidence.faults)
    if not faults and not (evidence.servers or evidence.stanzas or evidence.nodes):
        what = "no file names a server, a node or a client"
        cure = "give exports of the queries that `planner import --show-queries` prints"
        faults.append(Fault(file="import", what=what, cure=cure))
    return faults
