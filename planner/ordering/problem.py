"""A fleet and its constraints compiled into a model, and a model's days turned into a plan."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from planner.domain.calendar import NEVER, monday_of, to_date
from planner.domain.fleet import Fleet, Numbers
from planner.domain.options import LOCAL_BIT, SSL
from planner.domain.plan import UPGRADES, Action, Plan, PlannedAction
from planner.domain.rules import Verdict
from planner.engine.complete import complete
from planner.engine.deadlines import Deadlines, deadlines
from planner.engine.timeline import simulate
from planner.ordering.blocks import NO_BLOCK, Blocks, group_blocks
from planner.ordering.model import ANY_TIME, UNLIMITED, Ints, Longs, Model, rows_of
from planner.ordering.objective import Objective
from planner.ordering.rules import Constraints, is_settled, upgraded_endpoint

_LARGEST_COST: Final = 2**52
_FINEST: Final = 2**16
"""Fractions of a weight are counted in steps of one in so many, rounded down for the bound."""


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Problem:
    """A model, and what its numbers mean.

    Parameters
    ----------
    scale
        Units of the model's cost in one unit of the objective.
    rounding
        How much the model's cost can be below the true one, by rounding weights down.
    open_weeks
        By week: how many weeks up to its end have a day for imports.
    kept
        The actions of the given plan that stay as they are: all but upgrades, and but the imports
        and option changes that completion makes anew.
    """

    fleet: Fleet
    constraints: Constraints
    objective: Objective
    blocks: Blocks
    model: Model
    scale: int
    rounding: float
    open_weeks: Longs
    kept: tuple[PlannedAction, ...]

    def plan_of(
        self, days: Ints, *, waves: Iterable[str] = (), imports_per_week: int | None = None
    ) -> Plan:
        """Return the plan of an order, with its imports and option changes.

        Parameters
        ----------
        days
            Day of each block.
        waves
            Name of each block's wave; without them the ISO week.
        imports_per_week
            A capacity below the fleet's, over which imports are spread.
        """
        names = list(waves)
        actions = []
        for action, endpoint, block in _upgrades(self.fleet, self.blocks, days):
            week = to_date(action.day).isocalendar()
            rule = self.blocks.settled.get(endpoint)
            actions.append(
                replace(
                    action,
                    wave=names[block] if names else f"{week.year}-W{week.week:02d}",
                    status="approved" if rule is not None and rule.file != "clients.csv" else "",
                )
            )
        rows = [*self.kept, *actions]
        if imports_per_week is None:
            return complete(Plan.of(self.fleet, rows))
        tight = replace(self.fleet.capacity, imports_per_week=imports_per_week)
        spread = complete(Plan.of(replace(self.fleet, capacity=tight), rows))
        return replace(spread, fleet=self.fleet)


def compile_problem(
    fleet: Fleet,
    constraints: Constraints,
    *,
    objective: Objective | None = None,
    initial: Plan | None = None,
) -> Problem:
    """Compile a fleet and its constraints.

    Parameters
    ----------
    initial
        A plan whose approved or done dates stay, and against which disturbance is measured; the
        upgrade columns where none is given.

    Raises
    ------
    InfeasibleError
        If some block has no day left, already before capacity is looked at.

    Notes
    -----
    Linear in sessions, rules and days.
    """
    objective, capacity = objective or Objective(), constraints.capacity
    blocks = group_blocks(fleet, constraints)
    kept = tuple(_kept_actions(blocks, initial))
    reference = _reference(fleet, blocks, kept)
    jobs = _jobs(fleet, blocks, reference, has_lead=constraints.has_lead)
    costs = _Costs(fleet, blocks, objective)
    drafted = drafted_days(fleet, blocks, initial)
    moved = np.where(drafted >= 0, blocks.n_clients + blocks.n_servers, 0) * float(
        objective.disturbance
    )
    scale = _scale([*costs.all_weights(), *moved.tolist()], fleet.n_days)
    link_first, link_other, link_weight = costs.links(scale)
    rules = np.array(blocks.rules, dtype=np.int32).reshape(-1, 3)
    rule_first, by_later = rows_of(rules[:, 1], len(blocks))
    limit_first, by_earlier = rows_of(rules[:, 0], len(blocks))
    week_of_day = _weeks(fleet)
    due_week = _due_weeks(fleet, week_of_day, has_lead=constraints.has_lead)
    choice_first = np.zeros(len(blocks) + 1, dtype=np.int32)
    np.cumsum([len(days) for days in blocks.choices], out=choice_first[1:])
    uses = _uses(jobs, len(blocks))
    model = Model(
        week_of_day=week_of_day,
        due_week=due_week,
        choice_first=choice_first,
        choice_day=np.concatenate([np.zeros(0, dtype=np.int32), *blocks.choices]),
        n_clients=blocks.n_clients,
        n_servers=blocks.n_servers,
        client_room=_room(blocks, blocks.n_clients, week_of_day, capacity.clients_per_week),
        server_room=_room(blocks, blocks.n_servers, week_of_day, capacity.servers_per_week),
        import_room=_import_room(fleet, constraints, week_of_day, kept),
        own_weight=_scaled(costs.own, scale),
        moved_weight=_scaled(moved, scale),
        drafted_day=np.maximum(drafted, 0).astype(np.int32),
        link_first=link_first,
        link_other=link_other,
        link_weight=link_weight,
        rule_first=rule_first,
        rule_other=np.ascontiguousarray(rules[by_later, 0]),
        rule_gap=np.ascontiguousarray(rules[by_later, 2]),
        limit_first=limit_first,
        limit_other=np.ascontiguousarray(rules[by_earlier, 1]),
        limit_gap=np.ascontiguousarray(rules[by_earlier, 2]),
        job_client=jobs.client,
        job_release=jobs.release,
        job_earliest=jobs.earliest,
        job_first=jobs.first,
        job_server=jobs.server,
        use_first=uses[0],
        use_job=uses[1],
    )
    return Problem(
        fleet=fleet,
        constraints=constraints,
        objective=objective,
        blocks=blocks,
        model=model,
        scale=scale,
        rounding=0.0 if scale == 1 else len(costs.all_weights()) * fleet.n_days / scale,
        open_weeks=np.cumsum(_open_weeks(fleet, week_of_day)).astype(np.int64),
        kept=kept,
    )


def _upgrades(fleet: Fleet, blocks: Blocks, days: Ints) -> Iterator[tuple[PlannedAction, int, int]]:
    """Upgrade of each endpoint on its block's day, the endpoint and the block."""
    n_clients = len(fleet.clients)
    for endpoint in np.flatnonzero(blocks.of_endpoint != NO_BLOCK).tolist():
        block = int(blocks.of_endpoint[endpoint])
        day, name = fleet.start + int(days[block]), fleet.endpoint_name(endpoint)
        if endpoint >= n_clients:
            level = fleet.levels[fleet.servers.target_level[endpoint - n_clients]]
            kind, client, server = Action.UPGRADE_SERVER, "", name
        else:
            level = fleet.levels[fleet.clients.target_level[endpoint]]
            is_absent = fleet.clients.level[endpoint] < 0
            kind = Action.INSTALL_CLIENT if is_absent else Action.UPGRADE_CLIENT
            client, server = name, ""
        action = PlannedAction(
            day=day, action=kind, client=client, server=server, value=str(level), file=""
        )
        yield action, endpoint, block


