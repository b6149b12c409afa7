"""Actions as a calendar file (iCalendar, RFC 5545), for the calendars people already use."""

import datetime
import uuid
from collections import Counter
from collections.abc import Iterable
from typing import Final

import pandas as pd
from icalendar import Calendar, Event

from planner.domain.calendar import to_date
from planner.domain.version import PROGRAM, VERSION
from planner.reporting.schedule import ABOUT

_NAMESPACE: Final = uuid.UUID("6f1f1a52-2c0e-5f0e-9d5c-2b7f0c3a9e11")
_WHAT: Final = ("action", *ABOUT)
"""Columns of schedule.csv that say what is done; the day is not among them."""


def ics(schedule: pd.DataFrame, *, fleet: str, today: int) -> bytes:
    """Return rows of schedule.csv as a calendar: one event of a whole day for each action.

    An action keeps its event's identity when it moves to another day, so that a calendar that
    reads the file again moves the event.

    Parameters
    ----------
    fleet
        Name of the fleet: actions of different fleets are different events.
    today
        The day on which the file was made.
    """
    calendar = Calendar()
    calendar.add("prodid", f"-//{PROGRAM}//{VERSION}//EN")
    calendar.add("version", "2.0")
    calendar.add("x-wr-calname", f"Session security: {fleet}")
    stamp = datetime.datetime.combine(to_date(today), datetime.time(), datetime.UTC)
    seen: Counter[str] = Counter()
    # One event for each action: a step of plain Python.
    for row in schedule[["date", *_WHAT, "command"]].to_dict("records"):
        what = "\n".join([fleet, *(row[column] for column in _WHAT)]).casefold()
        seen[what] += 1
        day = datetime.date.fromisoformat(row["date"])
        event = Event()
        event.add("uid", f"{uuid.uuid5(_NAMESPACE, f'{what} {seen[what]}')}@session-security")
        event.add("dtstamp", stamp)
        event.add("dtstart", day)
        event.add("dtend", day + datetime.timedelta(days=1))
        event.add("summary", _summary(row[column] for column in _WHAT))
        if row["command"]:
            event.add("description", row["command"])
        event.add("transp", "TRANSPARENT")
        calendar.add_component(event)
    return bytes(calendar.to_ical())


def _summary(cells: Iterable[str]) -> str:
    return " ".join(cell for cell in cells if cell)
