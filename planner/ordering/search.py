"""Local search over orders: compiled moves, annealed round by round, always feasible."""

from typing import Final

import numpy as np

from planner.ordering import kernel
from planner.ordering.model import Ints, Longs, Model

MOVES_PER_BLOCK: Final = 200
_MOVES_PER_BLOCK_OF_SMALL: Final = 800
_SMALL: Final = 100
_FEWEST_MOVES: Final = 1_000
_MOST_MOVES: Final = 1_000_000
"""More are not worth their time: clients have the exchange."""
_COOLING: Final = 0.6
_ROUNDS_PER_CYCLE: Final = 12
"""After so many rounds the search warms up again."""
_IDLE_CYCLES: Final = 2
"""After so many cycles without anything better the search is idle."""
_WARM: Final = 0.5
"""Temperature of a cycle's first round, as a part of what an average block costs in a week."""


class Search:
    """Local search from a feasible order; keeps the best one that it has seen."""

    def __init__(
        self,
        model: Model,
        days: Ints,
        *,
        seed: int,
        finish: float,
        peak_imports: float,
        open_weeks: Longs,
    ) -> None:
        self._model = model
        self._extras = np.array([finish, peak_imports])
        self._open_weeks = open_weeks
        self._state = (seed * 2_654_435_761 + 97) % 2**47
        self._round = self._idle = 0
        self._now, self.cost = self._exchanged(days)
        self.best = self._now.copy()
        movable = np.flatnonzero(np.diff(model.choice_first) > 1)
        is_server = model.n_servers[movable] > 0
        self._groups = [movable[~is_server], movable[is_server]]
        weights = model.own_weight.sum() + model.link_weight.sum() / 2
        self._typical = 7.0 * float(weights) / max(1, len(movable)) + 1e-9

    @property
    def is_idle(self) -> bool:
        """Whether nothing better was found in whole cycles."""
        return self._idle >= _IDLE_CYCLES * _ROUNDS_PER_CYCLE

    @property
    def begins_cycle(self) -> bool:
        """Whether the next round is the first of a cycle."""
        return self._round % _ROUNDS_PER_CYCLE == 0

    def cost_of(self, days: Ints) -> float:
        """Cost of an order with the parts that no relaxation knows."""
        model = self._model
        cost = float(model.cost(days))
        if self._extras.any():
            due = np.bincount(
                np.maximum(model.due_week[model.needed(days)], 0), minlength=model.n_weeks
            )
            peak = kernel.peak_of(self._open_weeks, due.astype(np.int64))
            cost += self._extras[0] * int(days.max(initial=0)) + self._extras[1] * peak
        return cost

    def offer(self, days: Ints, *, restart: bool) -> None:
        """Take another order if it is better, or, to `restart`, in any case; the best is kept."""
        days, cost = self._exchanged(days)
        if restart or cost < self.cost:
            self._now = days.copy()
        if cost < self.cost:
            self.best, self.cost, self._idle = days, cost, 0

    def _exchanged(self, days: Ints) -> tuple[Ints, float]:
        """Clients in their cheapest weeks, where that is better, and the cost."""
        moved = days.copy()
        kernel.exchange(self._model, moved)
        return min(((moved, self.cost_of(moved)), (days, self.cost_of(days))), key=lambda x: x[1])

    def run(self) -> None:
        """Search for one round."""
        model = self._model
        groups = [group[np.argsort(self._now[group], kind="stable")] for group in self._groups]
        ranked = np.concatenate(groups).astype(np.int32)
        if not len(ranked):
            return
        rank = np.zeros(model.n_blocks, dtype=np.int32)
        rank[ranked] = np.arange(len(ranked))
        first = np.array([0, len(groups[0]), len(ranked)], dtype=np.int32)
        phase = self._round % _ROUNDS_PER_CYCLE
        is_last = phase == _ROUNDS_PER_CYCLE - 1
        temperature = 1e-9 if is_last else _WARM * self._typical * _COOLING**phase
        moves = _MOVES_PER_BLOCK_OF_SMALL if len(ranked) <= _SMALL else MOVES_PER_BLOCK
        reach = max(2, len(ranked) >> (2 + self._round % 5))
        self._state = kernel.anneal(
            model,
            self._now,
            ranked,
            rank,
            first,
            min(max(_FEWEST_MOVES, moves * len(ranked)), _MOST_MOVES),
            temperature,
            reach,
            self._extras,
            self._open_weeks,
            self._state,
        )
        self._round += 1
        cost = self.cost_of(self._now)
        if is_last:
            self._now, cost = self._exchanged(self._now)
        self._idle += 1
        if cost < self.cost:
            self.best, self.cost, self._idle = self._now.copy(), cost, 0
        elif is_last:
            self._now = self.best.copy()
