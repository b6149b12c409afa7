"""Checks of actions, each with a case that it reports and one that it does not."""

from pathlib import Path

import pytest

from tests.builders import account, action, case, certificate, client, server, session, trust
from tests.oracle import Case, Row
from tests.reviewing import CLIENT_UP, NEW, OLD, SERVER_UP, findings_of, only, pair, rules_of, where


def import_on(day: str, **cells: str) -> Row:
    """Build the import of SRV1's certificate into a key database of BA01."""
    return action(day, "import-certificate", **{"client": "BA01", "certificate": "SRV1", **cells})


# --- Names ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("row", "subject", "what", "fix"),
    [
        (
            action("2025-03-10", "upgrade-client", client="BA10", value=NEW),
            "upgrade-client BA10",
            "there is no client 'BA10'; the action has no effect",
            "Correct the name (is it BA01?), or add BA10 to clients.csv.",
        ),
        (
            action("2025-03-10", "import-certificate", client="ghost", certificate="SRV1"),
            "import-certificate ghost SRV1",
            "there is no client 'ghost'; the action has no effect",
            "Correct the name, or add ghost to clients.csv.",
        ),
        (
            action("2025-03-10", "upgrade-server", server="SRV2", value=NEW),
            "upgrade-server SRV2",
            "there is no server 'SRV2'; the action has no effect",
            "Correct the name (is it SRV1?), or add SRV2 to servers.csv.",
        ),
        (
            action("2025-03-10", "upgrade-client", client="SRV1", value=NEW),
            "upgrade-client SRV1",
            "SRV1 is a server and no client; the action has no effect",
            "Use upgrade-server for a server.",
        ),
    ],
)
def test_an_action_on_what_the_fleet_does_not_have_is_an_error(
    tmp_path: Path, row: Row, subject: str, what: str, fix: str
) -> None:
    found = only(pair(plan=(row,)), tmp_path, "unknown-endpoint")
    assert where(found) == ("error", "2025-03-10", subject, "plan.csv", 2)
    assert (found.what, found.fix) == (what, fix)


@pytest.mark.parametrize(
    ("client", "server"), [("ghost", "SRV1"), ("BA01", "ghost"), ("ghost", "spirit")]
)
def test_an_option_of_an_unknown_endpoint_is_told_for_its_name_alone(
    client: str, server: str, tmp_path: Path
) -> None:
    row = action(
        "2025-03-05", "set-option", client=client, server=server, option="SSL", value="Yes"
    )
    rules = rules_of(pair(plan=(row,)), tmp_path)
    assert "unknown-endpoint" in rules
    assert "action-without-effect" not in rules


def test_names_that_the_fleet_has_are_no_fault_in_any_letter_case(tmp_path: Path) -> None:
    rows = (
        action("2025-03-10", "upgrade-server", server="srv1", value="8.1.14"),
        action("2025-03-10", "import-certificate", client="srv1", certificate="SRV1"),
    )
    rules = rules_of(pair(plan=rows), tmp_path)
    assert "unknown-endpoint" not in rules


# --- Actions without effect ----------------------------------------------------------------------

INSTALL = action("2025-03-12", "install-client", client="BA01", value=NEW)
RETIRE = action("2025-03-12", "retire-client", client="BA01")


