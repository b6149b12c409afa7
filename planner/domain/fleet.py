"""The fleet: what is true on the plan's first day, as read-only columns.

Clients and servers are *endpoints*; endpoint numbers count the clients first, then the servers.
Every reference between tables is a number; texts are at the border only.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from typing import TYPE_CHECKING, Final, Self

import numpy as np
from numpy.typing import NDArray

from planner.domain import views
from planner.domain.calendar import NEVER, Calendar, Capacity, Days, iso
from planner.domain.certificates import Certificates
from planner.domain.columns import check_columns, freeze_columns
from planner.domain.findings import Finding
from planner.domain.levels import UNKNOWN_LEVEL_FACTS, Level
from planner.domain.names import Names
from planner.domain.order_rules import OrderRule

if TYPE_CHECKING:
    import networkx as nx
    import pandas as pd

    from planner.domain.plan import Plan

Numbers = NDArray[np.int32]
Codes = NDArray[np.uint8]
Flags = NDArray[np.bool_]


class LabelledEnum(IntEnum):
    """A closed set whose members are written in lower case with hyphens."""

    @property
    def label(self) -> str:
        """The name in files."""
        return self.name.casefold().replace("_", "-")


class ClientKind(LabelledEnum):
    """What a client is; informative, the kind of a session decides."""

    BACKUP = 0
    API = 1
    ADMIN = 2
    VM = 3
    STORAGE_AGENT = 4
    OPERATIONS_CENTER = 5
    SERVER = 6


class SessionKind(LabelledEnum):
    """What a session is for; it decides when automatic distribution works."""

    BACKUP = 0
    API = 1
    ADMIN = 2
    VM = 3
    FAILOVER = 4
    STORAGE_AGENT = 5
    SERVER = 6
    LIBRARY = 7


BETWEEN_SERVERS: Final = (SessionKind.STORAGE_AGENT, SessionKind.SERVER, SessionKind.LIBRARY)
"""Sessions that servers and storage agents open."""


class AccountKind(LabelledEnum):
    """What an account is on its server."""

    NODE = 0
    ADMIN = 1
    SERVER = 2


class Authentication(IntEnum):
    """Where the password of an account is kept."""

    OF_SERVER = 0
    LOCAL = 1
    LDAP = 2


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Clients:
    """Columns of clients.csv; levels are numbers of `Fleet.levels`, -1 for blank."""

    name: Names
    level: Numbers
    kind: Codes
    platform: tuple[str, ...]
    site: tuple[str, ...]
    owner: tuple[str, ...]
    target_level: Numbers
    upgrade: Days
    note: tuple[str, ...]
    line: Numbers

    def __post_init__(self) -> None:
        check_columns(self, len(self.name))
        freeze_columns(self)

    def __len__(self) -> int:
        return len(self.name)


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Servers:
    """Columns of servers.csv; ports are 0 where unknown, `ldap` is the default authentication."""

    name: Names
    level: Numbers
    ldap: Flags
    certificate: Numbers
    tls12: Flags
    tcpport: Numbers
    ssltcpport: Numbers
    address: tuple[str, ...]
    site: tuple[str, ...]
    target_level: Numbers
    upgrade: Days
    note: tuple[str, ...]
    line: Numbers

    def __post_init__(self) -> None:
        check_columns(self, len(self.name))
        freeze_columns(self)

    def __len__(self) -> int:
        return len(self.name)


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Accounts:
    """Columns of all accounts; `name_number` is equal for equal names on different servers."""

    server: Numbers
    name: tuple[str, ...]
    name_number: Numbers
    kind: Codes
    authentication: Codes
    strict: Flags
    sslrequired: Codes
    line: Numbers

    def __post_init__(self) -> None:
        check_columns(self, len(self.name))
        freeze_columns(self)

    def __len__(self) -> int:
        return len(self.name)


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class KeyDatabases:
    """Key databases, those of one endpoint side by side.

    Parameters
    ----------
    endpoint
        Shape `(n,)`, ascending.
    name, name_number
        As shown, and equal for equal names of different endpoints.
    """

    endpoint: Numbers
    name: tuple[str, ...]
    name_number: Numbers

    def __post_init__(self) -> None:
        check_columns(self, len(self.name))
        freeze_columns(self)

    def __len__(self) -> int:
        return len(self.name)


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Sessions:
    """Columns of sessions.csv; `options` is packed as `planner.domain.options` says.

    `port` is 0 where it is the server's; `weight` is [1], `replsslport` 0 where not given.
    """

    client: Numbers
    server: Numbers
    account: Numbers
    key_database: Numbers
    kind: Codes
    options: NDArray[np.uint16]
    port: Numbers
    replsslport: Numbers
    weight: NDArray[np.float64]
    encrypt_data: Flags
    line: Numbers

    def __post_init__(self) -> None:
        check_columns(self, len(self.client))
        freeze_columns(self)

    def __len__(self) -> int:
        return len(self.client)


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class TrustInPlace:
    """Columns of trust.csv; `since` is `ALWAYS` where empty."""

    key_database: Numbers
    certificate: Numbers
    since: Days
    line: Numbers

    def __post_init__(self) -> None:
        check_columns(self, len(self.key_database))
        freeze_columns(self)

    def __len__(self) -> int:
        return len(self.key_database)


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Groups:
    """Members of each group side by side: those of group `g` are `member[first[g]:first[g+1]]`."""

    first: Numbers
    member: Numbers

    def __post_init__(self) -> None:
        freeze_columns(self)

    @classmethod
    def by(cls, group: Numbers, n_groups: int) -> Self:
        """Group row numbers by their group; rows of one group stay in order."""
        first = np.zeros(n_groups + 1, dtype=np.int32)
        np.cumsum(np.bincount(group, minlength=n_groups), out=first[1:])
        member = np.argsort(group, kind="stable").astype(np.int32)
        return cls(first=first, member=member)

    def of(self, group: int) -> Numbers:
        """Row numbers of one group."""
        return self.member[self.first[group] : self.first[group + 1]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Where a fleet came from, and what its files held that the kit does not use."""

    folder: str = ""
    sha256: str = ""
    extra_columns: Mapping[str, Mapping[str, tuple[str, ...]]] = field(default_factory=dict)
    certificate_files: Mapping[str, bytes] = field(default_factory=dict)
    remarks: tuple[Finding, ...] = ()


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Fleet:
    """Servers, clients, accounts, sessions, certificates and trust on the day `start`.

    Parameters
    ----------
    start, end
        The horizon `[start, end)`, days.
    automatic_distribution
        The site's policy; it changes only the severity of a finding.
    levels
        Every level that an endpoint has or shall get.
    rules
        The order rules of rules.csv.
    account_names, key_database_names
        What `name_number` of accounts and key databases stands for.
    account_is_shared
        Whether each account has several sessions.
    sharing_sessions
        Numbers of the sessions whose account is shared, ascending.
    sessions_of_key_database, key_databases_of_endpoint
        The sessions of each key database, and the key databases of each endpoint.
    """

    name: str
    start: int
    end: int
    automatic_distribution: bool = False
    calendar: Calendar = Calendar()
    capacity: Capacity = Capacity()
    levels: tuple[Level, ...]
    clients: Clients
    servers: Servers
    accounts: Accounts
    account_names: Names
    key_databases: KeyDatabases
    key_database_names: Names
    sessions: Sessions
    certificates: Certificates
    trust: TrustInPlace
    rules: tuple[OrderRule, ...] = ()
    origin: Origin = Origin()
    account_is_shared: Flags = field(init=False)
    sharing_sessions: Numbers = field(init=False)
    sessions_of_key_database: Groups = field(init=False)
    key_databases_of_endpoint: Groups = field(init=False)

    def __post_init__(self) -> None:
        if self.end <= self.start:
            raise ValueError(f"the horizon ends on {iso(self.end)}, before it starts")
        databases = self.key_databases
        users = np.bincount(self.sessions.account, minlength=len(self.accounts))
        is_shared = users > 1
        object.__setattr__(self, "account_is_shared", is_shared)
        sharing = np.flatnonzero(is_shared[self.sessions.account]).astype(np.int32)
        object.__setattr__(self, "sharing_sessions", sharing)
        object.__setattr__(
            self,
            "sessions_of_key_database",
            Groups.by(self.sessions.key_database, len(databases)),
        )
        object.__setattr__(
            self, "key_databases_of_endpoint", Groups.by(databases.endpoint, self.n_endpoints)
        )

    @property
    def n_endpoints(self) -> int:
        """Count of clients and servers together."""
        return len(self.clients) + len(self.servers)

    @property
    def n_days(self) -> int:
        """Length of the horizon [days]."""
        return self.end - self.start

    def is_server(self, endpoint: int) -> bool:
        """Whether an endpoint is one of servers.csv."""
        return endpoint >= len(self.clients)

    def find_endpoint(self, text: str) -> int:
        """Endpoint of a name, looked up in clients.csv, then in servers.csv; -1 for none."""
        client = self.clients.name.find(text)
        if client >= 0:
            return client
        server = self.servers.name.find(text)
        return server + len(self.clients) if server >= 0 else -1

    def endpoint_name(self, endpoint: int) -> str:
        """Name of an endpoint."""
        n_clients = len(self.clients)
        if endpoint < n_clients:
            return self.clients.name[endpoint]
        return self.servers.name[endpoint - n_clients]

    def endpoint_site(self, endpoint: int) -> str:
        """Site of an endpoint; empty where not given."""
        n_clients = len(self.clients)
        if endpoint < n_clients:
            return self.clients.site[endpoint]
        return self.servers.site[endpoint - n_clients]

    def endpoint_names(self) -> NDArray[np.object_]:
        """Names of all endpoints, by endpoint number."""
        return np.concatenate([self.clients.name.array(), self.servers.name.array()])

    def endpoint_level(self, endpoint: int) -> Level | None:
        """Level of an endpoint on the first day, before any action; None where blank."""
        n_clients = len(self.clients)
        servers, clients = self.servers, self.clients
        code = (
            clients.level[endpoint] if endpoint < n_clients else servers.level[endpoint - n_clients]
        )
        return self.levels[code] if code >= 0 else None

    def level_facts(self) -> NDArray[np.uint16]:
        """`LevelFact` of each endpoint before any action; a blank level counts as unknown."""
        facts = np.array(
            [*(level.facts for level in self.levels), UNKNOWN_LEVEL_FACTS], dtype=np.uint16
        )
        level = np.concatenate([self.clients.level, self.servers.level])
        of_endpoint: NDArray[np.uint16] = facts.take(level, mode="wrap")  # a blank one is -1
        return of_endpoint

    def session_text(self, session: int) -> str:
        """One session in words: `client -> server as account`, and its key database."""
        row = self.sessions
        database = self.key_databases.name[row.key_database[session]]
        suffix = "" if database.casefold() == "default" else f" (key database {database})"
        return (
            f"{self.endpoint_name(int(row.client[session]))} -> "
            f"{self.servers.name[row.server[session]]} as "
            f"{self.accounts.name[row.account[session]]}{suffix}"
        )

    def draft_plan(self) -> "Plan":
        """Return the upgrade columns as actions: servers first, each in file order."""
        from planner.domain.plan import Action, Plan, PlannedAction

        actions = []
        for file, table, columns in (
            ("servers.csv", self.servers, ("server", Action.UPGRADE_SERVER)),
            ("clients.csv", self.clients, ("client", Action.UPGRADE_CLIENT)),
        ):
            column, upgrade = columns
            for row in np.flatnonzero(table.upgrade != NEVER).tolist():
                is_install = column == "client" and table.level[row] < 0
                actions.append(
                    PlannedAction(
                        day=int(table.upgrade[row]),
                        action=Action.INSTALL_CLIENT if is_install else upgrade,
                        value=str(self.levels[table.target_level[row]]),
                        file=file,
                        line=int(table.line[row]),
                        **{column: table.name[row]},
                    )
                )
        return Plan.of(self, actions)

    def graph(self) -> "nx.MultiDiGraph[str]":
        """Return the fleet as a networkx graph: endpoints are nodes, sessions are edges.

        A node carries `kind`, `level` and `site`; an edge carries its `session` number, `account`,
        `key_database` and `weight`. A server whose name a client has too is named
        `<name> (server)`.
        """
        import networkx as nx

        graph: nx.MultiDiGraph[str] = nx.MultiDiGraph(name=self.name)
        n_clients = len(self.clients)
        nodes = []
        for endpoint in range(self.n_endpoints):
            name, is_server = self.endpoint_name(endpoint), endpoint >= n_clients
            if is_server and self.clients.name.find(name) >= 0:
                name = f"{name} (server)"
            level = self.endpoint_level(endpoint)
            kind = "server" if is_server else ClientKind(self.clients.kind[endpoint]).label
            graph.add_node(
                name,
                kind=kind,
                level="" if level is None else str(level),
                site=self.endpoint_site(endpoint),
            )
            nodes.append(name)
        rows = self.sessions
        for session in range(len(rows)):
            graph.add_edge(
                nodes[rows.client[session]],
                nodes[n_clients + rows.server[session]],
                key=session,
                session=session,
                account=self.accounts.name[rows.account[session]],
                key_database=self.key_databases.name[rows.key_database[session]],
                weight=float(rows.weight[session]),
            )
        return graph

    def __repr__(self) -> str:
        return (
            f"Fleet({self.name!r}, {iso(self.start)}..{iso(self.end)}, {len(self.servers)} "
            f"servers, {len(self.clients)} clients, {len(self.sessions)} sessions)"
        )

    def to_frame(self) -> "pd.DataFrame":
        """Return the sessions with every default filled in: the columns of sessions.csv."""
        return views.frame_of(self)

    def _repr_html_(self) -> str:
        return views.html_of(self)
