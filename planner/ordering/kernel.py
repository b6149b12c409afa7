"""Compiled loops over a model: placing blocks one by one, and moving them about.

numba's cache notices a change of the file that defines a function, but not of functions that it
takes from other files: so everything compiled for the search stands here.
"""

import math

import numpy as np
from numpy.typing import NDArray

from planner.engine.compiled import compiled
from planner.ordering.model import Ints, Longs, Model

_UNPLACED = -1
_FAR = 2**30
_NO_WAY = 2**61
_MULTIPLIER, _STEP, _MASK = 25214903917, 11, 2**48 - 1
"""Java's linear congruential generator: the same numbers compiled and as plain Python."""
_FREE_MOVES = 8
"""One move in so many goes to any week; the others trade places with a block that is near."""


@compiled
def needed(m: Model, day: Ints, job: int) -> int:
    """Day on which a job is needed; -1 while that is not decided."""
    client = m.job_client[job]
    need = m.job_release[job]
    if client >= 0:
        if day[client] == _UNPLACED:
            return -1
        need = max(need, day[client])
    first = _FAR
    for k in range(m.job_first[job], m.job_first[job + 1]):
        server = m.job_server[k]
        if server < 0:
            first = 0
        elif day[server] != _UNPLACED:
            first = min(first, day[server])
    return -1 if first == _FAR else int(max(need, first))


@compiled
def put(m: Model, day: Ints, due: Longs, block: int, to: int) -> bool:
    """Put a block on a day and count its imports by week due; whether each has its lead."""
    for k in range(m.use_first[block], m.use_first[block + 1]):
        need = needed(m, day, m.use_job[k])
        if need >= 0:
            due[max(0, m.due_week[need])] -= 1
    day[block] = to
    has_lead = True
    for k in range(m.use_first[block], m.use_first[block + 1]):
        job = m.use_job[k]
        need = needed(m, day, job)
        if need >= 0:
            has_lead = has_lead and m.due_week[need] >= 0 and need >= m.job_earliest[job]
            due[max(0, m.due_week[need])] += 1
    return has_lead


@compiled
def imports_fit(m: Model, due: Longs) -> bool:
    """Whether every import can be made in time."""
    total = 0
    for week in range(len(due)):
        total += due[week]
        if total > m.import_room[week]:
            return False
    return True


@compiled
def first_day(m: Model, day: Ints, block: int, earliest: int, until: int) -> int:
    """First day in `[earliest, until)` on which a block may go by its rules; -1 for none."""
    latest = until - 1
    for k in range(m.rule_first[block], m.rule_first[block + 1]):
        other = day[m.rule_other[k]]
        if other != _UNPLACED:
            earliest = max(earliest, other + m.rule_gap[k])
    for k in range(m.limit_first[block], m.limit_first[block + 1]):
        other = day[m.limit_other[k]]
        if other != _UNPLACED:
            latest = min(latest, other - m.limit_gap[k])
    low, high = m.choice_first[block], m.choice_first[block + 1]
    end = high
    while low < high:
        middle = (low + high) // 2
        if m.choice_day[middle] < earliest:
            low = middle + 1
        else:
            high = middle
    if low < end and m.choice_day[low] <= latest:
        return int(m.choice_day[low])
    return -1


@compiled
def first_unlike(week: Ints, day: int) -> int:
    """First day after a day whose week is another one."""
    after = day + 1
    while after < len(week) and week[after] == week[day]:
        after += 1
    return after


