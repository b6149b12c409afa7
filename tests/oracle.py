"""The test oracle: the semantics lived day by day, for small fleets.

Slow and obvious on purpose. It is written from the text of the semantics alone and shares no code
with the engine, so that a mistake has to be made twice, independently, before it goes unseen.
Inside, every name is folded to lower case; names get their spelling back on the way out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import NamedTuple

Row = dict[str, str]
Level = tuple[int, ...]  # V.R.L: the sub-level never counts
AccountKey = tuple[str, str]  # server, account
KeyDatabase = tuple[str, str]  # client, key database

UNKNOWN: Level = ()
MODES = ("inactive", "refused", "plaintext", "local", "tls-partial", "legacy-ssl", "tls-full")
ACTIONS = (
    "upgrade-server",
    "upgrade-client",
    "install-client",
    "retire-client",
    "import-certificate",
    "remove-certificate",
    "set-option",
    "replace-certificate",
    "set-session-security",
    "set-authentication",
)
OPTION_DEFAULTS = {
    "ssl": "No",
    "sslrequired": "Default",
    "sslacceptcertfromserv": "No",
    "sslfipsmode": "No",
    "ssldisablelegacytls": "No",
    "lanfreessl": "No",
    "replsslport": "",
    "tcpport": "",  # stands for the server's tcpport
    "commmethod": "TCPIP",
}
CLIENT_KINDS = ("backup", "api", "admin", "vm", "failover")
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
ONE_DAY = timedelta(days=1)


@dataclass(frozen=True, kw_only=True)
class Case:
    """A fleet as its files: every cell a string exactly as in the CSV."""

    toml: dict[str, object]
    servers: list[Row]
    clients: list[Row]
    accounts: list[Row]
    sessions: list[Row]
    certificates: list[Row]
    trust: list[Row]
    plan: list[Row] | None  # None: the upgrade columns are the plan
    rules: list[Row] = field(default_factory=list)  # of rollout orders; no result depends on them


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What the semantics say about one case, in the cells of the result files."""

    states: list[Row]
    deadlines: list[Row]
    daily: list[Row]
    use_cases: list[str]
    automatic: list[tuple[str, ...]]
    strict: dict[tuple[str, str], list[tuple[str, str]]]
    exposure: float
    partial_exposure: float
    refused_session_days: int
    transitional_account_days: int


# --- Reading cells ---------------------------------------------------------------------------


def _cell(row: Mapping[str, str], column: str, default: str = "") -> str:
    return (row.get(column) or "").strip() or default


def _key(row: Mapping[str, str], column: str, default: str = "") -> str:
    return _cell(row, column, default).casefold()


def _is_yes(value: str) -> bool:
    return value.casefold() == "yes"


def _date(value: object) -> date:
    return value if isinstance(value, date) else date.fromisoformat(str(value).strip())


def _optional_date(cell: str) -> date | None:
    return date.fromisoformat(cell) if cell else None


def _iso(day: date | None) -> str:
    return day.isoformat() if day is not None else ""


def _table(value: object) -> dict[str, object]:
    return dict(value) if isinstance(value, dict) else {}


def _list(value: object) -> list[object]:
    return list(value) if isinstance(value, list | tuple) else []


# --- Levels ----------------------------------------------------------------------------------


def read_level(cell: str) -> Level:
    """Return V.R.L of a level, the unknown level for an empty cell."""
    return tuple(int(part) for part in cell.split(".")[:3]) if cell else UNKNOWN


def at_least(level: Level, bound: Level) -> bool:
    """Tell whether `level >= bound`; no test against a level holds for an unknown one."""
    return level != UNKNOWN and level >= bound


def below(level: Level, bound: Level) -> bool:
    """Tell whether `level < bound`; no test against a level holds for an unknown one."""
    return level != UNKNOWN and level < bound


def is_late_seven(level: Level) -> bool:
    """Tell whether 7.1.8 <= level < 8.0."""
    return at_least(level, (7, 1, 8)) and below(level, (8, 0))


def is_new(level: Level) -> bool:
    """Tell whether the era is new; an unknown level is old."""
    return at_least(level, (8, 1, 2)) or is_late_seven(level)


# --- The fleet on the morning of the first day -----------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Server:
    """One row of servers.csv."""

    level: Level
    is_ldap: bool
    certificate: str
    has_tls12: bool
    tcpport: str
    ssltcpport: str


@dataclass(frozen=True, kw_only=True)
class Client:
    """One row of clients.csv; the level is None while the client is not installed."""

    level: Level | None
    kind: str


@dataclass(frozen=True, kw_only=True)
class Account:
    """An account of accounts.csv, or one that a session implies."""

    is_ldap: bool | None  # None: the account says nothing, the server's default counts
    is_strict: bool
    sslrequired: str


