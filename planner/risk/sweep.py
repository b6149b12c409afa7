"""Many runs of plans with slips, each of them simulated by the engine as any plan is."""

from collections import deque
from collections.abc import Callable, Iterator, Sequence

import numpy as np

from planner.domain.calendar import ALWAYS, NEVER
from planner.domain.plan import UPGRADES, Plan
from planner.engine.deadlines import deadlines
from planner.engine.timeline import simulate
from planner.risk.blocks import SESSIONS_OF_BLOCK, Part, parts_of
from planner.risk.delays import Slip, usual_or
from planner.risk.draws import draws_of, endpoints_of
from planner.risk.kernel import delays
from planner.risk.model import Block, Outcome
from planner.risk.result import HOLDS_PERCENT, Risk
from planner.risk.workers import replay_all

Observer = Callable[[int, int], None]


def slip(
    plan: Plan,
    *,
    runs: int,
    seed: int,
    slips: Sequence[Slip] | None = None,
    processes: int = 1,
    scheduler: str = "",
    observer: Observer | None = None,
) -> Risk:
    """Simulate a plan many times, with upgrades and imports that come later than planned.

    Every action slips for itself: nothing waits for an action that slipped. A delay of `d` is `d`
    working days, and from there the next day that is open and, for upgrades, in the window of the
    site. Equal seeds give equal slips for the same actions of any plan, so that plans can be
    compared run by run.

    Parameters
    ----------
    slips
        Distributions by group, of which the first that fits an action counts; see `read_slips`
        and `fitted_slips`. Without them, half of what is open is done on every working day.
    processes, scheduler
        Share the work among so many processes, or among the workers of a Dask scheduler at an
        address; the numbers stay the same to the last bit, also when workers are lost.
    observer
        Is told how many sessions of how many are done.

    Raises
    ------
    ValueError
        If there is no run, or no process.
    PlanError
        If an action has a value that its kind cannot have.
    WorkersLostError
        If workers end again and again, or the scheduler does not answer.

    Notes
    -----
    Linear in runs times sessions; memory grows with the runs times the servers, and with a
    twentieth of the runs times the deadlines of one block of clients.
    """
    return slip_all(
        [plan],
        runs=runs,
        seed=seed,
        slips=slips,
        processes=processes,
        scheduler=scheduler,
        observer=observer,
    )[0]


def slip_all(
    plans: Sequence[Plan],
    *,
    runs: int,
    seed: int,
    slips: Sequence[Slip] | None = None,
    processes: int = 1,
    scheduler: str = "",
    observer: Observer | None = None,
) -> tuple[Risk, ...]:
    """`slip` of several plans, as rollout orders, with the same slips for the same actions."""
    if runs < 1 or processes < 1:
        raise ValueError(f"runs {runs}, processes {processes}: give at least one of each")
    merges = [_Merge(plan, usual_or(slips), seed, runs) for plan in plans]
    n_sessions = sum(len(plan.fleet.sessions) for plan in plans)
    sent: deque[tuple[_Merge, Part]] = deque()

    def blocks() -> Iterator[Block]:
        for merge in merges:
            for part in merge.parts():
                sent.append((merge, part))
                yield part.block

    done = 0
    for outcome in replay_all(
        blocks(),
        n_runs=runs,
        n_kept=runs - -(-HOLDS_PERCENT * runs // 100) + 1,
        processes=processes,
        scheduler=scheduler,
    ):
        merge, part = sent.popleft()
        merge.add(part, outcome)
        done += len(part.block.plain.client) + len(part.block.rest.refused_before)
        if observer is not None:
            observer(done, n_sessions)
    return tuple(merge.risk() for merge in merges)


class _Merge:
    """Gathers what the blocks of one plan gave."""

    def __init__(self, plan: Plan, slips: tuple[Slip, ...], seed: int, runs: int) -> None:
        self._slips, self._seed = slips, seed
        self._found = deadlines(simulate(plan))
        self._draws = draws_of(plan, slips, seed)
        n, n_actions = len(self._found), len(self._draws.row)
        self._refused_days = np.zeros(runs, dtype=np.int64)
        self._finish = np.full(runs, ALWAYS, dtype=np.int32)
        self._server_days = np.zeros((runs, len(plan.fleet.servers)), dtype=np.int64)
        self._leads = np.zeros(n, dtype=np.int32)
        self._slipped, self._refusing, self._extra_days = np.zeros((3, n_actions), dtype=np.int64)

    def parts(self) -> Iterator[Part]:
        return parts_of(self._found, self._draws, SESSIONS_OF_BLOCK)

    def add(self, part: Part, outcome: Outcome) -> None:
        self._refused_days += outcome.refused_days
        np.maximum(self._finish, outcome.finish, out=self._finish)
        self._server_days += outcome.server_days
        is_deadline = part.deadline >= 0
        self._leads[part.deadline[is_deadline]] = outcome.leads[is_deadline]
        is_own = part.block.slipping_client < len(part.block.clients.day)
        own = part.draw[is_own]
        self._slipped[own] += outcome.slipped[is_own]
        self._refusing[own] += outcome.refusing[is_own]
        self._extra_days[own] += outcome.extra_days[is_own]

    def risk(self) -> Risk:
        self._add_servers()
        plan = self._found.timeline.plan
        may_slip = np.zeros(len(plan), dtype=np.bool_)
        may_slip[self._draws.row] = True
        fixed = plan.day[np.isin(plan.action, UPGRADES) & ~may_slip]
        finish = np.maximum(self._finish, fixed.max(initial=ALWAYS))
        return Risk(
            deadlines=self._found,
            seed=self._seed,
            slips=self._slips,
            rows=self._draws.row,
            refused_days=self._refused_days,
            finish=np.where(finish == ALWAYS, NEVER, finish).astype(np.int32),
            leads=self._leads,
            slipped=self._slipped,
            refusing=self._refusing,
            extra_days=self._extra_days,
        )

    def _add_servers(self) -> None:
        """Count the slips of what is on no client: servers have sessions in every block."""
        plan = self._found.timeline.plan
        n_clients = len(plan.fleet.clients)
        endpoint = endpoints_of(plan)[self._draws.row]
        places = np.flatnonzero(endpoint >= n_clients)
        server = endpoint[places] - n_clients
        nowhere = np.zeros((len(self._refused_days), 1), dtype=np.int64)
        days = np.concatenate([self._server_days, nowhere], axis=1)
        for run in range(len(days)):
            has_slipped = delays(self._draws.slipping, run)[0][places] > 0
            extra = days[run, server]
            self._slipped[places] += has_slipped
            self._refusing[places] += has_slipped & (extra > 0)
            self._extra_days[places] += np.where(has_slipped, extra, 0)
