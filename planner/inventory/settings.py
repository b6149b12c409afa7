"""fleet.toml: the horizon, the policy, the calendar and the capacities of a fleet."""

import datetime
import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from planner.domain.calendar import WEEKDAYS, Calendar, Capacity, Freeze, Window, iso, to_day
from planner.domain.errors import Fault
from planner.inventory.cells import CellError, parse_day
from planner.inventory.hints import did_you_mean, quoted
from planner.inventory.schema import SETTINGS_FILE, TOML_ENTRY_KEYS, TOML_KEYS

LARGEST_SETTINGS: Final = 1 << 20
"""Largest fleet.toml that is read [bytes]."""
LONGEST_SETTING: Final = 8_192
"""Longest line of fleet.toml [characters]: a key of many dots takes long to parse."""
LONGEST_HORIZON: Final = 36_600
"""Longest horizon, and longest freeze [days]."""
EARLIEST_DAY: Final = to_day(datetime.date(1900, 1, 1))
LATEST_DAY: Final = to_day(datetime.date(3000, 1, 1))
"""Dates of fleet.toml lie in `[EARLIEST_DAY, LATEST_DAY)`: every day reckoned from them is one."""
LONGEST_LEAD: Final = 1_000
"""Longest lead [working days]."""

_WEEKDAYS: Final = {
    name: number
    for number, day in enumerate(
        ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
    )
    for name in (day[:length] for length in range(3, len(day) + 1))
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What fleet.toml says."""

    name: str
    start: int
    end: int
    automatic_distribution: bool
    calendar: Calendar
    capacity: Capacity


def read_settings(content: bytes, faults: list[Fault]) -> Settings | None:
    """Read fleet.toml; every fault is collected, and None returned where there is one."""
    document = _parsed(content, faults)
    if document is None:
        return None
    n_before = len(faults)
    settings = _Reader(content.decode("utf-8-sig"), faults).settings(document)
    return settings if len(faults) == n_before else None


def _parsed(content: bytes, faults: list[Fault]) -> Mapping[str, object] | None:
    """Return the TOML document; a fault and None where it is none."""

    def fault(line: int, what: str, cure: str) -> None:
        faults.append(Fault(file=SETTINGS_FILE, line=line, what=what, cure=cure))

    try:
        text = _with_line_feeds(content.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        byte = content[error.start]
        fault(line, f"the line is no UTF-8 (byte 0x{byte:02x})", "save the file as UTF-8")
        return None
    lines = text.split("\n")
    for number, line_text in enumerate(lines, 1):
        if len(line_text) > LONGEST_SETTING:
            what = f"the line is longer than {LONGEST_SETTING:,} characters"
            fault(number, what, "write a list on several lines")
            return None
    try:
        return tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # ValueError: also a number of 5,000 digits
        at = re.search(r"line (\d+)", str(error))
        # A number too long, or brackets nested too deeply, stand in the longest line.
        longest = max(range(len(lines)), key=lambda number: len(lines[number])) + 1
        line = int(at[1]) if at else len(lines) if "end of document" in str(error) else longest
        reason = re.sub(r" \(at .*\)", "", str(error).partition(";")[0]) or type(error).__name__
        wrong = lines[line - 1].strip()
        shown = quoted(wrong) if wrong else "the line"
        fault(line, f"{shown} is no TOML ({reason})", "correct that line")
        return None


def _with_line_feeds(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _lines_of_keys(text: str) -> dict[str, int]:
    """Line of each key: `start`, `policy.lead_days`, `calendar.freeze.2.end`."""
    lines: dict[str, int] = {}
    counts: dict[str, int] = {}
    table = ""
    for line, content in enumerate(_with_line_feeds(text).split("\n"), 1):
        if heading := re.match(r"\s*(\[\[?)\s*([\w.\"' -]+?)\s*\]", content):
            table = re.sub(r"[\"' ]", "", heading[2])
            lines.setdefault(table, line)
            if heading[1] == "[[":
                counts[table] = counts.get(table, 0) + 1
                table = f"{table}.{counts[table]}"
                lines[table] = line
        elif key := re.match(r"\s*([\w.\"'-]+)\s*=", content):
            name = re.sub(r"[\"']", "", key[1])
            lines.setdefault(f"{table}.{name}" if table else name, line)
    return lines


class _Reader:
    """Reads values of a TOML document and names the line of a faulty one.

    A `path` says where a value stands: its tables and its key, joined by dots.
    """

    def __init__(self, text: str, faults: list[Fault]) -> None:
        self._lines = _lines_of_keys(text)
        self._faults = faults

    def settings(self, document: Mapping[str, object]) -> Settings:
        """Read everything; a value that is wrong is replaced by its default."""
        self._check_keys(document)
        policy = self._table(document, "policy")
        calendar = self._table(document, "calendar")
        capacity = self._table(document, "capacity")
        start, end = self._horizon(document)
        lead = self._count(policy, "policy.lead_days", least=0, most=LONGEST_LEAD)
        return Settings(
            name=self._name(document),
            start=start,
            end=end,
            automatic_distribution=self._flag(policy, "policy.automatic_distribution"),
            calendar=Calendar(
                working_days=self._weekdays(calendar, "calendar.working_days")
                if "working_days" in calendar
                else frozenset(range(5)),
                holidays=frozenset(self._days(calendar, "calendar.holidays")),
                freezes=tuple(self._freezes(calendar)),
                windows=tuple(self._windows(calendar)),
                lead_days=5 if lead is None else lead,
            ),
            capacity=Capacity(
                clients_per_week=self._count(capacity, "capacity.clients_per_week"),
                servers_per_week=self._count(capacity, "capacity.servers_per_week"),
                imports_per_week=self._count(capacity, "capacity.imports_per_week"),
            ),
        )

    def _fault(self, path: str, what: str, cure: str) -> None:
        line, at = None, path
        while at and line is None:  # a key that is missing: where its table begins
            line = self._lines.get(at)
            at = at.rpartition(".")[0]
        self._faults.append(Fault(file=SETTINGS_FILE, line=line, what=what, cure=cure))

    def _check_keys(self, document: Mapping[str, object]) -> None:
        tables = {key.partition(".")[0] for key in TOML_KEYS if "." in key}
        for key, value in document.items():
            if key in tables:
                inner = value if isinstance(value, dict) else {}
                self._check_known(key, inner, TOML_KEYS)
            else:
                self._check_known("", {key: value}, TOML_KEYS)

    def _check_known(self, path: str, table: Iterable[str], known: Iterable[str]) -> None:
        for key in table:
            name = f"{path}.{key}" if path else key
            if name not in known:
                cure = did_you_mean(name, known, f"use {', '.join(known)}")
                self._fault(name, f"unknown key {quoted(name)}", cure)

    def _table(self, document: Mapping[str, object], key: str) -> Mapping[str, object]:
        table = document.get(key, {})
        if isinstance(table, dict):
            return table
        self._fault(key, f"{key} is no table", f"write it as [{key}]")
        return {}

    def _horizon(self, document: Mapping[str, object]) -> tuple[int, int]:
        start = self._required_day(document, "start")
        end = self._required_day(document, "end")
        if start is None or end is None:
            return 0, 1
        if end <= start:
            what = f"end {iso(end)} is not after start {iso(start)}"
            self._fault("end", what, "end is the first day after the horizon")
        elif end > start + LONGEST_HORIZON:
            what = f"end {iso(end)} is more than a century after start {iso(start)}"
            self._fault("end", what, "plan a shorter time")
        return start, end

    def _name(self, document: Mapping[str, object]) -> str:
        name = document.get("name", "")
        if isinstance(name, str):
            return name.strip()
        what = f"name {quoted(_text(name))} is no name"
        self._fault("name", what, 'write it as name = "Our fleet"')
        return ""

    def _required_day(
        self, table: Mapping[str, object], key: str, path: str | None = None
    ) -> int | None:
        path = path or key
        if key not in table:
            self._fault(path, f"{key} is missing", f"add {key} = 2027-01-31")
            return None
        return self._day(path, table[key])

    def _day(self, path: str, value: object) -> int | None:
        key = path.rpartition(".")[2]
        if isinstance(value, datetime.date) and not isinstance(value, datetime.datetime):
            day = to_day(value)
        else:
            try:
                day = parse_day(_text(value))
            except CellError as error:
                self._fault(path, f"{key} {quoted(_text(value))} {error.what}", error.cure)
                return None
        if EARLIEST_DAY <= day < LATEST_DAY:
            return day
        self._fault(path, f"{key} {iso(day)} is out of reach", "name a day from 1900 to 2999")
        return None

    def _list(self, table: Mapping[str, object], path: str) -> list[object]:
        key = path.rpartition(".")[2]
        value = table.get(key, [])
        if isinstance(value, list):
            return value
        self._fault(path, f"{key} is no list", f"write it as {key} = [...]")
        return []

    def _days(self, table: Mapping[str, object], path: str) -> list[int]:
        days = (self._day(path, value) for value in self._list(table, path))
        return [day for day in days if day is not None]

    def _flag(self, table: Mapping[str, object], path: str) -> bool:
        key = path.rpartition(".")[2]
        value = table.get(key, False)
        if isinstance(value, bool):
            return value
        what = f"{key} {quoted(_text(value))} is neither true nor false"
        self._fault(path, what, f"write it as {key} = false")
        return False

    def _count(
        self, table: Mapping[str, object], path: str, *, least: int = 1, most: int = 1_000_000
    ) -> int | None:
        key = path.rpartition(".")[2]
        value = table.get(key)
        if value is None:
            return None
        if isinstance(value, int) and not isinstance(value, bool) and least <= value <= most:
            return value
        what = f"{key} {quoted(_text(value))} is no such number"
        self._fault(path, what, f"write a whole number from {least} to {most}")
        return None

    def _weekdays(self, table: Mapping[str, object], path: str) -> frozenset[int]:
        key = path.rpartition(".")[2]
        days = set()
        for value in self._list(table, path):
            number = _WEEKDAYS.get(_text(value).strip().casefold())
            if number is None:
                cure = f"use {', '.join(WEEKDAYS)}"
                self._fault(path, f"{key} {quoted(_text(value))} is no weekday", cure)
            else:
                days.add(number)
        if not days:
            self._fault(path, f"{key} names no weekday", f'write it as {key} = ["Mon", "Tue"]')
            return frozenset(range(7))
        return frozenset(days)

    def _entries(
        self, table: Mapping[str, object], path: str
    ) -> Iterable[tuple[str, Mapping[str, object]]]:
        for number, entry in enumerate(self._list(table, path), 1):
            if isinstance(entry, dict):
                self._check_known_entry(path, number, entry)
                yield f"{path}.{number}", entry
            else:
                self._fault(path, f"{path} is no list of tables", f"write [[{path}]]")

    def _check_known_entry(self, path: str, number: int, entry: Mapping[str, object]) -> None:
        known = TOML_ENTRY_KEYS[path]
        for key in entry:
            if key not in known:
                cure = did_you_mean(key, known, f"use {', '.join(known)}")
                self._fault(f"{path}.{number}.{key}", f"unknown key {quoted(key)} in {path}", cure)

    def _freezes(self, calendar: Mapping[str, object]) -> Iterable[Freeze]:
        for path, entry in self._entries(calendar, "calendar.freeze"):
            start = self._required_day(entry, "start", f"{path}.start")
            end = self._required_day(entry, "end", f"{path}.end")
            if start is None or end is None:
                continue
            if not start < end <= start + LONGEST_HORIZON:
                what = f"end {iso(end)} of the freeze is not within a century after {iso(start)}"
                self._fault(f"{path}.end", what, "end is the first day after the freeze")
                continue
            yield Freeze(name=_text(entry.get("name", "")).strip(), start=start, end=end)

    def _windows(self, calendar: Mapping[str, object]) -> Iterable[Window]:
        seen = set()
        for path, entry in self._entries(calendar, "calendar.window"):
            site = _text(entry.get("site", "")).strip()
            weekdays = self._weekdays(entry, f"{path}.days")
            if not site:
                self._fault(f"{path}.site", "site is missing", 'add site = "..." to the window')
            elif site.casefold() in seen:
                what = f"site {quoted(site)} has a window already"
                self._fault(f"{path}.site", what, "write one window for each site")
            else:
                yield Window(site=site, weekdays=weekdays)
            seen.add(site.casefold())


def _text(value: object) -> str:
    """Text of a value; a number of thousands of digits has none."""
    try:
        return str(value)
    except ValueError:
        return "a number of very many digits"