@dataclass(frozen=True, kw_only=True)
class Session:
    """One row of sessions.csv."""

    client: str
    server: str
    account: str
    key_database: str
    kind: str
    options: dict[str, str]
    weight: float
    encrypt_data: bool


@dataclass(frozen=True, kw_only=True)
class Certificate:
    """One row of certificates.csv."""

    kind: str
    issuer: str
    not_before: date | None
    not_after: date | None
    is_md5: bool
    server: str
    available: date | None


# A certificate that is not described is self-signed, not MD5, always valid and available.
UNDESCRIBED = Certificate(
    kind="self-signed",
    issuer="",
    not_before=None,
    not_after=None,
    is_md5=False,
    server="",
    available=None,
)


@dataclass(frozen=True, kw_only=True)
class Action:
    """One dated action; `kind` is its name."""

    day: date
    kind: str
    client: str = ""
    server: str = ""
    account: str = ""
    key_database: str = ""
    certificate: str = ""
    option: str = ""
    value: str = ""


class Fleet:
    """A case with its cells read, its defaults filled and its plan as actions."""

    def __init__(self, case: Case) -> None:
        self.start = _date(case.toml["start"])
        self.end = _date(case.toml["end"])
        self.days = [self.start + n * ONE_DAY for n in range((self.end - self.start).days)]
        self._read_calendar(case)
        self._read_servers(case)
        self._read_certificates(case)
        actions = _actions_of_plan(case)
        self._read_clients(case, actions)
        self._read_accounts_and_sessions(case)
        actions += self._read_trust(case)
        self._spell_certificates(case)
        # Python's sort keeps the file order of what is equal, so this is the order of section 3.
        self.actions = sorted(actions, key=lambda action: (action.day, ACTIONS.index(action.kind)))

    def _read_calendar(self, case: Case) -> None:
        policy, calendar = _table(case.toml.get("policy")), _table(case.toml.get("calendar"))
        self.lead_days = int(str(policy.get("lead_days", 5)))
        named = calendar.get("working_days", ["Mon", "Tue", "Wed", "Thu", "Fri"])
        self.working_weekdays = {WEEKDAYS.index(str(name).casefold()[:3]) for name in _list(named)}
        self.holidays = {_date(day) for day in _list(calendar.get("holidays"))}
        freezes = [_table(freeze) for freeze in _list(calendar.get("freeze"))]
        self.freezes = [(_date(freeze["start"]), _date(freeze["end"])) for freeze in freezes]

    def _read_servers(self, case: Case) -> None:
        self.servers: dict[str, Server] = {}
        self.server_names: dict[str, str] = {}
        for row in case.servers:
            name = _key(row, "server")
            self.server_names[name] = _cell(row, "server")
            self.servers[name] = Server(
                level=read_level(_cell(row, "level")),
                is_ldap=_key(row, "authentication") == "ldap",
                certificate=_key(row, "certificate", name),
                has_tls12=_is_yes(_cell(row, "tls12")),
                tcpport=_cell(row, "tcpport"),
                ssltcpport=_cell(row, "ssltcpport"),
            )

    def _read_certificates(self, case: Case) -> None:
        self.certificates: dict[str, Certificate] = {}
        for row in case.certificates:
            issuer = _key(row, "issuer")
            self.certificates[_key(row, "certificate")] = Certificate(
                kind=_key(row, "kind", "leaf" if issuer else "self-signed"),
                issuer=issuer,
                not_before=_optional_date(_cell(row, "not_before")),
                not_after=_optional_date(_cell(row, "not_after")),
                is_md5="md5" in _key(row, "signature"),
                server=_key(row, "server"),
                available=_optional_date(_cell(row, "available")),
            )

    def _read_clients(self, case: Case, actions: Sequence[Action]) -> None:
        # "Not installed exactly when the plan has an install-client action for that client": the
        # plan has it even when its day is outside the horizon and it therefore never happens.
        installed_by_plan = {a.client for a in actions if a.kind == "install-client"}
        self.clients: dict[str, Client] = {}
        self.client_names = dict(self.server_names)
        for row in case.clients:
            name = _key(row, "client")
            level: Level | None = read_level(_cell(row, "level"))
            if level == UNKNOWN and name in installed_by_plan:
                level = None
            self.client_names[name] = _cell(row, "client")
            self.clients[name] = Client(level=level, kind=_key(row, "kind"))

    def _read_accounts_and_sessions(self, case: Case) -> None:
        self.accounts: dict[AccountKey, Account] = {}
        self.account_names: dict[AccountKey, str] = {}
        self.key_database_names: dict[KeyDatabase, str] = {}
        self.sessions: list[Session] = []
        for row in case.accounts:
            key = (_key(row, "server"), _key(row, "account"))
            authentication = _key(row, "authentication")
            self.account_names[key] = _cell(row, "account")
            self.accounts[key] = Account(
                is_ldap=authentication == "ldap" if authentication else None,
                is_strict=_key(row, "session_security") == "strict",
                sslrequired=_key(row, "sslrequired", "default"),
            )
        for row in case.sessions:
            client, server = _key(row, "client"), _key(row, "server")
            account_name = _cell(row, "account", self.client_names[client])
            account, key_database = account_name.casefold(), _key(row, "key_database", "default")
            self.account_names.setdefault((server, account), account_name)
            self.accounts.setdefault(
                (server, account), Account(is_ldap=None, is_strict=False, sslrequired="default")
            )
            self.key_database_names.setdefault(
                (client, key_database), _cell(row, "key_database", "default")
            )
            self.sessions.append(
                Session(
                    client=client,
                    server=server,
                    account=account,
                    key_database=key_database,
                    kind=_key(row, "kind", "backup"),
                    options={option: _cell(row, option) for option in OPTION_DEFAULTS},
                    weight=float(_cell(row, "weight", "1")),
                    encrypt_data=_is_yes(_cell(row, "encrypt_data")),
                )
            )

    def _read_trust(self, case: Case) -> list[Action]:
        """Note what is in place, and return the later rows as the imports that they are."""
        self.in_place: dict[KeyDatabase, set[str]] = {key: set() for key in self.key_database_names}
        imports = []
        for row in case.trust:
            client, key_database = _key(row, "client"), _key(row, "key_database", "default")
            certificate, since = _key(row, "certificate"), _optional_date(_cell(row, "since"))
            if since is not None and since > self.start:
                imports.append(
                    Action(
                        day=since,
                        kind="import-certificate",
                        client=client,
                        key_database=key_database,
                        certificate=certificate,
                    )
                )
            elif (client, key_database) in self.in_place:
                self.in_place[client, key_database].add(certificate)
        return imports

    def _spell_certificates(self, case: Case) -> None:
        """Spell a certificate as certificates.csv does, else as the first file that names it."""
        spellings = [_cell(row, "certificate") for row in case.certificates]
        spellings += [_cell(row, "certificate", _cell(row, "server")) for row in case.servers]
        spellings += [_cell(row, "issuer") for row in case.certificates]
        spellings += [f"{name}-cert256" for name in self.server_names.values()]
        for row in case.plan or []:
            spellings += [_cell(row, "certificate"), _cell(row, "value")]
        self.certificate_names: dict[str, str] = {}
        for name in spellings:
            self.certificate_names.setdefault(name.casefold(), name)

    def certificate(self, name: str) -> Certificate:
        """Return what is known about a certificate."""
        return self.certificates.get(name, UNDESCRIBED)

    def chain(self, name: str) -> list[str]:
        """Return the certificate, its issuers, and last its trust anchor."""
        names = [name]
        while True:
            certificate = self.certificate(names[-1])
            if certificate.kind in ("self-signed", "root") or not certificate.issuer:
                return names
            if certificate.issuer in names:
                raise ValueError(f"{name}: the issuers go round in a loop")
            names.append(certificate.issuer)

    def anchor(self, name: str) -> str:
        """Return the trust anchor of a certificate."""
        return self.chain(name)[-1]

    def is_incomplete(self, anchor: str) -> bool:
        """Tell whether an anchor is a leaf or intermediate without issuer."""
        return self.certificate(anchor).kind in ("leaf", "intermediate")

    def is_valid(self, name: str, day: date) -> bool:
        """Tell whether the day lies in the validity of a certificate and of its whole chain."""
        for link in self.chain(name):
            certificate = self.certificate(link)
            if certificate.not_before is not None and day < certificate.not_before:
                return False
            if certificate.not_after is not None and day >= certificate.not_after:
                return False
        return True

    def is_working_day(self, day: date) -> bool:
        """Tell whether a day is a listed weekday and no holiday."""
        return day.weekday() in self.working_weekdays and day not in self.holidays

    def is_frozen(self, day: date) -> bool:
        """Tell whether a day lies in a freeze."""
        return any(start <= day < end for start, end in self.freezes)


