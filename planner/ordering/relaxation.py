"""The linear relaxation of a model: a lower bound that is certified in whole numbers.

A link's sessions are secure on the later day of its ends, so a day of it may be charged to either
end, or to its import, in any proportion: every proportion gives a bound, and the best ones are
found by a first-order method. What it finds is rounded to whole units before it is believed.
"""

import math
from dataclasses import dataclass
from typing import Final

import numpy as np

from planner.ordering import relaxation_kernel as kernel
from planner.ordering.model import Ints, Longs, Model
from planner.ordering.relaxation_kernel import Dual, Flags2, Floats, Relaxation

_LARGEST: Final = 2**58
_FINEST: Final = 2**12
_STRETCH: Final = 120
"""Steps of the first-order method after which it is anchored anew."""
_NODES_OF_EVEN_PACE: Final = 33
"""Nodes for which prices and shares move at one pace. All nodes share a capacity: the more there
are, the shorter the steps of its price, which are lengthened for that."""


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Bound:
    """What a relaxation says.

    Parameters
    ----------
    value
        No order costs less, in the model's units.
    share
        By node and week: the part of it that the relaxation has done by the end of the week.
    left
        By node and week: at least so much more than `value` an order costs in which the node goes
        in that week.
    prices
        Where to start from next time.
    """

    value: int
    share: Floats
    left: Longs
    prices: Dual


def relax(model: Model, *, may_end: Flags2 | None = None) -> Relaxation:
    """Return the linear relaxation of a model, by weeks.

    Parameters
    ----------
    may_end
        By block and week: weeks that are left to it; all that its days allow where not given.
    """
    n, n_weeks = model.n_blocks, model.n_weeks
    length = np.bincount(model.week_of_day, minlength=n_weeks).astype(np.int64)
    monday = np.concatenate([[0], np.cumsum(length)[:-1]]).astype(np.int64)
    allowed, day = _first_days(model)
    if may_end is not None:
        allowed &= may_end
    own = model.own_weight[:, None] * day + _moved(model)
    first, second, job, weight, used = _links(model)
    n_jobs = len(used)
    import_room, may_need, earliest = _import_room(model, used)
    has_job_node = np.concatenate([np.zeros(n), np.ones(n_jobs)]).astype(np.int64)
    offset = np.where(allowed, day - monday, 0)
    of_job = np.full((n_jobs, n_weeks), 7, dtype=np.int64)
    both = np.minimum(
        np.where(allowed[first], offset[first], 7), np.where(allowed[second], offset[second], 7)
    )
    with_job = job >= 0
    np.minimum.at(of_job, job[with_job] - n, both[with_job])
    of_job = np.maximum(of_job, earliest[:, None] - monday)
    of_job = np.where(may_need, np.minimum(of_job, length - 1), 0)
    rules = _rules(model, allowed)
    return Relaxation(
        length=length,
        may_end=np.concatenate([allowed, may_need]),
        offset=np.concatenate([offset, of_job]),
        own=np.concatenate([np.where(allowed, own, 0), np.zeros_like(of_job)]),
        first=first,
        second=second,
        job=job,
        weight=weight,
        n_clients=np.concatenate([model.n_clients, np.zeros(n_jobs)]).astype(np.int64),
        n_servers=np.concatenate([model.n_servers, np.zeros(n_jobs)]).astype(np.int64),
        is_job=has_job_node,
        client_room=_finite(model.client_room, int(model.n_clients.sum())),
        server_room=_finite(model.server_room, int(model.n_servers.sum())),
        import_room=_finite(import_room, n_jobs),
        rule_earlier=rules[0],
        rule_later=rules[1],
        rule_week=rules[2],
    )


def weeks_of(model: Model) -> Flags2:
    """Whether each block may go in each week."""
    return _first_days(model)[0]


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


def _links(model: Model) -> tuple[Ints, Ints, Ints, Longs, Ints]:
    """Links, each once for every import that its sessions need, and the jobs in use."""
    n = model.n_blocks
    block = np.repeat(np.arange(n, dtype=np.int32), np.diff(model.link_first))
    is_once = block < model.link_other
    first, second = block[is_once], model.link_other[is_once]
    weight = model.link_weight[is_once]
    no_jobs = np.full(len(first), -1, dtype=np.int32)
    if not model.n_jobs:
        return first, second, no_jobs, weight, np.zeros(0, dtype=np.int32)
    used = np.arange(model.n_jobs, dtype=np.int32)
    job = np.repeat(used, np.diff(model.job_first))
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
    return first[row], second[row], node.astype(np.int32), part, used


