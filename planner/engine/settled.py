"""The short walk of settled sessions.

Most sessions are *settled*: they trust in time all that their server presents, and only the levels
of their ends and the server's certificate change their state. All that decides it on a day then
fits into a few bits, and a table made from the rules has the answer.
"""

from functools import cache

import numpy as np

from planner.domain.calendar import NEVER, Days
from planner.domain.fleet import Authentication, Codes, Numbers
from planner.domain.levels import LevelFact
from planner.domain.options import (
    LOCAL_BIT,
    SSL,
    SSLACCEPTCERTFROMSERV,
    SSLDISABLELEGACYTLS,
    SSLREQUIRED,
)
from planner.domain.rules import Distribution, Trust
from planner.engine.compiled import allocation_free, compiled
from planner.engine.kernel import (
    TURNS_STRICT,
    Strictness,
    both_new_index,
    first_both_new,
    is_ever_emptied,
    old_client_index,
    old_server_index,
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
    CLIENT_IS_STEADY,
    SERVER_COMPLETE,
    SERVER_LDAP,
    SERVER_MD5,
    SERVER_VALID,
    Facts,
)

_SSL, _REQUIRED, _REQUIRED_SHIFT = SSL.mask, SSLREQUIRED.mask, SSLREQUIRED.shift
_OF_SERVER, _OF_LDAP = int(Authentication.OF_SERVER), int(Authentication.LDAP)
_TRUSTED, _WORKS = int(Trust.TRUSTED), int(Distribution.WORKS)
_NEW = int(LevelFact.NEW)
_NO_RULE = 255

# A place in the table, from its lowest bit on: level and certificate of the server, level of the
# client, options, SSLREQUIRED of the account, LDAP, whether the ports differ, TLS 1.2.
_SERVER_LEVEL, _CERTIFICATE = int(LevelFact.NEW | LevelFact.TLS13), SERVER_MD5 | SERVER_VALID
_CLIENT_LEVEL = int(LevelFact.NEW | LevelFact.TLS13 | LevelFact.REFUSES_MD5 | LevelFact.BELOW_63)
_OPTIONS = SSL.mask | SSLREQUIRED.mask | SSLACCEPTCERTFROMSERV.mask | SSLDISABLELEGACYTLS.mask
_OPTIONS_SHIFT, _ACCOUNT_SHIFT, _LDAP_SHIFT, _PORT_SHIFT, _TLS12_SHIFT = 8, 13, 15, 16, 17
_TABLE_SIZE = 1 << 18


@cache
def settled_table() -> Codes:
    """Rule of a settled session for each combination of what decides it.

    Shape `(2**18,)`; a place is the sum of `settled_constants`, `client_part` and `server_part`.
    """
    table = _settled_table(LOOKUP)
    table.setflags(write=False)
    return table


@allocation_free
def client_part(facts: int) -> int:
    """Part of a table's place that the level of the client gives."""
    return (facts & _CLIENT_LEVEL) << 3


@allocation_free
def server_part(facts: int, state: int) -> int:
    """Part of a table's place that the level and the certificate of the server give."""
    return (facts & _SERVER_LEVEL) >> 1 | (state & _CERTIFICATE) << 1


@allocation_free
def part_of_server(p: Program, row: int) -> int:
    """Part of a table's place that a row of `Program.server_day` gives."""
    return server_part(int(p.server_facts[row]), int(p.server_state[row]))


@compiled
def _settled_table(lookup: Codes) -> Codes:
    table = np.empty(_TABLE_SIZE, dtype=np.uint8)
    for place in range(_TABLE_SIZE):
        server_facts, state = place << 1 & _SERVER_LEVEL, place >> 1 & _CERTIFICATE
        client_facts, options = place >> 3 & _CLIENT_LEVEL, place >> _OPTIONS_SHIFT & _OPTIONS
        ssl, required = options & _SSL, (options & _REQUIRED) >> _REQUIRED_SHIFT
        ldap = place >> _LDAP_SHIFT & 1 != 0
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
                _TRUSTED,
                state,
            )
        elif not client_facts & _NEW:
            index = old_client_index(ssl, required, ldap, False, client_facts, _TRUSTED, state)
        else:
            index = both_new_index(ssl, client_facts, server_facts, _TRUSTED, _WORKS, state)
        table[place] = lookup[index]
    return table


