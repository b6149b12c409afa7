"""Search for the best order, and prove how far from the best it is."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import chain, islice
from typing import Final

import numpy as np

from planner.domain.calendar import NEVER
from planner.domain.errors import Fault, InfeasibleError, PlanError
from planner.domain.fleet import Fleet
from planner.domain.order_rules import OrderRule, RuleKind
from planner.domain.plan import Action, Plan
from planner.engine.deadlines import Deadlines, deadlines
from planner.engine.measures import Measures, measures
from planner.engine.timeline import simulate
from planner.ordering.alike import merged
from planner.ordering.branching import Branching
from planner.ordering.checker import check_order
from planner.ordering.conflicts import find_conflict, infeasible
from planner.ordering.exact import prove, size_of
from planner.ordering.model import Ints
from planner.ordering.objective import Objective
from planner.ordering.problem import Problem, compile_problem, drafted_days
from planner.ordering.propagation import propagated
from planner.ordering.relaxation import Ascent, Bound, dated, relax
from planner.ordering.result import Progress, Result
from planner.ordering.rules import Constraints, constraints_of
from planner.ordering.scheduler import Priorities, Scheduler, Stuck, schedule_blocks
from planner.ordering.search import Search
from planner.ordering.stopping import Clock, Stop
from planner.ordering.strategies import STRATEGIES

Observer = Callable[[Progress], None]

OPTIMISED: Final = "optimised"
_FIRST_TRIES: Final = ("by-weight", "server-first", "as-drafted")
_ROUNDS: Final = 3
"""Rounds of the search in one iteration; one while it is idle, which leaves time to the proof."""
_STRETCHES: Final = 4
"""Stretches of the first-order method in one iteration."""
_SETTLED: Final = 3e-5
"""A strategy's bound that grows by less than this part in an iteration is as good as solved."""
_WORTH: Final = 0.02
"""A relaxation is branched on once an iteration closes less than this part of the gap."""
_LARGEST_PROGRAM: Final = 25_000
"""Most variables of a program that HiGHS is asked to prove."""
_PROOF_NODES: Final = 500
_CELLS_AT_ONCE: Final = 30_000
"""Nodes times weeks of the relaxations that are branched on in one iteration."""
_TURNS_OF_PLUNGE: Final = 10
"""In one of so many iterations a small tree is followed down to an order of all servers."""
_WHOLE: Final = 0.01
"""A mean week that is so close to the next one is that one."""
_SHOWN: Final = 5
_SMALL: Final = 100
_TRIES_OF_SMALL: Final = 60
_TRIES_OF_LARGE: Final = 5
"""Random orders that are tried where no strategy finds one, in problems of up to so many blocks."""


def optimise(
    fleet: Fleet,
    *,
    objective: Objective | None = None,
    stop: Stop | None = None,
    seed: int = 0,
    initial: Plan | None = None,
    observer: Observer | None = None,
) -> Result:
    """Search for the rollout order with the least objective, and bound what is possible.

    Parameters
    ----------
    objective
        What is to be small; exposure alone where nothing is given.
    stop
        When to stop; interrupted, the search returns the best order so far.
    seed
        Equal seeds and iterations give equal plans.
    initial
        A plan whose approved and done dates stay, and against which disturbance is measured.
    observer
        Is told how the search stands, once an iteration.

    Raises
    ------
    InfeasibleError
        If no order keeps every constraint; it names the fewest in conflict, in words.
    PlanError
        If `initial` upgrades an endpoint that has no target level.

    References
    ----------
    Time-indexed relaxation solved by a primal-dual hybrid gradient method (Chambolle and Pock
    2011), rounding by mean weeks, annealing, branching on servers, HiGHS on what is small.
    """
    return Run(fleet, objective, stop, initial).optimised(seed, observer)


def order(
    fleet: Fleet,
    *,
    strategy: str,
    objective: Objective | None = None,
    stop: Stop | None = None,
    initial: Plan | None = None,
    observer: Observer | None = None,
) -> Result:
    """Make the order of a strategy, and bound what an order can be.

    Parameters
    ----------
    strategy
        A name of `STRATEGIES`.
    objective, stop, initial, observer
        As for `optimise`; the iterations go into the bound alone.

    Raises
    ------
    InfeasibleError
        If no order keeps every constraint.
    ValueError
        If there is no such strategy.
    """
    if strategy not in STRATEGIES:
        raise ValueError(f"strategy {strategy!r} is not known; use one of {', '.join(STRATEGIES)}")
    return Run(fleet, objective, stop, initial).by_strategy(strategy, observer)


