"""Distribution: how each import can reach its client, and how many that makes in a week."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

import numpy as np

from planner.domain import views
from planner.domain.calendar import Days, mondays_of
from planner.domain.fleet import ClientKind, Codes, Fleet, Groups, Numbers, SessionKind
from planner.domain.levels import LevelFact
from planner.domain.rules import RULES, Mode
from planner.engine import kernel
from planner.engine.deadlines import Deadlines
from planner.engine.measures import imports_in_effect
from planner.engine.timeline import Timeline

if TYPE_CHECKING:
    import pandas as pd

_RUNS = np.array([rule.mode not in (Mode.INACTIVE, Mode.REFUSED) for rule in RULES])
_SCHEDULED = (SessionKind.BACKUP, SessionKind.VM)
_BY_HAND = {
    ClientKind.ADMIN: "administrators",
    ClientKind.STORAGE_AGENT: "storage agents",
    ClientKind.OPERATIONS_CENTER: "Operations Center",
    ClientKind.SERVER: "other servers",
}


class Reach(StrEnum):
    """The way by which an import reaches a client."""

    SCHEDULER = "client-scheduler"
    OWN_TOOL = "own-tool"
    BY_HAND = "by-hand"


REACHES = tuple(Reach)


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Distribution:
    """How each import of a plan reaches its client, in the plan's order.

    The client scheduler can carry a certificate to clients that back up over it (GALAXY,
    documented); it reaches no administrators, other servers, storage agents, Operations Center,
    NAS systems, nor clients that have never connected. What has no scheduler is left to the site's
    own tool for software.

    Parameters
    ----------
    action
        Shape `(n,)`, rows of the plan.
    reach
        Shape `(n,)`, places in `REACHES`.
    because
        Why, one text a row.
    """

    deadlines: Deadlines
    action: Numbers
    reach: Codes
    because: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.action)

    @property
    def week(self) -> Days:
        """Monday of each import's ISO week; shape `(n,)`."""
        return mondays_of(self.deadlines.timeline.plan.day[self.action])

    def count(self, reach: Reach) -> int:
        """Count the imports that go one way."""
        return int(np.count_nonzero(self.reach == REACHES.index(reach)))

    def weeks(self) -> Iterator[tuple[int, dict[Reach, int]]]:
        """Return the imports of each week that has any, by the way they go."""
        week = self.week
        for monday in np.unique(week).tolist():
            of_week = self.reach[week == monday]
            yield (
                monday,
                {
                    reach: int(np.count_nonzero(of_week == code))
                    for code, reach in enumerate(REACHES)
                },
            )

    def __repr__(self) -> str:
        counts = ", ".join(f"{self.count(reach)} {reach}" for reach in Reach)
        return f"Distribution({len(self)} imports: {counts})"

    def to_frame(self) -> "pd.DataFrame":
        """Return the table of distribution.csv."""
        return views.frame_of(self)

    def _repr_html_(self) -> str:
        return views.html_of(self)


def distribution(deadlines: Deadlines) -> Distribution:
    """Say how each import of the plan can reach its client.

    Notes
    -----
    Linear in imports and the sessions of their clients.
    """
    timeline = deadlines.timeline
    plan, fleet = timeline.plan, timeline.plan.fleet
    rows = imports_in_effect(deadlines)
    rows = rows[(plan.client[rows] >= 0) & (plan.client[rows] < fleet.n_endpoints)]
    eve = np.maximum(plan.day[rows] - 1, fleet.start).astype(np.int32)
    facts = kernel.facts_on(timeline.compiled.program, plan.client[rows], eve)
    sessions_of = Groups.by(fleet.sessions.client, fleet.n_endpoints)
    # Imports are some hundreds; each looks at the few sessions of its client.
    found = [
        _reach(timeline, sessions_of.of(client), client, int(level), day)
        for client, level, day in zip(
            plan.client[rows].tolist(), facts.tolist(), eve.tolist(), strict=True
        )
    ]
    return Distribution(
        deadlines=deadlines,
        action=rows,
        reach=np.array([REACHES.index(reach) for reach, _ in found], dtype=np.uint8),
        because=tuple(because for _, because in found),
    )


def _reach(
    timeline: Timeline, sessions: Numbers, client: int, level: int, day: int
) -> tuple[Reach, str]:
    """How a client can be reached on the day before its import, and why."""
    fleet = timeline.plan.fleet
    if fleet.is_server(client):
        return Reach.BY_HAND, "other servers"
    kind = ClientKind(fleet.clients.kind[client])
    if kind in _BY_HAND:
        return Reach.BY_HAND, _BY_HAND[kind]
    if _is_nas(fleet, client):
        return Reach.BY_HAND, "NAS"
    is_unknown = level == LevelFact.INSTALLED and fleet.endpoint_level(client) is None
    if not level or is_unknown:
        return Reach.BY_HAND, "never connected"
    scheduled = sessions[np.isin(fleet.sessions.kind[sessions], _SCHEDULED)]
    if not len(scheduled):
        return Reach.OWN_TOOL, "no session of a scheduler"
    if not any(_RUNS[_rule_on(timeline, int(session), day)] for session in scheduled):
        return Reach.OWN_TOOL, "its scheduler is refused at that time"
    return Reach.SCHEDULER, "backs up by its scheduler"


def _is_nas(fleet: Fleet, client: int) -> bool:
    return "nas" in fleet.clients.platform[client].casefold().replace("-", " ").split()


def _rule_on(timeline: Timeline, session: int, day: int) -> int:
    first, last = timeline.first[session], timeline.first[session + 1]
    place = np.searchsorted(timeline.day[first:last], day, side="right") - 1
    return int(timeline.rule[first + place])
