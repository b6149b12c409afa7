"""Cards: what they stand for, what moves with them, and which of them a fault is laid to."""

from pathlib import Path

import numpy as np
import pytest

from planner.domain.calendar import iso
from planner.domain.plan import UPGRADES, Plan
from planner.domain.rules import Mode, Verdict
from planner.engine.cards import (
    Card,
    Consequence,
    cards,
    consequences,
    move,
    realigned,
    rows_of,
    weeks_of,
)
from planner.engine.deadlines import deadlines
from planner.engine.timeline import simulate
from tests.builders import action, case, client, day, server, session
from tests.comparison import read_case
from tests.golden.tables import first_draft, harbour
from tests.oracle import Case

NEW = "8.1.13"


def rollout() -> Case:
    """Build a server, then two clients of one site and owner and one of another, all imports made.

    BA01 and BA02 may be upgraded on Mondays and Tuesdays alone; there is a freeze in the third
    week, and the server's upgrade has an option of its day.
    """
    built = case(
        servers=[server("SRV1", site="north")],
        clients=[
            client("BA01", site="quay", owner="Port IT"),
            client("BA02", site="quay", owner="Port IT"),
            client("BA03", site="pier", owner="Port IT"),
        ],
        sessions=[session(name, "SRV1") for name in ("BA01", "BA02", "BA03")],
        plan=[
            action("2025-03-04", "upgrade-server", server="SRV1", value=NEW),
            action("2025-03-10", "upgrade-client", client="BA01", value=NEW),
            action("2025-03-11", "upgrade-client", client="BA02", value=NEW),
            action("2025-03-13", "upgrade-client", client="BA03", value=NEW),
            action("2025-03-11", "set-option", client="BA02", option="SSL", value="Yes"),
            action("2025-03-12", "set-option", client="BA02", option="SSL", value="No"),
            action("2025-03-03", "import-certificate", client="BA01", certificate="SRV1"),
            action("2025-03-04", "import-certificate", client="BA02", certificate="SRV1"),
            action("2025-03-04", "import-certificate", client="BA03", certificate="SRV1"),
        ],
        freezes=[("2025-03-17", "2025-03-18")],
    )
    calendar = built.toml["calendar"]
    assert isinstance(calendar, dict)
    calendar["window"] = [{"site": "quay", "days": ["Mon", "Tue"]}]
    return built


@pytest.fixture
def plan(tmp_path: Path) -> Plan:
    return read_case(rollout(), tmp_path)


def named(plan: Plan, name: str) -> Card:
    return next(card for card in cards(plan) if card.name == name)


def days_of(plan: Plan, **cells: str) -> list[str]:
    return [iso(int(plan.day[row])) for row in plan.where(**cells)]


def judged(plan: Plan, card: Card) -> Consequence:
    return consequences(deadlines(simulate(plan)), [card])[0]


def test_a_server_is_a_card_and_clients_of_one_week_site_and_owner_are_one(plan: Plan) -> None:
    assert [(card.name, card.is_server, len(card.endpoints)) for card in cards(plan)] == [
        ("SRV1", True, 1),
        ("quay, Port IT", False, 2),
        ("BA03", False, 1),
    ]
    assert [iso(week) for week in weeks_of(plan, cards(plan))] == [
        "2025-03-03",
        "2025-03-10",
        "2025-03-10",
    ]


@pytest.mark.parametrize("run", [harbour, first_draft])
def test_every_upgrade_is_on_exactly_one_card(run: object) -> None:
    assert callable(run)
    plan = run().plan
    fleet = plan.fleet
    rows = np.concatenate([rows_of(plan, card) for card in cards(plan)])
    assert sorted(rows.tolist()) == [
        number
        for number, row in enumerate(plan.rows())
        if row.action in UPGRADES
        and fleet.find_endpoint(row.client or row.server) >= 0
        and fleet.start <= row.day < fleet.end
    ]


def test_a_second_upgrade_of_a_client_is_a_card_of_its_own(tmp_path: Path) -> None:
    built = rollout()
    assert built.plan is not None
    built.plan.append(action("2025-03-24", "upgrade-client", client="BA03", value="8.1.27"))
    plan = read_case(built, tmp_path)
    first, second = (card for card in cards(plan) if card.name == "BA03")
    assert (first.turn, second.turn) == (0, 1)
    assert days_of(move(plan, second, day("2025-03-17")), client="BA03", value=NEW) == [
        "2025-03-13"
    ]


