"""Checks of deadlines and certificates: what comes too late, what expires, what is no trust."""

from collections.abc import Iterator, Mapping
from typing import Final

import numpy as np

from planner.domain.calendar import ALWAYS, NEVER, iso
from planner.domain.findings import Finding, Severity
from planner.domain.plan import Action
from planner.domain.rules import DEADLINE_RULES, RULES, VERDICTS, Reason, Verdict
from planner.engine.review import Review, listed
from planner.engine.timelines import SERVER_COMPLETE, SERVER_MD5

_SEVERITIES: Final[Mapping[Verdict, Severity]] = {
    Verdict.IMPOSSIBLE: Severity.ERROR,
    Verdict.MISSING: Severity.ERROR,
    Verdict.TIGHT: Severity.WARNING,
    Verdict.SAME_DAY: Severity.WARNING,
    Verdict.LATE: Severity.ERROR,
}


def check_for_deadlines(review: Review) -> Iterator[Finding]:
    """Report each deadline that is missing, late, impossible, tight, or met on the very day."""
    deadlines, fleet = review.deadlines, review.fleet
    faulty = np.isin(deadlines.verdict, [VERDICTS.index(verdict) for verdict in _SEVERITIES])
    if not faulty.any():
        return
    servers, _ = deadlines.texts()
    opens, databases = deadlines.opens(), deadlines.key_database()
    for row in np.flatnonzero(faulty):
        verdict = VERDICTS[deadlines.verdict[row]]
        rule = DEADLINE_RULES[deadlines.verdict[row]]
        name = review.certificate_name(int(deadlines.anchor[row]))
        needed, safe = iso(deadlines.needed[row]), iso(deadlines.latest_safe[row])
        planned = iso(deadlines.planned[row]) or "never"
        fixes = {
            Verdict.IMPOSSIBLE: f"Get {name} earlier than {iso(opens[row])}, or upgrade later.",
            Verdict.MISSING: f"Import {name} by {safe}.",
            Verdict.TIGHT: f"Import {name} by {safe}.",
            Verdict.SAME_DAY: f"Import {name} by {safe}, or keep the client's services stopped "
            "until it is done.",
            Verdict.LATE: f"Import {name} by {safe}; sessions are refused until {planned}.",
        }
        database = int(databases[row])
        yield Finding(
            rule=f"deadline-{verdict}",
            severity=_SEVERITIES[verdict],
            day=int(deadlines.needed[row]),
            subject=f"{fleet.endpoint_name(int(fleet.key_databases.endpoint[database]))} "
            f"{fleet.key_databases.name[database]} {name}",
            what=f"needed on {needed} for {servers[row].replace(';', ', ')}; latest safe day "
            f"{safe}, planned {planned}",
            why=f"{rule.sentence} [{rule.source}, {rule.status}]",
            fix=fixes[verdict],
        )


def check_for_imports_before_available(review: Review) -> Iterator[Finding]:
    """Report imports of a certificate on a day on which it cannot be had yet."""
    certificates = review.timeline.compiled.certificates
    for row in review.active(Action.IMPORT_CERTIFICATE):
        certificate = int(review.plan.certificate[row])
        opens = certificates.opens(certificate)
        if opens not in (ALWAYS, NEVER) and review.plan.day[row] < opens:
            yield review.finding_on_action(
                int(row),
                "import-before-available",
                Severity.WARNING,
                what=f"{certificates.name[certificate]} is available from {iso(opens)} on",
                why="A certificate can be imported only once it exists. [TN, inferred]",
                fix=f"Move the import to {iso(opens)} or later, or get the certificate earlier.",
            )


def check_for_expiring_certificates(review: Review) -> Iterator[Finding]:
    """Report presented certificates that expire, themselves or in their chain, inside the plan."""
    fleet, program, compiled = review.fleet, review.program, review.timeline.compiled
    certificates = compiled.certificates
    refused = _refused_as_expired(review)
    for server in range(len(fleet.servers)):
        rows = range(program.server_first[server], program.server_first[server + 1])
        for certificate in dict.fromkeys(int(compiled.server_certificate[row]) for row in rows):
            for link in certificates.chain(certificate):
                expiry = int(certificates.not_after[link])
                if not fleet.start <= expiry < fleet.end:
                    continue
                presented = int(compiled.server_certificate[review.server_row(server, expiry)])
                still = presented == certificate
                victims = refused.get(server, []) if still else []
                name = certificates.name[link]
                yield Finding(
                    rule="certificate-expires",
                    severity=Severity.ERROR if victims else Severity.WARNING,
                    day=expiry,
                    subject=f"{name} of {fleet.servers.name[server]}",
                    what=f"{name} expires on {iso(expiry)}; the server "
                    + ("still presents it" if still else "presents another certificate by then")
                    + (f"; refused then: {listed(victims)}" if victims else ""),
                    why="No warning comes before a certificate expires; from that day on every "
                    "session that checks it is refused (ANS1693E). [EMPALIS, documented]",
                    fix="Plan a replace-certificate before that day, and the import of its anchor "
                    "into every key database."
                    if still
                    else "Nothing to do while the replacement stays as planned.",
                    file="certificates.csv" if certificates.line[link] else "",
                    line=int(certificates.line[link]),
                )


