"""The linear relaxation of a model: a lower bound that is certified in whole numbers.

A link's sessions are secure on the later day of its ends, so a day of it may be charged to either
end, or to its import, in any proportion: every proportion gives a bound, and the best ones are
found by a first-order method. In a week whose first days differ, the days on which only one end can
have gone are charged apart. What it finds is rounded to whole units before it is believed.
"""

import math
from dataclasses import dataclass
from typing import Final

import numpy as np

from planner.ordering import relaxation_kernel as kernel
from planner.ordering.model import Ints, Longs, Model
from planner.ordering.relaxation_kernel import (
    Dual,
    Flags2,
    Floats,
    Iterate,
    Pace,
    Relaxation,
    Singles,
)

_LARGEST: Final = 2**58
_FINEST: Final = 2**12
_STRETCH: Final = 120
"""Steps of the first-order method after which it is anchored anew."""
_NOT: Final = 2**30
"""In place of the days before a block may go in a week: it may not."""
_NODES_OF_EVEN_PACE: Final = 33
"""Nodes for which prices and shares move at one pace."""


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Bound:
    """What a relaxation says.

    Parameters
    ----------
    value
        No order costs less, in the model's units.
    left
        By node and week: at least so much more than `value` an order costs in which the node goes
        in that week.
    share
        By node and week: the part of it that the relaxation has done by the end of the week.
    prices
        With `share`, where the search for the bound stands, to go on from there: it can be on its
        way to a better bound through a worse one.
    gap
        By link: its row in the prices of gaps, or -1.
    node_of
        By block: its node.
    """

    value: int
    left: Longs
    share: Singles
    prices: Dual
    gap: Ints
    node_of: Ints

    @property
    def mean_week(self) -> Floats:
        """By block: the week in which it goes, on average over its shares."""
        weeks: Floats = (1.0 - told_apart(self.share, self.node_of)).sum(axis=1, dtype=np.float64)
        return weeks


def told_apart(share: Singles, node_of: Ints) -> Singles:
    """Shares of all that nodes stand for: of alike ones, one is done before the next begins."""
    order = np.argsort(node_of, kind="stable")
    place = np.empty(len(order), dtype=np.int64)
    place[order] = np.arange(len(order)) - np.searchsorted(node_of[order], node_of[order])
    alike = np.bincount(node_of)[node_of]
    apart: Singles = np.clip(alike[:, None] * share[node_of] - place[:, None], 0, 1)
    return apart.astype(np.float32)


def relax(model: Model) -> Relaxation:
    """Return the linear relaxation of a model, by weeks."""
    n, n_weeks = model.n_blocks, model.n_weeks
    allowed, day = _first_days(model)
    own = np.where(allowed, model.own_weight[:, None] * day + _moved(model), 0)
    first, second, job, weight, n_jobs = _links(model)
    earliest = _earliest_needs(model)
    may_need = np.arange(n_weeks) >= model.week_of_day[earliest][:, None]
    needed = np.zeros(len(job), dtype=np.int64)
    needed[job >= 0] = earliest[job[job >= 0] - n]
    links = (first, second, needed)
    days, gap, first_leads, second_leads = _secure_days(model, allowed, day, links)
    rules = _rules(model, allowed)
    return Relaxation(
        may_end=np.concatenate([allowed, may_need]),
        day=day,
        own=np.concatenate([own, np.zeros((n_jobs, n_weeks), dtype=np.int64)]),
        horizon=len(model.week_of_day),
        first=first,
        second=second,
        job=job,
        weight=weight,
        needed=needed,
        days=days,
        gap=gap,
        first_leads=first_leads,
        second_leads=second_leads,
        n_clients=np.concatenate([model.n_clients, np.zeros(n_jobs)]).astype(np.int64),
        n_servers=np.concatenate([model.n_servers, np.zeros(n_jobs)]).astype(np.int64),
        n_imports=np.concatenate([np.zeros(n), np.ones(n_jobs)]).astype(np.int64),
        client_room=_finite(model.client_room, int(model.n_clients.sum())),
        server_room=_finite(model.server_room, int(model.n_servers.sum())),
        import_room=_finite(_import_room(model), n_jobs),
        rule_earlier=rules[0],
        rule_later=rules[1],
        rule_week=rules[2],
        alike=np.ones(n + n_jobs, dtype=np.int64),
        node_of=np.arange(n, dtype=np.int32),
    )


