"""The compiled walks behind deadlines: what is needed when, and when it is planned."""

import numpy as np
from numpy.typing import NDArray

from planner.domain.calendar import ALWAYS, NEVER, Days
from planner.domain.fleet import Codes, Flags, Numbers
from planner.domain.rules import VERDICTS
from planner.engine.compiled import allocation_free, compiled, natural
from planner.engine.kernel import (
    NEEDS_ANCHOR,
    TURNS_STRICT,
    Distributed,
    Strictness,
    can_use_ssl,
    first_both_new,
    first_held,
    look,
)
from planner.engine.program import Program
from planner.engine.settled import UNCLEAR
from planner.engine.walks import is_alone, mark_strict

_IN_PLACE, _IMPOSSIBLE, _MISSING, _OK, _TIGHT, _SAME_DAY, _LATE = range(len(VERDICTS))


@allocation_free
def row_of(first: int, last: int, anchor: Numbers, wanted: int) -> int:
    """Row of `[first, last)` that has an anchor, `last` where none has."""
    row = natural(first)
    while row < last and anchor[row] != wanted:
        row = natural(row + 1)
    return row


@allocation_free
def noted(first: int, size: int, anchor: Numbers, needed: Days, wanted: int, day: int) -> int:
    """Note an anchor in the rows `[first, size)` of a key database; their end, -1 for no room."""
    row = row_of(first, size, anchor, wanted)
    if row == len(anchor):
        return -1
    if row == size:
        anchor[row], needed[row] = wanted, day
    needed[row] = min(needed[row], day)
    return max(size, row + 1)


@compiled
def find_needed(
    p: Program,
    strictness: Strictness,
    sent: Distributed,
    needed_by: Days,
    first_session: Numbers,
    session_of_database: Numbers,
    begin: int,
    first: Numbers,
    anchor: Numbers,
    needed: Days,
) -> int:
    """Write the anchors that each key database ever needs, and from which day on.

    From key database `begin` on, in a world in which every session trusts every certificate;
    returns the first one that found no room. `needed_by` is by session what `write_states` found.
    """
    size = first[begin]
    n = len(first) - 1
    for database in range(begin, n):
        for k in range(first_session[database], first_session[database + 1]):
            session = natural(session_of_database[natural(k)])
            server = natural(p.session_server[session])
            has_one_anchor = p.server_has_one_anchor[server]
            day = needed_by[session]
            if day != UNCLEAR:
                if day < p.end:
                    presented = p.server_anchor[natural(p.server_first[server])]
                    size = noted(first[database], size, anchor, needed, presented, day)
                    if size < 0:
                        return database
                continue
            # Without SSL no certificate matters before both ends are new.
            day = p.start if can_use_ssl(p, session) else first_both_new(p, session)
            while day < p.end:
                rule, presented, until = look(p, strictness, sent, True, session, day)
                if TURNS_STRICT[rule] and is_alone(p, session):
                    mark_strict(p, strictness, p.session_account[session], day, until)
                if NEEDS_ANCHOR[rule]:
                    size = noted(first[database], size, anchor, needed, presented, day)
                    if size < 0:
                        return database
                    if has_one_anchor:
                        break
                day = until
        first[database + 1] = size
    return n


@compiled
def sessions_that_need(
    p: Program, strictness: Strictness, sent: Distributed, first: Numbers, anchor: Numbers
) -> tuple[Numbers, Numbers]:
    """Pairs of a deadline row and a session that ever needs it, where every session trusts all."""
    rows = np.empty(max(16, len(p.session_client)), dtype=np.int32)
    sessions = np.empty(len(rows), dtype=np.int32)
    size = 0
    for session in range(len(p.session_client)):
        database = p.session_key_database[session]
        begin = size
        day = p.start
        while day < p.end:
            rule, presented, until = look(p, strictness, sent, True, session, day)
            if TURNS_STRICT[rule] and is_alone(p, session):
                mark_strict(p, strictness, p.session_account[session], day, until)
            if NEEDS_ANCHOR[rule]:
                row = first[database]
                while anchor[row] != presented:
                    row += 1
                is_new = True
                for k in range(begin, size):
                    is_new = is_new and rows[k] != row
                if is_new:
                    if size == len(rows):
                        rows = np.concatenate((rows, rows))
                        sessions = np.concatenate((sessions, sessions))
                    rows[size], sessions[size] = row, session
                    size += 1
            day = until
    return rows[:size].copy(), sessions[:size].copy()


@allocation_free
def planned_on(p: Program, database: int, anchor: int, is_complete: bool, needed: int) -> int:
    """First day of the unbroken stretch that holds an anchor on `needed`, else the next entry.

    By trust.csv and actions alone: `ALWAYS` for in place, `NEVER` for not at all.
    """
    if not p.removes:
        return first_held(p, database, anchor) if is_complete else NEVER
    planned = entered = NEVER
    for k in range(p.trust_first[database], p.trust_first[database + 1]):
        if p.trust_certificate[k] != anchor or not is_complete:
            continue
        day = p.trust_day[k]
        if day > needed and planned != NEVER:
            break
        if p.trust_held[k]:
            entered = min(entered, day)
        else:
            entered = NEVER
        # The last event of a day decides what the day holds.
        is_last = True
        for later in range(k + 1, p.trust_first[database + 1]):
            if p.trust_day[later] != day:
                break
            is_last = is_last and p.trust_certificate[later] != anchor
        if is_last:
            planned = entered
    return planned


@compiled
def judge(
    p: Program,
    is_complete: Flags,
    opens: Days,
    latest_safe_on: Days,
    first: Numbers,
    anchor: Numbers,
    needed: Days,
    planned: Days,
    verdict: Codes,
) -> None:
    """Write when each deadline row is planned, and how that stands.

    `opens` is by certificate, `latest_safe_on` by day of the horizon.
    """
    for database in range(len(first) - 1):
        for at in range(first[database], first[database + 1]):
            row = natural(at)
            wanted = natural(anchor[row])
            planned[row] = planned_on(p, database, wanted, is_complete[wanted], needed[row])
            latest_safe = latest_safe_on[natural(needed[row] - p.start)]
            # Each line overrides those above it; chains of branches would mispredict.
            found = _SAME_DAY if planned[row] == needed[row] else _LATE
            found = _TIGHT if planned[row] < needed[row] else found
            found = _OK if planned[row] <= latest_safe else found
            found = _MISSING if planned[row] == NEVER else found
            found = _IMPOSSIBLE if opens[wanted] > needed[row] else found
            verdict[row] = _IN_PLACE if planned[row] == ALWAYS else found


@compiled
def tool_facts(
    p: Program, before: NDArray[np.uint16], endpoints: Numbers, days: Days
) -> NDArray[np.uint16]:
    """`LevelFact` that decides each import's tool, each on a day of its own.

    Of a client that is not installed on the day its next installed level, else its last;
    `before` is by endpoint, and holds before the first day.
    """
    result = np.zeros(len(endpoints), dtype=np.uint16)
    for row in range(len(endpoints)):
        first, last = p.level_first[endpoints[row]], p.level_first[endpoints[row] + 1]
        k = last - 1
        while k >= first and p.level_day[k] > days[row]:
            k -= 1
        facts = before[endpoints[row]] if k < first else p.level_facts[k]
        for later in range(k + 1, last):
            if not facts:
                facts = p.level_facts[later]
        for earlier in range(k - 1, first - 1, -1):
            if not facts:
                facts = p.level_facts[earlier]
        result[row] = facts if facts else before[endpoints[row]]
    return result
