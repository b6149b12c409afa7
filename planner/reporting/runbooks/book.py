"""What all runbooks of one plan are written from, looked up once."""

from dataclasses import dataclass

import numpy as np

from planner.domain.calendar import NEVER, WEEKDAYS
from planner.domain.fleet import Groups
from planner.domain.plan import Action, Plan
from planner.domain.rules import RULES, Mode
from planner.engine.deadlines import Deadlines
from planner.engine.replacements import Replacements, replacements
from planner.reporting.bundles import Anchor, Bundle, Bundles, bundles
from planner.reporting.schedule import schedule

_TURNS_STRICT = np.array([rule.mode in (Mode.TLS_PARTIAL, Mode.TLS_FULL) for rule in RULES])
_OF_CLIENT = (
    Action.UPGRADE_CLIENT,
    Action.INSTALL_CLIENT,
    Action.RETIRE_CLIENT,
    Action.IMPORT_CERTIFICATE,
    Action.REMOVE_CERTIFICATE,
    Action.SET_OPTION,
)


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Book:
    """One plan with its bundles, replacements and commands, and who has what."""

    deadlines: Deadlines
    commands: list[str]
    bundles: Bundles
    replacements: Replacements
    bundles_of_endpoint: dict[int, list[Bundle]]
    needed_for_server: dict[str, list[tuple[Bundle, Anchor]]]
    sessions_of_client: Groups
    sessions_of_server: Groups
    sessions_of_account: Groups
    rows_of_endpoint: dict[int, list[int]]
    rows_of_server: dict[int, list[int]]

    @classmethod
    def of(cls, deadlines: Deadlines) -> "Book":
        """Look up what the runbooks of a plan say."""
        plan = deadlines.timeline.plan
        fleet, sessions = plan.fleet, plan.fleet.sessions
        found = bundles(deadlines)
        bundles_of: dict[int, list[Bundle]] = {}
        needed_for: dict[str, list[tuple[Bundle, Anchor]]] = {}
        for bundle in found:
            bundles_of.setdefault(bundle.endpoint, []).append(bundle)
            for anchor in bundle.anchors:
                for server in anchor.servers.split(";"):
                    needed_for.setdefault(server, []).append((bundle, anchor))
        of_endpoint: dict[int, list[int]] = {}
        of_server: dict[int, list[int]] = {}
        for row, (action, client, own) in enumerate(
            zip(plan.action.tolist(), plan.client.tolist(), plan.server.tolist(), strict=True)
        ):
            if action in _OF_CLIENT:
                of_endpoint.setdefault(client, []).append(row)
            else:
                of_server.setdefault(own, []).append(row)
        return cls(
            deadlines=deadlines,
            commands=schedule(plan, deadlines)["command"].tolist(),
            bundles=found,
            replacements=replacements(deadlines),
            bundles_of_endpoint=bundles_of,
            needed_for_server=needed_for,
            sessions_of_client=Groups.by(sessions.client, fleet.n_endpoints),
            sessions_of_server=Groups.by(sessions.server, len(fleet.servers)),
            sessions_of_account=Groups.by(sessions.account, len(fleet.accounts)),
            rows_of_endpoint=of_endpoint,
            rows_of_server=of_server,
        )

    @property
    def plan(self) -> Plan:
        """The plan that the runbooks carry out."""
        return self.deadlines.timeline.plan

    def first_tls(self, session: int) -> int:
        """First day on which a session is TLS between new partners; `NEVER` for none."""
        timeline = self.deadlines.timeline
        rows = slice(timeline.first[session], timeline.first[session + 1])
        found = np.flatnonzero(_TURNS_STRICT[timeline.rule[rows]])
        return int(timeline.day[rows][found[0]]) if len(found) else NEVER

    def mode_on(self, session: int, day: int) -> str:
        """What the state of a session is on a day, in words; empty outside the horizon."""
        timeline, fleet = self.deadlines.timeline, self.plan.fleet
        if not fleet.start <= day < fleet.end:
            return ""
        first, last = timeline.first[session], timeline.first[session + 1]
        place = int(np.searchsorted(timeline.day[first:last], day, side="right")) - 1
        rule = RULES[timeline.rule[first + place]]
        return f"{rule.mode.label} ({rule.reason})" if rule.reason else rule.mode.label


def window(book: Book, site: str) -> str:
    """Say in words on which days of the week what may be done at a site."""
    calendar = book.plan.fleet.calendar
    window = calendar.window_of(site)
    upgrades = _weekdays(window.weekdays) if window else "any day"
    working = _weekdays(calendar.working_days)
    return f"upgrades {upgrades}; imports and options {working}; nothing in a freeze"


def _weekdays(days: frozenset[int]) -> str:
    return " ".join(WEEKDAYS[day] for day in sorted(days))
