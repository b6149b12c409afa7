"""The runbook of one server."""

from collections.abc import Sequence
from typing import Final

from planner.domain.calendar import NEVER, iso
from planner.domain.certificates import CertificateKind
from planner.domain.plan import Action, PlannedAction
from planner.engine.replacements import Method, Replacement
from planner.inventory.files import safe_name
from planner.reporting import commands
from planner.reporting.runbooks.book import Book, window
from planner.reporting.runbooks.markdown import code, step, table, text
from planner.reporting.runbooks.steps import bundle_lines, imports, options, removals

_SAVED: Final = (
    "dsmserv.opt",
    "the device configuration and the volume history",
    "dsmkeydb.kdb and .sth",
    "cert.kdb and .sth, .rdb and .crl, and cert256.arm",
)


def server_runbook(
    book: Book, server: int, rows: Sequence[int], ends: Sequence[Replacement]
) -> str:
    """Return the runbook of a server: its actions in their order, and its certificates' ends."""
    fleet = book.plan.fleet
    servers, endpoint = fleet.servers, len(fleet.clients) + server
    level = fleet.endpoint_level(endpoint)
    lines = [f"# Runbook: server {text(servers.name[server])}", ""]
    lines += table(
        ("what", "value"),
        (
            ("level on the first day", str(level) if level else "not known"),
            ("address", servers.address[server] or "not given"),
            ("site", servers.site[server] or "not given"),
            ("window", window(book, servers.site[server])),
            ("sessions", str(len(book.sessions_of_server.of(server)))),
        ),
    )
    lines += bundle_lines(book, endpoint)
    planned = {(row.day, row.new) for row in ends}
    for row in rows:
        action = book.plan.row(row)
        match action.action:
            case Action.UPGRADE_SERVER:
                lines += _server_upgrade(book, server, action)
            case Action.IMPORT_CERTIFICATE:
                lines += imports(book, endpoint, [row])
            case Action.REMOVE_CERTIFICATE:
                lines += removals(book, endpoint, [row])
            case Action.SET_OPTION:
                lines += options(book, [row])
            case Action.REPLACE_CERTIFICATE:
                if (action.day, int(book.plan.certificate[row])) not in planned:
                    lines += [f"## {iso(action.day)}: certificate", "", "Nothing changes.", ""]
            case _:
                lines += _setting(book, row, action)
    for end in ends:
        same_day = [row for row in rows if book.plan.day[row] == end.day]
        lines += _replacement(book, end, same_day)
    lines += _strict_accounts(book, server)
    return "\n".join(lines).rstrip() + "\n"


def _gate(book: Book, server: int, day: int) -> list[str]:
    """Return the imports that must be reported before a day on which clients first need them."""
    fleet = book.plan.fleet
    names = book.deadlines.timeline.compiled.certificates.name
    due = [
        (bundle, anchor)
        for bundle, anchor in book.needed_for_server.get(fleet.servers.name[server], ())
        if anchor.needed == day
    ]
    if not due:
        return ["No key database needs a new anchor on this day.", ""]
    return [
        f"**Gate:** {len(due)} key databases need an anchor on this day. Go on only when each of "
        "these imports is reported as done.",
        "",
        *table(
            ("client", "key database", "certificate", "planned"),
            (
                (
                    fleet.endpoint_name(bundle.endpoint),
                    fleet.key_databases.name[bundle.key_database],
                    names[anchor.certificate],
                    "in place" if anchor.is_in_place else iso(anchor.planned) or "not planned",
                )
                for bundle, anchor in due
            ),
        ),
    ]


def _server_upgrade(book: Book, server: int, action: PlannedAction) -> list[str]:
    fleet = book.plan.fleet
    lines = [f"## {iso(action.day)}: bring to level {text(action.value)}", ""]
    lines += _gate(book, server, action.day)
    lines += [
        f"1. Save {'; '.join(_SAVED)}.",
        "2. Stop the server, upgrade it, start it.",
        "3. Let one client log on, then open it to all.",
        "",
    ]
    sessions = book.sessions_of_server.of(server).tolist()
    states: dict[tuple[str, str], int] = {}
    for session in sessions:
        key = (book.mode_on(session, action.day - 1), book.mode_on(session, action.day))
        states[key] = states.get(key, 0) + 1
    lines += table(
        ("sessions", "the day before", "expected now"),
        ((str(n), before, now) for (before, now), n in sorted(states.items())),
    )
    before = fleet.endpoint_level(len(fleet.clients) + server)
    return lines + step(
        "the states of the table.",
        "`QUERY NODE <node> FORMAT=DETAILED` shows Session Security and Transport Method; the log "
        "shows ANR8592I for TLS sessions.",
        "an import of the gate is not reported: put the upgrade off.",
        f"restore {before or 'the old level'} with the saved files, the database backup included; "
        "accounts that are strict by then refuse old clients.",
    )


