"""A rollout problem in the words of solvers that share no code with the search.

Each gets the compiled blocks, days, capacities, rules, links and jobs, and answers with days.
"""

import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from planner.ordering.model import UNLIMITED, Ints, Model

if TYPE_CHECKING:
    from pyjobshop.ProblemData import Job, Renewable, Task

Links = list[tuple[int, int, int]]


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Answer:
    """Days of the blocks in a rival's best order, None for no order; and its bound on the cost."""

    days: Ints | None
    bound: float


def links_of(m: Model) -> Links:
    """Each link once: both ends and its weight."""
    block = np.repeat(np.arange(m.n_blocks), np.diff(m.link_first))
    rows = zip(block.tolist(), m.link_other.tolist(), m.link_weight.tolist(), strict=True)
    return [row for row in rows if row[0] < row[1]]


def rules_of(m: Model) -> list[tuple[int, int, int]]:
    """Each rule once: the earlier block, the later one and the days in between."""
    then = np.repeat(np.arange(m.n_blocks), np.diff(m.rule_first))
    return list(zip(m.rule_other.tolist(), then.tolist(), m.rule_gap.tolist(), strict=True))


def days_by_block(m: Model) -> list[list[int]]:
    """Days worth a look: the first of those in one week with imports due in one week.

    All blocks moved to such days keep the order of two that may go on the same days; with any other
    rule, or tied to a block that has one, a block keeps all its days.
    """
    choices = [m.choices(block).tolist() for block in range(m.n_blocks)]
    rules = rules_of(m)
    keeps = {
        block
        for first, then, gap in rules
        if gap != 0 or choices[first] != choices[then]
        for block in (first, then)
    }
    while (
        more := {
            block
            for first, then, _ in rules
            if (first in keeps) != (then in keeps)
            for block in (first, then)
        }
        - keeps
    ):
        keeps |= more
    if m.job_earliest.any():
        return choices
    due = m.due_week if m.n_jobs else np.zeros_like(m.due_week)
    for block in set(range(m.n_blocks)) - keeps:
        first_day = {(m.week_of_day[day], due[day]): day for day in reversed(choices[block])}
        choices[block] = sorted(first_day.values())
    return choices


def ends_of_job(m: Model, job: int) -> tuple[int, list[int]]:
    """Client's and servers' blocks of a job."""
    servers = m.job_server[m.job_first[job] : m.job_first[job + 1]]
    return int(m.job_client[job]), sorted(set(servers.tolist()))


def first_after(m: Model) -> list[tuple[int, int, int]]:
    """Week, the first day whose imports are due after it, and its import room; -1 has none."""
    rows = []
    for week in range(-1, m.n_weeks):
        room = 0 if week < 0 else int(m.import_room[week])
        if room < UNLIMITED:
            rows.append((week, int(np.searchsorted(m.due_week, week, side="right")), room))
    return rows


