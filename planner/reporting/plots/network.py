"""Who talks to whom on a day, and how securely."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.patches import Patch
from numpy.typing import NDArray

from planner.domain.calendar import iso
from planner.domain.fleet import Fleet, Numbers
from planner.domain.levels import LevelFact
from planner.domain.rules import Mode
from planner.engine.deadlines import level_facts_on
from planner.engine.program import level_causes
from planner.engine.timeline import Timeline
from planner.reporting.colours import (
    INK,
    MODE_COLOURS,
    MODE_HATCHES,
    MODE_LETTERS,
    PAPER,
    STACKING,
    text_on,
)
from planner.reporting.plots.groups import ROW_LIMIT, group_endpoints
from planner.reporting.plots.style import (
    NORMAL,
    SMALL,
    Vertices,
    areas,
    boxes,
    counted,
    figure_of,
    hatch_colour,
    heading,
    legend_below,
    mode_handle,
    new_axes,
    plain,
    shortened,
)

_WIDTH: Final = 11.0
_BAR: Final = 0.012
_LINE_HEIGHT: Final = 0.19
"""Room for one name [inches]."""
_LABELS_SHARE: Final = 0.5
"""Most of the height that the names of the longer side may take from the ribbons."""
_PAIR_HEIGHT: Final = 0.04
_HIGHEST: Final = 6.0
"""Room for the ribbons: what each pair would like, and the most for all [inches]."""
_THINNEST: Final = 0.5 / 72
"""Least width of a ribbon [inches]: one session of thousands must not vanish."""
_THIN: Final = 4 / 72
"""Width below which a hatch would hide the colour [inches]."""
_STEPS: Final = 33
_BEST_FIRST: Final = STACKING[-2::-1] + STACKING[-1:]

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Side:
    """One side of the graph, from the top down.

    Parameters
    ----------
    by
        What it is grouped by; empty where each endpoint stands alone.
    number
        Shape `(n_endpoints,)`, places in `names`; -1 for endpoints that are not on this side.
    """

    by: str
    names: tuple[str, ...]
    number: Numbers


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Graph:
    """Sessions of one day between initiators on the left and servers on the right.

    Parameters
    ----------
    counts
        Shape `(n_left, n_right, n_modes)`: sessions of each pair and mode.
    is_new
        Shape `(n_right,)`: whether the server, or each one of the group, is new on the day.
    """

    day: int
    left: Side
    right: Side
    counts: NDArray[np.int64]
    is_new: NDArray[np.bool_]


def fleet_graph(timeline: Timeline, *, day: int | None = None, ax: Axes | None = None) -> Axes:
    """Draw the sessions of one day as ribbons between clients and servers, coloured by mode.

    A ribbon is as wide as it has sessions. Past 40 clients (or servers) they are grouped by site
    or owner. The table twin is session_states.csv.

    Parameters
    ----------
    day
        A day of the horizon; its last one where not given.
    ax
        Where to draw; without it, on a figure of its own that `ax.figure` shows.

    Raises
    ------
    ValueError
        If the day lies outside the horizon.
    """
    fleet = timeline.plan.fleet
    graph = graph_on(timeline, fleet.end - 1 if day is None else day)
    longest = max(len(graph.left.names), len(graph.right.names), 12)
    ribbons = min(_HIGHEST, _PAIR_HEIGHT * np.count_nonzero(graph.counts.any(axis=2)))
    height = longest * _LINE_HEIGHT + max(longest * _LINE_HEIGHT, ribbons)
    ax = new_axes(ax, width=_WIDTH, height=1.6 + height)
    inches = figure_of(ax).get_figheight() * ax.get_position().height
    room = min(_LINE_HEIGHT / inches, _LABELS_SHARE / longest)
    scale = (1 - longest * room) / max(1, int(graph.counts.sum()))
    sessions_left, sessions_right = graph.counts.sum(axis=(1, 2)), graph.counts.sum(axis=(0, 2))
    left, right = _tops(sessions_left * scale), _tops(sessions_right * scale)
    _draw_ribbons(ax, graph, left, right, scale=scale, inches=inches)
    _draw_side(ax, graph.left.names, left, sessions_left * scale, at=0, is_filled=None)
    _draw_side(ax, graph.right.names, right, sessions_right * scale, at=1, is_filled=graph.is_new)
    ax.set_xlim(0, 1)
    ax.set_ylim(1, 0)
    ax.set_axis_off()
    grouped = ", ".join(
        f"{what} by {side.by}"
        for what, side in (("clients", graph.left), ("servers", graph.right))
        if side.by
    )
    title = f"Sessions on {iso(graph.day)}: {plain(fleet.name)}{', ' if grouped else ''}{grouped}"
    heading(ax, title, numbers(timeline, graph.day))
    legend_below(ax, _handles(graph), gap=0.1, share=0.85)
    return ax


def graph_on(timeline: Timeline, day: int) -> Graph:
    """Count the sessions of a day between both sides, in an order that avoids crossings."""
    fleet = timeline.plan.fleet
    sessions, n_clients = fleet.sessions, len(fleet.clients)
    mode = timeline.mode_on(day)
    server = (sessions.server + n_clients).astype(np.int32)
    facts = level_facts_on(
        timeline,
        np.arange(fleet.n_endpoints, dtype=np.int32),
        np.full(fleet.n_endpoints, day, dtype=np.int32),
    )
    is_new = facts & LevelFact.NEW != 0
    left = _left_side(fleet, np.unique(sessions.client))
    right = _right_side(timeline, np.unique(server), day, is_new)
    counts = np.zeros((len(left.names), len(right.names), len(Mode)), dtype=np.int64)
    np.add.at(counts, (left.number[sessions.client], right.number[server], mode), 1)
    pairs = counts.sum(axis=2)
    left_order, right_order = _orders(pairs, left, right)
    old = np.zeros(len(right.names), dtype=np.bool_)
    shown = right.number >= 0
    old[right.number[shown & ~is_new]] = True
    return Graph(
        day=day,
        left=_reordered(left, left_order),
        right=_reordered(right, right_order),
        counts=counts[left_order][:, right_order],
        is_new=~old[right_order],
    )


def _left_side(fleet: Fleet, endpoints: Numbers) -> Side:
    if len(endpoints) <= ROW_LIMIT:
        names = [shortened(fleet.endpoint_name(int(endpoint))) for endpoint in endpoints]
        return _side(fleet, endpoints, names)
    groups = group_endpoints(fleet, endpoints, limit=ROW_LIMIT)
    names = [
        f"{shortened(name, 26)} ({counted(int(size), 'client')})"
        for name, size in zip(groups.names, groups.size(), strict=True)
    ]
    return Side(by=groups.by, names=tuple(names), number=groups.number)


def _right_side(
    timeline: Timeline, endpoints: Numbers, day: int, is_new: NDArray[np.bool_]
) -> Side:
    fleet = timeline.plan.fleet
    if len(endpoints) <= ROW_LIMIT:
        names = [
            f"{shortened(fleet.endpoint_name(int(endpoint)), 26)}  {level}"
            for endpoint, level in zip(endpoints, _levels(timeline, endpoints, day), strict=True)
        ]
        return _side(fleet, endpoints, names)
    groups = group_endpoints(fleet, endpoints, limit=ROW_LIMIT)
    shown = groups.number >= 0
    n_new = np.bincount(groups.number[shown & is_new], minlength=len(groups.names))
    names = [
        f"{shortened(name, 26)} ({counted(int(size), 'server')}, {new:,} new)"
        for name, size, new in zip(groups.names, groups.size(), n_new, strict=True)
    ]
    return Side(by=groups.by, names=tuple(names), number=groups.number)


def _side(fleet: Fleet, endpoints: Numbers, names: list[str]) -> Side:
    number = np.full(fleet.n_endpoints, -1, dtype=np.int32)
    number[endpoints] = np.arange(len(endpoints))
    return Side(by="", names=tuple(names), number=number)


def _reordered(side: Side, order: NDArray[np.intp]) -> Side:
    place = np.append(np.argsort(order), -1)
    return Side(
        by=side.by,
        names=tuple(side.names[number] for number in order),
        number=place[side.number].astype(np.int32),
    )


def _levels(timeline: Timeline, endpoints: Numbers, day: int) -> list[str]:
    """Level of each endpoint on a day, as text."""
    plan, program = timeline.plan, timeline.compiled.program
    causes = level_causes(plan)
    levels = []
    for endpoint in endpoints.tolist():  # a picture has few of them
        first, last = program.level_first[endpoint], program.level_first[endpoint + 1]
        row = first + int(np.searchsorted(program.level_day[first:last], day, side="right")) - 1
        cause = int(causes[row])
        if cause >= 0:
            levels.append(plan.vocabulary.texts[plan.value[cause]])
        else:
            levels.append(str(plan.fleet.endpoint_level(endpoint) or "level unknown"))
    return levels


def _orders(
    pairs: NDArray[np.int64], left_side: Side, right_side: Side
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Order endpoints by the mean place of their partners, in turns: fewer ribbons cross.

    Groups stay in the order of their names.
    """
    left, right = np.arange(pairs.shape[0]), np.arange(pairs.shape[1])
    for _ in range(8):
        if not right_side.by:
            right = _by_partners(pairs.T, left, right)
        if not left_side.by:
            left = _by_partners(pairs, right, left)
    return left, right


