"""The golden tables, what they are made from, and their comparison."""

import dataclasses
import difflib
import random
import re
from collections import defaultdict
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Final

import pandas as pd

import planner
from planner.domain.findings import Finding, Findings
from planner.domain.options import OPTIONS
from planner.domain.plan import Plan
from planner.domain.platforms import FOLDERS
from planner.engine.deadlines import Deadlines
from planner.engine.findings import check
from planner.engine.timeline import Timeline, simulate
from planner.reporting import tables
from planner.reporting.run import Run
from tests.comparison import plan_of_case
from tests.strategies import random_case

FOLDER: Final = Path(__file__).parent
N_FLEETS: Final = 100
MOST_OF_A_RULE: Final = 4
DATA: Final = FOLDER.parents[1] / "data"


@cache
def eight_cases() -> Run:
    """Return the completed plan of data/eight-cases and all that follows from it."""
    return planner.plan(DATA / "eight-cases")


@cache
def harbour() -> Run:
    """Return the completed plan of data/harbour and all that follows from it."""
    return planner.plan(DATA / "harbour")


@cache
def first_draft() -> Run:
    """Return the faulty plan of data/harbour and all that follows from it."""
    return planner.plan(DATA / "harbour", plan=DATA / "harbour" / "first-draft.csv")


def findings_of_every_kind() -> Findings:
    """Return findings of random fleets: of each rule those that differ in more than names."""
    chosen: dict[str, dict[str, Finding]] = defaultdict(dict)
    for seed in range(N_FLEETS):
        case = random_case(random.Random(seed))
        for row in check(simulate(plan_of_case(case))):
            shape = re.sub(r"\S*[\dA-Z_-]\S*", "", f"{row.why} {row.fix}")
            if len(chosen[row.rule]) < MOST_OF_A_RULE:
                chosen[row.rule].setdefault(shape, row)
    return Findings(tuple(row for rule in sorted(chosen) for row in chosen[rule].values()))


def options() -> pd.DataFrame:
    """Return the table of options."""
    return pd.DataFrame([dataclasses.asdict(option) for option in OPTIONS])


def folders() -> pd.DataFrame:
    """Return the folders of each platform."""
    rows = [{"platform": name, **dataclasses.asdict(row)} for name, row in FOLDERS.items()]
    return pd.DataFrame(rows)


TABLES: Final[Mapping[str, Callable[[], Plan | Timeline | Deadlines | Findings | pd.DataFrame]]] = {
    "eight-cases/schedule.csv": lambda: eight_cases().plan,
    "eight-cases/session_states.csv": lambda: eight_cases().timeline,
    "eight-cases/trust_deadlines.csv": lambda: eight_cases().deadlines,
    "first_draft_findings.csv": lambda: first_draft().findings,
    "findings_of_every_kind.csv": findings_of_every_kind,
    "folders.csv": folders,
    "options.csv": options,
    "rules.csv": tables.rules,
}
"""Every golden file, and what it shows."""


def table_of(name: str) -> pd.DataFrame:
    """Return the table that a golden file should hold."""
    made = TABLES[name]()
    return made if isinstance(made, pd.DataFrame) else made.to_frame()


def text_of(table: pd.DataFrame) -> str:
    """Return a table as its CSV file has it."""
    return table.to_csv(index=False, lineterminator="\n")


def differing_rows(table: pd.DataFrame, golden: str) -> list[str]:
    """Return the rows of a golden text that the table lacks (`-`), and those it adds (`+`)."""
    if text_of(table) == golden:
        return []
    lines = difflib.unified_diff(golden.splitlines(), text_of(table).splitlines(), lineterm="", n=0)
    return [line for line in lines if not line.startswith(("---", "+++", "@@"))] or ["line ends"]


def assert_golden(name: str, table: pd.DataFrame | None = None) -> None:
    """Fail with the differing rows unless a table, or the one made now, is the golden file's."""
    golden = (FOLDER / name).read_bytes().decode()
    rows = differing_rows(table_of(name) if table is None else table, golden)
    if rows:
        shown = "\n".join([golden.splitlines()[0], *rows[:40]])
        more = f"\n... and {len(rows) - 40} more" if len(rows) > 40 else ""
        raise AssertionError(
            f"tests/golden/{name} differs in {len(rows)} rows (- golden, + now); judge them, then "
            f"`python -m tests.golden` writes it anew:\n{shown}{more}"
        )


def write() -> None:
    """Write every golden file anew."""
    for name in TABLES:
        text = text_of(table_of(name))
        (FOLDER / name).write_text(text, encoding="utf-8", newline="\n")