def dated(model: Model, r: Relaxation) -> Relaxation:
    """Move the first days of blocks to where rules and the weeks that are left put them.

    Within a week a block waits for another one that cannot have gone in an earlier week.
    """
    later = r.node_of[np.repeat(np.arange(model.n_blocks), np.diff(model.rule_first))]
    earlier = r.node_of[model.rule_other]
    n = len(r.day)
    _, block_of = np.unique(r.node_of, return_index=True)
    may_end, day = r.may_end[:n].copy(), r.day.copy()
    is_moved = True
    while is_moved:
        first_week = may_end.argmax(axis=1)
        soonest = day[np.arange(n), first_week]
        wait = soonest.copy()
        np.maximum.at(wait, later, soonest[earlier] + model.rule_gap)
        is_moved = False
        for node in np.flatnonzero(wait > soonest).tolist():
            choices = model.choices(block_of[node])
            choices = choices[np.searchsorted(choices, wait[node]) :]
            choices = choices[may_end[node, model.week_of_day[choices]]]
            if len(choices):
                week = model.week_of_day[choices[0]]
                may_end[node, :week] = False
                day[node, week] = choices[0]
                is_moved = True
    r = r._replace(may_end=np.concatenate([may_end, r.may_end[n:]]))
    if (day == r.day).all():
        return r
    own = r.own.copy()
    own[:n] += (r.alike[:n] * model.own_weight[block_of])[:, None] * (day - r.day)
    days, gap, first_leads, second_leads = _secure_days(
        model, may_end, day, (r.first, r.second, r.needed)
    )
    return r._replace(
        day=day,
        own=own,
        days=days,
        gap=gap,
        first_leads=first_leads,
        second_leads=second_leads,
    )


def _secure_days(
    model: Model, allowed: Flags2, day: Longs, links: tuple[Ints, Ints, Longs]
) -> tuple[Longs, Ints, Longs, Longs]:
    """Days of the links by week, the row of each link's gaps, and the gaps' days by leading end.

    `allowed` and `day` are by block and week; `links` are the two blocks of each link, and the
    first day on which its import can be needed.
    """
    n_weeks, (first, second, needed) = model.n_weeks, links
    n_links = len(first)
    length = np.bincount(model.week_of_day, minlength=n_weeks).astype(np.int64)
    monday: Longs = np.cumsum(length) - length
    offset = np.where(allowed, day - monday, _NOT)
    # In its first week a link's sessions wait for the first day on which its import can be needed.
    at_least = np.zeros((n_links, n_weeks), dtype=np.int64)
    at_least[np.arange(n_links), model.week_of_day[needed]] = (
        needed - monday[model.week_of_day[needed]]
    )
    days = np.empty((n_links, n_weeks), dtype=np.int64)
    leads = np.empty((n_links, n_weeks), dtype=np.int64)
    until_next = np.zeros(n_links, dtype=np.int64)
    for w in range(n_weeks - 1, -1, -1):
        of_first, of_second = offset[first, w], offset[second, w]
        # An end that does not go in a week is as good as one that goes with the other.
        soon, late = np.minimum(of_first, of_second), np.maximum(of_first, of_second)
        late = np.where(late == _NOT, soon, late)
        soon, late = (np.where(soon == _NOT, 0, x) for x in (soon, late))
        soon, late = np.maximum(soon, at_least[:, w]), np.maximum(late, at_least[:, w])
        days[:, w] = length[w] - late + until_next
        leads[:, w] = np.where(of_first <= of_second, late - soon, soon - late)
        until_next = soon
    # Before the first week nobody is done.
    leads[:, 0] = 0
    rows = np.flatnonzero(leads.any(axis=1))
    gap = np.full(n_links, -1, dtype=np.int32)
    gap[rows] = np.arange(len(rows))
    return days, gap, np.maximum(leads[rows], 0), np.maximum(-leads[rows], 0)


def _finite(room: Longs, total: int) -> Longs:
    """Return capacities that are no larger than all there is to do."""
    return np.minimum(room, total)