def _actions_of_plan(case: Case) -> list[Action]:
    if case.plan is None:
        return _actions_of_upgrade_columns(case)
    return [
        Action(
            day=_date(_cell(row, "date")),
            kind=_key(row, "action"),
            client=_key(row, "client"),
            server=_key(row, "server"),
            account=_key(row, "account"),
            key_database=_key(row, "key_database"),
            certificate=_key(row, "certificate"),
            option=_key(row, "option"),
            value=_cell(row, "value"),
        )
        for row in case.plan
    ]


def _actions_of_upgrade_columns(case: Case) -> list[Action]:
    """Return the upgrade columns as actions: servers first, each in file order."""
    servers = [
        Action(
            day=_date(_cell(row, "upgrade")),
            kind="upgrade-server",
            server=_key(row, "server"),
            value=_cell(row, "target_level"),
        )
        for row in case.servers
        if _cell(row, "upgrade") and _cell(row, "target_level")
    ]
    clients = [
        Action(
            day=_date(_cell(row, "upgrade")),
            kind="upgrade-client" if _cell(row, "level") else "install-client",
            client=_key(row, "client"),
            value=_cell(row, "target_level"),
        )
        for row in case.clients
        if _cell(row, "upgrade") and _cell(row, "target_level")
    ]
    return [*servers, *clients]


