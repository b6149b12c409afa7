"""Tables of rollout orders: the history of a search, the front, and orders side by side."""

from collections.abc import Mapping

import pandas as pd

from planner.domain.calendar import iso
from planner.engine.deadlines import Deadlines
from planner.engine.measures import measures
from planner.ordering.front import Front
from planner.ordering.result import Result


def result(result: Result) -> pd.DataFrame:
    """Return the history of a search: iteration, value, bound and gap.

    Times are left out: they differ from run to run.
    """
    rows = result.history
    return pd.DataFrame(
        {
            "iteration": [row.iteration for row in rows],
            "value": [row.value for row in rows],
            "bound": [row.bound for row in rows],
            "gap": [
                (row.value - row.bound) / row.bound
                if row.bound is not None and row.bound > 0
                else None
                for row in rows
            ],
        }
    )


def front(front: Front) -> pd.DataFrame:
    """Return one row for each order of a front, the least exposure first."""
    return pd.DataFrame(
        {
            "exposure": [row.measures.exposure for row in front],
            "finish": [iso(row.measures.finish) for row in front],
            "peak_imports_per_week": [row.measures.peak_imports_per_week for row in front],
            "bound": [row.bound for row in front],
            "gap": [row.gap for row in front],
        }
    )


def orders(orders: Mapping[str, Deadlines]) -> pd.DataFrame:
    """Return the measures of several orders, one row for each: the table twin of `plots.orders`."""
    measured = {name: measures(found) for name, found in orders.items()}
    return pd.DataFrame(
        {
            "order": list(measured),
            "exposure": [row.exposure for row in measured.values()],
            "refused_session_days": [row.refused_session_days for row in measured.values()],
            "transitional_account_days": [
                row.transitional_account_days for row in measured.values()
            ],
            "finish": [iso(row.finish) for row in measured.values()],
            "peak_imports_per_week": [row.peak_imports_per_week for row in measured.values()],
            "same_day_imports": [row.same_day_imports for row in measured.values()],
        }
    )


def order_summary(result: Result) -> dict[str, object]:
    """Return what summary.json says about an order: method, objective, bound, gap, search."""
    return {
        "method": result.method,
        "objective": str(result.objective),
        "value": result.value,
        "bound": result.bound,
        "gap": result.gap,
        "iterations": result.iterations,
        "runtime_seconds": round(result.runtime, 1),
        "soft_rules_left_out": len(result.dropped),
    }
