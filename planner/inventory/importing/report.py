"""The account of an import: what became of each line, what is remarkable, and what changed."""

from collections.abc import Sequence
from typing import Final

from planner.domain.calendar import iso
from planner.domain.findings import Findings
from planner.inventory.csv_tables import table_text
from planner.inventory.importing.evidence import Lines, LineUse

REPORT_FILE: Final = "import_report.csv"
FINDINGS_FILE: Final = "import_findings.csv"
CHANGES_FILE: Final = "import_changes.csv"
REPORT_COLUMNS: Final = ("file", "first_line", "last_line", "use", "subject", "what")


def report_text(lines: Sequence[Lines]) -> str:
    """Return import_report.csv: every line of every file, in order, equal neighbours together."""
    columns = [
        [one.file for one in lines],
        [str(one.first) for one in lines],
        [str(one.last) for one in lines],
        [one.use.value for one in lines],
        [one.subject for one in lines],
        [one.what for one in lines],
    ]
    return table_text(REPORT_COLUMNS, columns)


def counts(lines: Sequence[Lines]) -> dict[LineUse, int]:
    """Count the lines by what became of them."""
    found = dict.fromkeys(LineUse, 0)
    for one in lines:
        found[one.use] += one.last - one.first + 1
    return found


def findings_text(findings: Findings) -> str:
    """Return import_findings.csv, in the columns of findings.csv."""
    headings = ("rule", "severity", "date", "subject", "what", "why", "fix", "file", "line")
    rows = findings.rows
    columns = [
        [row.rule for row in rows],
        [row.severity.value for row in rows],
        [iso(row.day) for row in rows],
        [row.subject for row in rows],
        [row.what for row in rows],
        [row.why for row in rows],
        [row.fix for row in rows],
        [row.file for row in rows],
        [str(row.line) if row.line else "" for row in rows],
    ]
    return table_text(headings, columns)
