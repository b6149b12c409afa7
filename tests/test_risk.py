"""Slips: each run is a simulation of the plan with its delays, and the shares meet closed forms."""

import multiprocessing
import os
import random
import signal
from collections.abc import Sequence
from concurrent.futures.process import BrokenProcessPool
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pytest

import planner
from planner.domain.calendar import ALWAYS, NEVER, to_day
from planner.domain.errors import PlanError
from planner.domain.plan import UPGRADES, Plan
from planner.engine.deadlines import Deadlines, deadlines
from planner.engine.timeline import simulate
from planner.reporting import tables
from planner.risk.blocks import parts_of, refused_days
from planner.risk.delays import USUAL, Delay, Slip, fitted_slips, read_slips
from planner.risk.draws import draws_of, endpoints_of
from planner.risk.kernel import delays, landing
from planner.risk.result import Risk
from planner.risk.sweep import slip
from planner.risk.workers import WorkersLostError
from tests.benchmarks.fleets import synthetic_plan
from tests.builders import action, case, client, server, session
from tests.comparison import plan_of_case
from tests.strategies import random_case

N_SEEDED = 40
N_LONG = 3_000
N_SESSIONS = 600
N_RUNS = 1_000
DELAYS = ("geometric 0.4", "uniform 0 30", "empirical 0:1 3:1 200:1", "triangular 0 2 9")
FOUR_ERRORS = 4.0
GEOMETRIC = (Slip(delay=Delay.geometric(0.4)),)


@pytest.fixture
def plan() -> Plan:
    """One client, one server, and an import two working days before it is needed."""
    return plan_of_case(
        case(
            start="2025-02-03",
            servers=[server("alpha", level="8.1.13", certificate="alpha-root")],
            clients=[client("db1", level="8.1.1")],
            sessions=[session("db1", "alpha", sslacceptcertfromserv="No")],
            plan=[
                action("2025-02-10", "import-certificate", client="db1", certificate="alpha-root"),
                action("2025-02-12", "upgrade-client", client="db1", value="8.1.13"),
            ],
        )
    )


def late_days(plan: Plan, late_import: int, late_upgrade: int) -> int:
    """Refused days, counted on paper: from the upgrade on, until the certificate is there."""
    monday, wednesday = date(2025, 2, 10), date(2025, 2, 12)
    arrives, needs = _later(monday, late_import), _later(wednesday, late_upgrade)
    end = date(1970, 1, 1) + timedelta(days=plan.fleet.end)
    return max(0, (min(arrives, end) - min(needs, end)).days)


def _later(day: date, n: int) -> date:
    while n:
        day += timedelta(days=1)
        n -= day.weekday() < 5
    return day


def numbers(found: Risk) -> Sequence[object]:
    return [
        column.tolist()
        for column in (
            *(found.refused_days, found.finish, found.leads),
            *(found.slipped, found.refusing, found.extra_days),
        )
    ]


def run_by_run(plan: Plan, runs: int, seed: int, slips: Sequence[Slip]) -> Sequence[object]:
    """What `slip` computes, each run as a plan of its own, in Python and with the public names."""
    base = deadlines(simulate(plan))
    n_refused = refused_days(base.timeline).astype(np.int64)
    draws = draws_of(plan, slips, seed)
    keys = {key: row for row, key in enumerate(_keys(base))}
    calendar, end = plan.fleet.calendar, plan.fleet.end

    def working(begin: int, finish: int) -> int:
        begin, finish = min(begin, end), min(finish, end)
        sign, days = (1, range(begin, finish)) if begin <= finish else (-1, range(finish, begin))
        return sign * sum(calendar.is_working(day) for day in days)

    totals, finishes, shortfalls = [], [], np.zeros((runs, len(base)), dtype=np.int64)
    slipped, refusing, extra = np.zeros((3, len(draws.row)), dtype=np.int64)
    for run in range(runs):
        late = planner.slipped(plan, run=run, seed=seed, slips=slips)
        found = deadlines(simulate(late))
        days = refused_days(found.timeline)
        totals.append(int(days.sum()))
        upgrades = [row.day for row in late.rows() if row.action in UPGRADES]
        finishes.append(max(upgrades, default=NEVER))
        for row, key in enumerate(_keys(found)):
            of_base = keys.get(key)
            if of_base is None or base.planned[of_base] in (ALWAYS, NEVER):
                continue
            later = working(int(base.planned[of_base]), int(found.planned[row]))
            shortfalls[run, of_base] = later - working(
                int(base.needed[of_base]), int(found.needed[row])
            )
        more = np.maximum(days - n_refused, 0)
        has_slipped = delays(draws.slipping, run)[0] > 0
        of_endpoint = np.zeros(plan.fleet.n_endpoints + 1, dtype=np.int64)
        np.add.at(of_endpoint, plan.fleet.sessions.client, more)
        np.add.at(of_endpoint, plan.fleet.sessions.server + len(plan.fleet.clients), more)
        own = of_endpoint[endpoints_of(plan)[draws.row]]
        slipped += has_slipped
        refusing += has_slipped & (own > 0)
        extra += has_slipped * own
    leads = np.maximum(np.quantile(shortfalls, 0.95, axis=0, method="inverted_cdf"), 0)
    return [totals, finishes, leads.astype(int).tolist(), *map(list, (slipped, refusing, extra))]