def _import_room(model: Model, used: Ints) -> tuple[Longs, Flags2, Longs]:
    """How many jobs may be needed by the end of each week, each one's weeks, and its first day."""
    n_weeks = model.n_weeks
    # The last day of each week on which any block may go; nothing is needed after it.
    last = np.zeros(n_weeks, dtype=np.int64)
    np.maximum.at(last, model.week_of_day[model.choice_day], model.choice_day)
    np.maximum.at(last, model.week_of_day[model.job_release], model.job_release)
    last = np.maximum.accumulate(last)
    due = model.due_week[last]
    room = np.where(due >= 0, model.import_room[np.maximum(due, 0)], 0)
    earliest = np.maximum(model.job_earliest, model.job_release)[used]
    earliest = np.maximum(earliest, np.searchsorted(model.due_week, 0)).astype(np.int64)
    earliest = np.minimum(earliest, len(model.week_of_day) - 1)
    may_need: Flags2 = np.arange(n_weeks) >= model.week_of_day[earliest][:, None]
    return room.astype(np.int64), may_need, earliest


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
        self._omega = max(1.0, math.sqrt(len(relaxation.may_end) / _NODES_OF_EVEN_PACE))
        self._dual = _start(relaxation) if near is None else _copied(near.prices)
        self._share = _spread_out(relaxation) if near is None else near.share.copy()
        self._ahead = np.zeros_like(self._share)
        self._mass = kernel.masses(relaxation, self._dual)
        self._tau, self._sigma = _steps(relaxation)
        self.best = self.value(self._dual)
        self._best_dual, self._best_share = _copied(self._dual), self._share.copy()

    def value(self, dual: Dual) -> float:
        """Bound that prices give, in floating point."""
        mass = kernel.masses(self._r, dual)
        return float(kernel.bound_of(self._r, kernel.node_costs(self._r, mass, dual), dual))

    def climb(self, n_stretches: int) -> float:
        """Take stretches of steps, each from where the last one ended."""
        for _ in range(n_stretches):
            anchor_share, anchor = self._share.copy(), _copied(self._dual)
            for number in range(1, _STRETCH + 1):
                kernel.step(
                    self._r,
                    self._share,
                    self._ahead,
                    self._dual,
                    self._mass,
                    self._tau,
                    self._sigma,
                    self._omega,
                    anchor_share,
                    anchor,
                    number / (number + 1) if number < _STRETCH else 0.0,
                )
            value = self.value(self._dual)
            if value > self.best:
                self.best = value
                self._best_dual, self._best_share = _copied(self._dual), self._share.copy()
        return self.best

    def bound(self) -> Bound:
        """Return the best bound so far, certified."""
        r = self._r
        unit = _FINEST
        days = int(r.length.sum())
        total = int(r.weight.sum()) * days + int(np.abs(r.own).max(axis=1, initial=0).sum()) + 1
        while unit > 1 and total * unit * 4 > _LARGEST:
            unit //= 2
        left = np.zeros(r.may_end.shape, dtype=np.int64)
        value = int(kernel.certified(r, self._best_dual, unit, left))
        # An order costs whole units of the model.
        bound = -(-value // unit)
        more = (left + (value - (bound - 1) * unit) - 1) // unit
        return Bound(
            value=bound,
            share=self._best_share.copy(),
            left=np.where(r.may_end, np.maximum(more - 1, 0), np.iinfo(np.int64).max),
            prices=_copied(self._best_dual),
        )


def _start(r: Relaxation) -> Dual:
    n_links, n_weeks = len(r.first), len(r.length)
    weight = r.weight.astype(np.float64)[:, None]
    return Dual(
        on_first=np.repeat(weight / 2, n_weeks, axis=1),
        on_job=np.zeros((n_links, n_weeks)),
        needs=np.zeros((n_links, n_weeks)),
        clients=np.zeros(n_weeks),
        servers=np.zeros(n_weeks),
        imports=np.zeros(n_weeks),
        rules=np.zeros((len(r.rule_earlier), n_weeks)),
    )


def _copied(dual: Dual) -> Dual:
    return Dual(*(column.copy() for column in dual))


def _spread_out(r: Relaxation) -> Floats:
    """Return shares that grow evenly over each node's weeks."""
    counts = np.cumsum(r.may_end, axis=1)
    share: Floats = counts / np.maximum(counts[:, -1:], 1)
    return share


def _steps(r: Relaxation) -> tuple[Floats, Floats]:
    """Step lengths that make the method converge (Pock and Chambolle 2011), in units of cost."""
    n = len(r.may_end)
    links = np.zeros(n)
    weight = r.weight.astype(np.float64)
    # A link with an import has its share of a week and its need to be paid for.
    times = np.where(r.job >= 0, 2.0, 1.0)
    for ends in (r.first, r.second):
        np.add.at(links, ends, weight * times)
    np.add.at(links, r.job[r.job >= 0], 2.0 * weight[r.job >= 0])
    days = float(r.length.max())
    links *= days
    typical = max(1.0, float(links.sum()) / max(1, n))
    wide = np.array([r.n_clients.sum(), r.n_servers.sum(), r.is_job.sum()], dtype=np.float64)
    price = np.full(4, typical)
    sigma = price / np.array([2 * wide[0] + 1, 2 * wide[1] + 1, wide[2] + 1, 2.0])
    ruled = np.zeros(n)
    for ends in (r.rule_earlier, r.rule_later):
        np.add.at(ruled, ends, price[3])
    tau = 1.0 / (
        links
        + 2 * (r.n_clients + r.n_servers) * typical
        + r.is_job * typical
        + ruled
        + np.abs(np.diff(r.own, axis=1)).max(axis=1, initial=0)
        + 1e-9
    )
    return tau, sigma
