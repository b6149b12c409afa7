"""Checks of session states: who is refused, who is locked out, what is handed out by itself."""

from collections.abc import Iterator, Mapping
from typing import Final

import numpy as np

from planner.domain.calendar import iso
from planner.domain.findings import Finding, Severity
from planner.domain.fleet import SessionKind
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
from planner.domain.rules import RULE_NUMBER, Mode, Reason
from planner.engine import kernel
from planner.engine.review import Review, because, listed, rule_of

_CURES: Final[Mapping[Reason, str]] = {
    Reason.UNTRUSTED: "Import {anchor} into this key database at least the lead time before.",
    Reason.WRONG_CERTIFICATE: "Import {anchor}, the anchor of what the server presents.",
    Reason.EXPIRED: "Replace the certificate before it expires, and distribute the new anchor.",
    Reason.SSL_REQUIRED_BY_CLIENT: "Set SSL Yes with the SSL port and import {anchor}, or set "
    "SSLREQUIRED No.",
    Reason.SSL_REQUIRED_BY_SERVER: "Set SSL Yes with the SSL port and import {anchor}, or set "
    "SSLREQUIRED No on the account.",
    Reason.SSL_PORT: "Set TCPPORT to the server's SSL port, or SSL Yes only once the server is new.",
    Reason.TLS_LEVEL: "Switch TLS 1.2 on at the server, or upgrade the client first.",
    Reason.MD5_CERTIFICATE: "Make the server present a SHA certificate first, or upgrade the "
    "client to another level.",
    Reason.STRICT_ACCOUNT: "Upgrade this client first, or give it an account of its own.",
}


def check_for_refused_sessions(review: Review) -> Iterator[Finding]:
    """Report each stretch of days in which a session is refused for one reason."""
    timeline, fleet = review.timeline, review.fleet
    until, session = timeline.until(), timeline.session()
    refused = np.flatnonzero(timeline.mode() == Mode.REFUSED)
    last = -1
    for segment in refused:
        rule = rule_of(timeline.rule[segment])
        if segment <= last:
            continue
        last = int(segment)
        while (
            last + 1 < len(timeline)
            and session[last + 1] == session[segment]
            and rule_of(timeline.rule[last + 1]).reason is rule.reason
        ):
            last += 1
        begin, end, who = int(timeline.day[segment]), int(until[last]), int(session[segment])
        anchor = _presented_anchor(review, who, begin)
        message = f" ({rule.message})" if rule.message else ""
        yield Finding(
            rule=f"refused-{rule.reason}",
            severity=Severity.ERROR,
            day=begin,
            subject=fleet.session_text(who),
            what=f"refused from {iso(begin)} to before {iso(end)}, {end - begin} days: "
            f"{rule.reason}{message}; the server presents a certificate of anchor {anchor}",
            why=because(rule),
            fix=_CURES[rule.reason].format(anchor=anchor),
            file="sessions.csv",
            line=int(fleet.sessions.line[who]),
        )


def _presented_anchor(review: Review, session: int, day: int) -> str:
    row = review.server_row(int(review.fleet.sessions.server[session]), day)
    return review.certificate_name(int(review.program.server_anchor[row]))


def check_for_ldap_without_ssl(review: Review) -> Iterator[Finding]:
    """Report LDAP sessions that an old server refuses for want of SSL: case 8 becomes case 7."""
    timeline, fleet = review.timeline, review.fleet
    rules = [
        RULE_NUMBER["old-server.client-requires-ssl-for-ldap"],
        RULE_NUMBER["old-server.account-requires-ssl-for-ldap"],
    ]
    segments = np.flatnonzero(np.isin(timeline.rule, rules))
    session = timeline.session()[segments]
    _, first = np.unique(session, return_index=True)
    for segment in segments[np.sort(first)]:
        who = int(timeline.session()[segment])
        turns = "use case 8 turns into 7: " if review.use_cases[who] == 8 else ""
        yield Finding(
            rule="ldap-without-ssl",
            severity=Severity.ERROR,
            day=int(timeline.day[segment]),
            subject=fleet.session_text(who),
            what=f"{turns}SSL is No, the server is old and LDAP keeps the password",
            why=because(rule_of(timeline.rule[segment])),
            fix="Set SSL Yes and TCPPORT to the server's SSL port from this day on, and import "
            f"{_presented_anchor(review, who, int(timeline.day[segment]))} before it.",
            file="sessions.csv",
            line=int(fleet.sessions.line[who]),
        )


