"""Completing a plan: the imports and option changes that upgrade dates demand."""

import heapq
from collections import Counter
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from planner.domain.calendar import ALWAYS, NEVER, Calendar, Days, iso, monday_of, mondays_of
from planner.domain.fleet import Fleet, Numbers
from planner.domain.levels import LevelFact
from planner.domain.options import OPTIONS, SSL, SSLACCEPTCERTFROMSERV
from planner.domain.plan import Action, Plan, PlannedAction
from planner.domain.rules import Verdict
from planner.engine import kernel
from planner.engine.deadlines import Deadlines, deadlines
from planner.engine.timeline import Timeline, simulate
from planner.engine.use_cases import NO_CASE, use_cases

_CASES_WITHOUT_CHANGES = (2, 4)


def complete(plan: Plan) -> Plan:
    """Add the imports and option changes that the use cases of a plan's sessions demand.

    SSLACCEPTCERTFROMSERV No in every stanza on the day of the client's upgrade or installation;
    SSL Yes, where object data must be encrypted, from the day on which both ends are new; each
    missing import on its latest safe day, not before the first day nor before the anchor can be
    had, and earlier where a week has no capacity left. What is planned already stays as it is,
    so completing twice changes nothing. Faults that no action can cure are left to `check`.
    """
    timeline = simulate(plan)
    options = [*_refuse_automatic_distribution(timeline), *_encrypt_data(timeline)]
    if options:
        plan = plan.with_actions(options)
        timeline = simulate(plan)
    return plan.with_actions(_missing_imports(deadlines(timeline)))


def _refuse_automatic_distribution(timeline: Timeline) -> Iterator[PlannedAction]:
    """SSLACCEPTCERTFROMSERV No for each client that becomes new and has not set it yet."""
    plan, fleet = timeline.plan, timeline.plan.fleet
    sessions, cases = fleet.sessions, use_cases(timeline)
    first_new = timeline.compiled.program.level_first_new.tolist()
    accepts = sessions.options & SSLACCEPTCERTFROMSERV.mask != 0
    # Cases 2 and 4 hold their certificate already.
    wanted = (cases != NO_CASE) & (accepts | ~np.isin(cases, _CASES_WITHOUT_CHANGES))
    option = OPTIONS.index(SSLACCEPTCERTFROMSERV)
    has_row = {
        (int(plan.client[row]), int(plan.day[row]))
        for row in np.flatnonzero((plan.action == Action.SET_OPTION) & (plan.option == option))
        if plan.server[row] < 0 and plan.account[row] < 0 and plan.key_database[row] < 0
    }
    was_new = fleet.level_facts() & LevelFact.NEW != 0
    of_client = np.flatnonzero(wanted)
    of_client = of_client[np.argsort(sessions.client[of_client], kind="stable")]
    clients, first = np.unique(sessions.client[of_client], return_index=True)
    for client, own in zip(clients.tolist(), np.split(of_client, first[1:]), strict=False):
        if client >= len(fleet.clients) or (was_new[client] and not accepts[own].any()):
            continue
        day = first_new[client]
        if (client, day) in has_row:
            continue
        numbers = ", ".join(str(case) for case in np.unique(cases[own]))
        yield PlannedAction(
            day=day,
            action=Action.SET_OPTION,
            client=fleet.endpoint_name(client),
            option=SSLACCEPTCERTFROMSERV.name,
            value="No",
            note=f"use case {numbers}: in every stanza, before the first session",
            file="",
        )


def _encrypt_data(timeline: Timeline) -> Iterator[PlannedAction]:
    """SSL Yes, from the day on which both ends are new, where object data must be encrypted."""
    fleet, program = timeline.plan.fleet, timeline.compiled.program
    sessions, first_new = fleet.sessions, program.level_first_new.tolist()
    for session in np.flatnonzero(sessions.encrypt_data).tolist():
        client, server = int(sessions.client[session]), int(sessions.server[session])
        day = max(first_new[client], first_new[len(fleet.clients) + server])
        if day == NEVER:
            continue
        options, _, _ = kernel.options_of(program, session, day)
        if options >> SSL.shift & 1:
            continue
        yield PlannedAction(
            day=day,
            action=Action.SET_OPTION,
            client=fleet.endpoint_name(client),
            server=fleet.servers.name[server],
            account=fleet.accounts.name[sessions.account[session]],
            key_database=fleet.key_databases.name[sessions.key_database[session]],
            option=SSL.name,
            value="Yes",
            note="object data must be encrypted; both ends are new from this day on",
            file="",
        )


