"""The short walk of settled sessions.

Most sessions are *settled*: only the levels of their ends, their options, the server's certificate,
and the day from which on they hold its anchor change their state. All that decides it on a day then
fits into a few bits, and a table made from the rules has the answer.
"""

from functools import cache
from typing import NamedTuple

import numpy as np

from planner.domain.calendar import ALWAYS, NEVER, Days
from planner.domain.fleet import Authentication, Codes, Flags, Numbers
from planner.domain.levels import LevelFact
from planner.domain.options import (
    LOCAL_BIT,
    SSL,
    SSLACCEPTCERTFROMSERV,
    SSLDISABLELEGACYTLS,
    SSLREQUIRED,
)
from planner.domain.rules import Distribution, Trust
from planner.engine.compiled import allocation_free, compiled, natural
from planner.engine.kernel import (
    NEEDS_ANCHOR,
    TURNS_STRICT,
    Distributed,
    Strictness,
    both_new_index,
    can_receive,
    can_use_ssl,
    first_both_new,
    first_entry,
    first_held,
    is_ever_emptied,
    old_client_index,
    old_server_index,
    options_of,
    port_differs,
)
from planner.engine.program import (
    ACCOUNT_AUTHENTICATION,
    ACCOUNT_IS_SHARED,
    ACCOUNT_SSLREQUIRED,
    LOOKUP,
    Program,
)
from planner.engine.timelines import (
    CLIENT_CHANGES_ONCE,
    CLIENT_IS_STEADY,
    SERVER_COMPLETE,
    SERVER_LDAP,
    SERVER_MD5,
    SERVER_VALID,
    Facts,
)

_SSL, _REQUIRED, _REQUIRED_SHIFT = SSL.mask, SSLREQUIRED.mask, SSLREQUIRED.shift
_OF_SERVER, _OF_LDAP = int(Authentication.OF_SERVER), int(Authentication.LDAP)
_NOTHING, _TRUSTED, _NOT_ACCEPTED = (
    int(Trust.NOTHING),
    int(Trust.TRUSTED),
    int(Distribution.NOT_ACCEPTED),
)
_NEW = int(LevelFact.NEW)
_NO_RULE = 255
RULE_BITS, _TURNS, _NEEDS = 63, 64, 128
"""Bits of a table's entry: its rule, whether the account turns strict, and whether the session
needs its anchor in a world in which it trusts every certificate."""
UNSETTLED = NEVER - 1
"""What `trusts_from` tells of a session that must be looked at day of change by day of change."""
UNCLEAR = ALWAYS
"""What stands for the day on which a session needs its anchor where its states do not tell it."""

# A place in the table, from its lowest bit on: levels of server and client, certificate of the
# server, whether nothing of the server's is held, TLS 1.2, whether the ports differ, LDAP, options,
# SSLREQUIRED of the account. What one session looks up lies in one or two lines of the cache.
_SERVER_LEVEL, _CERTIFICATE = int(LevelFact.NEW | LevelFact.TLS13), SERVER_MD5 | SERVER_VALID
_CLIENT_LEVEL = int(LevelFact.NEW | LevelFact.TLS13 | LevelFact.REFUSES_MD5 | LevelFact.BELOW_63)
_OPTIONS = SSL.mask | SSLREQUIRED.mask | SSLACCEPTCERTFROMSERV.mask | SSLDISABLELEGACYTLS.mask
_OPTIONS_SHIFT, _ACCOUNT_SHIFT, _LDAP_SHIFT, _PORT_SHIFT, _TLS12_SHIFT = 12, 17, 11, 10, 9
_LDAP_BIT, _HOLDS_NOTHING = 1 << _LDAP_SHIFT, 1 << 8
_TABLE_SIZE = 1 << 19


@cache
def settled_table() -> Codes:
    """State of a settled session for each combination of what decides it.

    Shape `(2**19,)`; a place is the sum of `constants_with`, `client_part` and `server_part`,
    and of `2**8` while the session holds nothing that the server presents. An entry's rule is in
    its `RULE_BITS`.
    """
    table = _settled_table(LOOKUP, TURNS_STRICT, NEEDS_ANCHOR)
    table.setflags(write=False)
    return table


@allocation_free
def client_part(facts: int) -> int:
    """Part of a table's place that the level of the client gives."""
    return (facts & _CLIENT_LEVEL) << 1


