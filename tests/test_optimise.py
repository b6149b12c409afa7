from __future__ import annotations

import math
import os
import threading
import time
from pathlib import Path

import numpy as np
import pytest

import planner
from planner.domain.errors import InfeasibleError, PlanError
from planner.domain.fleet import Fleet
from planner.ordering.objective import Objective
from planner.ordering.optimise import _Prover, optimise, order
from planner.ordering.problem import Problem, compile_problem
from planner.ordering.result import Progress
from planner.ordering.rules import constraints_of
from planner.ordering.search import Search
from planner.ordering.stopping import Stop
from planner.ordering.strategies import STRATEGIES
from tests.builders import action, certificate, client, rule, server, session, trust
from tests.ordering import fits, fleet_of, small_fleet, true_optimum

QUICK = Stop(iterations=16 if not os.environ.get("NUMBA_DISABLE_JIT") else 4, seconds=math.inf)
SEEDS = 3 if os.environ.get("NUMBA_DISABLE_JIT") else 40


def two_clients(folder: Path, **more: object) -> Fleet:
    return fleet_of(
        folder,
        servers=[server("srv", target_level="8.1.13")],
        clients=[client("a", target_level="8.1.13"), client("b", target_level="8.1.13")],
        sessions=[session("a", "srv"), session("b", "srv", weight="5")],
        plan=None,
        **{"capacity": {"clients_per_week": 1, "servers_per_week": 1}, **more},
    )


@pytest.mark.parametrize("has_alike_clients", [False, True], ids=["any", "alike"])
@pytest.mark.parametrize("seed", range(SEEDS))
def test_no_order_is_below_the_bound_and_none_above_is_missed(
    tmp_path: Path, seed: int, *, has_alike_clients: bool
) -> None:
    fleet = small_fleet(tmp_path / "fleet", seed, has_alike_clients=has_alike_clients)
    try:
        problem = compile_problem(fleet, constraints_of(fleet))
    except InfeasibleError:
        with pytest.raises(InfeasibleError):
            optimise(fleet, stop=QUICK)
        return
    found = true_optimum(problem.model)
    if found is None:
        with pytest.raises(InfeasibleError):
            optimise(fleet, stop=QUICK)
        return
    best = found[0] / problem.scale
    result = optimise(fleet, stop=QUICK)
    assert result.bound is not None
    cost = cost_of(problem, result.best)
    # What the model leaves out is the same for all orders: sessions that no order changes.
    offset = result.value - cost
    assert result.bound - offset <= best + problem.rounding <= cost + 2 * problem.rounding
    assert result.bound <= result.value


def cost_of(problem: Problem, plan: planner.Plan) -> float:
    days = np.zeros(problem.model.n_blocks, dtype=np.int32)
    for row in plan.rows():
        if row.action <= 2:
            endpoint = problem.fleet.find_endpoint(row.client or row.server)
            days[problem.blocks.of_endpoint[endpoint]] = row.day - problem.fleet.start
    assert fits(problem.model, days)
    return problem.model.cost(days) / problem.scale


def test_the_brute_force_finds_the_one_best_order(tmp_path: Path) -> None:
    fleet = two_clients(tmp_path)
    found = true_optimum(compile_problem(fleet, constraints_of(fleet)).model)
    assert found is not None
    cost, days = found
    # Imports can be made from Monday on and need five working days: Saturday is the first day.
    assert cost == 5 * 5 + 1 * 7
    assert days.tolist()[0] == 7


def test_the_heavier_client_goes_first_and_that_is_proven(tmp_path: Path) -> None:
    result = optimise(two_clients(tmp_path), stop=QUICK)
    days = {row.client or row.server: row.day for row in result.best.rows() if row.action <= 2}
    assert days["b"] < days["a"]
    assert result.gap == 0
    assert result.measures.refused_session_days == 0
    assert "gap           0.00%" in result.summary()
    assert repr(result).startswith("Result(optimised, objective ")


