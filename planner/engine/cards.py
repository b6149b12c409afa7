"""The plan as cards that are moved from week to week: servers one by one, clients in groups.

A card is the upgrade (or installation) of its endpoints; to move it moves those actions and what
belongs to their day. What follows, `consequences` says for each card.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from planner.domain.calendar import NEVER, iso, monday_of
from planner.domain.fleet import Fleet, Numbers
from planner.domain.plan import UPGRADES, Action, Plan
from planner.domain.rules import RULES, VERDICTS, Mode, Verdict
from planner.engine.complete import complete
from planner.engine.deadlines import Deadlines, deadlines
from planner.engine.program import key_databases_of
from planner.engine.timeline import Timeline, simulate

_SAFE = (Verdict.IN_PLACE, Verdict.OK)
_DAYS_OF_WEEK = 7


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """The upgrade of one server, or of clients that belong together.

    Parameters
    ----------
    endpoints
        Endpoint numbers, ascending.
    turn
        Which upgrade of these endpoints it is, where they have several: 0 for the first.
    """

    name: str
    is_server: bool
    site: str
    endpoints: tuple[int, ...]
    turn: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Consequence:
    """What the day of one card brings: sessions refused, imports not safe, a calendar broken.

    `reasons` says each of them in one sentence.
    """

    refused: int = 0
    not_safe: int = 0
    is_off_calendar: bool = False
    reasons: tuple[str, ...] = ()


def cards(plan: Plan) -> tuple[Card, ...]:
    """Return the cards of a plan, servers first, each in the order of the plan.

    Clients are one card where they have the same site and owner and are upgraded in one week.
    """
    fleet = plan.fleet
    rows, endpoints, turns = _upgrades(plan)
    groups: dict[tuple[bool, int, str, str, int], list[int]] = {}
    for row, endpoint, turn in zip(
        rows.tolist(), endpoints.tolist(), turns.tolist(), strict=True
    ):  # one step for each upgrade of the plan
        is_server = fleet.is_server(endpoint)
        site = fleet.endpoint_site(endpoint)
        own = fleet.endpoint_name(endpoint) if is_server else fleet.clients.owner[endpoint]
        week = 0 if is_server else monday_of(plan.day[row])
        groups.setdefault((not is_server, week, site, own, turn), []).append(endpoint)
    return tuple(
        Card(
            name=_card_name(fleet, site, own, members, is_server=not is_group),
            is_server=not is_group,
            site=site,
            endpoints=tuple(sorted(members)),
            turn=turn,
        )
        for (is_group, _, site, own, turn), members in sorted(
            groups.items(), key=lambda item: item[0][0]
        )
    )


def _card_name(
    fleet: Fleet, site: str, owner: str, members: Sequence[int], *, is_server: bool
) -> str:
    if is_server or len(members) == 1:
        return fleet.endpoint_name(members[0])
    return ", ".join(filter(None, (site, owner))) or "clients"


def _upgrades(plan: Plan) -> tuple[Numbers, Numbers, Numbers]:
    """Rows of the upgrades inside the horizon, their endpoints, and which one of each it is."""
    fleet, n_clients = plan.fleet, len(plan.fleet.clients)
    at_server = plan.action == Action.UPGRADE_SERVER
    server = np.where(plan.server < len(fleet.servers), plan.server, -1)
    client = np.where(plan.client < n_clients, plan.client, -1)
    endpoint = np.where(at_server, np.where(server < 0, -1, server + n_clients), client)
    chosen = np.isin(plan.action, UPGRADES) & (endpoint >= 0)
    chosen &= (plan.day >= fleet.start) & (plan.day < fleet.end)
    rows = np.flatnonzero(chosen).astype(np.int32)
    endpoint = endpoint[rows].astype(np.int32)
    order = np.argsort(endpoint, kind="stable")
    place = np.arange(len(rows)) - np.searchsorted(endpoint[order], endpoint[order])
    turn = np.empty(len(rows), dtype=np.int32)
    turn[order] = place
    return rows, endpoint, turn


def rows_of(plan: Plan, card: Card) -> Numbers:
    """Rows of a plan that a card stands for."""
    rows, endpoints, turns = _upgrades(plan)
    chosen: Numbers = rows[np.isin(endpoints, card.endpoints) & (turns == card.turn)]
    return chosen


def weeks_of(plan: Plan, deck: Sequence[Card]) -> tuple[int, ...]:
    """Monday of the week in which each card's first upgrade is."""
    rows, endpoints, turns = _upgrades(plan)
    upgrades = zip(endpoints.tolist(), turns.tolist(), plan.day[rows].tolist(), strict=True)
    day_of = {(endpoint, turn): day for endpoint, turn, day in upgrades}
    return tuple(
        monday_of(min(day_of[endpoint, card.turn] for endpoint in card.endpoints)) for card in deck
    )


