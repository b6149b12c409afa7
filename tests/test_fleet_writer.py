from __future__ import annotations

import dataclasses
import errno
import shutil
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings

from planner.domain.errors import InventoryError
from planner.domain.fleet import Fleet, Groups
from planner.domain.names import Names
from planner.inventory.fleet_folder import read_fleet
from planner.inventory.fleet_writer import fleet_files, write_fleet
from planner.inventory.schema import FILES
from tests.builders import account, case, certificate, client, server, session, trust, write_case
from tests.oracle import Case
from tests.strategies import cases
from tests.test_x509 import ISSUING, LEAF, OWN, ROOT, pem

DATA = Path(__file__).parent.parent / "data"


def values(thing: object, path: str = "") -> dict[str, object]:
    """Every value of a fleet by its place; lines and the folder's own data apart."""
    if isinstance(thing, np.ndarray):
        return {path: thing.tolist()}
    if isinstance(thing, Names):
        return {path: thing[:]}
    if not dataclasses.is_dataclass(thing) or isinstance(thing, type):
        return {path: thing}
    found: dict[str, object] = {}
    for field in dataclasses.fields(thing):
        if field.name in {"line", "folder", "sha256", "remarks"} or isinstance(thing, Groups):
            continue
        found |= values(getattr(thing, field.name), f"{path}.{field.name}")
    return found


def assert_reads_back(fleet: Fleet, folder: Path) -> None:
    write_fleet(fleet, folder)
    again = read_fleet(folder)
    assert values(again) == values(fleet)
    assert fleet_files(again) == fleet_files(fleet)


def changed(fleet: Fleet, **columns: object) -> Fleet:
    return dataclasses.replace(fleet, **columns)  # type: ignore[arg-type]


@pytest.fixture
def fleet(tmp_path: Path) -> Fleet:
    write_case(
        case(
            servers=[server("srv1", note="=1+1"), server("srv2", authentication="LDAP")],
            clients=[client("db1", note=' "a"; b\nc'), client("db2", "")],
            accounts=[account("srv1", "spare")],
            sessions=[session("db1", "srv1", account="-x"), session("srv2", "srv1", kind="server")],
            certificates=[certificate("srv1", server="srv1"), certificate("x", issuer="srv1")],
            trust=[trust("db2", "other", since="2025-03-10")],
            holidays=["2025-03-14"],
            freezes=[("2025-03-20", "2025-03-22")],
        ),
        tmp_path / "source",
    )
    return read_fleet(tmp_path / "source")


@pytest.mark.parametrize("name", ["harbour", "eight-cases"])
def test_the_example_fleets_read_back(tmp_path: Path, name: str) -> None:
    assert_reads_back(read_fleet(DATA / name), tmp_path / name)


@settings(max_examples=100)
@given(cases())
def test_random_fleets_read_back(tmp_path_factory: pytest.TempPathFactory, drawn: Case) -> None:
    folder = tmp_path_factory.mktemp("random")
    write_case(drawn, folder / "source")
    assert_reads_back(read_fleet(folder / "source"), folder / "copy")


def test_the_comparison_sees_one_changed_value(fleet: Fleet) -> None:
    weight = fleet.sessions.weight.copy()
    weight[0] += 1
    heavier = changed(fleet, sessions=dataclasses.replace(fleet.sessions, weight=weight))
    assert values(heavier) != values(fleet)
    assert values(changed(fleet, name="other")) != values(fleet)
    noted = dataclasses.replace(fleet.clients, note=("", ""))
    assert values(changed(fleet, clients=noted)) != values(fleet)
    assert len(values(fleet)) > 70


def test_the_files_have_the_documented_columns_and_every_default(
    fleet: Fleet, tmp_path: Path
) -> None:
    write_fleet(fleet, tmp_path / "copy")
    for name, columns in FILES.items():
        text = (tmp_path / "copy" / name).read_text(encoding="utf-8")
        assert text.splitlines()[0] == ",".join(column.name for column in columns)
    assert (tmp_path / "copy" / "sessions.csv").read_text(encoding="utf-8") == (
        "client,server,account,kind,ssl,sslrequired,sslacceptcertfromserv,sslfipsmode,"
        "ssldisablelegacytls,lanfreessl,replsslport,tcpport,commmethod,key_database,weight,"
        "encrypt_data\n"
        "db1,srv1,'-x,backup,No,Default,No,No,No,No,,,TCPIP,default,1,No\n"
        "srv2,srv1,srv2,server,No,Default,No,No,No,No,,,TCPIP,default,1,No\n"
    )
    assert (tmp_path / "copy" / "accounts.csv").read_text(encoding="utf-8") == (
        "server,account,kind,authentication,session_security,sslrequired\n"
        "srv1,spare,node,,Transitional,Default\n"
    )
    assert (tmp_path / "copy" / "fleet.toml").read_text(encoding="utf-8") == (
        'name = "test fleet"\nstart = 2025-03-03\nend = 2025-03-31\n\n'
        "[policy]\nlead_days = 5\nautomatic_distribution = false\n\n"
        '[calendar]\nworking_days = [\n    "Mon",\n    "Tue",\n    "Wed",\n    "Thu",\n    "Fri",\n'
        "]\nholidays = [\n    2025-03-14,\n]\n\n"
        '[[calendar.freeze]]\nname = "freeze 1"\nstart = 2025-03-20\nend = 2025-03-22\n'
    )


def test_all_settings_read_back(fleet: Fleet, tmp_path: Path) -> None:
    write_fleet(fleet, tmp_path / "a")
    with (tmp_path / "a" / "fleet.toml").open("a", encoding="utf-8") as file:
        file.write('[[calendar.window]]\nsite = "q\\"1"\ndays = ["Sun", "Mon"]\n')
        file.write("[capacity]\nservers_per_week = 1\n")
    assert_reads_back(read_fleet(tmp_path / "a"), tmp_path / "b")


