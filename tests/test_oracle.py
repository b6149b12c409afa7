"""Check the checker: short fleets with results worked out by hand from the semantics."""

from __future__ import annotations

import csv
import random
import tomllib
from collections import Counter
from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings

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
from tests.oracle import MODES, Answer, Case, Fleet, Row, is_new, latest_safe, read_level, solve
from tests.strategies import cases, random_case


def history(answer: Answer, client: str = "") -> list[str]:
    """Return the segments of the sessions (of one client) as 'MM-DD mode reason tls'."""
    return [
        " ".join(
            part for part in (row["start"][5:], row["mode"], row["reason"], row["tls"]) if part
        )
        for row in answer.states
        if client in ("", row["client"])
    ]


def only(rows: list[Row]) -> Row:
    """Return the one row that there is."""
    (row,) = rows
    return row


def pair(
    *,
    server_level: str = "8.1.13",
    client_level: str = "8.1.13",
    server_cells: Row | None = None,
    account_cells: Row | None = None,
    certificates: tuple[Row, ...] = (),
    held: tuple[str, ...] = (),
    plan: tuple[Row, ...] = (),
    **session_cells: str,
) -> Case:
    """Build one client BA01 with one session to one server SRV1 that presents SRV1."""
    return case(
        servers=[server("SRV1", server_level, **(server_cells or {}))],
        clients=[client("BA01", client_level)],
        accounts=[account("SRV1", "BA01", **account_cells)] if account_cells else [],
        sessions=[session("BA01", "SRV1", **session_cells)],
        certificates=certificates,
        trust=[trust("BA01", name) for name in held],
        plan=plan,
    )


def import_of(name: str, day: str) -> Row:
    """Build the import of a certificate into BA01's default key database."""
    return action(day, "import-certificate", client="BA01", certificate=name)


SERVER_UP = action("2025-03-10", "upgrade-server", server="SRV1", value="8.1.13")
CLIENT_UP = action("2025-03-17", "upgrade-client", client="BA01", value="8.1.13")


# --- Section 2: values -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("level", "expected"),
    [
        ("6.3.0", False),
        ("7.1.7", False),
        ("7.1.8", True),
        ("7.1.8.1", True),
        ("7.1.10", True),
        ("8.1.0", False),
        ("8.1.1", False),
        ("8.1.1.9", False),
        ("8.1.2", True),
        ("8.1.10", True),
        ("8.2.0", True),
        ("", False),
    ],
)
def test_the_era_is_new_from_7_1_8_below_8_and_from_8_1_2(level: str, expected: bool) -> None:
    assert is_new(read_level(level)) is expected


def test_names_match_without_regard_to_case_and_show_the_defining_spelling() -> None:
    answer = solve(
        case(
            servers=[server("Srv1", "8.1.13", certificate="ROOT-a")],
            clients=[client("Ba01", "8.1.13")],
            accounts=[account("SRV1", "Shared")],
            sessions=[session("BA01", "sRV1", account="SHARED", key_database="Api")],
            certificates=[certificate("Root-A", kind="root")],
            trust=[trust("ba01", "rOOT-A", key_database="API")],
        )
    )
    assert only(answer.states) == {
        "client": "Ba01",
        "server": "Srv1",
        "account": "Shared",
        "key_database": "Api",
        "start": "2025-03-03",
        "end": "2025-03-31",
        "mode": "tls-partial",
        "reason": "",
        "tls": "TLS 1.3",
    }
    assert only(answer.deadlines)["certificate"] == "Root-A"


def test_a_certificate_that_is_not_described_is_spelled_as_servers_csv_spells_it() -> None:
    answer = solve(pair(server_cells={"certificate": "Own-Cert"}, held=("own-cert",)))
    assert only(answer.deadlines)["certificate"] == "Own-Cert"


def test_a_blank_level_is_old_but_not_below_6_3() -> None:
    blank = pair(client_level="", ssl="Yes", held=("SRV1",))
    assert history(solve(blank)) == ["03-03 legacy-ssl TLS 1.2"]
    below = pair(client_level="6.2.5.1", ssl="Yes", held=("SRV1",))
    assert history(solve(below)) == ["03-03 refused tls-level"]
    exactly = pair(client_level="6.3.0", ssl="Yes", held=("SRV1",))
    assert history(solve(exactly)) == ["03-03 legacy-ssl TLS 1.2"]


def test_a_blank_level_is_not_installed_when_the_plan_installs_the_client() -> None:
    install = action("2025-03-10", "install-client", client="ba01", value="8.1.0")
    answer = solve(pair(client_level="", plan=(install,)))
    assert history(answer) == ["03-03 inactive", "03-10 plaintext"]


def test_the_client_of_a_session_may_be_a_server_and_changes_level_with_it() -> None:
    answer = solve(
        case(
            servers=[server("SRV1", "8.1.13"), server("SRV2", "8.1.0")],
            clients=[client("BA01")],
            sessions=[session("SRV2", "SRV1", kind="server")],
            trust=[trust("SRV2", "SRV1", since="2025-03-14")],
            plan=[action("2025-03-17", "upgrade-server", server="SRV2", value="8.1.4")],
        )
    )
    assert history(answer) == ["03-03 plaintext", "03-17 tls-partial TLS 1.2"]
    row = only(answer.deadlines)
    assert (row["planned"], row["tool"], row["use_case"]) == ("2025-03-14", "gsk8capicmd", "1")


def test_a_name_in_both_files_has_the_level_of_clients_csv() -> None:
    answer = solve(
        case(
            servers=[server("SRV1", "8.1.0"), server("SRV2", "8.1.13")],
            clients=[client("SRV1", "8.1.13")],
            sessions=[session("SRV1", "SRV2")],
        )
    )
    assert history(answer) == ["03-03 refused untrusted"]
    assert only(answer.deadlines)["tool"] == "dsmcert"


@pytest.mark.parametrize(
    ("held", "expected"),
    [
        ("root", "03-03 tls-partial TLS 1.3"),
        ("issuing", "03-03 refused wrong-certificate"),
        ("leaf", "03-03 refused wrong-certificate"),
        ("other", "03-03 refused wrong-certificate"),
        ("stranger", "03-03 refused untrusted"),
    ],
)
def test_only_the_anchor_of_the_chain_is_trust(held: str, expected: str) -> None:
    answer = solve(
        pair(
            server_cells={"certificate": "leaf"},
            certificates=(
                certificate("leaf", issuer="issuing"),
                certificate("issuing", kind="intermediate", issuer="root"),  # root: not described
                certificate("other", server="SRV1"),
            ),
            held=(held,),
        )
    )
    assert history(answer) == [expected]
    assert only(answer.deadlines)["certificate"] == "root"


