"""The fleet folder: fleet.toml, the CSV files and the certificate files, read all or not at all."""

import hashlib
import stat
from collections.abc import Collection, Mapping, Sequence
from functools import partial
from pathlib import Path

from planner.domain.calendar import NEVER
from planner.domain.errors import Fault, Faults, InventoryError
from planner.domain.findings import Finding, Severity
from planner.domain.fleet import Fleet, Origin
from planner.inventory.csv_tables import Table, empty_table, read_table
from planner.inventory.files import Reading, open_input, read_bytes, reason_of
from planner.inventory.fleet_tables import FleetTables, build_tables
from planner.inventory.hints import nearest, quoted
from planner.inventory.schema import (
    CERTIFICATE_FOLDER,
    FILES,
    OPTIONAL_FILES,
    PLAN_FILE,
    SETTINGS_FILE,
)
from planner.inventory.settings import LARGEST_SETTINGS, Settings, read_settings
from planner.inventory.writing import FINISHED, complete_writing
from planner.inventory.x509 import LARGEST_FILE

_remark = partial(Finding, day=NEVER)


def read_fleet(path: str | Path) -> Fleet:
    """Read a fleet folder.

    Parameters
    ----------
    path
        The folder with fleet.toml, servers.csv, clients.csv and sessions.csv; accounts.csv,
        certificates.csv, trust.csv, rules.csv and `certs/` where there are any.

    Raises
    ------
    InventoryError
        If anything in it cannot be used; it carries every fault with file, line, value and cure.
    FolderInUseError
        If a planner is writing it now.

    Notes
    -----
    Linear in the number of rows: about 10 us for each session. A fleet whose import was stopped
    while its files moved to their places is completed first.
    """
    folder = Path(path)
    faults = Faults()
    present = _names_in(folder, str(path), faults)
    if present is not None and FINISHED in present:
        complete_writing(folder)
        present = _names_in(folder, str(path), faults)
    if present is None:
        raise InventoryError(faults)
    settings = _read_settings(folder, present, faults)
    tables = {name: _read_table(folder, name, present, faults) for name in FILES}
    certificate_files = _read_certificate_files(folder, present, faults)
    built, remarks = build_tables(tables, certificate_files, faults)
    sha256 = _digest(folder, tables, certificate_files, faults)
    if faults or settings is None:
        raise InventoryError(_in_file_order(faults))
    return fleet_of(
        settings,
        built,
        Origin(
            folder=str(path),
            sha256=sha256,
            extra_columns={
                name: table.extra_columns for name, table in tables.items() if table.extra_columns
            },
            certificate_files=certificate_files,
            remarks=(
                *_remarks_on_file_names(present),
                *_remarks_on_extra_columns(tables),
                *_remarks_on_windows(settings, built),
                *remarks,
            ),
        ),
    )


def fleet_of(settings: Settings, built: FleetTables, origin: Origin) -> Fleet:
    """Return the fleet of settings and tables."""
    return Fleet(
        name=settings.name or Path(origin.folder).resolve().name,
        start=settings.start,
        end=settings.end,
        automatic_distribution=settings.automatic_distribution,
        calendar=settings.calendar,
        capacity=settings.capacity,
        levels=built.levels,
        clients=built.clients,
        servers=built.servers,
        accounts=built.accounts,
        account_names=built.account_names,
        key_databases=built.key_databases,
        key_database_names=built.key_database_names,
        sessions=built.sessions,
        certificates=built.certificates,
        trust=built.trust,
        rules=built.rules,
        origin=origin,
    )


def _names_in(folder: Path, name: str, faults: list[Fault]) -> list[str] | None:
    """Names of what a folder holds, sorted; a fault and None where it cannot be read."""
    try:
        if stat.S_ISDIR(folder.stat().st_mode):
            return sorted(entry.name for entry in folder.iterdir())
        what = "this is no folder"
        cure = f"name the folder that holds {SETTINGS_FILE}, servers.csv, clients.csv, sessions.csv"
    except FileNotFoundError:
        what, cure = "the folder is missing", "create it, or correct its name"
    except PermissionError:
        what, cure = "the folder may not be read", "give yourself the right to read it"
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        what = f"the folder cannot be read ({reason_of(error)})"
        cure = "check the disk and the path"
    faults.append(Fault(file=name, what=what, cure=cure))
    return None


def _is_missing(name: str, present: Collection[str], faults: list[Fault]) -> bool:
    """Whether a file that must be there is missing, with a fault that names the nearest one."""
    if name in present:
        return False
    others = [other for other in present if other not in (*FILES, SETTINGS_FILE)]
    near = nearest(name, others, cutoff=0.8)
    cure = f"rename {quoted(near)}" if near else "create it, or name the folder that holds it"
    faults.append(Fault(file=name, what="the file is missing", cure=cure))
    return True


