"""Compiled loops that lay events out by endpoint and by server, ascending by day."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from planner.domain.calendar import NEVER, Days
from planner.domain.certificates import CertificateKind
from planner.domain.fleet import Codes, Flags, Numbers
from planner.domain.levels import LevelFact
from planner.domain.options import LOCAL_BIT, SSL, SSLACCEPTCERTFROMSERV
from planner.domain.plan import Action
from planner.engine.compiled import compiled, natural

Facts = NDArray[np.uint16]

SERVER_LDAP = 1
SERVER_MD5 = 2
SERVER_VALID = 4
SERVER_COMPLETE = 8
"""Bits of a server's state on a day: default authentication, and the certificate it presents."""

CLIENT_IS_STEADY = 1
CLIENT_REFUSES = 2
CLIENT_ACCEPTS_LATER = 4
CLIENT_CHANGES_ONCE = 8
CLIENT_USES_SSL_LATER = 16
"""Bits of a client: always installed, never back from new to old, and COMMMETHOD stays;
SSLACCEPTCERTFROMSERV is No in every stanza while it is new; that option is Yes in some stanza from
some day on; the level changes at most once, and of the options only that one; SSL is Yes in some
stanza from some day on."""

PORT = 0xFFFF
"""Mask of an option change that is the port's."""

_ACCEPTS, _SSL = SSLACCEPTCERTFROMSERV.mask, SSL.mask
_INSTALLED = int(LevelFact.INSTALLED)
_NEW = int(LevelFact.NEW)
_REPLACES_MD5 = int(LevelFact.REPLACES_MD5)
_UPGRADE_CLIENT = int(Action.UPGRADE_CLIENT)
_RETIRE_CLIENT = int(Action.RETIRE_CLIENT)
_LEAF = int(CertificateKind.LEAF)
_INTERMEDIATE = int(CertificateKind.INTERMEDIATE)


@compiled
def group_rows(group: Numbers, n_groups: int) -> tuple[Numbers, Numbers]:
    """Sort row numbers by group, stable: `first` of shape `(n_groups + 1,)`, and the rows."""
    first = np.zeros(n_groups + 1, dtype=np.int32)
    for g in group:
        first[g + 1] += 1
    for g in range(n_groups):
        first[g + 1] += first[g]
    place = first[:-1].copy()
    rows = np.empty(len(group), dtype=np.int32)
    for row in range(len(group)):
        g = group[row]
        rows[place[g]] = row
        place[g] += 1
    return first, rows


@compiled
def rows_by_action(
    day: Days, action: Codes, start: int, end: int, n_actions: int
) -> tuple[Numbers, Numbers]:
    """Row numbers of the actions inside `[start, end)` by kind: `first`, and the rows."""
    first = np.zeros(n_actions + 1, dtype=np.int32)
    for row in range(len(day)):
        first[action[row] + 1] += start <= day[row] < end
    for a in range(n_actions):
        first[a + 1] += first[a]
    place = first[:-1].copy()
    rows = np.empty(first[n_actions], dtype=np.int32)
    for row in range(len(day)):
        if start <= day[row] < end:
            k = natural(place[action[row]])
            rows[k] = row
            place[action[row]] = k + 1
    return first, rows


@compiled
def rows_with(value: Numbers, is_wanted: Flags) -> Numbers:
    """Row numbers of the wanted values; of each value, `is_wanted` says whether it is."""
    rows = np.empty(len(value), dtype=np.int32)
    size = 0
    for row in range(len(value)):
        if is_wanted[natural(value[row])]:
            rows[size] = row
            size = natural(size + 1)
    return rows[:size].copy()


@compiled
def used_values(rows: Numbers, value: Numbers, n_values: int) -> Flags:
    """Whether some of the rows has a value; shape `(n_values,)`."""
    used = np.zeros(n_values, dtype=np.bool_)
    for row in rows:
        used[value[row]] = True
    return used


