"""What all explorers share: controls above a view, drawn anew when a control changes.

The way is always controls -> value -> view. The page keeps at most one message under way and then
sends the last value alone, so a slider that runs ahead of the kernel skips what is stale.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import anywidget
import ipywidgets
import pandas as pd
import traitlets
from matplotlib.axes import Axes

from planner.domain.fleet import Fleet
from planner.reporting.plots.dark import darken
from planner.reporting.plots.style import quick_picture

STATIC: Final = Path(__file__).parent / "static"
MOST_ROWS: Final = 200
"""Rows of a table that a page shows; a download has them all."""
WHOLE_LABEL: Final = {"description_width": "initial"}
"""Style of a control whose label is not cut."""


class Slider(anywidget.AnyWidget):
    """A labelled slider over whole numbers, or over days where `is_day`."""

    _esm = STATIC / "slider.js"
    _css = STATIC / "planner.css"
    label = traitlets.Unicode().tag(sync=True)
    value = traitlets.Int().tag(sync=True)
    minimum = traitlets.Int().tag(sync=True)
    maximum = traitlets.Int().tag(sync=True)
    is_day = traitlets.Bool(default_value=False).tag(sync=True)

    @traitlets.validate("value")
    def _keep_inside(self, proposal: Mapping[str, int]) -> int:
        return min(max(proposal["value"], self.minimum), self.maximum)

    def __repr__(self) -> str:
        return f"Slider({self.label!r}, {self.value} of {self.minimum}..{self.maximum})"


def day_slider(fleet: Fleet) -> Slider:
    """Return a slider over the days of a fleet's horizon."""
    return Slider(
        label="Day", value=fleet.start, minimum=fleet.start, maximum=fleet.end - 1, is_day=True
    )


def weekly_limit(what: str, limit: int | None) -> ipywidgets.BoundedIntText:
    """Return a field for a capacity of a week; 0 is unlimited."""
    return ipywidgets.BoundedIntText(
        description=f"{what} per week (0: unlimited)",
        value=limit or 0,
        min=0,
        max=1_000_000,
        style=WHOLE_LABEL,
    )


def seed_field() -> ipywidgets.BoundedIntText:
    """Return a field for the seed of random numbers."""
    return ipywidgets.BoundedIntText(
        description="Seed", value=0, min=0, max=2**31 - 1, style=WHOLE_LABEL
    )


class View(anywidget.AnyWidget):
    """A headline, a picture with its words, and the first rows of a table."""

    _esm = STATIC / "view.js"
    _css = STATIC / "planner.css"
    headline = traitlets.Unicode().tag(sync=True)
    png = traitlets.Bytes().tag(sync=True)
    words = traitlets.Unicode().tag(sync=True)
    table = traitlets.Dict().tag(sync=True)
    is_dark = traitlets.Bool(default_value=False).tag(sync=True)

    def show(self, drawing: "Drawing") -> None:
        """Show another drawing; all of it changes in one message."""
        picture = quick_picture(darken(drawing.ax) if self.is_dark else drawing.ax)
        rest = len(drawing.table) - MOST_ROWS
        with self.hold_sync():
            self.headline = drawing.headline
            self.png = picture.png
            self.words = picture.words
            self.table = {
                "title": drawing.title,
                "columns": list(drawing.table.columns),
                "rows": _cells(drawing.table.head(MOST_ROWS)),
                "rest": f"... and {rest:,} more rows" if rest > 0 else "",
            }


def _cells(table: pd.DataFrame) -> list[list[str]]:
    cells: list[list[str]] = table.astype(object).fillna("").astype(str).to_numpy().tolist()
    return cells


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawing:
    """What a view shows: a line with the key numbers, a picture, and its table with a title."""

    headline: str
    ax: Axes
    title: str
    table: pd.DataFrame


class Panel:
    """Controls above their view, as one widget for a notebook.

    Parameters
    ----------
    controls
        Widgets with a trait `value`; a change draws anew.
    draw
        Makes the drawing from the controls' values as they are.
    above
        Widgets over the view whose change alone draws nothing.
    below
        Widgets under the view, such as a download button.
    """

    def __init__(
        self,
        controls: Sequence[ipywidgets.Widget],
        draw: Callable[[], Drawing],
        *,
        above: Sequence[ipywidgets.Widget] = (),
        below: Sequence[ipywidgets.Widget] = (),
    ) -> None:
        self.view = View()
        self._draw = draw
        sliders = [control for control in controls if isinstance(control, Slider)]
        others = [control for control in controls if not isinstance(control, Slider)]
        row = ipywidgets.HBox(others, layout={"flex_flow": "row wrap"})
        self.widget = ipywidgets.VBox([*above, *sliders, row, self.view, *below])
        for control in controls:
            control.observe(self._on_change, names="value")
        self.view.observe(self._on_change, names="is_dark")  # the page says which theme it has
        self.redraw()

    def redraw(self) -> None:
        """Draw the view anew."""
        self.view.show(self._draw())

    def _on_change(self, _: object) -> None:
        self.redraw()

    def bundle(self, text: str) -> dict[str, object]:
        """Return what a notebook stores of it: the widget, and a line of text."""
        bundle: dict[str, object] = self.widget._repr_mimebundle_()
        return {**bundle, "text/plain": text}