def check_for_automatic_distribution(review: Review) -> Iterator[Finding]:
    """Report each anchor that a server would hand out by itself."""
    sent, fleet = review.timeline.distributed, review.fleet
    severity = Severity.NOTE if fleet.automatic_distribution else Severity.ERROR
    for day, session, certificate in zip(sent.day, sent.session, sent.certificate, strict=True):
        name = review.certificate_name(int(certificate))
        rule = rule_of(int(review.timeline.rule_on(int(day))[session]))
        yield Finding(
            rule="automatic-distribution",
            severity=severity,
            day=int(day),
            subject=fleet.session_text(int(session)),
            what=f"{name} would be handed out by the server and accepted unseen",
            why=because(rule),
            fix=f"Import {name} before this day; set SSLACCEPTCERTFROMSERV No in every stanza.",
            file="sessions.csv",
            line=int(fleet.sessions.line[session]),
        )


def check_for_locked_out_clients(review: Review) -> Iterator[Finding]:
    """Report accounts that turn strict while an old client still uses them, and who did it."""
    timeline, fleet = review.timeline, review.fleet
    strict = timeline.rule == RULE_NUMBER["old-client.strict-account"]
    sessions, days = timeline.session()[strict], timeline.day[strict]
    accounts = fleet.sessions.account[sessions]
    for account in np.unique(accounts):
        chosen = accounts == account
        first = int(days[chosen].min())
        names = [
            fleet.endpoint_name(int(fleet.sessions.client[session])) for session in sessions[chosen]
        ]
        since, _ = kernel.strict_since(review.program, timeline.strictness, int(account), first)
        by = _turned_strict_by(review, int(account), since)
        server = fleet.servers.name[fleet.accounts.server[account]]
        cause = f"{listed(by)} logged on with TLS on {iso(since)}" if by else "it was set Strict"
        yield Finding(
            rule="shared-account-lockout",
            severity=Severity.ERROR,
            day=first,
            subject=f"{fleet.accounts.name[account]} on {server}",
            what=f"the account is strict because {cause}; locked out from {iso(first)}: "
            f"{listed(names)}",
            why="One new client with TLS turns the account strict for everybody, and old clients "
            "cannot authenticate with a strict account. [TROUB819, documented]",
            fix=f"Upgrade {listed(names)} by {iso(first)}, or give them an account of their own; "
            "a reset helps only while no new client uses the account.",
            file="accounts.csv" if fleet.accounts.line[account] else "sessions.csv",
            line=int(fleet.accounts.line[account] or fleet.sessions.line[sessions[chosen][0]]),
        )


def _turned_strict_by(review: Review, account: int, day: int) -> list[str]:
    """Clients whose sessions succeed on the day that turns an account strict."""
    fleet = review.fleet
    if not fleet.start <= day < fleet.end:
        return []
    succeeds = kernel.TURNS_STRICT[review.timeline.rule_on(day)]
    users = np.flatnonzero(succeeds & (fleet.sessions.account == account))
    return [fleet.endpoint_name(int(fleet.sessions.client[session])) for session in users]


def check_for_ssl_before_server_is_new(review: Review) -> Iterator[Finding]:
    """Report SSL Yes set while a server is old, on a port that is not its SSL port."""
    fleet, plan = review.fleet, review.plan
    n_clients = len(fleet.clients)
    for row in review.active(Action.SET_OPTION):
        value = plan.vocabulary.texts[plan.value[row]]
        if plan.option[row] != OPTIONS.index(SSL) or SSL.code_of(value) != 1:
            continue
        day = int(plan.day[row])
        for session in np.flatnonzero(review.matching_sessions(int(row))):
            server = int(fleet.sessions.server[session])
            if review.facts_on(n_clients + server, day) & LevelFact.NEW:
                continue
            if not review.facts_on(int(fleet.sessions.client[session]), day):
                continue
            _, own_port, _ = kernel.options_of(review.program, int(session), day)
            port = int(own_port or fleet.servers.tcpport[server])
            ssl_port = int(fleet.servers.ssltcpport[server])
            if port and port == ssl_port:
                continue
            known = bool(port and ssl_port)
            yield review.finding_on_action(
                int(row),
                "ssl-before-server-new",
                Severity.ERROR if known else Severity.WARNING,
                what=f"SSL Yes for {fleet.session_text(int(session))} while the server is old; "
                f"port {port or 'unknown'}, SSL port {ssl_port or 'unknown'}",
                why="An old server takes SSL on its SSL port alone. [SSLOPT, inferred]",
                fix="Set SSL Yes on the day on which the server becomes new, or TCPPORT to the "
                "server's SSL port on the same day.",
            )


