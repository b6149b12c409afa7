"""Checks of session states, each with a case that it reports and one that it does not."""

from pathlib import Path

import pytest

from planner.domain.calendar import iso
from planner.domain.plan import Action
from planner.engine.deadlines import deadlines
from planner.engine.review import Review
from planner.engine.timeline import simulate
from tests.builders import account, action, case, certificate, client, server, session, trust
from tests.comparison import read_case
from tests.oracle import Case, Row
from tests.reviewing import CLIENT_UP, NEW, OLD, SERVER_UP, findings_of, only, pair, rules_of, where


def test_a_session_that_loses_its_trust_is_refused_as_untrusted(tmp_path: Path) -> None:
    removal = action("2025-03-12", "remove-certificate", client="BA01", certificate="SRV1")
    found = only(pair(held=("SRV1",), plan=(removal,)), tmp_path / "a", "refused-untrusted")
    assert where(found) == ("error", "2025-03-12", "BA01 -> SRV1 as BA01", "sessions.csv", 2)
    assert found.what == (
        "refused from 2025-03-12 to the end of the plan, 19 days (untrusted, ANS1592E)"
    )
    assert found.fix == (
        "Import SRV1 into key database default before 2025-03-12, and do not remove it while SRV1 "
        "presents it."
    )
    assert "refused-untrusted" not in rules_of(pair(held=("SRV1",)), tmp_path / "b")


def test_a_refusal_is_told_for_each_certificate_that_the_server_presents_meanwhile(
    tmp_path: Path,
) -> None:
    change = action("2025-03-17", "replace-certificate", server="SRV1", certificate="next")
    built = pair(
        certificates=(certificate("SRV1"), certificate("next")),
        plan=(change,),
        sslacceptcertfromserv="No",
    )
    review = Review(deadlines(simulate(read_case(built, tmp_path))))
    names = review.certificates.name
    found = review.refusals
    stretches = zip(found.start, found.end, found.anchor, strict=True)
    assert [(iso(start), iso(end), names[anchor]) for start, end, anchor in stretches] == [
        ("2025-03-03", "2025-03-17", "SRV1"),
        ("2025-03-17", "2025-03-31", "next"),
    ]


def test_an_option_for_the_first_server_is_for_its_sessions_alone(tmp_path: Path) -> None:
    option = {"client": "BA01", "option": "SSL", "value": "Yes"}
    built = pair(plan=(action("2025-03-10", "set-option", server="SRV1", **option),))
    built.servers.append(server("SRV2", NEW))
    built.sessions.append(session("BA01", "SRV2"))
    review = Review(deadlines(simulate(read_case(built, tmp_path))))
    rows, sessions = review.sessions_of_options(review.active(Action.SET_OPTION))
    assert (rows.tolist(), sessions.tolist()) == ([0], [0])


def test_a_session_that_keeps_only_another_certificate_is_refused_for_it(tmp_path: Path) -> None:
    removal = action("2025-03-12", "remove-certificate", client="BA01", certificate="SRV1")
    other = (certificate("SRV1-next", server="SRV1"),)
    broken = pair(held=("SRV1", "SRV1-next"), certificates=other, plan=(removal,))
    found = only(broken, tmp_path / "a", "refused-wrong-certificate")
    assert found.what.endswith("(wrong-certificate, ANS1595E)")
    assert found.fix == (
        "Import SRV1 into key database default before 2025-03-12: it is what SRV1 presents."
    )
    assert where(found)[1:3] == ("2025-03-12", "BA01 -> SRV1 as BA01")
    sound = pair(held=("SRV1", "SRV1-next"), certificates=other)
    assert "refused-wrong-certificate" not in rules_of(sound, tmp_path / "b")


def test_nobody_is_told_to_import_what_cannot_be_had_yet(tmp_path: Path) -> None:
    broken = pair(
        server_level=OLD,
        client_level=OLD,
        ssl="Yes",
        certificates=(certificate("SRV1", not_before="2025-03-20", not_after="2035-03-20"),),
        plan=(action("2025-03-20", "import-certificate", client="BA01", certificate="SRV1"),),
    )
    found = only(broken, tmp_path, "refused-untrusted")
    assert found.what.startswith("refused from 2025-03-03 until 2025-03-20, 17 days")
    assert found.fix == "SRV1 can be had from 2025-03-20 on; until then let SRV1 present another."


