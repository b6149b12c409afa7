"""Why no order exists: the fewest constraints in conflict that the search finds, in words.

QuickXplain (Junker 2004): halves of the constraints are taken away as long as nothing fits.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Final

from planner.domain.calendar import WEEKDAYS, Capacity, Freeze, Window, iso
from planner.domain.errors import Fault, InfeasibleError
from planner.domain.fleet import Fleet
from planner.domain.order_rules import OrderRule, RuleKind
from planner.ordering.rules import Constraints

IsFeasible = Callable[[Constraints], bool]
_SHOWN: Final = 20
"""Constraints that are said where time ran out before fewer were found."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One constraint: how to say it, and either its rule or how to put it into a set."""

    fault: Fault
    rule: OrderRule | None = None
    add: Callable[[Constraints], Constraints] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Conflict:
    """Constraints that cannot hold together.

    Parameters
    ----------
    is_fewest
        Whether none of them can be left out; otherwise the time ran out before.
    """

    parts: tuple[Part, ...]
    is_fewest: bool = True

    @property
    def soft_rules(self) -> tuple[OrderRule, ...]:
        """Rules that may give way: soft ones that are surely part of the conflict."""
        rules = (part.rule for part in self.parts if part.rule is not None)
        return tuple(rule for rule in rules if self.is_fewest and not rule.hard)


def find_conflict(
    fleet: Fleet,
    constraints: Constraints,
    is_feasible: IsFeasible,
    is_over: Callable[[], bool] = lambda: False,
) -> Conflict:
    """Return constraints that cannot hold together, none of which can be left out.

    Parameters
    ----------
    is_feasible
        Whether an order is found under some constraints.
    is_over
        Whether the time has run out: then what is left of the constraints is the answer.
    """
    parts = list(_parts(fleet, constraints))
    nothing = Constraints(
        freezes=(),
        windows=(),
        holidays=frozenset(),
        capacity=Capacity(),
        rules=(),
        has_lead=False,
    )

    def fits(chosen: Sequence[Part]) -> bool:
        rules = tuple(part.rule for part in chosen if part.rule is not None)
        built = replace(nothing, rules=rules)
        for part in chosen:
            built = built if part.add is None else part.add(built)
        return is_feasible(built)

    is_fewest = True

    def explain(known: list[Part], has_new: bool, open_parts: list[Part]) -> list[Part]:  # noqa: FBT001 - the algorithm's own form
        nonlocal is_fewest
        if len(open_parts) > 1 and is_over():
            is_fewest = False
            return open_parts
        if has_new and not fits(known):
            return []
        if len(open_parts) == 1:
            return open_parts
        half = len(open_parts) // 2
        first, second = open_parts[:half], open_parts[half:]
        of_second = explain([*known, *first], True, second)
        of_first = explain([*known, *of_second], bool(of_second), first)
        return [*of_first, *of_second]

    found = explain([], False, parts) if parts and not fits(parts) else []
    return Conflict(parts=tuple(found), is_fewest=is_fewest)


def infeasible(conflict: Conflict) -> InfeasibleError:
    """Return the error that says a conflict in words."""
    parts = conflict.parts
    if not parts:
        what = "no order was found, and none of the constraints could be blamed"
        cure = "extend the end of the plan"
        return InfeasibleError([Fault(file="fleet.toml", what=what, cure=cure)])
    if not conflict.is_fewest:
        some = f", the first {_SHOWN} of which follow" if len(parts) > _SHOWN else ""
        head = Fault(
            file="rollout order",
            what=f"no order was found, and the time ran out while {len(parts)} constraints could "
            f"be the cause{some}",
            cure="allow more seconds, so that fewer are left",
        )
        return InfeasibleError([head, *(part.fault for part in parts[:_SHOWN])])
    several = len(parts) > 1
    head = Fault(
        file="rollout order",
        what=f"no order keeps these {len(parts)} constraints together"
        if several
        else "no order keeps this constraint",
        cure="give up or loosen one of them" if several else "give it up or loosen it",
    )
    return InfeasibleError([head, *(part.fault for part in parts)])


def _parts(fleet: Fleet, constraints: Constraints) -> Iterator[Part]:
    """Every constraint by itself, those that people change least readily first."""
    if constraints.has_lead:
        yield Part(
            fault=Fault(
                file="fleet.toml",
                what=f"an import must be in place {fleet.calendar.lead_days} working days before "
                "it is needed, and not before its certificate can be had",
                cure="lower policy.lead_days, or have the certificate earlier",
            ),
            add=lambda c: replace(c, has_lead=True),
        )
    for freeze in constraints.freezes:
        yield Part(
            fault=Fault(
                file="fleet.toml",
                what=f"freeze {freeze.name!r} closes {iso(freeze.start)} to {iso(freeze.end - 1)}",
                cure="shorten it, or allow an exception",
            ),
            add=partial(_with_freeze, freeze),
        )
    if constraints.holidays:
        yield Part(
            fault=Fault(
                file="fleet.toml",
                what=f"nothing is upgraded on {len(constraints.holidays)} holidays",
                cure="allow work on one of them",
            ),
            add=lambda c: replace(c, holidays=constraints.holidays),
        )
    for window in constraints.windows:
        days = ", ".join(WEEKDAYS[day] for day in sorted(window.weekdays)) or "no day"
        yield Part(
            fault=Fault(
                file="fleet.toml",
                what=f"site {window.site} may be upgraded on {days}",
                cure="open another weekday",
            ),
            add=partial(_with_window, window),
        )
    yield from _capacities(constraints)
    for rule in constraints.rules:
        yield Part(
            fault=Fault(
                file=rule.file,
                line=rule.line or None,
                what=sentence(fleet, rule),
                cure="change or remove it",
            ),
            rule=rule,
        )


def _capacities(constraints: Constraints) -> Iterator[Part]:
    capacity = constraints.capacity
    for field, limit in (
        ("clients_per_week", capacity.clients_per_week),
        ("servers_per_week", capacity.servers_per_week),
        ("imports_per_week", capacity.imports_per_week),
    ):
        if limit is not None:
            yield Part(
                fault=Fault(
                    file="fleet.toml",
                    what=f"capacity.{field} is {limit}",
                    cure="raise it, or extend the end of the plan",
                ),
                add=partial(_with_capacity, field, limit),
            )


def _with_freeze(freeze: Freeze, c: Constraints) -> Constraints:
    return replace(c, freezes=(*c.freezes, freeze))


def _with_window(window: Window, c: Constraints) -> Constraints:
    return replace(c, windows=(*c.windows, window))


def _with_capacity(field: str, limit: int, c: Constraints) -> Constraints:
    return replace(c, capacity=replace(c.capacity, **{field: limit}))


def sentence(fleet: Fleet, rule: OrderRule) -> str:
    """One order rule in words."""
    first = fleet.endpoint_name(rule.first)
    then = fleet.endpoint_name(rule.then) if rule.then >= 0 else ""
    because = f" ({rule.reason})" if rule.reason else ""
    at_least = f" by at least {rule.days} days" if rule.days else ""
    match rule.kind:
        case RuleKind.BEFORE:
            return f"{first} comes before {then}{at_least}, or on its day{because}"
        case RuleKind.TOGETHER:
            within = f"within {rule.days} days" if rule.days else "on one day"
            return f"{first} and {then} go {within}{because}"
        case RuleKind.PILOT:
            return f"{first} is a pilot: it comes before all others{at_least}{because}"
        case _:
            word = {"earliest": "not before", "latest": "not after", "fixed": "on"}[rule.kind]
            return f"{first} goes {word} {iso(rule.day)}{because}"
