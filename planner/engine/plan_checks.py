"""Checks of actions: who they are for, when they are, and whether they do anything."""

from collections import Counter
from collections.abc import Iterator

import numpy as np

from planner.domain.calendar import ALWAYS, NEVER, WEEKDAYS, iso, monday_of, to_date
from planner.domain.findings import Finding, Severity
from planner.domain.levels import LevelFact
from planner.domain.plan import Action
from planner.engine.review import Review

_UPGRADES = (Action.UPGRADE_SERVER, Action.UPGRADE_CLIENT, Action.INSTALL_CLIENT)


def check_for_unknown_endpoints(review: Review) -> Iterator[Finding]:
    """Report actions on a client, server or account that the fleet does not have."""
    plan, fleet = review.plan, review.fleet
    n_clients = len(fleet.clients)
    for row in review.active(*Action):
        action = Action(plan.action[row])
        client, server = int(plan.client[row]), int(plan.server[row])
        wants_own = action in (Action.UPGRADE_CLIENT, Action.INSTALL_CLIENT, Action.RETIRE_CLIENT)
        names = plan.row(int(row))
        if client >= fleet.n_endpoints:
            what = f"there is no client {names.client!r}"
        elif wants_own and client >= n_clients:
            what = f"{names.client!r} is a server; a server is upgraded by upgrade-server"
        elif server >= len(fleet.servers):
            what = f"there is no server {names.server!r}"
        else:
            continue
        yield review.finding_on_action(
            int(row),
            "unknown-endpoint",
            Severity.ERROR,
            what=f"{what}; the action has no effect",
            why="An action changes only what the fleet has.",
            fix="Correct the name, or add it to the fleet folder.",
        )


def check_for_actions_without_effect(review: Review) -> Iterator[Finding]:
    """Report actions on known endpoints that change nothing."""
    plan, fleet = review.plan, review.fleet
    accounts, names = fleet.accounts, fleet.key_databases
    known_accounts = set(zip(accounts.server.tolist(), accounts.name_number.tolist(), strict=True))
    default = fleet.key_database_names.find("default")
    for row in review.active(*Action):
        action = Action(plan.action[row])
        client, server = int(plan.client[row]), int(plan.server[row])
        if client >= fleet.n_endpoints or server >= len(fleet.servers):
            continue
        what = ""
        match action:
            case Action.UPGRADE_CLIENT if 0 <= client < len(fleet.clients):
                if not _was_installed(review, client, int(row)):
                    what = "the client is not installed on that day; install it instead"
            case Action.IMPORT_CERTIFICATE | Action.REMOVE_CERTIFICATE if client >= 0:
                own = names.name_number[fleet.key_databases_of_endpoint.of(client)]
                wanted = int(plan.key_database[row])
                if (default if wanted < 0 else wanted) not in own:
                    what = "no session of the client uses that key database"
            case Action.SET_OPTION if client >= 0 and not review.matching_sessions(int(row)).any():
                what = "no session of the client matches"
            case Action.SET_SESSION_SECURITY | Action.SET_AUTHENTICATION if server >= 0:
                account = int(plan.account[row])
                if account >= 0 and (server, account) not in known_accounts:
                    what = "the server has no such account"
            case _:
                pass
        if what:
            yield review.finding_on_action(
                int(row),
                "action-without-effect",
                Severity.WARNING,
                what=f"{what}; the action has no effect",
                why="An action changes only what is there on its day.",
                fix="Correct the row, or remove it.",
            )


def _was_installed(review: Review, client: int, row: int) -> bool:
    """Whether a client is installed when a row of the plan acts on it."""
    day = int(review.plan.day[row])
    if day > review.fleet.start:
        return bool(review.facts_on(client, day - 1))
    return review.fleet.clients.level[client] >= 0 or not _is_installed_later(review, client)


def _is_installed_later(review: Review, client: int) -> bool:
    plan = review.plan
    return bool(np.any((plan.action == Action.INSTALL_CLIENT) & (plan.client == client)))


def check_for_actions_outside_the_horizon(review: Review) -> Iterator[Finding]:
    """Report actions dated before the first day or after the last one."""
    plan, fleet = review.plan, review.fleet
    for row in np.flatnonzero((plan.day < fleet.start) | (plan.day >= fleet.end)):
        yield review.finding_on_action(
            int(row),
            "outside-horizon",
            Severity.WARNING,
            what=f"the day lies outside {iso(fleet.start)} to before {iso(fleet.end)}; the action "
            "has no effect",
            why="The fleet files say what is true on the first day; nothing is known beyond.",
            fix="Move the action inside, or extend start and end in fleet.toml.",
        )