def _by_partners(
    pairs: NDArray[np.int64], partners: NDArray[np.intp], now: NDArray[np.intp]
) -> NDArray[np.intp]:
    place = np.empty(len(partners))
    place[partners] = np.arange(len(partners))
    mean = pairs @ place / np.maximum(1, pairs.sum(axis=1))
    return now[np.argsort(mean[now], kind="stable")]


def _tops(heights: Floats) -> Floats:
    """Upper edge of each end of one side, spread evenly from 0 to 1."""
    gap = (1 - heights.sum()) / max(1, len(heights))
    tops: Floats = np.cumsum(heights + gap) - heights - gap / 2
    return tops


def _draw_ribbons(
    ax: Axes, graph: Graph, left: Floats, right: Floats, *, scale: float, inches: float
) -> None:
    """Draw the ribbons, those of one mode as one artist, and a letter on each wide one."""
    counts = graph.counts[:, :, list(STACKING)]
    n_left, n_right, n_modes = counts.shape
    leaving = counts.reshape(n_left, n_right * n_modes)
    arriving = counts.transpose(1, 0, 2).reshape(n_right, n_left * n_modes)
    from_y = left[:, None] + scale * (np.cumsum(leaving, axis=1) - leaving)
    to_y = right[:, None] + scale * (np.cumsum(arriving, axis=1) - arriving)
    from_y = from_y.reshape(n_left, n_right, n_modes)
    to_y = to_y.reshape(n_right, n_left, n_modes).transpose(1, 0, 2)
    share = np.linspace(0, 1, _STEPS)
    x = _BAR + (1 - 2 * _BAR) * share
    curve = share * share * (3 - 2 * share)
    for number, mode in enumerate(STACKING):
        some = counts[:, :, number] > 0
        if not some.any():
            continue
        width = (scale * counts[:, :, number][some]).astype(np.float64)
        start, finish = from_y[:, :, number][some], to_y[:, :, number][some]
        drawn = np.maximum(width, _THINNEST / inches)
        upper = start[:, None] + (finish - start)[:, None] * curve
        across = np.broadcast_to(x, upper.shape)
        outline = np.concatenate(
            [
                np.stack([across, upper], axis=-1),
                np.stack([across, upper + drawn[:, None]], axis=-1)[:, ::-1],
            ],
            axis=1,
        )
        _draw_mode(ax, mode, outline, start + width / 2, width * inches)


