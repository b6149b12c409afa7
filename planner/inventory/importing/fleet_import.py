"""Files of a site into a fleet: read, merged, and put into the fleet that is there already."""

import datetime
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from planner.domain.calendar import ALWAYS, Calendar, Capacity, iso, to_day
from planner.domain.errors import Fault, InventoryError
from planner.domain.findings import Finding, Findings, Severity, in_order
from planner.domain.fleet import Fleet, Origin
from planner.inventory.certificate_paths import certificate_files
from planner.inventory.csv_tables import read_table
from planner.inventory.files import read_bytes
from planner.inventory.fleet_folder import fleet_of, read_fleet
from planner.inventory.fleet_tables import build_tables
from planner.inventory.importing.certificate_book import KnownCertificate
from planner.inventory.importing.evidence import Evidence, Observer, Source, finding_at
from planner.inventory.importing.merge import Draft, Key, merge, tables_of, unmerged
from planner.inventory.importing.refresh import Change, refresh
from planner.inventory.importing.server_book import Row
from planner.inventory.importing.sources import read_sources
from planner.inventory.schema import FILES, SETTINGS_FILE
from planner.inventory.settings import LARGEST_SETTINGS, Settings, read_settings
from planner.inventory.writing import complete_writing

HORIZON: Final = 730
"""Length of the horizon where nobody gave its end [days]."""