@compiled
def place(
    m: Model, order: Ints, not_before: Ints, after_first: Ints, after_other: Ints, day: Ints
) -> int:
    """Place blocks in an order, each on its earliest feasible day; the first that fails, else -1.

    A block that fails is passed over. Blocks that have a day already stay. `after_*` are further
    rules: block `b` not before those in `after_other[after_first[b]:after_first[b + 1]]`.
    """
    n_weeks, n_days = len(m.client_room), len(m.week_of_day)
    clients = np.zeros(n_weeks, dtype=np.int64)
    servers = np.zeros(n_weeks, dtype=np.int64)
    due = np.zeros(n_weeks, dtype=np.int64)
    for block in range(len(day)):
        if day[block] != _UNPLACED:
            clients[m.week_of_day[day[block]]] += m.n_clients[block]
            servers[m.week_of_day[day[block]]] += m.n_servers[block]
    for job in range(len(m.job_client)):
        need = needed(m, day, job)
        if need >= 0:
            due[max(0, m.due_week[need])] += 1
    failed = -1
    for block in order:
        if day[block] != _UNPLACED:
            continue
        earliest = not_before[block]
        for k in range(after_first[block], after_first[block + 1]):
            earliest = max(earliest, day[after_other[k]])
        while True:
            to = first_day(m, day, block, earliest, n_days)
            if to < 0:
                failed = block if failed < 0 else failed
                break
            week = m.week_of_day[to]
            if (
                clients[week] + m.n_clients[block] > m.client_room[week]
                or servers[week] + m.n_servers[block] > m.server_room[week]
            ):
                earliest = first_unlike(m.week_of_day, to)
                continue
            has_lead = put(m, day, due, block, to)
            if has_lead and imports_fit(m, due):
                clients[week] += m.n_clients[block]
                servers[week] += m.n_servers[block]
                break
            put(m, day, due, block, _UNPLACED)
            earliest = first_unlike(m.due_week, to) if has_lead else to + 1
    return int(failed)


@compiled
def cost_of(m: Model, day: Ints, block: int, on: int) -> int:
    """Cost of one block and its links, were it on a day."""
    cost = m.own_weight[block] * on + m.moved_weight[block] * abs(on - m.drafted_day[block])
    for k in range(m.link_first[block], m.link_first[block + 1]):
        cost += m.link_weight[k] * max(on, day[m.link_other[k]])
    return int(cost)


@compiled
def finish_of(m: Model, counts: Ints, last: int) -> int:
    """Return the last day with a block, looking down from a day."""
    while last > 0 and counts[last] == 0:
        last -= 1
    return last


