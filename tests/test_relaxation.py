from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest
import scipy.optimize

from planner.domain.errors import InfeasibleError
from planner.ordering import kernel
from planner.ordering.alike import merged
from planner.ordering.branching import Branching
from planner.ordering.exact import prove
from planner.ordering.model import Ints, Model
from planner.ordering.problem import compile_problem
from planner.ordering.propagation import propagated
from planner.ordering.relaxation import Ascent, dated, relax
from planner.ordering.relaxation_kernel import Flags2, Relaxation
from planner.ordering.rules import constraints_of
from planner.ordering.scheduler import Priorities, Scheduler, Stuck
from planner.ordering.stopping import Clock, Stop
from tests.builders import client, rule, server, session
from tests.ordering import IS_COMPILED, fits, fleet_of, small_fleet, true_optimum

SEEDS = range(20 if IS_COMPILED else 3)
STRETCHES = 60 if IS_COMPILED else 2
NEW = {"target_level": "8.1.13"}


def model_of(folder: Path, seed: int) -> Model:
    """Draw the model of a small fleet that has an order."""
    try:
        return compile_problem(
            fleet := small_fleet(folder / "fleet", seed), constraints_of(fleet)
        ).model
    except InfeasibleError:
        pytest.skip("this fleet has no order")


def without_rules_and_imports(model: Model) -> Model:
    none, of_block = np.zeros(0, dtype=np.int32), np.zeros(model.n_blocks + 1, dtype=np.int32)
    return model._replace(
        rule_first=of_block,
        rule_other=none,
        rule_gap=none,
        limit_first=of_block,
        limit_other=none,
        limit_gap=none,
        job_client=none,
        job_release=none,
        job_earliest=none,
        job_first=np.zeros(1, dtype=np.int32),
        job_server=none,
        use_first=of_block,
        use_job=none,
    )


def random_orders(model: Model, seed: int) -> list[Ints]:
    """Orders that keep every constraint, drawn at random by plain Python."""
    rng = random.Random(seed)
    later = np.repeat(np.arange(model.n_blocks), np.diff(model.rule_first))
    found = []
    for _ in range(300):
        days = np.array(
            [rng.choice(model.choices(b).tolist()) for b in range(model.n_blocks)], dtype=np.int32
        )
        keeps_rules = bool((days[later] >= days[model.rule_other] + model.rule_gap).all())
        if keeps_rules and fits(model, days):
            found.append(days)
    return found


def held(model: Model, days: Ints, blocks: Ints) -> Model:
    """Leave some blocks their day of an order alone."""
    choices = [
        [int(days[b])] if b in blocks else model.choices(b).tolist() for b in range(model.n_blocks)
    ]
    first = np.cumsum([0, *map(len, choices)]).astype(np.int32)
    return model._replace(choice_first=first, choice_day=np.concatenate(choices).astype(np.int32))


def weeks_left(r: Relaxation, model: Model, days: Ints, blocks: Ints) -> Flags2:
    """Leave some blocks their week of an order alone."""
    may_end = r.may_end.copy()
    may_end[blocks] = False
    may_end[blocks, model.week_of_day[days[blocks]]] = True
    return may_end


@pytest.mark.parametrize("seed", SEEDS)
def test_no_week_that_an_order_uses_is_taken_away(tmp_path: Path, seed: int) -> None:
    model = model_of(tmp_path, seed)
    best = true_optimum(model)
    orders = random_orders(model, seed) + ([] if best is None else [best[1]])
    rng, r = random.Random(seed), relax(model)
    for days in orders:
        settled = np.array(
            rng.sample(range(model.n_blocks), rng.randint(0, model.n_blocks)), dtype=np.int32
        )
        left = propagated(r._replace(may_end=weeks_left(r, model, days, settled)))
        assert left is not None
        blocks = np.arange(model.n_blocks)
        assert left.may_end[blocks, model.week_of_day[days]].all()


def hub_and_clients(folder: Path) -> Model:
    fleet = fleet_of(
        folder,
        servers=[server("hub", site="quay", **NEW)],
        clients=[client(name, site="quay", **NEW) for name in ("a", "b", "c")],
        sessions=[session(name, "hub") for name in ("a", "b", "c")],
        trust=[],
        plan=None,
        lead_days=7,
        end="2025-04-07",
        windows={"quay": ["Mon"]},
        capacity={"clients_per_week": 3, "servers_per_week": 1, "imports_per_week": 1},
    )
    return compile_problem(fleet, constraints_of(fleet)).model


