"""Replacements of certificates, their windows, and the findings about them."""

from __future__ import annotations

from pathlib import Path

import pytest

import planner
from planner.domain.calendar import ALWAYS, iso
from planner.engine.deadlines import deadlines
from planner.engine.replacements import Change, Method, Replacement, Replacements, replacements
from planner.engine.timeline import simulate
from tests.builders import action, case, certificate, client, server, session, trust
from tests.comparison import read_case
from tests.oracle import Case, Row
from tests.reviewing import findings_of, only, where

REPLACED = action("2025-03-17", "replace-certificate", server="SRV1", certificate="new")
IMPORTED = action("2025-03-10", "import-certificate", client="BA01", certificate="new")


def renewing(
    *certificates: Row,
    plan: tuple[Row, ...] = (REPLACED,),
    level: str = "8.1.18",
    held: tuple[str, ...] = ("old",),
    **calendar: object,
) -> Case:
    """Build a client with a TLS session to a server that presents `old`."""
    return case(
        servers=[server("SRV1", level, certificate="old")],
        clients=[client("BA01", "8.1.13")],
        sessions=[session("BA01", "SRV1")],
        certificates=certificates,
        trust=[trust("BA01", name) for name in held],
        plan=plan,
        **calendar,  # type: ignore[arg-type] # days of the calendar, as `case` takes them
    )


def found_in(built: Case, folder: Path) -> Replacements:
    return replacements(deadlines(simulate(read_case(built, folder))))


def only_in(built: Case, folder: Path) -> Replacement:
    (row,) = found_in(built, folder)
    return row


def days(row: Replacement) -> tuple[str, str, str]:
    return iso(row.distribute_by), iso(row.refused_from), iso(row.refused_until)


BY_ROOT = certificate("new", issuer="root")
ROOT, ROOT2 = certificate("root", kind="root"), certificate("root2", kind="root")


@pytest.mark.parametrize(
    ("certificates", "change", "method"),
    [
        (("old", "new"), Change.RENEWAL, Method.HARD_CUT),
        (("old", BY_ROOT, ROOT), "self-signed-to-ca", "overlap"),
        ((certificate("old", issuer="root"), "new", ROOT), "ca-to-self-signed", "hard-cut"),
        (
            (
                certificate("old", issuer="root"),
                certificate("new", issuer="root2"),
                ROOT,
                ROOT2,
            ),
            "new-ca",
            "overlap",
        ),
        (
            (certificate("old", issuer="root"), certificate("new", issuer="root"), ROOT),
            "renewal",
            "same-anchor",
        ),
        (
            (certificate("old", signature="md5WithRSAEncryption"), certificate("new")),
            "md5-to-sha",
            "hard-cut",
        ),
        (
            (
                certificate("old", signature="md5WithRSAEncryption"),
                certificate("new", available="2025-03-05"),
            ),
            "md5-to-sha",
            "overlap",
        ),
        ((certificate("old"), certificate("new", available="2025-03-17")), "renewal", "hard-cut"),
    ],
)
def test_kind_and_method_follow_from_the_certificates(
    certificates: tuple[Row | str, ...], change: str, method: str, tmp_path: Path
) -> None:
    rows = tuple(certificate(one) if isinstance(one, str) else one for one in certificates)
    level = "8.1.3" if change == "md5-to-sha" else "8.1.18"  # where no rule changes it before
    row = only_in(renewing(*rows, level=level), tmp_path)
    assert (str(row.change), str(row.method)) == (str(change), str(method))
    assert iso(row.day) == "2025-03-17"


