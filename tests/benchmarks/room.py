"""Benchmark of the planning room: `python -m tests.benchmarks.room`.

From a control to the finished picture, and from a drop to the state that the page draws, on a
fleet of 10,000 sessions. CPU time of the whole process, the best of several; the machine code of
the kernel is loaded beforehand.
"""

import argparse
import time
from collections.abc import Callable, Iterator, Sequence

import numpy as np

from planner.domain.calendar import to_date
from planner.engine.cards import weeks_of
from planner.engine.complete import complete
from planner.engine.deadlines import deadlines
from planner.engine.policies import under_policy
from planner.engine.timeline import simulate
from planner.reporting import plots
from planner.reporting.plots.film import MOST_ROWS
from planner.reporting.plots.style import quick_picture
from planner.widgets import DeadlineExplorer, FleetExplorer, PlanningBoard, SessionFilm
from planner.widgets.panel import Slider
from tests.benchmarks.fleets import synthetic_plan

SEED = 20260105


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description="Measure the planning room.")
    parser.add_argument("--sessions", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=7)
    chosen = parser.parse_args(arguments)
    plan = complete(synthetic_plan(chosen.sessions, SEED))
    timeline = simulate(plan)
    fleet = plan.fleet
    busiest = int(np.bincount(fleet.sessions.server).argmax())
    print(f"{fleet!r}")
    print(f"{MOST_ROWS} bars at most in a picture; CPU time, best of {chosen.rounds}")

    leads = _values(range(1, 1 + chosen.rounds))
    film_days = _values(range(fleet.start + 1, fleet.end, 7))
    fleet_days = _values(range(fleet.start + 1, fleet.end, 7))
    film = SessionFilm(timeline, fleet.servers.name[busiest])
    by_day, by_lead = FleetExplorer(timeline), DeadlineExplorer(plan)
    board = PlanningBoard(plan)
    weeks = [to_date(week) for week in dict.fromkeys(sorted(weeks_of(plan, board.deck)))]
    goals = _values(range(len(weeks)))
    lead = _values(range(1, 40))

    def compute() -> None:
        deadlines(simulate(under_policy(plan, lead_days=next(lead))))

    def draw() -> None:
        quick_picture(plots.deadline_heat(by_lead.value))

    for name, run in (
        ("simulate and deadlines under another lead", compute),
        ("draw the heat map of hosts and weeks", draw),
        ("lead slider to finished picture", lambda: _set(by_lead.lead_days, next(leads))),
        ("film slider to finished picture", lambda: _set(film.day, next(film_days))),
        ("fleet slider to finished picture", lambda: _set(by_day.day, next(fleet_days))),
        ("drop on the board to its new state", lambda: board.move(0, weeks[next(goals)])),
    ):
        print(f"{name:45} {1000 * _best(run, chosen.rounds):7.1f} ms")


def _set(control: Slider, value: int) -> None:
    control.value = value


def _values(values: Sequence[int]) -> Iterator[int]:
    """Return different values without end, so that each one is a change."""
    while True:
        yield from values


def _best(run: Callable[[], object], rounds: int) -> float:
    times = []
    for _ in range(rounds):
        start = time.process_time()
        run()
        times.append(time.process_time() - start)
    return min(times)


if __name__ == "__main__":
    main()