def _keys(found: Deadlines) -> list[tuple[int, str]]:
    names = found.timeline.compiled.certificates.name
    return [
        (int(database), names[anchor])
        for database, anchor in zip(found.key_database(), found.anchor, strict=True)
    ]


def test_the_numbers_are_those_of_each_run_as_a_plan_of_its_own(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("planner.risk.sweep.SESSIONS_OF_BLOCK", 2)
    n_refused = n_refusing = n_leads = 0
    for seed in range(N_SEEDED):
        drawn = plan_of_case(random_case(random.Random(seed)))
        found = slip(drawn, runs=4, seed=seed, slips=GEOMETRIC)
        assert numbers(found) == run_by_run(drawn, 4, seed, GEOMETRIC), seed
        n_refused += bool(found.refused_days.any())
        n_refusing += bool(found.refusing.any())
        n_leads += bool(found.leads.any())
    assert min(n_refused, n_refusing, n_leads) > N_SEEDED // 4


@pytest.mark.parametrize("delay", ["uniform 0 6", "geometric 0.4"])
def test_the_share_and_mean_of_refusals_meet_the_closed_form(plan: Plan, delay: str) -> None:
    weights = np.array(Delay.parse(delay).weights)[:60]
    shares = weights / weights.sum()
    days = np.array(
        [[late_days(plan, a, b) for b in range(len(shares))] for a in range(len(shares))]
    )
    joint = np.outer(shares, shares)
    probability, mean = float(joint[days > 0].sum()), float((joint * days).sum())
    spread = float(np.sqrt((joint * days**2).sum() - mean**2))
    found = slip(plan, runs=N_RUNS, seed=7, slips=(Slip(delay=Delay.parse(delay)),))
    error = np.sqrt(probability * (1 - probability) / N_RUNS)
    assert abs(found.probability - probability) < FOUR_ERRORS * error
    assert abs(found.expected_refused_days - mean) < FOUR_ERRORS * spread / np.sqrt(N_RUNS)


def test_the_lead_time_is_the_quantile_of_the_delay_where_only_imports_slip(plan: Plan) -> None:
    slips = (
        Slip(action=planner.Action.IMPORT_CERTIFICATE, delay=Delay.parse("empirical 0:1 4:9")),
    )
    assert slip(plan, runs=200, seed=1, slips=slips).leads.tolist() == [4]


def test_two_processes_give_the_numbers_of_one(plan: Plan) -> None:
    one = slip(plan, runs=7, seed=3, slips=GEOMETRIC)
    assert numbers(slip(plan, runs=7, seed=3, slips=GEOMETRIC, processes=2)) == numbers(one)
    assert numbers(slip(plan, runs=7, seed=4, slips=GEOMETRIC)) != numbers(one)


def test_any_partition_gives_the_same_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = synthetic_plan(N_SESSIONS, 3)
    whole = numbers(slip(drawn, runs=3, seed=2))
    for size in (1, 37):
        monkeypatch.setattr("planner.risk.sweep.SESSIONS_OF_BLOCK", size)
        assert numbers(slip(drawn, runs=3, seed=2)) == whole


def test_fleets_reach_every_way_of_living_through_a_run() -> None:
    found = deadlines(simulate(synthetic_plan(N_SESSIONS, 3)))
    (part,) = parts_of(found, draws_of(found.timeline.plan, GEOMETRIC, 0))
    plain, block = part.block.plain, part.block
    assert 0 < len(plain.account) < len(plain.client) < len(plain.begin)
    assert 0 < len(block.receiving.plain) < len(plain.client)
    assert 0 < len(block.rest.plain) < len(plain.client)
    assert (plain.row_old != plain.row_new).any()


def test_a_bigger_fleet_has_the_numbers_of_each_run_as_a_plan_of_its_own() -> None:
    drawn = synthetic_plan(N_SESSIONS, 3)
    assert numbers(slip(drawn, runs=3, seed=1, slips=GEOMETRIC)) == run_by_run(
        drawn, 3, 1, GEOMETRIC
    )


@pytest.mark.long
def test_many_fleets_have_the_numbers_of_each_run_as_a_plan_of_its_own(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for seed in range(N_LONG):
        monkeypatch.setattr("planner.risk.sweep.SESSIONS_OF_BLOCK", 1 + seed % 50)
        drawn = plan_of_case(random_case(random.Random(seed)))
        slips = (Slip(delay=Delay.parse(DELAYS[seed % len(DELAYS)])),)
        assert numbers(slip(drawn, runs=3, seed=seed, slips=slips)) == run_by_run(
            drawn, 3, seed, slips
        ), seed


def test_a_lost_worker_costs_time_and_no_results(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = synthetic_plan(N_SESSIONS, 3)
    expected = numbers(slip(drawn, runs=2, seed=2))
    monkeypatch.setattr("planner.risk.sweep.SESSIONS_OF_BLOCK", 20)
    lost: list[int | None] = []

    def kill(done: int, whole: int) -> None:
        if not lost and done < whole:
            worker = multiprocessing.active_children()[0]
            lost.append(worker.pid)
            worker.kill()

    assert numbers(slip(drawn, runs=2, seed=2, processes=2, observer=kill)) == expected
    assert lost


def test_workers_that_are_lost_again_and_again_are_told(
    plan: Plan, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("planner.risk.workers.ProcessPoolExecutor", _BrokenPool)
    with pytest.raises(WorkersLostError, match="stopped 4 times"):
        slip(plan, runs=2, seed=0, processes=2)


class _BrokenPool:
    """A pool whose processes are gone."""

    def __init__(self, *_: object, **__: object) -> None:
        pass

    def submit(self, *_: object) -> object:
        raise BrokenProcessPool

    def shutdown(self, **_: object) -> None:
        pass


def test_a_cluster_gives_the_same_numbers_also_when_a_worker_is_killed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    distributed = pytest.importorskip("distributed")
    drawn = synthetic_plan(N_SESSIONS, 3)
    expected = numbers(slip(drawn, runs=2, seed=2))
    monkeypatch.setattr("planner.risk.sweep.SESSIONS_OF_BLOCK", 40)
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, dashboard_address=None
    ) as cluster:
        killed: list[int] = []

        def kill(done: int, whole: int) -> None:
            if not killed and done < whole:
                worker = next(iter(cluster.workers.values()))
                killed.append(worker.pid)
                os.kill(worker.pid, signal.SIGKILL)

        found = slip(drawn, runs=2, seed=2, scheduler=cluster.scheduler_address, observer=kill)
    assert numbers(found) == expected
    assert killed


def test_a_scheduler_that_does_not_answer_is_told(
    plan: Plan, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("distributed")
    monkeypatch.setattr("planner.risk.workers._SECONDS_TO_ANSWER", "100ms")
    with pytest.raises(WorkersLostError, match="no Dask scheduler answers there; start"):
        slip(plan, runs=1, seed=0, scheduler="tcp://127.0.0.1:1")


def test_blocks_pass_through_parquet_as_they_are() -> None:
    pytest.importorskip("pyarrow")
    from planner.risk.partitions import from_parquet, to_parquet

    found = deadlines(simulate(synthetic_plan(N_SESSIONS, 3)))
    (part,) = parts_of(found, draws_of(found.timeline.plan, GEOMETRIC, 0))
    sent = to_parquet(part.block)
    again = from_parquet(sent)
    assert sent[:4] == b"PAR1"
    _assert_equal(again, part.block)


def _assert_equal(one: object, other: object) -> None:
    assert type(one) is type(other)
    if isinstance(one, tuple) and isinstance(other, tuple):
        for left, right in zip(one, other, strict=True):
            _assert_equal(left, right)
    elif isinstance(one, np.ndarray) and isinstance(other, np.ndarray):
        assert one.dtype == other.dtype
        np.testing.assert_array_equal(one, other)
    else:
        assert one == other


def test_several_plans_have_the_numbers_of_each_alone(plan: Plan) -> None:
    other = plan.moved(plan.where(action="import-certificate"), to_day(date(2025, 2, 7)))
    both = planner.slip_all([plan, other], runs=20, seed=3, slips=GEOMETRIC)
    alone = [slip(one, runs=20, seed=3, slips=GEOMETRIC) for one in (plan, other)]
    assert [numbers(found) for found in both] == [numbers(found) for found in alone]
    assert both[1].expected_refused_days < both[0].expected_refused_days


def test_the_same_actions_slip_alike_in_another_plan(plan: Plan) -> None:
    other = plan.moved(plan.where(action="import-certificate"), to_day(date(2025, 2, 17)))
    assert other.row(0).action != plan.row(0).action
    draws = [draws_of(p, GEOMETRIC, 5).slipping for p in (plan, other)]
    for run in range(20):
        first, second = (delays(of_plan, run)[0].tolist() for of_plan in draws)
        assert first == second[::-1]


def test_without_delay_every_run_is_the_plan(plan: Plan) -> None:
    found = slip(plan, runs=3, seed=0, slips=())
    assert (found.probability, found.expected_refused_days, len(found.rows)) == (0.0, 0.0, 0)
    assert found.leads.tolist() == [0]


def test_a_delay_lands_on_an_allowed_day() -> None:
    monday = date(2025, 2, 10)
    drawn = plan_of_case(
        case(
            start="2025-02-03",
            freezes=[("2025-02-11", "2025-02-13")],
            servers=[server("alpha", level="8.1.1")],
            clients=[client("db1")],
            sessions=[session("db1", "alpha")],
            plan=[action(monday.isoformat(), "upgrade-server", server="alpha", value="8.1.13")],
        )
    )
    slipping = draws_of(drawn, GEOMETRIC, 0).slipping
    landed = [landing(slipping, 0, n) for n in range(6)]
    days = (monday, *(date(2025, 2, d) for d in (13, 13, 13, 14, 17)))
    assert landed == [to_day(day) for day in days]


def test_the_tables_have_a_row_for_each_run_deadline_and_action(plan: Plan) -> None:
    found = slip(plan, runs=50, seed=3, slips=GEOMETRIC)
    assert len(found.to_frame()) == 50
    assert tables.lead_times(found)["client"].tolist() == ["db1"]
    assert tables.criticality(found)["runs_refusing"].max() > 0
    assert "probability" in found.lines()[1]
    assert "refused with probability" in repr(found)
    assert "<table" in found._repr_html_()


def test_groups_are_read_and_faults_told_by_line(tmp_path: Path) -> None:
    path = tmp_path / "slips.csv"
    path.write_text(
        "action,site,owner,delay\nimport-certificate,,,uniform 0 3\n,,,triangular 0 1 4\n"
    )
    first, second = read_slips(path)
    assert first.delay.weights == (1.0, 1.0, 1.0, 1.0)
    assert second.delay.mean == pytest.approx(1.7, abs=0.2)
    path.write_text("action,delay\nset-option,none\n,uniform 3 0\n,geometric 0\n,soon\n")
    with pytest.raises(PlanError) as raised:
        read_slips(path)
    assert [fault.line for fault in raised.value.faults] == [2, 3, 4, 5]


def test_delays_so_far_are_taken_as_those_to_come(plan: Plan) -> None:
    rows = list(plan.rows())
    late = [replace(row, day=row.day + 7) for row in rows]
    progress = planner.track(plan, Plan.of(plan.fleet, late), today=late[-1].day + 1)
    *groups, rest = fitted_slips(progress.rows, plan)
    assert [(group.action, group.delay.mean) for group in groups] == [
        (planner.Action.UPGRADE_CLIENT, 5.0),
        (planner.Action.IMPORT_CERTIFICATE, 5.0),
    ]
    assert (rest.action, rest.delay) == (None, USUAL)
