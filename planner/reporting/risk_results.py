"""Files of a plan's risk."""

from pathlib import Path

from planner.inventory.writing import write_files
from planner.reporting import risk_tables
from planner.reporting.cells import csv_bytes, text_bytes
from planner.risk.result import Risk


def write_risk(folder: str | Path, found: Risk) -> list[Path]:
    """Write risk.csv, lead_times.csv, criticality.csv, risk.txt, and the picture of the leads.

    Parameters
    ----------
    folder
        Is made where it is missing.

    Raises
    ------
    OSError
        If the folder cannot be written; it is as before then.
    """
    from planner.reporting import plots  # matplotlib is needed from here on

    ax = plots.lead_chart(found)
    contents = {
        "risk.csv": csv_bytes(risk_tables.risk(found)),
        "lead_times.csv": csv_bytes(risk_tables.lead_times(found)),
        "criticality.csv": csv_bytes(risk_tables.criticality(found)),
        "risk.txt": text_bytes([*found.lines(), plots.alternative_text("leads", found)]),
        **{f"leads.{form}": plots.picture(ax, form) for form in plots.FORMATS},
    }
    write_files(Path(folder), contents)
    return [Path(folder) / name for name in contents]