@pytest.mark.parametrize(
    ("level", "row", "more", "what", "fix"),
    [
        (
            "",
            action("2025-03-05", "upgrade-client", client="BA01", value=NEW),
            (INSTALL,),
            "the client is not installed on that day",
            "Use install-client instead, or correct the day.",
        ),
        (
            "",
            action("2025-03-03", "upgrade-client", client="BA01", value=NEW),
            (INSTALL,),
            "the client is not installed on that day",
            "Use install-client instead, or correct the day.",
        ),
        (
            NEW,
            action("2025-03-14", "retire-client", client="BA01"),
            (RETIRE,),
            "the client is not installed on that day",
            "Remove the row, or correct the day.",
        ),
        (
            NEW,
            import_on("2025-03-05", key_database="api"),
            (),
            "no session of the client uses that key database",
            "Correct key_database, or add it to the client's rows in sessions.csv.",
        ),
        (
            NEW,
            action("2025-03-05", "remove-certificate", client="BA01", certificate="SRV1"),
            (),
            "the certificate is not in the key database on that day",
            "Remove the row, or correct the day.",
        ),
        (
            NEW,
            action(
                "2025-03-05",
                "set-option",
                client="BA01",
                account="nobody",
                option="SSL",
                value="Yes",
            ),
            (),
            "no session of the client has that server, account and key database",
            "Correct the row; leave server, account and key_database empty to mean all.",
        ),
        (
            NEW,
            action(
                "2025-03-05",
                "set-session-security",
                server="SRV1",
                account="nobody",
                value="Strict",
            ),
            (),
            "the server has no such account",
            "Correct the name, or add the account to accounts.csv.",
        ),
        (
            NEW,
            action(
                "2025-03-05", "set-authentication", server="SRV1", account="nobody", value="LDAP"
            ),
            (),
            "the server has no such account",
            "Correct the name, or add the account to accounts.csv.",
        ),
    ],
)
def test_an_action_that_changes_nothing_is_a_warning(
    tmp_path: Path, level: str, row: Row, more: tuple[Row, ...], what: str, fix: str
) -> None:
    found = only(pair(client_level=level, plan=(row, *more)), tmp_path, "action-without-effect")
    assert (found.severity, found.file, found.line) == ("warning", "plan.csv", 2)
    assert found.what == f"{what}; the action has no effect"
    assert found.fix == fix


def test_actions_that_change_something_are_no_fault(tmp_path: Path) -> None:
    plan = (
        INSTALL,
        action("2025-03-13", "upgrade-client", client="BA01", value="8.1.14"),
        action("2025-03-14", "retire-client", client="BA01"),
        action("2025-03-17", "install-client", client="BA01", value=NEW),
        action("2025-03-17", "retire-client", client="BA01"),
        import_on("2025-03-05"),
        import_on("2025-03-06"),
        action("2025-03-06", "remove-certificate", client="BA01", certificate="SRV1"),
        action("2025-03-05", "set-option", client="BA01", server="SRV1", option="SSL", value="Yes"),
        action("2025-03-05", "set-authentication", server="SRV1", value="Local"),
        action("2025-03-05", "set-session-security", server="SRV1", account="BA01", value="Strict"),
    )
    assert "action-without-effect" not in rules_of(pair(client_level="", plan=plan), tmp_path)


# --- Days ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("day", "is_outside"),
    [("2025-03-02", True), ("2025-03-03", False), ("2025-03-30", False), ("2025-03-31", True)],
)
def test_an_action_outside_the_horizon_is_a_warning(
    tmp_path: Path, day: str, *, is_outside: bool
) -> None:
    row = action(day, "upgrade-client", client="BA01", value="8.1.14")
    rows = findings_of(pair(plan=(row,)), tmp_path).of("outside-horizon")
    assert [where(found) for found in rows] == (
        [("warning", day, "upgrade-client BA01", "plan.csv", 2)] if is_outside else []
    )
    for found in rows:
        assert found.what == (
            "the plan runs from 2025-03-03 to 2025-03-30; the action has no effect"
        )
        assert found.fix == "Correct the day, or extend start and end in fleet.toml."


def test_an_upgrade_planned_twice_is_a_warning(tmp_path: Path) -> None:
    again = action("2025-03-24", "upgrade-client", client="ba01", value=NEW)
    broken = pair(client_level=OLD, plan=(CLIENT_UP, again))
    found = only(broken, tmp_path / "a", "repeated-action")
    assert where(found) == ("warning", "2025-03-24", "upgrade-client BA01", "plan.csv", 3)
    assert found.what == "BA01 is brought to 8.1.13 on 2025-03-17 already (plan.csv:2)"
    assert found.fix == "Remove the row with the wrong day."
    other = action("2025-03-24", "upgrade-client", client="BA01", value="8.1.14")
    sound = pair(client_level=OLD, plan=(CLIENT_UP, other))
    assert "repeated-action" not in rules_of(sound, tmp_path / "b")


