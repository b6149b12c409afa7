"""The schedule: derived columns and commands of every action, and the way back to a plan."""

import random
from dataclasses import astuple, replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from planner.domain.fleet import Fleet
from planner.domain.plan import Action, Plan
from planner.engine.complete import complete
from planner.engine.deadlines import deadlines
from planner.engine.timeline import simulate
from planner.inventory.csv_tables import restored
from planner.inventory.fleet_folder import read_fleet
from planner.inventory.plan_file import read_plan
from planner.inventory.schema import SCHEDULE
from planner.reporting import tables
from planner.reporting.schedule import deadline_rows, schedule
from tests.builders import account, action, case, certificate, client, server, session
from tests.comparison import read_case
from tests.oracle import Case, Row
from tests.strategies import random_case

DATA = Path(__file__).parents[1] / "data"
NEW = "8.1.13"


def schedule_of(built: Case, folder: Path) -> pd.DataFrame:
    return schedule(read_case(built, folder))


def cells(frame: pd.DataFrame, kind: str, column: str) -> list[str]:
    """Return one column of the actions of one kind, as in the file."""
    return frame.loc[frame["action"] == kind, column].astype(str).fillna("").tolist()


def written(frame: pd.DataFrame, path: Path) -> Path:
    frame.to_csv(path, index=False, lineterminator="\n")
    return path


def in_words(plan: Plan) -> list[tuple[object, ...]]:
    """Return a plan's actions, without the file and line that each one came from."""
    return [astuple(replace(row, file="", line=0)) for row in plan.rows()]


def simple(*actions: Row) -> Case:
    """Build an old client of an old server, with some actions."""
    return case(
        servers=[server("SRV1"), server("SRV2", NEW)],
        clients=[client("BA01"), client("STA1", NEW, kind="storage-agent")],
        accounts=[
            account("SRV1", "adm", kind="admin"),
            account("SRV1", "SRV2", kind="server"),
        ],
        sessions=[
            session("BA01", "SRV1"),
            session("BA01", "SRV2", ssl="Yes", key_database="api"),
            session("STA1", "SRV1", kind="storage-agent"),
            session("SRV1", "SRV2", kind="server"),
            session("SRV2", "SRV1", kind="server"),
        ],
        certificates=[
            certificate("SRV1"),
            certificate("root", kind="root"),
            certificate("leaf", kind="leaf", issuer="root"),
        ],
        plan=list(actions),
    )


def test_the_columns_are_those_of_the_file_and_the_rows_those_of_the_plan() -> None:
    plan = complete(read_fleet(DATA / "harbour").draft_plan())
    frame = schedule(plan)

    assert list(frame) == [column.name for column in SCHEDULE]
    assert len(frame) == len(plan)
    assert frame["action"].tolist() == [row.action.label for row in plan.rows()]
    assert frame["client"].tolist() == [row.client for row in plan.rows()]


def test_an_import_shows_what_its_deadline_row_says(tmp_path: Path) -> None:
    built = simple(
        action("2025-03-17", "upgrade-client", client="BA01", value=NEW),
        action("2025-03-13", "import-certificate", client="BA01", certificate="SRV2",
               key_database="API"),
        action("2025-03-13", "import-certificate", client="BA01", certificate="unneeded"),
    )  # fmt: skip
    plan = read_case(built, tmp_path)
    frame = schedule(plan)

    # BA01 talks SSL to the new SRV2 from the first day on.
    assert cells(frame, "import-certificate", "use_case") == ["2", "2;3"]
    assert cells(frame, "import-certificate", "needed") == ["2025-03-03", ""]
    assert cells(frame, "import-certificate", "latest_safe") == ["2025-02-24", ""]
    assert cells(frame, "import-certificate", "slack_days") == ["-17", ""]


