"""When trusted certificates must be distributed."""

from collections.abc import Sequence
from typing import Final

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from numpy.typing import NDArray

from planner.domain.calendar import ALWAYS, NEVER
from planner.domain.fleet import Numbers
from planner.domain.rules import Verdict
from planner.engine.deadlines import Deadlines
from planner.reporting.cells import ranks
from planner.reporting.colours import BLUE, GREEN, INK, MUTED, PURPLE, VERMILION
from planner.reporting.plots.groups import GROUP_LIMIT, ROW_LIMIT, group_endpoints
from planner.reporting.plots.style import (
    areas,
    boxes,
    clean,
    counted,
    heading,
    legend_below,
    new_axes,
    plain,
    shade_freezes,
    shortened,
    time_axis,
)
from planner.reporting.plots.weeks import (
    Block,
    Lane,
    busiest_week,
    choose_weeks,
    draw_bands,
    draw_blocks,
)

_TITLE: Final = "When trusted certificates must be distributed"
_WIDTH: Final = 12.0
_LATE_HATCH: Final = "xxxx"


def deadline_chart(deadlines: Deadlines, *, ax: Axes | None = None) -> Axes:
    """Draw by when each trust anchor must be in each key database, and when it is planned.

    Up to 40 imports have a row each: a bar for the slack from the planned day to the latest safe
    one, a mark for either and one for the day needed. A larger plan is drawn by site (or owner):
    counts of each week. Anchors that are in place already are left out. The table twin is
    trust_deadlines.csv.

    Parameters
    ----------
    ax
        Where to draw; without it, on a figure of its own that `ax.figure` shows.
    """
    rows = np.flatnonzero(~deadlines.has_verdict(Verdict.IN_PLACE)).astype(np.int32)
    if len(rows) <= ROW_LIMIT:
        return _draw_rows(deadlines, rows, ax)
    return _draw_groups(deadlines, rows, ax)


def is_too_late(deadlines: Deadlines) -> NDArray[np.bool_]:
    """Whether each row's import is missing, impossible, or planned after its latest safe day."""
    has_slack, slack = deadlines.slack()
    return np.where(has_slack, slack < 0, deadlines.planned == NEVER)


