"""Which lines each test runs, and for how long."""

from __future__ import annotations

import functools
import gc
import hashlib
import importlib
import pickle
import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import coverage
import pytest

from tests.mutation.forks import in_forks
from tests.mutation.mutants import Mutant

# At most so much of the tests of a module's own file, of those against the oracle, of the rest.
OWN_SECONDS = 6.0
ORACLE_SECONDS = 7.0
OTHER_SECONDS = 4.0
OURS = ("planner.", "tests.")
SHARED = {"settled_table", "solved"}  # the first takes 0.5 s in plain Python, the other no core
# Files that test a module beside the one of its name.
TESTED_IN = {
    "deadline_checks": ("findings",),
    "observations": ("as_is",),
    "order_rules": ("rule_table",),
    "plan_checks": ("findings",),
    "replacement_checks": ("replacements", "findings"),
    "review": ("plan_checks", "session_checks", "deadline_checks", "findings"),
    "session_checks": ("findings",),
    "sums": ("measures",),
}
ORACLE_FILE = "tests/test_timeline.py"


@dataclass(frozen=True, slots=True)
class TestFacts:
    """What one test runs: seconds of the processor, and lines by module."""

    __test__ = False

    name: str
    seconds: float
    lines: Mapping[str, frozenset[int]]


@dataclass(frozen=True, slots=True)
class Survey:
    """The tests that run the core, and the core's lines that run when it is imported.

    `at_table` are the lines that make the table of settled sessions, once for all tests.
    """

    tests: Sequence[TestFacts]
    at_table: Mapping[str, frozenset[int]]
    digests: Mapping[str, str]  # of each file of tests, with all that it depends on
    at_import: Mapping[str, frozenset[int]]


def module_of(file: str, root: Path) -> str:
    """Return the name of the module in a file."""
    return ".".join(Path(file).relative_to(root).with_suffix("").parts)


def new_coverage(root: Path) -> coverage.Coverage:
    """Return a coverage that measures the core and keeps nothing on disk."""
    folders = [str(root / "planner" / room) for room in ("domain", "engine")]
    return coverage.Coverage(data_file=None, source=folders, config_file=False)


def run_item(item: pytest.Item, following: pytest.Item | None) -> None:
    """Run one test with all that pytest does around it."""
    item.ihook.pytest_runtest_protocol(item=item, nextitem=following)


def survey_tests(items: Sequence[pytest.Item], root: Path) -> list[TestFacts]:
    """Measure each test that runs any line of the core; nothing is remembered from one to another.

    Each test runs twice: for its time, and for its lines with a tracer that slows it.
    """
    seconds: dict[str, float] = {}
    caches = caches_of_functions()
    settled_table()()
    for item in items:
        for cache in caches:
            cache.cache_clear()
        begin = time.process_time()
        run_item(item, None)
        seconds[item.nodeid] = time.process_time() - begin
    tracer = new_coverage(root)
    tracer.start()
    for item in items:
        for cache in caches:
            cache.cache_clear()
        tracer.switch_context(item.nodeid)
        run_item(item, None)
    tracer.stop()
    lines: dict[str, dict[str, set[int]]] = {name: defaultdict(set) for name in seconds}
    data = tracer.get_data()
    for file in data.measured_files():
        for line, tests in data.contexts_by_lineno(file).items():
            for test in tests:
                lines[test][module_of(file, root)].add(line)
    return [
        TestFacts(name, seconds[name], {module: frozenset(own) for module, own in run.items()})
        for name, run in lines.items()
        if run
    ]


def caches_of_functions() -> list[functools._lru_cache_wrapper[object]]:
    """Return every cache of a function, to be emptied so that each test runs what it needs."""
    things = gc.get_objects()
    caches = [thing for thing in things if type(thing) is functools._lru_cache_wrapper]
    own = [cache for cache in caches if str(getattr(cache, "__module__", "")).startswith(OURS)]
    return [cache for cache in own if getattr(cache, "__name__", "") not in SHARED]


def survey_import(root: Path) -> dict[str, frozenset[int]]:
    """Import the package, which this process must not have done, and return the lines run."""

    def load() -> None:
        for path in sorted((root / "planner").rglob("*.py")):
            importlib.import_module(".".join(path.relative_to(root).with_suffix("").parts))

    return lines_run(load, root)