def check_for_missing_encryption(review: Review) -> Iterator[Finding]:
    """Report sessions whose object data must be encrypted and in the end is not."""
    fleet, timeline = review.fleet, review.timeline
    modes = timeline.mode_on(fleet.end - 1) if timeline.n_sessions else np.zeros(0, dtype=np.uint8)
    clear = np.isin(modes, [Mode.PLAINTEXT, Mode.TLS_PARTIAL])
    for session in np.flatnonzero(fleet.sessions.encrypt_data & clear):
        mode = Mode(modes[session])
        segment = int(timeline.first[session + 1]) - 1
        yield Finding(
            rule="encryption-not-reached",
            severity=Severity.WARNING,
            day=int(timeline.day[segment]),
            subject=fleet.session_text(int(session)),
            what=f"its object data must be encrypted, and the plan ends with {mode.label}",
            why=because(rule_of(timeline.rule[segment])),
            fix="Upgrade both ends and set SSL Yes from the day on which both are new."
            if mode is Mode.PLAINTEXT
            else "Set SSL Yes from this day on.",
            file="sessions.csv",
            line=int(fleet.sessions.line[session]),
        )


def check_for_ignored_options(review: Review) -> Iterator[Finding]:
    """Report options that are set and that no session of the horizon heeds."""
    fleet, program = review.fleet, review.program
    sessions = fleet.sessions
    new = np.minimum.reduceat(
        np.where(program.level_facts & LevelFact.NEW != 0, 1, 0), program.level_first[:-1]
    )
    both_new = (new[sessions.client] == 1) & (new[sessions.server + len(fleet.clients)] == 1)
    for option in (SSLREQUIRED, SSLDISABLELEGACYTLS, LANFREESSL, REPLSSLPORT):
        is_set = (
            sessions.replsslport > 0
            if option is REPLSSLPORT
            else sessions.options & option.mask != 0
        )
        clients, first, counts = np.unique(
            sessions.client[is_set & both_new], return_index=True, return_counts=True
        )
        for client, place, count in zip(clients, first, counts, strict=True):
            session = np.flatnonzero(is_set & both_new)[place]
            yield Finding(
                rule="ignored-option",
                severity=Severity.NOTE,
                day=fleet.start,
                subject=f"{fleet.endpoint_name(int(client))} {option.name}",
                what=f"{option.name} is set for {count} sessions and has no effect",
                why=f"It is {option.ignored}. [{option.source}, {option.status}]",
                fix="Remove it when you next edit the options file.",
                file="sessions.csv",
                line=int(sessions.line[session]),
            )


def check_for_options_unknown_to_old_clients(review: Review) -> Iterator[Finding]:
    """Report SSLACCEPTCERTFROMSERV set in the file of a client that is still old."""
    plan, fleet = review.plan, review.fleet
    for row in review.active(Action.SET_OPTION):
        client = int(plan.client[row])
        if plan.option[row] != OPTIONS.index(SSLACCEPTCERTFROMSERV):
            continue
        if not 0 <= client < fleet.n_endpoints:
            continue
        facts = review.facts_on(client, int(plan.day[row]))
        if facts and not facts & LevelFact.NEW:
            yield review.finding_on_action(
                int(row),
                "option-unknown-to-client",
                Severity.WARNING,
                what="SSLACCEPTCERTFROMSERV is set while the client is old",
                why="An old client may reject an option that it does not know (ANS1036S). "
                "[MSG821, inferred]",
                fix="Set it on the day of the client's upgrade, before its first session.",
            )


def check_for_replication_order(review: Review) -> Iterator[Finding]:
    """Report server-to-server sessions whose target is at a higher level than their source."""
    fleet, program = review.fleet, review.program
    sessions, n_clients = fleet.sessions, len(fleet.clients)
    links = (sessions.kind == SessionKind.SERVER) & (sessions.client >= n_clients)
    for session in np.flatnonzero(links):
        source = int(sessions.client[session])
        target = n_clients + int(sessions.server[session])
        days = sorted(
            {
                int(day)
                for end in (source, target)
                for day in program.level_day[
                    program.level_first[end] : program.level_first[end + 1]
                ]
            }
        )
        for day in days:
            below, above = review.level_on(source, day), review.level_on(target, day)
            if below is None or above is None or below.vrl >= above.vrl:
                continue
            name, target_name = fleet.endpoint_name(source), fleet.endpoint_name(target)
            yield Finding(
                rule="replication-order",
                severity=Severity.WARNING,
                day=day,
                subject=f"{name} -> {target_name}",
                what=f"the source {name} is at {below} while its target {target_name} is at {above}",
                why="Replication fails while the source is below its target. "
                "[APAR IT47767, documented]",
                fix=f"If this link replicates, upgrade {name} on or before the day of "
                f"{target_name}.",
                file="sessions.csv",
                line=int(sessions.line[session]),
            )
            break