def test_a_certificate_that_is_not_valid_yet_refuses_the_session(tmp_path: Path) -> None:
    early = (certificate("SRV1", not_before="2025-03-20", not_after="2035-03-20"),)
    found = only(pair(held=("SRV1",), certificates=early), tmp_path / "a", "refused-expired")
    assert where(found)[:3] == ("error", "2025-03-03", "BA01 -> SRV1 as BA01")
    assert "until 2025-03-20, 17 days (expired, ANS1693E)" in found.what
    assert found.fix == (
        "Let SRV1 present a certificate that is valid on 2025-03-03, and import its anchor before."
    )
    valid = (certificate("SRV1", not_before="2025-03-03", not_after="2035-03-20"),)
    assert "refused-expired" not in rules_of(
        pair(held=("SRV1",), certificates=valid), tmp_path / "b"
    )


@pytest.mark.parametrize(
    ("cells", "account_cells", "rule", "fix"),
    [
        (
            {"sslrequired": "Yes"},
            None,
            "refused-ssl-required-by-client",
            "Set SSL Yes and TCPPORT 1543 on 2025-03-03 and import SRV1 before it, or set "
            "SSLREQUIRED No in the options of BA01.",
        ),
        (
            {},
            {"sslrequired": "Yes"},
            "refused-ssl-required-by-server",
            "Set SSL Yes and TCPPORT 1543 on 2025-03-03 and import SRV1 before it, or set "
            "SSLREQUIRED No for the account on SRV1.",
        ),
        (
            {"ssl": "Yes"},
            None,
            "refused-ssl-port",
            "Set TCPPORT to 1543, the SSL port of SRV1, or set SSL No until SRV1 is new.",
        ),
        (
            {"ssl": "Yes", "tcpport": "1543", "ssldisablelegacytls": "Yes"},
            None,
            "refused-tls-level",
            "Switch TLS 1.2 on at SRV1 and say so in servers.csv, or set SSLDISABLELEGACYTLS No "
            "for BA01 until SRV1 is new.",
        ),
    ],
)
def test_what_an_old_server_refuses_has_its_own_cure(
    tmp_path: Path, cells: Row, account_cells: Row | None, rule: str, fix: str
) -> None:
    ports = {"tcpport": "1500", "ssltcpport": "1543"}
    broken = pair(
        server_level=OLD,
        client_level=OLD,
        server_cells=ports,
        account_cells=account_cells,
        held=("SRV1",),
        cells=cells,
    )
    found = only(broken, tmp_path / "a", rule)
    assert where(found) == ("error", "2025-03-03", "BA01 -> SRV1 as BA01", "sessions.csv", 2)
    assert found.what.startswith("refused from 2025-03-03 to the end of the plan, 28 days (")
    assert rule.removeprefix("refused-") in found.what
    assert found.fix == fix
    assert found.why.endswith("]")
    plain = pair(server_level=OLD, client_level=OLD, server_cells=ports, held=("SRV1",))
    assert rule not in rules_of(plain, tmp_path / "b")


def test_a_client_too_old_for_a_new_server_is_to_be_upgraded(tmp_path: Path) -> None:
    found = only(
        pair(client_level="6.2.0", ssl="Yes", held=("SRV1",)), tmp_path / "a", "refused-tls-level"
    )
    assert found.fix == "Upgrade BA01 to 8.1.2 or later before SRV1 becomes new."
    sound = pair(client_level="6.3.0", ssl="Yes", held=("SRV1",))
    assert "refused-tls-level" not in rules_of(sound, tmp_path / "b")


def test_an_old_client_needs_no_ssl_port_at_a_new_server(tmp_path: Path) -> None:
    found = only(
        pair(client_level=OLD, sslrequired="Yes"), tmp_path, "refused-ssl-required-by-client"
    )
    assert found.fix.startswith("Set SSL Yes on 2025-03-03 and import SRV1 before it")


