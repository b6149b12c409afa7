"""Imports as tidy tables: what became of each line, what changed, and what the logs show."""

import numpy as np
import pandas as pd

from planner.engine.as_is import AsIs
from planner.reporting.cells import column_of
from planner.reporting.import_run import Import, changes_columns


def report(value: Import) -> pd.DataFrame:
    """Return the table of import_report.csv: every line, equal neighbours as one."""
    lines = value.lines
    return pd.DataFrame(
        {
            "file": column_of(one.file for one in lines),
            "first_line": np.array([one.first for one in lines], dtype=np.int64),
            "last_line": np.array([one.last for one in lines], dtype=np.int64),
            "use": column_of(one.use.value for one in lines),
            "subject": column_of(one.subject for one in lines),
            "what": column_of(one.what for one in lines),
        }
    )


def changes(value: Import) -> pd.DataFrame:
    """Return the table of import_changes.csv, with the planned actions that each one touches."""
    columns = changes_columns(value)
    return pd.DataFrame({name: column_of(cells) for name, cells in columns.items()})


def as_is(value: AsIs) -> pd.DataFrame:
    """Return what was seen of each session, how often, and what the engine computes for it."""
    fleet = value.timeline.plan.fleet
    rows = value.rows
    return pd.DataFrame(
        {
            "session": column_of(fleet.session_text(row.session) for row in rows),
            "seen": column_of(row.seen for row in rows),
            "certificate": column_of(row.first.certificate for row in rows),
            "computed": column_of(row.computed for row in rows),
            "times": np.array([row.times for row in rows], dtype=np.int64),
            "agrees": np.array([row.agrees for row in rows], dtype=np.bool_),
        }
    )
