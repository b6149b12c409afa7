"""Tries mutants: the chosen tests run in a fork in which the module is changed.

A function gets the changed code in place, in a fork of a process that has collected all tests. What
runs at import needs modules that are imported anew, in a fork that has loaded only other packages.
"""

from __future__ import annotations

import gc
import importlib
import importlib.util
import sys
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, SourceFileLoader
from types import CodeType, FunctionType, ModuleType

import pytest
from hypothesis import Phase, settings

from tests.mutation.forks import allow_seconds_more, in_forks
from tests.mutation.mutants import Mutant
from tests.mutation.survey import Survey, TestFacts, run_item, settled_table

OPTIONS = ("-q", "-p", "no:cacheprovider", "-W", "ignore::pytest.PytestAssertRewriteWarning")


@dataclass(frozen=True, slots=True)
class Trial:
    """A mutant and the tests that are to find it."""

    mutant: Mutant
    tests: Sequence[TestFacts]


@dataclass(frozen=True, slots=True)
class Outcome:
    """The first test that failed; empty when all passed."""

    killer: str


class Failures:
    """A pytest plugin: draws the same examples every time, and remembers the first failure."""

    def __init__(self) -> None:
        self.first = ""

    @pytest.hookimpl
    def pytest_collection(self) -> None:
        settings.register_profile(
            "mutants",
            deadline=None,
            derandomize=True,
            database=None,
            phases=(Phase.explicit, Phase.generate),
        )
        settings.load_profile("mutants")

    @pytest.hookimpl
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed and not self.first:
            self.first = report.nodeid

    @pytest.hookimpl
    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed and not self.first:
            self.first = report.nodeid


Functions = Mapping[tuple[str, str], Sequence[FunctionType]]


def living_functions(paths: Mapping[str, str]) -> Functions:
    """Return every function of the modules by its module and qualified name."""
    modules = {path: module for module, path in paths.items()}
    found: dict[tuple[str, str], list[FunctionType]] = defaultdict(list)
    for thing in gc.get_objects():
        # Not isinstance, which asks proxies of things that are gone.
        if type(thing) is FunctionType and thing.__code__.co_filename in modules:
            module = modules[thing.__code__.co_filename]
            found[module, thing.__code__.co_qualname].append(thing)
    return found


def changed_code(mutant: Mutant, functions: Functions, path: str) -> CodeType | None:
    """Return the code that its function should get; nothing if it is not clear which one it is."""
    living = functions.get((mutant.module, mutant.function), ())
    changed = [
        code
        for code in _codes(compile(mutant.source, path, "exec"))
        if code.co_qualname == mutant.function
    ]
    if len(changed) != 1 or len({function.__code__ for function in living}) != 1:
        return None
    return changed[0] if changed[0].co_freevars == living[0].__code__.co_freevars else None


def _codes(code: CodeType) -> Iterator[CodeType]:
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield constant
            yield from _codes(constant)


def try_in_place(
    trials: Sequence[Trial],
    items: Mapping[str, pytest.Item],
    failures: Failures,
    paths: Mapping[str, str],
    found: Survey,
    *,
    jobs: int,
) -> Iterator[tuple[Trial, Outcome | None]]:
    """Try mutants of functions among collected tests; those of unclear functions are left out."""
    functions = living_functions(paths)
    importlib.import_module("tests.comparison").remember_answers()
    settled_table()()
    gc.collect()
    gc.freeze()  # so that forks share what is there

    def attempt(trial: Trial) -> Outcome:
        mutant = trial.mutant
        code = changed_code(mutant, functions, paths[mutant.module])
        for function in functions[mutant.module, mutant.function]:
            function.__code__ = code or function.__code__
        if frozenset(mutant.lines) & found.at_table.get(mutant.module, frozenset()):
            settled_table().cache_clear()
        tests = [items[test.name] for test in trial.tests]
        for number, (test, facts) in enumerate(zip(tests, trial.tests, strict=True), start=1):
            allow_seconds_more(2 + int(10 * facts.seconds))
            run_item(test, tests[number] if number < len(tests) else None)
            if failures.first:
                break
        return Outcome(failures.first)

    clear = [
        trial
        for trial in trials
        if changed_code(trial.mutant, functions, paths[trial.mutant.module]) is not None
    ]
    yield from in_forks(clear, attempt, jobs=jobs)


def try_imported(
    trials: Sequence[Trial],
    paths: Mapping[str, str],
    *,
    jobs: int,
) -> Iterator[tuple[Trial, Outcome | None]]:
    """Try mutants of what runs at import: this process must not have imported the package."""

    def attempt(trial: Trial) -> Outcome:
        module = trial.mutant.module
        sys.meta_path.insert(0, _Changed(module, paths[module], trial.mutant.source))
        failures = Failures()
        allow_seconds_more(20 + int(10 * sum(test.seconds for test in trial.tests)))
        names = [test.name for test in trial.tests]
        pytest.main([*OPTIONS, "-x", *names], [failures])
        return Outcome(failures.first)

    yield from in_forks(trials, attempt, jobs=jobs)


class _Changed(MetaPathFinder):
    """Finds one module with changed source."""

    def __init__(self, name: str, path: str, source: str) -> None:
        self._name, self._path, self._source = name, path, source

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname != self._name:
            return None
        loader = _ChangedLoader(fullname, self._path, self._source)
        return importlib.util.spec_from_file_location(fullname, self._path, loader=loader)


class _ChangedLoader(SourceFileLoader):
    def __init__(self, name: str, path: str, source: str) -> None:
        super().__init__(name, path)
        self._source = source

    def get_code(self, fullname: str) -> CodeType:
        return compile(self._source, self.path, "exec")
