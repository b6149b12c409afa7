"""Use cases of sessions, by examples; data/eight-cases and the oracle cover the rest."""

import pytest

from planner.engine.timeline import simulate
from planner.engine.use_cases import use_cases
from tests.builders import action, case, client, server, session
from tests.comparison import plan_of_case
from tests.oracle import Row

NEW, OLD = "8.1.13", "8.1.1"
CLIENT = action("2025-03-10", "upgrade-client", client="db1", value=NEW)
SERVER_FIRST = action("2025-03-05", "upgrade-server", server="alpha", value=NEW)
SERVER_LATER = action("2025-03-20", "upgrade-server", server="alpha", value=NEW)
INSTALL = action("2025-03-10", "install-client", client="db1", value=NEW)


@pytest.mark.parametrize(
    ("level", "ssl", "plan", "expected"),
    [
        (OLD, "No", [SERVER_FIRST, CLIENT], 1),
        (OLD, "Yes", [SERVER_FIRST, CLIENT], 2),
        (OLD, "No", [CLIENT, SERVER_LATER], 3),
        (OLD, "Yes", [CLIENT, SERVER_LATER], 4),
        (OLD, "No", [CLIENT], 3),
        ("", "No", [SERVER_FIRST, INSTALL], 6),
        ("", "Yes", [INSTALL, SERVER_LATER], 7),
        ("", "No", [INSTALL, SERVER_LATER], 8),
        (NEW, "No", [SERVER_LATER], 3),
        (OLD, "No", [SERVER_LATER], 0),
    ],
)
def test_the_order_of_upgrades_and_ssl_decide_the_use_case(
    level: str, ssl: str, plan: list[Row], expected: int
) -> None:
    fleet_case = case(
        servers=[server("alpha", level=OLD)],
        clients=[client("db1", level=level)],
        sessions=[session("db1", "alpha", ssl=ssl)],
        plan=plan,
    )
    assert use_cases(simulate(plan_of_case(fleet_case))).tolist() == [expected]


def test_two_servers_that_become_new_on_different_days_make_use_case_5() -> None:
    fleet_case = case(
        servers=[server("alpha", level=OLD), server("beta", level=OLD)],
        clients=[client("db1", level=OLD)],
        sessions=[session("db1", "alpha"), session("db1", "beta")],
        plan=[CLIENT, SERVER_LATER],
    )
    assert use_cases(simulate(plan_of_case(fleet_case))).tolist() == [5, 5]