@pytest.mark.parametrize("kind", ["leaf", "intermediate"])
def test_an_incomplete_chain_is_never_trusted_and_never_planned(kind: str) -> None:
    answer = solve(
        pair(
            server_cells={"certificate": "leaf"},
            certificates=(certificate("leaf", kind=kind),),
            plan=(import_of("leaf", "2025-03-05"),),
            sslacceptcertfromserv="Yes",
        )
    )
    assert history(answer) == ["03-03 refused untrusted", "03-05 refused wrong-certificate"]
    row = only(answer.deadlines)
    assert (row["certificate"], row["planned"], row["verdict"]) == ("leaf", "", "missing")
    assert answer.automatic == []


def test_a_certificate_that_the_server_presents_later_is_already_one_of_its_own() -> None:
    replace = action("2025-03-10", "replace-certificate", server="SRV1", value="next")
    answer = solve(pair(held=("next",), plan=(replace,)))
    assert history(answer) == ["03-03 refused wrong-certificate", "03-10 tls-partial TLS 1.3"]


# --- Section 3: actions ----------------------------------------------------------------------


def test_an_action_outside_the_horizon_has_no_effect() -> None:
    answer = solve(
        pair(
            server_level="8.1.0",
            client_level="8.1.0",
            plan=(
                action("2025-03-02", "upgrade-client", client="BA01", value="8.1.13"),
                action("2025-03-31", "upgrade-server", server="SRV1", value="8.1.13"),
            ),
        )
    )
    assert history(answer) == ["03-03 plaintext"]
    assert answer.use_cases == [""]


def test_within_a_day_the_kinds_come_in_order_and_a_later_one_wins() -> None:
    answer = solve(
        pair(
            client_level="",
            server_level="8.1.0",
            plan=(
                action("2025-03-10", "retire-client", client="BA01"),
                action("2025-03-10", "install-client", client="BA01", value="8.1.0"),
                action("2025-03-12", "install-client", client="BA01", value="8.1.13"),
                action("2025-03-12", "upgrade-client", client="BA01", value="8.1.4"),
                action("2025-03-17", "upgrade-server", server="SRV1", value="8.1.4"),
                action("2025-03-17", "upgrade-server", server="SRV1", value="8.1.13"),
                import_of("SRV1", "2025-03-17"),
                action("2025-03-20", "remove-certificate", client="BA01", certificate="SRV1"),
                import_of("SRV1", "2025-03-20"),
            ),
        )
    )
    assert history(answer) == [
        "03-03 inactive",
        "03-12 plaintext",
        "03-17 tls-partial TLS 1.3",
        "03-20 refused untrusted",
    ]


def test_a_client_is_not_upgraded_before_it_is_installed_and_returns_by_installation() -> None:
    answer = solve(
        pair(
            client_level="8.1.0",
            server_level="8.1.0",
            plan=(
                action("2025-03-05", "retire-client", client="BA01"),
                action("2025-03-07", "upgrade-client", client="BA01", value="8.1.0"),
                action("2025-03-10", "install-client", client="BA01", value="8.1.1"),
            ),
        )
    )
    assert history(answer) == ["03-03 plaintext", "03-05 inactive", "03-10 plaintext"]


def test_a_downgrade_of_the_server_brings_the_old_protocol_back() -> None:
    down = action("2025-03-10", "upgrade-server", server="SRV1", value="8.1.1")
    answer = solve(pair(held=("SRV1",), plan=(down,)))
    assert history(answer) == ["03-03 tls-partial TLS 1.3", "03-10 plaintext"]


def test_an_option_is_set_in_the_matching_stanzas_and_emptied_to_its_default() -> None:
    answer = solve(
        case(
            servers=[server("SRV1", "8.1.13")],
            clients=[client("BA01", "8.1.13")],
            sessions=[
                session("BA01", "SRV1"),
                session("BA01", "SRV1", key_database="api"),
                session("BA01", "SRV1", account="other"),
            ],
            trust=[trust("BA01", "SRV1"), trust("BA01", "SRV1", key_database="api")],
            plan=[
                action(
                    "2025-03-10",
                    "set-option",
                    client="BA01",
                    account="ba01",
                    key_database="default",
                    option="SSL",
                    value="Yes",
                ),
                action("2025-03-17", "set-option", client="BA01", option="ssl", value="Yes"),
                action("2025-03-24", "set-option", client="BA01", option="ssl", value=""),
            ],
        )
    )
    assert [row["start"][5:] for row in answer.states if row["mode"] == "tls-full"] == [
        "03-10",
        "03-17",
        "03-17",
    ]
    assert [row["start"][5:] for row in answer.states if row["mode"] == "tls-partial"] == [
        *("03-03", "03-24") * 3
    ]


def test_an_option_set_before_the_installation_prepares_the_stanza() -> None:
    answer = solve(
        pair(
            client_level="",
            held=("SRV1",),
            plan=(
                action("2025-03-05", "set-option", client="BA01", option="ssl", value="Yes"),
                action("2025-03-10", "install-client", client="BA01", value="8.1.11"),
            ),
        )
    )
    assert history(answer) == ["03-03 inactive", "03-10 tls-full TLS 1.3"]


def test_an_account_without_authentication_follows_the_default_of_its_server() -> None:
    plan = (
        action("2025-03-05", "set-authentication", server="SRV1", value="LDAP"),
        action("2025-03-07", "set-authentication", server="SRV1", account="BA01", value="Local"),
    )
    answer = solve(pair(server_level="8.1.0", client_level="8.1.0", plan=plan))
    assert history(answer) == [
        "03-03 plaintext",
        "03-05 refused ssl-required-by-client",
        "03-07 plaintext",
    ]


def test_names_that_no_file_knows_have_no_effect() -> None:
    plan = (
        action("2025-03-05", "upgrade-client", client="SRV1", value="8.1.0"),
        action("2025-03-05", "install-client", client="ghost", value="8.1.0"),
        action("2025-03-05", "upgrade-server", server="ghost", value="8.1.0"),
        action("2025-03-05", "retire-client", client="SRV1"),
        action("2025-03-05", "remove-certificate", client="ghost", certificate="SRV1"),
        action("2025-03-05", "replace-certificate", server="ghost", certificate="x"),
        action("2025-03-05", "set-session-security", server="SRV1", account="x", value="Strict"),
        action("2025-03-05", "set-authentication", server="SRV1", account="x", value="LDAP"),
        action("2025-03-05", "set-authentication", server="ghost", value="LDAP"),
    )
    answer = solve(pair(held=("SRV1",), plan=plan))
    assert history(answer) == ["03-03 tls-partial TLS 1.3"]
    assert list(answer.strict) == [("SRV1", "BA01")]