def move(plan: Plan, card: Card, monday: int) -> Plan:
    """Return the plan with a card in another week; an equal plan where it is there already.

    Each upgrade keeps its weekday where its site's window is open and no freeze holds, else it
    takes the nearest such day of the week; where the week has none it keeps its weekday, and
    `consequences` says so. Option changes of the same client, or for the same server, on the
    same day move along. Imports stay as they are planned.

    Raises
    ------
    ValueError
        If no day of that week lies inside the horizon.
    """
    fleet = plan.fleet
    monday = monday_of(monday)
    if not fleet.start - _DAYS_OF_WEEK < monday < fleet.end:
        raise ValueError(f"the week of {iso(monday)} lies outside the horizon")
    days = plan.day.copy()
    is_option = plan.action == Action.SET_OPTION
    for row in rows_of(plan, card).tolist():
        day = int(plan.day[row])
        new = _day_in_week(fleet, card.site, monday, day - monday_of(day))
        days[row] = new
        along = (
            plan.server == plan.server[row]
            if plan.action[row] == Action.UPGRADE_SERVER
            else plan.client == plan.client[row]
        )
        days[is_option & along & (plan.day == day)] = new
    return replace(plan, day=days)


def _day_in_week(fleet: Fleet, site: str, monday: int, weekday: int) -> int:
    week = range(max(monday, fleet.start), min(monday + _DAYS_OF_WEEK, fleet.end))
    nearest = sorted(week, key=lambda day: (abs(day - monday - weekday), day))
    return next((day for day in nearest if not _objection(fleet, site, day)), nearest[0])


def _objection(fleet: Fleet, site: str, day: int) -> str:
    """What the calendar has against an upgrade on a day; empty for nothing."""
    freeze = fleet.calendar.freeze_on(day)
    if freeze is not None:
        return f"{iso(day)} lies in the freeze {freeze.name}"
    if not fleet.calendar.is_in_window(day, site):
        return f"{iso(day)} is outside the window of {site}"
    return ""


def realigned(plan: Plan) -> Plan:
    """Return the plan with its badly timed imports dated anew, and the missing ones added.

    Imports that are late, on the day itself or inside the lead are dropped, and `complete` dates
    them; all others stay.
    """
    found = deadlines(simulate(plan))
    bad = ~found.has_verdict(*_SAFE)
    pairs = {*zip(found.key_database()[bad].tolist(), found.anchor[bad].tolist(), strict=True)}
    rows = np.flatnonzero(plan.action == Action.IMPORT_CERTIFICATE).astype(np.int32)
    held = zip(key_databases_of(plan, rows).tolist(), plan.certificate[rows].tolist(), strict=True)
    dropped = [row for row, pair in zip(rows.tolist(), held, strict=True) if pair in pairs]
    return complete(plan.without(np.array(dropped, dtype=np.int32)))


@dataclass(slots=True)
class _Tally:
    """What is counted for one card while the plan is looked through."""

    refused: dict[str, set[int]] = field(default_factory=dict)
    first_refused: int = NEVER
    example: str = ""
    verdicts: dict[Verdict, int] = field(default_factory=dict)
    objections: set[str] = field(default_factory=set)

    def consequence(self) -> Consequence:
        """Return the counts, and each of them in one sentence."""
        reasons = [f"{len(sessions)} refused: {why}" for why, sessions in self.refused.items()]
        if reasons:
            reasons[0] += f", from {iso(self.first_refused)}, for example {self.example}"
        if self.verdicts:
            counts = ", ".join(f"{count} {verdict}" for verdict, count in self.verdicts.items())
            reasons.append(f"imports not safe: {counts}")
        return Consequence(
            refused=len(set().union(*self.refused.values())),
            not_safe=sum(self.verdicts.values()),
            is_off_calendar=bool(self.objections),
            reasons=(*reasons, *sorted(self.objections)),
        )