@allocation_free
def server_part(facts: int, state: int) -> int:
    """Part of a table's place that the level and the certificate of the server give."""
    return (facts & _SERVER_LEVEL) >> 1 | (state & _CERTIFICATE) << 5


@allocation_free
def part_of_server(p: Program, row: int) -> int:
    """Part of a table's place that a row of `Program.server_day` gives."""
    return server_part(int(p.server_facts[row]), int(p.server_state[row]))


@compiled
def _settled_table(lookup: Codes, turns: Flags, needs: Flags) -> Codes:
    table = np.empty(_TABLE_SIZE, dtype=np.uint8)
    for place in range(_TABLE_SIZE):
        server_facts, state = place << 1 & _SERVER_LEVEL, place >> 5 & _CERTIFICATE
        client_facts, options = place >> 1 & _CLIENT_LEVEL, place >> _OPTIONS_SHIFT & _OPTIONS
        ssl, required = options & _SSL, (options & _REQUIRED) >> _REQUIRED_SHIFT
        ldap = place >> _LDAP_SHIFT & 1 != 0
        both_new = client_facts & server_facts & _NEW != 0
        trust = _NOTHING if place & _HOLDS_NOTHING and (ssl or both_new) else _TRUSTED
        if not server_facts & _NEW:
            account_state = (place >> _ACCOUNT_SHIFT & 3) << ACCOUNT_SSLREQUIRED
            index = old_server_index(
                ssl,
                required,
                account_state,
                ldap,
                place >> _PORT_SHIFT & 1 != 0,
                options,
                place >> _TLS12_SHIFT & 1 != 0,
                trust,
                state,
            )
        elif not both_new:
            index = old_client_index(ssl, required, ldap, False, client_facts, trust, state)
        else:
            index = both_new_index(ssl, client_facts, server_facts, trust, _NOT_ACCEPTED, state)
        rule = lookup[index]
        needed = _NEEDS if needs[rule] else 0
        if place & _HOLDS_NOTHING:
            needed = table[place ^ _HOLDS_NOTHING] & _NEEDS
        table[place] = rule | (_TURNS if turns[rule] else 0) | needed
    return table


@allocation_free
def session_part(p: Program, session: int, options: int, ldap_of_server: int) -> int:
    """Part of a table's place that options and the account give; the server's default is a bit."""
    account_state = int(p.account_state[natural(p.session_account[session])])
    authentication = account_state & ACCOUNT_AUTHENTICATION
    ldap = ldap_of_server if authentication == _OF_SERVER else 0
    ldap = _LDAP_BIT if authentication == _OF_LDAP else ldap
    return (
        (options & _OPTIONS) << _OPTIONS_SHIFT
        | (account_state >> ACCOUNT_SSLREQUIRED & 3) << _ACCOUNT_SHIFT
        | ldap
    )


@allocation_free
def ldap_part(p: Program, server: int) -> int:
    """Bit of a steady server whose default is LDAP."""
    row = natural(p.server_first[server])
    return _LDAP_BIT if p.server_state[row] & SERVER_LDAP else 0


@allocation_free
def port_part(p: Program, server: int, port: int) -> int:
    """Part of a table's place that a session's port gives."""
    return int(port_differs(p, server, port)) << _PORT_SHIFT


@allocation_free
def tls12_part(p: Program, server: int) -> int:
    """Part of a table's place that TLS 1.2 at a server gives."""
    return int(p.server_tls12[server]) << _TLS12_SHIFT


@allocation_free
def constants_with(p: Program, session: int, options: int, port: int) -> int:
    """Part of a table's place that a session's options, its port, its account and server give."""
    server = natural(p.session_server[session])
    return (
        session_part(p, session, options, ldap_part(p, server))
        | port_part(p, server, port)
        | tls12_part(p, server)
    )


class ServerParts(NamedTuple):
    """Servers as their settled sessions see them.

    `before` and `after` are what a server adds to a place on the first day and in the end, all but
    `ldap` and `port`, which sessions may have otherwise. `changes_on` is the day of its only
    change, `NEVER` where it has several; `anchor` the one that it always presents, -1 for several,
    or where holding it is no trust.
    """

    before: Numbers
    after: Numbers
    changes_on: Days
    ldap: Numbers
    port: Numbers
    anchor: Numbers


