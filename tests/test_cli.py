"""The program `planner`: exit statuses, messages, and what is never written."""

import hashlib
import itertools
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import planner
from planner import cli
from planner.reporting.run import propose
from tests.authorities import root
from tests.builders import action, case, client, server, session, write_case
from tests.oracle import Case
from tests.reviewing import CLIENT_UP, NEW, OLD, pair

GOLDEN = Path(__file__).parent / "golden"
COMMANDS = (
    "plan",
    "check",
    "import",
    "certs",
    "order",
    "compare",
    "baseline",
    "track",
    "risk",
    "report",
    "lab",
    "app",
)
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
    for place in (out, out / "below"):
        assert cli.main(["plan", str(fleet), "--out", str(place)]) == 2
        assert capsys.readouterr().err.startswith(f"{out}: no folder, but a file; ")
    assert out.read_text() == "mine"


def test_a_folder_for_results_that_may_not_be_written_is_told_before_the_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("os.access", lambda *_: False)
    assert cli.main(["plan", str(tmp_path / "nothing"), "--out", str(tmp_path / "out")]) == 2
    assert capsys.readouterr().err.startswith(f"{tmp_path}: Permission denied; ")


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


def test_a_search_is_told_of_once_in_a_while(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    clock(monkeypatch, iter([10.0, 10.5, 11.5, 12.0, 16.0, 16.5, 21.0, 22.0]))
    tell = cli._Progress(every=5.0)
    for step in "abcdefg":
        tell(step)
    assert capsys.readouterr().err == (
        "planner:    2 s  b\nplanner:    6 s  e\nplanner:   12 s  g\n"
    )


# --- Orders ---------------------------------------------------------------------------------------


@pytest.fixture
def ordered(tmp_path: Path) -> Path:
    targets = {"target_level": "8.1.13"}
    write_case(
        case(
            servers=[server("srv", **targets)],
            clients=[client("a", **targets)],
            sessions=[session("a", "srv")],
            plan=None,
        ),
        tmp_path / "ordered",
    )
    return tmp_path / "ordered"


@pytest.mark.parametrize("how", [[], ["--optimise"], ["--strategy", "client-first"]])
def test_order_writes_a_plan_with_its_bound_and_gap(
    ordered: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], how: list[str]
) -> None:
    out = tmp_path / "out"
    assert cli.main(["order", str(ordered), "--out", str(out), "--iterations", "9", *how]) == 0
    shown = capsys.readouterr().out
    assert "gap           0.00%" in shown
    said = json.loads((out / "summary.json").read_text(encoding="utf-8"))["order"]
    assert said["bound"] == said["value"]
    assert said["gap"] == 0
    assert said["method"] == (how[1] if len(how) == 2 else "optimised")
    plan = planner.read_plan(out / "schedule.csv", planner.read_fleet(ordered))
    assert len(planner.check_order(plan)) == 0


