"""Deadlines under another policy: lead, capacity and calendar."""

from typing import Final

import ipywidgets
import pandas as pd

from planner.domain.calendar import WEEKDAYS
from planner.domain.plan import Plan
from planner.domain.rules import VERDICTS
from planner.engine.deadlines import Deadlines, deadlines
from planner.engine.policies import replanned, under_policy
from planner.engine.timeline import simulate
from planner.reporting import plots
from planner.widgets.download import DownloadButton
from planner.widgets.panel import WHOLE_LABEL, Drawing, Panel, Slider, weekly_limit

_LONGEST_LEAD: Final = 40


class DeadlineExplorer:
    """What another lead, capacity or calendar does to the verdicts of a plan's imports.

    Attributes
    ----------
    lead_days
        Working days that an import needs ahead.
    imports_per_week
        Most imports in a week; 0 is unlimited. It matters where imports are planned anew.
    working_days
        Weekdays that count as working days.
    freezes
        Whether the freezes hold.
    plans_anew
        Whether all imports are dated anew under the policy, or stay as they are planned.
    """

    def __init__(self, plan: Plan) -> None:
        calendar, capacity = plan.fleet.calendar, plan.fleet.capacity
        self.plan = plan
        self.lead_days = Slider(
            label="Lead (working days)",
            value=calendar.lead_days,
            minimum=0,
            maximum=max(_LONGEST_LEAD, calendar.lead_days),
        )
        self.imports_per_week = weekly_limit("Imports", capacity.imports_per_week)
        self.working_days = ipywidgets.SelectMultiple(
            description="Working days",
            options=WEEKDAYS,
            value=[WEEKDAYS[day] for day in sorted(calendar.working_days)],
            rows=len(WEEKDAYS),
            style=WHOLE_LABEL,
        )
        self.freezes = ipywidgets.Checkbox(description="Freezes hold", value=True)
        self.plans_anew = ipywidgets.Checkbox(description="Plan all imports anew", value=False)
        controls = (
            self.lead_days,
            self.imports_per_week,
            self.working_days,
            self.freezes,
            self.plans_anew,
        )
        download = DownloadButton(self._table, "trust_deadlines.csv")
        self.panel = Panel(controls, self._draw, below=[download])

    @property
    def value(self) -> Deadlines:
        """The deadlines of the plan under the chosen policy."""
        return self._value

    @property
    def summary(self) -> str:
        """The key numbers in a line."""
        counts = ", ".join(
            f"{self.value.count(verdict)} {verdict}"
            for verdict in VERDICTS
            if self.value.count(verdict)
        )
        return f"lead {self.lead_days.value}: {counts or 'no imports'}"

    def _table(self) -> pd.DataFrame:
        return self.value.to_frame()

    def _computed(self) -> Deadlines:
        # A calendar without working days is none: the fleet's own stays then.
        chosen = [WEEKDAYS.index(name) for name in self.working_days.value]
        plan = under_policy(
            self.plan,
            lead_days=self.lead_days.value,
            imports_per_week=self.imports_per_week.value,
            working_days=chosen or None,
            freezes=self.freezes.value,
        )
        return deadlines(simulate(replanned(plan) if self.plans_anew.value else plan))

    def _draw(self) -> Drawing:
        self._value = self._computed()
        table = self._value.to_frame()
        urgent = table[~table.verdict.isin(["in-place", "ok"])]
        shown = urgent if len(urgent) else table[table.verdict == "ok"]
        what = "imports that are not safe" if len(urgent) else "imports, all of them safe"
        return Drawing(
            headline=self.summary,
            ax=plots.deadline_heat(self._value),
            title=f"{len(shown):,} {what}",
            table=shown.drop(columns=["rule"]),
        )

    def __repr__(self) -> str:
        return f"DeadlineExplorer({self.summary})"

    def _repr_mimebundle_(self, **_: object) -> dict[str, object]:
        return self.panel.bundle(repr(self))