def test_a_client_that_refuses_md5_is_named(tmp_path: Path) -> None:
    md5 = (certificate("SRV1", signature="md5WithRSAEncryption"),)
    broken = pair(server_level="8.1.2", client_level="8.1.3", certificates=md5, held=("SRV1",))
    found = only(broken, tmp_path / "a", "refused-md5-certificate")
    assert where(found)[:3] == ("error", "2025-03-03", "BA01 -> SRV1 as BA01")
    assert found.what.endswith("28 days (md5-certificate)")
    assert found.fix == (
        "Let SRV1 present a SHA certificate before 2025-03-03 and import it, or upgrade BA01 to "
        "8.1.4 or later."
    )
    sound = pair(server_level="8.1.2", client_level="8.1.4", certificates=md5, held=("SRV1",))
    assert "refused-md5-certificate" not in rules_of(sound, tmp_path / "b")


# --- LDAP ----------------------------------------------------------------------------------------


def ldap(**cells: str) -> Case:
    """Build a client that is installed new on an old LDAP server."""
    install = action("2025-03-11", "install-client", client="BA01", value=NEW)
    return pair(
        server_level=OLD,
        client_level="",
        server_cells={"authentication": "LDAP", "tcpport": "1500", "ssltcpport": "1543"},
        held=("SRV1",),
        plan=(install,),
        cells=cells,
    )


def test_ldap_without_ssl_turns_use_case_8_into_7(tmp_path: Path) -> None:
    found = only(ldap(), tmp_path / "a", "ldap-without-ssl")
    assert where(found) == ("error", "2025-03-11", "BA01 -> SRV1 as BA01", "sessions.csv", 2)
    assert found.what == (
        "use case 8 turns into 7: SSL is No, SRV1 is old and LDAP keeps the password; refused "
        "from 2025-03-11 to the end of the plan (ssl-required-by-client, ANS7524E)"
    )
    assert found.fix == (
        "Set SSL Yes and TCPPORT 1543 from 2025-03-11 on, and import SRV1 before it."
    )
    assert "ldap-without-ssl" not in rules_of(ldap(ssl="Yes", tcpport="1543"), tmp_path / "b")


def test_ldap_without_ssl_is_reported_once(tmp_path: Path) -> None:
    assert not {rule for rule in rules_of(ldap(), tmp_path) if rule.startswith("refused-")}


def test_an_account_may_be_the_one_that_asks_for_ssl(tmp_path: Path) -> None:
    broken = pair(
        server_level=OLD,
        client_level=OLD,
        account_cells={"authentication": "LDAP"},
        sslrequired="No",
    )
    found = only(broken, tmp_path, "ldap-without-ssl")
    assert "ssl-required-by-server, ANS7525E" in found.what
    assert "use case" not in found.what
    assert "TCPPORT to the SSL port of SRV1" in found.fix


def test_an_old_ldap_client_without_ssl_is_refused_by_a_new_server_too(tmp_path: Path) -> None:
    found = only(
        pair(client_level=OLD, account_cells={"authentication": "LDAP"}),
        tmp_path,
        "ldap-without-ssl",
    )
    assert "BA01 is old" in found.what
    assert "TCPPORT" not in found.fix


# --- Automatic distribution ----------------------------------------------------------------------


def test_automatic_distribution_is_an_error_of_the_main_scenario(tmp_path: Path) -> None:
    found = only(pair(sslacceptcertfromserv="Yes"), tmp_path / "a", "automatic-distribution")
    assert where(found) == ("error", "2025-03-03", "BA01 -> SRV1 as BA01", "sessions.csv", 2)
    assert found.what == "SRV1 would hand SRV1 out by itself, and it would be accepted unseen"
    assert found.fix == ("Import SRV1 before 2025-03-03; set SSLACCEPTCERTFROMSERV No for BA01.")
    held = pair(sslacceptcertfromserv="Yes", held=("SRV1",))
    assert "automatic-distribution" not in rules_of(held, tmp_path / "b")


def test_a_policy_makes_automatic_distribution_a_note(tmp_path: Path) -> None:
    allowed = pair(sslacceptcertfromserv="Yes")
    allowed.toml["policy"] = {"automatic_distribution": True}
    assert only(allowed, tmp_path, "automatic-distribution").severity == "note"