def _setting(book: Book, row: int, action: PlannedAction) -> list[str]:
    who = text(action.account) or "(the default)"
    lines = [f"## {iso(action.day)}: {action.action.label} {who}", ""]
    lines += code(book.commands[row] or "no command: a server definition has no such setting")
    return lines + step(
        "the server confirms the command.",
        "`QUERY NODE <node> FORMAT=DETAILED`, or QUERY ADMIN, shows the value.",
        "the command fails.",
        "set the old value again.",
    )


def _replacement(book: Book, end: Replacement, rows: Sequence[int]) -> list[str]:
    certificates = book.replacements.certificates
    old = certificates.name[end.old]
    if end.new < 0:
        return [
            f"## {iso(end.day)}: {text(old)} expires, and no replacement is planned",
            "",
            f"Plan one; hand the new anchor out by {iso(end.distribute_by)}. From the day on every "
            "session that checks the certificate is refused (ANS1693E).",
            "",
        ]
    new = certificates.name[end.new]
    lines = [f"## {iso(end.day)}: present {text(new)} instead of {text(old)}", ""]
    n_databases = len(end.databases)
    if end.distribute_by != NEVER:
        lines += [
            f"{n_databases} key databases need its anchor, now or later; hand it out by "
            f"{iso(end.distribute_by)}. {end.ready} of them hold it before the day.",
            "",
        ]
    is_cut = end.method is Method.HARD_CUT
    if end.method is Method.SAME_ANCHOR:
        lines += ["The anchor stays the same: clients need nothing.", ""]
    elif is_cut:
        until = iso(end.refused_until)
        window = (
            f"clients are refused from {iso(end.refused_from)} on until they have imported it"
            + (f", the last of them until {until}." if until else ".")
            if iso(end.refused_from)
            else "no client can have imported it before. None needs it on that day; each imports "
            "it before it does."
        )
        lines += [
            f"**Hard cut.** The server makes the new certificate at its restart, so {window}",
            "",
        ]
    else:
        lines += ["Clients hold old and new together until then.", ""]
    own = [row for row in rows if book.plan.action[row] == Action.REPLACE_CERTIFICATE]
    if not own:
        lines += ["The server changes by itself when it starts at its new level (TN).", ""]
    elif is_cut:
        lines += code(*commands.renewal())
    else:
        lines += _preparation(book, end, own[0])
        lines += _gate(book, end.server, end.day)
        lines += ["On the day, on the server, and then restart it:", ""]
        lines += code(*(book.commands[row] for row in own))
    back = f"present {text(old)} again, as long as the key database of the server holds it."
    return lines + step(
        "the log shows ANR8592I with the name of the new certificate; self-signed ones all have "
        "the same name.",
        "let one client log on before the others.",
        "the server does not start, or an import is not reported.",
        "restore the saved files, and restart." if is_cut else back,
    )


def _preparation(book: Book, end: Replacement, row: int) -> list[str]:
    """Return how the new certificate comes to the server before its day."""
    certificates, fleet = book.replacements.certificates, book.plan.fleet
    new = certificates.name[end.new]
    if certificates.kind[end.new] == CertificateKind.SELF_SIGNED:
        if book.commands[row] != commands.present(new, overlaps=True):
            return ["The server has it beside the present one already.", ""]
        return ["Make it before it is handed out:", "", *code(commands.create(new))]
    file = safe_name(new)
    host = fleet.servers.address[end.server] or fleet.servers.name[end.server]
    chain = [*certificates.chain(end.new)][:0:-1]  # the root first (ANSIBLE)
    issuers = [certificates.name[issuer] for issuer in chain]
    return [
        "Beforehand, in the instance folder: request the CA's signature, add the issuers from the "
        "root on, and take in what the CA sends back. No key leaves the server. (ANSIBLE)",
        "",
        *code(
            commands.request(new, host, f"{file}.csr"),
            *(
                commands.import_by_gsk8capicmd(
                    name, f"{safe_name(name)}.arm", database=commands.SERVER_DATABASE
                )
                for name in issuers
            ),
            commands.receive(f"{file}.arm"),
        ),
    ]


def _strict_accounts(book: Book, server: int) -> list[str]:
    fleet = book.plan.fleet
    first: dict[int, int] = {}
    for session in book.sessions_of_server.of(server).tolist():
        account, day = int(fleet.sessions.account[session]), book.first_tls(session)
        first[account] = min(first.get(account, NEVER), day)
    days: dict[int, list[str]] = {}
    for account, day in first.items():
        if day != NEVER and not fleet.accounts.strict[account]:
            days.setdefault(day, []).append(fleet.accounts.name[account])
    if not days:
        return []
    return [
        "## Points of no return",
        "",
        "From these days on the accounts are strict: old clients with the same id are refused.",
        "",
        *table(
            ("day", "accounts"),
            ((iso(day), ", ".join(sorted(names))) for day, names in sorted(days.items())),
        ),
    ]
