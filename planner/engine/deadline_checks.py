"""Checks of deadlines and certificates: what comes too late, what expires, what is no trust."""

from collections.abc import Iterator, Mapping
from typing import Final

import numpy as np

from planner.domain.calendar import NEVER, iso
from planner.domain.certificates import OWN_ANCHOR
from planner.domain.findings import Finding, Severity
from planner.domain.fleet import Flags
from planner.domain.plan import Action
from planner.domain.rules import DEADLINE_RULES, VERDICTS, Reason, Verdict
from planner.engine.review import Review, listed, refused_for_deadlines, unmet_rows
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
    # An incomplete chain is a fault of its own; no import can cure it.
    faulty = deadlines.has_verdict(*_SEVERITIES)
    faulty &= review.timeline.compiled.is_complete[deadlines.anchor]
    rows = np.flatnonzero(faulty)
    if not len(rows):
        return
    refused = refused_for_deadlines(review)
    sessions = _sessions_needing(review, faulty)
    places = _places_of_imports(review, rows.tolist())
    databases, latest_safe = deadlines.key_database(), deadlines.latest_safe
    for row in rows.tolist():
        verdict = VERDICTS[deadlines.verdict[row]]
        rule = DEADLINE_RULES[deadlines.verdict[row]]
        database = int(databases[row])
        needing = sessions[row]
        servers = listed(sorted({review.server_name(session) for session in needing}))
        client = fleet.endpoint_name(int(fleet.key_databases.endpoint[database]))
        named = fleet.key_databases.name[database]
        name = review.certificates.name[int(deadlines.anchor[row])]
        stretches = refused.get(row, [])
        effect = f"; {review.refused_text(np.array(stretches))}" if stretches else ""
        file, line = places.get(row, ("sessions.csv", int(fleet.sessions.line[needing[0]])))
        yield Finding(
            rule=f"deadline-{verdict}",
            severity=_SEVERITIES[verdict],
            day=int(deadlines.needed[row]),
            subject=f"{name} for {client}"
            + ("" if named.casefold() == "default" else f" (key database {named})"),
            what=f"needed on {iso(deadlines.needed[row])} for {servers}, "
            f"{_planned_text(review, row, int(latest_safe[row]))}{effect}",
            why=f"{rule.sentence} [{rule.source}, {rule.status}]",
            fix=_cure(review, row, int(latest_safe[row]), name, client),
            file=file,
            line=line,
        )


def _planned_text(review: Review, row: int, safe: int) -> str:
    deadlines = review.deadlines
    needed, planned = int(deadlines.needed[row]), int(deadlines.planned[row])
    if planned == NEVER:
        return "and no import is planned"
    text = f"import planned on {iso(planned)}"
    if planned > needed:
        days = planned - needed
        return f"{text}, {days} day{'s' if days > 1 else ''} too late"
    if planned == needed:
        return f"{text}, the same day"
    return f"{text}, after the latest safe day {iso(safe)}"


def _cure(review: Review, row: int, safe: int, name: str, client: str) -> str:
    deadlines, fleet = review.deadlines, review.fleet
    verdict = VERDICTS[deadlines.verdict[row]]
    needed = int(deadlines.needed[row])
    opens = int(review.certificates.opens(int(deadlines.anchor[row])))
    if verdict is Verdict.IMPOSSIBLE:
        return (
            f"{name} can be had from {iso(opens)} on: get it before {iso(needed)}, or move the "
            f"upgrade of {client} or its server to a day after {iso(opens)}."
        )
    is_planned = verdict is not Verdict.MISSING
    is_same_day = verdict is Verdict.SAME_DAY
    wait = f", or keep the services of {client} stopped until it is done" if is_same_day else ""
    day = max(safe, opens, fleet.start)
    act = f"Move the import to {iso(day)}" if is_planned else f"Import {name} on {iso(day)}"
    if day == safe:
        return f"{act} or earlier{wait}."
    cause = f"{name} cannot be had earlier" if day == opens else "that is the plan's first day"
    later = f"; the latest safe day {iso(safe)} is before that, so check it twice{wait}."
    return f"{act}: {cause}{later}"


