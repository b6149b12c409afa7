"""Small relaxations as mixed-integer programs, which HiGHS solves and proves."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from planner.ordering.model import Ints
from planner.ordering.relaxation_kernel import Relaxation

_TOLERANCE: Final = 1e-6
"""HiGHS lets constraints and whole numbers be off by so much; a bound gives up as much."""

if TYPE_CHECKING:
    from scipy.sparse import csr_array

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Proof:
    """What HiGHS found.

    Parameters
    ----------
    bound
        No choice of weeks costs less, in the model's units; None where it found no bound.
    weeks
        Week of each block in the best solution; None where it found none.
    """

    bound: int | None
    weeks: Ints | None


class _Rows:
    """Rows of a sparse matrix with lower and upper limits, grown in blocks."""

    def __init__(self, n_columns: int) -> None:
        self._n_columns, self.n = n_columns, 0
        self._row: list[NDArray[np.int64]] = []
        self._column: list[NDArray[np.int64]] = []
        self._value: list[Floats] = []
        self._low: list[Floats] = []
        self._high: list[Floats] = []

    def add(
        self,
        row: NDArray[np.int64],
        column: NDArray[np.int64],
        value: Floats,
        low: Floats,
        high: Floats,
    ) -> None:
        """Add rows; their numbers start at zero."""
        self._row.append(row + self.n)
        self._column.append(column)
        self._value.append(value)
        self._low.append(low)
        self._high.append(high)
        self.n += len(low)

    def matrix(self) -> "csr_array":
        """Return all rows as one matrix."""
        from scipy.sparse import coo_array

        places = (np.concatenate(self._row), np.concatenate(self._column))
        shape = (self.n, self._n_columns)
        return coo_array((np.concatenate(self._value), places), shape=shape).tocsr()

    def limits(self) -> tuple[Floats, Floats]:
        """Return the lower and upper limits of all rows."""
        return np.concatenate(self._low), np.concatenate(self._high)


def size_of(r: Relaxation, may_end: NDArray[np.bool_]) -> int:
    """Count of variables that a program would have."""
    return int(may_end.sum()) + r.days.size + r.first_leads.size


def prove(
    r: Relaxation,
    may_end: NDArray[np.bool_],
    *,
    n_nodes: int,
    seconds: float,
) -> Proof:
    """Solve a relaxation in whole numbers: each block in one week.

    Parameters
    ----------
    may_end
        By node and week: the weeks that are left to it.
    n_nodes, seconds
        Limits of the search.

    Notes
    -----
    Variables are the week of each node, and by link and week the part of the week that it is
    secure. Needs scipy, which brings HiGHS.
    """
    from scipy.optimize import LinearConstraint, milp

    n, n_weeks = may_end.shape
    number = np.full((n, n_weeks), -1, dtype=np.int64)
    node, week = np.nonzero(may_end)
    n_choices = len(node)
    number[node, week] = np.arange(n_choices)
    n_links = len(r.first)
    secure = n_choices + np.arange(n_links * n_weeks).reshape(n_links, n_weeks)
    n_gaps = len(r.first_leads)
    in_gap = n_choices + secure.size + np.arange(n_gaps * n_weeks).reshape(n_gaps, n_weeks)
    n_columns = n_choices + secure.size + in_gap.size
    rows = _Rows(n_columns)
    ones = np.ones(n_choices)
    rows.add(node, np.arange(n_choices), ones, np.ones(n), np.ones(n))
    for taken, room in ((r.n_clients, r.client_room), (r.n_servers, r.server_room)):
        rows.add(
            week,
            np.arange(n_choices),
            taken[node].astype(np.float64),
            np.full(n_weeks, -np.inf),
            room.astype(np.float64),
        )
    done = _Done(number, n_weeks)
    job_rows, job_columns = done.by_week(np.flatnonzero(r.n_imports).astype(np.int32))
    rows.add(
        job_rows % n_weeks,
        job_columns,
        np.ones(len(job_rows)),
        np.full(n_weeks, -np.inf),
        r.import_room.astype(np.float64),
    )
    links, gaps = np.arange(n_links), np.flatnonzero(r.gap >= 0)
    for ends in (r.first, r.second, r.job):
        _add_secure(rows, done, ends, links, secure)
    at_end = np.broadcast_to(np.arange(n_weeks), r.first_leads.shape)
    first_until = np.where(r.first_leads > 0, at_end, at_end - 1)
    second_until = np.where(r.first_leads > 0, at_end - 1, at_end)
    for ends, until in ((r.first, first_until), (r.second, second_until), (r.job, at_end)):
        _add_secure(rows, done, ends, gaps, in_gap, until)
    _add_needs(rows, r, done)
    for k in range(len(r.rule_earlier)):
        later_row, later = done.by_week(r.rule_later[k : k + 1])
        row, earlier = done.by_week(
            r.rule_earlier[k : k + 1], r.rule_week[k : k + 1].astype(np.int64)
        )
        rows.add(
            np.concatenate([later_row, row]),
            np.concatenate([later, earlier]),
            np.concatenate([np.ones(len(later)), -np.ones(len(earlier))]),
            np.full(n_weeks, -np.inf),
            np.zeros(n_weeks),
        )
    weight = r.weight.astype(np.float64)[:, None]
    saved = weight * r.days
    saved_in_gap = weight[gaps] * (r.first_leads + r.second_leads)
    cost = np.concatenate([r.own[node, week], -saved.ravel(), -saved_in_gap.ravel()])
    whole = np.concatenate([ones, np.zeros(secure.size + in_gap.size)])
    scale = max(1.0, float(np.abs(cost).max(initial=0)))
    found = milp(
        cost / scale,
        integrality=whole,
        bounds=(0.0, 1.0),
        constraints=LinearConstraint(rows.matrix(), *rows.limits()),
        options={"node_limit": n_nodes, "time_limit": seconds, "mip_rel_gap": 0.0},
    )
    total = float(weight.sum()) * r.horizon
    bound, lower = None, found.mip_dual_bound
    if lower is not None and np.isfinite(lower):
        safe = lower * scale + total
        bound = int(np.ceil(safe - _TOLERANCE * max(1.0, abs(safe))))
    weeks = None
    if found.x is not None:
        weeks = np.zeros(n, dtype=np.int32)
        chosen = found.x[:n_choices] > 0.5
        weeks[node[chosen]] = week[chosen]
    return Proof(bound=bound, weeks=weeks)


class _Done:
    """Which variables say that a node is done by the end of a week."""

    def __init__(self, number: NDArray[np.int64], n_weeks: int) -> None:
        self._number, self._n_weeks = number, n_weeks

    def by_week(
        self, nodes: Ints, last: NDArray[np.int64] | None = None
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Rows, one for each node and week, and the variables that add up to its being done.

        `last` is, by node and week, another week by whose end it is to be done.
        """
        weeks = np.arange(self._n_weeks)
        if last is None:
            last = np.broadcast_to(weeks, (len(nodes), self._n_weeks))
        place, at, week = np.nonzero(
            (self._number[nodes] >= 0)[:, :, None] & (weeks[:, None] <= last[:, None, :])
        )
        return place * self._n_weeks + week, self._number[nodes[place], at]


