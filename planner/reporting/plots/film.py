"""The sessions of one endpoint through time."""

from typing import Final

import numpy as np
from matplotlib.axes import Axes

from planner.domain.calendar import iso
from planner.domain.fleet import Fleet, Numbers
from planner.domain.rules import Mode
from planner.engine.timeline import Timeline
from planner.reporting.colours import INK, MODE_COLOURS, MODE_HATCHES, MODE_LETTERS, text_on
from planner.reporting.plots.groups import ROW_LIMIT
from planner.reporting.plots.style import (
    NORMAL,
    SMALL,
    boxes,
    clean,
    counted,
    heading,
    legend_below,
    mode_handle,
    new_axes,
    one_area,
    plain,
    shortened,
    time_axis,
)

MOST_ROWS: Final = 500
"""Most sessions of a film; the table has them all."""
_LETTER_SHARE: Final = 0.012
"""Of the horizon: a longer bar gets its letter."""


def sessions_of(fleet: Fleet, endpoint: int) -> Numbers:
    """Sessions that an endpoint opens or, as a server, is asked for, in the order of the fleet."""
    sessions, server = fleet.sessions, endpoint - len(fleet.clients)
    found = (sessions.client == endpoint) | (sessions.server == server)
    return np.flatnonzero(found).astype(np.int32)


def session_film(
    timeline: Timeline, endpoint: int, *, day: int | None = None, ax: Axes | None = None
) -> Axes:
    """Draw the mode of each session of an endpoint on every day, one row a session.

    Past 40 sessions the rows have no names and no letters; past 500 the rest is left to the table.
    The table twin is `tables.film`.

    Parameters
    ----------
    endpoint
        A client, or a server with all sessions to it.
    day
        Is marked by a line.
    ax
        Where to draw; without it, on a figure of its own that `ax.figure` shows.
    """
    fleet = timeline.plan.fleet
    every = sessions_of(fleet, endpoint)
    sessions = every[:MOST_ROWS]
    n_named = len(sessions) if len(sessions) <= ROW_LIMIT else 0
    ax = new_axes(ax, width=11, height=1.9 + (0.26 * max(3, n_named) if n_named else 4.2))
    row_of = np.full(timeline.n_sessions, -1, dtype=np.int32)
    row_of[sessions] = np.arange(len(sessions))
    row = row_of[timeline.session()]
    shown = np.flatnonzero(row >= 0)
    row, start, end = row[shown], timeline.day[shown], timeline.until()[shown]
    mode = timeline.mode()[shown]
    present = [kind for kind in sorted(Mode, reverse=True) if np.any(mode == kind)]
    for kind in present:
        own = mode == kind
        bars = boxes(start[own], end[own], row[own], 0.84 if n_named else 1.0)
        ax.add_artist(  # the limits are set below; finding them again would take half the time
            one_area(bars, colour=MODE_COLOURS[kind], hatch=MODE_HATCHES[kind], label=kind.label)
        )
        if n_named:
            wide = own & (end - start > _LETTER_SHARE * fleet.n_days)
            _write_letters(ax, kind, (start[wide] + end[wide]) / 2, row[wide])
    clean(ax)
    time_axis(ax, fleet.start, fleet.end)
    ax.set_ylim(max(len(sessions), 1) - 0.5, -0.5)
    labels = [_label(fleet, int(session), endpoint) for session in sessions[:n_named]]
    ax.set_yticks(np.arange(n_named), labels)
    ax.tick_params(axis="y", length=0, labelsize=SMALL)
    if day is not None:
        ax.axvline(day, color=INK, linewidth=1.4)
    heading(
        ax,
        f"Through time: {plain(shortened(fleet.endpoint_name(endpoint), 60))}",
        _numbers(timeline, every, len(sessions)),
    )
    legend_below(ax, [mode_handle(kind) for kind in present], share=0.95)
    return ax


def _write_letters(
    ax: Axes,
    mode: Mode,
    middles: np.ndarray[tuple[int], np.dtype[np.float64]],
    rows: Numbers,
) -> None:
    for middle, row in zip(middles, rows, strict=True):
        ax.text(
            middle,
            row,
            MODE_LETTERS[mode],
            ha="center",
            va="center",
            fontsize=NORMAL - 1.5,
            fontweight="bold",
            color=text_on(MODE_COLOURS[mode]),
            bbox={
                "boxstyle": "circle,pad=0.14",
                "facecolor": MODE_COLOURS[mode],
                "edgecolor": "none",
            },
        )


def _label(fleet: Fleet, session: int, endpoint: int) -> str:
    """Return the other end of a session, and its account where that has another name."""
    rows = fleet.sessions
    client = fleet.endpoint_name(int(rows.client[session]))
    server = fleet.servers.name[rows.server[session]]
    account = fleet.accounts.name[rows.account[session]]
    other = server if rows.client[session] == endpoint else client
    suffix = "" if account == client else f" as {shortened(account, 14)}"
    return plain(f"{shortened(other, 26)}{suffix}")


def _numbers(timeline: Timeline, sessions: Numbers, n_shown: int) -> str:
    of_these = np.isin(timeline.session(), sessions)
    refused = of_these & (timeline.mode() == Mode.REFUSED)
    n_refused = len(np.unique(timeline.session()[refused]))
    fleet = timeline.plan.fleet
    rest = f" The first {n_shown:,} are shown." if n_shown < len(sessions) else ""
    return (
        f"{counted(len(sessions), 'session')} from {iso(fleet.start)} to {iso(fleet.end - 1)}; "
        f"{n_refused:,} refused at some time.{rest}"
    )
