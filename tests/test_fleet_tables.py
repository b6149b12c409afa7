from __future__ import annotations

from pathlib import Path

import pytest

from planner.domain.calendar import ALWAYS, NEVER, iso
from planner.domain.errors import InventoryError
from planner.domain.fleet import AccountKind, ClientKind, Fleet, SessionKind
from planner.domain.options import OPTIONS
from planner.inventory.fleet_folder import read_fleet
from tests.builders import (
    account,
    action,
    case,
    certificate,
    client,
    server,
    session,
    trust,
    write_case,
)
from tests.oracle import Row


def read(tmp_path: Path, **tables: list[Row]) -> Fleet:
    given: dict[str, list[Row]] = {
        "servers": [server("srv1"), server("srv2")],
        "clients": [client("db1"), client("db2")],
        "sessions": [session("db1", "srv1")],
    }
    given.update(tables)
    # Each is one of the tables that `case` takes.
    write_case(case(**given, plan=None), tmp_path)  # type: ignore[arg-type]
    return read_fleet(tmp_path)


def faults_of(tmp_path: Path, **tables: list[Row]) -> list[str]:
    with pytest.raises(InventoryError) as caught:
        read(tmp_path, **tables)
    return [str(fault) for fault in caught.value.faults]


def test_blank_cells_have_their_defaults(tmp_path: Path) -> None:
    fleet = read(
        tmp_path,
        servers=[{"server": "srv1", "level": ""}],
        clients=[{"client": "db1", "level": ""}],
        accounts=[{"server": "srv1", "account": "extra"}],
        sessions=[{"client": "db1", "server": "srv1"}],
        trust=[{"client": "db1", "certificate": "srv1"}],
    )
    servers, clients, sessions = fleet.servers, fleet.clients, fleet.sessions
    assert (servers.level[0], servers.target_level[0], servers.upgrade[0]) == (-1, -1, NEVER)
    assert not servers.ldap[0]
    assert not servers.tls12[0]
    assert (servers.tcpport[0], servers.ssltcpport[0]) == (0, 0)
    assert fleet.certificates.name[servers.certificate[0]] == "srv1"
    assert (clients.level[0], clients.kind[0]) == (-1, ClientKind.BACKUP)
    assert fleet.accounts.name == ("extra", "db1")
    assert fleet.accounts.kind.tolist() == [AccountKind.NODE, AccountKind.NODE]
    assert not fleet.accounts.strict.any()
    assert (sessions.kind[0], sessions.options[0], sessions.weight[0]) == (0, 0, 1)
    assert (sessions.port[0], sessions.replsslport[0], sessions.encrypt_data[0]) == (0, 0, False)
    assert fleet.key_databases.name == ("default",)
    assert fleet.trust.since[0] == ALWAYS
    assert fleet.levels == ()


