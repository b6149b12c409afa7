"""Mutation testing of the core: `python -m tests.mutation [MODULE ...]`.

Takes a random sample of each module's mutants, runs the tests that run their lines, and prints the
survivors that survivors.csv does not account for, and the score of each module. Compiled loops run
as plain Python. Results stay in out/mutation.
"""

import argparse
import importlib
import json
import os
import random
import sys
import time
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from tests.mutation.forks import in_forks
from tests.mutation.mutants import Mutant, modules_of
from tests.mutation.score import Ending, Key, Result, read_account, read_result, report
from tests.mutation.survey import (
    Survey,
    chosen,
    kept,
    survey_import,
    surveyed,
)
from tests.mutation.trials import OPTIONS, Failures, Outcome, Trial, try_imported, try_in_place

ROOT = Path(__file__).parents[2]
SURVEY, RESULTS = "survey.pickle", "results.jsonl"
ROOMS = ("planner/domain", "planner/engine")
# Tests of other rooms that say much about the core; each module's own file is taken anyway.
FURTHER = (
    *("eight_cases", "harbour", "tables", "rule_table", "schedule", "fleet_tables", "plan_file"),
    *("fleet_folder", "fleet_writer", "commands"),
)
# Loaded before the forks: none of them imports the package.
PRELOADED = (
    *("cryptography.x509", "hypothesis.strategies", "jinja2", "matplotlib.figure", "nbval.plugin"),
    *("networkx", "numba", "pandas", "tomli_w", "pyhanko_certvalidator", "tqdm.auto", "trustme"),
)


@dataclass(frozen=True, slots=True)
class Sample:
    """Mutants to try, and all that there are by module."""

    mutants: Sequence[Mutant]
    sizes: Mapping[str, int]
    paths: Mapping[str, str]


def drawn(modules: Sequence[str], n: int, seed: int) -> Sample:
    """Draw up to n mutants of each module, the same ones for the same seed; 0 draws all."""
    mutants: list[Mutant] = []
    sizes, paths = {}, {}
    for module in modules_of(ROOT, ROOMS):
        short = module.name.removeprefix("planner.")
        if modules and short not in modules:
            continue
        numbers = list(range(len(module)))
        random.Random(f"{seed} {module.name}").shuffle(numbers)
        sizes[module.name], paths[module.name] = len(module), str(module.path)
        own: list[Mutant] = []
        for number in numbers:
            if n and len(own) == n:
                break
            mutant = module.mutant(number)
            if mutant is not None:
                own.append(mutant)
        mutants += own
    return Sample(mutants, sizes, paths)


