"""Bundles: the files that each key database gets, and their commands."""

from __future__ import annotations

import dataclasses
import random
import re
import subprocess
from itertools import combinations
from pathlib import Path

import pandas as pd
import pytest

import planner
from planner.engine.deadlines import deadlines
from planner.engine.timeline import simulate
from planner.reporting.bundles import (
    COMMANDS,
    MANIFEST,
    Bundle,
    Bundles,
    bundle_files,
    bundles,
    manifest,
)
from tests import oracle
from tests.authorities import Made, make, root
from tests.builders import action, case, certificate, client, server, session, trust
from tests.comparison import read_case
from tests.oracle import Case, Row

ROOT = root()
FILES = {"root": ROOT, "leaf": make("leaf", ROOT), "own": make("own"), "renewed": make("renewed")}


def bundles_in(built: Case, folder: Path, **files: Made) -> Bundles:
    (folder / "certs").mkdir(parents=True)
    for name, made in (files or FILES).items():
        (folder / "certs" / f"{name}.pem").write_bytes(b"# a comment\n" + made.pem)
    return bundles(deadlines(simulate(read_case(built, folder))))


def fleet(
    *,
    clients: tuple[Row, ...] = (),
    held: tuple[Row, ...] = (),
    plan: tuple[Row, ...] = (),
    key_database: str = "",
) -> Case:
    clients = clients or (client("BA01", "8.1.13", platform="Linux"),)
    return case(
        servers=[
            server("SRV1", "8.1.19", certificate="own"),
            server("SRV2", "8.1.13", certificate="leaf"),
        ],
        clients=list(clients),
        sessions=[
            session(row["client"], name, key_database=key_database)
            for row in clients
            for name in ("SRV1", "SRV2")
        ],
        trust=list(held),
        plan=plan,
    )


def only(found: Bundles) -> Bundle:
    (bundle,) = found
    return bundle


def commands_of(bundle: Bundle) -> list[str]:
    return [anchor.command for anchor in bundle.anchors]


# What no command may do: delete, empty or overwrite a key database, or carry a password. One may be
# made where there is none.
DANGEROUS = re.compile(
    r"-keydb(?! -create -populate -db .+ -genpw -stash)|-changepw|-convert|-pw\b|-password"
    r"|\b(?:rm|del|erase|rd|rmdir|unlink|shred|truncate|mv|move|Remove-Item)\b|dsmcert\.\*|>",
    re.IGNORECASE,
)
IMPORT_OWN = action("2025-03-03", "import-certificate", client="BA01", certificate="own")
RENEW = action("2025-03-17", "replace-certificate", server="SRV1", certificate="renewed")
BIN = "/opt/tivoli/tsm/client/ba/bin"


def test_a_bundle_holds_the_anchor_of_each_server_and_no_leaf(tmp_path: Path) -> None:
    bundle = only(bundles_in(fleet(plan=(IMPORT_OWN,)), tmp_path))
    assert [anchor.file for anchor in bundle.anchors] == ["own.arm", "root.arm"]
    assert commands_of(bundle) == [
        f"{BIN}/dsmcert -add -server SRV1 -file own.arm",
        f"{BIN}/dsmcert -add -server SRV2 -file root.arm",
    ]


def test_a_storage_agent_has_the_key_database_of_a_server_in_its_own_folder(
    tmp_path: Path,
) -> None:
    agent = client("BA01", "8.1.13", kind="storage-agent", platform="AIX")
    found = bundles_in(fleet(clients=(agent,), plan=(IMPORT_OWN,)), tmp_path)
    assert commands_of(only(found))[0] == (
        "/usr/opt/ibm/gsk8_64/bin/gsk8capicmd_64 -cert -add -db "
        "/usr/tivoli/tsm/StorageAgent/bin/cert.kdb -stashed -format ascii -label own -file own.arm"
    )
    (row,) = found.deadlines.timeline.plan.to_frame()["command"]
    assert row.startswith("gsk8capicmd_64 -cert -add -db cert.kdb ")


