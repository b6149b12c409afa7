"""The tables that a change board decides on: weeks, owners, points of no return, ways back."""

from collections.abc import Iterable
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from planner.domain.calendar import Days, iso, monday_of, mondays_of
from planner.domain.findings import Findings, Severity
from planner.domain.fleet import Fleet, Numbers
from planner.domain.plan import UPGRADES, Action, Plan
from planner.domain.rules import Mode, Verdict
from planner.engine.deadlines import Deadlines
from planner.engine.measures import measures
from planner.engine.replacements import Change, replacements
from planner.engine.timeline import Timeline
from planner.reporting.cells import column_of, dates, whole_numbers

_WORK: Final = (
    ("servers", (Action.UPGRADE_SERVER,)),
    ("clients", (Action.UPGRADE_CLIENT, Action.INSTALL_CLIENT)),
    ("imports", (Action.IMPORT_CERTIFICATE,)),
)
_NAMES_SHOWN: Final = 6


def weeks(timeline: Timeline) -> pd.DataFrame:
    """Return the work of each ISO week against its capacity, and what sessions live through.

    `freeze` names a freeze that covers some of its days; `over` what exceeds the weekly capacity.
    The counts by mode are those of the week's last day inside the horizon, `refused` is the most
    on one day. Every week of the horizon has a row.
    """
    plan, fleet = timeline.plan, timeline.plan.fleet
    mondays = np.arange(monday_of(fleet.start), fleet.end, 7, dtype=np.int32)
    last = np.minimum(mondays + 6, fleet.end - 1) - fleet.start
    daily = timeline.daily()
    refused = np.maximum.reduceat(
        daily[:, Mode.REFUSED], np.maximum(mondays, fleet.start) - fleet.start
    )
    work = {name: _per_week(plan, actions, mondays) for name, actions in _WORK}
    limits = (
        fleet.capacity.servers_per_week,
        fleet.capacity.clients_per_week,
        fleet.capacity.imports_per_week,
    )
    over = [
        ";".join(
            name
            for name, limit in zip(work, limits, strict=True)
            if limit is not None and work[name][place] > limit
        )
        for place in range(len(mondays))
    ]
    return pd.DataFrame(
        {
            "week": dates(mondays),
            **work,
            "over": column_of(over),
            "freeze": column_of(_freeze_in(fleet, monday) for monday in mondays.tolist()),
            "refused": refused,
            **{
                mode.label: daily[last, mode]
                for mode in sorted(Mode, reverse=True)
                if mode is not Mode.REFUSED
            },
        }
    )


def _per_week(plan: Plan, actions: tuple[Action, ...], mondays: Days) -> Numbers:
    fleet = plan.fleet
    chosen = np.isin(plan.action, actions) & (plan.day >= fleet.start) & (plan.day < fleet.end)
    place = (mondays_of(plan.day[chosen]) - mondays[0]) // 7
    return np.bincount(place, minlength=len(mondays)).astype(np.int32)


def _freeze_in(fleet: Fleet, monday: int) -> str:
    freezes = (fleet.calendar.freeze_on(day) for day in range(monday, monday + 7))
    return next((freeze.name for freeze in freezes if freeze is not None), "")