def _refused_as_expired(review: Review) -> dict[int, list[str]]:
    """Clients refused for an expired certificate, by server."""
    timeline, sessions = review.timeline, review.fleet.sessions
    is_expired = np.array([rule.reason is Reason.EXPIRED for rule in RULES])
    refused: dict[int, list[str]] = {}
    for session in np.unique(timeline.session()[is_expired[timeline.rule]]):
        name = review.fleet.endpoint_name(int(sessions.client[session]))
        refused.setdefault(int(sessions.server[session]), []).append(name)
    return refused


def check_for_md5_certificates(review: Review) -> Iterator[Finding]:
    """Report servers that present an MD5-signed certificate."""
    fleet, program, compiled = review.fleet, review.program, review.timeline.compiled
    for server in range(len(fleet.servers)):
        first, last = program.server_first[server], program.server_first[server + 1]
        rows = first + np.flatnonzero(program.server_state[first:last] & SERVER_MD5)
        if not len(rows):
            continue
        begin = int(program.server_day[rows[0]])
        after = int(rows[-1]) + 1
        end = int(program.server_day[after]) if after < last else NEVER
        name = compiled.certificates.name[compiled.server_certificate[rows[-1]]]
        successor = (
            compiled.certificates.name[compiled.server_certificate[after]] if after < last else ""
        )
        yield Finding(
            rule="md5-certificate",
            severity=Severity.WARNING,
            day=begin,
            subject=fleet.servers.name[server],
            what=f"presents {name}, an MD5-signed certificate, until {iso(end) or 'the end'}"
            + (f", then {successor}" if successor else ""),
            why="Clients at 7.1.8, 8.1.2 and 8.1.3 refuse it, and servers from 7.1.9 and 8.1.4 on "
            "replace it at their start; clients that trust it alone are cut off. [TN, documented]",
            fix=f"Import {successor or 'the SHA certificate (cert256.arm)'} into every key "
            "database of this server's SSL clients before the change.",
            file="servers.csv",
            line=int(fleet.servers.line[server]),
        )


def check_for_incomplete_chains(review: Review) -> Iterator[Finding]:
    """Report presented certificates whose chain ends in no root."""
    fleet, program, compiled = review.fleet, review.program, review.timeline.compiled
    certificates = compiled.certificates
    for server in range(len(fleet.servers)):
        first, last = program.server_first[server], program.server_first[server + 1]
        incomplete = np.flatnonzero(program.server_state[first:last] & SERVER_COMPLETE == 0) + first
        for certificate in dict.fromkeys(
            int(compiled.server_certificate[row]) for row in incomplete
        ):
            anchor = certificates.name[compiled.anchor[certificate]]
            row = int(incomplete[compiled.server_certificate[incomplete] == certificate][0])
            yield Finding(
                rule="incomplete-chain",
                severity=Severity.ERROR,
                day=int(program.server_day[row]),
                subject=f"{certificates.name[certificate]} of {fleet.servers.name[server]}",
                what=f"its chain ends at {anchor}, which is no root and names no issuer",
                why="Holding a leaf or an intermediate is not trust; the root must be in the key "
                "database (ANS1692E). [MSG821, documented]",
                fix=f"Give {anchor} its issuer in certificates.csv, up to the root.",
                file="certificates.csv" if certificates.line[certificate] else "",
                line=int(certificates.line[certificate]),
            )


def check_for_undescribed_certificates(review: Review) -> Iterator[Finding]:
    """Report certificates that nothing describes; they count as self-signed and always valid."""
    certificates = review.timeline.compiled.certificates
    for number in np.flatnonzero(~certificates.described):
        yield Finding(
            rule="undescribed-certificate",
            severity=Severity.NOTE,
            day=review.fleet.start,
            subject=certificates.name[number],
            what="no row of certificates.csv and no file describes it",
            why="It counts as self-signed (as an issuer: a root), not MD5, always valid and "
            "available; expiry and chains cannot be checked.",
            fix="Describe it in certificates.csv, or put its file into certs/.",
        )
