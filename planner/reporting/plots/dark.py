"""Finished pictures in dark colours: paper and ink change, what carries a meaning stays."""

from typing import Final

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.collections import Collection
from matplotlib.colors import to_hex, to_rgba, to_rgba_array
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.text import Text
from matplotlib.typing import ColorType
from numpy.typing import NDArray

from planner.reporting.colours import DARK, INK, MUTED, PAPER
from planner.reporting.plots.style import NUMBERS, figure_of

_OF_TEXTS: Final = {colour: DARK[colour] for colour in (INK, MUTED)}
"""White letters stand on a colour of their own and stay."""


def darken(ax: Axes) -> Axes:
    """Turn the figure of some axes to the dark theme, and return them.

    Numbers in cells keep their ink, because the cells keep their colour.
    """
    figure = figure_of(ax)
    figure.set_facecolor(DARK[PAPER])
    for one in figure.axes:
        one.set_facecolor(DARK[PAPER])
    for artist in figure.findobj():
        _darken(artist)
    return ax


def _darken(artist: Artist) -> None:
    match artist:
        case Text():
            artist.set_color(_OF_TEXTS.get(to_hex(artist.get_color()), artist.get_color()))
        case Line2D():
            artist.set_color(_dark(artist.get_color()))
            artist.set_markerfacecolor(_dark(artist.get_markerfacecolor()))
            artist.set_markeredgecolor(_dark(artist.get_markeredgecolor()))
        case Collection() if artist.get_label() != NUMBERS:
            artist.set_facecolor(_all_dark(to_rgba_array(artist.get_facecolor())))
            artist.set_edgecolor(_all_dark(to_rgba_array(artist.get_edgecolor())))
        case Patch():
            artist.set_facecolor(_dark(artist.get_facecolor()))
            artist.set_edgecolor(_dark(artist.get_edgecolor()))
        case _:
            pass


def _dark(colour: ColorType) -> ColorType:
    """Return the dark counterpart of a colour; one that has none stays, and so does its alpha."""
    if isinstance(colour, str) and colour == "none":
        return colour
    red, green, blue, alpha = to_rgba(colour)
    shown = to_hex((red, green, blue))
    return to_rgba(DARK[shown], alpha) if shown in DARK else (red, green, blue, alpha)


def _all_dark(colours: NDArray[np.float64]) -> list[ColorType]:
    return [_dark((red, green, blue, alpha)) for red, green, blue, alpha in colours.tolist()]
