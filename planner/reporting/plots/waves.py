"""How many certificates are imported each week, and how they reach their clients."""

from typing import Final

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from planner.domain.calendar import iso
from planner.engine.distribution import Distribution, Reach
from planner.reporting.colours import BLUE, INK, ORANGE, PURPLE
from planner.reporting.plots.style import (
    area_handle,
    areas,
    clean,
    counted,
    darkened_lines,
    heading,
    legend_below,
    new_axes,
    plain,
    shade_freezes,
    time_axis,
)

LOOKS: Final = {
    Reach.SCHEDULER: (BLUE, ""),
    Reach.OWN_TOOL: (PURPLE, "..."),
    Reach.BY_HAND: (ORANGE, "///"),
}
"""Colour and hatch of each way."""

_NAMES: Final = {
    Reach.SCHEDULER: "by the client scheduler",
    Reach.OWN_TOOL: "by the site's own tool",
    Reach.BY_HAND: "by hand",
}


def wave_chart(distribution: Distribution, *, ax: Axes | None = None) -> Axes:
    """Draw the imports of each week as a bar, by the way they go, against the weekly capacity.

    The table twin is waves.csv.

    Parameters
    ----------
    ax
        Where to draw; without it, on a figure of its own that `ax.figure` shows.
    """
    fleet = distribution.deadlines.timeline.plan.fleet
    weeks = list(distribution.weeks())
    ax = new_axes(ax, width=12.0, height=4.6)
    monday = np.array([week for week, _ in weeks], dtype=np.int64)
    height = np.zeros(len(weeks), dtype=np.int64)
    handles: list[Artist] = []
    for reach, (colour, hatch) in LOOKS.items():
        counts = np.array([of_week[reach] for _, of_week in weeks], dtype=np.int64)
        bars = [
            [(day + 0.6, low), (day + 6.4, low), (day + 6.4, low + n), (day + 0.6, low + n)]
            for day, low, n in zip(monday.tolist(), height.tolist(), counts.tolist(), strict=True)
            if n
        ]
        ax.add_collection(
            areas(
                [np.array(bar) for bar in bars],
                colour=colour,
                hatch=hatch,
                hatch_colour=darkened_lines(colour),
                label=str(reach),
            )
        )
        if counts.any():
            handles.append(area_handle(colour, hatch, _NAMES[reach]))
        height += counts
    capacity = fleet.capacity.imports_per_week
    if capacity is not None:
        ax.axhline(capacity, color=INK, linewidth=1.2, linestyle=(0, (5, 3)), zorder=2)
        label = f"capacity, {capacity} a week"
        handles.append(Line2D([], [], color=INK, linestyle=(0, (5, 3)), label=label))
    clean(ax)
    first, last = (int(monday[0]), int(monday[-1]) + 7) if weeks else (fleet.start, fleet.end)
    time_axis(ax, first, last)
    ax.set_ylim(0, 1.08 * max(int(height.max(initial=1)), capacity or 0))
    ax.set_ylabel("imports a week", color=INK)
    handles += shade_freezes(ax, fleet.calendar, first, last)
    title = f"How certificates reach their clients: {plain(fleet.name)}, by week"
    heading(ax, title, numbers(distribution))
    legend_below(ax, handles)
    return ax


def numbers(distribution: Distribution) -> str:
    """Return the key numbers of a distribution in words."""
    ways = ", ".join(
        f"{distribution.count(reach):,} {_NAMES[reach]}"
        for reach in Reach
        if distribution.count(reach)
    )
    text = counted(len(distribution), "import")
    if not ways:
        return f"{text}."
    week, busiest = max(
        ((monday, sum(counts.values())) for monday, counts in distribution.weeks()),
        key=_of_week,
    )
    return f"{text}: {ways}; at most {busiest:,} in one week, from {iso(week)}."


def _of_week(week: tuple[int, int]) -> int:
    return week[1]