def test_the_md5_rule_replaces_the_certificate_for_good() -> None:
    answer = solve(
        pair(
            server_level="8.1.3",
            server_cells={"certificate": "cert"},
            certificates=(certificate("cert", signature="MD5withRSA", server="SRV1"),),
            held=("cert",),
            plan=(
                action("2025-03-10", "upgrade-server", server="SRV1", value="8.1.4"),
                import_of("SRV1-cert256", "2025-03-12"),
                action("2025-03-17", "upgrade-server", server="SRV1", value="8.1.3"),
            ),
        )
    )
    assert history(answer) == [
        "03-03 tls-partial TLS 1.2",
        "03-10 refused wrong-certificate",
        "03-12 tls-partial TLS 1.2",
    ]
    assert [(row["certificate"], row["verdict"]) for row in answer.deadlines] == [
        ("cert", "in-place"),
        ("SRV1-cert256", "late"),
    ]


def test_the_md5_rule_takes_the_first_good_self_signed_certificate_on_record() -> None:
    answer = solve(
        pair(
            server_level="7.1.9",
            server_cells={"certificate": "cert"},
            certificates=(
                certificate("weak", signature="md5", server="SRV1"),
                certificate("leaf", issuer="root", server="SRV1"),
                certificate("good", server="srv1"),
                certificate("better", server="SRV1"),
                certificate("cert", signature="md5", server="SRV1"),
            ),
        )
    )
    assert only(answer.deadlines)["certificate"] == "good"


# --- Section 4: the state of a session -------------------------------------------------------


@pytest.mark.parametrize("method", ["SHAREDMEM", "sharedmemory", "NAMEDPIPES"])
def test_a_local_session_is_never_refused(method: str) -> None:
    assert history(solve(pair(commmethod=method))) == ["03-03 local"]


@pytest.mark.parametrize(
    ("authentication", "own", "of_account", "expected"),
    [
        ("Local", "", "", "plaintext"),
        ("Local", "Yes", "", "refused ssl-required-by-client"),
        ("Local", "ServerOnly", "", "refused ssl-required-by-client"),
        ("LDAP", "", "", "refused ssl-required-by-client"),
        ("LDAP", "No", "", "refused ssl-required-by-server"),
        ("LDAP", "No", "No", "plaintext"),
        ("Local", "No", "Yes", "refused ssl-required-by-server"),
        ("Local", "Default", "serveronly", "refused ssl-required-by-server"),
    ],
)
def test_who_requires_ssl_of_an_old_server(
    authentication: str, own: str, of_account: str, expected: str
) -> None:
    answer = solve(
        pair(
            server_level="8.1.1",
            server_cells={"authentication": authentication},
            account_cells={"sslrequired": of_account},
            sslrequired=own,
        )
    )
    assert history(answer) == [f"03-03 {expected}"]


@pytest.mark.parametrize(
    ("authentication", "own", "expected"),
    [
        ("Local", "", "plaintext"),
        ("Local", "Yes", "refused ssl-required-by-client"),
        ("Local", "ServerOnly", "refused ssl-required-by-client"),
        ("LDAP", "Default", "refused ssl-required-by-client"),
        ("LDAP", "No", "refused ssl-required-by-server"),
    ],
)
def test_who_requires_ssl_between_an_old_client_and_a_new_server(
    authentication: str, own: str, expected: str
) -> None:
    # The account's own SSLREQUIRED counts only with an old server.
    cells = {"authentication": authentication, "sslrequired": "Yes"}
    answer = solve(pair(client_level="8.1.0", account_cells=cells, sslrequired=own))
    assert history(answer) == [f"03-03 {expected}"]


@pytest.mark.parametrize(
    ("tcpport", "of_server", "ssl_port", "expected"),
    [
        ("", "1500", "1543", "refused ssl-port"),
        ("1543", "1500", "1543", "legacy-ssl TLS 1.1 or lower"),
        ("1500", "", "1543", "refused ssl-port"),
        ("", "", "1543", "legacy-ssl TLS 1.1 or lower"),
        ("1500", "1500", "", "legacy-ssl TLS 1.1 or lower"),
    ],
)
def test_ssl_to_an_old_server_goes_to_its_ssl_port(
    tcpport: str, of_server: str, ssl_port: str, expected: str
) -> None:
    answer = solve(
        pair(
            server_level="8.1.0",
            server_cells={"tcpport": of_server, "ssltcpport": ssl_port},
            held=("SRV1",),
            ssl="Yes",
            tcpport=tcpport,
        )
    )
    assert history(answer) == [f"03-03 {expected}"]


@pytest.mark.parametrize(
    ("tls12", "expected"), [("No", "refused tls-level"), ("Yes", "legacy-ssl TLS 1.2")]
)
def test_a_client_without_legacy_tls_needs_tls_1_2_of_an_old_server(
    tls12: str, expected: str
) -> None:
    answer = solve(
        pair(
            server_level="7.1.7",
            server_cells={"tls12": tls12},
            held=("SRV1",),
            ssl="Yes",
            ssldisablelegacytls="Yes",
        )
    )
    assert history(answer) == [f"03-03 {expected}"]


def test_between_new_ends_the_old_options_are_ignored() -> None:
    answer = solve(
        pair(
            server_level="7.1.8",
            server_cells={"tcpport": "1500", "ssltcpport": "1543", "authentication": "LDAP"},
            account_cells={"sslrequired": "Yes"},
            held=("SRV1",),
            sslrequired="Yes",
            ssldisablelegacytls="Yes",
        )
    )
    assert history(answer) == ["03-03 tls-partial TLS 1.2"]


@pytest.mark.parametrize(
    ("client_level", "server_level", "tls"),
    [
        ("8.1.11", "8.1.11", "TLS 1.3"),
        ("8.1.10", "8.2.0", "TLS 1.2"),
        ("8.2.0", "7.1.9", "TLS 1.2"),
    ],
)
def test_tls_1_3_is_spoken_where_both_are_at_8_1_11(
    client_level: str, server_level: str, tls: str
) -> None:
    answer = solve(
        pair(client_level=client_level, server_level=server_level, held=("SRV1",), ssl="Yes")
    )
    assert history(answer) == [f"03-03 tls-full {tls}"]


