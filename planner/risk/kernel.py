"""The compiled loop over runs: each is the engine's own walk over a part of the fleet.

numba's cache notices a change of the file that defines a function, but not of functions that it
takes from other files: so what is compiled for slips stands here, and the engine's in a cache of
its own.
"""

from typing import NamedTuple

import numpy as np

from planner.domain.calendar import ALWAYS, NEVER, Days
from planner.domain.fleet import Codes, Numbers
from planner.domain.rules import Mode
from planner.engine import needs, walks
from planner.engine.compiled import allocation_free, compiled
from planner.engine.kernel import MODE_OF_RULE, nothing_distributed
from planner.engine.program import Program
from planner.engine.retiming import retimed
from planner.risk.model import (
    GUIDE_BITS,
    IS_REFUSED,
    NEEDS,
    TURNS,
    YIELDS_TO_STRICT,
    Block,
    Counts,
    Dated,
    Ends,
    Outcome,
    Plain,
    Rest,
    Rows,
    Slipping,
)

_BITS = 48
_MASK = 2**_BITS - 1
_FACTORS = (0x9E3779B97F4B, 0xB58476D1CE4F, 0x94D049BB1335)
"""Odd factors of 48 bits: their products fit what both compiled and plain integers keep."""
_REFUSED = int(Mode.REFUSED)


@compiled
def mixed(value: int) -> int:
    """Mix 48 bits; the low bits of a product are the same for wrapped and for long integers."""
    value = (value ^ value >> 23) * _FACTORS[0] & _MASK
    value = (value ^ value >> 26) * _FACTORS[1] & _MASK
    return int((value ^ value >> 23) * _FACTORS[2] & _MASK ^ value >> 25)


@compiled
def mixed_columns(values: Counts) -> Counts:
    """`mixed` of each value."""
    result = np.empty(len(values), dtype=np.int64)
    for k in range(len(values)):
        result[k] = mixed(int(values[k]))
    return result


@compiled
def delay_of(s: Slipping, k: int, mixed_run: int) -> int:
    """Delay of a slipping action in a run [working days]; the run's number is mixed already."""
    drawn = mixed(int(s.identity[k]) ^ mixed_run)
    share, table = drawn * 2.0**-_BITS, s.table[k]
    place = s.guide[table, drawn >> _BITS - GUIDE_BITS]
    while s.step[place] <= share:
        place += 1
    return int(place - s.step_first[table])


@compiled
def landing(s: Slipping, k: int, delay: int) -> int:
    """Day of a slipping action after a delay: so many working days later, then the next allowed.

    Without delay it stays on its day, whatever that is; `NEVER` for beyond every calendar.
    """
    if delay == 0:
        return int(s.day[k])
    place = s.n_working[s.day[k] - s.first_day] + delay - 1
    if place >= len(s.working):
        return NEVER
    return int(s.allowed[s.window[k], s.working[place] - s.first_day])


@compiled
def delays(s: Slipping, run: int) -> tuple[Numbers, Days]:
    """Delay of every slipping action in a run, and its day."""
    delay = np.empty(len(s.day), dtype=np.int32)
    day = np.empty(len(s.day), dtype=np.int32)
    mixed_run = mixed(run + 1)
    for k in range(len(s.day)):
        delay[k] = delay_of(s, k, mixed_run)
        day[k] = landing(s, k, delay[k])
    return delay, day


@compiled
def _days(base: Days, slipping: Numbers, day: Days, end: int) -> Days:
    """Days of a run: as planned for what does not slip, `NEVER` from the horizon's end on."""
    result = base.copy()
    for k in range(len(base)):
        if slipping[k] >= 0:
            found = day[slipping[k]]
            result[k] = found if found < end else NEVER
    return result


@compiled
def _insert(highest: Numbers, value: int) -> None:
    """Keep the highest values, descending, of which the last one is below the new one."""
    place = len(highest) - 1
    while place > 0 and highest[place - 1] < value:
        highest[place] = highest[place - 1]
        place -= 1
    highest[place] = value


class Run(NamedTuple):
    """What is known and gathered in one run of a block.

    Parameters
    ----------
    client_day, server_day
        Day of each endpoint's change, the horizon's end for none.
    enters, needed
        By row: when its anchor enters the key database, and when it is needed.
    walked
        By plain session: the refused days that the engine's walk found, -1 where it was not asked.
    extra, server_days
        By client and by server: refused days more than planned.
    """

    client_day: Days
    server_day: Days
    enters: Days
    needed: Days
    walked: Numbers
    extra: Counts
    server_days: Counts


