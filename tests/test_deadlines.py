"""Deadlines, by examples that a person can follow; the oracle covers the rest."""

import numpy as np
import pytest

from planner.domain.calendar import ALWAYS, NEVER, iso
from planner.domain.levels import Level
from planner.domain.rules import VERDICTS, Verdict
from planner.engine.deadlines import Deadlines, deadlines, level_facts_on
from planner.engine.timeline import simulate
from tests.builders import action, case, certificate, client, server, session, trust
from tests.comparison import plan_of_case
from tests.oracle import Case

UPGRADES = (
    action("2025-03-10", "upgrade-client", client="db1", value="8.1.13"),
    action("2025-03-20", "upgrade-server", server="alpha", value="8.1.13"),
)


def small(*imports: dict[str, str], **more: list[dict[str, str]]) -> Case:
    return case(
        servers=[server("alpha", level="8.1.1")],
        clients=[client("db1", level="8.1.1")],
        sessions=[session("db1", "alpha")],
        plan=[*UPGRADES, *imports],
        **more,  # type: ignore[arg-type] # each is one of the tables that `case` takes
    )


def of(fleet_case: Case) -> Deadlines:
    return deadlines(simulate(plan_of_case(fleet_case)))


def imported(day: str) -> dict[str, str]:
    return action(day, "import-certificate", client="db1", certificate="alpha")


def test_the_anchor_is_needed_when_both_ends_are_new() -> None:
    found = of(small())
    assert [iso(day) for day in found.needed] == ["2025-03-20"]
    assert [iso(day) for day in found.latest_safe] == ["2025-03-13"]


@pytest.mark.parametrize(
    ("day", "verdict"),
    [
        ("2025-03-13", Verdict.OK),
        ("2025-03-14", Verdict.TIGHT),
        ("2025-03-19", Verdict.TIGHT),
        ("2025-03-20", Verdict.SAME_DAY),
        ("2025-03-21", Verdict.LATE),
    ],
)
def test_the_verdict_follows_from_the_day_of_the_import(day: str, verdict: Verdict) -> None:
    found = of(small(imported(day)))
    assert [VERDICTS[number] for number in found.verdict] == [verdict]
    assert [iso(day) for day in found.planned] == [day]


def test_days_are_counted_in_whole_numbers_of_32_bits() -> None:
    found = of(small(imported("2025-03-11")))
    has_slack, slack = found.slack()
    for column in (found.needed, found.latest_safe, found.planned, slack, found.key_database()):
        assert column.dtype == "int32"
    assert (has_slack.tolist(), slack.tolist()) == ([True], [2])


def test_nothing_planned_is_missing() -> None:
    found = of(small())
    assert found.count(Verdict.MISSING) == 1
    assert found.planned[0] == NEVER
    assert repr(found) == "Deadlines(1 imports: 1 missing)"


def test_an_anchor_in_place_needs_no_import() -> None:
    found = of(small(trust=[trust("db1", "alpha")]))
    assert found.count(Verdict.IN_PLACE) == 1
    assert found.planned[0] == ALWAYS


def test_an_anchor_that_comes_too_late_to_be_had_is_impossible() -> None:
    found = of(
        small(imported("2025-03-13"), certificates=[certificate("alpha", available="2025-03-24")])
    )
    assert found.count(Verdict.IMPOSSIBLE) == 1


def test_an_anchor_that_is_removed_and_comes_again_is_planned_on_its_return() -> None:
    removal = action("2025-03-12", "remove-certificate", client="db1", certificate="alpha")
    found = of(small(removal, imported("2025-03-14"), trust=[trust("db1", "alpha")]))
    assert [iso(day) for day in found.planned] == ["2025-03-14"]


def test_a_fleet_without_needs_has_no_deadlines() -> None:
    found = of(
        case(
            servers=[server("alpha")],
            clients=[client("db1")],
            sessions=[session("db1", "alpha")],
            plan=[],
        )
    )
    assert repr(found) == "Deadlines(0 imports: none)"


def test_dsmcert_is_there_only_once_the_client_is_new() -> None:
    old = small(imported("2025-03-07"))
    new = small(imported("2025-03-12"))
    assert of(old).uses_dsmcert().tolist() == [False]
    assert of(new).uses_dsmcert().tolist() == [True]


def test_the_tool_of_a_client_that_is_retired_on_the_first_day_is_that_of_its_level_before() -> (
    None
):
    retired = case(
        servers=[server("alpha")],
        clients=[client("db1", level="8.1.13")],
        sessions=[session("db1", "alpha")],
        plan=[action("2025-03-03", "retire-client", client="db1")],
    )
    timeline = simulate(plan_of_case(retired))
    first_day = np.array([timeline.plan.fleet.start], dtype=np.int32)
    facts = level_facts_on(timeline, np.zeros(1, dtype=np.int32), first_day)
    assert facts.tolist() == [Level.parse("8.1.13").facts]
