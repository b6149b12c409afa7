"""Plans: columns in the order in which they act, edited without changing the original."""

from dataclasses import replace

import numpy as np
import pytest

import planner
from planner.domain.calendar import iso
from planner.domain.plan import Action, Plan, PlannedAction
from planner.engine.program import compile_plan
from tests.builders import action, case, certificate, client, server, session
from tests.comparison import plan_of_case


@pytest.fixture
def plan() -> Plan:
    return plan_of_case(
        case(
            servers=[server("Alpha")],
            clients=[client("db1"), client("db2")],
            sessions=[session("db1", "alpha"), session("db2", "alpha")],
            certificates=[certificate("Alpha")],
            plan=[
                action("2025-03-12", "set-option", client="DB1", option="ssl", value="Yes"),
                action("2025-03-12", "upgrade-client", client="db1", value="8.1.13"),
                action("2025-03-10", "upgrade-server", server="ALPHA", value="8.1.13"),
                action("2025-03-11", "import-certificate", client="db1", certificate="new-root"),
                action("2025-03-11", "upgrade-client", client="nobody", value="8.1.13"),
            ],
        )
    )


def test_actions_stand_by_day_then_kind_then_as_given(plan: Plan) -> None:
    assert [(iso(row.day), row.action.label) for row in plan.rows()] == [
        ("2025-03-10", "upgrade-server"),
        ("2025-03-11", "upgrade-client"),
        ("2025-03-11", "import-certificate"),
        ("2025-03-12", "upgrade-client"),
        ("2025-03-12", "set-option"),
    ]


def test_names_show_the_spelling_that_defines_them(plan: Plan) -> None:
    assert plan.row(0).server == "Alpha"
    assert plan.row(4).client == "db1"


def test_names_that_the_fleet_does_not_know_are_kept(plan: Plan) -> None:
    assert plan.row(1).client == "nobody"
    assert plan.row(2).certificate == "new-root"


def test_a_plan_in_words_makes_the_same_plan(plan: Plan) -> None:
    again = Plan.of(plan.fleet, plan.rows())
    assert list(again.rows()) == list(plan.rows())


def test_moving_an_action_leaves_the_original(plan: Plan) -> None:
    rows = plan.where(action="upgrade-server")
    moved = plan.moved(rows, int(plan.day[rows[0]]) + 30)
    assert moved.row(len(moved) - 1).action is Action.UPGRADE_SERVER
    assert plan.row(0).action is Action.UPGRADE_SERVER


def test_actions_are_found_by_their_cells_in_any_letter_case(plan: Plan) -> None:
    assert plan.where(date="2025-03-12", client="DB1").tolist() == [3, 4]
    with pytest.raises(ValueError, match=r"^a plan has no column colour, shade$"):
        plan.where(shade="dark", colour="red", client="db1")


def test_kinds_of_one_day_are_sorted_wherever_they_stand(plan: Plan) -> None:
    order = (
        Action.UPGRADE_SERVER,
        Action.SET_OPTION,
        Action.IMPORT_CERTIFICATE,
        Action.UPGRADE_CLIENT,
    )
    made = Plan.of(plan.fleet, [PlannedAction(day=1, action=kind) for kind in order])
    assert [row.action for row in made.rows()] == sorted(order)


def test_actions_can_be_added_and_taken_away(plan: Plan) -> None:
    more = plan.with_actions(
        [PlannedAction(day=int(plan.day[0]), action=Action.RETIRE_CLIENT, client="db2")]
    )
    assert len(more) == len(plan) + 1
    assert list(more.without(more.where(action="retire-client")).rows()) == list(plan.rows())


def test_an_action_made_in_python_belongs_to_plan_csv() -> None:
    made = PlannedAction(day=1, action=Action.UPGRADE_CLIENT)
    assert (made.file, made.line) == ("plan.csv", 0)


def test_columns_of_different_length_are_refused(plan: Plan) -> None:
    with pytest.raises(ValueError, match=r"Plan\.line"):
        replace(plan, line=np.zeros(1, dtype=np.int32))


def test_a_plan_says_its_key_numbers(plan: Plan) -> None:
    assert repr(plan) == "Plan(5 actions, 2025-03-10..2025-03-12)"
    later = plan.moved(plan.where(action="set-option"), int(plan.day[-1]) + 8)
    assert repr(later) == "Plan(5 actions, 2025-03-10..2025-03-20)"
    assert repr(plan.without(np.arange(5, dtype=np.int32))) == "Plan(0 actions)"


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (
            PlannedAction(day=20158, action=Action.UPGRADE_CLIENT, client="db1", value="8.x"),
            "'8.x' is not a product level",
        ),
        (
            PlannedAction(
                day=20158, action=Action.SET_OPTION, client="db1", option="SSL", value="maybe"
            ),
            "SSL has no value 'maybe'",
        ),
        (
            PlannedAction(
                day=20158, action=Action.SET_OPTION, client="db1", option="TCPPORT", value="0"
            ),
            "TCPPORT '0' is no port",
        ),
        (
            PlannedAction(
                day=20158,
                action=Action.SET_SESSION_SECURITY,
                server="alpha",
                account="db1",
                value="Stricter",
            ),
            "'Stricter' is no value of set-session-security",
        ),
        (
            PlannedAction(
                day=20158, action=Action.SET_AUTHENTICATION, server="alpha", value="Kerberos"
            ),
            "'Kerberos' is no value of set-authentication",
        ),
    ],
)
def test_a_value_that_no_action_can_have_is_an_error_with_its_row(
    plan: Plan, row: PlannedAction, message: str
) -> None:
    with pytest.raises(planner.PlanError, match=message):
        compile_plan(plan.with_actions([replace(row, line=7)]))
