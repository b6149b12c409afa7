"""The files of one run: all of them, or none."""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Final

import pandas as pd

from planner.domain.calendar import iso
from planner.domain.findings import Findings, Severity
from planner.domain.plan import Plan
from planner.domain.rules import VERDICTS
from planner.domain.version import VERSION
from planner.engine.deadlines import Deadlines
from planner.engine.distribution import distribution
from planner.engine.measures import Measures, measures
from planner.engine.timeline import Timeline
from planner.inventory.baseline import Baseline
from planner.inventory.writing import write_files
from planner.ordering.result import Result
from planner.reporting import tables
from planner.reporting.cells import csv_bytes
from planner.reporting.order_tables import order_summary
from planner.reporting.schedule import schedule

SCHEMA: Final = 1
"""Number of the form of summary.json; it grows with every change that a reader would notice."""

TABLE_TWINS: Final = {
    "modes": "daily.csv",
    "deadlines": "trust_deadlines.csv",
    "gantt": "schedule.csv",
    "fleet": "session_states.csv",
    "waves": "waves.csv",
}
"""The figures, and the file that holds what each one shows."""

Observer = Callable[[str], None]


def write_results(
    folder: str | Path,
    plan: Plan,
    timeline: Timeline,
    deadlines: Deadlines,
    findings: Findings,
    *,
    order: Result | None = None,
    observer: Observer | None = None,
) -> list[Path]:
    """Write every file of one run: schedule, states, deadlines, findings, summary and figures.

    Parameters
    ----------
    folder
        Is made where it is missing; files of an earlier run are replaced.
    order
        The search that the plan comes from; summary.json then says its objective, bound and gap.
    observer
        Is told the name of each file before it is made.

    Returns
    -------
    The files, in the order in which they were made.

    Raises
    ------
    ValueError
        If the timeline or the deadlines are those of another plan.
    FolderInUseError
        If another planner is writing into the folder.
    OSError
        If the folder cannot be written; it is as before then.
    """
    if timeline.plan is not plan or deadlines.timeline is not timeline:
        raise ValueError("timeline and deadlines are those of another plan; compute them from this")
    contents = result_files(deadlines, findings, order=order, observer=observer)
    write_files(Path(folder), contents)
    return [Path(folder) / name for name in contents]


def result_files(
    deadlines: Deadlines,
    findings: Findings,
    *,
    order: Result | None = None,
    baseline: Baseline | None = None,
    observer: Observer | None = None,
) -> dict[str, bytes]:
    """Return every file of one run as its name and content; as `write_results` writes them.

    summary.json refers to the baseline of the fleet folder, where there is one.
    """
    tell = observer or tell_nobody
    contents: dict[str, bytes] = {}
    for name, table in _csv_files(deadlines, findings).items():
        tell(name)
        contents[name] = csv_bytes(table())
    tell("summary.json")
    of_order = {} if order is None else {"order": order_summary(order)}
    approved = {} if baseline is None else {"baseline": baseline.record()}
    contents["summary.json"] = _json(summary(deadlines, findings) | of_order | approved)
    return contents | _figures(deadlines, tell)


def tell_nobody(_: str) -> None:
    """Observe nothing."""


def csv_contents(deadlines: Deadlines, findings: Findings) -> dict[str, bytes]:
    """Return every CSV file of a run as its name and its bytes, the same each time."""
    return {name: csv_bytes(table()) for name, table in _csv_files(deadlines, findings).items()}


def evidence(deadlines: Deadlines, findings: Findings) -> pd.DataFrame:
    """Return the SHA-256 of the fleet's input files together, and of each CSV file of the run."""
    contents = csv_contents(deadlines, findings)
    digests = {name: hashlib.sha256(content).hexdigest() for name, content in contents.items()}
    inputs = {"fleet folder": deadlines.timeline.plan.fleet.origin.sha256}
    return pd.Series(inputs | digests, name="sha256").rename_axis("file").reset_index()


def _csv_files(deadlines: Deadlines, findings: Findings) -> dict[str, Callable[[], pd.DataFrame]]:
    timeline = deadlines.timeline
    return {
        "schedule.csv": lambda: schedule(timeline.plan, deadlines),
        "session_states.csv": lambda: tables.session_states(timeline),
        "trust_deadlines.csv": lambda: tables.trust_deadlines(deadlines),
        "findings.csv": lambda: tables.findings(findings),
        "daily.csv": lambda: tables.daily(timeline),
        "imports.csv": lambda: tables.imports(deadlines),
        "waves.csv": lambda: tables.waves(distribution(deadlines)),
    }


def _figures(deadlines: Deadlines, tell: Observer) -> dict[str, bytes]:
    """Return every figure in every format, and plots.json, which says them in words."""
    from planner.reporting import plots  # matplotlib is needed from here on

    timeline, reached = deadlines.timeline, distribution(deadlines)
    contents, described = {}, {}
    for name, ax, value in (
        ("modes", plots.sessions_by_mode(timeline), timeline),
        ("deadlines", plots.deadline_chart(deadlines), deadlines),
        ("gantt", plots.gantt(timeline.plan), timeline.plan),
        ("fleet", plots.fleet_graph(timeline), timeline),
        ("waves", plots.wave_chart(reached), reached),
    ):
        for form in plots.FORMATS:
            tell(f"{name}.{form}")
            contents[f"{name}.{form}"] = plots.picture(ax, form)
        described[name] = {
            "alternative_text": plots.alternative_text(name, value),
            "table": TABLE_TWINS[name],
        }
    tell("plots.json")
    return contents | {"plots.json": _json(described)}


def summary(deadlines: Deadlines, findings: Findings) -> dict[str, object]:
    """Return the content of summary.json: counts, measures, verdicts, findings, rule coverage."""
    timeline = deadlines.timeline
    plan, fleet = timeline.plan, timeline.plan.fleet
    return {
        "schema": SCHEMA,
        "version": VERSION,
        "fleet": fleet.name,
        "fleet_sha256": fleet.origin.sha256,
        "start": iso(fleet.start),
        "end": iso(fleet.end),
        "counts": {
            "servers": len(fleet.servers),
            "clients": len(fleet.clients),
            "sessions": len(fleet.sessions),
            "actions": len(plan),
        },
        "measures": _measures(measures(deadlines)),
        "verdicts": {verdict.value: deadlines.count(verdict) for verdict in VERDICTS},
        "findings": {severity.value: findings.count(severity) for severity in Severity},
        "rules": timeline.rules_exercised(),
    }


def _measures(values: Measures) -> dict[str, object]:
    """Measures with dates as texts, and null for never."""
    return {
        **{field.name: getattr(values, field.name) for field in fields(values)},
        "finish": iso(values.finish) or None,
        "imports_by_day": {iso(day): count for day, count in values.imports_by_day.items()},
        "slack_quantiles": dict(values.slack_quantiles),
    }


def _json(content: Mapping[str, object]) -> bytes:
    text = json.dumps(content, indent=2, sort_keys=True, ensure_ascii=False)
    return f"{text}\n".encode()
