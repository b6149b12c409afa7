"""What a search for an order gives: the plan, what it is worth, and how far from the best it is."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from planner.domain import views
from planner.domain.calendar import iso
from planner.domain.order_rules import OrderRule
from planner.domain.plan import Plan
from planner.engine.deadlines import Deadlines
from planner.engine.measures import Measures
from planner.ordering.objective import Objective

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How a search stood after an iteration.

    Parameters
    ----------
    value, bound
        Objective of the best order so far, and what no order can be below; None where unknown.
    seconds
        Since the search began; the one column that differs from run to run [s].
    """

    iteration: int
    value: float
    bound: float | None
    seconds: float


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Result:
    """A rollout order that the engine and the independent checker have passed.

    Parameters
    ----------
    method
        The name of the strategy, or `optimised`.
    best
        The plan, with its imports and option changes.
    value, bound
        Its objective, and what no order of this fleet can be below; None where no bound is known.
    dropped
        Soft rules that there was no room for.
    runtime
        [s]
    """

    method: str
    best: Plan
    deadlines: Deadlines
    measures: Measures
    objective: Objective
    value: float
    bound: float | None
    history: tuple[Progress, ...]
    dropped: tuple[OrderRule, ...]
    runtime: float

    @property
    def gap(self) -> float | None:
        """How much above the bound the value is, as a part of the bound; None without a bound."""
        if self.bound is None or (self.bound <= 0 and self.value > self.bound):
            return None
        return (self.value - self.bound) / self.bound if self.value > self.bound else 0.0

    @property
    def iterations(self) -> int:
        """Count of iterations of the search."""
        return self.history[-1].iteration if self.history else 0

    def summary(self) -> str:
        """Return the key numbers, one in a line."""
        measures, gap = self.measures, self.gap
        rows = {
            "order": self.method,
            "objective": f"{self.value:,.0f} ({self.objective})",
            "lower bound": "unknown" if self.bound is None else f"{self.bound:,.0f}",
            "gap": "unknown" if gap is None else f"{gap:.2%}",
            "exposure": f"{measures.exposure:,.0f} weight x days",
            "refused": f"{measures.refused_session_days} session-days",
            "transitional": f"{measures.transitional_account_days:,} account-days",
            "finish": iso(measures.finish) or "never",
            "imports": f"at most {measures.peak_imports_per_week} a week, "
            f"{measures.same_day_imports} on the day of need",
            "search": f"{self.iterations} iterations, {self.runtime:.1f} s",
        }
        if self.dropped:
            rows["left out"] = f"{len(self.dropped)} soft rules"
        return "\n".join(f"{name:<14}{text}" for name, text in rows.items())

    def __repr__(self) -> str:
        gap = "unknown" if self.gap is None else f"{self.gap:.2%}"
        return (
            f"Result({self.method}, objective {self.value:,.0f}, gap {gap}, "
            f"exposure {self.measures.exposure:,.0f}, finish {iso(self.measures.finish) or 'never'}"
            f", at most {self.measures.peak_imports_per_week} imports a week)"
        )

    def to_frame(self) -> "pd.DataFrame":
        """Return the history of the search: iteration, value, bound and gap."""
        return views.frame_of(self)

    def _repr_html_(self) -> str:
        return views.html_of(self)
