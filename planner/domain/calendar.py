"""Working days, holidays, freezes, windows and weekly capacity of a site.

A day is a whole number of days since 1970-01-01; every interval is half-open `[start, end)`.
"""

import datetime
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

Days = NDArray[np.int32]

NEVER: Final = 2**31 - 1
"""The one far date that stands for "never"; an empty cell outside."""
ALWAYS: Final = -(2**31)
"""The one early date that stands for "always has been"; an empty cell outside."""
WEEKDAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")

_EPOCH: Final = datetime.date(1970, 1, 1)
_EPOCH_WEEKDAY: Final = _EPOCH.weekday()


def to_day(date: datetime.date) -> int:
    """Day number of a date."""
    return (date - _EPOCH).days


def to_date(day: int) -> datetime.date:
    """Date of a day number that is neither `NEVER` nor `ALWAYS`."""
    return _EPOCH + datetime.timedelta(days=int(day))


def iso(day: int) -> str:
    """ISO text of a day; empty for `NEVER` and `ALWAYS`."""
    return "" if day in (NEVER, ALWAYS) else to_date(day).isoformat()


def monday_of(day: int) -> int:
    """Monday of the ISO week that a day lies in."""
    return int(day) - (int(day) + _EPOCH_WEEKDAY) % 7


def mondays_of(days: Days) -> Days:
    """Monday of the ISO week that each day lies in."""
    return (days - (days + _EPOCH_WEEKDAY) % 7).astype(np.int32)


@dataclass(frozen=True, slots=True, kw_only=True)
class Freeze:
    """A named interval `[start, end)` in which nothing may be changed."""

    name: str
    start: int
    end: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """Weekdays (0 = Monday) on which the endpoints of a site may be upgraded."""

    site: str
    weekdays: frozenset[int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Capacity:
    """Most actions of one kind in an ISO week, whole fleet; None is unlimited."""

    clients_per_week: int | None = None
    servers_per_week: int | None = None
    imports_per_week: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Calendar:
    """When work may be done, and how many working days of lead an import needs."""

    working_days: frozenset[int] = frozenset(range(5))
    holidays: frozenset[int] = frozenset()
    freezes: tuple[Freeze, ...] = ()
    windows: tuple[Window, ...] = ()
    lead_days: int = 5

    def __post_init__(self) -> None:
        if not self.working_days:
            raise ValueError("a calendar needs at least one working day")

    def is_working(self, day: int) -> bool:
        """Whether the weekday is listed and the day is no holiday; freezes do not count."""
        return (day + _EPOCH_WEEKDAY) % 7 in self.working_days and day not in self.holidays

    def freeze_on(self, day: int) -> Freeze | None:
        """Return the first freeze that covers a day."""
        return next((f for f in self.freezes if f.start <= day < f.end), None)

    def is_open(self, day: int) -> bool:
        """Whether imports and option changes may be made: a working day outside freezes."""
        return self.is_working(day) and self.freeze_on(day) is None

    def window_of(self, site: str) -> Window | None:
        """Return the upgrade window of a site, by name in any letter case."""
        folded = site.casefold()
        return next((w for w in self.windows if w.site.casefold() == folded), None)

    def is_in_window(self, day: int, site: str) -> bool:
        """Whether endpoints of a site may be upgraded on a day, freezes aside."""
        window = self.window_of(site)
        return window is None or (day + _EPOCH_WEEKDAY) % 7 in window.weekdays

    def last_open(self, day: int) -> int:
        """Last open day on or before a day; it may lie before the plan."""
        while not self.is_open(day):
            day -= 1
        return day

    def latest_safe(self, needed: int) -> int:
        """Last day on which an import for `needed` leaves the lead: `semantics.md` section 6.

        The last working day `d <= needed` outside freezes for which `[d, needed)` holds at least
        `lead_days` working days (freeze days count as working days); it may lie before the plan.

        Examples
        --------
        >>> saturday = to_day(datetime.date(2027, 6, 12))
        >>> iso(Calendar(lead_days=5).latest_safe(saturday))
        '2027-06-07'
        """
        day, lead = needed, 0
        while lead < self.lead_days or not self.is_open(day):
            day -= 1
            lead += self.is_working(day)
        return day

    def latest_safe_days(self, first: int, last: int) -> Days:
        """`latest_safe` of every day in `[first, last)`, all at once."""
        if first >= last:
            return np.zeros(0, dtype=np.int32)
        begin = min(self.latest_safe(first), first)
        days = np.arange(begin, last, dtype=np.int32)
        weekday = (days + _EPOCH_WEEKDAY) % 7
        is_working = np.isin(weekday, list(self.working_days))
        is_working &= ~np.isin(days, list(self.holidays))
        is_open = is_working.copy()
        for freeze in self.freezes:
            is_open &= (days < freeze.start) | (days >= freeze.end)
        n_before = np.cumsum(is_working, dtype=np.int32) - is_working
        opens, n_before_open = days[is_open], n_before[is_open]
        needed = slice(first - begin, None)
        # Open days are working days, so both columns ascend.
        leaves_lead = np.searchsorted(n_before_open, n_before[needed] - self.lead_days, "right")
        is_reached = np.searchsorted(opens, days[needed], "right")
        latest: Days = opens[np.minimum(leaves_lead, is_reached) - 1]
        return latest
