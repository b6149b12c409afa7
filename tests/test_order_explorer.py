"""The explorer of rollout orders without a browser."""

from collections.abc import Iterator
from pathlib import Path

import pytest

import planner
from planner.domain.plan import Plan
from planner.engine.measures import measures
from planner.ordering.strategies import STRATEGIES
from planner.widgets import OrderExplorer
from planner.widgets.order_explorer import BEFORE, GIVEN, SEARCH
from tests.builders import case, certificate, client, server, session, write_case

NEW = "8.1.27"


def drafted(folder: Path, *, end: str) -> Plan:
    """Return the completed plan of a small fleet whose drafted dates are far from the best."""
    names = [f"C{number}" for number in range(6)]
    day = "2025-03-{:02}".format
    built = case(
        servers=[
            server(name, "8.1.0", certificate=f"cert-{name}", target_level=NEW, upgrade=day(18))
            for name in ("S1", "S2")
        ],
        clients=[
            client(name, site="quay", target_level=NEW, upgrade=day(19 + number))
            for number, name in enumerate(names)
        ],
        sessions=[
            session(name, f"S{1 + number % 2}", weight=f"{1 + number}")
            for number, name in enumerate(names)
        ],
        certificates=[
            certificate(f"cert-{name}", kind="self-signed", server=name) for name in ("S1", "S2")
        ],
        plan=None,
        end=end,
        capacity={"clients_per_week": 2},
    )
    write_case(built, folder)
    return planner.complete(planner.read_fleet(folder).draft_plan())


@pytest.fixture(scope="module")
def plan(tmp_path_factory: pytest.TempPathFactory) -> Plan:
    return drafted(tmp_path_factory.mktemp("fleet"), end="2025-06-30")


@pytest.fixture
def explorer(plan: Plan, tmp_path: Path) -> Iterator[OrderExplorer]:
    explorer = OrderExplorer(plan, path=tmp_path / "schedule.csv")
    explorer.seconds.value = 2
    yield explorer
    explorer.cancel()
    explorer.wait()


def made(explorer: OrderExplorer, strategy: str) -> OrderExplorer:
    explorer.strategy.value = strategy
    explorer.buttons["Make the order"].click()
    explorer.wait()
    return explorer


def enabled(explorer: OrderExplorer) -> set[str]:
    return {name for name, button in explorer.buttons.items() if not button.disabled}


def test_it_opens_on_the_given_plan(explorer: OrderExplorer, plan: Plan) -> None:
    assert explorer.value is plan
    assert explorer.clients_per_week.value == 2
    assert explorer.strategy.options == (*STRATEGIES, SEARCH)
    assert repr(explorer).startswith(f"OrderExplorer({GIVEN}: exposure ")
    assert enabled(explorer) == {"Make the order", "Save"}


def test_an_order_is_shown_beside_the_given_plan(explorer: OrderExplorer, plan: Plan) -> None:
    made(explorer, "server-first")
    limited = planner.order(plan.fleet, strategy="server-first", initial=plan)
    assert explorer.value.to_frame().equals(limited.best.to_frame())
    assert measures(explorer.order.deadlines).exposure == limited.measures.exposure
    assert explorer.comparison.measures_a.exposure != limited.measures.exposure
    view = explorer.panel.view
    assert view.headline.startswith("server-first, 2 a week: exposure ")
    assert view.table["title"].startswith(f"Against {GIVEN}: 0 sessions newly refused")
    assert len(view.table["rows"]) == len(explorer.comparison.moves) + len(
        explorer.comparison.slacks
    )
    assert GIVEN in view.words
    assert "server-first" in view.words
    assert enabled(explorer) == {"Make the order", "Undo", "Reset", "Save"}


def test_the_search_is_at_least_as_good_and_says_how_good(explorer: OrderExplorer) -> None:
    by_weight = measures(made(explorer, "by-weight").order.deadlines).exposure
    made(explorer, SEARCH)
    assert measures(explorer.order.deadlines).exposure <= by_weight
    assert "% above the best" in explorer.summary
    explorer.against.value = BEFORE
    assert explorer.comparison.measures_a.exposure == by_weight
    assert explorer.panel.view.table["title"].startswith("Against by-weight, 2 a week")


def test_undo_redo_and_reset_go_through_the_orders(explorer: OrderExplorer, plan: Plan) -> None:
    made(explorer, "server-first")
    first = explorer.value
    made(explorer, "client-first")
    second = explorer.value
    for step, expected in (
        ("Undo", first),
        ("Undo", plan),
        ("Redo", first),
        ("Redo", second),
        ("Reset", plan),
        ("Undo", second),
    ):
        explorer.buttons[step].click()
        assert explorer.value is expected
    explorer.undo()
    made(explorer, "by-site")
    assert "Redo" not in enabled(explorer)


def test_limits_that_are_tried_change_the_order_and_not_the_fleet(
    explorer: OrderExplorer, plan: Plan
) -> None:
    explorer.clients_per_week.value = 0
    made(explorer, "server-first")
    assert explorer.order.name == "server-first, any number a week"
    assert explorer.value.fleet is plan.fleet
    finish = measures(explorer.order.deadlines).finish
    explorer.clients_per_week.value = 1
    made(explorer, "server-first")
    assert measures(explorer.order.deadlines).finish >= finish + 5 * 7 - 6


def test_an_order_that_cannot_be_is_explained_and_the_last_one_stays(tmp_path: Path) -> None:
    plan = drafted(tmp_path / "fleet", end="2025-03-31")
    explorer = OrderExplorer(plan)
    explorer.clients_per_week.value = 1
    made(explorer, "by-weight")
    assert explorer.value is plan
    assert explorer.panel.view.headline.startswith("no order by-weight: ")
    assert "week" in explorer.panel.view.headline
    assert enabled(explorer) == {"Make the order"}
    explorer.clients_per_week.value = 2
    assert made(explorer, "by-weight").value is not plan


def test_a_search_is_cancelled_and_gives_the_best_so_far(explorer: OrderExplorer) -> None:
    explorer.seconds.value = 600
    explorer.strategy.value = SEARCH
    explorer.make()
    assert explorer.buttons["Make the order"].disabled
    explorer.make()  # one at a time
    explorer.buttons["Cancel"].click()
    explorer.wait()
    assert explorer.order.name.startswith("optimised")
    assert not explorer.is_searching


def test_the_plan_is_saved_and_downloaded_and_reads_back(
    explorer: OrderExplorer, plan: Plan, tmp_path: Path
) -> None:
    made(explorer, "by-weight")
    explorer.buttons["Save"].click()
    again = planner.read_plan(tmp_path / "schedule.csv", plan.fleet)
    assert again.to_frame().equals(explorer.value.to_frame())
    assert (tmp_path / "schedule.csv").read_bytes() == explorer.download.value
    assert explorer.panel.view.headline.startswith("saved as schedule.csv. by-weight")