def test_a_card_keeps_its_weekdays_and_takes_the_options_of_its_day_along(plan: Plan) -> None:
    moved = move(plan, named(plan, "quay, Port IT"), day("2025-03-24"))

    assert days_of(moved, client="BA01", action="upgrade-client") == ["2025-03-24"]
    assert days_of(moved, client="BA02", action="upgrade-client") == ["2025-03-25"]
    assert days_of(moved, client="BA02", option="SSL") == ["2025-03-12", "2025-03-25"]
    assert days_of(moved, action="import-certificate") == days_of(plan, action="import-certificate")
    assert days_of(moved, client="BA03") == days_of(plan, client="BA03")


def test_options_for_a_server_on_its_day_move_along_with_it(tmp_path: Path) -> None:
    built = rollout()
    assert built.plan is not None
    option = action(
        "2025-03-04", "set-option", client="BA01", server="SRV1", option="SSL", value="Yes"
    )
    built.plan.append(option)
    plan = read_case(built, tmp_path)
    moved = move(plan, named(plan, "SRV1"), day("2025-03-10"))
    assert days_of(moved, client="BA01", option="SSL") == ["2025-03-11"]


def test_moving_a_card_there_and_back_changes_nothing(plan: Plan) -> None:
    card = named(plan, "quay, Port IT")
    away = move(plan, card, day("2025-03-24"))
    assert [*move(away, card, day("2025-03-10")).rows()] == [*plan.rows()]
    assert [*move(plan, card, day("2025-03-12")).rows()] == [*plan.rows()]


def test_where_its_weekday_is_frozen_a_card_takes_the_nearest_open_day(plan: Plan) -> None:
    moved = move(plan, named(plan, "quay, Port IT"), day("2025-03-17"))
    assert days_of(moved, action="upgrade-client", client="BA01") == ["2025-03-18"]
    assert not judged(moved, named(plan, "quay, Port IT")).is_off_calendar


def test_where_a_week_has_no_open_day_the_card_says_so(tmp_path: Path) -> None:
    built = rollout()
    calendar = built.toml["calendar"]
    assert isinstance(calendar, dict)
    calendar["freeze"] = [{"name": "close", "start": "2025-03-17", "end": "2025-03-19"}]
    plan = read_case(built, tmp_path)
    card = named(plan, "quay, Port IT")
    found = judged(move(plan, card, day("2025-03-17")), card)
    assert found.is_off_calendar
    assert found.reasons == (
        "2025-03-17 lies in the freeze close",
        "2025-03-18 lies in the freeze close",
    )


def test_a_day_outside_the_window_is_told(tmp_path: Path) -> None:
    built = rollout()
    assert built.plan is not None
    built.plan[1]["date"] = "2025-03-14"
    plan = read_case(built, tmp_path)
    found = judged(plan, named(plan, "quay, Port IT"))
    assert found.reasons == ("2025-03-14 is outside the window of quay",)


def test_a_week_at_the_edge_of_the_horizon_is_cut_and_one_outside_is_refused(plan: Plan) -> None:
    card = named(plan, "BA03")
    assert days_of(move(plan, card, day("2025-03-24")), client="BA03", value=NEW) == ["2025-03-27"]
    for outside in ("2025-02-24", "2025-03-31"):
        with pytest.raises(ValueError, match="outside the horizon"):
            move(plan, card, day(outside))


def test_a_client_moved_before_its_import_is_refused_and_its_card_says_why(plan: Plan) -> None:
    card = named(plan, "quay, Port IT")
    assert judged(plan, card) == Consequence()
    early = move(plan, card, day("2025-03-03"))

    assert judged(early, card) == Consequence(
        not_safe=2, reasons=("imports not safe: 1 tight, 1 same-day",)
    )
    late = early.moved(early.where(action="import-certificate"), day("2025-03-06"))
    found = judged(late, card)
    assert (found.refused, found.not_safe) == (2, 2)
    assert found.reasons == (
        "2 refused: untrusted (ANS1592E), from 2025-03-04, for example BA01 -> SRV1 as BA01",
        "imports not safe: 2 late",
    )


def test_the_example_of_a_card_is_the_session_refused_first(plan: Plan) -> None:
    bare = plan.without(plan.where(action="import-certificate"))
    later = bare.moved(bare.where(client="BA01", action="upgrade-client"), day("2025-03-12"))
    (reason, *_) = judged(later, named(later, "quay, Port IT")).reasons
    assert "from 2025-03-11, for example BA02 -> SRV1 as BA02" in reason


