"""The same plan under another policy: another lead, another calendar, other capacities."""

from collections.abc import Iterable
from dataclasses import replace

import numpy as np

from planner.domain.fleet import Numbers
from planner.domain.plan import Action, Plan
from planner.engine.complete import complete


def under_policy(
    plan: Plan,
    *,
    lead_days: int | None = None,
    clients_per_week: int | None = None,
    servers_per_week: int | None = None,
    imports_per_week: int | None = None,
    working_days: Iterable[int] | None = None,
    freezes: bool = True,
    windows: bool = True,
) -> Plan:
    """Return the same actions on a fleet that lives by another policy.

    Parameters
    ----------
    lead_days
        Working days that an import needs ahead [days]; the fleet's own where None.
    clients_per_week, servers_per_week, imports_per_week
        Most upgrades and imports in an ISO week; the fleet's own where None, unlimited where 0.
    working_days
        Weekdays (0 = Monday); the fleet's own where None.
    freezes, windows
        Whether the fleet's freezes, and the windows of its sites, hold.

    Raises
    ------
    ValueError
        If there is no working day, or a number is negative.
    """
    limits = {
        "clients_per_week": clients_per_week,
        "servers_per_week": servers_per_week,
        "imports_per_week": imports_per_week,
    }
    if min(number or 0 for number in (lead_days, *limits.values())) < 0:
        raise ValueError("lead and capacity cannot be negative")
    fleet = plan.fleet
    calendar = fleet.calendar
    if lead_days is not None:
        calendar = replace(calendar, lead_days=lead_days)
    if working_days is not None:
        calendar = replace(calendar, working_days=frozenset(working_days))
    if not freezes:
        calendar = replace(calendar, freezes=())
    if not windows:
        calendar = replace(calendar, windows=())
    given = {name: limit or None for name, limit in limits.items() if limit is not None}
    capacity = replace(fleet.capacity, **given)
    return replace(plan, fleet=replace(fleet, calendar=calendar, capacity=capacity))


def imports_earlier(plan: Plan, n_days: int) -> Plan:
    """Return the plan with every import so many working days earlier, from the first day on.

    Each goes to the last open day from then on, as imports are made on such; what would be made
    before the first day is made on it.
    """
    calendar, start = plan.fleet.calendar, plan.fleet.start
    days = plan.day.copy()
    for row in _imports(plan) if n_days else ():
        day, left = int(days[row]), n_days
        while day > start and (left > 0 or not calendar.is_open(day)):
            day -= 1
            left -= calendar.is_working(day)
        days[row] = day
    return replace(plan, day=days)


def _imports(plan: Plan) -> Numbers:
    return np.flatnonzero(plan.action == Action.IMPORT_CERTIFICATE).astype(np.int32)


def replanned(plan: Plan) -> Plan:
    """Return the plan with every import dated anew by `complete`; the other actions stay."""
    return complete(plan.without(_imports(plan)))
