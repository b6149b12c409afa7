"""Checks of actions: who they are for, when they are, and whether they do anything."""

from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

from planner.domain.calendar import (
    ALWAYS,
    NEVER,
    WEEKDAYS,
    iso,
    mondays_of,
    to_date,
)
from planner.domain.findings import Finding, Severity
from planner.domain.fleet import Flags, Numbers
from planner.domain.levels import LevelFact
from planner.domain.plan import UPGRADES, Action
from planner.engine import kernel
from planner.engine.program import facts_before
from planner.engine.review import Review, listed
from planner.engine.session_checks import turned_strict_again_by
from planner.inventory.hints import nearest

_OF_A_CLIENT = (Action.UPGRADE_CLIENT, Action.INSTALL_CLIENT, Action.RETIRE_CLIENT)
_ON_WORKING_DAYS = (Action.IMPORT_CERTIFICATE, Action.REMOVE_CERTIFICATE, Action.SET_OPTION)


def _is_one_of(action: NDArray[np.uint8], kinds: Iterable[Action]) -> Flags:
    return np.isin(action, [int(kind) for kind in kinds])


def check_for_unknown_endpoints(review: Review) -> Iterator[Finding]:
    """Report actions on a client or server that the fleet does not have."""
    plan, fleet = review.plan, review.fleet
    n_clients = len(fleet.clients)
    rows = review.active()
    client, server = plan.client[rows], plan.server[rows]
    of_client = _is_one_of(plan.action[rows], _OF_A_CLIENT)
    no_client = client >= np.where(of_client, n_clients, fleet.n_endpoints)
    for row in rows[no_client | (server >= len(fleet.servers))].tolist():
        names = plan.row(row)
        if plan.client[row] >= fleet.n_endpoints:
            what = f"there is no client {names.client!r}"
            fix = _correction(names.client, fleet.clients.name, "clients.csv")
        elif no_client[rows == row]:
            what = f"{names.client} is a server and no client"
            fix = "Use upgrade-server for a server."
        else:
            what = f"there is no server {names.server!r}"
            fix = _correction(names.server, fleet.servers.name, "servers.csv")
        yield review.finding_on_action(
            row,
            "unknown-endpoint",
            Severity.ERROR,
            what=f"{what}; the action has no effect",
            why="An action changes only what the fleet has.",
            fix=fix,
        )


def _correction(name: str, known: Iterable[str], file: str) -> str:
    near = nearest(name, known)
    return f"Correct the name{f' (is it {near}?)' if near else ''}, or add {name} to {file}."


def check_for_actions_without_effect(review: Review) -> Iterator[Finding]:
    """Report actions on known endpoints that change nothing."""
    for rows, what, fix in (
        (
            _not_installed(review, Action.UPGRADE_CLIENT),
            "the client is not installed on that day",
            "Use install-client instead, or correct the day.",
        ),
        (
            _not_installed(review, Action.RETIRE_CLIENT),
            "the client is not installed on that day",
            "Remove the row, or correct the day.",
        ),
        (
            _without_key_database(review),
            "no session of the client uses that key database",
            "Correct key_database, or add it to the client's rows in sessions.csv.",
        ),
        (
            _removed_but_not_there(review),
            "the certificate is not in the key database on that day",
            "Remove the row, or correct the day.",
        ),
        (
            _without_session(review),
            "no session of the client has that server, account and key database",
            "Correct the row; leave server, account and key_database empty to mean all.",
        ),
        (
            _without_account(review),
            "the server has no such account",
            "Correct the name, or add the account to accounts.csv.",
        ),
    ):
        for row in rows.tolist():
            yield review.finding_on_action(
                row,
                "action-without-effect",
                Severity.WARNING,
                what=f"{what}; the action has no effect",
                why="An action changes only what is there on its day.",
                fix=fix,
            )


def _not_installed(review: Review, action: Action) -> Numbers:
    """Rows of one kind that find their client not installed."""
    plan, fleet = review.plan, review.fleet
    rows = review.active(action)
    rows = rows[(plan.client[rows] >= 0) & (plan.client[rows] < len(fleet.clients))]
    client, day = plan.client[rows], plan.day[rows]
    was_absent = review.facts_on(client, day - np.int32(1)) == 0
    absent = np.where(day == fleet.start, review.absent[client], was_absent)
    if action is Action.RETIRE_CLIENT:
        # A client may be installed and retired on one day.
        installs = review.active(Action.INSTALL_CLIENT)
        key = plan.client.astype(np.int64) << 32 | plan.day
        absent &= ~np.isin(key[rows], key[installs])
    return rows[absent]


