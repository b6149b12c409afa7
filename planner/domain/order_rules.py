"""Order rules: what must come before what, together, or by a date, when a fleet is upgraded."""

from dataclasses import dataclass
from enum import StrEnum

from planner.domain.calendar import NEVER


class RuleKind(StrEnum):
    """What an order rule asks; the values stand in rules.csv."""

    BEFORE = "before"
    TOGETHER = "together"
    EARLIEST = "earliest"
    LATEST = "latest"
    FIXED = "fixed"
    PILOT = "pilot"


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderRule:
    """One row of rules.csv, or one rule that follows from a session.

    Parameters
    ----------
    first, then
        Endpoints; `then` is -1 where the rule is about `first` alone.
    day
        The date of `earliest`, `latest` and `fixed`; `NEVER` for the others.
    days
        Of `before` and `pilot`: least number of days in between. Of `together`: the most.
    hard
        Whether an order without it is wrong; a soft rule gives way where there is no room for it.
    reason
        What it follows from, in words; empty for a row of rules.csv.
    """

    kind: RuleKind
    first: int
    then: int = -1
    day: int = NEVER
    days: int = 0
    hard: bool = True
    reason: str = ""
    file: str = "rules.csv"
    line: int = 0