def test_clients_wait_for_a_server_whose_week_leaves_no_room_for_imports(tmp_path: Path) -> None:
    model = hub_and_clients(tmp_path)
    r = relax(model)
    hub = int(np.flatnonzero(model.n_servers)[0])
    clients = np.flatnonzero(model.n_clients)
    may_end = r.may_end.copy()
    may_end[hub, 1:] = False
    left = propagated(r._replace(may_end=may_end))
    assert left is not None
    assert r.may_end[clients, 0].all()
    assert not left.may_end[clients, 0].any()


def test_weeks_in_which_certain_imports_do_not_fit_leave_nothing(tmp_path: Path) -> None:
    model = hub_and_clients(tmp_path)
    r = relax(model)
    may_end = r.may_end.copy()
    may_end[: model.n_blocks, 1:] = False
    assert propagated(r._replace(may_end=may_end)) is None


def test_a_full_week_and_a_rule_take_weeks_away(tmp_path: Path) -> None:
    fleet = fleet_of(
        tmp_path,
        servers=[server("s", **NEW), server("t", **NEW)],
        clients=[],
        sessions=[session("s", "t", kind="server")],
        plan=None,
        end="2025-03-24",
        capacity={"servers_per_week": 1},
        rules=[rule("before", "s", "t")],
    )
    problem = compile_problem(fleet, constraints_of(fleet))
    r, (s, t) = relax(problem.model), problem.blocks.of_endpoint.tolist()
    may_end = r.may_end.copy()
    may_end[s, 2:] = False
    may_end[t, 2:] = False
    may_end[t, 0] = False
    left = propagated(r._replace(may_end=may_end))
    assert left is not None
    assert np.flatnonzero(left.may_end[s]).tolist() == [0]
    may_end = r.may_end.copy()
    may_end[s, 0] = False
    left = propagated(r._replace(may_end=may_end))
    assert left is not None
    assert not left.may_end[t, 0]


def test_a_block_waits_within_its_week_for_one_that_cannot_have_gone_before(
    tmp_path: Path,
) -> None:
    fleet = fleet_of(
        tmp_path,
        servers=[server("s", site="yard", **NEW), server("t", site="quay", **NEW)],
        clients=[client("a", site="yard", **NEW), client("b", site="quay", **NEW)],
        sessions=[session("a", "t", weight="5"), session("b", "t", weight="2")],
        plan=None,
        end="2025-03-24",
        windows={"yard": ["Tue"], "quay": ["Mon", "Fri"]},
        rules=[rule("before", "s", "t")],
    )
    problem = compile_problem(fleet, constraints_of(fleet))
    model = problem.model
    a, b, s, t = problem.blocks.of_endpoint.tolist()
    before = relax(model)
    may_end = before.may_end.copy()
    assert may_end[[a, b, s, t]].all()
    may_end[s] = [False, True, False]
    left = propagated(before._replace(may_end=may_end))
    assert left is not None
    after = dated(model, left)
    monday = 7 * np.arange(3)
    assert (before.day - monday)[[a, b, s]].tolist() == [[1] * 3, [0] * 3, [1] * 3]
    # In the first week it waits in any case.
    assert (before.day - monday)[t].tolist() == [4, 0, 0]
    assert (after.day - monday)[[a, b, s]].tolist() == [[1] * 3, [0] * 3, [1] * 3]
    assert (after.day - monday)[t, 1:].tolist() == [4, 0]
    assert not after.may_end[t, 0]
    best = true_optimum(held(model, np.full(model.n_blocks, 8, dtype=np.int32), np.array([s])))
    assert best is not None
    ascent = Ascent(after, Ascent(left).bound())
    ascent.climb(60 if IS_COMPILED else 12)
    assert ascent.bound().value == best[0] == 7 * 11


