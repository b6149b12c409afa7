"""One plan against another: refusals on both sides, moved actions, and slack."""

import random
from pathlib import Path

import numpy as np
import pytest
from matplotlib.patches import StepPatch

import planner
from planner.domain.calendar import iso
from planner.domain.fleet import Numbers
from planner.domain.plan import Plan
from planner.domain.rules import Mode
from planner.engine.timeline import Timeline, simulate
from planner.reporting import plots, tables
from planner.reporting.tracking_results import write_comparison
from planner.tracking.compare import Comparison, Refusals, compare
from tests.builders import action, case, client, server, session
from tests.comparison import plan_of_case
from tests.strategies import random_case

N_SEEDED = 60


@pytest.fixture
def plan() -> Plan:
    """Two clients of one server, both with their certificate a fortnight before it is needed."""
    return plan_of_case(
        case(
            start="2025-02-03",
            servers=[server("alpha", level="8.1.1", certificate="alpha-root")],
            clients=[client("db1"), client("db2")],
            sessions=[session("db1", "alpha"), session("db2", "alpha")],
            plan=[
                action("2025-02-10", "import-certificate", client="db1", certificate="alpha-root"),
                action("2025-02-10", "import-certificate", client="db2", certificate="alpha-root"),
                action("2025-02-24", "upgrade-server", server="alpha", value="8.1.13"),
                action("2025-03-10", "upgrade-client", client="db1", value="8.1.13"),
                action("2025-03-10", "upgrade-client", client="db2", value="8.1.13"),
            ],
        )
    )


def import_of(plan: Plan, name: str) -> Numbers:
    return plan.where(action="import-certificate", client=name)


def compared(a: Plan, b: Plan) -> Comparison:
    return compare(simulate(a), simulate(b))


def refused_days(timeline: Timeline) -> set[tuple[int, int]]:
    """Sessions and days that are refused, found day by day."""
    fleet = timeline.plan.fleet
    return {
        (int(session), day)
        for day in range(fleet.start, fleet.end)
        for session in np.flatnonzero(timeline.mode_on(day) == Mode.REFUSED)
    }


def as_rows(found: Refusals) -> list[tuple[int, int, int]]:
    columns = (found.session.tolist(), found.first_day.tolist(), found.n_days.tolist())
    return list(zip(*columns, strict=True))


def expected_rows(only: set[tuple[int, int]]) -> list[tuple[int, int, int]]:
    days: dict[int, list[int]] = {}
    for number, day in sorted(only):
        days.setdefault(number, []).append(day)
    return [(number, own[0], len(own)) for number, own in sorted(days.items())]


def test_a_plan_differs_in_nothing_from_itself(plan: Plan) -> None:
    found = compared(plan, plan)
    assert (len(found.newly_refused), len(found.newly_safe)) == (0, 0)
    assert (found.moves, found.slacks) == ((), ())
    assert len(found.to_frame()) == 0
    assert repr(found) == "Comparison(0 sessions newly refused, 0 newly safe, 0 actions differ)"