def test_the_card_that_came_last_is_the_cause(plan: Plan) -> None:
    bare = plan.without(plan.where(action="import-certificate"))
    deck = cards(plan)
    clients_last = consequences(deadlines(simulate(bare)), deck)
    assert [found.refused for found in clients_last] == [0, 2, 1]
    later = move(bare, deck[0], day("2025-03-24"))
    server_last = consequences(deadlines(simulate(later)), deck)
    # BA02 is refused once before: on the day on which its own upgrade brings SSL.
    assert [found.refused for found in server_last] == [3, 1, 0]


def test_what_no_card_came_before_is_laid_to_none(plan: Plan) -> None:
    bare = plan.without(plan.where(action="import-certificate"))
    found = deadlines(simulate(bare))
    assert consequences(found, []) == ()
    only_server = consequences(found, cards(plan)[:1])
    assert only_server[0].refused == 3  # without the clients' cards it came last


def test_all_refused_sessions_of_the_first_draft_are_on_cards_or_refused_before_any() -> None:
    run = first_draft()
    deck = cards(run.plan)
    timeline = run.timeline
    refused = np.unique(timeline.session()[timeline.mode() == Mode.REFUSED])
    found = consequences(run.deadlines, deck)
    counted = sum(one.refused for one in found)
    assert 0 < counted <= len(refused)
    unsafe = [v for v in Verdict if v not in (Verdict.OK, Verdict.IN_PLACE)]
    assert sum(one.not_safe for one in found) == sum(map(run.deadlines.count, unsafe))


def test_realigning_dates_bad_imports_anew_and_leaves_good_ones(plan: Plan) -> None:
    card = named(plan, "quay, Port IT")
    assert [*realigned(plan).rows()][:3] == [*plan.rows()][:3]
    later = move(plan, named(plan, "SRV1"), day("2025-03-17"))
    early = later.moved(later.where(action="import-certificate", client="BA03"), day("2025-03-17"))
    again = deadlines(simulate(realigned(early)))

    assert again.count(Verdict.OK) == 3
    assert days_of(again.timeline.plan, action="import-certificate", client="BA01") == [
        "2025-03-03"
    ]
    assert days_of(again.timeline.plan, action="import-certificate", client="BA03") == [
        "2025-03-11"
    ]
    assert judged(again.timeline.plan, card) == Consequence()


def test_realigning_the_first_draft_leaves_no_session_refused_for_want_of_trust() -> None:
    found = deadlines(simulate(realigned(first_draft().plan)))
    assert found.count(Verdict.OK) + found.count(Verdict.IN_PLACE) == len(found)


def test_upgrades_of_what_no_file_knows_are_on_no_card(tmp_path: Path) -> None:
    built = rollout()
    assert built.plan is not None
    built.plan.append(action("2025-03-05", "upgrade-server", server="nowhere", value=NEW))
    built.plan.append(action("2025-03-05", "upgrade-client", client="nobody", value=NEW))
    plan = read_case(built, tmp_path)
    rows = np.concatenate([rows_of(plan, card) for card in cards(plan)])
    assert len(rows) == 4


def test_clients_without_site_and_owner_are_called_clients(tmp_path: Path) -> None:
    built = case(
        servers=[server("SRV1")],
        clients=[client("BA01"), client("BA02")],
        sessions=[session("BA01", "SRV1")],
        plan=[
            action("2025-03-10", "upgrade-client", client=name, value=NEW)
            for name in ("BA01", "BA02")
        ],
    )
    assert [card.name for card in cards(read_case(built, tmp_path))] == ["clients"]


def test_many_upgrades_of_one_client_take_turns_by_day(tmp_path: Path) -> None:
    built = case(
        servers=[server("SRV1")],
        clients=[client("BA01", site="quay"), client("BA02", site="pier")],
        sessions=[session("BA01", "SRV1")],
        plan=[
            action(f"2025-03-{number:02}", "upgrade-client", client=name, value=NEW)
            for number in range(3, 31)
            for name in ("BA02", "BA01")
        ],
    )
    plan = read_case(built, tmp_path)
    deck = [card for card in cards(plan) if card.endpoints == (1,)]
    days = {card.turn: iso(int(plan.day[rows_of(plan, card)][0])) for card in deck}
    assert days == {turn: f"2025-03-{turn + 3:02}" for turn in range(28)}


def test_a_session_that_is_refused_from_the_first_day_hides_no_later_one(tmp_path: Path) -> None:
    built = rollout()
    built.clients.insert(0, client("AA00", NEW))
    built.servers.append(server("SRV2", NEW))
    built.sessions.insert(0, session("AA00", "SRV2"))
    plan = read_case(built, tmp_path)
    bare = plan.without(plan.where(action="import-certificate"))
    found = consequences(deadlines(simulate(bare)), cards(plan))
    assert [one.refused for one in found] == [0, 2, 1]