def test_the_same_level_after_another_one_or_a_retirement_is_no_repetition(tmp_path: Path) -> None:
    plan = (
        CLIENT_UP,
        action("2025-03-18", "upgrade-client", client="BA01", value="8.1.14"),
        action("2025-03-19", "upgrade-client", client="BA01", value=NEW),
        action("2025-03-20", "retire-client", client="BA01"),
        action("2025-03-21", "install-client", client="BA01", value=NEW),
    )
    assert "repeated-action" not in rules_of(pair(client_level=OLD, plan=plan), tmp_path)


def test_two_retirements_are_no_repeated_upgrade(tmp_path: Path) -> None:
    again = action("2025-03-14", "retire-client", client="BA01")
    assert "repeated-action" not in rules_of(pair(plan=(RETIRE, again)), tmp_path)


def test_a_server_and_a_client_of_equal_numbers_do_not_repeat_each_other(tmp_path: Path) -> None:
    plan = (SERVER_UP, action("2025-03-10", "upgrade-client", client="BA01", value=NEW))
    sound = pair(server_level=OLD, client_level=OLD, plan=plan)
    assert "repeated-action" not in rules_of(sound, tmp_path)


@pytest.mark.parametrize("name", ["ghost", "other", "third"])
def test_upgrades_of_unknown_names_repeat_nothing(tmp_path: Path, name: str) -> None:
    plan = (
        SERVER_UP,
        action("2025-03-11", "upgrade-client", client="ghost", value=NEW),
        action("2025-03-11", "upgrade-client", client="other", value=NEW),
        action("2025-03-12", "upgrade-server", server=name, value=NEW),
        CLIENT_UP,
    )
    sound = pair(server_level=OLD, client_level=OLD, plan=plan)
    assert "repeated-action" not in rules_of(sound, tmp_path)


def test_a_row_that_occurs_twice_is_a_warning(tmp_path: Path) -> None:
    twice = pair(plan=(import_on("2025-03-05"), import_on("2025-03-05")))
    found = only(twice, tmp_path / "a", "repeated-action")
    assert where(found)[1:] == ("2025-03-05", "import-certificate BA01 SRV1", "plan.csv", 3)
    assert found.what == "the same row occurs twice on 2025-03-05 (also plan.csv:2)"
    sound = pair(plan=(import_on("2025-03-05"), import_on("2025-03-06")))
    assert "repeated-action" not in rules_of(sound, tmp_path / "b")


# --- Calendar ------------------------------------------------------------------------------------


def frozen(day: str) -> Case:
    """Build an upgrade near the freeze from 10 to 14 March."""
    return case(
        servers=[server("SRV1", NEW)],
        clients=[client("BA01", OLD)],
        sessions=[session("BA01", "SRV1")],
        trust=[trust("BA01", "SRV1")],
        plan=[action(day, "upgrade-client", client="BA01", value=NEW)],
        freezes=[("2025-03-10", "2025-03-15")],
    )


def test_an_action_in_a_freeze_is_an_error(tmp_path: Path) -> None:
    found = only(frozen("2025-03-14"), tmp_path / "a", "in-freeze")
    assert where(found) == ("error", "2025-03-14", "upgrade-client BA01", "plan.csv", 2)
    assert found.what == "2025-03-14 lies in the freeze 'freeze 1', 2025-03-10 to 2025-03-14"
    assert found.fix == "Move it before 2025-03-10, or to 2025-03-15 or later."
    assert "in-freeze" not in rules_of(frozen("2025-03-15"), tmp_path / "b")


