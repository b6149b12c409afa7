"""Explorers and the planning board for notebooks: controls, a value, and a view of it.

They compute nothing of their own: each value is made by the functions that notebooks call.
"""

from planner.widgets.deadline_explorer import DeadlineExplorer
from planner.widgets.download import DownloadButton
from planner.widgets.fleet_explorer import FleetExplorer
from planner.widgets.order_explorer import OrderExplorer
from planner.widgets.planning_board import PlanningBoard
from planner.widgets.risk_explorer import RiskExplorer
from planner.widgets.session_film import SessionFilm

__all__ = [
    "DeadlineExplorer",
    "DownloadButton",
    "FleetExplorer",
    "OrderExplorer",
    "PlanningBoard",
    "RiskExplorer",
    "SessionFilm",
]
