"""Files of plans against plans, and against what has happened."""

from collections.abc import Iterable
from pathlib import Path
from typing import Final

import pandas as pd

from planner.inventory.csv_tables import neutral
from planner.inventory.files import safe_name
from planner.inventory.writing import write_files
from planner.reporting import tables
from planner.reporting.ics import ics
from planner.reporting.schedule import schedule
from planner.tracking.compare import Comparison
from planner.tracking.progress import Progress

NO_OWNER: Final = "no-owner"
"""Stands in file names for actions on endpoints without an owner."""


def write_comparison(folder: str | Path, found: Comparison) -> list[Path]:
    """Write comparison.csv, its picture, and both in words as comparison.txt.

    Parameters
    ----------
    folder
        Is made where it is missing.

    Raises
    ------
    OSError
        If the folder cannot be written; it is as before then.
    """
    folder = Path(folder)
    contents = _comparison_files(found)
    write_files(folder, contents)
    return [folder / name for name in contents]


def write_progress(folder: str | Path, found: Progress) -> list[Path]:
    """Write how a plan stands: progress.csv, digest.txt, what is due, and the plan as it stands.

    What is due in the next two weeks is in due.csv, and in due/ once more for each owner, as a
    table and as a calendar. standing.csv reads back as a plan. The files of `write_comparison`
    hold it against the plan.

    Parameters
    ----------
    folder
        Is made where it is missing.

    Raises
    ------
    OSError
        If the folder cannot be written; it is as before then.
    """
    folder = Path(folder)
    fleet, due = found.plan.fleet, tables.due(found)
    contents = {
        "progress.csv": _csv(tables.progress(found)),
        "digest.txt": _lines(found.lines()),
        "due.csv": _csv(due),
        "standing.csv": _csv(schedule(found.standing, found.comparison.b)),
        **_comparison_files(found.comparison),
    }
    # Owners with nothing to do get empty files, so that no list of an earlier week stays.
    for owner in sorted({"", *fleet.clients.owner}):
        rows, name = due[due["owner"] == neutral(owner)], safe_name(owner) if owner else NO_OWNER
        contents[f"due/{name}.csv"] = _csv(rows)
        contents[f"due/{name}.ics"] = ics(rows, fleet=fleet.name, today=found.today)
    write_files(folder, contents)
    return [folder / name for name in contents]


def _comparison_files(found: Comparison) -> dict[str, bytes]:
    from planner.reporting import plots  # matplotlib is needed from here on

    ax = plots.comparison_chart(found)
    return {
        "comparison.csv": _csv(tables.comparison(found)),
        "comparison.txt": _lines([*found.lines(), plots.alternative_text("comparison", found)]),
        **{f"comparison.{form}": plots.picture(ax, form) for form in plots.FORMATS},
    }


def _csv(table: pd.DataFrame) -> bytes:
    return table.to_csv(index=False, lineterminator="\n").encode()


def _lines(lines: Iterable[str]) -> bytes:
    return "".join(f"{line}\n" for line in lines).encode()
