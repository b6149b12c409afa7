"""Blocks: the endpoints that must go on one day, and the days on which each block may go."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from planner.domain.calendar import iso
from planner.domain.errors import Fault, InfeasibleError
from planner.domain.fleet import Fleet
from planner.domain.levels import LevelFact
from planner.domain.order_rules import OrderRule, RuleKind
from planner.ordering.model import ANY_TIME, Ints
from planner.ordering.rules import Constraints

NO_BLOCK: Final = -2
"""In place of a block: an endpoint that no order upgrades, or that never becomes new."""


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Blocks:
    """Endpoints grouped into blocks, and what binds each block.

    Parameters
    ----------
    of_endpoint
        By endpoint: the block that it is upgraded with; `NO_BLOCK` for none.
    when_new
        By endpoint: the block on whose day it becomes new; `ANY_TIME` where it is new already,
        `NO_BLOCK` where it never is.
    members
        Endpoints of each block.
    choices
        Days of the horizon on which each block may go, ascending, none of them empty.
    rules
        `(a, b, gap)`: block `b` goes at least `gap` days after block `a`.
    settled
        The rule that settles the date of an endpoint.
    """

    of_endpoint: Ints
    when_new: Ints
    members: tuple[tuple[int, ...], ...]
    n_clients: Ints
    n_servers: Ints
    choices: tuple[Ints, ...]
    rules: tuple[tuple[int, int, int], ...]
    settled: Mapping[int, OrderRule] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.members)

    def settled_blocks(self) -> list[int]:
        """Blocks with a settled date, each once."""
        return sorted({int(self.of_endpoint[endpoint]) for endpoint in self.settled})


def group_blocks(fleet: Fleet, constraints: Constraints) -> Blocks:
    """Group a fleet's endpoints into blocks, and find each block's days.

    Raises
    ------
    InfeasibleError
        If a block has no day left.
    """
    is_due = _due_endpoints(fleet)
    leader = _leaders(fleet, constraints, is_due)
    leaders, number = np.unique(leader[is_due], return_inverse=True)
    of_endpoint = np.full(fleet.n_endpoints, NO_BLOCK, dtype=np.int32)
    of_endpoint[is_due] = number
    members: list[list[int]] = [[] for _ in leaders]
    for endpoint in np.flatnonzero(is_due).tolist():
        members[of_endpoint[endpoint]].append(endpoint)
    settled = {
        rule.first: rule
        for rule in constraints.rules
        if rule.kind is RuleKind.FIXED and is_due[rule.first]
    }
    may_go = _days_of_blocks(fleet, constraints, members, settled)
    _keep_dates(fleet, constraints, of_endpoint, may_go)
    rules = tuple(_gaps(constraints, of_endpoint, len(members), settled))
    _keep_rules(fleet, rules, may_go, members)
    n_clients = len(fleet.clients)
    return Blocks(
        of_endpoint=of_endpoint,
        when_new=_when_new(fleet, of_endpoint),
        members=tuple(map(tuple, members)),
        n_clients=_counts([sum(m < n_clients for m in block) for block in members]),
        n_servers=_counts([sum(m >= n_clients for m in block) for block in members]),
        choices=tuple(np.flatnonzero(days).astype(np.int32) for days in may_go),
        rules=rules,
        settled=settled,
    )


def _counts(values: list[int]) -> Ints:
    return np.array(values, dtype=np.int32)


def _targets(fleet: Fleet) -> Ints:
    return np.concatenate([fleet.clients.target_level, fleet.servers.target_level])


def _due_endpoints(fleet: Fleet) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Endpoints with a target level; a client that is not installed needs a day as well."""
    is_due: np.ndarray[tuple[int], np.dtype[np.bool_]] = _targets(fleet) >= 0
    clients = fleet.clients
    absent = clients.level < 0
    outside = (clients.upgrade < fleet.start) | (clients.upgrade >= fleet.end)
    is_due[: len(clients)] &= ~(absent & outside)
    return is_due


def _when_new(fleet: Fleet, of_endpoint: Ints) -> Ints:
    facts = np.array([*(int(level.facts) for level in fleet.levels), 0], dtype=np.uint16)
    level = np.concatenate([fleet.clients.level, fleet.servers.level])
    target = _targets(fleet)
    was_new = (level >= 0) & (facts[level] & LevelFact.NEW != 0)
    gets_new = (target >= 0) & (facts[target] & LevelFact.NEW != 0)
    is_upgraded = of_endpoint != NO_BLOCK
    new_at_once = np.where(is_upgraded & ~gets_new, NO_BLOCK, ANY_TIME)
    later = np.where(is_upgraded & gets_new, of_endpoint, NO_BLOCK)
    when: Ints = np.where(was_new, new_at_once, later).astype(np.int32)
    return when