def test_given_cells_are_read_in_any_spelling(tmp_path: Path) -> None:
    fleet = read(
        tmp_path,
        servers=[
            server("Srv1", "8.1.1", authentication="ldap", tls12="y", tcpport="1500",
                   ssltcpport="1543", certificate="x", address="a.example", site="Quay",
                   target_level="8.1.27", upgrade="2025-03-05", note="=1"),
        ],
        clients=[client("db1", "7.1.6.2", kind="Storage_Agent", owner="Port IT")],
        accounts=[account("SRV1", "DB1", kind="ADMIN", authentication="LOCAL",
                          session_security="strict", sslrequired="server")],
        sessions=[session("DB1", "srv1", kind="Storage Agent", ssl="YES", sslrequired="Server",
                          sslacceptcertfromserv="y", sslfipsmode="Yes", ssldisablelegacytls="yes",
                          lanfreessl="Y", replsslport="1555", tcpport="1543",
                          commmethod="NamedPipes", key_database="API", weight="2.5",
                          encrypt_data="yes")],
        trust=[trust("db1", "X", key_database="api", since="2025-03-10")],
    )  # fmt: skip
    servers, accounts, sessions = fleet.servers, fleet.accounts, fleet.sessions
    assert servers.ldap[0]
    assert servers.tls12[0]
    assert (servers.tcpport[0], servers.ssltcpport[0]) == (1500, 1543)
    assert (servers.address[0], servers.site[0], servers.note[0]) == ("a.example", "Quay", "=1")
    assert iso(int(servers.upgrade[0])) == "2025-03-05"
    assert str(fleet.levels[servers.target_level[0]]) == "8.1.27"
    assert str(fleet.endpoint_level(0)) == "7.1.6.2"
    assert fleet.clients.kind[0] == ClientKind.STORAGE_AGENT
    assert fleet.clients.owner == ("Port IT",)
    assert (accounts.kind[0], accounts.authentication[0], accounts.sslrequired[0]) == (1, 1, 3)
    assert accounts.strict[0]
    assert len(accounts) == 1
    assert sessions.kind[0] == SessionKind.STORAGE_AGENT
    codes = {
        option.name: (int(sessions.options[0]) & option.mask) >> option.shift
        for option in OPTIONS
        if option.choices
    }
    assert codes == {
        "SSL": 1,
        "SSLREQUIRED": 3,
        "SSLACCEPTCERTFROMSERV": 1,
        "SSLDISABLELEGACYTLS": 1,
        "SSLFIPSMODE": 1,
        "LANFREESSL": 1,
        "COMMMETHOD": 3,
    }
    assert (sessions.port[0], sessions.replsslport[0], sessions.weight[0]) == (1543, 1555, 2.5)
    assert sessions.encrypt_data[0]
    assert fleet.key_databases.name == ("API",)
    assert fleet.certificates.name[fleet.trust.certificate[0]] == "x"
    assert iso(int(fleet.trust.since[0])) == "2025-03-10"


def test_names_show_the_spelling_of_the_file_that_defines_them(tmp_path: Path) -> None:
    fleet = read(
        tmp_path,
        servers=[server("Srv1")],
        clients=[client("Db1")],
        sessions=[session("DB1", "SRV1"), session("db1", "srv1", key_database="api")],
    )
    assert fleet.session_text(0) == "Db1 -> Srv1 as Db1"
    assert fleet.sessions.account.tolist() == [0, 0]
    assert fleet.account_names[:] == ("Db1",)


def test_a_name_of_both_files_is_the_client(tmp_path: Path) -> None:
    fleet = read(
        tmp_path,
        servers=[server("srv1"), server("srv2", "8.1.27")],
        clients=[client("db1"), client("SRV2", "7.1.7")],
        sessions=[session("srv2", "srv1"), session("srv1", "srv2")],
    )
    # Endpoints count the clients first.
    assert fleet.sessions.client.tolist() == [1, 2]
    assert str(fleet.endpoint_level(1)) == "7.1.7"
    assert fleet.is_server(2)


@pytest.mark.parametrize(
    ("kind", "account_kind"),
    [
        ("", 0),
        ("vm", 0),
        ("failover", 0),
        ("admin", 1),
        ("server", 2),
        ("library", 2),
        ("storage-agent", 2),
    ],
)
def test_an_account_without_a_row_has_the_kind_of_its_session(
    tmp_path: Path, kind: str, account_kind: int
) -> None:
    fleet = read(tmp_path, sessions=[session("db1", "srv1", kind=kind, account="a")])
    assert fleet.accounts.name == ("a",)
    assert fleet.accounts.kind.tolist() == [account_kind]
    assert fleet.accounts.line.tolist() == [0]


def test_key_databases_of_one_endpoint_stand_side_by_side(tmp_path: Path) -> None:
    fleet = read(
        tmp_path,
        sessions=[
            session("db2", "srv1", key_database="api"),
            session("db1", "srv1", key_database="API"),
            session("db2", "srv2"),
        ],
        trust=[trust("db1", "srv1", key_database="user")],
    )
    assert fleet.key_databases.endpoint.tolist() == [0, 0, 1, 1]
    assert fleet.key_databases.name == ("API", "user", "api", "default")
    assert fleet.key_databases.name_number.tolist() == [0, 2, 0, 1]
    assert fleet.key_database_names[:] == ("api", "default", "user")
    assert fleet.sessions.key_database.tolist() == [2, 0, 3]
    assert fleet.trust.key_database.tolist() == [1]


