from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from planner.domain.options import (
    COMMMETHOD,
    LOCAL_BIT,
    OPTIONS,
    SSL,
    SSLREQUIRED,
    TCPPORT,
    Option,
    Required,
    option_code,
)
from planner.domain.rules import Status
from planner.inventory.schema import SESSIONS
from tests.golden.tables import assert_golden
from tests.oracle import OPTION_DEFAULTS
from tests.strategies import OPTION_VALUES
from tests.test_rules import SOURCES

WITH_CHOICES = [option for option in OPTIONS if option.choices]


def test_the_options_are_those_of_a_session_each_with_its_default() -> None:
    assert {option.column: option.default for option in OPTIONS} == OPTION_DEFAULTS
    assert {option.column for option in OPTIONS} < {column.name for column in SESSIONS}


def test_the_packed_bits_of_the_options_do_not_overlap() -> None:
    used = 0
    for option in WITH_CHOICES:
        assert not used & option.mask
        assert len(option.choices) <= 1 << option.bits
        used |= option.mask
    assert used < 1 << 16
    assert TCPPORT.mask == 0


def test_one_bit_tells_sessions_that_stay_on_the_host() -> None:
    local = [
        choice
        for code, choice in enumerate(COMMMETHOD.choices)
        if code << COMMMETHOD.shift & LOCAL_BIT
    ]
    assert local == ["SHAREDMEM", "NAMEDPIPE"]


@pytest.mark.parametrize("option", WITH_CHOICES)
def test_values_are_found_in_any_letter_case_and_from_the_shortest_form_on(option: Option) -> None:
    for code, (choice, short) in enumerate(
        zip(option.choices, option.choice_abbreviations, strict=True)
    ):
        for length in range(len(short), len(choice) + 1):
            for text in (choice[:length], choice[:length].upper(), choice[:length].swapcase()):
                assert option.code_of(text) == code
        assert option.code_of(f"{choice}x") == (code if option.takes_longer else None)
    assert option.code_of("") == 0


def test_what_is_shorter_than_the_shortest_form_is_no_value() -> None:
    assert SSLREQUIRED.code_of("s") is None
    assert SSLREQUIRED.code_of("serv") is None
    assert SSLREQUIRED.code_of("server") == Required.SERVER_ONLY
    assert COMMMETHOD.code_of("shar") is None


@pytest.mark.parametrize("column", OPTION_VALUES)
def test_every_value_of_the_random_fleets_is_a_value(column: str) -> None:
    option = next(option for option in OPTIONS if option.column == column)
    for text in OPTION_VALUES[column]:
        assert not option.choices or option.code_of(text) is not None


def test_only_methods_of_communication_may_go_on_as_they_like() -> None:
    assert [option for option in OPTIONS if option.takes_longer] == [COMMMETHOD]
    assert COMMMETHOD.choices[COMMMETHOD.code_of("SharedMemory") or 0] == "SHAREDMEM"
    assert COMMMETHOD.choices[COMMMETHOD.code_of("namedpipes") or 0] == "NAMEDPIPE"
    assert COMMMETHOD.code_of("SNALU6.2") is None


def test_codes_of_sslrequired_have_names() -> None:
    names = [Required(code).name.replace("_", "") for code in range(len(SSLREQUIRED.choices))]
    assert names == [choice.upper() for choice in SSLREQUIRED.choices]


@pytest.mark.parametrize("option", OPTIONS)
def test_options_are_found_from_their_shortest_name_on(option: Option) -> None:
    for length in range(len(option.abbreviation), len(option.name) + 1):
        code = option_code(option.name[:length].lower())
        assert code is not None
        assert OPTIONS[code] is option
    assert option_code(f"{option.name}x") is None


@pytest.mark.parametrize(
    "text", ["", "S", "SS", "SSLR", "LANFREES", "COMM", "TCP", "PASSWORDACCESS"]
)
def test_other_names_are_no_options(text: str) -> None:
    assert option_code(text) is None


@given(st.text(max_size=8))
def test_any_text_is_an_option_or_none(text: str) -> None:
    code = option_code(text)
    assert code is None or OPTIONS[code].name.casefold().startswith(text.casefold())


def test_every_option_says_where_it_lives_when_it_counts_and_who_says_so() -> None:
    for option in OPTIONS:
        assert option.location
        assert option.applies
        assert option.ignored
        assert option.source in SOURCES
        assert option.status in list(Status)
        assert option.name.startswith(option.abbreviation)
        assert option.column == option.name.casefold()
    assert SSL.default == "No"


def test_the_table_says_what_it_said() -> None:
    assert_golden("options.csv")
