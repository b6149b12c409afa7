"""Two plans for one fleet over time: what travels in plain text, and what is refused."""

from typing import Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator, StrMethodFormatter

from planner.domain.calendar import iso
from planner.domain.rules import Mode
from planner.reporting.colours import INK, MODE_COLOURS, MODE_LETTERS
from planner.reporting.plots.style import (
    NORMAL,
    clean,
    counted,
    heading,
    legend_below,
    new_axes,
    plain,
    time_axis,
)
from planner.tracking.compare import Comparison

_DRAWN: Final = (Mode.PLAINTEXT, Mode.REFUSED)
_STYLES: Final = (("a", "dashed"), ("b", "solid"))


def comparison_chart(found: Comparison, *, ax: Axes | None = None) -> Axes:
    """Draw how many sessions two plans leave in plain text, and refuse, on each day.

    The first plan is dashed, the second one solid. The table twin is comparison.csv.

    Parameters
    ----------
    ax
        Where to draw; without it, on a figure of its own that `ax.figure` shows.
    """
    fleet = found.fleet
    ax = new_axes(ax, width=11, height=4.6)
    days = np.arange(fleet.start, fleet.end + 1)
    highest = 1
    for (name, style), deadlines in zip(_STYLES, (found.a, found.b), strict=True):
        counts = deadlines.timeline.daily()
        for mode in _DRAWN:
            ax.stairs(
                counts[:, mode],
                days,
                baseline=None,
                color=MODE_COLOURS[mode],
                linestyle=style,
                linewidth=1.8,
                label=f"{mode.label}, plan {name.upper()}",
            )
            ax.text(
                fleet.end,
                counts[-1, mode],
                f" {MODE_LETTERS[mode]}",
                va="center",
                color=INK,
                fontsize=NORMAL,
            )
            highest = max(highest, int(counts[:, mode].max(initial=0)))
    clean(ax)
    time_axis(ax, fleet.start, fleet.end)
    ax.set_ylim(0, highest * 1.06)
    ax.yaxis.set_major_locator(MaxNLocator(nbins=8, integer=True, steps=[1, 2, 5, 10]))
    ax.yaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
    ax.set_ylabel("sessions", color=INK, fontsize=NORMAL)
    heading(ax, f"Plan B against plan A: {plain(fleet.name)}", numbers(found))
    legend_below(ax, ax.get_legend_handles_labels()[0], share=0.95)
    return ax


def numbers(found: Comparison) -> str:
    """Return the key numbers of a comparison in words."""
    refused, safe = len(found.newly_refused), len(found.newly_safe)
    before, after = found.measures_a, found.measures_b
    change = after.exposure - before.exposure
    words = "less" if change < 0 else "more"
    return (
        f"Plan B newly refuses {counted(refused, 'session')} and makes {safe:,} safe; "
        f"{abs(change):,.0f} {words} session-days by weight in plain text; "
        f"finish {iso(before.finish) or 'never'} -> {iso(after.finish) or 'never'}."
    )
