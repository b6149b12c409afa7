"""What has happened: a table, a fresh import, and the report of the renewal script."""

import re
from datetime import date
from pathlib import Path

import pytest

import planner
from planner.domain.calendar import iso, to_day
from planner.domain.errors import PlanError
from planner.domain.plan import Plan
from planner.inventory.actuals import read_actuals
from tests.builders import action, case, client, server, session, trust, write_case
from tests.oracle import Row

TODAY = to_day(date(2025, 3, 20))
# As the script writes it: each column 20 wide, to the right.
REPORT = "\n".join(
    [
        "",
        "Summary of certificate distribution status on all processed clients / nodes :",
        "",
        f"{'STATUS':>20} {'NODE COUNT':>20}",
        "-" * 41,
        f"{'Completed':>20} {'1':>20}",
        "",
        "Detailed status of certificate distribution for all processed clients / nodes :",
        "",
        f"{'DOMAIN':>20} {'PLATFORM':>20} {'CLIENT NAME':>20} {'STATUS':>20}",
        "-" * 84,
        f"{'STANDARD':>20} {'Linux x86-64':>20} {'DB1':>20} {'Completed':>20}",
        f"{'STANDARD':>20} {'WinNT':>20} {'db2':>20} {'Missed':>20}",
        f"{'STANDARD':>20} {'AIX':>20} {'db3':>20} {'Future':>20}",
        f"{'STANDARD':>20} {'AIX':>20} {'db4':>20} {'In Progress':>20}",
        f"{'STANDARD':>20} {'TDP Oracle LINUX':>20} {'db5':>20} {'Failed 12':>20}",
        "",
    ]
)


@pytest.fixture
def plan(tmp_path: Path) -> Plan:
    return read(tmp_path / "fleet")


def read(folder: Path, level: str = "8.1.0", held: tuple[Row, ...] = (), root: str = "a") -> Plan:
    folder.mkdir()
    write_case(
        case(
            servers=[server("alpha", level="8.1.0", certificate=f"{root}-root")],
            clients=[client("db1", level=level), client("db2")],
            sessions=[session("db1", "alpha"), session("db2", "alpha")],
            certificates=[{"certificate": "a-root", "kind": "root"}],
            trust=held,
            plan=[
                action("2025-03-05", "import-certificate", client="db1", certificate="a-root"),
                action("2025-03-12", "upgrade-client", client="db1", value="8.1.13"),
                action("2025-03-28", "upgrade-client", client="db2", value="8.1.13"),
            ],
        ),
        folder,
    )
    return planner.read_plan(folder / "plan.csv", planner.read_fleet(folder))


def told(found: Plan) -> list[tuple[str, str, str, str]]:
    return [
        (iso(row.day), row.action.label, row.client or row.server, row.status or row.value)
        for row in found.rows()
    ]


def test_the_report_of_the_renewal_script_tells_who_has_the_certificate(
    plan: Plan, tmp_path: Path
) -> None:
    report = tmp_path / "spcert_report_2025-03-18-09_30_00"
    report.write_text(REPORT)
    found = read_actuals(f"a-root={report}", plan, today=TODAY)
    assert told(found) == [
        ("2025-03-18", "import-certificate", "db1", "done"),
        ("2025-03-18", "import-certificate", "db2", "failed"),
        ("2025-03-18", "import-certificate", "db5", "failed"),
    ]
    assert found.row(0).line == 12
    report.rename(tmp_path / "report")
    undated = read_actuals(f"a-root={tmp_path / 'report'}", plan, today=TODAY)
    assert {row.day for row in undated.rows()} == {TODAY}


def test_a_report_that_is_none_and_an_unknown_certificate_are_told_together(
    plan: Plan, tmp_path: Path
) -> None:
    path = tmp_path / "report.txt"
    path.write_text("nothing\n")
    with pytest.raises(PlanError) as raised:
        read_actuals(f"a-rot={path}", plan, today=TODAY)
    assert str(raised.value).splitlines() == [
        "report.txt: no certificate is named 'a-rot'; did you mean 'a-root'?",
        "report.txt: no line has the columns DOMAIN, PLATFORM, CLIENT NAME and STATUS; give the "
        "file that the script's action report wrote",
    ]
    path.write_text(REPORT + "garbled\n")
    with pytest.raises(PlanError, match=r"report\.txt:17: 'garbled' is no row of the report"):
        read_actuals(f"a-root={path}", plan, today=TODAY)


def test_a_report_that_names_no_file_is_told_by_what_was_given(plan: Plan, tmp_path: Path) -> None:
    top = tmp_path.anchor
    for given, told in (
        ("a-root=", "a-root=: no file is named behind the =; write it as CERTIFICATE=FILE"),
        (f"a-root={top}", f"{top}: this is a folder; put a file in its place"),
    ):
        with pytest.raises(PlanError, match=f"^{re.escape(told)}"):
            read_actuals(given, plan, today=TODAY)


@pytest.mark.timeout(20)
def test_a_line_of_many_blanks_takes_no_longer_than_others(plan: Plan, tmp_path: Path) -> None:
    path = tmp_path / "report.txt"
    path.write_text(f"{REPORT}STANDARD AIX{' ' * 100_000}!\n")
    with pytest.raises(PlanError, match=r"report\.txt:17: 'STANDARD .* is no row of the report"):
        read_actuals(f"a-root={path}", plan, today=TODAY)


def test_a_fresh_import_tells_levels_certificates_and_trust(plan: Plan, tmp_path: Path) -> None:
    held = (trust("db1", "a-root"), trust("db2", "a-root", since="2025-03-07"))
    read(tmp_path / "fresh", level="8.1.13", held=held, root="b")
    found = read_actuals(tmp_path / "fresh", plan, today=TODAY)
    assert told(found) == [
        ("2025-03-05", "import-certificate", "db1", ""),
        ("2025-03-07", "import-certificate", "db2", ""),
        ("2025-03-12", "upgrade-client", "db1", "8.1.13"),
        (iso(TODAY), "replace-certificate", "alpha", ""),
    ]
    progress = planner.track(plan, found, today=TODAY)
    assert [row.state.value for row in progress.rows] == ["done", "done", "due", *["unplanned"] * 2]


def test_a_note_says_that_the_day_is_the_planned_one_only_where_there_is_one(
    plan: Plan, tmp_path: Path
) -> None:
    read(tmp_path / "fresh", level="8.1.13", root="b")
    found = read_actuals(tmp_path / "fresh", plan, today=TODAY)
    seen = "seen in the fleet that was imported by 2025-03-20"
    assert {row.action.label: row.note for row in found.rows()} == {
        "upgrade-client": f"{seen}; the day is the planned one",
        "replace-certificate": seen,
    }


def test_the_same_fleet_tells_nothing(plan: Plan, tmp_path: Path) -> None:
    assert len(read_actuals(tmp_path / "fleet", plan, today=TODAY)) == 0


def test_a_table_is_read_as_a_plan(plan: Plan, tmp_path: Path) -> None:
    path = tmp_path / "happened.csv"
    path.write_text("date,action,client,value\n2025-03-13,upgrade-client,db1,8.1.13\n")
    assert told(read_actuals(path, plan, today=TODAY)) == [
        ("2025-03-13", "upgrade-client", "db1", "8.1.13")
    ]
