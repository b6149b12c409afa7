from __future__ import annotations

from planner.inventory.hints import did_you_mean, nearest, quoted


def test_values_are_quoted_on_one_line_and_cut_where_they_are_long() -> None:
    assert quoted("db1") == "'db1'"
    assert quoted("a\nb\x1b") == "'a\\nb\\x1b'"
    assert quoted("x" * 60) == "'" + "x" * 60 + "'"
    assert quoted("x" * 100) == "'" + "x" * 60 + "...'"


def test_the_nearest_value_is_found_in_any_letter_case() -> None:
    assert nearest("DB-1", ["web", "db1"]) == "db1"
    assert nearest("zzz", ["web", "db1"]) is None
    assert nearest("dbx", ["db1"], cutoff=0.9) is None


def test_a_long_text_is_compared_with_nothing() -> None:
    assert nearest("x" * 100, ["x" * 99]) is None


def test_the_cure_names_the_nearest_value_or_what_to_do() -> None:
    assert did_you_mean("DB-1", ["db1"], "add it") == "did you mean 'db1'?"
    assert did_you_mean("zzz", ["db1"], "add it") == "add it"
