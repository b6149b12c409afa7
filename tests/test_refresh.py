"""Refreshing: new, gone and changed rows, and the planned actions that they touch."""

from pathlib import Path

import pandas as pd
import pytest

import planner
from planner.inventory.importing.refresh import ChangeKind
from planner.reporting import import_tables
from planner.reporting.import_run import Import
from tests.authorities import DEFAULT, make
from tests.builders import (
    account,
    action,
    case,
    certificate,
    client,
    server,
    session,
    trust,
    write_case,
)
from tests.oracle import Row
from tests.test_merge import node, status

BEFORE = {
    "servers": [server("A", "8.1.0", site="north", target_level="8.1.27", upgrade="2025-03-10")],
    "clients": [
        client("n1", "7.1.6.3", site="north", owner="Ops", note="kept"),
        client("n2", "8.1.0.0"),
        client("typed", "8.1.27"),
    ],
    "sessions": [
        session("n1", "A", weight="5", encrypt_data="Yes"),
        session("n2", "A"),
        session("typed", "A", account="ADM", kind="admin"),
    ],
    "accounts": [account("A", "ADM", kind="admin")],
    "trust": [trust("n2", "A"), trust("n1", "A")],
}
EXPORT = status("A", "8,1,0,0") + node("N1", level="8,1,22,0") + node("N3")


def refreshed(folder: Path, text: str = EXPORT, *, plan: list[Row] | None = None) -> Import:
    """Write the fleet as it was, and import an export into it."""
    write_case(case(**{**BEFORE, "plan": plan}), folder / "fleet")  # type: ignore[arg-type]
    (folder / "a.txt").write_text(text)
    return planner.import_fleet(folder / "a.txt", out=folder / "fleet")


def told(made: Import) -> list[tuple[str, ...]]:
    """Return the changes in short."""
    return [
        (one.kind.value, one.table, one.subject, one.column, one.before, one.after)
        for one in made.changes
    ]


def test_new_gone_and_changed_rows_are_told(tmp_path: Path) -> None:
    assert told(refreshed(tmp_path)) == [
        ("changed", "client", "n1", "level", "7.1.6.3", "8.1.22.0"),
        ("changed", "client", "n1", "platform", "", "Linux"),
        ("new", "client", "N3", "", "", ""),
        ("new", "account", "N3 on A", "", "", ""),
        ("changed", "session", "n1 -> A as n1", "sslacceptcertfromserv", "", "Yes"),
        ("new", "session", "N3 -> A as N3", "", "", ""),
        ("gone", "session", "n2 -> A as n2", "", "", ""),
        ("gone", "client", "n2", "", "", ""),
    ]


def test_what_the_planner_wrote_stays_and_facts_are_replaced(tmp_path: Path) -> None:
    fleet = refreshed(tmp_path).fleet
    row = fleet.clients.name.find("n1")
    assert (fleet.clients.site[row], fleet.clients.owner[row]) == ("north", "Ops")
    assert fleet.clients.note[row] == "kept"
    assert str(fleet.levels[fleet.clients.level[row]]) == "8.1.22.0"
    assert fleet.sessions.weight.tolist()[0] == 5
    assert fleet.servers.site == ("north",)
    assert str(fleet.levels[fleet.servers.level[0]]) == "8.1.0"  # 8.1.0.0 says the same


def test_rules_of_rollout_orders_stay(tmp_path: Path) -> None:
    (tmp_path / "fleet").mkdir()
    rules = tmp_path / "fleet" / "rules.csv"
    rules.write_text("kind,first,then,days,hard\nbefore,n1,typed,3,Yes\n")
    made = refreshed(tmp_path)
    assert [(rule.first, rule.then, rule.days) for rule in made.fleet.rules] == [(0, 1, 3)]
    assert "before,n1,typed,3,Yes\n" in rules.read_text()


def test_what_the_run_did_not_see_stays_and_what_is_gone_leaves_with_its_trust(
    tmp_path: Path,
) -> None:
    fleet = refreshed(tmp_path).fleet
    assert [*fleet.clients.name] == ["n1", "typed", "N3"]
    assert len(fleet.trust) == 1


