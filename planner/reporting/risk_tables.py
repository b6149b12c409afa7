"""Tables of a plan's risk; users find them in `planner.tables`."""

import numpy as np
import pandas as pd

from planner.domain.calendar import iso
from planner.domain.plan import PlannedAction
from planner.reporting.cells import column_of, dates, picked, texts, whole_numbers
from planner.risk.result import Risk


def risk(found: Risk) -> pd.DataFrame:
    """Return the table of risk.csv: one row for each run."""
    return pd.DataFrame(
        {
            "run": np.arange(found.n_runs),
            "refused_session_days": found.refused_days,
            "finish": dates(found.finish),
        }
    )


def lead_times(found: Risk) -> pd.DataFrame:
    """Return the table of lead_times.csv: the working days of lead that hold in 95 % of the runs.

    `needed` and `planned` are those of the plan without slips; what is in place, or not planned,
    has no lead.
    """
    rows = found.deadlines
    fleet = found.plan.fleet
    table = pd.DataFrame(
        {
            "client": picked(texts(fleet.endpoint_names()), rows.endpoint()),
            "key_database": picked(texts(fleet.key_databases.name), rows.key_database()),
            "certificate": picked(texts(rows.timeline.compiled.certificates.name), rows.anchor),
            "needed": dates(rows.needed),
            "planned": dates(rows.planned),
            "lead_days": whole_numbers(found.leads, empty=~found.has_lead()),
        }
    )
    return table.sort_values(["client", "key_database", "certificate"]).reset_index(drop=True)


def criticality(found: Risk) -> pd.DataFrame:
    """Return the table of criticality.csv: how often each action is part of a refusal.

    That is, in how many runs it slipped, and sessions of its endpoint were refused for longer
    than in the plan; and by how many session-days over all runs. The worst comes first.
    """
    actions = [found.plan.row(int(row)) for row in found.rows]

    def column(name: str) -> "pd.Series[str]":
        return column_of(_cell(action, name) for action in actions)

    names = ("date", "action", "client", "server", "key_database", "certificate", "value")
    table = pd.DataFrame(
        {
            **{name: column(name) for name in names},
            "runs_slipped": found.slipped,
            "runs_refusing": found.refusing,
            "extra_refused_days": found.extra_days,
        }
    )
    worst = ["runs_refusing", "extra_refused_days"]
    return table.sort_values(worst, ascending=False, kind="stable").reset_index(drop=True)


def _cell(action: PlannedAction, name: str) -> str:
    match name:
        case "date":
            return iso(action.day)
        case "action":
            return action.action.label
        case _:
            return str(getattr(action, name))
