"""Compiled steps of the first-order method for the linear relaxation, and its certified bound.

Everything compiled for the relaxation stands in this file (see `planner.ordering.kernel`).
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from planner.engine.compiled import compiled
from planner.ordering.model import Ints, Longs

Floats = NDArray[np.float64]
Flags2 = NDArray[np.bool_]


class Relaxation(NamedTuple):
    """The time-indexed linear program of a model, week by week.

    Nodes are blocks, then jobs where imports are limited. Each has, by week, a share of it that is
    done by the end of the week; a link's sessions are secure to the least share of its ends.

    Parameters
    ----------
    length
        By week: its days inside the horizon.
    may_end, offset
        By node and week: whether it may go in that week, and the days of the week before it may.
    own
        By node and week: cost of going in that week, links aside.
    first, second, job, weight
        By link: its two blocks, the node of its import or -1, and its cost by day.
    n_clients, n_servers, is_job
        By node: what it takes of capacities.
    client_room, server_room, import_room
        By week; imports as the count of jobs that may be needed by the end of the week.
    rule_earlier, rule_later, rule_week
        `later` done by the end of week `w` demands `earlier` done by the end of `rule_week[w]`.
    """

    length: Longs
    may_end: Flags2
    offset: Longs
    own: Longs
    first: Ints
    second: Ints
    job: Ints
    weight: Longs
    n_clients: Longs
    n_servers: Longs
    is_job: Longs
    client_room: Longs
    server_room: Longs
    import_room: Longs
    rule_earlier: Ints
    rule_later: Ints
    rule_week: Ints


class Dual(NamedTuple):
    """Prices, all by week.

    Parameters
    ----------
    on_first, on_job
        By link: what of a day of it is charged to its first block and to its import; the rest is
        charged to its second block.
    needs
        By link with an import: of having both blocks done and the import not.
    clients, servers, imports
        Of capacities.
    rules
        By rule: of having the later block done and the earlier one not.
    """

    on_first: Floats
    on_job: Floats
    needs: Floats
    clients: Floats
    servers: Floats
    imports: Floats
    rules: Floats


@compiled
def prices_of_done(r: Relaxation, d: Dual) -> Floats:
    """Price of being done by the end of each week, by node."""
    n, n_weeks = r.may_end.shape
    price = np.zeros((n, n_weeks))
    for v in range(n):
        if r.is_job[v]:
            for w in range(n_weeks):
                price[v, w] = d.imports[w]
    for e in range(len(r.first)):
        a, b, j = r.first[e], r.second[e], r.job[e]
        if j >= 0:
            for w in range(n_weeks):
                price[a, w] += d.needs[e, w]
                price[b, w] += d.needs[e, w]
                price[j, w] -= d.needs[e, w]
    for k in range(len(r.rule_earlier)):
        a, b = r.rule_earlier[k], r.rule_later[k]
        for w in range(n_weeks):
            price[b, w] += d.rules[k, w]
            if r.rule_week[k, w] >= 0:
                price[a, r.rule_week[k, w]] -= d.rules[k, w]
    return price


@compiled
def node_costs(r: Relaxation, mass: Floats, d: Dual) -> Floats:
    """Cost of each node in each week, by its share of its links and by prices.

    `mass` is, by node and week, the cost of a day of that week before the node is done.
    """
    n, n_weeks = r.may_end.shape
    cost = np.zeros((n, n_weeks))
    price = prices_of_done(r, d)
    for v in range(n):
        before, after = 0.0, 0.0
        for w in range(n_weeks):
            after += price[v, w]
        for w in range(n_weeks):
            cost[v, w] = (
                before
                + mass[v, w] * r.offset[v, w]
                + r.own[v, w]
                + r.n_clients[v] * d.clients[w]
                + r.n_servers[v] * d.servers[w]
                + after
            )
            before += mass[v, w] * r.length[w]
            after -= price[v, w]
    return cost


@compiled
def masses(r: Relaxation, d: Dual) -> Floats:
    """Cost of a day before each node is done, by node and week: its share of its links."""
    n, n_weeks = r.may_end.shape
    mass = np.zeros((n, n_weeks))
    for e in range(len(r.first)):
        a, b, j = r.first[e], r.second[e], r.job[e]
        for w in range(n_weeks):
            share = d.on_first[e, w]
            mass[a, w] += share
            rest = r.weight[e] - share
            if j >= 0:
                mass[j, w] += d.on_job[e, w]
                rest -= d.on_job[e, w]
            mass[b, w] += rest
    return mass


@compiled
def bound_of(r: Relaxation, cost: Floats, d: Dual) -> float:
    """Lower bound that prices give, in floating point."""
    n, n_weeks = r.may_end.shape
    bound = 0.0
    for v in range(n):
        least = np.inf
        for w in range(n_weeks):
            if r.may_end[v, w]:
                least = min(least, cost[v, w])
        bound += least
    for w in range(n_weeks):
        bound -= (
            d.clients[w] * r.client_room[w]
            + d.servers[w] * r.server_room[w]
            + d.imports[w] * r.import_room[w]
        )
    for e in range(len(r.first)):
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
    mass = np.zeros((n, n_weeks), dtype=np.int64)
    done = np.zeros((n, n_weeks), dtype=np.int64)
    bound = 0
    for e in range(len(r.first)):
        a, b, j = r.first[e], r.second[e], r.job[e]
        whole = r.weight[e] * unit
        for w in range(n_weeks):
            share = min(max(round(d.on_first[e, w] * unit), 0), whole)
            of_job = 0
            if j >= 0:
                of_job = min(max(round(d.on_job[e, w] * unit), 0), whole - share)
                mass[j, w] += of_job
                price = max(round(d.needs[e, w] * unit), 0)
                bound -= price
                done[a, w] += price
                done[b, w] += price
                done[j, w] -= price
            mass[a, w] += share
            mass[b, w] += whole - share - of_job
    clients = np.zeros(n_weeks, dtype=np.int64)
    servers = np.zeros(n_weeks, dtype=np.int64)
    imports = np.zeros(n_weeks, dtype=np.int64)
    for w in range(n_weeks):
        clients[w] = max(round(d.clients[w] * unit), 0)
        servers[w] = max(round(d.servers[w] * unit), 0)
        imports[w] = max(round(d.imports[w] * unit), 0)
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
            price = max(round(d.rules[k, w] * unit), 0)
            done[b, w] += price
            if r.rule_week[k, w] >= 0:
                done[a, r.rule_week[k, w]] -= price
    for v in range(n):
        before, after = 0, 0
        for w in range(n_weeks):
            done[v, w] += imports[w] * r.is_job[v]
            after += done[v, w]
        for w in range(n_weeks):
            left[v, w] = (
                before
                + mass[v, w] * r.offset[v, w]
                + r.own[v, w] * unit
                + r.n_clients[v] * clients[w]
                + r.n_servers[v] * servers[w]
                + after
            )
            before += mass[v, w] * r.length[w]
            after -= done[v, w]
    for v in range(n):
        least = 2**62
        for w in range(n_weeks):
            if r.may_end[v, w]:
                least = min(least, int(left[v, w]))
        bound += least
        for w in range(n_weeks):
            left[v, w] -= least
    return bound


@compiled
def project(r: Relaxation, v: int, share: Floats, value: Floats, size: Ints) -> None:
    """Project one node's shares: never falling, changing in its weeks alone, and 1 in the end.

    Pooling adjacent violators; `value` and `size` are room to work in.
    """
    n_weeks = len(share)
    n_pools = 0
    w = 0
    while w < n_weeks and not r.may_end[v, w]:
        share[w] = 0.0
        w += 1
    begin = w
    while w < n_weeks:
        total, length = share[w], 1
        w += 1
        while w < n_weeks and not r.may_end[v, w]:
            total += share[w]
            length += 1
            w += 1
        mean = 1.0 if w == n_weeks else total / length
        while n_pools > 0 and value[n_pools - 1] >= mean and w < n_weeks:
            n_pools -= 1
            mean = (mean * length + value[n_pools] * size[n_pools]) / (length + size[n_pools])
            length += size[n_pools]
        value[n_pools], size[n_pools] = mean, length
        n_pools += 1
    for pool in range(n_pools):
        for _ in range(size[pool]):
            share[begin] = min(max(value[pool], 0.0), 1.0)
            begin += 1


@compiled
def step(
    r: Relaxation,
    share: Floats,
    ahead: Floats,
    d: Dual,
    mass: Floats,
    tau: Floats,
    sigma: Floats,
    omega: float,
    anchor_share: Floats,
    anchor: Dual,
    part: float,
) -> None:
    """One step of the primal-dual hybrid gradient method (Chambolle and Pock 2011).

    `share` and `d` are the iterates; `ahead` is room to work in, `mass` the masses of `d`. `tau`
    is by node, `sigma` holds the steps of capacities, imports and rules. The new iterate is the
    step's end reflected in its start, for `part`, and the anchor for the rest (Lu and Yang 2024,
    "Restarted Halpern PDHG for linear programming"); with `part` 0 it is the step's end itself.
    """
    n, n_weeks = share.shape
    new, old, fixed = (2.0 * part, -part, 1.0 - part) if part > 0.0 else (1.0, 0.0, 0.0)
    value, size = np.empty(n_weeks), np.empty(n_weeks, dtype=np.int32)
    x_row, z_row = np.empty(n_weeks), np.empty(n_weeks)
    slope = prices_of_done(r, d)
    for v in range(n):
        for w in range(n_weeks):
            ahead[v, w] = -share[v, w]
            partial = mass[v, w] * r.offset[v, w]
            at = partial + r.own[v, w] + r.n_clients[v] * d.clients[w]
            at += r.n_servers[v] * d.servers[w]
            slope[v, w] += at - mass[v, w] * r.length[w]
            if w > 0:
                slope[v, w - 1] -= at
        for w in range(n_weeks):
            share[v, w] -= tau[v] / omega * slope[v, w]
        project(r, v, share[v], value, size)
        for w in range(n_weeks):
            start, end = -ahead[v, w], share[v, w]
            ahead[v, w] += 2.0 * end
            share[v, w] = new * end + old * start + fixed * anchor_share[v, w]
    over = np.zeros((3, n_weeks))
    for v in range(n):
        before = 0.0
        for w in range(n_weeks):
            now = ahead[v, w] - before
            before = ahead[v, w]
            over[0, w] += r.n_clients[v] * now
            over[1, w] += r.n_servers[v] * now
            over[2, w] += r.is_job[v] * before
    for w in range(n_weeks):
        up = max(0.0, d.clients[w] + omega * sigma[0] * (over[0, w] - r.client_room[w]))
        d.clients[w] = new * up + old * d.clients[w] + fixed * anchor.clients[w]
        up = max(0.0, d.servers[w] + omega * sigma[1] * (over[1, w] - r.server_room[w]))
        d.servers[w] = new * up + old * d.servers[w] + fixed * anchor.servers[w]
        up = max(0.0, d.imports[w] + omega * sigma[2] * (over[2, w] - r.import_room[w]))
        d.imports[w] = new * up + old * d.imports[w] + fixed * anchor.imports[w]
    for k in range(len(r.rule_earlier)):
        for w in range(n_weeks):
            done = ahead[r.rule_earlier[k], r.rule_week[k, w]] if r.rule_week[k, w] >= 0 else 0.0
            broken = ahead[r.rule_later[k], w] - done
            up = max(0.0, d.rules[k, w] + omega * sigma[3] * broken)
            d.rules[k, w] = new * up + old * d.rules[k, w] + fixed * anchor.rules[k, w]
    for e in range(len(r.first)):
        a, b, j = r.first[e], r.second[e], r.job[e]
        if j >= 0:
            pace = omega * r.weight[e] * 7.0 / 3.0
            for w in range(n_weeks):
                broken = ahead[a, w] + ahead[b, w] - ahead[j, w] - 1.0
                up = max(0.0, d.needs[e, w] + pace * broken)
                d.needs[e, w] = new * up + old * d.needs[e, w] + fixed * anchor.needs[e, w]
    # From here on `ahead` is the part of each week that a node is secure.
    for v in range(n):
        for w in range(n_weeks - 1, -1, -1):
            before = ahead[v, w - 1] if w > 0 else 0.0
            if r.may_end[v, w]:
                ahead[v, w] -= (ahead[v, w] - before) * r.offset[v, w] / r.length[w]
            mass[v, w] = 0.0
    # One array is written in each loop over weeks: so they compile to vector instructions.
    for e in range(len(r.first)):
        a, b, j = r.first[e], r.second[e], r.job[e]
        whole = float(r.weight[e])
        on_first, first_then = d.on_first[e], anchor.on_first[e]
        of_a, of_b, mass_a, mass_b = ahead[a], ahead[b], mass[a], mass[b]
        if j < 0:
            pace = 0.5 * omega * whole
            for w in range(n_weeks):
                up = min(max(on_first[w] + pace * (of_b[w] - of_a[w]), 0.0), whole)
                on_first[w] = new * up + old * on_first[w] + fixed * first_then[w]
            for w in range(n_weeks):
                mass_a[w] += on_first[w]
            for w in range(n_weeks):
                mass_b[w] += whole - on_first[w]
            continue
        pace = omega * whole
        on_job, job_then = d.on_job[e], anchor.on_job[e]
        of_j, mass_j = ahead[j], mass[j]
        for w in range(n_weeks):
            x = on_first[w] - pace * of_a[w]
            z = on_job[w] - pace * of_j[w]
            y = whole - on_first[w] - on_job[w] - pace * of_b[w]
            # Project onto shares that are not negative and add up to the whole.
            total, least, most = x + y + z, min(x, y, z), max(x, y, z)
            excess = max(most - whole, (total - least - whole) / 2.0, (total - whole) / 3.0)
            x_row[w], z_row[w] = max(0.0, x - excess), max(0.0, z - excess)
        for w in range(n_weeks):
            on_first[w] = new * x_row[w] + old * on_first[w] + fixed * first_then[w]
        for w in range(n_weeks):
            on_job[w] = new * z_row[w] + old * on_job[w] + fixed * job_then[w]
        for w in range(n_weeks):
            mass_a[w] += on_first[w]
        for w in range(n_weeks):
            mass_b[w] += whole - on_first[w] - on_job[w]
        for w in range(n_weeks):
            mass_j[w] += on_job[w]
