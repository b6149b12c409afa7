"""The fleet: read-only columns, names in any letter case, the draft and the graph."""

import numpy as np
import pytest

from planner.domain.columns import check_columns
from planner.domain.fleet import (
    AccountKind,
    ClientKind,
    Fleet,
    LabelledEnum,
    Origin,
    SessionKind,
)
from planner.domain.plan import Action
from tests.builders import account, case, client, server, session, trust
from tests.comparison import plan_of_case


@pytest.fixture
def fleet() -> Fleet:
    return plan_of_case(
        case(
            servers=[
                server("Alpha", level="8.1.1", target_level="8.1.13", upgrade="2025-03-12"),
                server("db1", level="8.1.13"),
                server("Beta", level="7.1.8"),
            ],
            clients=[
                client("DB1", level="7.1.6", target_level="8.1.13", upgrade="2025-03-11"),
                client("fresh", level="", target_level="8.1.13", upgrade="2025-03-10"),
                client("ghost", level="", site="Kiel"),
            ],
            accounts=[account("Alpha", "shared", session_security="Strict")],
            sessions=[
                session("db1", "alpha", account="SHARED"),
                session("fresh", "Alpha", key_database="api", weight="2.5"),
                session("Beta", "Alpha", kind="server"),
                session("ghost", "db1"),
            ],
            trust=[trust("fresh", "alpha", key_database="API")],
        )
    ).fleet


def test_a_name_in_both_files_is_the_client_of_clients_csv(fleet: Fleet) -> None:
    assert fleet.find_endpoint("db1") == fleet.clients.name.find("DB1")
    assert fleet.endpoint_name(fleet.find_endpoint("BETA")) == "Beta"
    assert fleet.find_endpoint("gamma") == -1


def test_an_account_that_no_row_describes_gets_the_defaults(fleet: Fleet) -> None:
    assert fleet.accounts.name == ("shared", "fresh", "Beta", "ghost")
    assert fleet.accounts.strict.tolist() == [True, False, False, False]


def test_key_databases_of_one_endpoint_stand_side_by_side(fleet: Fleet) -> None:
    assert np.all(np.diff(fleet.key_databases.endpoint) >= 0)
    assert fleet.trust.key_database[0] == fleet.sessions.key_database[1]


def test_sessions_of_a_key_database_are_found_by_it(fleet: Fleet) -> None:
    database = int(fleet.sessions.key_database[2])
    assert fleet.sessions_of_key_database.of(database).tolist() == [2]


def test_the_draft_has_the_upgrade_columns_as_actions(fleet: Fleet) -> None:
    rows = list(fleet.draft_plan().rows())
    assert [(row.action, row.client or row.server, row.value) for row in rows] == [
        (Action.INSTALL_CLIENT, "fresh", "8.1.13"),
        (Action.UPGRADE_CLIENT, "DB1", "8.1.13"),
        (Action.UPGRADE_SERVER, "Alpha", "8.1.13"),
    ]
    assert [(row.file, row.line) for row in rows] == [
        ("clients.csv", 3),
        ("clients.csv", 2),
        ("servers.csv", 2),
    ]


def test_a_client_of_the_first_known_level_is_upgraded_and_not_installed() -> None:
    first = case(
        servers=[server("Alpha", level="8.1.1")],
        clients=[client("db1", level="8.1.1", target_level="8.1.13", upgrade="2025-03-11")],
        sessions=[],
    )
    fleet = plan_of_case(first).fleet
    assert fleet.clients.level.tolist() == [0]
    assert [row.action for row in fleet.draft_plan().rows()] == [Action.UPGRADE_CLIENT]


def test_the_graph_has_an_edge_for_each_session(fleet: Fleet) -> None:
    graph = fleet.graph()
    assert graph.number_of_edges() == len(fleet.sessions)
    assert graph.nodes["db1 (server)"]["kind"] == "server"
    assert (graph.nodes["ghost"]["level"], graph.nodes["ghost"]["site"]) == ("", "Kiel")
    assert graph.nodes["DB1"]["level"] == "7.1.6"
    assert graph.edges["fresh", "Alpha", 1] == {
        "session": 1,
        "account": "fresh",
        "key_database": "api",
        "weight": 2.5,
    }


def test_a_session_in_words_names_its_key_database_unless_it_is_the_default(fleet: Fleet) -> None:
    assert fleet.session_text(0) == "DB1 -> Alpha as shared"
    assert fleet.session_text(1) == "fresh -> Alpha as fresh (key database api)"


def test_sites_and_levels_are_those_of_the_endpoint(fleet: Fleet) -> None:
    assert str(fleet.endpoint_level(0)) == "7.1.6"
    assert fleet.endpoint_level(2) is None
    assert fleet.is_server(fleet.find_endpoint("beta"))
    assert fleet.endpoint_site(0) == ""
    assert fleet.endpoint_site(fleet.find_endpoint("Beta")) == ""


@pytest.mark.parametrize("kinds", [SessionKind, ClientKind, AccountKind])
def test_the_code_of_a_kind_is_its_place_in_the_list(kinds: type[LabelledEnum]) -> None:
    assert [kind.value for kind in kinds] == list(range(len(kinds)))


def test_a_column_that_is_too_short_is_refused(fleet: Fleet) -> None:
    with pytest.raises(ValueError, match=r"Clients\.name: 3 rows; expected 4"):
        check_columns(fleet.clients, 4)


def test_columns_cannot_be_written_to(fleet: Fleet) -> None:
    with pytest.raises(ValueError, match="read-only"):
        fleet.sessions.client[0] = 1


def test_a_fleet_that_comes_from_nowhere_has_no_further_columns() -> None:
    assert (dict(Origin().extra_columns), dict(Origin().certificate_files)) == ({}, {})


def test_a_fleet_says_its_key_numbers(fleet: Fleet) -> None:
    assert repr(fleet) == (
        "Fleet('test fleet', 2025-03-03..2025-03-31, 3 servers, 3 clients, 4 sessions)"
    )
