"""The program `planner`: arguments, messages and exit statuses. The only module that prints."""

import argparse
import datetime
import io
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final, Never

from tqdm import tqdm

import planner
from planner.domain.calendar import iso, to_day
from planner.domain.errors import InfeasibleError, PlannerError
from planner.domain.findings import Finding
from planner.domain.plan import Plan
from planner.inventory.baseline import FOLDER as BASELINE_FOLDER
from planner.inventory.importing.queries import show_queries
from planner.inventory.writing import check_folder
from planner.ordering.result import Progress
from planner.ordering.strategies import STRATEGIES
from planner.reporting.import_run import Import
from planner.reporting.jupyter import lab_command
from planner.reporting.run import Run, approved_plan_of, plan_of, propose

FINE: Final = 0
HAS_ERRORS: Final = 1
UNUSABLE: Final = 2
INTERRUPTED: Final = 3

_PATIENCE: Final = 1.0
"""After so many seconds progress is shown [s]."""
_PAUSE: Final = 5.0
"""So many seconds lie between two lines about a search [s]."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns its exit status."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # names may have letters that a terminal lacks
            stream.reconfigure(errors="backslashreplace")
    parser = _parser()
    chosen = parser.parse_args(arguments)
    try:
        status = _run(parser, chosen)
        sys.stdout.flush()
    except PlannerError as error:
        print(error, file=sys.stderr)
        return UNUSABLE
    except BrokenPipeError:  # nobody reads on, as in `planner check FLEET | head`
        _silence_output()
        return INTERRUPTED
    except OSError as error:
        where = error.filename or "the output"
        what = f"{where}: {error.strerror or error}; check that it may be written and has room"
        print(what, file=sys.stderr)
        if error.filename is None:
            _silence_output()
        return UNUSABLE
    except KeyboardInterrupt:
        print("planner: interrupted; files that were being written are as before", file=sys.stderr)
        return INTERRUPTED
    return status


def _silence_output() -> None:
    """Let the flush at the program's end not fail once more."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _run(parser: argparse.ArgumentParser, chosen: argparse.Namespace) -> int:
    """Run the chosen command; returns its exit status."""
    if getattr(chosen, "out", None) is not None:
        check_folder(chosen.out)
    match chosen.command:
        case "plan":
            return _plan(chosen.fleet, chosen.plan, chosen.out, runbooks=chosen.runbooks)
        case "import":
            return _import(parser, chosen)
        case "report":
            return _report(chosen.fleet, chosen.plan, chosen.out)
        case "lab":
            return _lab()
        case "app":
            return _app(chosen.fleet, chosen.plan, chosen)
        case "certs":
            return _certs(chosen.paths, chosen.start, chosen.end)
        case "compare":
            return _compare(chosen.fleet, chosen.plan_a, chosen.plan_b, chosen.out)
        case "track":
            return _track(chosen.fleet, chosen.plan, chosen.actuals, chosen.today, chosen.out)
        case "baseline":
            return _baseline(chosen)
        case "risk":
            return _risk(chosen)
        case "order":
            stop = planner.Stop(iterations=chosen.iterations, seconds=chosen.seconds)
            return _order(chosen.fleet, chosen.out, chosen.strategy, stop, chosen.seed)
        case _:
            return _check(chosen.fleet, chosen.plan)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="planner",
        description="Plan by which day which certificate must be in which key database.",
        epilog="Exit status: 0 fine; 1 the plan has errors; 2 the input could not be used, nothing "
        "was written; 3 interrupted.",
    )
    parser.add_argument("--version", action="version", version=f"planner {planner.__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    plan = commands.add_parser(
        "plan",
        help="read a fleet, complete its plan, simulate it, write schedule, deadlines and findings",
    )
    check = commands.add_parser("check", help="read a fleet and print the findings of its plan")
    report = commands.add_parser(
        "report", help="write the change board's packet: the report as HTML and PDF, and its tables"
    )
    commands.add_parser("lab", help="open the notebooks in JupyterLab")
    app = commands.add_parser(
        "app", help="show the planning board and the explorers as a web page on this computer"
    )
    app.add_argument("--port", type=int, default=8866, help="the port of the page (default 8866)")
    app.add_argument(
        "--idle",
        type=int,
        default=30,
        metavar="MINUTES",
        help="end the session of a page that nobody uses for so long (default 30)",
    )
    app.add_argument("--dark", action="store_true", help="show it in dark colours")
    app.add_argument("--no-browser", action="store_true", help="print the address and open nothing")
    for command in (plan, check, report, app):
        command.add_argument("fleet", type=Path, metavar="FLEET", help="the fleet folder")
        command.add_argument(
            "--plan",
            type=Path,
            metavar="CSV",
            help="a plan to take as it stands, instead of plan.csv or the upgrade columns",
        )
    for command in (plan, report):
        command.add_argument(
            "--out", type=Path, required=True, metavar="DIR", help="the folder for the results"
        )
    plan.add_argument(
        "--runbooks",
        action="store_true",
        help="also write runbooks/ and bundles/: what to do, and what to hand out, host by host",
    )
    _add_import(commands)
    _add_order(commands)
    certs = commands.add_parser(
        "certs", help="list certificates and their chains, and print the findings about them"
    )
    certs.add_argument(
        "paths",
        type=Path,
        nargs="+",
        metavar="PATH",
        help="a certificate file, a folder of them, or a fleet folder",
    )
    for name, meaning in (("start", "the first day"), ("end", "the first day after the last")):
        certs.add_argument(
            f"--{name}",
            type=_date,
            metavar="DATE",
            help=f"{meaning} on which the certificates must be valid; a fleet has its own",
        )
    _add_tracking(commands)
    _add_risk(commands)
    return parser


