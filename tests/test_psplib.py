"""Published scheduling instances, mapped onto the constraints of rollout orders.

An instance of PSPLIB has activities of some weeks that follow each other and share resources. Here
an activity that takes `d` weeks and `r` of a resource is `d` groups of `r` hosts, each group on one
day, the groups exactly a week apart, and the resource is a weekly capacity. One resource at a time
bounds the clients, so that the instance is relaxed: no order may finish below its published lower
bound, the length of the critical path.

The instances come from the archive of the psplib package, which `make test` fetches.
"""

import sys
import tarfile
from datetime import date
from functools import cache
from itertools import pairwise
from pathlib import Path

import psplib
import pytest

import planner
from planner.domain.calendar import to_day
from planner.domain.fleet import Fleet
from planner.domain.plan import Plan
from planner.ordering.problem import compile_problem
from planner.ordering.rules import constraints_of
from planner.ordering.scheduler import Stuck, schedule_blocks
from planner.ordering.strategies import STRATEGIES
from tests.builders import case, client, rule, server, session
from tests.comparison import plan_of_case
from tests.oracle import Row

FOLDER = Path(__file__).parent / "psplib"
START = "2025-01-06"
END = "2029-01-01"
FREE = 1_000
"""Capacity that bounds nothing."""


@cache
def instance_text(name: str) -> str:
    (pin,) = (line for line in (FOLDER / "archive.txt").read_text().splitlines() if "==" in line)
    name_and_version = pin.split()[0].replace("==", "-")
    path = Path(sys.prefix) / "archives" / f"{name_and_version}.tar.gz"
    assert path.exists(), f"{path} is missing; `make test` fetches it, CONTRIBUTING.md says how"
    with tarfile.open(path) as tar:
        content = tar.extractfile(f"{name_and_version}/data/{name}")
        assert content is not None
        return content.read().decode()


def critical_path(text: str) -> int:
    """The published lower bound: `MPM-Time` in the instance's own heading."""
    lines = text.splitlines()
    (heading,) = (number for number, line in enumerate(lines) if line.startswith("pronr."))
    return int(lines[heading + 1].split()[-1])


def fleet_of(instance: psplib.ProjectInstance, resource: int) -> Fleet:
    """Hosts of all activities; those that use other resources are servers, which nothing bounds."""
    clients: list[Row] = []
    servers: list[Row] = [server("base", level="8.1.13")]
    rules: list[Row] = []
    ends: dict[int, tuple[str, str]] = {}
    for number, activity in enumerate(instance.activities):
        (mode,) = activity.modes
        demand = mode.demands[resource]
        groups = [
            [f"a{number}w{week}h{host}" for host in range(max(1, demand))]
            for week in range(max(1, mode.duration))
        ]
        for group in groups:
            rules += [rule("together", group[0], host, days="0") for host in group[1:]]
            table, row = (clients, client) if demand else (servers, server)
            table += [row(host, target_level="8.1.13") for host in group]
        for earlier, later in pairwise(groups):
            rules += [rule(kind, earlier[0], later[0], days="7") for kind in ("before", "together")]
        ends[number] = (groups[0][0], groups[-1][0])
    for number, activity in enumerate(instance.activities):
        takes_time = activity.modes[0].duration > 0
        for successor in activity.successors:
            gap = "7" if takes_time else "0"
            rules.append(rule("before", ends[number][1], ends[successor][0], days=gap))
    return plan_of_case(
        case(
            start=START,
            end=END,
            servers=servers,
            clients=clients,
            sessions=[session(row["client"], "base") for row in clients],
            rules=rules,
            capacity={
                "clients_per_week": instance.resources[resource].capacity,
                "servers_per_week": FREE,
            },
            plan=None,
        )
    ).fleet


def case_of(folder: Path, resource: int) -> tuple[Fleet, int]:
    """The fleet of an instance, and the instance's published lower bound [weeks]."""
    text = instance_text("j301_1.sm")
    path = folder / "j301_1.sm"
    path.write_text(text)
    return fleet_of(psplib.parse(path, instance_format="psplib"), resource), critical_path(text)


def weeks_of(plan: Plan) -> int:
    days = plan.day - to_day(date.fromisoformat(START))
    return int(days.max()) // 7 - int(days.min()) // 7


@pytest.mark.parametrize("resource", range(4))
def test_an_order_of_a_published_instance_is_feasible_and_not_below_its_lower_bound(
    tmp_path: Path, resource: int
) -> None:
    fleet, bound = case_of(tmp_path, resource)
    problem = compile_problem(fleet, constraints_of(fleet))
    days = schedule_blocks(problem, STRATEGIES["as-drafted"](problem, None))
    assert not isinstance(days, Stuck)
    plan = problem.plan_of(days)
    assert list(planner.check_order(plan)) == []
    assert weeks_of(plan) >= bound == 38


@pytest.mark.long
@pytest.mark.parametrize("resource", range(4))
def test_a_search_does_not_go_below_the_lower_bound_either(tmp_path: Path, resource: int) -> None:
    fleet, bound = case_of(tmp_path, resource)
    finish = planner.Objective(exposure=0.0, finish=1.0)
    result = planner.optimise(fleet, objective=finish, stop=planner.Stop(iterations=20))
    assert list(planner.check_order(result.best)) == []
    assert weeks_of(result.best) >= bound
