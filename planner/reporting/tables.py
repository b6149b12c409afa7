"""Core values as tidy tables: the only door to pandas.

`to_csv(index=False)` of each table is the CSV file of that name: its columns, its order of rows,
its empty cells. Dates are ISO texts, whole numbers may be empty, and a text that a spreadsheet
would take for a formula is neutralised. Rows are picked by number; nothing loops over sessions.
"""

from html import escape
from typing import Final

import numpy as np
import pandas as pd

from planner.domain.calendar import ALWAYS, NEVER, mondays_of
from planner.domain.findings import Findings
from planner.domain.fleet import Fleet, SessionKind
from planner.domain.options import OPTIONS, REPLSSLPORT, TCPPORT
from planner.domain.plan import Plan
from planner.domain.rules import (
    BOTH_NEW,
    DEADLINE_RULES,
    FREE_RULES,
    OLD_CLIENT,
    OLD_SERVER,
    RULES,
    VERDICTS,
    Mode,
)
from planner.engine.as_is import AsIs
from planner.engine.deadlines import Deadlines
from planner.engine.distribution import Distribution
from planner.engine.kernel import MODE_OF_RULE
from planner.engine.measures import imports_in_effect
from planner.engine.replacements import Replacements
from planner.engine.timeline import Timeline
from planner.inventory.certificate_inventory import CertificateInventory
from planner.inventory.schema import SESSIONS
from planner.ordering.front import Front
from planner.ordering.replan import Replanned
from planner.ordering.result import Result
from planner.reporting import (
    certificate_tables,
    import_tables,
    order_tables,
    packet_tables,
    risk_tables,
    tracking_tables,
)
from planner.reporting.bundles import Bundles
from planner.reporting.cells import (
    AnyNumbers,
    TextColumn,
    column_of,
    dates,
    picked,
    ranks,
    texts,
    whole_numbers,
)
from planner.reporting.certificate_tables import (
    bundles,
    certificates,
    distribution,
    replacements,
)
from planner.reporting.import_run import Import
from planner.reporting.schedule import deadline_rows, schedule
from planner.risk.result import Risk
from planner.tracking.compare import Comparison
from planner.tracking.progress import Progress

HEAD_ROWS: Final = 20
"""Rows that a value shows of itself in a notebook."""

_MODES: Final = texts(rule.mode.label for rule in RULES)
_REASONS: Final = texts(rule.reason.value for rule in RULES)
_TLS: Final = texts(rule.tls for rule in RULES)
_MESSAGES: Final = texts(rule.message for rule in RULES)
_RULE_IDS: Final = texts(rule.id for rule in RULES)
_SOURCES: Final = texts(rule.source for rule in RULES)
_STATUSES: Final = texts(rule.status.value for rule in RULES)
_SENTENCES: Final = texts(rule.sentence for rule in RULES)
_VERDICTS: Final = texts(VERDICTS)
_DEADLINE_RULE: Final = {rule.verdict: rule for rule in DEADLINE_RULES}
_VERDICT_RULE_IDS: Final = texts(_DEADLINE_RULE[verdict].id for verdict in VERDICTS)
_TOOLS: Final = texts(("gsk8capicmd", "dsmcert"))
_YES_NO: Final = texts(("No", "Yes"))
_SESSION_KINDS: Final = texts(kind.label for kind in SessionKind)
_TABLES: Final = (
    ("free", FREE_RULES),
    ("old-server", OLD_SERVER),
    ("old-client", OLD_CLIENT),
    ("both-new", BOTH_NEW),
)

risk, lead_times = risk_tables.risk, risk_tables.lead_times
criticality = risk_tables.criticality
waves = certificate_tables.waves
import_changes = import_tables.changes
orders = order_tables.orders
comparison, progress = tracking_tables.comparison, tracking_tables.progress
due, moves = tracking_tables.due, tracking_tables.moves
key_numbers = packet_tables.key_numbers
owners = packet_tables.owners
points_of_no_return = packet_tables.points_of_no_return
ways_back = packet_tables.ways_back
weeks = packet_tables.weeks
"""Tables of other modules, here because this is where users look for tables."""


def _names_of(fleet: Fleet, session: AnyNumbers) -> dict[str, TextColumn]:
    """Columns of the four names that tell sessions apart."""
    rows = fleet.sessions
    return {
        "client": picked(texts(fleet.endpoint_names()), rows.client[session]),
        "server": picked(texts(fleet.servers.name), rows.server[session]),
        "account": picked(texts(fleet.accounts.name), rows.account[session]),
        "key_database": picked(texts(fleet.key_databases.name), rows.key_database[session]),
    }


def _state_of(rule: AnyNumbers) -> dict[str, TextColumn]:
    """Columns of what rules of `RULES` make of a session."""
    return {
        "mode": picked(_MODES, rule),
        "reason": picked(_REASONS, rule),
        "tls": picked(_TLS, rule),
        "rule": picked(_RULE_IDS, rule),
    }


