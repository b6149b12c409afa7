"""The planning room as a web page: the board, and the explorers of the plan on it."""

import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

import ipywidgets

from planner.domain.plan import Plan
from planner.reporting.jupyter import require_lab
from planner.reporting.run import plan as run_plan
from planner.widgets.deadline_explorer import DeadlineExplorer
from planner.widgets.fleet_explorer import FleetExplorer
from planner.widgets.order_explorer import OrderExplorer
from planner.widgets.planning_board import PlanningBoard
from planner.widgets.risk_explorer import RiskExplorer
from planner.widgets.session_film import SessionFilm
from planner.widgets.session_guard import SessionGuard

NOTEBOOK: Final = Path(__file__).parent / "planning_room.ipynb"
CONFIGURATION: Final = Path(__file__).parent / "voila"
"""Folder of voila.json: the page may ask no other host for anything."""
FLEET: Final = "PLANNER_FLEET"
PLAN: Final = "PLANNER_PLAN"
IDLE: Final = "PLANNER_IDLE_SECONDS"
"""Variables by which the page learns what to show; its sessions inherit them."""

_SHORTEST_CHECK: Final = 5


class PlanningRoom:
    """The board and the explorers in tabs; each explorer shows the plan that is on the board.

    Attributes
    ----------
    board
        The planning board.
    tabs
        The board first; an explorer is made when its tab is opened, and again when the plan on the
        board is another one by then.
    """

    def __init__(self, board: PlanningBoard, *, idle_seconds: int) -> None:
        self.board = board
        self._explorers: dict[str, Callable[[], ipywidgets.Widget]] = {
            "Fleet by day": lambda: FleetExplorer(board.deadlines.timeline).panel.widget,
            "Through time": lambda: SessionFilm(board.deadlines.timeline).panel.widget,
            "Deadlines": lambda: DeadlineExplorer(board.value).panel.widget,
            "Orders": lambda: OrderExplorer(board.value).panel.widget,
            "Slips": lambda: RiskExplorer(board.value).panel.widget,
        }
        self._shown: dict[str, Plan] = {}
        self.tabs = ipywidgets.Tab(
            [board.widget, *(ipywidgets.VBox() for _ in self._explorers)],
            titles=["Planning board", *self._explorers],
        )
        self.tabs.observe(self._open, names="selected_index")
        self.widget = ipywidgets.VBox([SessionGuard(idle_seconds), self.tabs])
        self.widget.add_class("planner-room")

    def _open(self, _: object) -> None:
        place = self.tabs.selected_index
        if not place:
            return
        name = self.tabs.titles[place]
        if self._shown.get(name) is not self.board.value:
            self._shown[name] = self.board.value
            self.tabs.children[place].children = [self._explorers[name]()]


def room(environment: Mapping[str, str] = os.environ) -> ipywidgets.Widget:
    """Return the page of the fleet and plan that the environment names."""
    run = run_plan(environment[FLEET], plan=environment.get(PLAN) or None)
    board = PlanningBoard(run.plan)
    return PlanningRoom(board, idle_seconds=int(environment.get(IDLE, "1800"))).widget


def app_command(
    *, port: int, idle_seconds: int, dark: bool = False, browser: bool = True
) -> list[str]:
    """Return the command that serves the page to this computer alone.

    Voila has no token by default, shows files beside the notebook, and keeps kernels for ever;
    all three are set here. Each page has a kernel of its own, with the code hidden.

    Raises
    ------
    MissingExtraError
        If Voila is not installed.
    """
    require_lab("app", "voila", "ipykernel")
    culled = "--MappingKernelManager.cull"
    return [
        sys.executable,
        "-m",
        "voila",
        "--Voila.ip=127.0.0.1",
        "--Voila.auto_token=True",
        f"--Voila.port={port}",
        "--Voila.port_retries=0",
        f"--Voila.open_browser={browser}",
        "--VoilaConfiguration.file_allowlist",
        "(?!)",  # matches no file
        f"--VoilaConfiguration.theme={'dark' if dark else 'light'}",
        f"{culled}_idle_timeout={idle_seconds}",
        f"{culled}_interval={max(1, min(_SHORTEST_CHECK, idle_seconds // 2))}",
        f"{culled}_connected=True",
        str(NOTEBOOK),
    ]


def app_environment(fleet: Path, plan: Path | None, *, idle_seconds: int) -> dict[str, str]:
    """Return the environment in which that command shows a fleet and its plan."""
    paths = (str(CONFIGURATION), os.environ.get("JUPYTER_CONFIG_PATH", ""))
    return {
        **os.environ,
        "JUPYTER_CONFIG_PATH": os.pathsep.join(filter(None, paths)),
        FLEET: str(fleet.resolve()),
        PLAN: "" if plan is None else str(plan.resolve()),
        IDLE: str(idle_seconds),
    }
