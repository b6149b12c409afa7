"""What fault messages share: values quoted safely, and the valid value nearest to a wrong one."""

from collections.abc import Iterable
from difflib import get_close_matches
from typing import Final

LONGEST_QUOTE: Final = 60
"""Longest part of a value that a message repeats [characters]."""

LONGEST_TEXT: Final = 400
"""Longest part of a text that a listing shows [characters]."""


def quoted(text: str) -> str:
    """Return a value in quotation marks, on one line, cut where it is long."""
    return repr(text if len(text) <= LONGEST_QUOTE else text[:LONGEST_QUOTE] + "...")


def printable(text: str) -> str:
    """Return a text without what a terminal would obey, cut where it is very long."""
    shown = text if len(text) <= LONGEST_TEXT else text[:LONGEST_TEXT] + "..."
    return "".join(sign if sign.isprintable() else "?" for sign in shown)


def nearest(text: str, known: Iterable[str], *, cutoff: float = 0.6) -> str | None:
    """Return the known value most like a text, in any letter case; None where none is like it."""
    if len(text) > LONGEST_QUOTE:
        return None
    by_fold = {value.casefold(): value for value in known}
    near = get_close_matches(text.casefold(), by_fold, n=1, cutoff=cutoff)
    return by_fold[near[0]] if near else None


def did_you_mean(text: str, known: Iterable[str], otherwise: str) -> str:
    """Return a cure: the nearest known value, or else what to do where nothing is near."""
    near = nearest(text, known)
    return otherwise if near is None else f"did you mean {near!r}?"
