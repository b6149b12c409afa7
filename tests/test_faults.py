"""The commands under adverse circumstances: killed, crowded, in odd places, in odd languages."""

import ast
import hashlib
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import pytest
from filelock import FileLock

from planner.cli import main
from planner.inventory.writing import FINISHED, LOCK
from tests.golden.tables import DATA

ROOT: Final = Path(__file__).parents[1]
EIGHT: Final = str(DATA / "eight-cases")
ACTUALS: Final = "date,action,client,server,status\n"

KILLED: Final = f"""
import os, signal, sys
from planner.cli import main

moves = 0

def count(event, arguments):
    global moves
    if event == "os.rename" and {FINISHED!r} in str(arguments[0]):
        moves += 1
        if moves == 2:
            os.kill(os.getpid(), signal.SIGKILL)

sys.addaudithook(count)
main(sys.argv[1:])
"""
"""Runs a command, and kills it when it has put the first of its files in place."""


def run(
    *arguments: str, code: str = "", environment: Mapping[str, str] | None = None
) -> "subprocess.CompletedProcess[bytes]":
    """Run a command of the planner, or Python code with its arguments, in a process of its own."""
    program = ["-c", code] if code else ["-m", "planner.cli"]
    return subprocess.run(
        [sys.executable, *program, *arguments],
        cwd=ROOT,
        env=dict(os.environ) | dict(environment or {}),
        capture_output=True,
        check=False,
    )


def last_line(done: "subprocess.CompletedProcess[bytes]") -> str:
    """Return the error of a command; what it says before that is how far it is."""
    *before, line = done.stderr.decode().splitlines()
    assert all(said.startswith("planner: ") for said in before), before
    return line


