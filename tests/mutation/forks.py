"""Work in forks of this process: what a task changes or breaks is gone with its fork."""

from __future__ import annotations

import os
import pickle
import resource
import signal
import tempfile
import traceback
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TypeVar

Task = TypeVar("Task")
Answer = TypeVar("Answer")

MEMORY = 6 * 2**30  # a mutant that fills its memory fails instead of the machine


def in_forks(
    tasks: Sequence[Task], work: Callable[[Task], Answer], *, jobs: int
) -> Iterator[tuple[Task, Answer | None]]:
    """Yield each task with its answer, as they come; no answer from a fork that was stopped."""
    running: dict[int, tuple[Task, Path]] = {}
    waiting = list(reversed(tasks))
    with tempfile.TemporaryDirectory() as folder:
        while waiting or running:
            while waiting and len(running) < jobs:
                task = waiting.pop()
                file = Path(folder) / str(len(waiting))
                running[_forked(work, task, file)] = task, file
            process, _ = os.wait()
            if process in running:
                task, file = running.pop(process)
                yield task, _answer(file)


def _answer(file: Path) -> Answer | None:
    if not file.exists():
        return None
    answer: Answer = pickle.loads(file.read_bytes())  # noqa: S301  written by our own fork
    file.unlink()
    return answer


def _forked(work: Callable[[Task], Answer], task: Task, file: Path) -> int:
    process = os.fork()
    if process:
        return process
    status = 1
    try:
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        answer = work(task)
        part = file.with_suffix(".part")
        part.write_bytes(pickle.dumps(answer))
        part.rename(file)
        status = 0
    except BaseException:  # noqa: BLE001  a fork must never get past here
        traceback.print_exc()
    finally:
        os._exit(status)


def allow_seconds_more(seconds: int) -> None:
    """Stop this process once it has computed for so much longer; waiting does not count."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    limit = int(used.ru_utime + used.ru_stime) + seconds + 1
    signal.signal(signal.SIGXCPU, signal.SIG_DFL)
    resource.setrlimit(resource.RLIMIT_CPU, (limit, resource.RLIM_INFINITY))
