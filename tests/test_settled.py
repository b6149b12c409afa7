"""The short walk of settled sessions: which sessions take it, and what its table is made of."""

import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from planner.domain.calendar import iso
from planner.domain.levels import LevelFact
from planner.domain.plan import Plan
from planner.domain.rules import RULE_NUMBER, RULES
from planner.engine import settled
from planner.engine.complete import complete
from planner.engine.deadlines import deadlines
from planner.engine.kernel import NEEDS_ANCHOR, TRUST_CHANGES, first_both_new, look
from planner.engine.timeline import Timeline, simulate
from planner.engine.timelines import CLIENT_CHANGES_ONCE
from tests import builders
from tests.builders import action, case, client, server, trust
from tests.comparison import plan_of_case
from tests.golden.tables import harbour
from tests.strategies import random_case

N_SEEDED = 150


def test_random_fleets_take_the_short_walk_and_the_long_one_often() -> None:
    # What the walks find is compared with the oracle in test_timeline.py, on these fleets too.
    taken: Counter[str] = Counter()
    for seed in range(N_SEEDED):
        timeline = simulate(plan_of_case(random_case(random.Random(seed))))
        program = timeline.compiled.program
        for session in range(timeline.n_sessions):
            if not settled.is_settled(program, session):
                taken["long"] += 1
            elif trusted_from(timeline, session) == settled.UNSETTLED:
                taken["long for want of trust"] += 1
            else:
                client, server = program.session_client[session], program.session_server[session]
                n_states = program.server_first[server + 1] - program.server_first[server]
                if program.client_state[client] & CLIENT_CHANGES_ONCE and n_states <= 2:
                    taken["one change each"] += 1
                else:
                    taken["short"] += 1
            told = timeline.needed[session] != settled.UNCLEAR
            taken["states tell the need" if told else "states do not tell"] += 1
    assert min(taken.values()) > 20, taken
    assert len(taken) == 6


def trusted_from(timeline: Timeline, session: int) -> int:
    program = timeline.compiled.program
    servers = settled.server_parts(program)
    return settled.trusts_from(program, servers, timeline.distributed, session)


def delayed(plan: Plan, seed: int) -> Plan:
    """Complete a plan, and make its imports later, some too late."""
    plan = complete(plan)
    imports = plan.where(action="import-certificate")
    day = plan.day.copy()
    day[imports] += np.random.default_rng(seed).integers(0, 40, len(imports), dtype=np.int32)
    return replace(plan, day=day)


def segments_of_the_long_walk(timeline: Timeline, session: int) -> list[tuple[int, int]]:
    """Day and rule of each segment, a day of change after the other."""
    program = timeline.compiled.program
    found: list[tuple[int, int]] = []
    day = program.start
    while day < program.end:
        rule, _, until = look(
            program, timeline.strictness, timeline.distributed, False, session, day
        )
        if not found or found[-1][1] != rule:
            found.append((day, rule))
        day = until
    return found


def plans_with_late_imports() -> Iterator[Plan]:
    """Plans of random fleets, and of the harbour, where most sessions are settled."""
    for seed in range(60):
        yield delayed(plan_of_case(random_case(random.Random(seed))), seed)
    for seed in range(3):
        yield delayed(harbour().plan, seed)


def test_sessions_that_come_to_trust_too_late_take_the_short_walk_and_it_says_the_same() -> None:
    n_late = 0
    for plan in plans_with_late_imports():
        timeline = simulate(plan)
        program = timeline.compiled.program
        for session in range(timeline.n_sessions):
            if not settled.is_settled(program, session):
                continue
            trusted = trusted_from(timeline, session)
            if trusted != settled.UNSETTLED:
                own = slice(timeline.first[session], timeline.first[session + 1])
                short = [*zip(timeline.day[own].tolist(), timeline.rule[own].tolist(), strict=True)]
                assert short == segments_of_the_long_walk(timeline, session), (plan, session)
                n_late += first_both_new(program, session) < trusted
    assert n_late > 100


def test_needs_that_the_states_tell_are_those_of_a_world_that_trusts_everything() -> None:
    n_told = 0
    for plan in plans_with_late_imports():
        timeline = simulate(plan)
        untold = np.full(timeline.n_sessions, settled.UNCLEAR, dtype=np.int32)
        n_told += int(np.count_nonzero(timeline.needed != untold))
        found, walked = deadlines(timeline), deadlines(replace(timeline, needed=untold))
        rows = [
            sorted(zip(*columns, strict=True))
            for columns in (
                (of.key_database(), of.anchor, of.needed, of.planned, of.verdict)
                for of in (found, walked)
            )
        ]
        assert rows[0] == rows[1], plan
    assert n_told > 1_000


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
            if (
                settled.is_settled(program, session)
                and trusted_from(timeline, session) != settled.UNSETTLED
            ):
                n_settled += 1
                assert n_segments <= settled.settled_room(program)
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
    entries = settled.settled_table()
    # By what the session holds, below the levels and the certificate of the server.
    holding, lacking = np.moveaxis(entries.reshape(-1, 2, 256), 1, 0) & settled.RULE_BITS
    of_trust = {rule.id for rule in RULES if TRUST_CHANGES[RULE_NUMBER[rule.id]]}
    never = {
        rule.id
        for rule in RULES
        if rule.id.startswith(("inactive", "local")) or rule.id == "old-client.strict-account"
    }
    assert {RULES[rule].id for rule in np.unique(holding)} == {
        rule.id for rule in RULES
    } - never - of_trust
    found = {RULES[rule].id for rule in np.unique(lacking)}
    assert found & of_trust == {
        "old-server.untrusted",
        "old-client.untrusted",
        "both-new.untrusted-not-accepted",
    }
    assert not NEEDS_ANCHOR[np.unique(lacking)].any()
