"""Branch and bound on the weeks of servers: what the relaxation leaves open is mostly theirs."""

import heapq
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from planner.ordering.model import Model
from planner.ordering.relaxation import Ascent, Bound, relax
from planner.ordering.relaxation_kernel import Dual, Flags2

_STEPS: Final = 240
"""Steps of the first-order method for each new node; it starts from its parent's prices."""


@dataclass(order=True, slots=True)
class _Node:
    value: int
    number: int
    may_end: Flags2 = field(compare=False)
    bound: Bound = field(compare=False)


class Branching:
    """A search tree over the weeks of servers; its bound is the least of its open nodes.

    Parameters
    ----------
    root
        The bound of the relaxation with every week that is left.
    may_end
        By block and week: the weeks that are left.
    """

    def __init__(self, model: Model, root: Bound, may_end: Flags2) -> None:
        self._model = model
        self._servers = np.flatnonzero(model.n_servers > 0)
        self._nodes = [_Node(root.value, 0, may_end, root)]
        self._closed: int | None = None
        self.n_nodes = 1

    @property
    def bound(self) -> int | None:
        """Lower bound of every order that is not worse than the best known; None for no such."""
        values = [self._nodes[0].value] if self._nodes else []
        values += [] if self._closed is None else [self._closed]
        return min(values, default=None)

    def branch(self, best: float) -> Bound | None:
        """Split the node with the least bound; the bound of the better child, None for no node."""
        while self._nodes and self._nodes[0].value >= best:
            heapq.heappop(self._nodes)
        if not self._nodes:
            return None
        node = heapq.heappop(self._nodes)
        may_end = node.may_end & ~_too_dear(node, best, self._model.n_blocks)
        server, week = self._split(node, may_end)
        if server < 0:
            # Every server has one week: what is left open are the clients.
            self._closed = node.value if self._closed is None else min(self._closed, node.value)
            return node.bound
        children = []
        for side in (slice(0, week + 1), slice(week + 1, None)):
            left = may_end.copy()
            left[server] = False
            left[server, side] = may_end[server, side]
            if left.any(axis=1).all():
                children.append(self._solve(left, node.bound.prices, best))
        for child_may_end, child in children:
            self.n_nodes += 1
            value = max(child.value, node.value)
            if value < best:
                heapq.heappush(self._nodes, _Node(value, self.n_nodes, child_may_end, child))
        return min((child for _, child in children), key=lambda b: b.value, default=None)

    def _solve(self, may_end: Flags2, prices: Dual, best: float) -> tuple[Flags2, Bound]:
        ascent = Ascent(relax(self._model, may_end=may_end), prices)
        steps, value = 0, -np.inf
        while steps < 5 * _STEPS:
            before, value = value, ascent.climb(_STEPS)
            steps += _STEPS
            if value >= best or value - before < 2e-4 * abs(value):
                break
        return may_end, ascent.bound()

    def _split(self, node: _Node, may_end: Flags2) -> tuple[int, int]:
        """Server whose weeks are most open, and the week at whose end to split; -1 for none."""
        share = node.bound.share
        best, choice = 0.0, (-1, 0)
        for server in self._servers.tolist():
            weeks = np.flatnonzero(may_end[server])
            if len(weeks) < 2:
                continue
            inside = share[server, weeks[:-1]]
            # How far from whole, weighed by how much hangs on the server.
            open_part = float((inside * (1 - inside)).sum()) + 1e-6
            weight = open_part * float(
                self._model.link_weight[
                    self._model.link_first[server] : self._model.link_first[server + 1]
                ].sum()
                + 1
            )
            if weight > best:
                place = int(np.abs(inside - 0.5).argmin())
                best, choice = weight, (server, int(weeks[place]))
        return choice


def _too_dear(node: _Node, best: float, n_blocks: int) -> Flags2:
    """Weeks in which a block would make every order worse than the best known."""
    over: Flags2 = node.bound.left[:n_blocks] >= best - node.bound.value
    return over