def test_servers_have_no_option_against_automatic_distribution(tmp_path: Path) -> None:
    found = only(pair(kind="server"), tmp_path, "automatic-distribution")
    assert found.fix == "Import SRV1 before 2025-03-03."


# --- Lock-outs -----------------------------------------------------------------------------------


def shared(
    *plan: Row, account_cells: Row | None = None, levels: tuple[str, str] = (OLD, OLD)
) -> Case:
    """Build two clients that share the account OPS on one new server."""
    return case(
        servers=[server("SRV1", NEW)],
        clients=[client("BA01", levels[0]), client("BA02", levels[1])],
        accounts=[account("SRV1", "OPS", **(account_cells or {}))],
        sessions=[session(name, "SRV1", account="OPS") for name in ("BA01", "BA02")],
        trust=[trust(name, "SRV1") for name in ("BA01", "BA02")],
        plan=plan,
    )


def test_a_lock_out_says_who_turned_the_account_strict_and_who_is_refused(tmp_path: Path) -> None:
    later = action("2025-03-20", "upgrade-client", client="BA02", value=NEW)
    found = only(shared(CLIENT_UP, later), tmp_path / "a", "shared-account-lockout")
    assert where(found) == ("error", "2025-03-17", "OPS on SRV1", "accounts.csv", 2)
    assert found.what == (
        "it turned strict on 2025-03-17, when BA01 logged on as a new client; refused from "
        "2025-03-17 on, 3 session-days (strict-account): BA02"
    )
    assert found.fix == (
        "Upgrade BA02 on or before 2025-03-17, or give them an account of their own; a reset to "
        "Transitional lasts only until the next new client logs on."
    )
    together = action("2025-03-17", "upgrade-client", client="BA02", value=NEW)
    assert "shared-account-lockout" not in rules_of(shared(CLIENT_UP, together), tmp_path / "b")


def test_a_lock_out_is_reported_once(tmp_path: Path) -> None:
    rules = rules_of(shared(CLIENT_UP), tmp_path)
    assert "refused-strict-account" not in rules


def test_a_client_locks_itself_out_by_a_downgrade(tmp_path: Path) -> None:
    down = action("2025-03-19", "upgrade-client", client="BA01", value="8.1.1")
    found = only(pair(held=("SRV1",), plan=(down,)), tmp_path, "shared-account-lockout")
    assert where(found) == ("error", "2025-03-19", "BA01 on SRV1", "sessions.csv", 2)
    assert found.what == (
        "it turned strict on 2025-03-03, when BA01 logged on as a new client; refused from "
        "2025-03-19 on, 12 session-days (strict-account): BA01"
    )
    assert found.fix == (
        "Do not take BA01 back to an old level, or set the account Transitional on 2025-03-19."
    )


def test_an_account_that_was_strict_before_the_plan_says_so(tmp_path: Path) -> None:
    found = only(
        shared(account_cells={"session_security": "Strict"}), tmp_path, "shared-account-lockout"
    )
    assert found.what == (
        "accounts.csv has it Strict from the first day on; refused from 2025-03-03 on, 56 "
        "session-days (strict-account): BA01, BA02"
    )
    assert "set the account Transitional" in found.fix


def test_an_account_that_the_plan_sets_strict_says_where(tmp_path: Path) -> None:
    strict = action(
        "2025-03-12", "set-session-security", server="SRV1", account="OPS", value="Strict"
    )
    found = only(shared(strict), tmp_path, "shared-account-lockout")
    assert found.what.startswith("the plan sets it Strict on 2025-03-12 (plan.csv:2); refused")


def test_a_reset_splits_a_lock_out_by_its_causes(tmp_path: Path) -> None:
    plan = (
        CLIENT_UP,
        action("2025-03-18", "retire-client", client="BA01"),
        action(
            "2025-03-19", "set-session-security", server="SRV1", account="OPS", value="Transitional"
        ),
        action("2025-03-24", "install-client", client="BA01", value=NEW),
    )
    rows = findings_of(shared(*plan), tmp_path).of("shared-account-lockout")
    assert [row.what.split(";")[0] for row in rows] == [
        "it turned strict on 2025-03-17, when BA01 logged on as a new client",
        "it turned strict on 2025-03-24, when BA01 logged on as a new client",
    ]