@allocation_free
def _cut(
    plain: Plain, ends: Ends, run: Run, session: int, k: int
) -> tuple[int, int, int, int, int, int, int, int, int, int]:
    """Cut a piece at the changes of both ends, into three stretches, some of which may be empty.

    Returns the four days, then the flags of the three states, then the rows of their anchors.
    """
    clients, servers, flags = ends.clients, ends.servers, ends.flags
    client, server = plain.client[session], plain.server[session]
    client_day, server_day = run.client_day[client], run.server_day[server]
    start, end, constants = plain.begin[k], plain.end[k], plain.constants[k]
    begin = min(max(min(client_day, server_day), start), end)
    finish = min(max(client_day, server_day, start), end)
    is_client_new, is_server_new = client_day <= server_day, server_day <= client_day
    old = clients.old[client] | servers.old[server] | plain.certificate_old[k]
    new = clients.new[client] | servers.new[server] | plain.certificate_new[k]
    then = clients.new[client] if is_client_new else clients.old[client]
    then |= servers.new[server] if is_server_new else servers.old[server]
    then |= plain.certificate_new[k] if is_server_new else plain.certificate_old[k]
    row_old, row_new = plain.row_old[k], plain.row_new[k]
    row_then = row_new if is_server_new else row_old
    first, last = int(flags[constants | old]), int(flags[constants | new])
    between = int(flags[constants | then])
    return start, begin, finish, end, first, between, last, row_old, row_then, row_new


@allocation_free
def _refused_in(flags: int, begin: int, end: int, entered: int, strict: int) -> int:
    """Refused days in a stretch of one state: until the anchor enters, from strictness on."""
    works_from = max(begin, entered) if flags & NEEDS else begin
    works_until = min(end, strict) if flags & YIELDS_TO_STRICT else end
    works_until = begin if flags & IS_REFUSED else works_until
    return end - begin - max(0, works_until - works_from)


@allocation_free
def _needed_in(flags: int, begin: int, end: int, strict: int) -> int:
    """First day of a stretch that needs the anchor, where every session trusts; else `NEVER`."""
    until = min(end, strict) if flags & YIELDS_TO_STRICT else end
    return begin if flags & NEEDS and begin < until else NEVER


@allocation_free
def _turns_in(flags: int, begin: int, end: int, entered: int) -> int:
    """First day of a stretch on which its account turns strict; else `NEVER`."""
    first = max(begin, entered)
    return first if flags & TURNS and first < end else NEVER


@compiled
def _turn_strict(plain: Plain, ends: Ends, run: Run, found: Days) -> tuple[Days, Days]:
    """Day on which each shared account turns strict; and where every session trusts everything.

    `found` holds what the engine's walk has found by account, `ALWAYS` where it was not asked.
    """
    enters = run.enters
    strict = np.full(len(found), NEVER, dtype=np.int32)
    trusting = np.full(len(found), NEVER, dtype=np.int32)
    for session in range(len(plain.account)):
        account = plain.account[session]
        for k in range(plain.piece_first[session], plain.piece_first[session + 1]):
            start, begin, finish, end, first, then, last, row_old, row_then, row_new = _cut(
                plain, ends, run, session, k
            )
            strict[account] = min(
                strict[account],
                _turns_in(first, start, begin, enters[row_old]),
                _turns_in(then, begin, finish, enters[row_then]),
                _turns_in(last, finish, end, enters[row_new]),
            )
            trusting[account] = min(
                trusting[account],
                _turns_in(first, start, begin, ALWAYS),
                _turns_in(then, begin, finish, ALWAYS),
                _turns_in(last, finish, end, ALWAYS),
            )
    for account in range(len(found)):
        if found[account] != ALWAYS:
            strict[account] = found[account]
    return strict, trusting


@compiled
def _live_plainly(plain: Plain, ends: Ends, run: Run, found: Days) -> int:
    """Find what becomes of the plain sessions in a run; returns their refused days.

    The states are those of `write_settled`, from the same table.
    """
    enters, needed = run.enters, run.needed
    strict, trusting = _turn_strict(plain, ends, run, found)
    refused_days = 0
    for session in range(len(plain.client)):
        turns = trusting_turns = NEVER
        if session < len(plain.account):
            turns, trusting_turns = (
                strict[plain.account[session]],
                trusting[plain.account[session]],
            )
        days = 0
        for k in range(plain.piece_first[session], plain.piece_first[session + 1]):
            start, begin, finish, end, first, then, last, row_old, row_then, row_new = _cut(
                plain, ends, run, session, k
            )
            days += _refused_in(first, start, begin, enters[row_old], turns)
            days += _refused_in(then, begin, finish, enters[row_then], turns)
            days += _refused_in(last, finish, end, enters[row_new], turns)
            need = _needed_in(first, start, begin, trusting_turns)
            needed[row_old] = min(needed[row_old], need)
            need = _needed_in(then, begin, finish, trusting_turns)
            needed[row_then] = min(needed[row_then], need)
            need = _needed_in(last, finish, end, trusting_turns)
            needed[row_new] = min(needed[row_new], need)
        if run.walked[session] >= 0:
            days = run.walked[session]
        refused_days += days
        more = days - plain.refused_before[session]
        if more > 0:
            run.extra[plain.client[session]] += more
            run.server_days[plain.server[session]] += more
    return refused_days