def key_numbers(deadlines: Deadlines, findings: Findings) -> pd.DataFrame:
    """Return what a plan comes down to, one number a row, with what it means."""
    timeline = deadlines.timeline
    plan, fleet = timeline.plan, timeline.plan.fleet
    found = measures(deadlines)
    not_safe = len(deadlines) - deadlines.count(Verdict.OK) - deadlines.count(Verdict.IN_PLACE)
    slack = "" if found.slack_minimum is None else str(found.slack_minimum)
    rows = (
        ("fleet", fleet.name, f"from {iso(fleet.start)} to {iso(fleet.end - 1)}"),
        ("servers", f"{len(fleet.servers):,}", ""),
        ("clients", f"{len(fleet.clients):,}", ""),
        ("sessions", f"{timeline.n_sessions:,}", ""),
        ("actions", f"{len(plan):,}", "planned in all"),
        ("finish", iso(found.finish) or "never", "the last upgrade or installation"),
        ("errors", f"{findings.count(Severity.ERROR):,}", "findings that must be cured"),
        ("warnings", f"{findings.count(Severity.WARNING):,}", "findings that must be judged"),
        ("refused", f"{found.refused_session_days:,}", "session-days on which nothing works"),
        ("exposure", f"{found.exposure:,.0f}", "weight x days in plain text"),
        ("not safe", f"{not_safe:,}", f"of {len(deadlines):,} imports: late or inside the lead"),
        ("least slack", slack, "days between an import and its latest safe day"),
        ("busiest week", f"{found.peak_imports_per_week:,}", "imports"),
    )
    return _frame(("number", "value", "meaning"), rows).set_index("number")


def owners(deadlines: Deadlines) -> pd.DataFrame:
    """Return what each owner has to import, by when, and how many imports are not safe.

    One row for each owner and certificate, by the first latest safe day. Servers that open sessions
    themselves have no owner. `not_safe` counts the imports that are missing, impossible, late, on
    the day itself or inside the lead.
    """
    fleet = deadlines.timeline.plan.fleet
    rows = np.flatnonzero(~deadlines.has_verdict(Verdict.IN_PLACE))
    endpoint = deadlines.endpoint()[rows]
    n_clients = len(fleet.clients)
    owner = ["" if e >= n_clients else fleet.clients.owner[e] for e in endpoint.tolist()]
    names = deadlines.timeline.compiled.certificates.name
    table = pd.DataFrame(
        {
            "owner": owner,
            "certificate": [names[anchor] for anchor in deadlines.anchor[rows].tolist()],
            "client": endpoint,
            "latest_safe": deadlines.latest_safe[rows],
            "needed": deadlines.needed[rows],
            "not_safe": ~deadlines.has_verdict(Verdict.OK)[rows],
        }
    )
    grouped = table.groupby(["owner", "certificate"], as_index=False).agg(
        clients=("client", "nunique"),
        imports=("client", "size"),
        first_latest_safe=("latest_safe", "min"),
        last_latest_safe=("latest_safe", "max"),
        last_needed=("needed", "max"),
        not_safe=("not_safe", "sum"),
    )
    grouped = grouped.sort_values(["first_latest_safe", "owner", "certificate"], ignore_index=True)
    return pd.DataFrame(
        {
            "owner": column_of(grouped["owner"]),
            "certificate": column_of(grouped["certificate"]),
            "clients": grouped["clients"],
            "imports": grouped["imports"],
            "first_latest_safe": dates(grouped["first_latest_safe"].to_numpy()),
            "last_latest_safe": dates(grouped["last_latest_safe"].to_numpy()),
            "last_needed": dates(grouped["last_needed"].to_numpy()),
            "not_safe": grouped["not_safe"].astype(np.int64),
        }
    )


def points_of_no_return(deadlines: Deadlines) -> pd.DataFrame:
    """Return the days after which going back costs more than undoing the step.

    Accounts turn strict with their first TLS session between new partners, and then refuse old
    clients (TROUB819); a server whose MD5 default was replaced goes on presenting the new
    certificate, downgrade or not (TN). One row for each day, server and kind.
    """
    timeline = deadlines.timeline
    fleet = timeline.plan.fleet
    turning: dict[tuple[int, int], list[str]] = {}
    for account in np.flatnonzero(_turns_strict(timeline)).tolist():
        key = (int(timeline.strictness.from_day[account]), int(fleet.accounts.server[account]))
        turning.setdefault(key, []).append(fleet.accounts.name[account])
    rows = [
        (
            day,
            fleet.servers.name[server],
            "accounts-strict",
            len(names),
            f"old clients can no longer log on as {_listed(sorted(names))}",
            "UPDATE with SESSIONSECURITY=TRANSITIONAL, once for each account; the next TLS session "
            "makes it strict again",
            "TROUB819",
        )
        for (day, server), names in turning.items()
    ]
    found = replacements(deadlines)
    certificates = found.certificates.name
    rows += [
        (
            row.day,
            fleet.servers.name[row.server],
            "certificate-replaced",
            len(row.databases),
            f"the server presents {certificates[row.new]} from now on, also after a downgrade",
            "import the new certificate wherever it is missing; the old one does not come back",
            "TN",
        )
        for row in found
        if row.change is Change.MD5_TO_SHA and row.new >= 0
    ]
    rows.sort()
    columns = ("date", "server", "point", "count", "what", "way_back", "source")
    return _frame(columns, [(iso(row[0]), *row[1:]) for row in rows])