# --- Options -------------------------------------------------------------------------------------


def early_ssl(day: str, *more: Row, port: str = "1543", **cells: str) -> Case:
    """Build SSL Yes for a session whose server becomes new on 10 March."""
    ssl = action(day, "set-option", client="BA01", option="SSL", value="Yes")
    return pair(
        server_level=OLD,
        client_level=NEW,
        server_cells={"tcpport": "1500", "ssltcpport": port},
        held=("SRV1",),
        plan=(SERVER_UP, ssl, *more),
        cells=cells,
    )


def test_ssl_before_the_server_is_new_on_the_wrong_port_is_an_error(tmp_path: Path) -> None:
    found = only(early_ssl("2025-03-05"), tmp_path / "a", "ssl-before-server-new")
    assert where(found) == ("error", "2025-03-05", "set-option BA01 SSL", "plan.csv", 3)
    assert found.what == (
        "SSL Yes is set while SRV1 is old; the session's port is 1500, the SSL port of SRV1 1543; "
        "refused from 2025-03-05 until 2025-03-10 (ssl-port, ANS1579E): BA01 -> SRV1 as BA01"
    )
    assert found.fix == (
        "Move it to the day on which SRV1 becomes new, or set TCPPORT to 1543 on the same day."
    )
    assert "ssl-before-server-new" not in rules_of(early_ssl("2025-03-10"), tmp_path / "b")
    assert "refused-ssl-port" not in rules_of(early_ssl("2025-03-05"), tmp_path / "c")


@pytest.mark.parametrize("cells", [{"tcpport": "1543"}, {}])
def test_ssl_on_the_ssl_port_is_sound_before_the_server_is_new(
    tmp_path: Path, cells: dict[str, str]
) -> None:
    port = action("2025-03-05", "set-option", client="BA01", option="TCPPORT", value="1543")
    more = () if cells else (port,)
    assert "ssl-before-server-new" not in rules_of(
        early_ssl("2025-03-05", *more, **cells), tmp_path
    )


def test_an_unknown_ssl_port_is_a_warning(tmp_path: Path) -> None:
    found = only(early_ssl("2025-03-05", port=""), tmp_path, "ssl-before-server-new")
    assert found.severity == "warning"
    assert found.what == (
        "SSL Yes is set while SRV1 is old; the session's port is 1500, the SSL port of SRV1 "
        "unknown: BA01 -> SRV1 as BA01"
    )


def test_ssl_that_a_later_row_of_the_day_takes_back_is_no_fault(tmp_path: Path) -> None:
    back = action("2025-03-05", "set-option", client="BA01", option="SSL", value="No")
    assert "ssl-before-server-new" not in rules_of(early_ssl("2025-03-05", back), tmp_path)


def test_data_that_must_be_encrypted_and_is_not_is_a_warning(tmp_path: Path) -> None:
    found = only(pair(encrypt_data="Yes", held=("SRV1",)), tmp_path / "a", "encryption-not-reached")
    assert where(found) == ("warning", "2025-03-03", "BA01 -> SRV1 as BA01", "sessions.csv", 2)
    assert found.what == (
        "its object data must be encrypted, and the plan ends with tls-partial (since 2025-03-03)"
    )
    assert found.fix == "Set SSL Yes for this session on 2025-03-03."
    full = pair(encrypt_data="Yes", ssl="Yes", held=("SRV1",))
    assert "encryption-not-reached" not in rules_of(full, tmp_path / "b")
    plain = only(
        pair(server_level=OLD, encrypt_data="Yes"), tmp_path / "c", "encryption-not-reached"
    )
    assert plain.fix == (
        "Upgrade both BA01 and SRV1 to new levels, and set SSL Yes on the day on which both are "
        "new."
    )


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("sslrequired", "Yes"),
        ("ssldisablelegacytls", "Yes"),
        ("lanfreessl", "Yes"),
        ("replsslport", "1555"),
    ],
)
def test_an_option_that_new_ends_ignore_is_a_note(tmp_path: Path, column: str, value: str) -> None:
    found = only(pair(held=("SRV1",), cells={column: value}), tmp_path / "a", "ignored-option")
    name = column.upper()
    assert where(found) == ("note", "2025-03-03", f"BA01 {name}", "sessions.csv", 2)
    assert found.what == f"{name} has no effect; it is set for 1 session of BA01"
    assert found.fix == f"Remove {name} when you next edit the options of BA01."
    heeded = pair(server_level=OLD, held=("SRV1",), cells={column: value})
    assert "ignored-option" not in rules_of(heeded, tmp_path / "b")