def session_states(timeline: Timeline) -> pd.DataFrame:
    """Return the table of session_states.csv: the segments `[start, end)` of every session.

    Notes
    -----
    Linear in segments.
    """
    fleet = timeline.plan.fleet
    session, rule = timeline.session(), timeline.rule
    return pd.DataFrame(
        {
            **_names_of(fleet, session),
            "start": dates(timeline.day),
            "end": dates(timeline.until()),
            **_state_of(rule),
            "message": picked(_MESSAGES, rule),
        },
        copy=False,
    )


def states_on(timeline: Timeline, day: int) -> pd.DataFrame:
    """Return the state of every session on one day, by its mode from worst to best.

    Raises
    ------
    ValueError
        If the day lies outside the horizon.
    """
    fleet, rule = timeline.plan.fleet, timeline.rule_on(day)
    order = np.argsort(MODE_OF_RULE[rule], kind="stable")
    rule = rule[order]
    return pd.DataFrame(
        {
            **_names_of(fleet, order),
            **_state_of(rule),
            "message": picked(_MESSAGES, rule),
        }
    )


def film(timeline: Timeline, endpoint: int) -> pd.DataFrame:
    """Return the segments of every session of an endpoint, with the rule and source of each.

    The sessions are those that it opens and, of a server, those that it is asked for.
    """
    fleet = timeline.plan.fleet
    sessions, server = fleet.sessions, endpoint - len(fleet.clients)
    found = (sessions.client == endpoint) | (sessions.server == server)
    session = timeline.session()
    rows = np.flatnonzero(found[session])
    session, rule = session[rows], timeline.rule[rows]
    return pd.DataFrame(
        {
            **_names_of(fleet, session),
            "start": dates(timeline.day[rows]),
            "end": dates(timeline.until()[rows]),
            **_state_of(rule),
            "source": picked(_SOURCES, rule),
            "status": picked(_STATUSES, rule),
            "sentence": picked(_SENTENCES, rule),
        }
    )


def trust_deadlines(deadlines: Deadlines) -> pd.DataFrame:
    """Return the table of trust_deadlines.csv, by day needed, client, key database, certificate."""
    timeline = deadlines.timeline
    fleet = timeline.plan.fleet
    names = fleet.endpoint_names()
    certificates = timeline.compiled.certificates.name
    endpoint, database, anchor = deadlines.endpoint(), deadlines.key_database(), deadlines.anchor
    order = np.lexsort(
        (
            ranks(certificates)[anchor],
            ranks(fleet.key_databases.name)[database],
            ranks(names)[endpoint],
            deadlines.needed,
        )
    )
    verdict, planned = deadlines.verdict[order], deadlines.planned[order]
    servers, use_cases = deadlines.texts()
    has_slack, slack = deadlines.slack()
    tool = np.where(planned == ALWAYS, -1, deadlines.uses_dsmcert()[order])
    return pd.DataFrame(
        {
            "client": picked(texts(names), endpoint[order]),
            "key_database": picked(texts(fleet.key_databases.name), database[order]),
            "certificate": picked(texts(certificates), anchor[order]),
            "servers": picked(texts(servers), order),
            "use_case": picked(texts(use_cases), order),
            "opens": dates(deadlines.opens()[order]),
            "needed": dates(deadlines.needed[order]),
            "latest_safe": dates(deadlines.latest_safe[order]),
            "planned": dates(planned),
            "slack_days": whole_numbers(slack[order], empty=~has_slack[order]),
            "verdict": picked(_VERDICTS, verdict),
            "tool": picked(_TOOLS, tool),
            "rule": picked(_VERDICT_RULE_IDS, verdict),
        },
        copy=False,
    )


def findings(findings: Findings) -> pd.DataFrame:
    """Return the table of findings.csv, in the order of the findings."""
    rows = findings.rows
    line = np.array([row.line for row in rows], dtype=np.int64)
    columns = {
        name: column_of(str(getattr(row, name)) for row in rows)
        for name in ("rule", "severity", "subject", "what", "why", "fix", "file")
    }
    return pd.DataFrame(
        {
            "rule": columns["rule"],
            "severity": columns["severity"],
            "date": dates(np.array([row.day for row in rows], dtype=np.int64)),
            "subject": columns["subject"],
            "what": columns["what"],
            "why": columns["why"],
            "fix": columns["fix"],
            "file": columns["file"],
            "line": whole_numbers(line, empty=line == 0),
        },
        copy=False,
    )


def daily(timeline: Timeline) -> pd.DataFrame:
    """Return the table of daily.csv: sessions of each mode on every day of the horizon."""
    fleet = timeline.plan.fleet
    counts = timeline.daily()
    days = dates(np.arange(fleet.start, fleet.end))
    return pd.DataFrame({"date": days, **{mode.label: counts[:, mode] for mode in Mode}})