def test_a_session_is_expired_outside_the_validity_of_the_whole_chain() -> None:
    certificates = (
        certificate("leaf", issuer="root", not_before="2025-03-05"),
        certificate("root", kind="root", not_after="2025-03-20"),
    )
    cells = {"certificate": "leaf"}
    trusted = pair(server_cells=cells, certificates=certificates, held=("root",))
    assert history(solve(trusted)) == [
        "03-03 refused expired",
        "03-05 tls-partial TLS 1.3",
        "03-20 refused expired",
    ]
    old_server = pair(
        server_level="8.1.0",
        ssl="Yes",
        server_cells=cells,
        certificates=certificates,
        held=("root",),
    )
    assert history(solve(old_server)) == [
        "03-03 refused expired",
        "03-05 legacy-ssl TLS 1.1 or lower",
        "03-20 refused expired",
    ]
    assert only(solve(old_server).deadlines)["needed"] == "2025-03-05"
    # With an old end trust is asked first, between new ends validity is.
    untrusted = pair(client_level="8.1.0", ssl="Yes", server_cells=cells, certificates=certificates)
    assert history(solve(untrusted)) == ["03-03 refused untrusted"]
    both_new = pair(server_cells=cells, certificates=certificates)
    assert history(solve(both_new))[0] == "03-03 refused expired"


@pytest.mark.parametrize(
    ("client_level", "expected"),
    [
        ("7.1.8.1", "refused md5-certificate"),
        ("8.1.2", "refused md5-certificate"),
        ("8.1.3", "refused md5-certificate"),
        ("8.1.4", "tls-partial TLS 1.2"),
        ("7.1.9", "tls-partial TLS 1.2"),
        ("8.1.1", "plaintext"),
    ],
)
def test_some_client_levels_refuse_an_md5_certificate(client_level: str, expected: str) -> None:
    answer = solve(
        pair(
            server_level="8.1.3",
            client_level=client_level,
            certificates=(certificate("SRV1", signature="md5"),),
            held=("SRV1",),
        )
    )
    assert history(answer) == [f"03-03 {expected}"]


def test_automatic_distribution_makes_trust_that_stays_until_it_is_removed() -> None:
    remove = action("2025-03-10", "remove-certificate", client="BA01", certificate="SRV1")
    answer = solve(pair(sslacceptcertfromserv="Yes", plan=(remove,)))
    # Removed after the account has become strict, it does not come again.
    assert history(answer) == ["03-03 tls-partial TLS 1.3", "03-10 refused untrusted"]
    assert answer.automatic == [("2025-03-03", "BA01", "SRV1", "BA01", "default", "SRV1")]
    assert only(answer.deadlines)["verdict"] == "missing"


def test_what_was_distributed_serves_other_sessions_from_the_next_day() -> None:
    answer = solve(
        case(
            servers=[server("SRV1", "8.1.13")],
            clients=[client("BA01", "8.1.13")],
            sessions=[
                session("BA01", "SRV1", sslacceptcertfromserv="Yes"),
                session("BA01", "SRV1", account="other"),
                session("BA01", "SRV1", account="third", key_database="api"),
            ],
        )
    )
    assert history(answer) == [
        "03-03 tls-partial TLS 1.3",
        "03-03 refused untrusted",
        "03-04 tls-partial TLS 1.3",
        "03-03 refused untrusted",
    ]


@pytest.mark.parametrize(
    ("accept", "cells", "works"),
    [
        ("Yes", {}, True),
        ("", {}, False),
        ("Yes", {"session_security": "Strict"}, False),
        ("Yes", {"authentication": "LDAP"}, False),
    ],
)
@pytest.mark.parametrize("kind", ["", "backup", "api", "admin", "vm", "failover"])
def test_when_automatic_distribution_works_for_client_sessions(
    kind: str, accept: str, cells: Row, works: bool
) -> None:
    cells = {"kind": "node", **cells}
    answer = solve(pair(kind=kind, account_cells=cells, sslacceptcertfromserv=accept))
    assert bool(answer.automatic) is works


@pytest.mark.parametrize(
    ("kind", "client_level", "server_level", "works"),
    [
        ("storage-agent", "8.1.2.1", "8.1.13", False),
        ("storage-agent", "8.1.3", "8.1.2", True),
        ("storage-agent", "7.1.8", "8.1.13", True),
        ("server", "8.1.2", "7.1.8", True),
        ("library", "8.1.4", "8.2.0", True),
        ("library", "8.2.0", "8.1.4", True),
        ("library", "8.1.3", "8.1.4", False),
        ("library", "7.1.8", "7.1.9", True),
        ("library", "7.1.9", "8.1.4", False),
    ],
)
def test_when_automatic_distribution_works_between_servers(
    kind: str, client_level: str, server_level: str, works: bool
) -> None:
    answer = solve(
        pair(
            kind=kind,
            client_level=client_level,
            server_level=server_level,
            account_cells={"session_security": "Strict", "authentication": "LDAP"},
        )
    )
    assert bool(answer.automatic) is works


def test_a_shared_account_turns_strict_and_locks_the_old_client_out_on_the_same_day() -> None:
    answer = solve(
        case(
            servers=[server("SRV1", "8.1.13")],
            clients=[client("BA01", "8.1.0"), client("BA02", "8.1.0")],
            sessions=[
                session("BA01", "SRV1", account="admin"),
                session("BA02", "SRV1", account="ADMIN"),
            ],
            trust=[trust("BA02", "SRV1")],
            plan=[action("2025-03-17", "upgrade-client", client="BA02", value="8.1.13")],
        )
    )
    assert history(answer, "BA01") == ["03-03 plaintext", "03-17 refused strict-account"]
    assert history(answer, "BA02") == ["03-03 plaintext", "03-17 tls-partial TLS 1.3"]
    assert answer.strict == {("SRV1", "admin"): [("2025-03-17", "2025-03-31")]}


def test_sessions_of_one_account_see_it_transitional_on_the_day_it_turns_strict() -> None:
    answer = solve(
        case(
            servers=[server("SRV1", "8.1.13")],
            clients=[client("BA01", "8.1.13"), client("BA02", "8.1.13")],
            sessions=[
                session("BA01", "SRV1", account="admin"),
                session("BA02", "SRV1", account="admin", sslacceptcertfromserv="Yes"),
            ],
            trust=[trust("BA01", "SRV1")],
        )
    )
    assert [day for day, *_ in answer.automatic] == ["2025-03-03"]