def _known_key_databases(review: Review, *actions: Action) -> tuple[Numbers, Numbers]:
    plan = review.plan
    rows = review.active(*actions)
    rows = rows[(plan.client[rows] >= 0) & (plan.client[rows] < review.fleet.n_endpoints)]
    return rows, review.key_databases_of(rows)


def _without_key_database(review: Review) -> Numbers:
    kinds = (Action.IMPORT_CERTIFICATE, Action.REMOVE_CERTIFICATE)
    rows, database = _known_key_databases(review, *kinds)
    return rows[database < 0]


def _removed_but_not_there(review: Review) -> Numbers:
    plan, program = review.plan, review.program
    rows, databases = _known_key_databases(review, Action.REMOVE_CERTIFICATE)
    vain = []
    # Removals are few in any plan.
    for row, database in zip(rows.tolist(), databases.tolist(), strict=True):
        certificate, day = int(plan.certificate[row]), int(plan.day[row])
        own = slice(program.trust_first[database], program.trust_first[database + 1])
        is_imported_now = (
            (program.trust_day[own] == day)
            & (program.trust_certificate[own] == certificate)
            & program.trust_held[own]
        ).any()
        if database < 0 or is_imported_now:
            continue
        distributed = review.timeline.distributed
        was_held, _ = kernel.held(program, distributed, database, certificate, day - 1)
        if not was_held:
            vain.append(row)
    return np.array(vain, dtype=np.int32)


def _without_session(review: Review) -> Numbers:
    plan, fleet = review.plan, review.fleet
    rows = review.active(Action.SET_OPTION)
    known = (plan.client[rows] < fleet.n_endpoints) & (plan.server[rows] < len(fleet.servers))
    matched, _ = review.sessions_of_options(rows)
    return np.setdiff1d(rows[known], matched)


def _without_account(review: Review) -> Numbers:
    plan, accounts = review.plan, review.fleet.accounts
    rows = review.active(Action.SET_SESSION_SECURITY, Action.SET_AUTHENTICATION)
    known = (plan.server[rows] < len(review.fleet.servers)) & (plan.account[rows] >= 0)
    rows = rows[known]
    wanted = plan.server[rows].astype(np.int64) << 32 | plan.account[rows]
    keys = accounts.server.astype(np.int64) << 32 | accounts.name_number
    return rows[~np.isin(wanted, keys)]


def check_for_actions_outside_the_horizon(review: Review) -> Iterator[Finding]:
    """Report actions dated before the first day or after the last one."""
    plan, fleet = review.plan, review.fleet
    for row in np.flatnonzero((plan.day < fleet.start) | (plan.day >= fleet.end)).tolist():
        yield review.finding_on_action(
            row,
            "outside-horizon",
            Severity.WARNING,
            what=f"the plan runs from {iso(fleet.start)} to {iso(fleet.end - 1)}; the action has "
            "no effect",
            why="The fleet files say what is true on the first day; nothing is known beyond.",
            fix="Correct the day, or extend start and end in fleet.toml.",
        )


def check_for_repeated_actions(review: Review) -> Iterator[Finding]:
    """Report upgrades to the level that is there already, and rows that occur twice."""
    yield from _repeated_upgrades(review)
    yield from _repeated_rows(review)


def _folded_values(review: Review) -> Numbers:
    """Number of each row's value; equal for texts that differ in letter case alone."""
    plan = review.plan
    numbers: dict[str, int] = {}
    folded = [numbers.setdefault(text.casefold(), len(numbers)) for text in plan.vocabulary.texts]
    return np.array(folded, dtype=np.int32)[plan.value]


def _repeated_upgrades(review: Review) -> Iterator[Finding]:
    plan = review.plan
    rows = review.active(*UPGRADES, Action.RETIRE_CLIENT)
    # Odd for servers, even for clients: names that no file knows have numbers without an end.
    at_server = plan.action[rows] == Action.UPGRADE_SERVER
    endpoint = np.where(at_server, 2 * plan.server[rows] + 1, 2 * plan.client[rows])
    order = np.argsort(endpoint, kind="stable")
    rows, endpoint = rows[order], endpoint[order]
    value = np.where(plan.action[rows] == Action.RETIRE_CLIENT, -1, _folded_values(review)[rows])
    same = (endpoint[1:] == endpoint[:-1]) & (value[1:] == value[:-1]) & (value[1:] >= 0)
    for place in np.flatnonzero(same).tolist():
        action, earlier = plan.row(int(rows[place + 1])), plan.row(int(rows[place]))
        name = action.server or action.client
        yield review.finding_on_action(
            int(rows[place + 1]),
            "repeated-action",
            Severity.WARNING,
            what=f"{name} is brought to {action.value} on {iso(earlier.day)} already"
            + (f" ({earlier.file}:{earlier.line})" if earlier.line else ""),
            why="One of the two rows is a mistake, or the second one does nothing.",
            fix="Remove the row with the wrong day.",
        )


