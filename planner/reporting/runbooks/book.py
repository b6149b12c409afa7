"""What all runbooks of one plan are written from, looked up once."""

from dataclasses import dataclass, field

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


@dataclass(frozen=True, slots=True, eq=False)
class Book:
    """One plan with its bundles, replacements and commands, and who has what."""

    deadlines: Deadlines
    commands: list[str] = field(init=False)
    bundles: Bundles = field(init=False)
    replacements: Replacements = field(init=False)
    bundles_of_endpoint: dict[int, list[Bundle]] = field(init=False)
    needed_for_server: dict[str, list[tuple[Bundle, Anchor]]] = field(init=False)
    sessions_of_client: Groups = field(init=False)
    sessions_of_server: Groups = field(init=False)
    sessions_of_account: Groups = field(init=False)
    rows_of_endpoint: dict[int, list[int]] = field(init=False)
    rows_of_server: dict[int, list[int]] = field(init=False)

    def __post_init__(self) -> None:
        plan, fleet = self.plan, self.plan.fleet
        sessions = fleet.sessions
        found = bundles(self.deadlines)
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
        for name, value in {
            "commands": schedule(plan, self.deadlines)["command"].tolist(),
            "bundles": found,
            "replacements": replacements(self.deadlines),
            "bundles_of_endpoint": bundles_of,
            "needed_for_server": needed_for,
            "sessions_of_client": Groups.by(sessions.client, fleet.n_endpoints),
            "sessions_of_server": Groups.by(sessions.server, len(fleet.servers)),
            "sessions_of_account": Groups.by(sessions.account, len(fleet.accounts)),
            "rows_of_endpoint": of_endpoint,
            "rows_of_server": of_server,
        }.items():
            object.__setattr__(self, name, value)

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
    days = sorted(window.weekdays if window else calendar.working_days)
    upgrades = " ".join(WEEKDAYS[day] for day in days) if window else "any day"
    working = " ".join(WEEKDAYS[day] for day in sorted(calendar.working_days))
    return f"upgrades {upgrades}; imports and options {working}; nothing in a freeze"
