"""A plan against what has happened: states, the plan as it stands, the forecast, what is due."""

import datetime
import random
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import icalendar
import numpy as np
import pytest

from planner.domain.calendar import NEVER, iso
from planner.domain.plan import Action, Plan, PlannedAction
from planner.reporting import tables
from planner.reporting.tracking_results import NO_OWNER, write_progress
from planner.tracking.progress import SOON, Progress, State, track
from tests.builders import action, case, client, day, server, session
from tests.comparison import plan_of_case
from tests.strategies import random_case

N_SEEDED = 30


TODAY = day("2025-03-03")


@pytest.fixture
def plan() -> Plan:
    """Two clients of one server, half of the work before TODAY."""
    return plan_of_case(
        case(
            start="2025-02-03",
            end="2025-05-05",
            servers=[server("alpha", level="8.1.1", certificate="alpha-root")],
            clients=[client("db1", owner="Ann"), client("db2", owner="../Bob")],
            sessions=[session("db1", "alpha"), session("db2", "alpha")],
            plan=[
                action("2025-02-10", "import-certificate", client="db1", certificate="alpha-root"),
                action("2025-02-10", "import-certificate", client="db2", certificate="alpha-root"),
                action("2025-02-24", "upgrade-server", server="alpha", value="8.1.13"),
                action("2025-03-10", "upgrade-client", client="db1", value="8.1.13"),
                action("2025-04-14", "upgrade-client", client="db2", value="8.1.13"),
            ],
        )
    )


Cells = Mapping[str, Any]


def happened(plan: Plan, *rows: tuple[int, Cells]) -> Plan:
    """Actuals made of planned actions, each with some cells changed."""
    actions = list(plan.rows())
    return Plan.of(plan.fleet, [replace(actions[place], **cells) for place, cells in rows])


def states(found: Progress) -> list[State]:
    return [row.state for row in found.rows]


def test_each_action_has_one_state(plan: Plan) -> None:
    actuals = happened(plan, (0, {}), (1, {"day": day("2025-02-05")}), (2, {"day": TODAY - 1}))
    found = track(plan, actuals, today=TODAY)
    assert states(found) == [State.DONE, State.EARLY, State.LATE, State.DUE, State.OPEN]
    assert [row.n_days_late for row in found.rows] == [0, -5, 6, None, None]
    assert len(found.comparison.moves) == 2
    assert repr(found) == (
        "Progress(2025-03-03: 3 of 5 actions happened, 0 overdue or failed, 0 contradicting)"
    )


def test_what_is_not_reported_is_overdue_from_the_day_after_on(plan: Plan) -> None:
    nothing = happened(plan)
    on_the_day = track(plan, nothing, today=day("2025-02-24"))
    assert states(on_the_day)[2] is State.DUE
    found = track(plan, nothing, today=day("2025-02-25"))
    assert states(found)[:3] == [State.OVERDUE, State.OVERDUE, State.OVERDUE]
    assert found.rows[2].what == "1 day overdue"
    assert found.standing.day[:3].tolist() == [day("2025-02-25")] * 3


def test_a_failed_attempt_is_still_to_do_until_one_succeeds(plan: Plan) -> None:
    attempt = (2, {"status": "Failed"})
    found = track(plan, happened(plan, attempt), today=TODAY)
    assert (states(found)[2], found.rows[2].what) == (State.FAILED, "failed on 2025-02-24")
    assert int(found.standing.day[found.standing.action == Action.UPGRADE_SERVER][0]) == TODAY
    again = track(plan, happened(plan, attempt, (2, {"day": TODAY})), today=TODAY)
    assert states(again)[2] is State.LATE


def test_another_level_contradicts_and_stands_in_its_place(plan: Plan) -> None:
    found = track(plan, happened(plan, (2, {"value": "8.1.22"})), today=TODAY)
    assert (states(found)[2], found.rows[2].what) == (
        State.CONTRADICTING,
        "planned 8.1.13, done 8.1.22",
    )
    upgrade = found.standing.where(action="upgrade-server")
    assert [found.standing.row(int(row)).value for row in upgrade] == ["8.1.22"]