def _kept_actions(blocks: Blocks, initial: Plan | None) -> Iterator[PlannedAction]:
    if initial is None:
        return
    made_anew = (Action.IMPORT_CERTIFICATE, Action.SET_OPTION)
    for row in range(len(initial)):
        action = initial.action[row]
        if action in UPGRADES:
            endpoint = upgraded_endpoint(initial, row)
            if endpoint < 0 or blocks.of_endpoint[endpoint] != NO_BLOCK:
                continue
        if action not in made_anew or is_settled(initial, row):
            yield initial.row(row)


def _reference(fleet: Fleet, blocks: Blocks, kept: Iterable[PlannedAction]) -> Deadlines:
    """Deadlines of a plan in which every block goes on its first day, whatever the capacity.

    Which key database ever needs which anchor is the same for all orders.
    """
    days = np.array([choices[0] for choices in blocks.choices], dtype=np.int32)
    actions = [action for action, _, _ in _upgrades(fleet, blocks, days)]
    return deadlines(simulate(Plan.of(fleet, [*kept, *actions])))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Jobs:
    client: Ints
    release: Ints
    earliest: Ints
    first: Ints
    server: Ints


def _jobs(fleet: Fleet, blocks: Blocks, reference: Deadlines, *, has_lead: bool) -> _Jobs:
    """Imports that are not in place: when each is needed, by the blocks of its sessions."""
    sessions, n_clients = fleet.sessions, len(fleet.clients)
    rows, of_row = reference.needing()
    wanted = ~reference.has_verdict(Verdict.IN_PLACE)
    wanted &= reference.planned == NEVER
    is_pair = wanted[rows]
    rows, of_row = rows[is_pair], of_row[is_pair]
    order = np.argsort(rows, kind="stable")
    rows, of_row = rows[order], of_row[order]
    job_rows, first = np.unique(rows, return_index=True)
    client = blocks.when_new[sessions.client[of_row]]
    server = blocks.when_new[n_clients + sessions.server[of_row]]
    # The two zeros are for what is not upgraded, and for what may be upgraded any time.
    days = np.array([*(choices[0] for choices in blocks.choices), 0, 0], dtype=np.int32)
    # With SSL the server's upgrade alone can ask for another certificate.
    has_ssl = sessions.options[of_row] & SSL.mask != 0
    by_client = np.where(has_ssl, ANY_TIME, client).astype(np.int32)
    at = np.maximum(days[by_client], days[server])
    needed = reference.needed - np.int32(fleet.start)
    job_client = np.empty(len(job_rows), dtype=np.int32)
    release = np.zeros(len(job_rows), dtype=np.int32)
    ends = np.append(first, len(rows))[1:]
    for job, (row, begin, end) in enumerate(
        zip(job_rows.tolist(), first.tolist(), ends.tolist(), strict=True)
    ):
        job_client[job] = ANY_TIME if has_ssl[begin:end].any() else client[begin]
        if needed[row] > at[begin:end].min():
            release[job] = needed[row]
    opens = np.maximum(reference.opens()[job_rows], fleet.start)
    latest = fleet.calendar.latest_safe_days(fleet.start, fleet.end)
    earliest = np.searchsorted(latest, opens) if has_lead else np.zeros(len(job_rows))
    return _Jobs(
        client=job_client,
        release=release,
        earliest=earliest.astype(np.int32),
        first=np.append(first, len(rows)).astype(np.int32),
        server=server.astype(np.int32),
    )


