"""The planning board without a browser: what it shows is the plan, and its history holds plans."""

import json
from collections import Counter
from datetime import date
from pathlib import Path

import pytest

import planner
from planner.domain.calendar import iso, monday_of, to_day
from planner.domain.plan import UPGRADES, Plan
from planner.domain.rules import Mode
from planner.engine.complete import complete
from planner.reporting import tables
from planner.reporting.colours import STACKING, contrast
from planner.widgets import PlanningBoard
from planner.widgets.planning_board import MARKS
from tests.builders import action, case, client, server, session
from tests.comparison import read_case
from tests.golden.tables import eight_cases, first_draft, harbour

NEW = "8.1.13"


@pytest.fixture
def plan(tmp_path: Path) -> Plan:
    """Return a plan of one server and two clients, with every import made in time."""
    built = case(
        servers=[server("SRV1")],
        clients=[client("BA01", owner="Port IT"), client("BA02", owner="Port IT")],
        sessions=[session("BA01", "SRV1"), session("BA02", "SRV1")],
        plan=[
            action("2025-03-04", "upgrade-server", server="SRV1", value=NEW),
            action("2025-03-18", "upgrade-client", client="BA01", value=NEW),
            action("2025-03-19", "upgrade-client", client="BA02", value=NEW),
            action("2025-03-11", "import-certificate", client="BA01", certificate="SRV1"),
            action("2025-03-12", "import-certificate", client="BA02", certificate="SRV1"),
        ],
    )
    return read_case(built, tmp_path / "fleet")


def rows(plan: Plan) -> list[object]:
    return [*plan.rows()]


def shown_weeks(board: PlanningBoard) -> Counter[str]:
    """Return how many upgrades the board shows in each week."""
    cards: list[dict[str, object]] = board.view.state["cards"]
    return Counter(
        {
            week: sum(
                len(board.deck[number].endpoints)
                for number, card in enumerate(cards)
                if card["week"] == week
            )
            for week in {str(card["week"]) for card in cards}
        }
    )


def planned_weeks(plan: Plan) -> Counter[str]:
    """Return how many upgrades a plan has in each week, read from its rows."""
    fleet = plan.fleet
    return Counter(
        iso(monday_of(row.day))
        for row in plan.rows()
        if row.action in UPGRADES
        and fleet.find_endpoint(row.client or row.server) >= 0
        and fleet.start <= row.day < fleet.end
    )


def press(board: PlanningBoard, message: object) -> None:
    """Let the page send a message."""
    board.view._handle_custom_msg(message, [])


@pytest.mark.parametrize("run", [eight_cases, harbour, first_draft])
def test_the_board_shows_each_upgrade_in_its_week(run: object) -> None:
    assert callable(run)
    board = PlanningBoard(run().plan)
    assert shown_weeks(board) == planned_weeks(board.value)
    json.dumps(board.view.state)  # it reaches the page


def test_the_board_shows_the_tables_of_its_plan() -> None:
    board = PlanningBoard(first_draft().plan)
    weeks = tables.weeks(board.deadlines.timeline)
    for shown, row in zip(board.view.state["weeks"], weeks.to_dict("records"), strict=True):
        assert shown["week"] == row["week"]
        assert shown["freeze"] == row["freeze"]
        assert {bar["name"]: bar["used"] for bar in shown["bars"]} == {
            name: row[name] for name in ("servers", "clients", "imports")
        }
        assert shown["modes"] == [row[mode.label] for mode in STACKING]
    assert [bar["limit"] for bar in board.view.state["weeks"][0]["bars"]] == [1, 16, 60]
    assert set(STACKING) == set(Mode)


def test_a_drop_moves_the_card_and_everything_follows(plan: Plan) -> None:
    board = PlanningBoard(plan)
    assert repr(board) == "PlanningBoard(2 cards: 0 refused session-days, 0 marked cards)"
    press(board, {"do": "move", "card": 1, "week": "2025-03-03"})

    assert planned_weeks(board.value) == shown_weeks(board) == Counter({"2025-03-03": 3})
    card = board.view.state["cards"][1]
    assert card["mark"] == "R"
    assert card["reasons"][0] == (
        "2 refused: untrusted (ANS1592E), from 2025-03-04, for example BA01 -> SRV1 as BA01"
    )
    assert ["imports not safe", "2"] in board.view.state["totals"]
    assert board.view.state["says"] == (
        "BA01, BA02 moved".replace("BA01, BA02", board.deck[1].name)
        + " to 2025-03-03. 14 refused session-days, 1 marked card"
    )


def test_dating_imports_anew_repairs_what_a_move_has_broken(plan: Plan) -> None:
    board = PlanningBoard(plan)
    board.move(1, date(2025, 3, 10))
    assert board.view.state["cards"][1]["mark"] == "D"
    press(board, {"do": "realign"})
    assert board.view.state["cards"][1]["mark"] == ""
    assert repr(board) == "PlanningBoard(2 cards: 0 refused session-days, 0 marked cards)"


