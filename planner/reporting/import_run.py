"""The job of `planner import`: files of a site in; a fleet folder, with its account, out."""

import datetime
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from planner.domain import views
from planner.domain.calendar import iso
from planner.domain.findings import Findings, in_order
from planner.domain.fleet import Fleet
from planner.domain.plan import Plan
from planner.engine.as_is import AsIs, as_is
from planner.engine.timeline import simulate
from planner.inventory.csv_tables import table_text
from planner.inventory.fleet_writer import write_fleet
from planner.inventory.importing.against_plan import check_against_plan
from planner.inventory.importing.evidence import Lines, LineUse, Observer, Source
from planner.inventory.importing.fleet_import import FleetImport, read_site
from planner.inventory.importing.merge import Key, key_of
from planner.inventory.importing.refresh import Change, ChangeKind
from planner.inventory.plan_file import read_own_plan
from planner.reporting.cells import csv_bytes

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Import:
    """A fleet as its site shows it, and everything that is to be known about how it came about.

    Parameters
    ----------
    lines
        What became of each line of each file: import_report.csv.
    changes, planned
        What is new, gone or changed, and for each of them the planned actions that it touches.
    as_is
        The activity logs against the engine, on the first day.
    sources
        From which line each row came, by table and key; `source_of` looks there.
    """

    fleet: Fleet
    lines: tuple[Lines, ...]
    findings: Findings
    changes: tuple[Change, ...]
    planned: tuple[str, ...]
    as_is: AsIs
    is_new: bool
    sources: Mapping[tuple[str, Key], Source]

    def source_of(self, table: str, **cells: str) -> Source | None:
        """Return the line from which a row of a file of the fleet was imported; None for none.

        Examples
        --------
        `made.source_of("sessions.csv", client="db1", server="SP03", account="DB1")`
        """
        return self.sources.get((table, key_of(table, cells)))

    def count(self, use: LineUse) -> int:
        """Count the lines of one use."""
        return sum(one.last - one.first + 1 for one in self.lines if one.use is use)

    def n_changes(self, kind: ChangeKind) -> int:
        """Count the changes of one kind."""
        return sum(change.kind is kind for change in self.changes)

    def __repr__(self) -> str:
        lines = ", ".join(f"{self.count(use)} {use}" for use in LineUse)
        changed = "new fleet" if self.is_new else f"{len(self.changes)} changes"
        return f"Import({len(self.fleet.sessions)} sessions, {changed}; lines: {lines})"

    def to_frame(self) -> "pd.DataFrame":
        """Return the table of import_report.csv."""
        return views.frame_of(self)

    def _repr_html_(self) -> str:
        return views.html_of(self)


def import_fleet(
    *files: str | Path,
    out: str | Path,
    start: datetime.date | None = None,
    end: datetime.date | None = None,
    observer: Observer | None = None,
) -> Import:
    """Build a fleet folder from what a site really has, or refresh the one that is there.

    Parameters
    ----------
    files
        dsmadmc exports, dsm.sys and dsm.opt files, certificates, listings of key databases, and
        folders of them. `NAME=FILE` says of which server or client a file is.
    out
        The fleet folder; import_report.csv, import_findings.csv and, for a refreshed fleet,
        import_changes.csv are written into it too.
    start, end
        The horizon `[start, end)` of a new fleet; by default it starts on the newest day that an
        export shows and lasts two years.
    observer
        Is told what is being done, how much of it is done, and how much there is.

    Raises
    ------
    InventoryError
        If a file cannot be used, or holds a misspelt security option; nothing is written then.
    """
    folder = Path(out)
    site = read_site(files, into=folder, start=start, end=end, observer=observer)
    checked = as_is(simulate(Plan.of(site.fleet, [])), site.draft.observed)
    plan = _plan(site, folder)
    against = [] if plan is None else check_against_plan(plan, site.newest)
    result = Import(
        fleet=site.fleet,
        lines=site.evidence.lines,
        findings=in_order([*site.findings, *against, *checked.findings]),
        changes=site.changes,
        planned=_planned(site.changes, plan),
        as_is=checked,
        is_new=site.is_new,
        sources=site.draft.sources,
    )
    reports = {
        "import_report.csv": csv_bytes(result.to_frame()),
        "import_findings.csv": csv_bytes(result.findings.to_frame()),
    }
    if not site.is_new:
        columns = changes_columns(result)
        changes = table_text(tuple(columns), tuple(columns.values()))
        reports["import_changes.csv"] = changes.encode()
    write_fleet(site.fleet, folder, further=reports)
    return result


def _plan(site: FleetImport, folder: Path) -> Plan | None:
    """Return the plan of the fleet that was there before, on the fleet as it is now."""
    if site.is_new:
        return None
    own = read_own_plan(folder, site.fleet)
    return site.fleet.draft_plan() if own is None else own


def _planned(changes: Sequence[Change], plan: Plan | None) -> tuple[str, ...]:
    """Return the planned actions that each change touches: those on its client and its server."""
    if plan is None:
        return ()
    by_name: dict[tuple[str, str], list[str]] = defaultdict(list)
    for row in plan.rows():
        text = " ".join(filter(None, (iso(row.day), row.action.label, row.certificate, row.value)))
        if row.client:
            by_name["client", row.client.casefold()].append(text)
        elif row.server:
            by_name["server", row.server.casefold()].append(text)
    return tuple(
        "; ".join(
            [
                *by_name["client", change.client.casefold()],
                *(by_name["server", change.server.casefold()] if not change.client else ()),
            ]
        )
        for change in changes
    )


def changes_columns(result: Import) -> dict[str, Sequence[str]]:
    """Return the columns of import_changes.csv."""
    changes = result.changes
    return {
        "change": [change.kind.value for change in changes],
        "table": [change.table for change in changes],
        "subject": [change.subject for change in changes],
        "column": [change.column for change in changes],
        "before": [change.before for change in changes],
        "after": [change.after for change in changes],
        "planned": result.planned,
    }
