"""The engine says what the oracle says, and obeys laws that need no oracle."""

import datetime
import random
import re
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from planner.domain.calendar import iso
from planner.domain.rules import RULES, Mode
from planner.engine import walks
from planner.engine.kernel import Strictness, nothing_distributed
from planner.engine.timeline import simulate
from tests.builders import action, case, certificate, client, server, session, trust
from tests.comparison import N_SEEDED, answer_of, differences, plan_of_case, solved
from tests.oracle import Answer, Case, solve
from tests.strategies import cases, random_case

PER_TEST = 25
NEW = "8.1.13"


def assert_as_the_oracle_says(fleet_case: Case) -> None:
    assert differences(answer_of(plan_of_case(fleet_case)), solve(fleet_case)) == []


@settings(max_examples=300, deadline=None)
@given(cases())
def test_the_engine_equals_the_oracle_on_drawn_fleets(fleet_case: Case) -> None:
    assert_as_the_oracle_says(fleet_case)


@pytest.mark.parametrize("first", range(0, N_SEEDED, PER_TEST))
def test_the_engine_equals_the_oracle_on_seeded_fleets(first: int) -> None:
    for seed in range(first, first + PER_TEST):
        fleet_case, theirs = solved(seed)
        assert differences(answer_of(plan_of_case(fleet_case)), theirs) == [], f"seed {seed}"


def test_the_seeded_fleets_reach_every_rule() -> None:
    exercised: Counter[str] = Counter()
    for seed in range(N_SEEDED):
        plan = plan_of_case(random_case(random.Random(seed)))
        exercised.update(simulate(plan).rules_exercised())
    assert {rule.id for rule in RULES if not exercised[rule.id]} == set()


def _shifted(text: str, days: int) -> str:
    def shift(match: re.Match[str]) -> str:
        return (datetime.date.fromisoformat(match[0]) + datetime.timedelta(days=days)).isoformat()

    return re.sub(r"\d{4}-\d{2}-\d{2}", shift, text)


def _shift_rows(rows: list[dict[str, str]], days: int) -> list[dict[str, str]]:
    return [{name: _shifted(cell, days) for name, cell in row.items()} for row in rows]


def _shift_value(value: object, days: int) -> object:
    match value:
        case dict():
            return {key: _shift_value(inner, days) for key, inner in value.items()}
        case list():
            return [_shift_value(inner, days) for inner in value]
        case datetime.date():
            return value + datetime.timedelta(days=days)
        case str():
            return _shifted(value, days)
        case _:
            return value


def _shift_case(fleet_case: Case, days: int) -> Case:
    return replace(
        fleet_case,
        toml={key: _shift_value(value, days) for key, value in fleet_case.toml.items()},
        servers=_shift_rows(fleet_case.servers, days),
        clients=_shift_rows(fleet_case.clients, days),
        certificates=_shift_rows(fleet_case.certificates, days),
        trust=_shift_rows(fleet_case.trust, days),
        plan=None if fleet_case.plan is None else _shift_rows(fleet_case.plan, days),
        rules=_shift_rows(fleet_case.rules, days),
    )


def _shift_answer(answer: Answer, days: int) -> Answer:
    return replace(
        answer,
        states=_shift_rows(answer.states, days),
        deadlines=_shift_rows(answer.deadlines, days),
        daily=_shift_rows(answer.daily, days),
        automatic=[tuple(_shifted(cell, days) for cell in row) for row in answer.automatic],
        strict={
            key: [(_shifted(a, days), _shifted(b, days)) for a, b in stretches]
            for key, stretches in answer.strict.items()
        },
    )


@settings(max_examples=60, deadline=None)
@given(cases(), st.integers(-200, 200).map(lambda weeks: 7 * weeks))
def test_shifting_a_plan_by_whole_weeks_shifts_its_results(fleet_case: Case, days: int) -> None:
    before = answer_of(plan_of_case(fleet_case))
    after = answer_of(plan_of_case(_shift_case(fleet_case, days)))
    assert differences(after, _shift_answer(before, days)) == []