def survey_table(root: Path) -> dict[str, frozenset[int]]:
    """Make the table of settled sessions, which all tests share, and return the lines run."""
    return lines_run(settled_table(), root)


def lines_run(work: Callable[[], object], root: Path) -> dict[str, frozenset[int]]:
    """Return the lines of the core that some work runs, by module."""
    tracer = new_coverage(root)
    tracer.start()
    work()
    tracer.stop()
    data = tracer.get_data()
    files = data.measured_files()
    return {module_of(file, root): frozenset(data.lines(file) or ()) for file in files}


def settled_table() -> functools._lru_cache_wrapper[object]:
    """Return the function that makes the table of settled sessions, once."""
    made: functools._lru_cache_wrapper[object] = importlib.import_module(
        "planner.engine.settled"
    ).settled_table
    return made


def chosen(mutant: Mutant, found: Survey, *, by_module: bool) -> list[TestFacts]:
    """Return the quickest tests that run the mutant's lines: its own file's, then the oracle's.

    Outside functions lines run at import only: there the tests count that run its module at all.
    """
    wanted = frozenset(mutant.lines)
    makes_table = bool(wanted & found.at_table.get(mutant.module, frozenset()))
    stem = mutant.module.rpartition(".")[2]
    own_file = tuple(f"tests/test_{name}.py" for name in (stem, *TESTED_IN.get(stem, ())))
    running = [
        test
        for test in found.tests
        if (by_module and test.lines.get(mutant.module))
        or wanted & test.lines.get(mutant.module, frozenset())
        or (by_module and test.name.startswith(own_file))
        or (makes_table and test.lines.get("planner.engine.settled"))
    ]
    running.sort(key=lambda test: test.seconds)
    own: list[TestFacts] = []
    oracle: list[TestFacts] = []
    others: list[TestFacts] = []
    for test in running:
        is_own, is_oracle = test.name.startswith(own_file), test.name.startswith(ORACLE_FILE)
        (own if is_own else oracle if is_oracle else others).append(test)
    return [
        *_within(own, OWN_SECONDS),
        *_within(oracle, ORACLE_SECONDS),
        *_within(others, OTHER_SECONDS),
    ]


def _within(tests: Sequence[TestFacts], seconds: float) -> list[TestFacts]:
    taken = []
    for test in tests:
        seconds -= test.seconds
        if seconds < 0:
            break
        taken.append(test)
    return taken


def digests_of(root: Path) -> dict[str, str]:
    """Digest of each file of tests, with the package and what the tests share."""
    tests = sorted((root / "tests").rglob("*.py"))
    files = [path for path in tests if path.name.startswith("test_")]
    mutation = Path(__file__).resolve().parent
    shared = [path for path in tests if path not in files and mutation not in path.parents]
    common = hashlib.sha256()
    for path in (*sorted((root / "planner").rglob("*.py")), *shared):
        common.update(path.read_bytes())
    return {
        path.relative_to(root).as_posix(): hashlib.sha256(
            common.digest() + path.read_bytes()
        ).hexdigest()
        for path in files
    }


def kept(file: Path) -> Survey:
    """Return the survey that was kept, or an empty one."""
    if not file.exists():
        return Survey([], {}, {}, {})
    found: Survey = pickle.loads(file.read_bytes())  # noqa: S301  our own file
    return found


def surveyed(
    items: Sequence[pytest.Item],
    at_import: Mapping[str, frozenset[int]],
    file: Path,
) -> Survey:
    """Return the survey of these tests, of which those in unchanged files are taken from before."""
    root = items[0].config.rootpath
    digests, before = digests_of(root), kept(file)
    is_known = {name: before.digests.get(name) == digest for name, digest in digests.items()}
    known = [test for test in before.tests if is_known.get(test.name.partition("::")[0])]
    unknown = [item for item in items if not is_known[item.nodeid.partition("::")[0]]]
    if not unknown:
        return Survey(known, survey_table(root), digests, at_import)
    ((_, measured),) = in_forks([unknown], lambda items: survey_tests(items, root), jobs=1)
    if measured is None:
        raise pytest.UsageError("the survey of the tests does not end")
    tests = [*known, *measured]
    found = Survey(tests, survey_table(root), digests, at_import)
    file.write_bytes(pickle.dumps(found))
    return found
