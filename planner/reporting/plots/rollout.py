"""The rollout: when servers and clients are upgraded and certificates imported."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from numpy.typing import NDArray

from planner.domain.calendar import NEVER, Days, iso, mondays_of
from planner.domain.fleet import Codes, Fleet, Numbers
from planner.domain.levels import LevelFact
from planner.domain.plan import UPGRADES, Action, Plan
from planner.engine.program import Program, compile_plan
from planner.reporting.cells import ranks
from planner.reporting.colours import BLUE, GREEN, INK, LINE, MUTED, PURPLE, SKY, VERMILION
from planner.reporting.plots.groups import GROUP_LIMIT, ROW_LIMIT, EndpointGroups, group_endpoints
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
    Weeks,
    busiest_week,
    choose_weeks,
    draw_bands,
    draw_blocks,
)

_WIDTH: Final = 12.0
_SERVER_LIMIT: Final = 20
_OLD: Final = LINE
_NEW: Final = SKY
_MARKS: Final = {
    Action.UPGRADE_SERVER: ("^", INK, "upgrade"),
    Action.UPGRADE_CLIENT: ("^", INK, "upgrade"),
    Action.INSTALL_CLIENT: ("P", GREEN, "installation"),
    Action.RETIRE_CLIENT: ("X", VERMILION, "retirement"),
    Action.IMPORT_CERTIFICATE: ("o", BLUE, "import of a certificate"),
    Action.REPLACE_CERTIFICATE: ("D", PURPLE, "server presents a new certificate"),
}
_LANES: Final = (
    ("servers", MUTED, (Action.UPGRADE_SERVER,)),
    ("clients", PURPLE, (Action.UPGRADE_CLIENT, Action.INSTALL_CLIENT)),
    ("imports", BLUE, (Action.IMPORT_CERTIFICATE,)),
)


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Events:
    """The actions of a plan that a picture shows: inside the horizon, on known endpoints."""

    endpoint: Numbers
    day: Days
    action: Codes

    @classmethod
    def of(cls, plan: Plan) -> "Events":
        """Pick the actions that have a mark."""
        fleet = plan.fleet
        n_clients = len(fleet.clients)
        at_server = np.isin(plan.action, (Action.UPGRADE_SERVER, Action.REPLACE_CERTIFICATE))
        server = np.where(plan.server < len(fleet.servers), plan.server + n_clients, -1)
        client = np.where(plan.client < fleet.n_endpoints, plan.client, -1)
        endpoint = np.where(at_server, np.where(plan.server < 0, -1, server), client)
        shown = np.isin(plan.action, list(_MARKS)) & (endpoint >= 0)
        shown &= (plan.day >= fleet.start) & (plan.day < fleet.end)
        return cls(
            endpoint=endpoint[shown].astype(np.int32),
            day=plan.day[shown],
            action=plan.action[shown],
        )

    def are(self, *actions: Action) -> NDArray[np.bool_]:
        """Whether each event is of one of some kinds."""
        return np.isin(self.action, actions)


def gantt(plan: Plan, *, ax: Axes | None = None) -> Axes:
    """Draw the rollout: upgrades of servers and clients, imports, and freezes.

    Up to 40 endpoints have a row each: a bar that tells old from new levels, and marks for
    actions. In a larger fleet clients are drawn by site (or owner), as counts of each week, and
    servers too where there are more than 20. The table twin is schedule.csv.

    Parameters
    ----------
    ax
        Where to draw; without it, on a figure of its own that `ax.figure` shows.
    """
    fleet = plan.fleet
    events, program = Events.of(plan), compile_plan(plan).program
    rows = _rows(fleet, events)
    blocks: list[Block] = []
    by = ""
    start, end = fleet.start, fleet.end
    weeks = None
    if len(rows) < fleet.n_endpoints:
        grouped = np.setdiff1d(np.arange(fleet.n_endpoints, dtype=np.int32), rows)
        groups = group_endpoints(fleet, grouped, limit=GROUP_LIMIT)
        weeks = _weeks(fleet, events, groups)
        blocks = _blocks(events, groups, weeks, n_clients=len(fleet.clients))
        what = "clients" if len(rows) else "servers and clients"
        by = f", {what} by {groups.by}, per {weeks.text}"
        start, end = weeks.start, weeks.end
    n_rows = len(rows) + sum(len(block.lanes) for block in blocks)
    ax = new_axes(ax, width=_WIDTH, height=1.9 + 0.24 * max(4, n_rows))
    handles = _draw_rows(ax, fleet, rows, events, program)
    ticks = [
        (float(place), plain(shortened(_name(fleet, int(endpoint)))))
        for place, endpoint in enumerate(rows)
    ]
    if weeks is not None:
        ticks += draw_blocks(ax, blocks, weeks, top=len(rows))
        handles += _lane_handles(blocks)
    clean(ax)
    ax.set_yticks([place for place, _ in ticks], [text for _, text in ticks])
    ax.tick_params(axis="y", length=0)
    for label, endpoint in zip(ax.get_yticklabels(), rows, strict=False):
        label.set_fontweight("bold" if endpoint >= len(fleet.clients) else "normal")
    ax.set_ylim(max(n_rows, 1) - 0.4, -0.6)
    time_axis(ax, start, end)
    handles += shade_freezes(ax, fleet.calendar, start, end)
    heading(ax, f"Rollout: {plain(fleet.name)}{by}", numbers(plan))
    legend_below(ax, handles)
    return ax


def numbers(plan: Plan) -> str:
    """Return the key numbers of a plan in words."""
    events = Events.of(plan)
    counts = [
        (int(np.count_nonzero(events.are(*actions))), text)
        for actions, text in (
            ((Action.UPGRADE_SERVER,), "server upgrade"),
            ((Action.UPGRADE_CLIENT,), "client upgrade"),
            ((Action.INSTALL_CLIENT,), "installation"),
            ((Action.RETIRE_CLIENT,), "retirement"),
            ((Action.IMPORT_CERTIFICATE,), "import"),
        )
    ]
    parts = [counted(count, text) for count, text in counts if count]
    if not parts:
        return "The plan changes nothing inside the horizon."
    days = f"from {iso(int(events.day.min()))} to {iso(int(events.day.max()))}"
    text = f"{', '.join(parts)}, {days}"
    imports = events.day[events.are(Action.IMPORT_CERTIFICATE)]
    if len(imports):
        weeks, of_week = np.unique(mondays_of(imports), return_counts=True)
        busiest = int(np.argmax(of_week))
        text += (
            f"; at most {counted(int(of_week[busiest]), 'import')} in one week, "
            f"that of {iso(int(weeks[busiest]))}"
        )
    return text + "."


def _rows(fleet: Fleet, events: Events) -> Numbers:
    """Endpoints with a row of their own, by first upgrade: servers, then clients."""
    n_clients = len(fleet.clients)
    first = np.full(fleet.n_endpoints, NEVER, dtype=np.int32)
    changes = events.are(*UPGRADES)
    np.minimum.at(first, events.endpoint[changes], events.day[changes])
    is_client = np.arange(fleet.n_endpoints) < n_clients
    order = np.lexsort((ranks(fleet.endpoint_names()), first, is_client)).astype(np.int32)
    if len(order) <= ROW_LIMIT:
        return order
    return order[: len(fleet.servers)] if len(fleet.servers) <= _SERVER_LIMIT else order[:0]


def _name(fleet: Fleet, endpoint: int) -> str:
    name = fleet.endpoint_name(endpoint)
    is_double = fleet.is_server(endpoint) and fleet.clients.name.find(name) >= 0
    return f"{name} (server)" if is_double else name


def _draw_rows(
    ax: Axes, fleet: Fleet, rows: Numbers, events: Events, program: Program
) -> list[Artist]:
    """Draw bars and marks of the endpoints that have a row; return their legend entries."""
    if not len(rows):
        return []
    draw_bands(ax, [(row - 0.5, row + 0.5) for row in range(0, len(rows), 2)])
    place = np.full(fleet.n_endpoints, -1, dtype=np.int64)
    place[rows] = np.arange(len(rows))
    until = np.append(program.level_day[1:], fleet.end)
    until[program.level_first[1:] - 1] = fleet.end
    row = place[np.repeat(np.arange(fleet.n_endpoints), np.diff(program.level_first))]
    is_new = program.level_facts & LevelFact.NEW != 0
    is_installed = program.level_facts & LevelFact.INSTALLED != 0
    handles: list[Artist] = []
    for chosen, colour, label in (
        (is_installed & ~is_new, _OLD, "old level"),
        (is_new, _NEW, "new level"),
    ):
        drawn = chosen & (row >= 0)
        bars = boxes(program.level_day[drawn], until[drawn], row[drawn], 0.5)
        ax.add_collection(areas(bars, colour=colour, label=label, zorder=1))
        handles.append(Patch(facecolor=colour, label=label))
    shown = place[events.endpoint] >= 0
    labelled = set()
    for action, (marker, colour, label) in _MARKS.items():
        chosen = shown & events.are(action)
        if not chosen.any():
            continue
        marks = ax.plot(
            events.day[chosen],
            place[events.endpoint[chosen]],
            linestyle="none",
            marker=marker,
            markersize=5.5 if marker == "o" else 7,
            markerfacecolor=colour,
            markeredgecolor="white",
            markeredgewidth=0.6,
            label=label,
            zorder=3,
            clip_on=False,
        )
        if label not in labelled:
            handles += [_without_line(line) for line in marks]
        labelled.add(label)
    return handles


def _without_line(marks: Line2D) -> Line2D:
    handle = Line2D([], [])
    handle.update_from(marks)
    handle.set_label(str(marks.get_label()))
    return handle


def _weeks(fleet: Fleet, events: Events, groups: EndpointGroups) -> Weeks:
    group = groups.number[events.endpoint]
    lanes = [events.are(*actions) & (group >= 0) for _, _, actions in _LANES]
    busiest = max(busiest_week(group[lane], events.day[lane], len(groups.names)) for lane in lanes)
    return choose_weeks(fleet.start, fleet.end - 1, busiest_week=busiest, width=_WIDTH - 3.0)


def _blocks(events: Events, groups: EndpointGroups, weeks: Weeks, *, n_clients: int) -> list[Block]:
    group = groups.number[events.endpoint]
    lanes: list[list[Lane]] = [[] for _ in groups.names]
    for name, colour, actions in _LANES:
        chosen = events.are(*actions) & (group >= 0)
        counts = weeks.count(group[chosen], events.day[chosen], len(groups.names))
        if not counts.any():
            continue
        for number, mine in enumerate(lanes):
            mine.append(Lane(name=name, colour=colour, hatch="", counts=counts[number]))
    is_client = np.arange(len(groups.number)) < n_clients
    n_members = np.bincount(
        groups.number[is_client & (groups.number >= 0)], minlength=len(groups.names)
    )
    return [
        Block(name=name, lanes=tuple(mine), remark=counted(int(n), "client"))
        for name, mine, n in zip(groups.names, lanes, n_members, strict=True)
        if mine
    ]


def _lane_handles(blocks: Sequence[Block]) -> list[Artist]:
    drawn = {lane.name for block in blocks for lane in block.lanes}
    texts = {
        "servers": "servers upgraded",
        "clients": "clients upgraded or installed",
        "imports": "certificates imported",
    }
    return [
        Patch(facecolor=colour, label=texts[name]) for name, colour, _ in _LANES if name in drawn
    ]
