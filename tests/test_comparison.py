"""The comparer of engine and oracle finds a difference of one value in any part."""

import random
from dataclasses import replace
from typing import Any

import pytest

from tests.comparison import answer_of, differences, plan_of_case
from tests.oracle import Answer, solve
from tests.strategies import random_case


@pytest.fixture(scope="module")
def answer() -> Answer:
    for seed in range(200):
        found = solve(random_case(random.Random(seed)))
        if found.automatic and found.deadlines and any(found.strict.values()):
            return found
    raise AssertionError("no random case has everything that an answer can hold")


def test_an_answer_does_not_differ_from_itself(answer: Answer) -> None:
    assert differences(answer, answer) == []


@pytest.mark.parametrize("part", ["states", "deadlines", "daily"])
def test_one_changed_cell_of_a_table_is_found(answer: Answer, part: str) -> None:
    rows = [dict(row) for row in getattr(answer, part)]
    column = list(rows[-1])[-1]
    rows[-1][column] += "x"
    changed: dict[str, Any] = {part: rows}
    assert differences(replace(answer, **changed), answer)


@pytest.mark.parametrize("part", ["states", "deadlines", "daily", "use_cases", "automatic"])
def test_one_missing_row_is_found(answer: Answer, part: str) -> None:
    assert differences(replace(answer, **{part: getattr(answer, part)[:-1]}), answer)


def test_a_shifted_strict_stretch_is_found(answer: Answer) -> None:
    strict = {key: [("2000-01-01", "2000-01-02")] for key in answer.strict}
    assert differences(replace(answer, strict=strict), answer)


@pytest.mark.parametrize(
    "measure",
    ["exposure", "partial_exposure", "refused_session_days", "transitional_account_days"],
)
def test_a_measure_that_is_one_off_is_found(answer: Answer, measure: str) -> None:
    changed = replace(answer, **{measure: getattr(answer, measure) + 1})
    assert differences(changed, answer)


def test_the_engine_differs_from_the_oracle_of_another_case() -> None:
    ours, other = random_case(random.Random(1)), random_case(random.Random(2))
    assert differences(answer_of(plan_of_case(ours)), solve(other))
