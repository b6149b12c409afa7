"""The one door through which blocks go to be replayed: here, to processes, or to a cluster.

Outcomes come in the order of the blocks, and are the same whoever computes them. A worker that is
lost costs time: its blocks are given to another one.
"""

from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from itertools import islice
from multiprocessing import get_context
from typing import Final

from planner.domain.errors import PlannerError
from planner.risk.kernel import replay
from planner.risk.model import Block, Outcome, read_only

MOST_LOST: Final = 3
"""So often in a row workers may be lost while one block is replayed."""
_WAITING_EACH: Final = 2
"""Blocks that wait for each worker: few, as they take room."""
_SECONDS_TO_ANSWER: Final = "10s"


class WorkersLostError(PlannerError):
    """Workers that ended again and again, or a cluster that does not answer."""


def replay_all(
    blocks: Iterator[Block], *, n_runs: int, n_kept: int, processes: int = 1, scheduler: str = ""
) -> Iterator[Outcome]:
    """Replay blocks, and return what each gave, in their order.

    Parameters
    ----------
    n_runs, n_kept
        As for `planner.risk.kernel.replay`.
    processes
        Count of processes; 1 is this one.
    scheduler
        Address of a Dask scheduler, whose workers are used instead.

    Raises
    ------
    WorkersLostError
        If workers end again and again, or the scheduler does not answer.
    """
    if scheduler:
        return _on_cluster(blocks, n_runs, n_kept, scheduler)
    if processes > 1:
        return _in_processes(blocks, n_runs, n_kept, processes)
    return (replay(block, n_runs, n_kept) for block in blocks)


def _replay_sent(block: Block, n_runs: int, n_kept: int) -> Outcome:
    """Replay a block that came from another process."""
    return replay(read_only(block), n_runs, n_kept)


def _in_processes(
    blocks: Iterator[Block], n_runs: int, n_kept: int, processes: int
) -> Iterator[Outcome]:
    def new_pool() -> ProcessPoolExecutor:
        return ProcessPoolExecutor(processes, mp_context=get_context("spawn"))

    pool, lost = new_pool(), 0
    waiting: deque[tuple[Block, Future[Outcome] | None]] = deque()
    try:
        while True:
            room = _WAITING_EACH * processes - len(waiting)
            waiting.extend((block, None) for block in islice(blocks, room))
            if not waiting:
                return
            try:
                waiting = deque(
                    (block, future or pool.submit(_replay_sent, block, n_runs, n_kept))
                    for block, future in waiting
                )
                outcome = _result(waiting[0][1])
            except BrokenProcessPool as error:
                lost += 1
                if lost > MOST_LOST:
                    raise _lost_again() from error
                pool.shutdown(wait=False, cancel_futures=True)
                pool = new_pool()
                waiting = deque((block, _if_done(future)) for block, future in waiting)
                continue
            lost = 0
            waiting.popleft()
            yield outcome
    finally:
        pool.shutdown(cancel_futures=True)


def _result(future: Future[Outcome] | None) -> Outcome:
    assert future is not None  # noqa: S101 - every block that waits has been submitted
    return future.result()


def _if_done(future: Future[Outcome] | None) -> Future[Outcome] | None:
    is_done = future is not None and future.done() and not future.cancelled()
    return future if future is not None and is_done and future.exception() is None else None


def _lost_again() -> WorkersLostError:
    what = f"workers: they were stopped {MOST_LOST + 1} times while one part was computed"
    return WorkersLostError(f"{what}; use fewer of them, or a machine with more memory")


def _on_cluster(
    blocks: Iterator[Block], n_runs: int, n_kept: int, scheduler: str
) -> Iterator[Outcome]:
    try:
        from distributed import Client, KilledWorker
        from distributed import Future as Sent

        from planner.risk.partitions import from_parquet, to_parquet
    except ImportError as error:
        what = f"--scheduler {scheduler}: {error.name} is not installed"
        cure = "install session-security-planner[cluster], here and on the cluster"
        raise WorkersLostError(f"{what}; {cure}") from error

    def replay_sent(sent: bytes) -> Outcome:
        return _replay_sent(from_parquet(sent), n_runs, n_kept)

    try:
        client = Client(scheduler, timeout=_SECONDS_TO_ANSWER, set_as_default=False)
    except (OSError, ValueError) as error:
        what = f"--scheduler {scheduler}: no Dask scheduler answers there"
        cure = "start `dask scheduler` and `dask worker`, and give the address that it prints"
        raise WorkersLostError(f"{what}; {cure}") from error
    with client:
        n_threads = max(1, sum(client.nthreads().values()))
        waiting: deque[Sent[Outcome]] = deque()
        while True:
            room = _WAITING_EACH * n_threads - len(waiting)
            waiting.extend(
                client.submit(replay_sent, to_parquet(block), pure=False)
                for block in islice(blocks, room)
            )
            if not waiting:
                return
            try:
                outcome = waiting.popleft().result()
            except KilledWorker as error:
                raise _lost_again() from error
            yield outcome