def _sessions_needing(review: Review, wanted: Flags) -> dict[int, list[int]]:
    """Sessions that need each wanted deadline row."""
    row, session = review.deadlines.needing()
    chosen = wanted[row]
    sessions: dict[int, list[int]] = {}
    for of_row, of_session in zip(row[chosen].tolist(), session[chosen].tolist(), strict=True):
        sessions.setdefault(of_row, []).append(of_session)
    return sessions


def _places_of_imports(review: Review, rows: list[int]) -> dict[int, tuple[str, int]]:
    """File and line of the import that each deadline row is planned by, where there is one."""
    deadlines, fleet, plan = review.deadlines, review.fleet, review.plan
    databases, names = deadlines.key_database(), fleet.key_databases
    default = fleet.key_database_names.find("default")
    wanted: dict[tuple[int, ...], list[int]] = {}
    for row in rows:
        database = int(databases[row])
        key = (
            int(deadlines.planned[row]),
            int(names.endpoint[database]),
            int(names.name_number[database]),
            int(deadlines.anchor[row]),
        )
        wanted.setdefault(key, []).append(row)
    places: dict[int, tuple[str, int]] = {}
    trust = fleet.trust
    held = np.flatnonzero(np.isin(trust.since, deadlines.planned[rows]))
    for entry in held.tolist():
        database = int(trust.key_database[entry])
        own = (int(names.endpoint[database]), int(names.name_number[database]))
        for row in wanted.get((int(trust.since[entry]), *own, int(trust.certificate[entry])), ()):
            places[row] = ("trust.csv", int(trust.line[entry]))
    imports = review.active(Action.IMPORT_CERTIFICATE)
    imports = imports[np.isin(plan.day[imports], deadlines.planned[rows])]
    for action in imports.tolist():
        name = int(plan.key_database[action])
        own = (int(plan.client[action]), default if name < 0 else name)
        for row in wanted.get((int(plan.day[action]), *own, int(plan.certificate[action])), ()):
            if plan.line[action]:
                texts = plan.vocabulary.texts
                places[row] = (texts[plan.file[action]], int(plan.line[action]))
    return places


def check_for_imports_before_available(review: Review) -> Iterator[Finding]:
    """Report imports of a certificate on a day on which it cannot be had yet."""
    certificates, plan = review.certificates, review.plan
    opens = certificates.all_open()
    rows = review.active(Action.IMPORT_CERTIFICATE)
    rows = rows[plan.certificate[rows] >= 0]
    for row in rows[plan.day[rows] < opens[plan.certificate[rows]]].tolist():
        certificate = int(plan.certificate[row])
        name, first = certificates.name[certificate], iso(opens[certificate])
        yield review.finding_on_action(
            row,
            "import-before-available",
            Severity.WARNING,
            what=f"{name} can be had from {first} on, not on {iso(plan.day[row])}",
            why="A certificate can be imported only once it exists. [TN, inferred]",
            fix=f"Move the import to {first} or later, or get {name} earlier.",
        )


def check_for_imports_without_trust(review: Review) -> Iterator[Finding]:
    """Report imports of a leaf or an intermediate where the root is wanted and missing."""
    certificates, plan = review.certificates, review.plan
    rows = review.active(Action.IMPORT_CERTIFICATE)
    rows = rows[plan.certificate[rows] >= 0]
    unmet = unmet_rows(review)
    is_anchor = np.isin(certificates.kind, OWN_ANCHOR)
    rows = rows[~is_anchor[plan.certificate[rows]]]
    databases = review.key_databases_of(rows)
    for row, database in zip(rows.tolist(), databases.tolist(), strict=True):
        certificate = int(plan.certificate[row])
        name = certificates.name[certificate]
        anchor = int(review.timeline.compiled.anchor[certificate])
        complete = review.timeline.compiled.is_complete[certificate]
        if (database, anchor) not in unmet:
            continue  # the root is there as well, or nobody needs it
        yield review.finding_on_action(
            row,
            "import-without-trust",
            Severity.WARNING,
            what=f"{name} is issued by another certificate; holding it alone is no trust",
            why="A client trusts a chain by its root, which must be in the key database "
            "(ANS1692E). [MSG821, documented]",
            fix=f"Import {certificates.name[anchor]}, the root of its chain, instead or as well."
            if complete
            else f"Give {certificates.name[anchor]} its issuer in certificates.csv, up to the "
            "root, and import the root.",
        )