@pytest.mark.parametrize(("level", "method"), [("8.1.18", "hard-cut"), ("8.1.19", "overlap")])
def test_a_server_renews_its_own_with_overlap_from_8_1_19_on(
    level: str, method: str, tmp_path: Path
) -> None:
    built = renewing(certificate("old"), certificate("new"), plan=(IMPORTED, REPLACED), level=level)
    row = only_in(built, tmp_path)
    assert str(row.method) == method
    # What the plan imports before a hard cut does not exist yet.
    assert (row.ready, len(row.databases)) == (0 if method == "hard-cut" else 1, 1)
    refused = ("2025-03-17", "2025-03-18") if method == "hard-cut" else ("", "")
    assert days(row) == ("2025-03-10", *refused)


@pytest.mark.parametrize(("day", "method"), [("2025-03-16", "overlap"), ("2025-03-17", "hard-cut")])
def test_an_overlap_needs_the_level_on_the_eve_of_the_change(
    day: str, method: str, tmp_path: Path
) -> None:
    up = action(day, "upgrade-server", server="SRV1", value="8.1.19")
    row = only_in(renewing(certificate("old"), certificate("new"), plan=(up, REPLACED)), tmp_path)
    assert str(row.method) == method


def test_a_hard_cut_lasts_as_long_as_the_engine_refuses(tmp_path: Path) -> None:
    late = action("2025-03-20", "import-certificate", client="BA01", certificate="new")
    row = only_in(renewing(certificate("old"), certificate("new"), plan=(REPLACED, late)), tmp_path)
    assert days(row) == ("2025-03-10", "2025-03-17", "2025-03-20")
    assert row.ready == 0


def test_a_hard_cut_lasts_as_long_as_the_weekly_capacity_makes_it(tmp_path: Path) -> None:
    names = [f"BA{number:02}" for number in range(5)]
    built = case(
        servers=[server("SRV1", "8.1.18", certificate="old")],
        clients=[client(name, "8.1.13") for name in names],
        sessions=[session(name, "SRV1") for name in names],
        certificates=[certificate("old"), certificate("new")],
        trust=[trust(name, "old") for name in names],
        plan=[
            action("2025-03-10", "import-certificate", client=name, certificate="new")
            for name in names
        ]
        + [REPLACED],
    )
    built.toml["capacity"] = {"imports_per_week": 3}
    row = only_in(built, tmp_path)
    # Three in the week of the cut, two from the Monday after on.
    assert days(row)[1:] == ("2025-03-17", "2025-03-25")
    built.toml["capacity"] = {"imports_per_week": 5}
    assert days(only_in(built, tmp_path / "more"))[1:] == ("2025-03-17", "2025-03-18")


def test_a_key_database_that_needs_the_new_one_only_later_does_not_prolong_a_cut(
    tmp_path: Path,
) -> None:
    built = renewing(certificate("old"), certificate("new"))
    assert built.plan is not None
    built.clients.append(client("BA02", "8.1.0"))
    built.sessions.append(session("BA02", "SRV1"))
    built.plan.append(action("2025-03-26", "upgrade-client", client="BA02", value="8.1.13"))
    built.trust.extend([trust("BA01", "new"), trust("BA02", "new")])
    built.toml["capacity"] = {"imports_per_week": 1}
    row = only_in(built, tmp_path)
    assert len(row.databases) == 2
    assert days(row)[1:] == ("2025-03-17", "2025-03-18")
    built.clients[0]["level"] = "8.1.0"  # nobody checks the certificate on the day
    assert days(only_in(built, tmp_path / "none"))[1:] == ("", "")


def test_a_hard_cut_lasts_over_days_on_which_nothing_may_be_imported(tmp_path: Path) -> None:
    frozen = [("2025-03-17", "2025-03-24")]
    built = renewing(certificate("old"), certificate("new"), freezes=frozen)
    built.trust.append(trust("BA01", "new"))  # the engine takes it as there; it cannot be yet
    assert days(only_in(built, tmp_path))[1:] == ("2025-03-17", "2025-03-25")
    built.toml["capacity"] = {"imports_per_week": 1}
    built.clients.append(client("BA02", "8.1.13"))
    built.sessions.append(session("BA02", "SRV1"))
    built.trust.extend([trust("BA02", "old"), trust("BA02", "new")])
    # One in the first open week, the other from the end of the horizon on.
    assert days(only_in(built, tmp_path / "two"))[1:] == ("2025-03-17", "2025-03-31")