Cause = Callable[[int, int, int], int]
"""Client, server and day to the card that came last before it; -1 for none."""


def consequences(found: Deadlines, deck: Sequence[Card]) -> tuple[Consequence, ...]:
    """Say for each card what its day brings.

    A session that begins to be refused counts for the card that came last before it, of those of
    its client and its server; so does an import that is not safe, for the card that made it
    necessary. What no card came before is not counted.

    Notes
    -----
    Linear in segments, apart from a step for each refused session and each import that is not safe.
    """
    timeline = found.timeline
    plan, fleet = timeline.plan, timeline.plan.fleet
    tallies = [_Tally() for _ in deck]
    days_of: dict[int, list[tuple[int, int]]] = {}
    rows, endpoints, turns = _upgrades(plan)
    card_of = {
        (endpoint, card.turn): number
        for number, card in enumerate(deck)
        for endpoint in card.endpoints
    }
    for row, endpoint, turn in zip(rows.tolist(), endpoints.tolist(), turns.tolist(), strict=True):
        number = card_of.get((endpoint, turn))
        if number is None:
            continue
        day = int(plan.day[row])
        days_of.setdefault(endpoint, []).append((day, number))
        objection = _objection(fleet, fleet.endpoint_site(endpoint), day)
        if objection:
            tallies[number].objections.add(objection)

    def cause(client: int, server: int, day: int) -> int:
        """Of the cards of either end, the last one that came by that day."""
        ends = (*days_of.get(client, ()), *days_of.get(server + len(fleet.clients), ()))
        return max((one for one in ends if one[0] <= day), default=(0, -1))[1]

    _count_refused(timeline, tallies, cause)
    _count_imports(found, tallies, cause)
    return tuple(tally.consequence() for tally in tallies)


def _count_refused(timeline: Timeline, tallies: Sequence[_Tally], cause: Cause) -> None:
    """Count each session once for each card that makes a stretch of refused days begin."""
    fleet, sessions = timeline.plan.fleet, timeline.plan.fleet.sessions
    session, is_refused = timeline.session(), timeline.mode() == Mode.REFUSED
    continues = np.zeros(len(timeline), dtype=np.bool_)
    continues[1:] = is_refused[:-1] & (session[1:] == session[:-1])
    for segment in np.flatnonzero(is_refused & ~continues).tolist():
        number, day = int(session[segment]), int(timeline.day[segment])
        card = cause(int(sessions.client[number]), int(sessions.server[number]), day)
        if card < 0:
            continue
        tally, rule = tallies[card], RULES[timeline.rule[segment]]
        if day < tally.first_refused:
            tally.first_refused, tally.example = day, fleet.session_text(number)
        message = f" ({rule.message})" if rule.message else ""
        tally.refused.setdefault(f"{rule.reason}{message}", set()).add(number)


def _count_imports(found: Deadlines, tallies: Sequence[_Tally], cause: Cause) -> None:
    """Count each import that is not safe for the card that makes it necessary."""
    servers = found.timeline.plan.fleet.sessions.server
    is_safe = found.has_verdict(*_SAFE)
    if is_safe.all():
        return
    endpoint = found.endpoint()
    first_pair: dict[int, int] = {}
    for row, session in zip(*(column.tolist() for column in found.needing()), strict=True):
        if not is_safe[row]:
            first_pair.setdefault(row, session)
    for row, session in first_pair.items():
        day = int(found.needed[row])
        card = cause(int(endpoint[row]), int(servers[session]), day)
        if card >= 0:
            verdicts = tallies[card].verdicts
            verdict = VERDICTS[found.verdict[row]]
            verdicts[verdict] = verdicts.get(verdict, 0) + 1
