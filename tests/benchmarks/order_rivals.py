"""`planner.optimise` against solvers in the same time: `python -m tests.benchmarks.order_rivals`.

A rival's days become a plan by the same completion as ours. Every plan, ours as well, is valued by
the engine, and one that the checker finds fault with counts as none.
"""

import argparse
import sys
import time
from dataclasses import dataclass

import numpy as np

from planner.domain.fleet import Fleet
from planner.domain.plan import Plan
from planner.engine.deadlines import deadlines
from planner.engine.measures import measures
from planner.engine.timeline import simulate
from planner.ordering.checker import check_order
from planner.ordering.model import Ints
from planner.ordering.optimise import optimise
from planner.ordering.problem import compile_problem
from planner.ordering.rules import constraints_of
from planner.ordering.stopping import Stop
from tests.benchmarks.order_fleets import SCENARIOS, WEIGHTS, order_fleet
from tests.benchmarks.order_solvers import RIVALS


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One candidate on one fleet; no value where it found no feasible plan."""

    name: str
    value: float | None
    bound: float | None
    cpu: float


def value_of(plan: Plan) -> float | None:
    """Exposure by the engine; None where the checker finds fault."""
    return None if len(check_order(plan)) else measures(deadlines(simulate(plan))).exposure


def compare(fleet: Fleet, *, seconds: float) -> list[Row]:
    """Ours first, then each rival, all with the same time."""
    began = time.process_time()
    result = optimise(fleet, stop=Stop(iterations=1_000_000, seconds=seconds))
    used = time.process_time() - began
    rows = [Row(name="planner", value=value_of(result.best), bound=result.bound, cpu=used)]
    problem = compile_problem(fleet, constraints_of(fleet))
    # What the model leaves out is the same for all orders.
    ours = problem.model.cost(_days_of(result.best, problem.blocks.members))
    offset = result.value - ours / problem.scale
    for name, rival in RIVALS.items():
        began = time.process_time()
        answer = rival(problem.model, seconds)
        used = time.process_time() - began
        value = None if answer.days is None else value_of(problem.plan_of(answer.days))
        bound = answer.bound / problem.scale + offset
        rows.append(Row(name=name, value=value, bound=bound, cpu=used))
    return rows


def _days_of(plan: Plan, members: tuple[tuple[int, ...], ...]) -> Ints:
    """Day of each block in a plan, by the name of its first member."""
    from planner.domain.plan import UPGRADES
    from planner.ordering.rules import upgraded_endpoint

    day = {
        upgraded_endpoint(plan, row): int(plan.day[row]) - plan.fleet.start
        for row in range(len(plan))
        if plan.action[row] in UPGRADES
    }
    return np.array([day[block[0]] for block in members], dtype=np.int32)


def main() -> None:
    """Print one row for each candidate on each fleet."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sessions", type=int, nargs="+", default=[500, 5_000])
    parser.add_argument("--weights", nargs="+", choices=WEIGHTS, default=["log-normal"])
    parser.add_argument("--scenarios", nargs="+", choices=SCENARIOS, default=["caps", "full"])
    parser.add_argument("--seconds", type=float, default=60.0)
    chosen = parser.parse_args()
    # What is compiled once is not measured.
    optimise(order_fleet(50, weights="unit", scenario="full", seed=0), stop=Stop(iterations=30))
    print("| sessions | weights | scenario | candidate | objective | lower bound | margin | CPU |")
    print("|---|---|---|---|---|---|---|---|")
    for n in chosen.sessions:
        for weights in chosen.weights:
            for scenario in chosen.scenarios:
                fleet = order_fleet(n, weights=weights, scenario=scenario, seed=1)
                rows = compare(fleet, seconds=chosen.seconds)
                best = rows[0].value
                for row in rows:
                    margin = "" if not (row.value and best) else f"{row.value / best - 1:+.2%}"
                    value = "none feasible" if row.value is None else f"{row.value:,.0f}"
                    print(
                        f"| {n:,} | {weights} | {scenario} | {row.name} | {value} "
                        f"| {row.bound or 0:,.0f} | {margin} | {row.cpu:.0f} s |"
                    )
                    sys.stdout.flush()


if __name__ == "__main__":
    main()