def files_of(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@pytest.fixture(scope="module")
def schedule(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the schedule of data/eight-cases."""
    out = tmp_path_factory.mktemp("made")
    assert main(["plan", EIGHT, "--out", str(out)]) == 0
    return out / "schedule.csv"


def writing_commands(schedule: Path, work: Path) -> dict[str, Sequence[str]]:
    """Return every command that writes, but for `report`, whose notebook takes long."""
    (work / "actuals.csv").write_text(ACTUALS)
    (work / "site").mkdir(exist_ok=True)
    (work / "site" / "a.txt").write_text(
        "PLANNER-STATUS,A,8,1,9,0\nPLANNER-NODE,N1,Linux,,8,1,0,0,h,,,\n"
    )
    plan, days = str(schedule), ("--today", "2027-02-01")
    return {
        "runbooks": ("plan", EIGHT, "--runbooks"),
        "order": ("order", EIGHT, "--strategy", "by-site"),
        "compare": ("compare", EIGHT, plan, plan),
        "track": ("track", EIGHT, "--plan", plan, "--actuals", str(work / "actuals.csv"), *days),
        "import": ("import", str(work / "site"), "--start", "2027-01-04"),
    }


COMMANDS: Final = ("runbooks", "order", "compare", "track", "import")


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_killed_while_it_puts_files_in_place_loses_nothing(
    schedule: Path, tmp_path: Path, name: str
) -> None:
    command = writing_commands(schedule, tmp_path)[name]
    whole, out = tmp_path / "a" / "out", tmp_path / "b" / "out"
    assert main([*command, "--out", str(whole)]) in (0, 1)
    new = files_of(whole)
    old = dict.fromkeys(new, b"of an earlier run")
    is_refresh = name == "import"
    if not is_refresh:
        for file, content in old.items():
            (out / file).parent.mkdir(parents=True, exist_ok=True)
            (out / file).write_bytes(content)
    done = run(*command, "--out", str(out), code=KILLED)
    assert done.returncode == -signal.SIGKILL, done.stderr
    assert (out / FINISHED).exists()
    left = {file: content for file, content in files_of(out).items() if file[0] != "."}
    assert left != new
    for file, content in left.items():
        assert content in (new[file], old[file]), file
    again = command[:2] if is_refresh else command  # a refresh takes the horizon that is there
    assert main([*again, "--out", str(out)]) in (0, 1)
    found = files_of(out)
    if is_refresh:
        reports = {file for file in found if file.startswith("import_")}
        assert {file: found[file] for file in found if file not in reports} == {
            file: new[file] for file in new if file not in reports
        }
    else:
        for files in (new, found):
            files.pop("summary.json", "")  # that of an order says how long it took
        assert found == new


def test_a_folder_in_which_another_planner_writes_is_left_alone(tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    with FileLock(out / LOCK):
        done = run("plan", EIGHT, "--out", str(out))
    assert done.returncode == 2
    assert last_line(done) == (
        f"{out}: another planner is writing into this folder; wait until it has ended, or name "
        "another folder"
    )
    assert set(files_of(out)) <= {LOCK}


def test_a_folder_that_takes_no_file_is_told_in_one_line(tmp_path: Path) -> None:
    code = (
        "import resource, sys; from planner.cli import main; "
        "resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000)); "
        "sys.exit(main(sys.argv[1:]))"
    )
    done = run("plan", EIGHT, "--out", str(tmp_path / "out"), code=code)
    assert done.returncode == 2
    assert last_line(done).endswith("File too large; check that it may be written and has room")
    assert not (tmp_path / "out").exists()


def test_a_full_disk_behind_standard_output_is_told() -> None:
    code = (
        "import sys; from planner.cli import main; sys.stdout = open('/dev/full', 'w'); "
        "sys.exit(main(sys.argv[1:]))"
    )
    done = run("check", EIGHT, code=code)
    assert done.returncode == 2
    assert last_line(done).startswith("the output: No space left on device; check that")


def test_a_read_only_place_is_told_in_one_line() -> None:
    done = run("plan", EIGHT, "--out", "/proc/planner")
    assert done.returncode == 2
    line = last_line(done)
    assert line.startswith("/proc/planner")
    assert line.endswith("check that it may be written and has room")


# --- Odd names, languages and clocks -------------------------------------------------------------


def test_blanks_and_letters_of_any_language_in_paths_change_nothing(
    schedule: Path, tmp_path: Path
) -> None:
    fleet = tmp_path / "Flotte für 日本 (1)"
    shutil.copytree(EIGHT, fleet)
    out = tmp_path / "Ergebnis ü ∂" / "out"
    assert main(["plan", str(fleet), "--out", str(out)]) == 0
    assert files_of(out) == files_of(schedule.parent)


def test_a_language_without_a_letter_still_gets_every_result(tmp_path: Path) -> None:
    fleet = tmp_path / "fleet"
    shutil.copytree(EIGHT, fleet)
    for file in fleet.glob("*.csv"):
        file.write_text(file.read_text("utf-8").replace("uc1-", "日本-ü-"), "utf-8")
    (fleet / "plan.csv").write_text(
        "date,action,client,value\n2027-05-04,upgrade-client,日本-ü-server-first,8.1.27\n", "utf-8"
    )
    environment = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    done = run("check", str(fleet), environment=environment | {"PYTHONIOENCODING": "ascii"})
    assert done.returncode == 1, done.stderr
    assert rb"\u65e5\u672c-\xfc-" in done.stdout
    done = run("plan", str(fleet), "--out", str(tmp_path / "odd"), environment=environment)
    assert done.returncode == 1, done.stderr
    assert main(["plan", str(fleet), "--out", str(tmp_path / "plain")]) == 1
    assert files_of(tmp_path / "odd") == files_of(tmp_path / "plain")
    assert "日本" in (tmp_path / "odd" / "schedule.csv").read_text("utf-8")


def test_line_ends_of_windows_change_nothing(schedule: Path, tmp_path: Path) -> None:
    fleet = tmp_path / "fleet"
    shutil.copytree(EIGHT, fleet)
    for file in (*fleet.glob("*.csv"), fleet / "fleet.toml"):
        file.write_bytes(file.read_bytes().replace(b"\n", b"\r\n"))
    assert main(["plan", str(fleet), "--out", str(tmp_path / "out")]) == 0
    found, expected = files_of(tmp_path / "out"), files_of(schedule.parent)
    digests = [found.pop("summary.json"), expected.pop("summary.json")]
    assert found == expected
    assert digests[0] != digests[1]  # the digest of the fleet's files alone tells


def test_no_module_asks_the_clock_for_the_day() -> None:
    clocks = {
        *(("time", name) for name in ("time", "time_ns", "localtime", "gmtime", "ctime")),
        *(("datetime", name) for name in ("now", "today", "utcnow")),
        *(("date", "today"), ("Timestamp", "now"), ("Timestamp", "today")),
    }
    for path in sorted((ROOT / "planner").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Attribute) and isinstance(
                node.value, (ast.Name, ast.Attribute)
            ):
                of = node.value.id if isinstance(node.value, ast.Name) else node.value.attr
                assert (of, node.attr) not in clocks, (path, node.lineno)


def test_results_are_equal_byte_for_byte_each_time(schedule: Path, tmp_path: Path) -> None:
    assert run("plan", EIGHT, "--out", str(tmp_path / "out")).returncode == 0
    first, second = (
        {name: hashlib.sha256(content).hexdigest() for name, content in files_of(folder).items()}
        for folder in (schedule.parent, tmp_path / "out")
    )
    assert first == second