@pytest.mark.parametrize(
    ("client_level", "server_level", "strict"),
    [("8.1.6", "8.1.6", True), ("8.1.13", "8.1.4", False), ("8.1.4", "8.1.13", False)],
)
def test_a_local_session_makes_its_account_strict_from_8_1_6(
    client_level: str, server_level: str, strict: bool
) -> None:
    answer = solve(
        pair(client_level=client_level, server_level=server_level, commmethod="NAMEDPIPES")
    )
    assert answer.strict["SRV1", "BA01"] == ([("2025-03-03", "2025-03-31")] if strict else [])


def test_a_reset_lasts_zero_days_while_a_new_session_is_active() -> None:
    reset = action(
        "2025-03-10", "set-session-security", server="SRV1", account="BA01", value="Transitional"
    )
    busy = solve(pair(held=("SRV1",), plan=(reset,)))
    assert busy.strict["SRV1", "BA01"] == [("2025-03-03", "2025-03-31")]
    cells = {"session_security": "Strict"}
    quiet = solve(pair(client_level="8.1.0", account_cells=cells, plan=(reset,)))
    assert history(quiet) == ["03-03 refused strict-account", "03-10 plaintext"]
    assert quiet.strict["SRV1", "BA01"] == [("2025-03-03", "2025-03-10")]
    assert quiet.transitional_account_days == 21


def test_an_account_can_be_made_strict_by_an_action() -> None:
    strict = action(
        "2025-03-10", "set-session-security", server="SRV1", account="BA01", value="strict"
    )
    answer = solve(pair(client_level="8.1.0", plan=(strict,)))
    assert history(answer) == ["03-03 plaintext", "03-10 refused strict-account"]


def test_strictness_stays_set_but_idle_while_the_server_is_old() -> None:
    answer = solve(
        pair(
            server_level="8.1.0",
            client_level="8.1.0",
            account_cells={"session_security": "Strict"},
            plan=(SERVER_UP,),
        )
    )
    assert history(answer) == ["03-03 plaintext", "03-10 refused strict-account"]


# --- Section 5: use cases --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("server_day", "client_day", "ssl", "use_case"),
    [
        ("2025-03-10", "2025-03-17", "No", "1"),
        ("2025-03-17", "2025-03-17", "Yes", "2"),
        ("2025-03-18", "2025-03-17", "No", "3"),
        ("", "2025-03-17", "Yes", "4"),
        ("2025-03-17", "", "No", ""),
        ("2025-03-03", "2025-03-03", "No", "1"),
    ],
)
def test_which_end_is_new_first_decides_the_use_case(
    server_day: str, client_day: str, ssl: str, use_case: str
) -> None:
    plan = []
    if server_day:
        plan.append(action(server_day, "upgrade-server", server="SRV1", value="8.1.13"))
    if client_day:
        plan.append(action(client_day, "upgrade-client", client="BA01", value="8.1.13"))
    answer = solve(pair(server_level="8.1.0", client_level="8.1.0", plan=tuple(plan), ssl=ssl))
    assert answer.use_cases == [use_case]


def test_ssl_is_the_option_on_the_day_before_the_upgrade_of_the_client() -> None:
    def use_case(option_day: str, client_day: str) -> str:
        option = action(option_day, "set-option", client="BA01", option="ssl", value="Yes")
        upgrade = action(client_day, "upgrade-client", client="BA01", value="8.1.13")
        (number,) = solve(pair(client_level="8.1.0", plan=(option, upgrade))).use_cases
        return number

    assert use_case("2025-03-16", "2025-03-17") == "2"
    assert use_case("2025-03-17", "2025-03-17") == "1"
    assert use_case("2025-03-03", "2025-03-03") == "2"  # the first day, after its actions


def test_servers_that_follow_on_different_days_make_use_case_5() -> None:
    fleet = case(
        servers=[
            server("EARLY", "8.1.13"),
            server("LATER", "8.1.0"),
            server("NEVER", "8.1.0"),
            server("SAME", "8.1.0"),
        ],
        clients=[
            client("BA01", "8.1.13"),
            client("BA02", "8.1.0"),
            client("BA03", "8.1.0"),
            client("BA04", "8.1.0"),
        ],
        sessions=[
            session("BA01", "EARLY"),
            session("BA01", "LATER"),
            session("BA01", "NEVER"),
            session("BA02", "EARLY"),
            session("BA02", "LATER"),
            session("BA02", "SAME", ssl="Yes"),
            session("BA03", "NEVER"),
            session("BA04", "LATER"),
            session("BA04", "NEVER"),
        ],
        plan=[
            action("2025-03-10", "upgrade-client", client="BA02", value="8.1.13"),
            action("2025-03-17", "upgrade-client", client="BA04", value="8.1.13"),
            action("2025-03-17", "upgrade-server", server="LATER", value="8.1.13"),
            action("2025-03-17", "upgrade-server", server="SAME", value="8.1.13"),
        ],
    )
    assert solve(fleet).use_cases == ["", "5", "5", "1", "3", "4", "", "1", "3"]


@pytest.mark.parametrize(
    ("install_day", "level", "ssl", "use_case"),
    [
        ("2025-03-10", "8.1.13", "No", "6"),
        ("2025-03-07", "8.1.13", "Yes", "7"),
        ("2025-03-07", "8.1.13", "No", "8"),
        ("2025-03-07", "8.1.0", "No", "1"),  # counts as an old client, upgraded on 17 March
    ],
)
def test_an_installed_client_has_a_use_case_of_its_own(
    install_day: str, level: str, ssl: str, use_case: str
) -> None:
    install = action(install_day, "install-client", client="BA01", value=level)
    answer = solve(
        pair(
            server_level="8.1.0",
            client_level="",
            plan=(SERVER_UP, CLIENT_UP, install),
            ssl=ssl,
        )
    )
    assert answer.use_cases == [use_case]


# --- Section 6: deadlines --------------------------------------------------------------------


