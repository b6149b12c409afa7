"""Benchmark of simulate + deadlines: `python -m tests.benchmarks.simulate`.

Times are CPU time of the whole process, all threads, the best of interleaved rounds. *Cold* means
a new plan of which nothing is remembered; the kernel's machine code is loaded beforehand.
"""

import argparse
import ctypes
import gc
import json
import math
import subprocess
import sys
import time
import tracemalloc
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path

import numpy as np

from planner.domain.plan import Plan
from planner.engine import deadlines as deadlines_module
from planner.engine.deadlines import Deadlines, deadlines
from planner.engine.measures import measures
from planner.engine.program import compile_plan
from planner.engine.timeline import simulate
from planner.reporting import tables
from tests.benchmarks import pandas_solution, polars_solution
from tests.benchmarks.fleets import synthetic_plan
from tests.benchmarks.peers import differences, engine_answer

SEED = 20260105
ROOT = Path(__file__).parents[2]
SIZES = (10_000, 100_000, 1_000_000)
EDIT_SIZE = 10_000
_SHORTEST = 0.1  # seconds of CPU that one timing lasts at least

# What the engine reads of a plan; notes, names and weights do not decide anything.
_READ = {
    "sessions": ("client", "server", "account", "key_database", "kind", "options", "port"),
    "accounts": ("server", "name_number", "authentication", "strict", "sslrequired"),
    "key_databases": ("endpoint", "name_number"),
    "clients": ("level",),
    "servers": ("level", "ldap", "certificate", "tls12", "tcpport", "ssltcpport"),
    "certificates": ("kind", "issuer", "not_before", "not_after", "server", "available"),
    "trust": ("key_database", "certificate", "since"),
    "sessions_of_key_database": ("first", "member"),
    "key_databases_of_endpoint": ("first",),
}
_ACTIONS = ("day", "action", "client", "server", "account", "key_database", "certificate")
_ACTION_VALUES = ("option", "value")


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """Figures of one size: CPU seconds, and bytes for each session."""

    size: int
    engine: float
    polars: float
    pandas: float
    copy: float
    n_bytes: int


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES, help="numbers of sessions")
    parser.add_argument("--repeat", type=int, default=3, help="interleaved rounds")
    parser.add_argument("--memory", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.memory:
        print(json.dumps(memory(options.memory)))
        return
    _cold(synthetic_plan(2_000, SEED))
    measured = []
    print(
        f"{'sessions':>9} {'CPU':>10} {'a session':>10} {'sessions/s':>11} "
        f"{'Polars':>8} {'pandas':>8} {'copy':>8}   extra memory a session"
    )
    for size in options.sizes:
        row = measure(size, options.repeat)
        measured.append(row)
        extra = {name: n / size for name, n in _memory_in_new_process(size).items()}
        print(
            f"{size:>9,} {row.engine * 1e3:>7.1f} ms {row.engine / size * 1e9:>7.0f} ns "
            f"{size / row.engine:>11,.0f} {row.polars / row.engine:>7.1f}x "
            f"{row.pandas / row.engine:>7.1f}x {row.engine / row.copy:>7.1f}x"
            f"   {extra['process']:.0f} B, NumPy's part {extra['numpy']:.0f} B"
        )
    print(
        "Polars, pandas: their CPU time over the engine's, same rounds, equal results; "
        "copy: the engine's over that\nof copying its input and output columns "
        f"({measured[-1].n_bytes / measured[-1].size:.0f} bytes a session)."
    )
    if len(measured) > 1:
        print(f"time grows with size to the power of {exponent(measured):.2f}")
    print()
    edit()


def measure(size: int, rounds: int) -> Measured:
    """Time the engine, both peers and the copy in turns; refuse unequal results."""
    plan = synthetic_plan(size, SEED)
    expected = engine_answer(plan)
    for peer in (polars_solution, pandas_solution):
        if different := differences(expected, peer.solve(plan)):
            raise SystemExit(f"{peer.__name__} differs: {'; '.join(different)}")
    del expected
    arrays = list(_columns(_cold(plan)))
    copies = [array.copy() for array in arrays]

    def copy() -> None:
        for array, to in zip(arrays, copies, strict=True):
            np.copyto(to, array)

    candidates: dict[str, Callable[[], object]] = {
        "engine": lambda: _cold(plan),
        "polars": lambda: polars_solution.solve(plan),
        "pandas": lambda: pandas_solution.solve(plan),
        "copy": copy,
    }
    best = dict.fromkeys(candidates, math.inf)
    for _ in range(rounds):
        for name, run in candidates.items():
            best[name] = min(best[name], cpu_time(run))
    return Measured(size=size, n_bytes=sum(array.nbytes for array in arrays), **best)


def cpu_time(run: Callable[[], object]) -> float:
    """CPU seconds of one call, over as many as make the clock's steps and noise small."""
    gc.collect()
    calls, spent = 0, 0.0
    while spent < _SHORTEST:
        begin = time.process_time()
        run()
        spent += time.process_time() - begin
        calls += 1
    return spent / calls


def exponent(measured: Sequence[Measured]) -> float:
    """Slope of time against size, both as logarithms."""
    sizes, times = zip(*((row.size, row.engine) for row in measured), strict=True)
    return float(np.polyfit(np.log(sizes), np.log(times), 1)[0])


def _cold(plan: Plan) -> Deadlines:
    """Simulate a plan that nobody has seen before."""
    deadlines_module._latest_safe_days.cache_clear()
    return deadlines(simulate(replace(plan)))


def _columns(found: Deadlines) -> Iterator[np.ndarray]:
    """Every column that the engine reads or writes."""
    timeline = found.timeline
    plan = timeline.plan
    for table, names in _READ.items():
        yield from (getattr(getattr(plan.fleet, table), name) for name in names)
    yield from (getattr(plan, name) for name in (*_ACTIONS, *_ACTION_VALUES))
    yield from (timeline.first, timeline.day, timeline.rule, *timeline.strictness)
    for field in fields(found):
        value = getattr(found, field.name)
        if isinstance(value, np.ndarray):
            yield value


# --- memory ------------------------------------------------------------------------------------


def memory(size: int) -> dict[str, int]:
    """Bytes above the level after the plan is built, at the peak: all, and what NumPy asked for."""
    _cold(synthetic_plan(2_000, SEED))
    plan = synthetic_plan(size, SEED)
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)  # or room that was freed before would hide what is taken
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")  # the peak starts again here
    before = _status("VmRSS")
    found = _cold(plan)
    process = _status("VmHWM") - before
    del found
    gc.collect()
    tracemalloc.start()
    _cold(plan)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return {"process": process, "numpy": peak}


