"""The compiled walks over all sessions: when accounts turn strict, what is distributed, the states.

Two things couple sessions: accounts that turn strict, and automatic distribution. Without the
latter, whether a new/new session succeeds does not depend on strictness, so one walk finds the
day on which each shared account turns strict, and a second one writes the states. Automatic
distribution is found in between, in order of days, for the few key databases that it concerns.

Settled sessions have a walk of their own (`settled`); all others look day of change by day of
change.
"""

import numpy as np

from planner.domain.calendar import ALWAYS, NEVER, Days
from planner.domain.fleet import Codes, Flags, Numbers
from planner.domain.rules import Mode
from planner.engine.compiled import allocation_free, compiled, natural
from planner.engine.kernel import (
    IS_AUTOMATIC,
    MODE_OF_RULE,
    NEEDS_ANCHOR,
    NEEDS_ANCHOR_GIVEN_TRUST,
    TRUST_CHANGES,
    TURNS_STRICT,
    Distributed,
    Strictness,
    can_receive,
    can_use_ssl,
    first_both_new,
    first_row,
    is_ever_emptied,
    look,
    nothing_distributed,
)
from planner.engine.program import (
    ACCOUNT_BEGINS_STRICT,
    ACCOUNT_IS_RESET,
    ACCOUNT_IS_SHARED,
    Program,
)
from planner.engine.settled import (
    UNCLEAR,
    UNSETTLED,
    is_settled,
    server_parts,
    settled_room,
    trusts_from,
    write_settled,
)

_REFUSED = int(Mode.REFUSED)


@allocation_free
def mark_strict(p: Program, strictness: Strictness, account: int, begin: int, until: int) -> bool:
    """Turn an account strict by a success in `[begin, until)`; whether nothing later can matter."""
    if p.account_state[account] & ACCOUNT_IS_RESET:
        k = first_row(p.reset_account, account)
        if k < len(p.reset_account) and p.reset_account[k] == account:
            if begin < p.reset_day[k]:
                strictness.from_day[account] = min(strictness.from_day[account], begin)
            while k < len(p.reset_account) and p.reset_account[k] == account:
                is_last = k + 1 == len(p.reset_account) or p.reset_account[k + 1] != account
                stretch_end = NEVER if is_last else p.reset_day[k + 1]
                if begin < stretch_end and p.reset_day[k] < until:
                    day = max(begin, p.reset_day[k])
                    strictness.after_reset[k] = min(strictness.after_reset[k], day)
                k += 1
            return False
    strictness.from_day[account] = min(strictness.from_day[account], begin)
    return True


@allocation_free
def is_alone(p: Program, session: int) -> bool:
    """Whether a session is the only one of its account."""
    return not p.account_state[natural(p.session_account[session])] & ACCOUNT_IS_SHARED


@compiled
def receivers(p: Program) -> Numbers:
    """Sessions for which automatic distribution can ever work."""
    found = np.empty(len(p.session_client), dtype=np.int32)
    size = 0
    for session in range(len(p.session_client)):
        if can_receive(p, session):
            found[size] = session
            size = natural(size + 1)
    return found[:size]


@compiled
def asking_sessions(p: Program) -> Numbers:
    """Receivers that may be handed a certificate: those that trust in time need none."""
    found, servers, nothing = receivers(p), server_parts(p), nothing_distributed()
    size = 0
    for number in found:
        session = natural(number)
        if not is_settled(p, session) or trusts_from(p, servers, nothing, session) == UNSETTLED:
            found[size] = session
            size = natural(size + 1)
    return found[:size]


@compiled
def find_strict(
    p: Program,
    strictness: Strictness,
    sent: Distributed,
    sessions: Numbers,
    trusts_all: bool,
    receives: Flags,
) -> bool:
    """Find the day on which the accounts of some sessions turn strict, without distribution.

    Where a session alone decides about its account, `write_states` finds that day on its way.
    `receives` is set for every key database into which a certificate may be distributed; returns
    whether there is one.
    """
    found = False
    for number in sessions:
        session = natural(number)
        account = natural(p.session_account[session])
        day = first_both_new(p, session)
        # Nothing that begins later can matter to an account that is never reset.
        is_late = day >= strictness.from_day[account] and not (
            p.account_state[account] & ACCOUNT_IS_RESET
        )
        if is_late and (trusts_all or not can_receive(p, session)):
            continue
        while day < p.end:
            rule, _, until = look(p, strictness, sent, trusts_all, session, day)
            if IS_AUTOMATIC[rule]:
                receives[p.session_key_database[session]] = True
                found = True
            elif TURNS_STRICT[rule]:
                is_final = mark_strict(p, strictness, account, day, until)
                # A session that trusts asks for no distribution unless its key database loses
                # something; a local one may turn to TCP/IP.
                keeps_trust = NEEDS_ANCHOR[rule] and not is_ever_emptied(
                    p, p.session_key_database[session]
                )
                if is_final and (trusts_all or keeps_trust):
                    break
            day = until
    return found


@compiled
def distribute(
    p: Program,
    strictness: Strictness,
    sent: Distributed,
    first_session: Numbers,
    session_of_database: Numbers,
) -> int:
    """Find what automatic distribution does, in order of days, and the strictness that follows.

    Writes into `sent`, and returns the count of its entries, -1 where they found no room.
    """
    size = 0
    day = p.start
    pending = np.full(len(sent.database), p.start, dtype=np.int32)
    while day < p.end:
        begin = size
        soonest = p.end
        for place in range(len(sent.database)):
            if pending[place] == day:
                pending[place] = p.end
                database = sent.database[place]
                for k in range(first_session[database], first_session[database + 1]):
                    session = session_of_database[k]
                    rule, anchor, until = look(p, strictness, sent, False, session, day)
                    if IS_AUTOMATIC[rule]:
                        if size == len(sent.day):
                            return -1
                        sent.certificate[size], sent.day[size] = anchor, day
                        sent.session[size] = session
                        size += 1
                        until = day + 1
                    if TURNS_STRICT[rule]:
                        mark_strict(p, strictness, p.session_account[session], day, until)
                    pending[place] = min(pending[place], until)
            soonest = min(soonest, pending[place])
        # What is distributed on a day is seen by others from the next day on.
        for entry in range(begin, size):
            database = p.session_key_database[sent.session[entry]]
            place = first_row(sent.database, database)
            sent.following[entry] = sent.head[place]
            sent.head[place] = entry
        day = soonest
    return size


