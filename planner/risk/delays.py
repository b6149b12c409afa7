"""By how many working days actions slip: distributions, and which actions each is for."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from planner.domain.calendar import NEVER
from planner.domain.errors import Faults, PlanError
from planner.domain.plan import ACTION_LABELS, Action, Plan, PlannedAction
from planner.inventory.csv_tables import Table, read_table
from planner.inventory.schema import Column

MAY_SLIP: Final = (
    Action.UPGRADE_SERVER,
    Action.UPGRADE_CLIENT,
    Action.INSTALL_CLIENT,
    Action.IMPORT_CERTIFICATE,
)
LONGEST: Final = 1_000
"""Longest delay that a distribution may hold [working days]."""

_COLUMNS: Final = tuple(
    Column(name=name, shortest=name, is_required=name == "delay")
    for name in ("action", "site", "owner", "delay")
)
_CURE: Final = (
    "write none, uniform LOW HIGH, geometric P, triangular LOW MODE HIGH, or empirical DAYS:WEIGHT "
    "DAYS:WEIGHT ..., in working days"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Delay:
    """A distribution of whole working days: `weights[d]` is the weight of a delay of `d`.

    Examples
    --------
    >>> Delay.parse("empirical 0:3 5:1").mean
    1.25
    """

    weights: tuple[float, ...]

    def __post_init__(self) -> None:
        weights = np.array(self.weights)
        if not 0 < len(weights) <= LONGEST + 1:
            raise ValueError(f"a delay is 0 to {LONGEST} working days")
        if not (np.all(np.isfinite(weights)) and np.all(weights >= 0) and weights.sum() > 0):
            raise ValueError("weights are finite, not negative, and not all zero")

    @classmethod
    def parse(cls, text: str) -> "Delay":
        """Read a distribution from its words.

        Raises
        ------
        ValueError
            If the text is no distribution.
        """
        match text.casefold().split():
            case ["none"]:
                return cls(weights=(1.0,))
            case ["uniform", low, high]:
                return cls.table((day, 1.0) for day in _range(int(low), int(high)))
            case ["geometric", share]:
                return cls.geometric(float(share))
            case ["triangular", low, mode, high]:
                return cls.triangular(int(low), int(mode), int(high))
            case ["empirical", *pairs] if pairs:
                cells = (pair.split(":") for pair in pairs)
                return cls.table((int(day), float(weight)) for day, weight in cells)
            case _:
                raise ValueError(f"{text!r} is no distribution")

    @classmethod
    def table(cls, rows: Iterable[tuple[int, float]]) -> "Delay":
        """Make a distribution of pairs of a delay and its weight."""
        pairs = list(rows)
        longest = max((day for day, _ in pairs), default=-1)
        if longest > LONGEST or any(day < 0 for day, _ in pairs):
            raise ValueError(f"a delay is 0 to {LONGEST} working days")
        weights = [0.0] * (longest + 1)
        for day, weight in pairs:
            weights[day] += weight
        return cls(weights=tuple(weights))

    @classmethod
    def geometric(cls, share: float) -> "Delay":
        """Make one in which `share` of what is still open is done on every working day."""
        if not 0 < share <= 1:
            raise ValueError("the share of a geometric delay lies in (0, 1]")
        left = (1 - share) ** np.arange(LONGEST + 1)
        kept = left[left > 1e-12]  # beyond what a draw of 53 bits can tell from zero in practice
        return cls(weights=tuple((share * kept).tolist()))

    @classmethod
    def triangular(cls, low: int, mode: int, high: int) -> "Delay":
        """Make one that rises from `low` to `mode` and falls to `high`, all three included."""
        if not low <= mode <= high:
            raise ValueError("a triangular delay has low <= mode <= high")
        rising, falling = mode - low + 1, high - mode + 1
        return cls.table(
            (day, min((day - low + 1) / rising, (high - day + 1) / falling))
            for day in _range(low, high)
        )

    @property
    def mean(self) -> float:
        """Expected delay [working days]."""
        weights = np.array(self.weights)
        return float(weights @ np.arange(len(weights)) / weights.sum())

    def shares_done(self) -> NDArray[np.float64]:
        """Share that is done by each delay, up to the longest that has any weight."""
        weights = np.array(self.weights)
        steps = np.cumsum(weights[: np.flatnonzero(weights)[-1] + 1])
        shares: NDArray[np.float64] = steps / steps[-1]
        return shares


NO_DELAY: Final = Delay(weights=(1.0,))
USUAL: Final = Delay.geometric(0.5)
"""Taken where nothing is given: half is done on its day, half of the rest on each day after."""


def _range(low: int, high: int) -> range:
    if not 0 <= low <= high <= LONGEST:
        raise ValueError(f"delays run from a lower to a higher one within 0 to {LONGEST}")
    return range(low, high + 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Slip:
    """A distribution for the actions of a group; an empty text or None stands for all."""

    delay: Delay
    action: Action | None = None
    site: str = ""
    owner: str = ""

    def __post_init__(self) -> None:
        if self.action is not None and self.action not in MAY_SLIP:
            raise ValueError(f"{self.action.label} does not slip; upgrades and imports do")


def usual_or(slips: Sequence[Slip] | None) -> tuple[Slip, ...]:
    """Return the groups given, else the usual delay for all actions."""
    return (Slip(delay=USUAL),) if slips is None else tuple(slips)


def read_slips(path: str | Path) -> tuple[Slip, ...]:
    """Read the groups of a CSV file with the columns action, site, owner and delay.

    For each action the first row that fits counts; an action that none fits does not slip.

    Raises
    ------
    PlanError
        If anything in it cannot be used, with every fault.
    """
    path, faults = Path(path), Faults()
    table = read_table(path, path.name or str(path), _COLUMNS, faults)
    slips = [_slip(table, row, faults) for row in range(len(table))]
    if faults:
        raise PlanError(faults)
    return tuple(slip for slip in slips if slip is not None)


def _slip(table: Table, row: int, faults: Faults) -> Slip | None:
    label = table["action"][row]
    action = ACTION_LABELS.get(label.casefold())
    if label and action not in MAY_SLIP:
        allowed = ", ".join(kind.label for kind in MAY_SLIP)
        faults.append(table.fault(row, f"{label!r} is no action that slips", f"use {allowed}"))
        return None
    try:
        delay = Delay.parse(table["delay"][row])
    except ValueError as error:
        faults.append(table.fault(row, f"delay: {error}", _CURE))
        return None
    return Slip(delay=delay, action=action, site=table["site"][row], owner=table["owner"][row])


class Happened(Protocol):
    """An action with the days on which it was planned and happened, as `planner.track` tells."""

    @property
    def action(self) -> PlannedAction:
        """What was done."""

    @property
    def planned(self) -> int:
        """Day on which it was planned."""

    @property
    def actual(self) -> int:
        """Day on which it happened."""


def fitted_slips(rows: Sequence[Happened], plan: Plan) -> tuple[Slip, ...]:
    """Take the delays so far, by kind of action, as the distributions of those to come.

    What was early counts as in time. Kinds of which nothing has happened yet slip as usual.
    """
    found: dict[Action, list[tuple[int, float]]] = {}
    for row in rows:
        if NEVER not in (row.planned, row.actual) and row.action.action in MAY_SLIP:
            days = range(row.planned + 1, row.actual + 1)
            late = sum(plan.fleet.calendar.is_working(day) for day in days)
            found.setdefault(row.action.action, []).append((min(late, LONGEST), 1.0))
    fitted = tuple(Slip(action=kind, delay=Delay.table(found[kind])) for kind in sorted(found))
    return (*fitted, Slip(delay=USUAL))
