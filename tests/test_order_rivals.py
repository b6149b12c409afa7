"""Solvers that share no code with the search: on small fleets all find the true optimum."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from planner.domain.errors import InfeasibleError
from planner.ordering.problem import compile_problem
from planner.ordering.rules import constraints_of
from tests.benchmarks.order_fleets import SCENARIOS, order_fleet
from tests.benchmarks.order_rivals import compare
from tests.benchmarks.order_solvers import RIVALS
from tests.ordering import small_fleet, true_optimum

pytest.importorskip("ortools")
pytest.importorskip("pyjobshop")
SEEDS = 3 if os.environ.get("NUMBA_DISABLE_JIT") else 25


@pytest.mark.parametrize("rival", RIVALS)
@pytest.mark.parametrize("seed", range(SEEDS))
def test_each_rival_finds_the_optimum_of_brute_force(tmp_path: Path, seed: int, rival: str) -> None:
    fleet = small_fleet(tmp_path / "fleet", seed)
    try:
        model = compile_problem(fleet, constraints_of(fleet)).model
    except InfeasibleError:
        return
    best, answer = true_optimum(model), RIVALS[rival](model, 60.0)
    if best is None:
        assert answer.days is None
        return
    assert answer.days is not None
    assert model.cost(answer.days) == best[0]
    assert answer.bound == pytest.approx(best[0], rel=1e-6, abs=1e-3)


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_no_bound_is_above_what_any_candidate_found(scenario: str) -> None:
    rows = compare(order_fleet(30, weights="unit", scenario=scenario, seed=2), seconds=3.0)
    values = [row.value for row in rows if row.value is not None]
    assert rows[0].value is not None
    assert all(row.bound is not None and row.bound <= min(values) + 1e-3 for row in rows)