def _missing_imports(found: Deadlines) -> list[PlannedAction]:
    """Import of each deadline row that has none, on a day with capacity."""
    timeline = found.timeline
    plan, fleet = timeline.plan, timeline.plan.fleet
    names, opens = timeline.compiled.certificates.name, found.opens()
    rows = np.flatnonzero(
        (found.planned == NEVER)
        & found.has_verdict(Verdict.MISSING, Verdict.IMPOSSIBLE)
        & timeline.compiled.is_complete[found.anchor]
        & (opens < fleet.end)
    )
    databases = found.key_database()[rows]
    earliest = np.maximum(opens[rows], fleet.start)
    _wait_for_removals(found, rows, databases, earliest)
    possible = earliest < fleet.end
    rows, databases, earliest = rows[possible], databases[possible], earliest[possible]
    latest = np.maximum(found.latest_safe[rows], earliest)
    weeks, counts = np.unique(
        mondays_of(plan.day[plan.action == Action.IMPORT_CERTIFICATE]), return_counts=True
    )
    taken = Counter(dict(zip(weeks.tolist(), counts.tolist(), strict=True)))
    days = _spread(fleet, earliest.tolist(), latest.tolist(), taken)
    return [
        PlannedAction(
            day=day,
            action=Action.IMPORT_CERTIFICATE,
            client=fleet.endpoint_name(int(fleet.key_databases.endpoint[database])),
            key_database=fleet.key_databases.name[database],
            certificate=names[found.anchor[row]],
            note=f"needed on {iso(found.needed[row])}",
            file="",
        )
        for row, database, day in zip(rows, databases, days, strict=True)
    ]


def _wait_for_removals(
    found: Deadlines, rows: NDArray[np.intp], databases: Numbers, earliest: Days
) -> None:
    """Move `earliest` behind the last planned removal that would undo the import."""
    program, latest_safe = found.timeline.compiled.program, found.latest_safe
    if program.trust_held.all():
        return
    for place, (row, database) in enumerate(zip(rows.tolist(), databases.tolist(), strict=True)):
        own = slice(program.trust_first[database], program.trust_first[database + 1])
        undone = (
            ~program.trust_held[own]
            & (program.trust_certificate[own] == found.anchor[row])
            & (program.trust_day[own] >= min(earliest[place], latest_safe[row]))
            & (program.trust_day[own] <= max(found.needed[row], earliest[place]))
        )
        if undone.any():
            earliest[place] = max(earliest[place], int(program.trust_day[own][undone].max()) + 1)


def _spread(fleet: Fleet, earliest: list[int], latest: list[int], taken: Counter[int]) -> list[int]:
    """Day of each import: its latest, or one in an earlier week where that week is full.

    Weeks are filled from the last one back. What a full week cannot take waits for the week
    before; those that can wait least long, by the first week open to them, go first. An import
    that no earlier week can take stays on its latest day, over capacity.
    """
    limit, calendar = fleet.capacity.imports_per_week, fleet.calendar
    if limit is None:
        return latest
    days = list(latest)
    first_week = [
        _first_open_week(calendar, *window) for window in zip(earliest, latest, strict=True)
    ]
    by_week: dict[int, list[int]] = {}
    for number, day in enumerate(latest):
        by_week.setdefault(monday_of(day), []).append(number)
    waiting: list[tuple[int, int]] = []
    week = max(by_week, default=0)
    while by_week or waiting:
        for number in by_week.pop(week, []):
            heapq.heappush(waiting, (-first_week[number], number))
        room = limit - taken[week]
        postponed = []
        while waiting:
            entry = heapq.heappop(waiting)
            number = entry[1]
            day = _last_open_day(calendar, week, earliest[number], latest[number])
            if day != ALWAYS and room > 0:
                days[number] = day
                room -= 1
            elif first_week[number] < week:
                postponed.append(entry)
        waiting = postponed  # ascending, so a heap
        week -= 7
    return days


def _first_open_week(calendar: Calendar, earliest: int, latest: int) -> int:
    """Monday of the first week in which an import may be made; that of `latest` in any case."""
    days = range(earliest, monday_of(latest))
    first_open = next((day for day in days if calendar.is_open(day)), latest)
    return monday_of(first_open)


def _last_open_day(calendar: Calendar, week: int, earliest: int, latest: int) -> int:
    """Last day of a week on which an import may be made; `ALWAYS` where there is none.

    The latest day itself counts as it stands, also where it had to be moved up.
    """
    if monday_of(latest) == week:
        return latest
    days = range(week + 6, max(week, earliest) - 1, -1)
    return next((day for day in days if calendar.is_open(day)), ALWAYS)
