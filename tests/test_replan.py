"""Replanning: no move without a slip, a slip moves what depends on it, conflicts in words."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import pytest

import planner
from planner.domain.calendar import iso
from planner.domain.errors import InfeasibleError
from planner.domain.plan import UPGRADES, Action, Plan, PlannedAction
from planner.domain.rules import Mode, Verdict
from planner.engine.complete import complete
from planner.engine.deadlines import deadlines
from planner.engine.timeline import simulate
from planner.ordering.replan import NEAR, Replanned, replan
from tests.builders import action, case, client, day, server, session
from tests.comparison import plan_of_case
from tests.golden.tables import harbour
from tests.oracle import Row

N_SLIPS = 4
N_WEEKS = 52
N_CLIENTS = 16


def done_before(plan: Plan, today: int, *slipped: int) -> Plan:
    """The plan as recorded on a day: everything before it is done, but some rows."""
    return Plan.of(
        plan.fleet,
        [
            replace(row, status="done") if row.day < today and number not in slipped else row
            for number, row in enumerate(plan.rows())
        ],
    )


def pair(
    plan: Sequence[Row],
    *,
    rules: Sequence[Row] = (),
    capacity: Mapping[str, int] | None = None,
    freezes: Sequence[tuple[str, str]] = (),
) -> Plan:
    """Two clients and one server that has to be new first."""
    return plan_of_case(
        case(
            start="2025-02-03",
            end="2025-06-02",
            servers=[server("alpha", level="8.1.1", certificate="alpha-root")],
            clients=[client("db1"), client("db2")],
            sessions=[
                session(name, "alpha", sslacceptcertfromserv="No") for name in ("db1", "db2")
            ],
            plan=plan,
            rules=rules,
            capacity=capacity,
            freezes=freezes,
        )
    )


@pytest.fixture
def plan() -> Plan:
    return pair(
        [
            action("2025-02-24", "upgrade-server", server="alpha", value="8.1.13"),
            action("2025-03-03", "import-certificate", client="db1", certificate="alpha-root"),
            action("2025-03-10", "upgrade-client", client="db1", value="8.1.13"),
            action("2025-04-07", "import-certificate", client="db2", certificate="alpha-root"),
            action("2025-04-14", "upgrade-client", client="db2", value="8.1.13"),
        ]
    )


def moved(found: Replanned) -> dict[tuple[str, str], str]:
    return {
        (move.action.action.label, move.action.client or move.action.server): iso(move.action.day)
        for move in found.moves
    }


@pytest.mark.parametrize("today", ["2025-02-03", "2025-03-05", "2025-06-01"])
def test_without_a_slip_the_plan_comes_back_as_it_is(plan: Plan, today: str) -> None:
    recorded = done_before(plan, day(today))
    found = replan(recorded, today=day(today))
    assert found.plan is recorded
    assert found.moves == ()


def test_a_late_import_moves_the_upgrade_that_needs_it_and_nothing_else(plan: Plan) -> None:
    found = replan(done_before(plan, day("2025-03-06"), 1), today=day("2025-03-06"))
    assert moved(found) == {
        ("import-certificate", "db1"): "2025-03-06",
        ("upgrade-client", "db1"): "2025-03-13",
    }
    assert "it was due on 2025-03-03 and is not done" in found.lines()[1]
    assert "alpha-root is imported on 2025-03-06, and must be there in time" in found.lines()[2]
    assert repr(found) == "Replanned(2025-03-06: 2 of 5 actions move)"
    assert list(found.to_frame()["reason"]) == [move.reason for move in found.moves]


def test_an_overdue_upgrade_takes_its_option_changes_along(plan: Plan) -> None:
    changes = [
        PlannedAction(
            day=day("2025-03-10"), action=Action.SET_OPTION, client="db1", option="SSL", value="Yes"
        )
    ]
    recorded = done_before(plan.with_actions(changes), day("2025-03-12"), 2, 3)
    found = replan(recorded, today=day("2025-03-12"))
    assert moved(found) == {
        ("upgrade-client", "db1"): "2025-03-12",
        ("set-option", "db1"): "2025-03-12",
    }
    assert found.moves[1].reason == "it goes with the upgrade of db1"


def test_what_is_overdue_takes_free_room_and_displaces_nothing() -> None:
    rows = [
        action("2025-03-03", "upgrade-client", client="db1", value="8.1.13"),
        action("2025-03-11", "upgrade-client", client="db2", value="8.1.13"),
    ]
    full = pair(rows, capacity={"clients_per_week": 1})
    found = replan(done_before(full, day("2025-03-10"), 0), today=day("2025-03-10"))
    assert moved(found) == {("upgrade-client", "db1"): "2025-03-17"}
    assert found.moves[0].reason.endswith("2025-03-10 was the first day, and its week is full")


def test_what_is_bound_by_a_rule_is_pushed_on() -> None:
    rows = [
        action("2025-03-03", "upgrade-client", client="db1", value="8.1.13"),
        action("2025-03-11", "upgrade-client", client="db2", value="8.1.13"),
    ]
    bound = pair(rows, rules=[{"kind": "before", "first": "db1", "then": "db2", "days": "7"}])
    found = replan(done_before(bound, day("2025-03-10"), 0), today=day("2025-03-10"))
    assert moved(found) == {
        ("upgrade-client", "db1"): "2025-03-10",
        ("upgrade-client", "db2"): "2025-03-17",
    }
    assert "db1 comes before db2 by at least 7 days" in found.moves[1].reason


def test_what_is_approved_and_near_stays_or_is_in_the_conflict() -> None:
    rows = [
        action("2025-03-03", "upgrade-client", client="db1", value="8.1.13"),
        action("2025-03-11", "upgrade-client", client="db2", value="8.1.13", status="approved"),
    ]
    bound = pair(rows, rules=[{"kind": "before", "first": "db1", "then": "db2", "days": "7"}])
    recorded = done_before(bound, day("2025-03-10"), 0)
    with pytest.raises(InfeasibleError) as raised:
        replan(recorded, today=day("2025-03-10"))
    text = str(raised.value)
    assert "no order keeps these 2 constraints together" in text
    assert "db1 comes before db2 by at least 7 days" in text
    assert f"the plan has it approved, and it is within {NEAR} days" in text
    far = replan(recorded, today=day("2025-03-10"), near=1)
    assert moved(far)["upgrade-client", "db2"] == "2025-03-17"


def test_a_freeze_up_to_the_end_is_named_in_the_conflict() -> None:
    rows = [action("2025-03-03", "upgrade-client", client="db1", value="8.1.13")]
    frozen = pair(rows, freezes=[("2025-03-05", "2025-06-02")])
    with pytest.raises(InfeasibleError, match="closes 2025-03-05 to 2025-06-01"):
        replan(done_before(frozen, day("2025-03-10"), 0), today=day("2025-03-10"))


def test_a_soft_rule_gives_way() -> None:
    rows = [action("2025-03-03", "upgrade-client", client="db1", value="8.1.13")]
    soft = {"kind": "latest", "first": "db1", "days": "", "then": "2025-03-07", "hard": "No"}
    found = replan(
        done_before(pair(rows, rules=[soft]), day("2025-03-10"), 0), today=day("2025-03-10")
    )
    assert moved(found) == {("upgrade-client", "db1"): "2025-03-10"}
    assert len(found.dropped) == 1


@pytest.mark.parametrize("seed", range(N_SLIPS))
def test_slips_of_the_harbour_are_mended_as_the_independent_checker_says(seed: int) -> None:
    rng = random.Random(seed)
    plan = harbour().plan
    today = plan.fleet.start + rng.randrange(60, 450)
    rows = list(plan.rows())
    # What slips did not happen, nor did what goes with it or needs it.
    recent = [number for number, row in enumerate(rows) if today - 14 <= row.day < today]
    late = {n for n in recent if rows[n].action in (*UPGRADES, Action.SET_OPTION)}
    late |= {
        n for n in recent if rows[n].action is Action.IMPORT_CERTIFICATE and rng.random() < 0.5
    }
    found = replan(done_before(plan, today, *late), today=today)
    assert all(move.action.day >= today for move in found.moves)
    assert found.moves
    wrong = [
        finding
        for finding in planner.check_order(found.plan)
        # A new client has its day from clients.csv, and that is past.
        if finding.rule != "order-fixed" or not is_new_client(plan, finding.subject)
    ]
    assert wrong == []


def is_new_client(plan: Plan, name: str) -> bool:
    clients = plan.fleet.clients
    number = clients.name.find(name)
    return number >= 0 and bool(clients.level[number] < 0)


def test_a_year_of_random_slips_and_weekly_replans_misses_no_deadline_unreported() -> None:
    for seed in (1, 2):
        rng = random.Random(seed)
        plan, reported = _year(), set()
        fleet = plan.fleet
        current = plan
        for week in range(1, N_WEEKS + 20):
            today = fleet.start + 7 * week
            if today >= fleet.end:
                break
            happened = [
                replace(row, status="done")
                if row.status != "done" and row.day < today and rng.random() < 0.7
                else row
                for row in current.rows()
            ]
            recorded = Plan.of(fleet, happened)
            progress = planner.track(recorded, Plan.of(fleet, ()), today=today)
            reported |= {
                (row.action.client, row.action.certificate)
                for row in progress.rows
                if row.state == "overdue"
            }
            current = replan(progress.recorded, today=today).plan
        assert all(row.status == "done" for row in current.rows())
        found = deadlines(simulate(current))
        names, fleet_names = found.timeline.compiled.certificates.name, fleet.endpoint_names()
        missed = {
            (fleet_names[found.endpoint()[row]], names[found.anchor[row]])
            for row in np.flatnonzero(
                found.has_verdict(Verdict.LATE) | found.has_verdict(Verdict.MISSING)
            )
        }
        assert missed <= reported
        assert (found.timeline.mode() == Mode.REFUSED).any() == bool(missed)
        assert len(reported) > 2


def _year() -> Plan:
    """A fleet whose rollout takes a year, completed."""
    names = [f"c{number:02d}" for number in range(N_CLIENTS)]
    start = day("2025-01-06")
    rows = [action("2025-02-03", "upgrade-server", server="alpha", value="8.1.13")]
    rows += [action("2025-06-02", "upgrade-server", server="beta", value="8.1.13")]
    rows += [
        action(iso(start + 35 + 21 * place), "upgrade-client", client=name, value="8.1.13")
        for place, name in enumerate(names)
    ]
    return complete(
        plan_of_case(
            case(
                start="2025-01-06",
                end="2026-12-07",
                capacity={"imports_per_week": 4},
                freezes=[("2025-12-15", "2026-01-12")],
                servers=[
                    server(name, level="8.1.1", certificate=f"{name}-root")
                    for name in ("alpha", "beta")
                ],
                clients=[client(name) for name in names],
                sessions=[
                    session(name, ("alpha", "beta")[place % 2], sslacceptcertfromserv="No")
                    for place, name in enumerate(names)
                ],
                plan=rows,
            )
        )
    )
