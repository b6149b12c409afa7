"""Checks of session states: who is refused, who is locked out, what is handed out by itself.

Each refusal is reported once, by the check that knows its cause; `check_for_refused_sessions`
reports those that no other check explains.
"""

from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple

import numpy as np

from planner.domain.calendar import ALWAYS, NEVER, iso
from planner.domain.findings import Finding, Severity
from planner.domain.fleet import BETWEEN_SERVERS, Flags, Numbers, SessionKind
from planner.domain.levels import LevelFact
from planner.domain.options import (
    LANFREESSL,
    OPTIONS,
    REPLSSLPORT,
    SSL,
    SSLACCEPTCERTFROMSERV,
    SSLDISABLELEGACYTLS,
    SSLREQUIRED,
)
from planner.domain.plan import Action
from planner.domain.rules import RULES, Mode, Reason, Rule
from planner.engine import kernel
from planner.engine.deadline_checks import is_expiry_explained
from planner.engine.review import (
    Review,
    because,
    listed,
    reason_text,
    refused_for_deadlines,
    rule_of,
)

_LDAP_RULES: Final = tuple(
    number for number, rule in enumerate(RULES) if "ldap" in rule.when and rule.reason
)
_IGNORED_BY_NEW: Final = (SSLREQUIRED, SSLDISABLELEGACYTLS, LANFREESSL, REPLSSLPORT)

_CURES: Final[Mapping[Reason, str]] = {
    Reason.UNTRUSTED: "Import {anchor} into key database {database} before {day}, and do not "
    "remove it while {server} presents it.",
    Reason.WRONG_CERTIFICATE: "Import {anchor} into key database {database} before {day}: it is "
    "what {server} presents.",
    Reason.EXPIRED: "Let {server} present a certificate that is valid on {day}, and import its "
    "anchor before.",
    Reason.SSL_REQUIRED_BY_CLIENT: "Set SSL Yes{port} on {day} and import {anchor} before it, or "
    "set SSLREQUIRED No in the options of {client}.",
    Reason.SSL_REQUIRED_BY_SERVER: "Set SSL Yes{port} on {day} and import {anchor} before it, or "
    "set SSLREQUIRED No for the account on {server}.",
    Reason.SSL_PORT: "Set TCPPORT to {ssl_port}, the SSL port of {server}, or set SSL No until "
    "{server} is new.",
    Reason.MD5_CERTIFICATE: "Let {server} present a SHA certificate before {day} and import it, or "
    "upgrade {client} to 8.1.4 or later.",
}


def check_for_refused_sessions(review: Review) -> Iterator[Finding]:
    """Report each stretch of days in which a session is refused for a cause of its own."""
    fleet, refusals = review.fleet, review.refusals
    for row in np.flatnonzero(~_is_explained(review)):
        session, begin = int(refusals.session[row]), int(refusals.start[row])
        rule = rule_of(refusals.rule[row])
        until = review.until_text(int(refusals.end[row]))
        days = int(refusals.end[row] - begin)
        yield Finding(
            rule=f"refused-{rule.reason}",
            severity=Severity.ERROR,
            day=begin,
            subject=fleet.session_text(session),
            what=f"refused from {iso(begin)} {until}, {days} days ({reason_text(rule)})",
            why=because(rule),
            fix=_cure(review, session, rule, int(refusals.anchor[row]), begin),
            file="sessions.csv",
            line=int(fleet.sessions.line[session]),
        )


def _is_explained(review: Review) -> Flags:
    """Whether another check reports each stretch of refusal, with its cause."""
    refusals = review.refusals
    explained = refusals.because_of(Reason.STRICT_ACCOUNT) | np.isin(refusals.rule, _LDAP_RULES)
    for stretches in refused_for_deadlines(review).values():
        explained[stretches] = True
    wants_trust = refusals.because_of(Reason.UNTRUSTED, Reason.WRONG_CERTIFICATE)
    explained |= wants_trust & ~review.timeline.compiled.is_complete[refusals.anchor]
    explained |= is_expiry_explained(review)
    for early in _early_ssl(review):
        day = int(review.plan.day[early.row])
        explained[review.refused_on([early.session], day, Reason.SSL_PORT)] = True
    return explained