def ways_back(deadlines: Deadlines) -> pd.DataFrame:
    """Return how each day's upgrades are undone, and which accounts must be set back for it.

    `accounts_to_reset` counts the accounts that turn strict on that day in a session of an endpoint
    upgraded then; an old end could not use them any more.
    """
    timeline = deadlines.timeline
    plan, fleet = timeline.plan, timeline.plan.fleet
    sessions, n_clients = fleet.sessions, len(fleet.clients)
    is_upgrade = np.isin(plan.action, UPGRADES)
    is_upgrade &= (plan.day >= fleet.start) & (plan.day < fleet.end)
    turns = np.where(_turns_strict(timeline), timeline.strictness.from_day, -1)
    rows: list[tuple[str, str, int, int, str]] = []
    for day in np.unique(plan.day[is_upgrade]).tolist():
        today = np.flatnonzero(is_upgrade & (plan.day == day))
        at_server = plan.action[today] == Action.UPGRADE_SERVER
        servers, clients = plan.server[today][at_server], plan.client[today][~at_server]
        touched = np.isin(sessions.server, servers) | np.isin(sessions.client, clients)
        of_server = [server + n_clients for server in servers.tolist()]
        touched |= np.isin(sessions.client, of_server)
        accounts = np.unique(sessions.account[touched & (turns[sessions.account] == day)])
        names = [plan.row(int(row)).server for row in today[at_server]]
        rows.append(
            (
                iso(day),
                ";".join(sorted(names)),
                len(np.unique(clients)),
                len(accounts),
                _way_back(n_servers=len(names), n_clients=len(clients), n_accounts=len(accounts)),
            )
        )
    columns = ("date", "servers", "clients", "accounts_to_reset", "way_back")
    return _frame(columns, rows)


def _way_back(*, n_servers: int, n_clients: int, n_accounts: int) -> str:
    steps = []
    if n_accounts:
        steps.append("set the accounts back to SESSIONSECURITY=TRANSITIONAL")
    if n_clients:
        steps.append("install the old level on the clients and put their options files back")
    if n_servers:
        steps.append("restore the server with its saved files and database backup")
    return "; then ".join(steps)


def _turns_strict(timeline: Timeline) -> NDArray[np.bool_]:
    """Whether each account turns strict inside the horizon."""
    fleet, from_day = timeline.plan.fleet, timeline.strictness.from_day
    return np.asarray((from_day >= fleet.start) & (from_day < fleet.end))


def _listed(names: list[str]) -> str:
    more = len(names) - _NAMES_SHOWN
    shown = ", ".join(names[:_NAMES_SHOWN])
    return f"{shown} and {more} more" if more > 0 else shown


def _frame(columns: tuple[str, ...], rows: Iterable[tuple[str | int, ...]]) -> pd.DataFrame:
    """Rows as a table whose columns are texts or whole numbers, also where there are none."""
    cells = list(zip(*rows, strict=True)) or [() for _ in columns]
    return pd.DataFrame(
        {
            name: whole_numbers(np.array(values, dtype=np.int64))
            if values and isinstance(values[0], int)
            else column_of(str(value) for value in values)
            for name, values in zip(columns, cells, strict=True)
        }
    )
