"""An independent check of rollout orders.

It reads a fleet and a plan and nothing else, derives every order rule once more by plain loops,
and shares no code with the scheduler or the optimiser. One function a constraint.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Final

import numpy as np

from planner.domain.calendar import NEVER, WEEKDAYS, iso, monday_of, to_date
from planner.domain.findings import Finding, Findings, Severity, in_order
from planner.domain.fleet import Fleet, SessionKind
from planner.domain.levels import Era
from planner.domain.options import SSL
from planner.domain.order_rules import RuleKind
from planner.domain.plan import Action, Plan
from planner.domain.rules import Mode, Verdict
from planner.engine.deadlines import Deadlines, deadlines
from planner.engine.timeline import simulate

_UPGRADES: Final = ("upgrade-server", "upgrade-client", "install-client")
_SETTLED: Final = ("approved", "done")
_GOOD: Final = (Verdict.IN_PLACE, Verdict.OK)
_broken = partial(Finding, severity=Severity.ERROR)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Order:
    """A plan as the checks read it.

    Parameters
    ----------
    days
        Days of each endpoint's upgrades.
    settled
        Dates that stand, by endpoint.
    pairs
        Endpoints that go together: two of them, the days that they have, and the rule.
    company
        One endpoint that stands for all that go on one day with an endpoint.
    """

    fleet: Fleet
    plan: Plan
    found: Deadlines
    days: Mapping[int, list[int]]
    settled: Mapping[int, int]
    pairs: tuple[tuple[int, int, int, str], ...]
    company: Mapping[int, int]

    def day(self, endpoint: int) -> int | None:
        """Day of an endpoint's upgrade; None for none."""
        days = self.days.get(endpoint)
        return days[0] if days else None

    def name(self, endpoint: int) -> str:
        """Name of an endpoint."""
        return self.fleet.endpoint_name(endpoint)

    def settled_days(self) -> set[tuple[int, int]]:
        """Companies with a settled date that the plan keeps, and the date."""
        return {
            (self.company.get(endpoint, endpoint), day)
            for endpoint, day in self.settled.items()
            if self.day(endpoint) == day
        }


def check_order(plan: Plan, *, initial: Plan | None = None) -> Findings:
    """Check every hard constraint of a rollout order; no finding means that all of them hold.

    Parameters
    ----------
    plan
        The order, with its imports.
    initial
        The plan whose approved and done dates must stay.
    """
    fleet, pairs = plan.fleet, tuple(_pairs(plan.fleet))
    order = _Order(
        fleet=fleet,
        plan=plan,
        found=deadlines(simulate(plan)),
        days=_days(plan),
        settled=_settled_days(fleet, initial),
        pairs=pairs,
        company=_company(pairs),
    )
    return in_order([finding for check in CHECKS for finding in check(order)])


def _endpoint(plan: Plan, row: int) -> int:
    """Endpoint that a row upgrades; -1 for none."""
    if Action(plan.action[row]).label not in _UPGRADES:
        return -1
    action = plan.row(row)
    if action.action is Action.UPGRADE_SERVER:
        server = plan.fleet.servers.name.find(action.server)
        return len(plan.fleet.clients) + server if server >= 0 else -1
    return plan.fleet.clients.name.find(action.client)


def _days(plan: Plan) -> dict[int, list[int]]:
    days: dict[int, list[int]] = defaultdict(list)
    for row in range(len(plan)):
        endpoint = _endpoint(plan, row)
        if endpoint >= 0:
            days[endpoint].append(int(plan.day[row]))
    return dict(days)