def _cure(review: Review, session: int, rule: Rule, anchor: int, day: int) -> str:
    fleet = review.fleet
    sessions = fleet.sessions
    client, server = review.client_name(session), review.server_name(session)
    ssl_port = int(fleet.servers.ssltcpport[sessions.server[session]])
    named_port = str(ssl_port) if ssl_port else "the SSL port"
    if rule.reason is Reason.TLS_LEVEL:
        if rule.id.startswith("old-client"):
            return f"Upgrade {client} to 8.1.2 or later before {server} becomes new."
        return (
            f"Switch TLS 1.2 on at {server} and say so in servers.csv, or set SSLDISABLELEGACYTLS "
            f"No for {client} until {server} is new."
        )
    is_old_server = rule.id.startswith("old-server")
    opens = review.certificates.opens(anchor)
    if rule.reason in (Reason.UNTRUSTED, Reason.WRONG_CERTIFICATE) and opens > day:
        name = review.certificates.name[anchor]
        return f"{name} can be had from {iso(opens)} on; until then let {server} present another."
    return _CURES[rule.reason].format(
        anchor=review.certificates.name[anchor],
        client=client,
        server=server,
        day=iso(day),
        database=fleet.key_databases.name[sessions.key_database[session]],
        ssl_port=named_port,
        port=f" and TCPPORT {named_port}" if is_old_server else "",
    )


def check_for_ldap_without_ssl(review: Review) -> Iterator[Finding]:
    """Report LDAP sessions without SSL while an end is old: use case 8 turns into 7."""
    fleet, refusals = review.fleet, review.refusals
    for row in np.flatnonzero(np.isin(refusals.rule, _LDAP_RULES)):
        session, begin = int(refusals.session[row]), int(refusals.start[row])
        rule = rule_of(refusals.rule[row])
        server = review.server_name(session)
        ssl_port = int(fleet.servers.ssltcpport[fleet.sessions.server[session]])
        is_old_server = rule.id.startswith("old-server")
        turns = "use case 8 turns into 7: " if review.use_cases[session] == 8 else ""
        port = f" and TCPPORT {ssl_port or 'to the SSL port of ' + server}" if is_old_server else ""
        old = f"{server} is old" if is_old_server else f"{review.client_name(session)} is old"
        yield Finding(
            rule="ldap-without-ssl",
            severity=Severity.ERROR,
            day=begin,
            subject=fleet.session_text(session),
            what=f"{turns}SSL is No, {old} and LDAP keeps the password; refused from {iso(begin)} "
            f"{review.until_text(int(refusals.end[row]))} ({reason_text(rule)})",
            why=because(rule),
            fix=f"Set SSL Yes{port} from {iso(begin)} on, and import "
            f"{review.certificates.name[refusals.anchor[row]]} before it.",
            file="sessions.csv",
            line=int(fleet.sessions.line[session]),
        )


def check_for_automatic_distribution(review: Review) -> Iterator[Finding]:
    """Report each anchor that a server would hand out by itself."""
    sent, fleet = review.timeline.distributed, review.fleet
    severity = Severity.NOTE if fleet.automatic_distribution else Severity.ERROR
    for day, session, certificate in zip(
        sent.day.tolist(), sent.session.tolist(), sent.certificate.tolist(), strict=True
    ):
        name = review.certificates.name[certificate]
        (rule,) = review.rules_on(np.array([session], dtype=np.int32), day)
        has_option = fleet.sessions.kind[session] not in BETWEEN_SERVERS
        option = f"; set SSLACCEPTCERTFROMSERV No for {review.client_name(session)}"
        yield Finding(
            rule="automatic-distribution",
            severity=severity,
            day=day,
            subject=fleet.session_text(session),
            what=f"{review.server_name(session)} would hand {name} out by itself, and it would be "
            "accepted unseen",
            why=because(rule_of(rule)),
            fix=f"Import {name} before {iso(day)}{option if has_option else ''}.",
            file="sessions.csv",
            line=int(fleet.sessions.line[session]),
        )


