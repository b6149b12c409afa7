"""What every check looks at: one plan, simulated, with its deadlines, use cases and refusals."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from planner.domain.calendar import Days, iso
from planner.domain.certificates import Certificates
from planner.domain.findings import Finding, Severity
from planner.domain.fleet import Codes, Flags, Fleet, Groups, Numbers
from planner.domain.levels import Level
from planner.domain.plan import Action, Plan
from planner.domain.rules import RULES, Mode, Reason, Rule, Verdict
from planner.engine import kernel
from planner.engine.deadlines import Deadlines
from planner.engine.program import Program, key_databases_of, level_causes, not_installed
from planner.engine.timeline import Timeline
from planner.engine.use_cases import use_cases

REASON_CODE: Mapping[Reason, int] = {reason: code for code, reason in enumerate(Reason)}
"""Places of the reasons in `Refusals.reason`."""

_REASON_OF_RULE = np.array([REASON_CODE[rule.reason] for rule in RULES], dtype=np.uint8)
_WANTS_TRUST = (REASON_CODE[Reason.UNTRUSTED], REASON_CODE[Reason.WRONG_CERTIFICATE])
_UNMET = (Verdict.MISSING, Verdict.LATE, Verdict.IMPOSSIBLE)


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Refusals:
    """Stretches of days in which a session is refused for one reason, by session, then day.

    Parameters
    ----------
    session, start, end, rule
        Shape `(n,)`: the session, the days `[start, end)`, and the first rule of the stretch.
    reason
        Shape `(n,)`: what all of its rules say, as in `REASON_CODE`.
    anchor
        Shape `(n,)`: anchor of what the server presents. A stretch for want of trust ends where
        the server presents a certificate of another anchor.
    """

    session: Numbers
    start: Days
    end: Days
    rule: Codes
    reason: Codes
    anchor: Numbers

    def __len__(self) -> int:
        return len(self.session)

    def because_of(self, *reasons: Reason) -> Flags:
        """Whether each stretch has one of the reasons; shape `(n,)`."""
        return np.isin(self.reason, [REASON_CODE[reason] for reason in reasons])

    def days(self, rows: NDArray[np.intp]) -> int:
        """Length of some of the stretches together [session-days]."""
        return int((self.end[rows] - self.start[rows]).sum())


@dataclass(frozen=True, slots=True, eq=False)
class Review:
    """A simulated plan under check.

    Parameters
    ----------
    deadlines
        Those of the simulation; they lead to everything else.
    use_cases
        Shape `(n_sessions,)`.
    refusals
        Every stretch of days in which a session is refused.
    absent
        Shape `(n_endpoints,)`: whether the endpoint is not installed on the first day.
    sessions_of_client
        The sessions of each client endpoint.
    level_causes
        The plan's row behind each row of `Program.level_day`, -1 for none.
    """

    deadlines: Deadlines
    use_cases: NDArray[np.uint8] = field(init=False)
    refusals: Refusals = field(init=False)
    absent: Flags = field(init=False)
    sessions_of_client: Groups = field(init=False)
    level_causes: Numbers = field(init=False)

    def __post_init__(self) -> None:
        fleet = self.fleet
        by_client = Groups.by(fleet.sessions.client, fleet.n_endpoints)
        object.__setattr__(self, "use_cases", use_cases(self.timeline))
        object.__setattr__(self, "refusals", _refusals(self.timeline))
        object.__setattr__(self, "absent", not_installed(self.plan))
        object.__setattr__(self, "sessions_of_client", by_client)
        object.__setattr__(self, "level_causes", level_causes(self.plan))

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

    @property
    def certificates(self) -> Certificates:
        """All certificates, those included that the plan or the MD5 rule names."""
        return self.timeline.compiled.certificates

    def client_name(self, session: int) -> str:
        """Name of a session's client."""
        return self.fleet.endpoint_name(int(self.fleet.sessions.client[session]))

    def server_name(self, session: int) -> str:
        """Name of a session's server."""
        return self.fleet.servers.name[int(self.fleet.sessions.server[session])]

    def server_endpoint(self, server: int) -> int:
        """Endpoint number of a server."""
        return len(self.fleet.clients) + int(server)

    def level_on(self, endpoint: int, day: int) -> Level | None:
        """Level of an endpoint after a day's actions; None where unknown or not installed."""
        program = self.program
        first, last = program.level_first[endpoint], program.level_first[endpoint + 1]
        row = first + int(np.searchsorted(program.level_day[first:last], day, side="right")) - 1
        cause = int(self.level_causes[row])
        if cause < 0:
            return self.fleet.endpoint_level(endpoint)
        if self.plan.action[cause] == Action.RETIRE_CLIENT:
            return None
        return Level.parse(self.plan.vocabulary.texts[self.plan.value[cause]])

    def facts_on(self, endpoints: Numbers, days: Days) -> NDArray[np.uint16]:
        """`LevelFact` of endpoints after the actions of days; all of shape `(n,)`."""
        return kernel.facts_on(self.program, endpoints, days)

    def servers_of_rows(self) -> Numbers:
        """Server of each row of `Program.server_day`."""
        n_servers = len(self.fleet.servers)
        return np.repeat(np.arange(n_servers, dtype=np.int32), np.diff(self.program.server_first))

    def server_row(self, server: int, day: int) -> int:
        """Row of `Program.server_day` that holds on a day."""
        return _server_row(self.program, server, day)

    def rules_on(self, sessions: Numbers, day: int) -> Codes:
        """Rule of each of some sessions on a day of the horizon."""
        timeline = self.timeline
        # Sessions of one account or one client: a few.
        rows = [
            first + int(np.searchsorted(timeline.day[first:last], day, side="right")) - 1
            for first, last in zip(
                timeline.first[sessions].tolist(),
                timeline.first[sessions + 1].tolist(),
                strict=True,
            )
        ]
        return timeline.rule[rows]

    def active(self, *actions: Action) -> Numbers:
        """Rows of the plan of these kinds, of all where none is given, inside the horizon."""
        plan, fleet = self.plan, self.fleet
        inside = (plan.day >= fleet.start) & (plan.day < fleet.end)
        if actions:
            inside &= np.isin(plan.action, [int(action) for action in actions])
        return np.flatnonzero(inside).astype(np.int32)

    def sessions_of_options(self, rows: Numbers) -> tuple[Numbers, Numbers]:
        """Pairs of a `set-option` row of the plan and a session that it is for."""
        plan, fleet = self.plan, self.fleet
        rows = rows[(plan.client[rows] >= 0) & (plan.client[rows] < fleet.n_endpoints)]
        first = self.sessions_of_client.first
        client = plan.client[rows]
        counts = first[client + 1] - first[client]
        row = np.repeat(rows, counts)
        within = np.arange(len(row)) - np.repeat(np.cumsum(counts) - counts, counts)
        session = self.sessions_of_client.member[np.repeat(first[client], counts) + within]
        sessions, databases = fleet.sessions, fleet.key_databases
        matches = np.ones(len(row), dtype=np.bool_)
        for wanted, own in (
            (plan.server[row], sessions.server[session]),
            (plan.account[row], fleet.accounts.name_number[sessions.account[session]]),
            (plan.key_database[row], databases.name_number[sessions.key_database[session]]),
        ):
            matches &= (wanted < 0) | (wanted == own)
        return row[matches], session[matches]

    def key_databases_of(self, rows: Numbers) -> Numbers:
        """Key database of each import or removal of the plan; -1 where no session has it."""
        return key_databases_of(self.plan, rows)

    def refused_on(self, sessions: Iterable[int], day: int, *reasons: Reason) -> list[int]:
        """Stretches of refusal for these reasons of these sessions that cover a day."""
        refusals = self.refusals
        wanted = refusals.because_of(*reasons) & (refusals.start <= day) & (day < refusals.end)
        rows = np.flatnonzero(wanted & np.isin(refusals.session, list(sessions)))
        return [int(row) for row in rows]

    def refused_text(self, rows: NDArray[np.intp]) -> str:
        """Stretches of refusal in words: reason, message, from when to when, and who."""
        refusals = self.refusals
        rules = [RULES[number] for number in refusals.rule[rows]]
        reasons = " and ".join(dict.fromkeys(reason_text(rule) for rule in rules))
        begin, end = int(refusals.start[rows].min()), int(refusals.end[rows].max())
        who = listed([self.fleet.session_text(int(s)) for s in refusals.session[rows]])
        return f"refused from {iso(begin)} {self.until_text(end)} ({reasons}): {who}"

    def until_text(self, end: int) -> str:
        """End of an interval in words."""
        return "to the end of the plan" if end >= self.fleet.end else f"until {iso(end)}"

    def finding_on_action(
        self, row: int, rule: str, severity: Severity, *, what: str, why: str, fix: str
    ) -> Finding:
        """Return a finding that points at an action of the plan."""
        action = self.plan.row(row)
        parts = (
            action.client,
            action.server,
            action.account,
            action.key_database,
            action.certificate,
            action.option,
        )
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