@settings(max_examples=60, deadline=None)
@given(cases(), st.randoms(use_true_random=False))
def test_permuting_sessions_permutes_results(fleet_case: Case, rng: random.Random) -> None:
    # Names that only sessions.csv spells are shown as first written: one spelling each.
    sessions = [
        {name: cell.casefold() if name != "client" else cell for name, cell in row.items()}
        for row in fleet_case.sessions
    ]
    order = list(range(len(sessions)))
    rng.shuffle(order)
    before = answer_of(plan_of_case(replace(fleet_case, sessions=sessions)))
    permuted = replace(fleet_case, sessions=[sessions[place] for place in order])
    after = answer_of(plan_of_case(permuted))
    assert after.use_cases == [before.use_cases[place] for place in order]
    key = ("client", "server", "account", "key_database", "start")
    by_key = sorted(before.states, key=lambda row: [row[name] for name in key])
    assert sorted(after.states, key=lambda row: [row[name] for name in key]) == by_key
    assert after.deadlines == before.deadlines
    assert after.daily == before.daily
    assert after.exposure == pytest.approx(before.exposure)


def test_simulating_twice_gives_the_same_bytes() -> None:
    plan = plan_of_case(random_case(random.Random(7)))
    first, second = simulate(plan), simulate(plan)
    assert first.day.tobytes() == second.day.tobytes()
    assert first.rule.tobytes() == second.rule.tobytes()


@pytest.fixture
def two_days() -> Case:
    return case(
        servers=[server("alpha", level="8.1.1")],
        clients=[client("db1", level="8.1.1")],
        sessions=[session("db1", "alpha")],
        plan=[action("2025-03-10", "upgrade-server", server="alpha", value="8.1.13")],
    )


def test_segments_cover_the_horizon_without_gaps(two_days: Case) -> None:
    timeline = simulate(plan_of_case(two_days))
    fleet = timeline.plan.fleet
    assert timeline.day[0] == fleet.start
    assert timeline.until()[-1] == fleet.end
    assert np.all(timeline.day[1:] == timeline.until()[:-1])


def test_the_state_of_a_day_is_asked_for_by_day(two_days: Case) -> None:
    timeline = simulate(plan_of_case(two_days))
    upgrade = int(timeline.day[1])
    assert iso(upgrade) == "2025-03-10"
    assert RULES[timeline.rule_on(upgrade - 1)[0]].id == "old-server.plaintext"
    assert RULES[timeline.rule_on(upgrade)[0]].id == "old-client.plaintext"


def test_a_day_outside_the_horizon_is_refused(two_days: Case) -> None:
    timeline = simulate(plan_of_case(two_days))
    with pytest.raises(ValueError, match="outside the horizon"):
        timeline.rule_on(timeline.plan.fleet.end)


def test_results_cannot_be_written_to(two_days: Case) -> None:
    timeline = simulate(plan_of_case(two_days))
    with pytest.raises(ValueError, match="read-only"):
        timeline.day[0] = 0


def test_a_timeline_says_its_key_numbers(two_days: Case) -> None:
    timeline = simulate(plan_of_case(two_days))
    assert "1 sessions" in repr(timeline)
    assert "0 sessions refused" in repr(timeline)
    assert len(timeline) == 2


def test_a_timeline_counts_the_sessions_on_tls_at_the_end() -> None:
    built = case(
        servers=[server("SRV1", NEW)],
        clients=[client("BA01", NEW), client("BA02", NEW), client("BA03")],
        sessions=[
            session("BA01", "SRV1"),
            session("BA02", "SRV1", ssl="Yes"),
            session("BA03", "SRV1"),
        ],
        trust=[trust("BA01", "SRV1"), trust("BA02", "SRV1")],
    )
    assert repr(simulate(plan_of_case(built))).endswith(", 2 on TLS at the end)")


def test_the_days_refused_of_a_session_are_those_of_its_segments() -> None:
    n_refused = 0
    for seed in range(60):
        timeline = simulate(plan_of_case(solved(seed)[0]))
        program, sent = timeline.compiled.program, timeline.distributed
        strictness = Strictness(*(column.copy() for column in timeline.strictness))
        refused = (timeline.until() - timeline.day) * (timeline.mode() == Mode.REFUSED)
        by_segment = np.bincount(timeline.session(), refused, timeline.n_sessions).tolist()
        n_refused += sum(map(bool, by_segment))
        assert by_segment == [
            walks.refused_days_of(program, strictness, sent, session)
            for session in range(timeline.n_sessions)
        ]
    assert n_refused > 20


