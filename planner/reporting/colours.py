"""Colours, hatches and letters of modes: one table for every picture and page.

The colours are those of Okabe and Ito, which people with any kind of colour blindness tell apart;
hatch and letter say the same without colour.

References
----------
M. Okabe and K. Ito, Color Universal Design, 2008.
"""

from typing import Final

from planner.domain.rules import Mode, Verdict

PAPER: Final = "#ffffff"
INK: Final = "#1a1a1a"
MUTED: Final = "#595959"
LINE: Final = "#d0d0d0"
BAND: Final = "#f3f3f3"
SHADE: Final = "#ececec"
FREEZE_LINES: Final = "#c4c4c4"

DARK: Final = {
    PAPER: "#16181b",
    INK: "#e8e8e8",
    MUTED: "#b0b4ba",
    LINE: "#565c64",
    BAND: "#24282d",
    SHADE: "#2c3137",
    FREEZE_LINES: "#4a5058",
}
"""What each colour of paper and ink is in the dark theme; those that carry a meaning stay."""

BLUE: Final = "#0072b2"
SKY: Final = "#56b4e9"
GREEN: Final = "#009e73"
ORANGE: Final = "#e69f00"
VERMILION: Final = "#d55e00"
PURPLE: Final = "#cc79a7"

MODE_COLOURS: Final = {
    Mode.INACTIVE: "#dddddd",
    Mode.REFUSED: VERMILION,
    Mode.PLAINTEXT: ORANGE,
    Mode.LOCAL: PURPLE,
    Mode.TLS_PARTIAL: SKY,
    Mode.LEGACY_SSL: BLUE,
    Mode.TLS_FULL: GREEN,
}
MODE_HATCHES: Final = {
    Mode.INACTIVE: "",
    Mode.REFUSED: "xxx",
    Mode.PLAINTEXT: "///",
    Mode.LOCAL: "ooo",
    Mode.TLS_PARTIAL: "\\\\\\",
    Mode.LEGACY_SSL: "---",
    Mode.TLS_FULL: "...",
}
MODE_LETTERS: Final = {
    Mode.INACTIVE: "I",
    Mode.REFUSED: "R",
    Mode.PLAINTEXT: "P",
    Mode.LOCAL: "L",
    Mode.TLS_PARTIAL: "T",
    Mode.LEGACY_SSL: "S",
    Mode.TLS_FULL: "F",
}
VERDICT_COLOURS: Final = {
    Verdict.IN_PLACE: "#dddddd",
    Verdict.OK: GREEN,
    Verdict.TIGHT: SKY,
    Verdict.SAME_DAY: ORANGE,
    Verdict.LATE: VERMILION,
    Verdict.MISSING: PURPLE,
    Verdict.IMPOSSIBLE: "#444444",
}
VERDICT_HATCHES: Final = {
    Verdict.IN_PLACE: "",
    Verdict.OK: "...",
    Verdict.TIGHT: "\\\\\\",
    Verdict.SAME_DAY: "///",
    Verdict.LATE: "xxx",
    Verdict.MISSING: "ooo",
    Verdict.IMPOSSIBLE: "---",
}
VERDICT_LETTERS: Final = {
    Verdict.IN_PLACE: "P",
    Verdict.OK: "O",
    Verdict.TIGHT: "T",
    Verdict.SAME_DAY: "S",
    Verdict.LATE: "L",
    Verdict.MISSING: "M",
    Verdict.IMPOSSIBLE: "I",
}
STACKING: Final = (
    Mode.REFUSED,
    Mode.PLAINTEXT,
    Mode.LOCAL,
    Mode.TLS_PARTIAL,
    Mode.LEGACY_SSL,
    Mode.TLS_FULL,
    Mode.INACTIVE,
)
"""From the bottom up: what is refused stands on the axis, where it can be read off."""


def luminance(colour: str) -> float:
    """Relative luminance of `#rrggbb`, between 0 and 1 (WCAG 2.2)."""
    channels = (int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5))
    red, green, blue = (
        channel / 12.92 if channel <= 0.04045 else ((channel + 0.055) / 1.055) ** 2.4
        for channel in channels
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """Contrast of two colours, from 1 to 21; text needs 4.5 (WCAG 2.2).

    Examples
    --------
    >>> round(contrast("#ffffff", "#000000"))
    21
    """
    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def text_on(background: str) -> str:
    """Black or white, whichever reads better on a colour; never below 4.58."""
    return max(("#000000", PAPER), key=lambda colour: contrast(colour, background))


def mixed(colour: str, share: float) -> str:
    """Mix a colour into white; a share of 1 is the colour itself."""
    channels = (int(colour[place : place + 2], 16) for place in (1, 3, 5))
    return "#" + "".join(f"{round(255 - (255 - value) * share):02x}" for value in channels)


def darkened(colour: str, share: float) -> str:
    """Mix a colour into black; a share of 1 is the colour itself."""
    channels = (int(colour[place : place + 2], 16) for place in (1, 3, 5))
    return "#" + "".join(f"{round(value * share):02x}" for value in channels)
