"""The compiled walks over all sessions: when accounts turn strict, what is distributed, the states.

Two things couple sessions: accounts that turn strict, and automatic distribution. Without the
latter, whether a new/new session succeeds does not depend on strictness, so one walk finds the
day on which each shared account turns strict, and a second one writes the states. Automatic
distribution is found in between, in order of days, for the few key databases that it concerns.

Most sessions are *settled*: only the levels of their ends, and what their server presents, can
change their state. Their walk follows those two alone; all others look day of change by day of
change.
"""

import numpy as np

from planner.domain.calendar import NEVER, Days
from planner.domain.fleet import Authentication, Codes, Flags, Numbers, SessionKind
from planner.domain.levels import LevelFact
from planner.domain.options import LOCAL_BIT, SSL, SSLACCEPTCERTFROMSERV, SSLREQUIRED
from planner.domain.rules import Distribution, Trust
from planner.engine.compiled import allocation_free, compiled
from planner.engine.kernel import (
    IS_AUTOMATIC,
    NEEDS_ANCHOR,
    TURNS_STRICT,
    Distributed,
    Strictness,
    both_new_index,
    first_row,
    look,
    old_client_index,
    old_server_index,
    port_differs,
)
from planner.engine.program import (
    ACCOUNT_AUTHENTICATION,
    ACCOUNT_IS_RESET,
    ACCOUNT_IS_SHARED,
    Program,
)
from planner.engine.timelines import (
    CLIENT_ACCEPTS_LATER,
    CLIENT_IS_STEADY,
    CLIENT_REFUSES,
    SERVER_COMPLETE,
    SERVER_LDAP,
)

_NEW = int(LevelFact.NEW)
_SSL, _SSLREQUIRED, _ACCEPTS = SSL.mask, SSLREQUIRED.shift, SSLACCEPTCERTFROMSERV.mask
_TRUSTED, _WORKS = int(Trust.TRUSTED), int(Distribution.WORKS)
_OF_SERVER, _OF_LDAP = int(Authentication.OF_SERVER), int(Authentication.LDAP)
_STORAGE_AGENT = int(SessionKind.STORAGE_AGENT)
_NO_RULE = 255


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
def is_ever_emptied(p: Program, session: int) -> bool:
    """Whether anything is removed from a session's key database on some day."""
    database = p.session_key_database[session]
    for k in range(p.trust_first[database], p.trust_first[database + 1]):
        if not p.trust_held[k]:
            return True
    return False


@allocation_free
def first_both_new(p: Program, session: int) -> int:
    """First day on which both ends of a session can be new: none turns strict before it."""
    client, server = p.session_client[session], p.n_clients + p.session_server[session]
    return max(p.start, int(p.level_first_new[client]), int(p.level_first_new[server]))


@allocation_free
def is_alone(p: Program, session: int) -> bool:
    """Whether a session is the only one of its account."""
    return not p.account_state[p.session_account[session]] & ACCOUNT_IS_SHARED


@allocation_free
def can_receive(p: Program, session: int) -> bool:
    """Whether automatic distribution can ever work for a session: its kind, or its option."""
    if p.session_kind[session] >= _STORAGE_AGENT:
        return True
    state = p.client_state[p.session_client[session]]
    if state & CLIENT_REFUSES:
        return False
    return bool(p.session_options[session] & _ACCEPTS != 0 or state & CLIENT_ACCEPTS_LATER != 0)


@allocation_free
def can_use_ssl(p: Program, session: int) -> bool:
    """Whether SSL is Yes for a session at first, or for some session of its client later."""
    if p.session_options[session] & _SSL:
        return True
    client = p.session_client[session]
    for k in range(p.option_first[client], p.option_first[client + 1]):
        if p.option_bits[k] & _SSL:
            return True
    return False


@compiled
def find_strict(
    p: Program, strictness: Strictness, sent: Distributed, trusts_all: bool, receives: Flags
) -> bool:
    """Find the day on which each account turns strict, without automatic distribution.

    Accounts of a single session are left out where that session decides alone: `write_states`
    finds their day on its way. `receives` is set for every key database into which a certificate
    may be distributed; returns whether there is one.
    """
    found = False
    for session in range(len(p.session_client)):
        account = p.session_account[session]
        if is_alone(p, session) and (trusts_all or not can_receive(p, session)):
            continue
        day = first_both_new(p, session)
        while day < p.end:
            rule, _, until = look(p, strictness, sent, trusts_all, session, day)
            if IS_AUTOMATIC[rule]:
                receives[p.session_key_database[session]] = True
                found = True
            elif TURNS_STRICT[rule]:
                is_final = mark_strict(p, strictness, account, day, until)
                # A session that trusts asks for no distribution unless its key database loses
                # something; a local one may turn to TCP/IP.
                keeps_trust = NEEDS_ANCHOR[rule] and not is_ever_emptied(p, session)
                if is_final and (trusts_all or keeps_trust):
                    break
            day = until
    return found


@compiled
def distribute(
    p: Program,
    strictness: Strictness,
    sent: Distributed,
    databases: Numbers,
    first_session: Numbers,
    session_of_database: Numbers,
) -> int:
    """Find what automatic distribution does, in order of days, and the strictness that follows.

    Writes into `sent`, and returns the count of its entries, -1 where they found no room. Only
    `databases` can receive an anchor.
    """
    size = 0
    day = p.start
    pending = np.full(len(databases), p.start, dtype=np.int32)
    while day < p.end:
        begin = size
        soonest = p.end
        for place in range(len(databases)):
            if pending[place] == day:
                pending[place] = p.end
                database = databases[place]
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
            sent.following[entry] = sent.head[database]
            sent.head[database] = entry
        day = soonest
    return size