def check_for_expiring_certificates(review: Review) -> Iterator[Finding]:
    """Report presented certificates that expire, themselves or in their chain, inside the plan."""
    fleet, certificates = review.fleet, review.certificates
    presented = review.timeline.compiled.server_certificate
    servers = review.servers_of_rows()
    pairs = np.unique(np.stack([presented, servers], axis=1), axis=0)
    expiring: dict[int, list[tuple[int, int]]] = {}
    for certificate, server in pairs.tolist():
        for link in certificates.chain(certificate):
            if certificates.not_after[link] < fleet.end:
                expiring.setdefault(link, []).append((server, certificate))
    refused = _refused_by_expiry(review)
    for link, users in expiring.items():
        expiry = int(certificates.not_after[link])
        day = max(expiry, fleet.start)
        still = sorted(
            {
                fleet.servers.name[server]
                for server, _ in users
                if link in certificates.chain(int(presented[review.server_row(server, day)]))
            }
        )
        stretches = refused.get(link, [])
        name = certificates.name[link]
        everyone = listed(sorted({fleet.servers.name[server] for server, _ in users}))
        if still:
            verb = "still presents" if len(still) == 1 else "still present"
            chain = "it" if all(link == own for _, own in users) else "a certificate of its chain"
            state = f"{listed(still)} {verb} {chain} then"
        else:
            state = f"{everyone} presented it, and another certificate by then"
        effect = f"; {review.refused_text(np.array(stretches))}" if stretches else ""
        severity = Severity.WARNING if still else Severity.NOTE
        yield Finding(
            rule="certificate-expires",
            severity=Severity.ERROR if stretches else severity,
            day=day,
            subject=f"{name} of {everyone}",
            what=f"{name} expires on {iso(expiry)}; {state}{effect}",
            why="No warning comes before a certificate expires; from that day on every session "
            "that checks it is refused (ANS1693E). [EMPALIS, documented]",
            fix=f"Plan a replace-certificate of {listed(still)} before {iso(expiry)}, and import "
            "the anchor of the new certificate into the key databases before that."
            if still
            else "Nothing to do while the replacement stays as planned.",
            file="certificates.csv" if certificates.line[link] else "",
            line=int(certificates.line[link]),
        )


def _refused_by_expiry(review: Review) -> dict[int, list[int]]:
    """Stretches of refusal by the certificate whose expiry they come from."""
    refusals, certificates = review.refusals, review.certificates
    presented = review.timeline.compiled.server_certificate
    explained: dict[int, list[int]] = {}
    for row in np.flatnonzero(refusals.because_of(Reason.EXPIRED)).tolist():
        day = int(refusals.start[row])
        server = int(review.fleet.sessions.server[refusals.session[row]])
        for link in certificates.chain(int(presented[review.server_row(server, day)])):
            if certificates.not_after[link] <= day:
                explained.setdefault(link, []).append(row)
    return explained


def is_expiry_explained(review: Review) -> Flags:
    """Whether `check_for_expiring_certificates` reports each stretch of refusal."""
    explained = np.zeros(len(review.refusals), dtype=np.bool_)
    for rows in _refused_by_expiry(review).values():
        explained[rows] = True
    return explained


