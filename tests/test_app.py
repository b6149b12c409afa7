"""The planning room: what its command makes safe, and that its explorers show the board's plan."""

import os
import signal
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest

from planner import cli
from planner.reporting import jupyter
from planner.widgets import PlanningBoard, app
from planner.widgets.app import PlanningRoom, app_command, app_environment, room
from planner.widgets.session_guard import SessionGuard
from tests.golden.tables import DATA, eight_cases

FLEET = DATA / "eight-cases"


def test_the_command_listens_on_this_computer_alone_with_a_token_and_serves_no_file() -> None:
    command = app_command(port=8866, idle_seconds=600)
    assert command[:3] == [sys.executable, "-m", "voila"]
    for option in (
        "--Voila.ip=127.0.0.1",
        "--Voila.auto_token=True",
        "--Voila.port=8866",
        "--Voila.open_browser=True",
        "--VoilaConfiguration.theme=light",
        "--MappingKernelManager.cull_idle_timeout=600",
        "--MappingKernelManager.cull_connected=True",
    ):
        assert option in command
    assert command[command.index("--VoilaConfiguration.file_allowlist") + 1] == "(?!)"
    assert Path(command[-1]).exists()


def test_the_page_can_be_dark_and_leave_the_browser_alone() -> None:
    command = app_command(port=1, idle_seconds=2, dark=True, browser=False)
    assert "--VoilaConfiguration.theme=dark" in command
    assert "--Voila.open_browser=False" in command
    assert "--MappingKernelManager.cull_interval=1" in command


def test_its_sessions_learn_what_to_show_from_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JUPYTER_CONFIG_PATH", "mine")
    environment = app_environment(FLEET, tmp_path / "p.csv", idle_seconds=60)
    assert environment[app.FLEET] == str(FLEET.resolve())
    assert environment[app.PLAN] == str(tmp_path / "p.csv")
    assert environment[app.IDLE] == "60"
    assert environment["JUPYTER_CONFIG_PATH"] == f"{app.CONFIGURATION}{os.pathsep}mine"
    assert (app.CONFIGURATION / "voila.json").exists()
    assert app_environment(FLEET, None, idle_seconds=60)[app.PLAN] == ""


def test_the_page_shows_the_fleet_of_the_environment() -> None:
    guard, tabs = room(app_environment(FLEET, None, idle_seconds=90)).children
    assert repr(guard) == "SessionGuard(90 s)"
    explorers = ("Fleet by day", "Through time", "Deadlines", "Orders", "Slips")
    assert tabs.titles == ("Planning board", *explorers)
    assert len(tabs.children[0].children[0].state["cards"]) > 5


def test_an_explorer_is_made_when_its_tab_is_opened_and_again_for_another_plan() -> None:
    board = PlanningBoard(eight_cases().plan)
    shown = PlanningRoom(board, idle_seconds=60)
    explorers = list(shown.tabs.children[1:])
    assert [len(tab.children) for tab in explorers] == [0] * 5
    for place in range(1, 6):
        shown.tabs.selected_index = place
        assert len(explorers[place - 1].children) == 1
    first = explorers[2].children[0]
    shown.tabs.selected_index = 0
    shown.tabs.selected_index = 3
    assert explorers[2].children[0] is first  # the plan is the same
    board.move(0, date.fromordinal(board.value.fleet.start + 719163 + 30))
    shown.tabs.selected_index = 0
    shown.tabs.selected_index = 3
    assert explorers[2].children[0] is not first


def test_the_guard_answers_its_page(monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[object] = []
    guard = SessionGuard(60)
    monkeypatch.setattr(guard, "send", sent.append)
    guard._handle_custom_msg("ping", [])
    guard._handle_custom_msg("something else", [])
    assert sent == ["pong"]


def test_an_unusable_fleet_is_told_before_any_server_starts(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["app", str(tmp_path / "nowhere")]) == cli.UNUSABLE
    assert "Starting" not in capsys.readouterr().out


def test_without_voila_the_program_says_how_to_install_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(jupyter, "find_spec", lambda name: None if name == "voila" else object())
    assert cli.main(["app", str(FLEET)]) == cli.UNUSABLE
    assert capsys.readouterr().err.startswith("planner app: voila is not installed; install ")


def test_the_program_serves_the_page_until_it_ends(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def command(**options: object) -> list[str]:
        assert options == {"port": 9, "idle_seconds": 120, "dark": False, "browser": False}
        return [sys.executable, "-c", f"import os; print(os.environ['{app.FLEET}'])"]

    monkeypatch.setattr(app, "app_command", command)
    assert cli.main(["app", str(FLEET), "--port", "9", "--idle", "2", "--no-browser"]) == 0
    lines = capfd.readouterr().out.splitlines()
    assert lines[-2].startswith("Starting the planning room; stop it with Ctrl-C.")
    assert lines[-1] == str(FLEET.resolve())


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGTERM")
def test_a_server_ends_with_the_program_that_started_it() -> None:
    code = (
        "import sys; from planner import cli; sys.exit(cli._serve([sys.executable, '-c', "
        "'import time; print(1, flush=True); time.sleep(600)']))"
    )
    program = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert program.stdout is not None
    assert program.stdout.readline() == "1\n"  # the server runs
    program.send_signal(signal.SIGTERM)
    assert program.wait() not in (0, None)
    assert program.stdout.read() == ""  # nobody holds the pipe any more
    program.stdout.close()
