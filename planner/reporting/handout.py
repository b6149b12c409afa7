"""What is handed out beside the tables of a run: runbooks, bundles, and how they are distributed.

They are asked for, and not part of every run: a fleet of thousands has thousands of them.
"""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from planner.domain.errors import Fault, InventoryError
from planner.engine.deadlines import Deadlines
from planner.engine.distribution import distribution
from planner.engine.replacements import replacements
from planner.inventory.files import write_files
from planner.reporting import certificate_tables
from planner.reporting.bundles import MANIFEST, bundle_files, bundles, manifest
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
    contents = {name: dict(files) for name, files in _trees(deadlines)}
    folder.mkdir(parents=True, exist_ok=True)
    aside = Path(tempfile.mkdtemp(dir=folder, prefix=".unfinished-"))
    try:
        for name, files in contents.items():
            files[MANIFEST] = manifest(files)
            write_files(aside / name, files)
        for name in contents:
            _put_in_place(aside / name, folder / name, before=aside / f"{name}-before")
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    tables = _tables(deadlines)
    write_files(folder, tables)
    made = [folder / name / file for name, files in contents.items() for file in files]
    return [*made, *(folder / name for name in tables)]


def _put_in_place(new: Path, place: Path, *, before: Path) -> None:
    """Move a folder to its place; what stood there is kept aside, and comes back on a failure."""
    if place.exists():
        place.rename(before)
    try:
        new.rename(place)
    except BaseException:
        if before.exists():
            before.rename(place)
        raise


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
    return {
        name: table.to_csv(index=False, lineterminator="\n").encode()
        for name, table in tables.items()
    }