def _leaders(
    fleet: Fleet,
    constraints: Constraints,
    is_due: np.ndarray[tuple[int], np.dtype[np.bool_]],
) -> Ints:
    """Least endpoint of each group that must go on one day, by endpoint."""
    leader = np.arange(fleet.n_endpoints, dtype=np.int32)

    def find(endpoint: int) -> int:
        while leader[endpoint] != endpoint:
            leader[endpoint] = leader[leader[endpoint]]
            endpoint = int(leader[endpoint])
        return endpoint

    for rule in constraints.rules:
        is_one_day = rule.kind is RuleKind.TOGETHER and rule.days == 0
        if is_one_day and is_due[rule.first] and is_due[rule.then]:
            first, then = sorted((find(rule.first), find(rule.then)))
            leader[then] = first
    return np.array([find(endpoint) for endpoint in range(fleet.n_endpoints)], dtype=np.int32)


Flags = np.ndarray[tuple[int], np.dtype[np.bool_]]


def _days_of_blocks(
    fleet: Fleet,
    constraints: Constraints,
    members: list[list[int]],
    settled: Mapping[int, OrderRule],
) -> list[Flags]:
    """Days of each block by calendar alone; a settled date stands, whatever the calendar says."""
    of_site: dict[str, Flags] = {}
    may_go = []
    for block in members:
        days = np.ones(fleet.n_days, dtype=np.bool_)
        if not any(endpoint in settled for endpoint in block):
            for endpoint in block:
                site = fleet.endpoint_site(endpoint).casefold()
                if site not in of_site:
                    of_site[site] = constraints.may_upgrade(fleet, site)
                days &= of_site[site]
        may_go.append(days)
        _demand_a_day(fleet, block, days, "its windows, freezes and holidays")
    return may_go


def _keep_dates(
    fleet: Fleet, constraints: Constraints, of_endpoint: Ints, may_go: list[Flags]
) -> None:
    """Leave the days that the rules `earliest`, `latest` and `fixed` allow."""
    horizon = np.arange(fleet.start, fleet.end)
    for rule in constraints.rules:
        block = int(of_endpoint[rule.first])
        if block == NO_BLOCK:
            continue
        match rule.kind:
            case RuleKind.EARLIEST:
                may_go[block] &= horizon >= rule.day
            case RuleKind.LATEST:
                may_go[block] &= horizon <= rule.day
            case RuleKind.FIXED:
                may_go[block] &= horizon == rule.day
            case _:
                continue
        _demand_a_day(fleet, [rule.first], may_go[block], f"{rule.kind} {iso(rule.day)}")


def _gaps(
    constraints: Constraints,
    of_endpoint: Ints,
    n_blocks: int,
    settled: Mapping[int, OrderRule],
) -> Iterator[tuple[int, int, int]]:
    """Rules between blocks as gaps; those about endpoints that no order upgrades say nothing."""
    pilots = {rule.first for rule in constraints.rules if rule.kind is RuleKind.PILOT}
    pilot_blocks = {int(of_endpoint[pilot]) for pilot in pilots}
    fixed = {int(of_endpoint[endpoint]) for endpoint in settled}
    for rule in constraints.rules:
        first = int(of_endpoint[rule.first])
        if first == NO_BLOCK:
            continue
        if rule.kind is RuleKind.PILOT:
            for block in range(n_blocks):
                if block not in pilot_blocks and block not in fixed:
                    yield first, block, rule.days
            continue
        then = int(of_endpoint[rule.then]) if rule.then >= 0 else NO_BLOCK
        if then == NO_BLOCK or (first == then and rule.days == 0):
            continue
        if rule.kind is RuleKind.BEFORE:
            yield first, then, rule.days
        elif rule.kind is RuleKind.TOGETHER and rule.days:
            yield first, then, -rule.days
            yield then, first, -rule.days


def _keep_rules(
    fleet: Fleet,
    rules: tuple[tuple[int, int, int], ...],
    may_go: list[Flags],
    members: list[list[int]],
) -> None:
    """Take away days that no partner's days allow, until nothing changes."""
    waiting = list(rules)
    while waiting:
        changed = set()
        for first, then, gap in waiting:
            before, after = may_go[first], may_go[then]
            earliest = max(0, int(before.argmax()) + gap)
            latest = int(len(after) - 1 - after[::-1].argmax()) - gap
            if after[:earliest].any():
                after[:earliest] = False
                changed.add(then)
            if before[max(0, latest + 1) :].any():
                before[max(0, latest + 1) :] = False
                changed.add(first)
            for block in (first, then):
                _demand_a_day(fleet, members[block], may_go[block], "the order rules")
        waiting = [rule for rule in rules if rule[0] in changed or rule[1] in changed]


def _demand_a_day(fleet: Fleet, block: list[int], days: Flags, what: str) -> None:
    if days.any():
        return
    names = ", ".join(fleet.endpoint_name(endpoint) for endpoint in block[:3])
    more = f" and {len(block) - 3} more" if len(block) > 3 else ""
    raise InfeasibleError(
        [
            Fault(
                file=names + more,
                what=f"no day of the plan is left between {iso(fleet.start)} and "
                f"{iso(fleet.end - 1)} by {what}",
                cure="widen a window, move a freeze or a date, or take a rule away",
            )
        ]
    )
