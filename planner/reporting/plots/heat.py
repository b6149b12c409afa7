"""Hosts by weeks: where imports are not safe."""

from typing import Final

import numpy as np
from matplotlib.axes import Axes

from planner.domain.calendar import iso, mondays_of
from planner.domain.rules import VERDICTS, Verdict
from planner.engine.deadlines import Deadlines
from planner.reporting.colours import VERDICT_COLOURS, VERDICT_HATCHES, VERDICT_LETTERS, text_on
from planner.reporting.plots.groups import ROW_LIMIT
from planner.reporting.plots.style import (
    SMALL,
    area_handle,
    boxes,
    clean,
    counted,
    heading,
    legend_below,
    new_axes,
    one_area,
    plain,
    shade_freezes,
    shortened,
    time_axis,
)

MOST_HOSTS: Final = 500
"""Most rows of the picture; the table has them all."""
_MARGIN: Final = 7
_BY_GRAVITY: Final = (
    Verdict.IN_PLACE,
    Verdict.OK,
    Verdict.TIGHT,
    Verdict.SAME_DAY,
    Verdict.LATE,
    Verdict.MISSING,
    Verdict.IMPOSSIBLE,
)


def deadline_heat(deadlines: Deadlines, *, ax: Axes | None = None) -> Axes:
    """Draw each host as a row and, in the week of each latest safe day, the worst verdict.

    Hosts stand by their first latest safe day. Past 40 they have no names and no letters; past 500
    those with the worst verdicts are shown. Anchors in place are left out. The table twin is
    trust_deadlines.csv.

    Parameters
    ----------
    ax
        Where to draw; without it, on a figure of its own that `ax.figure` shows.
    """
    fleet = deadlines.timeline.plan.fleet
    rows = np.flatnonzero(~deadlines.has_verdict(Verdict.IN_PLACE))
    gravity = np.array([_BY_GRAVITY.index(verdict) for verdict in VERDICTS])
    endpoint, grave = deadlines.endpoint()[rows], gravity[deadlines.verdict[rows]]
    safe = deadlines.latest_safe[rows]
    hosts, host = np.unique(endpoint, return_inverse=True)
    first = np.full(len(hosts), np.iinfo(np.int32).max)
    np.minimum.at(first, host, safe)
    worst = np.zeros(len(hosts), dtype=np.int64)
    np.maximum.at(worst, host, grave)
    chosen = np.sort(np.lexsort((first, -worst))[:MOST_HOSTS])
    order = chosen[np.lexsort((hosts[chosen], first[chosen]))]
    place = np.full(len(hosts), -1, dtype=np.int64)
    place[order] = np.arange(len(order))

    week = mondays_of(safe)
    shown = place[host] >= 0
    cells, cell = np.unique(
        np.stack([place[host][shown], week[shown]], axis=-1), axis=0, return_inverse=True
    )
    of_cell = np.zeros(len(cells), dtype=np.int64)
    np.maximum.at(of_cell, cell.ravel(), grave[shown])

    n_named = len(order) if len(order) <= ROW_LIMIT else 0
    ax = new_axes(ax, width=11, height=1.9 + (0.24 * max(4, n_named) if n_named else 5.2))
    present = [number for number in range(len(_BY_GRAVITY)) if np.any(of_cell == number)]
    for number in present:
        verdict = _BY_GRAVITY[number]
        row, monday = cells[of_cell == number].T
        ax.add_artist(  # the limits are set below; finding them again would take half the time
            one_area(
                boxes(monday, monday + 7, row, 0.84 if n_named else 1.0),
                colour=VERDICT_COLOURS[verdict],
                hatch=VERDICT_HATCHES[verdict],
                label=verdict.value,
            )
        )
        for left, top in zip(monday, row, strict=True) if n_named else ():
            ax.text(
                left + 3.5,
                top,
                VERDICT_LETTERS[verdict],
                ha="center",
                va="center",
                fontsize=SMALL - 0.5,
                fontweight="bold",
                color=text_on(VERDICT_COLOURS[verdict]),
            )
    clean(ax)
    first_day = int(week.min()) if len(week) else fleet.start
    last_day = int(week.max()) + 7 if len(week) else fleet.end
    time_axis(ax, first_day - _MARGIN, last_day + _MARGIN)
    freezes = shade_freezes(ax, fleet.calendar, first_day - _MARGIN, last_day + _MARGIN)
    ax.set_ylim(max(len(order), 1) - 0.5, -0.5)
    names = [plain(shortened(fleet.endpoint_name(int(hosts[at])), 28)) for at in order[:n_named]]
    ax.set_yticks(np.arange(n_named), names)
    ax.tick_params(axis="y", length=0, labelsize=SMALL)
    heading(ax, f"Hosts by week of their latest safe day: {plain(fleet.name)}", _numbers(deadlines))
    handles = [
        area_handle(
            VERDICT_COLOURS[verdict],
            VERDICT_HATCHES[verdict],
            f"{VERDICT_LETTERS[verdict]}  {verdict.value}",
        )
        for verdict in (_BY_GRAVITY[number] for number in present)
    ]
    legend_below(ax, [*handles, *freezes], share=0.95)
    return ax


def _numbers(deadlines: Deadlines) -> str:
    to_make = ~deadlines.has_verdict(Verdict.IN_PLACE)
    hosts = len(np.unique(deadlines.endpoint()[to_make]))
    counts = ", ".join(
        f"{deadlines.count(verdict):,} {verdict}"
        for verdict in reversed(_BY_GRAVITY[1:])
        if deadlines.count(verdict)
    )
    rest = f" The {MOST_HOSTS:,} gravest are shown." if hosts > MOST_HOSTS else ""
    days = deadlines.latest_safe[to_make]
    when = f", first on {iso(int(days.min()))}" if len(days) else ""
    imports = counted(int(to_make.sum()), "import")
    return f"{imports} on {counted(hosts, 'host')}{when}: {counts or 'none'}.{rest}"
