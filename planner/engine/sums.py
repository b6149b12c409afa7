"""The compiled sums over a timeline: sessions a day, days by mode, strict days."""

import numpy as np
from numpy.typing import NDArray

from planner.domain.calendar import Days
from planner.domain.fleet import Codes, Numbers
from planner.engine.compiled import compiled
from planner.engine.kernel import Strictness, strict_since
from planner.engine.program import Program


@compiled
def count_days(
    start: int,
    end: int,
    first: Numbers,
    day: Days,
    rule: Codes,
    mode_of_rule: Codes,
    n_modes: int,
) -> NDArray[np.int64]:
    """Sessions of each mode on each day: shape `(n_days, n_modes)`."""
    counts = np.zeros((end - start + 1, n_modes), dtype=np.int64)
    for session in range(len(first) - 1):
        for k in range(first[session], first[session + 1]):
            mode = mode_of_rule[rule[k]]
            counts[day[k] - start, mode] += 1
            until = day[k + 1] if k + 1 < first[session + 1] else end
            counts[until - start, mode] -= 1
    for now in range(1, end - start):
        for mode in range(n_modes):
            counts[now, mode] += counts[now - 1, mode]
    return counts[: end - start]


@compiled
def sum_days(
    end: int,
    first: Numbers,
    day: Days,
    rule: Codes,
    mode_of_rule: Codes,
    weight: NDArray[np.float64],
    n_modes: int,
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Weighted days and session-days of each mode, over all sessions."""
    weighted = np.zeros(n_modes, dtype=np.float64)
    days = np.zeros(n_modes, dtype=np.int64)
    for session in range(len(first) - 1):
        for k in range(first[session], first[session + 1]):
            until = day[k + 1] if k + 1 < first[session + 1] else end
            mode = mode_of_rule[rule[k]]
            days[mode] += until - day[k]
            weighted[mode] += weight[session] * (until - day[k])
    return weighted, days


@compiled
def strict_days(p: Program, strictness: Strictness, n_accounts: int) -> int:
    """Account-days of the horizon that end strict."""
    total = 0
    for account in range(n_accounts):
        day = p.start
        while day < p.end:
            since, until = strict_since(p, strictness, account, day)
            until = min(until, p.end)
            total += max(0, until - max(since, day))
            day = until
    return total