def check_for_locked_out_clients(review: Review) -> Iterator[Finding]:
    """Report accounts that are strict while an old client still uses them, and who made them so."""
    fleet, refusals = review.fleet, review.refusals
    program, strictness = review.program, review.timeline.strictness
    groups: dict[tuple[int, int], list[int]] = {}
    for row in np.flatnonzero(refusals.because_of(Reason.STRICT_ACCOUNT)).tolist():
        account = int(fleet.sessions.account[refusals.session[row]])
        since, _ = kernel.strict_since(program, strictness, account, int(refusals.start[row]))
        groups.setdefault((account, int(since)), []).append(row)
    users = _users_of(review, [account for account, _ in groups])
    for (account, since), rows in groups.items():
        first = int(refusals.start[rows].min())
        sessions = refusals.session[rows]
        names = list(dict.fromkeys(review.client_name(int(session)) for session in sessions))
        who = listed(names)
        by = _turned_strict_by(review, users[account], since)
        if not by:
            cause = _set_strict(review, account, first)
            fix = (
                f"Upgrade {who} on or before {iso(first)}, or set the account Transitional as long "
                "as no new client uses it."
            )
        elif set(by) <= set(names):
            cause = f"it turned strict on {iso(since)}, when {listed(by)} logged on as a new client"
            fix = (
                f"Do not take {who} back to an old level, or set the account Transitional on "
                f"{iso(first)}."
            )
        else:
            cause = f"it turned strict on {iso(since)}, when {listed(by)} logged on as a new client"
            fix = (
                f"Upgrade {who} on or before {iso(first)}, or give them an account of their own; "
                "a reset to Transitional lasts only until the next new client logs on."
            )
        rule = rule_of(refusals.rule[rows[0]])
        days = refusals.days(np.array(rows))
        yield Finding(
            rule="shared-account-lockout",
            severity=Severity.ERROR,
            day=first,
            subject=f"{fleet.accounts.name[account]} on "
            f"{fleet.servers.name[fleet.accounts.server[account]]}",
            what=f"{cause}; refused from {iso(first)} on, {days} session-days ({rule.reason}): "
            f"{who}",
            why="One new client turns an account strict for everybody, and no old client can use a "
            "strict account. [TROUB819, documented]",
            fix=fix,
            file="accounts.csv" if fleet.accounts.line[account] else "sessions.csv",
            line=int(fleet.accounts.line[account] or fleet.sessions.line[sessions[0]]),
        )


def _users_of(review: Review, accounts: list[int]) -> dict[int, Numbers]:
    """Sessions of each of some accounts."""
    used = review.fleet.sessions.account
    sessions = np.flatnonzero(np.isin(used, accounts)).astype(np.int32)
    sessions = sessions[np.argsort(used[sessions], kind="stable")]
    values, first = np.unique(used[sessions], return_index=True)
    return (
        dict(zip(values.tolist(), np.split(sessions, first[1:]), strict=True)) if accounts else {}
    )


def _turned_strict_by(review: Review, users: Numbers, day: int) -> list[str]:
    """Clients whose sessions succeed on the day that turns their account strict."""
    if day in (ALWAYS, NEVER):
        return []
    succeeds = kernel.TURNS_STRICT[review.rules_on(users, day)]
    return list(dict.fromkeys(review.client_name(int(session)) for session in users[succeeds]))


def _set_strict(review: Review, account: int, day: int) -> str:
    """Who set an account Strict that no success turned strict: the plan, or accounts.csv."""
    fleet, plan = review.fleet, review.plan
    accounts = fleet.accounts
    rows = review.active(Action.SET_SESSION_SECURITY)
    rows = rows[
        (plan.server[rows] == accounts.server[account])
        & (plan.account[rows] == accounts.name_number[account])
        & (plan.day[rows] <= day)
    ]
    if not len(rows):
        return "accounts.csv has it Strict from the first day on"
    row = plan.row(int(rows[-1]))
    where = f" ({row.file}:{row.line})" if row.line else ""
    return f"the plan sets it Strict on {iso(row.day)}{where}"


class _EarlySsl(NamedTuple):
    """SSL Yes, set for a session whose server is old, on a port that is not its SSL port."""

    row: int
    session: int
    port: int
    ssl_port: int


def _early_ssl(review: Review) -> list[_EarlySsl]:
    fleet, plan = review.fleet, review.plan
    is_yes = np.array([SSL.code_of(text) == 1 for text in plan.vocabulary.texts])
    rows = review.active(Action.SET_OPTION)
    rows = rows[(plan.option[rows] == OPTIONS.index(SSL)) & is_yes[plan.value[rows]]]
    row, session = review.sessions_of_options(rows)
    client, server = fleet.sessions.client[session], fleet.sessions.server[session]
    day = plan.day[row]
    server_facts = review.facts_on(server + np.int32(len(fleet.clients)), day)
    early = (server_facts & LevelFact.NEW == 0) & (review.facts_on(client, day) != 0)
    found = []
    for pair in np.flatnonzero(early):
        options, port, _ = kernel.options_of(review.program, int(session[pair]), int(day[pair]))
        port = int(port or fleet.servers.tcpport[server[pair]])
        ssl_port = int(fleet.servers.ssltcpport[server[pair]])
        if options >> SSL.shift & 1 and (not port or port != ssl_port):
            found.append(_EarlySsl(int(row[pair]), int(session[pair]), port, ssl_port))
    return found