def cp_sat(m: Model, seconds: float) -> Answer:
    """OR-Tools CP-SAT: a day for each block, its week in booleans, later days as maxima."""
    from ortools.sat.python import cp_model

    cp = cp_model.CpModel()
    choices = days_by_block(m)
    n_days = len(m.week_of_day)
    day = [
        cp.new_int_var_from_domain(cp_model.Domain.from_values(days), f"day{block}")
        for block, days in enumerate(choices)
    ]
    clients: list[list[cp_model.LinearExpr]] = [[] for _ in range(m.n_weeks)]
    servers: list[list[cp_model.LinearExpr]] = [[] for _ in range(m.n_weeks)]
    for block, days in enumerate(choices):
        of_week: dict[int, list[int]] = {}
        for on in days:
            of_week.setdefault(int(m.week_of_day[on]), []).append(on)
        chosen = []
        for week, some in of_week.items():
            is_in = cp.new_bool_var("")
            domain = cp_model.Domain.from_values(some)
            cp.add_linear_expression_in_domain(day[block], domain).only_enforce_if(is_in)
            chosen.append(is_in)
            clients[week].append(int(m.n_clients[block]) * is_in)
            servers[week].append(int(m.n_servers[block]) * is_in)
        cp.add_exactly_one(chosen)
    for week in range(m.n_weeks):
        cp.add(sum(clients[week]) <= int(m.client_room[week]))
        cp.add(sum(servers[week]) <= int(m.server_room[week]))
    for first, then, gap in rules_of(m):
        cp.add(day[then] >= day[first] + gap)
    limits = first_after(m)
    due: list[list[cp_model.IntVar]] = [[] for _ in limits]
    for job in range(m.n_jobs):
        own, others = ends_of_job(m, job)
        need = cp.new_int_var(int(m.job_earliest[job]), n_days - 1, "")
        opened = cp.new_int_var(0, n_days - 1, "")
        cp.add_min_equality(opened, [day[s] if s >= 0 else 0 for s in others])
        cp.add_max_equality(need, [opened, day[own] if own >= 0 else 0, int(m.job_release[job])])
        for place, (_, after, _) in enumerate(limits):
            is_due = cp.new_bool_var("")
            cp.add(need >= after).only_enforce_if(is_due.negated())
            due[place].append(is_due)
    for some_due, (_, _, room) in zip(due, limits, strict=True):
        cp.add(sum(some_due) <= room)
    cost = [int(m.own_weight[block]) * day[block] for block in range(m.n_blocks)]
    for a, b, weight in links_of(m):
        later = cp.new_int_var(0, n_days - 1, "")
        cp.add(later >= day[a])
        cp.add(later >= day[b])
        cost.append(weight * later)
    cp.minimize(sum(cost))
    solver = cp_model.CpSolver()
    solver.parameters.max_time_in_seconds = seconds
    solver.parameters.num_workers = 2
    status = solver.solve(cp)
    if status not in (cp_model.OPTIMAL, cp_model.FEASIBLE):
        return Answer(days=None, bound=solver.best_objective_bound)
    days_found = np.array([solver.value(one) for one in day], dtype=np.int32)
    return Answer(days=days_found, bound=solver.best_objective_bound)


class _Program:
    """Rows and columns of a mixed-integer program, grown one by one."""

    def __init__(self) -> None:
        self.cost: list[float] = []
        self.whole: list[int] = []
        self._row: list[int] = []
        self._column: list[int] = []
        self._value: list[float] = []
        self._low: list[float] = []
        self._high: list[float] = []

    def column(self, cost: float, *, whole: bool) -> int:
        """Add a variable between 0 and 1."""
        self.cost.append(cost)
        self.whole.append(int(whole))
        return len(self.cost) - 1

    def row(self, terms: list[tuple[int, float]], low: float, high: float) -> None:
        """Add a constraint."""
        for column, value in terms:
            self._row.append(len(self._low))
            self._column.append(column)
            self._value.append(value)
        self._low.append(low)
        self._high.append(high)

    def solve(self, seconds: float) -> tuple[NDArray[np.float64] | None, float]:
        """Solution, None for none, and bound."""
        from scipy.optimize import LinearConstraint, milp
        from scipy.sparse import coo_array

        shape = (len(self._low), len(self.cost))
        matrix = coo_array((self._value, (self._row, self._column)), shape=shape).tocsr()
        found = milp(
            np.array(self.cost),
            integrality=np.array(self.whole),
            bounds=(0.0, 1.0),
            constraints=LinearConstraint(matrix, self._low, self._high),
            options={"time_limit": seconds, "mip_rel_gap": 0.0},
        )
        bound = found.mip_dual_bound
        return found.x, -np.inf if bound is None else float(bound)