def test_more_than_fits_into_some_weeks_leaves_nothing(tmp_path: Path) -> None:
    names = ("s", "t", "u")
    fleet = fleet_of(
        tmp_path,
        servers=[server(name, **NEW) for name in names],
        clients=[],
        sessions=[session("s", "t", kind="server"), session("s", "u", kind="server")],
        plan=None,
        end="2025-03-31",
        capacity={"servers_per_week": 1},
    )
    problem = compile_problem(fleet, constraints_of(fleet))
    r = relax(problem.model)
    s, t, u = (int(problem.blocks.of_endpoint[number]) for number in range(3))
    assert r.may_end.all()
    may_end = r.may_end.copy()
    may_end[[s, t]] = [False, True, True, False]
    assert propagated(r._replace(may_end=may_end)) is not None
    may_end[u] = [False, True, True, False]
    assert propagated(r._replace(may_end=may_end)) is None


@pytest.mark.parametrize("seed", SEEDS)
def test_the_bound_of_settled_weeks_is_never_above_their_best_order(
    tmp_path: Path, seed: int
) -> None:
    model = model_of(tmp_path, seed)
    r = relax(model)
    for days in random_orders(model, seed)[:3]:
        servers = np.flatnonzero(model.n_servers).astype(np.int32)
        best = true_optimum(held(model, days, servers))
        assert best is not None
        left = propagated(r._replace(may_end=weeks_left(r, model, days, servers)))
        assert left is not None
        left = dated(model, left)
        assert (left.may_end[np.arange(model.n_blocks), model.week_of_day[best[1]]]).all()
        ascent = Ascent(left)
        ascent.climb(2)
        assert ascent.bound().value <= best[0]