@pytest.mark.parametrize("site", ["Harbour", "harbour"])
def test_an_upgrade_outside_its_sites_window_is_an_error(tmp_path: Path, site: str) -> None:
    def windowed(day: str) -> Case:
        built = pair(server_level=OLD, server_cells={"site": site})
        built.toml["calendar"] = {"window": [{"site": "harbour", "days": ["Tue", "Thu"]}]}
        assert built.plan is not None
        built.plan.append(action(day, "upgrade-server", server="SRV1", value=NEW))
        built.plan.append(action(day, "upgrade-client", client="BA01", value="8.1.14"))
        return built

    found = only(windowed("2025-03-12"), tmp_path / "a", "outside-window")
    assert where(found) == ("error", "2025-03-12", "upgrade-server SRV1", "plan.csv", 2)
    assert found.what == "2025-03-12 is a Wednesday; harbour may be upgraded on Tue, Thu"
    assert found.fix == "Move it to one of Tue, Thu."
    assert "outside-window" not in rules_of(windowed("2025-03-13"), tmp_path / "b")


def test_an_import_on_a_day_off_is_a_warning(tmp_path: Path) -> None:
    found = only(pair(plan=(import_on("2025-03-08"),)), tmp_path / "a", "not-a-working-day")
    assert where(found) == (
        "warning",
        "2025-03-08",
        "import-certificate BA01 SRV1",
        "plan.csv",
        2,
    )
    assert found.what == "2025-03-08 is a Saturday on which nobody works"
    assert found.why == "Imports and option changes are made on working days."
    assert found.fix == "Move it to 2025-03-07, the working day before."
    sound = pair(plan=(import_on("2025-03-07"),))
    assert "not-a-working-day" not in rules_of(sound, tmp_path / "b")


def test_the_working_day_before_a_freeze_of_years_is_found(tmp_path: Path) -> None:
    built = pair(plan=(import_on("2025-03-08"),))
    freeze = {"name": "long", "start": "2023-11-01", "end": "2025-03-08"}
    built.toml["calendar"] = {"freeze": [freeze]}
    found = only(built, tmp_path, "not-a-working-day")
    assert found.fix == "Move it to 2023-10-31, the working day before."


@pytest.mark.parametrize(
    ("upgrade", "cells", "is_fault"),
    [
        (action("2025-03-08", "upgrade-client", client="BA01", value=NEW), {}, False),
        (action("2025-03-08", "upgrade-server", server="SRV1", value=NEW), {}, True),
        (
            action("2025-03-08", "upgrade-server", server="SRV1", value=NEW),
            {"server": "SRV1"},
            False,
        ),
        (action("2025-03-10", "upgrade-client", client="BA01", value=NEW), {}, True),
    ],
)
def test_an_option_may_change_on_a_day_off_with_its_upgrade_alone(
    tmp_path: Path, upgrade: Row, cells: Row, *, is_fault: bool
) -> None:
    option = action("2025-03-08", "set-option", client="BA01", option="SSL", value="No", **cells)
    rules = rules_of(pair(client_level=OLD, plan=(upgrade, option)), tmp_path)
    assert ("not-a-working-day" in rules) is is_fault


def test_an_option_does_not_belong_to_the_upgrade_of_another_client(tmp_path: Path) -> None:
    built = case(
        servers=[server("SRV1", OLD)],
        clients=[client("BA01", OLD), client("BA02", OLD)],
        sessions=[session("BA01", "SRV1"), session("BA02", "SRV1")],
        plan=[
            action("2025-03-08", "upgrade-client", client="BA02", value=NEW),
            action("2025-03-08", "set-option", client="BA01", option="SSL", value="Yes"),
        ],
    )
    assert only(built, tmp_path, "not-a-working-day").subject.startswith("set-option BA01")


