from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from planner.domain.calendar import Capacity, Freeze, Window
from planner.domain.errors import Fault
from planner.inventory.settings import Settings, read_settings
from tests.builders import day

HORIZON = 'name = "Fleet"\nstart = 2027-01-04\nend = 2028-01-03\n'


def read(text: str | bytes) -> tuple[Settings | None, list[str]]:
    faults: list[Fault] = []
    settings = read_settings(text if isinstance(text, bytes) else text.encode(), faults)
    return settings, [str(fault) for fault in faults]


def test_defaults_are_filled_in() -> None:
    settings, faults = read(HORIZON)
    assert faults == []
    assert settings is not None
    assert (settings.name, settings.start, settings.end) == (
        "Fleet",
        day("2027-01-04"),
        day("2028-01-03"),
    )
    assert not settings.automatic_distribution
    assert settings.calendar.working_days == frozenset(range(5))
    assert settings.calendar.lead_days == 5
    assert settings.calendar.holidays == frozenset()
    assert settings.capacity == Capacity()


@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_everything_is_read_with_any_line_ends(line_end: str, mark: str) -> None:
    text = (
        HORIZON
        + """
        [policy]
        lead_days = 0
        automatic_distribution = true
        [calendar]
        working_days = ["Sunday", "mon", "Thurs"]
        holidays = [2027-05-06, "2027-05-17"]
        [[calendar.freeze]]
        name = "Quarter"
        start = 2027-03-24
        end = "2027-04-05"
        [[calendar.window]]
        site = " quay "
        days = ["TUE"]
        [capacity]
        clients_per_week = 16
        servers_per_week = 1
        imports_per_week = 60
        """
    )
    settings, faults = read(mark + text.replace("\n", line_end))
    assert faults == []
    assert settings is not None
    assert settings.automatic_distribution
    assert settings.calendar.lead_days == 0
    assert settings.calendar.working_days == {0, 3, 6}
    assert settings.calendar.holidays == {day("2027-05-06"), day("2027-05-17")}
    assert settings.calendar.freezes == (
        Freeze(name="Quarter", start=day("2027-03-24"), end=day("2027-04-05")),
    )
    assert settings.calendar.windows == (Window(site="quay", weekdays=frozenset({1})),)
    assert settings.capacity == Capacity(
        clients_per_week=16, servers_per_week=1, imports_per_week=60
    )


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (
            "[policy]\nlead_day = 3",
            "5: unknown key 'policy.lead_day'; did you mean 'policy.lead_days'?",
        ),
        ("[politics]\nx = 1", "4: unknown key 'politics'; "),
        (
            "[policy]\nlead_days = -1",
            "5: lead_days '-1' is no such number; write a whole number from 0 to 1000",
        ),
        ("[policy]\nlead_days = 1001", "5: lead_days '1001' is no such number"),
        ("[policy]\nlead_days = true", "5: lead_days 'True' is no such number"),
        ("[policy]\nlead_days = 2.5", "5: lead_days '2.5' is no such number"),
        (
            "[policy]\nautomatic_distribution = 'no'",
            "5: automatic_distribution 'no' is neither true nor false; write it as "
            "automatic_distribution = false",
        ),
        (f"[calendar]\nholidays = [0x{'f' * 5000}]", "5: holidays 'a number of very many digits'"),
        ("policy = 3", "4: policy is no table; write it as [policy]"),
        (
            "[capacity]\nservers_per_week = 0",
            "5: servers_per_week '0' is no such number; write a whole number from 1 to 1000000",
        ),
        (
            f"[capacity]\nservers_per_week = 0x{'f' * 5000}",
            "5: servers_per_week 'a number of very many digits' is no such number",
        ),
        (
            "[calendar]\nholidays = 2027-05-06",
            "5: holidays is no list; write it as holidays = [...]",
        ),
        (
            "[calendar]\n\nholidays = [\n'6.5.2027']",
            "6: holidays '6.5.2027' is not a date; write it as 2027-05-06",
        ),
        (
            "[calendar]\nholidays = [2027-05-06T00:00:00]",
            "5: holidays '2027-05-06 00:00:00' is not a date; write it as 2027-05-06",
        ),
        ("[calendar]\nholidays = [12:00:00]", "5: holidays '12:00:00' is not a date"),
        (
            "[calendar]\nworking_days = ['Mon', 'Monkey']",
            "5: working_days 'Monkey' is no weekday; use Mon, Tue, Wed, Thu, Fri, Sat, Sun",
        ),
        (
            "[calendar]\nworking_days = []",
            '5: working_days names no weekday; write it as working_days = ["Mon", "Tue"]',
        ),
        ("[calendar]\nfreeze = 3", "5: freeze is no list"),
        (
            "[calendar]\nfreeze = [3]",
            "5: calendar.freeze is no list of tables; write [[calendar.freeze]]",
        ),
        (
            "[[calendar.freeze]]\nstart = 2027-02-01\nend = "
            "2027-02-02\n[[calendar.freeze]]\nstart = 2027-03-02\nend = 2027-03-02",
            "9: end 2027-03-02 of the freeze is not within a century after 2027-03-02; end is the "
            "first day after the freeze",
        ),
        ("[[calendar.freeze]]\nstart = 2027-03-02", "4: end is missing; add end = 2027-01-31"),
        (
            "[[calendar.freeze]]\nstart = 2027-03-02\nend = 2027-03-03\nuntil = 3",
            "7: unknown key 'until' in calendar.freeze; use name, start, end",
        ),
        (
            "[[calendar.window]]\ndays = ['Mon']",
            '4: site is missing; add site = "..." to the window',
        ),
        (
            "[[calendar.window]]\nsite = 'A'\ndays = ['Mon']\n[[calendar.window]]\nsite = "
            "'a'\ndays = ['Mon']",
            "8: site 'a' has a window already; write one window for each site",
        ),
        ("[[calendar.window]]\nsite = 'A'", "4: days names no weekday"),
        ("calendar = {window = [{site = 'A', days = 'Mon'}]}", "4: days is no list"),
        (
            "start = 2027-01-05",
            "4: 'start = 2027-01-05' is no TOML (Cannot overwrite a value); correct that line",
        ),
        (
            "x = 2027-02-30",
            "4: 'x = 2027-02-30' is no TOML (Invalid date or datetime); correct that line",
        ),
        ("x = '", '4: "x = \'" is no TOML (Expected "\'"); correct that line'),
        ("x = '''\n\n", "6: the line is no TOML (Expected \"'''\"); correct that line"),
        (
            f"\nx = {'9' * 5000}",
            "5: 'x = 99999999999999999999999999999999999999999999999999999999...' is no TOML "
            "(Exceeds the limit (4300 digits) for integer string "
            "conversion: value has 5000 digits); correct that line",
        ),
        (
            f"\n\nx = {'[' * 5000}",
            "6: 'x = [[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[...' is no TOML "
            "(maximum recursion depth exceeded",
        ),
    ],
)
def test_a_fault_names_its_line_its_value_and_its_cure(text: str, fault: str) -> None:
    settings, faults = read(HORIZON + text)
    assert settings is None
    assert faults[0].startswith(f"fleet.toml:{fault}")


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("", "fleet.toml: start is missing; add start = 2027-01-31"),
        (
            HORIZON.replace('"Fleet"', "3"),
            "fleet.toml:1: name '3' is no name; write it as name = \"Our fleet\"",
        ),
        (
            HORIZON.replace("end = 2028-01-03", ""),
            "fleet.toml: end is missing; add end = 2027-01-31",
        ),
        (
            HORIZON.replace("2028-01-03", "2027-01-04"),
            "fleet.toml:3: end 2027-01-04 is not after start 2027-01-04; end is the first day "
            "after the horizon",
        ),
        (
            HORIZON.replace("2028-01-03", "2128-01-03"),
            "fleet.toml:3: end 2128-01-03 is more than a century after start 2027-01-04; plan a "
            "shorter time",
        ),
        (
            HORIZON.replace("2027-01-04", "0001-01-04"),
            "fleet.toml:2: start 0001-01-04 is out of reach; name a day from 1900 to 2999",
        ),
        (
            HORIZON.replace("2028-01-03", "9999-12-31"),
            "fleet.toml:3: end 9999-12-31 is out of reach; name a day from 1900 to 2999",
        ),
        (
            HORIZON.replace("2027-01-04", "'2027-02-30'"),
            "fleet.toml:2: start '2027-02-30' is not a date; write it as 2027-02-28",
        ),
        (
            HORIZON.encode() + b"x = '\xff'",
            "fleet.toml:4: the line is no UTF-8 (byte 0xff); save the file as UTF-8",
        ),
    ],
)
def test_a_faulty_name_or_horizon_is_a_fault(text: str | bytes, fault: str) -> None:
    settings, faults = read(text)
    assert settings is None
    assert fault in faults


def test_all_faults_are_told_at_once() -> None:
    _, faults = read(
        "name = 3\nstart = 'x'\nend = 3\n[policy]\nlead_days = 'a'\n[capacity]\nz = 1\n"
    )
    assert len(faults) == 5


TOML_SIGNS = st.text("=[]{}\"'\n.#-+ 019:TZaxeno_\\,", max_size=60)


@given(st.one_of(st.binary(max_size=80), TOML_SIGNS.map(lambda text: (HORIZON + text).encode())))
def test_any_bytes_are_read_or_faulty_but_never_crash(content: bytes) -> None:
    settings, faults = read(content)
    assert (settings is None) == bool(faults)
    assert all(fault.startswith("fleet.toml") and "; " in fault for fault in faults)
