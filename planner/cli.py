"""The program `planner`: arguments, messages and exit statuses. The only module that prints."""

import argparse
import datetime
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import planner
from planner.domain.calendar import iso
from planner.domain.errors import PlannerError
from planner.domain.findings import Finding
from planner.reporting.jupyter import lab_command
from planner.reporting.run import Run

FINE: Final = 0
HAS_ERRORS: Final = 1
UNUSABLE: Final = 2
INTERRUPTED: Final = 3

_PATIENCE: Final = 1.0
"""After so many seconds progress is shown [s]."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns its exit status."""
    parser = _parser()
    chosen = parser.parse_args(arguments)
    try:
        match chosen.command:
            case "plan":
                return _plan(chosen.fleet, chosen.plan, chosen.out, runbooks=chosen.runbooks)
            case "report":
                return _report(chosen.fleet, chosen.plan, chosen.out)
            case "lab":
                return _lab()
            case "app":
                return _app(chosen.fleet, chosen.plan, chosen)
            case "certs":
                return _certs(chosen.paths, chosen.start, chosen.end)
            case _:
                return _check(chosen.fleet, chosen.plan)
    except PlannerError as error:
        print(error, file=sys.stderr)
        return UNUSABLE
    except BrokenPipeError:
        # Nobody reads on, as in `planner check FLEET | head`; flushing at exit must not fail again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return INTERRUPTED
    except OSError as error:
        where = error.filename or "the files"
        what = f"{where}: {error.strerror or error}; check that it may be written and has room"
        print(what, file=sys.stderr)
        return UNUSABLE
    except KeyboardInterrupt:
        print("planner: interrupted; files that were being written are as before", file=sys.stderr)
        return INTERRUPTED


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
            type=datetime.date.fromisoformat,
            metavar="DATE",
            help=f"{meaning} on which the certificates must be valid; a fleet has its own",
        )
    return parser


class _Progress:
    """Says on stderr what is being done, once that takes more than a moment."""

    def __init__(self) -> None:
        self._started = time.monotonic()

    def __call__(self, step: str) -> None:
        elapsed = time.monotonic() - self._started
        if elapsed > _PATIENCE:
            print(f"planner: {elapsed:4.0f} s  {step}", file=sys.stderr, flush=True)


def _plan(fleet: Path, plan: Path | None, out: Path, *, runbooks: bool) -> int:
    run = planner.plan(fleet, out=out, plan=plan, runbooks=runbooks, observer=_Progress())
    _print_summary(run)
    print(f"Results are in {out}: start with schedule.csv, findings.csv and deadlines.png.")
    return HAS_ERRORS if run.findings.has_errors else FINE


def _check(fleet: Path, plan: Path | None) -> int:
    run = planner.plan(fleet, plan=plan, observer=_Progress())
    for finding in run.findings:
        print(_line(finding))
    _print_summary(run)
    sys.stdout.flush()
    return HAS_ERRORS if run.findings.has_errors else FINE


def _report(fleet: Path, plan: Path | None, out: Path) -> int:
    packet = planner.report(fleet, out=out, plan=plan, observer=_Progress())
    _print_summary(packet.run)
    pdf = (
        "report.pdf" if packet.pdf else "no PDF, as no Chromium, Chrome or Edge was found to print"
    )
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
    planner.plan(fleet, plan=plan, observer=_Progress())  # whatever is wrong is said here, at once
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
    for finding in inventory.findings:
        print(_line(finding))
    print(repr(inventory))
    sys.stdout.flush()
    return HAS_ERRORS if inventory.findings.has_errors else FINE


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
