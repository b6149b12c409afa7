"""What every check looks at: one plan, simulated, with its deadlines and use cases."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray


from planner.domain.findings import Finding, Severity
from planner.domain.fleet import Fleet, Flags, Numbers
from planner.domain.levels import Level
from planner.domain.plan import Action, Plan
from planner.domain.rules import RULES, Rule
from planner.engine.deadlines import Deadlines
from planner.engine.program import Program
from planner.engine.timeline import Timeline
from planner.engine.use_cases import use_cases


@dataclass(frozen=True, slots=True, eq=False)
class Review:
    """A simulated plan under check."""

    deadlines: Deadlines
    use_cases: NDArray[np.uint8] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "use_cases", use_cases(self.timeline))

    @property
    def timeline(self) -> Timeline:
        """The simulation."""
        return self.deadlines.timeline

    @property
    def plan(self) -> Plan:
        """The plan that was simulated."""
        return self.timeline.plan

    @property
    def fleet(self) -> Fleet:
        """The fleet of the plan."""
        return self.timeline.plan.fleet

    @property
    def program(self) -> Program:
        """The compiled plan."""
        return self.timeline.compiled.program

    def certificate_name(self, certificate: int) -> str:
        """Name of a certificate."""
        return self.timeline.compiled.certificates.name[certificate]

    def level_on(self, endpoint: int, day: int) -> Level | None:
        """Level of an endpoint after a day's actions; None where unknown or not installed."""
        program = self.program
        first, last = program.level_first[endpoint], program.level_first[endpoint + 1]
        row = first + int(np.searchsorted(program.level_day[first:last], day, side="right")) - 1
        cause = int(self.timeline.compiled.level_cause[row])
        if cause < 0:
            return self.fleet.endpoint_level(endpoint)
        if self.plan.action[cause] == Action.RETIRE_CLIENT:
            return None
        return Level.parse(self.plan.vocabulary.texts[self.plan.value[cause]])

    def facts_on(self, endpoint: int, day: int) -> int:
        """`LevelFact` of an endpoint after a day's actions."""
        program = self.program
        first, last = program.level_first[endpoint], program.level_first[endpoint + 1]
        row = first + int(np.searchsorted(program.level_day[first:last], day, side="right")) - 1
        return int(program.level_facts[row])

    def server_row(self, server: int, day: int) -> int:
        """Row of `Program.server_day` that holds on a day."""
        program = self.program
        first, last = program.server_first[server], program.server_first[server + 1]
        return int(first + np.searchsorted(program.server_day[first:last], day, side="right") - 1)

    def active(self, *actions: Action) -> Numbers:
        """Rows of the plan of these kinds inside the horizon."""
        plan, fleet = self.plan, self.fleet
        of_kind = np.isin(plan.action, [int(action) for action in actions])
        inside = (plan.day >= fleet.start) & (plan.day < fleet.end)
        return np.flatnonzero(of_kind & inside).astype(np.int32)

    def matching_sessions(self, row: int) -> Flags:
        """Sessions that a `set-option` action of the plan is for."""
        plan, fleet = self.plan, self.fleet
        sessions = fleet.sessions
        matches = sessions.client == plan.client[row]
        if plan.server[row] >= 0:
            matches &= sessions.server == plan.server[row]
        if plan.account[row] >= 0:
            matches &= fleet.accounts.name_number[sessions.account] == plan.account[row]
        if plan.key_database[row] >= 0:
            names = fleet.key_databases.name_number[sessions.key_database]
            matches &= names == plan.key_database[row]
        return matches

    def finding_on_action(
        self, row: int, rule: str, severity: Severity, *, what: str, why: str, fix: str
    ) -> Finding:
        """Return a finding that points at an action of the plan."""
        action = self.plan.row(row)
        parts = (action.client, action.server, action.account, action.certificate, action.option)
        return Finding(
            rule=rule,
            severity=severity,
            day=action.day,
            subject=f"{action.action.label} {' '.join(part for part in parts if part)}",
            what=what,
            why=why,
            fix=fix,
            file=action.file,
            line=action.line,
        )


def because(rule: Rule) -> str:
    """Sentence of a rule with its source and status."""
    return f"{rule.sentence} [{rule.source}, {rule.status}]"


def rule_of(number: int) -> Rule:
    """Rule of a segment."""
    return RULES[number]


def listed(names: list[str], limit: int = 6) -> str:
    """Names in a sentence, the first few of them."""
    distinct = list(dict.fromkeys(names))
    more = len(distinct) - limit
    text = ", ".join(distinct[:limit])
    return f"{text} and {more} more" if more > 0 else text