def _date(text: str) -> datetime.date:
    try:
        return datetime.date.fromisoformat(text)
    except ValueError:
        what = f"{text!r} is no date; write it as 2027-01-31"
        raise argparse.ArgumentTypeError(what) from None


def _add_tracking(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    compare = commands.add_parser(
        "compare", help="say what a plan changes against another one for the same fleet"
    )
    compare.add_argument("fleet", type=Path, metavar="FLEET", help="the fleet folder")
    compare.add_argument("plan_a", type=Path, metavar="PLAN_A", help="the plan to start from")
    compare.add_argument("plan_b", type=Path, metavar="PLAN_B", help="the plan to judge")
    compare.add_argument(
        "--out", type=Path, metavar="DIR", help="a folder for comparison.csv and its picture"
    )
    baseline = commands.add_parser(
        "baseline", help="freeze a plan that was approved, with the SHA-256 of all inputs"
    )
    baseline.add_argument("fleet", type=Path, metavar="FLEET", help="the fleet folder")
    baseline.add_argument(
        "--plan", type=Path, metavar="CSV", help="the plan, instead of the fleet's own"
    )
    baseline.add_argument("--approver", required=True, metavar="NAME", help="who approved it")
    baseline.add_argument(
        "--date", type=_date, required=True, metavar="DATE", help="the day of the approval"
    )
    track = commands.add_parser(
        "track", help="hold a plan against what has happened, list what is due, and replan"
    )
    track.add_argument("fleet", type=Path, metavar="FLEET", help="the fleet folder")
    track.add_argument(
        "--plan", type=Path, metavar="CSV", help="the plan, instead of the fleet's own"
    )
    track.add_argument(
        "--actuals",
        action="append",
        required=True,
        metavar="CSV",
        help="what happened, in the columns of schedule.csv: date is the day on which it did, "
        "status failed an attempt that did not succeed; or a fleet folder, imported afresh; or "
        "CERTIFICATE=FILE, the report of IBM's renewal script; may be given again",
    )
    track.add_argument(
        "--today",
        type=_date,
        required=True,
        metavar="DATE",
        help="the day up to which the actuals tell what happened",
    )
    track.add_argument(
        "--out", type=Path, required=True, metavar="DIR", help="the folder for the results"
    )


def _add_risk(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    risk = commands.add_parser(
        "risk", help="simulate a plan many times with upgrades and imports that slip"
    )
    risk.add_argument("fleet", type=Path, metavar="FLEET", help="the fleet folder")
    risk.add_argument(
        "--plan", type=Path, metavar="CSV", help="the plan, instead of the fleet's own"
    )
    risk.add_argument("--runs", type=_count, default=1_000, metavar="N", help="runs (1000)")
    risk.add_argument(
        "--seed",
        type=int,
        default=0,
        metavar="N",
        help="seed of the random numbers (0); equal seeds give equal slips to any plan",
    )
    delays = risk.add_mutually_exclusive_group()
    delays.add_argument(
        "--slips",
        type=Path,
        metavar="CSV",
        help="how late things come, with the columns action, site, owner, delay; the first row "
        "that fits an action counts",
    )
    delays.add_argument(
        "--actuals",
        type=Path,
        metavar="CSV",
        help="what happened, as for track: the delays so far are taken as those to come",
    )
    risk.add_argument(
        "--processes", type=_count, default=1, metavar="N", help="processes that share the work (1)"
    )
    risk.add_argument(
        "--scheduler", default="", metavar="ADDRESS", help="a Dask scheduler whose workers do it"
    )
    risk.add_argument(
        "--out", type=Path, metavar="DIR", help="a folder for lead_times.csv and all results"
    )


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no count; write 1 or more")
    return int(text)


def _add_import(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    importing = commands.add_parser(
        "import",
        help="build or refresh a fleet from dsmadmc exports, dsm.sys, dsm.opt and certificates",
    )
    importing.add_argument(
        "files",
        nargs="*",
        metavar="FILE",
        help="an export, options file, certificate or listing of a key database, or a folder of "
        "them; NAME=FILE says of which server or client it is",
    )
    importing.add_argument(
        "--out", type=Path, metavar="FLEET", help="the fleet folder, new or to be refreshed"
    )
    for name, meaning in (
        ("start", "the first day of a new fleet; by default the newest day that a file shows"),
        ("end", "the first day after the last; by default two years after the first"),
    ):
        importing.add_argument(f"--{name}", type=_date, metavar="DATE", help=meaning)
    importing.add_argument(
        "--show-queries",
        action="store_true",
        help="print what to run with dsmadmc on each server, and do nothing else",
    )


def _add_order(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    order = commands.add_parser(
        "order", help="propose a rollout order, and say how far from the best possible it is"
    )
    order.add_argument("fleet", type=Path, metavar="FLEET", help="the fleet folder")
    order.add_argument(
        "--out", type=Path, required=True, metavar="DIR", help="the folder for the results"
    )
    how = order.add_mutually_exclusive_group()
    how.add_argument(
        "--strategy",
        choices=tuple(STRATEGIES),
        metavar="NAME",
        help=f"order as people do: {', '.join(STRATEGIES)}",
    )
    how.add_argument(
        "--optimise",
        action="store_true",
        help="search for the least exposure; what is done without --strategy",
    )
    order.add_argument(
        "--seconds", type=float, default=60.0, metavar="S", help="time of the search (60)"
    )
    order.add_argument(
        "--iterations",
        type=int,
        default=400,
        metavar="N",
        help="iterations of the search (400); with equal seeds they give equal plans",
    )
    order.add_argument(
        "--seed", type=int, default=0, metavar="N", help="seed of the random numbers (0)"
    )


class _Progress:
    """Says on stderr what is being done, once that takes more than a moment.

    Parameters
    ----------
    every
        At least so many seconds lie between two lines.
    """

    def __init__(self, *, every: float = 0.0) -> None:
        self._started, self._every = time.monotonic(), every
        self._last = -every

    def __call__(self, step: str) -> None:
        """Tell of a step."""
        elapsed = time.monotonic() - self._started
        if elapsed > _PATIENCE and elapsed - self._last >= self._every:
            self._last = elapsed
            print(f"planner: {elapsed:4.0f} s  {step}", file=sys.stderr, flush=True)


def _plan(fleet: Path, plan: Path | None, out: Path, *, runbooks: bool) -> int:
    run = planner.plan(fleet, out=out, plan=plan, runbooks=runbooks, observer=_Progress())
    _print_summary(run)
    print(f"Results are in {out}: start with schedule.csv, findings.csv and deadlines.png.")
    return HAS_ERRORS if run.findings.has_errors else FINE


class Bar:
    """Draws a progress bar on stderr for each step, where that is a terminal."""

    def __init__(self) -> None:
        self._step = ""
        self._bar: tqdm[Never] | None = None

    def __call__(self, step: str, done: int, whole: int) -> None:
        """Show how much of a step is done."""
        if step != self._step:
            self.close()
            self._step = step
            self._bar = tqdm(desc=step, total=whole, delay=_PATIENCE, leave=False, disable=None)
        if self._bar is not None:
            self._bar.update(done - self._bar.n)

    def close(self) -> None:
        """Take the bar away."""
        if self._bar is not None:
            self._bar.close()


def _import(parser: argparse.ArgumentParser, chosen: argparse.Namespace) -> int:
    if chosen.show_queries:
        print(show_queries(), end="")
        return FINE
    if chosen.out is None or not chosen.files:
        parser.error("import: give --out FLEET and at least one FILE")
    bar = Bar()
    try:
        made = planner.import_fleet(
            *chosen.files, out=chosen.out, start=chosen.start, end=chosen.end, observer=bar
        )
    finally:
        bar.close()
    for finding in made.findings:
        print(_line(finding))
    _print_changes(made)
    for value in (made.fleet, made, made.as_is, made.findings):
        print(repr(value))
    print(f"The fleet is in {chosen.out}: look at import_report.csv, then complete fleet.toml.")
    return HAS_ERRORS if made.findings.has_errors else FINE


def _print_changes(made: Import) -> None:
    for change, planned in zip(made.changes, made.planned, strict=True):
        values = f": {change.column} {change.before} -> {change.after}" if change.column else ""
        touched = f" (planned: {planned})" if planned else ""
        print(f"{change.kind} {change.table} {change.subject}{values}{touched}")


def _check(fleet: Path, plan: Path | None) -> int:
    run = planner.plan(fleet, plan=plan, observer=_Progress())
    for finding in run.findings:
        print(_line(finding))
    _print_summary(run)
    return HAS_ERRORS if run.findings.has_errors else FINE


def _order(fleet: Path, out: Path, strategy: str | None, stop: planner.Stop, seed: int) -> int:
    tell = _Progress(every=_PAUSE)

    def observe(now: Progress) -> None:
        bound = "" if now.bound is None else f", no order is below {now.bound:,.0f}"
        tell(f"iteration {now.iteration}: {now.value:,.0f}{bound}")

    result = propose(fleet, strategy=strategy, stop=stop, seed=seed, out=out, observer=observe)
    print(result.summary())
    print(f"The order is in {out}: schedule.csv is its plan, summary.json has bound and gap.")
    return FINE


def _report(fleet: Path, plan: Path | None, out: Path) -> int:
    packet = planner.report(fleet, out=out, plan=plan, observer=_Progress())
    _print_summary(packet.run)
    pdf = "report.pdf" if packet.pdf else "no PDF, as no Chromium, Chrome or Edge printed one"
    print(f"The packet is in {out}: report.html, {pdf}, and {len(packet.tables)} tables.")
    return FINE


def _lab() -> int:
    command = lab_command()
    print(f"Opening {command[-1]} in JupyterLab; stop it with Ctrl-C.", flush=True)
    return _serve(command)


def _app(fleet: Path, plan: Path | None, chosen: argparse.Namespace) -> int:
    from planner.widgets.app import app_command, app_environment  # ipywidgets from here on

    idle_seconds = 60 * max(1, chosen.idle)
    command = app_command(
        port=chosen.port, idle_seconds=idle_seconds, dark=chosen.dark, browser=not chosen.no_browser
    )
    tell = _Progress()
    run = planner.plan(fleet, plan=plan, observer=tell)  # whatever is wrong is said here, at once
    # The first time makes machine code for a minute; a page that waits for that looks dead.
    tell("preparing the simulation of slips")
    planner.slip(run.plan, runs=1, seed=0)
    environment = app_environment(fleet, plan, idle_seconds=idle_seconds)
    print("Starting the planning room; stop it with Ctrl-C. Its address, with a token:", flush=True)
    return _serve(command, environment)


def _serve(command: Sequence[str], environment: Mapping[str, str] | None = None) -> int:
    """Run a server until it ends, and let it end with this program."""
    server = subprocess.Popen(command, env=environment)  # noqa: S603 - this Python, no shell
    before = signal.signal(signal.SIGTERM, lambda *_: server.terminate())
    try:
        return server.wait()
    except KeyboardInterrupt:  # the server has it too, and may ask
        return server.wait()
    finally:
        signal.signal(signal.SIGTERM, before)


def _certs(paths: Sequence[Path], start: datetime.date | None, end: datetime.date | None) -> int:
    inventory = planner.certificates(*paths, start=start, end=end)
    for entry in inventory:
        print(entry)
        for detail in entry.details():
            print(f"    {detail}")
    for finding in inventory.findings:
        print(_line(finding))
    print(repr(inventory))
    return HAS_ERRORS if inventory.findings.has_errors else FINE


def _compare(fleet: Path, plan_a: Path, plan_b: Path, out: Path | None) -> int:
    described = planner.read_fleet(fleet)
    found = planner.compare(
        *(planner.simulate(planner.read_plan(path, described)) for path in (plan_a, plan_b))
    )
    for line in found.lines():
        print(line)
    if out is not None:
        planner.write_comparison(out, found)
        print(f"All differences are in {out / 'comparison.csv'}.")
    return FINE


def _track(
    fleet: Path, plan: Path | None, actuals: Sequence[str], today: datetime.date, out: Path
) -> int:
    described = planner.read_fleet(fleet)
    planned, baseline = approved_plan_of(described, fleet, plan), None
    if plan is None and (baseline := planner.read_baseline(fleet)) is not None:
        print(f"Against {baseline}:")
        for name in baseline.changed_inputs(fleet):
            print(f"{name} has changed since then.")
    happened = [planner.read_actuals(source, planned, today=to_day(today)) for source in actuals]
    reported = Plan.of(described, (row for one in happened for row in one.rows()))
    found = planner.track(planned, reported, today=to_day(today))
    replanned, conflict = None, ""
    try:
        replanned = planner.replan(found.recorded, today=to_day(today))
    except InfeasibleError as error:
        conflict = str(error)
    planner.write_progress(out, found, replanned=replanned, baseline=baseline)
    for line in (*found.lines(), *(() if replanned is None else replanned.lines())):
        print(line)
    if conflict:
        print(conflict)
    print(f"Results are in {out}: start with digest.txt, due.csv and progress.csv.")
    return HAS_ERRORS if conflict else FINE


def _baseline(chosen: argparse.Namespace) -> int:
    made = planner.baseline(
        chosen.fleet, plan=chosen.plan, approver=chosen.approver, approved_on=chosen.date
    )
    print(f"Frozen: {made}, with {len(made.inputs)} input files.")
    print(f"It is in {chosen.fleet / BASELINE_FOLDER}; planner track holds against it.")
    return FINE


def _risk(chosen: argparse.Namespace) -> int:
    described = planner.read_fleet(chosen.fleet)
    plan = plan_of(described, chosen.fleet, chosen.plan)
    slips = None if chosen.slips is None else planner.read_slips(chosen.slips)
    if chosen.actuals is not None:
        happened = planner.read_plan(chosen.actuals, described)
        today = int(happened.day.max(initial=described.start))
        slips = planner.fitted_slips(planner.track(plan, happened, today=today).rows, plan)
    bar = Bar()
    try:
        found = planner.slip(
            plan,
            runs=chosen.runs,
            seed=chosen.seed,
            slips=slips,
            processes=chosen.processes,
            scheduler=chosen.scheduler,
            observer=lambda done, whole: bar("sessions", done, whole),
        )
    finally:
        bar.close()
    for line in found.lines():
        print(line)
    if chosen.out is not None:
        planner.write_risk(chosen.out, found)
        print(f"Results are in {chosen.out}: start with lead_times.csv and criticality.csv.")
    return FINE


def _line(finding: Finding) -> str:
    place = f"{finding.file}:{finding.line}" if finding.line else finding.file
    where = f"{place}: " if place else ""
    day = iso(finding.day)
    head = f"{finding.severity} {finding.rule}{f' {day}' if day else ''}"
    return f"{where}{head}: {finding.subject}: {finding.what}. {finding.fix}"


def _print_summary(run: Run) -> None:
    for value in (run.fleet, run.plan, run.timeline, run.deadlines, run.findings):
        print(repr(value))
    print(f"Measures: {run.measures}")


if __name__ == "__main__":
    sys.exit(main())