def test_an_overlap_that_is_missed_has_the_window_of_the_engine(tmp_path: Path) -> None:
    late = action("2025-03-20", "import-certificate", client="BA01", certificate="root")
    built = renewing(
        certificate("old"), certificate("new", issuer="root"), ROOT, plan=(REPLACED, late)
    )
    row = only_in(built, tmp_path)
    assert days(row) == ("2025-03-10", "2025-03-17", "2025-03-20")


def test_an_expiry_without_replacement_is_a_row_of_its_own(tmp_path: Path) -> None:
    old = certificate("old", not_after="2025-03-20", available="2025-03-03")
    built = renewing(old, plan=())
    row = only_in(built, tmp_path)
    assert (row.new, row.change, row.opens) == (-1, Change.EXPIRES, ALWAYS)
    assert (iso(row.day), row.ready) == ("2025-03-20", 0)
    assert days(row) == ("2025-03-13", "2025-03-20", "2025-03-31")


def test_a_replacement_in_time_leaves_no_expiry(tmp_path: Path) -> None:
    rows = (certificate("old", not_after="2025-03-20"), certificate("new", available="2025-03-03"))
    found = found_in(renewing(*rows, plan=(IMPORTED, REPLACED)), tmp_path)
    assert [row.change for row in found] == [Change.RENEWAL]
    too_late = action("2025-03-24", "replace-certificate", server="SRV1", certificate="new")
    found = found_in(renewing(*rows, plan=(IMPORTED, too_late)), tmp_path / "late")
    assert [row.change for row in found] == [Change.EXPIRES, Change.RENEWAL]


def test_replacements_show_themselves(tmp_path: Path) -> None:
    found = found_in(renewing(certificate("old"), certificate("new")), tmp_path)
    assert repr(found) == "Replacements(1 certificates: 1 hard-cut; 0 not planned)"
    table = found.to_frame()
    assert table[["server", "old", "new"]].to_numpy().tolist() == [["SRV1", "old", "new"]]
    assert "<table" in found._repr_html_()
    empty = found_in(renewing(certificate("old"), plan=()), tmp_path / "none")
    assert repr(empty) == "Replacements(0 certificates: none; 0 not planned)"
    assert list(empty.to_frame().columns) == list(table.columns)


def test_the_example_fleet_has_the_two_that_its_description_names() -> None:
    data = Path(__file__).parents[1] / "data" / "harbour"
    table = planner.replacements(planner.plan(data).deadlines).to_frame()
    assert table[["date", "server", "change", "method"]].to_numpy().tolist() == [
        ["2027-09-14", "pipeline", "md5-to-sha", "overlap"],
        ["2027-10-21", "tugboat", "expires", "hard-cut"],
    ]


# --- Findings ------------------------------------------------------------------------------------


def test_an_expiry_in_a_freeze_is_reported_with_the_last_open_day(tmp_path: Path) -> None:
    built = renewing(
        certificate("old", not_after="2025-03-20"), plan=(), freezes=[("2025-03-17", "2025-03-24")]
    )
    found = only(built, tmp_path, "expiry-in-freeze")
    assert where(found) == ("warning", "2025-03-20", "old of SRV1", "certificates.csv", 2)
    assert (
        found.what == "it expires on 2025-03-20, in the freeze freeze 1 (2025-03-17 to 2025-03-23)"
    )
    assert found.why == (
        "Nothing may be changed then, and from that day on every session that checks it is "
        "refused (ANS1693E). [EMPALIS, documented]"
    )
    assert found.fix == "Plan its replacement for 2025-03-14 or earlier, the last open day before."