def test_equal_seeds_and_iterations_give_equal_plans(tmp_path: Path) -> None:
    fleet = small_fleet(tmp_path / "fleet", 3)
    first, second = (optimise(fleet, stop=QUICK, seed=7) for _ in range(2))
    assert list(first.best.rows()) == list(second.best.rows())
    assert first.to_frame().equals(second.to_frame())


def test_an_interrupted_search_returns_the_best_order_so_far(tmp_path: Path) -> None:
    def interrupt(progress: Progress) -> None:
        raise KeyboardInterrupt

    result = optimise(two_clients(tmp_path), stop=QUICK, observer=interrupt)
    assert result.iterations == 1
    assert len(planner.check_order(result.best)) == 0


def test_an_interrupt_leaves_no_time_to_what_works_beside_the_search(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    left_to_the_prover, is_interrupted = [], threading.Event()

    def interrupted(search: Search) -> None:
        is_interrupted.set()
        raise KeyboardInterrupt

    def improve(prover: _Prover, best: int) -> None:
        assert is_interrupted.wait(timeout=60)
        while prover._clock.left > 0:
            time.sleep(0.001)
        left_to_the_prover.append(prover._clock.left)

    monkeypatch.setattr(Search, "run", interrupted)
    monkeypatch.setattr(_Prover, "improve", improve)
    result = optimise(two_clients(tmp_path), stop=Stop(seconds=10_000))
    assert left_to_the_prover == [0]
    assert len(planner.check_order(result.best)) == 0


def test_a_search_without_time_still_has_an_order(tmp_path: Path) -> None:
    result = optimise(two_clients(tmp_path), stop=Stop(iterations=50, seconds=0.0))
    assert result.iterations == 1
    assert result.value >= (result.bound or 0)


def test_the_values_told_never_rise_and_the_bounds_never_fall(tmp_path: Path) -> None:
    result = optimise(small_fleet(tmp_path / "fleet", 3), stop=QUICK)
    values = [row.value for row in result.history]
    bounds = [row.bound for row in result.history]
    assert values == sorted(values, reverse=True)
    assert bounds == sorted(bounds, key=lambda bound: bound or 0)


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_every_strategy_gives_an_order_with_a_bound(tmp_path: Path, strategy: str) -> None:
    result = order(two_clients(tmp_path), strategy=strategy, stop=QUICK)
    assert result.method == strategy
    assert result.bound is not None
    assert result.bound <= result.value
    assert len(planner.check_order(result.best)) == 0


def test_an_unknown_strategy_is_named_with_those_that_are_known(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="'by-luck' is not known; use one of server-first"):
        order(two_clients(tmp_path), strategy="by-luck")


def test_approved_dates_stay_and_keep_their_status(tmp_path: Path) -> None:
    fleet = two_clients(tmp_path)
    plan = [
        action("2025-03-26", "upgrade-client", client="b", value="8.1.13", status="Approved"),
        action("2025-03-04", "upgrade-client", client="a", value="8.1.13"),
    ]
    case_with_plan = tmp_path / "planned.csv"
    write_plan(case_with_plan, plan)
    initial = planner.read_plan(case_with_plan, fleet)
    result = optimise(fleet, stop=QUICK, initial=initial)
    (row,) = result.best.where(action="upgrade-client", client="b")
    assert result.best.row(row).status == "approved"
    assert result.best.where(date="2025-03-26", client="b", action="upgrade-client").size == 1


def write_plan(path: Path, rows: list[dict[str, str]]) -> None:
    from tests.builders import COLUMNS

    names = COLUMNS["plan"].split(",")
    lines = [",".join(row.get(name, "") for name in names) for row in rows]
    path.write_text("\n".join([COLUMNS["plan"], *lines]) + "\n", encoding="utf-8")


def test_a_soft_rule_gives_way_where_there_is_no_room(tmp_path: Path) -> None:
    rules = [
        rule("before", "a", "b", days="1"),
        rule("before", "b", "a", days="1", hard="No"),
    ]
    result = optimise(two_clients(tmp_path, rules=rules), stop=QUICK)
    assert [dropped.line for dropped in result.dropped] == [3]
    assert "left out" in result.summary()


def test_disturbance_keeps_the_drafted_days(tmp_path: Path) -> None:
    fleet = fleet_of(
        tmp_path,
        servers=[server("srv", target_level="8.1.13", upgrade="2025-03-18")],
        clients=[client("a", target_level="8.1.13", upgrade="2025-03-20")],
        sessions=[session("a", "srv")],
        plan=None,
    )
    moved = optimise(fleet, stop=QUICK)
    kept = optimise(fleet, stop=QUICK, objective=Objective(exposure=1, disturbance=9))
    assert moved.measures.finish < kept.measures.finish
    assert kept.best.where(date="2025-03-20", action="upgrade-client").size == 1
    assert (kept.bound or 0) <= kept.value


def test_a_weight_on_the_finish_and_on_imports_is_followed_and_bounded(tmp_path: Path) -> None:
    weights = Objective(exposure=0.01, finish=10, peak_imports=100, transitional=0.5)
    result = optimise(small_fleet(tmp_path / "fleet", 2), stop=QUICK, objective=weights)
    assert result.bound is not None
    assert result.bound <= result.value
    assert str(weights) == (
        "0.01 x exposure + 0.5 x transitional + 10 x finish + 100 x peak imports"
    )


def test_a_negative_weight_is_refused() -> None:
    with pytest.raises(ValueError, match=r"the weight finish is -1, below 0"):
        Objective(finish=-1)


def test_a_session_that_every_order_refuses_is_named(tmp_path: Path) -> None:
    fleet = fleet_of(
        tmp_path,
        servers=[server("srv", target_level="8.1.13", authentication="LDAP")],
        clients=[client("a", target_level="8.1.13")],
        sessions=[session("a", "srv")],
        plan=None,
    )
    with pytest.raises(InfeasibleError, match="a -> srv as a: the session is refused"):
        optimise(fleet, stop=QUICK)


def test_a_fleet_with_nothing_to_upgrade_has_an_empty_order(tmp_path: Path) -> None:
    write_case_without_targets = fleet_of(
        tmp_path,
        servers=[server("srv", level="8.1.13")],
        clients=[client("a", level="8.1.13")],
        sessions=[],
        plan=None,
    )
    result = optimise(write_case_without_targets, stop=QUICK)
    assert len(result.best) == 0
    assert result.value == 0


def test_a_given_plan_that_upgrades_what_has_no_target_is_refused(tmp_path: Path) -> None:
    fleet = fleet_of(
        tmp_path,
        servers=[server("S", site="quay", target_level="8.1.27")],
        clients=[client("C", site="quay")],
        sessions=[session("C", "S")],
        plan=[
            action("2025-03-11", "upgrade-server", server="S", value="8.1.27"),
            action("2025-03-18", "upgrade-client", client="C", value="8.1.27"),
        ],
    )
    plan = planner.read_plan(tmp_path / "plan.csv", fleet)
    with pytest.raises(PlanError) as caught:
        planner.order(fleet, strategy="by-weight", initial=plan)
    assert str(caught.value) == (
        "plan.csv:3: C is upgraded and has no target level; give it a target_level in "
        "clients.csv, or leave the row out"
    )


def test_what_is_not_upgraded_takes_no_day_from_others(tmp_path: Path) -> None:
    fleet = fleet_of(
        tmp_path,
        servers=[
            server("S", certificate="old"),
            *(server(f"T{number}", target_level="8.1.27") for number in range(3)),
        ],
        clients=[client("C"), client("D", target_level="8.1.27")],
        sessions=[session("C", "S", ssl="Yes"), session("D", "T0")],
        certificates=[
            certificate(name, kind="self-signed", server="S") for name in ("old", "renewed")
        ],
        trust=[trust("C", "old")],
        plan=[action("2025-03-24", "replace-certificate", server="S", certificate="renewed")],
        capacity={"servers_per_week": 1},
    )
    plan = planner.read_plan(tmp_path / "plan.csv", fleet)
    found = planner.order(fleet, strategy="by-weight", initial=plan)
    assert len(planner.check_order(found.best, initial=plan)) == 0
