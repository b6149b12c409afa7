"""What has happened, from a table of it, a fresh import, or the report of a renewal script."""

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Final

from planner.domain.calendar import ALWAYS, iso
from planner.domain.errors import Fault, Faults, PlanError
from planner.domain.fleet import Fleet
from planner.domain.plan import Action, Plan, PlannedAction
from planner.inventory.cells import CellError, parse_day
from planner.inventory.files import read_bytes
from planner.inventory.fleet_folder import read_fleet
from planner.inventory.hints import did_you_mean, quoted
from planner.inventory.importing.text import decoded
from planner.inventory.plan_file import read_plan

LARGEST_REPORT: Final = 64 << 20
"""Largest report that is read [bytes]."""

_HEADING: Final = re.compile(r"\s*DOMAIN\s+PLATFORM\s+CLIENT NAME\s+STATUS\s*", re.IGNORECASE)
_ROW: Final = re.compile(
    r"\s*(?P<domain>\S+)\s+(?P<platform>\S.*?)\s+(?P<client>\S+)\s+(?P<status>(In )?[A-Za-z]+)"
    r"(\s+-?\d+)?\s*"
)
_MADE_ON: Final = re.compile(r"(\d{4}-\d{2}-\d{2})-\d{2}_\d{2}_\d{2}")
_HAPPENED: Final = {"completed": "done", "missed": "failed", "failed": "failed"}
"""What a status says; with every other one it is still open."""


def read_actuals(source: str | Path, plan: Plan, *, today: int) -> Plan:
    """Read what has happened to a plan.

    Parameters
    ----------
    source
        A CSV file in the columns of schedule.csv, `date` being the day on which it happened and
        status `failed` an attempt that did not succeed; a fleet folder, imported afresh; or
        `CERTIFICATE=FILE`, the report of IBM's certificate renewal script about a certificate.
    plan
        What was planned. A fresh import does not tell on which day a level or a certificate came:
        the planned day is taken where that is past, else `today`.
    today
        The day up to which it tells what happened.

    Raises
    ------
    InventoryError, PlanError
        If it cannot be used, with every fault.

    References
    ----------
    Columns and statuses of the report: sp-client-cert-renew of IBM's storage-protect-galaxy.
    """
    fleet = plan.fleet
    certificate, separator, name = str(source).partition("=")
    if separator and not Path(source).exists():
        if not name:
            what, cure = "no file is named behind the =", "write it as CERTIFICATE=FILE"
            raise PlanError([Fault(file=str(source), what=what, cure=cure)])
        return Plan.of(fleet, _of_report(Path(name), certificate, fleet, today))
    path = Path(source)
    if path.is_dir():
        return Plan.of(fleet, _of_fleet(read_fleet(path), plan, today))
    return read_plan(path, fleet)


def _of_report(path: Path, certificate: str, fleet: Fleet, today: int) -> list[PlannedAction]:
    faults: list[Fault] = Faults()
    file = path.name or str(path)
    content = read_bytes(path, file, faults, largest=LARGEST_REPORT)
    lines = [] if content is None else decoded(content).splitlines()
    known = fleet.certificates.name
    if certificate.casefold() not in (one.casefold() for one in known):
        what = f"no certificate is named {quoted(certificate)}"
        cure = did_you_mean(certificate, known, "name it as certificates.csv does")
        faults.append(Fault(file=file, what=what, cure=cure))
    heading = next((n for n, line in enumerate(lines, 1) if _HEADING.fullmatch(line)), None)
    if content is not None and heading is None:
        what = "no line has the columns DOMAIN, PLATFORM, CLIENT NAME and STATUS"
        cure = "give the file that the script's action report wrote"
        faults.append(Fault(file=file, what=what, cure=cure))
    actions = []
    for number, line in enumerate(lines[heading or len(lines) :], (heading or 0) + 1):
        if not line.strip(" -"):
            continue
        row = _ROW.fullmatch(" ".join(line.split()))
        if row is None:
            what, cure = f"{quoted(line.strip())} is no row of the report", "repeat the report"
            faults.append(Fault(file=file, line=number, what=what, cure=cure))
            continue
        status = _HAPPENED.get(row["status"].casefold())
        if status is not None:
            actions.append(
                PlannedAction(
                    day=_day_of_report(path, today),
                    action=Action.IMPORT_CERTIFICATE,
                    client=row["client"],
                    certificate=certificate,
                    status=status,
                    note=f"renewal script: {row['status']}",
                    file=file,
                    line=number,
                )
            )
    if faults:
        raise PlanError(faults)
    return actions