def test_a_report_from_the_future_contradicts_and_changes_nothing(plan: Plan) -> None:
    ghost = {"day": TODAY + 1, "client": "ghost"}
    actuals = happened(plan, (3, {"day": TODAY + 5}), (0, ghost))
    found = track(plan, actuals, today=TODAY)
    assert states(found)[3] is State.CONTRADICTING
    assert "still to come" in found.rows[3].what
    assert states(found)[5] is State.CONTRADICTING
    assert len(found.standing) == len(plan)


def test_what_nobody_planned_is_told_and_counts(plan: Plan) -> None:
    unplanned = {"action": Action.RETIRE_CLIENT, "client": "db2", "value": "", "day": TODAY}
    found = track(plan, happened(plan, (4, unplanned)), today=TODAY)
    assert states(found)[-1] is State.UNPLANNED
    assert found.rows[-1].planned == NEVER
    assert len(found.standing.where(action="retire-client", client="db2")) == 1


def test_names_of_reports_match_in_any_letter_case(plan: Plan) -> None:
    found = track(
        plan, happened(plan, (0, {"client": "DB1", "key_database": "DEFAULT"})), today=TODAY
    )
    assert states(found)[0] is State.DONE


def test_an_action_with_the_status_done_needs_no_report(plan: Plan) -> None:
    rows = [replace(row, status="Done") if row.day < TODAY else row for row in plan.rows()]
    found = track(Plan.of(plan.fleet, rows), happened(plan), today=TODAY)
    assert states(found) == [State.DONE] * 3 + [State.DUE, State.OPEN]


def test_a_plan_that_went_as_planned_stands_as_planned() -> None:
    for seed in range(N_SEEDED):
        plan = plan_of_case(random_case(random.Random(seed)))
        rows = [row for row in plan.rows() if row.day <= plan.fleet.start + 20]
        done = Plan.of(plan.fleet, [replace(row, status="done") for row in rows])
        found = track(plan, done, today=plan.fleet.start + 20)
        overdue = found.count(State.OVERDUE)
        assert overdue == 0, f"seed {seed}"
        assert found.comparison.moves == ()
        assert len(found.comparison.newly_refused) == len(found.comparison.newly_safe) == 0


def test_every_planned_action_and_report_is_accounted_for_once() -> None:
    for seed in range(N_SEEDED):
        rng = random.Random(seed)
        plan = plan_of_case(random_case(rng))
        today = plan.fleet.start + 15
        reports: list[PlannedAction] = []
        for row in plan.rows():
            if rng.random() < 0.6:
                status = rng.choice(["done", "", "failed"])
                reports.append(replace(row, day=row.day + rng.randint(-4, 4), status=status))
        found = track(plan, Plan.of(plan.fleet, reports), today=today)
        planned = [row for row in found.rows if row.planned != NEVER]
        assert sorted(row.planned for row in planned) == sorted(plan.day.tolist())
        in_time = sum(row.status != "failed" and row.day <= today for row in reports)
        assert sum(row.has_happened for row in found.rows) == in_time


def test_the_forecast_adds_the_delays_so_far_to_what_is_to_come(plan: Plan) -> None:
    late = track(plan, happened(plan, (2, {"day": day("2025-03-01")})), today=TODAY)
    forecast = late.forecast
    last = day("2025-04-14")
    assert (forecast.planned, forecast.standing) == (last, last)
    assert (forecast.median, forecast.cautious) == (last + 5, last + 5)
    assert "finish: 2025-04-14 as planned" in late.lines()[3]
    nothing = track(plan.without(np.arange(2, 5, dtype=np.int32)), happened(plan), today=TODAY)
    assert nothing.forecast.planned == NEVER
    assert "finish: never as planned" in nothing.lines()[3]


def test_plans_for_different_fleets_are_not_held_together(plan: Plan) -> None:
    other = plan_of_case(random_case(random.Random(1)))
    with pytest.raises(ValueError, match="different fleets"):
        track(plan, other, today=TODAY)


