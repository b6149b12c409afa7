"""The program `planner`: exit statuses, messages, and what is never written."""

import itertools
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import planner
from planner import cli
from tests.authorities import root
from tests.builders import action, write_case
from tests.oracle import Case
from tests.reviewing import CLIENT_UP, NEW, OLD, pair

GOLDEN = Path(__file__).parent / "golden"
COMMANDS = ("plan", "check", "report", "certs", "lab", "app")
SOUND = pair(held=("SRV1",), server_level="8.1.27", client_level="8.1.27")
FAULTY = pair(client_level=OLD, plan=(CLIENT_UP,))


@pytest.fixture
def fleet(tmp_path: Path) -> Path:
    """Return the folder of a fleet without fault."""
    write_case(SOUND, tmp_path / "fleet")
    return tmp_path / "fleet"


def folder_of(built: Case, folder: Path) -> Path:
    """Write a case and return its folder."""
    write_case(built, folder)
    return folder


def run_program(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Run the program as a user does."""
    return subprocess.run(
        [sys.executable, "-m", "planner.cli", *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "NUMBA_DISABLE_JIT": "1", "COLUMNS": "100"},
    )


# --- Exit statuses -------------------------------------------------------------------------------


def test_a_sound_plan_exits_with_0(
    fleet: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    clock(monkeypatch, itertools.repeat(0.0))  # however slow the machine
    assert cli.main(["check", str(fleet)]) == cli.FINE == 0
    printed = capsys.readouterr()
    assert printed.err == ""
    assert "Findings(0 errors," in printed.out
    assert "Measures: exposure 0," in printed.out


def test_a_plan_with_errors_exits_with_1_and_lists_them(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = folder_of(FAULTY, tmp_path / "fleet")
    assert cli.main(["check", str(folder)]) == cli.HAS_ERRORS == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == (
        "sessions.csv:2: error deadline-missing 2025-03-17: SRV1 for BA01: needed on 2025-03-17 "
        "for SRV1, and no import is planned; refused from 2025-03-17 to the end of the plan "
        "(untrusted, ANS1592E): BA01 -> SRV1 as BA01. Import SRV1 on 2025-03-10 or earlier."
    )
    assert cli.main(["plan", str(folder), "--out", str(tmp_path / "out")]) == 1


def test_a_finding_without_line_or_day_is_printed_without_them(
    fleet: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (fleet / "certs").mkdir()
    (fleet / "certs" / "notes.txt").write_text("no certificate")
    assert cli.main(["check", str(fleet)]) == 0
    out = capsys.readouterr().out.splitlines()
    assert any(line.startswith("certs/notes.txt: note other-file: ") for line in out)
    assert any(line.startswith("note undescribed-certificate 2025-03-03: SRV1: ") for line in out)


def test_plan_writes_its_results_and_says_where(
    fleet: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    assert cli.main(["plan", str(fleet), "--out", str(out)]) == 0
    assert capsys.readouterr().out.endswith(
        f"Results are in {out}: start with schedule.csv, findings.csv and deadlines.png.\n"
    )
    assert (out / "schedule.csv").exists()


def test_an_unusable_fleet_exits_with_2_and_one_line_for_each_fault(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    built = pair(client_level="8.1.x", ssl="Perhaps")
    folder, out = folder_of(built, tmp_path / "fleet"), tmp_path / "out"
    assert cli.main(["plan", str(folder), "--out", str(out)]) == cli.UNUSABLE == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    lines = printed.err.splitlines()
    assert [line.split(" ")[0] for line in lines] == ["clients.csv:2:", "sessions.csv:2:"]
    assert not out.exists()


def test_results_of_an_earlier_run_survive_bad_input(tmp_path: Path) -> None:
    folder, out = folder_of(pair(client_level="8.1.x"), tmp_path / "fleet"), tmp_path / "out"
    out.mkdir()
    (out / "schedule.csv").write_text("earlier")
    assert cli.main(["plan", str(folder), "--out", str(out)]) == 2
    assert [path.name for path in out.iterdir()] == ["schedule.csv"]
    assert (out / "schedule.csv").read_text() == "earlier"


def test_a_folder_for_results_that_is_a_file_exits_with_2(
    fleet: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    out.write_text("mine")
    assert cli.main(["plan", str(fleet), "--out", str(out)]) == 2
    assert capsys.readouterr().err.startswith(f"{out}: ")
    assert out.read_text() == "mine"


def test_an_interrupted_run_exits_with_3(
    fleet: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("planner.reporting.run.simulate", interrupt)
    arguments = ["plan", str(fleet), "--out", str(tmp_path / "out")]
    assert cli.main(arguments) == cli.INTERRUPTED == 3
    assert capsys.readouterr().err == (
        "planner: interrupted; files that were being written are as before\n"
    )
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("arguments", [[], ["plan"], ["plan", "fleet"], ["dance"]])
def test_wrong_arguments_exit_with_2(arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        cli.main(arguments)
    assert stop.value.code == 2


def test_a_reader_that_stops_listening_is_no_error(tmp_path: Path) -> None:
    folder = folder_of(FAULTY, tmp_path / "fleet")
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run(
        [sys.executable, "-m", "planner.cli", "check", str(folder)],
        stdout=write,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
        env={**os.environ, "NUMBA_DISABLE_JIT": "1"},
    )
    os.close(write)
    assert done.returncode == 3
    assert "Traceback" not in done.stderr
    assert "Broken pipe" not in done.stderr


# --- Progress ------------------------------------------------------------------------------------


def clock(monkeypatch: pytest.MonkeyPatch, seconds: Iterator[float]) -> None:
    """Let the program see these seconds."""
    monkeypatch.setattr("planner.cli.time.monotonic", lambda: next(seconds))


def test_a_quick_run_shows_no_progress(
    fleet: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    clock(monkeypatch, iter([10.0, 10.2, 10.4, 10.6, 11.0]))
    cli.main(["check", str(fleet)])
    assert capsys.readouterr().err == ""


def test_a_long_run_shows_what_it_does_after_a_second(
    fleet: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    clock(monkeypatch, iter([10.0, 10.5, 11.0, 11.1, 15.0]))
    cli.main(["check", str(fleet)])
    assert capsys.readouterr().err == (
        "planner:    1 s  simulating the sessions\nplanner:    5 s  checking the plan\n"
    )


# --- Help ----------------------------------------------------------------------------------------


def test_the_help_is_the_golden_one(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.setenv("NO_COLOR", "1")
    shown = []
    for arguments in (["--help"], *([name, "--help"] for name in COMMANDS)):
        with pytest.raises(SystemExit) as stop:
            cli.main(arguments)
        assert stop.value.code == 0
        shown.append(f"$ planner {' '.join(arguments)}\n{capsys.readouterr().out}")
    assert "\n".join(shown) == (GOLDEN / "help.txt").read_text(encoding="utf-8")


def test_the_version_is_the_packages(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        cli.main(["--version"])
    assert capsys.readouterr().out == f"planner {planner.__version__}\n"


# --- Bad input: each one clear line, exit 2, nothing written -------------------------------------


def break_missing_file(fleet: Path) -> None:
    (fleet / "clients.csv").unlink()


def break_column(fleet: Path) -> None:
    path = fleet / "clients.csv"
    path.write_text(path.read_text().replace("client,level", "client,livel"))


def break_level(fleet: Path) -> None:
    path = fleet / "clients.csv"
    path.write_text(path.read_text().replace("8.1.27", "8.1.x"))


def break_date(fleet: Path) -> None:
    (fleet / "plan.csv").write_text(
        "date,action,client,value\n2025-02-30,upgrade-client,BA01,8.1.27\n"
    )


def break_name(fleet: Path) -> None:
    path = fleet / "clients.csv"
    path.write_text(
        path.read_text() + path.read_text().splitlines()[1].replace("BA01", "ba01") + "\n"
    )


def break_reference(fleet: Path) -> None:
    path = fleet / "sessions.csv"
    path.write_text(path.read_text().replace("BA01,SRV1", "BA01,SRV9"))


def break_certificate(fleet: Path) -> None:
    (fleet / "certs").mkdir()
    (fleet / "certs" / "broken.pem").write_bytes(b"-----BEGIN CERTIFICATE-----\nno\n")


def break_line(fleet: Path) -> None:
    with (fleet / "clients.csv").open("ab") as file:
        for _ in range(300):
            file.write(b"x" * (1 << 20))


def break_byte(fleet: Path) -> None:
    path = fleet / "clients.csv"
    path.write_bytes(path.read_bytes().replace(b"BA01", b"BA\x0001"))


BREAKS = [
    (break_missing_file, "clients.csv: "),
    (break_column, "clients.csv:1: "),
    (break_level, "clients.csv:2: "),
    (break_date, "plan.csv:2: "),
    (break_name, "clients.csv:3: "),
    (break_reference, "sessions.csv:2: "),
    (break_certificate, "certs/broken.pem: "),
    (break_line, "clients.csv:3: "),
    (break_byte, "clients.csv:2: "),
]


@pytest.mark.parametrize(("spoil", "where"), BREAKS, ids=[spoil.__name__ for spoil, _ in BREAKS])
def test_bad_input_is_one_clear_line_and_writes_nothing(
    fleet: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    spoil: object,
    where: str,
) -> None:
    assert callable(spoil)
    spoil(fleet)
    out = tmp_path / "out"
    assert cli.main(["plan", str(fleet), "--out", str(out)]) == 2
    shutil.rmtree(fleet)  # one of them is large
    printed = capsys.readouterr()
    assert printed.out == ""
    assert len(printed.err.splitlines()) == 1
    assert printed.err.startswith(where)
    assert "; " in printed.err
    assert not out.exists()


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser may read every folder")
def test_a_folder_that_may_not_be_read_exits_with_2(fleet: Path) -> None:
    fleet.chmod(0o000)
    try:
        done = run_program("check", fleet)
    finally:
        fleet.chmod(0o700)
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) >= 1


def test_a_folder_without_read_permission_is_reported_by_its_files(
    fleet: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def forbid(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied", str(fleet))

    monkeypatch.setattr(Path, "open", forbid)
    assert cli.main(["check", str(fleet)]) == 2
    assert all(": " in line for line in capsys.readouterr().err.splitlines())


def test_the_program_runs_as_a_module(fleet: Path, tmp_path: Path) -> None:
    done = run_program("check", fleet)
    assert done.returncode == 0
    # On a slow machine there may be progress, and nothing else.
    assert all(line.startswith("planner: ") for line in done.stderr.splitlines())
    assert "Fleet('test fleet'" in done.stdout
    again = run_program("check", fleet)
    assert again.stdout == done.stdout
    break_level(fleet)
    broken = run_program("plan", fleet, "--out", tmp_path / "out")
    assert (broken.returncode, broken.stdout) == (2, "")
    assert "\nclients.csv:2: " in f"\n{broken.stderr}"
    assert "Traceback" not in broken.stderr
    break_missing_file(fleet)
    missing = run_program("check", fleet)
    assert missing.returncode == 2
    assert "\nclients.csv: " in f"\n{missing.stderr}"


def test_a_given_plan_is_checked_instead_of_the_folders(
    fleet: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    row = action("2025-03-10", "upgrade-client", client="ghost", value=NEW)
    given = folder_of(pair(plan=(row,)), tmp_path / "other") / "plan.csv"
    assert cli.main(["check", str(fleet), "--plan", str(given)]) == 1
    assert "plan.csv:2: error unknown-endpoint" in capsys.readouterr().out


# --- Certificates --------------------------------------------------------------------------------


def test_certificates_are_listed_with_their_verdicts(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "root.pem").write_bytes(root().pem)
    (tmp_path / "small.pem").write_bytes(root("Small", key_name="rsa1024").pem)
    assert cli.main(["certs", str(tmp_path / "root.pem"), str(tmp_path / "small.pem")]) == cli.FINE
    lines = capsys.readouterr().out.splitlines()
    assert lines == [
        "root: root, 2001-01-01..2199-01-01, EC 256, ecdsa-with-SHA256: exact-match",
        "small: root, 2001-01-01..2199-01-01, RSA 1024, sha256WithRSAEncryption: exact-match",
        f"{tmp_path}/small.pem: warning weak-key: small: its key is RSA 1024. "
        "Have it issued anew with a larger key.",
        "CertificateInventory(2 certificates, 2 self-signed or root, 2 with a whole chain, "
        "0 errors, 1 warnings)",
    ]


def test_certificates_are_judged_against_the_days_that_are_given(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "own.pem").write_bytes(root(not_after="2027-06-01").pem)
    days = ["--start", "2027-01-01", "--end", "2028-01-01"]
    assert cli.main(["certs", str(tmp_path), *days]) == cli.FINE
    assert "warning expires 2027-06-01: own: " in capsys.readouterr().out


def test_a_certificate_file_that_cannot_be_used_exits_with_1_and_a_missing_one_with_2(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "bad.pem").write_text("nothing")
    assert cli.main(["certs", str(tmp_path)]) == cli.HAS_ERRORS
    assert "error unusable-file: " in capsys.readouterr().out
    assert cli.main(["certs", str(tmp_path / "nope")]) == cli.UNUSABLE
    assert capsys.readouterr().err.endswith("is missing; create it, or correct its name\n")


def test_runbooks_are_written_where_they_are_asked_for(
    fleet: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    assert cli.main(["plan", str(fleet), "--out", str(out)]) == cli.FINE
    assert not (out / "runbooks").exists()
    assert cli.main(["plan", str(fleet), "--out", str(out), "--runbooks"]) == cli.FINE
    assert (out / "bundles" / "BA01" / "default" / "commands.txt").exists()
    (out / "runbooks" / "SHA256SUMS").unlink()
    (out / "runbooks" / "mine.md").write_text("mine")
    assert cli.main(["plan", str(fleet), "--out", str(out), "--runbooks"]) == cli.UNUSABLE
    assert "this was not made by the planner" in capsys.readouterr().err
