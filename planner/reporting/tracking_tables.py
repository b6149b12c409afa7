"""Tables of plans against plans; users find them in `planner.tables`."""

from collections.abc import Iterator
from typing import Final

import numpy as np
import pandas as pd

from planner.domain.calendar import iso
from planner.domain.plan import Plan
from planner.domain.rules import RULES
from planner.ordering.replan import Replanned
from planner.reporting.cells import NumberColumn, column_of, whole_numbers
from planner.reporting.schedule import ABOUT, schedule
from planner.tracking.compare import Comparison, Move, Refusals, Slack
from planner.tracking.progress import DONE_STATUS, SOON, Progress

_COLUMNS: Final = (
    "change",
    "client",
    "server",
    "account",
    "key_database",
    "certificate",
    "action",
    "option",
    "value",
    "a",
    "b",
    "days",
    "slack_a",
    "slack_b",
    "what",
)

Words = dict[str, str]
Row = tuple[Words, dict[str, int | None]]
"""Texts and numbers of one row by column; what is not given is empty."""


def comparison(found: Comparison) -> pd.DataFrame:
    """Return the table of comparison.csv: one row for each difference between two plans.

    `a` and `b` are the days of the two plans: of the first refusal, of the action, or of the
    import that is planned for a deadline. `days` are refused days, the days that an action moves,
    or the slack that a deadline gains.
    """
    rows: list[Row] = [
        *_refusals(found, "newly-refused", found.newly_refused, plan="b"),
        *_refusals(found, "newly-safe", found.newly_safe, plan="a"),
        *map(_move, found.moves),
        *map(_slack, found.slacks),
    ]
    columns: dict[str, pd.Series] = {
        column: _whole_numbers([numbers.get(column) for _, numbers in rows])
        if column in {"days", "slack_a", "slack_b"}
        else column_of(words.get(column, "") for words, _ in rows)
        for column in _COLUMNS
    }
    return pd.DataFrame(columns, copy=False)


def progress(found: Progress) -> pd.DataFrame:
    """Return the table of progress.csv: how each action stands, and when it happened."""
    columns: dict[str, pd.Series] = {
        "state": column_of(row.state.value for row in found.rows),
        "planned": column_of(iso(row.planned) for row in found.rows),
        "actual": column_of(iso(row.actual) for row in found.rows),
        "days_late": _whole_numbers([row.n_days_late for row in found.rows]),
        "action": column_of(row.action.action.label for row in found.rows),
    }
    for column in ABOUT:
        columns[column] = column_of(getattr(row.action, column) for row in found.rows)
    columns["what"] = column_of(row.what for row in found.rows)
    return pd.DataFrame(columns, copy=False)


def moves(found: Replanned) -> pd.DataFrame:
    """Return the table of moves.csv: each action that replanning moves, and why."""
    rows = found.moves
    columns = {
        "before": column_of(iso(row.before) for row in rows),
        "date": column_of(iso(row.action.day) for row in rows),
        "action": column_of(row.action.action.label for row in rows),
    }
    for column in ABOUT:
        columns[column] = column_of(getattr(row.action, column) for row in rows)
    columns["reason"] = column_of(row.reason for row in rows)
    return pd.DataFrame(columns, copy=False)


def due(found: Progress) -> pd.DataFrame:
    """Return what is to do in the next two weeks: the rows of schedule.csv, owner first.

    What is overdue or has failed stands on the day of the question.
    """
    standing = found.standing
    table = schedule(standing, found.comparison.b)
    is_due = (standing.day >= found.today) & (standing.day < found.today + SOON)
    is_due &= (table["status"].str.casefold() != DONE_STATUS).to_numpy()
    table.insert(0, "owner", column_of(_owners(standing)))
    return table[is_due].sort_values("owner", kind="stable").reset_index(drop=True)


def _owners(plan: Plan) -> Iterator[str]:
    """Owner of each action's client; empty where there is none."""
    fleet = plan.fleet
    for client in plan.client.tolist():
        yield fleet.clients.owner[client] if 0 <= client < len(fleet.clients) else ""


def _refusals(found: Comparison, change: str, refusals: Refusals, *, plan: str) -> Iterator[Row]:
    fleet = found.fleet
    sessions = fleet.sessions
    for place, session in enumerate(refusals.session.tolist()):
        words = {
            "change": change,
            "client": fleet.endpoint_name(int(sessions.client[session])),
            "server": fleet.servers.name[sessions.server[session]],
            "account": fleet.accounts.name[sessions.account[session]],
            "key_database": fleet.key_databases.name[sessions.key_database[session]],
            plan: iso(int(refusals.first_day[place])),
            "what": RULES[refusals.rule[place]].reason.value,
        }
        yield words, {"days": int(refusals.n_days[place])}


def _move(move: Move) -> Row:
    action = move.action
    words = {
        "change": "moved" if move.n_days is not None else "added" if move.a < 0 else "gone",
        "client": action.client,
        "server": action.server,
        "account": action.account,
        "key_database": action.key_database,
        "certificate": action.certificate,
        "action": action.action.label,
        "option": action.option,
        "value": action.value,
        "a": iso(move.day_a),
        "b": iso(move.day_b),
    }
    return words, {"days": move.n_days, "slack_a": move.slack_a, "slack_b": move.slack_b}


def _slack(slack: Slack) -> Row:
    words = {
        "change": "deadline",
        "client": slack.client,
        "key_database": slack.key_database,
        "certificate": slack.certificate,
        "a": iso(slack.planned_a),
        "b": iso(slack.planned_b),
        "what": f"{slack.verdict_a or 'not needed'} -> {slack.verdict_b or 'not needed'}",
    }
    return words, {"days": slack.gain, "slack_a": slack.slack_a, "slack_b": slack.slack_b}


def _whole_numbers(values: list[int | None]) -> NumberColumn:
    is_empty = np.array([value is None for value in values], dtype=np.bool_)
    return whole_numbers(np.array([value or 0 for value in values], dtype=np.int64), empty=is_empty)
