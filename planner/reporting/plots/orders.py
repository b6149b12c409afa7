"""Rollout orders side by side: sessions by mode, work against capacity, imports falling due."""

from collections.abc import Mapping
from typing import Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from numpy.typing import NDArray

from planner.domain.calendar import Days, iso, mondays_of
from planner.domain.plan import Action
from planner.domain.rules import Mode
from planner.engine.deadlines import Deadlines
from planner.engine.measures import measures
from planner.reporting.colours import (
    INK,
    LINE,
    MUTED,
    PAPER,
    STACKING,
)
from planner.reporting.plots.style import (
    NORMAL,
    SMALL,
    Picture,
    areas,
    boxes,
    clean,
    mode_area,
    mode_handle,
    plain,
    time_axis,
)

_WIDTH: Final = 3.6
_HEIGHTS: Final = (2.2, 1.5, 1.5)
_ROWS: Final = ("sessions", "client upgrades\na week", "imports needed\na week")


def orders(orders: Mapping[str, Deadlines]) -> Axes:
    """Draw several orders of one fleet side by side; returns the first of the axes.

    Each column is an order. From above: sessions by mode on each day; client upgrades of each ISO
    week against the capacity; imports by the week in which they are needed against the capacity.
    The table twin is `planner.tables.orders`.

    Raises
    ------
    ValueError
        If there is no order.
    """
    if not orders:
        raise ValueError("no orders; give at least one")
    fleet = next(iter(orders.values())).timeline.plan.fleet
    n = len(orders)
    figure = Picture(
        figsize=(max(6.4, 0.9 + _WIDTH * n), sum(_HEIGHTS) + 1.9),
        layout="constrained",
        facecolor=PAPER,
    )
    grid = figure.subplots(
        len(_HEIGHTS), n, sharex=True, sharey="row", squeeze=False, height_ratios=_HEIGHTS
    )
    present = {mode for found in orders.values() for mode in _modes(found)}
    for column, (name, found) in enumerate(orders.items()):
        plan = found.timeline.plan
        top, middle, low = grid[:, column]
        _draw_modes(top, found)
        top.set_title(
            plain(name),
            loc="left",
            fontsize=11.5,
            fontweight="bold",
            color=INK,
            pad=30,
        )
        top.annotate(
            numbers(found).replace(", finish", "\nfinish"),
            (0, 1),
            xycoords="axes fraction",
            xytext=(0, 4),
            textcoords="offset points",
            va="bottom",
            color=MUTED,
            fontsize=SMALL,
        )
        upgrades = plan.day[np.isin(plan.action, (Action.UPGRADE_CLIENT, Action.INSTALL_CLIENT))]
        _draw_weeks(middle, upgrades, plan.fleet.capacity.clients_per_week)
        needed = found.needed[found.planned >= fleet.start]
        _draw_weeks(low, needed, plan.fleet.capacity.imports_per_week)
        for ax in (top, middle, low):
            clean(ax)
            time_axis(ax, fleet.start, fleet.end)
            ax.label_outer()
    for ax, label in zip(grid[:, 0], _ROWS, strict=True):
        ax.set_ylabel(label, color=INK, fontsize=NORMAL)
    work = Patch(facecolor=MUTED, label="work")
    limit = Line2D([], [], color=INK, linestyle="--", label="capacity")
    modes = [mode_handle(mode) for mode in STACKING[::-1] if mode in present]
    figure.legend(
        handles=[*modes, work, limit],
        loc="outside lower left",
        ncols=min(len(modes) + 2, 2 * n),
        frameon=False,
        fontsize=SMALL,
        labelcolor=INK,
        handlelength=2.2,
        handleheight=1.1,
    )
    figure.words = (
        f"Rollout orders of {fleet.name} side by side: sessions by mode, upgrades, imports. "
        + " ".join(f"{name}: {numbers(found)}." for name, found in orders.items())
    )
    first: Axes = grid[0, 0]
    return first


def numbers(found: Deadlines) -> str:
    """Return the key numbers of an order in words."""
    measured = measures(found)
    return (
        f"exposure {measured.exposure:,.0f}, refused {measured.refused_session_days:,}, "
        f"finish {iso(measured.finish) or 'never'}, at most {measured.peak_imports_per_week} "
        "imports a week"
    )


def _modes(found: Deadlines) -> list[Mode]:
    counts = found.timeline.daily()
    return [mode for mode in STACKING if counts[:, mode].any()]


def _draw_modes(ax: Axes, found: Deadlines) -> None:
    fleet, counts = found.timeline.plan.fleet, found.timeline.daily()
    x = np.repeat(np.arange(fleet.start, fleet.end + 1), 2)[1:-1].astype(np.float64)
    base = np.zeros(len(x))
    for mode in _modes(found):
        top = base + np.repeat(counts[:, mode], 2)
        ax.add_collection(mode_area(mode, x, base, top))
        base = top
    ax.set_ylim(0, max(1, len(fleet.sessions)))


def _draw_weeks(ax: Axes, days: Days, limit: int | None) -> None:
    """Bars of the things of each week, and the capacity as a line."""
    weeks, counts = np.unique(mondays_of(days), return_counts=True)
    bars: NDArray[np.float64] = boxes(weeks, weeks + 6, counts / 2, 1.0)
    bars[:, :2, 1], bars[:, 2:, 1] = 0.0, counts[:, None]
    ax.add_collection(areas(bars, colour=MUTED, label="work"))
    highest = max([1, *counts.tolist(), *([] if limit is None else [limit])])
    if limit is not None:
        ax.axhline(limit, color=INK, linestyle="--", linewidth=1.0)
        ax.annotate(
            f"{limit}",
            (1, limit),
            xycoords=("axes fraction", "data"),
            xytext=(-2, 2),
            textcoords="offset points",
            ha="right",
            fontsize=SMALL,
            color=INK,
        )
    ax.set_ylim(0, max(highest * 1.15, ax.get_ylim()[1]))
    ax.grid(axis="y", color=LINE, linewidth=0.5)
