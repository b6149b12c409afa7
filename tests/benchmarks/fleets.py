"""Seeded fleets of any size, built as columns.

Believable in what matters to the engine: a client has one to eight sessions to a few servers and
one or two key databases; most accounts belong to one session, some administrator ids to many;
some servers share a root, the others are self-signed; nearly every client and every server is
upgraded within 18 months, most imports come before they are needed, some late, some never.

Left out, because the peers would become very long: installation, retirement and downgrade of
clients, `remove-certificate`, `set-authentication`, and `set-option` of anything but SSL and
SSLACCEPTCERTFROMSERV.
"""

import datetime

import numpy as np
from numpy.typing import NDArray

from planner.domain.calendar import ALWAYS, NEVER, Calendar, Freeze, to_day
from planner.domain.certificates import CertificateKind, Certificates
from planner.domain.fleet import (
    AccountKind,
    Accounts,
    Authentication,
    ClientKind,
    Clients,
    Fleet,
    KeyDatabases,
    Numbers,
    Servers,
    SessionKind,
    Sessions,
    TrustInPlace,
)
from planner.domain.levels import Level, LevelFact
from planner.domain.names import Names
from planner.domain.options import (
    COMMMETHOD,
    OPTIONS,
    SSL,
    SSLACCEPTCERTFROMSERV,
    SSLDISABLELEGACYTLS,
    SSLREQUIRED,
    Required,
)
from planner.domain.plan import Action, Plan, Vocabulary

START = to_day(datetime.date(2026, 1, 5))
END = to_day(datetime.date(2027, 7, 5))
N_ROOTS = 4
ADMINISTRATORS_PER_SERVER = 2

LEVELS = (
    "6.2.5",
    "6.4.2",
    "7.1.6",
    "8.1.0",
    "8.1.1",
    "7.1.8",
    "8.1.3",
    "8.1.9",
    "8.1.13",
    "8.1.22",
)
_LEVEL = {text: number for number, text in enumerate(LEVELS)}
TEXTS = ("", *LEVELS, "No", "Yes", "Transitional", "Strict")
_TEXT = {text: number for number, text in enumerate(TEXTS)}

Random = np.random.Generator


