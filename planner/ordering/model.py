"""A rollout problem as numbers: what compiled code reads.

A *block* is a set of endpoints that are upgraded on one day; a *link* joins two blocks whose
sessions are secure on the later day of the two; a *job* is an import that some session needs.
Days count from the first day of the horizon, weeks from its ISO week.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int32]
Longs = NDArray[np.int64]

ANY_TIME = -1
"""In place of a block: an end that is new from the first day on."""
UNLIMITED = 2**40


class Model(NamedTuple):
    """Blocks, links, rules and jobs of one fleet.

    Parameters
    ----------
    week_of_day, due_week
        By day: its week, and the week of the latest safe day of an import needed on that day; -1
        where that is before the first day.
    choice_first, choice_day
        The days on which block `b` may go: `choice_day[choice_first[b]:choice_first[b + 1]]`,
        ascending.
    n_clients, n_servers
        By block: what it takes of its week's capacity.
    client_room, server_room
        By week: the capacity.
    import_room
        By week: how many imports can be made up to its end.
    own_weight, moved_weight, drafted_day
        By block: cost of a day of its own, of a day away from `drafted_day`.
    link_first, link_other, link_weight
        By block, each link at both its ends: the other end, and the cost of a day until the later
        of the two.
    rule_first, rule_other, rule_gap
        By block: `day >= day[other] + gap`. `limit_*` are the same rules seen from the other end:
        `day <= day[other] - gap`.
    job_client, job_release, job_earliest, job_first, job_server
        By job: it is needed on the latest of its client's day, the first day of its servers, and
        its release; that must not be before its earliest. `ANY_TIME` among the blocks.
    use_first, use_job
        The jobs of each block.
    """

    week_of_day: Ints
    due_week: Ints
    choice_first: Ints
    choice_day: Ints
    n_clients: Ints
    n_servers: Ints
    client_room: Longs
    server_room: Longs
    import_room: Longs
    own_weight: Longs
    moved_weight: Longs
    drafted_day: Ints
    link_first: Ints
    link_other: Ints
    link_weight: Longs
    rule_first: Ints
    rule_other: Ints
    rule_gap: Ints
    limit_first: Ints
    limit_other: Ints
    limit_gap: Ints
    job_client: Ints
    job_release: Ints
    job_earliest: Ints
    job_first: Ints
    job_server: Ints
    use_first: Ints
    use_job: Ints

    @property
    def n_blocks(self) -> int:
        """Count of blocks."""
        return len(self.n_clients)

    @property
    def n_jobs(self) -> int:
        """Count of imports that the order decides on."""
        return len(self.job_client)

    @property
    def n_weeks(self) -> int:
        """Count of ISO weeks of the horizon."""
        return len(self.client_room)

    def choices(self, block: int) -> Ints:
        """Days on which a block may go."""
        return self.choice_day[self.choice_first[block] : self.choice_first[block + 1]]

    def cost(self, days: Ints) -> int:
        """Cost of an order: exact, in the units of the weights."""
        day = days.astype(np.int64)
        own = int((self.own_weight * day).sum())
        moved = int((self.moved_weight * np.abs(day - self.drafted_day)).sum())
        block = np.repeat(np.arange(self.n_blocks), np.diff(self.link_first))
        later = np.maximum(day[block], day[self.link_other])
        # Every link stands at both its ends.
        return own + moved + int((self.link_weight * later).sum()) // 2

    def weights(self) -> NDArray[np.float64]:
        """Cost of a day of each block and of all its links."""
        weights: NDArray[np.float64] = self.own_weight.astype(np.float64)
        block = np.repeat(np.arange(self.n_blocks), np.diff(self.link_first))
        np.add.at(weights, block, self.link_weight)
        return weights

    def needed(self, days: Ints) -> Ints:
        """Day on which each job is needed."""
        day = np.append(days, np.int32(0))  # ANY_TIME, the last place, is the first day
        if not self.n_jobs:
            return np.zeros(0, dtype=np.int32)
        of_server = np.minimum.reduceat(day[self.job_server], self.job_first[:-1])
        needed: Ints = np.maximum(np.maximum(day[self.job_client], of_server), self.job_release)
        return needed


def rows_of(groups: Ints, n_groups: int) -> tuple[Ints, NDArray[np.intp]]:
    """Return where the rows of each group begin, and the order that puts them side by side."""
    first = np.zeros(n_groups + 1, dtype=np.int32)
    np.cumsum(np.bincount(groups, minlength=n_groups), out=first[1:])
    return first, np.argsort(groups, kind="stable")
