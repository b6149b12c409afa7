"""The same plan under another policy: another lead, another calendar, other capacities."""

from collections.abc import Iterable
from dataclasses import replace

from planner.domain.plan import Action, Plan
from planner.engine.complete import complete


def under_policy(
    plan: Plan,
    *,
    lead_days: int | None = None,
    imports_per_week: int | None = None,
    working_days: Iterable[int] | None = None,
    freezes: bool = True,
) -> Plan:
    """Return the same actions on a fleet that lives by another policy.

    Parameters
    ----------
    lead_days
        Working days that an import needs ahead [days]; the fleet's own where None.
    imports_per_week
        Most imports in an ISO week; the fleet's own where None, unlimited where 0.
    working_days
        Weekdays (0 = Monday); the fleet's own where None.
    freezes
        Whether the fleet's freezes hold.

    Raises
    ------
    ValueError
        If there is no working day, or a number is negative.
    """
    if (lead_days or 0) < 0 or (imports_per_week or 0) < 0:
        raise ValueError("lead and capacity cannot be negative")
    fleet = plan.fleet
    calendar, capacity = fleet.calendar, fleet.capacity
    if lead_days is not None:
        calendar = replace(calendar, lead_days=lead_days)
    if working_days is not None:
        calendar = replace(calendar, working_days=frozenset(working_days))
    if not freezes:
        calendar = replace(calendar, freezes=())
    if imports_per_week is not None:
        capacity = replace(capacity, imports_per_week=imports_per_week or None)
    return replace(plan, fleet=replace(fleet, calendar=calendar, capacity=capacity))


def replanned(plan: Plan) -> Plan:
    """Return the plan with every import dated anew by `complete`; the other actions stay."""
    return complete(plan.without(plan.where(action=Action.IMPORT_CERTIFICATE.label)))