def test_a_timeline_without_sessions_counts_none() -> None:
    bare = case(servers=[server("SRV1")], clients=[client("BA01")], sessions=[])
    assert repr(simulate(plan_of_case(bare))) == (
        "Timeline(0 sessions, 28 days, 0 sessions refused at some time, 0 on TLS at the end)"
    )


# --- What random fleets rarely hold, against the oracle -------------------------------------------


def test_each_server_finds_a_successor_of_its_md5_certificate() -> None:
    def md5(name: str) -> dict[str, str]:
        return certificate(f"{name}-md5", signature="md5WithRSAEncryption", server=name)

    up = [action("2025-03-10", "upgrade-server", server=f"SRV{n}", value=NEW) for n in (1, 2, 3)]
    assert_as_the_oracle_says(
        case(
            servers=[server(f"SRV{n}", certificate=f"SRV{n}-md5") for n in (1, 2, 3)],
            clients=[client("BA01", NEW)],
            sessions=[session("BA01", f"SRV{n}") for n in (1, 2, 3)],
            certificates=[
                *(md5(f"SRV{n}") for n in (1, 2, 3)),
                certificate("first", server="SRV1"),
                certificate("third", server="SRV3"),
            ],
            trust=[trust("BA01", name) for name in ("first", "SRV2-cert256", "third")],
            plan=up,
        )
    )


def test_one_session_may_need_more_anchors_than_there_are_sessions() -> None:
    days = [f"2025-03-{number:02}" for number in range(4, 30)]
    replaced = [
        action(day, "replace-certificate", server="SRV1", certificate=f"of-{day}") for day in days
    ]
    assert_as_the_oracle_says(
        case(
            servers=[server("SRV1", NEW)],
            clients=[client("BA01", NEW)],
            sessions=[session("BA01", "SRV1")],
            plan=replaced,
        )
    )


@pytest.mark.parametrize("last", ["8.1.0", NEW])
def test_the_tool_of_a_client_that_was_retired_twice_is_that_of_its_last_level(last: str) -> None:
    plan = [
        action("2025-03-04", "upgrade-client", client="BA01", value=last),
        action("2025-03-06", "retire-client", client="BA01"),
        action("2025-03-07", "install-client", client="BA01", value=last),
        action("2025-03-10", "retire-client", client="BA01"),
        action("2025-03-12", "retire-client", client="BA01"),
        action("2025-03-14", "import-certificate", client="BA01", certificate="SRV1"),
    ]
    assert_as_the_oracle_says(
        case(
            servers=[server("SRV1", NEW)],
            clients=[client("BA01", "8.1.2" if last == "8.1.0" else "8.1.1")],
            sessions=[session("BA01", "SRV1", ssl="Yes")],
            plan=plan,
        )
    )


def test_a_list_of_nothing_distributed_has_the_columns_of_a_full_one() -> None:
    empty = nothing_distributed()
    assert [(len(column), column.dtype) for column in empty] == [(0, np.dtype(np.int32))] * 6


@pytest.mark.parametrize("kind", ["set-option", "upgrade-client", "upgrade-server"])
@pytest.mark.parametrize("n_steady", [0, 1, 30])
def test_a_session_may_change_more_often_than_most_do(kind: str, n_steady: int) -> None:
    cells = {
        "set-option": {"client": "BA01", "option": "SSL"},
        "upgrade-client": {"client": "BA01"},
        "upgrade-server": {"server": "SRV1"},
    }[kind]
    values = ("Yes", "No") if kind == "set-option" else ("8.1.9", "8.1.1")
    plan = [
        action(f"2025-03-{number:02}", kind, value=values[number % 2], **cells)
        for number in range(4, 31)
    ]
    steady = [f"AA{number:02}" for number in range(n_steady)]
    assert_as_the_oracle_says(
        case(
            servers=[server("SRV1", NEW)],
            clients=[*(client(name, "8.1.1") for name in steady), client("BA01", NEW)],
            sessions=[session(name, "SRV1") for name in (*steady, "BA01")],
            trust=[trust("BA01", "SRV1")],
            plan=plan,
        )
    )