def test_an_account_that_its_server_no_longer_lists_is_gone(tmp_path: Path) -> None:
    made = refreshed(tmp_path, EXPORT + "PLANNER-ADMIN,OTHER,,\n")
    gone = [(one.table, one.subject) for one in made.changes if one.kind is ChangeKind.GONE]
    assert gone == [
        ("account", "ADM on A"),
        ("session", "n2 -> A as n2"),
        ("session", "typed -> A as ADM"),
        ("client", "n2"),
        ("client", "typed"),
    ]


def test_an_account_stays_where_its_kind_is_not_listed_however_that_is_spelt(
    tmp_path: Path,
) -> None:
    built = {
        **BEFORE,
        "accounts": [account("A", "ADM", kind="ADMIN"), account("A", "STA", kind="Server")],
        "sessions": [
            session("typed", "A", account="ADM", kind="Admin"),
            session("n1", "A", account="STA", kind="Storage Agent"),
        ],
    }
    write_case(case(**{**built, "plan": None}), tmp_path / "fleet")  # type: ignore[arg-type]
    (tmp_path / "a.txt").write_text(EXPORT)
    made = planner.import_fleet(tmp_path / "a.txt", out=tmp_path / "fleet")
    assert made.n_changes(ChangeKind.GONE) == 0


def test_an_incomplete_export_makes_nothing_gone(tmp_path: Path) -> None:
    made = refreshed(tmp_path, EXPORT + "PLANNER-COUNT,node,3,\n")
    assert made.findings.of("export-incomplete").has_errors
    assert made.n_changes(ChangeKind.GONE) == 0


def test_each_change_names_the_planned_actions_that_it_touches(tmp_path: Path) -> None:
    plan = [
        action("2025-03-11", "upgrade-client", client="n1", value="8.1.27"),
        action("2025-03-12", "import-certificate", client="n1", certificate="A"),
        action("2025-03-13", "upgrade-server", server="A", value="8.1.27"),
    ]
    made = refreshed(tmp_path, status("A", "8,1,9,0") + node("N1"), plan=plan)
    touched = {
        (change.subject, change.column): planned
        for change, planned in zip(made.changes, made.planned, strict=True)
    }
    assert touched["A", "level"] == "2025-03-13 upgrade-server 8.1.27"
    assert touched["n1", "level"] == (
        "2025-03-11 upgrade-client 8.1.27; 2025-03-12 import-certificate A"
    )
    assert touched["n2", ""] == ""
    drafted = refreshed(tmp_path / "drafted", status("A", "8,1,9,0") + node("N1"))
    assert drafted.planned[0] == "2025-03-10 upgrade-server 8.1.27"


def test_a_level_that_is_not_the_planned_one_is_a_finding(tmp_path: Path) -> None:
    plan = [
        action("2025-03-11", "upgrade-client", client="n1", value="8.1.22"),
        action("2025-03-12", "upgrade-client", client="n1", value="8.1.27"),
        action("2025-03-13", "upgrade-server", server="A", value="8.1.27"),
        action("2026-12-01", "upgrade-client", client="n2", value="8.1.13"),
        action("2026-12-02", "install-client", client="N3", value="8.1.27"),
    ]
    text = status("A", "8,1,27,100") + node("N1", level="8,1,22,0") + node("n2") + node("N3")
    found = refreshed(tmp_path, text, plan=plan).findings.of("level-against-plan")
    assert [(one.subject, one.what, one.file, one.line) for one in found] == [
        (
            "n1",
            "planned is 8.1.27 on 2025-03-12; on 2026-07-01 the exports show 8.1.22.0",
            "plan.csv",
            3,
        ),
        (
            "n2",
            "planned is 8.1.13 on 2026-12-01; the exports show 8.1.13.0 already",
            "plan.csv",
            5,
        ),
    ]


def test_the_changes_are_written_as_the_table_has_them(tmp_path: Path) -> None:
    made = refreshed(tmp_path)
    table = pd.read_csv(tmp_path / "fleet" / "import_changes.csv", keep_default_na=False)
    pd.testing.assert_frame_equal(table, import_tables.changes(made), check_dtype=False)
    assert repr(made).startswith("Import(3 sessions, 8 changes; lines: 3 used")


