"""The table of rules.csv into order rules."""

import re
from collections.abc import Callable
from typing import Final

from planner.domain.calendar import NEVER
from planner.domain.order_rules import OrderRule, RuleKind
from planner.inventory.cells import YES_NO, CellError, Cells, Choices, parse_day
from planner.inventory.csv_tables import Table
from planner.inventory.hints import quoted

LONGEST_GAP: Final = 3660
"""Most days that a rule may ask for: ten years."""

_KINDS: Final = tuple(RuleKind)
_KIND_CODES: Final = Choices({kind.value: code for code, kind in enumerate(_KINDS)})
_OF_TWO: Final = (RuleKind.BEFORE, RuleKind.TOGETHER)
_DATED: Final = (RuleKind.EARLIEST, RuleKind.LATEST, RuleKind.FIXED)


def read_rules(
    table: Table, cells: Cells, find_endpoint: Callable[[str], int]
) -> tuple[OrderRule, ...]:
    """Return the order rules of rules.csv, in the order of the file.

    Parameters
    ----------
    cells
        Receives every fault.
    find_endpoint
        Endpoint of a name; raises `CellError` for a name that the fleet does not have.
    """
    kinds = cells.parsed(table, "kind", _KIND_CODES.code, -1, is_required=True)
    firsts = cells.parsed(table, "first", find_endpoint, -1, is_required=True)
    days = cells.parsed(table, "days", _parse_days, 0)
    hard = cells.parsed(table, "hard", YES_NO.code, 1)
    rules = []
    for row, (code, first, then) in enumerate(zip(kinds, firsts, table["then"], strict=True)):
        if code < 0:
            continue
        kind, partner, day = _KINDS[code], -1, NEVER
        try:
            if kind in _OF_TWO:
                partner = find_endpoint(then) if then else _missing(kind, "an endpoint")
            elif kind in _DATED:
                day = parse_day(then) if then else _missing(kind, "a date")
            elif then:
                raise CellError("is given for a pilot", "leave it empty: pilots come first of all")
        except CellError as error:
            cells.fault(table, row, f"then {quoted(then)} {error.what}", error.cure)
        if partner == first and partner >= 0:
            cells.fault(table, row, f"then {quoted(then)} is first itself", "name another endpoint")
        rules.append(
            OrderRule(
                kind=kind,
                first=first,
                then=partner,
                day=day,
                days=days[row],
                hard=bool(hard[row]),
                file=table.file,
                line=table.lines[row],
            )
        )
    return tuple(rules)


def _missing(kind: RuleKind, what: str) -> int:
    raise CellError("is empty", f"a rule {kind} needs {what} there")


def _parse_days(text: str) -> int:
    if not re.fullmatch(r"\d{1,4}", text, re.ASCII) or int(text) > LONGEST_GAP:
        raise CellError("is no number of days", f"write a number from 0 to {LONGEST_GAP}")
    return int(text)
