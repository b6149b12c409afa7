"""An endpoint through time, with the rule and the source behind each state."""

import ipywidgets
import pandas as pd

from planner.domain.calendar import iso
from planner.engine.timeline import Timeline
from planner.reporting import plots, tables
from planner.reporting.plots.style import shortened
from planner.widgets.download import DownloadButton
from planner.widgets.panel import Drawing, Panel, day_slider


class SessionFilm:
    """The sessions of a client or server, day by day, and why each state is what it is.

    Attributes
    ----------
    endpoint
        Name of the client or server; a field that completes what is typed.
    day
        Slider over the days of the horizon; the headline tells what holds on that day.
    """

    def __init__(self, timeline: Timeline, endpoint: str = "") -> None:
        fleet = timeline.plan.fleet
        self.timeline = timeline
        names = list(dict.fromkeys(fleet.endpoint_names().tolist()))
        self.endpoint = ipywidgets.Combobox(
            description="Host", options=names, value=endpoint or names[0], ensure_option=True
        )
        self.day = day_slider(fleet)
        download = DownloadButton(lambda: self.value, "film.csv")
        self.panel = Panel([self.endpoint, self.day], self._draw, below=[download])

    @property
    def value(self) -> pd.DataFrame:
        """The segments of the chosen host's sessions, with rule and source."""
        return tables.film(self.timeline, self._number)

    @property
    def on_day(self) -> pd.DataFrame:
        """Those of the segments that hold on the chosen day."""
        value, day = self.value, iso(self.day.value)
        return value[(value.start <= day) & (day < value.end)].reset_index(drop=True)

    @property
    def summary(self) -> str:
        """The key numbers in a line."""
        counts = self.on_day["mode"].value_counts()
        modes = ", ".join(f"{count} {mode}" for mode, count in counts.items())
        name = shortened(self.endpoint.value)
        return f"{name!r}, {iso(self.day.value)}: {modes or 'no sessions'}"

    @property
    def _number(self) -> int:
        return max(self.timeline.plan.fleet.find_endpoint(self.endpoint.value), 0)

    def _draw(self) -> Drawing:
        return Drawing(
            headline=self.summary,
            ax=plots.session_film(self.timeline, self._number, day=self.day.value),
            title=f"States of {self.endpoint.value}, with the rule behind each",
            table=self.value,
        )

    def __repr__(self) -> str:
        return f"SessionFilm({self.summary})"

    def _repr_mimebundle_(self, **_: object) -> dict[str, object]:
        return self.panel.bundle(repr(self))
