"""What becomes of a plan when upgrades and imports come later than planned."""

from typing import Final

import ipywidgets
import pandas as pd

from planner.domain.calendar import iso
from planner.domain.plan import UPGRADES, Action, Plan
from planner.engine.policies import imports_earlier
from planner.reporting import plots, risk_tables
from planner.risk.delays import Delay, Slip
from planner.risk.result import Risk
from planner.risk.sweep import slip
from planner.widgets.download import DownloadButton
from planner.widgets.panel import WHOLE_LABEL, Drawing, Panel, Slider, seed_field

_LONGEST_MEAN: Final = 20
_MOST_RUNS: Final = 1_000
_SESSION_RUNS: Final = 2_000_000
"""Sessions times runs that a page computes while somebody waits."""


class RiskExplorer:
    """How sure a plan is, by how late upgrades and imports come, and by how early imports are.

    Each delay is geometric: on every working day the same part of what is still open is done. The
    same slips come back for the same seed, so a change of a control is a change of the plan alone.

    Attributes
    ----------
    upgrades, imports
        Mean delay of upgrades and of imports [working days].
    earlier
        By how many working days all imports are made earlier than planned.
    runs, seed
        How many runs are simulated, and their random numbers.
    """

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.upgrades = _days("Upgrades late by (mean, working days)", 2)
        self.imports = _days("Imports late by (mean, working days)", 2)
        self.earlier = _days("Imports made earlier by (working days)", 0)
        n_sessions = max(1, len(plan.fleet.sessions))
        self.runs = ipywidgets.BoundedIntText(
            description="Runs",
            value=max(10, min(200, _SESSION_RUNS // n_sessions)),
            min=1,
            max=_MOST_RUNS,
            style=WHOLE_LABEL,
        )
        self.seed = seed_field()
        controls = (self.upgrades, self.imports, self.earlier, self.runs, self.seed)
        download = DownloadButton(self._leads, "lead_times.csv")
        self.panel = Panel(controls, self._draw, below=[download])

    @property
    def value(self) -> Risk:
        """The risk of the plan under the chosen slips."""
        return self._value

    @property
    def summary(self) -> str:
        """The key numbers in a line."""
        found = self.value
        return (
            f"some session refused in {found.probability:.1%} of {found.n_runs} runs, "
            f"{found.expected_refused_days:,.1f} refused session-days expected, finish "
            f"{iso(found.finish_at(0.5)) or 'never'} (P95 {iso(found.finish_at(0.95)) or 'never'})"
        )

    def _leads(self) -> pd.DataFrame:
        return risk_tables.lead_times(self.value)

    def _computed(self) -> Risk:
        upgrades = _geometric(self.upgrades.value)
        slips = [
            Slip(action=Action.IMPORT_CERTIFICATE, delay=_geometric(self.imports.value)),
            *(Slip(action=kind, delay=upgrades) for kind in UPGRADES),
        ]
        plan = imports_earlier(self.plan, self.earlier.value)
        return slip(plan, runs=self.runs.value, seed=self.seed.value, slips=slips)

    def _draw(self) -> Drawing:
        self._value = self._computed()
        table = risk_tables.criticality(self._value)
        critical = table[table["runs_refusing"] > 0]
        return Drawing(
            headline=self.summary,
            ax=plots.lead_chart(self._value),
            title=f"{len(critical):,} actions whose slip is part of a refusal, the worst first"
            if len(critical)
            else "No slip refuses a session for longer than planned; the actions that may slip",
            table=critical if len(critical) else table,
        )

    def __repr__(self) -> str:
        return f"RiskExplorer({self.summary})"

    def _repr_mimebundle_(self, **_: object) -> dict[str, object]:
        return self.panel.bundle(repr(self))


def _days(label: str, value: int) -> Slider:
    return Slider(label=label, value=value, minimum=0, maximum=_LONGEST_MEAN)


def _geometric(mean: int) -> Delay:
    return Delay.geometric(1 / (1 + mean))