@pytest.mark.parametrize("held", [(), ("loose",), ("own",), ("loose", "own")])
@pytest.mark.parametrize("imported", ["", "2025-03-05", "2025-03-12", "2025-03-13", "2025-03-20"])
@pytest.mark.parametrize("first", ["own", "loose"])
def test_a_server_that_changes_its_certificate_asks_for_each_in_its_time(
    held: tuple[str, ...], imported: str, first: str
) -> None:
    other = "own" if first == "loose" else "loose"
    plan = [
        action("2025-03-12", "replace-certificate", server="SRV1", certificate=other),
        action("2025-03-20", "replace-certificate", server="SRV1", certificate="third"),
    ]
    if imported:
        plan.append(
            action(imported, "import-certificate", client="BA01", certificate="third"),
        )
    assert_as_the_oracle_says(
        case(
            servers=[server("SRV1", NEW, certificate=first)],
            clients=[client("BA01", NEW)],
            sessions=[session("BA01", "SRV1")],
            certificates=[certificate("loose", kind="leaf"), certificate("own")],
            trust=[trust("BA01", name) for name in held],
            plan=plan,
        )
    )


@pytest.mark.parametrize("imported", ["", "2025-03-03", "2025-03-12"])
@pytest.mark.parametrize("ssl", ["No", "Yes"])
def test_a_server_that_goes_back_to_its_first_certificate_has_more_than_one(
    ssl: str, imported: str
) -> None:
    imports = [action(imported, "import-certificate", client="BA01", certificate="second")]
    assert_as_the_oracle_says(
        case(
            servers=[server("SRV1", NEW, certificate="first")],
            clients=[client("BA01", NEW)],
            sessions=[session("BA01", "SRV1", ssl=ssl)],
            certificates=[certificate("first"), certificate("second")],
            trust=[trust("BA01", "first")],
            plan=[
                action("2025-03-12", "replace-certificate", server="SRV1", certificate="second"),
                action("2025-03-20", "replace-certificate", server="SRV1", certificate="first"),
                *(imports if imported else []),
            ],
        )
    )


def test_an_account_is_strict_from_the_first_day_on_where_only_later_days_change_its_session() -> (
    None
):
    assert_as_the_oracle_says(
        case(
            servers=[server("SRV1", NEW)],
            clients=[client("BA01", NEW)],
            sessions=[session("BA01", "SRV1")],
            trust=[trust("BA01", "SRV1")],
            plan=[action("2025-03-10", "upgrade-client", client="BA01", value="8.1.22")],
        )
    )


@pytest.mark.parametrize("since", ["2025-03-30", "2025-03-31"])
def test_what_enters_on_the_day_after_the_last_one_never_does(since: str) -> None:
    assert_as_the_oracle_says(
        case(
            servers=[server("SRV1", NEW)],
            clients=[client("BA01", NEW)],
            sessions=[session("BA01", "SRV1")],
            trust=[trust("BA01", "SRV1", since=since)],
            plan=[],
        )
    )


@pytest.mark.parametrize("client_level", [NEW, "8.1.1"])
@pytest.mark.parametrize("back", ["", "2025-03-09", "2025-03-20"])
@pytest.mark.parametrize("only_of", ["", "SRV1", "SRV2"])
@pytest.mark.parametrize("day", ["2025-03-03", "2025-03-07"])
def test_a_client_may_refuse_certificates_here_and_now_and_take_them_elsewhere_or_later(
    day: str, only_of: str, back: str, client_level: str
) -> None:
    def accepts(when: str, value: str, server_name: str = "") -> dict[str, str]:
        cells = {"client": "BA01", "server": server_name, "option": "SSLACCEPTCERTFROMSERV"}
        return action(when, "set-option", value=value, **cells)

    names = ("SRV1", "SRV2")
    plan = [
        *(action("2025-03-07", "upgrade-server", server=name, value=NEW) for name in names),
        action("2025-03-06", "upgrade-client", client="BA01", value=NEW),
        accepts(day, "No", only_of),
    ]
    if back:
        plan.append(accepts(back, "Yes"))
    assert_as_the_oracle_says(
        case(
            servers=[server(name) for name in names],
            clients=[client("BA01", client_level)],
            sessions=[
                session("BA01", name, account=f"own-{name}", sslacceptcertfromserv="Yes")
                for name in names
            ],
            plan=plan,
        )
    )