def check_for_md5_certificates(review: Review) -> Iterator[Finding]:
    """Report servers that present an MD5-signed certificate."""
    fleet, program, compiled = review.fleet, review.program, review.timeline.compiled
    names = review.certificates.name
    is_md5 = program.server_state & SERVER_MD5 != 0
    servers = review.servers_of_rows()
    for server in np.unique(servers[is_md5]).tolist():
        first, last = program.server_first[server], program.server_first[server + 1]
        rows = first + np.flatnonzero(is_md5[first:last])
        begin, after = int(program.server_day[rows[0]]), int(rows[-1]) + 1
        own = fleet.servers.name[server]
        shown = listed(names[certificate] for certificate in compiled.server_certificate[rows])
        if after < last:
            change = iso(program.server_day[after])
            successor = names[compiled.server_certificate[after]]
            state = f"until {change}, then {successor}"
            fix = (
                f"Import {successor} before {change} into the key databases of all clients that "
                f"have SSL Yes with {own}."
            )
        else:
            state = "to the end of the plan"
            fix = (
                f"Let {own} present its SHA certificate (cert256.arm): plan a replace-certificate, "
                "and import it into its clients' key databases before."
            )
        yield Finding(
            rule="md5-certificate",
            severity=Severity.WARNING,
            day=begin,
            subject=own,
            what=f"{own} presents {shown}, an MD5-signed certificate, {state}",
            why="Clients at 7.1.8, 8.1.2 and 8.1.3 refuse it, and servers from 7.1.9 and 8.1.4 on "
            "replace it at their start; clients that trust it alone are cut off. [TN, documented]",
            fix=fix,
            file="servers.csv",
            line=int(fleet.servers.line[server]),
        )


def check_for_incomplete_chains(review: Review) -> Iterator[Finding]:
    """Report presented certificates whose chain ends in no root."""
    fleet, program, compiled = review.fleet, review.program, review.timeline.compiled
    certificates, refusals = review.certificates, review.refusals
    rows = np.flatnonzero(program.server_state & SERVER_COMPLETE == 0)
    servers = review.servers_of_rows()[rows]
    wants_trust = refusals.because_of(Reason.UNTRUSTED, Reason.WRONG_CERTIFICATE)
    for anchor in np.unique(program.server_anchor[rows]).tolist():
        chosen = program.server_anchor[rows] == anchor
        certificate = int(compiled.server_certificate[rows[chosen][0]])
        name, end = certificates.name[certificate], certificates.name[anchor]
        users = listed(dict.fromkeys(fleet.servers.name[server] for server in servers[chosen]))
        stretches = np.flatnonzero(wants_trust & (refusals.anchor == anchor))
        effect = f"; {review.refused_text(stretches)}" if len(stretches) else ""
        leads = "" if anchor == certificate else f", where the chain of {name} ends,"
        yield Finding(
            rule="incomplete-chain",
            severity=Severity.ERROR,
            day=int(program.server_day[rows[chosen]].min()),
            subject=f"{end} of {users}",
            what=f"{end}{leads} is no root and names no issuer{effect}",
            why="Holding a leaf or an intermediate is not trust; the root must be in the key "
            "database (ANS1692E). [MSG821, documented]",
            fix=f"Give {end} its issuer in certificates.csv, up to the root, and import the root.",
            file="certificates.csv" if certificates.line[anchor] else "",
            line=int(certificates.line[anchor]),
        )


def check_for_undescribed_certificates(review: Review) -> Iterator[Finding]:
    """Report certificates that nothing describes; they count as self-signed and always valid."""
    certificates = review.certificates
    for number in np.flatnonzero(~certificates.described).tolist():
        name = certificates.name[number]
        yield Finding(
            rule="undescribed-certificate",
            severity=Severity.NOTE,
            day=review.fleet.start,
            subject=name,
            what=f"no row of certificates.csv and no file in certs/ describes {name}",
            why="It counts as self-signed (as an issuer: a root), not MD5, always valid and "
            "available; expiry and chains cannot be checked.",
            fix=f"Describe {name} in certificates.csv, or put its file into certs/.",
        )