@compiled
def peak_of(open_weeks: Longs, due: Longs) -> int:
    """Least weekly capacity with which every import is made in time."""
    peak, total = 0, 0
    for week in range(len(due)):
        total += due[week]
        if open_weeks[week] > 0:
            peak = max(peak, -(-total // open_weeks[week]))
    return peak


@compiled
def anneal(
    m: Model,
    day: Ints,
    ranked: Ints,
    rank: Ints,
    group_first: Ints,
    n_moves: int,
    temperature: float,
    reach: int,
    extras: NDArray[np.float64],
    open_weeks: Longs,
    seed: int,
) -> int:
    """Move blocks about, always feasible, and accept worse orders by temperature.

    Parameters
    ----------
    ranked, rank, group_first
        Blocks of each kind in the order of their days, the place of each, and where kinds begin.
    reach
        How far away in that order a block finds one to trade places with.
    extras
        Cost of a day until the last block, and of an import in the fullest week.

    Returns
    -------
    The state of the random numbers, to go on with.
    """
    n_weeks, n_days = len(m.client_room), len(m.week_of_day)
    clients = np.zeros(n_weeks, dtype=np.int64)
    servers = np.zeros(n_weeks, dtype=np.int64)
    due = np.zeros(n_weeks, dtype=np.int64)
    on_day = np.zeros(n_days, dtype=np.int32)
    monday = np.zeros(n_weeks + 1, dtype=np.int32)
    for d in range(n_days):
        monday[m.week_of_day[d] + 1] = d + 1
    for block in range(len(day)):
        clients[m.week_of_day[day[block]]] += m.n_clients[block]
        servers[m.week_of_day[day[block]]] += m.n_servers[block]
        on_day[day[block]] += 1
    for job in range(len(m.job_client)):
        due[max(0, m.due_week[needed(m, day, job)])] += 1
    has_extras = extras[0] > 0 or extras[1] > 0
    finish = finish_of(m, on_day, n_days - 1)
    peak = peak_of(open_weeks, due)
    state = seed
    n = len(ranked)
    for _ in range(n_moves):
        state = (state * _MULTIPLIER + _STEP) & _MASK
        place_b = (state >> 17) % n
        b = ranked[place_b]
        group = 0
        while group_first[group + 1] <= place_b:
            group += 1
        first, size = group_first[group], group_first[group + 1] - group_first[group]
        state = (state * _MULTIPLIER + _STEP) & _MASK
        draw = state >> 17
        c = -1
        if draw % _FREE_MOVES == 0 or size < 2:
            week = (draw // _FREE_MOVES) % n_weeks
        else:
            away = 1 + (draw // (2 * _FREE_MOVES)) % min(reach, size - 1)
            place_c = place_b - first + (away if draw // _FREE_MOVES % 2 else -away)
            if place_c < 0 or place_c >= size:
                continue
            c = ranked[first + place_c]
            week = m.week_of_day[day[c]]
        old_b = day[b]
        week_b = m.week_of_day[old_b]
        begin = monday[week]
        if m.moved_weight[b] > 0 and draw // 64 % 2 and begin <= m.drafted_day[b]:
            begin = min(m.drafted_day[b], monday[week + 1])
        to_b = first_day(m, day, b, begin, monday[week + 1])
        if to_b < 0 or to_b == old_b:
            continue
        fits = week == week_b or (
            clients[week] + m.n_clients[b] <= m.client_room[week]
            and servers[week] + m.n_servers[b] <= m.server_room[week]
        )
        if fits:
            c = -1
        elif c < 0 or (
            clients[week] + m.n_clients[b] - m.n_clients[c] > m.client_room[week]
            or servers[week] + m.n_servers[b] - m.n_servers[c] > m.server_room[week]
            or clients[week_b] + m.n_clients[c] - m.n_clients[b] > m.client_room[week_b]
            or servers[week_b] + m.n_servers[c] - m.n_servers[b] > m.server_room[week_b]
        ):
            continue
        delta = cost_of(m, day, b, to_b) - cost_of(m, day, b, old_b)
        old_c, to_c = -1, -1
        if c >= 0:
            old_c = day[c]
            day[b] = to_b
            to_c = first_day(m, day, c, monday[week_b], monday[week_b + 1])
            if to_c >= 0:
                delta += cost_of(m, day, c, to_c) - cost_of(m, day, c, old_c)
                # The rules of b were looked at before c left.
                day[c] = to_c
                if first_day(m, day, b, to_b, to_b + 1) < 0:
                    to_c = -1
                day[c] = old_c
            day[b] = old_b
            if to_c < 0:
                continue
        state = (state * _MULTIPLIER + _STEP) & _MASK
        chance = (state >> 16) / 2.0**32
        total = float(delta)
        if not has_extras and total > 0 and chance >= math.exp(-total / temperature):
            continue
        is_good = put(m, day, due, b, to_b)
        if c >= 0:
            is_good = put(m, day, due, c, to_c) and is_good
        is_good = is_good and imports_fit(m, due)
        if has_extras:
            on_day[old_b] -= 1
            on_day[to_b] += 1
            if c >= 0:
                on_day[old_c] -= 1
                on_day[to_c] += 1
            new_finish = finish_of(m, on_day, n_days - 1)
            new_peak = peak_of(open_weeks, due)
            total += extras[0] * (new_finish - finish) + extras[1] * (new_peak - peak)
            if is_good and total > 0 and chance >= math.exp(-total / temperature):
                is_good = False
            if is_good:
                finish, peak = new_finish, new_peak
            else:
                on_day[old_b] += 1
                on_day[to_b] -= 1
                if c >= 0:
                    on_day[old_c] += 1
                    on_day[to_c] -= 1
        if not is_good:
            put(m, day, due, b, old_b)
            if c >= 0:
                put(m, day, due, c, old_c)
            continue
        clients[week_b] -= m.n_clients[b]
        servers[week_b] -= m.n_servers[b]
        clients[week] += m.n_clients[b]
        servers[week] += m.n_servers[b]
        if c >= 0:
            clients[week] -= m.n_clients[c]
            servers[week] -= m.n_servers[c]
            clients[week_b] += m.n_clients[c]
            servers[week_b] += m.n_servers[c]
            place_c = rank[c]
            ranked[place_b], ranked[place_c] = c, b
            rank[b], rank[c] = place_c, place_b
    return state


@compiled
def exchange(m: Model, day: Ints) -> int:
    """Move clients around circles of weeks as long as that saves something; count of circles.

    With all servers fixed, clients without rules and imports are left in their cheapest weeks: a
    transportation problem, solved by cancelling negative cycles (Klein 1967). Only blocks of one
    client move. A circle that breaks a rule, or for which there is no room for imports, is undone
    and its moves are not tried again.
    """
    n, n_weeks, n_days = len(day), len(m.client_room), len(m.week_of_day)
    spare = n_weeks  # in place of a week: where a circle begins and ends with a free place
    room = m.client_room.copy()
    due = np.zeros(n_weeks, dtype=np.int64)
    monday = np.zeros(n_weeks + 1, dtype=np.int32)
    for d in range(n_days):
        monday[m.week_of_day[d] + 1] = d + 1
    for job in range(len(m.job_client)):
        due[max(0, m.due_week[needed(m, day, job)])] += 1
    cost = np.full((n, n_weeks), _NO_WAY, dtype=np.int64)
    to_day = np.full((n, n_weeks), _UNPLACED, dtype=np.int32)
    head = np.full(n_weeks, -1, dtype=np.int32)
    behind, ahead = np.full(n, -1, dtype=np.int32), np.full(n, -1, dtype=np.int32)
    for b in range(n):
        week = m.week_of_day[day[b]]
        room[week] -= m.n_clients[b]
        if m.n_servers[b] > 0 or m.n_clients[b] != 1:
            continue
        stays = cost_of(m, day, b, day[b])
        for w in range(n_weeks):
            to = first_day(m, day, b, monday[w], monday[w + 1])
            if to >= 0:
                cost[b, w], to_day[b, w] = cost_of(m, day, b, to) - stays, to
        cost[b, week], to_day[b, week] = 0, day[b]
        ahead[b] = head[week]
        if ahead[b] >= 0:
            behind[ahead[b]] = b
        head[week] = b
    saved = np.full((n_weeks + 1, n_weeks + 1), _NO_WAY, dtype=np.int64)
    who = np.full((n_weeks + 1, n_weeks + 1), -1, dtype=np.int32)
    saved[spare, :n_weeks] = 0
    is_stale = np.ones(n_weeks, dtype=np.bool_)
    circle = np.zeros(n_weeks + 2, dtype=np.int32)
    old_day = np.zeros(n_weeks + 2, dtype=np.int32)
    least = np.zeros(n_weeks + 1, dtype=np.int64)
    before = np.zeros(n_weeks + 1, dtype=np.int32)
    n_circles = 0
    while True:
        for u in range(n_weeks):
            if not is_stale[u]:
                continue
            is_stale[u] = False
            saved[u] = _NO_WAY
            saved[u, spare] = 0 if room[u] > 0 else _NO_WAY
            b = head[u]
            while b >= 0:
                for w in range(n_weeks):
                    more = cost[b, w] - cost[b, u]
                    if w != u and cost[b, w] < _NO_WAY and more < saved[u, w]:
                        saved[u, w], who[u, w] = more, b
                b = ahead[b]
        least[:], before[:] = 0, -1
        last = 0
        for _ in range(n_weeks + 1):
            last = -1
            for u in range(n_weeks + 1):
                for v in range(n_weeks + 1):
                    if saved[u, v] < _NO_WAY and least[u] + saved[u, v] < least[v]:
                        least[v], before[v], last = least[u] + saved[u, v], u, v
            if last < 0:
                return n_circles
        for _ in range(n_weeks + 1):
            last = before[last]
        length = 0
        v = last
        while length == 0 or v != last:
            circle[length] = v
            length += 1
            v = before[v]
        circle[length] = last
        is_good = True
        for k in range(length):
            u, v = circle[k + 1], circle[k]
            if spare not in (u, v):
                b = who[u, v]
                old_day[k] = day[b]
                is_good = put(m, day, due, b, to_day[b, v]) and is_good
        is_good = is_good and imports_fit(m, due)
        for k in range(length):
            u, v = circle[k + 1], circle[k]
            if spare not in (u, v):
                b = who[u, v]
                is_good = is_good and first_day(m, day, b, day[b], day[b] + 1) >= 0
        n_circles += is_good
        for k in range(length):
            u, v = circle[k + 1], circle[k]
            if u != spare:
                is_stale[u] = True
            if spare in (u, v):
                if is_good and u == spare:
                    room[v] += 1
                elif is_good:
                    room[u] -= 1
                continue
            b = who[u, v]
            if not is_good:
                put(m, day, due, b, old_day[k])
                cost[b, v] = _NO_WAY
                continue
            if behind[b] >= 0:
                ahead[behind[b]] = ahead[b]
            else:
                head[u] = ahead[b]
            if ahead[b] >= 0:
                behind[ahead[b]] = behind[b]
            behind[b], ahead[b] = -1, head[v]
            if ahead[b] >= 0:
                behind[ahead[b]] = b
            head[v] = b
            is_stale[v] = True
