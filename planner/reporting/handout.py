"""What is handed out beside the tables of a run: runbooks, bundles, and how they are distributed.

They are asked for, and not part of every run: a fleet of thousands has thousands of them.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from planner.domain.errors import Fault, InventoryError
from planner.engine.deadlines import Deadlines
from planner.engine.distribution import distribution
from planner.engine.replacements import replacements
from planner.inventory.writing import write_files
from planner.reporting import certificate_tables
from planner.reporting.bundles import MANIFEST, bundle_files, bundles, manifest
from planner.reporting.cells import csv_bytes
from planner.reporting.runbooks import runbooks

FOLDERS: Final = ("runbooks", "bundles")
"""Folders that are replaced whole, so that nothing of an earlier plan is left in them."""


def check_handout_folders(folder: str | Path) -> None:
    """Check that nothing of another origin stands where runbooks and bundles would be put.

    Raises
    ------
    InventoryError
        If a folder there holds files and no manifest of the kit's.
    """
    faults = []
    for name in FOLDERS:
        path = Path(folder) / name
        is_ours = path.is_dir() and ((path / MANIFEST).is_file() or not any(path.iterdir()))
        if path.exists() and not is_ours:
            what = "this was not made by the planner, and would be replaced"
            cure = "move it away, or name another folder"
            faults.append(Fault(file=str(path), what=what, cure=cure))
    if faults:
        raise InventoryError(faults)


def write_runbooks(folder: str | Path, deadlines: Deadlines) -> list[Path]:
    """Write `runbooks/`, `bundles/`, replacements.csv and distribution.csv.

    Parameters
    ----------
    folder
        Is made where it is missing; what an earlier run made there is replaced whole.

    Returns
    -------
    The files, in order. `SHA256SUMS` of each of the two folders holds the digests of all of it.

    Raises
    ------
    InventoryError
        If a folder of another origin stands in the place of one of the two.
    OSError
        If the folder cannot be written; it is as before then.
    """
    folder = Path(folder)
    check_handout_folders(folder)
    contents = handout_files(deadlines)
    write_files(folder, contents, whole=FOLDERS)
    return [folder / name for name in contents]


def handout_files(deadlines: Deadlines) -> dict[str, bytes]:
    """Return runbooks, bundles and their tables by their paths; as `write_runbooks` writes them."""
    contents: dict[str, bytes] = {}
    for name, files in _trees(deadlines):
        files[MANIFEST] = manifest(files)
        contents |= {f"{name}/{file}": content for file, content in files.items()}
    return contents | _tables(deadlines)


def _trees(deadlines: Deadlines) -> Iterator[tuple[str, dict[str, bytes]]]:
    yield "runbooks", {name: text.encode() for name, text in runbooks(deadlines).items()}
    found = bundles(deadlines)
    yield (
        "bundles",
        {
            name: content
            for bundle in found
            for name, content in bundle_files(bundle, found.certificates).items()
        },
    )


def _tables(deadlines: Deadlines) -> dict[str, bytes]:
    tables = {
        "replacements.csv": certificate_tables.replacements(replacements(deadlines)),
        "distribution.csv": certificate_tables.distribution(distribution(deadlines)),
    }
    return {name: csv_bytes(table) for name, table in tables.items()}
