"""Rows of a server's tables into records, each of the server that was named last before it."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from planner.domain.errors import Fault
from planner.domain.findings import Finding, Severity
from planner.domain.fleet import AccountKind
from planner.domain.observations import ObservedSession
from planner.inventory.importing.activity_log import LogLine, read_message, sessions_of
from planner.inventory.importing.evidence import (
    AccountFacts,
    CountFacts,
    Evidence,
    LevelFacts,
    LibraryFacts,
    LineAccount,
    NodeFacts,
    PartnerFacts,
    ProxyFacts,
    ServerFacts,
    Source,
    finding_at,
)
from planner.inventory.importing.text import is_name, level_text, port_text

AUTHENTICATIONS: Final = {"local": "Local", "ldap": "LDAP"}
_SECURITIES: Final = {"transitional": "Transitional", "strict": "Strict"}
_REQUIRED: Final = {"default": "Default", "yes": "Yes", "no": "No", "serveronly": "ServerOnly"}
_YES_NO: Final = {"yes": "Yes", "no": "No"}
_KINDS: Final = {
    "node": AccountKind.NODE,
    "admin": AccountKind.ADMIN,
    "server": AccountKind.SERVER,
}
_TIME: Final = re.compile(r"\d{4}-\d{2}-\d{2}([ T]\d{2}[:.]\d{2}[:.]\d{2}[\d.]{0,8})?", re.ASCII)


class RowError(Exception):
    """A row that cannot be what its query answers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One row of a query: the line, the query's tag, and its values by column."""

    line: int
    tag: str
    cells: Mapping[str, str]


