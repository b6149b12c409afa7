"""Findings: faults of a fleet or plan, as rows. They are data and are never raised."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from planner.domain import views
from planner.domain.calendar import iso

if TYPE_CHECKING:
    import pandas as pd


class Severity(StrEnum):
    """How bad a finding is: an error makes `planner plan` and `planner check` exit with 1."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One fault: which rule, how bad, from which day, who, what is wrong, why, and the cure."""

    rule: str
    severity: Severity
    day: int
    subject: str
    what: str
    why: str
    fix: str
    file: str = ""
    line: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class Findings:
    """All faults of one fleet and plan, worst first, then by day, rule and subject."""

    rows: tuple[Finding, ...]

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[Finding]:
        return iter(self.rows)

    def of(self, rule: str) -> "Findings":
        """Return the findings of one rule."""
        return Findings(tuple(row for row in self.rows if row.rule == rule))

    def count(self, severity: Severity) -> int:
        """Count the findings of one severity."""
        return sum(row.severity is severity for row in self.rows)

    @property
    def has_errors(self) -> bool:
        """Whether any finding is an error."""
        return any(row.severity is Severity.ERROR for row in self.rows)

    def __repr__(self) -> str:
        counts = ", ".join(f"{self.count(severity)} {severity}s" for severity in Severity)
        return f"Findings({counts})"

    def to_frame(self) -> "pd.DataFrame":
        """Return the table of findings.csv."""
        return views.frame_of(self)

    def _repr_html_(self) -> str:
        return views.html_of(self)


def in_order(rows: list[Finding]) -> Findings:
    """Sort findings: severity, day, rule, subject, then as they were found."""
    severities = list(Severity)
    rows.sort(key=lambda row: (severities.index(row.severity), row.day, row.rule, row.subject))
    return Findings(tuple(rows))


def day_text(day: int) -> str:
    """Day in a sentence; "never" where there is none."""
    return iso(day) or "never"
