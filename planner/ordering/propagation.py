"""Weeks that no order can use, found from what the weeks that are left already settle.

A relaxation may do half of a node; where a node has only late weeks left, or only one, whole
numbers say more: its imports take their room, its week is full, its rules bind.
"""

import numpy as np
from numpy.typing import NDArray

from planner.ordering.model import Longs
from planner.ordering.relaxation_kernel import Flags2, Relaxation

_NO_WEEK = 2**30


def propagated(r: Relaxation) -> Relaxation | None:
    """Take away weeks that no order with the others can use; None where a node has none left.

    Repeats until nothing changes: weeks that are full, and that must be more than full, rules, the
    weeks in which imports can be needed, and nodes whose certain imports would not fit.
    """
    may_end, before = r.may_end.copy(), -1
    needs = _Needs(r)
    while (n_left := int(may_end.sum())) != before:
        before = n_left
        for taken, room in ((r.n_clients, r.client_room), (r.n_servers, r.server_room)):
            of_one = taken // r.alike
            is_settled = may_end.sum(axis=1) == 1
            used = (may_end[is_settled] * taken[is_settled, None]).sum(axis=0)
            if (used > room).any():
                return None
            may_end[~is_settled] &= of_one[~is_settled, None] <= room - used
            if not may_end.any(axis=1).all() or _is_overfull(taken, room, may_end):
                return None
        for remove in (_break_rules, needs.outside, needs.without_room):
            may_end &= ~remove(r, *_ends(may_end))
            if not may_end.any(axis=1).all():
                return None
    return r._replace(may_end=may_end)


def _ends(may_end: Flags2) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """First and last week of each node."""
    return may_end.argmax(axis=1), may_end.shape[1] - 1 - may_end[:, ::-1].argmax(axis=1)


def _is_overfull(taken: Longs, room: Longs, may_end: Flags2) -> bool:
    """Whether what must go within some weeks is more than there is room for in them."""
    n_weeks = may_end.shape[1]
    within = np.zeros((n_weeks, n_weeks), dtype=np.int64)
    np.add.at(within, _ends(may_end), taken)
    # From a first week on, up to a last one.
    within = np.cumsum(np.cumsum(within[::-1], axis=0)[::-1], axis=1)
    until = np.cumsum(room)
    left = until - np.append(0, until[:-1])[:, None] - within
    return bool((np.triu(left) < 0).any())


def _break_rules(r: Relaxation, first: NDArray[np.intp], last: NDArray[np.intp]) -> Flags2:
    """Weeks of a later block that come too soon for the earlier one, and the other way round."""
    n, n_weeks = r.may_end.shape
    is_out = np.zeros((n, n_weeks), dtype=np.bool_)
    np.logical_or.at(is_out, r.rule_later, r.rule_week < first[r.rule_earlier, None])
    latest = r.rule_week[np.arange(len(r.rule_later)), last[r.rule_later]]
    np.logical_or.at(is_out, r.rule_earlier, np.arange(n_weeks) > latest[:, None])
    return is_out


class _Needs:
    """Which imports are needed when, by the weeks that are left to the ends of their links."""

    def __init__(self, r: Relaxation) -> None:
        linked = np.flatnonzero(r.job >= 0)
        self._first, self._second, self._job = r.first[linked], r.second[linked], r.job[linked]
        n = len(r.may_end)
        near = np.concatenate([self._first, self._second]).astype(np.int64)
        pairs, self._pair = np.unique(near * n + np.tile(self._job, 2), return_inverse=True)
        self._pair_node, self._pair_job = pairs // n, pairs % n

    def outside(self, r: Relaxation, first: NDArray[np.intp], last: NDArray[np.intp]) -> Flags2:
        """Weeks of imports before they can be needed, and after they must be."""
        n, n_weeks = r.may_end.shape
        earliest = self._by_job(first, n, default=_NO_WEEK)
        earliest[earliest == _NO_WEEK] = 0
        latest = self._by_job(last, n, default=_NO_WEEK)
        weeks = np.arange(n_weeks)
        is_out: Flags2 = (weeks < earliest[:, None]) | (weeks > latest[:, None])
        return is_out

    def _by_job(self, week: NDArray[np.intp], n: int, *, default: int) -> Longs:
        """Week of the first link of each import, a link having the later week of its ends."""
        found = np.full(n, default, dtype=np.int64)
        np.minimum.at(found, self._job, np.maximum(week[self._first], week[self._second]))
        return found

    def without_room(
        self, r: Relaxation, first: NDArray[np.intp], last: NDArray[np.intp]
    ) -> Flags2:
        """Weeks of a node by which its further certain imports are more than there is room for."""
        n, n_weeks = r.may_end.shape
        is_job = r.n_imports > 0
        certain = np.zeros(n_weeks, dtype=np.int64)
        np.add.at(certain, last, r.n_imports)
        certain = np.cumsum(certain)
        room = r.import_room - certain
        # An import is certain for a node from when another end of it is surely done, until it is
        # certain anyway.
        far = np.concatenate([self._second, self._first])
        since = np.full(len(self._pair_node), _NO_WEEK, dtype=np.int64)
        np.minimum.at(since, self._pair, last[far])
        until = last[self._pair_job]
        counts = since < until
        further = np.zeros((n, n_weeks + 1), dtype=np.int64)
        of_one = r.n_imports[self._pair_job] // r.alike[self._pair_node]
        np.add.at(further, (self._pair_node[counts], since[counts]), of_one[counts])
        np.add.at(further, (self._pair_node[counts], until[counts]), -of_one[counts])
        further = np.cumsum(further, axis=1)[:, :n_weeks]
        further[is_job] = np.arange(n_weeks) < last[is_job, None]
        is_over = further > room
        # Who cannot be done by the end of a week cannot go in an earlier one either.
        return np.logical_or.accumulate(is_over[:, ::-1], axis=1)[:, ::-1]