def test_the_slack_is_that_of_this_import_and_not_of_the_first_one(tmp_path: Path) -> None:
    built = simple(
        action("2025-03-24", "upgrade-client", client="BA01", value=NEW),
        action("2025-03-24", "upgrade-server", server="SRV1", value=NEW),
        action("2025-03-10", "import-certificate", client="BA01", certificate="SRV1"),
        action("2025-03-20", "import-certificate", client="BA01", certificate="SRV1"),
    )
    frame = schedule_of(built, tmp_path)

    assert cells(frame, "import-certificate", "latest_safe") == ["2025-03-17"] * 2
    assert cells(frame, "import-certificate", "slack_days") == ["7", "-3"]


def test_use_cases_are_those_of_the_sessions_that_an_action_is_about(tmp_path: Path) -> None:
    built = simple(
        action("2025-03-17", "upgrade-client", client="BA01", value=NEW),
        action("2025-03-24", "upgrade-server", server="SRV1", value=NEW),
        action("2025-03-24", "set-option", client="BA01", option="SSL", value="No"),
        action("2025-03-24", "set-option", client="BA01", option="SSL", server="SRV2"),
        action("2025-03-24", "set-option", client="BA01", option="SSL", key_database="default"),
        action("2025-03-24", "replace-certificate", server="SRV2", certificate="leaf"),
        action("2025-03-24", "set-session-security", server="SRV1", account="BA01",
               value="Strict"),
        action("2025-03-24", "set-authentication", server="SRV2", value="LDAP"),
        action("2025-03-25", "remove-certificate", client="BA01", certificate="SRV1"),
        action("2025-03-26", "retire-client", client="BA01"),
    )  # fmt: skip
    frame = schedule_of(built, tmp_path)

    # BA01 -> SRV1 is case 3, BA01 -> SRV2 case 2; STA1 -> SRV1 and SRV2 -> SRV1 are case 3;
    # SRV1 -> SRV2, an upgrade of the initiator towards a new server, is case 1.
    assert cells(frame, "upgrade-client", "use_case") == ["2;3"]
    assert cells(frame, "upgrade-server", "use_case") == ["3"]
    assert cells(frame, "set-option", "use_case") == ["2;3", "2", "3"]
    assert cells(frame, "replace-certificate", "use_case") == ["1;2"]
    assert cells(frame, "set-session-security", "use_case") == ["3"]
    assert cells(frame, "set-authentication", "use_case") == ["1;2"]
    assert cells(frame, "remove-certificate", "use_case") == ["3"]
    assert cells(frame, "retire-client", "use_case") == ["2;3"]


def test_the_tool_of_an_import_is_that_of_the_client_on_that_day(tmp_path: Path) -> None:
    built = simple(
        action("2025-03-17", "upgrade-client", client="BA01", value=NEW),
        action("2025-03-16", "import-certificate", client="BA01", certificate="SRV1"),
        action("2025-03-17", "import-certificate", client="BA01", certificate="SRV1"),
        action("2025-03-18", "import-certificate", client="BA01", certificate="root"),
        action("2025-03-19", "import-certificate", client="STA1", certificate="SRV1"),
        action("2025-03-20", "import-certificate", client="SRV2", certificate="SRV1"),
        action("2025-03-21", "import-certificate", client="stranger", certificate="SRV1"),
    )
    frame = schedule_of(built, tmp_path)

    add = "gsk8capicmd_64 -cert -add -db {} -stashed -format ascii -label SRV1 -file SRV1.arm"
    assert cells(frame, "import-certificate", "command") == [
        add.format("dsmcert.kdb"),
        "dsmcert -add -server SRV1 -file SRV1.arm",
        "dsmcert -add -server root -file root.arm",
        add.format("cert.kdb"),
        add.format("cert.kdb"),
        add.format("dsmcert.kdb"),
    ]


def test_a_key_database_in_a_folder_of_its_own_is_not_reached_with_dsmcert(tmp_path: Path) -> None:
    built = simple(
        action("2025-03-17", "upgrade-client", client="BA01", value=NEW),
        action(
            "2025-03-18",
            "import-certificate",
            client="BA01",
            key_database="/data/keys",
            certificate="SRV1",
        ),
    )
    assert cells(schedule_of(built, tmp_path), "import-certificate", "command") == [
        "gsk8capicmd_64 -cert -add -db dsmcert.kdb -stashed -format ascii -label SRV1"
        " -file SRV1.arm"
    ]


