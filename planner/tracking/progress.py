"""A plan against what has happened: what is done, late, contradicting, and where that leads."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Final

import numpy as np

from planner.domain import views
from planner.domain.calendar import ALWAYS, NEVER, iso
from planner.domain.findings import day_text
from planner.domain.plan import UPGRADES, Plan, PlannedAction
from planner.engine.timeline import simulate
from planner.tracking.compare import Comparison, compare
from planner.tracking.pairs import Key, paired, what_is_changed, what_is_done

if TYPE_CHECKING:
    import pandas as pd

SOON: Final = 14
"""Days ahead for which people are told what is due [days]."""

DONE_STATUS: Final = "done"
FAILED_STATUS: Final = "failed"


class State(StrEnum):
    """How an action stands on a day."""

    DONE = "done"
    EARLY = "early"
    LATE = "late"
    CONTRADICTING = "contradicting"
    UNPLANNED = "unplanned"
    FAILED = "failed"
    OVERDUE = "overdue"
    DUE = "due"
    OPEN = "open"


@dataclass(frozen=True, slots=True, kw_only=True)
class Tracked:
    """An action, when it is planned, and when it happened; `NEVER` for not at all.

    `action` is what happened where something did, else what is planned.
    """

    action: PlannedAction
    planned: int
    actual: int
    state: State
    what: str = ""

    @property
    def has_happened(self) -> bool:
        """Whether something was done, planned or not."""
        return self.actual != NEVER

    @property
    def n_days_late(self) -> int | None:
        """How much later than planned it happened [days]; None where that cannot be said."""
        return None if NEVER in (self.planned, self.actual) else self.actual - self.planned


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """Day of the last upgrade: as planned, as things stand, and if the delays so far go on.

    `median` and `cautious` add to every upgrade that is still to come the delay that half and
    nine in ten of the upgrades so far kept; `NEVER` where there is no upgrade.
    """

    planned: int
    standing: int
    median: int
    cautious: int


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Progress:
    """How a plan stands on a day.

    Parameters
    ----------
    rows
        Every planned action, and what happened without being planned.
    standing
        The plan as things stand: what happened on its days, what is overdue on `today`, the rest
        as planned.
    recorded
        What happened on its days, the rest as planned, also where that is overdue: what
        `planner.replan` asks for.
    comparison
        `standing` against the plan.
    """

    plan: Plan
    today: int
    rows: tuple[Tracked, ...]
    standing: Plan
    recorded: Plan
    comparison: Comparison
    forecast: Forecast

    def count(self, *states: State) -> int:
        """Count the actions in some states."""
        return sum(row.state in states for row in self.rows)

    def lines(self) -> tuple[str, ...]:
        """Say in words how the plan stands, what changed, and what comes next."""
        forecast = self.forecast
        return (
            f"On {iso(self.today)}: {self.count(State.DONE, State.EARLY, State.LATE):,} of "
            f"{len(self.plan):,} planned actions done ({self.count(State.LATE):,} late, "
            f"{self.count(State.EARLY):,} early)",
            f"to do: {self.count(State.OVERDUE):,} overdue, {self.count(State.FAILED):,} failed, "
            f"{self.count(State.DUE):,} due in the next {SOON} days, "
            f"{self.count(State.OPEN):,} later",
            f"to look at: {self.count(State.CONTRADICTING):,} contradicting, "
            f"{self.count(State.UNPLANNED):,} unplanned",
            f"finish: {day_text(forecast.planned)} as planned, {day_text(forecast.standing)} as "
            f"things stand, {day_text(forecast.median)} at the usual delay, "
            f"{day_text(forecast.cautious)} with caution",
            *self.comparison.lines(),
        )

    def __repr__(self) -> str:
        happened = sum(row.has_happened for row in self.rows)
        return (
            f"Progress({iso(self.today)}: {happened} of {len(self.rows)} actions happened, "
            f"{self.count(State.OVERDUE, State.FAILED)} overdue or failed, "
            f"{self.count(State.CONTRADICTING)} contradicting)"
        )

    def to_frame(self) -> "pd.DataFrame":
        """Return the table of progress.csv."""
        return views.frame_of(self)

    def _repr_html_(self) -> str:
        return views.html_of(self)


def track(plan: Plan, actuals: Plan, *, today: int) -> Progress:
    """Hold a plan against what has happened up to a day.

    Parameters
    ----------
    actuals
        What happened, dated by the day on which it did; the status `failed` marks an attempt that
        did not succeed. Planned actions with the status `done` happened as planned.
    today
        The day on which the question is asked; what is not done before it is still to do.

    Raises
    ------
    ValueError
        If plan and actuals are for different fleets.
    """
    if plan.fleet is not actuals.fleet:
        raise ValueError("plan and actuals are for different fleets; read both for the same one")
    rows = tuple(_rows(list(plan.rows()), list(actuals.rows()), today))
    standing = Plan.of(plan.fleet, _standing(rows, today))
    recorded = Plan.of(plan.fleet, _standing(rows, ALWAYS))
    return Progress(
        plan=plan,
        today=today,
        rows=rows,
        standing=standing,
        recorded=recorded,
        comparison=compare(simulate(plan), simulate(standing)),
        forecast=_forecast(rows, today),
    )


def _rows(
    planned: Sequence[PlannedAction], actuals: Sequence[PlannedAction], today: int
) -> Iterator[Tracked]:
    """Hold every planned action against the actual that says the same, or all but its value."""
    failed = {what_is_done(row): row for row in actuals if _has_status(row, FAILED_STATUS)}
    reported = [row for row in actuals if not _has_status(row, FAILED_STATUS)]
    actual_of, alone, missing = _matched(planned, reported, what_is_done, range(len(planned)))
    others = [reported[number] for number in alone]
    other_of, unplanned, _ = _matched(planned, others, what_is_changed, missing)
    for place, row in enumerate(planned):
        if place in actual_of:
            yield _done(row, reported[actual_of[place]], today)
        elif place in other_of:
            yield _done(row, others[other_of[place]], today)
        elif _has_status(row, DONE_STATUS):
            yield _done(row, row, today)
        else:
            yield _to_do(row, failed.get(what_is_done(row)), today)
    for number in unplanned:
        yield _unplanned(others[number], today)


def _matched(
    planned: Sequence[PlannedAction],
    reported: Sequence[PlannedAction],
    key: Callable[[PlannedAction], Key],
    places: Sequence[int],
) -> tuple[dict[int, int], list[int], list[int]]:
    """Pair some planned actions with reports: partners, reports alone, planned ones alone."""
    pairs = list(paired((key(planned[place]) for place in places), map(key, reported)))
    partners = {places[one]: other for one, other in pairs if one >= 0 and other >= 0}
    alone = [other for one, other in pairs if one < 0]
    return partners, alone, [places[one] for one, other in pairs if other < 0]


def _has_status(row: PlannedAction, status: str) -> bool:
    return row.status.casefold() == status


def _done(row: PlannedAction, actual: PlannedAction, today: int) -> Tracked:
    state = (
        State.LATE if actual.day > row.day else State.EARLY if actual.day < row.day else State.DONE
    )
    what = ""
    if actual.day > today:
        what = f"reported as done on {iso(actual.day)}, which is still to come"
        return Tracked(
            action=row, planned=row.day, actual=NEVER, state=State.CONTRADICTING, what=what
        )
    if actual.value.casefold() != row.value.casefold():
        state = State.CONTRADICTING
        what = f"planned {row.value or 'the default'}, done {actual.value or 'the default'}"
    return Tracked(action=actual, planned=row.day, actual=actual.day, state=state, what=what)


def _to_do(row: PlannedAction, attempt: PlannedAction | None, today: int) -> Tracked:
    what = ""
    if attempt is not None:
        state, what = State.FAILED, f"failed on {iso(attempt.day)}"
    elif row.day < today:
        late = today - row.day
        state, what = State.OVERDUE, f"{late} day{'' if late == 1 else 's'} overdue"
    else:
        state = State.DUE if row.day < today + SOON else State.OPEN
    return Tracked(action=row, planned=row.day, actual=NEVER, state=state, what=what)


def _unplanned(actual: PlannedAction, today: int) -> Tracked:
    if actual.day > today:
        what = f"reported as done on {iso(actual.day)}, which is still to come, and not planned"
        return Tracked(
            action=actual, planned=NEVER, actual=NEVER, state=State.CONTRADICTING, what=what
        )
    what = "no such action is planned"
    return Tracked(
        action=actual, planned=NEVER, actual=actual.day, state=State.UNPLANNED, what=what
    )


def _standing(rows: Sequence[Tracked], earliest: int) -> Iterator[PlannedAction]:
    """Actions as things stand; what is still to do happens on a day at the earliest."""
    for row in rows:
        if row.has_happened:
            yield replace(row.action, day=row.actual, status=DONE_STATUS)
        elif row.planned != NEVER:
            yield replace(row.action, day=max(row.planned, earliest))


def _forecast(rows: Sequence[Tracked], today: int) -> Forecast:
    upgrades = [row for row in rows if row.action.action in UPGRADES]
    planned = [row.planned for row in upgrades if row.planned != NEVER]
    happened = [row.actual for row in upgrades if row.has_happened]
    to_do = [row.planned for row in upgrades if not row.has_happened and row.planned != NEVER]
    # An upgrade that waits is at least as late as it is by now.
    delays = [row.n_days_late for row in upgrades if row.n_days_late is not None]
    delays += [today - row.planned for row in upgrades if row.state is State.OVERDUE]
    usual, cautious = (
        (int(np.ceil(np.quantile(delays, q))) for q in (0.5, 0.9)) if delays else (0, 0)
    )

    def finish(delay: int) -> int:
        days = [*happened, *(max(day + delay, today) for day in to_do)]
        return max(days, default=NEVER)

    return Forecast(
        planned=max(planned, default=NEVER),
        standing=finish(0),
        median=finish(usual),
        cautious=finish(cautious),
    )
