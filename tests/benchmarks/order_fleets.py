"""Seeded fleets for rollout orders: families of weights, and scenarios of growing constraints.

A client has one or two servers, a few of many; one server is the hub of the Operations Center,
some replicate in pairs; endpoints stand at four sites. The plan has 26 weeks.
"""

import datetime
import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

from planner.domain.calendar import ALWAYS, NEVER, Calendar, Capacity, Freeze, Window, to_day
from planner.domain.certificates import CertificateKind, Certificates
from planner.domain.fleet import (
    AccountKind,
    Accounts,
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
from planner.domain.levels import Level
from planner.domain.names import Names
from planner.domain.order_rules import OrderRule, RuleKind

WEIGHTS: Final = ("unit", "log-normal", "pareto")
SCENARIOS: Final = ("caps", "windows", "imports", "full")
START: Final = to_day(datetime.date(2026, 1, 5))
N_WEEKS: Final = 26
SITES: Final = ("north", "east", "south", "west")
_WINDOWS: Final = ({0, 1, 2, 3, 4}, {1, 2, 3}, {2, 3}, {1, 3})
_FREEZES: Final = ((5, 6), (16, 18))


def order_fleet(n_sessions: int, *, weights: str, scenario: str, seed: int) -> Fleet:
    """Make a fleet of about `n_sessions` sessions; equal for equal arguments."""
    rng = np.random.default_rng([seed, n_sessions, WEIGHTS.index(weights)])
    level = SCENARIOS.index(scenario)
    n_servers = round(3 + 47 * math.sqrt(min(1.0, n_sessions / 50_000)))
    drawn = _pairs(rng, n_sessions - 2 * n_servers, n_servers)
    n_clients = int(drawn[0].max()) + 1
    # The hub talks to every server; every second server replicates to the next one.
    spokes = np.arange(1, n_servers)
    sources = np.arange(1, n_servers - 1, 2)
    kind = np.concatenate(
        [
            np.full(len(drawn[0]), SessionKind.BACKUP),
            np.full(len(spokes) + len(sources), SessionKind.SERVER),
        ]
    ).astype(np.uint8)
    initiators = np.concatenate([drawn[0], np.full(len(spokes), n_clients), n_clients + sources])
    partners = np.concatenate([drawn[1], spokes, sources + 1])
    pairs, first = np.unique(np.stack([initiators, partners], axis=1), axis=0, return_index=True)
    client: Numbers = pairs[:, 0].astype(np.int32)
    server: Numbers = pairs[:, 1].astype(np.int32)
    kind, n = kind[first], len(pairs)
    endpoints, database = np.unique(client, return_inverse=True)
    site = rng.integers(0, len(SITES), n_clients + n_servers)
    capacity = Capacity(
        clients_per_week=math.ceil(n_clients / 20),
        servers_per_week=max(1, math.ceil(n_servers / 16)),
        imports_per_week=math.ceil(n / 14) if level >= 2 else None,
    )
    return Fleet(
        name=f"order-{n_sessions}-{weights}-{scenario}-{seed}",
        start=START,
        end=START + 7 * N_WEEKS,
        calendar=_calendar(has_windows=level >= 1),
        capacity=capacity,
        levels=(Level.parse("8.1.0"), Level.parse("8.1.13")),
        clients=_clients(n_clients, site),
        servers=_servers(n_servers, site[n_clients:]),
        accounts=_accounts(server, kind),
        account_names=Names(f"account{number}" for number in range(n)),
        key_databases=KeyDatabases(
            endpoint=endpoints.astype(np.int32),
            name=("default",) * len(endpoints),
            name_number=np.zeros(len(endpoints), dtype=np.int32),
        ),
        key_database_names=Names(["default"]),
        sessions=Sessions(
            client=client,
            server=server,
            account=np.arange(n, dtype=np.int32),
            key_database=database.ravel().astype(np.int32),
            kind=kind,
            options=np.zeros(n, dtype=np.uint16),
            port=np.zeros(n, dtype=np.int32),
            replsslport=np.zeros(n, dtype=np.int32),
            weight=_weights(rng, weights, n),
            encrypt_data=np.zeros(n, dtype=np.bool_),
            line=np.arange(2, n + 2, dtype=np.int32),
        ),
        certificates=_certificates(n_servers),
        trust=_trust(database.ravel(), server, is_in_place=level < 2),
        rules=tuple(_rules(rng, n_clients, site)) if level >= 3 else (),
    )


def _pairs(
    rng: np.random.Generator, n: int, n_servers: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Clients and servers of the sessions: one or two servers a client, some servers favoured."""
    sizes = rng.integers(1, 3, n)
    client = np.repeat(np.arange(n), sizes)[:n]
    popularity = 1 / np.arange(1, n_servers + 1) ** 0.7
    server = rng.choice(n_servers, n, p=popularity / popularity.sum())
    is_second = np.append([False], client[1:] == client[:-1])
    other = (server + 1 + rng.integers(0, n_servers - 1, n)) % n_servers
    previous = np.append(server[:1], server[:-1])
    return client, np.where(is_second & (server == previous), other, server)


def _weights(rng: np.random.Generator, family: str, n: int) -> NDArray[np.float64]:
    match family:
        case "unit":
            return np.ones(n)
        case "log-normal":
            return np.ceil(rng.lognormal(2.0, 1.0, n))
        case _:
            return np.ceil(np.minimum(5.0 * (1 + rng.pareto(1.5, n)), 2000.0))


def _calendar(*, has_windows: bool) -> Calendar:
    if not has_windows:
        return Calendar()
    return Calendar(
        freezes=tuple(
            Freeze(name=f"freeze {first}", start=START + 7 * first, end=START + 7 * last)
            for first, last in _FREEZES
        ),
        windows=tuple(
            Window(site=site, weekdays=frozenset(days))
            for site, days in zip(SITES, _WINDOWS, strict=True)
        ),
    )


def _clients(n: int, site: NDArray[np.int64]) -> Clients:
    return Clients(
        name=Names(f"client{number}" for number in range(n)),
        level=np.zeros(n, dtype=np.int32),
        kind=np.full(n, ClientKind.BACKUP, dtype=np.uint8),
        platform=("",) * n,
        site=tuple(SITES[number] for number in site[:n].tolist()),
        owner=("",) * n,
        target_level=np.ones(n, dtype=np.int32),
        upgrade=np.full(n, NEVER, dtype=np.int32),
        note=("",) * n,
        line=np.arange(2, n + 2, dtype=np.int32),
    )


def _servers(n: int, site: NDArray[np.int64]) -> Servers:
    return Servers(
        name=Names(f"server{number}" for number in range(n)),
        level=np.zeros(n, dtype=np.int32),
        ldap=np.zeros(n, dtype=np.bool_),
        certificate=np.arange(n, dtype=np.int32),
        tls12=np.zeros(n, dtype=np.bool_),
        tcpport=np.full(n, 1500, dtype=np.int32),
        ssltcpport=np.zeros(n, dtype=np.int32),
        address=("",) * n,
        site=tuple(SITES[number] for number in site.tolist()),
        target_level=np.ones(n, dtype=np.int32),
        upgrade=np.full(n, NEVER, dtype=np.int32),
        note=("",) * n,
        line=np.arange(2, n + 2, dtype=np.int32),
    )


def _accounts(server: NDArray[np.int32], kind: NDArray[np.uint8]) -> Accounts:
    n = len(server)
    of_kind = np.where(kind == SessionKind.SERVER, AccountKind.SERVER, AccountKind.NODE)
    return Accounts(
        server=server,
        name=tuple(f"account{number}" for number in range(n)),
        name_number=np.arange(n, dtype=np.int32),
        kind=of_kind.astype(np.uint8),
        authentication=np.zeros(n, dtype=np.uint8),
        strict=np.zeros(n, dtype=np.bool_),
        sslrequired=np.zeros(n, dtype=np.uint8),
        line=np.zeros(n, dtype=np.int32),
    )


def _certificates(n: int) -> Certificates:
    return Certificates(
        name=tuple(f"certificate{number}" for number in range(n)),
        kind=np.full(n, CertificateKind.SELF_SIGNED, dtype=np.uint8),
        issuer=np.full(n, -1, dtype=np.int32),
        not_before=np.full(n, START - 900, dtype=np.int32),
        not_after=np.full(n, START + 9000, dtype=np.int32),
        signature=("sha256",) * n,
        server=np.arange(n, dtype=np.int32),
        available=np.full(n, ALWAYS, dtype=np.int32),
        file=("",) * n,
        described=np.ones(n, dtype=np.bool_),
        line=np.arange(2, n + 2, dtype=np.int32),
    )


def _trust(
    database: NDArray[np.int64], server: NDArray[np.int32], *, is_in_place: bool
) -> TrustInPlace:
    rows = slice(None) if is_in_place else slice(0)
    return TrustInPlace(
        key_database=database[rows].astype(np.int32),
        certificate=server[rows].astype(np.int32),
        since=np.full(len(server[rows]), ALWAYS, dtype=np.int32),
        line=np.arange(2, len(server[rows]) + 2, dtype=np.int32),
    )


def _rules(rng: np.random.Generator, n_clients: int, site: NDArray[np.int64]) -> list[OrderRule]:
    """One client in twenty on a fixed date, as many with an earliest date, before another, paired.

    Fixed dates lie in the middle of the plan, in the windows and outside the freezes.
    """
    some = rng.permutation(n_clients)
    n = max(1, n_clients // 20)
    open_weeks = np.array([8, 9, 10, 11, 12, 13, 14, 15, 19, 20, 21])
    rules = []
    for client, week in zip(some[:n].tolist(), rng.choice(open_weeks, n).tolist(), strict=True):
        day = START + 7 * week + min(_WINDOWS[site[client]])
        rules.append(OrderRule(kind=RuleKind.FIXED, first=client, day=day))
    for client, week in zip(
        some[n : 2 * n].tolist(), rng.integers(2, 14, n).tolist(), strict=False
    ):
        rules.append(OrderRule(kind=RuleKind.EARLIEST, first=client, day=START + 7 * week))
    for first, then in zip(
        some[2 * n : 3 * n].tolist(), some[3 * n : 4 * n].tolist(), strict=False
    ):
        rules.append(OrderRule(kind=RuleKind.BEFORE, first=first, then=then, days=7))
    for first, then in zip(
        some[4 * n : 5 * n].tolist(), some[5 * n : 6 * n].tolist(), strict=False
    ):
        rules.append(OrderRule(kind=RuleKind.TOGETHER, first=first, then=then, days=14))
    return rules
