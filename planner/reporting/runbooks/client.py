"""The runbook of one client."""

from collections.abc import Sequence
from itertools import groupby

from planner.domain.calendar import NEVER, iso
from planner.domain.fleet import AccountKind, ClientKind, Numbers, SessionKind
from planner.domain.plan import Action, PlannedAction
from planner.reporting import commands
from planner.reporting.runbooks.book import Book, window
from planner.reporting.runbooks.markdown import code, step, table, text
from planner.reporting.runbooks.steps import bundle_lines, imports, options, removals


def client_runbook(book: Book, client: int, rows: Sequence[int]) -> str:
    """Return the runbook of a client with the given actions, in their order."""
    fleet = book.plan.fleet
    clients, level = fleet.clients, fleet.endpoint_level(client)
    lines = [f"# Runbook: client {text(clients.name[client])}", ""]
    lines += table(
        ("what", "value"),
        (
            ("kind", ClientKind(clients.kind[client]).label),
            ("platform", clients.platform[client] or "not given"),
            ("level on the first day", str(level) if level else "not installed or not known"),
            ("site", clients.site[client] or "not given"),
            ("owner", clients.owner[client] or "not given"),
            ("window", window(book, clients.site[client])),
        ),
    )
    lines += _sessions(book, book.sessions_of_client.of(client))
    lines += bundle_lines(book, client)
    lines += _days(book, client, rows)
    lines += _no_return(book, book.sessions_of_client.of(client))
    return "\n".join(lines).rstrip() + "\n"


def _sessions(book: Book, sessions: Numbers) -> list[str]:
    fleet = book.plan.fleet
    rows = fleet.sessions
    return [
        "## Sessions",
        "",
        *table(
            ("server", "as", "for", "key database", "on the first day", "at the end"),
            (
                (
                    fleet.servers.name[rows.server[session]],
                    fleet.accounts.name[rows.account[session]],
                    SessionKind(rows.kind[session]).label,
                    fleet.key_databases.name[rows.key_database[session]],
                    book.mode_on(session, fleet.start),
                    book.mode_on(session, fleet.end - 1),
                )
                for session in sessions.tolist()
            ),
        ),
    ]


def _days(book: Book, endpoint: int, rows: Sequence[int]) -> list[str]:
    """Return the steps, day by day in the order in which they act."""
    lines = []
    plan = book.plan
    for _, group in groupby(rows, key=lambda row: (plan.day[row], plan.action[row])):
        same = list(group)
        action = plan.row(same[0])
        match action.action:
            case Action.IMPORT_CERTIFICATE:
                lines += imports(book, endpoint, same)
            case Action.REMOVE_CERTIFICATE:
                lines += removals(book, endpoint, same)
            case Action.SET_OPTION:
                lines += options(book, same)
            case Action.UPGRADE_CLIENT | Action.INSTALL_CLIENT:
                lines += _upgrade(book, endpoint, action)
            case _:
                lines += _retirement(action)
    return lines


def _upgrade(book: Book, client: int, action: PlannedAction) -> list[str]:
    fleet = book.plan.fleet
    sessions = book.sessions_of_client.of(client).tolist()
    installs = action.action is Action.INSTALL_CLIENT
    before = fleet.endpoint_level(client)
    lines = [
        f"## {iso(action.day)}: {'install' if installs else 'bring to'} level {text(action.value)}",
        "",
        "1. Stop the client's scheduler and every service that opens sessions.",
        f"2. Install {text(action.value)}; leave the key databases where they are.",
        "3. Do all imports and options of this day.",
        "4. Start one session by hand, then the services.",
        "",
    ]
    lines += table(
        ("first session to", "as", "the day before", "expected now"),
        (
            (
                fleet.servers.name[fleet.sessions.server[session]],
                fleet.accounts.name[fleet.sessions.account[session]],
                book.mode_on(session, action.day - 1),
                book.mode_on(session, action.day),
            )
            for session in sessions
        ),
    )
    strict = [session for session in sessions if book.first_tls(session) == action.day]
    back = (
        f"install {before} again and put the saved options file back"
        if before and not installs
        else "remove the client"
    )
    if strict:
        back += "; the accounts below are strict by then, so reset them first"
    return lines + step(
        "the states of the table.",
        "the server's log shows ANR8592I with TLSV12 or TLSV13 for the session, where TLS is "
        "expected; dsmerror.log shows no ANS1592E, ANS1595E or ANS1579E.",
        "the first session is refused: leave the services stopped, and import what is missing.",
        f"{back}.",
    )


def _retirement(action: PlannedAction) -> list[str]:
    return [
        f"## {iso(action.day)}: {action.action.label}",
        "",
        "Stop its scheduler and every service that opens sessions, for good.",
        "",
        *step(
            "no session of the client from this day on.",
            "`QUERY SESSION` on its servers does not show it.",
            "it still backs up something that is needed: leave it running.",
            "start the services again; the key databases stay as they are.",
        ),
    ]


def _no_return(book: Book, sessions: Numbers) -> list[str]:
    """Say when accounts turn strict, who uses them too, and what lets old clients in again."""
    fleet = book.plan.fleet
    lines: list[str] = []
    days = [(book.first_tls(session), session) for session in sessions.tolist()]
    for day, session in sorted(days):
        if day == NEVER:
            continue
        account = int(fleet.sessions.account[session])
        server = fleet.servers.name[fleet.sessions.server[session]]
        others = [
            fleet.endpoint_name(int(fleet.sessions.client[other]))
            for other in book.sessions_of_account.of(account).tolist()
            if fleet.sessions.client[other] != fleet.sessions.client[session]
        ]
        who = ", ".join(text(name) for name in dict.fromkeys(others)) or "nobody else"
        lines += [
            f"- {iso(day)}: {text(fleet.accounts.name[account])} on {text(server)} turns strict "
            f"with the first TLS session, if it is not yet. Also used by: {who}."
        ]
        kind = fleet.accounts.kind[account]
        reset = commands.set_session_security(
            AccountKind(kind), fleet.accounts.name[account], "TRANSITIONAL"
        )
        lines += ["  An old client is refused from then on. To let it in again, on the server:", ""]
        lines += [f"  {line}".rstrip() for line in code(reset)]
    if not lines:
        return []
    head = [
        "## Points of no return",
        "",
        "An account that has turned strict stays so. A reset lasts until the next session of a new "
        "client.",
        "",
    ]
    return [*head, *lines]