def _settled_days(fleet: Fleet, initial: Plan | None) -> dict[int, int]:
    """Dates that stand: installations, and what a plan has approved or done."""
    settled = {}
    if initial is not None:
        for row in range(len(initial)):
            endpoint = _endpoint(initial, row)
            if endpoint >= 0 and initial.row(row).status.strip().casefold() in _SETTLED:
                settled[endpoint] = int(initial.day[row])
    for rule in fleet.rules:
        if rule.kind is RuleKind.FIXED:
            settled[rule.first] = rule.day
    for client in range(len(fleet.clients)):
        if fleet.endpoint_level(client) is None and fleet.clients.upgrade[client] != NEVER:
            settled[client] = int(fleet.clients.upgrade[client])
    return settled


def check_for_upgrades(order: _Order) -> Iterator[Finding]:
    """Every endpoint with a target level is upgraded once, inside the horizon."""
    fleet = order.fleet
    targets = [*fleet.clients.target_level.tolist(), *fleet.servers.target_level.tolist()]
    for endpoint, target in enumerate(targets):
        days = order.days.get(endpoint, [])
        is_absent = fleet.endpoint_level(endpoint) is None and endpoint < len(fleet.clients)
        upgrade = int(fleet.clients.upgrade[endpoint]) if is_absent else fleet.start
        wanted = int(target >= 0 and fleet.start <= upgrade < fleet.end)
        if len(days) != wanted or not all(fleet.start <= day < fleet.end for day in days):
            yield _broken(
                rule="order-upgrades",
                day=days[0] if days else NEVER,
                subject=order.name(endpoint),
                what=f"it is upgraded {len(days)} times: {', '.join(map(iso, days)) or 'never'}",
                why="An order gives every endpoint with a target level one day of the plan.",
                fix="Leave one row for it.",
            )


def check_for_calendar(order: _Order) -> Iterator[Finding]:
    """No upgrade in a freeze, on a holiday or outside its site's window, unless it is settled."""
    fleet, calendar = order.fleet, order.fleet.calendar
    windows = {window.site.casefold(): window for window in calendar.windows}
    settled = order.settled_days()
    for endpoint, days in order.days.items():
        for day in days:
            if (order.company.get(endpoint, endpoint), day) in settled:
                continue
            window = windows.get(fleet.endpoint_site(endpoint).casefold())
            weekday = to_date(day).weekday()
            reasons = [
                *(
                    ("order-freeze", f"the freeze {freeze.name!r}")
                    for freeze in calendar.freezes
                    if freeze.start <= day < freeze.end
                ),
                *([("order-holiday", "a holiday")] if day in calendar.holidays else []),
                *(
                    [("order-window", f"no day of the window of {window.site}")]
                    if window is not None and weekday not in window.weekdays
                    else []
                ),
            ]
            for rule, what in reasons:
                yield _broken(
                    rule=rule,
                    day=day,
                    subject=order.name(endpoint),
                    what=f"{WEEKDAYS[weekday]} {iso(day)} is {what}",
                    why="Upgrades are made in windows, outside freezes and holidays.",
                    fix="Move it to an open day.",
                )


def check_for_capacities(order: _Order) -> Iterator[Finding]:
    """No week has more upgrades or imports than its capacity; settled dates stand in any case."""
    fleet, n_clients = order.fleet, len(order.fleet.clients)
    capacity = fleet.capacity
    loads: dict[str, Counter[int]] = {"clients": Counter(), "servers": Counter()}
    settled: dict[str, Counter[int]] = {"clients": Counter(), "servers": Counter()}
    stays = order.settled_days()
    for endpoint, days in order.days.items():
        kind = "clients" if endpoint < n_clients else "servers"
        for day in days:
            loads[kind][monday_of(day)] += 1
            if (order.company.get(endpoint, endpoint), day) in stays:
                settled[kind][monday_of(day)] += 1
    imports = Counter(
        monday_of(int(day))
        for day, action in zip(order.plan.day, order.plan.action, strict=True)
        if action == Action.IMPORT_CERTIFICATE
    )
    for rule, label, limit, load, stay in (
        ("order-clients", "clients", capacity.clients_per_week, loads["clients"], "clients"),
        ("order-servers", "servers", capacity.servers_per_week, loads["servers"], "servers"),
        ("order-imports", "imports", capacity.imports_per_week, imports, ""),
    ):
        for week, count in sorted(load.items()):
            allowed = max(limit or 0, settled[stay][week] if stay else 0)
            if limit is not None and count > allowed:
                yield _broken(
                    rule=rule,
                    day=week,
                    subject=f"week of {iso(week)}",
                    what=f"{count} {label}, and {limit} are possible",
                    why="Each ISO week has its capacity.",
                    fix=f"Move {count - allowed} of them to another week.",
                )


