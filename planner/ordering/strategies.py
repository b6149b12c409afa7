"""Strategies: how people order a rollout by hand. Each is a few lines over one scheduler."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

import numpy as np
from numpy.typing import NDArray

from planner.domain.plan import Plan
from planner.ordering.model import Ints
from planner.ordering.problem import Problem, drafted_days
from planner.ordering.scheduler import Priorities

PILOT_HOSTS: Final = 9
"""A pilot has under ten hosts."""
RINGS: Final = (("pilot", 0), ("ring-1", 14), ("ring-2", 28), ("ring-3", 56))
"""The rings, and the days of each after the base date, which is the first day of the plan."""
RING_SHARES: Final = (0.05, 0.25)
"""Parts of all hosts in the rings between the pilot and the rest."""

Floats = NDArray[np.float64]
Strategy = Callable[[Problem, Plan | None], Priorities]


def server_first(problem: Problem, _: Plan | None) -> Priorities:
    """All clients of a server wait for it; servers with the most weight go first."""
    blocks = _ranked(_is_client(problem).astype(np.float64), -problem.model.weights())
    return _from_start(problem, blocks, tuple((s, c) for c, s in _client_links(problem)))


def client_first(problem: Problem, _: Plan | None) -> Priorities:
    """Each server waits for all its clients, server by server, the most weight first."""
    weight, links = problem.model.weights(), _client_links(problem)
    heaviest = np.zeros(len(weight))
    for client, server in links:
        heaviest[client] = max(heaviest[client], weight[server])
    is_server = (~_is_client(problem)).astype(np.float64)
    blocks = _ranked(is_server, -heaviest, -weight)
    return _from_start(problem, blocks, links)


def by_site(problem: Problem, _: Plan | None) -> Priorities:
    """Site by site, the one with the most weight first; servers before clients."""
    return _by_group(problem, _site_of)


def by_owner(problem: Problem, _: Plan | None) -> Priorities:
    """Owner by owner, the one with the most weight first; servers, which have none, lead."""
    return _by_group(problem, _owner_of)


def by_weight(problem: Problem, _: Plan | None) -> Priorities:
    """Whatever carries the most weight for each endpoint of it goes first."""
    model = problem.model
    size = (model.n_clients + model.n_servers).astype(np.float64)
    return _from_start(problem, _ranked(-model.weights() / size))


def rings(problem: Problem, _: Plan | None) -> Priorities:
    """A pilot of under ten hosts, then 5 %, 25 % and the rest; servers go with the first ring."""
    model = problem.model
    clients = np.flatnonzero(_is_client(problem) & (np.diff(model.choice_first) > 1))
    clients = clients[np.argsort(problem.model.weights()[clients], kind="stable")]
    hosts = np.cumsum(model.n_clients[clients])
    limits = [PILOT_HOSTS, *(PILOT_HOSTS + share * model.n_clients.sum() for share in RING_SHARES)]
    ring = np.zeros(model.n_blocks, dtype=np.int32)
    ring[clients] = np.searchsorted(limits, hosts, side="left")
    offsets = np.array([days for _, days in RINGS], dtype=np.int32)
    # A date that a rule sets wins over the date of a ring.
    latest = model.choice_day[model.choice_first[1:] - 1]
    return Priorities(
        order=_ranked(ring.astype(np.float64)),
        not_before=np.minimum(offsets[ring], latest).astype(np.int32),
        waves=tuple(RINGS[number][0] for number in ring.tolist()),
    )


def as_drafted(problem: Problem, initial: Plan | None) -> Priorities:
    """In the order of the given plan or of the upgrade columns, undated ones last."""
    days = drafted_days(problem.fleet, problem.blocks, initial)
    return _from_start(problem, _ranked(np.where(days < 0, np.inf, days.astype(np.float64))))


STRATEGIES: Final[Mapping[str, Strategy]] = MappingProxyType(
    {
        "server-first": server_first,
        "client-first": client_first,
        "by-site": by_site,
        "by-owner": by_owner,
        "by-weight": by_weight,
        "rings": rings,
        "as-drafted": as_drafted,
    }
)


def _from_start(
    problem: Problem, order: Ints, after: tuple[tuple[int, int], ...] = ()
) -> Priorities:
    zeros = np.zeros(problem.model.n_blocks, dtype=np.int32)
    return Priorities(order=order, not_before=zeros, after=after)


def _ranked(*keys: Floats) -> Ints:
    """Block numbers by ascending keys, the first key first; ties stay in the fleet's order."""
    return np.lexsort(keys[::-1]).astype(np.int32)


def _is_client(problem: Problem) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    is_client: np.ndarray[tuple[int], np.dtype[np.bool_]] = problem.model.n_servers == 0
    return is_client


def _client_links(problem: Problem) -> tuple[tuple[int, int], ...]:
    """Pairs of a block of clients and a block of servers with sessions; settled ones wait not."""
    model, is_client = problem.model, _is_client(problem)
    is_free = np.diff(model.choice_first) > 1
    block = np.repeat(np.arange(model.n_blocks), np.diff(model.link_first))
    rows = is_client[block] & ~is_client[model.link_other]
    rows &= is_free[block] & is_free[model.link_other]
    return tuple(zip(block[rows].tolist(), model.link_other[rows].tolist(), strict=True))


def _site_of(problem: Problem, endpoint: int) -> str:
    return problem.fleet.endpoint_site(endpoint)


def _owner_of(problem: Problem, endpoint: int) -> str:
    clients = problem.fleet.clients
    return clients.owner[endpoint] if endpoint < len(clients) else ""


def _by_group(problem: Problem, name_of: Callable[[Problem, int], str]) -> Priorities:
    names = [name_of(problem, members[0]).casefold() for members in problem.blocks.members]
    _, group = np.unique(names, return_inverse=True)
    weight: Floats = np.zeros(len(names))
    np.add.at(weight, group, problem.model.weights())
    weight = weight[group]
    leads = np.array([name != "" for name in names], dtype=np.float64)
    is_client = _is_client(problem).astype(np.float64)
    return _from_start(problem, _ranked(leads, -weight, group.astype(np.float64), is_client))
