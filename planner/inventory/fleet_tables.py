"""Tables of a fleet folder into columns of a fleet: names become numbers, blanks defaults."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from planner.domain.calendar import ALWAYS, NEVER
from planner.domain.certificates import Certificates
from planner.domain.errors import Fault
from planner.domain.findings import Finding
from planner.domain.fleet import (
    BETWEEN_SERVERS,
    AccountKind,
    Accounts,
    Authentication,
    ClientKind,
    Clients,
    Codes,
    Flags,
    KeyDatabases,
    LabelledEnum,
    Numbers,
    Servers,
    SessionKind,
    Sessions,
    TrustInPlace,
)
from planner.domain.levels import Level
from planner.domain.names import NameRegister, Names
from planner.domain.options import OPTIONS, SSLREQUIRED
from planner.domain.order_rules import OrderRule
from planner.inventory.cells import (
    YES_NO,
    CellError,
    Cells,
    Choices,
    parse_day,
    parse_level,
    parse_port,
    parse_weight,
)
from planner.inventory.certificate_table import CertificateTable
from planner.inventory.csv_tables import Table
from planner.inventory.hints import quoted
from planner.inventory.rule_table import read_rules


def _labels(kinds: type[LabelledEnum]) -> Choices:
    return Choices({kind.label: int(kind) for kind in kinds})


AUTHENTICATIONS: Final = Choices(
    {"Local": Authentication.LOCAL, "LDAP": Authentication.LDAP},
    shortest={"Local": "LO", "LDAP": "LD"},
)
SECURITIES: Final = Choices(
    {"Transitional": 0, "Strict": 1}, shortest={"Transitional": "TRANS", "Strict": "STR"}
)
DEFAULT_KEY_DATABASE: Final = "default"

_CLIENT_KINDS: Final = _labels(ClientKind)
SESSION_KINDS: Final = _labels(SessionKind)
ACCOUNT_KINDS: Final = _labels(AccountKind)


@dataclass(frozen=True, slots=True, kw_only=True)
class FleetTables:
    """The columns of a fleet, as `planner.domain.fleet.Fleet` has them."""

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
    rules: tuple[OrderRule, ...]


def build_tables(
    tables: Mapping[str, Table], certificate_files: Mapping[str, bytes], faults: list[Fault]
) -> tuple[FleetTables, list[Finding]]:
    """Turn the tables of all files into the columns of a fleet.

    Parameters
    ----------
    tables, certificate_files
        By file name; contents of `certs/` by path.
    faults
        Receives every fault. Where there is one the columns returned are no fleet.

    Returns
    -------
    The columns, and what is remarkable about the certificates.

    Notes
    -----
    Linear in the number of rows.
    """
    builder = _Builder(tables, faults)
    return builder.build(certificate_files), builder.certificates.remarks


def implied_account_kind(kind: int) -> AccountKind:
    """Kind of an account that accounts.csv does not describe, by the kind of its session."""
    if kind == SessionKind.ADMIN:
        return AccountKind.ADMIN
    return AccountKind.SERVER if kind in BETWEEN_SERVERS else AccountKind.NODE


class _AccountRegister:
    """Accounts by server and name, in the order of their first mention."""

    def __init__(self) -> None:
        self.names = NameRegister()
        self._number_of: dict[tuple[int, int], int] = {}
        self._texts: list[str] = []
        self._rows: list[tuple[int, ...]] = []

    def find(self, server: int, name: int) -> int | None:
        """Return the number of an account; None where it is not known."""
        return self._number_of.get((server, name))

    def line(self, account: int) -> int:
        """Line of accounts.csv that describes an account; 0 for none."""
        return self._rows[account][-1]

    def add(self, text: str, server: int, name: int, *columns: int) -> int:
        """Add an account: kind, authentication, strict, SSLREQUIRED, line."""
        number = self._number_of[server, name] = len(self._rows)
        self._texts.append(text)
        self._rows.append((server, name, *columns))
        return number

    def columns(self) -> Accounts:
        """Return the columns of all accounts."""
        table = np.array(self._rows, dtype=np.int32).reshape(len(self._rows), 7)
        return Accounts(
            server=np.ascontiguousarray(table[:, 0]),
            name=tuple(self._texts),
            name_number=np.ascontiguousarray(table[:, 1]),
            kind=table[:, 2].astype(np.uint8),
            authentication=table[:, 3].astype(np.uint8),
            strict=table[:, 4].astype(np.bool_),
            sslrequired=table[:, 5].astype(np.uint8),
            line=np.ascontiguousarray(table[:, 6]),
        )


class _DatabaseRegister:
    """Key databases by endpoint and name, in the order of their first mention."""

    def __init__(self) -> None:
        self.names = NameRegister()
        self._texts: dict[tuple[int, int], str] = {}

    def key(self, endpoint: int, text: str) -> tuple[int, int]:
        """Return the key of a key database, by any spelling of its name."""
        text = text or DEFAULT_KEY_DATABASE
        key = (endpoint, self.names.number(text))
        self._texts.setdefault(key, text)
        return key

    def columns(self) -> tuple[KeyDatabases, dict[tuple[int, int], int]]:
        """Return the columns, endpoint by endpoint, and the number of each key."""
        keys = sorted(self._texts, key=lambda key: key[0])
        columns = KeyDatabases(
            endpoint=_int32([endpoint for endpoint, _ in keys]),
            name=tuple(self._texts[key] for key in keys),
            name_number=_int32([name for _, name in keys]),
        )
        return columns, {key: number for number, key in enumerate(keys)}


class _Builder:
    """Builds the columns file by file, in the order in which files refer to each other."""

    def __init__(self, tables: Mapping[str, Table], faults: list[Fault]) -> None:
        self._tables = tables
        self._cells = Cells(faults)
        self._levels: dict[Level, int] = {}
        self._accounts = _AccountRegister()
        self._databases = _DatabaseRegister()
        self._server_names = self._key_names("servers.csv", "server")
        self._client_names = self._key_names("clients.csv", "client")
        self.certificates = CertificateTable(self._cells)

    def build(self, certificate_files: Mapping[str, bytes]) -> FleetTables:
        """Build every table."""
        self.certificates.read(
            self._tables["certificates.csv"], certificate_files, self._find_server
        )
        servers, clients = self._read_servers(), self._read_clients()
        self._read_accounts()
        sessions_of = self._read_sessions()
        trust_of = self._read_trust()
        key_databases, number_of_key = self._databases.columns()
        return FleetTables(
            levels=tuple(self._levels),
            clients=clients,
            servers=servers,
            accounts=self._accounts.columns(),
            account_names=self._accounts.names.names(),
            key_databases=key_databases,
            key_database_names=self._databases.names.names(),
            sessions=sessions_of(number_of_key),
            certificates=self.certificates.columns(),
            trust=trust_of(number_of_key),
            rules=read_rules(self._tables["rules.csv"], self._cells, self._find_endpoint),
        )

    # --- Names and references ---

    def _key_names(self, file: str, column: str) -> Names:
        """Names of a table's rows; a name that occurs twice is a fault."""
        table = self._tables[file]
        names = self._cells.names(table, column, is_required=True)
        lines: dict[str, int] = {}
        for row, name in enumerate(names):
            line = lines.setdefault(name.casefold(), table.lines[row])
            if name and line != table.lines[row]:
                what = f"{column} {quoted(name)} stands in line {line} already"
                self._cells.fault(table, row, what, "remove one of the two, or rename it")
        return Names(names)

    def _find_server(self, text: str) -> int:
        number = self._server_names.find(text)
        if number < 0 and self._tables["servers.csv"].is_whole:
            otherwise = "add it there, or correct the name"
            cure = self._cells.did_you_mean(text, self._server_names, otherwise)
            raise CellError("is not in servers.csv", cure)
        return number

    def _find_endpoint(self, text: str) -> int:
        number = self._client_names.find(text)
        if number >= 0:
            return number
        server = self._server_names.find(text)
        if server >= 0:
            return len(self._client_names) + server
        if self._tables["clients.csv"].is_whole and self._tables["servers.csv"].is_whole:
            otherwise = "add it there, or correct the name"
            cure = self._cells.did_you_mean(text, self._client_names, otherwise)
            raise CellError("is neither in clients.csv nor in servers.csv", cure)
        return -1

    def _servers_of(self, table: Table) -> list[int]:
        return self._cells.parsed(table, "server", self._find_server, -1, is_required=True)

    def _endpoints_of(self, table: Table) -> list[int]:
        return self._cells.parsed(table, "client", self._find_endpoint, -1, is_required=True)

    def _endpoint_name(self, endpoint: int) -> str:
        """Name of an endpoint in the spelling of the file that defines it."""
        n_clients = len(self._client_names)
        if endpoint < n_clients:
            return self._client_names[endpoint]
        return self._server_names[endpoint - n_clients]

    # --- Endpoints ---

    def _read_levels(self, table: Table, column: str) -> Numbers:
        levels = self._cells.parsed(table, column, self._level, -1)
        return _int32(levels)

    def _level(self, text: str) -> int:
        return self._levels.setdefault(parse_level(text), len(self._levels))

    def _read_upgrades(self, table: Table) -> tuple[Numbers, Numbers]:
        """Target levels and upgrade days; a day needs a level."""
        targets = self._read_levels(table, "target_level")
        days = self._cells.parsed(table, "upgrade", parse_day, NEVER)
        for row, (text, day) in enumerate(zip(table["target_level"], days, strict=True)):
            if day != NEVER and not text:
                what = f"upgrade {quoted(table['upgrade'][row])} is given without a target_level"
                self._cells.fault(table, row, what, "give the level after the upgrade")
        return targets, _int32(days)

    def _read_servers(self) -> Servers:
        table, cells = self._tables["servers.csv"], self._cells
        targets, upgrades = self._read_upgrades(table)
        tcpports = self._ports(table, "tcpport")
        ssltcpports = self._ports(table, "ssltcpport")
        presented = cells.names(table, "certificate")
        authentications = cells.parsed(
            table, "authentication", AUTHENTICATIONS.code, int(Authentication.LOCAL)
        )
        return Servers(
            name=self._server_names,
            level=self._read_levels(table, "level"),
            ldap=_flags([code == Authentication.LDAP for code in authentications]),
            certificate=_int32(
                [
                    self.certificates.number(certificate or name)
                    for certificate, name in zip(presented, self._server_names, strict=True)
                ]
            ),
            tls12=_flags(cells.parsed(table, "tls12", YES_NO.code, 0)),
            tcpport=tcpports,
            ssltcpport=ssltcpports,
            address=tuple(table["address"]),
            site=tuple(table["site"]),
            target_level=targets,
            upgrade=upgrades,
            note=tuple(table["note"]),
            line=_int32(table.lines),
        )

    def _read_clients(self) -> Clients:
        table = self._tables["clients.csv"]
        targets, upgrades = self._read_upgrades(table)
        kinds = self._cells.parsed(table, "kind", _CLIENT_KINDS.code, int(ClientKind.BACKUP))
        return Clients(
            name=self._client_names,
            level=self._read_levels(table, "level"),
            kind=_uint8(kinds),
            platform=tuple(table["platform"]),
            site=tuple(table["site"]),
            owner=tuple(table["owner"]),
            target_level=targets,
            upgrade=upgrades,
            note=tuple(table["note"]),
            line=_int32(table.lines),
        )

    def _ports(self, table: Table, column: str) -> Numbers:
        return _int32(self._cells.parsed(table, column, parse_port, 0))

    # --- Accounts, sessions, trust ---

    def _read_accounts(self) -> None:
        table, cells, accounts = self._tables["accounts.csv"], self._cells, self._accounts
        names = cells.names(table, "account", is_required=True)
        columns = zip(
            self._servers_of(table),
            cells.parsed(table, "kind", ACCOUNT_KINDS.code, int(AccountKind.NODE)),
            cells.parsed(table, "authentication", AUTHENTICATIONS.code, 0),
            cells.parsed(table, "session_security", SECURITIES.code, 0),
            cells.parsed(table, "sslrequired", Choices.of_option(SSLREQUIRED).code, 0),
            table.lines,
            strict=True,
        )
        for row, (server, *rest) in enumerate(columns):
            name = accounts.names.number(names[row])
            known = accounts.find(server, name)
            if known is None:
                accounts.add(names[row], server, name, *rest)
            elif server >= 0 and names[row]:
                what = (
                    f"account {quoted(names[row])} of server {quoted(table['server'][row])} stands "
                    f"in line {accounts.line(known)} already"
                )
                cure = "keep one: a node and an administrator of one name are one account"
                cells.fault(table, row, what, cure)

    def _read_sessions(self) -> Callable[[Mapping[tuple[int, int], int]], Sessions]:
        """Read sessions.csv; its key databases get their numbers when all of them are known."""
        table, cells = self._tables["sessions.csv"], self._cells
        endpoints, servers = self._endpoints_of(table), self._servers_of(table)
        texts = [
            text or ("" if endpoint < 0 else self._endpoint_name(endpoint))
            for text, endpoint in zip(cells.names(table, "account"), endpoints, strict=True)
        ]
        kinds = cells.parsed(table, "kind", SESSION_KINDS.code, int(SessionKind.BACKUP))
        databases = cells.names(table, "key_database")
        accounts, keys = [], []
        seen: dict[tuple[int, int, int], int] = {}
        for row, (endpoint, server) in enumerate(zip(endpoints, servers, strict=True)):
            accounts.append(self._account(texts[row], server, kinds[row]))
            keys.append(self._databases.key(endpoint, databases[row]))
            first = seen.setdefault((accounts[-1], *keys[-1]), row)
            if first != row and endpoint >= 0 and server >= 0:
                what = (
                    f"client {quoted(table['client'][row])}, server "
                    f"{quoted(table['server'][row])}, account {quoted(texts[row])} and key "
                    f"database {quoted(databases[row] or DEFAULT_KEY_DATABASE)} stand in line "
                    f"{table.lines[first]} already"
                )
                cells.fault(table, row, what, "keep one row for each session")
        columns = {
            "client": _int32(endpoints),
            "server": _int32(servers),
            "account": _int32(accounts),
            "port": self._ports(table, "tcpport"),
            "replsslport": self._ports(table, "replsslport"),
            "line": _int32(table.lines),
        }
        options = self._packed_options(table)
        weight = np.array(cells.parsed(table, "weight", parse_weight, 1.0), dtype=np.float64)
        encrypt_data = _flags(cells.parsed(table, "encrypt_data", YES_NO.code, 0))

        def sessions(number_of_key: Mapping[tuple[int, int], int]) -> Sessions:
            return Sessions(
                **columns,
                key_database=_int32([number_of_key[key] for key in keys]),
                kind=_uint8(kinds),
                options=options,
                weight=weight,
                encrypt_data=encrypt_data,
            )

        return sessions

    def _account(self, text: str, server: int, session_kind: int) -> int:
        name = self._accounts.names.number(text)
        account = self._accounts.find(server, name)
        if account is None:
            kind = implied_account_kind(session_kind)
            account = self._accounts.add(text, server, name, kind, 0, 0, 0, 0)
        return account

    def _packed_options(self, table: Table) -> np.ndarray[tuple[int], np.dtype[np.uint16]]:
        packed = np.zeros(len(table), dtype=np.uint16)
        for option in OPTIONS:
            if option.choices:
                choices = Choices.of_option(option)
                codes = self._cells.parsed(table, option.column, choices.code, 0)
                packed |= np.array(codes, dtype=np.uint16) << np.uint16(option.shift)
        return packed

    def _read_trust(self) -> Callable[[Mapping[tuple[int, int], int]], TrustInPlace]:
        table, cells = self._tables["trust.csv"], self._cells
        endpoints = self._endpoints_of(table)
        databases = cells.names(table, "key_database")
        names = cells.names(table, "certificate", is_required=True)
        since = cells.parsed(table, "since", parse_day, ALWAYS)
        keys, certificates = [], []
        for row, (endpoint, name) in enumerate(zip(endpoints, names, strict=True)):
            keys.append(self._databases.key(endpoint, databases[row]))
            certificates.append(self.certificates.number(name) if name else -1)

        def trust(number_of_key: Mapping[tuple[int, int], int]) -> TrustInPlace:
            return TrustInPlace(
                key_database=_int32([number_of_key[key] for key in keys]),
                certificate=_int32(certificates),
                since=_int32(since),
                line=_int32(table.lines),
            )

        return trust


def _int32(values: Sequence[int]) -> Numbers:
    return np.array(values, dtype=np.int32)


def _uint8(values: Sequence[int]) -> Codes:
    return np.array(values, dtype=np.uint8)


def _flags(values: Iterable[int]) -> Flags:
    return np.array(values, dtype=np.bool_)
