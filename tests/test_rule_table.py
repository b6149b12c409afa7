from __future__ import annotations

from pathlib import Path

import pytest

import planner
from planner.domain.calendar import NEVER, iso
from planner.domain.errors import InventoryError
from planner.domain.order_rules import OrderRule, RuleKind
from tests.builders import case, client, rule, server, session, write_case
from tests.oracle import Row


def folder_with(tmp_path: Path, *rules: Row) -> Path:
    write_case(
        case(
            servers=[server("srv")],
            clients=[client("a"), client("b")],
            sessions=[session("a", "srv")],
            rules=rules,
        ),
        tmp_path,
    )
    return tmp_path


def test_rules_are_read_with_their_defaults_in_any_letter_case(tmp_path: Path) -> None:
    folder = folder_with(
        tmp_path,
        rule("Before", "A", "SRV", days="3", hard="n"),
        rule("latest", "srv", "2025-03-21"),
        rule("pilot", "b"),
    )
    first, second, third = planner.read_fleet(folder).rules
    assert (first.kind, first.first, first.then, first.days, first.hard) == (
        RuleKind.BEFORE,
        0,
        2,
        3,
        False,
    )
    assert (second.first, second.then, iso(second.day), second.hard) == (2, -1, "2025-03-21", True)
    assert (third.kind, third.day, third.days) == (RuleKind.PILOT, NEVER, 0)


def test_a_rule_made_in_python_has_the_defaults_of_the_file() -> None:
    assert OrderRule(kind=RuleKind.PILOT, first=3) == OrderRule(
        kind=RuleKind.PILOT,
        first=3,
        then=-1,
        day=NEVER,
        days=0,
        hard=True,
        reason="",
        file="rules.csv",
        line=0,
    )


def test_every_fault_is_reported_with_its_cure(tmp_path: Path) -> None:
    folder = folder_with(
        tmp_path,
        rule("befor", "a", "b"),
        rule("before", "a", "c"),
        rule("before", "a"),
        rule("fixed", "a", "soon"),
        rule("earliest", "a"),
        rule("pilot", "a", "b"),
        rule("together", "a", "a"),
        rule("before", "a", "b", days="99999"),
    )
    with pytest.raises(InventoryError) as caught:
        planner.read_fleet(folder)
    assert [str(fault) for fault in caught.value.faults] == [
        "rules.csv:2: kind 'befor' is not known; did you mean 'before'? use one of before, "
        "together, earliest, latest, fixed, pilot",
        "rules.csv:3: then 'c' is neither in clients.csv nor in servers.csv; add it there, or "
        "correct the name",
        "rules.csv:4: then '' is empty; a rule before needs an endpoint there",
        "rules.csv:5: then 'soon' is not a date; write it as 2027-01-31",
        "rules.csv:6: then '' is empty; a rule earliest needs a date there",
        "rules.csv:7: then 'b' is given for a pilot; leave it empty: pilots come first of all",
        "rules.csv:8: then 'a' is first itself; name another endpoint",
        "rules.csv:9: days '99999' is no number of days; write a number from 0 to 3660",
    ]


def test_rules_that_are_written_read_back(tmp_path: Path) -> None:
    rules = [rule("before", "a", "srv", days="3", hard="No"), rule("fixed", "b", "2025-03-21")]
    fleet = planner.read_fleet(folder_with(tmp_path / "one", *rules))
    planner.write_fleet(fleet, tmp_path / "two")
    assert planner.read_fleet(tmp_path / "two").rules == fleet.rules