@compiled
def server_parts(p: Program) -> ServerParts:
    """Columns of `ServerParts`, by server."""
    n = len(p.server_first) - 1
    columns = np.empty((6, n), dtype=np.int32)
    before, after, changes_on, ldap, port, anchor = columns
    for server in range(n):
        row, last = p.server_first[server], p.server_first[server + 1] - 1
        before[server] = part_of_server(p, row) | tls12_part(p, server)
        after[server] = part_of_server(p, last) | tls12_part(p, server)
        changes_on[server] = p.server_day[last] if last <= row + 1 else NEVER
        ldap[server], port[server] = ldap_part(p, server), port_part(p, server, 0)
        is_sole = p.server_has_one_anchor[server] and p.server_state[row] & SERVER_COMPLETE
        anchor[server] = p.server_anchor[row] if is_sole else -1
    return ServerParts(before, after, changes_on, ldap, port, anchor)


@compiled
def parts_of_clients(facts: Facts) -> Numbers:
    """`client_part` of many levels."""
    result = np.empty(len(facts), dtype=np.int32)
    for k in range(len(facts)):
        result[k] = client_part(int(facts[k]))
    return result


@compiled
def parts_of_servers(facts: Facts) -> Numbers:
    """`server_part` of many levels, without that of a certificate."""
    result = np.empty(len(facts), dtype=np.int32)
    for k in range(len(facts)):
        result[k] = server_part(int(facts[k]), 0)
    return result


@allocation_free
def is_settled(p: Program, session: int) -> bool:
    """Whether only levels, options and certificates change what a session is."""
    is_steady = p.client_state[natural(p.session_client[session])] & CLIENT_IS_STEADY != 0
    is_alone = p.account_state[natural(p.session_account[session])] < ACCOUNT_IS_SHARED
    is_local = p.session_options[session] & LOCAL_BIT != 0
    server_is_steady = p.server_is_steady[natural(p.session_server[session])]
    return bool(is_steady & is_alone & server_is_steady & (not is_local))


@allocation_free
def trusts_all_in_time(p: Program, session: int, needed: int) -> bool:
    """Whether a session holds each anchor that its server presents from `needed` on."""
    server, database = p.session_server[session], p.session_key_database[session]
    row, last = p.server_first[server], p.server_first[server + 1] - 1
    while row <= last:
        is_over = row < last and p.server_day[row + 1] <= needed
        if not is_over and not (
            p.server_state[row] & SERVER_COMPLETE
            and first_held(p, database, p.server_anchor[row]) <= max(needed, p.server_day[row])
        ):
            return False
        row += 1
    return True


@allocation_free
def holds_other(p: Program, database: int, server: int, anchor: int) -> bool:
    """Whether a key database ever holds another certificate of a server than an anchor."""
    for k in range(p.known_first[server], p.known_first[server + 1]):
        certificate = p.known_certificate[k]
        if certificate != anchor and first_held(p, database, certificate) != NEVER:
            return True
    return False


@allocation_free
def trusts_from(p: Program, servers: ServerParts, sent: Distributed, session: int) -> int:
    """Day from which on a steady session trusts what its server presents, nothing of it before.

    Days on which that does not matter are not told apart. `UNSETTLED` where there is more to say.
    """
    server = natural(p.session_server[session])
    database = natural(p.session_key_database[session])
    # Without SSL no certificate matters before both ends are new.
    both_new = first_both_new(p, session)
    needed = p.start if can_use_ssl(p, session) else both_new
    anchor = servers.anchor[server]
    is_emptied = is_ever_emptied(p, database)
    if anchor < 0 or is_emptied:
        is_clear = not is_emptied and trusts_all_in_time(p, session, needed)
        return ALWAYS if needed >= p.end or is_clear else UNSETTLED
    day = first_held(p, database, anchor)
    if day <= needed:
        return ALWAYS
    if (
        can_receive(p, session)
        or first_entry(sent, database) >= 0
        or holds_other(p, database, server, anchor)
    ):
        return UNSETTLED
    return day


@compiled
def settled_room(p: Program) -> int:
    """Most rows that `write_settled` can touch for a session."""
    of_client = of_server = 0
    for client in range(len(p.level_first) - 1):
        n_levels = p.level_first[client + 1] - p.level_first[client]
        n_options = p.option_first[client + 1] - p.option_first[client]
        of_client = max(of_client, n_levels + n_options)
    for server in range(len(p.server_first) - 1):
        of_server = max(of_server, p.server_first[server + 1] - p.server_first[server])
    return int(of_client + of_server + 2)