def test_an_option_planned_for_new_ends_is_a_note_at_its_row(tmp_path: Path) -> None:
    def planned(day: str) -> Case:
        row = action(day, "set-option", client="BA01", option="SSLREQUIRED", value="Yes")
        return pair(server_level=OLD, held=("SRV1",), plan=(SERVER_UP, row))

    found = only(planned("2025-03-10"), tmp_path / "a", "ignored-option")
    assert where(found) == ("note", "2025-03-10", "set-option BA01 SSLREQUIRED", "plan.csv", 3)
    assert found.fix == "Remove the row."
    assert "ignored-option" not in rules_of(planned("2025-03-07"), tmp_path / "b")


def test_sslrequired_of_an_account_is_ignored_by_a_new_server(tmp_path: Path) -> None:
    cells = {"sslrequired": "Yes"}
    found = only(
        pair(account_cells=cells, held=("SRV1",)), tmp_path / "a", "ignored-account-option"
    )
    assert where(found) == ("note", "2025-03-03", "BA01 on SRV1", "accounts.csv", 2)
    assert found.what == "SSLREQUIRED of the account is set and has no effect"
    old = pair(server_level=OLD, account_cells=cells)
    assert "ignored-account-option" not in rules_of(old, tmp_path / "b")


def test_an_option_that_an_old_client_does_not_know_waits_for_its_upgrade(tmp_path: Path) -> None:
    def refuse(day: str) -> Case:
        row = action(day, "set-option", client="BA01", option="SSLACCEPTCERTFROMSERV", value="No")
        return pair(client_level=OLD, held=("SRV1",), plan=(CLIENT_UP, row))

    found = only(refuse("2025-03-14"), tmp_path / "a", "option-unknown-to-client")
    assert where(found) == (
        "warning",
        "2025-03-14",
        "set-option BA01 SSLACCEPTCERTFROMSERV",
        "plan.csv",
        3,
    )
    assert found.what == "SSLACCEPTCERTFROMSERV is set while BA01 is old"
    assert found.fix == "Set it on the day of the upgrade of BA01, before its first session."
    assert "option-unknown-to-client" not in rules_of(refuse("2025-03-17"), tmp_path / "b")


# --- Replication ---------------------------------------------------------------------------------


def replication(first: str, second: str) -> Case:
    """Build SRC that replicates to TGT by two sessions, upgraded on the given days."""
    return case(
        servers=[server("SRC", OLD), server("TGT", OLD)],
        clients=[client("BA01")],
        sessions=[
            session("SRC", "TGT", kind="server"),
            session("SRC", "TGT", kind="server", account="SRC2"),
            session("BA01", "SRC"),
        ],
        trust=[trust("SRC", "TGT")],
        plan=[
            action(first, "upgrade-server", server="SRC", value=NEW),
            action(second, "upgrade-server", server="TGT", value=NEW),
        ],
    )


def test_a_source_upgraded_after_its_target_is_reported_once(tmp_path: Path) -> None:
    found = only(replication("2025-03-18", "2025-03-11"), tmp_path / "a", "replication-order")
    assert where(found) == ("warning", "2025-03-11", "SRC -> TGT", "sessions.csv", 2)
    assert found.what == (
        "from 2025-03-11 on the source SRC is at 8.1.0, below its target TGT at 8.1.13"
    )
    assert found.fix == ("If this link replicates, upgrade SRC to 8.1.13 on or before 2025-03-11.")
    sound = replication("2025-03-11", "2025-03-11")
    assert "replication-order" not in rules_of(sound, tmp_path / "b")