def _repeated_rows(review: Review) -> Iterator[Finding]:
    plan = review.plan
    rows = review.active()
    rows = rows[~_is_one_of(plan.action[rows], UPGRADES)]
    columns = (plan.client, plan.server, plan.account, plan.key_database, plan.certificate)
    keys = [
        column[rows]
        for column in (*columns, plan.option, _folded_values(review), plan.action, plan.day)
    ]
    order = np.lexsort(keys)
    same = np.ones(max(0, len(rows) - 1), dtype=np.bool_)
    for key in keys:
        same &= key[order][1:] == key[order][:-1]
    for place in np.flatnonzero(same).tolist():
        row, earlier = int(rows[order[place + 1]]), plan.row(int(rows[order[place]]))
        yield review.finding_on_action(
            row,
            "repeated-action",
            Severity.WARNING,
            what=f"the same row occurs twice on {iso(earlier.day)}"
            + (f" (also {earlier.file}:{earlier.line})" if earlier.line else ""),
            why="One of the two rows is a mistake, or the second one does nothing.",
            fix="Remove one of the two rows.",
        )


def check_for_the_calendar(review: Review) -> Iterator[Finding]:
    """Report actions in a freeze, outside a site's window, or on a day on which nobody works."""
    plan, fleet, calendar = review.plan, review.fleet, review.fleet.calendar
    days = range(fleet.start, fleet.end)
    freezes = [calendar.freeze_on(day) for day in days]
    rows = review.active()
    is_frozen = np.array([freeze is not None for freeze in freezes])[plan.day[rows] - fleet.start]
    for row in rows[is_frozen].tolist():
        freeze = freezes[plan.day[row] - fleet.start]
        if freeze is None:
            continue
        yield review.finding_on_action(
            row,
            "in-freeze",
            Severity.ERROR,
            what=f"{iso(plan.day[row])} lies in the freeze {freeze.name!r}, {iso(freeze.start)} to "
            f"{iso(freeze.end - 1)}",
            why="Nothing may be changed in a freeze.",
            fix=f"Move it before {iso(freeze.start)}, or to {iso(freeze.end)} or later.",
        )
    yield from _outside_windows(review, rows[~is_frozen])
    yield from _on_days_off(review, rows[~is_frozen])


def _upgraded_endpoints(review: Review, rows: Numbers) -> tuple[Numbers, Numbers]:
    """Upgrades and installations among some rows, and their endpoints."""
    plan, fleet = review.plan, review.fleet
    n_clients = len(fleet.clients)
    rows = rows[_is_one_of(plan.action[rows], UPGRADES)]
    of_server = plan.action[rows] == Action.UPGRADE_SERVER
    endpoint = np.where(of_server, plan.server[rows] + np.int32(n_clients), plan.client[rows])
    limit = np.where(of_server, fleet.n_endpoints, n_clients)
    known = (endpoint >= 0) & (endpoint < limit)
    return rows[known], endpoint[known]


def _outside_windows(review: Review, rows: Numbers) -> Iterator[Finding]:
    plan, fleet, calendar = review.plan, review.fleet, review.fleet.calendar
    rows, endpoint = _upgraded_endpoints(review, rows)
    for window in calendar.windows:
        folded = window.site.casefold()
        own = [site.casefold() == folded for site in (*fleet.clients.site, *fleet.servers.site)]
        of_site = rows[np.array(own, dtype=np.bool_)[endpoint]]
        is_open = [calendar.is_in_window(d, window.site) for d in range(fleet.start, fleet.end)]
        for row in of_site[~np.array(is_open)[plan.day[of_site] - fleet.start]].tolist():
            day = int(plan.day[row])
            days = ", ".join(WEEKDAYS[number] for number in sorted(window.weekdays))
            yield review.finding_on_action(
                row,
                "outside-window",
                Severity.ERROR,
                what=f"{iso(day)} is a {to_date(day):%A}; {window.site} may be upgraded on {days}",
                why="Endpoints of a site may be upgraded on the days of its window alone.",
                fix=f"Move it to one of {days}.",
            )