def test_a_removal_on_the_day_of_the_import_undoes_something(tmp_path: Path) -> None:
    built = case(
        servers=[server("SRV1", OLD)],
        clients=[client("BA01", OLD), client("BA02", OLD)],
        sessions=[session("BA01", "SRV1"), session("BA02", "SRV1")],
        plan=[
            action(day, kind, client="BA02", certificate="SRV1")
            for day, kind in (
                ("2025-03-05", "import-certificate"),
                ("2025-03-05", "remove-certificate"),
                ("2025-03-06", "remove-certificate"),
            )
        ],
    )
    found = only(built, tmp_path, "action-without-effect")
    assert where(found)[1:3] == ("2025-03-06", "remove-certificate BA02 SRV1")


@pytest.mark.parametrize(
    ("field", "kind", "label"),
    [
        ("clients_per_week", "upgrade-client", "client upgrades"),
        ("servers_per_week", "upgrade-server", "server upgrades"),
        ("imports_per_week", "import-certificate", "imports"),
    ],
)
def test_a_week_over_capacity_is_a_warning(
    tmp_path: Path, field: str, kind: str, label: str
) -> None:
    def weekly(limit: int) -> Case:
        # Monday and Sunday of one week, and Monday of the next one.
        days = ("2025-03-10", "2025-03-16", "2025-03-17")
        values = ("8.1.14", "8.1.15", "8.1.16")
        rows = [
            action(day, kind, client="BA01", server="SRV1", certificate="SRV1", value=value)
            for day, value in zip(days, values, strict=True)
        ]
        built = pair(plan=tuple(rows))
        built.toml["capacity"] = {field: limit}
        return built

    found = only(weekly(1), tmp_path / "a", "over-capacity")
    assert where(found) == ("warning", "2025-03-10", f"{label} in week 2025-W11", "fleet.toml", 0)
    assert found.what == (
        f"2 {label} are planned in the week from 2025-03-10 on, and 1 are possible"
    )
    assert found.fix == f"Move 1 of them to another week, or raise capacity.{field}."
    assert "over-capacity" not in rules_of(weekly(2), tmp_path / "b")


# --- Levels and accounts -------------------------------------------------------------------------


@pytest.mark.parametrize("day", ["2025-03-03", "2025-03-19"])
def test_a_downgrade_of_session_security_is_an_error(tmp_path: Path, day: str) -> None:
    def going_to(level: str) -> Case:
        down = action(day, "upgrade-client", client="BA01", value=level)
        return pair(client_level="7.1.8", held=("SRV1",), plan=(down,))

    found = only(going_to("8.1.1"), tmp_path / "a", "security-downgrade")
    assert where(found) == ("error", day, "upgrade-client BA01", "plan.csv", 2)
    assert found.what == (
        "BA01 goes from 7.1.8, which has the new session security, to 8.1.1, which has not"
    )
    assert found.fix == "Upgrade BA01 to 8.1.2 or later instead."
    assert "security-downgrade" not in rules_of(going_to("8.1.2"), tmp_path / "b")


def test_a_second_level_is_compared_with_the_first_one(tmp_path: Path) -> None:
    down = action("2025-03-19", "upgrade-client", client="BA01", value="8.1.0")
    broken = pair(client_level=OLD, held=("SRV1",), plan=(CLIENT_UP, down))
    assert "goes from 8.1.13," in only(broken, tmp_path / "a", "security-downgrade").what
    retired = action("2025-03-18", "retire-client", client="BA01")
    again = action("2025-03-19", "install-client", client="BA01", value="8.1.0")
    sound = pair(client_level=OLD, held=("SRV1",), plan=(CLIENT_UP, retired, again))
    assert "security-downgrade" not in rules_of(sound, tmp_path / "b")


def reset(day: str = "2025-03-12") -> Row:
    """Build the reset of BA01's account."""
    return action(day, "set-session-security", server="SRV1", account="BA01", value="Transitional")