def test_undo_and_redo_walk_through_the_plans(plan: Plan) -> None:
    board = PlanningBoard(plan)
    states = [board.view.state]
    board.move(0, date(2025, 3, 10))
    board.move(1, date(2025, 3, 24))
    moved = board.value
    assert board.view.state["can"] == {"undo": True, "redo": False, "reset": True, "realign": True}

    press(board, {"do": "undo"})
    press(board, {"do": "undo"})
    assert board.value is plan
    for key in ("weeks", "cards", "totals"):
        assert board.view.state[key] == states[0][key]
    press(board, {"do": "undo"})  # there is nothing before the first plan
    assert board.value is plan
    press(board, {"do": "redo"})
    press(board, {"do": "redo"})
    press(board, {"do": "redo"})
    assert board.value is moved


def test_a_new_move_forgets_what_was_undone(plan: Plan) -> None:
    board = PlanningBoard(plan)
    board.move(0, date(2025, 3, 10))
    board.undo()
    board.move(1, date(2025, 3, 24))
    assert board.view.state["can"]["redo"] is False
    board.undo()
    assert board.value is plan


def test_reset_goes_back_to_the_first_plan_and_can_be_undone(plan: Plan) -> None:
    board = PlanningBoard(plan)
    press(board, {"do": "reset"})
    assert board.view.state["can"]["undo"] is False
    board.move(0, date(2025, 3, 10))
    moved = board.value
    press(board, {"do": "reset"})
    assert board.value is plan
    board.undo()
    assert board.value is moved


def test_a_card_dropped_on_its_own_week_leaves_no_step(plan: Plan) -> None:
    board = PlanningBoard(plan)
    board.move(0, date(2025, 3, 6))
    assert board.value is plan
    assert board.view.state["can"]["undo"] is False


@pytest.mark.parametrize(
    "message",
    [
        {"do": "move", "card": 2, "week": "2025-03-10"},
        {"do": "move", "card": -1, "week": "2025-03-10"},
        {"do": "move", "card": "0", "week": "2025-03-10"},
        {"do": "save"},
        {"do": "dance"},
        "undo",
        None,
    ],
)
def test_a_message_that_the_page_does_not_send_changes_nothing(plan: Plan, message: object) -> None:
    board = PlanningBoard(plan)
    press(board, message)
    assert board.value is plan


def test_a_week_outside_the_horizon_is_refused(plan: Plan) -> None:
    board = PlanningBoard(plan)
    with pytest.raises(ValueError, match="outside the horizon"):
        board.move(0, date(2025, 4, 7))
    with pytest.raises(IndexError):
        board.move(2, date(2025, 3, 10))
    assert board.value is plan


def test_nothing_is_written_until_the_button_is_pressed(plan: Plan, tmp_path: Path) -> None:
    path = tmp_path / "saved" / "plan.csv"
    board = PlanningBoard(plan, path=path)
    board.move(0, date(2025, 3, 10))
    assert not path.parent.exists()
    press(board, {"do": "save"})

    again = planner.read_plan(path, plan.fleet)
    assert again.to_frame().equals(board.value.to_frame())
    assert path.read_bytes() == board.download.value
    assert board.view.state["says"].startswith("saved as plan.csv. ")


def test_a_board_made_from_the_saved_plan_shows_the_same(plan: Plan, tmp_path: Path) -> None:
    board = PlanningBoard(plan)
    board.move(1, date(2025, 3, 24))
    board.save(tmp_path / "plan.csv")
    again = PlanningBoard(planner.read_plan(tmp_path / "plan.csv", plan.fleet))
    for key in ("weeks", "cards", "totals"):
        assert again.view.state[key] == board.view.state[key]


def test_every_mark_and_mode_is_explained_and_can_be_read() -> None:
    board = PlanningBoard(first_draft().plan)
    legend = board.view.state["legend"]
    assert dict(legend["marks"]) == MARKS
    assert {card["mark"] for card in board.view.state["cards"]} <= {"", *MARKS}
    assert len({card["mark"] for card in board.view.state["cards"]}) >= 3
    for _, _, colour, ink in legend["modes"]:
        assert contrast(colour, ink) >= 4.5
    for card in board.view.state["cards"]:
        assert bool(card["mark"]) is bool(card["reasons"])


def test_a_fleet_without_upgrades_is_an_empty_board(tmp_path: Path) -> None:
    built = case(servers=[server("SRV1")], clients=[client("BA01")], sessions=[], plan=[])
    board = PlanningBoard(complete(read_case(built, tmp_path)))
    assert board.view.state["cards"] == []
    assert len(board.view.state["weeks"]) == 4
    assert repr(board) == "PlanningBoard(0 cards: 0 refused session-days, 0 marked cards)"
    assert to_day(date(2025, 3, 3)) == board.value.fleet.start


def test_a_board_is_stored_in_a_notebook_as_one_line_and_a_widget(plan: Plan) -> None:
    bundle = PlanningBoard(plan)._repr_mimebundle_()
    assert bundle["text/plain"] == repr(PlanningBoard(plan))
    assert "application/vnd.jupyter.widget-view+json" in bundle
