"""Replacements: every certificate that a server stops presenting, and how its clients get over it.

A replacement *overlaps* where the new certificate can be had before the day on which the server
presents it: clients then hold old and new together. Where it cannot, the change is a *hard cut*:
each client is refused from that day until it holds the new one.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

import numpy as np

from planner.domain import views
from planner.domain.calendar import ALWAYS, NEVER, monday_of
from planner.domain.certificates import CertificateKind, Certificates
from planner.domain.fleet import Fleet, Numbers
from planner.domain.levels import LevelFact
from planner.domain.rules import Reason
from planner.engine.deadlines import Deadlines
from planner.engine.review import Review

if TYPE_CHECKING:
    import pandas as pd


class Change(StrEnum):
    """What a replacement changes."""

    EXPIRES = "expires"
    SELF_SIGNED_TO_CA = "self-signed-to-ca"
    CA_TO_SELF_SIGNED = "ca-to-self-signed"
    MD5_TO_SHA = "md5-to-sha"
    NEW_CA = "new-ca"
    RENEWAL = "renewal"


class Method(StrEnum):
    """How clients get from the old certificate to the new one."""

    SAME_ANCHOR = "same-anchor"
    OVERLAP = "overlap"
    HARD_CUT = "hard-cut"


@dataclass(frozen=True, slots=True, kw_only=True)
class Replacement:
    """One certificate of one server that comes to its end inside the horizon.

    Parameters
    ----------
    server
        Server number.
    old, new
        Certificate numbers of `timeline.compiled.certificates`; `new` is -1 where none is planned.
    day
        First day on which the server presents the new one; without one, the day on which the old
        one, or one of its chain, expires.
    opens
        First day on which the new anchor can be had; `ALWAYS` where nothing says so.
    distribute_by
        Last day on which all imports leave the lead: the earliest of the deadlines, without a new
        certificate that of the expiry; `NEVER` where nothing is to be imported.
    databases
        Key databases that need the new anchor for this server; without one, the old anchor.
    ready
        How many of them hold it before the day.
    refused_from, refused_until
        Days `[from, until)` in which a session is refused for the change; both `NEVER` for none.
        After a hard cut that is at least until all key databases that need the anchor on the day
        can have imported it.
    """

    server: int
    old: int
    new: int
    day: int
    change: Change
    method: Method
    opens: int
    distribute_by: int
    databases: Numbers
    ready: int
    refused_from: int
    refused_until: int


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Replacements:
    """All replacements of a plan, by day, then server."""

    deadlines: Deadlines
    rows: tuple[Replacement, ...]

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[Replacement]:
        return iter(self.rows)

    @property
    def certificates(self) -> Certificates:
        """What the certificate numbers stand for."""
        return self.deadlines.timeline.compiled.certificates

    def __repr__(self) -> str:
        counts = [sum(row.method is method for row in self.rows) for method in Method]
        shown = ", ".join(f"{n} {method}" for n, method in zip(counts, Method, strict=True) if n)
        unplanned = sum(row.new < 0 for row in self.rows)
        return f"Replacements({len(self)} certificates: {shown or 'none'}; {unplanned} not planned)"

    def to_frame(self) -> "pd.DataFrame":
        """Return the table of replacements.csv."""
        return views.frame_of(self)

    def _repr_html_(self) -> str:
        return views.html_of(self)


def replacements(deadlines: Deadlines) -> Replacements:
    """Find every certificate that is replaced or expires, and how its clients get over it.

    Notes
    -----
    Linear in deadlines, refusals and changes of what servers present.
    """
    review = Review(deadlines)
    found = list(changes(review))
    users = _users(deadlines, {one.server for one in found})
    rows = [_replacement(review, users, one) for one in found]
    rows.sort(key=lambda row: (row.day, review.fleet.servers.name[row.server]))
    return Replacements(deadlines=deadlines, rows=tuple(rows))


@dataclass(frozen=True, slots=True, kw_only=True)
class Successor:
    """A certificate of a server that comes to its end: what follows it, when, and until when."""

    server: int
    old: int
    new: int
    day: int
    until: int


def changes(review: Review) -> Iterator[Successor]:
    """Return every end of a certificate that a server presents; one that expires has no new one."""
    fleet, program = review.fleet, review.program
    presented = review.timeline.compiled.server_certificate
    for server in range(len(fleet.servers)):
        rows = range(program.server_first[server], program.server_first[server + 1])
        starts = [row for row in rows if row == rows.start or presented[row] != presented[row - 1]]
        days = [int(program.server_day[row]) for row in starts] + [fleet.end]
        for place, row in enumerate(starts):
            old, until = int(presented[row]), days[place + 1]
            _, expiry = review.certificates.validity(old)
            if fleet.start <= expiry < until:
                yield Successor(server=server, old=old, new=-1, day=expiry, until=until)
            if place + 1 < len(starts):
                new, after = int(presented[starts[place + 1]]), days[place + 2]
                yield Successor(server=server, old=old, new=new, day=until, until=after)


def _users(deadlines: Deadlines, servers: set[int]) -> dict[tuple[int, int], set[int]]:
    """Deadline rows by server and anchor, for the servers that change something."""
    fleet = deadlines.timeline.plan.fleet
    users: dict[tuple[int, int], set[int]] = {}
    rows, sessions = deadlines.needing()
    server = fleet.sessions.server[sessions]
    chosen = np.isin(server, list(servers))
    for row, of_row in zip(rows[chosen].tolist(), server[chosen].tolist(), strict=True):
        users.setdefault((of_row, int(deadlines.anchor[row])), set()).add(row)
    return users


def _replacement(
    review: Review, users: dict[tuple[int, int], set[int]], found: Successor
) -> Replacement:
    fleet, deadlines, certificates = review.fleet, review.deadlines, review.certificates
    anchor_of = review.timeline.compiled.anchor
    is_planned, day = found.new >= 0, found.day
    anchor = int(anchor_of[found.new if is_planned else found.old])
    rows = np.array(sorted(users.get((found.server, anchor), ())), dtype=np.int32)
    method = method_of(review, found)
    if method is Method.SAME_ANCHOR:
        distribute_by = NEVER
    elif is_planned:
        missing = rows[deadlines.planned[rows] != ALWAYS]
        distribute_by = int(deadlines.latest_safe[missing].min(initial=NEVER))
    else:
        distribute_by = fleet.calendar.latest_safe(day)
    # What cannot be had before the day cannot have been imported before it either.
    can_be_ready = is_planned and method is not Method.HARD_CUT
    refused_from, refused_until = _refused(review, found, anchor)
    # The others need it only later, and have time until then.
    urgent = int(np.count_nonzero(deadlines.needed[rows] <= day))
    if method is Method.HARD_CUT and is_planned and urgent:
        imported = _all_imported(fleet, day, urgent)
        until = imported if refused_until == NEVER else max(refused_until, imported)
        refused_from, refused_until = day, min(until, fleet.end)
    return Replacement(
        server=found.server,
        old=found.old,
        new=found.new,
        day=day,
        change=_change(certificates, anchor_of, found.old, found.new),
        method=method,
        opens=int(certificates.opens(anchor)) if is_planned else ALWAYS,
        distribute_by=distribute_by,
        databases=deadlines.key_database()[rows],
        ready=int(np.count_nonzero(deadlines.planned[rows] < day)) if can_be_ready else 0,
        refused_from=refused_from,
        refused_until=refused_until,
    )


def _change(certificates: Certificates, anchor_of: Numbers, old: int, new: int) -> Change:
    if new < 0:
        return Change.EXPIRES
    was_own = certificates.kind[old] == CertificateKind.SELF_SIGNED
    is_own = certificates.kind[new] == CertificateKind.SELF_SIGNED
    is_md5 = certificates.is_md5()
    if was_own and not is_own:
        return Change.SELF_SIGNED_TO_CA
    if is_own and not was_own:
        return Change.CA_TO_SELF_SIGNED
    if is_md5[old] and not is_md5[new]:
        return Change.MD5_TO_SHA
    if not is_own and anchor_of[old] != anchor_of[new]:
        return Change.NEW_CA
    return Change.RENEWAL


def method_of(review: Review, found: Successor) -> Method:
    """How the change can be made (RENEW8124, GALAXY; domain.md 6.6).

    A CA's certificate, and one that is known before the day, can be handed out ahead at any level.
    A server renews its own only at its restart, unless it is at 8.1.19 or later.
    """
    certificates, anchor_of = review.certificates, review.timeline.compiled.anchor
    if found.new >= 0 and anchor_of[found.old] == anchor_of[found.new]:
        return Method.SAME_ANCHOR
    endpoint = np.array([review.server_endpoint(found.server)], dtype=np.int32)
    eve = np.array([max(found.day - 1, review.fleet.start)], dtype=np.int32)
    successor = found.new if found.new >= 0 else found.old
    if certificates.kind[successor] != CertificateKind.SELF_SIGNED:
        return Method.OVERLAP
    if review.facts_on(endpoint, eve)[0] & LevelFact.OVERLAPS:
        return Method.OVERLAP
    opens = int(certificates.opens(found.new)) if found.new >= 0 else ALWAYS
    return Method.OVERLAP if opens != ALWAYS and opens < found.day else Method.HARD_CUT


def _refused(review: Review, found: Successor, anchor: int) -> tuple[int, int]:
    """Days `[from, until)` in which sessions are refused for the change; both `NEVER` for none."""
    refusals = review.refusals
    of_server = review.fleet.sessions.server[refusals.session] == found.server
    inside = (refusals.start >= found.day) & (refusals.start < found.until)
    wants = refusals.because_of(Reason.UNTRUSTED, Reason.WRONG_CERTIFICATE)
    wants &= refusals.anchor == anchor
    rows = of_server & inside & (wants | refusals.because_of(Reason.EXPIRED))
    if not rows.any():
        return NEVER, NEVER
    return int(refusals.start[rows].min()), int(refusals.end[rows].max())


def _all_imported(fleet: Fleet, day: int, imports: int) -> int:
    """First day after so many imports that begin on a day: open days, by capacity."""
    calendar, capacity = fleet.calendar, fleet.capacity.imports_per_week
    if capacity is not None and capacity < 1:
        return NEVER
    left, at = imports, day
    while True:
        while at < fleet.end and not calendar.is_open(at):
            at += 1
        left -= left if capacity is None else capacity
        if left <= 0 or at >= fleet.end:
            return at + 1
        at = monday_of(at) + 7