def _by_chance(problem: Problem) -> Iterator[Ints]:
    """Feasible orders by priorities drawn at random, from first days drawn at random.

    Rules that tie blocks to each other can need a block to wait where no strategy would.
    """
    model = problem.model
    n = model.n_blocks
    rng = np.random.default_rng(n)
    count = np.diff(model.choice_first)
    for _ in range(_TRIES_OF_SMALL if n <= _SMALL else _TRIES_OF_LARGE):
        wait = (count * rng.random() * rng.random(n)).astype(np.int32)
        days = schedule_blocks(
            problem,
            Priorities(
                order=rng.permutation(n).astype(np.int32),
                not_before=model.choice_day[model.choice_first[:-1] + wait],
            ),
        )
        if not isinstance(days, Stuck):
            yield days


def _refuse_upgrades_without_target(fleet: Fleet, initial: Plan) -> None:
    """Refuse a plan that upgrades what has no target level: an order would not know its day."""
    n_clients = len(fleet.clients)
    target = np.concatenate([fleet.clients.target_level, fleet.servers.target_level, [0]])
    of_server = initial.action == Action.UPGRADE_SERVER
    endpoint = np.where(of_server, initial.server + n_clients, initial.client)
    is_upgrade = of_server | (initial.action == Action.UPGRADE_CLIENT)
    endpoint[~is_upgrade | (endpoint < 0) | (endpoint >= fleet.n_endpoints)] = -1
    faults = []
    for row in np.flatnonzero(target[endpoint] < 0).tolist():
        action = initial.row(row)
        place = "servers.csv" if of_server[row] else "clients.csv"
        what = f"{action.server or action.client} is upgraded and has no target level"
        cure = f"give it a target_level in {place}, or leave the row out"
        line = action.line or None
        faults.append(Fault(file=action.file or "plan", line=line, what=what, cure=cure))
    if faults:
        raise PlanError(faults)


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class _Judged:
    """A plan with all that follows from it, by the engine."""

    plan: Plan
    found: Deadlines
    measures: Measures


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What an order must keep beyond the fleet's own constraints; None is no limit.

    Parameters
    ----------
    until
        Last day on which anything that has no settled date may be upgraded.
    """

    until: int | None = None
    imports_per_week: int | None = None


class Run:
    """One search: the problem, the clock and the history."""

    def __init__(
        self,
        fleet: Fleet,
        objective: Objective | None,
        stop: Stop | None,
        initial: Plan | None,
        limits: Limits | None = None,
    ) -> None:
        if initial is not None:
            _refuse_upgrades_without_target(fleet, initial)
        self._stop = stop or Stop()
        self._limits = limits or Limits()
        self._objective = objective or Objective()
        self._initial = initial
        self._fleet = fleet
        self._dropped: tuple[OrderRule, ...] = ()
        self._problem = self._feasible_problem(self._limited(constraints_of(fleet, initial)))
        self._clock = Clock(self._stop)
        self._history: list[Progress] = []
        self._rest = _Rest(self._problem)
        self._offset: float | None = None

    def _compiled(self, constraints: Constraints) -> Problem:
        return compile_problem(
            self._fleet, constraints, objective=self._objective, initial=self._initial
        )

    def _limited(self, constraints: Constraints) -> Constraints:
        until, imports = self._limits.until, self._limits.imports_per_week
        if imports is not None:
            tight = replace(constraints.capacity, imports_per_week=imports)
            constraints = replace(constraints, capacity=tight)
        if until is None:
            return constraints
        settled = {rule.first for rule in constraints.rules if rule.kind is RuleKind.FIXED}
        rules = tuple(
            OrderRule(kind=RuleKind.LATEST, first=endpoint, day=until, file="", reason="the finish")
            for endpoint in range(self._fleet.n_endpoints)
            if endpoint not in settled
        )
        return replace(constraints, rules=(*constraints.rules, *rules))

    def _first_orders(
        self, problem: Problem, names: tuple[str, ...] = _FIRST_TRIES
    ) -> Iterator[Ints]:
        """Orders of strategies; one by chance where they find none."""
        found = (
            schedule_blocks(problem, STRATEGIES[name](problem, self._initial)) for name in names
        )
        orders = (days for days in found if not isinstance(days, Stuck))
        one = next(orders, None)
        return islice(_by_chance(problem), 1) if one is None else chain([one], orders)

    def _feasible(self, constraints: Constraints) -> Problem | None:
        """Compile constraints; None where no order is found that keeps them."""
        try:
            problem = self._compiled(constraints)
        except InfeasibleError:
            return None
        if propagated(relax(problem.model)) is None:
            return None
        return problem if any(True for _ in self._first_orders(problem)) else None

    def _feasible_problem(self, constraints: Constraints) -> Problem:
        """Compile the problem; soft rules in a conflict give way, other conflicts are raised."""
        clock = Clock(self._stop)
        while (problem := self._feasible(constraints)) is None:
            conflict = find_conflict(
                self._fleet,
                constraints,
                lambda chosen: self._feasible(chosen) is not None,
                lambda: clock.left <= 0,
            )
            soft = conflict.soft_rules
            if not soft:
                raise infeasible(conflict)
            self._dropped += soft
            kept = tuple(rule for rule in constraints.rules if rule not in soft)
            constraints = replace(constraints, rules=kept)
        return problem

    # --- Judging ---

    def _judge(self, days: Ints, waves: tuple[str, ...] = ()) -> _Judged:
        """Simulate an order."""
        peak = self._limits.imports_per_week
        if self._objective.peak_imports:
            peak = max(1, self._rest.peak(days))
        plan = self._problem.plan_of(days, waves=waves, imports_per_week=peak)
        found = deadlines(simulate(plan))
        return _Judged(plan=plan, found=found, measures=measures(found))

    def _refuse_flawed(self, plan: Plan) -> None:
        """Refuse an order that the checker finds wrong; it is never returned."""
        wrong = check_order(plan, initial=self._initial)
        if len(wrong):
            faults = [
                Fault(file=row.subject, what=row.what, cure=row.fix) for row in wrong.rows[:_SHOWN]
            ]
            raise InfeasibleError(faults)

    def _value(self, judged: _Judged, days: Ints) -> float:
        """Objective of a plan by the engine's measures."""
        weights, measured = self._objective, judged.measures
        model, fleet = self._problem.model, self._fleet
        is_drafted = drafted_days(fleet, self._problem.blocks, self._initial) >= 0
        moved = np.abs(days.astype(np.int64) - model.drafted_day) * is_drafted
        size = model.n_clients + model.n_servers
        finish = 0 if measured.finish == NEVER else measured.finish - fleet.start
        return (
            weights.exposure * measured.exposure
            + weights.transitional * measured.transitional_account_days
            + weights.finish * finish
            + weights.peak_imports * measured.peak_imports_per_week
            + weights.disturbance * int((moved * size).sum())
        )

    def _result(
        self, method: str, days: Ints, bound: float | None, waves: tuple[str, ...] = ()
    ) -> Result:
        judged = self._judge(days, waves)
        self._refuse_flawed(judged.plan)
        return Result(
            method=method,
            best=judged.plan,
            deadlines=judged.found,
            measures=judged.measures,
            objective=self._objective,
            value=self._value(judged, days),
            bound=bound,
            history=tuple(self._history),
            dropped=self._dropped,
            runtime=self._clock.seconds,
        )

    def _fix_offset(self, orders: list[Ints]) -> None:
        """Find what the model leaves out: sessions that no order changes.

        It is the same for every order; where two orders disagree, as with clients that retire
        while they wait, there is no bound.
        """
        offsets = []
        for days in orders[:2]:
            value = self._value(self._judge(days), days) - self._rest.cost(days)
            offsets.append(value - self._problem.model.cost(days) / self._problem.scale)
        slack = self._problem.rounding
        if max(offsets) - min(offsets) <= slack + 1e-6 * (1 + abs(offsets[0])):
            self._offset = min(offsets) - slack

    def _in_units(self, bound: int) -> float | None:
        """Bound of the model in units of the objective, with all that the model leaves out."""
        if self._offset is None:
            return None
        return bound / self._problem.scale + self._offset + self._rest.bound

    def _tell(self, observer: Observer | None, iteration: int, cost: float, bound: int) -> None:
        offset = self._offset or 0.0
        progress = Progress(
            iteration=iteration,
            value=cost / self._problem.scale + offset,
            bound=self._in_units(bound),
            seconds=self._clock.seconds,
        )
        self._history.append(progress)
        if observer is not None:
            observer(progress)

    def _is_over(self) -> bool:
        last = self._history[-1]
        if self._clock.left <= 0 or last.bound is None:
            return self._clock.left <= 0
        return last.value - last.bound <= self._stop.gap * abs(last.bound)

    # --- Searching ---

    def by_strategy(self, strategy: str, observer: Observer | None) -> Result:
        """Make the order of a strategy, then climb towards the best bound."""
        problem = self._problem
        priorities = STRATEGIES[strategy](problem, self._initial)
        days = schedule_blocks(problem, priorities)
        if isinstance(days, Stuck):
            days = next(self._first_orders(problem))
        self._fix_offset([days, *self._first_orders(problem, ("by-weight",))])
        ascent = Ascent(merged(problem.model, relax(problem.model)).relaxation)
        cost, before, iteration = problem.model.cost(days) + self._rest.scaled(days), -np.inf, 0
        try:
            while iteration < self._stop.iterations:
                value = ascent.climb(_STRETCHES)
                iteration += 1
                self._tell(observer, iteration, cost, ascent.bound().value)
                if self._is_over() or value - before <= _SETTLED * abs(value):
                    break
                before = value
        except KeyboardInterrupt:
            pass
        bound = self._in_units(ascent.bound().value)
        return self._result(strategy, days, bound, priorities.waves)

    def optimised(self, seed: int, observer: Observer | None) -> Result:
        """Search from the strategies' orders; bounds and orders help each other."""
        problem, model = self._problem, self._problem.model
        orders = list(self._first_orders(problem))
        if self._objective.disturbance:
            orders += self._as_it_stands()
        orders.sort(key=model.cost)
        self._fix_offset(orders)
        weights = self._objective
        search = Search(
            model,
            orders[0],
            seed=seed,
            finish=weights.finish * problem.scale,
            peak_imports=weights.peak_imports * problem.scale,
            open_weeks=self._rest.open_weeks,
        )
        prover = _Prover(problem, self._clock)
        with ThreadPoolExecutor(max_workers=1) as beside:
            try:
                for iteration in range(1, self._stop.iterations + 1):
                    proving = beside.submit(prover.improve, model.cost(search.best))
                    for _ in range(1 if search.is_idle else _ROUNDS):
                        search.run()
                    hint = proving.result()
                    if hint is not None:
                        search.offer(hint, restart=search.begins_cycle)
                    self._tell(observer, iteration, search.cost, prover.bound)
                    if self._is_over():
                        break
            except KeyboardInterrupt:
                pass
            finally:
                self._clock.stop()
        best = self._pulled_forward(search)
        return self._result(OPTIMISED, best, self._in_units(prover.bound))

    def _as_it_stands(self) -> list[Ints]:
        """Return the given plan's own days, as far as they are allowed."""
        drafted = np.maximum(drafted_days(self._fleet, self._problem.blocks, self._initial), 0)
        order = np.argsort(drafted, kind="stable").astype(np.int32)
        days = schedule_blocks(self._problem, Priorities(order=order, not_before=drafted))
        return [] if isinstance(days, Stuck) else [days]

    def _pulled_forward(self, search: Search) -> Ints:
        """Give every block the earliest day that is left, where that costs nothing."""
        order = np.argsort(search.best, kind="stable").astype(np.int32)
        zeros = np.zeros(len(order), dtype=np.int32)
        days = schedule_blocks(self._problem, Priorities(order=order, not_before=zeros))
        if isinstance(days, Stuck) or search.cost_of(days) > search.cost:
            return search.best
        return days