def test_due_is_what_is_to_do_within_two_weeks_by_owner(plan: Plan) -> None:
    found = track(plan, happened(plan, (0, {}), (1, {})), today=TODAY)
    table = tables.due(found)
    assert table[["owner", "action", "date"]].to_numpy().tolist() == [
        ["", "upgrade-server", "2025-03-03"],
        ["Ann", "upgrade-client", "2025-03-10"],
    ]
    last = int(found.standing.day.max())
    assert iso(last) not in table["date"].tolist()
    assert last >= TODAY + SOON


def test_files_for_each_owner_stay_in_their_folder(plan: Plan, tmp_path: Path) -> None:
    found = track(plan, happened(plan), today=TODAY)
    written = write_progress(tmp_path / "out", found)
    assert {path.parent for path in written} == {tmp_path / "out", tmp_path / "out" / "due"}
    names = {path.name for path in written if path.parent.name == "due"}
    assert {f"{NO_OWNER}.ics", "Ann.ics", "Ann.csv", "%2E.%2FBob.csv"} <= names
    digest = (tmp_path / "out" / "digest.txt").read_text(encoding="utf-8").splitlines()[:-1]
    assert tuple(digest) == found.lines()
    progress = (tmp_path / "out" / "progress.csv").read_text(encoding="utf-8").splitlines()
    assert progress[0].startswith("state,planned,actual,days_late,action,client,")
    assert progress[1].startswith("overdue,2025-02-10,,,import-certificate,db1,")


def test_an_owner_called_no_owner_has_files_apart_from_those_of_nobody(tmp_path: Path) -> None:
    plan = plan_of_case(
        case(
            start="2025-02-03",
            end="2025-05-05",
            servers=[server("alpha", level="8.1.1")],
            clients=[client("db1", owner="No-Owner"), client("db2")],
            sessions=[session("db1", "alpha"), session("db2", "alpha")],
            plan=[
                action("2025-03-04", "upgrade-client", client="db1", value="8.1.13"),
                action("2025-03-05", "upgrade-client", client="db2", value="8.1.13"),
            ],
        )
    )
    write_progress(tmp_path, track(plan, happened(plan), today=TODAY))
    due = {path.name: path.read_text("utf-8") for path in (tmp_path / "due").glob("*.csv")}
    assert sorted(due) == ["No-Owner%.csv", f"{NO_OWNER}.csv"]
    assert ",db1," in due["No-Owner%.csv"]
    assert ",db2," in due[f"{NO_OWNER}.csv"]


def events(content: bytes) -> dict[str, tuple[datetime.date, str]]:
    return {
        str(event["uid"]): (event.decoded("dtstart"), str(event["summary"]))
        for event in icalendar.Calendar.from_ical(content).walk("VEVENT")
    }


def test_calendars_hold_the_actions_of_due_and_keep_an_events_identity(
    plan: Plan, tmp_path: Path
) -> None:
    moved = plan.moved(plan.where(client="db1", action="upgrade-client"), day("2025-03-12"))
    calendars = []
    for number, one in enumerate((plan, moved)):
        found = track(one, happened(plan, (0, {}), (1, {})), today=TODAY)
        write_progress(tmp_path / str(number), found)
        calendars.append(events((tmp_path / str(number) / "due" / "Ann.ics").read_bytes()))
        assert (tmp_path / str(number) / "due" / "%2E.%2FBob.csv").read_text().count("\n") == 1
    assert list(calendars[0].values()) == [
        (datetime.date(2025, 3, 10), "upgrade-client db1 8.1.13")
    ]
    assert calendars[0].keys() == calendars[1].keys()
    assert [start for start, _ in calendars[1].values()] == [datetime.date(2025, 3, 12)]


def test_two_equal_actions_are_two_events(plan: Plan, tmp_path: Path) -> None:
    again = plan.row(3)
    twice = plan.with_actions([replace(again, day=again.day + 1)])
    write_progress(tmp_path, track(twice, happened(plan), today=TODAY))
    content = (tmp_path / "due" / "Ann.ics").read_bytes()
    upgrades = [summary for _, summary in events(content).values() if "upgrade-client" in summary]
    assert len(upgrades) == 2
    assert b"DTSTAMP:20250303T000000Z" in content