def _first_days(model: Model) -> tuple[Flags2, Longs]:
    """Whether each block may go in each week, and the first day on which it may."""
    n, n_weeks = model.n_blocks, model.n_weeks
    block = np.repeat(np.arange(n), np.diff(model.choice_first))
    week = model.week_of_day[model.choice_day]
    n_days = len(model.week_of_day)
    day = np.full((n, n_weeks), n_days, dtype=np.int64)
    np.minimum.at(day, (block, week), model.choice_day)
    allowed = day < n_days
    day[~allowed] = 0
    return allowed, day


def _moved(model: Model) -> Longs:
    """Least cost of disturbance of each block in each week."""
    n, n_weeks = model.n_blocks, model.n_weeks
    moved = np.full((n, n_weeks), np.iinfo(np.int64).max, dtype=np.int64)
    block = np.repeat(np.arange(n), np.diff(model.choice_first))
    away = np.abs(model.choice_day - model.drafted_day[block]) * model.moved_weight[block]
    np.minimum.at(moved, (block, model.week_of_day[model.choice_day]), away)
    return np.where(moved == np.iinfo(np.int64).max, 0, moved)


def _links(model: Model) -> tuple[Ints, Ints, Ints, Longs, int]:
    """Links, each once for every import that its sessions need, and the count of imports."""
    n = model.n_blocks
    block = np.repeat(np.arange(n, dtype=np.int32), np.diff(model.link_first))
    is_once = block < model.link_other
    first, second = block[is_once], model.link_other[is_once]
    weight = model.link_weight[is_once]
    no_jobs = np.full(len(first), -1, dtype=np.int32)
    if not model.n_jobs:
        return first, second, no_jobs, weight, 0
    job = np.repeat(np.arange(model.n_jobs, dtype=np.int32), np.diff(model.job_first))
    client, server = model.job_client[job], model.job_server
    binds = (client >= 0) & (server >= 0) & (client != server) & (model.job_release[job] == 0)
    low, high = np.minimum(client, server)[binds], np.maximum(client, server)[binds]
    key = first.astype(np.int64) * n + second
    pairs = np.unique(np.stack([low.astype(np.int64) * n + high, job[binds]], axis=1), axis=0)
    pairs = pairs[np.isin(pairs[:, 0], key)]
    place = np.searchsorted(key, pairs[:, 0])
    count = np.bincount(place, minlength=len(key))
    # A link with several imports is split between them; what cannot be split goes to the first.
    row = np.concatenate([place, np.flatnonzero(count == 0)])
    node = np.concatenate([n + pairs[:, 1], np.full(np.count_nonzero(count == 0), -1)])
    part = weight[row] // np.maximum(count[row], 1)
    _, leading = np.unique(row, return_index=True)
    part[leading] += (weight - part[leading] * np.maximum(count, 1))[row[leading]]
    return first[row], second[row], node.astype(np.int32), part, model.n_jobs


def _import_room(model: Model) -> Longs:
    """How many jobs may be needed by the end of each week."""
    n_weeks = model.n_weeks
    # The last day of each week on which any block may go; nothing is needed after it.
    last = np.zeros(n_weeks, dtype=np.int64)
    np.maximum.at(last, model.week_of_day[model.choice_day], model.choice_day)
    np.maximum.at(last, model.week_of_day[model.job_release], model.job_release)
    last = np.maximum.accumulate(last)
    due = model.due_week[last]
    room: Longs = np.where(due >= 0, model.import_room[np.maximum(due, 0)], 0).astype(np.int64)
    return room


def _earliest_needs(model: Model) -> Longs:
    """First day on which each import can be needed."""
    earliest = np.maximum(model.job_earliest, model.job_release)
    earliest = np.maximum(earliest, np.searchsorted(model.due_week, 0)).astype(np.int64)
    return np.minimum(earliest, len(model.week_of_day) - 1)


