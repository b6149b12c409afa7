"""The baseline: what was approved, and whether it is still what it was."""

import json
from datetime import date
from pathlib import Path

import pytest

import planner
from planner import cli
from planner.domain.errors import InventoryError
from planner.inventory.baseline import FOLDER, PLAN, RECORD, read_baseline
from tests.builders import action, case, client, server, session, write_case

APPROVED = date(2025, 2, 28)


@pytest.fixture
def fleet(tmp_path: Path) -> Path:
    folder = tmp_path / "fleet"
    folder.mkdir()
    write_case(
        case(
            servers=[server("alpha")],
            clients=[client("db1")],
            sessions=[session("db1", "alpha", sslacceptcertfromserv="No")],
            plan=[action("2025-03-12", "upgrade-client", client="db1", value="8.1.13")],
        ),
        folder,
    )
    return folder


def test_a_baseline_reads_back_and_names_what_has_changed(fleet: Path) -> None:
    made = planner.baseline(fleet, approver=" Ann ", approved_on=APPROVED)
    assert str(made) == "the baseline that Ann approved on 2025-02-28"
    assert read_baseline(fleet) == made
    assert made.changed_inputs(fleet) == ()
    (fleet / "clients.csv").write_text((fleet / "clients.csv").read_text() + "\n")
    (fleet / "rules.csv").write_text("kind,first,then,days,hard\n")
    assert made.changed_inputs(fleet) == ("clients.csv", "rules.csv")
    assert read_baseline(fleet.parent) is None


def test_files_that_the_kit_does_not_read_are_no_inputs(fleet: Path) -> None:
    (fleet / "certs").mkdir()
    made = planner.baseline(fleet, approver="Ann", approved_on=APPROVED)
    (fleet / "certs" / ".DS_Store").write_bytes(b"")
    assert made.changed_inputs(fleet) == ()


def test_a_second_baseline_and_one_that_nobody_approves_are_refused(fleet: Path) -> None:
    with pytest.raises(InventoryError, match="nobody has approved it; name who did"):
        planner.baseline(fleet, approver="  ", approved_on=APPROVED)
    planner.baseline(fleet, approver="Ann", approved_on=APPROVED)
    with pytest.raises(InventoryError, match="there is a baseline already; keep it, or move"):
        planner.baseline(fleet, approver="Bob", approved_on=APPROVED)


def test_a_plan_that_was_changed_after_its_approval_is_told(fleet: Path) -> None:
    planner.baseline(fleet, approver="Ann", approved_on=APPROVED)
    path = fleet / FOLDER / PLAN
    path.write_text(path.read_text().replace("2025-03-12", "2025-03-13"))
    with pytest.raises(InventoryError, match="it is not the plan that Ann approved on 2025-02-28"):
        read_baseline(fleet)


@pytest.mark.parametrize(
    "content", ["{", "[]", '{"schema": 1}', '{"schema": 1e999}', "[" * 100_000]
)
def test_a_damaged_record_is_told(fleet: Path, content: str) -> None:
    planner.baseline(fleet, approver="Ann", approved_on=APPROVED)
    (fleet / FOLDER / RECORD).write_text(content)
    with pytest.raises(InventoryError, match="it is no record of a baseline; take it from"):
        read_baseline(fleet)


def test_a_record_of_a_newer_form_names_the_version_that_reads_it(fleet: Path) -> None:
    planner.baseline(fleet, approver="Ann", approved_on=APPROVED)
    (fleet / FOLDER / RECORD).write_text('{"schema": 2, "version": "1.4.0"}')
    told = "its form is number 2, and this version knows those up to 1; read it with the .* 1.4.0"
    with pytest.raises(InventoryError, match=told):
        read_baseline(fleet)


def test_later_files_refer_to_the_baseline(
    fleet: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["baseline", str(fleet), "--approver", "Ann", "--date", "2025-02-28"]
    assert cli.main(arguments) == cli.FINE
    assert "Frozen: the baseline that Ann approved on 2025-02-28" in capsys.readouterr().out
    assert cli.main(["plan", str(fleet), "--out", str(tmp_path / "out")]) in (0, 1)
    summary = json.loads((tmp_path / "out" / "summary.json").read_text())
    assert summary["baseline"]["approver"] == "Ann"
    # The fleet's own plan changes; what is tracked is what was approved.
    plan = fleet / "plan.csv"
    plan.write_text(plan.read_text().replace("2025-03-12", "2025-03-26"))
    with (fleet / "servers.csv").open("a") as file:
        file.write("\n")
    actuals = tmp_path / "happened.csv"
    actuals.write_text("date,action,client,value\n2025-03-12,upgrade-client,db1,8.1.13\n")
    capsys.readouterr()
    track = ["track", str(fleet), "--actuals", str(actuals), "--today", "2025-03-14"]
    assert cli.main([*track, "--out", str(tmp_path / "track")]) == cli.FINE
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "Against the baseline that Ann approved on 2025-02-28:"
    assert lines[1] == "servers.csv has changed since then."
    assert "1 of 1 planned actions done (0 late, 0 early)" in lines[2]
    digest = (tmp_path / "track" / "digest.txt").read_text().splitlines()
    assert digest[0] == lines[0]
    assert digest[-2] == "From 2025-03-14 on 0 of 1 actions move"
    assert (tmp_path / "track" / "replan.csv").exists()
    assert (tmp_path / "track" / "moves.csv").read_text().startswith("before,date,action,client")