@compiled
def level_actions(
    n_endpoints: int,
    n_clients: int,
    of_client: Numbers,
    of_server: Numbers,
    client: Numbers,
    server: Numbers,
) -> tuple[Numbers, Numbers]:
    """Rows of the actions on levels by endpoint: `first`, and the rows in their order.

    `of_client` and `of_server` pick from the columns of actions; those on unknown endpoints have
    no effect.
    """
    first = np.zeros(n_endpoints + 1, dtype=np.int32)
    for number in of_client:
        row = natural(number)
        if 0 <= client[row] < n_clients:
            first[natural(client[row] + 1)] += 1
    for row in of_server:
        if 0 <= server[row] < n_endpoints - n_clients:
            first[n_clients + server[row] + 1] += 1
    for endpoint in range(n_endpoints):
        first[endpoint + 1] += first[endpoint]
    rows = np.empty(first[n_endpoints], dtype=np.int32)
    place = first[:-1].copy()
    for number in of_client:
        row = natural(number)
        if 0 <= client[row] < n_clients:
            k = natural(place[natural(client[row])])
            rows[k] = row
            place[natural(client[row])] = k + 1
    for row in of_server:
        if 0 <= server[row] < n_endpoints - n_clients:
            rows[place[n_clients + server[row]]] = row
            place[n_clients + server[row]] += 1
    return first, rows


@compiled
def level_timelines(
    start: int,
    facts_before: Facts,
    first_action: Numbers,
    action_row: Numbers,
    action_day: Days,
    action: Codes,
    value: Numbers,
    facts_of_value: Facts,
    with_causes: bool,
) -> tuple[Numbers, Days, Facts, Days, Numbers]:
    """Level of every endpoint over time: one row from `start`, one from each day of change.

    The actions of an endpoint are `action_row[first_action[e]:first_action[e + 1]]`, in the order
    in which they act. The fourth column returned is by endpoint, the first day on which it is new,
    `NEVER` where it never is; the last one, empty unless it is asked for, the action row that
    brought each level, -1 for the fleet's own.
    """
    n = len(facts_before)
    first = np.empty(n + 1, dtype=np.int32)
    first_new = np.full(n, NEVER, dtype=np.int32)
    day = np.empty(n + len(action_row), dtype=np.int32)
    facts = np.empty(len(day), dtype=np.uint16)
    cause = np.full(len(day) if with_causes else 0, -1, dtype=np.int32)
    size = 0
    for endpoint in range(n):
        first[endpoint] = size
        now = facts_before[endpoint]
        day[size], facts[size] = start, now
        for k in range(first_action[endpoint], first_action[endpoint + 1]):
            row = natural(action_row[natural(k)])
            if action[row] == _UPGRADE_CLIENT and not now & _INSTALLED:
                continue
            brought = facts_of_value[natural(value[row])]
            now = np.uint16(0) if action[row] == _RETIRE_CLIENT else brought
            size = natural(size + (action_day[row] > day[size]))
            day[size] = action_day[row]
            facts[size] = now
            if with_causes:
                cause[size] = row
        size = natural(size + 1)
        for k in range(first[endpoint], size):
            if facts[k] & _NEW:
                first_new[endpoint] = day[k]
                break
    first[n] = size
    return first, day[:size], facts[:size], first_new, cause[:size]


class OptionTimelines(NamedTuple):
    """Option changes by client endpoint, ascending by day.

    `row` is the plan's row where the change is for some sessions of the client only, else -1; a
    change sets the bits of `mask` to `bits`, or the port to `bits` where `mask` is `PORT`.
    """

    first: Numbers
    day: Days
    row: Numbers
    mask: Facts
    bits: Facts


@compiled
def used_pairs(
    rows: Numbers, option: Numbers, value: Numbers, n_options: int, n_values: int
) -> Flags:
    """Whether some of the rows gives an option a value; shape `(n_options, n_values)`."""
    used = np.zeros((n_options, n_values), dtype=np.bool_)
    for row in rows:
        if option[row] >= 0:
            used[option[row], value[row]] = True
    return used


@compiled
def option_timelines(
    n_endpoints: int,
    rows: Numbers,
    action_day: Days,
    client: Numbers,
    server: Numbers,
    account: Numbers,
    key_database: Numbers,
    option: Numbers,
    value: Numbers,
    code_of: Numbers,
    shift_of_option: Numbers,
    mask_of_option: Facts,
    tcpport: int,
) -> OptionTimelines:
    """Lay out option changes by client; those of unknown clients or options have no effect."""
    first = np.zeros(n_endpoints + 1, dtype=np.int32)
    for number in rows:
        row = natural(number)
        if 0 <= client[row] < n_endpoints and option[row] >= 0:
            first[natural(client[row] + 1)] += 1
    for endpoint in range(n_endpoints):
        first[endpoint + 1] += first[endpoint]
    place = first[:-1].copy()
    n = first[n_endpoints]
    day = np.empty(n, dtype=np.int32)
    own_row = np.empty(n, dtype=np.int32)
    mask = np.empty(n, dtype=np.uint16)
    bits = np.empty(n, dtype=np.uint16)
    for number in rows:
        row = natural(number)
        if 0 <= client[row] < n_endpoints and option[row] >= 0:
            k = natural(place[natural(client[row])])
            place[natural(client[row])] = k + 1
            chosen = natural(option[row])
            code = code_of[chosen, natural(value[row])]
            is_for_all = server[row] < 0 and account[row] < 0 and key_database[row] < 0
            day[k], own_row[k] = action_day[row], -1 if is_for_all else row
            packed = code << shift_of_option[chosen] & mask_of_option[chosen]
            mask[k] = PORT if chosen == tcpport else mask_of_option[chosen]
            bits[k] = code if chosen == tcpport else packed
    return OptionTimelines(first, day, own_row, mask, bits)


