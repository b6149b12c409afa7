"""Deadlines: when each client needs each trust anchor in each key database, and how it stands."""

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from planner.domain import views
from planner.domain.calendar import ALWAYS, NEVER, Calendar, Days
from planner.domain.fleet import ClientKind, Codes, Flags, Numbers
from planner.domain.levels import LevelFact
from planner.domain.rules import VERDICTS, Verdict
from planner.engine import kernel, needs
from planner.engine.program import facts_before
from planner.engine.timeline import Timeline, trusting_strictness
from planner.engine.timelines import Facts
from planner.engine.use_cases import use_cases

if TYPE_CHECKING:
    import pandas as pd

_VERDICT = {verdict: number for number, verdict in enumerate(VERDICTS)}


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Deadlines:
    """When each trust anchor must be in each key database.

    Parameters
    ----------
    first
        Shape `(n_key_databases + 1,)`: rows of key database `k` are `first[k]:first[k + 1]`.
    anchor
        Shape `(n,)`, certificate numbers of `timeline.compiled.certificates`.
    needed
        Shape `(n,)`, days.
    planned
        Shape `(n,)`, days; `ALWAYS` where the anchor is in place, `NEVER` where nothing is planned.
    verdict
        Shape `(n,)`, places in `planner.domain.rules.VERDICTS`.
    """

    timeline: Timeline
    first: Numbers
    anchor: Numbers
    needed: Days
    planned: Days
    verdict: Codes

    def __len__(self) -> int:
        return len(self.anchor)

    @property
    def latest_safe(self) -> Days:
        """Last day on which each row's import leaves the lead; shape `(n,)`."""
        fleet = self.timeline.plan.fleet
        return _latest_safe_days(fleet.calendar, fleet.start, fleet.end)[self.needed - fleet.start]

    def key_database(self) -> Numbers:
        """Key database of each row; shape `(n,)`."""
        return np.repeat(np.arange(len(self.first) - 1, dtype=np.int32), np.diff(self.first))

    def endpoint(self) -> Numbers:
        """Client endpoint of each row; shape `(n,)`."""
        return self.timeline.plan.fleet.key_databases.endpoint[self.key_database()]

    def opens(self) -> Days:
        """First day on which each row's anchor can be had; `ALWAYS` where nothing says so."""
        return self.timeline.compiled.certificates.all_open()[self.anchor]

    def has_verdict(self, *verdicts: Verdict) -> Flags:
        """Whether each row has one of the verdicts; shape `(n,)`."""
        return np.isin(self.verdict, [_VERDICT[verdict] for verdict in verdicts])

    def count(self, verdict: Verdict) -> int:
        """Count the rows of a verdict."""
        return int(np.count_nonzero(self.has_verdict(verdict)))

    def slack(self) -> tuple[Flags, Numbers]:
        """Whether each row has a slack, and `latest_safe - planned` [days] where it has."""
        has_slack = (self.planned != ALWAYS) & (self.planned != NEVER)
        slack = np.zeros(len(self), dtype=np.int32)
        slack[has_slack] = self.latest_safe[has_slack] - self.planned[has_slack]
        return has_slack, slack

    def needing(self) -> tuple[Numbers, Numbers]:
        """Pairs of a row and a session that ever needs it; each of shape `(m,)`."""
        return needs.sessions_that_need(
            self.timeline.compiled.program,
            trusting_strictness(self.timeline),
            kernel.nothing_distributed(),
            self.first,
            self.anchor,
        )

    def texts(self) -> tuple[list[str], list[str]]:
        """Servers and use cases of each row: `;`-joined, sorted, without repetition."""
        fleet = self.timeline.plan.fleet
        servers: list[set[str]] = [set() for _ in range(len(self))]
        cases: list[set[int]] = [set() for _ in range(len(self))]
        case_of_session = use_cases(self.timeline)
        rows, sessions = self.needing()
        # Sets of texts: one step of plain Python for each pair.
        for row, session in zip(rows.tolist(), sessions.tolist(), strict=True):
            servers[row].add(fleet.servers.name[fleet.sessions.server[session]])
            if case_of_session[session]:
                cases[row].add(int(case_of_session[session]))
        return [";".join(sorted(names)) for names in servers], [
            ";".join(map(str, sorted(numbers))) for numbers in cases
        ]

    def level_facts(self) -> Facts:
        """`LevelFact` of each row's client on the day of its import; shape `(n,)`.

        An import that is in place or not planned counts as made on its latest safe day.
        """
        has_slack, _ = self.slack()
        day = np.where(has_slack, self.planned, self.latest_safe)
        return level_facts_on(self.timeline, self.endpoint(), day)

    def uses_dsmcert(self) -> Flags:
        """Whether each row's import is made with dsmcert, else with gsk8capicmd; shape `(n,)`.

        dsmcert comes with new clients. A client that is not installed on the day counts with its
        next installed level, after its retirement with its last.
        """
        clients, endpoint = self.timeline.plan.fleet.clients, self.endpoint()
        agents = np.flatnonzero(clients.kind == ClientKind.STORAGE_AGENT)
        old_tool = (endpoint >= len(clients)) | np.isin(endpoint, agents)
        is_new: Flags = (self.level_facts() & LevelFact.NEW != 0) & ~old_tool
        return is_new

    def __repr__(self) -> str:
        counts = ", ".join(
            f"{self.count(verdict)} {verdict}" for verdict in VERDICTS if self.count(verdict)
        )
        return f"Deadlines({len(self)} imports: {counts or 'none'})"

    def to_frame(self) -> "pd.DataFrame":
        """Return the table of trust_deadlines.csv."""
        return views.frame_of(self)

    def _repr_html_(self) -> str:
        return views.html_of(self)


