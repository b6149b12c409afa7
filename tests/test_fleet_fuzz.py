"""Random fleets through writer, readers and engine against the oracle; garbled ones through all.

`pytest -m long tests/test_fleet_fuzz.py -n 2` takes 100,000 fleets, in parts of 5,000.
"""

import random
import shutil
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from planner.domain.errors import PlannerError
from planner.domain.plan import Plan
from planner.engine.findings import check
from planner.engine.timeline import simulate
from planner.inventory.fleet_folder import read_fleet
from planner.inventory.fleet_writer import write_fleet
from planner.inventory.plan_file import read_plan
from planner.inventory.schema import FILES
from tests.builders import write_case
from tests.comparison import answer_of, differences
from tests.oracle import Case, solve
from tests.strategies import random_case

FIRST_SEED = 1_000_000  # other fleets than those of every other test
N_PARTS = 20
FLEETS_OF_A_PART = 5_000
PIECES = (
    *("", ",", '"', "\n", "\r", "\0", ";", "\t", "\ufeff", "'", "=1+1", "../x", "é", "\ud800"),
    *("Yes", "No", "2025-03-10", "2025-02-30", "0001-01-01", "9999-12-31", "8.1.13", "8.1", "-1"),
    *("1e999", "nan", "99999999999999999999", "root", "leaf", "default", "LDAP", "Strict"),
    *("upgrade-server", "set-option", "ssl", "true", "[", "]", "=", "x" * 500),
)


def fleet_of(seed: int) -> Case:
    """Return a random fleet of up to 5 to 30 sessions."""
    return random_case(random.Random(seed), sessions=5 + seed % 26)


def read_plan_in(folder: Path) -> Plan:
    """Return the plan of a folder as a user's files give it."""
    fleet = read_fleet(folder)
    file = folder / "plan.csv"
    return read_plan(file, fleet) if file.exists() else fleet.draft_plan()


def read_copy(case: Case, folder: Path) -> Plan:
    """Return a case's plan after its fleet was read, written by the kit, and read again."""
    write_case(case, folder / "source")
    write_fleet(read_fleet(folder / "source"), folder / "copy")
    if case.plan is not None:
        shutil.copy(folder / "source" / "plan.csv", folder / "copy")
    return read_plan_in(folder / "copy")


def garble(folder: Path, rng: random.Random) -> None:
    """Change one to three places of the files of a folder."""
    for _ in range(rng.randint(1, 3)):
        names = ["fleet.toml", *FILES, "plan.csv"]
        file = rng.choice([folder / name for name in names if (folder / name).exists()])
        text = file.read_bytes().decode("utf-8", "surrogatepass")
        cells = [i for i, letter in enumerate(text) if letter in ',\n="'] or [0]
        begin = rng.choice(cells) + rng.randint(0, 1)
        later = [cell for cell in cells if cell > begin]
        end = rng.choice((begin, later[0] if later else begin, begin + 1))
        text = text[:begin] + rng.choice(PIECES) + text[end:]
        file.write_bytes(text.encode("utf-8", "surrogatepass"))


def outcome_of_garbled(folder: Path) -> str:
    """Return how the kit ends on garbled files: an error that says where, or all results."""
    try:
        plan = read_plan_in(folder)
    except PlannerError as error:
        lines = str(error).splitlines()
        assert lines, folder
        assert all(": " in line for line in lines), lines
        return "refused"
    check(simulate(plan))
    return "taken"


def check_fleets(seeds: range, folder: Path) -> Counter[str]:
    """Hold each fleet against the oracle, and garble it; count how the garbled ones end."""
    outcomes: Counter[str] = Counter()
    for seed in seeds:
        case = fleet_of(seed)
        own = folder / str(seed)
        assert differences(answer_of(read_copy(case, own)), solve(case)) == [], f"seed {seed}"
        garble(own / "copy", random.Random(seed))
        outcomes[outcome_of_garbled(own / "copy")] += 1
        shutil.rmtree(own)
    return outcomes


def test_random_fleets_are_written_read_and_computed_as_the_oracle_says(tmp_path: Path) -> None:
    outcomes = check_fleets(range(60), tmp_path)
    assert set(outcomes) == {"refused", "taken"}


def test_the_comparison_sees_a_plan_that_was_not_copied(tmp_path: Path) -> None:
    case = next(case for case in map(fleet_of, range(60)) if case.plan and case.sessions)
    read_copy(case, tmp_path)
    (tmp_path / "copy" / "plan.csv").unlink()
    assert differences(answer_of(read_plan_in(tmp_path / "copy")), solve(case)) != []


@pytest.mark.long
@pytest.mark.timeout(0)
@pytest.mark.parametrize("part", range(N_PARTS))
def test_a_hundred_thousand_fleets_are_computed_as_the_oracle_says(
    part: int, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    first = FIRST_SEED + part * FLEETS_OF_A_PART
    outcomes = check_fleets(range(first, first + FLEETS_OF_A_PART), tmp_path)
    # Shown by --junit-xml=FILE -o junit_family=xunit1.
    record_property("garbled fleets", dict(outcomes))
    assert set(outcomes) == {"refused", "taken"}