def highs(m: Model, seconds: float) -> Answer:
    """HiGHS on the time-indexed model: a block by each of its days, a link insecure until."""
    program = _Program()
    choices = days_by_block(m)
    x = [
        {day: program.column(float(m.own_weight[block]) * day, whole=True) for day in days}
        for block, days in enumerate(choices)
    ]

    def before(block: int, day: int) -> list[tuple[int, float]]:
        return [(column, 1.0) for on, column in x[block].items() if on < day]

    for columns in x:
        program.row([(column, 1.0) for column in columns.values()], 1.0, 1.0)
    for taken, room in ((m.n_clients, m.client_room), (m.n_servers, m.server_room)):
        terms: list[list[tuple[int, float]]] = [[] for _ in range(m.n_weeks)]
        for block in np.flatnonzero(taken).tolist():
            for day, column in x[block].items():
                terms[m.week_of_day[day]].append((column, float(taken[block])))
        for week, some in enumerate(terms):
            program.row(some, -np.inf, float(room[week]))
    for first, then, gap in rules_of(m):
        for day in choices[then]:
            late = [(column, -value) for column, value in before(first, day - gap + 1)]
            program.row(before(then, day + 1) + late, -np.inf, 0.0)
    for a, b, weight in links_of(m):
        begin = 0
        for end in sorted({*choices[a], *choices[b]}):
            # Insecure in [begin, end) unless both ends are new before `end`.
            plain = program.column(float(weight * (end - begin)), whole=False)
            for block in (a, b):
                program.row([(plain, 1.0), *before(block, end)], 1.0, np.inf)
            begin = end
    _add_imports(program, m, before)
    solution, bound = program.solve(seconds)
    if solution is None:
        return Answer(days=None, bound=bound)
    days = [max(columns, key=lambda day: float(solution[columns[day]])) for columns in x]
    return Answer(days=np.array(days, dtype=np.int32), bound=bound)


def _add_imports(
    program: _Program, m: Model, before: Callable[[int, int], list[tuple[int, float]]]
) -> None:
    """No more imports are due by the end of a week than can be made; none too early."""
    limits = first_after(m)
    for job in range(m.n_jobs):
        own, others = ends_of_job(m, job)
        early = int(m.job_earliest[job])
        if early > m.job_release[job]:
            for other in others:
                _both(program, before, (own, other), early, None)
    for _, after, room in limits:
        terms = []
        for job in range(m.n_jobs):
            if m.job_release[job] >= after:
                continue
            own, others = ends_of_job(m, job)
            is_due = program.column(0.0, whole=False)
            terms.append((is_due, 1.0))
            for other in others:
                _both(program, before, (own, other), after, is_due)
        program.row(terms, -np.inf, float(room))


def _both(
    program: _Program,
    before: Callable[[int, int], list[tuple[int, float]]],
    ends: tuple[int, int],
    day: int,
    then: int | None,
) -> None:
    """If both ends are new before a day, the other variable is 1; without one that cannot be."""
    terms = [] if then is None else [(then, -1.0)]
    high = 1.0
    for end in ends:
        if end < 0:
            high -= 1.0
        else:
            terms += before(end, day)
    program.row(terms, -np.inf, high)


def pyjobshop(m: Model, seconds: float) -> Answer:
    """PyJobShop: blocks, sessions and imports are tasks, weeks are resources that they use up."""
    shop = _Shop(m)
    try:
        shop.model.data()
    except ValueError:
        # It refuses a task that fits into no week.
        return Answer(days=None, bound=np.inf)
    result = shop.model.solve(time_limit=seconds, display=False, num_workers=2)
    # A block's own cost runs until the end of its day.
    bound = result.lower_bound * shop.unit - float(m.own_weight.sum())
    if not result.best.tasks:
        return Answer(days=None, bound=bound)
    days = [result.best.tasks[block].start for block in range(m.n_blocks)]
    return Answer(days=np.array(days, dtype=np.int32), bound=bound)