def _server_row(program: Program, server: int, day: int) -> int:
    first, last = program.server_first[server], program.server_first[server + 1]
    return int(first + np.searchsorted(program.server_day[first:last], day, side="right") - 1)


def _refusals(timeline: Timeline) -> Refusals:
    """Join the refused segments of each session that follow each other for one reason."""
    fleet, program = timeline.plan.fleet, timeline.compiled.program
    rows = np.flatnonzero(timeline.mode() == Mode.REFUSED)
    session, end = timeline.session()[rows], timeline.until()[rows]
    start, rule = timeline.day[rows], timeline.rule[rows]
    reason = _REASON_OF_RULE[rule]
    begins = np.ones(len(rows), dtype=np.bool_)
    begins[1:] = (
        (session[1:] != session[:-1]) | (start[1:] != end[:-1]) | (reason[1:] != reason[:-1])
    )
    firsts = np.flatnonzero(begins)
    lasts = np.append(firsts[1:], len(rows))[: len(firsts)] - 1
    stretches: list[tuple[int, int, int, int, int, int]] = []
    # Refused sessions are faults: these alone cost a step of plain Python each.
    for first, last in zip(firsts.tolist(), lasts.tolist(), strict=True):
        server = int(fleet.sessions.server[session[first]])
        place = _server_row(program, server, int(start[first]))
        begin, finish, code = int(start[first]), int(end[last]), int(reason[first])
        anchor = int(program.server_anchor[place])
        while code in _WANTS_TRUST and place + 1 < program.server_first[server + 1]:
            place += 1
            change = int(program.server_day[place])
            if change >= finish:
                break
            if program.server_anchor[place] != anchor:
                stretches.append((session[first], begin, change, rule[first], code, anchor))
                begin, anchor = change, int(program.server_anchor[place])
        stretches.append((session[first], begin, finish, rule[first], code, anchor))
    table = np.array(stretches, dtype=np.int32).reshape(len(stretches), 6)
    columns = [np.ascontiguousarray(table[:, column]) for column in range(6)]
    return Refusals(
        session=columns[0],
        start=columns[1],
        end=columns[2],
        rule=columns[3].astype(np.uint8),
        reason=columns[4].astype(np.uint8),
        anchor=columns[5],
    )


