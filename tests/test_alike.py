"""Alike clients taken as one: which ones are alike, and that no bound notices."""

import math
from pathlib import Path

import numpy as np
import pytest

from planner.ordering.alike import Merged, merged
from planner.ordering.branching import Branching
from planner.ordering.model import Model
from planner.ordering.problem import Problem, compile_problem
from planner.ordering.propagation import propagated
from planner.ordering.relaxation import Ascent, dated, relax, told_apart
from planner.ordering.rules import constraints_of
from planner.ordering.stopping import Clock, Stop
from tests.benchmarks.order_fleets import SCENARIOS, order_fleet
from tests.builders import client, rule, server, session
from tests.ordering import IS_COMPILED, fleet_of, true_optimum

NEW = {"target_level": "8.1.13"}
NAMES = ("a", "b", "c", "d", "e", "f")


def problem_of(folder: Path, *, rules: list[dict[str, str]] | None = None) -> Problem:
    """Six clients of a hub: d has a heavy session, e another site, f another server as well."""
    fleet = fleet_of(
        folder,
        servers=[server("hub", site="quay", **NEW), server("far", site="quay", **NEW)],
        clients=[client(name, site="yard" if name == "e" else "quay", **NEW) for name in NAMES],
        sessions=[
            *(session(name, "hub", weight="9" if name == "d" else "1") for name in NAMES),
            session("f", "far"),
        ],
        trust=[],
        plan=None,
        lead_days=7,
        end="2025-04-14",
        windows={"quay": ["Mon"], "yard": ["Tue"]},
        capacity={"clients_per_week": 2, "servers_per_week": 1, "imports_per_week": 2},
        rules=rules or [],
    )
    return compile_problem(fleet, constraints_of(fleet))


def merged_of(problem: Problem) -> Merged:
    return merged(problem.model, relax(problem.model))


def nodes_of(problem: Problem) -> list[int]:
    """Nodes of the clients a to f."""
    blocks = problem.blocks.of_endpoint[: len(NAMES)]
    return [int(node) for node in merged_of(problem).relaxation.node_of[blocks]]


def model_of(scenario: str, *, seed: int) -> Model:
    fleet = order_fleet(50, weights="unit", scenario=scenario, seed=seed)
    return compile_problem(fleet, constraints_of(fleet)).model


def test_clients_are_alike_by_their_days_their_servers_and_the_weights(tmp_path: Path) -> None:
    problem = problem_of(tmp_path)
    a, b, c, d, e, f = nodes_of(problem)
    assert a == b == c
    assert len({a, d, e, f}) == 4
    found = merged_of(problem)
    fewer = found.relaxation
    assert fewer.alike[a] == fewer.n_clients[a] == 3
    # They and their imports; the other clients, their imports and the servers stay alone.
    assert sorted(fewer.alike.tolist()) == [1] * 9 + [3] * 2
    for column in ("weight", "own", "n_clients", "n_servers", "n_imports"):
        assert getattr(fewer, column).sum() == getattr(found.whole, column).sum()


@pytest.mark.parametrize(
    "wish",
    [
        rule("before", "a", "d", days="7"),
        rule("before", "d", "a", days="7"),
        rule("together", "a", "d", days="14"),
        rule("earliest", "a", "2025-03-20"),
    ],
    ids=["earlier", "later", "together", "dated"],
)
def test_a_client_with_a_rule_of_its_own_is_like_no_other(
    tmp_path: Path, wish: dict[str, str]
) -> None:
    a, b, c, *_ = nodes_of(problem_of(tmp_path, rules=[wish]))
    assert a != b == c


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_fewer_nodes_give_the_same_bound(scenario: str) -> None:
    model = model_of(scenario, seed=3)
    whole = propagated(relax(model))
    assert whole is not None
    both = merged(model, dated(model, whole))
    assert len(both.relaxation.may_end) < len(both.whole.may_end)
    by_all, by_fewer = Ascent(both.whole), Ascent(both.relaxation)
    assert by_fewer.best == pytest.approx(by_all.best, rel=1e-6)
    assert by_fewer.climb(1) == pytest.approx(by_all.climb(1), rel=1e-4)
    all_say, fewer_say = by_all.bound(), by_fewer.bound()
    np.testing.assert_allclose(fewer_say.share[both.node], all_say.share, atol=1e-3)
    of_block = both.relaxation.node_of
    apart = np.bincount(of_block, fewer_say.mean_week)
    np.testing.assert_allclose(apart, np.bincount(of_block, all_say.mean_week), atol=0.1)
    told = both.unfolded(fewer_say)
    # Prices of fewer nodes are prices of all, with the same bound.
    assert Ascent(both.whole, told).best == pytest.approx(by_fewer.value(fewer_say.prices))


