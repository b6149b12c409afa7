from __future__ import annotations

import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from planner.domain.calendar import iso
from planner.domain.errors import PlanError
from planner.domain.fleet import Fleet
from planner.domain.plan import Plan
from planner.inventory.fleet_folder import read_fleet
from planner.inventory.plan_file import read_plan
from tests.builders import action, case, client, server, session, write_case
from tests.oracle import Case, Row
from tests.strategies import cases

HEADING = (
    "date,action,client,server,account,key_database,certificate,option,value,wave,use_case,needed,"
    "latest_safe,slack_days,command,status,note"
)


def folder_with(tmp_path: Path, *actions: Row) -> Path:
    write_case(
        case(
            servers=[server("srv1"), server("srv2")],
            clients=[client("db1"), client("db2")],
            sessions=[session("db1", "srv1"), session("db2", "srv2")],
            plan=actions,
        ),
        tmp_path,
    )
    return tmp_path


def read(tmp_path: Path, *actions: Row) -> Plan:
    folder = folder_with(tmp_path, *actions)
    return read_plan(folder / "plan.csv", read_fleet(folder))


def faults_of(tmp_path: Path, *actions: Row) -> list[str]:
    with pytest.raises(PlanError) as caught:
        read(tmp_path, *actions)
    return [str(fault) for fault in caught.value.faults]


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Fleet:
    return read_fleet(folder_with(tmp_path_factory.mktemp("fleet")))


def test_every_action_is_read_in_words(tmp_path: Path) -> None:
    plan = read(
        tmp_path,
        action("2025-03-04", "upgrade-server", server="SRV1", value="8.1.27", wave="1"),
        action("2025-03-05", "Upgrade_Client", client="DB1", value="8.1.27", note="a\nb"),
        action("2025-03-05", "install client", client="db2", value="08.1.27"),
        action("2025-03-06", "retire-client", client="db2", status="done"),
        action("2025-03-07", "import-certificate", client="db1", certificate="srv1"),
        action("2025-03-08", "remove-certificate", client="db1", certificate="srv1"),
        action("2025-03-09", "set-option", client="db1", option="sslreq", value="server"),
        action("2025-03-09", "set-option", client="db1", option="commm", value="sharedmemory"),
        action("2025-03-09", "set-option", client="db1", option="TCPPORT", value="01543"),
        action("2025-03-09", "set-option", client="db1", option="ssl"),
        action("2025-03-10", "replace-certificate", server="srv1", value="new"),
        action("2025-03-11", "set-session-security", server="srv1", account="db1", value="TRANS"),
        action("2025-03-12", "set-authentication", server="srv1", value="ld"),
    )
    rows = list(plan.rows())
    assert [row.action.label for row in rows][:4] == [
        "upgrade-server",
        "upgrade-client",
        "install-client",
        "retire-client",
    ]
    assert [row.value for row in rows] == [
        "8.1.27",
        "8.1.27",
        "8.1.27",
        "",
        "",
        "",
        "ServerOnly",
        "SHAREDMEM",
        "1543",
        "",
        "new",
        "Transitional",
        "LDAP",
    ]
    assert [row.option for row in rows][6:10] == ["SSLREQUIRED", "COMMMETHOD", "TCPPORT", "SSL"]
    assert rows[0].server == "srv1"
    assert (rows[0].wave, rows[1].note, rows[3].status) == ("1", "a\nb", "done")
    assert rows[10].certificate == "new"
    assert iso(rows[0].day) == "2025-03-04"
    assert [row.line for row in rows] == [2, 3, 5, *range(6, 16)]
    assert {row.file for row in rows} == {"plan.csv"}


def test_names_that_the_fleet_does_not_know_are_kept(tmp_path: Path) -> None:
    plan = read(tmp_path, action("2025-03-04", "retire-client", client="ghost"))
    assert plan.row(0).client == "ghost"


def test_derived_columns_are_ignored(tmp_path: Path) -> None:
    row = action("2025-03-04", "retire-client", client="db1", needed="soon", slack_days="x")
    assert len(read(tmp_path, row)) == 1


def test_a_plan_without_rows_is_a_plan(tmp_path: Path) -> None:
    assert len(read(tmp_path)) == 0