@pytest.mark.parametrize(
    ("tables", "fault"),
    [
        (
            {"servers": [server("srv1"), server("SRV1")]},
            "servers.csv:3: server 'SRV1' stands in line 2 already; remove one of the two, or "
            "rename it",
        ),
        (
            {"clients": [client("db1"), client("db2"), client("Db1")]},
            "clients.csv:4: client 'Db1' stands in line 2 already; remove one of the two, or "
            "rename it",
        ),
        ({"servers": [server("srv1"), server("")]}, "servers.csv:3: server is empty; fill it in"),
        (
            {"clients": [client("db1", "8.1.x")]},
            "clients.csv:2: level '8.1.x' is not a product level; write it as 8.1.13 or 8.1.13.2",
        ),
        (
            {"clients": [client("db1", kind="backpu")]},
            "clients.csv:2: kind 'backpu' is not known; did you mean 'backup'? use one of backup, "
            "api, admin, vm, storage-agent, operations-center, server",
        ),
        (
            {"clients": [client("db1", upgrade="2025-03-10")]},
            "clients.csv:2: upgrade '2025-03-10' is given without a target_level; give the level "
            "after the upgrade",
        ),
        (
            {"clients": [client("db1", target_level="8.1.27", upgrade="2025-03-32")]},
            "clients.csv:2: upgrade '2025-03-32' is not a date; write it as 2027-01-31",
        ),
        (
            {"servers": [server("srv1", tcpport="99999")]},
            "servers.csv:2: tcpport '99999' is not a port; write a number from 1 to 65535",
        ),
        (
            {"servers": [server("srv1", authentication="LDPA")]},
            "servers.csv:2: authentication 'LDPA' is not known; did you mean 'LDAP'? use one of "
            "Local, LDAP",
        ),
        (
            {"servers": [server("srv1", tls12="maybe")]},
            "servers.csv:2: tls12 'maybe' is not known; use one of Yes, No",
        ),
        (
            {"accounts": [account("srv3", "a")]},
            "accounts.csv:2: server 'srv3' is not in servers.csv; did you mean 'srv2'?",
        ),
        ({"accounts": [account("srv1", "")]}, "accounts.csv:2: account is empty; fill it in"),
        (
            {"accounts": [account("srv1", "a"), account("SRV1", "A", kind="admin")]},
            "accounts.csv:3: account 'A' of server 'SRV1' stands in line 2 already; keep one: a "
            "node and an administrator of one name are one account",
        ),
        (
            {"accounts": [account("srv1", "a", session_security="hard")]},
            "accounts.csv:2: session_security 'hard' is not known; use one of Transitional, Strict",
        ),
        (
            {"sessions": [session("db3", "srv1")]},
            "sessions.csv:2: client 'db3' is neither in clients.csv nor in servers.csv; did you "
            "mean 'db2'?",
        ),
        ({"sessions": [session("", "srv1")]}, "sessions.csv:2: client is empty; fill it in"),
        ({"sessions": [session("db1", "")]}, "sessions.csv:2: server is empty; fill it in"),
        (
            {"sessions": [session("db1", "elsewhere")]},
            "sessions.csv:2: server 'elsewhere' is not in servers.csv; add it there, or correct "
            "the name",
        ),
        (
            {
                "sessions": [
                    session("db1", "srv1"),
                    session("DB1", "SRV1", account="db1", key_database="Default"),
                ]
            },
            "sessions.csv:3: client 'DB1', server 'SRV1', account 'db1' and key database "
            "'Default' stand in line 2 already; keep one row for each session",
        ),
        (
            {"sessions": [session("db1", "srv1", kind="libraryy")]},
            "sessions.csv:2: kind 'libraryy' is not known; did you mean 'library'? use one of "
            "backup, api, admin, vm, failover, storage-agent, server, library",
        ),
        (
            {"sessions": [session("db1", "srv1", sslrequired="S")]},
            "sessions.csv:2: sslrequired 'S' is not known; use one of Default, Yes, No, ServerOnly",
        ),
        (
            {"sessions": [session("db1", "srv1", weight="-1")]},
            "sessions.csv:2: weight '-1' is not a weight; write a number from 0 to 1000000, such "
            "as 2.5",
        ),
        (
            {"sessions": [session("db1", "srv1", tcpport="2147483648")]},
            "sessions.csv:2: tcpport '2147483648' is not a port; write a number from 1 to 65535",
        ),
        (
            {"trust": [trust("db9", "x")]},
            "trust.csv:2: client 'db9' is neither in clients.csv nor in servers.csv; did you mean "
            "'db2'?",
        ),
        ({"trust": [trust("db1", "")]}, "trust.csv:2: certificate is empty; fill it in"),
        (
            {"trust": [trust("db1", "x", since="0000-01-01")]},
            "trust.csv:2: since '0000-01-01' is not a date; write it as 2027-01-31",
        ),
        (
            {"certificates": [certificate("x", server="srv0")]},
            "certificates.csv:2: server 'srv0' is not in servers.csv; did you mean 'srv2'?",
        ),
    ],
)
def test_a_fault_names_its_file_its_line_its_value_and_its_cure(
    tmp_path: Path, tables: dict[str, list[Row]], fault: str
) -> None:
    assert fault in faults_of(tmp_path, **tables)


