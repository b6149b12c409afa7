"""Proven gaps of `planner.optimise` on seeded fleets: `python -m tests.benchmarks.order_gaps`.

Bound and plan come from the same run; each plan is passed by the engine and the checker.
"""

import argparse
import sys
import time

from planner.ordering.optimise import optimise
from planner.ordering.stopping import Stop
from tests.benchmarks.order_fleets import SCENARIOS, WEIGHTS, order_fleet


def main() -> None:
    """Print one row for each fleet."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sessions", type=int, nargs="+", default=[50, 500, 5_000])
    parser.add_argument("--weights", nargs="+", choices=WEIGHTS, default=list(WEIGHTS))
    parser.add_argument("--scenarios", nargs="+", choices=SCENARIOS, default=list(SCENARIOS))
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--iterations", type=int, default=100_000)
    chosen = parser.parse_args()
    stop = Stop(iterations=chosen.iterations, seconds=chosen.seconds)
    # What is compiled once is not measured.
    optimise(order_fleet(50, weights="unit", scenario="full", seed=0), stop=Stop(iterations=30))
    print("| sessions | weights | scenario | objective | lower bound | gap | CPU |")
    print("|---|---|---|---|---|---|---|")
    for n_sessions in chosen.sessions:
        for weights in chosen.weights:
            for scenario in chosen.scenarios:
                fleet = order_fleet(n_sessions, weights=weights, scenario=scenario, seed=1)
                began = time.process_time()
                result = optimise(fleet, stop=stop)
                used = time.process_time() - began
                gap = "unknown" if result.gap is None else f"{result.gap:.2%}"
                print(
                    f"| {n_sessions:,} | {weights} | {scenario} | {result.value:,.0f} "
                    f"| {result.bound or 0:,.0f} | {gap} | {used:.0f} s |"
                )
                sys.stdout.flush()


if __name__ == "__main__":
    main()
