"""Sessions by security mode over time."""

from typing import Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator, StrMethodFormatter

from planner.domain.calendar import iso
from planner.domain.fleet import Numbers
from planner.domain.plan import Action
from planner.domain.rules import Mode
from planner.engine.timeline import Timeline
from planner.reporting.colours import (
    INK,
    MODE_COLOURS,
    MODE_LETTERS,
    STACKING,
    text_on,
)
from planner.reporting.plots.style import (
    NORMAL,
    clean,
    counted,
    heading,
    legend_below,
    mode_area,
    mode_handle,
    new_axes,
    plain,
    time_axis,
)

_LABELLED_SHARE: Final = 0.06
"""An area gets its letter where it is at least this high, as a share of all sessions."""


def sessions_by_mode(timeline: Timeline, *, ax: Axes | None = None) -> Axes:
    """Draw how many sessions are in each security mode on each day, stacked.

    Days are half-open: a change of day `d` shows from `d` on. Triangles above the areas are days
    on which servers are upgraded. The table twin is daily.csv.

    Parameters
    ----------
    ax
        Where to draw; without it, on a figure of its own that `ax.figure` shows.
    """
    fleet = timeline.plan.fleet
    ax = new_axes(ax, width=11, height=5.2)
    counts = timeline.daily()
    changes = np.any(np.diff(counts, axis=0) != 0, axis=1)
    starts = np.concatenate([[0], np.flatnonzero(changes) + 1])
    edges = np.concatenate([starts, [fleet.n_days]]) + fleet.start
    x = np.repeat(edges, 2)[1:-1].astype(np.float64)
    base = np.zeros(len(x))
    present = [mode for mode in STACKING if counts[:, mode].any()]
    for mode in present:
        top = base + np.repeat(counts[starts, mode], 2)
        ax.add_collection(mode_area(mode, x, base, top))
        _write_letter(ax, mode, x, base, top, timeline.n_sessions)
        base = top
    clean(ax)
    time_axis(ax, fleet.start, fleet.end)
    highest = max(1, timeline.n_sessions)
    ax.set_ylim(0, highest * 1.06)
    ticks = MaxNLocator(nbins=8, integer=True, steps=[1, 2, 5, 10]).tick_values(0, highest)
    ax.set_yticks([tick for tick in ticks if tick <= highest])
    ax.yaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
    ax.spines["left"].set_bounds(0, highest)
    ax.set_ylabel("sessions", color=INK, fontsize=NORMAL)
    upgrades = server_upgrades(timeline)
    handles: list[Line2D] = []
    if len(upgrades):
        handles += ax.plot(
            upgrades,
            np.full(len(upgrades), highest * 1.03),
            linestyle="none",
            marker="v",
            color=INK,
            markersize=5,
            label="server upgraded",
        )
    heading(ax, f"Sessions by security mode: {plain(fleet.name)}", numbers(timeline))
    legend_below(ax, [*(mode_handle(mode) for mode in present[::-1]), *handles], share=0.95)
    return ax


def server_upgrades(timeline: Timeline) -> Numbers:
    """Days of the horizon on which servers are upgraded."""
    plan = timeline.plan
    chosen = (plan.action == Action.UPGRADE_SERVER) & (plan.day < plan.fleet.end)
    return np.unique(plan.day[chosen & (plan.day >= plan.fleet.start)])


def _write_letter(
    ax: Axes,
    mode: Mode,
    x: np.ndarray[tuple[int], np.dtype[np.float64]],
    base: np.ndarray[tuple[int], np.dtype[np.float64]],
    top: np.ndarray[tuple[int], np.dtype[np.float64]],
    n_sessions: int,
) -> None:
    """Write the mode's letter where its area is big enough, in the middle of its widest part."""
    height = top - base
    high = height >= max(_LABELLED_SHARE * n_sessions, 0.6 * height.max())
    if height.max() < _LABELLED_SHARE * n_sessions:
        return
    # The steps come in pairs of equal height: the longest run of high ones has the most room.
    bounds = np.flatnonzero(np.diff(np.concatenate([[0], high.view(np.int8), [0]])))
    first, last = bounds[::2], bounds[1::2] - 1
    longest = int(np.argmax(x[last] - x[first]))
    if x[last[longest]] - x[first[longest]] < 0.02 * (x[-1] - x[0]):
        return
    middle = (x[first[longest]] + x[last[longest]]) / 2
    place = int(np.searchsorted(x, middle, side="right")) - 1
    colour = MODE_COLOURS[mode]
    ax.text(
        middle,
        (base[place] + top[place]) / 2,
        MODE_LETTERS[mode],
        ha="center",
        va="center",
        fontsize=NORMAL,
        fontweight="bold",
        color=text_on(colour),
        bbox={"boxstyle": "circle,pad=0.25", "facecolor": colour, "edgecolor": "none"},
        zorder=3,
    )


def numbers(timeline: Timeline) -> str:
    """Return the key numbers of a timeline in words."""
    fleet = timeline.plan.fleet
    if not timeline.n_sessions:
        return "The fleet has no sessions."
    counts = timeline.daily()
    secure = counts[:, Mode.TLS_PARTIAL :].sum(axis=1)
    refused = counts[:, Mode.REFUSED]
    text = (
        f"{secure[0]:,} of {counted(timeline.n_sessions, 'session')} on TLS or SSL on "
        f"{iso(fleet.start)}, {secure[-1]:,} on {iso(fleet.end - 1)}; "
    )
    if not refused.any():
        return text + "no session is refused on any day."
    worst = int(np.argmax(refused))
    return text + f"at most {refused[worst]:,} refused on one day ({iso(fleet.start + worst)})."