def test_dsmcert_keeps_a_root_under_the_first_server_that_needs_it_and_uses_its_file() -> None:
    plan = complete(read_fleet(DATA / "harbour").draft_plan())
    frame = schedule(plan)
    of_root = frame[
        (frame["certificate"] == "nordkai-root") & frame["command"].str.match("dsmcert")
    ]

    table = tables.trust_deadlines(deadlines(simulate(plan)))
    table = table[table["certificate"] == "nordkai-root"]
    keys = zip(table["client"], table["key_database"], strict=True)
    servers = dict(zip(keys, table["servers"].str.split(";"), strict=True))
    assert len(of_root) > 20
    for name, database, command in of_root[["client", "key_database", "command"]].to_numpy():
        first = servers[name, database or "default"][0]
        assert command == f"dsmcert -add -server {first} -file nordkai-root.pem"


def test_the_tool_agrees_with_the_deadlines_wherever_an_import_is_the_planned_one() -> None:
    n_compared = 0
    for name in ("eight-cases", "harbour"):
        plan = complete(read_fleet(DATA / name).draft_plan())
        found = deadlines(simulate(plan))
        frame, row = schedule(plan, found), deadline_rows(found)
        planned = np.flatnonzero(row >= 0)
        planned = planned[found.planned[row[planned]] == plan.day[planned]]
        by_dsmcert = frame["command"].iloc[planned].str.startswith("dsmcert").to_numpy()
        np.testing.assert_array_equal(by_dsmcert, found.uses_dsmcert()[row[planned]])
        n_compared += len(planned)
    assert n_compared > 800


def test_every_kind_of_action_has_its_command_or_none(tmp_path: Path) -> None:
    built = simple(
        action("2025-03-17", "upgrade-server", server="SRV1", value="8.1.19"),
        action("2025-03-17", "upgrade-client", client="BA01", value=NEW),
        action("2025-03-16", "replace-certificate", server="SRV1", certificate="leaf"),
        action("2025-03-17", "replace-certificate", server="SRV1", certificate="root"),
        action("2025-03-17", "replace-certificate", server="nowhere", certificate="root"),
        action("2025-03-17", "remove-certificate", client="BA01", certificate="SRV1"),
        action("2025-03-17", "remove-certificate", client="SRV1", certificate="SRV1"),
        action("2025-03-17", "set-option", client="BA01", option="sslreq"),
        action("2025-03-17", "set-option", client="BA01", option="TCPPORT", value="1543"),
        action("2025-03-17", "set-session-security", server="SRV1", account="adm",
               value="transitional"),
        action("2025-03-17", "set-session-security", server="SRV1", account="SRV2",
               value="Strict"),
        action("2025-03-17", "set-session-security", server="SRV1", account="unknown",
               value="Strict"),
        action("2025-03-17", "set-authentication", server="SRV1", account="adm", value="LDAP"),
        action("2025-03-17", "set-authentication", server="SRV1", value="Local"),
    )  # fmt: skip
    frame = schedule_of(built, tmp_path)

    assert cells(frame, "upgrade-server", "command") == [""]
    assert cells(frame, "upgrade-client", "command") == [""]
    assert cells(frame, "replace-certificate", "command") == [
        "gsk8capicmd_64 -cert -setdefault -db cert.kdb -stashed -label leaf",
        "SET DEFAULTTLSCERT root",
        "gsk8capicmd_64 -cert -setdefault -db cert.kdb -stashed -label root",
    ]
    assert cells(frame, "remove-certificate", "command") == [
        "gsk8capicmd_64 -cert -delete -db dsmcert.kdb -stashed -label SRV1",
        "gsk8capicmd_64 -cert -delete -db cert.kdb -stashed -label SRV1",
    ]
    assert cells(frame, "set-option", "command") == ["SSLREQUIRED Default", "TCPPORT 1543"]
    assert cells(frame, "set-session-security", "command") == [
        "UPDATE ADMIN adm SESSIONSECURITY=TRANSITIONAL",
        "UPDATE SERVER SRV2 SESSIONSECURITY=STRICT",
        "UPDATE NODE unknown SESSIONSECURITY=STRICT",
    ]
    assert cells(frame, "set-authentication", "command") == [
        "UPDATE ADMIN adm AUTHENTICATION=LDAP",
        "SET DEFAULTAUTHENTICATION LOCAL",
    ]