def test_extra_columns_are_written_back(fleet: Fleet, tmp_path: Path) -> None:
    write_fleet(fleet, tmp_path / "a")
    for name in FILES:
        path = tmp_path / "a" / name
        head, *rows = path.read_text(encoding="utf-8").replace("\nc", " c").splitlines()
        text = [f'=My "own",{head}', *(f"@{number},{row}" for number, row in enumerate(rows))]
        path.write_text("\n".join(text).replace('=My "own"', '"=My ""own"""'), encoding="utf-8")
    again = read_fleet(tmp_path / "a")
    assert again.origin.extra_columns["trust.csv"] == {'=My "own"': ("@0",)}
    assert len(again.origin.extra_columns) == len(FILES)
    assert_reads_back(again, tmp_path / "b")


def test_formulas_are_neutralised(fleet: Fleet) -> None:
    files = fleet_files(fleet)
    assert b",'=1+1\n" in files["servers.csv"]
    assert b",'-x," in files["sessions.csv"]


def test_certificate_files_rows_and_bundles_read_back(tmp_path: Path) -> None:
    write_case(
        case(
            servers=[server("srv1", certificate="presented"), server("srv2", certificate="chain")],
            clients=[client("db1")],
            sessions=[session("db1", "srv1")],
            certificates=[
                certificate("presented", file="certs/x.pem", server="srv1"),
                certificate("sub", file="certs/chain.pem#3"),
                certificate("chain", issuer="nobody", not_after="2031-01-01"),
            ],
        ),
        tmp_path / "a",
    )
    (tmp_path / "a" / "certs").mkdir()
    for name, content in (
        ("x.pem", pem(OWN)),
        ("chain.pem", pem(LEAF, ROOT, ISSUING)),
        ("root.pem", pem(ROOT)),
        ("lonely.pem", pem(OWN)),
    ):
        (tmp_path / "a" / "certs" / name).write_bytes(content)
    fleet = read_fleet(tmp_path / "a")
    assert fleet.certificates.name == ("presented", "sub", "chain", "lonely", "root")
    assert_reads_back(fleet, tmp_path / "b")


def test_a_fleet_that_no_file_described_is_written_in_full(fleet: Fleet, tmp_path: Path) -> None:
    n_accounts, n_certificates = len(fleet.accounts), len(fleet.certificates)
    made = changed(
        fleet,
        accounts=dataclasses.replace(fleet.accounts, line=np.zeros(n_accounts, dtype=np.int32)),
        certificates=dataclasses.replace(
            fleet.certificates,
            line=np.zeros(n_certificates, dtype=np.int32),
            file=("certs/gone.pem",) * n_certificates,
        ),
    )
    write_fleet(made, tmp_path / "made")
    again = read_fleet(tmp_path / "made")
    assert again.accounts.name == fleet.accounts.name
    assert again.certificates.name == fleet.certificates.name
    assert again.certificates.file == ("",) * n_certificates


def test_a_folder_is_replaced_and_its_plan_left_alone(fleet: Fleet, tmp_path: Path) -> None:
    shutil.copytree(DATA / "eight-cases", tmp_path / "fleet")
    (tmp_path / "fleet" / "plan.csv").write_text("a plan")
    write_fleet(fleet, tmp_path / "fleet")
    assert values(read_fleet(tmp_path / "fleet")) == values(fleet)
    assert (tmp_path / "fleet" / "plan.csv").read_text() == "a plan"


def test_certificate_files_of_another_fleet_are_not_mixed_in(fleet: Fleet, tmp_path: Path) -> None:
    shutil.copytree(DATA / "harbour", tmp_path / "fleet")
    before = (tmp_path / "fleet" / "clients.csv").read_bytes()
    with pytest.raises(InventoryError) as caught:
        write_fleet(fleet, tmp_path / "fleet")
    assert len(caught.value.faults) == 9
    assert str(caught.value.faults[0]) == (
        "certs/beacon-2026.pem: this certificate file is not of the fleet that is written; move it "
        "away"
    )
    assert (tmp_path / "fleet" / "clients.csv").read_bytes() == before


@pytest.mark.parametrize("bad", ["\0", "\ud800"])
def test_texts_that_no_file_can_hold_are_an_error(fleet: Fleet, tmp_path: Path, bad: str) -> None:
    noted = changed(fleet, clients=dataclasses.replace(fleet.clients, note=("", f"x{bad}")))
    with pytest.raises(InventoryError, match=r"^clients\.csv:3: the line would hold '\\"):
        write_fleet(noted, tmp_path / "copy")
    with pytest.raises(InventoryError, match=r"^fleet\.toml:1: the line would hold '\\"):
        write_fleet(changed(fleet, name="\ud800"), tmp_path / "copy")
    assert not (tmp_path / "copy").exists()


def test_a_disk_that_is_full_changes_nothing(
    fleet: Fleet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises(InventoryError) as caught:
        write_fleet(fleet, tmp_path / "copy")
    assert str(caught.value) == (
        f"{tmp_path}/copy: the folder cannot be written (No space left on device); name a folder "
        "that you may write to, on a disk with space"
    )
    assert not (tmp_path / "copy").exists()


def test_a_file_in_place_of_the_folder_is_an_error(fleet: Fleet, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(InventoryError, match="the folder cannot be written"):
        write_fleet(fleet, tmp_path / "file")
    with pytest.raises(InventoryError, match=r"null (byte|character in path)"):
        write_fleet(fleet, Path("a\0b"))