# --- The world: all that actions and sessions change -----------------------------------------


class World:
    """The state of the fleet at one moment."""

    def __init__(self, fleet: Fleet) -> None:
        self.fleet = fleet
        self.server_level = {name: server.level for name, server in fleet.servers.items()}
        self.server_ldap = {name: server.is_ldap for name, server in fleet.servers.items()}
        self.presented = {name: server.certificate for name, server in fleet.servers.items()}
        self.client_level = {name: client.level for name, client in fleet.clients.items()}
        self.account_ldap = {key: account.is_ldap for key, account in fleet.accounts.items()}
        self.strict = {key for key, account in fleet.accounts.items() if account.is_strict}
        self.held = {key: set(names) for key, names in fleet.in_place.items()}
        self.options = [dict(session.options) for session in fleet.sessions]

    def level_of_client(self, client: str) -> Level | None:
        """Return the level of a session's client: clients.csv first, then servers.csv."""
        if client in self.client_level:
            return self.client_level[client]
        return self.server_level[client]

    def option(self, index: int, name: str) -> str:
        """Return the value of an option of one session, its default where it is empty."""
        return self.options[index][name] or OPTION_DEFAULTS[name]

    def is_ldap(self, account: AccountKey) -> bool:
        """Tell whether an account authenticates by LDAP."""
        own = self.account_ldap[account]
        return self.server_ldap[account[0]] if own is None else own

    def apply(self, action: Action) -> None:
        """Do one action; one that names nothing known has no effect."""
        client, server, account = action.client, action.server, (action.server, action.account)
        key_database = (client, action.key_database or "default")
        match action.kind:
            case "upgrade-server":
                if server in self.server_level:
                    self.server_level[server] = read_level(action.value)
            case "upgrade-client":
                if self.client_level.get(client) is not None:
                    self.client_level[client] = read_level(action.value)
            case "install-client":
                if client in self.client_level:
                    self.client_level[client] = read_level(action.value)
            case "retire-client":
                if client in self.client_level:
                    self.client_level[client] = None
            case "import-certificate":
                if key_database in self.held:
                    self.held[key_database].add(action.certificate)
            case "remove-certificate":
                if key_database in self.held:
                    self.held[key_database].discard(action.certificate)
            case "set-option":
                for index, session in enumerate(self.fleet.sessions):
                    if (
                        session.client == client
                        and server in ("", session.server)
                        and action.account in ("", session.account)
                        and action.key_database in ("", session.key_database)
                    ):
                        self.options[index][action.option] = action.value
            case "replace-certificate":
                if server in self.presented:
                    self.presented[server] = action.certificate or action.value.casefold()
            case "set-session-security":
                if account in self.account_ldap:
                    if action.value.casefold() == "strict":
                        self.strict.add(account)
                    else:
                        self.strict.discard(account)
            case "set-authentication":
                is_ldap = action.value.casefold() == "ldap"
                if action.account == "" and server in self.server_ldap:
                    self.server_ldap[server] = is_ldap
                elif account in self.account_ldap:
                    self.account_ldap[account] = is_ldap
            case unknown:
                raise ValueError(f"{unknown!r} is not an action")

    def obey_md5_rule(self) -> None:
        """Let every server that no longer presents MD5 certificates present another one."""
        for server, level in self.server_level.items():
            if not (
                (at_least(level, (7, 1, 9)) and below(level, (8, 0))) or at_least(level, (8, 1, 4))
            ):
                continue
            if self.fleet.certificate(self.presented[server]).is_md5:
                recorded = [
                    name
                    for name, certificate in self.fleet.certificates.items()
                    if certificate.server == server
                    and certificate.kind == "self-signed"
                    and not certificate.is_md5
                ]
                self.presented[server] = recorded[0] if recorded else f"{server}-cert256"


# --- One session on one day ------------------------------------------------------------------


class State(NamedTuple):
    """What a row of session_states.csv says of one session on one day."""

    mode: str
    reason: str = ""
    tls: str = ""


