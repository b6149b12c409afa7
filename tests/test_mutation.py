"""The mutation testing of the core: its score, its forks, its changes, its account of survivors."""

import csv
import math
import os
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.mutation.forks import allow_seconds_more, in_forks
from tests.mutation.score import (
    ACCOUNT,
    Ending,
    Result,
    Verdict,
    read_account,
    read_result,
    report,
    score,
)

ROOT = Path(__file__).parents[1]
needs_mutmut = pytest.mark.skipif(
    find_spec("mutmut") is None, reason="`make mutants` installs mutmut"
)


def result(ending: Ending, after: str = "b") -> Result:
    return Result("m", 0, "f", 1, "a", after, ending, "")


def test_the_score_weighs_modules_by_their_numbers_of_mutants() -> None:
    whole = score({"a": (10, 10), "b": (5, 10)}, {"a": 10, "b": 30})
    assert whole.share == pytest.approx(0.25 * 1 + 0.75 * 0.5)
    assert whole.error == pytest.approx(0.75 * math.sqrt((20 / 30) * 0.5 * 0.5 / 10))


def test_a_sample_of_all_mutants_has_no_error_and_one_without_survivors_has() -> None:
    assert score({"a": (7, 10)}, {"a": 10}).error == 0
    assert score({"a": (10, 10)}, {"a": 100}).error > 0.05


def test_equivalent_mutants_leave_one_score_only_and_accepted_ones_none() -> None:
    results = [
        result(Ending.FOUND, "1"),
        result(Ending.STOPPED, "2"),
        result(Ending.SURVIVED, "3"),
        result(Ending.UNREACHED, "4"),
    ]
    account = {result(Ending.FOUND, "3").key: Verdict.EQUIVALENT}
    text = report(results, {"m": 4}, account)
    assert "score 50.0 % +- 0.0" in text
    assert "without equivalent mutants 66.7 %" in text
    assert "1 survivors are not accounted for" in text
    assert "  + 4" in text
    assert "  + 3" not in text
    account[result(Ending.FOUND, "4").key] = Verdict.ACCEPTED
    text = report(results, {"m": 4}, account)
    assert "without equivalent mutants 66.7 %" in text
    assert "0 survivors are not accounted for" in text


def test_a_result_reads_back() -> None:
    assert read_result(result(Ending.STOPPED).row()) == result(Ending.STOPPED)


def test_the_account_gives_a_reason_for_lines_that_still_stand_in_the_sources() -> None:
    with ACCOUNT.open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines))
    assert len(read_account()) == len(rows), "a mutant is listed twice"
    for row in rows:
        source = (ROOT / row["module"].replace(".", "/")).with_suffix(".py")
        joined = " ".join(line.strip() for line in source.read_text("utf-8").splitlines())
        assert row["before"] in joined, row
        assert row["before"] != row["after"], row
        assert len(row["reason"]) > 20, row


def test_a_fork_answers_and_changes_nothing_here() -> None:
    seen: list[int] = []

    def work(number: int) -> int:
        seen.append(number)
        return number * number

    assert dict(in_forks([1, 2, 3], work, jobs=2)) == {1: 1, 2: 4, 3: 9}
    assert seen == []


def test_a_fork_that_fails_leaves_or_never_ends_has_no_answer() -> None:
    def work(how: str) -> int:
        if how == "leaves":
            os._exit(0)
        allow_seconds_more(0)
        while how == "never ends":
            pass
        return 1

    assert dict(in_forks(["leaves", "never ends", "ends"], work, jobs=1)) == {
        "leaves": None,
        "never ends": None,
        "ends": 1,
    }


@needs_mutmut
def test_mutants_are_made_in_decorated_functions_and_tables_but_not_in_annotations(
    tmp_path: Path,
) -> None:
    from tests.mutation.mutants import MutableModule

    path = tmp_path / "module.py"
    path.write_text(
        '"""Text."""\n\nTABLE: "list" = [1]\n\n\n@compiled("x")\ndef add(n: "int") -> int:\n'
        '    """Add."""\n    return (\n        n\n        + 2\n    )\n'
    )
    module = MutableModule(path, tmp_path)
    made = [module.mutant(number) for number in range(len(module))]
    assert [(m.function, m.lines, m.before, m.after) for m in made if m] == [
        ("", range(3, 4), 'TABLE: "list" = [1]', 'TABLE: "list" = None'),
        ("", range(3, 4), 'TABLE: "list" = [1]', 'TABLE: "list" = [2]'),
        ("add", range(9, 13), "n + 2", "n - 2"),
        ("add", range(9, 13), "+ 2", "+ 3"),
    ]


@needs_mutmut
def test_a_function_gets_its_changed_code_in_place(tmp_path: Path) -> None:
    from tests.mutation.mutants import MutableModule
    from tests.mutation.trials import changed_code, living_functions

    path = tmp_path / "module.py"
    path.write_text("def add(n):\n    return n + 2\n")
    module = MutableModule(path, tmp_path)
    space: dict[str, object] = {}
    exec(compile(path.read_text(), str(path), "exec"), space)  # noqa: S102  our own text
    functions = living_functions({module.name: str(path)})
    (function,) = functions[module.name, "add"]
    mutant = module.mutant(0)
    assert mutant is not None
    code = changed_code(mutant, functions, str(path))
    assert code is not None
    function.__code__ = code
    assert {function(5)} < {3, 8}
