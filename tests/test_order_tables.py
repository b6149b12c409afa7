from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import planner
from planner.ordering.optimise import order
from planner.ordering.stopping import Stop
from planner.reporting.order_tables import order_summary
from tests.benchmarks.order_fleets import order_fleet


def test_orders_side_by_side_have_a_picture_and_its_table() -> None:
    fleet = order_fleet(50, weights="unit", scenario="imports", seed=1)
    found = {
        name: order(fleet, strategy=name, stop=Stop(iterations=1)).deadlines
        for name in ("by-weight", "client-first")
    }
    table = planner.tables.orders(found)
    assert table["order"].tolist() == ["by-weight", "client-first"]
    assert table["exposure"].is_monotonic_increasing
    ax = planner.plots.orders(found)
    grid = ax.figure.axes
    assert len(grid) == 6
    assert [text.get_text() for text in (grid[0].title, grid[1].title)] == ["", ""]
    assert grid[0].get_title(loc="left") == "by-weight"
    # Bars of the weekly work add up to the clients, and the line is the capacity.
    paths = grid[2].collections[0].get_paths()
    heights = [np.asarray(path.vertices)[:, 1].max() for path in paths]
    assert sum(heights) == len(fleet.clients)
    line = np.asarray(grid[2].lines[0].get_ydata())
    assert line[0] == fleet.capacity.clients_per_week
    assert planner.plots.picture(ax, "png").startswith(b"\x89PNG")


def test_a_picture_of_no_orders_is_refused() -> None:
    with pytest.raises(ValueError, match="no orders; give at least one"):
        planner.plots.orders({})


def test_a_result_shows_its_history_and_its_summary(tmp_path: Path) -> None:
    fleet = order_fleet(50, weights="unit", scenario="caps", seed=1)
    result = order(fleet, strategy="by-weight", stop=Stop(iterations=3))
    table = result.to_frame()
    assert table.columns.tolist() == ["iteration", "value", "bound", "gap"]
    assert len(table) == result.iterations
    assert "<table" in result._repr_html_()
    summary = order_summary(result)
    assert summary["gap"] == result.gap
    assert summary["method"] == "by-weight"
