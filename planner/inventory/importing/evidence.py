"""What the readers of exports find: frozen records, each with the line that it came from.

A reader is a pure function of a file's name and text. It returns an `Evidence` that accounts for
every line once: used, comment, kept aside, or fault.
"""

import itertools
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, fields
from enum import StrEnum

from planner.domain.calendar import NEVER
from planner.domain.errors import Fault
from planner.domain.findings import Finding, Severity
from planner.domain.fleet import AccountKind, SessionKind
from planner.domain.observations import ObservedSession
from planner.inventory.x509 import CertificateFile

Observer = Callable[[str, int, int], None]
"""Is told what is being done, how much of it is done, and how much there is."""


class LineUse(StrEnum):
    """What became of a line."""

    USED = "used"
    COMMENT = "comment"
    ASIDE = "kept aside"
    FAULT = "fault"


@dataclass(frozen=True, slots=True)
class Source:
    """The line that a record came from; `line` is 0 where the whole file is meant."""

    file: str = ""
    line: int = 0


def finding_at(
    source: Source, *, rule: str, severity: Severity, subject: str, what: str, why: str, fix: str
) -> Finding:
    """Return a finding about what was imported; it has no day, and points to a line."""
    return Finding(
        rule=rule,
        severity=severity,
        day=NEVER,
        subject=subject,
        what=what,
        why=why,
        fix=fix,
        file=source.file,
        line=source.line,
    )


@dataclass(frozen=True, slots=True)
class Lines:
    """What became of lines `first` to `last` of a file, why, and which thing they tell of."""

    file: str
    first: int
    last: int
    use: LineUse
    subject: str
    what: str


class LineAccount:
    """Accounts for every line of one file; a later note on a line replaces an earlier one."""

    def __init__(self, file: str, n_lines: int) -> None:
        self._file = file
        self._notes: list[tuple[LineUse, str, str]] = [(LineUse.COMMENT, "", "blank")] * n_lines

    def note(self, line: int, use: LineUse, what: str, subject: str = "") -> None:
        """Account for one line; every line that nobody speaks of is a blank one."""
        self._notes[line - 1] = (use, subject, what)

    def lines(self) -> tuple[Lines, ...]:
        """Return the account; equal neighbours are one entry."""
        entries = []
        first = 1
        for note, group in itertools.groupby(self._notes):
            last = first + sum(1 for _ in group) - 1
            entries.append(Lines(self._file, first, last, *note))
            first = last + 1
        return tuple(entries)


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerFacts:
    """Some facts of a server; empty and 0 where this source says nothing."""

    name: str
    level: str = ""
    authentication: str = ""
    tls12: str = ""
    tcpport: str = ""
    ssltcpport: str = ""
    address: str = ""
    source: Source


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeFacts:
    """A registered node; its level is that of the last program that logged on with it."""

    server: str
    name: str
    level: str = ""
    platform: str = ""
    tcp_name: str = ""
    tcp_address: str = ""
    last_access: str = ""
    node_type: str = ""
    source: Source


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountFacts:
    """Some facts of an account; empty where this source says nothing."""

    server: str
    name: str
    kind: AccountKind
    authentication: str = ""
    session_security: str = ""
    sslrequired: str = ""
    is_replica: bool = False
    source: Source


@dataclass(frozen=True, slots=True, kw_only=True)
class CountFacts:
    """How many accounts of a kind a server says that it has."""

    server: str
    kind: AccountKind
    number: int
    source: Source


@dataclass(frozen=True, slots=True, kw_only=True)
class PartnerFacts:
    """A server definition on `server`: an account there, and how `server` calls the partner."""

    server: str
    name: str
    address: str = ""
    port: str = ""
    ssl: str = ""
    last_access: str = ""
    source: Source


@dataclass(frozen=True, slots=True, kw_only=True)
class ProxyFacts:
    """A target node, and an agent node that may act for it."""

    server: str
    target: str
    agent: str
    source: Source


@dataclass(frozen=True, slots=True, kw_only=True)
class LibraryFacts:
    """A library that `server` uses through its library manager."""

    server: str
    manager: str
    source: Source


@dataclass(frozen=True, slots=True, kw_only=True)
class LevelFacts:
    """The level of a client, as its own program says it."""

    client: str
    level: str
    source: Source


@dataclass(frozen=True, slots=True, kw_only=True)
class Stanza:
    """How a client calls one server.

    Parameters
    ----------
    alias
        The name of the stanza; empty in an options file without stanzas.
    node
        NODENAME; empty where it is the client's own name.
    options
        Values of the options of a session by column, those that the file gives.
    key_database
        The key database that the program of this file reads.
    kind
        What the sessions are.
    is_failover
        Whether this is the way to a replication server.
    """

    client: str
    alias: str
    address: str = ""
    port: str = ""
    node: str = ""
    options: Mapping[str, str] = field(default_factory=dict)
    key_database: str = ""
    kind: SessionKind = SessionKind.BACKUP
    is_failover: bool = False
    source: Source


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldCertificate:
    """A certificate in a key database, as a listing shows it.

    `owner` is a client, or a server where it is the server's own key database. `sha1` and `sha256`
    are in hexadecimal, empty where the listing does not give them. A personal one has its private
    key there; the default one of a server is what it presents.
    """

    owner: str
    key_database: str
    label: str
    is_default: bool = False
    is_personal: bool = False
    subject: str = ""
    issuer: str = ""
    not_before: int = NEVER
    not_after: int = NEVER
    signature: str = ""
    sha1: str = ""
    sha256: str = ""
    source: Source


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """A key database that was listed whole: what is not among its labels is not in it."""

    owner: str
    key_database: str
    source: Source


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateFound:
    """A certificate of a file; `content` is the whole file, `server` who presents it, if given."""

    file: str
    content: bytes
    parts: tuple[CertificateFile, ...]
    server: str = ""
    source: Source


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """Everything that was found, in the order of the files."""

    servers: tuple[ServerFacts, ...] = ()
    nodes: tuple[NodeFacts, ...] = ()
    accounts: tuple[AccountFacts, ...] = ()
    counts: tuple[CountFacts, ...] = ()
    partners: tuple[PartnerFacts, ...] = ()
    proxies: tuple[ProxyFacts, ...] = ()
    libraries: tuple[LibraryFacts, ...] = ()
    levels: tuple[LevelFacts, ...] = ()
    stanzas: tuple[Stanza, ...] = ()
    held: tuple[HeldCertificate, ...] = ()
    listings: tuple[Listing, ...] = ()
    certificates: tuple[CertificateFound, ...] = ()
    observed: tuple[ObservedSession, ...] = ()
    lines: tuple[Lines, ...] = ()
    findings: tuple[Finding, ...] = ()
    faults: tuple[Fault, ...] = ()

    @classmethod
    def joined(cls, parts: Iterable["Evidence"]) -> "Evidence":
        """Return the evidence of several files together."""
        parts = tuple(parts)
        chained = itertools.chain.from_iterable
        names = [one.name for one in fields(cls)]
        return cls(
            **{name: tuple(chained(getattr(part, name) for part in parts)) for name in names}
        )