@compiled
def client_states(
    level_first: Numbers,
    level_facts: Facts,
    first_new: Days,
    option_first: Numbers,
    option_day: Days,
    option_row: Numbers,
    option_mask: Facts,
    option_bits: Facts,
) -> Codes:
    """`CLIENT_*` bits of every endpoint."""
    n = len(level_first) - 1
    result = np.empty(n, dtype=np.uint8)
    for client in range(n):
        is_steady, refuses, accepts_later = True, False, False
        uses_ssl_later = False
        changes_once = level_first[client + 1] - level_first[client] <= 2
        was_new = 0
        for row in range(level_first[client], level_first[client + 1]):
            k = natural(row)
            is_new = level_facts[k] & _NEW
            is_steady &= level_facts[k] & _INSTALLED != 0 and is_new >= was_new
            was_new = is_new
        for row in range(option_first[client], option_first[client + 1]):
            k = natural(row)
            if option_mask[k] == PORT:
                changes_once = False
                continue
            is_steady &= option_mask[k] & LOCAL_BIT == 0
            changes_once &= option_mask[k] | _ACCEPTS == _ACCEPTS
            uses_ssl_later |= option_bits[k] & _SSL != 0
            if option_bits[k] & _ACCEPTS:
                accepts_later = True
            elif option_mask[k] & _ACCEPTS and option_row[k] < 0:
                refuses |= option_day[k] <= first_new[client]
        state = CLIENT_IS_STEADY if is_steady else 0
        state |= CLIENT_CHANGES_ONCE if changes_once else 0
        state |= CLIENT_USES_SSL_LATER if uses_ssl_later else 0
        state |= CLIENT_REFUSES if refuses and not accepts_later else 0
        result[client] = state | (CLIENT_ACCEPTS_LATER if accepts_later else 0)
    return result


@compiled
def chains(
    kind: Codes, issuer: Numbers, not_before: Days, not_after: Days
) -> tuple[Numbers, Flags, Days, Days]:
    """Anchor of every certificate, whether holding it is trust, and validity of the whole chain."""
    n = len(kind)
    anchor = np.empty(n, dtype=np.int32)
    is_complete = np.empty(n, dtype=np.bool_)
    valid_from = np.empty(n, dtype=np.int32)
    valid_to = np.empty(n, dtype=np.int32)
    for certificate in range(n):
        at = certificate
        begin, finish = not_before[at], not_after[at]
        for _ in range(n):
            if kind[at] not in (_LEAF, _INTERMEDIATE) or issuer[at] < 0:
                break
            at = issuer[at]
            begin, finish = max(begin, not_before[at]), min(finish, not_after[at])
        anchor[certificate] = at
        is_complete[certificate] = kind[at] not in (_LEAF, _INTERMEDIATE)
        valid_from[certificate], valid_to[certificate] = begin, finish
    return anchor, is_complete, valid_from, valid_to


class ServerInputs(NamedTuple):
    """What servers present and do over time, their levels aside.

    `ldap`, `certificate` and `successor` are by server: the default authentication and the
    certificate presented on the first day, and what the MD5 rule puts in the place of an MD5 one.
    The changes of server `v` are `change_row[change_first[v]:change_first[v + 1]]`; one presents
    `change_certificate` where that is not negative, else it sets the default authentication to
    `change_ldap`. All others are by certificate: facts of its whole chain, the server that it is
    recorded for, its kind and its issuer.
    """

    ldap: Flags
    certificate: Numbers
    successor: Numbers
    change_first: Numbers
    change_row: Numbers
    change_day: Days
    change_certificate: Numbers
    change_ldap: Codes
    is_md5: Flags
    is_complete: Flags
    valid_from: Days
    valid_to: Days
    anchor: Numbers
    recorded_server: Numbers
    kind: Codes
    issuer: Numbers


