"""The main job as a Python function: what it reads, does and writes, and in which order."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

import planner
from planner.domain.errors import InventoryError, PlanError
from planner.domain.plan import Action
from planner.reporting.run import Run, plan_of
from planner.reporting.run import plan as run_plan
from tests.builders import action, write_case
from tests.oracle import Case
from tests.reviewing import CLIENT_UP, NEW, OLD, pair

RESULTS = {
    "schedule.csv",
    "session_states.csv",
    "trust_deadlines.csv",
    "findings.csv",
    "daily.csv",
    "imports.csv",
    "waves.csv",
    "summary.json",
    "plots.json",
    *(
        f"{plot}.{form}"
        for plot in ("modes", "deadlines", "gantt", "fleet", "waves")
        for form in ("png", "svg")
    ),
}


def drafted() -> Case:
    """Build a fleet whose upgrade columns are its plan."""
    built = pair(server_level=OLD, client_level=OLD)
    built.servers[0].update(target_level="8.1.27", upgrade="2025-03-19")
    built.clients[0].update(target_level="8.1.27", upgrade="2025-03-12")
    return replace(built, plan=None)


def folder_of(built: Case, folder: Path) -> Path:
    """Write a case and return its folder."""
    write_case(built, folder)
    return folder


def test_a_fleet_without_plan_is_drafted_and_completed(tmp_path: Path) -> None:
    run = run_plan(folder_of(drafted(), tmp_path / "fleet"))
    assert isinstance(run, Run)
    assert [Action(kind).label for kind in run.plan.action] == [
        "upgrade-client",
        "import-certificate",
        "set-option",
        "upgrade-server",
    ]
    assert run.timeline.plan is run.plan
    assert run.deadlines.timeline is run.timeline
    assert run.plan.fleet is run.fleet
    assert run.measures.refused_session_days == 0
    assert not run.findings.has_errors


def test_a_plan_in_the_folder_is_taken_as_it_stands(tmp_path: Path) -> None:
    built = pair(client_level=OLD, plan=(CLIENT_UP,))
    run = run_plan(folder_of(built, tmp_path / "fleet"))
    assert len(run.plan) == 1
    assert run.findings.has_errors


def test_a_given_plan_wins_over_the_folders(tmp_path: Path) -> None:
    fleet = folder_of(pair(client_level=OLD, plan=(CLIENT_UP,)), tmp_path / "fleet")
    other = pair(
        client_level=OLD, plan=(CLIENT_UP, action("2025-03-20", "retire-client", client="BA01"))
    )
    given = folder_of(other, tmp_path / "other") / "plan.csv"
    assert len(run_plan(fleet, plan=given).plan) == 2
    assert len(plan_of(planner.read_fleet(fleet), fleet, None)) == 1


def test_every_file_of_a_run_is_written(tmp_path: Path) -> None:
    steps: list[str] = []
    out = tmp_path / "out"
    run = run_plan(folder_of(drafted(), tmp_path / "fleet"), out=out, observer=steps.append)
    assert {path.name for path in out.iterdir()} == RESULTS
    assert steps[:4] == [
        "reading the fleet",
        "making the plan",
        "simulating the sessions",
        "checking the plan",
    ]
    assert sorted(steps[4:]) == sorted(RESULTS)
    summary = json.loads((out / "summary.json").read_text())
    assert summary["counts"]["actions"] == len(run.plan)
    assert summary["findings"]["error"] == 0


def test_two_runs_write_the_same_bytes(tmp_path: Path) -> None:
    fleet = folder_of(drafted(), tmp_path / "fleet")
    for name in ("one", "two"):
        run_plan(fleet, out=tmp_path / name)
    for name in RESULTS:
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes(), (
            name
        )


def test_the_schedule_that_is_written_reads_back_to_the_same_results(tmp_path: Path) -> None:
    fleet = folder_of(drafted(), tmp_path / "fleet")
    run_plan(fleet, out=tmp_path / "one")
    run_plan(fleet, out=tmp_path / "two", plan=tmp_path / "one" / "schedule.csv")
    for name in ("schedule.csv", "session_states.csv", "trust_deadlines.csv", "daily.csv"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes(), (
            name
        )


def test_nothing_is_written_where_the_input_is_unusable(tmp_path: Path) -> None:
    built = drafted()
    built.clients[0]["level"] = "8.1.x"
    with pytest.raises(InventoryError, match=r"clients.csv:2: .*8\.1\.x"):
        run_plan(folder_of(built, tmp_path / "fleet"), out=tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_plan_that_cannot_be_used_is_an_error_of_its_own(tmp_path: Path) -> None:
    built = pair(plan=(action("2025-03-10", "upgrade-client", client="BA01", value="8.x"),))
    with pytest.raises(PlanError, match=r"plan.csv:2: "):
        run_plan(folder_of(built, tmp_path / "fleet"))
    with pytest.raises(PlanError, match=r"none.csv: "):
        run_plan(folder_of(pair(client_level=NEW), tmp_path / "other"), plan=tmp_path / "none.csv")