def _uses(jobs: _Jobs, n_blocks: int) -> tuple[Ints, Ints]:
    """Where the jobs of each block begin, and the jobs."""
    job = np.repeat(np.arange(len(jobs.client), dtype=np.int32), np.diff(jobs.first))
    pairs = np.concatenate(
        [
            np.stack([jobs.client, np.arange(len(jobs.client), dtype=np.int32)], axis=1),
            np.stack([jobs.server, job], axis=1),
        ]
    )
    pairs = np.unique(pairs[pairs[:, 0] >= 0], axis=0).astype(np.int32)
    first, order = rows_of(pairs[:, 0], n_blocks)
    return first, np.ascontiguousarray(pairs[order, 1])


class _Costs:
    """Weights of blocks and links, in units of the objective."""

    def __init__(self, fleet: Fleet, blocks: Blocks, objective: Objective) -> None:
        self._n = len(blocks)
        sessions, n_clients = fleet.sessions, len(fleet.clients)
        client = blocks.when_new[sessions.client]
        server = blocks.when_new[n_clients + sessions.server]
        is_plain = sessions.options & (SSL.mask | LOCAL_BIT) == 0
        rows = np.flatnonzero(is_plain & (client > NO_BLOCK) & (server > NO_BLOCK))
        ends = [np.stack([client[rows], server[rows]], axis=1).astype(np.int64)]
        weights = [sessions.weight[rows] * objective.exposure]
        if objective.transitional:
            accounts = _accounts_ends(fleet, client, server)
            ends.append(accounts)
            weights.append(np.full(len(accounts), objective.transitional))
        both = np.sort(np.concatenate(ends), axis=1)
        weight = np.concatenate(weights)
        self.own: NDArray[np.float64] = np.zeros(self._n)
        alone = (both[:, 0] == both[:, 1]) | (both[:, 0] == ANY_TIME)
        is_own = alone & (both[:, 1] != ANY_TIME)
        np.add.at(self.own, both[is_own, 1], weight[is_own])
        pairs, place = np.unique(both[~alone], axis=0, return_inverse=True)
        self._pairs = pairs.reshape(-1, 2)
        self._weight: NDArray[np.float64] = np.zeros(len(pairs))
        np.add.at(self._weight, place.ravel(), weight[~alone])

    def all_weights(self) -> list[float]:
        """Every weight, to find a scale that keeps them whole."""
        return [*self.own.tolist(), *self._weight.tolist()]

    def links(self, scale: int) -> tuple[Ints, Ints, Longs]:
        """Links of each block, each at both its ends."""
        ends = np.concatenate([self._pairs, self._pairs[:, ::-1]]).astype(np.int32)
        first, order = rows_of(ends[:, 0], self._n)
        weight = np.tile(_scaled(self._weight, scale), 2)
        return first, np.ascontiguousarray(ends[order, 1]), weight[order]