def test_an_expiry_inside_the_lead_is_reported(tmp_path: Path) -> None:
    soon = renewing(certificate("old", not_after="2025-03-07"), plan=())
    found = only(soon, tmp_path, "expiry-inside-lead")
    assert where(found)[:3] == ("warning", "2025-03-07", "old of SRV1")
    assert where(found)[3:] == ("certificates.csv", 2)
    assert "handed out by 2025-02-28, before the plan begins on 2025-03-03" in found.what
    assert found.why == "An import wants 5 working days before it is needed."
    assert found.fix == "Replace it now, and hand the new one out at once; check every client."
    later = renewing(certificate("old", not_after="2025-03-10"), plan=())
    assert not findings_of(later, tmp_path / "later").of("expiry-inside-lead").rows


def test_an_expiry_inside_the_lead_is_found_behind_those_that_are_in_time(tmp_path: Path) -> None:
    built = renewing(
        certificate("old"),
        certificate("new"),
        certificate("later", not_after="2025-03-20"),
        certificate("soon", not_after="2025-03-07"),
    )
    for name in ("later", "soon"):
        built.servers.append(server(f"SRV-{name}", "8.1.18", certificate=name))
        built.sessions.append(session("BA01", f"SRV-{name}"))
    assert only(built, tmp_path, "expiry-inside-lead").subject == "soon of SRV-soon"


def test_a_hard_cut_is_reported_at_its_action(tmp_path: Path) -> None:
    built = renewing(certificate("old"), certificate("new"))
    found = only(built, tmp_path, "hard-cut")
    assert where(found) == ("warning", "2025-03-17", "new of SRV1", "plan.csv", 2)
    assert "it has no day in certificates.csv" in found.what
    assert "every client is refused until it holds it" in found.why
    later = renewing(certificate("old"), certificate("new", available="2025-03-18"))
    assert "can be had from 2025-03-18 on" in only(later, tmp_path / "day", "hard-cut").what


def test_a_replacement_by_the_first_certificate_of_the_file_is_one(tmp_path: Path) -> None:
    built = renewing(certificate("new"), certificate("old", not_after="2025-03-20"))
    row = only_in(built, tmp_path / "a")
    assert (row.new, str(row.method)) == (0, "hard-cut")
    assert repr(found_in(built, tmp_path / "a")).endswith("0 not planned)")
    assert only(built, tmp_path / "b", "hard-cut").subject == "new of SRV1"
    by_root = (ROOT, BY_ROOT, certificate("old", not_after="2025-03-20", issuer="root"))
    same = only_in(renewing(*by_root[1:], ROOT, held=("root",)), tmp_path / "c")
    assert (same.new, str(same.method)) == (0, "same-anchor")
    frozen = renewing(
        certificate("new", available="2025-03-04"),
        certificate("old", not_after="2025-03-07"),
        plan=(action("2025-03-07", "replace-certificate", server="SRV1", certificate="new"),),
        freezes=[("2025-03-06", "2025-03-10")],
    )
    assert iso(only_in(frozen, tmp_path / "d").opens) == "2025-03-04"
    rules = {finding.rule for finding in findings_of(frozen, tmp_path / "e")}
    assert not rules & {"expiry-in-freeze", "expiry-inside-lead"}


@pytest.mark.parametrize("level", ["8.1.19", "8.1.18"])
def test_neither_an_overlap_nor_a_planned_replacement_is_reported(
    level: str, tmp_path: Path
) -> None:
    old = certificate("old", not_after="2025-03-20")
    new = certificate("new", available="2025-03-03" if level == "8.1.18" else "")
    built = renewing(
        old, new, plan=(IMPORTED, REPLACED), level=level, freezes=[("2025-03-19", "2025-03-24")]
    )
    rules = {row.rule for row in findings_of(built, tmp_path)}
    assert not rules & {"hard-cut", "expiry-in-freeze", "expiry-inside-lead"}