def _rules(model: Model, allowed: Flags2) -> tuple[Ints, Ints, Ints]:
    """Rules by weeks: the latest week of the earlier block that leaves the later one its week."""
    later = np.repeat(np.arange(model.n_blocks, dtype=np.int32), np.diff(model.rule_first))
    earlier, gap = model.rule_other, model.rule_gap
    n_weeks = model.n_weeks
    last_day = np.full((model.n_blocks, n_weeks), -1, dtype=np.int64)
    block = np.repeat(np.arange(model.n_blocks), np.diff(model.choice_first))
    np.maximum.at(last_day, (block, model.week_of_day[model.choice_day]), model.choice_day)
    last_day = np.maximum.accumulate(np.where(allowed, last_day, -1), axis=1)
    limit = np.where(last_day[later] >= 0, last_day[later] - gap[:, None], -1)
    week = np.where(
        limit >= 0, model.week_of_day[np.clip(limit, 0, len(model.week_of_day) - 1)], -1
    )
    # A rule that every order keeps by its days alone costs nothing to leave out.
    first_week = allowed.argmax(axis=1)
    last_week = n_weeks - 1 - allowed[:, ::-1].argmax(axis=1)
    binds = np.array(
        [
            bool((week[k, first_week[later[k]] :] < last_week[earlier[k]]).any())
            for k in range(len(later))
        ],
        dtype=np.bool_,
    )
    return (
        np.ascontiguousarray(earlier[binds]),
        np.ascontiguousarray(later[binds]),
        np.ascontiguousarray(week[binds].astype(np.int32)),
    )


