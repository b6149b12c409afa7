from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import planner
from planner.domain.fleet import Fleet
from planner.domain.plan import Action
from planner.ordering.optimise import order
from planner.ordering.problem import compile_problem
from planner.ordering.result import Result
from planner.ordering.rules import constraints_of
from planner.ordering.scheduler import Stuck, schedule_blocks
from planner.ordering.stopping import Stop
from planner.ordering.strategies import PILOT_HOSTS, RINGS, STRATEGIES
from tests.benchmarks.order_fleets import order_fleet
from tests.builders import client, rule, server, session
from tests.ordering import fleet_of

QUICK = Stop(iterations=1)
NEW = {"target_level": "8.1.13"}


@pytest.fixture(scope="module")
def fleet() -> Fleet:
    return order_fleet(50, weights="log-normal", scenario="full", seed=1)


def days_of(result: Result) -> dict[str, int]:
    return {
        row.client or row.server: row.day
        for row in result.best.rows()
        if row.action <= Action.INSTALL_CLIENT
    }


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_each_strategy_keeps_every_constraint(fleet: Fleet, strategy: str) -> None:
    result = order(fleet, strategy=strategy, stop=QUICK)
    assert len(planner.check_order(result.best)) == 0
    assert len(days_of(result)) == fleet.n_endpoints


def small(folder: Path, **more: object) -> Fleet:
    return fleet_of(
        folder,
        servers=[server("big", **NEW), server("little", **NEW)],
        clients=[
            client(name, site=site, owner=owner, **NEW)
            for name, site, owner in (("a", "x", "p"), ("b", "y", "q"), ("c", "x", "q"))
        ],
        sessions=[
            session("a", "big", weight="9"),
            session("b", "little", weight="2"),
            session("c", "little", weight="4"),
        ],
        plan=None,
        end="2025-05-05",
        capacity={"clients_per_week": 1, "servers_per_week": 1},
        **more,
    )


def test_server_first_lets_clients_wait_for_their_server(tmp_path: Path) -> None:
    days = days_of(order(small(tmp_path), strategy="server-first", stop=QUICK))
    assert days["big"] <= days["a"]
    assert days["little"] <= min(days["b"], days["c"])


def test_client_first_lets_servers_wait_for_their_clients(tmp_path: Path) -> None:
    days = days_of(order(small(tmp_path), strategy="client-first", stop=QUICK))
    assert days["a"] <= days["big"]
    assert max(days["b"], days["c"]) <= days["little"]


@pytest.mark.parametrize(
    ("strategy", "expected"), [("by-weight", "acb"), ("by-site", "acb"), ("by-owner", "abc")]
)
def test_the_rest_goes_by_weight(tmp_path: Path, strategy: str, expected: str) -> None:
    days = days_of(order(small(tmp_path), strategy=strategy, stop=QUICK))
    assert "".join(sorted("abc", key=lambda name: days[name])) == expected


def test_rings_begin_with_a_pilot_and_keep_their_offsets() -> None:
    fleet = order_fleet(150, weights="unit", scenario="caps", seed=1)
    result = order(fleet, strategy="rings", stop=QUICK)
    rows = [row for row in result.best.rows() if row.action == Action.UPGRADE_CLIENT]
    pilots = [row for row in rows if row.wave == "pilot"]
    assert 0 < len(pilots) <= PILOT_HOSTS
    for wave, offset in RINGS:
        assert all(row.day >= fleet.start + offset for row in rows if row.wave == wave)
    assert {row.wave for row in rows} == {name for name, _ in RINGS}


def test_as_drafted_keeps_the_sequence_of_the_draft(tmp_path: Path) -> None:
    plan = tmp_path / "plan.csv"
    plan.write_text(
        "date,action,client,server,value\n"
        "2025-03-10,upgrade-client,b,,8.1.13\n"
        "2025-03-18,upgrade-client,a,,8.1.13\n"
        "2025-03-25,upgrade-client,c,,8.1.13\n"
    )
    fleet = small(tmp_path / "fleet")
    initial = planner.read_plan(plan, fleet)
    days = days_of(order(fleet, strategy="as-drafted", stop=QUICK, initial=initial))
    assert "".join(sorted("abc", key=lambda name: days[name])) == "bac"


def test_a_rule_wins_over_a_strategy(tmp_path: Path) -> None:
    fleet = small(
        tmp_path, rules=[rule("latest", "a", "2025-03-03"), rule("earliest", "big", "2025-04-01")]
    )
    days = days_of(order(fleet, strategy="server-first", stop=QUICK))
    assert days["a"] < days["big"]


def test_many_hosts_that_leave_no_choice_find_their_week_before_heavier_ones(
    tmp_path: Path,
) -> None:
    tight = [f"tight{number}" for number in range(70)]
    wide = [f"wide{number}" for number in range(160)]
    fleet = fleet_of(
        tmp_path,
        servers=[server("big", **NEW)],
        clients=[client(name, **NEW) for name in tight + wide],
        sessions=[session(name, "big", weight="1") for name in tight]
        + [session(name, "big", weight="9") for name in wide],
        plan=None,
        end="2025-05-05",
        capacity={"clients_per_week": 75, "servers_per_week": 1},
        rules=[rule("latest", name, "2025-03-10") for name in tight],
    )
    problem = compile_problem(fleet, constraints_of(fleet))
    days = schedule_blocks(problem, STRATEGIES["by-weight"](problem, None))
    assert not isinstance(days, Stuck)
    assert days[problem.blocks.of_endpoint[: len(tight)]].max() <= 7


def test_orders_are_the_same_each_time(fleet: Fleet) -> None:
    first, second = (days_of(order(fleet, strategy="rings", stop=QUICK)) for _ in range(2))
    assert first == second
    assert np.unique(list(first.values())).size > 1