@allocation_free
def is_settled(p: Program, session: int) -> bool:
    """Whether only levels and the server's certificate change a session's state, given trust."""
    return bool(
        p.client_state[p.session_client[session]] & CLIENT_IS_STEADY
        and p.account_state[p.session_account[session]] < ACCOUNT_IS_SHARED
        and p.server_is_steady[p.session_server[session]]
        and not p.session_options[session] & LOCAL_BIT
    )


@allocation_free
def trusts_in_time(p: Program, session: int) -> bool:
    """Whether a settled session holds its anchor whenever that matters."""
    needed = p.start if p.session_options[session] & _SSL else first_both_new(p, session)
    if needed >= p.end:
        return True
    row = p.server_first[p.session_server[session]]
    if not p.server_state[row] & SERVER_COMPLETE:
        return False
    database = p.session_key_database[session]
    is_held = False
    for k in range(p.trust_first[database], p.trust_first[database + 1]):
        if not p.trust_held[k]:
            return False
        is_held |= (p.trust_certificate[k] == p.server_anchor[row]) & (p.trust_day[k] <= needed)
    return is_held


@allocation_free
def room_of(p: Program, session: int) -> int:
    """Most segments that a settled session can have."""
    client, server = p.session_client[session], p.session_server[session]
    n_levels = p.level_first[client + 1] - p.level_first[client]
    return int(n_levels + p.server_first[server + 1] - p.server_first[server])


@allocation_free
def constants_of(p: Program, session: int) -> tuple[int, int, int, bool, bool, bool]:
    """What stays: options, server, account state, LDAP, whether ports differ, TLS 1.2."""
    server, account_state = p.session_server[session], p.account_state[p.session_account[session]]
    authentication = account_state & ACCOUNT_AUTHENTICATION
    ldap = authentication == _OF_LDAP
    if authentication == _OF_SERVER:
        ldap = p.server_state[p.server_first[server]] & SERVER_LDAP != 0
    has_other_port = port_differs(p, server, p.session_port[session])
    options = int(p.session_options[session])
    return options, server, int(account_state), ldap, has_other_port, p.server_tls12[server]


@allocation_free
def settled_rule(
    p: Program, constants: tuple[int, int, int, bool, bool, bool], row: int, server_row: int
) -> int:
    """Rule of a settled session at one level of its client and one state of its server."""
    options, _, account_state, ldap, has_other_port, has_tls12 = constants
    facts, server_facts = int(p.level_facts[row]), int(p.server_facts[server_row])
    state = int(p.server_state[server_row])
    ssl, required = options & _SSL, options >> _SSLREQUIRED & 3
    if facts & server_facts & _NEW:
        index = both_new_index(ssl, facts, server_facts, _TRUSTED, _WORKS, state)
    elif server_facts & _NEW:
        index = old_client_index(ssl, required, ldap, False, facts, _TRUSTED, state)
    else:
        index = old_server_index(
            ssl,
            required,
            account_state,
            ldap,
            has_other_port,
            options,
            has_tls12,
            _TRUSTED,
            state,
        )
    return int(p.lookup[index])


@allocation_free
def write_settled(
    p: Program, strictness: Strictness, session: int, size: int, day: Days, rule: Codes
) -> int:
    """Write the segments of a settled session from row `size` on; return the row after them."""
    client, server = p.session_client[session], p.session_server[session]
    row, last_row = p.level_first[client], p.level_first[client + 1] - 1
    server_row, last_server_row = p.server_first[server], p.server_first[server + 1] - 1
    constants = constants_of(p, session)
    now, previous, strict_from = p.start, _NO_RULE, NEVER
    while now < p.end:
        found = settled_rule(p, constants, row, server_row)
        day[size], rule[size] = now, found
        size += found != previous
        previous = found
        strict_from = min(strict_from, now if TURNS_STRICT[found] else NEVER)
        next_level = p.level_day[row + 1] if row < last_row else NEVER
        next_state = p.server_day[server_row + 1] if server_row < last_server_row else NEVER
        now = min(next_level, next_state)
        row += next_level == now
        server_row += next_state == now
    strictness.from_day[p.session_account[session]] = strict_from
    return size


@compiled
def write_states(
    p: Program,
    strictness: Strictness,
    sent: Distributed,
    begin: int,
    first: Numbers,
    day: Days,
    rule: Codes,
) -> int:
    """Write the segments of sessions from `begin` on; return the first that found no room.

    Accounts of a single session turn strict on the way.
    """
    size = first[begin]
    n = len(p.session_client)
    for session in range(begin, n):
        if is_settled(p, session) and trusts_in_time(p, session):
            if size + room_of(p, session) > len(day):
                return session
            size = write_settled(p, strictness, session, size, day, rule)
            first[session + 1] = size
            continue
        account = p.session_account[session]
        decides_alone = is_alone(p, session)
        now = p.start
        previous = -1
        while now < p.end:
            state, _, until = look(p, strictness, sent, False, session, now)
            if decides_alone and TURNS_STRICT[state]:
                mark_strict(p, strictness, account, now, until)
            if state != previous:
                if size == len(day):
                    return session
                day[size], rule[size] = now, state
                size += 1
                previous = state
            now = until
        first[session + 1] = size
    return n