def _accounts_ends(fleet: Fleet, client: Numbers, server: Numbers) -> NDArray[np.int64]:
    """Both ends of each account that turns strict: its first client to be new, and its server.

    An account whose clients go on different days is left out, which keeps the bound a bound.
    """
    sessions = fleet.sessions
    works = (client > NO_BLOCK) & (server > NO_BLOCK) & ~fleet.accounts.strict[sessions.account]
    rows = np.flatnonzero(works)
    order = rows[np.lexsort((client[rows], sessions.account[rows]))]
    account, own, other = sessions.account[order], client[order], server[order]
    _, first = np.unique(account, return_index=True)
    last = np.append(first[1:], len(account)) - 1
    is_one = (own[first] == own[last]) | (own[first] == ANY_TIME)
    ends: NDArray[np.int64] = np.stack([own[first], other[first]], axis=1)[is_one].astype(np.int64)
    return ends


def _scale(weights: list[float], n_days: int) -> int:
    """Units of cost in one of the objective: 1 where all weights are whole, else a power of two."""
    if all(float(weight).is_integer() for weight in weights):
        return 1
    scale = _FINEST
    while scale > 1 and sum(weights) * n_days * scale > _LARGEST_COST:
        scale //= 2
    return scale


def _scaled(weights: NDArray[np.float64], scale: int) -> Longs:
    whole: Longs = np.floor(weights * scale).astype(np.int64)
    return whole


def _weeks(fleet: Fleet) -> Ints:
    monday = monday_of(fleet.start)
    return ((np.arange(fleet.start, fleet.end) - monday) // 7).astype(np.int32)


def _due_weeks(fleet: Fleet, week_of_day: Ints, *, has_lead: bool) -> Ints:
    if not has_lead:
        return week_of_day.copy()
    latest = fleet.calendar.latest_safe_days(fleet.start, fleet.end) - fleet.start
    due: Ints = np.where(latest >= 0, week_of_day[np.maximum(latest, 0)], -1).astype(np.int32)
    return due


def _room(blocks: Blocks, taken: Ints, week_of_day: Ints, limit: int | None) -> Longs:
    """Capacity of each week; settled dates stand, also where they exceed it."""
    n_weeks = int(week_of_day[-1]) + 1
    room = np.full(n_weeks, UNLIMITED if limit is None else limit, dtype=np.int64)
    settled = np.zeros(n_weeks, dtype=np.int64)
    for block in blocks.settled_blocks():
        settled[week_of_day[blocks.choices[block][0]]] += taken[block]
    return np.maximum(room, settled)


def _import_room(
    fleet: Fleet, constraints: Constraints, week_of_day: Ints, kept: Iterable[PlannedAction]
) -> Longs:
    """How many imports can be made up to the end of each week."""
    n_weeks, limit = int(week_of_day[-1]) + 1, constraints.capacity.imports_per_week
    if limit is None:
        return np.full(n_weeks, UNLIMITED, dtype=np.int64)
    room = np.where(_open_weeks(fleet, week_of_day), limit, 0).astype(np.int64)
    for action in kept:
        if action.action is Action.IMPORT_CERTIFICATE and fleet.start <= action.day < fleet.end:
            week = week_of_day[action.day - fleet.start]
            room[week] = max(0, room[week] - 1)
    total: Longs = np.cumsum(room)
    return total


def _open_weeks(fleet: Fleet, week_of_day: Ints) -> NDArray[np.bool_]:
    """Whether each week has a day on which imports may be made."""
    has_open_day = np.zeros(int(week_of_day[-1]) + 1, dtype=np.bool_)
    for day in range(fleet.n_days):
        has_open_day[week_of_day[day]] |= fleet.calendar.is_open(fleet.start + day)
    return has_open_day


def drafted_days(fleet: Fleet, blocks: Blocks, initial: Plan | None) -> Ints:
    """Day of each block in the given plan, or by the upgrade columns; -1 for none."""
    drafted = np.full(len(blocks), -1, dtype=np.int32)
    plan = fleet.draft_plan() if initial is None else initial
    for row in range(len(plan) - 1, -1, -1):
        endpoint = upgraded_endpoint(plan, row)
        if endpoint >= 0 and blocks.of_endpoint[endpoint] != NO_BLOCK:
            day = int(plan.day[row]) - fleet.start
            if 0 <= day < fleet.n_days:
                drafted[blocks.of_endpoint[endpoint]] = day
    return drafted
