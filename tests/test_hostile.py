"""Input that means harm: nothing is executed, leaves the output folder, or fills the memory."""

import csv
import subprocess
import sys
import tracemalloc
from pathlib import Path
from typing import Final

import pytest

import planner
from planner.cli import main
from planner.domain import errors
from planner.domain.errors import Faults, InventoryError
from planner.inventory import csv_tables
from planner.inventory.csv_tables import read_table
from planner.inventory.schema import TRUST
from planner.reporting.bundles import COMMANDS
from tests.builders import action, case, certificate, client, server, session, write_case
from tests.test_faults import COMMANDS as WRITING
from tests.test_faults import EIGHT, run, schedule, writing_commands

__all__ = ["schedule"]  # a fixture

NAMES: Final = (
    "../up",
    "/etc/owned",
    "..",
    "a/../../b",
    "CON",
    "-rf",
    "~root",
    "$(touch owned)",
    "`touch owned`",
    ";touch owned;",
    "'; touch owned; '",
    '"; touch owned; "',
    "a\\..\\..\\b",
    "%COMSPEC%",
    "=cmd|' /C calc'!A0",
    "@SUM(1+1)*cmd",
)
"""Names that are paths, options, commands, devices or formulas to some program."""


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a fleet of such names, and its results in `out`."""
    work = tmp_path_factory.mktemp("hostile")
    names = [name.replace("'", "\u2019") if name.startswith("=") else name for name in NAMES]
    built = case(
        servers=[server(f"S{n}{name}", "8.1.9", certificate=name) for n, name in enumerate(names)],
        clients=[client(name, site=name, owner=name, note=name) for name in names],
        sessions=[session(name, f"S{n}{name}") for n, name in enumerate(names)],
        certificates=[
            certificate(name, kind="self-signed", server=f"S{n}{name}")
            for n, name in enumerate(names)
        ],
        plan=[
            *(action("2025-03-12", "import-certificate", client=n, certificate=n) for n in names),
            *(action("2025-03-20", "upgrade-client", client=n, value="8.1.27") for n in names),
        ],
    )
    write_case(built, work / "fleet")
    assert main(["plan", str(work / "fleet"), "--out", str(work / "out"), "--runbooks"]) in (0, 1)
    return work


def test_names_of_a_fleet_lead_out_of_no_folder(work: Path) -> None:
    assert sorted(path.name for path in work.iterdir()) == ["fleet", "out"]
    out = work / "out"
    made = [path for path in out.rglob("*") if path.is_file()]
    assert len(made) > 4 * len(NAMES)
    assert all(path.resolve().is_relative_to(out.resolve()) for path in made)
    assert len(list((out / "runbooks").glob("*.md"))) == len(NAMES)


STUB: Final = f"""#!{sys.executable}
import sys
with open({{log!r}}, "a", encoding="utf-8") as log:
    print(sys.argv[1:], file=log)
