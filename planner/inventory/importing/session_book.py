"""Clients and sessions: who calls which server with which account, and how.

Option files say it best; NODES says it for nodes whose files were not given; the activity log says
from which hosts an administrator comes; SERVERS says which servers call each other.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Final

from planner.domain.findings import Finding, Severity
from planner.domain.fleet import BETWEEN_SERVERS, AccountKind, ClientKind, SessionKind
from planner.domain.observations import ObservedSession
from planner.inventory.importing.account_book import AccountBook, Registered
from planner.inventory.importing.evidence import (
    Evidence,
    NodeFacts,
    Source,
    Stanza,
    finding_at,
)
from planner.inventory.importing.server_book import Row, ServerBook

_DEFAULT_PORT: Final = "1500"
"""TCPPORT where an options file does not give it."""
_OPERATIONS_CENTER: Final = "ibm-oc-"
"""How the administrator begins that the Operations Center makes for itself (inferred)."""
_LOCAL: Final = ("SHAREDMEM", "NAMEDPIPE")
_TOLD: Final = 1_000
"""After so many nodes the observer is told again."""
_NO_CLIENTS: Final = {
    "nas": "a NAS node: the server itself opens its sessions",
    "objectclient": "an object client: it comes by HTTPS through the object agent",
}


@dataclass(slots=True, kw_only=True)
class Client:
    """A client while the evidence about it is gathered."""

    name: str
    source: Source
    level: str = ""
    platform: str = ""
    kinds: list[SessionKind] = field(default_factory=list)
    is_storage_agent: bool = False
    is_operations_center: bool = False
    is_partner: bool = False

    def row(self) -> Row:
        """Return the row of clients.csv."""
        return {
            "client": self.name,
            "level": self.level,
            "kind": self._kind().label,
            "platform": self.platform,
        }

    def _kind(self) -> ClientKind:
        if self.is_storage_agent:
            return ClientKind.STORAGE_AGENT
        if self.is_operations_center:
            return ClientKind.OPERATIONS_CENTER
        if self.is_partner:
            return ClientKind.SERVER
        for kind in (SessionKind.VM, SessionKind.API, SessionKind.BACKUP):
            if kind in self.kinds:
                return ClientKind(kind)
        is_admin = self.kinds and all(kind is SessionKind.ADMIN for kind in self.kinds)
        return ClientKind.ADMIN if is_admin else ClientKind.BACKUP


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """One row of sessions.csv, and the line that it came from."""

    client: str
    server: str
    account: str
    kind: SessionKind
    stanza: Stanza | None
    columns: Row
    source: Source


class SessionBook:
    """Clients by name, and sessions by client, server, account and key database."""

    def __init__(
        self,
        evidence: Evidence,
        servers: ServerBook,
        accounts: AccountBook,
        *,
        tell: Callable[[int, int], None],
    ) -> None:
        self.findings: list[Finding] = []
        self.clients: dict[str, Client] = {}
        self.sessions: dict[tuple[str, str, str, str], Session] = {}
        self._evidence, self._servers, self._accounts = evidence, servers, accounts
        self._ways: dict[tuple[str, str], list[Stanza]] = defaultdict(list)
        self._claims: dict[tuple[str, str], list[str]] = defaultdict(list)
        self._hosts: dict[str, str] = {}
        self._local: dict[str, set[str]] = defaultdict(set)
        self._take_stanzas()
        self._take_nodes(tell)
        self._learn_hosts()
        self._take_observed()
        self._take_partners()
        self._take_levels()

    # --- Clients and hosts ---

    def client(self, name: str, source: Source) -> Client:
        """Return the client of a name, a new one where it was not known."""
        known = self.clients.get(name.casefold())
        if known is None:
            known = self.clients[name.casefold()] = Client(name=name, source=source)
        return known

    def claimants(self, server: str, account: str) -> list[str]:
        """Return the clients that have sessions with an account."""
        return self._claims[server.casefold(), account.casefold()]

    def client_at(self, host: str) -> str:
        """Return the client at a host name or address; empty where it is not known."""
        for name in host_names(host):
            if name in self.clients:
                return self.clients[name].name
            if name in self._hosts:
                return self._hosts[name]
        return ""

    def observed(self) -> Iterator[ObservedSession]:
        """Return the sessions of the logs, each with the client at its host."""
        for seen in self._evidence.observed:
            client = self.client_at(seen.host) if seen.host else ""
            yield replace(seen, client=client) if client else seen

    def _local_client(self, seen: ObservedSession, server: str) -> str:
        """Return the client of a session on the server's own host: the only one that has such."""
        local = self._local[server.casefold()] if seen.is_local else set()
        return next(iter(local)) if len(local) == 1 else ""

    def _learn_hosts(self) -> None:
        """Learn where clients are, by the last logins with nodes that one client alone uses."""
        for account in self._accounts:
            node = account.node
            if node is None:
                continue
            claimants = self.claimants(account.server, account.name)
            for host in (node.tcp_name, node.tcp_address):
                if host and len(claimants) == 1:
                    self._hosts.setdefault(host.casefold(), claimants[0])

    # --- Sessions ---

    def _add(
        self,
        client: Client,
        server: str,
        account: str,
        kind: SessionKind,
        stanza: Stanza | None,
        source: Source,
        **columns: str,
    ) -> None:
        """Add a session unless it is known; the options are those of its stanza."""
        database = stanza.key_database if stanza else ""
        key = (client.name.casefold(), server.casefold(), account.casefold(), database.casefold())
        known = self.sessions.get(key)
        if known is not None:
            if stanza is not None and known.stanza is not None:
                self._compare_stanzas(known.stanza, stanza, server)
            return
        row: Row = dict(columns)
        if stanza is not None:
            row = {**stanza.options} | columns
            if kind is not SessionKind.STORAGE_AGENT:  # its TCPPORT is the one that it listens on
                row.setdefault("tcpport", stanza.port or _DEFAULT_PORT)
        if kind not in BETWEEN_SERVERS:
            row.setdefault("sslacceptcertfromserv", "Yes")  # the product's default (FP812)
        client.kinds.append(kind)
        if account.casefold().startswith(_OPERATIONS_CENTER):
            client.is_operations_center = True
        claims = self.claimants(server, account)
        if client.name not in claims:
            claims.append(client.name)
        port = self._servers.row(server).get("tcpport", "")
        if row.get("tcpport") == port:
            row.pop("tcpport", None)  # empty means the server's
        self.sessions[key] = Session(
            client=client.name,
            server=server,
            account=account,
            kind=kind,
            stanza=stanza,
            columns=row,
            source=source,
        )

    def _take_stanzas(self) -> None:
        for stanza in self._evidence.stanzas:
            client = self.client(stanza.client, stanza.source)
            server = self._servers.called_by(stanza)
            is_agent = stanza.kind is SessionKind.STORAGE_AGENT
            client.is_storage_agent = client.is_storage_agent or is_agent
            if not stanza.is_failover:
                self._ways[client.name.casefold(), server.casefold()].append(stanza)
                if stanza.options.get("commmethod") in _LOCAL:
                    self._local[server.casefold()].add(client.name)
            name = stanza.node or client.name
            kind = AccountKind.SERVER if is_agent else AccountKind.NODE
            account = self._accounts.find(server, name)
            is_registered = account is not None and kind in account.kinds
            is_listed = account is not None or self._accounts.is_listed(server, kind)
            if is_listed and not is_registered:
                if stanza.node and not stanza.is_failover:
                    self._report_unregistered(stanza, server, name)
                continue  # its stanza serves administrators
            self._add(
                client,
                server,
                account.name if account else name,
                stanza.kind,
                stanza,
                stanza.source,
            )

    def _take_nodes(self, tell: Callable[[int, int], None]) -> None:
        """Add the sessions of nodes that no options file claims."""
        targets = {
            (proxy.server.casefold(), proxy.target.casefold()) for proxy in self._evidence.proxies
        }
        of_files = set(self.clients)
        names: dict[str, list[NodeFacts]] = defaultdict(list)
        nodes = [(one, one.node) for one in self._accounts if one.node is not None]
        for number, (account, node) in enumerate(nodes, 1):
            if number % _TOLD == 0 or number == len(nodes):
                tell(number, len(nodes))
            if node.tcp_name:
                names[node.tcp_name.casefold()].append(node)
            if self.claimants(node.server, node.name) or node.node_type == "server":
                continue
            if node.node_type in _NO_CLIENTS:
                self._report_node(node, "node-without-client", _NO_CLIENTS[node.node_type])
                continue
            if not node.level and (node.server.casefold(), node.name.casefold()) in targets:
                what = "a proxy target that never logged on itself: its agents' sessions count"
                self._report_node(node, "node-without-client", what)
                continue
            self._take_node(node, account, of_files)
        self._report_hosts(names)

    def _take_node(self, node: NodeFacts, account: Registered, of_files: set[str]) -> None:
        """Add the session of a node; its last login says at which client of the option files."""
        name = node.name
        host = next((one for one in host_names(node.tcp_name) if one in of_files), "")
        if name.casefold() not in self.clients and host:
            name = self.clients[host].name
        kind = SessionKind.FAILOVER if account.is_replica else _kind_of(node)
        self._add(
            self.client(name, node.source), account.server, account.name, kind, None, node.source
        )

    def _take_observed(self) -> None:
        """Add the sessions that only the activity log shows, at the hosts that it names."""
        for seen in self._evidence.observed:
            source = Source(seen.file, seen.line)
            server = self._servers.name(seen.server)
            account = self._accounts.find(server, seen.account)
            name = account.name if account else seen.account
            if seen.kind is AccountKind.SERVER:
                self._add_partner(name, server, source)
                continue
            known = self.client_at(seen.host) if seen.host else self._local_client(seen, server)
            if not seen.host and not known:
                continue
            if seen.kind is AccountKind.NODE and (not known or self.claimants(server, name)):
                continue
            client = self.client(known or seen.host, source)
            if not known:
                self._report_host(seen.host, name, server, source)
            ways = self._ways[client.name.casefold(), server.casefold()]
            way = next((one for one in ways if not one.key_database), None)
            is_admin = seen.kind is AccountKind.ADMIN
            columns = {}
            if seen.is_local and way is None:
                columns["commmethod"] = (
                    "NAMEDPIPE" if "pipe" in seen.transport.casefold() else "SHAREDMEM"
                )
            kind = SessionKind.ADMIN if is_admin else SessionKind.BACKUP
            self._add(client, server, name, kind, way, source, **columns)
        for account in self._accounts:
            if AccountKind.ADMIN in account.kinds and not self.claimants(
                account.server, account.name
            ):
                self._report_admin(account)

    # --- Servers that call servers ---

    def _take_partners(self) -> None:
        for partner in self._evidence.partners:
            if partner.last_access:
                self._add_partner(partner.name, self._servers.name(partner.server), partner.source)

    def _add_partner(self, name: str, server: str, source: Source) -> None:
        """Add the session of a server or storage agent that called `server`."""
        if (name.casefold(), server.casefold(), name.casefold(), "") in self.sessions:
            return
        known = self.clients.get(name.casefold())
        way: Stanza | None = None
        columns: Row = {}
        if known is None and name in self._servers:
            # A server opens it: it is a client without a row of its own.
            client = Client(name=self._servers.name(name), source=source)
            columns = self._way_of_server(client.name, server)
            kind = (
                SessionKind.LIBRARY
                if any(
                    one.server.casefold() == name.casefold()
                    and one.manager.casefold() == server.casefold()
                    for one in self._evidence.libraries
                )
                else SessionKind.SERVER
            )
        else:
            client = known or self.client(name, source)
            if known is None:
                client.is_partner = True
                self._report_partner(name, server, source)
            ways = self._ways[client.name.casefold(), server.casefold()]
            way = ways[0] if ways else None
            kind = SessionKind.STORAGE_AGENT if client.is_storage_agent else SessionKind.SERVER
        self._add(client, server, client.name, kind, way, source, **columns)

    def _way_of_server(self, name: str, server: str) -> Row:
        """Return how a server calls another one, by its own definition of it."""
        for partner in self._evidence.partners:
            is_it = partner.server.casefold() == name.casefold()
            if is_it and partner.name.casefold() == server.casefold():
                columns = {"ssl": partner.ssl, "tcpport": partner.port}
                return {column: value for column, value in columns.items() if value}
        return {}

    # --- Levels ---

    def _take_levels(self) -> None:
        """Give each client the level that it says itself, else that of its newest login."""
        for facts in self._evidence.levels:
            client = self.client(facts.client, facts.source)
            if client.level and client.level != facts.level:
                self._report_level(client, facts.level, facts.source)
            client.level = client.level or facts.level
        logins: dict[str, list[NodeFacts]] = defaultdict(list)
        for account in self._accounts:
            node = account.node
            if node is None or (not node.level and not node.platform):
                continue
            claimants = self.claimants(account.server, account.name)
            hosts = host_names(node.tcp_name)
            at_host = [name for name in claimants if name.casefold() in hosts]
            for name in claimants if len(claimants) == 1 else at_host:
                logins[name.casefold()].append(node)
        for folded, nodes in logins.items():
            if folded in self.clients:
                self._take_logins(self.clients[folded], nodes)

    def _take_logins(self, client: Client, nodes: Iterable[NodeFacts]) -> None:
        for node in sorted(nodes, key=lambda node: node.last_access, reverse=True):
            client.platform = client.platform or node.platform
            if not node.level:
                continue
            if client.level and not _is_same(client.level, node.level):
                self._report_level(client, node.level, node.source)
            client.level = client.level or node.level

    # --- What is remarkable ---

    def _report_level(self, client: Client, level: str, source: Source) -> None:
        self.findings.append(
            finding_at(
                source,
                rule="level-contradiction",
                severity=Severity.WARNING,
                subject=client.name,
                what=f"{client.level} was taken as its level; here it is {level}",
                why="NODES holds the level of the last program that logged on: another one, or "
                "an old login. A client's own word comes first, then its newest login.",
                fix="Correct the level in clients.csv if the other one is right.",
            )
        )

    def _report_node(self, node: NodeFacts, rule: str, what: str) -> None:
        self.findings.append(
            finding_at(
                node.source,
                rule=rule,
                severity=Severity.NOTE,
                subject=f"{node.name} on {node.server}",
                what=what,
                why="No session is imported for it.",
                fix="Add one to sessions.csv if there is one.",
            )
        )

    def _report_hosts(self, names: dict[str, list[NodeFacts]]) -> None:
        """Report hosts with several nodes of one server, and nodes at several hosts."""
        hosts: dict[str, dict[str, NodeFacts]] = defaultdict(dict)
        for host, nodes in names.items():
            by_name = {node.name.casefold(): node for node in nodes}
            clients = {name for name in by_name if name in self.clients}
            for name, node in by_name.items():
                hosts[name].setdefault(host, node)
            if len(clients) > 1:
                node = nodes[-1]
                self.findings.append(
                    finding_at(
                        node.source,
                        rule="duplicate-tcp-name",
                        severity=Severity.WARNING,
                        subject=node.tcp_name,
                        what=f"{len(clients)} clients have this TCP_NAME: {some(clients)}",
                        why="They may be one client with several nodes, copies of one image, or "
                        "a name that was used twice.",
                        fix="Give the option files of the host, or join the rows in clients.csv.",
                    )
                )
        for places in hosts.values():
            if len(places) > 1 and len(self._claims_of(places.values())) < 2:
                node = next(reversed(places.values()))
                self.findings.append(
                    finding_at(
                        node.source,
                        rule="host-renamed",
                        severity=Severity.WARNING,
                        subject=node.name,
                        what=f"the node has {len(places)} TCP_NAMEs: {some(places)}",
                        why="The host was renamed, or two hosts use one node, which becomes strict "
                        "for both.",
                        fix="Check which hosts use it, and give the option files of each.",
                    )
                )

    def _claims_of(self, nodes: Iterable[NodeFacts]) -> set[str]:
        return {name for node in nodes for name in self.claimants(node.server, node.name)}

    def _compare_stanzas(self, first: Stanza, other: Stanza, server: str) -> None:
        """Report two stanzas of one client that call one server with one node in two ways."""
        if (first.port, first.options) == (other.port, other.options):
            return
        self.findings.append(
            finding_at(
                other.source,
                rule="stanzas-differ",
                severity=Severity.WARNING,
                subject=other.client,
                what=f"another stanza calls {server} with the same node and other options; the one "
                f"in line {first.source.line} of {first.source.file} was taken",
                why="One client, server, account and key database are one session of the plan.",
                fix="Make the stanzas alike, or correct sessions.csv.",
            )
        )

    def _report_unregistered(self, stanza: Stanza, server: str, name: str) -> None:
        self.findings.append(
            finding_at(
                stanza.source,
                rule="node-not-registered",
                severity=Severity.WARNING,
                subject=stanza.client,
                what=f"NODENAME {name} is no node of {server}",
                why="The server refuses it, so no session is imported.",
                fix="Register the node, or correct the stanza.",
            )
        )

    def _report_admin(self, account: Registered) -> None:
        self.findings.append(
            finding_at(
                account.source,
                rule="account-without-client",
                severity=Severity.NOTE,
                subject=f"{account.name} on {account.server}",
                what="nothing shows from which host this administrator comes",
                why="The host stands in the activity log alone (ANR0407I, ANR0839I).",
                fix="Export the activity log over more days, or add its sessions to sessions.csv.",
            )
        )

    def _report_host(self, host: str, account: str, server: str, source: Source) -> None:
        self.findings.append(
            finding_at(
                source,
                rule="client-by-host",
                severity=Severity.NOTE,
                subject=host,
                what=f"{account} came to {server} from this host, of which nothing else is known",
                why="Its level and options are unknown, so it counts as old.",
                fix="Give its option files, and what `dsmc query session` prints, as CLIENT=FILE.",
            )
        )

    def _report_partner(self, name: str, server: str, source: Source) -> None:
        self.findings.append(
            finding_at(
                source,
                rule="partner-unknown",
                severity=Severity.WARNING,
                subject=name,
                what=f"it called {server} as a server, and no export or dsmsta.opt is of it",
                why="It is a server or a storage agent, for which other rules hold.",
                fix="Export it, give its dsmsta.opt, or correct its kind in clients.csv.",
            )
        )


def host_names(host: str) -> tuple[str, ...]:
    """Return under which names a host may be known: as it stands, and without its domain.

    Examples
    --------
    >>> host_names("DB1.example.org"), host_names("10.1.1.1"), host_names("")
    (('db1.example.org', 'db1'), ('10.1.1.1',), ())
    """
    folded = host.casefold()
    label = folded.partition(".")[0]
    return tuple(dict.fromkeys(name for name in (folded, label) if name and not name.isdecimal()))


def _is_same(level: str, other: str) -> bool:
    """Whether two levels are one, up to the sub-level."""
    return level.split(".")[:3] == other.split(".")[:3]


def _kind_of(node: NodeFacts) -> SessionKind:
    """Return what a node's sessions are, by the platform that its program says."""
    folded = node.platform.casefold()
    if "vmware" in folded or "hyper-v" in folded:
        return SessionKind.VM
    return SessionKind.API if folded.startswith(("tdp", "api", "db2")) else SessionKind.BACKUP


def some(names: Iterable[str]) -> str:
    """Return some of the names, sorted, and whether there are more."""
    shown = sorted(set(names))
    return ", ".join(shown[:5]) + (" and more" if len(shown) > 5 else "")