@allocation_free
def constants_with(p: Program, session: int, options: int, port: int) -> int:
    """Part of a table's place that a session's options, its port and its account give."""
    server, account_state = p.session_server[session], p.account_state[p.session_account[session]]
    authentication = account_state & ACCOUNT_AUTHENTICATION
    is_ldap = authentication == _OF_LDAP or (
        authentication == _OF_SERVER and p.server_state[p.server_first[server]] & SERVER_LDAP != 0
    )
    return (
        (options & _OPTIONS) << _OPTIONS_SHIFT
        | (int(account_state) >> ACCOUNT_SSLREQUIRED & 3) << _ACCOUNT_SHIFT
        | int(is_ldap) << _LDAP_SHIFT
        | int(port_differs(p, server, port)) << _PORT_SHIFT
        | int(p.server_tls12[server]) << _TLS12_SHIFT
    )


@allocation_free
def settled_constants(p: Program, session: int) -> int:
    """Part of a table's place that stays the same for a settled session."""
    options, port = int(p.session_options[session]), int(p.session_port[session])
    return constants_with(p, session, options, port)


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
    """Whether only levels and the server's certificate change a session's state, given trust."""
    return bool(
        p.client_state[p.session_client[session]] & CLIENT_IS_STEADY
        and p.account_state[p.session_account[session]] < ACCOUNT_IS_SHARED
        and p.server_is_steady[p.session_server[session]]
        and not p.session_options[session] & LOCAL_BIT
    )


@allocation_free
def is_held_by(p: Program, database: int, certificate: int, day: int) -> bool:
    """Whether a certificate enters a key database, which never loses one, on or before a day."""
    is_held = False
    for k in range(p.trust_first[database], p.trust_first[database + 1]):
        is_held |= (p.trust_certificate[k] == certificate) & (p.trust_day[k] <= day)
    return is_held


@allocation_free
def trusts_in_time(p: Program, session: int) -> bool:
    """Whether a settled session holds each anchor presented whenever that matters."""
    # Without SSL no certificate matters before both ends are new.
    needed = p.start if p.session_options[session] & _SSL else first_both_new(p, session)
    if needed >= p.end:
        return True
    server, database = p.session_server[session], p.session_key_database[session]
    row, last = p.server_first[server], p.server_first[server + 1] - 1
    if is_ever_emptied(p, database):
        return False
    if p.server_has_one_anchor[server]:
        is_held = is_held_by(p, database, p.server_anchor[row], needed)
        return bool(is_held and p.server_state[row] & SERVER_COMPLETE)
    while row <= last:
        is_over = row < last and p.server_day[row + 1] <= needed
        if not is_over and not (
            p.server_state[row] & SERVER_COMPLETE
            and is_held_by(p, database, p.server_anchor[row], max(needed, p.server_day[row]))
        ):
            return False
        row += 1
    return True


@allocation_free
def settled_room(p: Program, session: int) -> int:
    """Most segments that a settled session can have."""
    client, server = p.session_client[session], p.session_server[session]
    n_levels = p.level_first[client + 1] - p.level_first[client]
    return int(n_levels + p.server_first[server + 1] - p.server_first[server])


@allocation_free
def write_settled(
    p: Program,
    table: Codes,
    strictness: Strictness,
    session: int,
    size: int,
    day: Days,
    rule: Codes,
) -> int:
    """Write the segments of a settled session from row `size` on; return the row after them."""
    client, server = p.session_client[session], p.session_server[session]
    row, last_row = p.level_first[client], p.level_first[client + 1] - 1
    server_row, last_server_row = p.server_first[server], p.server_first[server + 1] - 1
    constants = settled_constants(p, session)
    now, previous, strict_from = p.start, _NO_RULE, NEVER
    if last_row == row + 1 and last_server_row == server_row + 1:
        # One change at each end, as most sessions have: the same as below, without a loop.
        old_client = constants | client_part(int(p.level_facts[row]))
        new_client = constants | client_part(int(p.level_facts[last_row]))
        old_server = part_of_server(p, server_row)
        new_server = part_of_server(p, last_server_row)
        level_day, state_day = p.level_day[last_row], p.server_day[last_server_row]
        client_then = new_client if level_day <= state_day else old_client
        server_then = new_server if state_day <= level_day else old_server
        before, between = table[old_client | old_server], table[client_then | server_then]
        after = table[new_client | new_server]
        begin, finish = min(level_day, state_day), max(level_day, state_day)
        day[size], rule[size] = now, before
        size += 1
        day[size], rule[size] = begin, between
        size += between != before
        day[size], rule[size] = finish, after
        size += after != between
        strict_from = finish if TURNS_STRICT[after] else NEVER
        strict_from = begin if TURNS_STRICT[between] else strict_from
        strict_from = now if TURNS_STRICT[before] else strict_from
        now = p.end
    while now < p.end:
        found = table[
            constants | client_part(int(p.level_facts[row])) | part_of_server(p, server_row)
        ]
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
