"""Imports as tidy tables: what became of each line, what changed, and what the logs show."""

import numpy as np
import pandas as pd

from planner.engine.as_is import AsIs
from planner.reporting.cells import text_column, texts
from planner.reporting.import_run import Import, changes_columns


def report(value: Import) -> pd.DataFrame:
    """Return the table of import_report.csv: every line, equal neighbours as one."""
    lines = value.lines
    return pd.DataFrame(
        {
            "file": text_column(texts(one.file for one in lines)[:-1]),
            "first_line": np.array([one.first for one in lines], dtype=np.int64),
            "last_line": np.array([one.last for one in lines], dtype=np.int64),
            "use": text_column(texts(one.use.value for one in lines)[:-1]),
            "subject": text_column(texts(one.subject for one in lines)[:-1]),
            "what": text_column(texts(one.what for one in lines)[:-1]),
        }
    )


def changes(value: Import) -> pd.DataFrame:
    """Return the table of import_changes.csv, with the planned actions that each one touches."""
    columns = changes_columns(value)
    return pd.DataFrame({name: text_column(texts(cells)[:-1]) for name, cells in columns.items()})


def as_is(value: AsIs) -> pd.DataFrame:
    """Return what was seen of each session, how often, and what the engine computes for it."""
    fleet = value.timeline.plan.fleet
    rows = value.rows
    return pd.DataFrame(
        {
            "session": text_column(texts(fleet.session_text(row.session) for row in rows)[:-1]),
            "seen": text_column(texts(row.seen for row in rows)[:-1]),
            "certificate": text_column(texts(row.first.certificate for row in rows)[:-1]),
            "computed": text_column(texts(row.computed for row in rows)[:-1]),
            "times": np.array([row.times for row in rows], dtype=np.int64),
            "agrees": np.array([row.agrees for row in rows], dtype=np.bool_),
        }
    )
