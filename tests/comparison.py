"""Compares the engine's answer with the oracle's: the same rows, day for day."""

import tempfile
from pathlib import Path

from planner.domain.calendar import iso
from planner.domain.plan import Plan
from planner.domain.rules import RULES, VERDICTS, Mode
from planner.engine.deadlines import deadlines
from planner.engine.measures import measures
from planner.engine.timeline import simulate
from planner.engine.use_cases import use_cases
from planner.inventory.fleet_folder import read_fleet
from planner.inventory.plan_file import read_plan
from planner.reporting import tables
from tests.builders import write_case
from tests.oracle import Answer, Case


def read_case(case: Case, folder: Path) -> Plan:
    """Return a case's plan as a user's files give it."""
    write_case(case, folder)
    fleet = read_fleet(folder)
    return fleet.draft_plan() if case.plan is None else read_plan(folder / "plan.csv", fleet)


def answer_of(plan: Plan) -> Answer:
    """Return what the engine says, in the oracle's form."""
    fleet = plan.fleet
    timeline = simulate(plan)
    found = deadlines(timeline)
    states = tables.session_states(timeline).fillna("").astype(str)
    columns = ["client", "server", "account", "key_database", "start", "end", "mode", "reason", "tls"]
    merged: list[dict[str, str]] = []
    for row in states[columns].to_dict("records"):
        cells = {str(name): str(cell) for name, cell in row.items()}
        last = merged[-1] if merged else None
        varying = ("start", "end")
        if (
            last
            and all(last[name] == cells[name] for name in columns if name not in varying)
            and last["end"] == cells["start"]
        ):
            last["end"] = cells["end"]
        else:
            merged.append(cells)
    rows = tables.trust_deadlines(found).drop(columns="rule").astype(object).fillna("").astype(str)
    measured = measures(found)
    names = timeline.compiled.certificates.name
    sent = timeline.distributed
    automatic = [
        (
            iso(int(day)),
            fleet.endpoint_name(int(fleet.sessions.client[session])),
            fleet.servers.name[fleet.sessions.server[session]],
            fleet.accounts.name[fleet.sessions.account[session]],
            fleet.key_databases.name[fleet.sessions.key_database[session]],
            names[certificate],
        )
        for day, session, certificate in zip(
            sent.day, sent.session, sent.certificate, strict=True
        )
    ]
    return Answer(
        states=merged,
        deadlines=[{str(k): str(v) for k, v in row.items()} for row in rows.to_dict("records")],
        daily=[
            {str(k): str(v) for k, v in row.items()}
            for row in tables.daily(timeline).astype(str).to_dict("records")
        ],
        use_cases=[str(case) if case else "" for case in use_cases(timeline).tolist()],
        automatic=sorted(automatic),
        strict={},
        exposure=measured.exposure,
        partial_exposure=measured.partial_exposure,
        refused_session_days=measured.refused_session_days,
        transitional_account_days=measured.transitional_account_days,
    )


def differences(ours: Answer, theirs: Answer) -> list[str]:
    """Return the parts in which two answers differ, with the first difference of each."""
    found = []
    for part in ("states", "deadlines", "daily", "use_cases", "automatic"):
        a, b = list(getattr(ours, part)), list(getattr(theirs, part))
        if part == "automatic":
            b = sorted(b)
        if a != b:
            place = next(
                (k for k, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), min(len(a), len(b))
            )
            found.append(f"{part}[{place}]: {a[place : place + 1]} is not {b[place : place + 1]}")
    for measure in (
        "exposure",
        "partial_exposure",
        "refused_session_days",
        "transitional_account_days",
    ):
        x, y = getattr(ours, measure), getattr(theirs, measure)
        if abs(x - y) > 1e-9 * max(1.0, abs(y)):
            found.append(f"{measure}: {x} is not {y}")
    return found


def solve_by_engine(case: Case) -> Answer:
    """Return the engine's answer to a case, through a fleet folder on disk."""
    with tempfile.TemporaryDirectory() as folder:
        return answer_of(read_case(case, Path(folder)))


__all__ = ["RULES", "VERDICTS", "Mode", "answer_of", "differences", "read_case", "solve_by_engine"]