class Records:
    """Gathers the records of one file.

    Parameters
    ----------
    server
        The server's name that was given; it wins over those in the file.
    first_server
        The server to which records belong that stand before any name.
    client
        The client whose program wrote the file.
    """

    def __init__(self, file: str, *, server: str, first_server: str, client: str) -> None:
        self._file = file
        self._given = server
        self._server = server or first_server
        self._client = client
        self.first_server = self._server
        self.has_nameless = False
        self._servers: list[ServerFacts] = []
        self._nodes: list[NodeFacts] = []
        self._accounts: list[AccountFacts] = []
        self._counts: list[CountFacts] = []
        self._partners: list[PartnerFacts] = []
        self._proxies: list[ProxyFacts] = []
        self._libraries: list[LibraryFacts] = []
        self._levels: list[LevelFacts] = []
        self._observed: list[ObservedSession] = []
        self._logs: dict[str, list[LogLine]] = {}
        self._findings: list[Finding] = []
        self._take: dict[str, Callable[[Source, Mapping[str, str]], str]] = {
            "STATUS": self._status,
            "OPTION": self._option,
            "NODE": self._node,
            "ADMIN": self._admin,
            "SERVER": self._partner,
            "SECURITY": self._security,
            "COUNT": self._count,
            "REPLICA": self._replica,
            "PROXY": self._proxy,
            "LIBRARY": self._library,
            "SESSION": self._session,
            "LOG": self._log,
        }

    def take(self, row: Row) -> str:
        """Take a row; returns what it tells of, empty where that is nothing.

        Raises
        ------
        RowError
            If a value cannot be one of its column.
        """
        subject = self._take[row.tag](Source(self._file, row.line), row.cells)
        self.has_nameless = self.has_nameless or (bool(subject) and not self._server)
        return subject

    def take_banner(self, line: int, program: str, level: str) -> str:
        """Take the level of a banner of the `server` or `client`; returns what it tells of."""
        source = Source(self._file, line)
        if program == "server" and self._server and level:
            self._servers.append(ServerFacts(name=self._server, level=level, source=source))
            return f"server {self._server}"
        if program == "client" and self._client and level:
            self._levels.append(LevelFacts(client=self._client, level=level, source=source))
            return f"client {self._client}"
        return ""

    def report_damage(self, line: int, what: str) -> None:
        """Report a row that was not taken."""
        self._findings.append(
            finding_at(
                Source(self._file, line),
                rule="damaged-row",
                severity=Severity.ERROR,
                subject=f"{self._file}:{line}",
                what=what,
                why="A row that is cut off or garbled was not imported; all others were.",
                fix="Export it again, and import that file once more.",
            )
        )

    def evidence(self, account: LineAccount) -> Evidence:
        """Return the records, and a fault where nothing names their server."""
        faults = []
        if self.has_nameless and not self.first_server:
            what = "no row says which server the file is from"
            cure = f"run all queries of --show-queries into it, or name it as SERVER={self._file}"
            faults.append(Fault(file=self._file, what=what, cure=cure))
        for lines in self._logs.values():
            self._observed.extend(sessions_of(lines))
        return Evidence(
            servers=tuple(self._servers),
            nodes=tuple(self._nodes),
            accounts=tuple(self._accounts),
            counts=tuple(self._counts),
            partners=tuple(self._partners),
            proxies=tuple(self._proxies),
            libraries=tuple(self._libraries),
            levels=tuple(self._levels),
            observed=tuple(self._observed),
            lines=account.lines(),
            findings=tuple(self._findings),
            faults=tuple(faults),
        )

    # --- Queries ---

    def _status(self, source: Source, cells: Mapping[str, str]) -> str:
        name = self._given or _name(cells["SERVER_NAME"])
        self._server = name
        self.first_server = self.first_server or name
        if self._given and self._given.casefold() != cells["SERVER_NAME"].casefold():
            self._report_other_name(source, cells["SERVER_NAME"])
        parts = [cells.get(part, "") for part in ("VERSION", "RELEASE", "LEVEL", "SUBLEVEL")]
        self._servers.append(
            ServerFacts(
                name=name,
                level=_level(parts),
                authentication=_choice(cells, "DEFAULT_AUTHENTICATION", AUTHENTICATIONS),
                tcpport=port_text(cells.get("SERVER_LLA", "")),
                address=cells.get("SERVER_HLA", ""),
                source=source,
            ),
        )
        return f"server {name}"

    def _report_other_name(self, source: Source, name: str) -> None:
        self._findings.append(
            finding_at(
                source,
                rule="server-name-differs",
                severity=Severity.WARNING,
                subject=self._given,
                what=f"the file calls its server {name if is_name(name) else 'otherwise'}",
                why="The name that was given with the file counts.",
                fix="Give the file without a name, or correct it.",
            )
        )

    def _option(self, source: Source, cells: Mapping[str, str]) -> str:
        name, value = cells["OPTION_NAME"].casefold(), cells["OPTION_VALUE"]
        if name in ("tcpport", "ssltcpport"):
            facts = {name: port_text(value)}
        elif name == "ssltls12":
            facts = {"tls12": _YES_NO.get(value.casefold(), "")}
        else:
            return ""
        self._servers.append(ServerFacts(name=self._server, source=source, **facts))
        return f"server {self._server}"

    def _node(self, source: Source, cells: Mapping[str, str]) -> str:
        name = _name(cells["NODE_NAME"])
        parts = ("CLIENT_VERSION", "CLIENT_RELEASE", "CLIENT_LEVEL", "CLIENT_SUBLEVEL")
        self._nodes.append(
            NodeFacts(
                server=self._server,
                name=name,
                level=_level([cells[part] for part in parts]),
                platform=_printable(cells["CLIENT_OS_NAME"] or cells["PLATFORM_NAME"]),
                tcp_name=_printable(cells["TCP_NAME"]),
                tcp_address=_printable(cells["TCP_ADDRESS"]),
                last_access=_time(cells["LASTACC_TIME"]),
                node_type=cells["NODETYPE"].casefold(),
                source=source,
            ),
        )
        self._details(source, name, AccountKind.NODE, cells)
        return f"node {name}"

    def _admin(self, source: Source, cells: Mapping[str, str]) -> str:
        name = _name(cells["ADMIN_NAME"])
        self._details(source, name, AccountKind.ADMIN, cells)
        return f"administrator {name}"

    def _details(
        self, source: Source, name: str, kind: AccountKind, cells: Mapping[str, str]
    ) -> None:
        """Take what a row says of its account, apart from its name."""
        facts = AccountFacts(
            server=self._server,
            name=name,
            kind=kind,
            authentication=_choice(cells, "AUTHENTICATION", AUTHENTICATIONS),
            session_security=_choice(cells, "SESSION_SECURITY", _SECURITIES),
            sslrequired=_choice(cells, "SSLREQUIRED", _REQUIRED),
            is_replica="receive" in cells.get("REPL_MODE", "").casefold(),
            source=source,
        )
        says = facts.authentication or facts.session_security or facts.sslrequired
        if kind is not AccountKind.NODE or says or facts.is_replica:
            self._accounts.append(facts)

    def _partner(self, source: Source, cells: Mapping[str, str]) -> str:
        name = _name(cells["SERVER_NAME"])
        self._partners.append(
            PartnerFacts(
                server=self._server,
                name=name,
                address=_printable(cells["HL_ADDRESS"]),
                port=port_text(cells["LL_ADDRESS"]),
                ssl=_choice(cells, "SSL", _YES_NO),
                last_access=_time(cells["LASTACC_TIME"]),
                source=source,
            ),
        )
        self._details(source, name, AccountKind.SERVER, cells)
        return f"server definition {name}"

    def _count(self, source: Source, cells: Mapping[str, str]) -> str:
        number = re.sub(r"[.,\s]", "", cells["NUMBER"])
        if not re.fullmatch(r"\d{1,9}", number, re.ASCII):
            raise RowError("the count is no number")
        kind = _kind(cells["KIND"])
        self._counts.append(
            CountFacts(server=self._server, kind=kind, number=int(number), source=source)
        )
        return f"accounts of {self._server}"

    def _security(self, source: Source, cells: Mapping[str, str]) -> str:
        kind = _kind(cells["KIND"])
        name = _name(cells["NAME"])
        self._details(source, name, kind, cells)
        return f"{kind.label} {name}"

    def _replica(self, source: Source, cells: Mapping[str, str]) -> str:
        name = _name(cells["NODE_NAME"])
        self._details(source, name, AccountKind.NODE, cells)
        return f"node {name}"

    def _proxy(self, source: Source, cells: Mapping[str, str]) -> str:
        target = _name(cells["TARGET_NODE_NAME"])
        for agent in cells["AGENT_NODE_NAME"].split():
            record = ProxyFacts(
                server=self._server, target=target, agent=_name(agent), source=source
            )
            self._proxies.append(record)
        return f"node {target}"

    def _library(self, source: Source, cells: Mapping[str, str]) -> str:
        if not cells["PRIMARY_LIB_MGR"]:
            return ""
        manager = _name(cells["PRIMARY_LIB_MGR"])
        self._libraries.append(LibraryFacts(server=self._server, manager=manager, source=source))
        return f"server {manager}"

    def _session(self, source: Source, cells: Mapping[str, str]) -> str:
        name = _name(cells["CLIENT_NAME"])
        kind = _KINDS.get(cells["SESSION_TYPE"].casefold(), AccountKind.NODE)
        self._observed.append(
            ObservedSession(
                server=self._server, account=name, kind=kind, file=source.file, line=source.line
            ),
        )
        return f"{kind.label} {name}"

    def _log(self, source: Source, cells: Mapping[str, str]) -> str:
        line = read_message(
            cells["MESSAGE"],
            server=self._server,
            day=_time(cells["DATE_TIME"])[:10],
            file=source.file,
            line=source.line,
        )
        if line is None:
            return ""
        self._logs.setdefault(self._server, []).append(line)
        return f"session {line.session}"


