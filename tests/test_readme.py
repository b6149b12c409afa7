"""What the README says: its commands, names, files and figures are those of the program."""

import json
import re
import shlex
from pathlib import Path

import pytest

import planner
from planner.cli import main
from planner.ordering.strategies import STRATEGIES
from planner.reporting.handout import FOLDERS

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
EIGHT = ROOT / "data" / "eight-cases"
OPTIMISED = re.compile(r"\| optimised, (\d+) iterations \| ([\d,]+) \|")
BOUND = re.compile(r"\| lower bound of the same run \(gap ([\d.]+) %\) \| ([\d,]+) \|")


def number(text: str) -> int:
    return int(text.replace(",", ""))


@pytest.mark.parametrize("file", ["SECURITY.md", "CONTRIBUTING.md"])
def test_every_promise_has_a_test(file: str) -> None:
    rows = [
        line.split("|")
        for line in (ROOT / file).read_text(encoding="utf-8").splitlines()
        if line.startswith("| ") and "`tests/" in line
    ]
    assert len(rows) > 10
    for row in rows:
        for place in row[-2].replace("`", "").split(","):
            module, _, name = place.strip().partition("::")
            assert f"def {name}(" in (ROOT / module).read_text(encoding="utf-8"), place


def test_what_the_readme_links_to_is_there() -> None:
    targets = re.findall(r"\]\(([^)#]+)", README)
    assert len(targets) > 15
    assert [target for target in targets if not (ROOT / target).exists()] == []


def test_the_readme_names_every_notebook() -> None:
    notebooks = {path.name for path in (ROOT / "notebooks").glob("*.ipynb")}
    assert {name for name in notebooks if f"(notebooks/{name})" not in README} == set()


def test_the_targets_of_make_are_there() -> None:
    targets = set(re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    shown = set(re.findall(r"(?:^|`)make ([\w-]+)", README, re.MULTILINE))
    assert {"plan", "test", "lab", "app", "lint", "bench", "docs"} <= shown <= targets


def test_every_command_has_the_arguments_that_the_readme_shows(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    commands = re.findall(r"^\.venv/bin/planner (.*)$", README, re.MULTILINE)
    shown = {command.split()[0] for command in commands}
    assert shown >= {"import", "plan", "check", "order", "compare", "track", "baseline", "risk"}
    for command in commands:
        # The folder is not there, which is told after the arguments were understood.
        main(shlex.split(command.replace("my-fleet", "no-such-fleet")))
        assert "usage:" not in capsys.readouterr().err, command
    assert list(tmp_path.iterdir()) == []


def test_the_strategies_are_those_of_the_program() -> None:
    (row,) = [line for line in README.splitlines() if line.startswith("| `--strategy NAME`")]
    assert set(re.findall(r"`([a-z-]+)`", row.split("|")[2])) == set(STRATEGIES)


def test_the_python_of_the_readme_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    (code,) = re.findall(r"^```python\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
    monkeypatch.chdir(ROOT)
    smaller = code.replace("data/harbour", "data/eight-cases").replace(
        "iterations=40", "iterations=2"
    )
    assert smaller.count("eight-cases") == smaller.count("iterations=2") == 1
    exec(compile(smaller, "README.md", "exec"), {})  # noqa: S102


def test_the_files_that_the_readme_lists_are_those_of_a_run(tmp_path: Path) -> None:
    assert main(["plan", str(EIGHT), "--runbooks", "--out", str(tmp_path)]) == 0
    rows = README.partition("| in `out/` | answers |")[2].partition("\n\n")[0].splitlines()
    named = set(re.findall(r"`([\w./]+)`", " ".join(row.split("|")[1] for row in rows[2:])))
    written = {path.name for path in tmp_path.iterdir() if path.suffix != ".svg"}
    assert {name.rstrip("/") for name in named} == written
    assert {f"{name}/" for name in FOLDERS} <= named


def test_the_table_of_orders_agrees_with_the_notebook_and_with_itself() -> None:
    cells = json.loads((ROOT / "notebooks" / "06_rollout_orders.ipynb").read_text())["cells"]
    shown = "".join(
        "".join(output.get("data", {}).get("text/plain", ""))
        for cell in cells
        for output in cell.get("outputs", ())
    )
    for name, row in {
        "by hand": "the hand-made plan",
        "client-first": "client-first",
        "rings": "rings",
        "server-first": "server-first",
        "by-weight": "by weight, the best strategy",
    }.items():
        (exposure,) = re.findall(rf"^\| {row} \| ([\d,]+) \|", README, re.MULTILINE)
        (notebooks,) = set(re.findall(rf"\b{name} +(\d+)\.0 ", shown))
        assert number(exposure) == int(notebooks), name
    optimised, (gap, bound) = OPTIMISED.findall(README)[0][1], BOUND.findall(README)[0]
    assert f"{100 * (number(optimised) / number(bound) - 1):.1f}" == gap


@pytest.mark.long
def test_the_optimised_order_is_the_one_of_the_table() -> None:
    iterations, exposure = OPTIMISED.findall(README)[0]
    gap, bound = BOUND.findall(README)[0]
    fleet = planner.read_fleet(ROOT / "data" / "harbour")
    stop = planner.Stop(iterations=int(iterations), seconds=3600)
    found = planner.optimise(fleet, stop=stop, seed=1)
    # Other processors round other steps of the search.
    assert found.value == pytest.approx(number(exposure), rel=1e-3)
    assert found.bound == pytest.approx(number(bound), rel=1e-3)
    assert found.gap is not None
    assert 100 * found.gap == pytest.approx(float(gap), abs=0.15)