class _Rest:
    """The parts of an objective that no relaxation knows: the finish, and the fullest week."""

    def __init__(self, problem: Problem) -> None:
        model = problem.model
        self._problem, self._weights = problem, problem.objective
        self.open_weeks = problem.open_weeks
        last = int(model.choice_day[model.choice_first[:-1]].max(initial=0))
        n_jobs, weeks = model.n_jobs, int(self.open_weeks[-1])
        self.bound = self._weights.finish * last + self._weights.peak_imports * (
            -(-n_jobs // weeks) if n_jobs else 0
        )

    def peak(self, days: Ints) -> int:
        """Least weekly capacity with which every import of an order is made in time."""
        model = self._problem.model
        due = np.bincount(
            np.maximum(model.due_week[model.needed(days)], 0), minlength=model.n_weeks
        )
        total, open_weeks = np.cumsum(due), np.maximum(self.open_weeks, 1)
        return int((-(-total // open_weeks)).max(initial=0))

    def cost(self, days: Ints) -> float:
        """Cost of an order that the model does not hold, in units of the objective."""
        weights = self._weights
        return weights.finish * int(days.max(initial=0)) + weights.peak_imports * self.peak(days)

    def scaled(self, days: Ints) -> float:
        """Return the same in units of the model."""
        return self.cost(days) * self._problem.scale


class _Prover:
    """Raises the lower bound step by step: relaxation, HiGHS where it is small, branching."""

    def __init__(self, problem: Problem, clock: Clock) -> None:
        self._problem, self._model, self._clock = problem, problem.model, clock
        relaxation = relax(self._model)
        # An order exists, so some weeks are left.
        whole = dated(self._model, propagated(relaxation) or relaxation)
        self._merged = merged(self._model, whole)
        self._ascent = Ascent(self._merged.relaxation)
        self._bound = self._ascent.bound()
        self._schedulers = (Scheduler(problem), Scheduler(problem))
        self._tree: Branching | None = None
        self._before, self._n_turns = -np.inf, 0
        self._is_done = self._has_tried = False
        self.bound = self._bound.value

    def improve(self, best: int) -> Ints | None:
        """Work on the bound for one iteration; an order that it suggests, if any."""
        if self._is_done:
            return None
        if self._tree is None:
            for _ in range(_STRETCHES):
                if self._clock.left > 0:
                    self._ascent.climb(1)
            value = self._ascent.best
            self._bound = self._ascent.bound()
            self.bound = max(self.bound, self._bound.value)
            if value - self._before <= _WORTH * (best - value):
                self._tree = Branching(self._model, self._merged, self._bound, self._clock)
            self._before = value
            return self._from_weeks(self._bound.mean_week)
        if not self._has_tried:
            self._has_tried = True
            found = self._prove(best, self._clock.left / 4)
            if found is not None:
                return found
        size = self._merged.relaxation.may_end.size
        child: Bound | None = None
        if size <= _CELLS_AT_ONCE and self._n_turns % _TURNS_OF_PLUNGE == 0:
            child = self._tree.plunge(best)
        else:
            for _ in range(max(1, _CELLS_AT_ONCE // size)):
                child = self._tree.branch(best)
                if child is None:
                    break
        self._n_turns += 1
        self.bound = max(
            self.bound, min(best, best if self._tree.bound is None else self._tree.bound)
        )
        self._is_done = child is None
        return None if child is None else self._from_weeks(child.mean_week)

    def _prove(self, best: int, seconds: float) -> Ints | None:
        """Ask HiGHS for the best choice of weeks among those that could still be better."""
        # What costs at least as much as the best order need not be looked at.
        is_open = self._bound.left < best - self._bound.value + 1
        whole = self._merged.whole
        tight = propagated(whole._replace(may_end=whole.may_end & is_open[self._merged.node]))
        if tight is None or size_of(tight, tight.may_end) > _LARGEST_PROGRAM:
            return None
        proof = prove(tight, tight.may_end, n_nodes=_PROOF_NODES, seconds=seconds)
        if proof.bound is not None:
            self.bound = max(self.bound, min(best, proof.bound))
        if proof.weeks is None:
            return None
        return self._from_weeks(proof.weeks[: self._model.n_blocks].astype(np.float64))

    def _from_weeks(self, weeks: np.ndarray[tuple[int], np.dtype[np.float64]]) -> Ints | None:
        """Cheapest order with blocks by week, and, where imports are limited, servers first.

        A server that comes after its clients needs all their imports at once, and often waits for
        them until the end; a client that comes after its servers needs but its own.
        """
        model = self._model
        zeros = np.zeros(model.n_blocks, dtype=np.int32)
        wishes = [(np.argsort(weeks, kind="stable"), zeros)]
        if model.n_jobs:
            in_its_week = zeros.copy()
            for block in np.flatnonzero(model.n_servers > 0).tolist():
                days = model.choices(block)
                week = int(weeks[block] + _WHOLE)
                place = int(np.searchsorted(model.week_of_day[days], week))
                in_its_week[block] = days[min(place, len(days) - 1)]
            wishes.append((np.lexsort((weeks, model.n_servers == 0)), in_its_week))
        placed = [
            scheduler.schedule(Priorities(order=order.astype(np.int32), not_before=not_before))
            for (order, not_before), scheduler in zip(wishes, self._schedulers, strict=False)
        ]
        found = [days for days in placed if not isinstance(days, Stuck)]
        return min(found, key=model.cost, default=None)
