"""Runbooks: what each step says, and that no name leads out of its place."""

from __future__ import annotations

import dataclasses
import hashlib
import re
from pathlib import Path

import pytest

import planner
from planner.domain.errors import InventoryError
from planner.engine.deadlines import deadlines
from planner.engine.timeline import simulate
from planner.reporting.bundles import MANIFEST
from planner.reporting.handout import write_runbooks
from planner.reporting.runbooks import runbooks
from planner.reporting.runbooks.markdown import code, text
from tests.builders import account, action, case, certificate, client, server, session, trust
from tests.comparison import read_case
from tests.oracle import Case

DATA = Path(__file__).parents[1] / "data"
STEPS = ("- **Expect:** ", "- **Check:** ", "- **Stop:** ", "- **Way back:** ")


def books_of(built: Case, folder: Path) -> dict[str, str]:
    return runbooks(deadlines(simulate(read_case(built, folder))))


def small(**names: str) -> Case:
    """Build a fleet in which everything happens that a runbook speaks of."""
    name, host = names.get("client", "BA01"), names.get("server", "SRV1")
    return case(
        servers=[server(host, "8.1.0", certificate="old", address="srv1.example", site="north")],
        clients=[
            client(name, "8.1.0", platform="Linux x86-64", site="north", owner="Team A"),
            client("BA02", ""),
        ],
        sessions=[
            session(name, host, account="shared"),
            session("BA02", host, account="shared", key_database="api"),
        ],
        accounts=[account(host, "shared")],
        certificates=[certificate("old", not_after="2025-03-28"), certificate("new")],
        trust=[trust(name, "old")],
        plan=[
            action("2025-03-05", "install-client", client="BA02", value="8.1.13"),
            action("2025-03-10", "import-certificate", client=name, certificate="new"),
            action("2025-03-12", "set-option", client=name, option="SSL", value="No"),
            action(
                "2025-03-12",
                "set-session-security",
                server=host,
                account="shared",
                value="Transitional",
            ),
            action("2025-03-12", "set-authentication", server=host, value="Local"),
            action("2025-03-17", "upgrade-server", server=host, value="8.1.18"),
            action("2025-03-18", "upgrade-client", client=name, value="8.1.13"),
            action("2025-03-20", "replace-certificate", server=host, certificate="new"),
            action("2025-03-24", "remove-certificate", client=name, certificate="old"),
            action("2025-03-26", "retire-client", client="BA02"),
        ],
    )


def test_a_client_finds_each_step_in_order_with_command_check_stop_and_way_back(
    tmp_path: Path,
) -> None:
    book = books_of(small(), tmp_path)["BA01.md"]
    headings = re.findall(r"^## (.*)$", book, re.MULTILINE)
    assert headings == [
        "Sessions",
        "Files to hand out",
        "2025-03-10: import trust anchors",
        "2025-03-12: set options",
        "2025-03-18: bring to level 8.1.13",
        "2025-03-24: remove certificates",
        "Points of no return",
    ]
    assert "/dsmcert.kdb -stashed -format ascii -label new -file new.arm\n" in book
    for word in STEPS:
        assert book.count(word) == 4
    assert " -cert -list -db /opt/tivoli/tsm/client/ba/bin/dsmcert.kdb -stashed\n" in book
    assert (
        " -cert -delete -db /opt/tivoli/tsm/client/ba/bin/dsmcert.kdb -stashed -label old" in book
    )
    assert "| window | upgrades any day; imports and options Mon Tue Wed Thu Fri; " in book


def test_an_import_that_is_no_trust_is_said_to_be_none(tmp_path: Path) -> None:
    built = small()
    built.certificates[1].update(kind="leaf")
    book = books_of(built, tmp_path)["BA01.md"]
    assert "**No trust:** its chain ends at no root that is known" in book


def test_a_client_that_is_retired_has_its_step_too(tmp_path: Path) -> None:
    book = books_of(small(), tmp_path)["BA02.md"]
    place = book.index("## 2025-03-26: retire-client")
    assert all(word in book[place:] for word in STEPS)


