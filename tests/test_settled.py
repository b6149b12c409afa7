"""The short walk of settled sessions: which sessions take it, and what its table is made of."""

import random
from collections import Counter

import numpy as np

from planner.domain.levels import LevelFact
from planner.domain.rules import RULE_NUMBER, RULES
from planner.engine import settled
from planner.engine.kernel import TRUST_CHANGES
from planner.engine.needs import day_in_states
from planner.engine.timeline import simulate
from tests.comparison import plan_of_case
from tests.strategies import random_case

N_SEEDED = 150


def test_random_fleets_take_the_short_walk_and_the_long_one_often() -> None:
    # What the walks find is compared with the oracle in test_timeline.py, on these fleets too.
    taken: Counter[str] = Counter()
    for seed in range(N_SEEDED):
        timeline = simulate(plan_of_case(random_case(random.Random(seed))))
        program = timeline.compiled.program
        states = timeline.first, timeline.day, timeline.rule
        for session in range(timeline.n_sessions):
            if not settled.is_settled(program, session):
                taken["long"] += 1
            elif settled.trusts_in_time(program, session):
                taken["short"] += 1
            else:
                taken["long for want of trust"] += 1
            day = day_in_states(session, *states)
            taken["states do not tell" if day < 0 else "states tell the need"] += 1
    assert min(taken.values()) > 50, taken
    assert len(taken) == 5


def test_the_parts_of_a_place_do_not_overlap_and_fill_the_table() -> None:
    client = {settled.client_part(facts) for facts in range(2 * max(LevelFact))}
    server = {
        settled.server_part(facts, state)
        for facts in range(2 * max(LevelFact))
        for state in range(16)
    }
    assert len(client) == len(server) == 16
    assert {c | s for c in client for s in server} == set(range(256))


def test_the_table_holds_every_rule_that_trust_and_a_transitional_account_allow() -> None:
    found = {RULES[rule].id for rule in np.unique(settled.settled_table())}
    never = {
        rule.id
        for rule in RULES
        if TRUST_CHANGES[RULE_NUMBER[rule.id]]
        or rule.id.startswith(("inactive", "local"))
        or rule.id == "old-client.strict-account"
    }
    assert found == {rule.id for rule in RULES} - never
