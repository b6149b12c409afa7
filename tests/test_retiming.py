"""Programs on other days, of a whole plan and of a part of its fleet."""

from __future__ import annotations

import random
from copy import copy
from dataclasses import replace
from itertools import pairwise

import numpy as np

from planner.domain.fleet import Numbers
from planner.domain.plan import Plan
from planner.engine.program import Program, compile_plan
from planner.engine.retiming import (
    Members,
    Retimable,
    Rows,
    as_compiled,
    groups_of,
    part_of,
    retimable,
    retimed,
)
from tests.builders import account, action, case, certificate, client, server, session, trust
from tests.comparison import plan_of_case
from tests.oracle import Case
from tests.strategies import random_case

NEW = "8.1.13"


def taken_apart(plan: Plan) -> tuple[Retimable, Rows]:
    """Return a plan's program and the rows of its actions."""
    return retimable(plan, compile_plan(plan))


def assert_equal(ours: Program, theirs: Program, *but: str) -> None:
    """Compare two programs column by column; the entries of one day of trust in any order."""
    for name in Program._fields:
        if not name.startswith(("trust_certificate", *but)):
            np.testing.assert_array_equal(getattr(ours, name), getattr(theirs, name), name)
    for first, last in pairwise(ours.trust_first.tolist()):
        own = slice(first, last)
        assert sorted(zip(ours.trust_day[own], ours.trust_certificate[own], strict=True)) == sorted(
            zip(theirs.trust_day[own], theirs.trust_certificate[own], strict=True)
        )


def built(*names: str) -> Case:
    """Build clients with a server each: all are upgraded, and import what SRV1 presents."""
    rows = {name: place for place, name in enumerate(("BA01", "BA02")) if name in names}
    return case(
        servers=[server("SRV1"), server("SRV2")],
        clients=[client(name) for name in rows],
        sessions=[
            session(name, f"SRV{place + 1}", tcpport=f"150{place}", key_database=f"own{place}")
            for name, place in rows.items()
        ],
        accounts=[account("SRV2", "BA02", session_security="Strict")] if "BA02" in names else [],
        certificates=[certificate("SRV1"), certificate("SRV2")],
        trust=[
            # What comes later by trust.csv does not slip: an import may come after it.
            trust(name, "SRV2", key_database=f"own{place}", since="" if place else "2025-03-16")
            for name, place in rows.items()
        ],
        plan=[
            *(
                action(f"2025-03-1{place}", "upgrade-client", client=name, value=NEW)
                for name, place in rows.items()
            ),
            action("2025-03-12", "upgrade-server", server="SRV1", value=NEW),
            action("2025-03-13", "upgrade-server", server="SRV2", value=NEW),
            *(
                action(
                    "2025-03-14",
                    "import-certificate",
                    client=name,
                    key_database=f"own{place}",
                    certificate="SRV1",
                )
                for name, place in rows.items()
            ),
        ],
    )


def test_on_the_days_of_the_plan_the_program_is_that_of_the_plan() -> None:
    for seed in range(40):
        plan = plan_of_case(random_case(random.Random(seed)))
        taken, rows = taken_apart(plan)
        program = retimed(taken, plan.day[rows.of_level], taken.program.trust_day)
        assert_equal(program, compile_plan(plan).program)


def days_later(plan: Plan, later: int) -> Plan:
    """Return a plan in which all actions on the first client come later."""
    day = plan.day.copy()
    day[plan.client == 0] += later
    return replace(plan, day=day)


def retimed_later(plan: Plan, later: int) -> Program:
    """Return the program of that plan by way of `retimed`."""
    taken, rows = taken_apart(plan)
    level_day = plan.day[rows.of_level] + later * (plan.client[rows.of_level] == 0)
    is_import = rows.of_trust >= 0
    trust_day = taken.program.trust_day.copy()
    trust_day[is_import] += later * (plan.client[rows.of_trust[is_import]] == 0)
    return retimed(taken, level_day.astype(np.int32), trust_day)


def test_on_other_days_the_program_is_that_of_a_plan_on_those_days() -> None:
    plan = plan_of_case(built("BA01", "BA02"))
    for later in (1, 3):
        moved = compile_plan(days_later(plan, later)).program
        assert_equal(retimed_later(plan, later), moved, "plan_")


def test_an_upgrade_after_the_end_has_no_effect() -> None:
    plan = plan_of_case(built("BA01", "BA02"))
    found, moved = retimed_later(plan, 40), compile_plan(days_later(plan, 40)).program
    assert found.level_first.tolist() == moved.level_first.tolist() == [0, 1, 3, 5, 7]
    assert found.level_day.tolist() == moved.level_day.tolist()


def second_client(whole: Retimable) -> tuple[Retimable, Numbers]:
    """Return the part of a plan that belongs to the second client, and its endpoints."""
    p, sessions = whole.program, np.array([1], dtype=np.int32)
    endpoints = np.array([1, 2, 3], dtype=np.int32)
    members = Members(
        sessions, endpoints, p.session_account[sessions], p.session_key_database[sessions]
    )
    return part_of(whole, members), endpoints


def test_a_part_of_a_fleet_has_the_program_of_a_fleet_of_its_own() -> None:
    plan = plan_of_case(built("BA01", "BA02"))
    taken, rows = taken_apart(plan)
    part, endpoints = second_client(taken)
    _, levels = groups_of(taken.level_first, endpoints)
    program = retimed(part, plan.day[rows.of_level[levels]], part.program.trust_day)
    alone = compile_plan(plan_of_case(built("BA02"))).program
    assert_equal(program, alone, "plan_", "account_name", "key_database_name")


def test_levels_and_servers_of_a_part_are_empty_until_it_is_retimed() -> None:
    taken, _ = taken_apart(plan_of_case(built("BA01", "BA02")))
    part = second_client(taken)[0].program
    of_fleet = {"server_tls12", "server_tcpport", "server_ssltcpport"}
    for name in Program._fields:
        if name.startswith(("level_", "server_", "known_", "client_state")):
            column, whole = getattr(part, name), getattr(taken.program, name)
            assert column.dtype == whole.dtype, name
            assert len(column) == (len(whole) if name in of_fleet else 0), name


def test_a_program_from_elsewhere_is_read_only_where_that_of_a_plan_is() -> None:
    taken, _ = taken_apart(plan_of_case(built("BA01", "BA02")))
    copies = taken.program._replace(**{n: copy(getattr(taken.program, n)) for n in Program._fields})
    found = as_compiled(taken._replace(program=copies)).program
    for name in Program._fields:
        column, own = getattr(found, name), getattr(taken.program, name)
        if isinstance(own, np.ndarray):
            assert column.flags.writeable == own.flags.writeable, name
