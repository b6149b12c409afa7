from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from planner.domain.calendar import (
    ALWAYS,
    NEVER,
    WEEKDAYS,
    Calendar,
    Capacity,
    Freeze,
    Window,
    iso,
    monday_of,
    mondays_of,
    to_date,
    to_day,
)
from tests.builders import day

DATES = st.dates(date(1960, 1, 1), date(2100, 1, 1))


def freeze(start: str, end: str) -> Freeze:
    return Freeze(name="freeze", start=day(start), end=day(end))


@given(st.dates())
def test_dates_and_days_turn_into_each_other(value: date) -> None:
    assert to_date(to_day(value)) == value
    assert iso(to_day(value)) == value.isoformat()
    assert np.int32(to_day(value)) == to_day(value)


def test_never_and_always_are_empty_and_no_dates() -> None:
    assert iso(NEVER) == iso(ALWAYS) == ""
    limits = np.iinfo(np.int32)
    assert (limits.min, limits.max) == (ALWAYS, NEVER)


@given(DATES)
def test_the_monday_of_a_day_begins_its_iso_week(value: date) -> None:
    monday = to_date(monday_of(to_day(value)))
    assert monday.weekday() == 0
    assert monday.isocalendar()[:2] == value.isocalendar()[:2]
    days = np.array([to_day(value)], dtype=np.int32)
    assert mondays_of(days).tolist() == [to_day(monday)]
    assert mondays_of(days).dtype == np.int32


@given(DATES, st.sets(st.integers(0, 6), min_size=1), st.booleans())
def test_a_working_day_is_a_listed_weekday_and_no_holiday(
    value: date, weekdays: set[int], is_holiday: bool
) -> None:
    holidays = frozenset({to_day(value)} if is_holiday else ())
    calendar = Calendar(working_days=frozenset(weekdays), holidays=holidays)
    expected = value.weekday() in weekdays and not is_holiday
    assert calendar.is_working(to_day(value)) == calendar.is_open(to_day(value)) == expected


def test_a_freeze_holds_from_its_start_up_to_the_day_before_its_end() -> None:
    calendar = Calendar(freezes=(freeze("2027-06-28", "2027-07-05"),))
    frozen = [calendar.freeze_on(day(text)) is not None for text in ("2027-06-25", "2027-06-28")]
    assert frozen == [False, True]
    assert calendar.freeze_on(day("2027-07-04")) is calendar.freezes[0]
    assert calendar.freeze_on(day("2027-07-05")) is None
    assert calendar.is_working(day("2027-06-28"))
    assert not calendar.is_open(day("2027-06-28"))


def test_a_window_restricts_the_upgrades_of_its_site_alone() -> None:
    calendar = Calendar(windows=(Window(site="Quay", weekdays=frozenset({1})),))
    monday, tuesday = day("2027-06-07"), day("2027-06-08")
    assert calendar.is_in_window(tuesday, "QUAY")
    assert not calendar.is_in_window(monday, "quay")
    assert calendar.is_in_window(monday, "yard")
    assert calendar.is_in_window(monday, "")
    assert calendar.window_of("yard") is None


@pytest.mark.parametrize(
    ("needed", "latest"),
    [
        ("2027-06-12", "2027-06-07"),  # Saturday, Sunday, Monday: the Monday before that weekend
        ("2027-06-13", "2027-06-07"),
        ("2027-06-14", "2027-06-07"),
        ("2027-06-15", "2027-06-08"),
        ("2027-06-11", "2027-06-04"),
    ],
)
def test_the_latest_safe_day_leaves_five_working_days(needed: str, latest: str) -> None:
    assert iso(Calendar().latest_safe(day(needed))) == latest


def test_without_lead_the_latest_safe_day_is_the_last_open_one() -> None:
    calendar = Calendar(lead_days=0, holidays=frozenset({day("2027-06-11")}))
    assert iso(calendar.latest_safe(day("2027-06-10"))) == "2027-06-10"
    assert iso(calendar.latest_safe(day("2027-06-13"))) == "2027-06-10"


def test_freeze_days_count_as_working_days_of_the_lead_but_are_not_safe() -> None:
    calendar = Calendar(lead_days=2, freezes=(freeze("2027-06-07", "2027-06-12"),))
    assert iso(calendar.latest_safe(day("2027-06-14"))) == "2027-06-04"
    later = Calendar(lead_days=2, freezes=(freeze("2027-06-10", "2027-06-12"),))
    assert iso(later.latest_safe(day("2027-06-14"))) == "2027-06-09"


@given(
    DATES,
    st.integers(0, 7),
    st.sets(st.integers(0, 6), min_size=1),
    st.sets(st.integers(-30, 5), max_size=6),
    st.lists(st.tuples(st.integers(-25, 5), st.integers(1, 9)), max_size=2),
)
def test_the_latest_safe_day_is_what_the_definition_says(
    value: date,
    lead: int,
    weekdays: set[int],
    holidays: set[int],
    freezes: list[tuple[int, int]],
) -> None:
    needed = to_day(value)
    calendar = Calendar(
        lead_days=lead,
        working_days=frozenset(weekdays),
        holidays=frozenset(needed + offset for offset in holidays),
        freezes=tuple(
            Freeze(name="", start=needed + start, end=needed + start + length)
            for start, length in freezes
        ),
    )

    def is_safe(candidate: int) -> bool:
        working = sum(
            (value - timedelta(days=back)).weekday() in weekdays and -back not in holidays
            for back in range(1, needed - candidate + 1)
        )
        return (
            to_date(candidate).weekday() in weekdays
            and candidate - needed not in holidays
            and not any(s <= candidate - needed < s + length for s, length in freezes)
            and working >= lead
        )

    expected = next(d for d in range(needed, needed - 400, -1) if is_safe(d))
    assert calendar.latest_safe(needed) == expected
    for first, end in ((needed, needed + 1), (needed - 30, needed + 15)):
        days = calendar.latest_safe_days(first, end)
        assert days.dtype == np.int32
        assert days.tolist() == [calendar.latest_safe(each) for each in range(first, end)]


def test_an_empty_span_has_no_latest_safe_days() -> None:
    assert Calendar().latest_safe_days(20_000, 20_000).tolist() == []


def test_a_calendar_without_working_day_is_an_error() -> None:
    with pytest.raises(ValueError, match=r"^a calendar needs at least one working day$"):
        Calendar(working_days=frozenset())


def test_weekdays_begin_on_monday_and_capacity_is_unlimited_by_default() -> None:
    assert WEEKDAYS[to_date(0).weekday()] == "Thu"
    assert Capacity() == Capacity(
        clients_per_week=None, servers_per_week=None, imports_per_week=None
    )


def test_the_names_of_weekdays_are_those_of_fleet_toml() -> None:
    assert WEEKDAYS == ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
