"""A fleet imported again: what the site says now, what the planner knows, and what changed."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from planner.domain.fleet import AccountKind
from planner.inventory.fleet_tables import ACCOUNT_KINDS, SESSION_KINDS, implied_account_kind
from planner.inventory.importing.merge import KEYS, Draft, Key, key_of
from planner.inventory.importing.server_book import Row

_PLANNED: Final = (
    "site",
    "owner",
    "target_level",
    "upgrade",
    "note",
    "weight",
    "encrypt_data",
    "available",
    "since",
)
"""Columns that no export knows: those of the existing fleet stay."""
_TOLD: Final = {
    "servers.csv": "server",
    "clients.csv": "client",
    "accounts.csv": "account",
    "sessions.csv": "session",
    "certificates.csv": "certificate",
    "trust.csv": "trust",
}
_MEANT_BY_BLANK: Final = {
    "authentication": ("Local",),
    "session_security": ("Transitional",),
    "sslrequired": ("Default",),
    "kind": ("node", "backup"),
    "tls12": ("No",),
    "ssl": ("No",),
    "sslacceptcertfromserv": ("No",),
    "sslfipsmode": ("No",),
    "ssldisablelegacytls": ("No",),
    "lanfreessl": ("No",),
    "commmethod": ("TCPIP",),
}
"""Values that an empty cell means already."""


class ChangeKind(StrEnum):
    """What a change is."""

    NEW = "new"
    GONE = "gone"
    CHANGED = "changed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One difference between the fleet as it was and as the site shows it now.

    `client` and `server` are those that it touches, for the actions planned on them.
    """

    kind: ChangeKind
    table: str
    subject: str
    column: str = ""
    before: str = ""
    after: str = ""
    client: str = ""
    server: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refreshed:
    """The rows of the refreshed fleet, and the changes."""

    rows: Mapping[str, Mapping[Key, Row]]
    changes: tuple[Change, ...]


def refresh(before: Mapping[str, Sequence[Row]], draft: Draft) -> Refreshed:
    """Put what an import found into the rows of an existing fleet.

    A cell that the import knows replaces the old one; sites, owners, targets, upgrade days, weights
    and notes stay. A session is gone where its account is no longer among those that its server
    lists, a client where all its sessions are, and trust where a whole listing of its key database
    does not show it; whatever else the import does not mention
    stays, as the run may have been given some of the files only.

    Notes
    -----
    Linear in the number of rows.
    """
    changes: list[Change] = []
    merged: dict[str, dict[Key, Row]] = {}
    for file, own in draft.rows.items():
        old = {key_of(file, row): row for row in before.get(file, ())}
        if file == "accounts.csv":
            implied = _implied_accounts(before)
            old |= {key: row for key, row in implied.items() if key not in old}
        merged[file] = _merged(file, old, own, changes)
    _drop_gone(before, draft, merged, changes)
    return Refreshed(rows=merged, changes=tuple(changes))


def _implied_accounts(before: Mapping[str, Sequence[Row]]) -> dict[Key, Row]:
    """Return the accounts that sessions name and that need no rows of their own."""
    rows = [
        {"server": row["server"], "account": _account_of("sessions.csv", row)}
        for row in before.get("sessions.csv", ())
    ]
    return {key_of("accounts.csv", row): row for row in rows}


def _merged(
    file: str, old: Mapping[Key, Row], new: Mapping[Key, Row], changes: list[Change]
) -> dict[Key, Row]:
    rows = {key: dict(row) for key, row in old.items()}
    for key, row in new.items():
        known = rows.get(key)
        if known is None:
            rows[key] = dict(row)
            changes.append(_change(ChangeKind.NEW, file, row))
            continue
        for column, value in row.items():
            if not value or column in _PLANNED:
                continue
            was = known.get(column, "")
            is_own_kind = column == "kind" and file == "clients.csv" and was  # informative only
            if column in KEYS[file] or is_own_kind or _means_same(column, was, value):
                continue
            known[column] = value
            if _is_told(column, was, value):
                changes.append(
                    _change(ChangeKind.CHANGED, file, known, column=column, was=was, now=value)
                )
    return rows


def _means_same(column: str, was: str, now: str) -> bool:
    """Whether two cells say the same; a missing sub-level is none that differs."""
    if was.casefold() == now.casefold():
        return True
    if column == "level":
        return f"{was}.0" == now
    return False


def _is_told(column: str, was: str, now: str) -> bool:
    """Whether a change is one: a blank that means the same value is none."""
    return was != "" or now not in _MEANT_BY_BLANK.get(column, ())


def _drop_gone(
    before: Mapping[str, Sequence[Row]],
    draft: Draft,
    merged: dict[str, dict[Key, Row]],
    changes: list[Change],
) -> None:
    """Take out accounts that their servers no longer list, and what hangs on them."""
    for file in ("accounts.csv", "sessions.csv"):
        for row in before.get(file, ()):
            server, account = key_of("accounts.csv", {**row, "account": _account_of(file, row)})
            kind = _account_kind(file, row)
            is_gone = (server, kind) in draft.listed and (server, account) not in draft.registered
            if is_gone and merged[file].pop(key_of(file, row), None) is not None:
                changes.append(_change(ChangeKind.GONE, file, row))
    for row in before.get("trust.csv", ()):
        key = key_of("trust.csv", row)
        is_listed = key[:2] in draft.key_databases and not row.get("since")
        if is_listed and key not in draft.rows["trust.csv"]:
            merged["trust.csv"].pop(key, None)
            changes.append(_change(ChangeKind.GONE, "trust.csv", row))
    living = {key[0] for key in merged["sessions.csv"]}
    had = {key_of("sessions.csv", row)[0] for row in before.get("sessions.csv", ())}
    for row in before.get("clients.csv", ()):
        name = row["client"].casefold()
        if name in had and name not in living:
            merged["clients.csv"].pop((name,), None)
            changes.append(_change(ChangeKind.GONE, "clients.csv", row))
            for key in [key for key in merged["trust.csv"] if key[0] == name]:
                del merged["trust.csv"][key]


def _account_of(file: str, row: Row) -> str:
    return row.get("account") or (row.get("client", "") if file == "sessions.csv" else "")


def _account_kind(file: str, row: Row) -> AccountKind:
    kind = row.get("kind")
    if not kind:
        return AccountKind.NODE
    if file == "accounts.csv":
        return AccountKind(ACCOUNT_KINDS.code(kind))
    return implied_account_kind(SESSION_KINDS.code(kind))


def _change(
    kind: ChangeKind, file: str, row: Row, *, column: str = "", was: str = "", now: str = ""
) -> Change:
    return Change(
        kind=kind,
        table=_TOLD[file],
        subject=" ".join(filter(None, _parts(file, row))),
        column=column,
        before=was,
        after=now,
        client=row.get("client", ""),
        server=row.get("server", ""),
    )


def _parts(file: str, row: Row) -> Iterator[str]:
    match file:
        case "sessions.csv":
            yield f"{row['client']} -> {row['server']} as {_account_of(file, row)}"
            database = row.get("key_database", "")
            yield f"(key database {database})" if database not in ("", "default") else ""
        case "accounts.csv":
            yield f"{row['account']} on {row['server']}"
        case "trust.csv":
            yield f"{row['certificate']} for {row['client']}"
        case _:
            yield next(iter(row.values()))