def test_one_fault_does_not_bring_about_others(tmp_path: Path) -> None:
    faults = faults_of(
        tmp_path,
        sessions=[
            session("x", "srv1"),
            session("y", "srv1"),
            session("", "", kind="vm"),
            session("", "", kind="vm"),
        ],
        trust=[trust("x", "c"), trust("x", "c"), trust("db1", ""), trust("db1", "")],
        accounts=[account("x", "a"), account("x", "a"), account("srv1", ""), account("srv1", "")],
    )
    assert not [fault for fault in faults if "already" in fault]
    assert len(faults) == 2 + 4 + 4 + 4


def test_trust_that_is_said_twice_is_held_once_and_no_fault(tmp_path: Path) -> None:
    rows = [trust("db1", "x"), trust("DB1", "X", key_database="default")]
    fleet = read(tmp_path, trust=rows)
    assert len(set(fleet.trust.key_database.tolist())) == 1
    assert len(set(fleet.trust.certificate.tolist())) == 1


def test_trust_of_two_dates_is_no_duplicate(tmp_path: Path) -> None:
    rows = [trust("db1", "x", since="2025-03-10"), trust("db1", "x", since="2025-03-20")]
    assert len(read(tmp_path, trust=rows).trust) == 2


def test_a_server_presents_a_certificate_of_its_own_name_where_none_is_given(
    tmp_path: Path,
) -> None:
    fleet = read(tmp_path, certificates=[certificate("SRV1", kind="root")])
    assert fleet.certificates.name == ("SRV1", "srv2")
    assert fleet.servers.certificate.tolist() == [0, 1]


def test_a_hundred_thousand_sessions_are_read(tmp_path: Path) -> None:
    n = 100_000
    read(tmp_path)
    lines = (f"db{1 + row % 2},srv{1 + row // 2 % 2},a{row // 4}" for row in range(n))
    (tmp_path / "sessions.csv").write_text("client,server,account\n" + "\n".join(lines))
    fleet = read_fleet(tmp_path)
    assert len(fleet.sessions) == n
    assert len(fleet.accounts) == n // 2


def test_action_rows_of_a_plan_do_not_matter_to_the_fleet(tmp_path: Path) -> None:
    write_case(
        case(
            servers=[server("srv1")],
            clients=[client("db1")],
            sessions=[session("db1", "srv1")],
            plan=[action("never", "nothing")],
        ),
        tmp_path,
    )
    assert len(read_fleet(tmp_path).sessions) == 1
