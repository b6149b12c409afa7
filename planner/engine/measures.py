"""Measures of a plan: how much travels unencrypted, how much is refused, how hard it is to do."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from planner.domain.calendar import NEVER, iso, mondays_of
from planner.domain.fleet import Numbers
from planner.domain.plan import UPGRADES, Action
from planner.domain.rules import Mode, Verdict
from planner.engine import sums
from planner.engine.deadlines import Deadlines


@dataclass(frozen=True, slots=True, kw_only=True)
class Measures:
    """Figures of `semantics.md` section 7.

    Parameters
    ----------
    exposure
        Sum over sessions and days in plain text of the session's weight [weight x days].
    partial_exposure
        The same for days in `tls-partial` of sessions that want their object data encrypted.
    refused_session_days
        [session-days]
    transitional_account_days
        Days that an account ends transitional, over all accounts [account-days].
    finish
        Day of the last upgrade or installation; `NEVER` where there is none.
    imports_by_day
        Imports of each day that has any.
    same_day_imports
        Deadline rows whose import falls on the day on which it is needed.
    slack_minimum, slack_quantiles
        Over the deadline rows that have a slack [days]; None and empty where none has.
    """

    exposure: float
    partial_exposure: float
    refused_session_days: int
    transitional_account_days: int
    finish: int
    imports_by_day: Mapping[int, int]
    peak_imports_per_day: int
    peak_imports_per_week: int
    same_day_imports: int
    slack_minimum: int | None
    slack_quantiles: Mapping[str, float]

    def __str__(self) -> str:
        return (
            f"exposure {self.exposure:,.0f}, refused session-days {self.refused_session_days:,}, "
            f"finish {iso(self.finish) or 'never'}, at most {self.peak_imports_per_week} imports "
            "a week"
        )


def imports_in_effect(deadlines: Deadlines) -> Numbers:
    """Rows of the plan that import a certificate inside the horizon."""
    plan = deadlines.timeline.plan
    return np.flatnonzero(
        (plan.action == Action.IMPORT_CERTIFICATE)
        & (plan.day >= plan.fleet.start)
        & (plan.day < plan.fleet.end)
    ).astype(np.int32)


def measures(deadlines: Deadlines) -> Measures:
    """Compute the figures of a plan; linear in segments, deadlines and actions."""
    timeline = deadlines.timeline
    plan, fleet = timeline.plan, timeline.plan.fleet
    sessions = fleet.sessions
    segments = (fleet.end, timeline.first, timeline.day, timeline.rule)
    weighted, days = sums.sum_days(*segments, sessions.weight)
    encrypting = np.where(sessions.encrypt_data, sessions.weight, 0.0)
    partial, _ = sums.sum_days(*segments, encrypting)
    n_accounts = len(fleet.accounts)
    strict = sums.strict_days(timeline.compiled.program, timeline.strictness)
    upgrades = plan.day[
        np.isin(plan.action, UPGRADES) & (plan.day >= fleet.start) & (plan.day < fleet.end)
    ]
    import_days = plan.day[imports_in_effect(deadlines)]
    each_day, of_day = np.unique(import_days, return_counts=True)
    _, of_week = np.unique(mondays_of(import_days), return_counts=True)
    has_slack, slack = deadlines.slack()
    slacks = slack[has_slack]
    quantiles = np.quantile(slacks, (0.25, 0.5, 0.75)).tolist() if len(slacks) else []
    return Measures(
        exposure=float(weighted[Mode.PLAINTEXT]),
        partial_exposure=float(partial[Mode.TLS_PARTIAL]),
        refused_session_days=int(days[Mode.REFUSED]),
        transitional_account_days=n_accounts * fleet.n_days - int(strict),
        finish=int(upgrades.max()) if len(upgrades) else NEVER,
        imports_by_day=dict(zip(each_day.tolist(), of_day.tolist(), strict=True)),
        peak_imports_per_day=int(of_day.max(initial=0)),
        peak_imports_per_week=int(of_week.max(initial=0)),
        same_day_imports=deadlines.count(Verdict.SAME_DAY),
        slack_minimum=int(slacks.min()) if len(slacks) else None,
        slack_quantiles=dict(zip(("25 %", "50 %", "75 %"), quantiles, strict=False)),
    )
