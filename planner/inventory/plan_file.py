"""Plans in files: plan.csv, schedule.csv, or any other file of that form."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from planner.domain.calendar import NEVER
from planner.domain.errors import Faults, PlanError
from planner.domain.fleet import Fleet
from planner.domain.options import OPTIONS, option_code
from planner.domain.plan import ACTION_LABELS, Action, Plan, PlannedAction
from planner.inventory.cells import (
    CellError,
    Cells,
    Choices,
    parse_day,
    parse_level,
    parse_port,
)
from planner.inventory.csv_tables import Table, read_table
from planner.inventory.fleet_tables import AUTHENTICATIONS, SECURITIES
from planner.inventory.hints import did_you_mean, quoted
from planner.inventory.schema import PLAN_FILE, SCHEDULE

_ACTIONS: Final = Choices({label: int(action) for label, action in ACTION_LABELS.items()})
_OPTION_VALUES: Final = tuple(Choices.of_option(option) for option in OPTIONS)
_NAMES: Final = ("client", "server", "account", "key_database", "certificate")
_NEEDED_COLUMNS: Final[Mapping[Action, tuple[str, ...]]] = {
    Action.UPGRADE_SERVER: ("server", "value"),
    Action.UPGRADE_CLIENT: ("client", "value"),
    Action.INSTALL_CLIENT: ("client", "value"),
    Action.RETIRE_CLIENT: ("client",),
    Action.IMPORT_CERTIFICATE: ("client", "certificate"),
    Action.REMOVE_CERTIFICATE: ("client", "certificate"),
    Action.SET_OPTION: ("client", "option"),
    Action.REPLACE_CERTIFICATE: ("server", "certificate"),
    Action.SET_SESSION_SECURITY: ("server", "account", "value"),
    Action.SET_AUTHENTICATION: ("server", "value"),
}


def read_own_plan(folder: Path, fleet: Fleet) -> Plan | None:
    """Return the plan that lies in a fleet's own folder; None where there is none."""
    own = folder / PLAN_FILE
    return read_plan(own, fleet) if own.exists() else None


def read_plan(path: str | Path, fleet: Fleet) -> Plan:
    """Read a plan for a fleet; names that the fleet does not know stay, and `check` reports them.

    The columns `use_case` to `command` are derived and ignored.

    Parameters
    ----------
    path
        A CSV file with the columns of schedule.csv, in any order.
    fleet
        The fleet whose plan it is.

    Raises
    ------
    PlanError
        If anything in it cannot be used; it carries every fault with file, line, value and cure.
    """
    path = Path(path)
    faults = Faults()
    table = read_table(path, path.name or str(path), SCHEDULE, faults)
    actions = _actions(table, Cells(faults))
    if faults:
        raise PlanError(sorted(faults, key=lambda fault: fault.line or 0))
    return Plan.of(fleet, actions)


def _actions(table: Table, cells: Cells) -> list[PlannedAction]:
    days = cells.parsed(table, "date", parse_day, NEVER, is_required=True)
    kinds = cells.parsed(table, "action", _ACTIONS.code, -1, is_required=True)
    names = {column: cells.names(table, column) for column in _NAMES}
    options = cells.parsed(table, "option", _parse_option, -1)
    actions = []
    for row, (day, kind) in enumerate(zip(days, kinds, strict=True)):
        if kind < 0:
            continue
        action, value = Action(kind), table["value"][row]
        given = {column: texts[row] for column, texts in names.items()}
        if action is Action.REPLACE_CERTIFICATE and not given["certificate"]:
            given["certificate"] = value
        for column in _NEEDED_COLUMNS[action]:
            if not (given[column] if column in given else table[column][row]):
                cells.fault(table, row, f"{action.label} without {column}", f"fill in {column}")
        option = options[row]
        try:
            value = _value(action, option, value) if value else ""
        except CellError as error:
            cells.fault(table, row, f"value {quoted(value)} {error.what}", error.cure)
        actions.append(
            PlannedAction(
                day=day,
                action=action,
                option=OPTIONS[option].name if option >= 0 else "",
                value=value,
                wave=table["wave"][row],
                status=table["status"][row],
                note=table["note"][row],
                file=table.file,
                line=table.lines[row],
                **given,
            )
        )
    return actions


def _parse_option(text: str) -> int:
    code = option_code(text)
    if code is None:
        names = [option.name for option in OPTIONS]
        raise CellError("is not known", did_you_mean(text, names, f"use one of {', '.join(names)}"))
    return code


def _value(action: Action, option: int, text: str) -> str:
    """Return the value of an action in its own spelling; `text` is not empty."""
    match action:
        case Action.UPGRADE_SERVER | Action.UPGRADE_CLIENT | Action.INSTALL_CLIENT:
            return str(parse_level(text))
        case Action.SET_SESSION_SECURITY:
            return SECURITIES.value(text)
        case Action.SET_AUTHENTICATION:
            return AUTHENTICATIONS.value(text)
        case Action.SET_OPTION if option >= 0:
            return _option_value(option, text)
        case _:
            return text


def _option_value(option: int, text: str) -> str:
    if not OPTIONS[option].choices:
        return str(parse_port(text))
    try:
        return _OPTION_VALUES[option].value(text)
    except CellError as error:
        raise CellError(f"is no value of {OPTIONS[option].name}", error.cure) from error
