"""Plan which certificate must be in which key database by which day, and in which order to upgrade.

>>> import planner
>>> fleet = planner.read_fleet("data/eight-cases")
>>> plan = planner.complete(fleet.draft_plan())
>>> planner.simulate(plan)
Timeline(17 sessions, 154 days, 0 sessions refused at some time, 17 on TLS at the end)

Everything is loaded on first use; `import planner` alone is quick.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Final

from planner.domain import views as _views
from planner.domain.version import VERSION as _VERSION

if TYPE_CHECKING:
    import pandas as _pd

    from planner.domain.errors import CertificateError as CertificateError
    from planner.domain.errors import InfeasibleError as InfeasibleError
    from planner.domain.errors import InventoryError as InventoryError
    from planner.domain.errors import PlanError as PlanError
    from planner.domain.errors import PlannerError as PlannerError
    from planner.domain.findings import Findings as Findings
    from planner.domain.fleet import Fleet as Fleet
    from planner.domain.plan import Action as Action
    from planner.domain.plan import Plan as Plan
    from planner.domain.plan import PlannedAction as PlannedAction
    from planner.engine.as_is import AsIs as AsIs
    from planner.engine.as_is import as_is as as_is
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
    from planner.inventory.actuals import read_actuals as read_actuals
    from planner.inventory.baseline import Baseline as Baseline
    from planner.inventory.baseline import read_baseline as read_baseline
    from planner.inventory.certificate_inventory import CertificateInventory as CertificateInventory
    from planner.inventory.certificate_paths import certificates as certificates
    from planner.inventory.fleet_folder import read_fleet as read_fleet
    from planner.inventory.fleet_writer import write_fleet as write_fleet
    from planner.inventory.plan_file import read_plan as read_plan
    from planner.ordering.checker import check_order as check_order
    from planner.ordering.front import Front as Front
    from planner.ordering.front import front as front
    from planner.ordering.objective import Objective as Objective
    from planner.ordering.optimise import optimise as optimise
    from planner.ordering.optimise import order as order
    from planner.ordering.replan import Replanned as Replanned
    from planner.ordering.replan import replan as replan
    from planner.ordering.result import Result as Result
    from planner.ordering.stopping import Stop as Stop
    from planner.reporting import plots as plots
    from planner.reporting import tables as tables
    from planner.reporting.bundles import Bundles as Bundles
    from planner.reporting.bundles import bundles as bundles
    from planner.reporting.handout import write_runbooks as write_runbooks
    from planner.reporting.import_run import Import as Import
    from planner.reporting.import_run import import_fleet as import_fleet
    from planner.reporting.report import Packet as Packet
    from planner.reporting.report import report as report
    from planner.reporting.results import evidence as evidence
    from planner.reporting.results import write_results as write_results
    from planner.reporting.risk_results import write_risk as write_risk
    from planner.reporting.run import Run as Run
    from planner.reporting.run import baseline as baseline
    from planner.reporting.run import plan as plan
    from planner.reporting.schedule import schedule as schedule
    from planner.reporting.tracking_results import write_comparison as write_comparison
    from planner.reporting.tracking_results import write_progress as write_progress
    from planner.risk.delays import Slip as Slip
    from planner.risk.delays import fitted_slips as fitted_slips
    from planner.risk.delays import read_slips as read_slips
    from planner.risk.draws import slipped as slipped
    from planner.risk.result import Risk as Risk
    from planner.risk.sweep import slip as slip
    from planner.risk.sweep import slip_all as slip_all
    from planner.tracking.compare import Comparison as Comparison
    from planner.tracking.compare import compare as compare
    from planner.tracking.progress import Progress as Progress
    from planner.tracking.progress import track as track

_MODULE_OF: Final = {
    "Action": "domain.plan",
    "AsIs": "engine.as_is",
    "Baseline": "inventory.baseline",
    "Bundles": "reporting.bundles",
    "CertificateError": "domain.errors",
    "CertificateInventory": "inventory.certificate_inventory",
    "Comparison": "tracking.compare",
    "Deadlines": "engine.deadlines",
    "Distribution": "engine.distribution",
    "Findings": "domain.findings",
    "Fleet": "domain.fleet",
    "Front": "ordering.front",
    "Import": "reporting.import_run",
    "InfeasibleError": "domain.errors",
    "InventoryError": "domain.errors",
    "Measures": "engine.measures",
    "Objective": "ordering.objective",
    "Packet": "reporting.report",
    "Plan": "domain.plan",
    "PlanError": "domain.errors",
    "PlannedAction": "domain.plan",
    "PlannerError": "domain.errors",
    "Progress": "tracking.progress",
    "Replacements": "engine.replacements",
    "Replanned": "ordering.replan",
    "Result": "ordering.result",
    "Risk": "risk.result",
    "Run": "reporting.run",
    "Slip": "risk.delays",
    "Stop": "ordering.stopping",
    "Timeline": "engine.timeline",
    "as_is": "engine.as_is",
    "baseline": "reporting.run",
    "bundles": "reporting.bundles",
    "certificates": "inventory.certificate_paths",
    "check": "engine.findings",
    "check_order": "ordering.checker",
    "compare": "tracking.compare",
    "complete": "engine.complete",
    "deadlines": "engine.deadlines",
    "distribution": "engine.distribution",
    "evidence": "reporting.results",
    "fitted_slips": "risk.delays",
    "front": "ordering.front",
    "import_fleet": "reporting.import_run",
    "measures": "engine.measures",
    "optimise": "ordering.optimise",
    "order": "ordering.optimise",
    "plan": "reporting.run",
    "read_actuals": "inventory.actuals",
    "read_baseline": "inventory.baseline",
    "read_fleet": "inventory.fleet_folder",
    "read_plan": "inventory.plan_file",
    "read_slips": "risk.delays",
    "replacements": "engine.replacements",
    "replan": "ordering.replan",
    "report": "reporting.report",
    "schedule": "reporting.schedule",
    "simulate": "engine.timeline",
    "slip": "risk.sweep",
    "slip_all": "risk.sweep",
    "slipped": "risk.draws",
    "track": "tracking.progress",
    "write_comparison": "reporting.tracking_results",
    "write_fleet": "inventory.fleet_writer",
    "write_progress": "reporting.tracking_results",
    "write_results": "reporting.results",
    "write_risk": "reporting.risk_results",
    "write_runbooks": "reporting.handout",
}
_MODULES: Final = {"plots": "planner.reporting.plots", "tables": "planner.reporting.tables"}

__all__ = [
    "Action",
    "AsIs",
    "Baseline",
    "Bundles",
    "CertificateError",
    "CertificateInventory",
    "Comparison",
    "Deadlines",
    "Distribution",
    "Findings",
    "Fleet",
    "Front",
    "Import",
    "InfeasibleError",
    "InventoryError",
    "Measures",
    "Objective",
    "Packet",
    "Plan",
    "PlanError",
    "PlannedAction",
    "PlannerError",
    "Progress",
    "Replacements",
    "Replanned",
    "Result",
    "Risk",
    "Run",
    "Slip",
    "Stop",
    "Timeline",
    "as_is",
    "baseline",
    "bundles",
    "certificates",
    "check",
    "check_order",
    "compare",
    "complete",
    "deadlines",
    "distribution",
    "evidence",
    "fitted_slips",
    "front",
    "import_fleet",
    "measures",
    "optimise",
    "order",
    "plan",
    "plots",
    "read_actuals",
    "read_baseline",
    "read_fleet",
    "read_plan",
    "read_slips",
    "replacements",
    "replan",
    "report",
    "schedule",
    "simulate",
    "slip",
    "slip_all",
    "slipped",
    "tables",
    "track",
    "write_comparison",
    "write_fleet",
    "write_progress",
    "write_results",
    "write_risk",
    "write_runbooks",
]

__version__ = _VERSION


def __getattr__(name: str) -> object:
    if name in _MODULES:
        return import_module(_MODULES[name])
    if name in _MODULE_OF:
        value: object = getattr(import_module(f"planner.{_MODULE_OF[name]}"), name)
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
