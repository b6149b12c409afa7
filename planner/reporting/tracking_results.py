"""Files of plans against plans, and against what has happened."""

from pathlib import Path
from typing import Final

from planner.engine.deadlines import deadlines
from planner.engine.timeline import simulate
from planner.inventory.baseline import Baseline
from planner.inventory.csv_tables import neutral
from planner.inventory.files import safe_name
from planner.inventory.writing import write_files
from planner.ordering.replan import Replanned
from planner.reporting import tables
from planner.reporting.cells import csv_bytes, text_bytes
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


def write_progress(
    folder: str | Path,
    found: Progress,
    *,
    replanned: Replanned | None = None,
    baseline: Baseline | None = None,
) -> list[Path]:
    """Write how a plan stands: progress.csv, digest.txt, what is due, and the plan as it stands.

    What is due in the next two weeks is in due.csv, and in due/ once more for each owner, as a
    table and as a calendar. standing.csv reads back as a plan. The files of `write_comparison`
    hold it against the plan. replan.csv is the plan from now on, moves.csv why what moves.

    Parameters
    ----------
    folder
        Is made where it is missing.
    replanned
        The plan from today on, where one was found.
    baseline
        What the plan was approved as; the digest begins with it.

    Raises
    ------
    OSError
        If the folder cannot be written; it is as before then.
    """
    folder = Path(folder)
    fleet, due = found.plan.fleet, tables.due(found)
    contents = {
        "progress.csv": csv_bytes(tables.progress(found)),
        "digest.txt": text_bytes(
            [
                *([] if baseline is None else [f"Against {baseline}:"]),
                *found.lines(),
                *(() if replanned is None else replanned.lines()),
            ]
        ),
        "due.csv": csv_bytes(due),
        "standing.csv": csv_bytes(schedule(found.standing, found.comparison.b)),
        **_comparison_files(found.comparison),
    }
    if replanned is not None:
        later = deadlines(simulate(replanned.plan))
        contents["replan.csv"] = csv_bytes(schedule(replanned.plan, later))
        contents["moves.csv"] = csv_bytes(tables.moves(replanned))
    # Owners with nothing to do get empty files, so that no list of an earlier week stays.
    for owner in sorted({"", *fleet.clients.owner}):
        rows, name = due[due["owner"] == neutral(owner)], _file_name(owner)
        contents[f"due/{name}.csv"] = csv_bytes(rows)
        contents[f"due/{name}.ics"] = ics(rows, fleet=fleet.name, today=found.today)
    write_files(folder, contents)
    return [folder / name for name in contents]


def _file_name(owner: str) -> str:
    """Name of an owner's files; an owner who is called as those without one is told apart."""
    if not owner:
        return NO_OWNER
    return f"{owner}%" if owner.casefold() == NO_OWNER else safe_name(owner)


def _comparison_files(found: Comparison) -> dict[str, bytes]:
    from planner.reporting import plots  # matplotlib is needed from here on

    ax = plots.comparison_chart(found)
    return {
        "comparison.csv": csv_bytes(tables.comparison(found)),
        "comparison.txt": text_bytes([*found.lines(), plots.alternative_text("comparison", found)]),
        **{f"comparison.{form}": plots.picture(ax, form) for form in plots.FORMATS},
    }