def test_an_operations_center_imports_into_a_truststore_of_its_own(tmp_path: Path) -> None:
    center = client("OC01", "8.1.13", kind="operations-center", platform="Linux")
    importing = {**IMPORT_OWN, "client": "OC01"}
    found = bundles_in(fleet(clients=(center,), plan=(importing,)), tmp_path)
    bundle = only(found)
    (remark,) = bundle.remarks
    assert "in ui/Liberty/usr/servers/guiServer of its installation" in remark
    truststore = "-keystore gui-truststore.jks"
    command = f"keytool -importcert -alias SRV1 -file own.arm {truststore}"
    assert command in commands_of(bundle)
    assert bundle.listing == f"keytool -list {truststore}"
    (row,) = found.deadlines.timeline.plan.to_frame()["command"]
    assert row == command.replace("own.arm", "own.pem")
    assert bundle.removal(bundle.anchors[0]) == f"keytool -delete -alias SRV1 {truststore}"


def test_where_there_is_no_key_database_yet_it_is_made_without_a_password(tmp_path: Path) -> None:
    built = fleet(clients=(client("BA01", "8.1.1", platform="Linux"),))
    for row in built.sessions:
        row["ssl"] = "Yes"
    found = bundles_in(built, tmp_path)
    made = f"-keydb -create -populate -db {BIN}/dsmcert.kdb -genpw -stash\n"
    text = bundle_files(only(found), found.certificates)[f"BA01/default/{COMMANDS}"].decode()
    assert text.count(made) == 1
    new = only(bundles_in(fleet(), tmp_path / "new"))  # dsmcert makes its own
    assert new.remarks == ()


def test_a_certificate_that_bears_a_servers_name_does_not_take_its_place(tmp_path: Path) -> None:
    made = {"SRV1": FILES["renewed"], "root": ROOT, "leaf": FILES["leaf"]}
    built = fleet(
        plan=(
            action("2025-03-03", "import-certificate", client="BA01", certificate="root"),
            action("2025-03-17", "replace-certificate", server="SRV1", certificate="SRV1"),
            action("2025-03-10", "import-certificate", client="BA01", certificate="SRV1"),
        )
    )
    built.servers[0]["certificate"] = "leaf"
    found = bundles_in(built, tmp_path, **made)
    assert commands_of(only(found)) == [
        f"{BIN}/dsmcert -add -server SRV1 -file root.arm",
        f"{BIN}/dsmcert -add -server SRV1-certificate -file SRV1.arm",
    ]
    schedule = found.deadlines.timeline.plan.to_frame()["command"].tolist()
    assert "dsmcert -add -server SRV1-certificate -file SRV1.pem" in schedule


def test_one_root_does_for_all_its_servers(tmp_path: Path) -> None:
    built = fleet()
    built.servers[0]["certificate"] = "leaf"
    bundle = only(bundles_in(built, tmp_path))
    (anchor,) = bundle.anchors
    assert (anchor.file, anchor.servers) == ("root.arm", "SRV1;SRV2")


def test_old_and_new_are_there_together_during_a_replacement(tmp_path: Path) -> None:
    bundle = only(bundles_in(fleet(held=(trust("BA01", "own"),), plan=(RENEW,)), tmp_path))
    assert [anchor.file for anchor in bundle.anchors] == ["own.arm", "root.arm", "renewed.arm"]
    # The key database keeps one certificate under the name of a server.
    assert commands_of(bundle) == [
        "",
        f"{BIN}/dsmcert -add -server SRV2 -file root.arm",
        f"{BIN}/dsmcert -add -server renewed -file renewed.arm",
    ]
    assert bundle.anchors[0].is_in_place


def test_the_schedule_says_the_same_names(tmp_path: Path) -> None:
    imports = [
        action("2025-03-03", "import-certificate", client="BA01", certificate=name)
        for name in ("own", "renewed")
    ]
    found = bundles_in(fleet(plan=(*imports, RENEW)), tmp_path)
    schedule = found.deadlines.timeline.plan.to_frame()["command"].tolist()
    assert schedule[:2] == [
        "dsmcert -add -server SRV1 -file own.pem",
        "dsmcert -add -server renewed -file renewed.pem",
    ]