@dataclass(frozen=True, kw_only=True)
class Day:
    """One day of the horizon, as it was lived."""

    date: date
    states: list[State]  # by session
    automatic: dict[int, str]  # session -> the anchor that it was given
    strict: frozenset[AccountKey]  # at the end of the day
    presented: dict[str, str]  # server -> certificate
    held: dict[KeyDatabase, frozenset[str]]  # after the day's actions
    client_level: dict[str, Level | None]  # after the day's actions, servers as clients too
    server_level: dict[str, Level]  # after the day's actions
    has_ssl: list[bool]  # by session, after the day's actions


class Morning:
    """One day after its actions and the MD5 rule: what every session asks about."""

    def __init__(
        self, world: World, day: date, certificates_of: Mapping[str, set[str]] | None
    ) -> None:
        self.world, self.fleet, self.day = world, world.fleet, day
        self.certificates_of = certificates_of  # None: every session trusts every certificate

    def levels(self, session: Session) -> tuple[Level | None, Level]:
        """Return the level of the client and that of the server."""
        world = self.world
        return world.level_of_client(session.client), world.server_level[session.server]

    def is_local(self, index: int) -> bool:
        """Tell whether the session goes by shared memory or named pipes."""
        return self.world.option(index, "commmethod").upper().startswith(("SHARE", "NAME"))

    def comes_first(self, index: int) -> bool:
        """Tell whether the session is new/new or local: it sees the accounts of the morning."""
        client, server = self.levels(self.fleet.sessions[index])
        if client is None:
            return False
        return self.is_local(index) or (is_new(client) and is_new(server))

    def is_trusted(self, session: Session) -> bool:
        """Tell whether the needed anchor is in the key database; an incomplete chain never is."""
        if self.certificates_of is None:
            return True
        anchor = self.fleet.anchor(self.world.presented[session.server])
        held = self.world.held[session.client, session.key_database]
        return anchor in held and not self.fleet.is_incomplete(anchor)

    def has_other_certificates(self, session: Session) -> bool:
        """Tell whether the key database holds any certificate of that server or of its chains."""
        if self.certificates_of is None:
            return False
        held = self.world.held[session.client, session.key_database]
        return bool(held & self.certificates_of[session.server])

    def is_valid(self, session: Session) -> bool:
        """Tell whether the presented certificate and its chain are valid on this day."""
        return self.fleet.is_valid(self.world.presented[session.server], self.day)

    def automatic_distribution_works(self, index: int) -> bool:
        """Tell whether a new server hands its certificate to this new client."""
        session, world = self.fleet.sessions[index], self.world
        # What is handed over is the anchor, and holding an incomplete one is not trust.
        if self.fleet.is_incomplete(self.fleet.anchor(world.presented[session.server])):
            return False
        client, server = self.levels(session)
        assert client is not None
        account = (session.server, session.account)
        match session.kind:
            case "storage-agent":
                return client != (8, 1, 2)
            case "server":
                return True
            case "library":
                return (at_least(client, (8, 1, 4)) and at_least(server, (8, 1, 4))) or (
                    is_late_seven(client) and is_late_seven(server)
                )
            case kind if kind in CLIENT_KINDS:
                return (
                    _is_yes(world.option(index, "sslacceptcertfromserv"))
                    and account not in world.strict
                    and not world.is_ldap(account)
                )
            case unknown:
                raise ValueError(f"{unknown!r} is not a kind of session")

    def decide(self, index: int) -> tuple[State, bool]:
        """Return the state of a session, and whether automatic distribution happened in it."""
        session = self.fleet.sessions[index]
        client, server = self.levels(session)
        if client is None:
            return State("inactive"), False
        if self.is_local(index):
            return State("local"), False
        if not is_new(server):
            return self._server_old(index), False
        if not is_new(client):
            return self._server_new_client_old(index, client), False
        return self._both_new(index, client, server)

    def _server_old(self, index: int) -> State:
        session, world = self.fleet.sessions[index], self.world
        server = self.fleet.servers[session.server]
        account = (session.server, session.account)
        is_ldap = world.is_ldap(account)
        if not _is_yes(world.option(index, "ssl")):
            own = world.option(index, "sslrequired").casefold()
            if own in ("yes", "serveronly") or (own == "default" and is_ldap):
                return State("refused", "ssl-required-by-client")
            theirs = self.fleet.accounts[account].sslrequired
            if theirs in ("yes", "serveronly") or (theirs == "default" and is_ldap):
                return State("refused", "ssl-required-by-server")
            return State("plaintext")
        port = world.option(index, "tcpport") or server.tcpport
        if port and server.ssltcpport and int(port) != int(server.ssltcpport):
            return State("refused", "ssl-port")
        if _is_yes(world.option(index, "ssldisablelegacytls")) and not server.has_tls12:
            return State("refused", "tls-level")
        return self._legacy_ssl(session, "TLS 1.2" if server.has_tls12 else "TLS 1.1 or lower")

    def _server_new_client_old(self, index: int, client: Level) -> State:
        session, world = self.fleet.sessions[index], self.world
        account = (session.server, session.account)
        if account in world.strict:
            return State("refused", "strict-account")
        if not _is_yes(world.option(index, "ssl")):
            own, is_ldap = world.option(index, "sslrequired").casefold(), world.is_ldap(account)
            if own in ("yes", "serveronly") or (own == "default" and is_ldap):
                return State("refused", "ssl-required-by-client")
            if is_ldap:
                return State("refused", "ssl-required-by-server")
            return State("plaintext")
        if below(client, (6, 3)):
            return State("refused", "tls-level")
        return self._legacy_ssl(session, "TLS 1.2")

    def _legacy_ssl(self, session: Session, tls: str) -> State:
        if not self.is_trusted(session):
            return State("refused", self._why_not_trusted(session))
        if not self.is_valid(session):
            return State("refused", "expired")
        return State("legacy-ssl", tls=tls)

    def _both_new(self, index: int, client: Level, server: Level) -> tuple[State, bool]:
        session = self.fleet.sessions[index]
        if not self.is_valid(session):
            return State("refused", "expired"), False
        is_md5 = self.fleet.certificate(self.world.presented[session.server]).is_md5
        if is_md5 and client in ((7, 1, 8), (8, 1, 2), (8, 1, 3)):
            return State("refused", "md5-certificate"), False
        both_know_tls13 = at_least(client, (8, 1, 11)) and at_least(server, (8, 1, 11))
        as_trusted = State(
            "tls-full" if _is_yes(self.world.option(index, "ssl")) else "tls-partial",
            tls="TLS 1.3" if both_know_tls13 else "TLS 1.2",
        )
        if self.is_trusted(session):
            return as_trusted, False
        if self.has_other_certificates(session):
            return State("refused", "wrong-certificate"), False
        if self.automatic_distribution_works(index):
            return as_trusted, True
        return State("refused", "untrusted"), False

    def _why_not_trusted(self, session: Session) -> str:
        return "wrong-certificate" if self.has_other_certificates(session) else "untrusted"

    def makes_strict(self, index: int, state: State) -> bool:
        """Tell whether a session in this state makes its account strict."""
        if state.mode == "local":
            client, server = self.levels(self.fleet.sessions[index])
            assert client is not None
            return at_least(client, (8, 1, 6)) and at_least(server, (8, 1, 6))
        return state.mode in ("tls-partial", "tls-full")