_ACCOUNT_DEFAULTS: Final = {
    "kind": "node",
    "session_security": "Transitional",
    "sslrequired": "Default",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class FleetImport:
    """A fleet as its site shows it, and what is remarkable about that.

    Parameters
    ----------
    changes
        What is new, gone or changed, where the fleet was there before.
    newest
        The newest day that the files show; `ALWAYS` where they show none.
    is_new
        Whether there was no fleet before.
    """

    fleet: Fleet
    evidence: Evidence
    draft: Draft
    findings: Findings
    changes: tuple[Change, ...]
    newest: int
    is_new: bool


def read_site(
    files: Iterable[str | Path],
    *,
    into: Path,
    start: datetime.date | None = None,
    end: datetime.date | None = None,
    observer: Observer | None = None,
) -> FleetImport:
    """Read the files of a site and merge them into a fleet; nothing is written.

    Parameters
    ----------
    files
        Exports, option files, certificates, listings, and folders of them; `NAME=FILE` says which
        server or client a file is of.
    into
        The fleet folder; where there is one, the import refreshes it.
    start, end
        The horizon `[start, end)` of a new fleet; by default it starts on the newest day that an
        export shows and lasts two years.
    observer
        Is told what is being done, and how far it is.

    Raises
    ------
    InventoryError
        If a file cannot be used, or holds a misspelt security option; it carries every fault.

    Notes
    -----
    Linear in the size of the files.
    """
    complete_writing(into)
    evidence = read_sources(files, observer=observer)
    faults = unmerged(evidence)
    is_new = not (into / SETTINGS_FILE).exists()
    before = None if is_new else read_fleet(into)
    settings, remarks = _settings(evidence, into, before, start, end, faults)
    if faults or settings is None:
        raise InventoryError(faults)
    draft = merge(evidence, known=_certificates(before), observer=observer)
    rows: Mapping[str, Mapping[Key, Row]] = draft.rows
    changes: tuple[Change, ...] = ()
    if before is not None:
        refreshed = refresh(_rows_of(into, faults), draft)
        rows, changes = refreshed.rows, refreshed.changes
    if observer is not None:
        observer("building the fleet", 0, 1)
    fleet = _build(rows, draft, settings, before, into, faults)
    if observer is not None:
        observer("building the fleet", 1, 1)
    findings = in_order([*draft.findings, *remarks])
    return FleetImport(
        fleet=fleet,
        evidence=evidence,
        draft=draft,
        findings=findings,
        changes=changes,
        newest=max(map(to_day, _days(evidence)), default=ALWAYS),
        is_new=is_new,
    )


def _settings(
    evidence: Evidence,
    into: Path,
    before: Fleet | None,
    start: datetime.date | None,
    end: datetime.date | None,
    faults: list[Fault],
) -> tuple[Settings | None, list[Finding]]:
    """Return the settings of the fleet that is there, else those of a new one."""
    if before is not None:
        path = into / SETTINGS_FILE
        content = read_bytes(path, SETTINGS_FILE, faults, largest=LARGEST_SETTINGS, within=into)
        if start is not None or end is not None:
            what = "the fleet has a horizon of its own"
            cure = f"change it in {SETTINGS_FILE}, and leave out --start and --end"
            faults.append(Fault(file=str(into), what=what, cure=cure))
        return (None if content is None else read_settings(content, faults)), []
    newest = max(_days(evidence), default=None)
    first_day = start or newest
    if first_day is None:
        what = "no file shows a day on which it was exported"
        faults.append(Fault(file="import", what=what, cure="give the first day with --start"))
        return None, []
    first = to_day(first_day)
    last = first + HORIZON if end is None else to_day(end)
    if last <= first:
        what = f"the horizon ends on {iso(last)}, before it starts on {iso(first)}"
        faults.append(Fault(file="import", what=what, cure="give a later day with --end"))
        return None, []
    settings = Settings(
        name=into.resolve().name,
        start=first,
        end=last,
        automatic_distribution=False,
        calendar=Calendar(),
        capacity=Capacity(),
    )
    remark = finding_at(
        Source(SETTINGS_FILE),
        rule="horizon-assumed",
        severity=Severity.NOTE,
        subject=settings.name,
        what=f"the plan runs from {iso(first)} to {iso(last)}",
        why="The newest day of the exports is the first day, unless --start and --end are given.",
        fix=f"Set start and end, the calendar and the capacities in {SETTINGS_FILE}.",
    )
    return settings, [remark] if start is None or end is None else []


def _days(evidence: Evidence) -> Iterator[datetime.date]:
    """Return the days that the exports show."""
    times = (
        *(node.last_access for node in evidence.nodes),
        *(partner.last_access for partner in evidence.partners),
        *(seen.day for seen in evidence.observed),
    )
    for day in {time[:10] for time in times if time}:
        try:
            yield datetime.date.fromisoformat(day)
        except ValueError:
            continue


def _certificates(before: Fleet | None) -> list[KnownCertificate]:
    """Return the certificates that a fleet describes."""
    if before is None:
        return []
    files = certificate_files(before)
    table = before.certificates
    return [
        KnownCertificate(
            name=table.name[row],
            server=before.servers.name[table.server[row]] if table.server[row] >= 0 else "",
            found=files.get(table.file[row]),
        )
        for row in np.flatnonzero(table.described).tolist()
    ]


def _rows_of(folder: Path, faults: list[Fault]) -> dict[str, Sequence[Row]]:
    """Return the rows of a fleet folder as they stand, columns of its own included."""
    rows: dict[str, Sequence[Row]] = {}
    for file, columns in FILES.items():
        if not (folder / file).exists():
            continue
        table = read_table(folder / file, file, columns, faults, within=folder)
        own = {**table.columns, **table.extra_columns}
        rows[file] = [
            {name: texts[row] for name, texts in own.items() if texts[row]}
            for row in range(len(table))
        ]
    return rows


def _build(
    rows: Mapping[str, Mapping[Key, Row]],
    draft: Draft,
    settings: Settings,
    before: Fleet | None,
    into: Path,
    faults: list[Fault],
) -> Fleet:
    """Build the fleet of the merged rows.

    Raises
    ------
    InventoryError
        If the rows are no fleet.
    """
    files = dict(before.origin.certificate_files) if before else {}
    files |= draft.certificate_files
    accounts = {key: row for key, row in rows["accounts.csv"].items() if not _is_default(row, rows)}
    tables = tables_of({**rows, "accounts.csv": accounts})
    built, remarks = build_tables(tables, files, faults)
    if faults:
        raise InventoryError(faults)
    origin = Origin(
        folder=str(into),
        extra_columns={
            name: table.extra_columns for name, table in tables.items() if table.extra_columns
        },
        certificate_files=files,
        remarks=tuple(remarks),
    )
    return fleet_of(settings, built, origin)


def _is_default(row: Row, rows: Mapping[str, Mapping[Key, Row]]) -> bool:
    """Whether an account is as it would be without a row of its own."""
    server = rows["servers.csv"].get((row["server"].casefold(),), {})
    defaults = _ACCOUNT_DEFAULTS | {"authentication": server.get("authentication") or "Local"}
    return all(
        row.get(column, "") in ("", default) for column, default in defaults.items()
    ) and not set(row) - {"server", "account", *defaults}