@pytest.mark.parametrize(
    ("row", "fault"),
    [
        (action("", "retire-client", client="db1"), "date is empty; fill it in"),
        (action("2025-03-04", ""), "action is empty; fill it in"),
        (
            action("2025-02-30", "retire-client", client="db1"),
            "date '2025-02-30' is not a date; write it as 2025-02-28",
        ),
        (
            action("2025-03-04", "upgrade-sever", server="srv1", value="8.1.27"),
            "action 'upgrade-sever' is not known; did you mean 'upgrade-server'? use one of "
            "upgrade-server, upgrade-client, install-client, retire-client, import-certificate, "
            "remove-certificate, set-option, replace-certificate, set-session-security, "
            "set-authentication",
        ),
        (
            action("2025-03-04", "upgrade-server", value="8.1.27"),
            "upgrade-server without server; fill in server",
        ),
        (
            action("2025-03-04", "upgrade-server", server="srv1"),
            "upgrade-server without value; fill in value",
        ),
        (
            action("2025-03-04", "upgrade-client", client="db1", value="8.1.x"),
            "value '8.1.x' is not a product level; write it as 8.1.13 or 8.1.13.2",
        ),
        (
            action("2025-03-04", "install-client", value="8.1.3"),
            "install-client without client; fill in client",
        ),
        (
            action("2025-03-04", "import-certificate", client="db1"),
            "import-certificate without certificate; fill in certificate",
        ),
        (
            action("2025-03-04", "remove-certificate", certificate="x"),
            "remove-certificate without client; fill in client",
        ),
        (
            action("2025-03-04", "replace-certificate", server="srv1"),
            "replace-certificate without certificate; fill in certificate",
        ),
        (
            action("2025-03-04", "set-option", client="db1"),
            "set-option without option; fill in option",
        ),
        (
            action("2025-03-04", "set-option", client="db1", option="SSLREQUIERD", value="No"),
            "option 'SSLREQUIERD' is not known; did you mean 'SSLREQUIRED'?",
        ),
        (
            action("2025-03-04", "set-option", client="db1", option="ssl", value="Yess"),
            "value 'Yess' is no value of SSL; did you mean 'Yes'? use one of No, Yes",
        ),
        (
            action("2025-03-04", "set-option", client="db1", option="tcpport", value="0"),
            "value '0' is not a port; write a number from 1 to 65535",
        ),
        (
            action("2025-03-04", "set-session-security", server="srv1", value="Strict"),
            "set-session-security without account; fill in account",
        ),
        (
            action("2025-03-04", "set-session-security", server="srv1", account="a", value="hard"),
            "value 'hard' is not known; use one of Transitional, Strict",
        ),
        (
            action("2025-03-04", "set-authentication", server="srv1", value="AD"),
            "value 'AD' is not known; use one of Local, LDAP",
        ),
        (
            action("2025-03-04", "retire-client", client="d\x1bb"),
            "client 'd\\x1bb' holds a character that cannot be printed; write the name without it",
        ),
    ],
)
def test_a_fault_names_its_line_its_value_and_its_cure(
    tmp_path: Path, row: Row, fault: str
) -> None:
    faults = faults_of(tmp_path, action("2025-03-03", "retire-client", client="db2"), row)
    assert f"plan.csv:3: {fault}" in faults


def test_all_faults_are_told_at_once_in_the_order_of_the_lines(tmp_path: Path) -> None:
    faults = faults_of(
        tmp_path,
        action("x", "y"),
        action("2025-03-04", "upgrade-server"),
        action("2025-03-04", "set-option", option="ssl", value="maybe"),
    )
    assert [fault.split(":")[1] for fault in faults] == ["2", "2", "3", "3", "4", "4"]


def test_a_missing_plan_a_folder_and_a_wrong_heading_are_errors(
    tmp_path: Path, fleet: Fleet
) -> None:
    null = Path("a\0b")
    # Python 3.13 has a word of its own for this.
    word = (
        "stat: embedded null character in path"
        if sys.version_info >= (3, 13)
        else "embedded null byte"
    )
    for path, message in (
        (tmp_path / "none.csv", "none.csv: the file is missing; create it, or correct its name"),
        (tmp_path, f"{tmp_path.name}: this is a folder; put a file in its place"),
        (null, f"a\0b: it cannot be read ({word}); check the disk and the path"),
    ):
        with pytest.raises(PlanError) as caught:
            read_plan(path, fleet)
        assert str(caught.value) == message
    (tmp_path / "first-draft.csv").write_text("date,acton\n")
    with pytest.raises(
        PlanError, match=r"^first-draft\.csv:1: unknown column 'acton'; write it as"
    ):
        read_plan(tmp_path / "first-draft.csv", fleet)


def test_the_hand_made_draft_of_the_example_company_is_read() -> None:
    folder = Path(__file__).parent.parent / "data" / "harbour"
    plan = read_plan(folder / "first-draft.csv", read_fleet(folder))
    assert len(plan) == 1780


@settings(max_examples=30)
@given(cases())
def test_random_plans_are_read(tmp_path_factory: pytest.TempPathFactory, drawn: Case) -> None:
    folder = tmp_path_factory.mktemp("random")
    write_case(drawn, folder)
    if drawn.plan is not None:
        plan = read_plan(folder / "plan.csv", read_fleet(folder))
        assert len(plan) == len(drawn.plan)


@given(st.binary(max_size=200))
def test_any_bytes_are_a_plan_or_an_error_but_never_crash(
    tmp_path_factory: pytest.TempPathFactory, fleet: Fleet, content: bytes
) -> None:
    path = tmp_path_factory.mktemp("fuzz") / "plan.csv"
    path.write_bytes(f"{HEADING}\n2025-03-04,retire-client,db1".encode() + content)
    try:
        read_plan(path, fleet)
    except PlanError as error:
        assert error.faults  # noqa: PT017 - either outcome is right