@compiled
def refused_days_of(p: Program, strictness: Strictness, sent: Distributed, session: int) -> int:
    """Days on which a session is refused; an account that it has for itself turns strict."""
    days, now = 0, p.start
    while now < p.end:
        rule, _, until = look(p, strictness, sent, False, session, now)
        if TURNS_STRICT[rule] and is_alone(p, session):
            mark_strict(p, strictness, p.session_account[session], now, until)
        if MODE_OF_RULE[rule] == _REFUSED:
            days += until - now
        now = until
    return days


@compiled
def initial_strictness(p: Program) -> Strictness:
    """Strictness before any session is looked at."""
    from_day = np.full(len(p.account_state), NEVER, dtype=np.int32)
    for account in range(len(from_day)):
        if p.account_state[account] & ACCOUNT_BEGINS_STRICT:
            from_day[account] = ALWAYS
    after_reset = np.full(len(p.reset_strict), NEVER, dtype=np.int32)
    for row in range(len(after_reset)):
        if p.reset_strict[row]:
            after_reset[row] = ALWAYS
    return Strictness(from_day, after_reset)


@compiled
def couple(
    p: Program, sharing: Numbers, first_session: Numbers, session_of_database: Numbers
) -> tuple[Strictness, Distributed]:
    """Find when accounts turn strict, and what automatic distribution does before that.

    `sharing` are the sessions whose account is shared; the sessions of key database `d` are
    `session_of_database[first_session[d]:first_session[d + 1]]`. Accounts of a single session are
    left to `write_states`.
    """
    nothing = nothing_distributed()
    n_databases = len(first_session) - 1
    strictness = initial_strictness(p)
    receives = np.zeros(n_databases, dtype=np.bool_)
    asking = asking_sessions(p)
    # Who shares comes first: where an account is strict, others can be handed nothing.
    shares = find_strict(p, strictness, nothing, sharing, False, receives)
    asks = find_strict(p, strictness, nothing, asking, False, receives)
    if not (shares or asks):
        return strictness, nothing
    databases = np.flatnonzero(receives).astype(np.int32)
    # Once for each session, or more often: after removals.
    room = 0
    for database in databases:
        room += first_session[database + 1] - first_session[database]
    while True:
        head = np.full(len(databases), -1, dtype=np.int32)
        sent = Distributed(
            databases,
            head,
            np.empty(room, dtype=np.int32),
            np.empty(room, dtype=np.int32),
            np.empty(room, dtype=np.int32),
            np.empty(room, dtype=np.int32),
        )
        size = distribute(p, strictness, sent, first_session, session_of_database)
        if size >= 0:
            break
        room *= 4
        strictness = initial_strictness(p)
        find_strict(p, strictness, nothing, sharing, False, receives)
        find_strict(p, strictness, nothing, asking, False, receives)
    if size == 0:
        return strictness, nothing
    return strictness, Distributed(
        databases,
        head,
        sent.following[:size],
        sent.certificate[:size],
        sent.day[:size],
        sent.session[:size],
    )


@compiled
def write_states(
    p: Program,
    table: Codes,
    strictness: Strictness,
    sent: Distributed,
    begin: int,
    first: Numbers,
    day: Days,
    rule: Codes,
    needed: Days,
) -> int:
    """Write the segments of sessions from `begin` on; return the first that found no room.

    `table` is `settled_table()`. Accounts of a single session turn strict on the way. Into `needed`
    goes the first day on which each session needs its anchor in a world in which it trusts every
    certificate, `NEVER` for none, `UNCLEAR` where its states do not tell.
    """
    size = natural(first[begin])
    n = len(p.session_client)
    servers, room = server_parts(p), settled_room(p)
    for number in range(begin, n):
        session = natural(number)
        trusted = trusts_from(p, servers, sent, session) if is_settled(p, session) else UNSETTLED
        if trusted != UNSETTLED:
            if size + room > len(day):
                return session
            size = write_settled(
                p, table, servers, strictness, session, trusted, size, day, rule, needed
            )
            first[session + 1] = size
            continue
        account = natural(p.session_account[session])
        decides_alone = is_alone(p, session)
        now = p.start
        previous = -1
        # Up to the first state that trust would change, the session lives the same days there.
        # So it does in a shared account, whose strictness may differ, where it never uses SSL.
        tells = p.server_has_one_anchor[natural(p.session_server[session])] and (
            decides_alone or not can_use_ssl(p, session)
        )
        need = NEVER if tells else UNCLEAR
        while now < p.end:
            state, _, until = look(p, strictness, sent, False, session, now)
            if decides_alone and TURNS_STRICT[state]:
                mark_strict(p, strictness, account, now, until)
            if need == NEVER and NEEDS_ANCHOR_GIVEN_TRUST[state]:
                need = now
            elif need == NEVER and TRUST_CHANGES[state]:
                need = UNCLEAR
            if state != previous:
                if size == len(day):
                    return session
                day[size], rule[size] = now, state
                size = natural(size + 1)
                previous = state
            now = until
        first[session + 1] = size
        needed[session] = need
    return n