def check_for_ssl_before_server_is_new(review: Review) -> Iterator[Finding]:
    """Report SSL Yes set while a server is old, on a port that is not its SSL port."""
    fleet, plan = review.fleet, review.plan
    by_row: dict[int, list[_EarlySsl]] = {}
    for early in _early_ssl(review):
        by_row.setdefault(early.row, []).append(early)
    for row, sessions in by_row.items():
        known = [early for early in sessions if early.port and early.ssl_port]
        shown = (known or sessions)[0]
        refused = review.refused_on(
            [early.session for early in sessions], int(plan.day[row]), Reason.SSL_PORT
        )
        who = listed(fleet.session_text(early.session) for early in sessions)
        effect = f"; {review.refused_text(np.array(refused))}" if refused else f": {who}"
        server = review.server_name(shown.session)
        yield review.finding_on_action(
            row,
            "ssl-before-server-new",
            Severity.ERROR if known else Severity.WARNING,
            what=f"SSL Yes is set while {server} is old; the session's port is "
            f"{shown.port or 'unknown'}, the SSL port of {server} {shown.ssl_port or 'unknown'}"
            + effect,
            why="An old server takes SSL on its SSL port alone. [SSLOPT, inferred]",
            fix=f"Move it to the day on which {server} becomes new, or set TCPPORT to "
            f"{shown.ssl_port or 'the SSL port'} on the same day.",
        )


def check_for_missing_encryption(review: Review) -> Iterator[Finding]:
    """Report sessions whose object data must be encrypted and in the end is not."""
    fleet, timeline = review.fleet, review.timeline
    last = timeline.first[1:] - 1
    modes = timeline.mode()[last]
    clear = np.isin(modes, [Mode.PLAINTEXT, Mode.TLS_PARTIAL])
    for session in np.flatnonzero(fleet.sessions.encrypt_data & clear):
        mode, segment = Mode(modes[session]), int(last[session])
        day = iso(timeline.day[segment])
        client, server = review.client_name(int(session)), review.server_name(int(session))
        yield Finding(
            rule="encryption-not-reached",
            severity=Severity.WARNING,
            day=int(timeline.day[segment]),
            subject=fleet.session_text(int(session)),
            what=f"its object data must be encrypted, and the plan ends with {mode.label} "
            f"(since {day})",
            why=because(rule_of(timeline.rule[segment])),
            fix=f"Upgrade both {client} and {server} to new levels, and set SSL Yes on the day on "
            "which both are new."
            if mode is Mode.PLAINTEXT
            else f"Set SSL Yes for this session on {day}.",
            file="sessions.csv",
            line=int(fleet.sessions.line[session]),
        )


def check_for_ignored_options(review: Review) -> Iterator[Finding]:
    """Report options that are set for sessions whose two ends are new already."""
    yield from _ignored_in_files(review)
    yield from _ignored_in_accounts(review)
    yield from _ignored_in_plan(review)


def _always_new(review: Review) -> Flags:
    """Whether each endpoint is new on every day."""
    program = review.program
    new = program.level_facts & LevelFact.NEW != 0
    return np.logical_and.reduceat(new, program.level_first[:-1]) if len(new) else new


def _ignored_in_files(review: Review) -> Iterator[Finding]:
    fleet = review.fleet
    sessions, new = fleet.sessions, _always_new(review)
    both_new = new[sessions.client] & new[sessions.server + len(fleet.clients)]
    for option in _IGNORED_BY_NEW:
        is_set = (
            sessions.replsslport > 0
            if option is REPLSSLPORT
            else sessions.options & option.mask != 0
        )
        chosen = np.flatnonzero(is_set & both_new)
        clients, first, counts = np.unique(
            sessions.client[chosen], return_index=True, return_counts=True
        )
        for client, place, count in zip(clients, first, counts, strict=True):
            name = fleet.endpoint_name(int(client))
            yield Finding(
                rule="ignored-option",
                severity=Severity.NOTE,
                day=fleet.start,
                subject=f"{name} {option.name}",
                what=f"{option.name} has no effect; it is set for {count} "
                f"session{'s' if count > 1 else ''} of {name}",
                why=f"It is {option.ignored}. [{option.source}, {option.status}]",
                fix=f"Remove {option.name} when you next edit the options of {name}.",
                file="sessions.csv",
                line=int(sessions.line[chosen[place]]),
            )


