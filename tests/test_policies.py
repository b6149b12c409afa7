"""The same plan under another policy."""

from dataclasses import replace

import numpy as np
import pytest

from planner.domain.calendar import Days, iso
from planner.domain.plan import Action, Plan
from planner.domain.rules import Verdict
from planner.engine.deadlines import deadlines
from planner.engine.measures import measures
from planner.engine.policies import imports_earlier, replanned, under_policy
from planner.engine.timeline import simulate
from tests.golden.tables import eight_cases, harbour


def test_the_fleets_own_policy_changes_nothing() -> None:
    plan = eight_cases().plan
    same = under_policy(plan)
    assert [*same.rows()] == [*plan.rows()]
    assert same.fleet.calendar == plan.fleet.calendar
    assert same.fleet.capacity == plan.fleet.capacity


def test_a_longer_lead_makes_imports_tight_and_planning_anew_makes_them_safe() -> None:
    plan = under_policy(harbour().plan, lead_days=10)
    found = deadlines(simulate(plan))
    assert found.count(Verdict.TIGHT) > 100
    again = deadlines(simulate(replanned(plan)))
    assert again.count(Verdict.TIGHT) == 0
    assert again.count(Verdict.OK) == harbour().deadlines.count(Verdict.OK)


def test_what_is_needed_does_not_depend_on_the_policy() -> None:
    plan = harbour().plan
    other = under_policy(plan, lead_days=0, working_days=range(7), freezes=False)
    found = deadlines(simulate(other))
    assert np.array_equal(found.needed, harbour().deadlines.needed)
    assert np.array_equal(found.latest_safe, found.needed)  # no lead, and every day is open


def test_working_days_move_the_latest_safe_day() -> None:
    found = deadlines(simulate(under_policy(eight_cases().plan, working_days=[0], lead_days=1)))
    assert {(day + 3) % 7 for day in found.latest_safe.tolist()} == {0}, iso(found.latest_safe[0])


def test_a_capacity_of_0_is_unlimited_and_a_small_one_spreads_the_imports() -> None:
    plan = harbour().plan
    free = replanned(under_policy(plan, imports_per_week=0))
    few = replanned(under_policy(plan, imports_per_week=30))
    assert free.fleet.capacity.imports_per_week is None
    assert measures(deadlines(simulate(free))).peak_imports_per_week > 60
    assert measures(deadlines(simulate(few))).peak_imports_per_week == 30


def actions_of(plan: Plan, day: Days) -> list[tuple[int, ...]]:
    columns = (day, plan.action, plan.client, plan.server, plan.key_database, plan.certificate)
    return sorted(zip(*(column.tolist() for column in columns), strict=True))


@pytest.mark.parametrize("n_days", [0, 1, 3, 2000])
def test_imports_go_earlier_by_working_days_to_an_open_day_as_numpy_counts_them(
    n_days: int,
) -> None:
    plan = harbour().plan
    calendar = plan.fleet.calendar
    counted = np.busdaycalendar(
        [day in calendar.working_days for day in range(7)],
        np.array([*calendar.holidays], dtype="datetime64[D]"),
    )
    is_import = plan.action == Action.IMPORT_CERTIFICATE
    day = plan.day[is_import].astype("datetime64[D]")
    if n_days:
        day = np.busday_offset(day, -n_days, roll="forward", busdaycal=counted)
    for freeze in sorted(calendar.freezes, key=lambda one: -one.start):
        eve = np.busday_offset(
            np.datetime64(freeze.start, "D"), 0, roll="forward", busdaycal=counted
        )
        eve = np.busday_offset(eve, -1, busdaycal=counted)
        frozen = (day >= np.datetime64(freeze.start, "D")) & (day < np.datetime64(freeze.end, "D"))
        day = np.where(frozen & (n_days > 0), eve, day)
    expected = plan.day.copy()
    expected[is_import] = np.maximum(day.astype(np.int32), plan.fleet.start)
    earlier = imports_earlier(plan, n_days)
    # A plan sorts its rows by day.
    assert actions_of(earlier, earlier.day) == actions_of(plan, expected)


@pytest.mark.parametrize("policy", [{"lead_days": -1}, {"imports_per_week": -1}])
def test_negative_numbers_are_refused(policy: dict[str, int]) -> None:
    with pytest.raises(ValueError, match=r"^lead and capacity cannot be negative$"):
        under_policy(
            eight_cases().plan,
            lead_days=policy.get("lead_days"),
            imports_per_week=policy.get("imports_per_week"),
        )


def test_a_week_without_working_days_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one working day"):
        under_policy(eight_cases().plan, working_days=[])


def test_each_part_of_a_policy_changes_what_it_names() -> None:
    own = harbour().plan
    assert own.fleet.calendar.freezes
    assert own.fleet.calendar.windows
    no_freezes = under_policy(own, freezes=False).fleet
    no_windows = under_policy(own, windows=False).fleet
    assert no_freezes.calendar == replace(own.fleet.calendar, freezes=())
    assert no_windows.calendar == replace(own.fleet.calendar, windows=())
    assert no_freezes.capacity == no_windows.capacity == own.fleet.capacity
    limits = {"clients_per_week": 7, "servers_per_week": 2, "imports_per_week": 9}
    for name, limit in limits.items():
        capacity = under_policy(own, **{name: limit}).fleet.capacity  # type: ignore[arg-type]
        assert capacity == replace(own.fleet.capacity, **{name: limit})