def live(fleet: Fleet, certificates_of: Mapping[str, set[str]] | None) -> list[Day]:
    """Live every day of the horizon; without `certificates_of` every session trusts everything."""
    world = World(fleet)
    return [_live_one_day(world, date, certificates_of) for date in fleet.days]


def _live_one_day(world: World, date: date, certificates_of: Mapping[str, set[str]] | None) -> Day:
    fleet = world.fleet
    for action in fleet.actions:  # (1); one outside the horizon is never met
        if action.day == date:
            world.apply(action)
    world.obey_md5_rule()
    held = {key: frozenset(names) for key, names in world.held.items()}

    morning = Morning(world, date, certificates_of)
    states: dict[int, State] = {}
    automatic: dict[int, str] = {}
    first = [index for index in range(len(fleet.sessions)) if morning.comes_first(index)]
    for index in first:  # (2)
        states[index], is_automatic = morning.decide(index)
        if is_automatic:
            automatic[index] = fleet.anchor(world.presented[fleet.sessions[index].server])
    for index in first:  # (3)
        if morning.makes_strict(index, states[index]):
            session = fleet.sessions[index]
            world.strict.add((session.server, session.account))
    for index in range(len(fleet.sessions)):  # (4)
        if index not in states:
            states[index], _ = morning.decide(index)
    for index, anchor in automatic.items():  # for the other sessions from the next day
        session = fleet.sessions[index]
        world.held[session.client, session.key_database].add(anchor)

    return Day(
        date=date,
        states=[states[index] for index in range(len(fleet.sessions))],
        automatic=automatic,
        strict=frozenset(world.strict),
        presented=dict(world.presented),
        held=held,
        client_level={name: world.level_of_client(name) for name in fleet.client_names},
        server_level=dict(world.server_level),
        has_ssl=[_is_yes(world.option(index, "ssl")) for index in range(len(fleet.sessions))],
    )


def certificates_of_servers(fleet: Fleet, days: Iterable[Day]) -> dict[str, set[str]]:
    """Return all that each server presents on some day or has on record, with whole chains."""
    of: dict[str, set[str]] = {server: set() for server in fleet.servers}
    for day in days:
        for server, name in day.presented.items():
            of[server].update(fleet.chain(name))
    for name, certificate in fleet.certificates.items():
        if certificate.server:
            of[certificate.server].update(fleet.chain(name))
    return of


