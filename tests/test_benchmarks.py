"""The benchmark's peers compute what the engine computes, on fleets that exercise its features."""

from dataclasses import fields, replace

import numpy as np
import pytest

from planner.domain.rules import VERDICTS, Mode, Reason
from planner.engine.deadlines import deadlines
from planner.engine.timeline import simulate
from planner.inventory.importing.evidence import LineUse
from tests.benchmarks import importing, pandas_solution, polars_solution
from tests.benchmarks.fleets import synthetic_plan
from tests.benchmarks.peers import SHOWN, Answer, differences, engine_answer

SIZE = 2_000
SEEDS = (1, 2)


@pytest.fixture(scope="module", params=SEEDS)
def answer(request: pytest.FixtureRequest) -> tuple[int, Answer]:
    return request.param, engine_answer(synthetic_plan(SIZE, request.param))


def test_polars_equals_the_engine(answer: tuple[int, Answer]) -> None:
    seed, expected = answer
    assert differences(expected, polars_solution.solve(synthetic_plan(SIZE, seed))) == []


def test_pandas_equals_the_engine(answer: tuple[int, Answer]) -> None:
    seed, expected = answer
    assert differences(expected, pandas_solution.solve(synthetic_plan(SIZE, seed))) == []


@pytest.mark.parametrize("column", [field.name for field in fields(Answer)])
def test_one_changed_value_is_a_difference(answer: tuple[int, Answer], column: str) -> None:
    _, expected = answer
    changed = getattr(expected, column).copy()
    changed[len(changed) // 2] ^= 1
    found = differences(expected, replace(expected, **{column: changed}))
    assert len(found) == 1
    assert found[0].startswith(f"{column}: row {len(changed) // 2}")


def test_one_missing_row_is_a_difference(answer: tuple[int, Answer]) -> None:
    _, expected = answer
    found = differences(expected, replace(expected, session=expected.session[:-1]))
    assert found == [f"session: {len(expected.session)} rows against {len(expected.session) - 1}"]


def test_equal_seeds_make_equal_fleets_and_others_do_not() -> None:
    one, again, other = (synthetic_plan(SIZE, seed) for seed in (1, 1, 2))
    assert np.array_equal(one.day, again.day)
    assert np.array_equal(one.fleet.sessions.options, again.fleet.sessions.options)
    assert not np.array_equal(one.day, other.day)


def test_synthetic_fleets_have_the_asked_size_and_reach_what_the_benchmark_is_about() -> None:
    plan = synthetic_plan(20_000, 1)
    timeline = simulate(plan)
    found = deadlines(timeline)
    assert len(plan.fleet.sessions) == 20_000
    assert len(timeline.distributed.day) > 0
    assert all(found.count(verdict) for verdict in VERDICTS)
    shown = [SHOWN[state] for state in np.unique(engine_answer(plan).state)]
    assert {mode for mode, _, _ in shown} == set(Mode) - {Mode.INACTIVE}
    assert {reason for _, reason, _ in shown} == set(Reason)


def test_the_importing_benchmark_imports_every_node_whole(
    capsys: pytest.CaptureFixture[str],
) -> None:
    made = importing.run(400)
    assert len(made.fleet.sessions) == len(made.fleet.clients) == 400
    assert made.count(LineUse.FAULT) == 0
    assert not made.findings.has_errors
    assert capsys.readouterr().out.startswith("400 nodes, ")