def test_no_command_carries_a_password() -> None:
    for name in ("eight-cases", "harbour"):
        commands = schedule(complete(read_fleet(DATA / name).draft_plan()))["command"]
        assert not commands.str.contains("pw|password", case=False).any()


NAMES = ("=1+1", "a;b", '"quoted"', "smile \N{GRINNING FACE}", "it's, one", "''=x", "--", "@a")


def test_names_and_texts_of_every_sort_survive_the_way_to_a_file_and_back(tmp_path: Path) -> None:
    built = case(
        servers=[server(name, NEW) for name in NAMES],
        clients=[client(name) for name in NAMES],
        sessions=[session(name, name, key_database=name) for name in NAMES],
        plan=[
            row
            for name in NAMES
            for row in (
                action("2025-03-17", "upgrade-client", client=name, value=NEW, wave=name),
                action("2025-03-14", "import-certificate", client=name, key_database=name,
                       certificate=name, note=name, status=name),
                action("2025-03-14", "import-certificate", client=f"no {name}", certificate=name),
                action("2025-03-20", "set-session-security", server=name, account=name,
                       value="Strict"),
            )
        ],
    )  # fmt: skip
    plan = read_case(built, tmp_path)

    again = read_plan(written(schedule(plan), tmp_path / "again.csv"), plan.fleet)

    assert in_words(again) == in_words(plan)
    assert {row.note for row in plan.rows()} == {"", *map(restored, NAMES)}


def test_a_plan_reads_back_the_same_whatever_is_in_it(tmp_path: Path) -> None:
    for seed in range(40):
        plan = read_case(random_case(random.Random(seed)), tmp_path / str(seed))
        path = written(schedule(plan), tmp_path / f"{seed}.csv")

        again = read_plan(path, plan.fleet)

        assert in_words(again) == in_words(plan)
        assert path.read_text() == written(schedule(again), tmp_path / "twice.csv").read_text()


def test_the_way_back_would_notice_one_changed_cell(tmp_path: Path) -> None:
    plan = read_fleet(DATA / "eight-cases").draft_plan()
    frame = schedule(plan)
    frame.loc[3, "value"] = "8.1.2"

    again = read_plan(written(frame, tmp_path / "changed.csv"), plan.fleet)

    assert in_words(again) != in_words(plan)


def test_an_empty_plan_is_a_table_with_headings_only() -> None:
    fleet: Fleet = read_fleet(DATA / "eight-cases")
    frame = schedule(Plan.of(fleet, []))

    assert frame.to_csv(index=False) == ",".join(column.name for column in SCHEDULE) + "\n"


def test_deadlines_of_another_plan_are_refused() -> None:
    fleet = read_fleet(DATA / "eight-cases")
    plan = fleet.draft_plan()

    with pytest.raises(ValueError, match="another plan"):
        schedule(plan, deadlines(simulate(complete(plan))))


def test_removals_are_matched_to_deadline_rows_and_other_actions_are_not(tmp_path: Path) -> None:
    built = simple(
        action("2025-03-05", "import-certificate", client="BA01", key_database="api",
               certificate="SRV2"),
        action("2025-03-06", "remove-certificate", client="BA01", key_database="api",
               certificate="SRV2"),
        action("2025-03-06", "remove-certificate", client="BA01", key_database="nowhere",
               certificate="SRV2"),
        action("2025-03-07", "replace-certificate", server="SRV2", certificate="SRV2"),
    )  # fmt: skip
    plan = read_case(built, tmp_path)
    row = deadline_rows(deadlines(simulate(plan)))

    assert [Action(kind) for kind in plan.action[row >= 0]] == [
        Action.IMPORT_CERTIFICATE,
        Action.REMOVE_CERTIFICATE,
    ]