def _on_days_off(review: Review, rows: Numbers) -> Iterator[Finding]:
    plan, fleet, calendar = review.plan, review.fleet, review.fleet.calendar
    works = np.array([calendar.is_working(day) for day in range(fleet.start, fleet.end)])
    due = rows[_is_one_of(plan.action[rows], _ON_WORKING_DAYS)]
    due = due[~works[plan.day[due] - fleet.start]]
    if not len(due):
        return
    upgrades, endpoints = _upgraded_endpoints(review, rows)
    # An option may change with the upgrade that it belongs to, whatever the day.
    upgraded = set(zip(endpoints.tolist(), plan.day[upgrades].tolist(), strict=True))
    for row in due.tolist():
        day, server = int(plan.day[row]), int(plan.server[row])
        ends = [int(plan.client[row]), len(fleet.clients) + server if server >= 0 else -1]
        is_option = plan.action[row] == Action.SET_OPTION
        if is_option and any((end, day) in upgraded for end in ends):
            continue
        yield review.finding_on_action(
            row,
            "not-a-working-day",
            Severity.WARNING,
            what=f"{iso(day)} is a {to_date(day):%A} on which nobody works",
            why="Imports and option changes are made on working days.",
            fix=f"Move it to {iso(calendar.last_open(day))}, the working day before.",
        )


def check_for_capacity(review: Review) -> Iterator[Finding]:
    """Report weeks with more upgrades or imports than the fleet's capacity."""
    plan, capacity = review.plan, review.fleet.capacity
    for label, actions, field, limit in (
        (
            "client upgrades",
            (Action.UPGRADE_CLIENT, Action.INSTALL_CLIENT),
            "clients_per_week",
            capacity.clients_per_week,
        ),
        (
            "server upgrades",
            (Action.UPGRADE_SERVER,),
            "servers_per_week",
            capacity.servers_per_week,
        ),
        ("imports", (Action.IMPORT_CERTIFICATE,), "imports_per_week", capacity.imports_per_week),
    ):
        if limit is None:
            continue
        weeks, counts = np.unique(mondays_of(plan.day[review.active(*actions)]), return_counts=True)
        for week, count in zip(
            weeks[counts > limit].tolist(), counts[counts > limit].tolist(), strict=True
        ):
            number = to_date(week).isocalendar()
            yield Finding(
                rule="over-capacity",
                severity=Severity.WARNING,
                day=week,
                subject=f"{label} in week {number.year}-W{number.week:02d}",
                what=f"{count} {label} are planned in the week from {iso(week)} on, and {limit} "
                "are possible",
                why=f"capacity.{field} is {limit} in fleet.toml.",
                fix=f"Move {count - limit} of them to another week, or raise capacity.{field}.",
                file="fleet.toml",
            )


def check_for_security_downgrades(review: Review) -> Iterator[Finding]:
    """Report levels that go from new to old, such as 7.1.8 to 8.1.1."""
    program, causes = review.program, review.level_causes
    fleet, plan = review.fleet, review.plan
    firsts = program.level_first[:-1]
    before = np.empty_like(program.level_facts)
    before[1:] = program.level_facts[:-1]
    before[firsts] = facts_before(plan)
    facts = program.level_facts
    downgraded = (before & LevelFact.NEW != 0) & (facts != 0) & (facts & LevelFact.NEW == 0)
    for row in np.flatnonzero(downgraded & (causes >= 0)).tolist():
        endpoint = int(np.searchsorted(program.level_first, row, side="right")) - 1
        name = fleet.endpoint_name(endpoint)
        day = int(program.level_day[row])
        was = (
            review.level_on(endpoint, day - 1)
            if row > firsts[endpoint]
            else fleet.endpoint_level(endpoint)
        )
        level = plan.vocabulary.texts[plan.value[causes[row]]]
        yield review.finding_on_action(
            int(causes[row]),
            "security-downgrade",
            Severity.ERROR,
            what=f"{name} goes from {was}, which has the new session security, to {level}, which "
            "has not",
            why="7.1.8 and 7.1.9 have the new session security, 8.1.0 and 8.1.1 do not; accounts "
            "that have become strict lock the old level out. [VE814, SEED, TROUB819, documented]",
            fix=f"Upgrade {name} to 8.1.2 or later instead.",
        )


