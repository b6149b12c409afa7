"""Replanning from a day on: what is done stays, and the rest moves as little as a slip asks.

Nothing moves but for a reason: what is overdue goes to the first day that has room, and pushes on
only what an order rule or the lead of an import binds to it. What moves takes free room, so that
it displaces nothing.
"""

from collections import Counter, defaultdict, deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np

from planner.domain import views
from planner.domain.calendar import NEVER, Days, iso, monday_of
from planner.domain.fleet import Flags, Fleet
from planner.domain.order_rules import OrderRule, RuleKind
from planner.domain.plan import UPGRADES, Action, Plan, PlannedAction
from planner.domain.rules import Verdict
from planner.engine.deadlines import Deadlines, deadlines
from planner.engine.timeline import simulate
from planner.ordering.conflicts import find_conflict, infeasible, sentence
from planner.ordering.rules import Constraints, derived_rules, upgraded_endpoint

if TYPE_CHECKING:
    import pandas as pd

NEAR: Final = 14
"""Days ahead in which what is approved stays [days]."""

_DONE, _APPROVED = "done", "approved"
_ROUNDS: Final = 50
_PUSHES_EACH: Final = 200
_WORSE: Final = (
    Verdict.IN_PLACE,
    Verdict.OK,
    Verdict.TIGHT,
    Verdict.SAME_DAY,
    Verdict.LATE,
    Verdict.MISSING,
    Verdict.IMPOSSIBLE,
)
"""Verdicts from good to bad."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """An action on its new day, the day before that (`NEVER`: it is new), and why it moves."""

    action: PlannedAction
    before: int
    reason: str


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Replanned:
    """A plan from a day on.

    Parameters
    ----------
    before
        The plan that was given.
    today
        No action that is not done comes before it.
    moves
        All that differs between the two plans.
    dropped
        Soft order rules that there was no room for.
    """

    before: Plan
    plan: Plan
    today: int
    moves: tuple[Moved, ...]
    dropped: tuple[OrderRule, ...] = ()

    def lines(self) -> tuple[str, ...]:
        """Say in words what moves, and why."""
        head = f"From {iso(self.today)} on {len(self.moves):,} of {len(self.before):,} actions move"
        return (head, *map(_sentence, self.moves))

    def __repr__(self) -> str:
        return f"Replanned({iso(self.today)}: {len(self.moves)} of {len(self.before)} actions move)"

    def to_frame(self) -> "pd.DataFrame":
        """Return the table of moves.csv."""
        return views.frame_of(self)

    def _repr_html_(self) -> str:
        return views.html_of(self)


def replan(plan: Plan, *, today: int, near: int = NEAR) -> Replanned:
    """Replan from a day on; a plan without a slip comes back as it is.

    Parameters
    ----------
    plan
        What is done has that status and its own day; what has not, and is dated before `today`,
        has slipped. `Progress.recorded` is such a plan.
    near
        So many days ahead what is approved stays [days].

    Raises
    ------
    InfeasibleError
        If no plan keeps every constraint; it names the fewest in conflict, in words.
    """
    fleet = plan.fleet
    constraints = _constraints(plan, today, near)
    dropped: list[OrderRule] = []
    while True:
        repair = _Repair(plan, today, constraints)
        if repair.succeeds():
            return Replanned(
                before=plan,
                plan=repair.plan(),
                today=today,
                moves=tuple(repair.moves()),
                dropped=tuple(dropped),
            )
        conflict = find_conflict(
            fleet, constraints, lambda chosen: _Repair(plan, today, chosen).succeeds()
        )
        soft = conflict.soft_rules
        if not soft:
            raise infeasible(conflict)
        dropped += soft
        kept = tuple(rule for rule in constraints.rules if rule not in soft)
        constraints = replace(constraints, rules=kept)


def _constraints(plan: Plan, today: int, near: int) -> Constraints:
    fleet, calendar = plan.fleet, plan.fleet.calendar
    return Constraints(
        freezes=calendar.freezes,
        windows=calendar.windows,
        holidays=calendar.holidays,
        capacity=fleet.capacity,
        rules=(*fleet.rules, *_approved(plan, today, near), *derived_rules(fleet)),
    )


def _approved(plan: Plan, today: int, near: int) -> Iterator[OrderRule]:
    for number, row in enumerate(plan.rows()):
        endpoint = upgraded_endpoint(plan, number)
        is_approved = row.status.strip().casefold() == _APPROVED
        if endpoint >= 0 and is_approved and today <= row.day < today + near:
            yield OrderRule(
                kind=RuleKind.FIXED,
                first=endpoint,
                day=row.day,
                reason=f"the plan has it approved, and it is within {near} days",
                file=row.file,
                line=row.line,
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Gap:
    """`then` goes at least `days` after what it is listed for."""

    then: int
    days: int
    why: str


class _Stuck(Exception):  # noqa: N818 - no error: the caller asks why
    """No day is left for an action."""


class _Repair:
    """One attempt: the rows of a plan, on days that move where they must."""

    def __init__(self, plan: Plan, today: int, constraints: Constraints) -> None:
        self._own, self._fleet, self._today = plan, _under(plan.fleet, constraints), today
        self._given = replace(plan, fleet=self._fleet)
        self._constraints = constraints
        self._rows = list(plan.rows())
        self._days = plan.day.tolist()
        self._reasons: dict[int, str] = {}
        self._is_done = [row.status.strip().casefold() == _DONE for row in self._rows]
        self._added: list[tuple[PlannedAction, str]] = []
        self._upgrades = [row.action in UPGRADES for row in self._rows]
        self._row_of = self._rows_of_endpoints()
        self._endpoint_of = {row: endpoint for endpoint, row in self._row_of.items()}
        self._bounds = _bounds(constraints.rules)
        self._after, self._before = self._gaps()
        self._open: dict[str, Flags] = {}
        self._loads = Counter(
            self._load(row, day)
            for row, day in enumerate(self._days)
            if self._upgrades[row] or self._rows[row].action is Action.IMPORT_CERTIFICATE
        )
        fleet = self._fleet
        self._latest: Days = fleet.calendar.latest_safe_days(fleet.start, fleet.end)

    def succeeds(self) -> bool:
        """Move what must; whether a day was found for all of it."""
        try:
            self._move_overdue()
            before = _by_key(deadlines(simulate(self._given)))
            for _ in range(_ROUNDS):
                if not self._mend_imports(deadlines(simulate(self._plan())), before):
                    return True
        except _Stuck:
            pass
        return False

    def plan(self) -> Plan:
        """Return the plan as the attempt stands."""
        if not self._reasons and not self._added:
            return self._own
        return replace(self._plan(), fleet=self._own.fleet)

    def _plan(self) -> Plan:
        moved = (
            replace(row, day=day) if row.day != day else row
            for row, day in zip(self._rows, self._days, strict=True)
        )
        return Plan.of(self._fleet, [*moved, *(row for row, _ in self._added)])

    def moves(self) -> Iterator[Moved]:
        """Return what has moved, in the plan's order."""
        for row, action in enumerate(self._rows):
            if self._days[row] != action.day:
                moved = replace(action, day=self._days[row])
                yield Moved(action=moved, before=action.day, reason=self._reasons[row])
        for action, reason in self._added:
            yield Moved(action=action, before=NEVER, reason=reason)

    # --- What binds rows to each other ---

    def _rows_of_endpoints(self) -> dict[int, int]:
        """First row that upgrades each endpoint."""
        found: dict[int, int] = {}
        for row in range(len(self._rows)):
            endpoint = upgraded_endpoint(self._given, row)
            if endpoint >= 0:
                found.setdefault(endpoint, row)
        return found

    def _gaps(self) -> tuple[Mapping[int, list[_Gap]], Mapping[int, list[_Gap]]]:
        """What goes after each row, and what goes before it (as `then`)."""
        after, before = defaultdict(list), defaultdict(list)
        pilots = {rule.first for rule in self._constraints.rules if rule.kind is RuleKind.PILOT}
        for rule in self._constraints.rules:
            for first, then, days in _pairs(rule, self._row_of, pilots):
                why = sentence(self._fleet, rule)
                after[first].append(_Gap(then=then, days=days, why=why))
                before[then].append(_Gap(then=first, days=days, why=why))
        return after, before

    # --- Room ---

    def _load(self, row: int, day: int) -> tuple[str, int]:
        action = self._rows[row].action
        kind = {Action.UPGRADE_SERVER: "servers", Action.IMPORT_CERTIFICATE: "imports"}
        return kind.get(action, "clients"), monday_of(day)

    def _has_room(self, row: int, day: int) -> bool:
        kind, week = self._load(row, day)
        limit: int | None = getattr(self._constraints.capacity, f"{kind}_per_week")
        return limit is None or self._loads[kind, week] < limit

    def _may_upgrade(self, row: int, day: int) -> bool:
        endpoint = upgraded_endpoint(self._given, row)
        site = self._fleet.endpoint_site(endpoint).casefold() if endpoint >= 0 else ""
        if site not in self._open:
            self._open[site] = self._constraints.may_upgrade(self._fleet, site)
        return bool(self._open[site][day - self._fleet.start])

    # --- Moving ---

    def _put(self, row: int, day: int, reason: str) -> None:
        counts = self._upgrades[row] or self._rows[row].action is Action.IMPORT_CERTIFICATE
        if counts:
            self._loads[self._load(row, self._days[row])] -= 1
            self._loads[self._load(row, day)] += 1
        self._days[row] = day
        self._reasons[row] = reason

    def _move_overdue(self) -> None:
        overdue = [
            row
            for row, day in enumerate(self._days)
            if day < self._today and not self._is_done[row] and day >= self._fleet.start
        ]
        for row in overdue:
            was_due = f"it was due on {iso(self._rows[row].day)} and is not done"
            if self._upgrades[row]:
                self._postpone(row, self._today, was_due)
            elif self._rows[row].action is Action.IMPORT_CERTIFICATE:
                self._put(row, self._import_day(row, self._today), was_due)
        for row in overdue:
            if row not in self._reasons and not self._goes_along(row):
                was_due = f"it was due on {iso(self._rows[row].day)} and is not done"
                self._put(row, self._first_open(self._today), was_due)

    def _postpone(self, row: int, not_before: int, reason: str) -> None:
        """Move an upgrade to the first day with room from a day on, and push on what is bound."""
        waiting = deque([(row, not_before, reason)])
        for _ in range(_PUSHES_EACH * len(self._rows)):
            if not waiting:
                return
            now, lowest, why = waiting.popleft()
            if self._days[now] >= lowest and now in self._reasons:
                continue
            self._put(now, *self._upgrade_day(now, lowest, why))
            for gap in self._after[now]:
                due = self._days[now] + gap.days
                if self._days[gap.then] < due and not self._is_done[gap.then]:
                    waiting.append((gap.then, due, gap.why))
            self._take_along(now)
        raise _Stuck

    def _upgrade_day(self, row: int, not_before: int, reason: str) -> tuple[int, str]:
        earliest, latest = self._bounds.get(self._endpoint_of.get(row, -1), (-NEVER, NEVER))
        for gap in self._before[row]:
            bound = self._days[gap.then] + gap.days
            if bound > not_before:
                not_before, reason = bound, f"{reason}; {gap.why}"
        first = max(not_before, earliest, self._today)
        is_full = False
        for day in range(first, min(self._fleet.end, latest + 1)):
            if self._may_upgrade(row, day):
                if self._has_room(row, day):
                    full = f"; {iso(first)} was the first day, and its week is full"
                    return day, reason + (full if is_full else "")
                is_full = True
        raise _Stuck

    def _goes_along(self, row: int) -> bool:
        """Whether an option change stands on the day of an upgrade that it belongs to."""
        return self._rows[row].action is Action.SET_OPTION and any(
            self._rows[upgrade].day == self._rows[row].day for upgrade in self._ends_of(row)
        )

    def _ends_of(self, row: int) -> list[int]:
        """Upgrades of the client and of the server that a row names."""
        given, n_clients = self._given, len(self._fleet.clients)
        client, server = int(given.client[row]), int(given.server[row])
        ends = [client, server + n_clients if server >= 0 else -1]
        return [self._row_of[end] for end in ends if end in self._row_of]

    def _take_along(self, upgrade: int) -> None:
        """Move the option changes of an upgrade's day with it."""
        for row, action in enumerate(self._rows):
            if action.action is not Action.SET_OPTION or self._is_done[row]:
                continue
            ends = [end for end in self._ends_of(row) if self._rows[end].day == action.day]
            if upgrade in ends:
                name = self._rows[upgrade].client or self._rows[upgrade].server
                day = max(self._days[end] for end in ends)
                self._put(row, day, f"it goes with the upgrade of {name}")

    def _first_open(self, day: int) -> int:
        found = next(
            (d for d in range(day, self._fleet.end) if self._fleet.calendar.is_open(d)), None
        )
        if found is None:
            raise _Stuck
        return found

    def _import_day(self, row: int, not_before: int, last: int = NEVER) -> int:
        """First day for an import from a day on; the latest one up to `last` if given."""
        days = range(max(not_before, self._today), min(self._fleet.end, last + 1))
        for day in reversed(days) if last != NEVER else days:
            if self._fleet.calendar.is_open(day) and self._has_room(row, day):
                return day
        raise _Stuck

    # --- Imports ---

    def _mend_imports(self, found: Deadlines, before: Mapping[tuple[int, str], int]) -> bool:
        """Move what makes a deadline worse than it was; whether anything moved."""
        names = found.timeline.compiled.certificates.name
        databases, is_changed = found.key_database().tolist(), False
        verdicts = _ranks(found)
        for place, database in enumerate(databases):
            key = (database, names[found.anchor[place]])
            if verdicts[place] > max(before.get(key, 1), 1):
                is_changed |= self._mend(found, place)
        return is_changed

    def _mend(self, found: Deadlines, place: int) -> bool:
        """Move one import to where it is in time, else what needs it behind it."""
        needed = int(found.needed[place])
        latest = int(self._latest[needed - self._fleet.start])
        row = self._import_of(found, place)
        if row is None:
            return self._add_import(found, place, latest)
        why = f"it is needed on {iso(needed)}"
        if self._days[row] > latest >= self._today and not self._is_done[row]:
            try:
                self._put(row, self._import_day(row, self._opens(found, place), latest), why)
            except _Stuck:
                pass
            else:
                return True
        arrives = self._days[row]
        safe = np.flatnonzero(self._latest >= arrives)
        if not len(safe):
            raise _Stuck
        name = self._rows[row].certificate
        reason = f"{name} is imported on {iso(arrives)}, and must be there in time"
        return self._postpone_need(found, place, self._fleet.start + int(safe[0]), reason)

    def _postpone_need(self, found: Deadlines, place: int, day: int, reason: str) -> bool:
        """Move the upgrade that needs an anchor: the client's, else those of its servers."""
        fleet = self._fleet
        endpoint, n_clients = int(found.endpoint()[place]), len(fleet.clients)
        client = self._row_of.get(endpoint)
        if client is not None and not self._is_done[client] and self._days[client] < day:
            self._postpone(client, day, reason)
            return True
        rows, sessions = found.needing()
        servers = np.unique(fleet.sessions.server[sessions[rows == place]])
        moved = False
        for server in servers.tolist():
            row = self._row_of.get(n_clients + server)
            if row is not None and not self._is_done[row] and self._days[row] < day:
                self._postpone(row, day, reason)
                moved = True
        return moved

    def _import_of(self, found: Deadlines, place: int) -> int | None:
        """Row of the plan that imports what a deadline asks for, the last one."""
        fleet, databases = self._fleet, self._fleet.key_databases
        database = int(found.key_database()[place])
        wanted = (
            fleet.endpoint_name(int(databases.endpoint[database])).casefold(),
            databases.name[database].casefold(),
            found.timeline.compiled.certificates.name[found.anchor[place]].casefold(),
        )
        for row in reversed(range(len(self._rows))):
            action = self._rows[row]
            key_database = action.key_database or "default"
            has = (action.client.casefold(), key_database.casefold(), action.certificate.casefold())
            if action.action is Action.IMPORT_CERTIFICATE and has == wanted:
                return row
        return None

    def _opens(self, found: Deadlines, place: int) -> int:
        return max(self._today, int(found.opens()[place]))

    def _add_import(self, found: Deadlines, place: int, latest: int) -> bool:
        fleet, databases = self._fleet, self._fleet.key_databases
        database = int(found.key_database()[place])
        name = found.timeline.compiled.certificates.name[found.anchor[place]]
        new = PlannedAction(
            day=self._today,
            action=Action.IMPORT_CERTIFICATE,
            client=fleet.endpoint_name(int(databases.endpoint[database])),
            key_database=databases.name[database],
            certificate=name,
            file="",
        )
        if any(_same_import(new, added) for added, _ in self._added):
            return False
        opens = self._opens(found, place)
        days = [d for d in range(opens, max(opens, latest) + 1) if self._fleet.calendar.is_open(d)]
        day = days[-1] if days else self._first_open(opens)
        reason = f"it is needed on {iso(int(found.needed[place]))}, and was not planned"
        self._added.append((replace(new, day=day), reason))
        return True