def test_an_order_that_cannot_be_is_explained_and_nothing_is_written(
    ordered: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (ordered / "rules.csv").write_text(
        "kind,first,then,days\nbefore,a,srv,1\nbefore,srv,a,1\n", encoding="utf-8"
    )
    assert cli.main(["order", str(ordered), "--out", str(tmp_path / "out")]) == 2
    said = capsys.readouterr().err
    assert "rules.csv:2: a comes before srv by at least 1 days" in said
    assert not (tmp_path / "out").exists()


def test_a_plan_in_the_folder_settles_what_it_has_approved(ordered: Path) -> None:
    (ordered / "plan.csv").write_text(
        "date,action,client,server,value,status\n2025-03-20,upgrade-client,a,,8.1.13,done\n",
        encoding="utf-8",
    )
    result = propose(ordered, stop=planner.Stop(iterations=2))
    assert result.best.where(date="2025-03-20", action="upgrade-client", client="a").size == 1


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
    assert done.stderr == (
        f"{fleet}: the folder may not be read; give yourself the right to read it\n"
    )


def test_a_folder_without_read_permission_is_reported_by_its_files(
    fleet: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def forbid(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied", str(fleet))

    monkeypatch.setattr(Path, "open", forbid)
    assert cli.main(["check", str(fleet)]) == 2
    names = ("clients.csv", "fleet.toml", "servers.csv", "sessions.csv", "trust.csv")
    assert capsys.readouterr().err.splitlines() == [
        f"{name}: the file may not be read; give yourself the right to read it" for name in names
    ]


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
    small = root("Small", key_name="rsa1024")
    (tmp_path / "root.pem").write_bytes(root().pem)
    (tmp_path / "small.pem").write_bytes(small.pem)
    assert cli.main(["certs", str(tmp_path / "root.pem"), str(tmp_path / "small.pem")]) == cli.FINE
    lines = capsys.readouterr().out.splitlines()
    digest = hashlib.sha256(small.der).hexdigest()
    assert lines[0] == "root: root, 2001-01-01..2199-01-01, EC 256, ecdsa-with-SHA256: exact-match"
    assert lines[5:] == [
        "small: root, 2001-01-01..2199-01-01, RSA 1024, sha256WithRSAEncryption: exact-match",
        "    subject CN=Small",
        "    issuer itself",
        f"    SHA-256 {digest}",
        "    marked as a CA",
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


def test_days_that_are_none_or_in_the_wrong_order_are_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "own.pem").write_bytes(root().pem)
    with pytest.raises(SystemExit) as caught:
        cli.main(["certs", str(tmp_path), "--end", "soon"])
    assert caught.value.code == cli.UNUSABLE
    assert "argument --end: 'soon' is no date; write it as 2027-01-31" in capsys.readouterr().err
    days = ["--start", "2028-01-01", "--end", "2027-01-01"]
    assert cli.main(["certs", str(tmp_path), *days]) == cli.UNUSABLE
    assert capsys.readouterr().err == (
        "horizon: the end 2027-01-01 is not after the start 2028-01-01; give a later end\n"
    )


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


# --- Comparing -----------------------------------------------------------------------------------


def test_two_plans_are_compared_in_five_lines_and_as_files(
    fleet: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    late = (action("2025-03-17", "upgrade-client", client="db1", value=NEW),)
    other = folder_of(pair(plan=late), tmp_path / "other") / "plan.csv"
    out = tmp_path / "differences"
    arguments = ["compare", str(fleet), str(fleet / "plan.csv"), str(other)]
    assert cli.main([*arguments, "--out", str(out)]) == cli.FINE
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 6
    assert lines[2].startswith("actions: ")
    assert lines[5] == f"All differences are in {out / 'comparison.csv'}."
    assert (out / "comparison.txt").read_text(encoding="utf-8").splitlines()[:5] == lines[:5]
    assert cli.main(arguments) == cli.FINE
    assert capsys.readouterr().out.splitlines() == lines[:5]


def test_a_plan_that_cannot_be_read_is_not_compared(
    fleet: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    missing = str(tmp_path / "nope.csv")
    out = tmp_path / "differences"
    arguments = ["compare", str(fleet), str(fleet / "plan.csv"), missing, "--out", str(out)]
    assert cli.main(arguments) == cli.UNUSABLE
    assert "nope.csv" in capsys.readouterr().err
    assert not out.exists()


# --- Tracking ------------------------------------------------------------------------------------


def test_a_plan_is_held_against_what_happened(
    fleet: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "week 12"
    actuals = str(fleet / "plan.csv")
    arguments = ["track", str(fleet), "--actuals", actuals, "--out", str(out)]
    assert cli.main([*arguments, "--today", "2025-03-30"]) == cli.FINE
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("On 2025-03-30: ")
    assert lines[-1].startswith(f"Results are in {out}")
    assert (out / "digest.txt").read_text(encoding="utf-8").splitlines()[:-1] == lines[:-1]


def test_a_day_that_is_none_and_actuals_that_are_missing_exit_with_2(
    fleet: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["track", str(fleet), "--out", str(tmp_path / "out"), "--actuals"]
    with pytest.raises(SystemExit) as stop:
        cli.main([*arguments, str(fleet / "plan.csv"), "--today", "monday"])
    assert stop.value.code == cli.UNUSABLE
    missing = str(tmp_path / "nope.csv")
    assert cli.main([*arguments, missing, "--today", "2025-03-10"]) == cli.UNUSABLE
    assert "nope.csv" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


# --- planner import ------------------------------------------------------------------------------


def export_of(folder: Path, *rows: str) -> Path:
    """Write what dsmadmc printed on a server A, and the options of a client n1."""
    folder.mkdir()
    head = "PLANNER-STATUS,A,8,1,27,0,\nPLANNER-NODE,N1,AIX,AIX,8,1,0,0,n1,,2026-07-01,CLIENT,\n"
    (folder / "a.txt").write_text(head + "".join(f"{row}\n" for row in rows))
    (folder / "n1.dsm.sys").write_text("SErvername A\n TCPServeraddress a\n PASSWORD geheim\n")
    return folder


def test_import_builds_a_fleet_and_says_where(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    site, out = export_of(tmp_path / "site"), tmp_path / "fleet"
    assert cli.main(["import", "--out", str(out), str(site)]) == 0
    printed = capsys.readouterr()
    assert printed.err == ""
    lines = printed.out.splitlines()
    place = f"{(site / 'n1.dsm.sys').as_posix()}:1"
    assert any(line.startswith(f"{place}: note server-by-name: A: a was taken") for line in lines)
    assert lines[-1] == (
        f"The fleet is in {out}: look at import_report.csv, then complete fleet.toml."
    )
    assert "Import(1 sessions, new fleet; lines: 4 used, 0 comment, 1 kept aside, 0 fault)" in lines
    assert "geheim" not in printed.out
    assert cli.main(["check", str(out)]) == 0


def test_import_again_prints_the_changes_and_what_they_touch(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    site, out = export_of(tmp_path / "site"), tmp_path / "fleet"
    cli.main(["import", "--out", str(out), str(site)])
    clients = out / "clients.csv"
    clients.write_text(
        clients.read_text().replace(
            "8.1.0.0,backup,AIX,,,,,", "8.1.0.0,backup,AIX,,,8.1.27,2027-01-11,"
        )
    )
    text = (site / "a.txt").read_text()
    (site / "a.txt").write_text(text.replace("8,1,0,0", "8,1,1,0"))
    capsys.readouterr()
    assert cli.main(["import", "--out", str(out), str(site)]) == 0
    assert (
        "changed client n1: level 8.1.0.0 -> 8.1.1.0 (planned: 2027-01-11 upgrade-client 8.1.27)"
        in capsys.readouterr().out.splitlines()
    )


def test_import_with_a_damaged_row_exits_with_1_and_imports_the_rest(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    site, out = export_of(tmp_path / "site", "PLANNER-NODE,CUT"), tmp_path / "fleet"
    assert cli.main(["import", "--out", str(out), str(site)]) == cli.HAS_ERRORS
    assert "a.txt:3: error damaged-row" in capsys.readouterr().out
    assert len(planner.read_fleet(out).sessions) == 1


def test_import_of_a_misspelt_security_option_exits_with_2_and_writes_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    site, out = export_of(tmp_path / "site"), tmp_path / "fleet"
    with (site / "n1.dsm.sys").open("a") as file:
        file.write(" SSLREQUIERD Yes\n")
    assert cli.main(["import", "--out", str(out), str(site)]) == cli.UNUSABLE
    printed = capsys.readouterr()
    assert "n1.dsm.sys:4: the option is unknown; did you mean SSLREQUIRED?" in printed.err
    assert printed.out == ""
    assert not out.exists()


def test_the_queries_are_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["import", "--show-queries"]) == 0
    assert "SELECT 'PLANNER-STATUS' AS RECORD, SERVER_NAME" in capsys.readouterr().out


@pytest.mark.parametrize("arguments", [[], ["--out", "fleet"], ["a.txt"]])
def test_import_without_a_file_or_a_folder_says_what_to_give(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as stop:
        cli.main(["import", *arguments])
    assert stop.value.code == 2
    assert "import: give --out FLEET and at least one FILE" in capsys.readouterr().err


def test_a_long_import_shows_a_bar_on_a_terminal_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    site = export_of(tmp_path / "site")
    monkeypatch.setattr(cli, "_PATIENCE", 0.0)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    assert cli.main(["import", "--out", str(tmp_path / "fleet"), str(site)]) == 0
    shown = capsys.readouterr().err
    assert "reading files:" in shown
    assert "0/2" in shown