def test_refusals_are_those_that_a_look_at_every_day_finds_in_both_directions() -> None:
    n_found = 0
    for seed in range(N_SEEDED):
        rng = random.Random(seed)
        a = plan_of_case(random_case(rng))
        if not len(a):
            continue
        rows = sorted(rng.sample(range(len(a)), k=max(1, len(a) // 3)))
        moved = np.array(rows, dtype=np.int32)
        b = a.moved(moved, rng.randrange(a.fleet.start, a.fleet.end)).without(moved[:1])
        found = compared(a, b)
        days_a, days_b = refused_days(found.a.timeline), refused_days(found.b.timeline)
        assert as_rows(found.newly_refused) == expected_rows(days_b - days_a), f"seed {seed}"
        assert as_rows(found.newly_safe) == expected_rows(days_a - days_b), f"seed {seed}"
        for refusals, timeline in (
            (found.newly_refused, found.b.timeline),
            (found.newly_safe, found.a.timeline),
        ):
            for number, day, rule in zip(
                refusals.session, refusals.first_day, refusals.rule, strict=True
            ):
                assert timeline.rule_on(int(day))[number] == rule
        n_found += len(found.newly_refused) + len(found.newly_safe)
    assert n_found > N_SEEDED


def test_the_other_way_round_everything_changes_sides() -> None:
    for seed in range(10):
        a = plan_of_case(random_case(random.Random(seed)))
        b = a.moved(np.arange(0, len(a), 2, dtype=np.int32), a.fleet.start + 20)
        there, back = compared(a, b), compared(b, a)
        assert as_rows(there.newly_refused) == as_rows(back.newly_safe)
        assert len(there.moves) == len(back.moves)
        assert sorted(slack.gain or 0 for slack in there.slacks) == sorted(
            -(slack.gain or 0) for slack in back.slacks
        )


def test_a_forgotten_import_refuses_from_the_first_day_on_which_both_ends_are_new(
    plan: Plan,
) -> None:
    found = compared(plan, plan.without(import_of(plan, "db1")))
    upgrade = int(plan.day[-1])
    assert as_rows(found.newly_refused) == [(0, upgrade, plan.fleet.end - upgrade)]
    assert [move.action.client for move in found.moves] == ["db1"]
    assert found.moves[0].b == -1
    assert [slack.breaks for slack in found.slacks] == [True]
    assert found.lines()[0].startswith("newly refused: 1 session on ")
    assert "untrusted" in found.lines()[0]


def test_a_moved_import_tells_its_days_and_both_slacks(plan: Plan) -> None:
    row = import_of(plan, "db2")
    later = int(plan.day[row[0]]) + 7
    (move,) = compared(plan, plan.moved(row, later)).moves
    assert (move.n_days, move.action.client) == (7, "db2")
    assert move.slack_a is not None
    assert move.slack_b is not None
    assert move.slack_a - move.slack_b == 7


def test_an_import_on_the_day_it_is_needed_breaks_a_deadline_and_the_way_back_mends_it(
    plan: Plan,
) -> None:
    late = plan.moved(import_of(plan, "db2"), int(plan.day.max()))
    assert "1 newly broken, 0 mended" in compared(plan, late).lines()[3]
    assert "0 newly broken, 1 mended" in compared(late, plan).lines()[3]


def test_an_empty_key_database_is_the_default_one(plan: Plan) -> None:
    named = Plan.of(
        plan.fleet,
        [
            *plan.without(import_of(plan, "db1")).rows(),
            planner.PlannedAction(
                day=int(plan.day[0]),
                action=planner.Action.IMPORT_CERTIFICATE,
                client="DB1",
                key_database="Default",
                certificate="ALPHA-ROOT",
            ),
        ],
    )
    assert compared(plan, named).moves == ()


def test_equal_actions_are_paired_in_their_order(plan: Plan) -> None:
    row = import_of(plan, "db1")
    again = plan.row(int(row[0]))
    twice = plan.with_actions([again])
    (move,) = compared(plan, twice).moves
    assert (move.a, move.day_b) == (-1, again.day)
    (move,) = compared(twice, plan).moves
    assert (move.b, move.day_a) == (-1, again.day)


def test_plans_for_different_fleets_are_refused(plan: Plan) -> None:
    other = plan_of_case(random_case(random.Random(1)))
    with pytest.raises(ValueError, match="different fleets"):
        compared(plan, other)


def test_the_five_lines_name_what_changes(plan: Plan) -> None:
    found = compared(plan, plan.without(import_of(plan, "db1")))
    starts = [line.partition(":")[0] for line in found.lines()]
    assert starts == ["newly refused", "newly safe", "actions", "deadlines", "measures"]
    assert f"-> {found.measures_b.exposure:,.0f}" in found.lines()[4]


def test_the_table_has_a_row_for_each_difference(plan: Plan) -> None:
    b = plan.without(import_of(plan, "db1")).moved(np.array([0]), int(plan.day[0]) + 1)
    table = tables.frame(compared(plan, b))
    assert table["change"].tolist() == ["newly-refused", "moved", "gone", "deadline", "deadline"]
    moved = table[table["change"] == "moved"].iloc[0]
    assert (moved["a"], moved["b"], moved["days"]) == ("2025-02-10", "2025-02-11", 1)
    broken = table[table["change"] == "deadline"]
    assert "ok -> missing" in broken["what"].tolist()


def test_the_lines_of_the_picture_are_the_daily_counts(plan: Plan) -> None:
    found = compared(plan, plan.without(import_of(plan, "db1")))
    steps = {
        patch.get_label(): patch
        for patch in plots.comparison_chart(found).patches
        if isinstance(patch, StepPatch)
    }
    for name, deadlines in (("A", found.a), ("B", found.b)):
        counts = deadlines.timeline.daily()
        for mode in (Mode.PLAINTEXT, Mode.REFUSED):
            drawn = steps[f"{mode.label}, plan {name}"].get_data()[0]
            assert drawn.tolist() == counts[:, mode].tolist()
    assert "newly refuses 1 session" in plots.alternative_text("comparison", found)


def test_files_hold_the_table_the_lines_and_the_picture(plan: Plan, tmp_path: Path) -> None:
    found = compared(plan, plan.without(import_of(plan, "db1")))
    written = write_comparison(tmp_path / "new", found)
    assert sorted(path.name for path in written) == [
        "comparison.csv",
        "comparison.png",
        "comparison.svg",
        "comparison.txt",
    ]
    words = (tmp_path / "new" / "comparison.txt").read_text(encoding="utf-8").splitlines()
    assert tuple(words[:5]) == found.lines()
    table = (tmp_path / "new" / "comparison.csv").read_text(encoding="utf-8")
    assert table.startswith("change,client,server,account,")
    assert iso(int(found.newly_refused.first_day[0])) in table