class Collected:
    """A pytest plugin that surveys the collected tests, and tries mutants among them."""

    def __init__(self, sample: Sample, out: Path, jobs: int) -> None:
        self._sample, self._out, self._jobs = sample, out, jobs
        self._at_import = survey_import(ROOT)
        self.failures = Failures()

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Do all of it in place of the tests."""
        if self.failures.first:
            raise pytest.UsageError(f"collection fails: {self.failures.first}")
        found = surveyed(session.items, self._at_import, self._out / SURVEY)
        items = {item.nodeid: item for item in session.items}
        trials = trials_in_place(self._sample, found)
        tried = try_in_place(
            trials, items, self.failures, self._sample.paths, found, jobs=self._jobs
        )
        note(self._out, (result_of(trial, outcome) for trial, outcome in tried))
        return True


def note(out: Path, results: Iterable[Result]) -> None:
    """Append results to the file of results, one by one."""
    with (out / RESULTS).open("a", encoding="utf-8") as lines:
        for result in results:
            lines.write(json.dumps(result.row()) + "\n")
            lines.flush()


def noted(out: Path) -> list[Result]:
    """Return all results that were noted."""
    lines = (out / RESULTS).read_text(encoding="utf-8").splitlines()
    return [read_result(json.loads(line)) for line in lines]


def trials_in_place(sample: Sample, found: Survey) -> list[Trial]:
    """Return the mutants that do not run at import, each with tests of its lines."""
    return [
        Trial(mutant, chosen(mutant, found, by_module=False))
        for mutant in sample.mutants
        if mutant.function
        and not frozenset(mutant.lines) & found.at_import.get(mutant.module, frozenset())
    ]


def trials_at_import(sample: Sample, found: Survey, tried: Collection[Key]) -> list[Trial]:
    """Return all mutants that were not tried in place."""
    return [
        Trial(mutant, chosen(mutant, found, by_module=True))
        for mutant in sample.mutants
        if mutant.key not in tried
    ]


def result_of(trial: Trial, outcome: Outcome | None) -> Result:
    """Return how a mutant ended."""
    mutant = trial.mutant
    if not trial.tests:
        ending = Ending.UNREACHED
    elif outcome is None:
        ending = Ending.STOPPED
    elif outcome.killer:
        ending = Ending.FOUND
    else:
        ending = Ending.SURVIVED
    return Result(
        module=mutant.module,
        number=mutant.number,
        function=mutant.function,
        line=mutant.lines.start,
        before=mutant.before,
        after=mutant.after,
        ending=ending,
        killer=outcome.killer if outcome else "",
    )


def try_sample(sample: Sample, out: Path, jobs: int) -> None:
    """Try all mutants of a sample, and note how each ends."""
    stems = {path.stem for room in ROOMS for path in (ROOT / room).glob("*.py")} | set(FURTHER)
    places = (ROOT / "tests" / f"test_{stem}.py" for stem in sorted(stems))
    files = [str(place) for place in places if place.exists()]

    def collected(_: Sample) -> int:
        plugin = Collected(sample, out, jobs)
        return pytest.main([*OPTIONS, *files], [plugin, plugin.failures])

    for _, status in in_forks([sample], collected, jobs=1):
        if status != 0:
            raise SystemExit(f"mutation: pytest ends with {status} before any mutant is tried")
    tried_in_place = {result.key for result in noted(out)}
    trials = trials_at_import(sample, kept(out / SURVEY), tried_in_place)
    tried = try_imported(trials, sample.paths, jobs=jobs)
    note(out, (result_of(trial, outcome) for trial, outcome in tried))


def main() -> int:
    """Try a sample and print what is left of it."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutation", description=__doc__)
    parser.add_argument("modules", nargs="*", metavar="MODULE", help="such as engine.kernel")
    parser.add_argument("--sample", type=int, default=100, help="mutants of each module; 0: all")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--out", type=Path, default=ROOT / "out" / "mutation")
    parser.add_argument(
        "--again",
        action="store_true",
        help="go on with the last run, and try its survivors anew",
    )
    options = parser.parse_args()
    os.environ |= {"NUMBA_DISABLE_JIT": "1", "MPLBACKEND": "Agg"}
    os.chdir(ROOT)
    for name in PRELOADED:
        importlib.import_module(name)

    out: Path = options.out
    out.mkdir(parents=True, exist_ok=True)
    sample = drawn(options.modules, options.sample, options.seed)
    known = noted(out) if options.again else []
    decided = {result.key: result for result in known if result.ending is Ending.FOUND}
    (out / RESULTS).unlink(missing_ok=True)
    note(out, (decided[mutant.key] for mutant in sample.mutants if mutant.key in decided))
    rest = [mutant for mutant in sample.mutants if mutant.key not in decided]
    random.Random(options.seed).shuffle(rest)  # so that what is tried by any time is a sample
    sample = replace(sample, mutants=rest)
    begin = time.monotonic()
    try_sample(sample, out, options.jobs)
    sys.stdout.write(report(noted(out), sample.sizes, read_account()))
    sys.stdout.write(f"{len(sample.mutants)} mutants in {time.monotonic() - begin:.0f} s\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
