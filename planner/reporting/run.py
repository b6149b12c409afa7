"""The main job: a fleet folder in; its plan, timeline, deadlines and findings out."""

import datetime
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from planner.domain.findings import Findings
from planner.domain.fleet import Fleet
from planner.domain.plan import Plan
from planner.engine.complete import complete
from planner.engine.deadlines import Deadlines, deadlines
from planner.engine.findings import check_deadlines
from planner.engine.measures import Measures, measures
from planner.engine.timeline import Timeline, simulate
from planner.inventory.baseline import FOLDER as BASELINE_FOLDER
from planner.inventory.baseline import PLAN as BASELINE_PLAN
from planner.inventory.baseline import Baseline, freeze_baseline, read_baseline
from planner.inventory.fleet_folder import read_fleet
from planner.inventory.plan_file import read_own_plan, read_plan
from planner.inventory.writing import write_files
from planner.ordering.objective import Objective
from planner.ordering.optimise import optimise, order
from planner.ordering.result import Progress, Result
from planner.ordering.stopping import Stop
from planner.reporting.cells import csv_bytes
from planner.reporting.handout import FOLDERS, check_handout_folders, handout_files
from planner.reporting.results import Observer, result_files, tell_nobody, write_results
from planner.reporting.schedule import schedule


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """A fleet's plan and all that follows from it."""

    fleet: Fleet
    plan: Plan
    timeline: Timeline
    deadlines: Deadlines
    findings: Findings
    measures: Measures


def plan(
    fleet: str | Path,
    *,
    out: str | Path | None = None,
    plan: str | Path | None = None,
    runbooks: bool = False,
    observer: Observer | None = None,
) -> Run:
    """Read a fleet folder, complete its plan, simulate it, derive the deadlines and check them.

    Parameters
    ----------
    fleet
        The fleet folder.
    out
        Folder for the results; nothing is written where none is given, or the input is unusable.
    plan
        A plan that wins over the folder's plan.csv. Either is taken as it stands; without both
        the upgrade columns are drafted and completed.
    runbooks
        Whether runbooks and certificate bundles are written to `out` too.
    observer
        Is told what is being done.

    Raises
    ------
    InventoryError, PlanError
        If the input cannot be used, or something else stands in the place of the runbooks.
    """
    tell = observer or tell_nobody
    if out is not None and runbooks:
        check_handout_folders(out)
    tell("reading the fleet")
    described = read_fleet(fleet)
    tell("making the plan")
    chosen = plan_of(described, Path(fleet), plan)
    tell("simulating the sessions")
    found = deadlines(simulate(chosen))
    tell("checking the plan")
    run = Run(
        fleet=described,
        plan=chosen,
        timeline=found.timeline,
        deadlines=found,
        findings=check_deadlines(found),
        measures=measures(found),
    )
    if out is not None:
        approved = read_baseline(Path(fleet))
        contents = result_files(run.deadlines, run.findings, baseline=approved, observer=tell)
        if runbooks:
            tell("writing runbooks and bundles")
            contents |= handout_files(run.deadlines)
        write_files(Path(out), contents, whole=FOLDERS if runbooks else ())
    return run


def propose(
    fleet: str | Path,
    *,
    strategy: str | None = None,
    objective: Objective | None = None,
    stop: Stop | None = None,
    seed: int = 0,
    out: str | Path | None = None,
    observer: Callable[[Progress], None] | None = None,
) -> Result:
    """Read a fleet folder, propose a rollout order, and write its plan with all that follows.

    A plan.csv in the folder sets the dates that are approved or done; other dates are proposed.

    Parameters
    ----------
    strategy
        A strategy's name; the search for the best order where none is given.
    objective, stop, seed, observer
        As for `planner.optimise`.
    out
        Folder for the results; nothing is written where none is given.

    Raises
    ------
    InventoryError, PlanError, InfeasibleError
        If the input cannot be used, or no order keeps every constraint.
    """
    described = read_fleet(fleet)
    initial = read_own_plan(Path(fleet), described)
    if strategy is None:
        found = optimise(
            described,
            objective=objective,
            stop=stop,
            seed=seed,
            initial=initial,
            observer=observer,
        )
    else:
        found = order(
            described,
            strategy=strategy,
            objective=objective,
            stop=stop,
            initial=initial,
            observer=observer,
        )
    if out is not None:
        findings = check_deadlines(found.deadlines)
        timeline = found.deadlines.timeline
        write_results(Path(out), found.best, timeline, found.deadlines, findings, order=found)
    return found


def baseline(
    fleet: str | Path,
    *,
    approver: str,
    approved_on: datetime.date,
    plan: str | Path | None = None,
) -> Baseline:
    """Freeze a plan and the SHA-256 of all inputs as what was approved; `planner track` uses it.

    Parameters
    ----------
    fleet
        The fleet folder; the baseline is written into its folder `baseline`.
    plan
        The plan; without it plan.csv, else the completed upgrade columns.

    Raises
    ------
    InventoryError, PlanError
        If the input cannot be used, or there is a baseline already.
    """
    described = read_fleet(fleet)
    found = deadlines(simulate(plan_of(described, Path(fleet), plan)))
    content = csv_bytes(schedule(found.timeline.plan, found))
    return freeze_baseline(fleet, described, content, approver=approver, approved_on=approved_on)


def approved_plan_of(fleet: Fleet, folder: Path, given: str | Path | None) -> Plan:
    """Return the given plan, else that of the baseline, else what `plan_of` returns."""
    if given is None and read_baseline(folder) is not None:
        given = folder / BASELINE_FOLDER / BASELINE_PLAN
    return plan_of(fleet, folder, given)


def plan_of(fleet: Fleet, folder: Path, given: str | Path | None) -> Plan:
    """Return the given plan, else the folder's plan.csv, else the completed draft."""
    if given is not None:
        return read_plan(given, fleet)
    own = read_own_plan(folder, fleet)
    return complete(fleet.draft_plan()) if own is None else own