def test_each_key_database_has_a_bundle_of_its_own(tmp_path: Path) -> None:
    built = fleet()
    built.sessions[1]["key_database"] = "api"
    found = bundles_in(built, tmp_path)
    assert [bundle.folder for bundle in found] == ["BA01/default", "BA01/api"]
    assert [[anchor.file for anchor in bundle.anchors] for bundle in found] == [
        ["own.arm"],
        ["root.arm"],
    ]
    assert "/api/bin64/dsmcert " in found.rows[1].anchors[0].command
    assert len(found.of("ba01")) == 2
    assert len(found.of("SRV1")) == 0


def test_old_clients_and_odd_places_use_the_other_tool(tmp_path: Path) -> None:
    built = fleet(clients=(client("BA01", "8.1.1", platform="Windows"),))
    for row in built.sessions:
        row["ssl"] = "Yes"
    (first, _) = only(bundles_in(built, tmp_path)).anchors
    assert first.tool == "gsk8capicmd"
    assert "baclient\\dsmcert.kdb" in first.command
    odd = only(bundles_in(fleet(key_database="/data/keys"), tmp_path / "odd"))
    assert " -db /data/keys/dsmcert.kdb " in odd.anchors[0].command


def test_a_server_that_opens_sessions_has_its_own_key_database(tmp_path: Path) -> None:
    built = fleet()
    built.sessions[:] = [session("SRV2", "SRV1", kind="server")]
    bundle = only(bundles_in(built, tmp_path))
    assert bundle.folder == "SRV2/default"
    assert bundle.anchors[0].command.startswith("gsk8capicmd_64 -cert -add -db cert.kdb ")