def test_use_case_1_from_plaintext_to_tls_with_every_cell_of_its_deadline() -> None:
    answer = solve(
        pair(
            server_level="8.1.0",
            client_level="8.1.0",
            certificates=(certificate("SRV1", not_before="2025-01-01"),),
            plan=(CLIENT_UP, SERVER_UP, import_of("SRV1", "2025-03-07")),
        )
    )
    assert history(answer) == ["03-03 plaintext", "03-17 tls-partial TLS 1.3"]
    assert only(answer.deadlines) == {
        "client": "BA01",
        "key_database": "default",
        "certificate": "SRV1",
        "servers": "SRV1",
        "use_case": "1",
        "opens": "2025-01-01",
        "needed": "2025-03-17",
        "latest_safe": "2025-03-10",
        "planned": "2025-03-07",
        "slack_days": "3",
        "verdict": "ok",
        "tool": "gsk8capicmd",
    }


@pytest.mark.parametrize(
    ("planned", "slack_days", "verdict"),
    [
        ("2025-03-10", "0", "ok"),
        ("2025-03-11", "-1", "tight"),
        ("2025-03-17", "-7", "same-day"),
        ("2025-03-19", "-9", "late"),
        ("", "", "missing"),
    ],
)
def test_the_verdict_follows_from_the_planned_day(
    planned: str, slack_days: str, verdict: str
) -> None:
    imports = (import_of("SRV1", planned),) if planned else ()
    answer = solve(pair(client_level="8.1.0", plan=(CLIENT_UP, *imports)))
    row = only(answer.deadlines)
    assert (row["needed"], row["latest_safe"]) == ("2025-03-17", "2025-03-10")
    assert (row["planned"], row["slack_days"], row["verdict"]) == (planned, slack_days, verdict)
    refused = {"late": 2, "missing": 14}.get(verdict, 0)
    assert answer.refused_session_days == refused


@pytest.mark.parametrize("since", ["", "2025-02-01", "2025-03-03"])
def test_trust_from_the_start_is_in_place(since: str) -> None:
    answer = solve(
        case(
            servers=[server("SRV1", "8.1.13")],
            clients=[client("BA01", "8.1.13")],
            sessions=[session("BA01", "SRV1")],
            trust=[trust("BA01", "SRV1", since=since)],
        )
    )
    row = only(answer.deadlines)
    assert (row["verdict"], row["planned"], row["slack_days"], row["tool"]) == (
        "in-place",
        "",
        "",
        "",
    )
    # Monday 3 March: the Monday before, although that is before the first day.
    assert row["latest_safe"] == "2025-02-24"


def test_planned_is_the_start_of_the_unbroken_stretch() -> None:
    remove = action("2025-03-05", "remove-certificate", client="BA01", certificate="SRV1")
    again = import_of("SRV1", "2025-03-07")
    answer = solve(pair(client_level="8.1.0", held=("SRV1",), plan=(remove, again, CLIENT_UP)))
    row = only(answer.deadlines)
    assert (row["planned"], row["verdict"]) == ("2025-03-07", "ok")


def test_a_certificate_that_opens_after_it_is_needed_is_impossible() -> None:
    root = certificate("root", kind="root", not_before="2025-03-01", available="2025-03-20")
    answer = solve(
        pair(
            client_level="8.1.0",
            server_cells={"certificate": "leaf"},
            certificates=(certificate("leaf", issuer="root"), root),
            plan=(CLIENT_UP, import_of("root", "2025-03-05")),
        )
    )
    row = only(answer.deadlines)
    assert (row["opens"], row["verdict"], row["slack_days"]) == ("2025-03-20", "impossible", "5")


def test_a_certificate_that_opens_on_the_needed_day_is_possible() -> None:
    answer = solve(
        pair(
            client_level="8.1.0",
            certificates=(certificate("SRV1", not_before="2025-03-17"),),
            plan=(CLIENT_UP, import_of("SRV1", "2025-03-05")),
        )
    )
    row = only(answer.deadlines)
    assert (row["opens"], row["needed"], row["verdict"]) == ("2025-03-17", "2025-03-17", "ok")


def test_an_import_on_the_first_day_is_planned_and_not_in_place() -> None:
    answer = solve(pair(client_level="8.1.0", plan=(CLIENT_UP, import_of("SRV1", "2025-03-03"))))
    row = only(answer.deadlines)
    assert (row["planned"], row["slack_days"], row["verdict"]) == ("2025-03-03", "7", "ok")


def test_trust_that_is_removed_on_the_needed_day_is_not_in_place() -> None:
    remove = action("2025-03-17", "remove-certificate", client="BA01", certificate="SRV1")
    answer = solve(pair(client_level="8.1.0", held=("SRV1",), plan=(CLIENT_UP, remove)))
    row = only(answer.deadlines)
    assert (row["planned"], row["verdict"]) == ("", "missing")


def test_needed_does_not_depend_on_trust_but_on_everything_else() -> None:
    ports = {"tcpport": "1500", "ssltcpport": "1543"}
    answer = solve(pair(server_level="8.1.0", server_cells=ports, ssl="Yes", plan=(SERVER_UP,)))
    assert history(answer) == ["03-03 refused ssl-port", "03-10 refused untrusted"]
    assert only(answer.deadlines)["needed"] == "2025-03-10"
    never = solve(pair(server_level="8.1.0", server_cells=ports, ssl="Yes"))
    assert never.deadlines == []


def test_accounts_turn_strict_as_if_every_certificate_were_trusted() -> None:
    answer = solve(
        case(
            servers=[server("SRV1", "8.1.13")],
            clients=[client("BA01", "8.1.13"), client("BA02", "8.1.0")],
            sessions=[
                session("BA01", "SRV1", account="admin"),
                session("BA02", "SRV1", account="admin", ssl="Yes"),
            ],
            trust=[trust("BA02", "SRV1")],
        )
    )
    # In truth BA01 is refused, so that the account stays open to BA02; that is no plan to rely on.
    assert history(answer) == ["03-03 refused untrusted", "03-03 legacy-ssl TLS 1.2"]
    assert [row["client"] for row in answer.deadlines] == ["BA01"]


def test_one_row_serves_all_sessions_that_need_the_anchor() -> None:
    answer = solve(
        case(
            servers=[
                server("ZETA", "8.1.13", certificate="leaf-z"),
                server("ALPHA", "8.1.0", certificate="leaf-a"),
            ],
            clients=[client("BA01", "8.1.0")],
            sessions=[session("BA01", "ZETA"), session("BA01", "ALPHA")],
            certificates=[
                certificate("leaf-z", issuer="root"),
                certificate("leaf-a", issuer="root"),
            ],
            plan=[
                CLIENT_UP,
                action("2025-03-24", "upgrade-server", server="ALPHA", value="8.1.13"),
            ],
        )
    )
    row = only(answer.deadlines)
    assert (row["servers"], row["use_case"], row["needed"]) == ("ALPHA;ZETA", "1;3", "2025-03-17")