def _add_secure(
    rows: _Rows,
    done: _Done,
    ends: Ints,
    links: NDArray[np.intp],
    secure: NDArray[np.int64],
    until: NDArray[np.int64] | None = None,
) -> None:
    """A link is secure to the share of its end that is done by the end of a week, at most.

    `secure` holds variables by link and week, `until` the week if it is not that same one.
    """
    here = np.flatnonzero(ends[links] >= 0)
    row, column = done.by_week(ends[links[here]], None if until is None else until[here])
    n_rows = len(here) * secure.shape[1]
    rows.add(
        np.concatenate([np.arange(n_rows), row]),
        np.concatenate([secure[here].ravel(), column]),
        np.concatenate([np.ones(n_rows), -np.ones(len(row))]),
        np.full(n_rows, -np.inf),
        np.zeros(n_rows),
    )


def _add_needs(rows: _Rows, r: Relaxation, done: _Done) -> None:
    """An import is needed once both ends of one of its links are new."""
    links = np.flatnonzero(r.job >= 0)
    n_weeks = r.may_end.shape[1]
    parts = [
        (done.by_week(ends[links]), sign)
        for ends, sign in ((r.first, 1.0), (r.second, 1.0), (r.job, -1.0))
    ]
    rows.add(
        np.concatenate([row for (row, _), _ in parts]),
        np.concatenate([column for (_, column), _ in parts]),
        np.concatenate([np.full(len(row), sign) for (row, _), sign in parts]),
        np.full(len(links) * n_weeks, -np.inf),
        np.ones(len(links) * n_weeks),
    )
