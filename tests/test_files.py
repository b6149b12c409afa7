from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from planner.domain.errors import Fault
from planner.inventory.files import (
    LONGEST_NAME,
    Reading,
    UnusableFileError,
    open_input,
    read_bytes,
    safe_name,
)


def reason_against(path: Path, within: Path | None = None) -> str:
    with pytest.raises(UnusableFileError) as caught, open_input(path, within=within):
        pass
    return str(caught.value)


def test_a_regular_file_is_opened(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"x")
    with open_input(tmp_path / "a", within=tmp_path) as file:
        assert file.read() == b"x"


def test_what_is_no_regular_file_is_never_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert reason_against(tmp_path) == "this is a folder; put a file in its place"
    assert reason_against(tmp_path / "pipe") == "this is no regular file; put a file in its place"
    assert reason_against(Path("/dev/zero")) == "this is no regular file; put a file in its place"
    missing = "the file is missing; create it, or correct its name"
    assert reason_against(tmp_path / "none") == missing
    assert reason_against(tmp_path / "pipe" / "x") == (
        "it cannot be read (Not a directory); check the disk and the path"
    )
    assert reason_against(tmp_path / ("x" * 300)) == (
        "it cannot be read (File name too long); check the disk and the path"
    )


def test_links_are_followed_inside_the_folder_only(tmp_path: Path) -> None:
    folder = tmp_path / "fleet"
    folder.mkdir()
    (tmp_path / "outside").write_bytes(b"secret")
    (folder / "inside").write_bytes(b"x")
    for name, target in (("in", "inside"), ("out", "../outside"), ("loop", "loop"), ("gone", "y")):
        (folder / name).symlink_to(target)
    (folder / "dir").symlink_to(tmp_path)
    with open_input(folder / "in", within=folder) as file:
        assert file.read() == b"x"
    out = "the link leads out of the folder; put the file itself here"
    assert reason_against(folder / "out", folder) == out
    assert reason_against(folder / "dir" / "outside", folder) == out
    assert reason_against(folder / "gone", folder).startswith("the file is missing")
    assert reason_against(folder / "loop", folder).startswith("it cannot be read (")
    with open_input(folder / "out") as file:
        assert file.read() == b"secret"


def test_a_folder_may_itself_be_reached_by_a_link(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "a").write_bytes(b"x")
    (tmp_path / "link").symlink_to("real")
    with open_input(tmp_path / "link" / "a", within=tmp_path / "link") as file:
        assert file.read() == b"x"


def test_a_file_without_read_permission_is_a_fault(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a").write_bytes(b"x")
    faults: list[Fault] = []

    def refuse(*_: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)
    assert read_bytes(tmp_path / "a", "a.pem", faults, largest=9) is None
    assert list(map(str, faults)) == [
        "a.pem: the file may not be read; give yourself the right to read it"
    ]


def test_a_disk_that_fails_while_reading_is_a_fault() -> None:
    faults: list[Fault] = []
    with Reading("a.csv", faults):
        raise OSError(errno.EIO, "Input/output error")
    assert list(map(str, faults)) == [
        "a.csv: it cannot be read (Input/output error); check the disk and the path"
    ]


def test_other_errors_are_not_hidden() -> None:
    with pytest.raises(ZeroDivisionError), Reading("a.csv", []):
        raise ZeroDivisionError


def test_no_more_is_read_than_the_largest_size(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"x" * 11)
    faults: list[Fault] = []
    assert read_bytes(tmp_path / "a", "a", faults, largest=11) == b"x" * 11
    assert read_bytes(tmp_path / "a", "a", faults, largest=10) is None
    assert list(map(str, faults)) == [
        "a: the file is larger than 10 bytes; put the right file here"
    ]


# --- Names of files ------------------------------------------------------------------------------


@given(st.text(max_size=300))
def test_any_text_gives_a_name_that_stays_in_its_folder(text: str) -> None:
    text = text.encode("utf-8", "ignore").decode("utf-8")
    name = safe_name(text)
    assert name
    assert len(name) <= LONGEST_NAME
    assert not set(name) & set('/\\:*?"<>| \0')
    assert not name.startswith((".", "-", "~"))
    assert not name.endswith(".")
    assert name.isascii()


@given(st.text(max_size=200), st.text(max_size=200))
def test_different_texts_give_different_names(first: str, second: str) -> None:
    one, other = (t.encode("utf-8", "ignore").decode("utf-8") for t in (first, second))
    assert (safe_name(one) == safe_name(other)) is (one == other)


@pytest.mark.parametrize("device", ["CON", "nul", "com1", "LPT9", "aux.txt"])
def test_no_name_is_a_device_of_windows(device: str) -> None:
    assert safe_name(device).partition(".")[0].endswith("%")