"""


def test_a_shell_that_runs_the_commands_executes_nothing_of_a_name(
    work: Path, tmp_path: Path
) -> None:
    log = tmp_path / "log"
    for tool in ("dsmcert", "gsk8capicmd_64"):
        (tmp_path / tool).write_text(STUB.format(log=str(log)))
        (tmp_path / tool).chmod(0o755)
    scripts = sorted((work / "out" / "bundles").rglob(COMMANDS))
    assert len(scripts) == len(NAMES)
    for script in scripts:
        subprocess.run(
            ["/bin/sh", str(script)],
            cwd=tmp_path,
            env={"PATH": f"{tmp_path}:/usr/bin:/bin"},
            check=True,
            capture_output=True,
        )
    said = log.read_text(encoding="utf-8")
    assert said.count("'-add'") == len(NAMES)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["dsmcert", "gsk8capicmd_64", "log"]


def test_no_cell_of_a_result_starts_a_formula(work: Path) -> None:
    tables = list((work / "out").rglob("*.csv"))
    assert len(tables) > 5
    for path in tables:
        with path.open(encoding="utf-8", newline="") as file:
            for row in csv.reader(file):
                for cell in row:
                    is_number = cell.lstrip("-").replace(".", "", 1).isdecimal()
                    assert is_number or not cell.startswith(("=", "+", "-", "@", "\t", "\r")), path


# --- Size ----------------------------------------------------------------------------------------


def read(path: Path, content: str) -> list[str]:
    path.write_text(content)
    faults = Faults()
    read_table(path, path.name, TRUST, faults)
    return [str(fault) for fault in faults]


def test_a_table_of_too_many_rows_or_characters_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "trust.csv"
    heading = "client,certificate\n"
    monkeypatch.setattr(csv_tables, "MOST_ROWS", 3)
    assert read(path, heading + "a,b\n" * 3) == []
    assert read(path, heading + "a,b\n" * 4) == [
        "trust.csv:5: the file has more than 3 rows; leave only the rows of this fleet"
    ]
    monkeypatch.setattr(csv_tables, "LARGEST_TABLE", 1000)
    assert read(path, heading + "\n" * 1000) == [
        "trust.csv:983: the file is longer than 1,000 characters; leave only the rows of this fleet"
    ]


def test_a_table_of_faults_alone_is_told_in_little_memory(tmp_path: Path) -> None:
    fleet = tmp_path / "fleet"
    write_case(case(servers=[server("S")], clients=[client("C")], sessions=[]), fleet)
    with (fleet / "clients.csv").open("a") as file:
        file.writelines(f"c{n},no level{',' * 7}\n" for n in range(100_000))
    tracemalloc.start()
    with pytest.raises(InventoryError) as caught:
        planner.read_fleet(fleet)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(caught.value.faults) == errors.MOST_FAULTS + 1
    more = "clients.csv: further faults are not listed; correct these first"
    assert str(caught.value).count(more) == 1
    assert peak < 200_000_000


@pytest.mark.parametrize(
    ("toml", "told"),
    [
        ("x = " + "[" * 4_000, "is no TOML"),
        ("x = [\n" * 50_000, "is no TOML"),
        ("a." * 4_000 + "a = 1", "unknown key 'a'"),
        ("a." * 100_000 + "a = 1", "the line is longer than 8,192 characters"),
        ("#" * (1 << 21), "the file is larger than"),
    ],
)
def test_settings_from_strangers_are_refused_in_one_line(
    tmp_path: Path, toml: str, told: str
) -> None:
    fleet = tmp_path / "fleet"
    write_case(case(servers=[server("S")], clients=[client("C")], sessions=[]), fleet)
    head = 'name = "x"\nstart = 2027-01-04\nend = 2027-06-07\n'
    (fleet / "fleet.toml").write_text(head + toml)
    with pytest.raises(InventoryError) as caught:
        planner.read_fleet(fleet)
    (fault,) = caught.value.faults
    assert told in str(fault)
    assert len(str(fault)) < 500


# --- What is never done --------------------------------------------------------------------------

DEEDS: Final = {
    "os.exec": "os.execv('/bin/sh', ['sh', '-c', ':'])",
    "os.fork": "os.fork() or os._exit(0)",
    "os.posix_spawn": "os.posix_spawn('/bin/sh', ['sh', '-c', ':'], {})",
    "os.system": "os.system(':')",
    "socket.__new__": "socket.socket()",
    "subprocess.Popen": "subprocess.run(['/bin/sh', '-c', ':'])",
}
"""What starts a program or opens a connection: the event that Python tells of it, and code."""

WATCHED: Final = f"""
import sys
from planner.cli import main

def watch(event, arguments):
    if event.startswith("socket.") or event in {set(DEEDS)!r}:
        print("NOT ALLOWED", event, arguments, file=sys.stderr)

sys.addaudithook(watch)
sys.exit(main(sys.argv[1:]))
"""


@pytest.mark.parametrize("event", DEEDS)
def test_a_connection_or_a_program_would_be_seen(event: str) -> None:
    code = WATCHED.replace("sys.exit(main(sys.argv[1:]))", DEEDS[event])
    assert code != WATCHED
    done = run(code=f"import os, socket, subprocess\n{code}")
    assert f"NOT ALLOWED {event} " in done.stderr.decode()


@pytest.mark.parametrize("name", WRITING)
def test_a_command_opens_no_connection_and_starts_no_program(
    schedule: Path, tmp_path: Path, name: str
) -> None:
    command = writing_commands(schedule, tmp_path)[name]
    done = run(*command, "--out", str(tmp_path / "out"), code=WATCHED)
    assert done.returncode in (0, 1)
    assert b"NOT ALLOWED" not in done.stderr


@pytest.mark.parametrize("command", [("check", EIGHT), ("certs", EIGHT)])
def test_a_command_that_only_reads_opens_no_connection(command: tuple[str, ...]) -> None:
    done = run(*command, code=WATCHED)
    assert done.returncode in (0, 1), done.stderr
    assert b"NOT ALLOWED" not in done.stderr