def unmet_rows(review: Review) -> dict[tuple[int, int], int]:
    """Deadline rows that nothing meets in time, by key database and anchor."""
    deadlines = review.deadlines
    rows = np.flatnonzero(deadlines.has_verdict(*_UNMET))
    databases = deadlines.key_database()[rows].tolist()
    anchors = deadlines.anchor[rows].tolist()
    return dict(zip(zip(databases, anchors, strict=True), rows.tolist(), strict=True))


def refused_for_deadlines(review: Review) -> dict[int, list[int]]:
    """Stretches of refusal that an unmet deadline explains, by deadline row."""
    deadlines, refusals = review.deadlines, review.refusals
    unmet = unmet_rows(review)
    explained: dict[int, list[int]] = {}
    wants_trust = refusals.because_of(Reason.UNTRUSTED, Reason.WRONG_CERTIFICATE)
    for stretch in np.flatnonzero(wants_trust).tolist():
        database = int(review.fleet.sessions.key_database[refusals.session[stretch]])
        row = unmet.get((database, int(refusals.anchor[stretch])))
        if row is not None and refusals.start[stretch] < deadlines.planned[row]:
            explained.setdefault(row, []).append(stretch)
    return explained


def because(rule: Rule) -> str:
    """Sentence of a rule with its source and status."""
    return f"{rule.sentence} [{rule.source}, {rule.status}]"


def rule_of(number: int) -> Rule:
    """Rule of a segment."""
    return RULES[number]


def reason_text(rule: Rule) -> str:
    """Reason of a refusal with the message number that the client shows."""
    return f"{rule.reason}, {rule.message}" if rule.message else str(rule.reason)


def listed(names: Iterable[str], limit: int = 6) -> str:
    """Names in a sentence, the first few of them."""
    distinct = list(dict.fromkeys(names))
    more = len(distinct) - limit
    text = ", ".join(distinct[:limit])
    return f"{text} and {more} more" if more > 0 else text
