"""Benchmark of slips: `python -m tests.benchmarks.slips`.

A sweep of many runs against a loop that lets the best pandas and Polars solutions solve each run
as a plan of its own. The peers are given the days of each run for nothing; a few runs of theirs
are timed, in turns with the sweep, and compared with it number by number. Times are CPU time of
the whole process, all threads; those with several processes are the clock's.
"""

import argparse
import gc
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

import numpy as np

import planner
from planner.domain.fleet import Numbers
from planner.domain.plan import Plan
from planner.domain.rules import Mode
from planner.risk.delays import usual_or
from planner.risk.draws import draws_of
from planner.risk.kernel import delays
from planner.risk.result import Risk
from planner.risk.sweep import slip
from tests.benchmarks import pandas_solution, polars_solution
from tests.benchmarks.fleets import synthetic_plan
from tests.benchmarks.peers import SHOWN, Answer

SEED = 20260105
SLIP_SEED = 1
SESSIONS = 100_000
RUNS = 1_000
PEER_RUNS = 5
_REFUSED = [number for number, (mode, _, _) in enumerate(SHOWN) if mode is Mode.REFUSED]
_MIB = 1024


class Lived(NamedTuple):
    """What a peer finds in one run."""

    refused_days: int
    needed: dict[tuple[int, int], tuple[int, int]]


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--sessions", type=int, default=SESSIONS)
    parser.add_argument("--runs", type=int, default=RUNS)
    parser.add_argument("--peer-runs", type=int, default=PEER_RUNS)
    parser.add_argument("--cluster", action="store_true", help="also a Dask cluster of 2 workers")
    parser.add_argument("--memory", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    plan = synthetic_plan(options.sessions, SEED)
    if options.memory:
        print(memory(plan, options.runs))
        return
    slip(synthetic_plan(2_000, SEED), runs=2, seed=0)
    measure(plan, options.runs, options.peer_runs)
    show_memory(options.sessions, options.runs)
    scale(plan, options.runs, with_cluster=options.cluster)


def measure(plan: Plan, runs: int, peer_runs: int) -> None:
    """Time the sweep and both loops in turns, and compare what they found."""
    begun = time.process_time()
    found = slip(plan, runs=runs, seed=SLIP_SEED)
    sweep = (time.process_time() - begun) / runs
    n = len(plan.fleet.sessions)
    print(f"{n:,} sessions, {runs:,} runs: {sweep * runs:.1f} s CPU, {sweep / n * 1e9:.0f} ns each")
    for peer in (polars_solution, pandas_solution):
        seconds = loop(plan, peer, peer_runs, found)
        print(
            f"{peer.__name__.rpartition('.')[2]:>16}: {seconds:.3f} s a run, "
            f"{seconds / sweep:.1f} times the sweep"
        )


def loop(plan: Plan, peer: ModuleType, runs: int, found: Risk) -> float:
    """Solve some runs one by one; returns CPU seconds for each, and refuses unequal results."""
    draws = draws_of(plan, usual_or(None), SLIP_SEED)
    solve = peer.solve
    solve(plan)
    seconds, results = 0.0, []
    for run in range(runs):
        days = plan.day.copy()
        days[draws.row] = delays(draws.slipping, run)[1]
        begun = time.process_time()
        results.append(lived(plan, solve(replace(plan, day=days))))
        seconds += time.process_time() - begun
    for run, result in enumerate(results):
        if result.refused_days != found.refused_days[run]:
            raise SystemExit(f"{peer.__name__} differs in run {run}")
    return seconds / runs


def lived(plan: Plan, answer: Answer) -> Lived:
    """Refused days and deadlines of one run, as straightforward NumPy takes them from an answer."""
    until = np.append(answer.start[1:], plan.fleet.end)
    last = np.append(answer.session[1:] != answer.session[:-1], True)
    until[last] = plan.fleet.end
    is_refused = np.isin(answer.state, _REFUSED)
    days: Numbers = np.where(is_refused, until - answer.start, 0)
    keys = zip(answer.key_database.tolist(), answer.anchor.tolist(), strict=True)
    planned = zip(answer.needed.tolist(), answer.planned.tolist(), strict=True)
    return Lived(int(days.sum()), dict(zip(keys, planned, strict=True)))


def memory(plan: Plan, runs: int) -> int:
    """Return by how much the sweep raises this process's memory at most [KiB]; on Linux."""
    slip(synthetic_plan(2_000, SEED), runs=2, seed=0)
    planner.deadlines(planner.simulate(plan))
    gc.collect()
    Path("/proc/self/clear_refs").write_text("5")  # the peak counts from here on
    before = _status("VmRSS")
    slip(plan, runs=runs, seed=SLIP_SEED)
    return _status("VmHWM") - before


def _status(name: str) -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith(f"{name}:")).split()[1])


def show_memory(sessions: int, runs: int) -> None:
    """Measure the memory in a process of its own."""
    command = [sys.executable, "-m", "tests.benchmarks.slips", "--memory"]
    command += ["--sessions", str(sessions), "--runs", str(runs)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    print(f"memory above the fleet and one simulation: {int(done.stdout) / _MIB:.0f} MiB")


def scale(plan: Plan, runs: int, *, with_cluster: bool) -> None:
    """Time one process, two, and two workers of a cluster; refuse unequal numbers."""
    alone, one = _timed(plan, runs, processes=1, scheduler="")
    both, two = _timed(plan, runs, processes=2, scheduler="")
    _refuse_differences(one, two)
    print(f"clock: {alone:.1f} s in one process, {both:.1f} s in two")
    if not with_cluster:
        return
    from distributed import LocalCluster

    with LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster:
        address = cluster.scheduler_address
        slip(synthetic_plan(2_000, SEED), runs=2, seed=0, scheduler=address)
        seconds, three = _timed(plan, runs, processes=1, scheduler=address)
    _refuse_differences(one, three)
    print(f"clock: {seconds:.1f} s on a Dask cluster of two workers, the same numbers")


def _timed(plan: Plan, runs: int, *, processes: int, scheduler: str) -> tuple[float, Risk]:
    begun = time.perf_counter()
    found = slip(plan, runs=runs, seed=SLIP_SEED, processes=processes, scheduler=scheduler)
    return time.perf_counter() - begun, found


def _refuse_differences(one: Risk, other: Risk) -> None:
    for name in ("refused_days", "finish", "leads", "slipped", "refusing", "extra_days"):
        if not np.array_equal(getattr(one, name), getattr(other, name)):
            raise SystemExit(f"{name} differs")


if __name__ == "__main__":
    main()
