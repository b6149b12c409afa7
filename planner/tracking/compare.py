"""One plan against another: what is newly refused, what is newly safe, and what moves."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from planner.domain import views
from planner.domain.calendar import NEVER, iso
from planner.domain.columns import freeze_columns
from planner.domain.fleet import Codes, Fleet, Numbers
from planner.domain.plan import Action, PlannedAction
from planner.domain.rules import RULES, VERDICTS, Mode, Verdict
from planner.engine.deadlines import Deadlines, deadlines
from planner.engine.measures import Measures, measures
from planner.engine.timeline import Timeline
from planner.tracking.pairs import Key, folded, key_database_of, paired, what_is_done

if TYPE_CHECKING:
    import pandas as pd

_ROOM: Final = 1 << 22
"""Sessions times days that are unrolled at a time."""

_BROKEN: Final = frozenset({Verdict.MISSING, Verdict.SAME_DAY, Verdict.LATE, Verdict.IMPOSSIBLE})


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Refusals:
    """Sessions that one plan refuses on days on which another one does not; each of shape `(n,)`.

    Parameters
    ----------
    session
        Ascending.
    first_day, n_days
        The first such day, and how many there are [days].
    rule
        Why the session is refused on the first of them: a place in `planner.domain.rules.RULES`.
    """

    session: Numbers
    first_day: Numbers
    n_days: Numbers
    rule: Codes

    def __post_init__(self) -> None:
        freeze_columns(self)

    def __len__(self) -> int:
        return len(self.session)


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """An action that two plans date differently, or that only one of them has.

    `a` and `b` are its row numbers in the plans, -1 where it is missing there. An import that a
    deadline asks for has that one's slacks [days]; others None.
    """

    action: PlannedAction
    a: int
    b: int
    day_a: int
    day_b: int
    slack_a: int | None
    slack_b: int | None

    @property
    def n_days(self) -> int | None:
        """How much later `b` has it [days]; None where one plan lacks it."""
        return None if self.a < 0 or self.b < 0 else self.day_b - self.day_a


@dataclass(frozen=True, slots=True, kw_only=True)
class Slack:
    """A deadline whose slack or verdict differs, or that only one plan has.

    A verdict is None where the plan does not need the certificate, a slack where there is none
    [days]; `planned_*` is as in `Deadlines`.
    """

    client: str
    key_database: str
    certificate: str
    planned_a: int
    planned_b: int
    slack_a: int | None
    slack_b: int | None
    verdict_a: Verdict | None
    verdict_b: Verdict | None

    @property
    def gain(self) -> int | None:
        """How much more slack plan `b` leaves [days]; None where one of them has none."""
        if self.slack_a is None or self.slack_b is None:
            return None
        return self.slack_b - self.slack_a

    @property
    def breaks(self) -> bool:
        """Whether plan `b` breaks a deadline that `a` keeps or does not have."""
        return self.verdict_b in _BROKEN and self.verdict_a not in _BROKEN

    @property
    def mends(self) -> bool:
        """Whether plan `b` keeps or does not have a deadline that `a` breaks."""
        return self.verdict_a in _BROKEN and self.verdict_b not in _BROKEN


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Comparison:
    """Plan `b` against plan `a`, both for one fleet.

    Parameters
    ----------
    newly_refused, newly_safe
        What `b` refuses and `a` does not, and the other way round.
    moves, slacks
        Actions and deadlines that differ.
    """

    a: Deadlines
    b: Deadlines
    measures_a: Measures
    measures_b: Measures
    newly_refused: Refusals
    newly_safe: Refusals
    moves: tuple[Move, ...]
    slacks: tuple[Slack, ...]

    @property
    def fleet(self) -> Fleet:
        """The fleet of both plans."""
        return self.b.timeline.plan.fleet

    def lines(self) -> tuple[str, str, str, str, str]:
        """Say in five lines what changes from `a` to `b`."""
        return (
            self._refusal_line("newly refused", self.newly_refused),
            self._refusal_line("newly safe", self.newly_safe),
            self._moves_line(),
            self._slacks_line(),
            self._measures_line(),
        )

    def _refusal_line(self, what: str, found: Refusals) -> str:
        if not len(found):
            return f"{what}: no session"
        earliest = int(np.argmin(found.first_day))
        return (
            f"{what}: {_counted(len(found), 'session')} on "
            f"{_counted(int(found.n_days.sum()), 'session-day')}, the first one "
            f"{self.fleet.session_text(int(found.session[earliest]))} from "
            f"{iso(int(found.first_day[earliest]))} ({RULES[found.rule[earliest]].reason})"
        )

    def _moves_line(self) -> str:
        moved = [move.n_days for move in self.moves if move.n_days is not None]
        added = sum(move.a < 0 for move in self.moves)
        gone = sum(move.b < 0 for move in self.moves)
        later = sum(days > 0 for days in moved)
        line = f"actions: {len(moved):,} moved"
        if moved:
            furthest = _counted(max(map(abs, moved)), "day")
            line += f" ({later:,} later, {len(moved) - later:,} earlier, by at most {furthest})"
        return f"{line}, {added:,} added, {gone:,} gone"

    def _slacks_line(self) -> str:
        gains = [slack.gain for slack in self.slacks if slack.gain is not None]
        lose = sum(gain < 0 for gain in gains)
        return (
            f"deadlines: {lose:,} lose slack, {sum(gain > 0 for gain in gains):,} gain some; "
            f"{sum(slack.breaks for slack in self.slacks):,} newly broken, "
            f"{sum(slack.mends for slack in self.slacks):,} mended"
        )

    def _measures_line(self) -> str:
        before, after = self.measures_a, self.measures_b
        return (
            f"measures: exposure {before.exposure:,.0f} -> {after.exposure:,.0f}, "
            f"peak imports a week {before.peak_imports_per_week:,} -> "
            f"{after.peak_imports_per_week:,}, "
            f"finish {iso(before.finish) or 'never'} -> {iso(after.finish) or 'never'}"
        )

    def __repr__(self) -> str:
        return (
            f"Comparison({len(self.newly_refused)} sessions newly refused, "
            f"{len(self.newly_safe)} newly safe, {len(self.moves)} actions differ)"
        )

    def to_frame(self) -> "pd.DataFrame":
        """Return the table of comparison.csv."""
        return views.frame_of(self)

    def _repr_html_(self) -> str:
        return views.html_of(self)


def compare(a: Timeline, b: Timeline) -> Comparison:
    """Compare two plans for one fleet, in both directions.

    Raises
    ------
    ValueError
        If the plans are for different fleets.

    Notes
    -----
    Linear in segments and actions, and in the days of sessions that either plan refuses.
    """
    if a.plan.fleet is not b.plan.fleet:
        raise ValueError("the plans are for different fleets; read both for the same one")
    deadlines_a, deadlines_b = deadlines(a), deadlines(b)
    return Comparison(
        a=deadlines_a,
        b=deadlines_b,
        measures_a=measures(deadlines_a),
        measures_b=measures(deadlines_b),
        newly_refused=_refused_only_by(b, a),
        newly_safe=_refused_only_by(a, b),
        moves=tuple(_moves(deadlines_a, deadlines_b)),
        slacks=tuple(_slacks(deadlines_a, deadlines_b)),
    )


def _counted(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


# --- sessions ----------------------------------------------------------------------------------


def _refused_only_by(timeline: Timeline, other: Timeline) -> Refusals:
    """What one plan refuses on days on which another one does not."""
    fleet = timeline.plan.fleet
    refused = np.unique(timeline.session()[timeline.mode() == Mode.REFUSED])
    found: list[NDArray[np.integer]] = []
    chunk = max(1, _ROOM // fleet.n_days)
    for begin in range(0, len(refused), chunk):
        sessions = refused[begin : begin + chunk]
        only = _is_refused(timeline, sessions) & ~_is_refused(other, sessions)
        has_any = only.any(axis=1)
        first_day = only.argmax(axis=1)[has_any] + fleet.start
        found.append(np.stack([sessions[has_any], first_day, only.sum(axis=1)[has_any]]))
    session, first_day, n_days = np.concatenate([np.empty((3, 0), np.int32), *found], axis=1)
    return Refusals(
        session=session.astype(np.int32),
        first_day=first_day.astype(np.int32),
        n_days=n_days.astype(np.int32),
        rule=_rule_on_days(timeline, session, first_day),
    )


def _is_refused(timeline: Timeline, sessions: Numbers) -> NDArray[np.bool_]:
    """Whether some sessions, ascending, are refused; shape `(n_sessions, n_days)`."""
    fleet = timeline.plan.fleet
    segments = np.flatnonzero(timeline.mode() == Mode.REFUSED)
    session = timeline.session()[segments]
    row = np.searchsorted(sessions, session)
    is_asked = (row < len(sessions)) & (sessions[np.minimum(row, len(sessions) - 1)] == session)
    row, segments = row[is_asked], segments[is_asked]
    steps = np.zeros((len(sessions), fleet.n_days + 1), dtype=np.int8)
    # A session has no two refused segments that start, or end, on one day.
    steps[row, timeline.day[segments] - fleet.start] += 1
    steps[row, timeline.until()[segments] - fleet.start] -= 1
    is_refused: NDArray[np.bool_] = np.cumsum(steps[:, :-1], axis=1, dtype=np.int8) > 0
    return is_refused


def _rule_on_days(
    timeline: Timeline, session: NDArray[np.integer], day: NDArray[np.integer]
) -> Codes:
    """Rule of sessions, each on a day of its own."""
    n_days = timeline.plan.fleet.n_days + 1
    start = timeline.plan.fleet.start
    # Segments stand by session, then day: one ascending key.
    keys = timeline.session().astype(np.int64) * n_days + (timeline.day - start)
    wanted = session.astype(np.int64) * n_days + (day - start)
    rule: Codes = timeline.rule[np.searchsorted(keys, wanted, side="right") - 1]
    return rule


# --- actions -----------------------------------------------------------------------------------


def _moves(a: Deadlines, b: Deadlines) -> Iterator[Move]:
    """Pair the actions of two plans that say the same, in their order, and tell which differ."""
    rows_a, rows_b = list(a.timeline.plan.rows()), list(b.timeline.plan.rows())
    slack_in_a, slack_in_b = _slack_by_key(a), _slack_by_key(b)
    for one, other in paired(map(what_is_done, rows_a), map(what_is_done, rows_b)):
        day_a = rows_a[one].day if one >= 0 else NEVER
        day_b = rows_b[other].day if other >= 0 else NEVER
        if day_a != day_b:
            action = rows_b[other] if other >= 0 else rows_a[one]
            served = _served_by(action)
            yield Move(
                action=action,
                a=one,
                b=other,
                day_a=day_a,
                day_b=day_b,
                slack_a=slack_in_a.get(served),
                slack_b=slack_in_b.get(served),
            )


def _served_by(action: PlannedAction) -> Key:
    """Key of the deadline that an import serves; of other actions one that no deadline has."""
    if action.action != Action.IMPORT_CERTIFICATE:
        return ()
    return folded((action.client, key_database_of(action), action.certificate))


# --- deadlines ---------------------------------------------------------------------------------


def _slacks(a: Deadlines, b: Deadlines) -> Iterator[Slack]:
    """Pair the deadlines of two plans, and tell whose slack or verdict differs."""
    wanted_a, wanted_b = list(_wanted(a)), list(_wanted(b))
    slack_in_a, slack_in_b = _slack_by_row(a), _slack_by_row(b)
    for one, other in paired(map(folded, wanted_a), map(folded, wanted_b)):
        client, key_database, certificate = wanted_b[other] if other >= 0 else wanted_a[one]
        slack = Slack(
            client=client,
            key_database=key_database,
            certificate=certificate,
            planned_a=int(a.planned[one]) if one >= 0 else NEVER,
            planned_b=int(b.planned[other]) if other >= 0 else NEVER,
            slack_a=slack_in_a[one] if one >= 0 else None,
            slack_b=slack_in_b[other] if other >= 0 else None,
            verdict_a=VERDICTS[a.verdict[one]] if one >= 0 else None,
            verdict_b=VERDICTS[b.verdict[other]] if other >= 0 else None,
        )
        if (slack.slack_a, slack.verdict_a) != (slack.slack_b, slack.verdict_b):
            yield slack


def _wanted(found: Deadlines) -> Iterator[tuple[str, str, str]]:
    """Client, key database and certificate of each deadline; no two are the same."""
    fleet, certificates = found.timeline.plan.fleet, found.timeline.compiled.certificates.name
    databases = fleet.key_databases
    for database, anchor in zip(found.key_database().tolist(), found.anchor.tolist(), strict=True):
        client = fleet.endpoint_name(int(databases.endpoint[database]))
        yield client, databases.name[database], certificates[anchor]


def _slack_by_key(found: Deadlines) -> dict[Key, int | None]:
    return dict(zip(map(folded, _wanted(found)), _slack_by_row(found), strict=True))


def _slack_by_row(found: Deadlines) -> list[int | None]:
    has_slack, slack = found.slack()
    return [
        days if is_given else None
        for days, is_given in zip(slack.tolist(), has_slack.tolist(), strict=True)
    ]