# --- Use cases (section 5) -------------------------------------------------------------------


def use_cases(fleet: Fleet, days: Sequence[Day]) -> list[str]:
    """Return the use case of every session, empty where it has none."""
    return [_use_case(fleet, days, index) for index in range(len(fleet.sessions))]


def _fleet_level_of_client(fleet: Fleet, client: str) -> Level | None:
    if client in fleet.clients:
        return fleet.clients[client].level
    return fleet.servers[client].level


def _client_new_from(fleet: Fleet, days: Sequence[Day], client: str) -> date:
    """Return u: before the first day, the first day of being new, or never (`date.max`)."""
    level = _fleet_level_of_client(fleet, client)
    if level is not None and is_new(level):
        return date.min
    for day in days:
        level = day.client_level[client]
        if level is not None and is_new(level):
            return day.date
    return date.max


def _server_new_from(fleet: Fleet, days: Sequence[Day], server: str) -> date:
    """Return v: before the first day, the first day of being new, or never (`date.max`)."""
    if is_new(fleet.servers[server].level):
        return date.min
    return next((day.date for day in days if is_new(day.server_level[server])), date.max)


def _use_case(fleet: Fleet, days: Sequence[Day], index: int) -> str:
    session = fleet.sessions[index]
    day_of = {day.date: day for day in days}
    u = _client_new_from(fleet, days, session.client)
    v = _server_new_from(fleet, days, session.server)
    if u == date.max or (u == date.min and v == date.min):
        return ""
    if _fleet_level_of_client(fleet, session.client) is None:
        install = next(day for day in days if day.client_level[session.client] is not None)
        level = install.client_level[session.client]
        assert level is not None
        if is_new(level):
            if is_new(install.server_level[session.server]):
                return "6"
            return "7" if install.has_ssl[index] else "8"
    before = fleet.start if u <= fleet.start else u - ONE_DAY
    has_ssl = day_of[before].has_ssl[index]
    if v <= u:
        return "2" if has_ssl else "1"
    later_days = {
        other_v
        for other in fleet.sessions
        if other.client == session.client
        and (other_v := _server_new_from(fleet, days, other.server)) > u
    }
    if len(later_days) >= 2:
        return "5"
    return "4" if has_ssl else "3"


# --- Deadlines (section 6) -------------------------------------------------------------------


def latest_safe(fleet: Fleet, needed: date) -> date:
    """Return the last working day outside freezes that leaves the lead time before `needed`."""
    day, working_days_left = needed, 0  # working days in [day, needed)
    while not (
        fleet.is_working_day(day)
        and not fleet.is_frozen(day)
        and working_days_left >= fleet.lead_days
    ):
        day -= ONE_DAY
        working_days_left += fleet.is_working_day(day)  # freeze days count
    return day


def _planned(
    fleet: Fleet, days: Sequence[Day], key: KeyDatabase, anchor: str, needed: date
) -> date | None:
    """Return the day on which the anchor enters; `days` must be without automatic distribution."""
    if fleet.is_incomplete(anchor):
        return None
    is_there = [anchor in day.held[key] for day in days]
    index = (needed - fleet.start).days
    if is_there[index]:
        while index > 0 and is_there[index - 1]:
            index -= 1
        return days[index].date
    return next((day.date for day in days[index:] if anchor in day.held[key]), None)


def _is_in_place(
    fleet: Fleet, days: Sequence[Day], key: KeyDatabase, anchor: str, needed: date
) -> bool:
    return (
        anchor in fleet.in_place[key]
        and all(anchor in day.held[key] for day in days if day.date <= needed)
        and not fleet.is_incomplete(anchor)
    )


def _tool(fleet: Fleet, days: Sequence[Day], client: str, on: date) -> str:
    if client not in fleet.clients or fleet.clients[client].kind == "storage-agent":
        return "gsk8capicmd"
    # Before the first day the fleet's level counts.
    levels = [_fleet_level_of_client(fleet, client)] + [day.client_level[client] for day in days]
    today = max(0, (on - fleet.start).days + 1)
    from_today = [level for level in levels[today:] if level is not None]
    earlier = [level for level in levels[:today] if level is not None]
    level = from_today[0] if from_today else earlier[-1]
    return "dsmcert" if is_new(level) else "gsk8capicmd"


def _verdict(
    *, in_place: bool, opens: date | None, needed: date, planned: date | None, safe: date
) -> str:
    if in_place:
        return "in-place"
    if opens is not None and opens > needed:
        return "impossible"
    if planned is None:
        return "missing"
    if planned <= safe:
        return "ok"
    if planned < needed:
        return "tight"
    return "same-day" if planned == needed else "late"


