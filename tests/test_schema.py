from __future__ import annotations

import re
from pathlib import Path

import pytest

from planner.domain.options import OPTIONS
from planner.inventory.schema import (
    FILES,
    OPTIONAL_FILES,
    SCHEDULE,
    SESSIONS,
    TOML_ENTRY_KEYS,
    TOML_KEYS,
    TRUST,
    Column,
    find_column,
)
from tests.builders import COLUMNS

README = Path(__file__).parent.parent / "data" / "README.md"


def documented_rows(text: str, file: str) -> list[list[str]]:
    """Rows of the table in the chapter of one file."""
    chapter = re.split(r"^#+ ", text, flags=re.MULTILINE)
    body = next(part for part in chapter if part.startswith(f"`{file}`"))
    lines = [line for line in body.splitlines() if line.startswith("| `")]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]


def documented_names(text: str, file: str) -> list[str]:
    return [row[0].strip("` ") for row in documented_rows(text, file)]


ALL_FILES: dict[str, tuple[Column, ...]] = {**FILES, "schedule.csv": SCHEDULE}


@pytest.mark.parametrize("file", ALL_FILES)
def test_the_documented_columns_are_those_of_the_reader_in_order(file: str) -> None:
    text = README.read_text(encoding="utf-8")
    assert documented_names(text, file) == [column.name for column in ALL_FILES[file]]


@pytest.mark.parametrize("file", ALL_FILES)
def test_the_columns_documented_as_required_are_those_that_the_reader_requires(file: str) -> None:
    rows = documented_rows(README.read_text(encoding="utf-8"), file)
    required = {row[0].strip("` ") for row in rows if row[2] == "required"}
    needed = {column.name for column in ALL_FILES[file] if column.is_required}
    # A blank level means something, but the column has to be there.
    assert needed - {"level"} == required - {"level"}


def test_the_documented_keys_of_fleet_toml_are_those_of_the_reader_in_order() -> None:
    text = README.read_text(encoding="utf-8")
    assert documented_names(text, "fleet.toml") == list(TOML_KEYS)
    assert set(TOML_ENTRY_KEYS) <= set(TOML_KEYS)
    for row in documented_rows(text, "fleet.toml"):
        key = row[0].strip("` ")
        if key in TOML_ENTRY_KEYS:
            assert tuple(re.findall(r"`(\w+)`", row[1])) == TOML_ENTRY_KEYS[key]


def test_the_comparison_with_the_documentation_sees_one_changed_name() -> None:
    text = README.read_text(encoding="utf-8").replace("| `since` |", "| `sinke` |")
    assert documented_names(text, "trust.csv") != [column.name for column in TRUST]


def test_test_fleets_are_written_with_the_same_columns() -> None:
    names = {file.removesuffix(".csv"): columns for file, columns in FILES.items()}
    for name, columns in {**names, "plan": SCHEDULE}.items():
        assert COLUMNS[name].split(",") == [column.name for column in columns]


def test_optional_files_are_files() -> None:
    assert set(OPTIONAL_FILES) < set(FILES)


def test_every_option_has_a_column_of_sessions() -> None:
    names = [column.name for column in SESSIONS]
    assert all(option.column in names for option in OPTIONS)


@pytest.mark.parametrize(
    ("heading", "name"),
    [
        ("Key Database", "key_database"),
        ("key-database", "key_database"),
        (" SSL ", "ssl"),
        ("SSLREQ", "sslrequired"),
        ("tcpp", "tcpport"),
        ("commm", "commmethod"),
    ],
)
def test_headings_are_found_in_any_spelling(heading: str, name: str) -> None:
    found = find_column(heading, SESSIONS)
    assert found is not None
    assert found.name == name


@pytest.mark.parametrize("heading", ["", "s", "sslr", "clien", "keydatabases", "tcpports"])
def test_other_headings_are_none_of_the_columns(heading: str) -> None:
    assert find_column(heading, SESSIONS) is None