def check_for_dates(order: _Order) -> Iterator[Finding]:
    """No endpoint before its earliest or after its latest date, nor off a settled one."""
    wanted = [
        (rule.first, rule.kind.value, rule.day)
        for rule in order.fleet.rules
        if rule.hard and rule.kind in (RuleKind.EARLIEST, RuleKind.LATEST)
    ]
    wanted += [(endpoint, "fixed", day) for endpoint, day in order.settled.items()]
    for endpoint, kind, date in wanted:
        day = order.day(endpoint)
        if day is None:
            continue
        is_kept = {"earliest": day >= date, "latest": day <= date, "fixed": day == date}[kind]
        if not is_kept:
            yield _broken(
                rule=f"order-{kind}",
                day=day,
                subject=order.name(endpoint),
                what=f"it is on {iso(day)}; {kind} is {iso(date)}",
                why="Rules, approved and done dates set it.",
                fix=f"Move it; {kind} is {iso(date)}.",
            )


def check_for_sequences(order: _Order) -> Iterator[Finding]:
    """What must come first comes first: by rules.csv, and by what the sessions are for."""
    for rule, first, then, days in _sequences(order):
        before, after = order.day(first), order.day(then)
        if before is not None and after is not None and after - before < days:
            yield _broken(
                rule=rule,
                day=after,
                subject=order.name(then),
                what=f"it is on {iso(after)}, and {order.name(first)}, which comes first, on "
                f"{iso(before)}",
                why=f"There must be at least {days} days from the one to the other.",
                fix="Move one of the two.",
            )


def _sequences(order: _Order) -> Iterator[tuple[str, int, int, int]]:
    """Rule, what comes first, what comes then, and the least days in between."""
    fleet, sessions = order.fleet, order.fleet.sessions
    n_clients = len(fleet.clients)
    pilots = [(rule.first, rule.days) for rule in fleet.rules if rule.kind is RuleKind.PILOT]
    free = {order.company.get(pilot, pilot) for pilot, _ in pilots}
    free |= {order.company.get(endpoint, endpoint) for endpoint in order.settled}
    for rule in fleet.rules:
        if rule.kind is RuleKind.BEFORE and rule.hard:
            yield "order-before", rule.first, rule.then, rule.days
    for pilot, days in pilots:
        for other in order.days:
            if order.company.get(other, other) not in free:
                yield "order-pilot", pilot, other, days
    for session in range(len(sessions)):
        client, server = int(sessions.client[session]), int(sessions.server[session]) + n_clients
        level = fleet.endpoint_level(client)
        if sessions.kind[session] == SessionKind.SERVER:
            yield "order-replication", client, server, 0
        elif sessions.kind[session] == SessionKind.LIBRARY:
            yield "order-library", server, client, 0
        elif level is not None and level.vrl < (6, 3, 0) and sessions.options[session] & SSL.mask:
            yield "order-below-63", client, server, 0


def check_for_groups(order: _Order) -> Iterator[Finding]:
    """Hosts that must move together do, within the days that they have."""
    for first, then, days, rule in order.pairs:
        one, other = order.day(first), order.day(then)
        if one is not None and other is not None and abs(one - other) > days:
            yield _broken(
                rule=rule,
                day=max(one, other),
                subject=order.name(then),
                what=f"it is on {iso(other)}, and {order.name(first)}, its partner, on {iso(one)}",
                why=f"They must go within {days} days.",
                fix="Move one of the two.",
            )


