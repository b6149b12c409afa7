"""How much lead the imports of a plan need when upgrades and imports slip."""

from typing import Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator, StrMethodFormatter

from planner.domain.calendar import iso
from planner.reporting.colours import BLUE, INK, ORANGE
from planner.reporting.plots.style import (
    NORMAL,
    areas,
    clean,
    counted,
    heading,
    legend_below,
    new_axes,
    plain,
)
from planner.risk.result import HOLDS_PERCENT, Risk

_MARGIN: Final = 1.08


def lead_chart(found: Risk, *, ax: Axes | None = None) -> Axes:
    """Draw how many imports a lead is enough for in 95 % of the runs, against the fleet's own lead.

    The table twin is lead_times.csv.

    Parameters
    ----------
    ax
        Where to draw; without it, on a figure of its own that `ax.figure` shows.
    """
    ax = new_axes(ax, width=11, height=4.6)
    policy = found.plan.fleet.calendar.lead_days
    leads = found.leads[found.has_lead()]
    longest = max(int(leads.max(initial=0)), policy) + 1
    holds = np.cumsum(np.bincount(leads, minlength=longest + 1))
    edges = np.arange(longest + 2) - 0.5
    bars = [
        np.array([(left + 0.08, 0), (right - 0.08, 0), (right - 0.08, n), (left + 0.08, n)])
        for left, right, n in zip(edges[:-1], edges[1:], holds.tolist(), strict=True)
        if n
    ]
    ax.add_collection(areas(bars, colour=BLUE, label="holds"))
    ax.axhline(len(leads), color=INK, linewidth=1.2, linestyle=(0, (1, 2)))
    ax.axvline(policy, color=ORANGE, linewidth=2.4, linestyle=(0, (5, 3)))
    clean(ax)
    ax.set_xlim(edges[0], edges[-1])
    ax.set_ylim(0, _MARGIN * max(1, len(leads)))
    ax.xaxis.set_major_locator(MaxNLocator(nbins=16, integer=True))
    ax.yaxis.set_major_locator(MaxNLocator(nbins=8, integer=True, steps=[1, 2, 5, 10]))
    ax.yaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
    ax.set_xlabel("lead of the import [working days]", color=INK, fontsize=NORMAL)
    ax.set_ylabel("imports", color=INK, fontsize=NORMAL)
    heading(ax, f"Leads that hold when work slips: {plain(found.plan.fleet.name)}", numbers(found))
    legend_below(
        ax,
        [
            Line2D([], [], color=BLUE, linewidth=8, label=f"in time in {HOLDS_PERCENT} % of runs"),
            Line2D([], [], color=INK, linestyle=(0, (1, 2)), label="all imports"),
            Line2D([], [], color=ORANGE, linestyle=(0, (5, 3)), label=f"the lead of {policy}"),
        ],
        share=0.95,
    )
    return ax


def numbers(found: Risk) -> str:
    """Return the key numbers of a plan's risk in words."""
    policy = found.plan.fleet.calendar.lead_days
    leads = found.leads[found.has_lead()]
    enough = int(np.count_nonzero(leads <= policy))
    return (
        f"A lead of {counted(policy, 'working day')} is enough for {enough:,} of "
        f"{counted(len(leads), 'import')}; some session is refused in {found.probability:.1%} of "
        f"{counted(found.n_runs, 'run')}; finish {iso(found.finish_at(0.5)) or 'never'} in half of "
        "them."
    )