@compiled
def _at_days(rest: Rest, day: Days) -> Program:
    """Program of a part of the fleet on the days of a run."""
    end = rest.retimable.program.end
    return retimed(
        rest.retimable,
        _days(rest.level_day, rest.level_slipping, day, end),
        _days(rest.retimable.program.trust_day, rest.trust_slipping, day, end),
    )


@compiled
def _walk_receiving(rest: Rest, run: Run, day: Days, found: Days) -> None:
    """Let the engine find what automatic distribution does to plain sessions in a run.

    Writes into `found` when their shared accounts turn strict.
    """
    now = _at_days(rest, day)
    strictness, sent = walks.couple(now, rest.sharing, rest.session_first, rest.session)
    for place in range(len(sent.database)):
        if sent.head[place] >= 0:
            database = sent.database[place]
            for k in range(rest.session_first[database], rest.session_first[database + 1]):
                session = rest.session[k]
                days = walks.refused_days_of(now, strictness, sent, session)
                run.walked[rest.plain[session]] = days
    for account in range(len(rest.account)):
        if rest.account[account] >= 0:
            found[rest.account[account]] = strictness.from_day[account]


@compiled
def _days_new(dated: Dated, day: Days, end: int) -> Days:
    """Day of each endpoint's change in a run; the end of the horizon for none."""
    result = _days(dated.day, dated.slipping, day, end)
    for k in range(len(result)):
        result[k] = min(result[k], end)
    return result


@compiled
def _entries(rows: Rows, day: Days, end: int) -> Days:
    """First day on which each row's anchor is in its key database, if nothing is ever removed."""
    entry_day = _days(rows.entry_day, rows.entry_slipping, day, end)
    result = np.full(len(rows.anchor), NEVER, dtype=np.int32)
    for row in range(len(result)):
        for k in range(rows.entry_first[row], rows.entry_first[row + 1]):
            result[row] = min(result[row], entry_day[k])
    return result


class _Room(NamedTuple):
    """Arrays that are written anew in every run."""

    first: Numbers
    segment_day: Days
    segment_rule: Codes
    needed_by: Days
    needed_first: Numbers
    anchor: Numbers
    needed: Days


@compiled
def _room_for(rest: Rest) -> _Room:
    n_sessions, n_rows = len(rest.refused_before), 0
    for database in range(len(rest.row_begin)):
        n_rows += rest.row_end[database] - rest.row_begin[database]
    return _Room(
        np.zeros(n_sessions + 1, dtype=np.int32),
        np.empty(3 * n_sessions + 16, dtype=np.int32),
        np.empty(3 * n_sessions + 16, dtype=np.uint8),
        np.empty(n_sessions, dtype=np.int32),
        np.zeros(len(rest.session_first), dtype=np.int32),
        np.empty(n_rows + 16, dtype=np.int32),
        np.empty(n_rows + 16, dtype=np.int32),
    )