def deadlines(fleet: Fleet, trusting: Sequence[Day], cases: Sequence[str]) -> list[Row]:
    """Return the rows of trust_deadlines.csv from the days in which everything was trusted."""
    needs: dict[tuple[str, str, str], list[tuple[date, int]]] = {}
    for day in trusting:
        for index, (session, state) in enumerate(zip(fleet.sessions, day.states, strict=True)):
            if state.mode in ("legacy-ssl", "tls-partial", "tls-full"):
                anchor = fleet.anchor(day.presented[session.server])
                need = (session.client, session.key_database, anchor)
                needs.setdefault(need, []).append((day.date, index))

    rows = []
    for (client, key_database, anchor), times in needs.items():
        key, needed = (client, key_database), min(times)[0]
        described = fleet.certificate(anchor)
        opens = described.available or described.not_before
        safe = latest_safe(fleet, needed)
        in_place = _is_in_place(fleet, trusting, key, anchor, needed)
        planned = None if in_place else _planned(fleet, trusting, key, anchor, needed)
        indices = {index for _, index in times}
        rows.append(
            {
                "client": fleet.client_names[client],
                "key_database": fleet.key_database_names[key],
                "certificate": fleet.certificate_names[anchor],
                "servers": ";".join(
                    sorted({fleet.server_names[fleet.sessions[index].server] for index in indices})
                ),
                "use_case": ";".join(sorted({cases[index] for index in indices} - {""})),
                "opens": _iso(opens),
                "needed": _iso(needed),
                "latest_safe": _iso(safe),
                "planned": _iso(planned),
                "slack_days": "" if planned is None else str((safe - planned).days),
                "verdict": _verdict(
                    in_place=in_place, opens=opens, needed=needed, planned=planned, safe=safe
                ),
                "tool": "" if in_place else _tool(fleet, trusting, client, planned or safe),
            }
        )
    order = ("needed", "client", "key_database", "certificate")
    return sorted(rows, key=lambda row: [row[column] for column in order])


# --- The answer ------------------------------------------------------------------------------


def solve(case: Case) -> Answer:
    """Work out everything that the semantics say about a case."""
    fleet = Fleet(case)
    trusting = live(fleet, None)
    days = live(fleet, certificates_of_servers(fleet, trusting))
    cases = use_cases(fleet, days)
    return Answer(
        states=_segments(fleet, days),
        deadlines=deadlines(fleet, trusting, cases),
        daily=[
            {"date": day.date.isoformat()}
            | {mode: str(sum(state.mode == mode for state in day.states)) for mode in MODES}
            for day in days
        ],
        use_cases=cases,
        automatic=[
            (
                day.date.isoformat(),
                *_names(fleet, fleet.sessions[index]).values(),
                fleet.certificate_names[anchor],
            )
            for day in days
            for index, anchor in sorted(day.automatic.items())
        ],
        strict={
            (fleet.server_names[key[0]], fleet.account_names[key]): _stretches(
                fleet, [key in day.strict for day in days]
            )
            for key in fleet.accounts
        },
        exposure=_weight_of_days(fleet, days, "plaintext", only_encrypt_data=False),
        partial_exposure=_weight_of_days(fleet, days, "tls-partial", only_encrypt_data=True),
        refused_session_days=sum(state.mode == "refused" for day in days for state in day.states),
        transitional_account_days=sum(len(fleet.accounts) - len(day.strict) for day in days),
    )


def _names(fleet: Fleet, session: Session) -> Row:
    return {
        "client": fleet.client_names[session.client],
        "server": fleet.server_names[session.server],
        "account": fleet.account_names[session.server, session.account],
        "key_database": fleet.key_database_names[session.client, session.key_database],
    }


def _segments(fleet: Fleet, days: Sequence[Day]) -> list[Row]:
    rows: list[Row] = []
    for index, session in enumerate(fleet.sessions):
        previous: State | None = None
        for day in days:
            state = day.states[index]
            if state != previous:
                segment = {"start": day.date.isoformat(), "end": "", **state._asdict()}
                rows.append(_names(fleet, session) | segment)
            rows[-1]["end"] = (day.date + ONE_DAY).isoformat()
            previous = state
    return rows


def _stretches(fleet: Fleet, flags: Sequence[bool]) -> list[tuple[str, str]]:
    """Return the half-open stretches of days on which a flag is set."""
    stretches = []
    start: date | None = None
    for day, flag in zip([*fleet.days, fleet.end], [*flags, False], strict=True):
        if flag and start is None:
            start = day
        elif not flag and start is not None:
            stretches.append((start.isoformat(), day.isoformat()))
            start = None
    return stretches


def _weight_of_days(
    fleet: Fleet, days: Sequence[Day], mode: str, *, only_encrypt_data: bool
) -> float:
    return sum(
        session.weight
        for day in days
        for session, state in zip(fleet.sessions, day.states, strict=True)
        if state.mode == mode and (session.encrypt_data or not only_encrypt_data)
    )