def _under(fleet: Fleet, constraints: Constraints) -> Fleet:
    """Return the fleet under some of its constraints."""
    own = fleet.calendar
    calendar = replace(
        own,
        freezes=constraints.freezes,
        holidays=constraints.holidays,
        windows=constraints.windows,
        lead_days=own.lead_days if constraints.has_lead else 0,
    )
    if (calendar, constraints.capacity) == (own, fleet.capacity):
        return fleet
    return replace(fleet, calendar=calendar, capacity=constraints.capacity)


def _same_import(one: PlannedAction, other: PlannedAction) -> bool:
    return replace(one, day=other.day) == other


def _bounds(rules: Sequence[OrderRule]) -> dict[int, tuple[int, int]]:
    """First and last day that the rules leave to each endpoint."""
    found: dict[int, tuple[int, int]] = {}
    for rule in rules:
        earliest, latest = found.get(rule.first, (-NEVER, NEVER))
        match rule.kind:
            case RuleKind.EARLIEST:
                found[rule.first] = max(earliest, rule.day), latest
            case RuleKind.LATEST:
                found[rule.first] = earliest, min(latest, rule.day)
            case RuleKind.FIXED:
                found[rule.first] = max(earliest, rule.day), min(latest, rule.day)
            case _:
                pass
    return found