def _name(text: str) -> str:
    """Return a name as it stands.

    Raises
    ------
    RowError
        If it cannot be one.
    """
    if not is_name(text):
        raise RowError("the name is empty or holds a blank or a character that cannot be printed")
    return text


def _kind(text: str) -> AccountKind:
    """Return a kind of account.

    Raises
    ------
    RowError
        If it is none.
    """
    if text.casefold() not in _KINDS:
        raise RowError("the row is of no kind of account")
    return _KINDS[text.casefold()]


def _level(parts: list[str]) -> str:
    """Return a level; empty where none of its parts is given.

    Raises
    ------
    RowError
        If some are, and they are no level.
    """
    if not any(parts[:3]):
        return ""
    level = level_text(*parts)
    if not level:
        raise RowError("version, release and level are no product level")
    return level


def _choice(cells: Mapping[str, str], column: str, values: Mapping[str, str]) -> str:
    """Return a value of a closed set; empty where the cell is empty or `(?)`.

    Raises
    ------
    RowError
        If it says something else.
    """
    folded = cells.get(column, "").replace(" ", "").casefold()
    if folded in ("", "(?)"):
        return ""
    if folded not in values:
        raise RowError(f"{column} is none of {', '.join(values.values())}")
    return values[folded]


def _printable(text: str) -> str:
    return text if text.isprintable() and len(text) <= 256 else ""


def _time(text: str) -> str:
    """Return a time in ISO form; empty for any other, as day and month may be either way round."""
    return text if _TIME.fullmatch(text) else ""
