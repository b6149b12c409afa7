"""The timeline: for each session the segments `[start, end)` in which its state is constant."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from planner.domain import views
from planner.domain.calendar import Days
from planner.domain.fleet import Codes, Numbers
from planner.domain.plan import Plan
from planner.domain.rules import RULES, Mode
from planner.engine import kernel, sums, walks
from planner.engine.kernel import Distributed, Strictness
from planner.engine.program import Compiled, Program, compile_plan
from planner.engine.settled import settled_table

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Timeline:
    """States of all sessions of a plan over its horizon.

    Parameters
    ----------
    first
        Shape `(n_sessions + 1,)`: the segments of session `s` are rows `first[s]:first[s + 1]`.
    day
        Shape `(n,)`, the day on which each segment starts; it ends where the next one starts, the
        last of a session with the horizon.
    rule
        Shape `(n,)`, places in `planner.domain.rules.RULES`.
    needed
        Shape `(n_sessions,)`: what `walks.write_states` learns on its way of the first day on which
        each session needs its trust anchor.
    strictness, distributed
        When accounts turn strict, and which anchors came by automatic distribution.
    """

    plan: Plan
    first: Numbers
    day: Days
    rule: Codes
    needed: Days
    strictness: Strictness
    distributed: Distributed
    compiled: Compiled

    def __len__(self) -> int:
        return len(self.day)

    @property
    def n_sessions(self) -> int:
        """Count of sessions."""
        return len(self.first) - 1

    def session(self) -> Numbers:
        """Session of each segment; shape `(n,)`."""
        return np.repeat(np.arange(self.n_sessions, dtype=np.int32), np.diff(self.first))

    def until(self) -> Days:
        """Day on which each segment ends; shape `(n,)`."""
        until = np.empty_like(self.day)
        until[:-1] = self.day[1:]
        until[self.first[1:] - 1] = self.plan.fleet.end
        return until

    def mode(self) -> Codes:
        """Return the `Mode` of each segment; shape `(n,)`."""
        return kernel.MODE_OF_RULE[self.rule]

    def rule_on(self, day: int) -> Codes:
        """Rule of every session on a day of the horizon; shape `(n_sessions,)`.

        Raises
        ------
        ValueError
            If the day lies outside the horizon.
        """
        fleet = self.plan.fleet
        if not fleet.start <= day < fleet.end:
            raise ValueError(f"day {day} lies outside the horizon [{fleet.start}, {fleet.end})")
        holds = (self.day <= day) & (day < self.until())
        return self.rule[holds]

    def mode_on(self, day: int) -> Codes:
        """Return the `Mode` of every session on a day; shape `(n_sessions,)`."""
        return kernel.MODE_OF_RULE[self.rule_on(day)]

    def daily(self) -> NDArray[np.int64]:
        """Sessions of each mode on each day; shape `(n_days, n_modes)`."""
        fleet = self.plan.fleet
        return sums.count_days(fleet.start, fleet.end, self.first, self.day, self.rule)

    def rules_exercised(self) -> dict[str, int]:
        """Segments of each rule row, in the order of the tables: the coverage report."""
        counts = np.bincount(self.rule, minlength=len(RULES))
        return {rule.id: int(n) for rule, n in zip(RULES, counts, strict=True)}

    def __repr__(self) -> str:
        modes = self.mode_on(self.plan.fleet.end - 1) if self.n_sessions else np.zeros(0)
        refused = len(np.unique(self.session()[self.mode() == Mode.REFUSED]))
        secure = np.count_nonzero(modes >= Mode.TLS_PARTIAL)
        return (
            f"Timeline({self.n_sessions} sessions, {self.plan.fleet.n_days} days, "
            f"{refused} sessions refused at some time, {secure} on TLS at the end)"
        )

    def to_frame(self) -> "pd.DataFrame":
        """Return the table of session_states.csv."""
        return views.frame_of(self)

    def _repr_html_(self) -> str:
        return views.html_of(self)


def simulate(plan: Plan) -> Timeline:
    """Compute the state of every session on every day of the horizon.

    Exactly `semantics.md` sections 3 and 4.

    Raises
    ------
    PlanError
        If an action has a value that its kind cannot have.

    Notes
    -----
    Linear in sessions, accounts, actions and changes of state.
    """
    compiled = compile_plan(plan)
    program = compiled.program
    fleet = plan.fleet
    groups = fleet.sessions_of_key_database
    strictness, sent = walks.couple(program, fleet.sharing_sessions, groups.first, groups.member)
    first, day, rule, needed = _write_states(program, strictness, sent, len(fleet.sessions))
    for column in (first, day, rule, needed, *strictness, *sent):
        column.setflags(write=False)
    return Timeline(
        plan=plan,
        first=first,
        day=day,
        rule=rule,
        needed=needed,
        strictness=strictness,
        distributed=sent,
        compiled=compiled,
    )


def trusting_strictness(timeline: Timeline) -> Strictness:
    """When accounts turn strict if every session trusts every presented certificate.

    Accounts of a single session are left to the walk that looks at that session.
    """
    program, fleet = timeline.compiled.program, timeline.plan.fleet
    strictness = walks.initial_strictness(program)
    unused = np.zeros(len(fleet.key_databases), dtype=np.bool_)
    walks.find_strict(
        program, strictness, kernel.nothing_distributed(), fleet.sharing_sessions, True, unused
    )
    return strictness


def _write_states(
    program: Program, strictness: Strictness, sent: Distributed, n_sessions: int
) -> tuple[Numbers, Days, Codes, Days]:
    table = settled_table()
    first = np.zeros(n_sessions + 1, dtype=np.int32)
    day = np.empty(3 * n_sessions + 16, dtype=np.int32)
    rule = np.empty(len(day), dtype=np.uint8)
    needed = np.empty(n_sessions, dtype=np.int32)
    written = walks.write_states(program, table, strictness, sent, 0, first, day, rule, needed)
    while written < n_sessions:
        # Guess from what the sessions so far took; resizing moves pages, not bytes.
        expected = int(first[written] / max(1, written) * n_sessions * 1.05)
        size = max(expected, 2 * len(day) - int(first[written]), len(day) + 1024)
        day.resize(size, refcheck=False)
        rule.resize(size, refcheck=False)
        written = walks.write_states(
            program, table, strictness, sent, written, first, day, rule, needed
        )
    day.resize(int(first[-1]), refcheck=False)
    rule.resize(int(first[-1]), refcheck=False)
    return first, day, rule, needed
