"""What many runs with slips say about a plan."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from planner.domain import views
from planner.domain.calendar import Days, iso
from planner.domain.fleet import Flags, Numbers
from planner.domain.plan import Plan
from planner.engine.deadlines import Deadlines
from planner.risk.delays import Slip

if TYPE_CHECKING:
    import pandas as pd

HOLDS_PERCENT: Final = 95
"""Share of the runs in which a lead time has to suffice [%]."""


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Risk:
    """Outcome of a plan over many runs with slips.

    Parameters
    ----------
    deadlines
        Of the plan without slips.
    rows
        Shape `(m,)`: rows of the plan that may slip.
    refused_days, finish
        Shape `(n_runs,)`: refused session-days, and day of the last upgrade.
    leads
        Shape `(n_deadlines,)`: by how many working days before it is needed each anchor has to be
        planned, so that it is there in time in 95 % of the runs; 0 where no lead is necessary,
        nothing is planned, or the anchor is in place.
    slipped, refusing, extra_days
        Shape `(m,)`: runs in which each action slipped; those in which, too, sessions of its
        endpoint were refused for longer than in the plan; and the days by which, over all runs.
    """

    deadlines: Deadlines
    seed: int
    slips: tuple[Slip, ...]
    rows: Numbers
    refused_days: NDArray[np.int64]
    finish: Days
    leads: Numbers
    slipped: NDArray[np.int64]
    refusing: NDArray[np.int64]
    extra_days: NDArray[np.int64]

    @property
    def plan(self) -> Plan:
        """The plan without slips."""
        return self.deadlines.timeline.plan

    @property
    def n_runs(self) -> int:
        """Count of runs."""
        return len(self.refused_days)

    @property
    def probability(self) -> float:
        """Share of the runs in which any session is refused."""
        return int(np.count_nonzero(self.refused_days)) / self.n_runs

    @property
    def probability_error(self) -> float:
        """Standard error of `probability`, with one run of each outcome added.

        So it is not zero where all runs agree.
        """
        share = (int(np.count_nonzero(self.refused_days)) + 1) / (self.n_runs + 2)
        return float(np.sqrt(share * (1 - share) / self.n_runs))

    @property
    def expected_refused_days(self) -> float:
        """Mean of the refused session-days."""
        return int(self.refused_days.sum()) / self.n_runs

    def has_lead(self) -> Flags:
        """Whether an import is planned for each row of the deadlines."""
        has_lead, _ = self.deadlines.slack()
        return has_lead

    def finish_at(self, share: float) -> int:
        """Day by which the last upgrade is done in a share of the runs."""
        return int(np.quantile(self.finish, share, method="inverted_cdf"))

    def lines(self) -> tuple[str, ...]:
        """Say in words what the runs gave."""
        n_refused = int(np.count_nonzero(self.refused_days))
        return (
            f"{self.n_runs:,} runs with seed {self.seed}: {len(self.rows):,} of "
            f"{len(self.plan):,} actions may slip",
            f"some session is refused in {n_refused:,} runs: probability {self.probability:.1%} "
            f"(standard error {self.probability_error:.1%})",
            f"refused session-days: {self.expected_refused_days:,.1f} expected, "
            f"{int(self.refused_days.max()):,} at most",
            f"lead that holds in {HOLDS_PERCENT} %: at most {int(self.leads.max(initial=0)):,} "
            f"working days over {np.count_nonzero(self.has_lead()):,} imports",
            "finish: "
            + ", ".join(
                f"{iso(self.finish_at(share)) or 'never'} (P{share * 100:.0f})"
                for share in (0.05, 0.5, 0.95)
            ),
        )

    def __repr__(self) -> str:
        return (
            f"Risk({self.n_runs} runs, refused with probability {self.probability:.3f}, "
            f"{self.expected_refused_days:.1f} refused session-days expected)"
        )

    def to_frame(self) -> "pd.DataFrame":
        """Return the table of risk.csv."""
        return views.frame_of(self)

    def _repr_html_(self) -> str:
        return views.html_of(self)