@compiled
def server_timelines(
    s: ServerInputs,
    start: int,
    end: int,
    level_first: Numbers,
    level_day: Days,
    level_facts: Facts,
) -> tuple[Numbers, Days, Facts, Codes, Numbers]:
    """Level, default authentication and presented certificate of every server over time.

    `level_first` counts servers, not endpoints. The MD5 rule of `semantics.md` section 3 follows
    the changes of each day.
    """
    n = len(s.ldap)
    # Each level, each change, and both ends of each validity can begin a row.
    size = level_first[n] - level_first[0] + 3 * (n + len(s.change_row)) + 3 * n
    first = np.empty(n + 1, dtype=np.int32)
    day = np.empty(size, dtype=np.int32)
    facts = np.empty(size, dtype=np.uint16)
    state = np.empty(size, dtype=np.uint8)
    certificate = np.empty(size, dtype=np.int32)
    size = 0
    for server in range(n):
        first[server] = size
        now, presented, is_ldap = start, s.certificate[server], s.ldap[server]
        level, last_level = level_first[server], level_first[server + 1]
        change, last_change = s.change_first[server], s.change_first[server + 1]
        while now < end:
            while level + 1 < last_level and level_day[level + 1] <= now:
                level += 1
            while change < last_change and s.change_day[s.change_row[change]] <= now:
                row = s.change_row[change]
                if s.change_certificate[row] >= 0:
                    presented = s.change_certificate[row]
                else:
                    is_ldap = s.change_ldap[row] == 1
                change += 1
            if level_facts[level] & _REPLACES_MD5 and s.is_md5[presented]:
                presented = s.successor[server]
            begin, finish = s.valid_from[presented], s.valid_to[presented]
            bits = SERVER_LDAP if is_ldap else 0
            bits |= SERVER_MD5 if s.is_md5[presented] else 0
            bits |= SERVER_VALID if begin <= now < finish else 0
            bits |= SERVER_COMPLETE if s.is_complete[presented] else 0
            day[size], facts[size], state[size] = now, level_facts[level], bits
            certificate[size] = presented
            size += 1
            until = end
            if level + 1 < last_level:
                until = min(until, level_day[level + 1])
            if change < last_change:
                until = min(until, s.change_day[s.change_row[change]])
            if begin > now:
                until = min(until, begin)
            if finish > now:
                until = min(until, finish)
            now = until
    first[n] = size
    return first, day[:size], facts[:size], state[:size], certificate[:size]


@compiled
def known_certificates(
    s: ServerInputs, presented_first: Numbers, presented: Numbers
) -> tuple[Numbers, Numbers]:
    """Certificates of each server: all presented and all recorded, each with its whole chain."""
    n = len(presented_first) - 1
    recorded_first = np.zeros(n + 1, dtype=np.int32)
    for server in s.recorded_server:
        if server >= 0:
            recorded_first[server + 1] += 1
    for server in range(n):
        recorded_first[server + 1] += recorded_first[server]
    recorded = np.empty(recorded_first[n], dtype=np.int32)
    place = recorded_first[:-1].copy()
    for certificate in range(len(s.recorded_server)):
        server = s.recorded_server[certificate]
        if server >= 0:
            recorded[place[server]] = certificate
            place[server] += 1
    first = np.empty(n + 1, dtype=np.int32)
    known = np.empty(max(16, 4 * n), dtype=np.int32)
    size = 0
    for server in range(n):
        first[server] = size
        n_presented = presented_first[server + 1] - presented_first[server]
        n_recorded = recorded_first[server + 1] - recorded_first[server]
        for k in range(n_presented + n_recorded):
            if k < n_presented:
                at = presented[presented_first[server] + k]
            else:
                at = recorded[recorded_first[server] + k - n_presented]
            while at >= 0:
                is_listed = False
                for other in range(first[server], size):
                    is_listed = is_listed or known[other] == at
                if is_listed:
                    break
                if size == len(known):
                    larger = np.empty(2 * size, dtype=np.int32)
                    larger[:size] = known
                    known = larger
                known[size] = at
                size += 1
                at = s.issuer[at] if s.kind[at] in (_LEAF, _INTERMEDIATE) else -1
    first[n] = size
    return first, known[:size]


@compiled
def has_one(values: Numbers, first: Numbers) -> Flags:
    """Whether all values of each group are the same; no group is empty."""
    result = np.ones(len(first) - 1, dtype=np.bool_)
    for group in range(len(first) - 1):
        for k in range(first[group] + 1, first[group + 1]):
            result[group] &= values[k] == values[first[group]]
    return result
