from __future__ import annotations

import errno
import os
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from planner.domain.errors import InventoryError
from planner.domain.fleet import Fleet
from planner.inventory.fleet_folder import read_fleet
from planner.inventory.schema import FILES
from tests.builders import (
    account,
    case,
    certificate,
    client,
    rule,
    server,
    session,
    trust,
    write_case,
)
from tests.oracle import Case
from tests.strategies import cases
from tests.test_x509 import LEAF, ROOT, pem

DATA = Path(__file__).parent.parent / "data"


def small_case() -> Case:
    return case(
        servers=[server("srv1", site="quay")],
        clients=[client("db1", site="yard")],
        accounts=[account("srv1", "db1")],
        sessions=[session("db1", "srv1")],
        certificates=[certificate("srv1")],
        trust=[trust("db1", "srv1")],
        rules=[rule("earliest", "db1", "2025-03-10")],
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_case(small_case(), tmp_path / "fleet")
    return tmp_path / "fleet"


def faults_of(folder: Path) -> list[str]:
    with pytest.raises(InventoryError) as caught:
        read_fleet(folder)
    assert str(caught.value) == "\n".join(map(str, caught.value.faults))
    return [str(fault) for fault in caught.value.faults]


def rules_of(fleet: Fleet) -> list[str]:
    return [remark.rule for remark in fleet.origin.remarks]


def append(path: Path, text: str) -> None:
    path.write_text(path.read_text(encoding="utf-8") + text, encoding="utf-8")


def test_the_example_fleets_are_read_without_a_remark() -> None:
    harbour, eight_cases = read_fleet(DATA / "harbour"), read_fleet(str(DATA / "eight-cases"))
    assert (len(harbour.servers), len(harbour.clients), len(harbour.sessions)) == (12, 442, 1304)
    assert (len(eight_cases.servers), len(eight_cases.clients)) == (5, 15)
    assert harbour.origin.remarks == eight_cases.origin.remarks == ()
    assert len(harbour.origin.certificate_files) == 9


def test_optional_files_may_be_absent(folder: Path) -> None:
    for name in ("accounts.csv", "certificates.csv", "trust.csv", "plan.csv"):
        (folder / name).unlink()
    fleet = read_fleet(folder)
    assert len(fleet.trust) == 0
    assert fleet.certificates.name == ("srv1",)
    assert not fleet.certificates.described[0]


@pytest.mark.parametrize("name", ["fleet.toml", "servers.csv", "clients.csv", "sessions.csv"])
def test_a_required_file_that_is_missing_is_one_fault(folder: Path, name: str) -> None:
    (folder / name).unlink()
    assert faults_of(folder) == [
        f"{name}: the file is missing; create it, or name the folder that holds it"
    ]


def test_a_misspelt_file_is_named_in_the_cure(folder: Path) -> None:
    (folder / "servers.csv").rename(folder / "Server.csv")
    assert faults_of(folder) == ["servers.csv: the file is missing; rename 'Server.csv'"]


def test_an_optional_file_that_is_misspelt_is_remarked_on(folder: Path) -> None:
    (folder / "trust.csv").rename(folder / "trusts.csv")
    (folder / "notes.txt").write_text("anything")
    (folder / "first-draft.csv").write_text("anything")
    fleet = read_fleet(folder)
    (remark,) = fleet.origin.remarks
    assert remark.rule == "misspelt-file"
    assert remark.what == "the file was not read; its name is like trust.csv"


def test_a_path_that_is_no_readable_folder_is_one_fault(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    (tmp_path / "loop").symlink_to("loop")
    assert faults_of(tmp_path / "none") == [
        f"{tmp_path}/none: the folder is missing; create it, or correct its name"
    ]
    assert faults_of(tmp_path / "file") == [
        f"{tmp_path}/file: this is no folder; name the folder that holds fleet.toml, servers.csv, "
        "clients.csv, sessions.csv"
    ]
    assert faults_of(tmp_path / "loop")[0].startswith(
        f"{tmp_path}/loop: the folder cannot be read ("
    )
    assert faults_of(tmp_path / ("x" * 300))[0].endswith(
        "the folder cannot be read (File name too long); check the disk and the path"
    )
    assert re.search("null (byte|character in path)", faults_of(Path("a\0b"))[0])


@pytest.mark.parametrize("where", ["fleet", "certs"])
def test_a_folder_without_read_permission_is_one_fault(
    folder: Path, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    (folder / "certs").mkdir()
    list_folder: Callable[[Path], Iterator[Path]] = Path.iterdir

    def refuse(path: Path) -> Iterator[Path]:
        if path.name == where:
            raise PermissionError(errno.EACCES, "Permission denied")
        return list_folder(path)

    monkeypatch.setattr(Path, "iterdir", refuse)
    name = "certs" if where == "certs" else str(folder)
    assert faults_of(folder) == [
        f"{name}: the folder may not be read; give yourself the right to read it"
    ]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_folder_without_read_permission_is_refused_by_the_system_too(folder: Path) -> None:
    folder.chmod(0)
    try:
        assert "may not be read" in faults_of(folder)[0]
    finally:
        folder.chmod(0o755)


@pytest.mark.parametrize("name", ["fleet.toml", *FILES, "certs/x.pem"])
def test_a_file_without_read_permission_is_one_fault(
    folder: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    (folder / "certs").mkdir()
    (folder / "certs" / "x.pem").write_bytes(pem(ROOT))
    opened: Callable[..., object] = Path.open

    def refuse(path: Path, mode: str = "r", **options: str) -> object:
        if path == folder / name and mode == "rb":
            raise PermissionError(errno.EACCES, "Permission denied")
        return opened(path, mode, **options)

    monkeypatch.setattr(Path, "open", refuse)
    assert faults_of(folder) == [
        f"{name}: the file may not be read; give yourself the right to read it"
    ]


@pytest.mark.parametrize("name", ["fleet.toml", *FILES])
def test_a_folder_in_place_of_a_file_is_one_fault(folder: Path, name: str) -> None:
    (folder / name).unlink()
    (folder / name).mkdir()
    assert faults_of(folder) == [f"{name}: this is a folder; put a file in its place"]


def test_a_file_in_place_of_the_certificate_folder_is_one_fault(folder: Path) -> None:
    (folder / "certs").write_text("")
    assert faults_of(folder)[0].startswith("certs: this is no folder; ")


def test_links_out_of_the_folder_are_not_followed(folder: Path) -> None:
    (folder / "trust.csv").rename(folder.parent / "trust.csv")
    (folder / "trust.csv").symlink_to("../trust.csv")
    (folder / "certs").mkdir()
    (folder / "certs" / "x.pem").symlink_to("/etc/passwd")
    assert faults_of(folder) == [
        "certs/x.pem: the link leads out of the folder; put the file itself here",
        "trust.csv: the link leads out of the folder; put the file itself here",
    ]


def test_all_faults_of_all_files_are_told_at_once_in_order(folder: Path) -> None:
    append(folder / "fleet.toml", "[policy]\nlead_days = -1\n")
    append(folder / "servers.csv", "srv2,8.1.x,,,,,,,,,,\n")
    append(folder / "clients.csv", "DB1,8.1.0,,,,,,,\n")
    append(folder / "sessions.csv", "db1,srv3" + "," * 14 + "\n")
    append(folder / "trust.csv", "db1,,srv1,2027-02-30\n")
    append(folder / "accounts.csv", '"srv1,b,,,,\n')
    (folder / "certs").mkdir()
    (folder / "certs" / "bad.der").write_bytes(b"nothing")
    faults = faults_of(folder)
    assert [fault.split(": ")[0] for fault in faults] == [
        "accounts.csv:3",
        "certs/bad.der",
        "clients.csv:3",
        "fleet.toml:5",
        "servers.csv:3",
        "sessions.csv:3",
        "trust.csv:3",
    ]


def test_names_of_a_file_that_cannot_be_read_whole_are_not_missed(folder: Path) -> None:
    (folder / "servers.csv").write_text("server,level\n\0\n")
    append(folder / "clients.csv", "db2,8.1.x,,,,,,,\n")
    assert faults_of(folder) == [
        "clients.csv:3: level '8.1.x' is not a product level; write it as 8.1.13 or 8.1.13.2",
        "servers.csv:2: the line holds a NUL byte; save the file as UTF-8 text",
    ]


def test_extra_columns_are_kept_with_a_remark(folder: Path) -> None:
    (folder / "clients.csv").write_text("\nclient,level,Rack\ndb1,8.1.0,R 7\n")
    fleet = read_fleet(folder)
    assert fleet.origin.extra_columns == {"clients.csv": {"Rack": ("R 7",)}}
    (remark,) = fleet.origin.remarks
    assert (remark.rule, remark.severity, remark.subject) == (
        "extra-column",
        "note",
        "clients.csv: Rack",
    )
    assert (remark.file, remark.line) == ("clients.csv", 2)


def test_a_window_of_a_site_without_endpoints_is_remarked_on(folder: Path) -> None:
    append(
        folder / "fleet.toml",
        '[[calendar.window]]\nsite = "QUAY"\ndays = ["Mon"]\n'
        '[[calendar.window]]\nsite = "yrad"\ndays = ["Mon"]\n'
        '[[calendar.window]]\nsite = "moon"\ndays = ["Mon"]\n',
    )
    fleet = read_fleet(folder)
    assert rules_of(fleet) == ["window-without-site", "window-without-site"]
    assert [remark.fix for remark in fleet.origin.remarks] == [
        "Correct the site; yard is nearest.",
        "Correct the site.",
    ]


def test_certificate_files_are_read_and_hidden_ones_and_folders_left_alone(folder: Path) -> None:
    (folder / "certs" / "old").mkdir(parents=True)
    for name in ("srv1.pem", ".hidden.pem", "old/x.pem"):
        (folder / "certs" / name).write_bytes(pem(LEAF))
    (folder / "certs" / "readme.txt").write_text("notes")
    fleet = read_fleet(folder)
    assert list(fleet.origin.certificate_files) == ["certs/readme.txt", "certs/srv1.pem"]
    assert fleet.certificates.name == ("srv1",)
    assert fleet.certificates.file == ("certs/srv1.pem",)
    assert rules_of(fleet) == ["other-file"]


def test_a_certificate_file_of_an_unprintable_name_or_a_giant_size_is_a_fault(
    folder: Path,
) -> None:
    (folder / "certs").mkdir()
    (folder / "certs" / os.fsdecode(b"x\xff.pem")).write_bytes(pem(ROOT))
    with (folder / "certs" / "big.pem").open("wb") as file:
        file.truncate(1 << 30)
    assert faults_of(folder) == [
        "certs: the file name 'x\\udcff.pem' holds a character that cannot be printed; rename the "
        "file",
        "certs/big.pem: the file is larger than 1,048,576 bytes; put the right file here",
    ]


def test_the_hash_follows_every_file_that_is_read(folder: Path) -> None:
    (folder / "certs").mkdir()
    (folder / "certs" / "srv1.pem").write_bytes(pem(ROOT))
    hashes = {read_fleet(folder).origin.sha256}
    assert len(hashes.copy().pop()) == 64
    for name in FILES:
        append(folder / name, "\n")
        hashes.add(read_fleet(folder).origin.sha256)
    append(folder / "fleet.toml", "\n")
    hashes.add(read_fleet(folder).origin.sha256)
    append(folder / "certs" / "srv1.pem", "\n")
    hashes.add(read_fleet(folder).origin.sha256)
    assert len(hashes) == len(FILES) + 3
    append(folder / "plan.csv", "\n")
    (folder / "other.txt").write_text("")
    assert read_fleet(folder).origin.sha256 in hashes


def test_a_copy_has_the_same_hash(folder: Path) -> None:
    shutil.copytree(folder, folder.parent / "copy")
    assert read_fleet(folder).origin.sha256 == read_fleet(folder.parent / "copy").origin.sha256


@settings(max_examples=50)
@given(cases())
def test_random_fleets_are_read(tmp_path_factory: pytest.TempPathFactory, drawn: Case) -> None:
    path = tmp_path_factory.mktemp("random")
    write_case(drawn, path)
    fleet = read_fleet(path)
    assert len(fleet.sessions) == len(drawn.sessions)
    assert fleet.servers.name[:] == tuple(row["server"] for row in drawn.servers)


@settings(max_examples=200)
@given(
    st.sampled_from(["fleet.toml", *FILES, "certs/x.pem"]),
    st.lists(
        st.tuples(st.floats(0, 1), st.integers(0, 6), st.sampled_from(b'\0\xff,;"\n\r\t=0a-.')),
        max_size=4,
    ),
)
def test_any_damage_to_any_file_is_read_or_an_error_but_never_crashes(
    tmp_path_factory: pytest.TempPathFactory, name: str, edits: list[tuple[float, int, int]]
) -> None:
    path = tmp_path_factory.mktemp("fuzz")
    write_case(small_case(), path)
    (path / "certs").mkdir()
    (path / "certs" / "x.pem").write_bytes(pem(LEAF))
    content = bytearray((path / name).read_bytes())
    for share, removed, byte in edits:
        place = int(share * len(content))
        content[place : place + removed] = bytes([byte])
    (path / name).write_bytes(content)
    try:
        read_fleet(path)
    except InventoryError as error:
        assert error.faults  # noqa: PT017 - either outcome is right
        for fault in error.faults:
            assert "\n" not in str(fault)
            assert fault.what
            assert fault.cure