def check_for_resets_without_effect(review: Review) -> Iterator[Finding]:
    """Report resets to transitional that last zero days."""
    program, strictness = review.program, review.timeline.strictness
    plan, accounts = review.plan, review.fleet.accounts
    resets = review.active(Action.SET_SESSION_SECURITY)
    vain = ~program.reset_strict & (strictness.after_reset == program.reset_day)
    for number in np.flatnonzero(vain).tolist():
        account, day = int(program.reset_account[number]), int(program.reset_day[number])
        of_account = (
            (plan.server[resets] == accounts.server[account])
            & (plan.account[resets] == accounts.name_number[account])
            & (plan.day[resets] == day)
        )
        by = listed(turned_strict_again_by(review, account, day))
        yield review.finding_on_action(
            int(resets[of_account][-1]),
            "reset-without-effect",
            Severity.WARNING,
            what=f"the account is strict again on the same day, when {by} logs on as a new client",
            why="The next success of a new client turns it strict again. [TROUB819, inferred]",
            fix="Upgrade the old clients of the account, or give them an account of their own.",
        )


def check_for_unknown_levels(review: Review) -> Iterator[Finding]:
    """Report clients and servers whose level nobody knows."""
    fleet = review.fleet
    n_clients = len(fleet.clients)
    blank = np.concatenate([fleet.clients.level, fleet.servers.level]) < 0
    for endpoint in np.flatnonzero(blank & ~review.absent).tolist():
        is_server = endpoint >= n_clients
        table = fleet.servers if is_server else fleet.clients
        name = fleet.endpoint_name(endpoint)
        yield Finding(
            rule="unknown-level",
            severity=Severity.WARNING,
            day=fleet.start,
            subject=name,
            what=f"the level of {name} is not known; it counts as old",
            why="A client that has never connected shows no level; the worst case is planned for.",
            fix=f"Fill in its level, or remove {name} if it is no longer there"
            + ("." if is_server else "; if it is still to come, plan an install-client."),
            file="servers.csv" if is_server else "clients.csv",
            line=int(table.line[endpoint - (n_clients if is_server else 0)]),
        )


def check_for_equal_ports(review: Review) -> Iterator[Finding]:
    """Report servers whose SSL port is their plain port."""
    servers = review.fleet.servers
    for server in np.flatnonzero(
        (servers.ssltcpport > 0) & (servers.tcpport == servers.ssltcpport)
    ):
        name, port = servers.name[int(server)], int(servers.tcpport[server])
        yield Finding(
            rule="equal-ports",
            severity=Severity.WARNING,
            day=review.fleet.start,
            subject=name,
            what=f"tcpport and ssltcpport of {name} are both {port}",
            why="An old server listens for SSL on a port of its own. [PORTS711, documented]",
            fix="Correct one of the two ports, or leave ssltcpport empty if there is none.",
            file="servers.csv",
            line=int(servers.line[server]),
        )


def check_for_transitional_accounts(review: Review) -> Iterator[Finding]:
    """Report servers below 8.1.15 with accounts that stay transitional (CVE-2022-22496)."""
    fleet, strictness = review.fleet, review.timeline.strictness
    program, accounts = review.program, review.fleet.accounts
    n_servers = len(fleet.servers)
    is_open = strictness.from_day != ALWAYS
    has_reset = np.isin(np.arange(len(accounts)), program.reset_account)
    stays = (strictness.from_day == NEVER) & ~has_reset
    n_open = np.bincount(accounts.server[is_open], minlength=n_servers)
    n_stay = np.bincount(accounts.server[stays], minlength=n_servers)
    for server in np.flatnonzero(n_open).tolist():
        endpoint = review.server_endpoint(server)
        rows = slice(program.level_first[endpoint], program.level_first[endpoint + 1])
        fixed = program.level_facts[rows] & LevelFact.FIXES_CVE_2022_22496 != 0
        if fixed[0]:
            continue
        until = program.level_day[rows][fixed]
        level = review.level_on(endpoint, fleet.start)
        name, count = fleet.servers.name[server], int(n_open[server])
        plural = "account is" if count == 1 else "accounts are"
        stay = f"; {n_stay[server]} never become strict" if n_stay[server] else ""
        end = f"until {iso(until[0])}" if len(until) else "to the end of the plan"
        yield Finding(
            rule="transitional-account",
            severity=Severity.NOTE if len(until) else Severity.WARNING,
            day=fleet.start,
            subject=name,
            what=f"{count} {plural} transitional on {name}, which is at "
            f"{level or 'an unknown level'}, below 8.1.15 {end}{stay}",
            why="Below 8.1.15 a transitional account can be taken over (CVE-2022-22496).",
            fix="Nothing more than this upgrade; do not put it off."
            if len(until)
            else f"Upgrade {name} to 8.1.15 or later, and remove accounts that nobody uses.",
            file="servers.csv",
            line=int(fleet.servers.line[server]),
        )
