"""The baseline: a plan that was approved, frozen with the inputs that it was approved for."""

import datetime
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from planner.domain.errors import Fault, Faults, InventoryError
from planner.domain.fleet import Fleet
from planner.domain.version import VERSION
from planner.inventory.files import read_bytes
from planner.inventory.schema import CERTIFICATE_FOLDER, FILES, SETTINGS_FILE
from planner.inventory.writing import write_files

FOLDER: Final = "baseline"
"""Folder of the baseline, in that of the fleet."""
PLAN: Final = "schedule.csv"
RECORD: Final = "baseline.json"
SCHEMA: Final = 1

_LARGEST: Final = 1 << 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Baseline:
    """Who approved which plan when, and the SHA-256 of the plan and of every input.

    Parameters
    ----------
    approver
        Who approved it.
    approved_on
        ISO date.
    fleet
        The fleet's name.
    plan_sha256
        Of the plan's file.
    inputs
        SHA-256 of each file of the fleet folder, by its name.
    """

    approver: str
    approved_on: str
    fleet: str
    plan_sha256: str
    inputs: Mapping[str, str]

    def changed_inputs(self, folder: str | Path) -> tuple[str, ...]:
        """Name the inputs that are new, gone or changed since then, sorted."""
        now = input_digests(Path(folder))
        names = self.inputs.keys() | now.keys()
        return tuple(sorted(name for name in names if self.inputs.get(name) != now.get(name)))

    def __str__(self) -> str:
        return f"the baseline that {self.approver} approved on {self.approved_on}"

    def record(self) -> dict[str, object]:
        """Return what later files say of it."""
        return {
            "approver": self.approver,
            "approved_on": self.approved_on,
            "plan_sha256": self.plan_sha256,
        }


def freeze_baseline(
    folder: str | Path, fleet: Fleet, plan: bytes, *, approver: str, approved_on: datetime.date
) -> Baseline:
    """Write a plan and the SHA-256 of all inputs into the folder `baseline` of a fleet folder.

    Raises
    ------
    InventoryError
        If there is a baseline already, or nobody approves.
    OSError
        If the folder cannot be written; it is as before then.
    """
    folder = Path(folder)
    if (folder / FOLDER / RECORD).exists():
        what = "there is a baseline already"
        cure = "keep it, or move the folder away before another plan is approved"
        raise InventoryError([Fault(file=f"{FOLDER}/{RECORD}", what=what, cure=cure)])
    if not approver.strip():
        what, cure = "nobody has approved it", "name who did"
        raise InventoryError([Fault(file=f"{FOLDER}/{RECORD}", what=what, cure=cure)])
    found = Baseline(
        approver=approver.strip(),
        approved_on=approved_on.isoformat(),
        fleet=fleet.name,
        plan_sha256=hashlib.sha256(plan).hexdigest(),
        inputs=input_digests(folder),
    )
    record = {
        "schema": SCHEMA,
        "version": VERSION,
        "approver": found.approver,
        "approved_on": found.approved_on,
        "fleet": found.fleet,
        "plan": PLAN,
        "plan_sha256": found.plan_sha256,
        "inputs": dict(sorted(found.inputs.items())),
    }
    text = json.dumps(record, indent=2, ensure_ascii=False) + "\n"
    write_files(folder / FOLDER, {PLAN: plan, RECORD: text.encode()})
    return found


def read_baseline(folder: str | Path) -> Baseline | None:
    """Read the baseline of a fleet folder; None where there is none.

    Raises
    ------
    InventoryError
        If its record cannot be read, or its plan is not the one that was approved.
    """
    path = Path(folder) / FOLDER
    if not (path / RECORD).exists():
        return None
    faults = Faults()
    content = read_bytes(path / RECORD, f"{FOLDER}/{RECORD}", faults, largest=_LARGEST)
    plan = read_bytes(path / PLAN, f"{FOLDER}/{PLAN}", faults, largest=_LARGEST)
    if content is None or plan is None:
        raise InventoryError(faults)
    try:
        record = json.loads(content)
        if int(record["schema"]) > SCHEMA:
            raise InventoryError([_newer(record)])
        found = Baseline(
            approver=str(record["approver"]),
            approved_on=str(record["approved_on"]),
            fleet=str(record["fleet"]),
            plan_sha256=str(record["plan_sha256"]),
            inputs={str(name): str(digest) for name, digest in record["inputs"].items()},
        )
    except (
        ValueError,
        KeyError,
        TypeError,
        AttributeError,
        OverflowError,
        RecursionError,
    ) as error:
        what, cure = "it is no record of a baseline", "take it from a backup, or freeze anew"
        fault = Fault(file=f"{FOLDER}/{RECORD}", what=what, cure=cure)
        raise InventoryError([fault]) from error
    if hashlib.sha256(plan).hexdigest() != found.plan_sha256:
        what = f"it is not the plan that {found.approver} approved on {found.approved_on}"
        cure = "take it from a backup; a change needs an approval of its own"
        raise InventoryError([Fault(file=f"{FOLDER}/{PLAN}", what=what, cure=cure)])
    return found


def _newer(record: Mapping[str, object]) -> Fault:
    what = f"its form is number {record['schema']}, and this version knows those up to {SCHEMA}"
    cure = f"read it with the version that made it, {record.get('version', 'a newer one')}"
    return Fault(file=f"{FOLDER}/{RECORD}", what=what, cure=cure)


def input_digests(folder: Path) -> dict[str, str]:
    """SHA-256 of every file of a fleet folder that the kit reads, but its plan, by name."""
    files = [folder / name for name in (SETTINGS_FILE, *FILES)]
    files += sorted((folder / CERTIFICATE_FOLDER).glob("[!.]*"))
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in files
        if path.is_file()
    }
