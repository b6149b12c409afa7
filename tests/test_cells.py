from __future__ import annotations

from collections.abc import Callable
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from planner.domain.calendar import to_day
from planner.domain.errors import Fault
from planner.domain.levels import Level
from planner.domain.names import Names
from planner.domain.options import COMMMETHOD, OPTIONS, SSLREQUIRED
from planner.inventory.cells import (
    YES_NO,
    CellError,
    Cells,
    Choices,
    parse_day,
    parse_level,
    parse_port,
    parse_weight,
)
from planner.inventory.csv_tables import Table
from planner.inventory.fleet_tables import AUTHENTICATIONS, SECURITIES


def table(*cells: str) -> Table:
    return Table(
        file="clients.csv",
        lines=range(2, len(cells) + 2),
        columns={"level": cells},
        extra_columns={},
        heading_line=1,
        is_whole=True,
    )


@pytest.mark.parametrize("text", ["0001-01-01", "1970-01-01", "2028-02-29", "9999-12-31"])
def test_dates_are_days_since_1970(text: str) -> None:
    assert parse_day(text) == to_day(date.fromisoformat(text))


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("2027-02-30", "2027-02-28"),
        ("2028-02-31", "2028-02-29"),
        ("2027-1-4", "2027-01-04"),
        ("2027/01/04", "2027-01-04"),
        ("4.1.2027", "2027-01-04"),
        ("31.11.2027", "2027-11-30"),
        ("20270104", "2027-01-04"),
        ("2027-01-04 00:00:00", "2027-01-04"),
        ("0000-01-01", "2027-01-31"),
        ("2027-13-01", "2027-01-31"),
        ("2027-01-00", "2027-01-31"),
        ("01/02/2027", "2027-01-31"),
        ("10000-01-01", "2027-01-31"),
        ("\uff12\uff10\uff12\uff17-01-04", "2027-01-31"),
        ("soon", "2027-01-31"),
    ],
)
def test_what_is_no_date_is_answered_with_the_date_that_is_meant(text: str, meant: str) -> None:
    with pytest.raises(CellError, match=f"^is not a date; write it as {meant}$"):
        parse_day(text)


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("8.1.x", "8.1.13 or 8.1.13.2"),
        ("8.1", "8.1.13 or 8.1.13.2"),
        ("V8.1.13", "8.1.13"),
        ("8,1,13", "8.1.13"),
        ("8.1.13-2", "8.1.13.2"),
        ("8.1.13.2.1", "8.1.13 or 8.1.13.2"),
        ("8.1.99999", "8.1.13 or 8.1.13.2"),
        ("9" * 5000, "8.1.13 or 8.1.13.2"),
    ],
)
def test_what_is_no_level_is_answered_with_the_level_that_is_meant(text: str, meant: str) -> None:
    with pytest.raises(CellError, match=f"^is not a product level; write it as {meant}$"):
        parse_level(text)
    assert parse_level("8.1.13.2") == Level(8, 1, 13, 2)


@pytest.mark.parametrize("text", ["0", "-1", "65536", "1500.0", "9" * 5000, "²", "1 500", "x"])
def test_ports_are_numbers_from_1_to_65535(text: str) -> None:
    assert parse_port("65535") == 65535
    with pytest.raises(CellError, match="is not a port; write a number from 1 to 65535"):
        parse_port(text)


@pytest.mark.parametrize(
    ("text", "weight"), [("0", 0), ("1", 1), ("2.5", 2.5), (".5", 0.5), ("1e3", 1000), ("3.", 3)]
)
def test_weights_are_plain_numbers(text: str, weight: float) -> None:
    assert parse_weight(text) == weight


@pytest.mark.parametrize("text", ["-1", "nan", "inf", "1e99", "1_0", "1000001", "9" * 5000, "x"])
def test_other_numbers_are_no_weights(text: str) -> None:
    with pytest.raises(CellError, match=r"write a number from 0 to 1000000, such as 2\.5"):
        parse_weight(text)


def test_a_decimal_comma_is_answered_with_a_point() -> None:
    with pytest.raises(CellError, match=r"such as 3\.75"):
        parse_weight("3,75")


