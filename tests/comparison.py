"""Compares the engine's answer with the oracle's: the same rows, day for day."""

import random
import tempfile
from dataclasses import fields
from functools import cache
from pathlib import Path

import pandas as pd

from planner.domain.calendar import iso
from planner.domain.plan import Plan
from planner.engine.deadlines import deadlines
from planner.engine.kernel import strict_since
from planner.engine.measures import measures
from planner.engine.timeline import Timeline, simulate
from planner.engine.use_cases import use_cases
from planner.inventory.fleet_folder import read_fleet
from planner.inventory.plan_file import read_plan
from planner.reporting import tables
from tests.builders import write_case
from tests.oracle import Answer, Case, solve
from tests.strategies import random_case

N_SEEDED = 300
STATE_COLUMNS = [
    *("client", "server", "account", "key_database", "start", "end", "mode", "reason", "tls"),
]


def read_case(case: Case, folder: Path) -> Plan:
    """Return a case's plan as a user's files give it."""
    write_case(case, folder)
    fleet = read_fleet(folder)
    return fleet.draft_plan() if case.plan is None else read_plan(folder / "plan.csv", fleet)


def plan_of_case(case: Case) -> Plan:
    """Return a case's plan through a fleet folder that is gone afterwards."""
    with tempfile.TemporaryDirectory() as folder:
        return read_case(case, Path(folder))


@cache
def solved(seed: int) -> tuple[Case, Answer]:
    """Return a random fleet and what the oracle says of it; callers leave both as they are."""
    case = random_case(random.Random(seed))
    return case, solve(case)


def remember_answers() -> None:
    """Solve the seeded fleets, so that forks of this process need not."""
    for seed in range(N_SEEDED):
        solved(seed)


def answer_of(plan: Plan) -> Answer:
    """Return what the engine says, in the oracle's form."""
    timeline = simulate(plan)
    found = deadlines(timeline)
    measured = measures(found)
    return Answer(
        states=_merged(_cells(tables.session_states(timeline)[STATE_COLUMNS])),
        deadlines=_cells(tables.trust_deadlines(found).drop(columns="rule")),
        daily=_cells(tables.daily(timeline)),
        use_cases=[str(case) if case else "" for case in use_cases(timeline).tolist()],
        automatic=_automatic(timeline),
        strict=_strict(timeline),
        exposure=measured.exposure,
        partial_exposure=measured.partial_exposure,
        refused_session_days=measured.refused_session_days,
        transitional_account_days=measured.transitional_account_days,
    )


def differences(ours: Answer, theirs: Answer) -> list[str]:
    """Return the parts in which two answers differ, with the first difference of each."""
    found = []
    for field in fields(Answer):
        a, b = getattr(ours, field.name), getattr(theirs, field.name)
        if field.name == "automatic":
            a, b = sorted(a), sorted(b)  # the order within a day means nothing
        if isinstance(a, float):
            if abs(a - b) > 1e-9 * max(1.0, abs(b)):
                found.append(f"{field.name}: {a} is not {b}")
        elif isinstance(a, dict) and a != b:
            keys = [key for key in a.keys() | b.keys() if a.get(key) != b.get(key)]
            found.append(f"{field.name}: {[(key, a.get(key), b.get(key)) for key in keys[:1]]}")
        elif a != b and isinstance(a, list):
            pairs = enumerate(zip(a, b, strict=False))
            place = next((n for n, (x, y) in pairs if x != y), min(len(a), len(b)))
            here = slice(place, place + 1)
            found.append(f"{field.name}[{place}]: {a[here]} is not {b[here]}")
        elif a != b:
            found.append(f"{field.name}: {a} is not {b}")
    return found


def _cells(frame: pd.DataFrame) -> list[dict[str, str]]:
    texts = frame.astype(object).fillna("").astype(str)
    return [
        {str(name): str(cell) for name, cell in row.items()} for row in texts.to_dict("records")
    ]


def _merged(rows: list[dict[str, str]]) -> list[dict[str, str]]:
    """Join segments that differ by their rule alone; the oracle knows no rule names."""
    merged: list[dict[str, str]] = []
    for row in rows:
        same = [name for name in STATE_COLUMNS if name not in {"start", "end"}]
        last = merged[-1] if merged else None
        if last and last["end"] == row["start"] and all(last[n] == row[n] for n in same):
            last["end"] = row["end"]
        else:
            merged.append(dict(row))
    return merged


def _automatic(timeline: Timeline) -> list[tuple[str, ...]]:
    fleet, sent = timeline.plan.fleet, timeline.distributed
    sessions, names = fleet.sessions, timeline.compiled.certificates.name
    return [
        (
            iso(int(day)),
            fleet.endpoint_name(int(sessions.client[session])),
            fleet.servers.name[int(sessions.server[session])],
            fleet.accounts.name[sessions.account[session]],
            fleet.key_databases.name[sessions.key_database[session]],
            names[certificate],
        )
        for day, session, certificate in zip(sent.day, sent.session, sent.certificate, strict=True)
    ]


def _strict(timeline: Timeline) -> dict[tuple[str, str], list[tuple[str, str]]]:
    """Stretches of days at whose end each account is strict."""
    fleet, program = timeline.plan.fleet, timeline.compiled.program
    stretches: dict[tuple[str, str], list[tuple[str, str]]] = {}
    for account, name in enumerate(fleet.accounts.name):
        own: list[tuple[str, str]] = []
        day = fleet.start
        while day < fleet.end:
            since, until = strict_since(program, timeline.strictness, account, day)
            begin, end = max(since, day), min(until, fleet.end)
            if begin < end:
                if own and own[-1][1] == iso(begin):
                    own[-1] = (own[-1][0], iso(end))
                else:
                    own.append((iso(begin), iso(end)))
            day = end
        stretches[fleet.servers.name[int(fleet.accounts.server[account])], name] = own
    return stretches