def _read_settings(folder: Path, present: Collection[str], faults: list[Fault]) -> Settings | None:
    if _is_missing(SETTINGS_FILE, present, faults):
        return None
    content = read_bytes(
        folder / SETTINGS_FILE, SETTINGS_FILE, faults, largest=LARGEST_SETTINGS, within=folder
    )
    return None if content is None else read_settings(content, faults)


def _read_table(folder: Path, name: str, present: Collection[str], faults: list[Fault]) -> Table:
    columns = FILES[name]
    if name in OPTIONAL_FILES and name not in present:
        return empty_table(name, columns, is_whole=True)
    if _is_missing(name, present, faults):
        return empty_table(name, columns, is_whole=False)
    return read_table(folder / name, name, columns, faults, within=folder)


def _read_certificate_files(
    folder: Path, present: Collection[str], faults: list[Fault]
) -> dict[str, bytes]:
    if CERTIFICATE_FOLDER not in present:
        return {}
    files = {}
    for name in _names_in(folder / CERTIFICATE_FOLDER, CERTIFICATE_FOLDER, faults) or ():
        path = folder / CERTIFICATE_FOLDER / name
        file = f"{CERTIFICATE_FOLDER}/{name}"
        if name.startswith(".") or path.is_dir():
            continue
        if not name.isprintable():
            what = f"the file name {quoted(name)} holds a character that cannot be printed"
            faults.append(Fault(file=CERTIFICATE_FOLDER, what=what, cure="rename the file"))
            continue
        content = read_bytes(path, file, faults, largest=LARGEST_FILE, within=folder)
        if content is not None:
            files[file] = content
    return files


def _digest(
    folder: Path,
    tables: Mapping[str, Table],
    certificate_files: Mapping[str, bytes],
    faults: list[Fault],
) -> str:
    """SHA-256 of all files that were read; where there is a fault not of all of them."""
    digests = {
        name: hashlib.sha256(content).digest() for name, content in certificate_files.items()
    }
    for name in (SETTINGS_FILE, *tables):
        # A table of an optional file that is missing has no heading.
        if faults or (name in tables and not tables[name].heading_line):
            continue
        with Reading(name, faults), open_input(folder / name, within=folder) as file:
            digests[name] = hashlib.file_digest(file, "sha256").digest()
    whole = hashlib.sha256()
    for name, digest in sorted(digests.items()):
        whole.update(name.encode() + b"\0" + digest)
    return whole.hexdigest()


def _in_file_order(faults: Sequence[Fault]) -> list[Fault]:
    """Sort faults by file and line; those of one line stay as they were found."""
    return sorted(faults, key=lambda fault: (fault.file, fault.line or 0))


def _remarks_on_file_names(present: Collection[str]) -> list[Finding]:
    """Files that were probably meant to be read: `trusts.csv`, `Accounts.csv`."""
    absent = [name for name in (*OPTIONAL_FILES, PLAN_FILE) if name not in present]
    others = [name for name in present if name not in (*FILES, SETTINGS_FILE, PLAN_FILE)]
    return [
        _remark(
            rule="misspelt-file",
            severity=Severity.WARNING,
            subject=name,
            what=f"the file was not read; its name is like {near}",
            why="A fleet folder has files of fixed names; others are left alone.",
            fix=f"Rename it {near} if it is meant to be that file.",
            file=name,
        )
        for name in others
        if name.isprintable() and (near := nearest(name, absent, cutoff=0.85))
    ]


def _remarks_on_extra_columns(tables: Mapping[str, Table]) -> list[Finding]:
    return [
        _remark(
            rule="extra-column",
            severity=Severity.NOTE,
            subject=f"{name}: {column}",
            what=f"column {quoted(column)} is not one that the kit uses",
            why="The kit keeps it and writes it back, but computes nothing from it.",
            fix="Nothing to do, unless it is a misspelt column.",
            file=name,
            line=table.heading_line,
        )
        for name, table in tables.items()
        for column in table.extra_columns
    ]


def _remarks_on_windows(settings: Settings, built: FleetTables) -> list[Finding]:
    sites = {site.casefold(): site for site in (*built.servers.site, *built.clients.site) if site}
    remarks = []
    for window in settings.calendar.windows:
        if window.site.casefold() not in sites:
            near = nearest(window.site, sites.values())
            remarks.append(
                _remark(
                    rule="window-without-site",
                    severity=Severity.WARNING,
                    subject=window.site,
                    what=f"the window is for site {quoted(window.site)}, which has no endpoint",
                    why="A window restricts the upgrades of its own site alone.",
                    fix=f"Correct the site; {near} is nearest." if near else "Correct the site.",
                    file=SETTINGS_FILE,
                )
            )
    return remarks
