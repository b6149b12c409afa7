"""Branch and bound on weeks, servers first: what the relaxation leaves open is mostly theirs."""

import heapq
import math
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np

from planner.ordering.alike import Merged
from planner.ordering.model import Model
from planner.ordering.propagation import propagated
from planner.ordering.relaxation import Ascent, Bound, dated
from planner.ordering.relaxation_kernel import Flags2, Relaxation, Singles
from planner.ordering.stopping import Clock

_STRETCHES: Final = 2
"""Stretches of the first-order method for each new node, at least."""
_WORTH: Final = 0.05
"""More stretches follow while the last ones closed so much of the gap that is left."""
_OPEN: Final = 0.02
"""A week is open to a block whose share times what is missing of it is more than this."""
_IN_ONE_WEEK: Final = 0.4
"""Counts as openness of a server, also where the relaxation has it in one week."""


@dataclass(order=True, slots=True)
class _Node:
    """A part of all orders: those within the weeks that are left, of merged nodes or whole ones."""

    value: int
    number: int
    may_end: Flags2 = field(compare=False)
    bound: Bound = field(compare=False)
    is_whole: bool = field(compare=False)


_Choose = Callable[[_Node, Flags2], tuple[int, list[int]] | None]


class Branching:
    """A search tree over the weeks of blocks; its bound is the least of its open nodes.

    Parameters
    ----------
    root
        The bound of the relaxation with every week that is left.
    merged
        What the bound is of. Alike clients are told apart where all servers have their weeks.
    clock
        When its time has run out, new nodes are left as they are.
    """

    def __init__(self, model: Model, merged: Merged, root: Bound, clock: Clock) -> None:
        self._model, self._merged, self._clock = model, merged, clock
        self._weight = model.weights() + 1.0
        self._servers = np.flatnonzero(model.n_servers > 0)
        self._nodes = [_Node(root.value, 0, merged.relaxation.may_end, root, is_whole=False)]
        self._closed: int | None = None
        self._n_nodes = 1

    @property
    def bound(self) -> int | None:
        """Lower bound of every order that is not worse than the best known; None for no such."""
        values = [self._nodes[0].value] if self._nodes else []
        values += [] if self._closed is None else [self._closed]
        return min(values, default=None)

    def branch(self, best: float) -> Bound | None:
        """Split the node with the least bound; the bound of the better child, None for no node."""
        while (node := self._least(best)) is not None:
            children = self._split(node, best)
            if children is None:
                # Every block has one week, so this is as good as it gets.
                self._closed = node.value if self._closed is None else min(self._closed, node.value)
                return node.bound
            self._keep(children)
            if children:
                return children[0].bound
        return None

    def plunge(self, best: float) -> Bound | None:
        """Settle the weeks of the servers one by one, on the better side of each split.

        What is left out is kept for later. The bound of the last node, None for no node.
        """
        node = self._least(best)
        while node is not None and self._clock.left > 0:
            children = self._split_on(node, best, self._weeks_of_server)
            self._keep([node] if children is None else children[1:])
            if not children or children[0].value >= best:
                return node.bound
            node = children[0]
        if node is not None:
            self._keep([node])
        return None

    def _least(self, best: float) -> _Node | None:
        """Take the node with the least bound, if it can hold a better order."""
        if self._nodes and self._nodes[0].value < best:
            return heapq.heappop(self._nodes)
        self._nodes.clear()
        return None

    def _keep(self, nodes: list[_Node]) -> None:
        for node in nodes:
            heapq.heappush(self._nodes, node)

    def _split(self, node: _Node, best: float) -> list[_Node] | None:
        """Split a node on a server, or else on a block, told apart from all that are like it."""
        children = self._split_on(node, best, self._weeks_of_server)
        if children is not None:
            return children
        return self._split_on(self._unfolded(node), best, self._week_of_block)

    def _unfolded(self, node: _Node) -> _Node:
        if node.is_whole:
            return node
        bound, may_end = self._merged.unfolded(node.bound), node.may_end[self._merged.node]
        return replace(node, may_end=may_end, bound=bound, is_whole=True)

    def _relaxation_of(self, node: _Node) -> Relaxation:
        return self._merged.whole if node.is_whole else self._merged.relaxation

    def _split_on(self, node: _Node, best: float, choose: _Choose) -> list[_Node] | None:
        """Split a node on a block, best child first; None if there is none to choose.

        Where two weeks may end the first side, the one is taken that, after a few steps, leaves
        the worse child the higher bound.
        """
        may_end = node.may_end & ~_too_dear(node, best)
        chosen = choose(node, may_end)
        if chosen is None:
            return None
        block, weeks = chosen
        with ThreadPoolExecutor() as pool:
            splits = [
                [
                    (side.may_end, pool.submit(self._begun, side, node))
                    for side in self._sides(node, may_end, block, week)
                ]
                for week in weeks
            ]
            begun = [[(left, ascent.result()) for left, ascent in split] for split in splits]
            split = max(begun, key=_least_bound)
            bounds = list(pool.map(lambda side: self._finished(side[1], node, best), split))
        children = []
        for (left, _), bound in zip(split, bounds, strict=True):
            self._n_nodes += 1
            value = max(bound.value, node.value)
            children.append(_Node(value, self._n_nodes, left, bound, node.is_whole))
        return sorted(children)

    def _sides(self, node: _Node, may_end: Flags2, block: int, week: int) -> Iterator[Relaxation]:
        """What is left with a block until the end of a week, and after it."""
        for side in (slice(0, week + 1), slice(week + 1, None)):
            left = may_end.copy()
            left[block] = False
            left[block, side] = may_end[block, side]
            relaxation = propagated(self._relaxation_of(node)._replace(may_end=left))
            # A side on which some block has no week left holds no order.
            if relaxation is not None:
                yield dated(self._model, relaxation)

    def _begun(self, side: Relaxation, node: _Node) -> Ascent:
        """The search for the bound of one side of a node, a few steps after where that stands."""
        ascent = Ascent(side, node.bound)
        if self._clock.left > 0:
            ascent.climb(_STRETCHES)
        return ascent

    def _finished(self, ascent: Ascent, node: _Node, best: float) -> Bound:
        """Bound of one side of a node, once more steps are not worth it."""
        before, value = float(node.value), ascent.best
        while value < best and value - before > _WORTH * (best - value) and self._clock.left > 0:
            before, value = value, ascent.climb(_STRETCHES)
        return ascent.bound()

    def _weeks_of_server(self, node: _Node, may_end: Flags2) -> tuple[int, list[int]] | None:
        """Server without a week of its own on which the most hangs; None where each has one.

        And the weeks until whose end it may go or not: its first one, and the one by which the
        relaxation has done half of it. What is heavy goes early and decides on all the rest, also
        where the relaxation has it in one week already: only settled weeks bind rules and imports
        by whole numbers.
        """
        servers = self._relaxation_of(node).node_of[self._servers]
        is_open = may_end[servers].sum(axis=1) > 1
        if not is_open.any():
            return None
        share, servers = node.bound.share, servers[is_open]
        open_weeks = _openness(share[servers], may_end[servers]).sum(axis=1)
        weight = self._weight[self._servers[is_open]]
        server = int(servers[((open_weeks + _IN_ONE_WEEK) * weight).argmax()])
        weeks = np.flatnonzero(may_end[server])[:-1]
        half = min(int(np.searchsorted(share[server, weeks], 0.5)), len(weeks) - 1)
        return server, sorted({int(weeks[0]), int(weeks[half])})

    def _week_of_block(self, node: _Node, may_end: Flags2) -> tuple[int, list[int]] | None:
        """Block whose weeks are most open, weighed by how much hangs on it; None for no block.

        And the first week in which it is open: what goes first decides on all the rest.
        """
        blocks = np.flatnonzero(may_end[: self._model.n_blocks].sum(axis=1) > 1)
        if not len(blocks):
            return None
        openness = _openness(node.bound.share[blocks], may_end[blocks])
        place = int(((openness.sum(axis=1) + 1e-6) * self._weight[blocks]).argmax())
        is_open = openness[place] > _OPEN
        week = int((is_open if is_open.any() else may_end[blocks[place]]).argmax())
        return int(blocks[place]), [week]


def _least_bound(split: list[tuple[Flags2, Ascent]]) -> float:
    """Least bound of the sides of a split; those of a split without any hold no order."""
    return min((ascent.best for _, ascent in split), default=math.inf)


def _openness(share: Singles, may_end: Flags2) -> Singles:
    """How far from settled blocks are by the end of each of their weeks; 0 in the last one."""
    return np.where(may_end, share * (1 - share), np.float32(0.0))


def _too_dear(node: _Node, best: float) -> Flags2:
    """Weeks in which a node would make every order worse than the best known."""
    over: Flags2 = node.bound.left >= best - node.bound.value
    return over