@compiled
def _walk_rest(rest: Rest, rows: Rows, run: Run, day: Days, room: _Room) -> tuple[_Room, int]:
    """Let the engine walk the other sessions in a run; returns their refused days.

    And the room, which may have grown.
    """
    p = rest.retimable.program
    n_sessions, n_databases = len(rest.refused_before), len(rest.row_begin)
    now, refused_days = _at_days(rest, day), 0
    first, segment_day, segment_rule = room.first, room.segment_day, room.segment_rule
    strictness, sent = walks.couple(now, rest.sharing, rest.session_first, rest.session)
    written = 0
    while True:
        written = walks.write_states(
            now,
            rest.settled_table,
            strictness,
            sent,
            written,
            first,
            segment_day,
            segment_rule,
            room.needed_by,
        )
        if written == n_sessions:
            break
        segment_day = np.concatenate((segment_day, np.empty_like(segment_day)))
        segment_rule = np.concatenate((segment_rule, np.empty_like(segment_rule)))
    for session in range(n_sessions):
        days = 0
        for k in range(first[session], first[session + 1]):
            if MODE_OF_RULE[segment_rule[k]] == _REFUSED:
                until = segment_day[k + 1] if k + 1 < first[session + 1] else p.end
                days += until - segment_day[k]
        refused_days += days
        more = days - rest.refused_before[session]
        if more > 0:
            client = p.session_client[session]
            run.server_days[p.session_server[session]] += more
            if client < p.n_clients:
                run.extra[rest.client[client]] += more
            else:
                run.server_days[client - p.n_clients] += more
    trusting, nothing = walks.initial_strictness(now), nothing_distributed()
    unused = np.zeros(n_databases, dtype=np.bool_)
    walks.find_strict(now, trusting, nothing, rest.sharing, True, unused)
    anchor, needed_there = room.anchor, room.needed
    written = 0
    while True:
        written = needs.find_needed(
            now,
            trusting,
            nothing,
            room.needed_by,
            rest.session_first,
            rest.session,
            written,
            room.needed_first,
            anchor,
            needed_there,
        )
        if written == n_databases:
            break
        anchor = np.concatenate((anchor, np.empty_like(anchor)))
        needed_there = np.concatenate((needed_there, np.empty_like(needed_there)))
    for database in range(n_databases):
        end_of_rows = rest.row_end[database]
        for k in range(room.needed_first[database], room.needed_first[database + 1]):
            row = needs.row_of(rest.row_begin[database], end_of_rows, rows.anchor, anchor[k])
            if row < end_of_rows:
                run.needed[row] = min(run.needed[row], needed_there[k])
                if rows.is_emptied[row]:
                    is_complete = rest.retimable.servers.is_complete[anchor[k]]
                    run.enters[row] = needs.planned_on(
                        now, database, anchor[k], is_complete, needed_there[k]
                    )
    grown = _Room(
        first, segment_day, segment_rule, room.needed_by, room.needed_first, anchor, needed_there
    )
    return grown, refused_days


@compiled
def replay(block: Block, n_runs: int, n_kept: int) -> Outcome:
    """Simulate a block in runs `[0, n_runs)`, each as the engine simulates any plan.

    The lead of a row is the `n_kept`-th highest of all runs.
    """
    s, rows, end = block.slipping, block.rows, block.end
    n_rows, n_slipping = len(rows.anchor), len(s.day)
    refused_days = np.zeros(n_runs, dtype=np.int64)
    finish = np.full(n_runs, ALWAYS, dtype=np.int32)
    server_days = np.zeros((n_runs, len(block.servers.day)), dtype=np.int64)
    highest = np.zeros((n_rows, n_kept), dtype=np.int32)
    slipped = np.zeros(n_slipping, dtype=np.int64)
    refusing = np.zeros(n_slipping, dtype=np.int64)
    extra_days = np.zeros(n_slipping, dtype=np.int64)
    extra = np.zeros(len(block.clients.day) + 1, dtype=np.int64)
    needed = np.empty(n_rows, dtype=np.int32)
    walked = np.full(len(block.plain.client), -1, dtype=np.int32)
    n_accounts = block.plain.account.max() + 1 if len(block.plain.account) else 0
    found = np.full(n_accounts, ALWAYS, dtype=np.int32)
    room, ends = _room_for(block.rest), Ends(block.clients, block.servers, block.flags)
    for run in range(n_runs):
        delay, day = delays(s, run)
        extra[:] = 0
        needed[:] = NEVER
        now = Run(
            _days_new(block.clients, day, end),
            _days_new(block.servers, day, end),
            _entries(rows, day, end),
            needed,
            walked,
            extra,
            server_days[run],
        )
        if len(block.receiving.plain):
            walked[:] = -1
            found[:] = ALWAYS
            _walk_receiving(block.receiving, now, day, found)
        refused_days[run] = _live_plainly(block.plain, ends, now, found)
        if len(block.rest.refused_before):
            room, days = _walk_rest(block.rest, rows, now, day, room)
            refused_days[run] += days
        for k in range(n_slipping):
            finish[run] = max(finish[run], day[k] if s.is_upgrade[k] else ALWAYS)
            # Without a branch, as half of the actions slip: the last place stands for no client.
            has_slipped, more = delay[k] > 0, extra[block.slipping_client[k]]
            slipped[k] += has_slipped
            refusing[k] += has_slipped & (more > 0)
            extra_days[k] += has_slipped * more
        for row in range(n_rows):
            if rows.has_lead[row] and needed[row] != NEVER:
                entered, need = min(now.enters[row], end), min(needed[row], end)
                shortfall = rows.working_before[entered - block.start] + rows.margin[row]
                shortfall -= rows.working_before[need - block.start]
                if shortfall > highest[row, n_kept - 1]:
                    _insert(highest[row], shortfall)
    leads = highest[:, n_kept - 1].copy()
    return Outcome(refused_days, finish, server_days, leads, slipped, refusing, extra_days)