def check_for_repeated_actions(review: Review) -> Iterator[Finding]:
    """Report upgrades of one endpoint to one level on two days, and rows that occur twice."""
    plan = review.plan
    seen: dict[tuple[object, ...], int] = {}
    for row in review.active(*Action):
        action = Action(plan.action[row])
        key: tuple[object, ...] = (
            action,
            int(plan.client[row]),
            int(plan.server[row]),
            int(plan.account[row]),
            int(plan.key_database[row]),
            int(plan.certificate[row]),
            int(plan.option[row]),
            plan.vocabulary.texts[plan.value[row]].casefold(),
        )
        if action not in _UPGRADES:
            key = (*key, int(plan.day[row]))
        if key in seen:
            yield review.finding_on_action(
                int(row),
                "repeated-action",
                Severity.WARNING,
                what=f"the same action is planned on {iso(plan.day[seen[key]])} already",
                why="One of the two days is a mistake, or the second one does nothing.",
                fix="Remove one of the two rows.",
            )
        seen.setdefault(key, int(row))


def check_for_the_calendar(review: Review) -> Iterator[Finding]:
    """Report actions in a freeze, outside a site's window, or on a day on which nobody works."""
    plan, fleet, calendar = review.plan, review.fleet, review.fleet.calendar
    for row in review.active(*Action):
        day, action = int(plan.day[row]), Action(plan.action[row])
        freeze = calendar.freeze_on(day)
        if freeze is not None:
            yield review.finding_on_action(
                int(row),
                "in-freeze",
                Severity.ERROR,
                what=f"the day lies in the freeze {freeze.name!r}, {iso(freeze.start)} to before "
                f"{iso(freeze.end)}",
                why="Nothing may be changed in a freeze.",
                fix=f"Move it before {iso(freeze.start)}, or to {iso(freeze.end)} or later.",
            )
            continue
        if action in _UPGRADES:
            endpoint = (
                len(fleet.clients) + int(plan.server[row])
                if action is Action.UPGRADE_SERVER
                else int(plan.client[row])
            )
            if not 0 <= endpoint < fleet.n_endpoints:
                continue
            site = fleet.endpoint_site(endpoint)
            window = calendar.window_of(site)
            if window is not None and not calendar.is_in_window(day, site):
                days = ", ".join(WEEKDAYS[number] for number in sorted(window.weekdays))
                yield review.finding_on_action(
                    int(row),
                    "outside-window",
                    Severity.ERROR,
                    what=f"{iso(day)} is a {to_date(day):%A}; the window of {site} is {days}",
                    why="Endpoints of a site may be upgraded in its window alone.",
                    fix="Move it to a day of the window.",
                )
        elif not calendar.is_working(day):
            yield review.finding_on_action(
                int(row),
                "not-a-working-day",
                Severity.WARNING,
                what=f"{iso(day)} is a {to_date(day):%A} on which nobody works",
                why="Imports and option changes are made on working days.",
                fix="Move it to the working day before.",
            )


def check_for_capacity(review: Review) -> Iterator[Finding]:
    """Report weeks with more upgrades or imports than the fleet's capacity."""
    plan, capacity = review.plan, review.fleet.capacity
    kinds = (
        ("client upgrades", (Action.UPGRADE_CLIENT, Action.INSTALL_CLIENT), "clients_per_week"),
        ("server upgrades", (Action.UPGRADE_SERVER,), "servers_per_week"),
        ("imports", (Action.IMPORT_CERTIFICATE,), "imports_per_week"),
    )
    for label, actions, field in kinds:
        limit: int | None = getattr(capacity, field)
        if limit is None:
            continue
        weeks = Counter(monday_of(int(day)) for day in plan.day[review.active(*actions)])
        for week, count in sorted(weeks.items()):
            if count > limit:
                number = to_date(week).isocalendar()
                yield Finding(
                    rule="over-capacity",
                    severity=Severity.WARNING,
                    day=week,
                    subject=f"{label} in week {number.year}-W{number.week:02d}",
                    what=f"{count} {label}, and {limit} are possible",
                    why=f"fleet.toml gives capacity.{field} = {limit}.",
                    fix=f"Move {count - limit} of them to another week.",
                    file="fleet.toml",
                )


