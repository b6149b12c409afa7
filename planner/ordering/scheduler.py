"""One scheduler for every strategy: blocks in an order of priority, each on its earliest day."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import numpy as np

from planner.ordering import kernel
from planner.ordering.model import Ints, Model, rows_of
from planner.ordering.problem import Problem

_ONE_BY_ONE: Final = 60
_FEWEST_ONE_BY_ONE: Final = 5
_PLACED_ONE_BY_ONE: Final = 250_000
"""So many blocks that find no day come first one by one, fewer where there are many blocks to
place anew each time; then all at once."""


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Priorities:
    """What a strategy says about the blocks.

    Parameters
    ----------
    order
        All blocks, the first ones first.
    not_before
        By block: the first day of the horizon on which it may go.
    after
        Pairs `(a, b)`: block `b` waits for block `a`.
    waves
        By block: the name of its wave; empty for weeks.
    """

    order: Ints
    not_before: Ints
    after: tuple[tuple[int, int], ...] = ()
    waves: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Stuck:
    """A block for which the scheduler found no day."""

    block: int


def schedule_blocks(problem: Problem, priorities: Priorities) -> Ints | Stuck:
    """Return the day of each block, or the block that cannot be placed, as `Scheduler` does."""
    return Scheduler(problem).schedule(priorities)


class Scheduler:
    """Gives blocks their days, again and again.

    A block that finds no day is given its day before all others of its kind, servers or clients,
    without the strategy's wishes, and the rest is placed anew; if it finds none again, before all
    others; until those that find none have all come first before. They do so the next time as well.
    Whatever a block waits for comes before it.
    """

    def __init__(self, problem: Problem) -> None:
        self._model = problem.model
        self._settled = np.flatnonzero(np.diff(self._model.choice_first) == 1).tolist()
        self._is_server = (self._model.n_servers > 0).tolist()
        self._urgent = _Urgent([], [])
        in_time = _PLACED_ONE_BY_ONE // max(1, self._model.n_blocks)
        self._one_by_one = min(max(_FEWEST_ONE_BY_ONE, in_time), _ONE_BY_ONE)

    def schedule(self, priorities: Priorities) -> Ints | Stuck:
        """Return the day of each block, or the block that cannot be placed."""
        days = self._placed(priorities)
        if isinstance(days, Stuck) and self._urgent != _Urgent([], []):
            self._urgent = _Urgent([], [])
            days = self._placed(priorities)
        return days

    def _placed(self, priorities: Priorities) -> Ints | Stuck:
        model = self._model
        after = np.array(priorities.after, dtype=np.int32).reshape(-1, 2)
        after_first, rows = rows_of(after[:, 1], model.n_blocks)
        after_other = np.ascontiguousarray(after[rows, 0])
        waits_for = _waits_for(model, after)
        not_before = priorities.not_before.copy()
        wanted = priorities.order.tolist()
        urgent = self._urgent
        fresh = [*urgent.of_all, *urgent.of_kind]
        while True:
            for block in fresh:
                # A block has no day while it waits for itself, so that is no wait at all.
                not_before[block] = 0
                after_other[after_first[block] : after_first[block + 1]] = block
            in_kinds = self._before_their_kind(wanted, urgent.of_kind)
            order = _in_order([*self._settled, *urgent.of_all, *in_kinds], waits_for)
            days = np.full(model.n_blocks, -1, dtype=np.int32)
            stuck = int(kernel.place(model, order, not_before, after_first, after_other, days))
            if stuck < 0:
                self._urgent = urgent
                return days
            waiting = slice(after_first[stuck], after_first[stuck + 1])
            has_wishes = not_before[stuck] > 0 or (after_other[waiting] != stuck).any()
            if stuck in urgent.of_all[:1] and not has_wishes:
                return Stuck(block=stuck)
            fresh = [stuck]
            if len(urgent.of_all) + len(urgent.of_kind) >= self._one_by_one:
                fresh = np.flatnonzero(days < 0).tolist()
                if set(fresh) <= set(urgent.of_all):
                    return Stuck(block=stuck)
            again = set(fresh) & {*urgent.of_kind, *urgent.of_all}
            urgent = _Urgent(
                [block for block in fresh if block in again] + urgent.of_all,
                [block for block in fresh if block not in again]
                + [block for block in urgent.of_kind if block not in again],
            )

    def _before_their_kind(self, wanted: list[int], urgent: list[int]) -> list[int]:
        """Put the urgent blocks of each kind before the first one of it."""
        if not urgent:
            return wanted
        order: list[int] = []
        seen: set[bool] = set()
        for block in wanted:
            kind = self._is_server[block]
            if kind not in seen:
                seen.add(kind)
                order += [other for other in urgent if self._is_server[other] == kind]
            order.append(block)
        return order


@dataclass(frozen=True, slots=True)
class _Urgent:
    """Blocks that found no day: those to come before all, and those to come before their kind."""

    of_all: list[int]
    of_kind: list[int]


def _waits_for(model: Model, after: Ints) -> list[list[int]]:
    """Blocks that each block must not come before."""
    waits: list[list[int]] = [[] for _ in range(model.n_blocks)]
    later = np.repeat(np.arange(model.n_blocks), np.diff(model.rule_first))
    for first, then, gap in zip(
        model.rule_other.tolist(), later.tolist(), model.rule_gap.tolist(), strict=True
    ):
        if gap >= 0:
            waits[then].append(first)
    for first, then in after.tolist():
        waits[then].append(first)
    return waits


def _in_order(wanted: Iterable[int], waits_for: list[list[int]]) -> Ints:
    """Blocks in the order wanted, each behind all that it waits for; a circle is cut somewhere."""
    order: list[int] = []
    state = [0] * len(waits_for)
    for block in wanted:
        stack = [block]
        while stack:
            top = stack[-1]
            if state[top] == 0:
                state[top] = 1
                stack.extend(other for other in waits_for[top] if state[other] == 0)
            else:
                stack.pop()
                if state[top] == 1:
                    state[top] = 2
                    order.append(top)
    return np.array(order, dtype=np.int32)
