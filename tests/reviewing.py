"""What the tests of checks share: small cases, and their findings."""

from pathlib import Path

from planner.domain.calendar import iso
from planner.domain.findings import Finding, Findings
from planner.engine.findings import check
from planner.engine.timeline import simulate
from tests.builders import account, action, case, client, server, session, trust
from tests.comparison import read_case
from tests.oracle import Case, Row

NEW = "8.1.13"
OLD = "8.1.0"


def findings_of(found: Case, folder: Path) -> Findings:
    """Return every finding of a case."""
    return check(simulate(read_case(found, folder)))


def only(found: Case, folder: Path, rule: str) -> Finding:
    """Return the one finding of a rule."""
    (row,) = findings_of(found, folder).of(rule)
    return row


def rules_of(found: Case, folder: Path) -> set[str]:
    """Return the rules of all findings of a case."""
    return {row.rule for row in findings_of(found, folder)}


def where(finding: Finding) -> tuple[str, str, str, str, int]:
    """Return severity, day, subject, file and line of a finding."""
    return (
        str(finding.severity),
        iso(finding.day),
        finding.subject,
        finding.file,
        finding.line,
    )


def pair(
    *,
    server_level: str = NEW,
    client_level: str = NEW,
    server_cells: Row | None = None,
    account_cells: Row | None = None,
    certificates: tuple[Row, ...] = (),
    held: tuple[str, ...] = (),
    plan: tuple[Row, ...] = (),
    cells: Row | None = None,
    **more_cells: str,
) -> Case:
    """Build a client BA01 with a session to a server SRV1; further cells are the session's."""
    return case(
        servers=[server("SRV1", server_level, **(server_cells or {}))],
        clients=[client("BA01", client_level)],
        accounts=[account("SRV1", "BA01", **account_cells)] if account_cells else [],
        sessions=[session("BA01", "SRV1", **(cells or {}), **more_cells)],
        certificates=certificates,
        trust=[trust("BA01", name) for name in held],
        plan=plan,
    )


SERVER_UP = action("2025-03-10", "upgrade-server", server="SRV1", value=NEW)
CLIENT_UP = action("2025-03-17", "upgrade-client", client="BA01", value=NEW)
