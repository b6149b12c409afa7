"""Compiled steps of the first-order method for the linear relaxation, and its certified bound.

Everything compiled for the relaxation stands in this file (see `planner.ordering.kernel`).
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from planner.engine.compiled import compiled
from planner.ordering.model import Ints, Longs

Floats = NDArray[np.float64]
Singles = NDArray[np.float32]
Flags = NDArray[np.bool_]
Flags2 = NDArray[np.bool_]


class Relaxation(NamedTuple):
    """The time-indexed linear program of a model, week by week.

    Nodes are blocks, then jobs where imports are limited. Each has, by week, a share of it that is
    done by the end of the week; a link's sessions are secure to the least share of its ends. In a
    week one end may go some days before the other: on those days, the *gap*, the least is taken of
    its share and of the other's by the end of the week before.

    Parameters
    ----------
    may_end
        By node and week: whether it may go in that week.
    day
        By block and week: the first day on which it may go in that week, if it may.
    own
        By node and week: cost of going in that week, links aside.
    horizon
        Count of days.
    first, second, job, weight
        By link: its two blocks, the node of its import or -1, and its cost by day.
    needed
        By link: the first day on which its import can be needed.
    days
        By link and week: days from when both ends may have gone in that week, until one may go in
        the next.
    gap
        By link: its row in the tables of gaps; -1 where its ends may always go on the same days.
    first_leads, second_leads
        By gap and week: days from when the one end may go until the other may.
    n_clients, n_servers, n_imports
        By node: what it takes of capacities.
    client_room, server_room, import_room
        By week; imports as the count of jobs that may be needed by the end of the week.
    rule_earlier, rule_later, rule_week
        `later` done by the end of week `w` demands `earlier` done by the end of `rule_week[w]`.
    alike
        By node: how many alike ones it stands for; what it costs and takes is that of all of them.
    node_of
        By block of the model: its node.
    """

    may_end: Flags2
    day: Longs
    own: Longs
    horizon: int
    first: Ints
    second: Ints
    job: Ints
    weight: Longs
    needed: Longs
    days: Longs
    gap: Ints
    first_leads: Longs
    second_leads: Longs
    n_clients: Longs
    n_servers: Longs
    n_imports: Longs
    client_room: Longs
    server_room: Longs
    import_room: Longs
    rule_earlier: Ints
    rule_later: Ints
    rule_week: Ints
    alike: Longs
    node_of: Ints


class Dual(NamedTuple):
    """Prices, all by week.

    Parameters
    ----------
    on_first, on_job
        By link: what of a day of it is charged to its first block and to its import; the rest is
        charged to its second block.
    gap_on_first, gap_on_job
        By gap: the same of its days.
    needs
        By link with an import: of having both blocks done and the import not.
    clients, servers, imports
        Of capacities.
    rules
        By rule: of having the later block done and the earlier one not.
    """

    on_first: Singles
    on_job: Singles
    gap_on_first: Singles
    gap_on_job: Singles
    needs: Singles
    clients: Singles
    servers: Singles
    imports: Singles
    rules: Singles


@compiled
def prices_of_done(r: Relaxation, d: Dual) -> Floats:
    """Price of being done by the end of each week, by node, the price of imports aside."""
    n, n_weeks = r.may_end.shape
    price = np.zeros((n, n_weeks))
    for e in range(len(r.first)):
        a, b, j, g = r.first[e], r.second[e], r.job[e], r.gap[e]
        for w in range(n_weeks):
            of_job = float(d.on_job[e, w]) if j >= 0 else 0.0
            price[a, w] -= d.on_first[e, w] * r.days[e, w]
            price[b, w] -= (r.weight[e] - d.on_first[e, w] - of_job) * r.days[e, w]
            if j >= 0:
                price[j, w] -= of_job * r.days[e, w]
                price[a, w] += d.needs[e, w]
                price[b, w] += d.needs[e, w]
                price[j, w] -= d.needs[e, w]
        if g < 0:
            continue
        for w in range(n_weeks):
            ahead, behind = r.first_leads[g, w], r.second_leads[g, w]
            of_first = float(d.gap_on_first[g, w])
            of_job = float(d.gap_on_job[g, w]) if j >= 0 else 0.0
            of_second = r.weight[e] - of_first - of_job
            price[a, w] -= of_first * ahead
            price[b, w] -= of_second * behind
            if w > 0:
                price[a, w - 1] -= of_first * behind
                price[b, w - 1] -= of_second * ahead
            if j >= 0:
                price[j, w] -= of_job * (ahead + behind)
    for k in range(len(r.rule_earlier)):
        a, b = r.rule_earlier[k], r.rule_later[k]
        for w in range(n_weeks):
            price[b, w] += d.rules[k, w]
            if r.rule_week[k, w] >= 0:
                price[a, r.rule_week[k, w]] -= d.rules[k, w]
    return price


@compiled
def bound_of(r: Relaxation, d: Dual) -> float:
    """Lower bound that prices give, in floating point."""
    n, n_weeks = r.may_end.shape
    price = prices_of_done(r, d)
    bound = 0.0
    for v in range(n):
        least, after = np.inf, 0.0
        for w in range(n_weeks - 1, -1, -1):
            after += price[v, w] + r.n_imports[v] * d.imports[w]
            if r.may_end[v, w]:
                cost = after + r.own[v, w]
                cost += r.n_clients[v] * d.clients[w] + r.n_servers[v] * d.servers[w]
                least = min(least, cost)
        bound += least
    for w in range(n_weeks):
        bound -= (
            d.clients[w] * r.client_room[w]
            + d.servers[w] * r.server_room[w]
            + d.imports[w] * r.import_room[w]
        )
    for e in range(len(r.first)):
        bound += r.weight[e] * r.horizon
        if r.job[e] >= 0:
            for w in range(n_weeks):
                bound -= d.needs[e, w]
    return bound


@compiled
def certified(r: Relaxation, d: Dual, unit: int, left: Longs) -> int:
    """Lower bound in units of `1 / unit`, in whole numbers alone, whatever the prices are.

    Prices are rounded to whole units and cut to what is allowed; `left` receives, by node and
    week, how much the bound would rise if the node went in that week.
    """
    n, n_weeks = r.may_end.shape
    done = np.zeros((n, n_weeks), dtype=np.int64)
    bound = 0
    for e in range(len(r.first)):
        a, b, j, g = r.first[e], r.second[e], r.job[e], r.gap[e]
        whole = r.weight[e] * unit
        bound += whole * r.horizon
        for w in range(n_weeks):
            share = min(max(round(float(d.on_first[e, w]) * unit), 0), whole)
            of_job = 0
            if j >= 0:
                of_job = min(max(round(float(d.on_job[e, w]) * unit), 0), whole - share)
                price = max(round(float(d.needs[e, w]) * unit), 0)
                bound -= price
                done[a, w] += price
                done[b, w] += price
                done[j, w] -= price + of_job * r.days[e, w]
            done[a, w] -= share * r.days[e, w]
            done[b, w] -= (whole - share - of_job) * r.days[e, w]
        if g < 0:
            continue
        for w in range(n_weeks):
            ahead, behind = r.first_leads[g, w], r.second_leads[g, w]
            share = min(max(round(float(d.gap_on_first[g, w]) * unit), 0), whole)
            of_job = 0
            if j >= 0:
                of_job = min(max(round(float(d.gap_on_job[g, w]) * unit), 0), whole - share)
                done[j, w] -= of_job * (ahead + behind)
            done[a, w] -= share * ahead
            done[b, w] -= (whole - share - of_job) * behind
            if w > 0:
                done[a, w - 1] -= share * behind
                done[b, w - 1] -= (whole - share - of_job) * ahead
    clients = np.zeros(n_weeks, dtype=np.int64)
    servers = np.zeros(n_weeks, dtype=np.int64)
    imports = np.zeros(n_weeks, dtype=np.int64)
    for w in range(n_weeks):
        clients[w] = max(round(float(d.clients[w]) * unit), 0)
        servers[w] = max(round(float(d.servers[w]) * unit), 0)
        imports[w] = max(round(float(d.imports[w]) * unit), 0)
        # An unlimited capacity has no price.
        if clients[w] > 0:
            bound -= int(clients[w] * r.client_room[w])
        if servers[w] > 0:
            bound -= int(servers[w] * r.server_room[w])
        if imports[w] > 0:
            bound -= int(imports[w] * r.import_room[w])
    for k in range(len(r.rule_earlier)):
        a, b = r.rule_earlier[k], r.rule_later[k]
        for w in range(n_weeks):
            price = max(round(float(d.rules[k, w]) * unit), 0)
            done[b, w] += price
            if r.rule_week[k, w] >= 0:
                done[a, r.rule_week[k, w]] -= price
    for v in range(n):
        after = 0
        for w in range(n_weeks - 1, -1, -1):
            after += done[v, w] + imports[w] * r.n_imports[v]
            left[v, w] = (
                after
                + r.own[v, w] * unit
                + r.n_clients[v] * clients[w]
                + r.n_servers[v] * servers[w]
            )
    for v in range(n):
        least = 2**62
        for w in range(n_weeks):
            if r.may_end[v, w]:
                least = min(least, int(left[v, w]))
        bound += least
        for w in range(n_weeks):
            left[v, w] -= least
    return bound


class Iterate(NamedTuple):
    """Where the first-order method stands.

    Parameters
    ----------
    share
        By node and week.
    dual
        Prices.
    price
        What `prices_of_done` says of them.
    """

    share: Singles
    dual: Dual
    price: Singles


class Pace(NamedTuple):
    """Step lengths, and what a step reads of a relaxation in the numbers that it works with.

    Parameters
    ----------
    of_node, of_link, of_need
        Steps of each node's shares, and of the prices of each link and of its import's need.
    of_room
        Steps of the prices of clients, servers, imports and rules.
    own, weight, days, first_leads, second_leads
        As in the relaxation.
    """

    of_node: Singles
    of_link: Singles
    of_need: Singles
    of_room: tuple[float, float, float, np.float32]
    own: Singles
    weight: Singles
    days: Singles
    first_leads: Singles
    second_leads: Singles


@compiled
def project(may_end: Flags, share: Singles, value: Singles, size: Ints) -> None:
    """Project one node's shares: never falling, changing in its weeks alone, and 1 in the end.

    The weeks at 0 are those before the least sum of shares, the weeks at 1 those from the least sum
    of shares less 1 on (Barlow et al. 1972, "Statistical inference under order restrictions": the
    level sets of a monotone fit). The few between them are pooled where adjacent ones fall;
    `value` and `size` are room to work in.
    """
    one = np.float32(1.0)
    begin, end = 0, len(share) - 1
    while not may_end[begin]:
        begin += 1
    while not may_end[end]:
        end -= 1
    low, high, at_0, at_1 = begin, begin, np.float32(0.0), np.float32(0.0)
    total, less = np.float32(0.0), np.float32(0.0)
    for w in range(begin, end):
        total += share[w]
        less += share[w] - one
        is_lower = may_end[w + 1] & (total <= at_0)
        at_0 = total if is_lower else at_0
        low = w + 1 if is_lower else low
        is_lower = may_end[w + 1] & (less < at_1)
        at_1 = less if is_lower else at_1
        high = w + 1 if is_lower else high
    for w in range(low):
        share[w] = 0.0
    for w in range(high, len(share)):
        share[w] = 1.0
    n_pools = 0
    w = low
    while w < high:
        mean, length = share[w], 1
        w += 1
        while w < high and not may_end[w]:
            mean += share[w]
            length += 1
            w += 1
        mean = np.float32(mean / length)
        while n_pools > 0 and value[n_pools - 1] >= mean:
            n_pools -= 1
            total = mean * length + value[n_pools] * size[n_pools]
            length += size[n_pools]
            mean = np.float32(total / length)
        value[n_pools], size[n_pools] = mean, length
        n_pools += 1
    w = low
    for pool in range(n_pools):
        for _ in range(size[pool]):
            share[w] = min(max(value[pool], np.float32(0.0)), one)
            w += 1


@compiled
def step(r: Relaxation, at: Iterate, anchor: Iterate, pace: Pace, ahead: Singles, t: float) -> None:
    """One step of the primal-dual hybrid gradient method (Chambolle and Pock 2011).

    `at` is the iterate, `ahead` room to work in, by node and week with a column before the first.
    The new iterate is the step's end reflected in its start, for the part `t`, and the anchor for
    the rest (Lu and Yang 2024, "Restarted Halpern PDHG for linear programming"); with `t` 0 it is
    the step's end itself.
    """
    d, fixed_d = at.dual, anchor.dual
    n, n_weeks = at.share.shape
    zero, one, two = np.float32(0.0), np.float32(1.0), np.float32(2.0)
    new = np.float32(2.0 * t if t > 0.0 else 1.0)
    old, fixed = np.float32(-t), np.float32(1.0 - t if t > 0.0 else 0.0)
    value, size = np.empty(n_weeks, dtype=np.float32), np.empty(n_weeks, dtype=np.int32)
    row, cost = np.empty(n_weeks, dtype=np.float32), np.zeros(n_weeks + 1, dtype=np.float32)
    over = np.zeros((3, n_weeks))
    # One array is written in each loop over weeks: so they compile to vector instructions.
    for v in range(n):
        share, share_then, price = at.share[v], anchor.share[v], at.price[v]
        ahead[v, 0] = zero
        next_share, last_share, own = ahead[v, 1:], ahead[v, :-1], pace.own[v]
        clients, servers = np.float32(r.n_clients[v]), np.float32(r.n_servers[v])
        imports, tau = np.float32(r.n_imports[v]), pace.of_node[v]
        for w in range(n_weeks):
            cost[w] = own[w] + clients * d.clients[w] + servers * d.servers[w]
        for w in range(n_weeks):
            slope = price[w] + imports * d.imports[w] + cost[w]
            row[w] = share[w] - tau * (slope - cost[w + 1])
        project(r.may_end[v], row, value, size)
        for w in range(n_weeks):
            next_share[w] = two * row[w] - share[w]
        for w in range(n_weeks):
            share[w] = new * row[w] + old * share[w] + fixed * share_then[w]
        if imports > zero:
            for w in range(n_weeks):
                over[2, w] += imports * next_share[w]
        else:
            for w in range(n_weeks):
                over[0, w] += clients * (next_share[w] - last_share[w])
            for w in range(n_weeks):
                over[1, w] += servers * (next_share[w] - last_share[w])
        price[:] = zero
    of_clients, of_servers, of_imports, of_rules = pace.of_room
    for w in range(n_weeks):
        up = max(0.0, d.clients[w] + of_clients * (over[0, w] - r.client_room[w]))
        d.clients[w] = new * up + old * d.clients[w] + fixed * fixed_d.clients[w]
        up = max(0.0, d.servers[w] + of_servers * (over[1, w] - r.server_room[w]))
        d.servers[w] = new * up + old * d.servers[w] + fixed * fixed_d.servers[w]
        up = max(0.0, d.imports[w] + of_imports * (over[2, w] - r.import_room[w]))
        d.imports[w] = new * up + old * d.imports[w] + fixed * fixed_d.imports[w]
    for k in range(len(r.rule_earlier)):
        a, b = r.rule_earlier[k], r.rule_later[k]
        for w in range(n_weeks):
            by = r.rule_week[k, w]
            # The column before the first week is 0.
            up = max(zero, d.rules[k, w] + of_rules * (ahead[b, w + 1] - ahead[a, by + 1]))
            d.rules[k, w] = new * up + old * d.rules[k, w] + fixed * fixed_d.rules[k, w]
            at.price[b, w] += d.rules[k, w]
            if by >= 0:
                at.price[a, by] -= d.rules[k, w]
    for e in range(len(r.first)):
        a, b, j, g = r.first[e], r.second[e], r.job[e], r.gap[e]
        whole, stride, days = pace.weight[e], pace.of_link[e], pace.days[e]
        on_first, first_then = d.on_first[e], fixed_d.on_first[e]
        of_a, of_b, before_a, before_b = ahead[a, 1:], ahead[b, 1:], ahead[a, :-1], ahead[b, :-1]
        price_a, price_b = at.price[a], at.price[b]
        if j < 0:
            for w in range(n_weeks):
                up = min(max(on_first[w] + stride * (of_b[w] - of_a[w]), zero), whole)
                on_first[w] = new * up + old * on_first[w] + fixed * first_then[w]
            for w in range(n_weeks):
                price_a[w] -= on_first[w] * days[w]
            for w in range(n_weeks):
                price_b[w] -= (whole - on_first[w]) * days[w]
            if g < 0:
                continue
            gap_on_first, first_then = d.gap_on_first[g], fixed_d.gap_on_first[g]
            leads, lags = pace.first_leads[g], pace.second_leads[g]
            for w in range(n_weeks):
                apart = before_b[w] - of_a[w] if leads[w] > zero else of_b[w] - before_a[w]
                up = min(max(gap_on_first[w] + stride * apart, zero), whole)
                gap_on_first[w] = new * up + old * gap_on_first[w] + fixed * first_then[w]
            for w in range(n_weeks):
                price_a[w] -= gap_on_first[w] * leads[w]
            for w in range(n_weeks):
                price_b[w] -= (whole - gap_on_first[w]) * lags[w]
            for w in range(1, n_weeks):
                price_a[w - 1] -= gap_on_first[w] * lags[w]
            for w in range(1, n_weeks):
                price_b[w - 1] -= (whole - gap_on_first[w]) * leads[w]
            continue
        needs, needs_then, of_need = d.needs[e], fixed_d.needs[e], pace.of_need[e]
        of_j, price_j = ahead[j, 1:], at.price[j]
        for w in range(n_weeks):
            up = max(zero, needs[w] + of_need * (of_a[w] + of_b[w] - of_j[w] - one))
            needs[w] = new * up + old * needs[w] + fixed * needs_then[w]
        on_job, job_then = d.on_job[e], fixed_d.on_job[e]
        for w in range(n_weeks):
            row[w], cost[w] = in_three(
                on_first[w] - stride * of_a[w],
                whole - on_first[w] - on_job[w] - stride * of_b[w],
                on_job[w] - stride * of_j[w],
                whole,
            )
        for w in range(n_weeks):
            on_first[w] = new * row[w] + old * on_first[w] + fixed * first_then[w]
        for w in range(n_weeks):
            on_job[w] = new * cost[w] + old * on_job[w] + fixed * job_then[w]
        for w in range(n_weeks):
            price_a[w] += needs[w] - on_first[w] * days[w]
        for w in range(n_weeks):
            price_b[w] += needs[w] - (whole - on_first[w] - on_job[w]) * days[w]
        for w in range(n_weeks):
            price_j[w] -= needs[w] + on_job[w] * days[w]
        if g < 0:
            continue
        gap_on_first, first_then = d.gap_on_first[g], fixed_d.gap_on_first[g]
        gap_on_job, job_then = d.gap_on_job[g], fixed_d.gap_on_job[g]
        leads, lags = pace.first_leads[g], pace.second_leads[g]
        for w in range(n_weeks):
            done_a = of_a[w] if leads[w] > zero else before_a[w]
            done_b = before_b[w] if leads[w] > zero else of_b[w]
            row[w], cost[w] = in_three(
                gap_on_first[w] - stride * done_a,
                whole - gap_on_first[w] - gap_on_job[w] - stride * done_b,
                gap_on_job[w] - stride * of_j[w],
                whole,
            )
        for w in range(n_weeks):
            gap_on_first[w] = new * row[w] + old * gap_on_first[w] + fixed * first_then[w]
        for w in range(n_weeks):
            gap_on_job[w] = new * cost[w] + old * gap_on_job[w] + fixed * job_then[w]
        for w in range(n_weeks):
            price_a[w] -= gap_on_first[w] * leads[w]
        for w in range(n_weeks):
            price_b[w] -= (whole - gap_on_first[w] - gap_on_job[w]) * lags[w]
        for w in range(n_weeks):
            price_j[w] -= gap_on_job[w] * (leads[w] + lags[w])
        for w in range(1, n_weeks):
            price_a[w - 1] -= gap_on_first[w] * lags[w]
        for w in range(1, n_weeks):
            price_b[w - 1] -= (whole - gap_on_first[w] - gap_on_job[w]) * leads[w]


@compiled
def stretch(
    r: Relaxation, at: Iterate, anchor: Iterate, pace: Pace, ahead: Singles, n_steps: int
) -> None:
    """Take steps from an anchor; the last one ends without reflection."""
    for number in range(1, n_steps + 1):
        step(r, at, anchor, pace, ahead, number / (number + 1) if number < n_steps else 0.0)


@compiled
def in_three(
    x: np.float32, y: np.float32, z: np.float32, whole: np.float32
) -> tuple[np.float32, np.float32]:
    """Project three shares onto those that are not negative and add up to the whole: x and z."""
    zero, two, three = np.float32(0.0), np.float32(2.0), np.float32(3.0)
    total, least, most = x + y + z, min(x, y, z), max(x, y, z)
    excess = max(most - whole, (total - least - whole) / two, (total - whole) / three)
    return max(zero, x - excess), max(zero, z - excess)
