"""Readable builders of small fleets, and the writer of a fleet folder."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path

import tomli_w

from planner.domain.calendar import to_day
from tests.oracle import Case, Row

COLUMNS = {
    "servers": (
        "server,level,authentication,certificate,tls12,tcpport,ssltcpport,address,site,"
        "target_level,upgrade,note"
    ),
    "clients": "client,level,kind,platform,site,owner,target_level,upgrade,note",
    "accounts": "server,account,kind,authentication,session_security,sslrequired",
    "sessions": (
        "client,server,account,kind,ssl,sslrequired,sslacceptcertfromserv,sslfipsmode,"
        "ssldisablelegacytls,lanfreessl,replsslport,tcpport,commmethod,key_database,weight,"
        "encrypt_data"
    ),
    "certificates": (
        "certificate,kind,issuer,not_before,not_after,signature,server,available,file"
    ),
    "trust": "client,key_database,certificate,since",
    "rules": "kind,first,then,days,hard",
    "plan": (
        "date,action,client,server,account,key_database,certificate,option,value,wave,use_case,"
        "needed,latest_safe,slack_days,command,status,note"
    ),
}


def server(name: str, level: str = "8.1.0", **cells: str) -> Row:
    """Build a row of servers.csv; the default is an old server."""
    return {"server": name, "level": level, **cells}


def client(name: str, level: str = "8.1.0", **cells: str) -> Row:
    """Build a row of clients.csv; the default is an old backup-archive client."""
    return {"client": name, "level": level, "kind": "backup", **cells}


def account(server: str, name: str, **cells: str) -> Row:
    """Build a row of accounts.csv."""
    return {"server": server, "account": name, **cells}


def session(client: str, server: str, **cells: str) -> Row:
    """Build a row of sessions.csv; every option keeps its default."""
    return {"client": client, "server": server, **cells}


def certificate(name: str, **cells: str) -> Row:
    """Build a row of certificates.csv."""
    return {"certificate": name, **cells}


def trust(client: str, certificate: str, **cells: str) -> Row:
    """Build a row of trust.csv; the default is in place in the default key database."""
    return {"client": client, "certificate": certificate, **cells}


def rule(kind: str, first: str, then: str = "", **cells: str) -> Row:
    """Build a row of rules.csv."""
    return {"kind": kind, "first": first, "then": then, **cells}


def action(day: str, kind: str, **cells: str) -> Row:
    """Build a row of plan.csv."""
    return {"date": day, "action": kind, **cells}


def day(text: str) -> int:
    """Return a date as the number that the core counts with."""
    return to_day(date.fromisoformat(text))


def case(
    *,
    servers: Sequence[Row],
    clients: Sequence[Row],
    sessions: Sequence[Row],
    accounts: Sequence[Row] = (),
    certificates: Sequence[Row] = (),
    trust: Sequence[Row] = (),
    plan: Sequence[Row] | None = (),
    start: str | date = "2025-03-03",
    end: str | date = "2025-03-31",
    lead_days: int | None = None,
    working_days: Sequence[str] | None = None,
    holidays: Sequence[str | date] = (),
    freezes: Sequence[tuple[str | date, str | date]] = (),
    windows: Mapping[str, Sequence[str]] | None = None,
    capacity: Mapping[str, int] | None = None,
    rules: Sequence[Row] = (),
) -> Case:
    """Build a case: four weeks from Monday 3 March 2025, an empty plan, everything else default."""
    calendar: dict[str, object] = {}
    if working_days is not None:
        calendar["working_days"] = list(working_days)
    if holidays:
        calendar["holidays"] = list(holidays)
    if freezes:
        calendar["freeze"] = [
            {"name": f"freeze {number}", "start": first, "end": last}
            for number, (first, last) in enumerate(freezes, start=1)
        ]
    if windows:
        calendar["window"] = [{"site": site, "days": list(days)} for site, days in windows.items()]
    toml: dict[str, object] = {"name": "test fleet", "start": start, "end": end}
    if lead_days is not None:
        toml["policy"] = {"lead_days": lead_days}
    if calendar:
        toml["calendar"] = calendar
    if capacity:
        toml["capacity"] = dict(capacity)
    return Case(
        toml=toml,
        servers=list(servers),
        clients=list(clients),
        accounts=list(accounts),
        sessions=list(sessions),
        certificates=list(certificates),
        trust=list(trust),
        plan=None if plan is None else list(plan),
        rules=list(rules),
    )


def write_case(case: Case, folder: Path) -> None:
    """Write a case as a fleet folder; optional files without rows are left out."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "fleet.toml").write_text(tomli_w.dumps(case.toml), encoding="utf-8", newline="\n")
    for name in ("servers", "clients", "sessions"):
        _write_rows(folder, name, getattr(case, name))
    for name in ("accounts", "certificates", "trust", "rules"):
        if getattr(case, name):
            _write_rows(folder, name, getattr(case, name))
    if case.plan is not None:
        _write_rows(folder, "plan", case.plan)


def _write_rows(folder: Path, name: str, rows: Sequence[Mapping[str, str]]) -> None:
    with (folder / f"{name}.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS[name].split(","), restval="", lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