@pytest.mark.skipif(not IS_COMPILED, reason="takes minutes as plain Python")
@pytest.mark.parametrize("seed", SEEDS)
def test_the_first_order_method_ends_at_the_bound_that_highs_finds(
    tmp_path: Path, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = model_of(tmp_path, seed)
    r = propagated(relax(model))
    if r is None or true_optimum(model) is None:
        pytest.skip("this fleet has no order")
    ascent = Ascent(r)
    ascent.climb(STRETCHES)
    bound = ascent.bound().value
    milp = scipy.optimize.milp

    def relaxed(cost: object, **program: object) -> object:
        found = milp(cost, **{**program, "integrality": None})
        found.mip_dual_bound = found.fun
        return found

    monkeypatch.setattr(scipy.optimize, "milp", relaxed)
    highs = prove(r, r.may_end, n_nodes=1, seconds=60.0).bound
    assert highs is not None
    # HiGHS gives up a millionth of its bound for its tolerances.
    assert 0.998 * highs - 2 <= bound <= highs * (1 + 2e-6) + 1


def test_clients_at_several_sites_leave_no_gap_once_the_servers_are_settled(
    tmp_path: Path,
) -> None:
    sites = ("quay", "yard", "dock")
    fleet = fleet_of(
        tmp_path,
        servers=[server("s0", site="quay", **NEW), server("s1", site="yard", **NEW)],
        clients=[client(f"c{k}", site=sites[k % 3], **NEW) for k in range(6)],
        sessions=[
            session(f"c{k}", f"s{j}", weight=str(3 + k + 2 * j)) for k in range(6) for j in (0, 1)
        ],
        plan=None,
        end="2025-03-31",
        windows={"quay": ["Mon"], "yard": ["Wed"], "dock": ["Fri"]},
        capacity={"clients_per_week": 2, "servers_per_week": 1},
    )
    model = compile_problem(fleet, constraints_of(fleet)).model
    found = true_optimum(model)
    assert found is not None
    r = relax(model)
    servers = np.flatnonzero(model.n_servers).astype(np.int32)
    left = propagated(r._replace(may_end=weeks_left(r, model, found[1], servers)))
    assert left is not None
    ascent = Ascent(left)
    ascent.climb(60 if IS_COMPILED else 12)
    assert found[0] - 2 <= ascent.bound().value <= found[0]


@pytest.mark.parametrize("seed", SEEDS)
def test_an_exchange_keeps_servers_and_constraints_and_is_never_worse(
    tmp_path: Path, seed: int
) -> None:
    model = model_of(tmp_path, seed)
    later = np.repeat(np.arange(model.n_blocks), np.diff(model.rule_first))
    for days in random_orders(model, seed)[:20]:
        moved = days.copy()
        kernel.exchange(model, moved)
        assert model.cost(moved) <= model.cost(days)
        assert fits(model, moved)
        assert (moved[later] >= moved[model.rule_other] + model.rule_gap).all()
        is_server = model.n_servers > 0
        assert moved[is_server].tolist() == days[is_server].tolist()


@pytest.mark.parametrize("seed", SEEDS)
def test_an_exchange_finds_the_best_weeks_of_clients_without_rules_and_imports(
    tmp_path: Path, seed: int
) -> None:
    model = without_rules_and_imports(model_of(tmp_path, seed))
    if (model.n_clients + model.n_servers > 1).any():
        pytest.skip("some of its blocks are not moved")
    servers = np.flatnonzero(model.n_servers).astype(np.int32)
    for days in random_orders(model, seed)[:5]:
        best = true_optimum(held(model, days, servers))
        assert best is not None
        kernel.exchange(model, days)
        assert model.cost(days) == best[0]


def test_what_found_no_day_comes_first_the_next_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fleet = fleet_of(
        tmp_path,
        servers=[server("srv", **NEW)],
        clients=[client(name, **NEW) for name in ("late", "tight")],
        sessions=[session("late", "srv"), session("tight", "srv")],
        plan=None,
        capacity={"clients_per_week": 1, "servers_per_week": 1},
        rules=[rule("latest", "tight", "2025-03-09")],
    )
    problem = compile_problem(fleet, constraints_of(fleet))
    n = problem.model.n_blocks
    wish = Priorities(order=np.arange(n, dtype=np.int32), not_before=np.zeros(n, dtype=np.int32))
    calls = []
    place = kernel.place

    def counted(*arguments: object) -> int:
        calls.append(arguments)
        return place(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(kernel, "place", counted)
    scheduler = Scheduler(problem)
    first = scheduler.schedule(wish)
    assert not isinstance(first, Stuck)
    n_calls = len(calls)
    second = scheduler.schedule(wish)
    assert not isinstance(second, Stuck)
    assert second.tolist() == first.tolist()
    assert (n_calls, len(calls)) == (2, 3)


def test_a_server_keeps_its_week_when_a_client_finds_none(tmp_path: Path) -> None:
    fleet = fleet_of(
        tmp_path,
        servers=[server("srv", **NEW)],
        clients=[client(name, **NEW) for name in ("late", "tight")],
        sessions=[session("late", "srv"), session("tight", "srv")],
        trust=[],
        plan=None,
        lead_days=7,
        end="2025-03-31",
        capacity={"clients_per_week": 1, "servers_per_week": 1, "imports_per_week": 1},
        rules=[rule("latest", "tight", "2025-03-16")],
    )
    problem = compile_problem(fleet, constraints_of(fleet))
    model = problem.model
    late, tight, srv = problem.blocks.of_endpoint.tolist()
    days = Scheduler(problem).schedule(
        Priorities(
            order=np.array([srv, late, tight], dtype=np.int32),
            not_before=np.zeros(model.n_blocks, dtype=np.int32),
        )
    )
    assert not isinstance(days, Stuck)
    assert model.week_of_day[days[[srv, tight, late]]].tolist() == [0, 1, 2]


def test_branching_ends_at_the_best_order(tmp_path: Path) -> None:
    model = hub_and_clients(tmp_path)
    found = true_optimum(model)
    assert found is not None
    r = propagated(relax(model))
    assert r is not None
    both = merged(model, r)
    ascent = Ascent(both.relaxation)
    ascent.climb(4)
    tree = Branching(model, both, ascent.bound(), Clock(Stop()))
    while tree.branch(found[0] + 1) is not None:
        assert tree.bound is not None
        assert tree.bound <= found[0]
        if tree.bound == found[0]:
            break
    else:
        assert tree.bound is None or tree.bound <= found[0]


def test_a_tree_whose_time_has_run_out_keeps_the_bound_of_its_root(tmp_path: Path) -> None:
    model = hub_and_clients(tmp_path)
    found = true_optimum(model)
    r = propagated(relax(model))
    assert found is not None
    assert r is not None
    both = merged(model, r)
    ascent = Ascent(both.relaxation)
    ascent.climb(1)
    root = ascent.bound()
    tree = Branching(model, both, root, Clock(Stop(seconds=0)))
    assert tree.plunge(found[0] + 1) is None
    assert tree.bound == root.value
    assert tree.branch(found[0] + 1) is not None
    assert tree.bound is not None
    assert root.value <= tree.bound <= found[0]
