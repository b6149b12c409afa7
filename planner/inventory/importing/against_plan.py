"""Levels that the exports show against those that a plan says: what should have happened by now."""

from collections.abc import Iterator

from planner.domain.calendar import iso
from planner.domain.findings import Finding, Severity
from planner.domain.fleet import Fleet
from planner.domain.levels import Level
from planner.domain.plan import UPGRADES, Action, Plan, PlannedAction
from planner.inventory.importing.evidence import Source, finding_at


def check_against_plan(plan: Plan, newest: int) -> Iterator[Finding]:
    """Report each endpoint whose level is not what the plan says for the day of the exports.

    Parameters
    ----------
    plan
        The plan of the fleet that was imported.
    newest
        The newest day that the exports show.

    Notes
    -----
    Linear in the number of actions. The last upgrade up to that day counts, and one of a later day
    where its level is there already.
    """
    due: dict[tuple[str, str], PlannedAction] = {}
    for row in plan.rows():
        if row.action not in UPGRADES:
            continue
        name = row.server if row.action is Action.UPGRADE_SERVER else row.client
        kind = "server" if row.action is Action.UPGRADE_SERVER else "client"
        level = _level(plan.fleet, kind, name)
        if row.day <= newest:
            due[kind, name.casefold()] = row
        elif level is not None and _is_same(level, row.value):
            yield _early(row, name, level)
    for (kind, name), row in due.items():
        level = _level(plan.fleet, kind, name)
        if level is not None and not _is_same(level, row.value):
            yield _late(row, row.server or row.client, level, newest)


def _level(fleet: Fleet, kind: str, name: str) -> Level | None:
    """Level of an endpoint; None where it is unknown, or there is no such endpoint."""
    table = fleet.servers if kind == "server" else fleet.clients
    row = table.name.find(name)
    number = int(table.level[row]) if row >= 0 else -1
    return fleet.levels[number] if number >= 0 else None


def _is_same(level: Level, planned: str) -> bool:
    """Whether a level is the planned one, up to the sub-level."""
    try:
        return level.vrl == Level.parse(planned).vrl
    except ValueError:
        return False


def _late(row: PlannedAction, name: str, level: Level, newest: int) -> Finding:
    return finding_at(
        Source(row.file, row.line),
        rule="level-against-plan",
        severity=Severity.WARNING,
        subject=name,
        what=f"planned is {row.value} on {iso(row.day)}; on {iso(newest)} the exports show {level}",
        why="The upgrade did not happen, or NODES holds the login of another, older program.",
        fix="Move the upgrade in the plan, or give what `dsmc query session` prints there.",
    )


def _early(row: PlannedAction, name: str, level: Level) -> Finding:
    return finding_at(
        Source(row.file, row.line),
        rule="level-against-plan",
        severity=Severity.WARNING,
        subject=name,
        what=f"planned is {row.value} on {iso(row.day)}; the exports show {level} already",
        why="What depends on that day, such as certificates, is due now.",
        fix="Move the upgrade in the plan to the day on which it happened.",
    )