class Ascent:
    """The search for the prices with the best bound; more steps never make it worse.

    Parameters
    ----------
    near
        What a relaxation with more weeks says: where to start from.
    """

    def __init__(self, relaxation: Relaxation, near: Bound | None = None) -> None:
        self._r = relaxation
        dual = _start(relaxation) if near is None else _taken_over(near, relaxation.gap)
        share = _spread_out(relaxation) if near is None else near.share.copy()
        price = kernel.prices_of_done(relaxation, dual).astype(np.float32)
        self._at = Iterate(share=share, dual=dual, price=price)
        self._ahead = np.zeros((len(share), share.shape[1] + 1), dtype=np.float32)
        self._pace = _pace(relaxation)
        self.best = self.value(dual)
        self._best = _copied(dual)

    def value(self, dual: Dual) -> float:
        """Bound that prices give, in floating point."""
        return float(kernel.bound_of(self._r, dual))

    def climb(self, n_stretches: int) -> float:
        """Take stretches of steps, each from where the last one ended."""
        for _ in range(n_stretches):
            now = self._at
            anchor = now._replace(share=now.share.copy(), dual=_copied(now.dual))
            kernel.stretch(self._r, now, anchor, self._pace, self._ahead, _STRETCH)
            value = self.value(now.dual)
            if value > self.best:
                self.best = value
                self._best = _copied(now.dual)
        return self.best

    def bound(self) -> Bound:
        """Return the best bound so far, certified."""
        r = self._r
        unit = _FINEST
        total = (
            int(r.weight.sum()) * r.horizon + int(np.abs(r.own).max(axis=1, initial=0).sum()) + 1
        )
        while unit > 1 and total * unit * 4 > _LARGEST:
            unit //= 2
        left = np.zeros(r.may_end.shape, dtype=np.int64)
        value = int(kernel.certified(r, self._best, unit, left))
        # An order costs whole units of the model.
        bound = -(-value // unit)
        more = (left // r.alike[:, None] + (value - (bound - 1) * unit) - 1) // unit
        return Bound(
            value=bound,
            share=self._at.share.copy(),
            left=np.where(r.may_end, np.maximum(more - 1, 0), np.iinfo(np.int64).max),
            prices=_copied(self._at.dual),
            gap=r.gap,
            node_of=r.node_of,
        )


def _start(r: Relaxation) -> Dual:
    """Return prices of nothing, with each link charged to its blocks in halves."""
    n_weeks = r.may_end.shape[1]
    half: Singles = np.repeat((r.weight / 2).astype(np.float32)[:, None], n_weeks, axis=1)
    gaps = np.flatnonzero(r.gap >= 0)

    def nothing(*shape: int) -> Singles:
        return np.zeros(shape, dtype=np.float32)

    return Dual(
        on_first=half,
        on_job=nothing(*half.shape),
        gap_on_first=half[gaps],
        gap_on_job=nothing(len(gaps), n_weeks),
        needs=nothing(*half.shape),
        clients=nothing(n_weeks),
        servers=nothing(n_weeks),
        imports=nothing(n_weeks),
        rules=nothing(len(r.rule_earlier), n_weeks),
    )


def _copied(dual: Dual) -> Dual:
    return Dual(*(column.copy() for column in dual))


def _taken_over(near: Bound, gap: Ints) -> Dual:
    """Return prices with other gaps; new ones are charged as the link's other days are."""
    prices = _copied(near.prices)
    if np.array_equal(near.gap, gap):
        return prices
    rows = np.flatnonzero(gap >= 0)
    is_new = near.gap[rows, None] < 0

    def of_gaps(of_gap: Singles, of_link: Singles) -> Singles:
        if not len(of_gap):
            return of_link[rows]
        return np.where(is_new, of_link[rows], of_gap[near.gap[rows]])

    return prices._replace(
        gap_on_first=of_gaps(prices.gap_on_first, prices.on_first),
        gap_on_job=of_gaps(prices.gap_on_job, prices.on_job),
    )


def _spread_out(r: Relaxation) -> Singles:
    """Return shares that grow evenly over each node's weeks."""
    counts = np.cumsum(r.may_end, axis=1)
    share: Singles = (counts / np.maximum(counts[:, -1:], 1)).astype(np.float32)
    return share


def _pace(r: Relaxation) -> Pace:
    """Step lengths that make the method converge (Pock and Chambolle 2011), in units of cost."""
    n, n_alike = len(r.may_end), int(r.alike.sum())
    weight = r.weight.astype(np.float64)
    # What is charged to a node for the days of a week, at most, and as much again for the needs.
    charged = np.zeros(r.may_end.shape)
    need = np.where(r.job >= 0, 7.0 * weight, 0.0)[:, None]
    days = weight[:, None] * r.days + need
    for ends in (r.first, r.second):
        np.add.at(charged, ends, days)
    has_job = r.job >= 0
    np.add.at(charged, r.job[has_job], days[has_job])
    rows = np.flatnonzero(r.gap >= 0)
    for ends, ahead, behind in (
        (r.first, r.first_leads, r.second_leads),
        (r.second, r.second_leads, r.first_leads),
    ):
        np.add.at(charged, ends[rows], weight[rows, None] * ahead)
        np.add.at(charged[:, :-1], ends[rows], weight[rows, None] * behind[:, 1:])
    rows = rows[has_job[rows]]
    leads = (r.first_leads + r.second_leads)[r.gap[rows]]
    np.add.at(charged, r.job[rows], weight[rows, None] * leads)
    links = charged.max(axis=1)
    typical = max(1.0, float(links.sum()) / max(1, n_alike))
    wide = np.array([r.n_clients.sum(), r.n_servers.sum(), r.n_imports.sum()], dtype=np.float64)
    # All nodes share a capacity: the more there are, the shorter the steps of its price. So those
    # of prices are lengthened for it, and those of shares shortened.
    omega = max(1.0, math.sqrt(n_alike / _NODES_OF_EVEN_PACE))
    of_room = omega * typical / np.array([2 * wide[0] + 1, 2 * wide[1] + 1, wide[2] + 1])
    ruled = np.zeros(n)
    for ends in (r.rule_earlier, r.rule_later):
        np.add.at(ruled, ends, typical / 2.0)
    tau = 1.0 / (
        links
        + 2 * (r.n_clients + r.n_servers) * typical
        + r.n_imports * typical
        + ruled
        + np.abs(np.diff(r.own, axis=1)).max(axis=1, initial=0)
        + 1e-9
    )
    clients, servers, imports = of_room.tolist()
    return Pace(
        of_node=(tau / omega).astype(np.float32),
        of_link=(omega * weight * np.where(r.job >= 0, 1.0, 0.5)).astype(np.float32),
        of_need=(omega * weight * 7.0 / 3.0).astype(np.float32),
        of_room=(clients, servers, imports, np.float32(omega * typical / 2.0)),
        own=r.own.astype(np.float32),
        weight=weight.astype(np.float32),
        days=r.days.astype(np.float32),
        first_leads=r.first_leads.astype(np.float32),
        second_leads=r.second_leads.astype(np.float32),
    )