def _pairs(
    rule: OrderRule, row_of: Mapping[int, int], pilots: set[int]
) -> Iterator[tuple[int, int, int]]:
    """Rows of what goes first and then by a rule, and the least days in between."""
    if rule.first not in row_of:
        return
    first = row_of[rule.first]
    match rule.kind:
        case RuleKind.BEFORE if rule.then in row_of:
            yield first, row_of[rule.then], rule.days
        case RuleKind.TOGETHER if rule.then in row_of:
            yield first, row_of[rule.then], -rule.days
            yield row_of[rule.then], first, -rule.days
        case RuleKind.PILOT:
            for endpoint, row in row_of.items():
                if endpoint not in pilots:
                    yield first, row, rule.days
        case _:
            pass


def _ranks(found: Deadlines) -> list[int]:
    """How bad the verdict of each deadline is; places in `_WORSE`."""
    ranks = np.zeros(len(found), dtype=np.int64)
    for rank, verdict in enumerate(_WORSE):
        ranks[found.has_verdict(verdict)] = rank
    return ranks.tolist()


def _by_key(found: Deadlines) -> dict[tuple[int, str], int]:
    names = found.timeline.compiled.certificates.name
    keys = zip(found.key_database().tolist(), found.anchor.tolist(), strict=True)
    return {
        (database, names[anchor]): rank
        for (database, anchor), rank in zip(keys, _ranks(found), strict=True)
    }


def _sentence(moved: Moved) -> str:
    action = moved.action
    what = " ".join(
        text for text in (action.client, action.server, action.certificate, action.option) if text
    )
    came = f"from {iso(moved.before)} to" if moved.before != NEVER else "is new on"
    return f"{action.action.label} {what}: {came} {iso(action.day)}, as {moved.reason}"