@pytest.mark.parametrize(
    ("needed", "lead_days", "expected"),
    [
        ("2025-03-15", 5, "2025-03-10"),  # Saturday
        ("2025-03-16", 5, "2025-03-10"),  # Sunday
        ("2025-03-17", 5, "2025-03-10"),  # Monday
        ("2025-03-18", 5, "2025-03-11"),
        ("2025-03-18", 0, "2025-03-18"),
        ("2025-03-16", 0, "2025-03-14"),
        ("2025-03-17", 1, "2025-03-14"),
    ],
)
def test_the_lead_time_counts_working_days(needed: str, lead_days: int, expected: str) -> None:
    fleet = case(servers=[], clients=[], sessions=[], lead_days=lead_days)
    assert latest_safe(Fleet(fleet), date.fromisoformat(needed)) == date.fromisoformat(expected)


def test_holidays_do_not_count_as_working_days_and_freezes_do() -> None:
    needed = date(2025, 3, 17)
    holiday = case(servers=[], clients=[], sessions=[], holidays=["2025-03-12"])
    # 7, 10, 11, 13 and 14 March are the five working days.
    assert latest_safe(Fleet(holiday), needed) == date(2025, 3, 7)
    freeze = case(servers=[], clients=[], sessions=[], freezes=[("2025-03-07", "2025-03-12")])
    # 10 March would leave five working days, but nothing may be done from 7 to 11 March.
    assert latest_safe(Fleet(freeze), needed) == date(2025, 3, 6)
    short = case(servers=[], clients=[], sessions=[], working_days=["sun"], lead_days=2)
    assert latest_safe(Fleet(short), needed) == date(2025, 3, 9)


@pytest.mark.parametrize(
    ("kind", "client_level", "plan", "tool"),
    [
        ("backup", "8.1.13", (import_of("SRV1", "2025-03-07"),), "dsmcert"),
        ("storage-agent", "8.1.13", (import_of("SRV1", "2025-03-07"),), "gsk8capicmd"),
        # Planned on the day of the upgrade: the client is new then.
        ("backup", "8.1.0", (CLIENT_UP, import_of("SRV1", "2025-03-17")), "dsmcert"),
        ("backup", "8.1.0", (CLIENT_UP, import_of("SRV1", "2025-03-16")), "gsk8capicmd"),
        # Nothing planned: latest_safe, 10 March, counts.
        ("backup", "8.1.0", (CLIENT_UP,), "gsk8capicmd"),
        # Nothing planned and latest_safe before the first day: the level before any action.
        (
            "backup",
            "8.1.0",
            (action("2025-03-03", "upgrade-client", client="BA01", value="8.1.13"),),
            "gsk8capicmd",
        ),
        # Not installed yet: its next installed level counts.
        (
            "backup",
            "",
            (
                action("2025-03-17", "install-client", client="BA01", value="8.1.13"),
                import_of("SRV1", "2025-03-07"),
            ),
            "dsmcert",
        ),
        # Retired before the late import: its last level counts.
        (
            "backup",
            "8.1.13",
            (
                action("2025-03-10", "retire-client", client="BA01"),
                import_of("SRV1", "2025-03-12"),
            ),
            "dsmcert",
        ),
    ],
)
def test_the_tool_depends_on_the_client_on_the_planned_day(
    kind: str, client_level: str, plan: tuple[Row, ...], tool: str
) -> None:
    answer = solve(
        case(
            servers=[server("SRV1", "8.1.13")],
            clients=[client("BA01", client_level, kind=kind)],
            sessions=[session("BA01", "SRV1")],
            plan=plan,
        )
    )
    assert only(answer.deadlines)["tool"] == tool


# --- The upgrade columns, the measures, the days ---------------------------------------------


def test_without_a_plan_the_upgrade_columns_are_the_plan() -> None:
    upgrade = {"target_level": "8.1.13", "upgrade": "2025-03-10"}
    answer = solve(
        case(
            servers=[server("SRV1", "8.1.0", **upgrade)],
            clients=[
                client("BA01", "8.1.0", **upgrade),
                client("BA02", "", **upgrade),
                client("BA03", "8.1.0", target_level="8.1.13"),  # a goal without a day
            ],
            sessions=[session(name, "SRV1") for name in ("BA01", "BA02", "BA03")],
            plan=None,
        )
    )
    assert history(answer, "BA01") == ["03-03 plaintext", "03-10 refused untrusted"]
    assert history(answer, "BA02") == ["03-03 inactive", "03-10 refused untrusted"]
    assert history(answer, "BA03") == ["03-03 plaintext"]
    assert answer.use_cases == ["1", "6", ""]


def test_a_given_plan_replaces_the_upgrade_columns() -> None:
    upgrade = {"target_level": "8.1.13", "upgrade": "2025-03-10"}
    answer = solve(
        case(
            servers=[server("SRV1", "8.1.0", **upgrade)],
            clients=[client("BA01", "", **upgrade)],
            sessions=[session("BA01", "SRV1")],
            plan=[],
        )
    )
    assert history(answer) == ["03-03 plaintext"]


def test_the_measures_are_sums_over_sessions_and_days() -> None:
    answer = solve(
        case(
            servers=[server("SRV1", "8.1.0")],
            clients=[client("BA01"), client("BA02"), client("BA03", "8.1.13")],
            accounts=[account("SRV1", "spare")],
            sessions=[
                session("BA01", "SRV1", weight="2.5"),
                session("BA02", "SRV1", ssl="Yes"),
                session("BA03", "SRV1", weight="4", encrypt_data="Yes"),
            ],
            trust=[trust("BA03", "SRV1")],
            plan=[SERVER_UP],
        )
    )
    assert answer.exposure == 2.5 * 28 + 4 * 7
    assert answer.partial_exposure == 4 * 21
    assert answer.refused_session_days == 28
    assert answer.transitional_account_days == 3 * 28 + 7
    assert answer.daily[6] == {
        "date": "2025-03-09",
        **dict.fromkeys(MODES, "0"),
        "refused": "1",
        "plaintext": "2",
    }
    assert answer.daily[7] == {
        "date": "2025-03-10",
        **dict.fromkeys(MODES, "0"),
        "refused": "1",
        "plaintext": "1",
        "tls-partial": "1",
    }


