"""Plan which certificate must be in which key database by which day, and in which order to upgrade.

>>> import planner
>>> fleet = planner.read_fleet("data/eight-cases")
>>> plan = planner.complete(fleet.draft_plan())
>>> planner.simulate(plan)
Timeline(17 sessions, 154 days, 0 sessions refused at some time, 17 on TLS at the end)

Everything is loaded on first use; `import planner` alone is quick.
"""

from importlib import import_module
from importlib.metadata import version as _version
from typing import TYPE_CHECKING, Final

from planner.domain import views as _views

if TYPE_CHECKING:
    import pandas as _pd

    from planner.domain.errors import CertificateError as CertificateError
    from planner.domain.errors import InventoryError as InventoryError
    from planner.domain.errors import PlanError as PlanError
    from planner.domain.errors import PlannerError as PlannerError
    from planner.domain.findings import Findings as Findings
    from planner.domain.fleet import Fleet as Fleet
    from planner.domain.plan import Action as Action
    from planner.domain.plan import Plan as Plan
    from planner.domain.plan import PlannedAction as PlannedAction
    from planner.engine.complete import complete as complete
    from planner.engine.deadlines import Deadlines as Deadlines
    from planner.engine.deadlines import deadlines as deadlines
    from planner.engine.distribution import Distribution as Distribution
    from planner.engine.distribution import distribution as distribution
    from planner.engine.findings import check as check
    from planner.engine.measures import Measures as Measures
    from planner.engine.measures import measures as measures
    from planner.engine.replacements import Replacements as Replacements
    from planner.engine.replacements import replacements as replacements
    from planner.engine.timeline import Timeline as Timeline
    from planner.engine.timeline import simulate as simulate
    from planner.inventory.certificate_inventory import CertificateInventory as CertificateInventory
    from planner.inventory.certificate_paths import certificates as certificates
    from planner.inventory.fleet_folder import read_fleet as read_fleet
    from planner.inventory.fleet_writer import write_fleet as write_fleet
    from planner.inventory.plan_file import read_plan as read_plan
    from planner.reporting import plots as plots
    from planner.reporting import tables as tables
    from planner.reporting.bundles import Bundles as Bundles
    from planner.reporting.bundles import bundles as bundles
    from planner.reporting.handout import write_runbooks as write_runbooks
    from planner.reporting.report import Packet as Packet
    from planner.reporting.report import report as report
    from planner.reporting.results import evidence as evidence
    from planner.reporting.results import write_results as write_results
    from planner.reporting.run import Run as Run
    from planner.reporting.run import plan as plan
    from planner.reporting.schedule import schedule as schedule

_ROOM_OF: Final = {
    "Action": "domain.plan",
    "Bundles": "reporting.bundles",
    "CertificateError": "domain.errors",
    "CertificateInventory": "inventory.certificate_inventory",
    "Deadlines": "engine.deadlines",
    "Distribution": "engine.distribution",
    "Findings": "domain.findings",
    "Fleet": "domain.fleet",
    "InventoryError": "domain.errors",
    "Measures": "engine.measures",
    "Packet": "reporting.report",
    "Plan": "domain.plan",
    "PlanError": "domain.errors",
    "PlannedAction": "domain.plan",
    "PlannerError": "domain.errors",
    "Replacements": "engine.replacements",
    "Run": "reporting.run",
    "Timeline": "engine.timeline",
    "bundles": "reporting.bundles",
    "certificates": "inventory.certificate_paths",
    "check": "engine.findings",
    "complete": "engine.complete",
    "deadlines": "engine.deadlines",
    "distribution": "engine.distribution",
    "evidence": "reporting.results",
    "measures": "engine.measures",
    "plan": "reporting.run",
    "read_fleet": "inventory.fleet_folder",
    "read_plan": "inventory.plan_file",
    "replacements": "engine.replacements",
    "report": "reporting.report",
    "schedule": "reporting.schedule",
    "simulate": "engine.timeline",
    "write_fleet": "inventory.fleet_writer",
    "write_results": "reporting.results",
    "write_runbooks": "reporting.handout",
}
_MODULES: Final = {"plots": "planner.reporting.plots", "tables": "planner.reporting.tables"}

__all__ = [
    "Action",
    "Bundles",
    "CertificateError",
    "CertificateInventory",
    "Deadlines",
    "Distribution",
    "Findings",
    "Fleet",
    "InventoryError",
    "Measures",
    "Packet",
    "Plan",
    "PlanError",
    "PlannedAction",
    "PlannerError",
    "Replacements",
    "Run",
    "Timeline",
    "bundles",
    "certificates",
    "check",
    "complete",
    "deadlines",
    "distribution",
    "evidence",
    "measures",
    "plan",
    "plots",
    "read_fleet",
    "read_plan",
    "replacements",
    "report",
    "schedule",
    "simulate",
    "tables",
    "write_fleet",
    "write_results",
    "write_runbooks",
]

__version__ = _version("session-security-planner")


def __getattr__(name: str) -> object:
    if name in _MODULES:
        return import_module(_MODULES[name])
    if name in _ROOM_OF:
        value: object = getattr(import_module(f"planner.{_ROOM_OF[name]}"), name)
        globals()[name] = value
        return value
    raise AttributeError(f"module 'planner' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*__all__, "__version__"])


def _frame(value: object) -> "_pd.DataFrame":
    from planner.reporting.tables import frame

    return frame(value)


def _html(value: object) -> str:
    from planner.reporting.tables import html

    return html(value)


_views.connect(frame=_frame, html=_html)
