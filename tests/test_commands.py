"""The exact commands of actions, and that no name can break out of its quotes."""

import re
import shlex

import pytest

from planner.domain.fleet import AccountKind, ClientKind
from planner.domain.options import OPTIONS, SSL, SSLREQUIRED, TCPPORT, Option
from planner.domain.platforms import Platform, place_of
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


# --- With paths, for the shell of the platform ---------------------------------------------------

LINUX = place_of(Platform.LINUX, ClientKind.BACKUP, "default")
WINDOWS = place_of(Platform.WINDOWS, ClientKind.BACKUP, "default")


def arguments_of_windows(command: str) -> list[str]:
    """Take a command line apart as the prompt of Windows and then the program do."""
    bare, is_quoted, signs = "", False, iter(command)
    for sign in signs:  # the prompt: ^ takes a sign's meaning, outside quotation marks
        if sign == "^" and not is_quoted:
            bare += next(signs)
            continue
        assert is_quoted or sign not in "&|<>", command
        assert sign != "%", command  # it would be replaced by a variable
        is_quoted ^= sign == '"'
        bare += sign
    words, word, is_quoted, slashes = [], "", False, 0
    for sign in f"{bare} ":  # the program: backslashes mean something before quotation marks only
        if sign == "\\":
            slashes += 1
            continue
        if sign == '"':
            word += "\\" * (slashes // 2)
            if slashes % 2:
                word += '"'
            else:
                is_quoted = not is_quoted
        else:
            word += "\\" * slashes
            if sign == " " and not is_quoted:
                words.append(word)
                word = ""
            else:
                word += sign
        slashes = 0
    return words


def test_a_command_with_a_place_has_the_path_of_its_program_and_key_database() -> None:
    assert commands.import_by_dsmcert("keeper", "root.arm", place=LINUX) == (
        "/opt/tivoli/tsm/client/ba/bin/dsmcert -add -server keeper -file root.arm"
    )
    assert commands.import_by_gsk8capicmd(
        "root", "root.arm", database=commands.CLIENT_DATABASE, place=WINDOWS
    ) == (
        '"C:\\Program Files\\IBM\\gsk8\\bin\\gsk8capicmd_64.exe" -cert -add -db '
        '"C:\\Program Files\\Tivoli\\TSM\\baclient\\dsmcert.kdb" -stashed -format ascii '
        "-label root -file root.arm"
    )
    nowhere = place_of(Platform.UNKNOWN, ClientKind.BACKUP, "default")
    assert commands.list_certificates(database="cert.kdb", place=nowhere) == (
        "gsk8capicmd_64 -cert -list -db cert.kdb -stashed"
    )


def test_a_users_key_database_is_opened_as_that_user() -> None:
    place = place_of(Platform.LINUX, ClientKind.BACKUP, "oracle")
    assert commands.import_by_dsmcert("k", "f", place=place).startswith("sudo -H -u oracle /opt/")
    listing = commands.list_certificates(database="dsmcert.kdb", place=place)
    # In quotes the shell would not look up the home folder.
    assert " -db ~oracle/IBM/StorageProtect/certs/dsmcert.kdb " in listing
    odd = place_of(Platform.LINUX, ClientKind.BACKUP, "a b;c")
    listing = commands.list_certificates(database="dsmcert.kdb", place=odd)
    assert shlex.split(listing)[8] == "~a b;c/IBM/StorageProtect/certs/dsmcert.kdb"


@pytest.mark.parametrize(
    "word",
    [
        NASTY,
        'a"b',
        "100%",
        "%PATH%",
        "a&calc",
        "a^b",
        "trailing\\",
        'quote\\"',
        'x\\\\" & calc & "',
        "(x)",
        "",
        "plain",
        "!x!",
    ],
)
def test_no_name_breaks_out_of_its_quotes_on_any_platform(word: str) -> None:
    unix = commands.import_by_dsmcert(word, word, place=LINUX)
    assert shlex.split(unix)[3:] == [word, "-file", word]
    windows = commands.import_by_dsmcert(word, word, place=WINDOWS)
    found = arguments_of_windows(windows)
    assert found[0] == "C:\\Program Files\\Tivoli\\TSM\\baclient\\dsmcert.exe"
    assert found[1:] == ["-add", "-server", word, "-file", word]


def test_no_command_deletes_a_key_database() -> None:
    made = [
        commands.remove("x", database="d"),
        commands.create("x"),
        *commands.renewal(),
        commands.present("x", overlaps=False),
    ]
    assert not any(re.search(r"-keydb|\brm\b|\bdel\b", line) for line in made)
    assert commands.make_database(database="d") == (
        "gsk8capicmd_64 -keydb -create -populate -db d -genpw -stash"
    )


def test_a_server_below_8_1_19_saves_its_files_before_anything_is_removed() -> None:
    lines = commands.renewal()
    saved = next(n for n, line in enumerate(lines) if "Copy cert256.arm, cert.kdb" in line)
    removed = next(n for n, line in enumerate(lines) if "-cert -delete" in line)
    assert lines[0] == "HALT"
    assert 0 < saved < removed < len(lines) - 1
    assert lines[-1].startswith("gsk8capicmd_64 -cert -details -db cert.kdb -stashed -label 'TSM ")


def test_a_request_and_what_comes_back_stay_on_the_server() -> None:
    words = shlex.split(commands.request(NASTY, "srv1.example; halt", "x y.csr"))
    assert words[words.index("-label") + 1] == NASTY
    assert words[words.index("-dn") + 1] == "CN=srv1.example; halt"
    assert words[-2:] == ["-file", "x y.csr"]
    assert commands.receive("new.arm") == (
        "gsk8capicmd_64 -cert -receive -db cert.kdb -stashed -file new.arm -default_cert no"
    )