@pytest.mark.parametrize(
    ("platform", "check"),
    [
        ("Linux", "sha256sum --check SHA256SUMS"),
        ("macOS", "shasum -a 256 --check SHA256SUMS"),
        ("AIX", "openssl dgst -sha256 FILE"),
        ("Windows", "certutil -hashfile FILE SHA256"),
    ],
)
def test_digests_are_compared_by_what_the_platform_has(
    platform: str, check: str, tmp_path: Path
) -> None:
    built = small()
    built.clients[0]["platform"] = platform
    assert f"compare the digests there: `{check}`." in books_of(built, tmp_path)["BA01.md"]


def test_a_client_is_told_when_it_cannot_go_back(tmp_path: Path) -> None:
    book = books_of(small(), tmp_path)["BA01.md"]
    assert "reset them first" in book
    place = book.index("## Points of no return")
    assert "shared on SRV1 turns strict" in book[place:]
    assert "Also used by: BA02." in book[place:]
    assert "UPDATE NODE shared SESSIONSECURITY=TRANSITIONAL" in book[place:]


def test_a_server_finds_its_gate_its_cut_and_what_turns_strict(tmp_path: Path) -> None:
    book = books_of(small(), tmp_path)["SRV1.md"]
    headings = re.findall(r"^## (.*)$", book, re.MULTILINE)
    assert headings == [
        "2025-03-12: set-session-security shared",
        "2025-03-12: set-authentication (the default)",
        "2025-03-17: bring to level 8.1.18",
        "2025-03-20: present new instead of old",
        "Points of no return",
    ]
    assert "**Hard cut.** The server makes the new certificate at its restart" in book
    assert "gsk8capicmd_64 -cert -delete -db cert.kdb -stashed -label 'TSM Server Self" in book
    cut = book.index("2025-03-20: present new instead of old")
    assert cut < book.index("Copy cert256.arm, cert.kdb") < book.index("-cert -delete -db cert.kdb")


def test_a_hard_cut_that_refuses_nobody_says_so(tmp_path: Path) -> None:
    built = small()
    assert built.plan is not None
    built.plan[:] = [row for row in built.plan if row["action"] == "replace-certificate"]
    book = books_of(built, tmp_path)["SRV1.md"]
    assert "**Hard cut.**" in book
    assert "None needs it on that day" in book


def test_a_server_above_8_1_18_makes_its_certificate_before_it_is_handed_out(
    tmp_path: Path,
) -> None:
    built = small()
    assert built.plan is not None
    built.plan[5]["value"] = "8.1.19"
    book = books_of(built, tmp_path)["SRV1.md"]
    assert "Hard cut" not in book
    assert book.index("CREATE CERTIFICATE new") < book.index("SET DEFAULTTLSCERT new")


def test_a_server_gets_its_signed_certificate_before_the_day_with_its_issuers_from_the_root_on(
    tmp_path: Path,
) -> None:
    built = small()
    built.certificates[1:] = [
        certificate("new", issuer="issuing"),
        certificate("issuing", issuer="root", kind="intermediate"),
        certificate("root", kind="root"),
    ]
    book = books_of(built, tmp_path)["SRV1.md"]
    steps = [
        "-certreq -create -db cert.kdb -stashed -label new ",
        "-dn CN=srv1.example -san_dnsname srv1.example -file new.csr\n",
        "-cert -add -db cert.kdb -stashed -format ascii -label root -file root.arm\n",
        "-cert -add -db cert.kdb -stashed -format ascii -label issuing -file issuing.arm\n",
        "-cert -receive -db cert.kdb -stashed -file new.arm -default_cert no\n",
        "-cert -setdefault -db cert.kdb -stashed -label new\n",
    ]
    places = [book.index(step) for step in steps]
    assert places == sorted(places)
    assert "CREATE CERTIFICATE" not in book


def test_a_server_that_has_its_new_certificate_already_makes_none(tmp_path: Path) -> None:
    built = small()
    built.certificates[1]["available"] = "2025-03-05"
    book = books_of(built, tmp_path)["SRV1.md"]
    assert "The server has it beside the present one already." in book
    assert "CREATE CERTIFICATE" not in book
    assert "-cert -setdefault -db cert.kdb -stashed -label 'TSM Server SelfSigned SHA Key'" in book


