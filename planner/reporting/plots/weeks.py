"""Counts by group and week, drawn as a table of shaded cells with their numbers."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Final, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import PathCollection
from matplotlib.font_manager import FontProperties
from matplotlib.path import Path
from matplotlib.patheffects import withStroke
from matplotlib.textpath import TextPath
from matplotlib.transforms import Affine2D
from numpy.typing import NDArray

from planner.domain.calendar import Days, monday_of, mondays_of
from planner.reporting.colours import BAND, INK, MUTED, PAPER, darkened, mixed, text_on
from planner.reporting.plots.style import (
    NORMAL,
    NUMBERS,
    SMALL,
    Vertices,
    areas,
    boxes,
    figure_of,
    plain,
    shortened,
)

Counts = NDArray[np.int64]

_WEEKS_PER_CELL: Final = (1, 2, 4, 13, 26, 52)
_DIGITS_SIZE: Final = 6.6
_DIGIT_WIDTH: Final = 0.64
_CELL: Final = 0.82
_PALEST: Final = 0.16
_PALEST_HATCHED: Final = 0.5


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Lane:
    """One row of the table: how many things of one kind happen in a group, week by week."""

    name: str
    colour: str
    hatch: str
    counts: Counts


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Block:
    """The lanes of one group, and what stands at their right."""

    name: str
    lanes: tuple[Lane, ...]
    remark: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Weeks:
    """Cells of a whole number of ISO weeks; the first begins on the Monday `start`."""

    start: int
    n_cells: int
    per_cell: int

    @property
    def end(self) -> int:
        """Monday after the last cell."""
        return self.start + 7 * self.per_cell * self.n_cells

    @property
    def text(self) -> str:
        """What one cell is."""
        return "week" if self.per_cell == 1 else f"{self.per_cell} weeks"

    def count(self, group: NDArray[np.integer], day: Days, n_groups: int) -> Counts:
        """Count the things of each group in each cell; shape `(n_groups, n_cells)`."""
        counts = np.zeros((n_groups, self.n_cells), dtype=np.int64)
        np.add.at(counts, (group, (day - self.start) // (7 * self.per_cell)), 1)
        return counts


def choose_weeks(first: int, last: int, *, busiest_week: int, width: float) -> Weeks:
    """Choose cells so wide that their numbers can be read.

    Parameters
    ----------
    first, last
        Days that the table must hold, both included.
    busiest_week
        Largest count of one week.
    width
        Of the axes [inches].
    """
    start = monday_of(first)
    n_weeks = (monday_of(last) - start) // 7 + 1

    def is_readable(per_cell: int) -> bool:
        digits = len(str(busiest_week * per_cell))
        return width / -(-n_weeks // per_cell) >= (digits * _DIGIT_WIDTH * _DIGITS_SIZE + 2) / 72

    per_cell = next(filter(is_readable, _WEEKS_PER_CELL), _WEEKS_PER_CELL[-1])
    return Weeks(start=start, n_cells=-(-n_weeks // per_cell), per_cell=per_cell)


def busiest_week(group: NDArray[np.integer], day: Days, n_groups: int) -> int:
    """Largest count of one group in one week."""
    cell = mondays_of(day).astype(np.int64) * n_groups + group
    return int(np.unique(cell, return_counts=True)[1].max(initial=0))


def draw_blocks(
    ax: Axes, blocks: Sequence[Block], weeks: Weeks, *, top: float
) -> list[tuple[float, str]]:
    """Draw the blocks from row `top` down; return the tick of each lane: its place and text."""
    lanes = [lane for block in blocks for lane in block.lanes]
    rows = top + np.arange(len(lanes))
    _draw_cells(ax, lanes, rows, weeks)
    indent = -(14 + 4.7 * max((len(lane.name) for lane in lanes), default=0))
    row, bands = top, []
    for number, block in enumerate(blocks):
        middle = row + (len(block.lanes) - 1) / 2
        if number % 2 == 0:
            bands.append((row - 0.5, row + len(block.lanes) - 0.5))
        ax.annotate(
            plain(shortened(block.name, 26)),
            (0, middle),
            xycoords=ax.get_yaxis_transform(),
            xytext=(indent, 0),
            textcoords="offset points",
            ha="right",
            va="center",
            fontsize=NORMAL,
            fontweight="bold",
            color=INK,
            annotation_clip=False,
        )
        ax.annotate(
            block.remark,
            (1, middle),
            xycoords=ax.get_yaxis_transform(),
            xytext=(6, 0),
            textcoords="offset points",
            va="center",
            fontsize=SMALL,
            color=MUTED,
            linespacing=1.3,
            annotation_clip=False,
        )
        row += len(block.lanes)
    draw_bands(ax, bands)
    return [(float(place), lane.name) for place, lane in zip(rows, lanes, strict=True)]


def draw_bands(ax: Axes, bands: Sequence[tuple[float, float]]) -> None:
    """Shade rows from the left edge to the right one, so that the eye keeps to its row."""
    vertices = [[(0, low), (1, low), (1, high), (0, high)] for low, high in bands]
    if vertices:
        shade = areas(np.array(vertices, dtype=np.float64), colour=BAND, zorder=0.1)
        shade.set_transform(ax.get_yaxis_transform())
        ax.add_collection(shade, autolim=False)


def _draw_cells(ax: Axes, lanes: Sequence[Lane], rows: NDArray[np.floating], weeks: Weeks) -> None:
    """Draw the cells of all lanes, those of one hatch as one artist, and all numbers as another."""
    most = max((int(lane.counts.max(initial=0)) for lane in lanes), default=0)
    by_kind: dict[tuple[str, str], _Cells] = {}
    for lane, row in zip(lanes, rows, strict=True):
        cells = np.flatnonzero(lane.counts)
        left = weeks.start + 7.0 * weeks.per_cell * cells
        right = left + 7.0 * weeks.per_cell
        palest = _PALEST_HATCHED if lane.hatch else _PALEST
        kind = by_kind.setdefault((lane.hatch, lane.colour), _Cells([], [], [], []))
        kind.corners.extend(boxes(left, right, np.full(len(cells), row), _CELL))
        kind.colours.extend(
            mixed(lane.colour, palest + (1 - palest) * float(np.sqrt(count / most)))
            for count in lane.counts[cells]
        )
        kind.centres.extend(zip((left + right) / 2, [row] * len(cells), strict=True))
        kind.numbers.extend(lane.counts[cells].tolist())
    for (hatch, colour), kind in by_kind.items():
        if kind.numbers:
            lines = darkened(colour, 0.75)
            ax.add_collection(
                areas(kind.corners, colour=kind.colours, hatch=hatch, hatch_colour=lines),
                autolim=False,
            )
            ax.add_collection(_digits(ax, kind, has_halo=bool(hatch)), autolim=False)


class _Cells(NamedTuple):
    """The filled cells of one kind."""

    corners: list[Vertices]
    colours: list[str]
    centres: list[tuple[float, float]]
    numbers: list[int]


def _digits(ax: Axes, cells: _Cells, *, has_halo: bool) -> PathCollection:
    """Numbers of cells as one artist: thousands of texts would take seconds to draw.

    With a halo they can be read on a hatch.
    """
    digits = PathCollection(
        [digits_shape(number) for number in cells.numbers],
        offsets=cells.centres,
        offset_transform=ax.transData,
        facecolors=[text_on(colour) for colour in cells.colours],
        linewidths=0,
        zorder=2,
    )
    digits.set_transform(Affine2D().scale(1 / 72) + figure_of(ax).dpi_scale_trans)
    digits.set_label(NUMBERS)
    if has_halo:
        digits.set_path_effects([withStroke(linewidth=2.2, foreground=PAPER)])
        digits.set_facecolor(INK)
    return digits


@cache
def digits_shape(number: int) -> Path:
    """Outline of a number around its middle [points]."""
    path = TextPath((0, 0), f"{number}", prop=FontProperties(size=_DIGITS_SIZE))
    box = path.get_extents()
    middle = ((box.x0 + box.x1) / 2, (box.y0 + box.y1) / 2)
    return Path(path.vertices - middle, path.codes)
