"""All checks together: none is forgotten, none shares its rule, and their order is fixed."""

import ast
import inspect
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import pytest

from planner.domain.calendar import NEVER
from planner.domain.findings import Finding, day_text
from planner.engine import deadline_checks, plan_checks, replacement_checks, session_checks
from planner.engine.deadlines import deadlines
from planner.engine.findings import CHECKS, check, check_deadlines
from planner.engine.review import Review
from planner.engine.timeline import simulate
from planner.inventory.fleet_folder import read_fleet
from tests.builders import action
from tests.comparison import read_case
from tests.golden.tables import assert_golden
from tests.reviewing import NEW, OLD, pair

MODULES = (session_checks, deadline_checks, plan_checks, replacement_checks)

# Issue 2, item 5: what at least must be found, and the rules that find it.
WANTED = {
    "refused sessions by reason": {
        "refused-{rule.reason}",
        "shared-account-lockout",
        "ldap-without-ssl",
    },
    "missing, late, tight, same-day, impossible deadlines": {"deadline-{verdict}"},
    "an anchor that expires before it stops being needed": {"certificate-expires"},
    "automatic distribution that would happen": {"automatic-distribution"},
    "shared account that locks out an old client": {"shared-account-lockout"},
    "reset without effect": {"reset-without-effect"},
    "SSL Yes before the server is new": {"ssl-before-server-new"},
    "LDAP with SSL No on an old server": {"ldap-without-ssl"},
    "MD5 default certificate": {"md5-certificate"},
    "security downgrade 7.1.8 -> 8.1.0/8.1.1": {"security-downgrade"},
    "unknown level": {"unknown-level"},
    "replication source upgraded after its target": {"replication-order"},
    "action outside its site's window, in a freeze, or over capacity": {
        "outside-window",
        "in-freeze",
        "over-capacity",
    },
    "action on an endpoint that does not exist, or twice": {"unknown-endpoint", "repeated-action"},
    "a transitional account on a server below 8.1.15": {"transitional-account"},
    "options that are set but ignored": {"ignored-option", "ignored-account-option"},
}


def checks_of(module: ModuleType) -> list[Callable[[Review], Iterator[Finding]]]:
    """Return the checks that a module defines."""
    return [
        function
        for name, function in inspect.getmembers(module, inspect.isfunction)
        if name.startswith("check_for_") and function.__module__ == module.__name__
    ]


def rules_in(module: ModuleType) -> dict[str, set[str]]:
    """Return the rules that each function of a module writes into findings."""
    rules: dict[str, set[str]] = {}
    for function in ast.walk(ast.parse(inspect.getsource(module))):
        if not isinstance(function, ast.FunctionDef):
            continue
        for call in ast.walk(function):
            if not isinstance(call, ast.Call):
                continue
            named = [word.value for word in call.keywords if word.arg == "rule"]
            if isinstance(call.func, ast.Attribute) and call.func.attr == "finding_on_action":
                named.append(call.args[1])
            for value in named:
                text = ast.unparse(value).removeprefix("f").strip("'\"")
                rules.setdefault(text, set()).add(function.name)
    return rules


def test_every_check_runs() -> None:
    defined = {function for module in MODULES for function in checks_of(module)}
    assert set(CHECKS) == defined
    assert len(CHECKS) == len(defined)


def test_no_two_checks_share_a_rule() -> None:
    helpers = {
        "_ignored_in_files": "check_for_ignored_options",
        "_ignored_in_plan": "check_for_ignored_options",
        "_repeated_upgrades": "check_for_repeated_actions",
        "_repeated_rows": "check_for_repeated_actions",
    }
    for module in MODULES:
        for rule, functions in rules_in(module).items():
            checks = {helpers.get(name, name) for name in functions}
            assert len(checks) == 1, rule
    names = [rule for module in MODULES for rule in rules_in(module)]
    assert len(names) == len(set(names))


def test_everything_that_must_be_found_has_a_rule() -> None:
    known = {rule for module in MODULES for rule in rules_in(module)}
    for what, rules in WANTED.items():
        assert rules <= known, what


def test_the_reader_of_rules_finds_them_by_their_function() -> None:
    # Checks the checker.
    assert rules_in(plan_checks)["unknown-level"] == {"check_for_unknown_levels"}
    assert rules_in(plan_checks)["in-freeze"] == {"check_for_the_calendar"}


def test_findings_are_sorted_worst_first_then_by_day_rule_and_subject(tmp_path: Path) -> None:
    plan = (
        action("2025-03-19", "upgrade-client", client="ghost", value=NEW),
        action("2025-03-12", "upgrade-client", client="ghost", value=NEW),
        action("2025-03-12", "upgrade-client", client="a-ghost", value=OLD),
    )
    found = check(simulate(read_case(pair(server_level="8.1.14", plan=plan), tmp_path)))
    keys = [(row.severity, row.day, row.rule, row.subject) for row in found]
    order = {"error": 0, "warning": 1, "note": 2}
    assert keys == sorted(keys, key=lambda key: (order[key[0]], *key[1:]))
    assert {row.severity for row in found} == {"error", "warning", "note"}


def test_what_the_reader_noticed_is_among_the_findings(tmp_path: Path) -> None:
    plan = read_case(pair(), tmp_path)
    path = tmp_path / "clients.csv"
    head, row = path.read_text().splitlines()
    path.write_text(f"{head},colour\n{row},red\n")
    assert not check(simulate(plan)).of("extra-column").rows
    assert check(simulate(read_fleet(tmp_path).draft_plan())).of("extra-column").rows


def test_deadlines_that_are_computed_already_give_the_same_findings(tmp_path: Path) -> None:
    timeline = simulate(read_case(pair(server_level=OLD), tmp_path))
    assert check(timeline).rows == check_deadlines(deadlines(timeline)).rows


@pytest.mark.parametrize("module", MODULES)
def test_the_docstring_of_every_check_says_what_it_reports(module: ModuleType) -> None:
    checks = checks_of(module)
    assert checks
    assert [one.__name__ for one in checks if not (one.__doc__ or "").startswith("Report ")] == []


def test_findings_show_themselves_as_a_table(tmp_path: Path) -> None:
    found = check(simulate(read_case(pair(server_level="8.1.14"), tmp_path)))
    assert len(found) > 0
    assert f">{found.rows[0].rule}<" in found._repr_html_()


def test_a_day_in_a_sentence_is_a_date_or_never() -> None:
    assert day_text(NEVER) == "never"
    assert day_text(20_000) == "2024-10-04"


def test_findings_of_random_fleets_say_what_they_said() -> None:
    assert_golden("findings_of_every_kind.csv")
