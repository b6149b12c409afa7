"""The report: its notebook executed on a fleet and plan, as one page that needs nothing else."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Final

from planner.domain.errors import PlannerError
from planner.domain.version import MADE_BY
from planner.inventory.writing import write_files
from planner.reporting import packet_tables
from planner.reporting.cells import csv_bytes
from planner.reporting.jupyter import NOTEBOOK_ONLY, notebooks_folder, require_lab
from planner.reporting.results import Observer, csv_contents, tell_nobody
from planner.reporting.run import Run
from planner.reporting.run import plan as run_plan

if TYPE_CHECKING:
    from nbformat import NotebookNode

NOTEBOOK: Final = "08_report.ipynb"

_BROWSERS: Final = ("chromium", "chromium-browser", "google-chrome", "chrome", "msedge")
_PATIENCE: Final = 120
"""Longest that a browser may take for the PDF [s]: one that hangs must not hang the report."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Packet:
    """What a change board gets: the report, its tables, and the run behind them.

    Parameters
    ----------
    pdf
        The report as PDF; None where no browser printed it.
    tables
        The CSV files of the run and of the report, beside it.
    """

    run: Run
    html: Path
    pdf: Path | None
    tables: tuple[Path, ...]

    def __repr__(self) -> str:
        pdf = self.pdf.name if self.pdf else "no PDF"
        return f"Packet({self.html.name}, {pdf}, {len(self.tables)} tables)"


def report(
    fleet: str | Path,
    *,
    out: str | Path,
    plan: str | Path | None = None,
    observer: Observer | None = None,
) -> Packet:
    """Execute the report notebook on a fleet and its plan, and write the change board's packet.

    `report.html` holds its pictures and style and asks the network for nothing; `report.pdf` is the
    same, printed by a browser of this computer where there is one; the CSV files whose digests
    the report states lie beside them.

    Parameters
    ----------
    fleet
        The fleet folder.
    out
        Folder for the packet.
    plan
        A plan that wins over the folder's plan.csv; as in `planner.plan`.
    observer
        Is told what is being done.

    Raises
    ------
    MissingExtraError
        If the libraries of the extra `lab` are not installed.
    InventoryError, PlanError
        If the input cannot be used; nothing is written then.
    PlannerError
        If the notebook stops with an error.
    """
    require_lab("report", "ipykernel", "nbconvert", "papermill")
    tell = observer or tell_nobody
    run = run_plan(fleet, plan=plan, observer=tell)
    tell("executing the report notebook")
    parameters = {
        "fleet_folder": str(Path(fleet).resolve()),
        "plan_file": "" if plan is None else str(Path(plan).resolve()),
    }
    page = _page(_executed(parameters), f"Report: {run.fleet.name}").encode()
    tell("printing the report")
    pdf = _printed(page)
    tables = _tables(run)
    documents = {"report.html": page} | ({} if pdf is None else {"report.pdf": pdf})
    folder = Path(out)
    write_files(folder, documents | tables)
    if pdf is None:
        (folder / "report.pdf").unlink(missing_ok=True)  # of an earlier plan
    return Packet(
        run=run,
        html=folder / "report.html",
        pdf=None if pdf is None else folder / "report.pdf",
        tables=tuple(folder / name for name in tables),
    )


def _tables(run: Run) -> dict[str, bytes]:
    """CSV files of a packet: those of the run, and those that only the report has."""
    return csv_contents(run.deadlines, run.findings) | {
        "weeks.csv": csv_bytes(packet_tables.weeks(run.timeline)),
        "owners.csv": csv_bytes(packet_tables.owners(run.deadlines)),
        "points_of_no_return.csv": csv_bytes(packet_tables.points_of_no_return(run.deadlines)),
        "ways_back.csv": csv_bytes(packet_tables.ways_back(run.deadlines)),
    }


def _executed(parameters: Mapping[str, str]) -> "NotebookNode":
    """Return the notebook with its outputs for these parameters; nothing of it is written."""
    from nbclient import NotebookClient
    from nbclient.exceptions import CellExecutionError
    from papermill.iorw import load_notebook_node
    from papermill.parameterize import parameterize_notebook

    folder = notebooks_folder()
    notebook = load_notebook_node(str(folder / NOTEBOOK))
    notebook.cells = [cell for cell in notebook.cells if NOTEBOOK_ONLY not in cell.metadata.tags]
    notebook = parameterize_notebook(notebook, dict(parameters))
    resources = {"metadata": {"path": str(folder)}}
    client = NotebookClient(
        notebook,
        kernel_name="python3",
        resources=resources,
        timeout=None,
        extra_arguments=["--log-level=ERROR"],  # the kernel listens on this computer alone
    )
    try:
        return client.execute()
    except CellExecutionError as error:
        raise PlannerError(
            f"{NOTEBOOK}: a cell stopped with {error.ename}: {error.evalue}; open it with "
            "`planner lab` and run it on this fleet"
        ) from error


def _page(notebook: "NotebookNode", title: str) -> str:
    """Return an executed notebook as a page of its own, without its code."""
    from nbconvert.exporters import HTMLExporter

    exporter = HTMLExporter(
        template_name="basic", exclude_input=True, exclude_output_prompt=True, embed_images=True
    )
    body, _ = exporter.from_notebook_node(notebook)
    frame = (files("planner.reporting") / "report_page.html").read_text(encoding="utf-8")
    frame = frame.replace("{{ made_by }}", escape(MADE_BY))
    return frame.replace("{{ title }}", escape(title)).replace("{{ body }}", body)


def _printed(page: bytes) -> bytes | None:
    """Return a page as PDF, printed by the first browser that is found; None if none does it."""
    browser = next(filter(None, map(shutil.which, _BROWSERS)), None)
    if browser is None:
        return None
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "report.html").write_bytes(page)
        command = [
            browser,
            "--headless",
            "--disable-gpu",
            "--no-pdf-header-footer",
            f"--user-data-dir={folder / 'profile'}",
            f"--print-to-pdf={folder / 'report.pdf'}",
            *(["--no-sandbox"] if getattr(os, "geteuid", lambda: 1)() == 0 else []),
            (folder / "report.html").as_uri(),
        ]
        try:
            # A fixed command without shell; the page is ours and has no script.
            subprocess.run(  # noqa: S603
                command, capture_output=True, check=False, timeout=_PATIENCE
            )
        except subprocess.TimeoutExpired:
            return None
        pdf = folder / "report.pdf"
        return pdf.read_bytes() if pdf.exists() else None
