from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from planner.domain.levels import (
    NOT_INSTALLED_FACTS,
    UNKNOWN_LEVEL_FACTS,
    Era,
    Level,
    LevelFact,
)
from tests.oracle import at_least, below, is_new
from tests.strategies import NEW_LEVELS, OLD_LEVELS

NUMBERS = st.integers(min_value=0, max_value=9999)


@pytest.mark.parametrize(
    ("text", "parts"),
    [("8.1.13", (8, 1, 13, -1)), ("8.1.13.2", (8, 1, 13, 2)), ("08.01.013.0", (8, 1, 13, 0))],
)
def test_levels_are_read_from_three_or_four_numbers(text: str, parts: tuple[int, ...]) -> None:
    level = Level.parse(text)
    assert (level.version, level.release, level.level, level.sublevel) == parts


@pytest.mark.parametrize(
    "text",
    [
        "",
        "8",
        "8.1",
        "8.1.",
        "8.1.x",
        "8.1.1.1.1",
        "8.1.99999",
        " 8.1.1",
        "8.1.1\n",
        "-8.1.1",
        "\uff18.1.1",
    ],
)
def test_other_texts_are_no_levels(text: str) -> None:
    with pytest.raises(ValueError, match="is not a product level"):
        Level.parse(text)


@given(NUMBERS, NUMBERS, NUMBERS, st.none() | NUMBERS)
def test_a_level_reads_back(version: int, release: int, level: int, sublevel: int | None) -> None:
    parts = [version, release, level] + ([] if sublevel is None else [sublevel])
    text = ".".join(map(str, parts))
    assert str(Level.parse(text)) == text


def test_levels_are_ordered_by_number_not_by_text() -> None:
    texts = ["7.1.8", "8.1.0", "8.1.0.0", "8.1.0.1", "8.1.9", "8.1.10", "8.1.10.2", "8.2.0"]
    levels = [Level.parse(text) for text in texts]
    assert sorted(levels, reverse=True) == levels[::-1]


@pytest.mark.parametrize("text", OLD_LEVELS)
def test_levels_before_the_thresholds_are_old(text: str) -> None:
    assert Level.parse(text).era is Era.OLD


@pytest.mark.parametrize("text", NEW_LEVELS)
def test_levels_from_the_thresholds_on_are_new(text: str) -> None:
    assert Level.parse(text).era is Era.NEW


@pytest.mark.parametrize(
    ("fact", "holds", "fails"),
    [
        (LevelFact.NEW, "7.1.8 7.1.8.1 7.9.9 8.1.2 8.1.2.1 9.0.0", "7.1.7.9 8.0.0 8.1.0 8.1.1.300"),
        (LevelFact.TLS13, "8.1.11 8.2.0", "8.1.10.9 7.1.11"),
        (LevelFact.REFUSES_MD5, "7.1.8 7.1.8.3 8.1.2 8.1.3.9", "7.1.9 8.1.1 8.1.4"),
        (LevelFact.BELOW_63, "5.5.0 6.2.9.9", "6.3.0 7.1.0"),
        (LevelFact.LOCAL_TURNS_STRICT, "8.1.6 8.1.6.1", "8.1.5.9 7.1.9"),
        (LevelFact.IS_812, "8.1.2 8.1.2.4", "8.1.3 7.1.2"),
        (LevelFact.LIBRARY_814, "8.1.4 8.1.13", "8.1.3.9 7.1.8"),
        (LevelFact.LIBRARY_718, "7.1.8 7.2.0", "7.1.7 8.0.0 8.1.4"),
        (LevelFact.REPLACES_MD5, "7.1.9 7.9.0 8.1.4", "7.1.8.9 8.0.0 8.1.3"),
        (LevelFact.OVERLAPS, "8.1.19 8.2.0", "8.1.18.9"),
        (LevelFact.FIXES_CVE_2022_22496, "8.1.15 8.2.1", "8.1.14.200"),
        (LevelFact.INSTALLED, "0.0.0 8.1.27", ""),
    ],
)
def test_facts_change_exactly_at_their_thresholds(fact: LevelFact, holds: str, fails: str) -> None:
    assert all(Level.parse(text).facts & fact for text in holds.split())
    assert not any(Level.parse(text).facts & fact for text in fails.split())


def test_every_fact_is_its_own_bit() -> None:
    assert [fact.value for fact in LevelFact] == [1 << place for place in range(len(LevelFact))]


def test_no_test_holds_for_an_unknown_level_or_where_nothing_is_installed() -> None:
    assert UNKNOWN_LEVEL_FACTS == LevelFact.INSTALLED
    assert LevelFact(0) == NOT_INSTALLED_FACTS


@given(st.integers(5, 9), st.integers(0, 3), st.integers(0, 30), st.none() | NUMBERS)
def test_facts_are_those_of_the_oracle_and_never_of_the_sublevel(
    version: int, release: int, number: int, sublevel: int | None
) -> None:
    level = Level(version, release, number, -1 if sublevel is None else sublevel)
    facts, vrl = level.facts, (version, release, number)
    assert facts == Level(*vrl).facts
    assert bool(facts & LevelFact.NEW) == is_new(vrl)
    assert bool(facts & LevelFact.TLS13) == at_least(vrl, (8, 1, 11))
    assert bool(facts & LevelFact.BELOW_63) == below(vrl, (6, 3))