def imports(deadlines: Deadlines) -> pd.DataFrame:
    """Return the table of imports.csv: the plan's imports by ISO week and certificate.

    `same_day` counts those that happen on the very day on which they are needed.
    """
    plan = deadlines.timeline.plan
    rows = imports_in_effect(deadlines)
    week, day, certificate = mondays_of(plan.day[rows]), plan.day[rows], plan.certificate[rows]
    deadline = deadline_rows(deadlines)[rows]
    needed = np.append(deadlines.needed, np.int32(NEVER))[deadline]
    planned = np.append(deadlines.planned, np.int32(NEVER))[deadline]
    names = deadlines.timeline.compiled.certificates.name
    counted = pd.DataFrame(
        {
            "week": week,
            "rank": ranks([*names, ""])[certificate],
            "certificate": certificate,
            "same_day": (planned == day) & (needed == day),
        }
    )
    grouped = counted.groupby(["week", "rank", "certificate"])["same_day"].agg(["size", "sum"])
    grouped = grouped.reset_index()
    return pd.DataFrame(
        {
            "week": dates(grouped["week"].to_numpy()),
            "certificate": picked(texts(names), grouped["certificate"].to_numpy()),
            "imports": grouped["size"].to_numpy(dtype=np.int64),
            "same_day": grouped["sum"].to_numpy(dtype=np.int64),
        }
    )


def sessions(fleet: Fleet) -> pd.DataFrame:
    """Return the columns of sessions.csv with every default filled in, in the order of the file.

    A port is the server's where the session has none of its own, and empty where neither is known.
    """
    rows = fleet.sessions
    port = np.where(rows.port > 0, rows.port, fleet.servers.tcpport[rows.server])
    columns = {
        "client": picked(texts(fleet.endpoint_names()), rows.client),
        "server": picked(texts(fleet.servers.name), rows.server),
        "account": picked(texts(fleet.accounts.name), rows.account),
        "kind": picked(_SESSION_KINDS, rows.kind),
        **{
            option.column: picked(
                texts(option.choices), (rows.options & option.mask) >> option.shift
            )
            for option in OPTIONS
            if option.choices
        },
        TCPPORT.column: whole_numbers(port, empty=port == 0),
        REPLSSLPORT.column: whole_numbers(rows.replsslport, empty=rows.replsslport == 0),
        "key_database": picked(texts(fleet.key_databases.name), rows.key_database),
        "weight": rows.weight,
        "encrypt_data": picked(_YES_NO, rows.encrypt_data.view(np.uint8)),
    }
    return pd.DataFrame({column.name: columns[column.name] for column in SESSIONS})


def rules() -> pd.DataFrame:
    """Return every rule row of the kit: its table, what follows, and who says so."""
    rows = [
        (
            rule.id,
            table,
            rule.mode.label,
            rule.reason.value,
            rule.tls,
            rule.message,
            rule.source,
            rule.status.value,
            rule.sentence,
        )
        for table, rules in _TABLES
        for rule in rules
    ]
    rows += [
        (rule.id, "deadline", "", "", "", "", rule.source, rule.status.value, rule.sentence)
        for rule in DEADLINE_RULES
    ]
    return pd.DataFrame(
        rows,
        columns=["id", "table", "mode", "reason", "tls", "message", "source", "status", "sentence"],
    )


def coverage(timeline: Timeline) -> pd.DataFrame:
    """Return how many segments each rule row has made, those that made none included."""
    segments = timeline.rules_exercised()
    return pd.DataFrame({"rule": list(segments), "segments": list(segments.values())})


def frame(value: object) -> pd.DataFrame:
    """Return the table of a core value.

    Raises
    ------
    TypeError
        If the value is none of those that have a table.
    """
    match value:
        case Fleet():
            return sessions(value)
        case Plan():
            return schedule(value)
        case Timeline():
            return session_states(value)
        case Deadlines():
            return trust_deadlines(value)
        case Findings():
            return findings(value)
        case CertificateInventory():
            return certificates(value)
        case Bundles():
            return bundles(value)
        case Replacements():
            return replacements(value)
        case Distribution():
            return distribution(value)
        case Comparison():
            return comparison(value)
        case Progress():
            return progress(value)
        case Replanned():
            return tracking_tables.moves(value)
        case Risk():
            return risk_tables.risk(value)
        case Import():
            return import_tables.report(value)
        case AsIs():
            return import_tables.as_is(value)
        case Result():
            return order_tables.result(value)
        case Front():
            return order_tables.front(value)
        case _:
            raise TypeError(f"{type(value).__name__} has no table")


def html(value: object) -> str:
    """Return a core value for notebooks: its key numbers, and the first rows of its table."""
    table = frame(value)
    more = len(table) - HEAD_ROWS
    head = table.head(HEAD_ROWS).to_html(index=False, escape=True, na_rep="", border=0)
    rest = f"<p>... and {more:,} more rows</p>" if more > 0 else ""
    return f"<p><strong>{escape(repr(value))}</strong></p>\n{head}{rest}"
