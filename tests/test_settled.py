"""The short walk of settled sessions: which sessions take it, and what its table is made of."""

import random
from collections import Counter

import numpy as np

from planner.domain.calendar import iso
from planner.domain.levels import LevelFact
from planner.domain.rules import RULE_NUMBER, RULES
from planner.engine import settled
from planner.engine.kernel import TRUST_CHANGES
from planner.engine.needs import day_in_states
from planner.engine.timeline import simulate
from tests import builders
from tests.builders import action, case, client, server, trust
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
                client, server = program.session_client[session], program.session_server[session]
                n_levels = program.level_first[client + 1] - program.level_first[client]
                n_states = program.server_first[server + 1] - program.server_first[server]
                taken["one change each" if n_levels == n_states == 2 else "short"] += 1
            else:
                taken["long for want of trust"] += 1
            day = day_in_states(session, *states)
            taken["states do not tell" if day < 0 else "states tell the need"] += 1
    assert min(taken.values()) > 20, taken
    assert len(taken) == 6


def test_a_server_that_changes_twice_has_three_states_with_a_client_that_changes_once() -> None:
    built = case(
        servers=[server("SRV1", "8.1.0")],
        clients=[client("BA01", "8.1.0")],
        sessions=[builders.session("BA01", "SRV1")],
        trust=[trust("BA01", "SRV1")],
        plan=[
            action("2025-03-05", "upgrade-client", client="BA01", value="8.1.13"),
            action("2025-03-10", "upgrade-server", server="SRV1", value="8.1.10"),
            action("2025-03-17", "upgrade-server", server="SRV1", value="8.1.13"),
        ],
    )
    timeline = simulate(plan_of_case(built))
    assert settled.is_settled(timeline.compiled.program, 0)
    assert [
        (iso(day), RULES[rule].tls) for day, rule in zip(timeline.day, timeline.rule, strict=True)
    ][1:] == [
        ("2025-03-10", "TLS 1.2"),
        ("2025-03-17", "TLS 1.3"),
    ]


def test_the_room_that_is_made_for_a_settled_session_suffices() -> None:
    n_settled = 0
    for seed in range(40):
        timeline = simulate(plan_of_case(random_case(random.Random(seed))))
        program = timeline.compiled.program
        for session, n_segments in enumerate(np.diff(timeline.first).tolist()):
            if settled.is_settled(program, session) and settled.trusts_in_time(program, session):
                n_settled += 1
                assert n_segments <= settled.settled_room(program, session)
    assert n_settled > 20


def test_nobody_can_write_into_the_table_that_all_share() -> None:
    assert not settled.settled_table().flags.writeable


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