def _ignored_in_accounts(review: Review) -> Iterator[Finding]:
    fleet, accounts = review.fleet, review.fleet.accounts
    new = _always_new(review)[len(fleet.clients) :]
    for account in np.flatnonzero((accounts.sslrequired != 0) & new[accounts.server]):
        server = fleet.servers.name[accounts.server[account]]
        yield Finding(
            rule="ignored-account-option",
            severity=Severity.NOTE,
            day=fleet.start,
            subject=f"{accounts.name[account]} on {server}",
            what="SSLREQUIRED of the account is set and has no effect",
            why=f"{server} is new, and new servers ignore SSLREQUIRED of an account; session "
            "security took its place. [DEPR812, documented]",
            fix="Nothing to do; leave it empty in accounts.csv.",
            file="accounts.csv",
            line=int(accounts.line[account]),
        )


def _ignored_in_plan(review: Review) -> Iterator[Finding]:
    fleet, plan = review.fleet, review.plan
    rows = review.active(Action.SET_OPTION)
    rows = rows[np.isin(plan.option[rows], [OPTIONS.index(option) for option in _IGNORED_BY_NEW])]
    row, session = review.sessions_of_options(rows)
    server = fleet.sessions.server[session] + np.int32(len(fleet.clients))
    of_both = review.facts_on(fleet.sessions.client[session], plan.day[row])
    of_both &= review.facts_on(server, plan.day[row])
    is_heeded = of_both & LevelFact.NEW == 0
    for number in np.setdiff1d(row, row[is_heeded]).tolist():
        option = OPTIONS[plan.option[number]]
        yield review.finding_on_action(
            number,
            "ignored-option",
            Severity.NOTE,
            what=f"{option.name} has no effect on that day: client and server are new",
            why=f"It is {option.ignored}. [{option.source}, {option.status}]",
            fix="Remove the row.",
        )


def check_for_options_unknown_to_old_clients(review: Review) -> Iterator[Finding]:
    """Report SSLACCEPTCERTFROMSERV set in the file of a client that is still old."""
    plan, fleet = review.plan, review.fleet
    rows = review.active(Action.SET_OPTION)
    rows = rows[
        (plan.option[rows] == OPTIONS.index(SSLACCEPTCERTFROMSERV))
        & (plan.client[rows] >= 0)
        & (plan.client[rows] < fleet.n_endpoints)
    ]
    facts = review.facts_on(plan.client[rows], plan.day[rows])
    for row in rows[(facts != 0) & (facts & LevelFact.NEW == 0)].tolist():
        client = fleet.endpoint_name(int(plan.client[row]))
        yield review.finding_on_action(
            row,
            "option-unknown-to-client",
            Severity.WARNING,
            what=f"SSLACCEPTCERTFROMSERV is set while {client} is old",
            why="An old client may reject an option that it does not know (ANS1036S) and stop. "
            "[MSG821, inferred]",
            fix=f"Set it on the day of the upgrade of {client}, before its first session.",
        )


def check_for_replication_order(review: Review) -> Iterator[Finding]:
    """Report server-to-server sessions whose target is at a higher level than their source."""
    fleet, program = review.fleet, review.program
    sessions, n_clients = fleet.sessions, len(fleet.clients)
    links: dict[tuple[int, int], int] = {}
    # Links between servers: a few, whatever the size of the fleet.
    for session in np.flatnonzero(sessions.kind == SessionKind.SERVER).tolist():
        link = (int(sessions.client[session]), n_clients + int(sessions.server[session]))
        links.setdefault(link, session)
    for (source, target), session in links.items():
        changes = [
            program.level_day[program.level_first[end] : program.level_first[end + 1]]
            for end in (source, target)
        ]
        for day in np.unique(np.concatenate(changes)).tolist():
            below, above = review.level_on(source, day), review.level_on(target, day)
            if below is None or above is None or below.vrl >= above.vrl:
                continue
            name, target_name = fleet.endpoint_name(source), fleet.endpoint_name(target)
            yield Finding(
                rule="replication-order",
                severity=Severity.WARNING,
                day=day,
                subject=f"{name} -> {target_name}",
                what=f"from {iso(day)} on the source {name} is at {below}, below its target "
                f"{target_name} at {above}",
                why="Replication fails while the source is below its target. "
                "[APAR IT47767, documented]",
                fix=f"If this link replicates, upgrade {name} to {above} on or before {iso(day)}.",
                file="sessions.csv",
                line=int(sessions.line[session]),
            )
            break


def turned_strict_again_by(review: Review, account: int, day: int) -> list[str]:
    """Clients that turn an account strict on a day."""
    return _turned_strict_by(review, _users_of(review, [account])[account], day)
