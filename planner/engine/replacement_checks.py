"""Checks of replacements: expiry where nothing may be changed, or too soon, and hard cuts."""

from collections.abc import Iterator

from planner.domain.calendar import iso
from planner.domain.findings import Finding, Severity
from planner.domain.plan import Action
from planner.engine.replacements import Method, Successor, changes, method_of
from planner.engine.review import Review


def _subject(review: Review, found: Successor) -> str:
    return f"{review.certificates.name[found.old]} of {review.fleet.servers.name[found.server]}"


def _place(review: Review, found: Successor) -> tuple[str, int]:
    line = int(review.certificates.line[found.old])
    return ("certificates.csv", line) if line else ("", 0)


def check_for_expiry_in_freezes(review: Review) -> Iterator[Finding]:
    """Report certificates that expire while nothing may be changed."""
    calendar = review.fleet.calendar
    for found in changes(review):
        freeze = calendar.freeze_on(found.day) if found.new < 0 else None
        if freeze is None:
            continue
        last = calendar.last_open(found.day - 1)
        file, line = _place(review, found)
        yield Finding(
            rule="expiry-in-freeze",
            severity=Severity.WARNING,
            day=found.day,
            subject=_subject(review, found),
            what=f"it expires on {iso(found.day)}, in the freeze {freeze.name} "
            f"({iso(freeze.start)} to {iso(freeze.end - 1)})",
            why="Nothing may be changed then, and from that day on every session that checks it "
            "is refused (ANS1693E). [EMPALIS, documented]",
            fix=f"Plan its replacement for {iso(last)} or earlier, the last open day before.",
            file=file,
            line=line,
        )


def check_for_expiry_inside_the_lead(review: Review) -> Iterator[Finding]:
    """Report certificates that expire so soon that a replacement leaves no lead."""
    fleet = review.fleet
    for found in changes(review):
        if found.new >= 0:
            continue
        safe = fleet.calendar.latest_safe(found.day)
        if safe >= fleet.start:
            continue
        file, line = _place(review, found)
        yield Finding(
            rule="expiry-inside-lead",
            severity=Severity.WARNING,
            day=found.day,
            subject=_subject(review, found),
            what=f"it expires on {iso(found.day)}; its successor should have been handed out by "
            f"{iso(safe)}, before the plan begins on {iso(fleet.start)}",
            why=f"An import wants {fleet.calendar.lead_days} working days before it is needed.",
            fix="Replace it now, and hand the new one out at once; check every client.",
            file=file,
            line=line,
        )


def check_for_hard_cuts(review: Review) -> Iterator[Finding]:
    """Report planned replacements by a certificate that cannot be had before the day."""
    plan = review.plan
    for found in changes(review):
        if found.new < 0 or method_of(review, found) is not Method.HARD_CUT:
            continue
        server, new = review.fleet.servers.name[found.server], review.certificates.name[found.new]
        opens = review.certificates.opens(found.new)
        known = (
            f"can be had from {iso(opens)} on" if iso(opens) else "has no day in certificates.csv"
        )
        rows = [
            row
            for row in review.active(Action.REPLACE_CERTIFICATE).tolist()
            if plan.day[row] == found.day and plan.server[row] == found.server
        ]
        texts = plan.vocabulary.texts
        yield Finding(
            rule="hard-cut",
            severity=Severity.WARNING,
            day=found.day,
            subject=f"{new} of {server}",
            what=f"{server} presents it from {iso(found.day)} on, and it {known}",
            why="Below 8.1.19 a server makes its new self-signed certificate at its restart: every "
            "client is refused until it holds it. [RENEW8124, documented]",
            fix=f"Upgrade {server} to 8.1.19 or later first, which lets clients hold both; or give "
            f"{new} the day from which it can be had; or plan a window in which all import it.",
            file=texts[plan.file[rows[0]]] if rows and plan.line[rows[0]] else "",
            line=int(plan.line[rows[0]]) if rows else 0,
        )