def test_a_renewed_certificate_gets_a_new_name_and_the_old_one_stays(tmp_path: Path) -> None:
    old, new = make(DEFAULT), make(DEFAULT, key_name="new")
    files = tmp_path / "files"
    files.mkdir()
    (tmp_path / "a.txt").write_text(EXPORT)
    out = tmp_path / "fleet"
    (files / "a-cert256.arm").write_bytes(old.pem)
    planner.import_fleet(tmp_path / "a.txt", files, out=out)
    (files / "a-cert256.arm").write_bytes(new.pem)
    made = planner.import_fleet(tmp_path / "a.txt", files, out=out)
    assert told(made) == [
        ("changed", "server", "A", "certificate", "a-cert256", "A-a-cert256"),
        ("new", "certificate", "A-a-cert256", "", "", ""),
    ]
    assert sorted(path.name for path in (out / "certs").iterdir()) == [
        "A-a-cert256.arm",
        "a-cert256.arm",
    ]


def test_trust_that_a_whole_listing_does_not_show_is_gone(tmp_path: Path) -> None:
    listing = tmp_path / "N1" / "dsmcert.txt"
    listing.parent.mkdir()
    for text, n_gone in (("Label : b\nSubject : CN=b\n", 0), ("No certificates were found\n", 1)):
        built = case(**{**BEFORE, "plan": None})  # type: ignore[arg-type]
        write_case(built, tmp_path / "fleet")
        (tmp_path / "a.txt").write_text(EXPORT + node("N2"))
        listing.write_text(text)
        made = planner.import_fleet(tmp_path / "a.txt", listing, out=tmp_path / "fleet")
        gone = [one.subject for one in made.changes if one.kind is ChangeKind.GONE]
        assert gone == ["A for n1"] * n_gone


def test_a_label_means_the_same_certificate_at_every_import(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text(EXPORT)
    listing = tmp_path / "N1" / "dsmcert.txt"
    listing.parent.mkdir()
    listing.write_text("Certificates found\n!\tA\n")
    certificate_file = tmp_path / "a-cert256.arm"
    certificate_file.write_bytes(make(DEFAULT).pem)
    out = tmp_path / "fleet"
    for files in ((listing, certificate_file), (listing, certificate_file), (listing,)):
        made = planner.import_fleet(tmp_path / "a.txt", *files, out=out)
        assert len(made.fleet.trust) == 1
        assert not made.findings.of("unknown-label").rows


def test_a_row_of_certificates_without_a_file_keeps_its_name_to_itself(tmp_path: Path) -> None:
    built = {**BEFORE, "certificates": [certificate("a-cert256", signature="md5")]}
    write_case(case(**built), tmp_path / "fleet")  # type: ignore[arg-type]
    (tmp_path / "a.txt").write_text(EXPORT)
    (tmp_path / "a-cert256.arm").write_bytes(make(DEFAULT).pem)
    files = (tmp_path / "a.txt", tmp_path / "a-cert256.arm")
    made = planner.import_fleet(*files, out=tmp_path / "fleet")
    assert [*made.fleet.certificates.name][:2] == ["a-cert256", "A-a-cert256"]


@pytest.mark.parametrize(
    ("file", "cells"), [("clients.csv", ("red", "red", "")), ("accounts.csv", ("red",))]
)
def test_columns_of_the_users_own_stay(tmp_path: Path, file: str, cells: tuple[str, ...]) -> None:
    write_case(case(**{**BEFORE, "plan": None}), tmp_path / "fleet")  # type: ignore[arg-type]
    path = tmp_path / "fleet" / file
    head, *rows = path.read_text().splitlines()
    path.write_text("\n".join([f"{head},colour", *(f"{row},red" for row in rows)]) + "\n")
    (tmp_path / "a.txt").write_text(EXPORT)
    planner.import_fleet(tmp_path / "a.txt", out=tmp_path / "fleet")
    again = planner.read_fleet(tmp_path / "fleet")
    assert again.origin.extra_columns == {file: {"colour": cells}}
