"""What a file is, whose it is, and which files a user means."""

from pathlib import Path

import pytest

from planner.inventory.importing import sources
from planner.inventory.importing.sources import Given, given, owner_of, read_content, read_sources
from tests.authorities import root


@pytest.mark.parametrize(
    ("path", "client", "is_api"),
    [
        ("db1/dsm.sys", "db1", False),
        ("hosts/db1/api/dsm.sys", "db1", True),
        ("hosts/db1/opt/tivoli/tsm/client/ba/bin/dsm.sys", "db1", False),
        ("hosts/db1/usr/tivoli/tsm/client/api/bin64/dsm.sys", "db1", True),
        ("hosts/win1/C/Program Files/Tivoli/TSM/baclient/dsm.opt", "win1", False),
        ("api/db1/dsm.sys", "db1", False),
        ("db1.dsm.sys", "db1", False),
        ("x/web_2.dsm.opt", "web_2", False),
        ("x/db1_dsmcert.txt", "db1", False),
        ("dsm.sys", "", False),
        ("opt/dsm.sys", "", False),
    ],
)
def test_a_path_says_whose_file_it_is(path: str, client: str, is_api: bool) -> None:
    owner = owner_of(Path(path))
    assert (owner.client, owner.is_api) == (client, is_api)


def test_a_name_before_the_file_is_taken_unless_there_is_such_a_file(tmp_path: Path) -> None:
    assert given("A=b.txt") == Given(Path("b.txt"), "A")
    assert given("b.txt") == Given(Path("b.txt"))
    assert given("folder/a=b.txt") == Given(Path("folder/a=b.txt"))
    file = tmp_path / "a=b.txt"
    file.touch()
    assert given(file) == Given(file)


def test_files_are_told_by_what_they_hold() -> None:
    assert read_content("db1/dsm.sys", b"SE A\nTCPS a\n").stanzas[0].client == "db1"
    assert read_content("dsm.sys", b"SE A\nTCPS a\n", name="web1").stanzas[0].client == "web1"
    assert read_content("db1/api/x.sys", b"SE A\nTCPS a\n").stanzas[0].key_database == "api"
    assert read_content("db1/list.txt", b"Certificates found\n!\ta\n").held[0].owner == "db1"
    assert read_content("a.txt", b"PLANNER-ADMIN,A,,\n", name="S").accounts[0].server == "S"
    pem = root("Root").pem
    assert read_content("x/ca.arm", pem).certificates[0].parts[0].subject == "CN=Root"
    assert read_content("x/no-suffix", pem, name="S").certificates[0].server == "S"


def test_any_encoding_of_a_text_is_read() -> None:
    text = "PLANNER-STATUS,SÜD,8,1,27,0,\r\n"
    for encoding in ("utf-8", "utf-8-sig", "utf-16", "cp1252"):
        assert read_content("a.txt", text.encode(encoding)).servers[0].name == "SÜD"


@pytest.mark.parametrize(
    ("file", "content", "message"),
    [
        (
            "dsm.sys",
            b"SE A\n",
            "nothing says which client the file is of; give it as CLIENT=dsm.sys",
        ),
        ("list.txt", b"Certificates found\n", "nothing says which client the file is of"),
        ("a.pem", b"-----BEGIN PRIVATE KEY-----\n", "the file holds a private key"),
        ("a.pem", b"nothing", "the file holds no certificate that can be read"),
        ("a.pem", b" " * ((1 << 20) + 1), "the file is larger than 1,048,576 bytes"),
    ],
)
def test_a_file_that_cannot_be_used_is_a_fault(file: str, content: bytes, message: str) -> None:
    (fault,) = read_content(file, content).faults
    assert message in str(fault)


def test_folders_are_read_whole_and_each_file_once(tmp_path: Path) -> None:
    for client in ("db1", "db2"):
        (tmp_path / client).mkdir()
        (tmp_path / client / "dsm.sys").write_text("SE A\nTCPS a\n")
    (tmp_path / "db1" / ".hidden").write_text("SSLX")
    told: list[tuple[str, int, int]] = []
    found = read_sources(
        [tmp_path, tmp_path / "db1" / "dsm.sys"],
        observer=lambda step, done, whole: told.append((step, done, whole)),
    )
    assert [one.client for one in found.stanzas] == ["db1", "db2"]
    assert told == [("reading files", 1, 2), ("reading files", 2, 2)]


def test_a_name_counts_wherever_its_file_is_named_and_the_first_name_before_others(
    tmp_path: Path,
) -> None:
    file = tmp_path / "a.txt"
    file.write_text("PLANNER-ADMIN,A,,\n")
    folder, named = str(tmp_path), f"S={file}"
    for arguments in ([folder, named], [named, folder], [named, f"T={file}"]):
        (found,) = read_sources(arguments).accounts
        assert found.server == "S"


def test_missing_files_and_names_that_are_none_are_faults(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "a.txt"
    file.write_text("x\n")
    (tmp_path / "b\x07.txt").write_text("x\n")
    found = read_sources([tmp_path / "missing.txt", f"A B={file}", tmp_path / "b\x07.txt"])
    assert [fault.what for fault in found.faults] == [
        "the file name holds a character that cannot be printed",
        "the file is missing",
        "the name given with the file holds a blank or a character that cannot be printed",
    ]
    monkeypatch.setattr(sources, "MOST_FILES", 1)
    (fault,) = read_sources([file, tmp_path / "c.txt"]).faults
    assert fault.what == "2 files are named; 1 are read"