@allocation_free
def place_on(day: int, changes_on: int, before: int, after: int) -> int:
    """Part of a table's place on a day, of something that changes once."""
    return after if changes_on <= day else before


@allocation_free
def write_settled(
    p: Program,
    table: Codes,
    servers: ServerParts,
    strictness: Strictness,
    session: int,
    trusted: int,
    size: int,
    day: Days,
    rule: Codes,
    needed: Days,
) -> int:
    """Write the segments of a settled session from row `size` on; return the row after them.

    `trusted` is the day that `trusts_from` tells; `needed` is by session, see `write_states`.
    """
    client, server = natural(p.session_client[session]), natural(p.session_server[session])
    row, last_row = natural(p.level_first[client]), natural(p.level_first[client + 1] - 1)
    now, strict_from, need = p.start, NEVER, NEVER
    state_day = int(servers.changes_on[server])
    if p.client_state[client] & CLIENT_CHANGES_ONCE and state_day != NEVER:
        # As most sessions: as below, without a loop.
        port = p.session_port[session]
        constants = session_part(
            p, session, int(p.session_options[session]), servers.ldap[server]
        ) | (servers.port[server] if port == 0 else port_part(p, server, port))
        old_client = constants | client_part(int(p.level_facts[row]))
        new_client = constants | client_part(int(p.level_facts[last_row]))
        old_server, new_server = int(servers.before[server]), int(servers.after[server])
        level_day = int(p.level_day[last_row])
        earlier, later = min(level_day, state_day), max(level_day, state_day)
        state = table[old_client | old_server | place_on(now, trusted, _HOLDS_NOTHING, 0)]
        day[size], rule[size] = now, state & RULE_BITS
        size = natural(size + 1)
        strict_from = now if state & _TURNS else NEVER
        need = now if state & _NEEDS else NEVER
        if trusted > now:
            # Trust may be the first to change.
            first = min(earlier, trusted)
            found = table[
                place_on(first, level_day, old_client, new_client)
                | place_on(first, state_day, old_server, new_server)
                | place_on(first, trusted, _HOLDS_NOTHING, 0)
            ]
            day[size], rule[size] = first, found & RULE_BITS
            size = natural(size + ((found ^ state) & RULE_BITS != 0))
            strict_from = min(strict_from, first if found & _TURNS else NEVER)
            need = min(need, first if found & _NEEDS else NEVER)
            state = found
        second, third = max(earlier, min(later, trusted)), max(later, trusted)
        found = table[
            place_on(second, level_day, old_client, new_client)
            | place_on(second, state_day, old_server, new_server)
            | place_on(second, trusted, _HOLDS_NOTHING, 0)
        ]
        last = table[new_client | new_server] if third < p.end else found
        day[size], rule[size] = second, found & RULE_BITS
        size = natural(size + ((found ^ state) & RULE_BITS != 0))
        day[size], rule[size] = third, last & RULE_BITS
        size += (last ^ found) & RULE_BITS != 0
        strict_from = min(strict_from, second if found & _TURNS else NEVER)
        strict_from = min(strict_from, third if last & _TURNS else NEVER)
        need = min(need, second if found & _NEEDS else NEVER)
        need = min(need, third if last & _NEEDS else NEVER)
        now = p.end
    previous = _NO_RULE
    server_row = natural(p.server_first[server])
    last_server_row = natural(p.server_first[server + 1] - 1)
    while now < p.end:
        options, port, until = options_of(p, session, now)
        until = min(until, p.end)
        constants = constants_with(p, session, options, port)
        while now < until:
            found = table[
                constants
                | client_part(int(p.level_facts[row]))
                | part_of_server(p, server_row)
                | place_on(now, trusted, _HOLDS_NOTHING, 0)
            ]
            day[size], rule[size] = now, found & RULE_BITS
            size = natural(size + (found & RULE_BITS != previous))
            previous = found & RULE_BITS
            strict_from = min(strict_from, now if found & _TURNS else NEVER)
            need = min(need, now if found & _NEEDS else NEVER)
            next_level = p.level_day[row + 1] if row < last_row else NEVER
            next_state = p.server_day[server_row + 1] if server_row < last_server_row else NEVER
            now = min(until, next_level, next_state, trusted if now < trusted else NEVER)
            row = natural(row + (next_level == now))
            server_row = natural(server_row + (next_state == now))
    strictness.from_day[natural(p.session_account[session])] = strict_from
    needed[session] = need if p.server_has_one_anchor[server] else UNCLEAR
    return size
