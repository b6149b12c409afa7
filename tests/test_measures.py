"""Measures of a plan against numbers worked out by hand."""

from pathlib import Path

from planner.domain.calendar import NEVER, iso
from planner.engine.deadlines import deadlines
from planner.engine.measures import Measures, imports_in_effect, measures
from planner.engine.timeline import simulate
from tests.builders import account, action, case, client, server, session, trust
from tests.comparison import read_case
from tests.oracle import Case

NEW = "8.1.13"


def measures_of(built: Case, folder: Path) -> Measures:
    """Return the measures of a case."""
    return measures(deadlines(simulate(read_case(built, folder))))


def migration() -> Case:
    """Build 28 days from Monday 3 March with two clients, one server and one stranger."""
    return case(
        servers=[server("SRV1", "8.1.0")],
        clients=[client("BA01"), client("BA02")],
        accounts=[account("SRV1", "SPARE")],
        sessions=[
            session("BA01", "SRV1", weight="2.5", encrypt_data="Yes"),
            session("BA02", "SRV1", weight="4"),
        ],
        plan=[
            action("2025-03-10", "upgrade-server", server="SRV1", value=NEW),
            action("2025-03-17", "upgrade-client", client="BA01", value=NEW),
            action("2025-03-20", "upgrade-client", client="BA02", value=NEW),
            action("2025-03-07", "import-certificate", client="BA01", certificate="SRV1"),
            action("2025-03-24", "import-certificate", client="BA02", certificate="SRV1"),
            action("2025-03-24", "import-certificate", client="BA02", certificate="other"),
            action("2025-04-24", "import-certificate", client="BA02", certificate="SRV1"),
        ],
    )


def test_every_measure_is_what_the_calendar_says(tmp_path: Path) -> None:
    found = measures_of(migration(), tmp_path)
    # BA01 is in plain text for 14 days, BA02 for 17.
    assert found.exposure == 14 * 2.5 + 17 * 4
    # BA01 then has 14 days of TLS with clear object data; BA02 need not encrypt it.
    assert found.partial_exposure == 14 * 2.5
    # BA02 is upgraded on the 20th and trusts nothing until the 24th.
    assert found.refused_session_days == 4
    # A day ends transitional: BA01 14 days, BA02 21 days, SPARE all 28.
    assert found.transitional_account_days == 14 + 21 + 28
    assert iso(found.finish) == "2025-03-20"
    assert {iso(day): n for day, n in found.imports_by_day.items()} == {
        "2025-03-07": 1,
        "2025-03-24": 2,
    }
    assert (found.peak_imports_per_day, found.peak_imports_per_week) == (2, 2)
    assert found.same_day_imports == 0
    # BA01: latest safe 10 March, planned 7 March; BA02: 13 March, planned 24 March.
    assert found.slack_minimum == -11
    assert found.slack_quantiles == {"25 %": -7.5, "50 %": -4.0, "75 %": -0.5}
    assert str(found) == (
        "exposure 103, refused session-days 4, finish 2025-03-20, at most 2 imports a week"
    )


def test_an_import_on_the_day_of_the_upgrade_is_counted(tmp_path: Path) -> None:
    built = migration()
    assert built.plan is not None
    built.plan[3]["date"] = "2025-03-17"
    assert measures_of(built, tmp_path).same_day_imports == 1


def test_an_import_on_the_first_day_is_counted(tmp_path: Path) -> None:
    built = migration()
    assert built.plan is not None
    built.plan[3]["date"] = "2025-03-03"
    found = measures_of(built, tmp_path)
    assert {iso(day): n for day, n in found.imports_by_day.items()} == {
        "2025-03-03": 1,
        "2025-03-24": 2,
    }


def test_imports_of_one_week_add_up_over_its_days(tmp_path: Path) -> None:
    built = migration()
    assert built.plan is not None
    built.plan[3]["date"] = "2025-03-30"
    found = measures_of(built, tmp_path)
    assert (found.peak_imports_per_day, found.peak_imports_per_week) == (2, 3)


def test_a_plan_without_actions_has_no_finish_and_no_slack(tmp_path: Path) -> None:
    built = case(
        servers=[server("SRV1", NEW)],
        clients=[client("BA01", NEW)],
        sessions=[session("BA01", "SRV1")],
        trust=[trust("BA01", "SRV1")],
    )
    plan = read_case(built, tmp_path)
    found = measures(deadlines(simulate(plan)))
    assert found.finish == NEVER
    assert found.slack_minimum is None
    assert found.slack_quantiles == {}
    assert found.imports_by_day == {}
    assert (found.peak_imports_per_day, found.peak_imports_per_week) == (0, 0)
    assert "finish never" in str(found)


def test_imports_outside_the_horizon_are_not_in_effect(tmp_path: Path) -> None:
    plan = read_case(migration(), tmp_path)
    rows = imports_in_effect(deadlines(simulate(plan)))
    assert [iso(day) for day in plan.day[rows]] == ["2025-03-07", "2025-03-24", "2025-03-24"]


def test_an_upgrade_on_the_first_day_is_a_finish_and_one_on_the_end_is_none(tmp_path: Path) -> None:
    built = migration()
    assert built.plan is not None
    for row, day in zip(built.plan[:3], ("2025-03-03", "2025-03-31", "2025-03-02"), strict=True):
        row["date"] = day
    assert iso(measures_of(built, tmp_path).finish) == "2025-03-03"