def synthetic_plan(n_sessions: int, seed: int) -> Plan:
    """Make a fleet of `n_sessions` sessions and a plan that upgrades it; equal for equal seeds."""
    rng = np.random.default_rng(seed)
    n_servers = int(np.clip(0.3 * n_sessions**0.5, 24, 300))
    servers, certificates, replacement, replaced_on = _servers(rng, n_servers)
    server_new = rng.integers(START + 10, START + 330, n_servers, dtype=np.int32)

    client = _clients_of_sessions(rng, n_sessions - 2 * n_servers)
    n_clients = int(client[-1]) + 1
    before = _choice(
        rng, n_clients, {"6.2.5": 1, "6.4.2": 20, "7.1.6": 40, "8.1.0": 33, "8.1.9": 6}
    )
    client_new = rng.integers(START + 5, END - 20, n_clients, dtype=np.int32)
    client_new[rng.random(n_clients) < 0.04] = NEVER
    clients = _clients(rng, before)

    # Sessions between servers come last: one to the next server, one to the library manager.
    initiator = np.repeat(np.arange(n_servers, dtype=np.int32), 2)
    partner = (initiator + np.tile([1, 2], n_servers)).astype(np.int32) % n_servers
    place = _place_in_group(client)
    home = rng.integers(0, n_servers, n_clients, dtype=np.int32)
    # Two sessions of a client in a row go to one server: the file system and a database on it.
    server = np.concatenate([(home[client] + place // 2) % n_servers, partner])
    client = np.concatenate([client, initiator + np.int32(n_clients)])
    place = np.concatenate([place, np.tile([0, 1], n_servers)]).astype(np.int32)
    is_between = client >= n_clients

    kind = _kinds(rng, place, n_sessions)
    kind[is_between] = np.tile([SessionKind.SERVER, SessionKind.LIBRARY], n_servers)
    accounts, account_names, account = _accounts(rng, client, server, place, kind, n_servers)
    databases, database = _key_databases(rng, client, place, n_clients + n_servers)
    was_new = np.array([level.facts & LevelFact.NEW != 0 for level in map(Level.parse, LEVELS)])
    is_old = np.concatenate([~was_new[before], np.zeros(n_servers, dtype=np.bool_)])
    options = _options(rng, n_sessions, is_old[client])
    has_ssl_port = (options & 1 == 1) & (rng.random(n_sessions) < 0.9)
    first_new = np.concatenate(
        [
            np.where(was_new[before], START, client_new),
            np.where(was_new[servers.level], START, server_new),
        ]
    )
    trust, imports = _trust_and_imports(
        rng,
        database=database,
        server=server,
        needed=np.where(
            options & 1, START, np.maximum(first_new[client], first_new[server + n_clients])
        ).astype(np.int32),
        presented=servers.certificate,
        replacement=replacement,
        # An MD5 default is replaced by the upgrade of its server.
        replaced_on=np.where(replaced_on == NEVER, server_new, replaced_on),
        certificates=certificates,
    )
    fleet = Fleet(
        name=f"synthetic-{n_sessions}-{seed}",
        start=START,
        end=END,
        calendar=Calendar(
            holidays=frozenset({START + 88, START + 137, START + 354, START + 355}),
            freezes=(
                Freeze(name="year end", start=START + 344, end=START + 365),
                Freeze(name="half-year", start=START + 170, end=START + 177),
            ),
        ),
        levels=tuple(Level.parse(text) for text in LEVELS),
        clients=clients,
        servers=servers,
        accounts=accounts,
        account_names=account_names,
        key_databases=databases,
        key_database_names=Names(["default", "api"]),
        sessions=Sessions(
            client=client,
            server=server.astype(np.int32),
            account=account,
            key_database=database,
            kind=kind,
            options=options,
            port=np.where(has_ssl_port, servers.ssltcpport[server], 0).astype(np.int32),
            replsslport=np.zeros(n_sessions, dtype=np.int32),
            weight=np.ones(n_sessions),
            encrypt_data=rng.random(n_sessions) < 0.3,
            line=np.arange(2, n_sessions + 2, dtype=np.int32),
        ),
        certificates=certificates,
        trust=trust,
    )
    return _plan(rng, fleet, client_new, server_new, imports, replacement, replaced_on)


def _choice(rng: Random, n: int, weights: dict[str, int]) -> Numbers:
    """Draw level numbers with the given weights."""
    p = np.array(list(weights.values()), dtype=np.float64)
    codes = np.array([_LEVEL[text] for text in weights], dtype=np.int32)
    return codes[rng.choice(len(codes), n, p=p / p.sum())]


def _numbered(prefix: str, numbers: NDArray[np.integer]) -> tuple[str, ...]:
    return tuple(np.char.add(prefix, numbers.astype(np.str_)).tolist())


def _place_in_group(group: Numbers) -> Numbers:
    """Place of each row among those of its group; groups stand side by side."""
    first = np.flatnonzero(np.diff(group, prepend=-1))
    sizes = np.diff(first, append=len(group))
    return (np.arange(len(group)) - np.repeat(first, sizes)).astype(np.int32)


def _clients_of_sessions(rng: Random, n_sessions: int) -> Numbers:
    sizes = rng.choice(
        np.arange(1, 9), n_sessions, p=[0.12, 0.15, 0.18, 0.18, 0.15, 0.1, 0.07, 0.05]
    )
    client = np.repeat(np.arange(n_sessions, dtype=np.int32), sizes)
    return client[:n_sessions].copy()


def _clients(rng: Random, level: Numbers) -> Clients:
    n = len(level)
    site = np.array(["north", "east", "south", "west"])
    return Clients(
        name=Names(_numbered("client", np.arange(n))),
        level=level,
        kind=np.full(n, ClientKind.BACKUP, dtype=np.uint8),
        platform=("Linux",) * n,
        site=tuple(site[rng.integers(0, 4, n)].tolist()),
        owner=("",) * n,
        target_level=np.full(n, -1, dtype=np.int32),
        upgrade=np.full(n, NEVER, dtype=np.int32),
        note=("",) * n,
        line=np.arange(2, n + 2, dtype=np.int32),
    )


def _servers(rng: Random, n: int) -> tuple[Servers, Certificates, Numbers, Numbers]:
    """Servers, certificates, and the certificate that each server presents later, and from when.

    Certificates are the roots, one issuing certificate below each, one certificate a server, and
    the replacements of those that are MD5-signed or expire.
    """
    first_own = 2 * N_ROOTS
    own = first_own + np.arange(n, dtype=np.int32)
    draw = rng.random(n)
    root = rng.integers(0, N_ROOTS, n, dtype=np.int32)
    issuer = np.where(draw < 0.55, -1, np.where(draw < 0.85, root, root + N_ROOTS)).astype(np.int32)
    issuer[:4] = -1  # in every fleet: two MD5 defaults, two certificates that expire
    luck = rng.random(n)
    is_md5 = (issuer < 0) & (luck < 0.04)
    is_md5[:2] = True
    expires = ~is_md5 & (luck > 0.96)
    expires[2:4] = True
    not_after = np.where(expires, rng.integers(START + 200, END - 20, n), END + 900).astype(
        np.int32
    )
    has_replacement = is_md5 | (expires & (np.arange(n) % 3 > 0))
    again = np.flatnonzero(has_replacement).astype(np.int32)
    replacement = np.full(n, -1, dtype=np.int32)
    replacement[again] = first_own + n + np.arange(len(again), dtype=np.int32)
    replaced_on = np.where(has_replacement, not_after - 25, NEVER).astype(np.int32)
    replaced_on[is_md5] = NEVER  # the MD5 rule replaces them

    leaf, own_anchor = CertificateKind.LEAF, CertificateKind.SELF_SIGNED
    n_certificates = first_own + n + len(again)
    later = np.full(n_certificates - first_own - n, END + 2000, dtype=np.int32)
    available = np.full(n_certificates, ALWAYS, dtype=np.int32)
    available[rng.random(n_certificates) < 0.02] = START + 100
    available[first_own + 3] = START + 300  # one in every fleet comes too late for some
    certificates = Certificates(
        name=(
            *_numbered("root", np.arange(N_ROOTS)),
            *_numbered("issuing", np.arange(N_ROOTS)),
            *_numbered("server", np.arange(n)),
            *_numbered("renewed", again),
        ),
        kind=np.concatenate(
            [
                np.full(N_ROOTS, CertificateKind.ROOT),
                np.full(N_ROOTS, CertificateKind.INTERMEDIATE),
                np.where(issuer < 0, own_anchor, leaf),
                np.where(issuer[again] < 0, own_anchor, leaf),
            ]
        ).astype(np.uint8),
        issuer=np.concatenate(
            [np.full(N_ROOTS, -1), np.arange(N_ROOTS), issuer, issuer[again]]
        ).astype(np.int32),
        not_before=np.full(n_certificates, START - 900, dtype=np.int32),
        not_after=np.concatenate(
            [np.full(first_own, END + 3000, dtype=np.int32), not_after, later]
        ),
        signature=(
            *("sha256WithRSAEncryption",) * first_own,
            *np.where(is_md5, "md5WithRSAEncryption", "sha256WithRSAEncryption").tolist(),
            *("sha256WithRSAEncryption",) * len(again),
        ),
        server=np.concatenate([np.full(first_own, -1), np.arange(n), again]).astype(np.int32),
        available=available,
        file=("",) * n_certificates,
        described=np.ones(n_certificates, dtype=np.bool_),
        line=np.arange(2, n_certificates + 2, dtype=np.int32),
    )
    level = _choice(rng, n, {"7.1.6": 50, "8.1.0": 30, "8.1.1": 5, "8.1.3": 15})
    level[0] = _LEVEL["8.1.3"]  # new already, and its MD5 certificate is not replaced yet
    servers = Servers(
        name=Names(_numbered("SERVER", np.arange(n))),
        level=level,
        ldap=rng.random(n) < 0.01,
        certificate=own,
        tls12=rng.random(n) < 0.7,
        tcpport=np.full(n, 1500, dtype=np.int32),
        ssltcpport=np.where(rng.random(n) < 0.9, 1543, 0).astype(np.int32),
        address=("",) * n,
        site=("north",) * n,
        target_level=np.full(n, -1, dtype=np.int32),
        upgrade=np.full(n, NEVER, dtype=np.int32),
        note=("",) * n,
        line=np.arange(2, n + 2, dtype=np.int32),
    )
    return servers, certificates, replacement, replaced_on


def _kinds(rng: Random, place: Numbers, n: int) -> NDArray[np.uint8]:
    kind = np.where(place % 2 == 0, SessionKind.BACKUP, SessionKind.API)
    draw = rng.random(n)
    kind[draw < 0.06] = SessionKind.ADMIN
    kind[draw > 0.995] = SessionKind.STORAGE_AGENT
    return kind.astype(np.uint8)


def _accounts(
    rng: Random,
    client: Numbers,
    server: Numbers,
    place: Numbers,
    kind: NDArray[np.uint8],
    n_servers: int,
) -> tuple[Accounts, Names, Numbers]:
    """Two administrators a server, shared by the sessions of that kind, and one node a session."""
    # Of two sessions of a client to one server, at most the first is the administrator's.
    is_shared = (kind == SessionKind.ADMIN) & (place % 2 == 0)
    n_shared = ADMINISTRATORS_PER_SERVER * n_servers
    own = np.flatnonzero(~is_shared)
    n = n_shared + len(own)
    account = np.empty(len(client), dtype=np.int32)
    account[own] = n_shared + np.arange(len(own), dtype=np.int32)
    account[is_shared] = ADMINISTRATORS_PER_SERVER * server[is_shared] + client[is_shared] % 2
    account_kind = np.full(n, AccountKind.NODE)
    account_kind[:n_shared] = AccountKind.ADMIN
    account_kind[n_shared:][kind[own] >= SessionKind.STORAGE_AGENT] = AccountKind.SERVER
    draw = rng.random(n)
    authentication = np.full(n, Authentication.OF_SERVER)
    authentication[draw < 0.01] = Authentication.LDAP
    authentication[draw > 0.98] = Authentication.LOCAL
    required = rng.random(n)
    names = _numbered("account", np.arange(n))
    accounts = Accounts(
        server=np.concatenate(
            [np.repeat(np.arange(n_servers), ADMINISTRATORS_PER_SERVER), server[own]]
        ).astype(np.int32),
        name=names,
        name_number=np.arange(n, dtype=np.int32),
        kind=account_kind.astype(np.uint8),
        authentication=authentication.astype(np.uint8),
        strict=rng.random(n) < 0.002,
        sslrequired=np.where(
            required < 0.002, Required.YES, np.where(required < 0.03, Required.NO, Required.DEFAULT)
        ).astype(np.uint8),
        line=np.arange(2, n + 2, dtype=np.int32),
    )
    return accounts, Names(names), account


def _key_databases(
    rng: Random, client: Numbers, place: Numbers, n_endpoints: int
) -> tuple[KeyDatabases, Numbers]:
    """One key database an endpoint; a second one where the endpoint has several sessions."""
    has_two = rng.random(n_endpoints) < 0.3
    key = 2 * client + (has_two[client] & (place % 2 == 1))
    is_used = np.zeros(2 * n_endpoints, dtype=np.bool_)
    is_used[key] = True
    used = np.flatnonzero(is_used)
    number = (np.cumsum(is_used) - 1).astype(np.int32)
    databases = KeyDatabases(
        endpoint=(used // 2).astype(np.int32),
        name=tuple(np.where(used % 2, "api", "default").tolist()),
        name_number=(used % 2).astype(np.int32),
    )
    return databases, number[key]


def _options(rng: Random, n: int, is_old: NDArray[np.bool_]) -> NDArray[np.uint16]:
    draw = rng.random((4, n))
    required = np.select(
        [draw[1] < 0.002, draw[1] < 0.003, draw[1] < 0.05],
        [Required.YES, Required.SERVER_ONLY, Required.NO],
        default=Required.DEFAULT,
    )
    # Old clients do not know SSLACCEPTCERTFROMSERV; new ones begin with Yes until it is set to No.
    options = np.where(is_old, 1 << SSLACCEPTCERTFROMSERV.shift, 0)
    options |= (draw[0] < 0.06) << SSL.shift
    options |= required << SSLREQUIRED.shift
    options |= (draw[2] < 0.02) << SSLDISABLELEGACYTLS.shift
    options |= np.where(draw[3] < 0.01, 2, 0) << COMMMETHOD.shift
    return options.astype(np.uint16)


def _trust_and_imports(
    rng: Random,
    *,
    database: Numbers,
    server: Numbers,
    needed: Numbers,
    presented: Numbers,
    replacement: Numbers,
    replaced_on: Numbers,
    certificates: Certificates,
) -> tuple[TrustInPlace, tuple[Numbers, Numbers, Numbers]]:
    """Trust in place, and key database, certificate and day of the imports.

    Every anchor that a key database needs is in place or imported: some too late, some never.
    """
    anchor = np.array([certificates.chain(c)[-1] for c in range(len(certificates))], dtype=np.int32)
    is_replaced = replacement[server] >= 0
    wanted = anchor[np.concatenate([presented[server], replacement[server[is_replaced]]])]
    later = np.maximum(needed[is_replaced], np.minimum(replaced_on[server[is_replaced]], END))
    day = np.concatenate([needed, later])
    database = np.concatenate([database, database[is_replaced]])
    key = database.astype(np.int64) * len(certificates) + wanted
    order = np.lexsort((day, key))
    order = order[np.flatnonzero(np.diff(key[order], prepend=-1))]
    database, wanted, day = database[order], wanted[order], day[order]

    draw = rng.random(len(day))
    in_place = (draw < 0.08) | (day == START) & (draw < 0.9)
    # A few hold only the issuing certificate, which is not trust.
    only_issuing = in_place & (wanted < N_ROOTS) & (rng.random(len(day)) < 0.05)
    missing = ~in_place & (draw > 0.985)
    planned = ~in_place & ~missing & (day < END)
    early = rng.integers(3, 60, len(day))
    late = rng.random(len(day)) < 0.03
    at = np.where(late, day + rng.integers(0, 25, len(day)), np.maximum(day - early, START))
    trust = TrustInPlace(
        key_database=database[in_place],
        certificate=(wanted + np.where(only_issuing, N_ROOTS, 0))[in_place].astype(np.int32),
        since=np.full(np.count_nonzero(in_place), ALWAYS, dtype=np.int32),
        line=np.arange(2, np.count_nonzero(in_place) + 2, dtype=np.int32),
    )
    return trust, (database[planned], wanted[planned], at[planned].astype(np.int32))


def _plan(
    rng: Random,
    fleet: Fleet,
    client_new: Numbers,
    server_new: Numbers,
    imports: tuple[Numbers, Numbers, Numbers],
    replacement: Numbers,
    replaced_on: Numbers,
) -> Plan:
    n_clients, n_servers = len(fleet.clients), len(fleet.servers)
    databases, accounts, texts = fleet.key_databases, fleet.accounts, _TEXT
    upgraded = np.flatnonzero(client_new != NEVER)
    target = 1 + _choice(rng, n_clients, {"7.1.8": 3, "8.1.9": 20, "8.1.13": 47, "8.1.22": 30})
    twice = upgraded[rng.random(len(upgraded)) < 0.03]
    careful = upgraded[rng.random(len(upgraded)) < 0.97]
    encrypted = upgraded[rng.random(len(upgraded)) < 0.06]
    replaced = np.flatnonzero(replaced_on < END)
    reset = np.flatnonzero(rng.random(len(accounts)) < 0.002)
    database, certificate, import_day = imports
    tables: list[dict[str, NDArray[np.integer] | int]] = [
        {
            "action": Action.UPGRADE_SERVER,
            "day": server_new,
            "server": np.arange(n_servers),
            "value": 1 + _choice(rng, n_servers, {"8.1.9": 20, "8.1.13": 50, "8.1.22": 30}),
        },
        {
            "action": Action.UPGRADE_CLIENT,
            "day": client_new[upgraded],
            "client": upgraded,
            "value": target[upgraded],
        },
        {
            "action": Action.UPGRADE_CLIENT,
            "day": client_new[twice] + 15,
            "client": twice,
            "value": texts["8.1.22"],
        },
        {
            "action": Action.IMPORT_CERTIFICATE,
            "day": import_day,
            "client": databases.endpoint[database],
            "key_database": databases.name_number[database],
            "certificate": certificate,
        },
        {
            "action": Action.SET_OPTION,
            "day": client_new[careful],
            "client": careful,
            "option": OPTIONS.index(SSLACCEPTCERTFROMSERV),
            "value": texts["No"],
        },
        {
            "action": Action.SET_OPTION,
            "day": client_new[encrypted] + rng.integers(0, 60, len(encrypted)),
            "client": encrypted,
            # For half of them only where the client reaches one of these servers.
            "server": np.where(encrypted % 2, -1, encrypted % n_servers),
            "option": OPTIONS.index(SSL),
            "value": texts["Yes"],
        },
        {
            "action": Action.REPLACE_CERTIFICATE,
            "day": replaced_on[replaced],
            "server": replaced,
            "certificate": replacement[replaced],
        },
        {
            "action": Action.SET_SESSION_SECURITY,
            "day": rng.integers(START + 20, END, len(reset)),
            "server": accounts.server[reset],
            "account": accounts.name_number[reset],
            "value": np.where(rng.random(len(reset)) < 0.9, texts["Transitional"], texts["Strict"]),
        },
    ]
    sizes = [np.size(table["day"]) for table in tables]

    def column(name: str, empty: int) -> Numbers:
        return np.concatenate(
            [
                np.broadcast_to(np.asarray(table.get(name, empty), dtype=np.int32), size)
                for table, size in zip(tables, sizes, strict=True)
            ]
        )

    day = column("day", 0)
    nothing = np.zeros(len(day), dtype=np.int32)
    return Plan(
        fleet=fleet,
        day=day,
        action=column("action", 0).astype(np.uint8),
        client=column("client", -1),
        server=column("server", -1),
        account=column("account", -1),
        key_database=column("key_database", -1),
        certificate=column("certificate", -1),
        option=column("option", -1),
        value=column("value", 0),
        wave=nothing.copy(),
        status=nothing.copy(),
        note=nothing.copy(),
        file=nothing.copy(),
        line=np.arange(2, len(day) + 2, dtype=np.int32),
        vocabulary=Vocabulary(texts=TEXTS),
    )