@given(st.text(max_size=12))
def test_parsers_return_a_value_or_say_what_is_wrong(text: str) -> None:
    parsers: tuple[Callable[[str], object], ...] = (
        parse_day,
        parse_level,
        parse_port,
        parse_weight,
        YES_NO.code,
        SECURITIES.value,
    )
    for parse in parsers:
        try:
            parse(text)
        except CellError as error:
            assert error.what  # noqa: PT017 - either outcome is right
            assert error.cure  # noqa: PT017 - as above


@pytest.mark.parametrize(
    ("choices", "text", "value"),
    [
        (YES_NO, "yes", "Yes"),
        (YES_NO, "N", "No"),
        (AUTHENTICATIONS, "ldap", "LDAP"),
        (AUTHENTICATIONS, "LO", "Local"),
        (SECURITIES, "TRANS", "Transitional"),
        (SECURITIES, "strict", "Strict"),
        (Choices({"storage-agent": 4}), "Storage_Agent", "storage-agent"),
        (Choices({"storage-agent": 4}), "storage agent", "storage-agent"),
        (Choices.of_option(SSLREQUIRED), "server", "ServerOnly"),
        (Choices.of_option(SSLREQUIRED), "Server-Only", "ServerOnly"),
        (Choices.of_option(COMMMETHOD), "sharedmemory", "SHAREDMEM"),
        (Choices.of_option(COMMMETHOD), "NamedPipes", "NAMEDPIPE"),
        (Choices.of_option(COMMMETHOD), "share", "SHAREDMEM"),
    ],
)
def test_values_are_found_in_any_letter_case_and_by_their_abbreviation(
    choices: Choices, text: str, value: str
) -> None:
    assert choices.value(text) == value


@pytest.mark.parametrize("text", ["yess", "-", "_", "ye s!", "true"])
def test_what_is_no_value_is_answered_with_all_values(text: str) -> None:
    with pytest.raises(CellError, match="use one of Yes, No"):
        YES_NO.code(text)


def test_the_nearest_value_comes_first_in_the_cure() -> None:
    with pytest.raises(CellError, match=r"did you mean 'LDAP'\? use one of Local, LDAP"):
        AUTHENTICATIONS.code("LDPA")


def test_values_of_options_are_those_of_the_domain() -> None:
    for option in OPTIONS:
        if option.choices:
            choices = Choices.of_option(option)
            for code, (choice, short) in enumerate(
                zip(option.choices, option.choice_abbreviations, strict=True)
            ):
                for text in (choice, choice.upper(), short, short.lower()):
                    assert choices.code(text) == option.code_of(text) == code


def test_each_wrong_cell_is_a_fault_and_has_the_value_of_an_empty_one() -> None:
    faults: list[Fault] = []
    cells = Cells(faults)
    values = cells.parsed(
        table("8.1.13", "", "8.1.x", "8.1.13", "8.1.x"), "level", parse_level, None
    )
    assert values == [Level(8, 1, 13), None, None, Level(8, 1, 13), None]
    assert [str(fault) for fault in faults] == [
        "clients.csv:4: level '8.1.x' is not a product level; write it as 8.1.13 or 8.1.13.2",
        "clients.csv:6: level '8.1.x' is not a product level; write it as 8.1.13 or 8.1.13.2",
    ]


def test_a_required_cell_that_is_empty_is_a_fault() -> None:
    faults: list[Fault] = []
    assert Cells(faults).parsed(table("", "2"), "level", parse_port, 0, is_required=True) == [0, 2]
    assert [str(fault) for fault in faults] == ["clients.csv:2: level is empty; fill it in"]


def test_names_hold_no_control_characters() -> None:
    faults: list[Fault] = []
    assert Cells(faults).names(table("db1", "d\nb", "ü"), "level") == ["db1", "", "ü"]
    assert [str(fault) for fault in faults] == [
        "clients.csv:3: level 'd\\nb' holds a character that cannot be printed; write the name "
        "without it"
    ]


def test_of_many_unknown_names_the_first_ones_get_a_suggestion() -> None:
    cells = Cells([])
    names = Names(f"client{number:06}" for number in range(100_000))
    cures = [cells.did_you_mean(f"klient{number:06}", names, "add it") for number in range(1_000)]
    assert cures[0] == "did you mean 'client000000'?"
    assert cures[-1] == "add it"