def test_a_change_that_the_server_makes_by_itself_has_no_command() -> None:
    books = runbooks(planner.plan(DATA / "harbour").deadlines)
    book = books["pipeline.md"]
    assert "The server changes by itself when it starts at its new level (TN)." in book
    assert "**Gate:** 45 key databases need an anchor on this day." in book
    assert "tugboat-2017 expires, and no replacement is planned" in books["tugboat.md"]
    assert len(books) == 448


def test_an_endpoint_without_actions_has_no_runbook(tmp_path: Path) -> None:
    built = dataclasses.replace(small(), plan=[], certificates=[])
    assert books_of(built, tmp_path) == {}


NASTY = "../../b `x` $(reboot) | <i> *"


def test_no_name_leads_out_of_the_folder_or_out_of_its_quotes(tmp_path: Path) -> None:
    built = small(client=NASTY, server="../srv; halt")
    out = tmp_path / "out"
    found = deadlines(simulate(read_case(built, tmp_path / "fleet")))
    made = write_runbooks(out, found)
    assert all(path.resolve().is_relative_to(out.resolve()) for path in made)
    assert {path.name for path in tmp_path.iterdir()} == {"fleet", "out"}
    (book,) = (path for path in (out / "runbooks").iterdir() if "reboot" in path.name)
    outside = re.sub(r"(?ms)^(`{3,})\n.*?^\1$", "", book.read_text())
    assert "<i>" not in outside.replace("\\<i", "")


def test_a_client_and_a_server_of_one_name_have_a_file_each(tmp_path: Path) -> None:
    books = books_of(small(client="SRV1"), tmp_path)
    assert {"SRV1.md", "SRV1@server.md"} <= set(books)


def test_commands_are_fenced_longer_than_any_backticks_in_them() -> None:
    assert code("a ``` b")[0] == "````"
    assert code("a")[0] == "```"


def test_texts_lose_their_meaning_and_their_line_breaks() -> None:
    assert text("a\n# b") == "a \\# b"


# --- Writing -------------------------------------------------------------------------------------


def test_runbooks_of_an_earlier_plan_do_not_stay(tmp_path: Path) -> None:
    built = small()
    write_runbooks(tmp_path, deadlines(simulate(read_case(built, tmp_path / "fleet"))))
    assert (tmp_path / "runbooks" / "BA01.md").exists()
    assert (tmp_path / "bundles" / "BA01" / "default" / MANIFEST).exists()
    built = dataclasses.replace(built, plan=[])
    write_runbooks(tmp_path, deadlines(simulate(read_case(built, tmp_path / "fleet2"))))
    assert not (tmp_path / "runbooks" / "BA01.md").exists()
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "bundles",
        "distribution.csv",
        "fleet",
        "fleet2",
        "replacements.csv",
        "runbooks",
    ]


@pytest.mark.parametrize("name", ["runbooks", "bundles"])
def test_a_folder_of_another_origin_is_left_alone(tmp_path: Path, name: str) -> None:
    (tmp_path / "out" / name).mkdir(parents=True)
    mine = tmp_path / "out" / name / "mine.txt"
    mine.write_text("mine")
    with pytest.raises(InventoryError, match=f"{name}: this was not made by the planner"):
        planner.plan(DATA / "eight-cases", out=tmp_path / "out", runbooks=True)
    assert mine.read_text() == "mine"
    assert [path.name for path in (tmp_path / "out").iterdir()] == [name]


def test_every_digest_of_the_folders_agrees(tmp_path: Path) -> None:
    run = planner.plan(DATA / "eight-cases", out=tmp_path, runbooks=True)
    assert run.measures.refused_session_days == 0
    for name in ("runbooks", "bundles"):
        lines = (tmp_path / name / MANIFEST).read_text().splitlines()
        listed = {file: digest for digest, _, file in (line.partition("  ") for line in lines)}
        found = {
            str(path.relative_to(tmp_path / name)): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in (tmp_path / name).rglob("*")
            if path.is_file() and path != tmp_path / name / MANIFEST
        }
        assert listed == found
