"""What all pictures share: a figure without global state, time axes, headings, legends, files."""

import datetime
import io
import textwrap
import warnings
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import matplotlib as mpl
import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection
from matplotlib.figure import Figure
from matplotlib.legend import Legend
from matplotlib.patches import Patch, PathPatch
from matplotlib.path import Path as Shape
from matplotlib.ticker import NullLocator
from matplotlib.transforms import ScaledTranslation
from numpy.typing import NDArray

from planner.domain.calendar import Calendar, monday_of, to_date, to_day
from planner.domain.rules import Mode
from planner.domain.version import MADE_BY
from planner.inventory.writing import write_files
from planner.reporting.colours import (
    FREEZE_LINES,
    INK,
    LINE,
    MODE_COLOURS,
    MODE_HATCHES,
    MODE_LETTERS,
    MUTED,
    PAPER,
    SHADE,
    darkened,
)

FORMATS: Final = ("png", "svg")
DPI: Final = 120
SCREEN_DPI: Final = 96
SMALL: Final = 8.0
NORMAL: Final = 9.0
NUMBERS: Final = "_numbers"
"""Label of the numbers in cells; `dark` knows them by it."""
_MONTHS: Final = "JanFebMarAprMayJunJulAugSepOctNovDec"
_MOST_TICKS: Final = 13
_AXES_SHARE: Final = 0.78
"""Of the figure's width; the rest may be names beside the axes."""
_FREEZE_HATCH: Final = "////"
_SALT: Final = "session-security-planner"
_METADATA: Final[dict[str, dict[str, str | None]]] = {
    "png": {"Software": MADE_BY},
    "svg": {"Date": None, "Creator": MADE_BY},
}

Vertices = NDArray[np.float64]
Line = NDArray[np.float64]


class Picture(Figure):
    """A figure that shows itself in a notebook without pyplot, whatever the backend.

    `words` says the same as its heading, for people who do not see it.
    """

    words: str = ""

    def _repr_png_(self) -> tuple[bytes, dict[str, str]]:
        return _rendered(self, "png"), {"alt": self.words}


def new_axes(ax: Axes | None, *, width: float, height: float) -> Axes:
    """Return the given axes, or the only ones of a new picture of this size [inches]."""
    if ax is not None:
        return ax
    figure = Picture(figsize=(width, height), layout="constrained", facecolor=PAPER)
    return figure.add_subplot()


def figure_of(ax: Axes) -> Figure:
    """Figure that some axes are on."""
    figure = ax.get_figure(root=True)
    if figure is None:
        raise ValueError("the axes are on no figure")
    return figure


def clean(ax: Axes) -> None:
    """Take away what carries no information."""
    ax.spines[["top", "right"]].set_visible(False)
    ax.spines[["left", "bottom"]].set_color(LINE)
    ax.tick_params(colors=INK, labelsize=NORMAL, color=LINE)
    ax.set_axisbelow(True)


def time_axis(ax: Axes, start: int, end: int) -> None:
    """Make the horizontal axis show the days `[start, end)`; a day's number is its place."""
    ticks = _month_ticks(start, end) if end - start > 10 * 7 else _week_ticks(start, end)
    ax.set_xlim(start, end)
    ax.set_xticks([day for day, _ in ticks], [text for _, text in ticks])
    ax.xaxis.set_minor_locator(NullLocator())


def _month_name(day: datetime.date) -> str:
    """Short name, whatever language the computer speaks."""
    return _MONTHS[3 * day.month - 3 : 3 * day.month]