def level_facts_on(timeline: Timeline, endpoint: Numbers, day: Days) -> Facts:
    """`LevelFact` of endpoints after the actions of a day; 0 for one that the fleet does not know.

    An endpoint that is not installed on the day counts with its next installed level, after its
    retirement with its last (`semantics.md` section 6, tool).
    """
    plan = timeline.plan
    known = (endpoint >= 0) & (endpoint < plan.fleet.n_endpoints)
    facts = np.zeros(len(endpoint), dtype=np.uint16)
    facts[known] = needs.tool_facts(
        timeline.compiled.program, facts_before(plan), endpoint[known].astype(np.int32), day[known]
    )
    return facts


@lru_cache(maxsize=8)
def _latest_safe_days(calendar: Calendar, start: int, end: int) -> Days:
    days = calendar.latest_safe_days(start, end)
    days.setflags(write=False)
    return days


def deadlines(timeline: Timeline) -> Deadlines:
    """Compute when each trust anchor must be in each key database, and how the plan stands.

    Exactly `semantics.md` section 6.

    Notes
    -----
    Linear in sessions and changes of state. The rows stand by key database; `to_frame` sorts them.
    """
    fleet, compiled = timeline.plan.fleet, timeline.compiled
    program = compiled.program
    strictness = trusting_strictness(timeline)
    groups, n_databases = fleet.sessions_of_key_database, len(fleet.key_databases)
    first = np.zeros(n_databases + 1, dtype=np.int32)
    # A good plan imports about what is needed.
    anchor = np.empty(max(n_databases, len(program.trust_day)) + 16, dtype=np.int32)
    needed = np.empty(len(anchor), dtype=np.int32)
    written = 0
    while True:
        written = needs.find_needed(
            program,
            strictness,
            kernel.nothing_distributed(),
            timeline.needed,
            groups.first,
            groups.member,
            written,
            first,
            anchor,
            needed,
        )
        if written == n_databases:
            break
        anchor.resize(len(anchor) * 3 // 2, refcheck=False)
        needed.resize(len(anchor), refcheck=False)
    anchor.resize(int(first[-1]), refcheck=False)
    needed.resize(int(first[-1]), refcheck=False)
    del strictness
    planned = np.empty_like(needed)
    verdict = np.empty(len(needed), dtype=np.uint8)
    needs.judge(
        program,
        compiled.is_complete,
        compiled.certificates.all_open(),
        _latest_safe_days(fleet.calendar, fleet.start, fleet.end),
        first,
        anchor,
        needed,
        planned,
        verdict,
    )
    for column in (first, anchor, needed, planned, verdict):
        column.setflags(write=False)
    return Deadlines(
        timeline=timeline,
        first=first,
        anchor=anchor,
        needed=needed,
        planned=planned,
        verdict=verdict,
    )
