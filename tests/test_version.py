"""The version of the kit, in every output that can carry it."""

import tomllib
from pathlib import Path

import pytest

import planner
from planner import cli
from planner.domain.version import MADE_BY, PROGRAM, VERSION

ROOT = Path(__file__).parents[1]
FLEET = ROOT / "data" / "eight-cases"


def has_no_place_for_it(path: Path) -> bool:
    """Tables have fixed columns and stand beside what says it; certificates are others' work."""
    return (
        path.suffix == ".csv"
        or path.name in ("plots.json", "SHA256SUMS")
        or "bundles" in path.parts
    )


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder with what each command writes."""
    folder = tmp_path_factory.mktemp("out")
    (folder / "happened.csv").write_text("date,action,client,value\n")
    fleet, schedule = str(FLEET), str(folder / "plan" / "schedule.csv")
    tracked = ("--actuals", str(folder / "happened.csv"), "--today", "2027-03-15")
    commands: list[tuple[str, ...]] = [
        ("plan", fleet, "--runbooks", "--out", str(folder / "plan")),
        ("compare", fleet, schedule, schedule, "--out", str(folder / "compare")),
        ("track", fleet, "--plan", schedule, *tracked, "--out", str(folder / "track")),
        ("risk", fleet, "--plan", schedule, "--runs", "3", "--out", str(folder / "risk")),
    ]
    for arguments in commands:
        assert cli.main(arguments) in (cli.FINE, cli.HAS_ERRORS), arguments
    return folder


def test_every_output_but_tables_says_which_version_made_it(out: Path) -> None:
    seen = set()
    for folder in (path for path in out.iterdir() if path.is_dir()):
        for path in sorted(path for path in folder.rglob("*") if path.is_file()):
            if has_no_place_for_it(path.relative_to(folder)):
                continue
            assert VERSION.encode() in path.read_bytes(), path
            seen.add(path.suffix)
    assert seen == {".ics", ".json", ".md", ".png", ".svg", ".txt"}


def test_texts_name_the_program_with_its_version(out: Path) -> None:
    for name in ("compare/comparison.txt", "track/digest.txt", "risk/risk.txt"):
        assert (out / name).read_text().endswith(f"Made by {MADE_BY}.\n"), name
    assert f"{PROGRAM} {planner.__version__}" == MADE_BY


def test_the_program_is_called_as_its_package_is() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["name"] == PROGRAM