def _month_ticks(start: int, end: int) -> list[tuple[int, str]]:
    """First days of months; the first one and each January say the year too."""
    first, last = to_date(start), to_date(end - 1)
    n_months = 12 * (last.year - first.year) + last.month - first.month + 1
    step = next((step for step in (1, 2, 3, 6) if n_months <= _MOST_TICKS * step), 12)
    ticks: list[tuple[int, str]] = []
    for number in range(12 * first.year + first.month - 1, 12 * last.year + last.month):
        month = datetime.date(number // 12, number % 12 + 1, 1)
        if to_day(month) < start or (month.month - 1) % step:
            continue
        name = _month_name(month)
        has_year = not ticks or month.month == 1
        ticks.append((to_day(month), f"{name}\n{month.year}" if has_year else name))
    return ticks


def _week_ticks(start: int, end: int) -> list[tuple[int, str]]:
    """Mondays, in a short span."""
    first = monday_of(start + 6)
    days = list(range(first, end, 7)) or [start]
    texts = [f"{to_date(day).day} {_month_name(to_date(day))}" for day in days]
    texts[0] += f"\n{to_date(days[0]).year}"
    return list(zip(days, texts, strict=True))


def heading(ax: Axes, title: str, subtitle: str) -> None:
    """Write what the picture shows, and below it the key numbers; the picture's words say both."""
    figure = figure_of(ax)
    if isinstance(figure, Picture):
        figure.words = f"{title}. {subtitle}"
    lines = textwrap.wrap(subtitle, int(_AXES_SHARE * figure.get_figwidth() / 0.063))
    ax.annotate(
        "\n".join(lines),
        (0, 1),
        xycoords="axes fraction",
        xytext=(0, 8),
        textcoords="offset points",
        va="bottom",
        color=MUTED,
        fontsize=NORMAL,
        annotation_clip=False,
    )
    ax.set_title(
        title,
        loc="left",
        fontsize=12.5,
        fontweight="bold",
        color=INK,
        pad=14 + 1.25 * NORMAL * len(lines),
    )


def legend_below(
    ax: Axes, handles: Sequence[Artist], *, gap: float = 0.46, share: float = _AXES_SHARE
) -> Legend:
    """Put a legend below the horizontal axis, where it hides nothing, in rows from left to right.

    Parameters
    ----------
    gap
        Room for the texts of the axis [inches].
    share
        Of the figure's width that the legend may take.
    """
    figure = figure_of(ax)
    labels = [str(handle.get_label()) for handle in handles]
    columns = _columns(labels, share * figure.get_figwidth())
    # matplotlib fills columns from the top down; give it the rows' entries in that order.
    in_rows = [handle for column in range(columns) for handle in handles[column::columns]]
    return ax.legend(
        handles=in_rows,
        loc="upper left",
        bbox_to_anchor=(0, 0),
        bbox_transform=ax.transAxes + ScaledTranslation(0, -gap, figure.dpi_scale_trans),
        ncols=columns,
        frameon=False,
        fontsize=NORMAL,
        labelcolor=INK,
        borderaxespad=0,
        borderpad=0,
        handlelength=2.2,
        handleheight=1.1,
        columnspacing=1.8,
    )


def _columns(labels: Sequence[str], width: float) -> int:
    """Most columns of a legend that is surely not wider than this [inches]."""
    for columns in range(len(labels), 1, -1):
        widest = [max(map(len, labels[column::columns])) for column in range(columns)]
        if sum(0.072 * length + 0.62 for length in widest) <= width:
            return columns
    return 1


def hatch_colour(mode: Mode) -> str:
    """Colour of the lines of a mode's hatch: darker than its area."""
    return darkened_lines(MODE_COLOURS[mode])


def darkened_lines(colour: str) -> str:
    """Colour of the lines of a hatch on an area of a colour."""
    return darkened(colour, 0.72)


def mode_handle(mode: Mode, text: str = "") -> Patch:
    """Return the legend entry of a mode: colour, hatch and letter."""
    label = f"{MODE_LETTERS[mode]}  {mode.label}{text}"
    return area_handle(MODE_COLOURS[mode], MODE_HATCHES[mode], label)


def area_handle(colour: str, hatch: str, label: str) -> Patch:
    """Return the legend entry of areas."""
    return Patch(
        facecolor=colour,
        edgecolor=darkened_lines(colour),
        hatch=hatch,
        linewidth=0,
        label=label,
    )


def areas(
    vertices: Iterable[Vertices],
    *,
    colour: str | Sequence[str],
    hatch: str = "",
    hatch_colour: str = "none",
    zorder: float = 1,
    label: str = "",
) -> PolyCollection:
    """Return many areas as one artist; each is a shape `(n, 2)` of corners."""
    collection = PolyCollection(
        list(vertices),
        facecolors=colour,
        edgecolors=hatch_colour if hatch else "none",
        linewidths=0,
        zorder=zorder,
        label=label or "_areas",
    )
    if hatch:
        collection.set_hatch(hatch)
    return collection


def mode_area(mode: Mode, x: Line, base: Line, top: Line) -> PolyCollection:
    """Return the area of a mode in a stack, between two lines."""
    outline = np.concatenate([np.stack([x, base], axis=-1), np.stack([x, top], axis=-1)[::-1]])
    return areas(
        [outline],
        colour=MODE_COLOURS[mode],
        hatch=MODE_HATCHES[mode],
        hatch_colour=hatch_colour(mode),
        label=mode.label,
    )


def one_area(corners: Vertices, *, colour: str, hatch: str = "", label: str = "") -> PathPatch:
    """Return many polygons of one look as one shape: their hatch is then drawn once, not for each.

    `corners` has shape `(n, n_corners, 2)`.
    """
    return PathPatch(
        Shape.make_compound_path_from_polys(corners),
        facecolor=colour,
        edgecolor=darkened_lines(colour) if hatch else "none",
        hatch=hatch,
        linewidth=0,
        label=label,
    )


def boxes(
    left: NDArray[np.number], right: NDArray[np.number], top: NDArray[np.number], height: float
) -> Vertices:
    """Corners of rectangles side by side; shape `(n, 4, 2)`."""
    low, high = top - height / 2, top + height / 2
    return np.stack(
        [
            np.stack([left, low], axis=-1),
            np.stack([right, low], axis=-1),
            np.stack([right, high], axis=-1),
            np.stack([left, high], axis=-1),
        ],
        axis=1,
    ).astype(np.float64)


def shade_freezes(ax: Axes, calendar: Calendar, start: int, end: int) -> list[Artist]:
    """Shade the freezes over the whole height; return their legend entry, if there are any."""
    spans = [
        (max(freeze.start, start), min(freeze.end, end))
        for freeze in calendar.freezes
        if freeze.start < end and freeze.end > start
    ]
    if not spans:
        return []
    vertices = [[(a, 0.0), (b, 0.0), (b, 1.0), (a, 1.0)] for a, b in spans]
    collection = areas(
        np.array(vertices, dtype=np.float64),
        colour=SHADE,
        hatch=_FREEZE_HATCH,
        hatch_colour=FREEZE_LINES,
        zorder=0.2,
        label="freezes",
    )
    collection.set_transform(ax.get_xaxis_transform())
    ax.add_collection(collection, autolim=False)
    handle = Patch(
        facecolor=SHADE,
        edgecolor=FREEZE_LINES,
        hatch=_FREEZE_HATCH,
        linewidth=0,
        label="freeze: no changes",
    )
    return [handle]


def shortened(text: str, longest: int = 34) -> str:
    """Cut a long name in its middle."""
    if len(text) <= longest:
        return text
    half = (longest - 1) // 2
    return f"{text[: longest - 1 - half]}\N{HORIZONTAL ELLIPSIS}{text[-half:]}"


def counted(count: int, noun: str) -> str:
    """Return `1 import`, `2 imports`."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def plain(text: str) -> str:
    """Keep a name from being read as a formula."""
    return text.replace("$", r"\$")


def _rendered(figure: Figure, form: str, *, dpi: int = DPI, compression: int = 6) -> bytes:
    buffer = io.BytesIO()
    with (
        mpl.rc_context({"svg.hashsalt": _SALT, "hatch.linewidth": 0.6}),
        warnings.catch_warnings(),
    ):
        # A name may hold signs that no font here has; it is whole in the table.
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        if form == "png":
            figure.savefig(
                buffer,
                format=form,
                dpi=dpi,
                metadata=_METADATA[form],
                pil_kwargs={"compress_level": compression},
            )
        else:
            figure.savefig(buffer, format=form, dpi=dpi, metadata=_METADATA[form])
    return buffer.getvalue()


@dataclass(frozen=True, slots=True, kw_only=True)
class QuickPicture:
    """A picture for a screen, and what it shows in words."""

    png: bytes
    words: str


def quick_picture(ax: Axes) -> QuickPicture:
    """Render the figure of some axes for a screen: less fine, in half the time."""
    figure = figure_of(ax)
    words = figure.words if isinstance(figure, Picture) else ""
    return QuickPicture(png=_rendered(figure, "png", dpi=SCREEN_DPI, compression=1), words=words)


def picture(ax: Axes, form: str) -> bytes:
    """Return the figure of some axes as the content of a file, the same each time.

    Parameters
    ----------
    form
        One of `FORMATS`.
    """
    return _rendered(figure_of(ax), form)


def save(ax: Axes, path: str | Path) -> list[Path]:
    """Write the figure of some axes as PNG and SVG, whole or not at all.

    Parameters
    ----------
    path
        Without suffix.
    """
    path = Path(path)
    names = [f"{path.name}.{form}" for form in FORMATS]
    contents = {name: picture(ax, form) for name, form in zip(names, FORMATS, strict=True)}
    write_files(path.parent, contents)
    return [path.parent / name for name in names]
