"""The colour table: every mode has its own colour, hatch and letter, and every text contrasts."""

import math
from itertools import combinations

import pytest

from planner.domain.rules import Mode
from planner.reporting import colours
from planner.reporting.colours import (
    BAND,
    INK,
    MODE_COLOURS,
    MODE_HATCHES,
    MODE_LETTERS,
    MUTED,
    PAPER,
    SHADE,
    STACKING,
    contrast,
    darkened,
    mixed,
    text_on,
)

LEAST_OF_TEXT = 4.5
# Viénot, Brettel and Mollon (1999): what eyes without red or green cones see of linear RGB.
WITHOUT_RED = ((0.11238, 0.88762, 0.0), (0.11238, 0.88762, 0.0), (0.00401, -0.00401, 1.0))
WITHOUT_GREEN = ((0.29275, 0.70725, 0.0), (0.29275, 0.70725, 0.0), (-0.02234, 0.02234, 1.0))


def linear(colour: str) -> tuple[float, ...]:
    """Return red, green and blue in linear light."""
    channels = (int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5))
    return tuple(c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)


def distance(one: str, other: str, seen: tuple[tuple[float, float, float], ...]) -> float:
    """Return how far two colours are apart in cube-rooted light, as such eyes see them."""

    def sensed(colour: str) -> list[float]:
        light = linear(colour)
        mixed_light = (sum(a * b for a, b in zip(row, light, strict=True)) for row in seen)
        return [max(0.0, value) ** (1 / 3) for value in mixed_light]

    return math.dist(sensed(one), sensed(other))


def test_every_mode_has_a_colour_a_hatch_and_a_letter_of_its_own() -> None:
    for table in (MODE_COLOURS, MODE_HATCHES, MODE_LETTERS):
        assert set(table) == set(Mode)
        assert len(set(table.values())) == len(Mode)
    assert sorted(STACKING) == sorted(Mode)


def test_contrast_follows_the_definition() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)
    assert contrast("#ffffff", "#777777") == contrast("#777777", "#ffffff")


@pytest.mark.parametrize("background", [PAPER, BAND, SHADE])
@pytest.mark.parametrize("ink", [INK, MUTED])
def test_text_can_be_read_on_every_background(ink: str, background: str) -> None:
    assert contrast(ink, background) >= LEAST_OF_TEXT


@pytest.mark.parametrize("mode", list(Mode))
def test_the_letter_of_a_mode_can_be_read_on_its_colour(mode: Mode) -> None:
    assert contrast(text_on(MODE_COLOURS[mode]), MODE_COLOURS[mode]) >= LEAST_OF_TEXT


def test_the_number_in_a_cell_can_be_read_on_every_shade_of_its_colour() -> None:
    for colour in (colours.BLUE, colours.PURPLE, colours.VERMILION, MUTED):
        for percent in range(101):
            shade = mixed(colour, percent / 100)
            assert contrast(text_on(shade), shade) >= LEAST_OF_TEXT


@pytest.mark.parametrize("eyes", [WITHOUT_RED, WITHOUT_GREEN])
def test_colour_blind_people_tell_all_modes_apart(
    eyes: tuple[tuple[float, float, float], ...],
) -> None:
    for one, other in combinations(MODE_COLOURS.values(), 2):
        assert distance(one, other, eyes) > 0.08, (one, other)


def test_the_check_for_colour_blindness_would_refuse_red_beside_green() -> None:
    assert distance("#b04030", "#607030", WITHOUT_GREEN) < 0.08


def test_mixing_with_white_and_black_ends_where_it_should() -> None:
    assert mixed("#123456", 1) == darkened("#123456", 1) == "#123456"
    assert mixed("#123456", 0) == "#ffffff"
    assert darkened("#123456", 0) == "#000000"
