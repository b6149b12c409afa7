"""Files of plans against plans."""

from pathlib import Path

from planner.inventory.files import write_files
from planner.reporting import tables
from planner.tracking.compare import Comparison


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
    from planner.reporting import plots  # matplotlib is needed from here on

    folder = Path(folder)
    table = tables.comparison(found).to_csv(index=False, lineterminator="\n")
    words = [*found.lines(), plots.alternative_text("comparison", found)]
    ax = plots.comparison_chart(found)
    contents = {
        "comparison.csv": table.encode(),
        "comparison.txt": "".join(f"{line}\n" for line in words).encode(),
        **{f"comparison.{form}": plots.picture(ax, form) for form in plots.FORMATS},
    }
    write_files(folder, contents)
    return [folder / name for name in contents]