def _day_of_report(path: Path, today: int) -> int:
    """Day that the script has put into the name of its report, else `today`."""
    made = _MADE_ON.search(path.name)
    if made is None:
        return today
    try:
        return min(today, parse_day(made[1]))
    except CellError:
        return today


def _of_fleet(fresh: Fleet, plan: Plan, today: int) -> Iterator[PlannedAction]:
    """What a fleet shows as changed: levels, certificates presented, and trust."""
    fleet = plan.fleet
    planned = {_about(row): row.day for row in plan.rows() if row.day <= today}

    def seen(action: PlannedAction) -> PlannedAction:
        day = planned.get(_about(action))
        note = _seen_by(today)
        if day is None:
            return replace(action, note=note, file=fresh.origin.folder)
        note = f"{note}; the day is the planned one"
        return replace(action, day=day, note=note, file=fresh.origin.folder)

    for endpoint in range(fleet.n_endpoints):
        name, is_server = fleet.endpoint_name(endpoint), fleet.is_server(endpoint)
        table = fresh.servers if is_server else fresh.clients
        place = table.name.find(name)
        if place < 0:
            continue
        before, now = fleet.endpoint_level(endpoint), int(table.level[place])
        level = fresh.levels[now] if now >= 0 else None
        if level is not None and level != before:
            kind = Action.UPGRADE_SERVER if is_server else Action.UPGRADE_CLIENT
            if before is None and not is_server:
                kind = Action.INSTALL_CLIENT
            client, of_server = ("", name) if is_server else (name, "")
            yield seen(
                PlannedAction(
                    day=today, action=kind, client=client, server=of_server, value=str(level)
                )
            )
    for server in range(len(fleet.servers)):
        place = fresh.servers.name.find(fleet.servers.name[server])
        if place >= 0:
            presented = fresh.certificates.name[fresh.servers.certificate[place]]
            if presented.casefold() != _presented(fleet, server).casefold():
                yield seen(
                    PlannedAction(
                        day=today,
                        action=Action.REPLACE_CERTIFICATE,
                        server=fleet.servers.name[server],
                        certificate=presented,
                    )
                )
    yield from _new_trust(fresh, fleet, seen_by=today, planned=planned)


def _presented(fleet: Fleet, server: int) -> str:
    return fleet.certificates.name[int(fleet.servers.certificate[server])]


def _new_trust(
    fresh: Fleet, fleet: Fleet, *, seen_by: int, planned: dict[tuple[object, ...], int]
) -> Iterator[PlannedAction]:
    before = {_held(fleet, row)[:3] for row in range(len(fleet.trust))}
    for row in range(len(fresh.trust)):
        client, key_database, certificate, since = _held(fresh, row)
        if (client, key_database, certificate) in before:
            continue
        action = PlannedAction(
            day=seen_by,
            action=Action.IMPORT_CERTIFICATE,
            client=client,
            key_database=key_database,
            certificate=certificate,
            note=_seen_by(seen_by),
            file=fresh.origin.folder,
        )
        is_dated = ALWAYS < since <= seen_by
        yield replace(action, day=since if is_dated else planned.get(_about(action), seen_by))


def _seen_by(day: int) -> str:
    return f"seen in the fleet that was imported by {iso(day)}"


def _held(fleet: Fleet, row: int) -> tuple[str, str, str, int]:
    """Client, key database and certificate of a row of trust.csv, and since when."""
    trust, databases = fleet.trust, fleet.key_databases
    database = int(trust.key_database[row])
    return (
        fleet.endpoint_name(int(databases.endpoint[database])).casefold(),
        databases.name[database].casefold(),
        fleet.certificates.name[trust.certificate[row]].casefold(),
        int(trust.since[row]),
    )


def _about(action: PlannedAction) -> tuple[object, ...]:
    """What an action is about: all of it but its day and its value."""
    key_database = action.key_database or "default"
    if action.action is not Action.IMPORT_CERTIFICATE:
        key_database = ""
    names = (action.client, action.server, key_database, action.certificate)
    return (action.action, *(name.casefold() for name in names))