class _Shop:
    """The problem in the words of PyJobShop; a task is done on the day that its start says."""

    def __init__(self, m: Model) -> None:
        import pyjobshop

        self._m, self.model = m, pyjobshop.Model()
        # It bounds a cost by its weight times 2 ** 42, so large weights would overflow.
        self.unit = max(1, int(np.gcd.reduce(np.append(m.link_weight, m.own_weight))))
        self._n_days = len(m.week_of_day)
        self._last = self._n_days - 1
        self._blocks = self._add_blocks()
        for first, then, gap in rules_of(m):
            self.model.add_start_before_start(self._blocks[first], self._blocks[then], gap)
        for a, b, weight in links_of(m):
            later = self._event(self._job(weight))
            self.model.add_start_before_start(self._blocks[a], later)
            self.model.add_start_before_start(self._blocks[b], later)
        if first_after(m):
            self._add_imports()
        self.model.set_objective(weight_total_flow_time=1)

    def _open_on(self, days: list[int]) -> list[tuple[int, int]]:
        """Breaks that leave some days."""
        ends = [-1, *days, self._n_days]
        return [(a + 1, b) for a, b in itertools.pairwise(ends) if a + 1 < b]

    def _job(self, weight: int) -> "Job":
        """Add a job with the cost of a day."""
        return self.model.add_job(weight=weight // self.unit, deadline=self._n_days)

    def _event(self, job: "Job | None" = None, *, optional: bool = False, last: int = -1) -> "Task":
        """Add a task that takes no time and no resource."""
        latest = self._last if last < 0 else last
        task = self.model.add_task(job, latest_start=latest, optional=optional)
        self.model.add_mode(task, [], 0)
        return task

    def _add_blocks(self) -> "list[Task]":
        """Each block by week: it uses up what it takes of the week, on a day of its own."""
        m, model = self._m, self.model
        weeks = []
        for week in range(m.n_weeks):
            breaks = self._open_on(np.flatnonzero(m.week_of_day == week).tolist())
            rooms = (int(m.client_room[week]), int(m.server_room[week]))
            weeks.append([model.add_consumable(room, breaks) for room in rooms])
        calendars: dict[tuple[int, ...], Renewable] = {}
        tasks = []
        for block, days in enumerate(days_by_block(m)):
            task = model.add_task(self._job(int(m.own_weight[block])), latest_start=self._last)
            tasks.append(task)
            if tuple(days) not in calendars:
                calendars[tuple(days)] = model.add_renewable(0, self._open_on(days))
            demands = [int(m.n_clients[block]), int(m.n_servers[block]), 0]
            for week in sorted({int(m.week_of_day[day]) for day in days}):
                resources = [*weeks[week], calendars[tuple(days)]]
                model.add_mode(task, resources, 1, demands)
        return tasks

    def _add_imports(self) -> None:
        """Each import in a week, which uses up the week's rest, and before it is needed.

        An import of a week is done on the first day whose imports are due in that week or later.
        """
        m, model = self._m, self.model
        open_weeks = []
        before = 0
        for week in range(m.n_weeks):
            until = min(int(m.import_room[week]), m.n_jobs)
            room, before = until - before, until
            day = int(np.searchsorted(m.due_week, week))
            if room and day < self._n_days:
                open_weeks.append(model.add_consumable(room, self._open_on([day])))
        for job in range(m.n_jobs):
            done = model.add_task(earliest_start=int(m.job_earliest[job]), latest_start=self._last)
            for week in open_weeks:
                model.add_mode(done, week, 1, 1)
            own, others = ends_of_job(m, job)
            reasons = [self._event(optional=True, last=int(m.job_release[job]))]
            if own >= 0:
                reasons.append(self._event(optional=True))
                model.add_start_before_start(reasons[-1], self._blocks[own])
            if min(others) >= 0:
                reasons.append(self._event(optional=True))
                for other in others:
                    model.add_start_before_start(reasons[-1], self._blocks[other])
            for reason in reasons:
                model.add_start_before_start(done, reason)
            model.add_select_at_least_one(reasons)


RIVALS: Final[Mapping[str, Callable[[Model, float], Answer]]] = {
    "CP-SAT": cp_sat,
    "PyJobShop": pyjobshop,
    "HiGHS": highs,
}