def _draw_mode(
    ax: Axes, mode: Mode, outline: Vertices, middle: Floats, width_in_inches: Floats
) -> None:
    """Draw the ribbons of one mode; thin ones without hatch."""
    colour, is_thin = MODE_COLOURS[mode], width_in_inches < _THIN
    for chosen, hatch in ((~is_thin, MODE_HATCHES[mode]), (is_thin, "")):
        ribbons = areas(
            outline[chosen],
            colour=colour,
            hatch=hatch,
            hatch_colour=hatch_colour(mode),
            label=mode.label,
            zorder=2 - mode / 10,
        )
        ribbons.set_alpha(0.85)
        ax.add_collection(ribbons, autolim=False)
    for y in middle[width_in_inches >= 0.13]:
        ax.text(
            3 * _BAR,
            y,
            MODE_LETTERS[mode],
            ha="center",
            va="center",
            fontsize=SMALL - 1,
            fontweight="bold",
            color=text_on(colour),
            bbox={"boxstyle": "circle,pad=0.12", "facecolor": colour, "edgecolor": "none"},
            zorder=3,
        )


def _draw_side(
    ax: Axes,
    names: tuple[str, ...],
    top: Floats,
    height: Floats,
    *,
    at: int,
    is_filled: NDArray[np.bool_] | None,
) -> None:
    """Draw the ends of one side as bars with their names; old servers are hollow."""
    filled = np.ones(len(names), dtype=np.bool_) if is_filled is None else is_filled
    left, right = (0.0, _BAR) if at == 0 else (1 - _BAR, 1.0)
    for chosen, face in ((filled, INK), (~filled, PAPER)):
        n = int(np.count_nonzero(chosen))
        bars = areas(
            _bars(np.full(n, left), np.full(n, right), top[chosen], height[chosen]),
            colour=face,
            zorder=4,
        )
        bars.set(edgecolor=INK, linewidth=0.8)
        ax.add_collection(bars, autolim=False)
    for name, middle in zip(names, top + height / 2, strict=True):
        ax.text(
            -0.006 if at == 0 else 1.006,
            middle,
            plain(name),
            ha="right" if at == 0 else "left",
            va="center",
            fontsize=NORMAL,
            color=INK,
        )


def _bars(left: Floats, right: Floats, top: Floats, height: Floats) -> Vertices:
    corners = boxes(left, right, top, 0)
    corners[:, 2:, 1] += height[:, None]
    return corners


def _handles(graph: Graph) -> list[Artist]:
    totals = graph.counts.sum(axis=(0, 1))
    handles: list[Artist] = [
        mode_handle(mode, f" ({totals[mode]:,})") for mode in _BEST_FIRST if totals[mode]
    ]
    if graph.is_new.any():
        handles.append(Patch(facecolor=INK, edgecolor=INK, label="server is new"))
    if not graph.is_new.all():
        label = "server is old" if not graph.right.by else "some servers of the group are old"
        handles.append(Patch(facecolor=PAPER, edgecolor=INK, label=label))
    return handles


def numbers(timeline: Timeline, day: int) -> str:
    """Return the key numbers of one day in words."""
    counts = np.bincount(timeline.mode_on(day), minlength=len(Mode))
    fleet = timeline.plan.fleet
    parts = [f"{counts[mode]:,} {mode.label}" for mode in _BEST_FIRST if counts[mode]]
    return (
        f"{counted(timeline.n_sessions, 'session')} to "
        f"{counted(len(np.unique(fleet.sessions.server)), 'server')}: "
        f"{', '.join(parts) or 'none'}."
    )
