"""The compiled sums over a timeline: sessions a day, days by mode, strict days."""

import numpy as np
from numpy.typing import NDArray

from planner.domain.calendar import Days
from planner.domain.fleet import Codes, Numbers
from planner.domain.rules import Mode
from planner.engine.compiled import compiled
from planner.engine.kernel import MODE_OF_RULE, Strictness, strict_since
from planner.engine.program import Program

_N_MODES = len(Mode)


@compiled
def count_days(
    start: int,
    end: int,
    first: Numbers,
    day: Days,
    rule: Codes,
) -> NDArray[np.int64]:
    """Sessions of each mode on each day: shape `(n_days, n_modes)`."""
    counts = np.zeros((end - start + 1, _N_MODES), dtype=np.int64)
    for session in range(len(first) - 1):
        for k in range(first[session], first[session + 1]):
            mode = MODE_OF_RULE[rule[k]]
            counts[day[k] - start, mode] += 1
            until = day[k + 1] if k + 1 < first[session + 1] else end
            counts[until - start, mode] -= 1
    for now in range(1, end - start):
        for mode in range(_N_MODES):
            counts[now, mode] += counts[now - 1, mode]
    return counts[: end - start]


@compiled
def sum_days(
    end: int,
    first: Numbers,
    day: Days,
    rule: Codes,
    weight: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Weighted days and session-days of each mode, over all sessions."""
    weighted = np.zeros(_N_MODES, dtype=np.float64)
    days = np.zeros(_N_MODES, dtype=np.int64)
    for session in range(len(first) - 1):
        for k in range(first[session], first[session + 1]):
            until = day[k + 1] if k + 1 < first[session + 1] else end
            mode = MODE_OF_RULE[rule[k]]
            days[mode] += until - day[k]
            weighted[mode] += weight[session] * (until - day[k])
    return weighted, days


@compiled
def strict_days(p: Program, strictness: Strictness) -> int:
    """Account-days of the horizon that end strict."""
    total = 0
    for account in range(len(p.account_state)):
        day = p.start
        while day < p.end:
            since, until = strict_since(p, strictness, account, day)
            until = min(until, p.end)
            total += max(0, until - max(since, day))
            day = until
    return total