def _draw_rows(deadlines: Deadlines, rows: Numbers, ax: Axes | None) -> Axes:
    fleet = deadlines.timeline.plan.fleet
    names, certificates = fleet.endpoint_names(), deadlines.timeline.compiled.certificates.name
    endpoint, database = deadlines.endpoint(), deadlines.key_database()
    rows = rows[
        np.lexsort(
            (
                ranks(certificates)[deadlines.anchor[rows]],
                ranks(names)[endpoint[rows]],
                deadlines.needed[rows],
            )
        )
    ]
    ax = new_axes(ax, width=_WIDTH, height=1.9 + 0.25 * max(4, len(rows)))
    place = np.arange(len(rows), dtype=np.float64)
    needed, latest_safe = deadlines.needed[rows], deadlines.latest_safe[rows]
    planned = deadlines.planned[rows]
    is_planned = (planned != NEVER) & (planned != ALWAYS)
    draw_bands(ax, [(row - 0.5, row + 0.5) for row in place[::2]])
    _draw_slack(ax, place[is_planned], planned[is_planned], latest_safe[is_planned])
    leads = [[(a, row), (b, row)] for a, b, row in zip(latest_safe, needed, place, strict=True)]
    ax.add_collection(LineCollection(leads, colors=MUTED, linewidths=1, zorder=1.5))
    _marks(ax, latest_safe, place, marker="|", size=13, label="latest safe day")
    _marks(ax, needed, place, marker="D", size=8, label="needed", hollow=True)
    _marks(ax, planned[is_planned], place[is_planned], marker="o", size=5.5, label="planned import")
    missing = ~is_planned
    _marks(
        ax, latest_safe[missing], place[missing], marker="X", size=8, label="no import is planned"
    )
    databases = fleet.key_databases.name
    labels = [
        _row_label(names[endpoint[row]], databases[database[row]], certificates[anchor])
        for row, anchor in zip(rows, deadlines.anchor[rows], strict=True)
    ]
    clean(ax)
    ax.set_yticks(place, labels)
    ax.tick_params(axis="y", length=0)
    ax.set_ylim(max(len(rows), 1) - 0.4, -0.6)
    days = np.concatenate([needed, latest_safe, planned[is_planned]])
    first, last = (days.min(), days.max()) if len(days) else (fleet.start, fleet.end)
    margin = max(7, int(last - first) // 40)
    time_axis(ax, int(first) - margin, int(last) + margin)
    freezes = shade_freezes(ax, fleet.calendar, int(first) - margin, int(last) + margin)
    heading(ax, f"{_TITLE}: {plain(fleet.name)}", numbers(deadlines))
    if len(rows):
        legend_below(ax, [*_row_handles(planned, latest_safe, is_planned), *freezes])
    return ax


def _row_label(client: str, database: str, certificate: str) -> str:
    where = "" if database.casefold() == "default" else f" ({shortened(database, 12)})"
    arrow = "\N{LEFTWARDS ARROW}"
    return (
        f"{plain(shortened(client, 26))}{plain(where)} {arrow} {plain(shortened(certificate, 26))}"
    )


def _draw_slack(ax: Axes, place: NDArray[np.floating], planned: Numbers, latest: Numbers) -> None:
    """Bars between the planned and the latest safe day, one artist for each sign."""
    is_late = planned > latest
    early = ~is_late
    ax.add_collection(
        areas(
            boxes(planned[early], latest[early], place[early], 0.42),
            colour=GREEN,
            label="slack",
        )
    )
    ax.add_collection(
        areas(
            boxes(latest[is_late], planned[is_late], place[is_late], 0.42),
            colour=VERMILION,
            hatch=_LATE_HATCH,
            hatch_colour=INK,
            label="negative slack",
        )
    )


def _marks(
    ax: Axes,
    days: Numbers,
    place: NDArray[np.floating],
    *,
    marker: str,
    size: float,
    label: str,
    hollow: bool = False,
) -> None:
    ax.plot(
        days,
        place,
        linestyle="none",
        marker=marker,
        markersize=size,
        markerfacecolor="white" if hollow else _MARK_COLOURS[marker],
        markeredgecolor=_MARK_COLOURS[marker],
        markeredgewidth=2.2 if marker == "|" else 1.1,
        label=label,
        zorder=3,
        clip_on=False,
    )


_MARK_COLOURS: Final = {"|": INK, "D": INK, "o": BLUE, "X": VERMILION}


def _row_handles(
    planned: Numbers, latest_safe: Numbers, is_planned: NDArray[np.bool_]
) -> list[Artist]:
    """Legend entries of what is drawn."""

    def mark(marker: str, size: float, label: str, face: str) -> Line2D:
        return Line2D(
            [],
            [],
            linestyle="none",
            marker=marker,
            markersize=size,
            markerfacecolor=face,
            markeredgecolor=_MARK_COLOURS[marker],
            markeredgewidth=2.2 if marker == "|" else 1.1,
            label=label,
        )

    handles: list[Artist] = [
        mark("|", 13, "latest safe day", INK),
        mark("D", 8, "needed from this day on", "white"),
    ]
    if is_planned.any():
        handles.insert(0, mark("o", 5.5, "planned import", BLUE))
    if np.any(planned[is_planned] < latest_safe[is_planned]):
        handles.append(Patch(facecolor=GREEN, label="slack"))
    if np.any(planned[is_planned] > latest_safe[is_planned]):
        late = "negative slack: too late"
        handles.append(
            Patch(facecolor=VERMILION, edgecolor=INK, hatch=_LATE_HATCH, linewidth=0, label=late)
        )
    if not is_planned.all():
        handles.append(mark("X", 8, "no import is planned", VERMILION))
    return handles


def _draw_groups(deadlines: Deadlines, rows: Numbers, ax: Axes | None) -> Axes:
    fleet = deadlines.timeline.plan.fleet
    endpoint = deadlines.endpoint()[rows]
    groups = group_endpoints(fleet, np.unique(endpoint), limit=GROUP_LIMIT)
    group, n_groups = groups.number[endpoint], len(groups.names)
    needed, latest_safe = deadlines.needed[rows], deadlines.latest_safe[rows]
    planned, too_late = deadlines.planned[rows], is_too_late(deadlines)[rows]
    is_planned = (planned != NEVER) & (planned != ALWAYS)
    days = np.concatenate([needed, latest_safe, planned[is_planned]])
    weeks = choose_weeks(
        int(days.min()),
        int(days.max()),
        busiest_week=max(busiest_week(group, day, n_groups) for day in (needed, latest_safe)),
        width=_WIDTH - 3.4,
    )
    kinds = {
        "planned": (BLUE, "", is_planned, planned),
        "latest safe": (PURPLE, "", np.ones(len(rows), dtype=np.bool_), latest_safe),
        "needed": (MUTED, "", np.ones(len(rows), dtype=np.bool_), needed),
        "too late": (VERMILION, _LATE_HATCH, too_late, needed),
    }
    lanes_of_group: list[list[Lane]] = [[] for _ in range(n_groups)]
    for name, (colour, hatch, chosen, day) in kinds.items():
        counts = weeks.count(group[chosen], day[chosen], n_groups)
        for number, lanes in enumerate(lanes_of_group):
            if name != "too late" or counts[number].any():
                lanes.append(Lane(name=name, colour=colour, hatch=hatch, counts=counts[number]))
    remarks = _remarks(deadlines, rows, group, n_groups)
    blocks = [
        Block(name=name, lanes=tuple(lanes), remark=remark)
        for name, lanes, remark in zip(groups.names, lanes_of_group, remarks, strict=True)
    ]
    n_rows = sum(len(lanes) for lanes in lanes_of_group)
    ax = new_axes(ax, width=_WIDTH, height=1.9 + 0.22 * n_rows)
    ticks = draw_blocks(ax, blocks, weeks, top=0)
    clean(ax)
    ax.set_yticks([place for place, _ in ticks], [text for _, text in ticks])
    ax.tick_params(axis="y", length=0)
    ax.set_ylim(n_rows - 0.4, -0.6)
    time_axis(ax, weeks.start, weeks.end)
    freezes = shade_freezes(ax, fleet.calendar, weeks.start, weeks.end)
    title = f"{_TITLE}: {plain(fleet.name)}, by {groups.by}, per {weeks.text}"
    heading(ax, title, numbers(deadlines))
    legend_below(ax, [*_lane_handles(with_late=bool(too_late.any())), *freezes])
    return ax


def _remarks(deadlines: Deadlines, rows: Numbers, group: Numbers, n_groups: int) -> Sequence[str]:
    """Count of imports and range of slack of each group."""
    has_slack, slack = deadlines.slack()
    remarks = []
    for number in range(n_groups):
        mine = rows[group == number]
        values = slack[mine][has_slack[mine]]
        spread = f"slack {_spread(values)}" if len(values) else "none planned"
        remarks.append(f"{counted(len(mine), 'import')}\n{spread}")
    return remarks


def _spread(slack: Numbers) -> str:
    least, most = int(slack.min()), int(slack.max())
    return counted(least, "day") if least == most else f"{least} to {most} days"


def _lane_handles(*, with_late: bool) -> list[Artist]:
    handles: list[Artist] = [
        Patch(facecolor=BLUE, label="imports planned"),
        Patch(facecolor=PURPLE, label="latest safe day"),
        Patch(facecolor=MUTED, label="needed from this day on"),
    ]
    if with_late:
        handles.append(
            Patch(
                facecolor=VERMILION,
                edgecolor=INK,
                hatch=_LATE_HATCH,
                linewidth=0,
                label="needed, but missing or too late",
            )
        )
    return handles


def numbers(deadlines: Deadlines) -> str:
    """Return the key numbers of all deadlines in words."""
    n_in_place = deadlines.count(Verdict.IN_PLACE)
    n_rows = len(deadlines) - n_in_place
    has_slack, slack = deadlines.slack()
    late = int(np.count_nonzero(has_slack & (slack < 0)))
    missing = deadlines.count(Verdict.MISSING)
    text = f"{counted(n_rows, 'import')} to make"
    if n_in_place:
        text += f" ({counted(n_in_place, 'anchor')} in place already)"
    if has_slack.any():
        values = slack[has_slack]
        median = f", median {np.median(values):g}" if values.min() < values.max() else ""
        text += f"; slack {_spread(values)}{median}"
    problems = []
    if late:
        problems.append(f"{late:,} after the latest safe day")
    if missing:
        problems.append(f"{missing:,} not planned")
    if problems:
        return f"{text}; {' and '.join(problems)}."
    return f"{text}; none too late." if n_rows else f"{text}."