def _status(name: str) -> int:
    """One figure of the kernel's on this process [bytes]."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    line = next(line for line in status.splitlines() if line.startswith(f"{name}:"))
    return int(line.split()[1]) * 1024


def _memory_in_new_process(size: int) -> dict[str, int]:
    command = [sys.executable, "-m", "tests.benchmarks.simulate", "--memory", str(size)]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    found: dict[str, int] = json.loads(result.stdout)
    return found


# --- one edit ----------------------------------------------------------------------------------


def edit() -> None:
    """Print what one edit of a plan costs until everything that shows it is fresh."""
    plan = synthetic_plan(EDIT_SIZE, SEED)
    row = plan.where(action="import-certificate")[:1]
    timeline = simulate(plan)
    found = deadlines(timeline)
    day = int(plan.day[row[0]])
    moved = plan.moved(row, day + 7)
    steps: dict[str, Callable[[], object]] = {
        "the edited plan": lambda: plan.moved(row, day + 7),
        "compile": lambda: compile_plan(replace(moved)),
        "compile and states": lambda: simulate(replace(moved)),
        "deadlines": lambda: deadlines(timeline),
        "measures": lambda: measures(found),
        "tables": lambda: (tables.session_states(timeline), tables.trust_deadlines(found)),
    }
    cost = {name: min(cpu_time(run) for _ in range(3)) * 1e3 for name, run in steps.items()}
    cost["states"] = cost.pop("compile and states") - cost["compile"]
    total = sum(cost.values()) - cost["tables"]
    print(f"one edit at {EDIT_SIZE:,} sessions: {total:.2f} ms to states, deadlines and measures")
    for name in ("the edited plan", "compile", "states", "deadlines", "measures"):
        print(f"  {name:<16} {cost[name]:8.2f} ms {cost[name] / total:6.0%}")
    print(f"  and, as tables,  {cost['tables']:8.2f} ms")
    print(f"  once a process:  {import_time() * 1e3:8.0f} ms import and machine code")


def import_time() -> float:
    """CPU seconds of a new process for the engine's imports, above those of an empty one."""

    def spent(code: str) -> float:
        code = f"import time\n{code}\nprint(time.process_time())"
        command = [sys.executable, "-c", code]
        return float(subprocess.run(command, cwd=ROOT, capture_output=True, check=True).stdout)

    used = "import planner.engine.timeline, planner.engine.deadlines, planner.engine.measures"
    return min(spent(used) for _ in range(3)) - min(spent("") for _ in range(3))


if __name__ == "__main__":
    main()
