from __future__ import annotations

from pathlib import Path

import pytest

from planner.domain.errors import InfeasibleError
from planner.domain.fleet import Fleet
from planner.ordering.conflicts import sentence
from planner.ordering.optimise import optimise
from planner.ordering.rules import constraints_of
from planner.ordering.stopping import Stop
from tests.builders import client, rule, server, session
from tests.ordering import fleet_of

NEW = {"target_level": "8.1.13"}


def conflict_of(fleet: Fleet, *, seconds: float = 60.0) -> list[str]:
    with pytest.raises(InfeasibleError) as caught:
        optimise(fleet, stop=Stop(iterations=1, seconds=seconds))
    return [str(fault) for fault in caught.value.faults]


def site_fleet(folder: Path, **more: object) -> Fleet:
    return fleet_of(
        folder,
        servers=[server("srv", site="quay", **NEW)],
        clients=[client(f"c{number}", **NEW) for number in range(6)],
        sessions=[session(f"c{number}", "srv") for number in range(6)],
        plan=None,
        **more,
    )


def test_a_freeze_that_covers_the_only_window_is_named_with_the_window(tmp_path: Path) -> None:
    fleet = site_fleet(
        tmp_path,
        windows={"quay": ["Tue"], "elsewhere": ["Mon"]},
        freezes=[("2025-03-03", "2025-03-20"), ("2025-03-29", "2025-03-30")],
        rules=[rule("latest", "srv", "2025-03-21"), rule("earliest", "c1", "2025-03-05")],
    )
    assert conflict_of(fleet) == [
        "rollout order: no order keeps these 3 constraints together; give up or loosen one of them",
        "fleet.toml: freeze 'freeze 1' closes 2025-03-03 to 2025-03-19; shorten it, or allow an "
        "exception",
        "fleet.toml: site quay may be upgraded on Tue; open another weekday",
        "rules.csv:2: srv goes not after 2025-03-21; change or remove it",
    ]


def test_a_capacity_that_is_too_small_for_the_plan_is_named_alone(tmp_path: Path) -> None:
    fleet = site_fleet(tmp_path, capacity={"clients_per_week": 1, "servers_per_week": 1})
    assert conflict_of(fleet) == [
        "rollout order: no order keeps this constraint; give it up or loosen it",
        "fleet.toml: capacity.clients_per_week is 1; raise it, or extend the end of the plan",
    ]


def test_what_is_left_when_the_time_runs_out_is_said_and_no_soft_rule_gives_way(
    tmp_path: Path,
) -> None:
    rules = [rule("earliest", f"c{number % 6}", "2025-03-04") for number in range(22)]
    fleet = site_fleet(
        tmp_path,
        capacity={"clients_per_week": 1},
        rules=[*rules, rule("latest", "c1", "2025-03-05", hard="no")],
    )
    said = conflict_of(fleet, seconds=0.0)
    assert said[0] == (
        "rollout order: no order was found, and the time ran out while 25 constraints could be the "
        "cause, the first 20 of which follow; allow more seconds, so that fewer are left"
    )
    assert said[1].startswith("fleet.toml: an import must be in place")
    assert len(said) == 21
    few = site_fleet(tmp_path / "few", capacity={"clients_per_week": 1})
    assert "2 constraints could be the cause;" in conflict_of(few, seconds=0.0)[0]


def test_rules_in_a_circle_are_named(tmp_path: Path) -> None:
    fleet = site_fleet(
        tmp_path,
        rules=[
            rule("before", "c1", "c2", days="1"),
            rule("before", "c2", "c3"),
            rule("before", "c3", "c1"),
            rule("pilot", "c5"),
        ],
    )
    assert conflict_of(fleet)[1:] == [
        "rules.csv:2: c1 comes before c2 by at least 1 days, or on its day; change or remove it",
        "rules.csv:3: c2 comes before c3, or on its day; change or remove it",
        "rules.csv:4: c3 comes before c1, or on its day; change or remove it",
    ]


def test_a_lead_that_no_date_leaves_is_named(tmp_path: Path) -> None:
    fleet = site_fleet(
        tmp_path,
        rules=[rule("latest", "srv", "2025-03-04"), rule("latest", "c1", "2025-03-04")],
    )
    found = conflict_of(fleet)
    assert found[1].startswith("fleet.toml: an import must be in place 5 working days before")
    assert len(found) == 4


def test_each_kind_of_rule_has_a_sentence(tmp_path: Path) -> None:
    fleet = site_fleet(
        tmp_path,
        rules=[
            rule("together", "c1", "c2", days="3"),
            rule("pilot", "c5", days="2"),
            rule("fixed", "c4", "2025-03-21"),
        ],
    )
    assert [sentence(fleet, found) for found in constraints_of(fleet).rules] == [
        "c1 and c2 go within 3 days",
        "c5 is a pilot: it comes before all others by at least 2 days",
        "c4 goes on 2025-03-21",
    ]