def _pairs(fleet: Fleet) -> Iterator[tuple[int, int, int, str]]:
    """Pairs that go together, the days that they have, and the rule."""
    sessions, n_clients = fleet.sessions, len(fleet.clients)
    is_old = []
    for endpoint in range(fleet.n_endpoints):
        level = fleet.endpoint_level(endpoint)
        is_old.append(level is not None and level.era is Era.OLD)
    for rule in fleet.rules:
        if rule.kind is RuleKind.TOGETHER and rule.hard:
            yield rule.first, rule.then, rule.days, "order-together"
    agents, users = set(), defaultdict(set)
    for session in range(len(sessions)):
        client, server = int(sessions.client[session]), int(sessions.server[session]) + n_clients
        if sessions.kind[session] == SessionKind.STORAGE_AGENT and client not in agents:
            agents.add(client)
            yield client, server, 0, "order-storage-agent"
        if is_old[client]:
            users[int(sessions.account[session])].add(client)
    for hosts in users.values():
        first, *rest = sorted(hosts)
        for other in rest:
            yield first, other, 0, "order-account"


def _company(pairs: Iterable[tuple[int, int, int, str]]) -> dict[int, int]:
    """Stand-in of each endpoint that must go on one day with others: the least of them."""
    partners = defaultdict(set)
    for first, then, days, _ in pairs:
        if days == 0:
            partners[first].add(then)
            partners[then].add(first)
    company: dict[int, int] = {}
    for endpoint in sorted(partners):
        waiting = [endpoint]
        while waiting:
            now = waiting.pop()
            if now not in company:
                company[now] = endpoint
                waiting.extend(partners[now])
    return company


def check_for_imports(order: _Order) -> Iterator[Finding]:
    """Every certificate is in place its lead before it is needed, on a day on which people work."""
    found, fleet = order.found, order.fleet
    for row in np.flatnonzero(~found.has_verdict(*_GOOD)).tolist():
        anchor = found.timeline.compiled.certificates.name[found.anchor[row]]
        yield _broken(
            rule="order-lead",
            day=int(found.needed[row]),
            subject=f"{anchor} for {order.name(int(found.endpoint()[row]))}",
            what=f"it is planned on {iso(int(found.planned[row])) or 'no day'}, needed on "
            f"{iso(int(found.needed[row]))}",
            why=f"The latest safe day is {iso(int(found.latest_safe[row]))}.",
            fix="Move the upgrade to a later day, or the import to an earlier one.",
        )
    for row, (day, action) in enumerate(zip(order.plan.day, order.plan.action, strict=True)):
        if action == Action.IMPORT_CERTIFICATE and not fleet.calendar.is_open(int(day)):
            yield _broken(
                rule="order-import-day",
                day=int(day),
                subject=order.plan.row(row).client,
                what=f"the import is on {iso(int(day))}, on which nobody works",
                why="Imports are made on working days outside freezes.",
                fix="Move it to an open day.",
            )


def check_for_refusals(order: _Order) -> Iterator[Finding]:
    """No session is refused on any day."""
    timeline = order.found.timeline
    is_refused = timeline.mode() == Mode.REFUSED
    for session, day in zip(
        timeline.session()[is_refused].tolist(), timeline.day[is_refused].tolist(), strict=True
    ):
        yield _broken(
            rule="order-refused",
            day=day,
            subject=order.fleet.session_text(session),
            what=f"the session is refused from {iso(day)} on",
            why="An order must not stop a backup.",
            fix="`planner check` says why, and how to cure it.",
        )


CHECKS: Final[tuple[Callable[[_Order], Iterator[Finding]], ...]] = (
    check_for_upgrades,
    check_for_calendar,
    check_for_capacities,
    check_for_dates,
    check_for_sequences,
    check_for_groups,
    check_for_imports,
    check_for_refusals,
)
