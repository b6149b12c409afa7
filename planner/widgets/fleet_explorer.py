"""The fleet on a day: who talks to whom, and how securely."""

from typing import Final

import ipywidgets
import numpy as np
import pandas as pd

from planner.domain.calendar import iso
from planner.domain.rules import Mode
from planner.engine.timeline import Timeline
from planner.reporting import plots, tables
from planner.widgets.download import DownloadButton
from planner.widgets.panel import Drawing, Panel, day_slider

_ALL: Final = "all modes"


class FleetExplorer:
    """Sessions of a day as a graph and a table, on a slider over the days of a plan.

    Attributes
    ----------
    day
        Slider over the days of the horizon.
    mode
        Which sessions the table lists.
    """

    def __init__(self, timeline: Timeline) -> None:
        fleet = timeline.plan.fleet
        self.timeline = timeline
        self.day = day_slider(fleet)
        self.mode = ipywidgets.Dropdown(
            description="Sessions", options=[_ALL, *(mode.label for mode in Mode)]
        )
        download = DownloadButton(lambda: self.value, "states_on_day.csv")
        self.panel = Panel([self.day, self.mode], self._draw, below=[download])

    @property
    def value(self) -> pd.DataFrame:
        """The state of the chosen sessions on the chosen day."""
        states = tables.states_on(self.timeline, self.day.value)
        if self.mode.value == _ALL:
            return states
        chosen: pd.DataFrame = states[states["mode"] == self.mode.value]
        return chosen.reset_index(drop=True)

    @property
    def counts(self) -> dict[str, int]:
        """Sessions of each mode on the chosen day, those without any left out."""
        counts = np.bincount(self.timeline.mode_on(self.day.value), minlength=len(Mode))
        return {mode.label: int(counts[mode]) for mode in Mode if counts[mode]}

    @property
    def summary(self) -> str:
        """The key numbers in a line."""
        counts = ", ".join(f"{count} {mode}" for mode, count in self.counts.items())
        return f"{iso(self.day.value)}: {counts or 'no sessions'}"

    def _draw(self) -> Drawing:
        day, value = self.day.value, self.value
        return Drawing(
            headline=self.summary,
            ax=plots.fleet_graph(self.timeline, day=day),
            title=f"{len(value):,} sessions on {iso(day)}: {self.mode.value}",
            table=value,
        )

    def __repr__(self) -> str:
        return f"FleetExplorer({self.summary})"

    def _repr_mimebundle_(self, **_: object) -> dict[str, object]:
        return self.panel.bundle(repr(self))