def test_files_hold_the_certificate_alone_and_the_manifest_agrees(tmp_path: Path) -> None:
    found = bundles_in(fleet(plan=(IMPORT_OWN,)), tmp_path / "fleet")
    files = bundle_files(only(found), found.certificates)
    assert sorted(files) == [
        f"BA01/default/{name}" for name in (MANIFEST, COMMANDS, "own.arm", "root.arm")
    ]
    assert files["BA01/default/root.arm"] == ROOT.pem
    for name, content in files.items():
        (tmp_path / Path(name).name).write_bytes(content)
    done = subprocess.run(
        ["sha256sum", "--check", "--strict", MANIFEST],  # noqa: S607 - the tool that users have
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.count(": OK") == 3
    (tmp_path / "root.arm").write_bytes(ROOT.pem + b"\n")
    with pytest.raises(subprocess.CalledProcessError):
        subprocess.run(["sha256sum", "--check", MANIFEST], cwd=tmp_path, check=True)  # noqa: S607


def test_a_certificate_without_a_file_is_named_as_missing(tmp_path: Path) -> None:
    found = bundles_in(fleet(), tmp_path, root=ROOT, leaf=FILES["leaf"])
    bundle = only(found)
    assert [bool(anchor.content) for anchor in bundle.anchors] == [False, True]
    files = bundle_files(bundle, found.certificates)
    text = files[f"BA01/default/{COMMANDS}"].decode()
    assert "# NOT HERE: the fleet has no file of it; put it here as the command names it\n" in text
    assert "BA01/default/own.arm" not in files
    assert repr(found) == "Bundles(1 key databases, 2 anchors, 0 in place, 1 without a file)"


def test_a_certificate_whose_holding_is_no_trust_is_not_handed_out(tmp_path: Path) -> None:
    built = fleet()
    built.servers[0]["certificate"] = "leaf"
    found = bundles_in(built, tmp_path, leaf=FILES["leaf"])  # without the root that issued it
    (anchor,) = only(found).anchors
    assert (anchor.is_trust, anchor.content, anchor.command) == (False, b"", "")
    files = bundle_files(only(found), found.certificates)
    assert sorted(files) == [f"BA01/default/{name}" for name in (MANIFEST, COMMANDS)]
    text = files[f"BA01/default/{COMMANDS}"].decode()
    assert "# NO TRUST: its chain ends at no root that is known" in text
    assert "-add" not in text


def test_der_files_and_bundles_are_handed_out_as_pem(tmp_path: Path) -> None:
    (tmp_path / "certs").mkdir(parents=True)
    (tmp_path / "certs" / "root.der").write_bytes(ROOT.der)
    (tmp_path / "certs" / "leaf.pem").write_bytes(FILES["leaf"].pem + ROOT.pem)
    found = bundles(deadlines(simulate(read_case(fleet(), tmp_path))))
    (anchor,) = (one for one in only(found).anchors if one.content)
    assert anchor.content == ROOT.pem


def blocks(text: str) -> list[str]:
    """Return the lines of all command blocks of a runbook."""
    found = re.findall(r"(?ms)^ *(`{3,})\n(.*?)^ *\1$", text)
    return [line.strip() for _, block in found for line in block.splitlines()]


def test_nothing_that_is_handed_out_deletes_a_key_database_or_carries_a_password(
    tmp_path: Path,
) -> None:
    planner.plan(Path(__file__).parents[1] / "data" / "harbour", out=tmp_path, runbooks=True)
    lines = [
        line
        for book in (tmp_path / "runbooks").glob("*.md")
        for line in blocks(book.read_text(encoding="utf-8"))
    ]
    lines += [
        line
        for file in (tmp_path / "bundles").rglob(COMMANDS)
        for line in file.read_text(encoding="utf-8").splitlines()
    ]
    lines += pd.read_csv(tmp_path / "schedule.csv", dtype=str)["command"].dropna().tolist()
    assert len(lines) > 5_000
    assert [line for line in lines if DANGEROUS.search(line)] == []


@pytest.mark.parametrize(
    "line",
    [
        "gsk8capicmd_64 -keydb -delete -db dsmcert.kdb -stashed",
        "rm -rf dsmcert.*",
        "rm dsmcert.kdb",
        "del dsmcert.kdb",
        "gsk8capicmd_64 -keydb -create -populate -db dsmcert.kdb -pw secret -stash",
        "gsk8capicmd_64 -cert -add -db dsmcert.kdb -pw secret -file x.arm",
        "cat x.arm > dsmcert.kdb",
    ],
)
def test_such_a_command_would_be_seen(line: str) -> None:
    assert DANGEROUS.search(line)


def test_every_import_of_the_example_fleet_has_a_safe_command() -> None:
    run = planner.plan(Path(__file__).parents[1] / "data" / "harbour")
    found = planner.bundles(run.deadlines)
    for bundle in found:
        lines = [*commands_of(bundle), bundle.listing]
        assert not any(DANGEROUS.search(line) for line in lines)
    table = found.to_frame()
    assert len(table) == len(run.deadlines) == 1000
    assert (table["in_place"] == "Yes").sum() == 150
    assert "<table" in found._repr_html_()


def test_a_manifest_lists_names_in_order() -> None:
    text = manifest({"b": b"2", "a": b"1"}).decode()
    assert [line.split("  ")[1] for line in text.splitlines()] == ["a", "b"]


def test_a_remark_on_windows_holds_nothing_that_its_prompt_obeys(tmp_path: Path) -> None:
    built = fleet(clients=(client("BA01", "8.1.13", platform="Windows"),))
    built.servers[0]["certificate"] = "own & calc %PATH%"
    found = bundles_in(built, tmp_path, root=ROOT, leaf=FILES["leaf"])
    lines = bundle_files(only(found), found.certificates)[f"BA01/default/{COMMANDS}"].decode()
    remarks = [line for line in lines.splitlines() if line.startswith("REM ")]
    assert any("own ? calc ?PATH?" in line for line in remarks)
    assert not set("%&|<>^") & set("".join(remarks))


# --- Fewest, by trying everything ----------------------------------------------------------------

ANCHORS = ("own1", "own2", "own3", "root1", "root2", "mid", "leaf1", "leaf2")
PRESENTABLE = ("own1", "own2", "own3", "leaf1", "leaf2")


def small_fleet(rng: random.Random) -> Case:
    """Draw a fleet that holds nothing and imports nothing, and presents ever other certificates."""

    def day() -> str:
        return f"2025-03-{rng.randint(4, 28):02}"

    certificates = [
        *(certificate(name) for name in ("own1", "own2", "own3")),
        *(certificate(name, kind="root") for name in ("root1", "root2")),
        certificate("mid", kind="intermediate", issuer="root1"),
        certificate("leaf1", issuer="mid"),
        certificate("leaf2", issuer="root2"),
    ]
    levels = ("8.1.0", "8.1.13", "8.1.19")
    servers = [
        server(name, rng.choice(levels), certificate=rng.choice(PRESENTABLE)) for name in "AB"
    ]
    clients = [client(name, rng.choice(levels)) for name in "XY"]
    sessions = [
        session(
            one["client"],
            name,
            account=rng.choice(["shared", one["client"]]),
            key_database=rng.choice(["default", "api"]),
            ssl=rng.choice(["Yes", "No"]),
        )
        for one in clients
        for name in "AB"
        if rng.random() < 0.8
    ]
    plan = [
        action(
            day(), "replace-certificate", server=rng.choice("AB"), certificate=rng.choice(ANCHORS)
        )
        for _ in range(rng.randint(1, 3))
    ]
    plan += [action(day(), "upgrade-server", server=rng.choice("AB"), value="8.1.13")]
    plan += [action(day(), "upgrade-client", client=rng.choice("XY"), value="8.1.13")]
    plan += [action(day(), "set-option", client=rng.choice("XY"), option="SSL", value="Yes")]
    return case(
        servers=servers,
        clients=clients,
        sessions=sessions,
        certificates=certificates,
        plan=sorted(plan, key=lambda row: row["date"]),
    )


def lacks_trust(built: Case, held: dict[tuple[str, str], frozenset[str]]) -> set[tuple[str, str]]:
    """Ask the oracle which key databases lack something, if they hold these from the first day."""
    rows = [
        trust(name, one, key_database=database)
        for (name, database), names in held.items()
        for one in names
    ]
    states = oracle.solve(dataclasses.replace(built, trust=rows)).states
    return {
        (row["client"], row["key_database"])
        for row in states
        if row["reason"] in ("untrusted", "wrong-certificate")
    }


def held_by_bundles(found: Bundles) -> dict[tuple[str, str], frozenset[str]]:
    table = found.to_frame()
    return {
        (str(name), str(database)): frozenset(rows["certificate"])
        for (name, database), rows in table.groupby(["client", "key_database"])
    }


@pytest.mark.parametrize("seed", range(12))
def test_no_smaller_set_of_certificates_does_what_a_bundle_does(seed: int, tmp_path: Path) -> None:
    built = small_fleet(random.Random(seed))
    held = held_by_bundles(bundles(deadlines(simulate(read_case(built, tmp_path)))))
    assert lacks_trust(built, held) == set()
    for database, own in held.items():
        smaller = [
            frozenset(chosen) for n in range(len(own)) for chosen in combinations(ANCHORS, n)
        ]
        assert all(database in lacks_trust(built, {**held, database: one}) for one in smaller)
        assert [
            frozenset(chosen)
            for chosen in combinations(ANCHORS, len(own))
            if database not in lacks_trust(built, {**held, database: frozenset(chosen)})
        ] == [own]


def test_the_small_fleets_need_old_and_new_together(tmp_path: Path) -> None:
    sizes: set[int] = set()
    for seed in range(12):
        built = small_fleet(random.Random(seed))
        found = bundles(deadlines(simulate(read_case(built, tmp_path / str(seed)))))
        sizes |= {len(own) for own in held_by_bundles(found).values()}
    assert sizes >= {1, 2, 3}