def test_a_reset_that_lasts_no_day_names_who_undoes_it(tmp_path: Path) -> None:
    found = only(pair(held=("SRV1",), plan=(reset(),)), tmp_path / "a", "reset-without-effect")
    assert where(found) == (
        "warning",
        "2025-03-12",
        "set-session-security SRV1 BA01",
        "plan.csv",
        2,
    )
    assert found.what == (
        "the account is strict again on the same day, when BA01 logs on as a new client"
    )
    assert found.fix == (
        "Upgrade the old clients of the account, or give them an account of their own."
    )
    down = action("2025-03-12", "upgrade-client", client="BA01", value="8.1.1")
    sound = pair(held=("SRV1",), plan=(down, reset()))
    assert "reset-without-effect" not in rules_of(sound, tmp_path / "b")


def test_an_unknown_level_is_a_warning_at_its_row(tmp_path: Path) -> None:
    rows = findings_of(pair(server_level="", client_level=""), tmp_path / "a").of("unknown-level")
    assert [where(row) for row in rows] == [
        ("warning", "2025-03-03", "BA01", "clients.csv", 2),
        ("warning", "2025-03-03", "SRV1", "servers.csv", 2),
    ]
    assert [row.what for row in rows] == [
        "the level of BA01 is not known; it counts as old",
        "the level of SRV1 is not known; it counts as old",
    ]
    assert [row.fix for row in rows] == [
        "Fill in its level, or remove BA01 if it is no longer there; if it is still to come, plan "
        "an install-client.",
        "Fill in its level, or remove SRV1 if it is no longer there.",
    ]
    absent = pair(client_level="", plan=(INSTALL,))
    assert "unknown-level" not in rules_of(absent, tmp_path / "b")


def test_one_port_for_plain_and_ssl_sessions_is_a_warning(tmp_path: Path) -> None:
    def ports(ssl_port: str) -> Case:
        return pair(server_cells={"tcpport": "1500", "ssltcpport": ssl_port})

    found = only(ports("1500"), tmp_path / "a", "equal-ports")
    assert where(found) == ("warning", "2025-03-03", "SRV1", "servers.csv", 2)
    assert found.what == "tcpport and ssltcpport of SRV1 are both 1500"
    assert "equal-ports" not in rules_of(ports("1543"), tmp_path / "b")


def test_transitional_accounts_below_8_1_15_are_a_warning_until_the_upgrade(tmp_path: Path) -> None:
    found = only(pair(server_level="8.1.14"), tmp_path / "a", "transitional-account")
    assert where(found) == ("warning", "2025-03-03", "SRV1", "servers.csv", 2)
    assert found.what == (
        "1 account is transitional on SRV1, which is at 8.1.14, below 8.1.15 to the end of the "
        "plan; 1 never become strict"
    )
    assert found.fix == "Upgrade SRV1 to 8.1.15 or later, and remove accounts that nobody uses."
    up = action("2025-03-10", "upgrade-server", server="SRV1", value="8.1.15")
    note = only(
        pair(server_level="8.1.14", held=("SRV1",), plan=(up,)),
        tmp_path / "b",
        "transitional-account",
    )
    assert note.severity == "note"
    assert note.what.endswith("below 8.1.15 until 2025-03-10")
    assert note.fix == "Nothing more than this upgrade; do not put it off."
    assert "transitional-account" not in rules_of(pair(server_level="8.1.15"), tmp_path / "c")
    strict = pair(server_level="8.1.14", account_cells={"session_security": "Strict"})
    assert "transitional-account" not in rules_of(strict, tmp_path / "d")


def test_a_fleet_without_clients_and_sessions_has_no_fault(tmp_path: Path) -> None:
    empty = case(
        servers=[server("SRV1", "8.1.15")],
        clients=[],
        sessions=[],
        accounts=[account("SRV1", "OPS", session_security="Strict")],
        certificates=[certificate("SRV1")],
    )
    assert not findings_of(empty, tmp_path).rows