def check_for_security_downgrades(review: Review) -> Iterator[Finding]:
    """Report levels that go from new to old, such as 7.1.8 to 8.1.1."""
    program, causes = review.program, review.timeline.compiled.level_cause
    fleet = review.fleet
    for endpoint in range(fleet.n_endpoints):
        first, last = program.level_first[endpoint], program.level_first[endpoint + 1]
        was_new = bool(fleet.level_facts()[endpoint] & LevelFact.NEW) if last > first + 1 else False
        for row in range(first, last):
            facts = int(program.level_facts[row])
            if was_new and facts and not facts & LevelFact.NEW and causes[row] >= 0:
                texts, value = review.plan.vocabulary.texts, review.plan.value[causes[row]]
                yield review.finding_on_action(
                    int(causes[row]),
                    "security-downgrade",
                    Severity.ERROR,
                    what=f"{fleet.endpoint_name(endpoint)} goes from a new level to {texts[value]}, "
                    "which is old",
                    why="7.1.8 and 7.1.9 have the new session security, 8.1.0 and 8.1.1 do not; "
                    "accounts that have become strict lock the old level out. "
                    "[VE814, SEED, TROUB819, documented]",
                    fix="Upgrade to 8.1.2 or later.",
                )
            was_new = bool(facts & LevelFact.NEW)


def check_for_resets_without_effect(review: Review) -> Iterator[Finding]:
    """Report resets to transitional that last zero days."""
    program, strictness = review.program, review.timeline.strictness
    fleet, plan = review.fleet, review.plan
    accounts = fleet.accounts
    for row in review.active(Action.SET_SESSION_SECURITY):
        matching = np.flatnonzero(
            (accounts.server[program.reset_account] == plan.server[row])
            & (accounts.name_number[program.reset_account] == plan.account[row])
            & (program.reset_day == plan.day[row])
            & ~program.reset_strict
        )
        if len(matching) and strictness.after_reset[matching[-1]] == plan.day[row]:
            yield review.finding_on_action(
                int(row),
                "reset-without-effect",
                Severity.WARNING,
                what="the account is strict again on the same day",
                why="The next success of a new client turns it strict again. [TROUB819, inferred]",
                fix="Upgrade the old clients of the account, or give them one of their own.",
            )


def check_for_unknown_levels(review: Review) -> Iterator[Finding]:
    """Report clients and servers whose level nobody knows."""
    fleet, program = review.fleet, review.program
    used = np.zeros(fleet.n_endpoints, dtype=np.bool_)
    used[fleet.sessions.client] = True
    used[fleet.sessions.server + len(fleet.clients)] = True
    for endpoint in np.flatnonzero(used):
        first = int(program.level_first[endpoint])
        if program.level_facts[first] != LevelFact.INSTALLED or (
            review.timeline.compiled.level_cause[first] >= 0
            or fleet.endpoint_level(int(endpoint)) is not None
        ):
            continue
        is_server = fleet.is_server(int(endpoint))
        table = fleet.servers if is_server else fleet.clients
        row = int(endpoint) - (len(fleet.clients) if is_server else 0)
        yield Finding(
            rule="unknown-level",
            severity=Severity.WARNING,
            day=fleet.start,
            subject=fleet.endpoint_name(int(endpoint)),
            what="its level is not known and counts as old",
            why="A client that has never connected shows no level; the worst case is planned for.",
            fix="Find out its level, or remove it if it is no longer there.",
            file="servers.csv" if is_server else "clients.csv",
            line=int(table.line[row]),
        )


def check_for_transitional_accounts(review: Review) -> Iterator[Finding]:
    """Report servers below 8.1.15 with accounts that stay transitional (CVE-2022-22496)."""
    fleet, strictness = review.fleet, review.timeline.strictness
    program, accounts = review.program, review.fleet.accounts
    open_at_start = np.bincount(
        accounts.server[strictness.from_day != ALWAYS], minlength=len(fleet.servers)
    )
    has_reset = np.isin(np.arange(len(accounts)), program.reset_account)
    stays = np.bincount(
        accounts.server[(strictness.from_day == NEVER) & ~has_reset], minlength=len(fleet.servers)
    )
    for server in np.flatnonzero(open_at_start):
        endpoint = len(fleet.clients) + int(server)
        rows = slice(program.level_first[endpoint], program.level_first[endpoint + 1])
        fixed = program.level_facts[rows] & LevelFact.FIXES_CVE_2022_22496 != 0
        if fixed[0]:
            continue
        until = program.level_day[rows][fixed]
        end = int(until[0]) if len(until) else NEVER
        level = review.level_on(endpoint, fleet.start)
        yield Finding(
            rule="transitional-account",
            severity=Severity.NOTE if len(until) else Severity.WARNING,
            day=fleet.start,
            subject=fleet.servers.name[server],
            what=f"{open_at_start[server]} transitional accounts at level {level or 'unknown'}, "
            f"below 8.1.15 until {iso(end) or 'the end'}; {stays[server]} never become strict",
            why="Below 8.1.15 a transitional account can be taken over (CVE-2022-22496).",
            fix="Upgrade the server to 8.1.15 or later, and retire accounts that nobody uses.",
            file="servers.csv",
            line=int(fleet.servers.line[server]),
        )
