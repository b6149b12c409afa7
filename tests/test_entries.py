"""What enters and leaves key databases: in order of days, whatever the order of the plan."""

import random

import numpy as np
import pytest

from planner.domain.plan import Action, Plan
from planner.engine.program import compile_plan
from planner.engine.timeline import simulate
from tests import builders
from tests.builders import action, case, client, server, trust
from tests.comparison import plan_of_case
from tests.strategies import random_case


def is_by_day(plan: Plan) -> bool:
    program = compile_plan(plan).program
    groups = zip(program.trust_first[:-1], program.trust_first[1:], strict=True)
    days = program.trust_day.astype(np.int64)
    return all((np.diff(days[begin:end]) >= 0).all() for begin, end in groups)


def test_a_plan_means_the_same_in_whatever_order_its_days_stand() -> None:
    n_moved = 0
    for seed in range(80):
        plan = plan_of_case(random_case(random.Random(seed)))
        by_day = plan._picked(np.argsort(plan.day, kind="stable").astype(np.int32))
        # Days in reverse, the order within each day kept.
        reversed_days = plan._picked(np.argsort(-plan.day, kind="stable").astype(np.int32))
        found, mixed = simulate(by_day), simulate(reversed_days)
        assert found.day.tolist() == mixed.day.tolist(), seed
        assert found.rule.tolist() == mixed.rule.tolist(), seed
        assert is_by_day(by_day)
        assert is_by_day(reversed_days)
        entering = plan.action == Action.IMPORT_CERTIFICATE
        n_moved += int(entering.sum() > 1)
    assert n_moved > 20


@pytest.mark.parametrize("kinds", [("remove", "import"), ("import", "remove")])
def test_on_one_day_certificates_enter_before_others_leave(kinds: tuple[str, str]) -> None:
    built = case(
        servers=[server("SRV1", "8.1.13")],
        clients=[client("BA01", "8.1.13")],
        sessions=[builders.session("BA01", "SRV1")],
        trust=[trust("BA01", "SRV1")],
        plan=[
            action("2025-03-05", f"{kind}-certificate", client="BA01", certificate="SRV1")
            for kind in kinds
        ],
    )
    program = compile_plan(plan_of_case(built)).program
    assert program.trust_held.tolist() == [True, True, False]
