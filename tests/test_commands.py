"""The exact commands of actions, and that no name can break out of its quotes."""

import shlex

import pytest

from planner.domain.fleet import AccountKind
from planner.domain.options import OPTIONS, SSL, SSLREQUIRED, TCPPORT, Option
from planner.reporting import commands

NASTY = "a b; rm -rf $HOME 'x' \"y\" `z`"


def test_an_import_on_a_new_client_uses_dsmcert() -> None:
    assert commands.import_by_dsmcert("keeper", "root.arm") == (
        "dsmcert -add -server keeper -file root.arm"
    )


@pytest.mark.parametrize("database", [commands.CLIENT_DATABASE, commands.SERVER_DATABASE])
def test_an_import_elsewhere_uses_gsk8capicmd_with_its_key_database(database: str) -> None:
    assert commands.import_by_gsk8capicmd("root", "root.arm", database=database) == (
        f"gsk8capicmd_64 -cert -add -db {database} -stashed -format ascii "
        "-label root -file root.arm"
    )


def test_every_name_is_one_word_of_the_shell() -> None:
    for command, place in (
        (commands.import_by_dsmcert(NASTY, "f"), 3),
        (commands.import_by_dsmcert("n", NASTY), 5),
        (commands.import_by_gsk8capicmd(NASTY, "f", database="d"), -3),
        (commands.remove(NASTY, database="d"), -1),
        (commands.present(NASTY, overlaps=True), -1),
        (commands.present(NASTY, overlaps=False), -1),
        (commands.set_session_security(AccountKind.NODE, NASTY, "Strict"), 2),
        (commands.set_authentication(AccountKind.NODE, NASTY, "LDAP"), 2),
    ):
        assert shlex.split(command)[place] == NASTY


@pytest.mark.parametrize(
    ("option", "value", "line"),
    [
        (SSL, "yes", "SSL Yes"),
        (SSL, "", "SSL No"),
        (SSLREQUIRED, "", "SSLREQUIRED Default"),
        (SSLREQUIRED, "server", "SSLREQUIRED ServerOnly"),
        (TCPPORT, "1543", "TCPPORT 1543"),
        (TCPPORT, "", ""),
    ],
)
def test_an_option_line_spells_its_value_out(option: Option, value: str, line: str) -> None:
    assert commands.option_line(option, value) == line


def test_every_option_with_choices_has_a_line_for_its_default() -> None:
    for option in OPTIONS:
        if option.choices:
            assert commands.option_line(option, "") == f"{option.name} {option.default}"


@pytest.mark.parametrize(
    ("kind", "word"),
    [(AccountKind.NODE, "NODE"), (AccountKind.ADMIN, "ADMIN"), (AccountKind.SERVER, "SERVER")],
)
def test_session_security_is_set_where_the_account_is_defined(kind: AccountKind, word: str) -> None:
    assert commands.set_session_security(kind, "x", "Transitional") == (
        f"UPDATE {word} x SESSIONSECURITY=TRANSITIONAL"
    )


def test_authentication_is_set_for_an_account_or_as_the_servers_default() -> None:
    assert commands.set_authentication(AccountKind.ADMIN, "x", "ldap") == (
        "UPDATE ADMIN x AUTHENTICATION=LDAP"
    )
    assert commands.set_authentication(AccountKind.NODE, "", "Local") == (
        "SET DEFAULTAUTHENTICATION LOCAL"
    )
    assert commands.set_authentication(AccountKind.SERVER, "x", "LDAP") == ""


def test_a_server_presents_another_certificate_by_its_own_command_from_8_1_19_on() -> None:
    assert commands.present("new", overlaps=True) == "SET DEFAULTTLSCERT new"
    assert commands.present("new", overlaps=False) == (
        "gsk8capicmd_64 -cert -setdefault -db cert.kdb -stashed -label new"
    )