def test_of_alike_ones_one_is_done_before_the_next_begins() -> None:
    share = np.array([[0.5, 1.0, 1.0], [0.2, 0.6, 1.0]], dtype=np.float32)
    apart = told_apart(share, np.array([1, 0, 1, 1], dtype=np.int32))
    expected = [[0.6, 1.0, 1.0], [0.5, 1.0, 1.0], [0.0, 0.8, 1.0], [0.0, 0.0, 1.0]]
    np.testing.assert_allclose(apart, expected, atol=1e-6)


@pytest.mark.parametrize("scenario", SCENARIOS)
@pytest.mark.parametrize("seed", range(5))
def test_fewer_nodes_lose_the_same_weeks(scenario: str, seed: int) -> None:
    model = model_of(scenario, seed=seed)
    both = merged(model, relax(model))
    servers = np.flatnonzero(model.n_servers)
    kept = np.random.default_rng(seed).random((len(servers), model.n_weeks)) < 0.3
    of_all, of_fewer = both.whole.may_end.copy(), both.relaxation.may_end.copy()
    of_all[servers] &= kept
    of_fewer[both.node[servers]] &= kept
    alone = propagated(both.whole._replace(may_end=of_all))
    together = propagated(both.relaxation._replace(may_end=of_fewer))
    assert alone is not None
    assert together is not None
    np.testing.assert_array_equal(together.may_end[both.node], alone.may_end)


@pytest.mark.skipif(not IS_COMPILED, reason="takes minutes as plain Python")
@pytest.mark.parametrize(("scenario", "first_is_better"), [("caps", True), ("imports", False)])
def test_the_heaviest_server_is_split_in_the_better_of_its_first_week_and_the_middle(
    scenario: str, *, first_is_better: bool
) -> None:
    model = model_of(scenario, seed=0)
    both = merged(model, relax(model))
    ascent = Ascent(both.relaxation)
    ascent.climb(2)
    root = ascent.bound()
    server = both.relaxation.node_of[int((model.weights() * model.n_servers).argmax())]
    middle = int(np.searchsorted(root.share[server], 0.5))

    def worse_side(week: int) -> int:
        values = []
        for side in (slice(0, week + 1), slice(week + 1, None)):
            may_end = both.relaxation.may_end.copy()
            may_end[server] = False
            may_end[server, side] = both.relaxation.may_end[server, side]
            left = propagated(both.relaxation._replace(may_end=may_end))
            assert left is not None
            ascent = Ascent(dated(model, left), root)
            ascent.climb(2)
            values.append(ascent.bound().value)
        return min(values)

    of_first, of_middle = worse_side(0), worse_side(middle)
    assert (of_first > of_middle) == first_is_better
    tree = Branching(model, both, root, Clock(Stop()))
    tree.branch(math.inf)
    assert tree.bound is not None
    assert tree.bound >= max(of_first, of_middle)


@pytest.mark.skipif(not IS_COMPILED, reason="takes minutes as plain Python")
def test_a_tree_tells_alike_clients_apart_in_the_end(tmp_path: Path) -> None:
    problem = problem_of(tmp_path)
    found = true_optimum(problem.model)
    assert found is not None
    both = merged_of(problem)
    root = Ascent(both.relaxation).bound()
    tree, n_nodes = Branching(problem.model, both, root, Clock(Stop())), set()
    while (bound := tree.branch(found[0] + 1)) is not None:
        n_nodes.add(len(bound.share))
    assert n_nodes == {len(both.relaxation.may_end), len(both.whole.may_end)}
    assert tree.bound == found[0]