# --- The random fleets -----------------------------------------------------------------------

MUST_OCCUR = (
    *(f"mode {mode}" for mode in MODES),
    *(
        f"reason {reason}"
        for reason in (
            "untrusted",
            "wrong-certificate",
            "expired",
            "ssl-required-by-client",
            "ssl-required-by-server",
            "ssl-port",
            "tls-level",
            "md5-certificate",
            "strict-account",
        )
    ),
    *(f"tls {tls}" for tls in ("TLS 1.3", "TLS 1.2", "TLS 1.1 or lower", "")),
    *(
        f"verdict {verdict}"
        for verdict in ("in-place", "impossible", "missing", "ok", "tight", "same-day", "late")
    ),
    *(f"tool {tool}" for tool in ("dsmcert", "gsk8capicmd", "")),
    *(f"use case {number}" for number in ("", *"12345678")),
    *(
        f"automatic {kind}"
        for kind in (
            "backup",
            "api",
            "admin",
            "vm",
            "failover",
            "storage-agent",
            "server",
            "library",
        )
    ),
)


def occurrences(random_fleet: Case, answer: Answer) -> set[str]:
    """Return which of the things that must occur do occur in one fleet."""
    kinds: dict[tuple[str, ...], str] = {
        (
            row["client"].casefold(),
            row["server"].casefold(),
            (row["account"] or row["client"]).casefold(),
            (row["key_database"] or "default").casefold(),
        ): row["kind"] or "backup"
        for row in random_fleet.sessions
    }
    found = {f"use case {number}" for number in answer.use_cases}
    for row in answer.states:
        found |= {f"mode {row['mode']}", f"reason {row['reason']}", f"tls {row['tls']}"}
    for row in answer.deadlines:
        found |= {f"verdict {row['verdict']}", f"tool {row['tool']}"}
    for _, *names, _ in answer.automatic:
        found.add(f"automatic {kinds[tuple(name.casefold() for name in names)]}")
    return found


def count_occurrences(seeds: range) -> Counter[str]:
    """Count in how many random fleets each thing occurs."""
    count: Counter[str] = Counter()
    for seed in seeds:
        random_fleet = random_case(random.Random(seed))
        count.update(occurrences(random_fleet, solve(random_fleet)))
    return count


def test_random_fleets_reach_every_state_verdict_and_use_case_often() -> None:
    count = count_occurrences(range(300))
    assert {name: count[name] for name in MUST_OCCUR if count[name] < 5} == {}


def test_the_same_seed_gives_the_same_fleet() -> None:
    assert random_case(random.Random(7)) == random_case(random.Random(7))
    assert random_case(random.Random(7)) != random_case(random.Random(8))


@settings(max_examples=60, deadline=None)
@given(cases())
def test_the_segments_of_every_session_cover_the_horizon(random_fleet: Case) -> None:
    answer, fleet = solve(random_fleet), Fleet(random_fleet)
    sessions: dict[tuple[str, ...], list[Row]] = {}
    for row in answer.states:
        key = (row["client"], row["server"], row["account"], row["key_database"])
        sessions.setdefault(key, []).append(row)
    assert len(sessions) == len(random_fleet.sessions)
    for rows in sessions.values():
        edges = [row["start"] for row in rows] + [rows[-1]["end"]]
        assert [row["end"] for row in rows] == edges[1:]
        assert (edges[0], edges[-1]) == (fleet.start.isoformat(), fleet.end.isoformat())
    assert all(sum(int(row[mode]) for mode in MODES) == len(sessions) for row in answer.daily)


@settings(max_examples=60, deadline=None)
@given(cases())
def test_random_fleets_are_valid(random_fleet: Case) -> None:
    servers = {row["server"].casefold() for row in random_fleet.servers}
    clients = {row["client"].casefold() for row in random_fleet.clients}
    certificates = [row["certificate"].casefold() for row in random_fleet.certificates]
    assert len(servers) == len(random_fleet.servers)
    assert len(clients) == len(random_fleet.clients)
    assert len(set(certificates)) == len(certificates)
    for row in random_fleet.sessions:
        assert row["server"].casefold() in servers
        assert row["client"].casefold() in servers | clients
    for row in random_fleet.accounts:
        assert row["server"].casefold() in servers
    for row in random_fleet.trust:
        assert row["client"].casefold() in servers | clients
    for row in random_fleet.certificates:
        assert row["server"].casefold() in servers | {""}
    for row in random_fleet.servers:
        assert not row["tcpport"] or row["tcpport"] != row["ssltcpport"]


def test_a_written_case_reads_back_cell_for_cell(tmp_path: Path) -> None:
    written = case(
        servers=[server("SRV1", certificate='a "quoted", name')],
        clients=[client("BA01")],
        sessions=[session("BA01", "SRV1")],
        plan=[SERVER_UP],
        holidays=[date(2025, 3, 4)],
        freezes=[("2025-03-05", "2025-03-06")],
    )
    write_case(written, tmp_path / "fleet")
    assert tomllib.loads((tmp_path / "fleet" / "fleet.toml").read_text()) == written.toml
    assert sorted(path.name for path in (tmp_path / "fleet").iterdir()) == [
        "clients.csv",
        "fleet.toml",
        "plan.csv",
        "servers.csv",
        "sessions.csv",
    ]
    for name, rows in (("servers", written.servers), ("plan", written.plan or [])):
        with (tmp_path / "fleet" / f"{name}.csv").open(newline="") as file:
            read = [
                {column: cell for column, cell in row.items() if cell}
                for row in csv.DictReader(file)
            ]
        assert read == rows


def test_shifting_a_fleet_by_whole_weeks_shifts_its_results() -> None:
    weeks = timedelta(weeks=3)

    def shifted(text: str) -> str:
        return (date.fromisoformat(text) + weeks).isoformat() if text else ""

    original = pair(client_level="8.1.0", plan=(CLIENT_UP, import_of("SRV1", "2025-03-11")))
    later = case(
        start=shifted("2025-03-03"),
        end=shifted("2025-03-31"),
        servers=original.servers,
        clients=original.clients,
        sessions=original.sessions,
        plan=[{**row, "date": shifted(row["date"])} for row in original.plan or []],
    )
    before, after = only(solve(original).deadlines), only(solve(later).deadlines)
    dates = ("needed", "latest_safe", "planned", "opens")
    assert after == {**before, **{column: shifted(before[column]) for column in dates}}
