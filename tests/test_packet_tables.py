"""The change board's tables: weeks against capacity, owners, points of no return, ways back."""

from pathlib import Path

from planner.engine.deadlines import Deadlines, deadlines
from planner.engine.findings import check_deadlines
from planner.engine.timeline import simulate
from planner.reporting import tables
from tests.builders import account, action, case, certificate, client, server, session, trust
from tests.comparison import read_case
from tests.golden.tables import harbour
from tests.oracle import Case

NEW = "8.1.13"


def migration(**more: object) -> Case:
    """Build two clients that follow their server: one with an import in time, one without any."""
    built = case(
        servers=[server("SRV1", authentication="LDAP")],
        clients=[client("BA01", owner="Port IT"), client("BA02", owner="Crane, team")],
        accounts=[account("SRV1", "BA01", authentication="Local")],
        sessions=[session("BA01", "SRV1"), session("BA02", "SRV1")],
        plan=[
            action("2025-03-10", "upgrade-server", server="SRV1", value=NEW),
            action("2025-03-17", "upgrade-client", client="BA01", value=NEW),
            action("2025-03-20", "upgrade-client", client="BA02", value=NEW),
            action("2025-03-10", "import-certificate", client="BA01", certificate="SRV1"),
        ],
    )
    built.toml.update(more)
    return built


def deadlines_of(built: Case, folder: Path) -> Deadlines:
    return deadlines(simulate(read_case(built, folder)))


def test_weeks_count_work_and_sessions_and_name_what_exceeds_its_capacity(tmp_path: Path) -> None:
    built = migration(capacity={"clients_per_week": 1})
    built.toml["calendar"] = {
        "freeze": [{"name": "close", "start": "2025-03-23", "end": "2025-03-25"}]
    }
    table = tables.weeks(deadlines_of(built, tmp_path).timeline)

    assert table.to_csv(index=False).splitlines() == [
        "week,servers,clients,imports,over,freeze,refused,tls-full,legacy-ssl,tls-partial,local,"
        "plaintext,inactive",
        "2025-03-03,0,0,0,,,1,0,0,0,0,1,0",
        "2025-03-10,1,0,1,,,1,0,0,0,0,1,0",
        "2025-03-17,0,2,0,clients,close,1,0,0,1,0,0,0",
        "2025-03-24,0,0,0,,close,1,0,0,1,0,0,0",
    ]


def test_weeks_of_the_harbour_add_up_to_its_plan_and_its_days() -> None:
    run = harbour()
    table, daily = tables.weeks(run.timeline), tables.daily(run.timeline).set_index("date")

    assert table.imports.sum() == len(run.plan.where(action="import-certificate"))
    assert table.servers.sum() == len(run.plan.where(action="upgrade-server"))
    for place in (0, 30, len(table) - 1):
        row = table.iloc[place]
        days = daily.loc[row.week :].head(7)
        assert row["refused"] == days["refused"].max()
        assert (
            row["plaintext":"inactive"].tolist()
            == days.loc[days.index[-1], ["plaintext", "inactive"]].tolist()
        )


def test_owners_have_what_they_import_by_when_and_how_much_of_it_is_not_safe(
    tmp_path: Path,
) -> None:
    table = tables.owners(deadlines_of(migration(), tmp_path))

    assert table.to_csv(index=False).splitlines() == [
        "owner,certificate,clients,imports,first_latest_safe,last_latest_safe,last_needed,not_safe",
        "Port IT,SRV1,1,1,2025-03-10,2025-03-10,2025-03-17,0",
        '"Crane, team",SRV1,1,1,2025-03-13,2025-03-13,2025-03-20,1',
    ]


def test_owners_of_a_fleet_that_needs_nothing_are_an_empty_table(tmp_path: Path) -> None:
    built = case(servers=[server("SRV1")], clients=[client("BA01")], sessions=[])
    found = deadlines_of(built, tmp_path)

    assert list(tables.owners(found).columns)[:2] == ["owner", "certificate"]
    for table in (tables.owners, tables.points_of_no_return, tables.ways_back):
        assert table(found).empty


def test_an_account_that_turns_strict_is_a_point_of_no_return(tmp_path: Path) -> None:
    table = tables.points_of_no_return(deadlines_of(migration(), tmp_path))

    assert table[["date", "server", "point", "count", "source"]].values.tolist() == [
        ["2025-03-17", "SRV1", "accounts-strict", 1, "TROUB819"]
    ]
    assert table.what[0] == "old clients can no longer log on as BA01"


def test_a_replaced_md5_default_is_a_point_of_no_return(tmp_path: Path) -> None:
    built = case(
        servers=[server("SRV1", certificate="OLD")],
        clients=[client("BA01", NEW)],
        sessions=[session("BA01", "SRV1", ssl="Yes")],
        certificates=[certificate("OLD", signature="md5WithRSAEncryption", server="SRV1")],
        trust=[trust("BA01", "OLD")],
        plan=[
            action("2025-03-05", "import-certificate", client="BA01", certificate="SRV1-cert256"),
            action("2025-03-12", "upgrade-server", server="SRV1", value=NEW),
        ],
    )
    table = tables.points_of_no_return(deadlines_of(built, tmp_path))

    assert table[["date", "point", "count"]].values.tolist() == [
        ["2025-03-12", "accounts-strict", 1],
        ["2025-03-12", "certificate-replaced", 1],
    ]
    assert "SRV1-cert256" in table.what[1]


def test_each_day_of_upgrades_has_its_way_back(tmp_path: Path) -> None:
    table = tables.ways_back(deadlines_of(migration(), tmp_path))

    assert table.iloc[:, :4].values.tolist() == [
        ["2025-03-10", "SRV1", 0, 0],
        ["2025-03-17", "", 1, 1],
        ["2025-03-20", "", 1, 0],
    ]
    assert table.way_back[0] == "restore the server with its saved files and database backup"
    assert table.way_back[1].startswith("set the accounts back to SESSIONSECURITY=TRANSITIONAL; ")


def test_key_numbers_say_what_is_refused_and_what_is_not_safe(tmp_path: Path) -> None:
    found = deadlines_of(migration(), tmp_path)
    table = tables.key_numbers(found, check_deadlines(found))

    assert table.value[["sessions", "finish", "not safe", "least slack"]].to_list() == [
        "2",
        "2025-03-20",
        "1",
        "0",
    ]
    assert table.value["refused"] == "28"
    assert table.meaning["not safe"] == "of 2 imports: late or inside the lead"
