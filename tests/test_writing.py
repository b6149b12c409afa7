"""Writing: a file whole or not at all, a set of files wholly or not at all, whatever happens."""

import errno
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NoReturn

import pytest
from filelock import FileLock

from planner.inventory.writing import (
    FINISHED,
    LOCK,
    FolderInUseError,
    complete_writing,
    write_file,
    write_files,
)

ROOT = Path(__file__).parents[1]
OLD = {"a.csv": b"old a", "due/x.csv": b"old x", "notes/1.md": b"old 1", "notes/gone.md": b"old"}
NEW = {"a.csv": b"new a", "b.csv": b"new b", "due/x.csv": b"new x", "notes/1.md": b"new 1"}
WHOLE = ("notes",)

IN_USE = "another planner is writing into this folder; wait until it has ended, or name another"


def everything_in(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_files_are_written_with_their_folders(tmp_path: Path) -> None:
    write_files(tmp_path / "new" / "fleet", {"a.csv": b"1", "certs/x.pem": b"2"})
    assert everything_in(tmp_path) == {"new/fleet/a.csv": b"1", "new/fleet/certs/x.pem": b"2"}
    write_file(tmp_path / "new" / "more" / "b.csv", b"3")
    assert (tmp_path / "new" / "more" / "b.csv").read_bytes() == b"3"


def test_files_that_are_not_of_the_set_stay(tmp_path: Path) -> None:
    write_files(tmp_path, OLD)
    (tmp_path / "mine.txt").write_bytes(b"mine")
    write_files(tmp_path, NEW)
    assert everything_in(tmp_path) == OLD | NEW | {"mine.txt": b"mine"}


def test_a_folder_of_the_set_is_replaced_whole(tmp_path: Path) -> None:
    write_files(tmp_path, OLD, whole=WHOLE)
    write_files(tmp_path, NEW, whole=WHOLE)
    assert everything_in(tmp_path) == NEW


def failing(*_: object, **__: object) -> NoReturn:
    raise OSError(errno.ENOSPC, "No space left on device")


def failure_of(folder: Path, whole: tuple[str, ...]) -> str | None:
    try:
        write_files(folder, NEW, whole=whole)
    except OSError as error:
        return error.strerror
    return None


@pytest.mark.parametrize("whole", [(), WHOLE])
@pytest.mark.parametrize("method", ["write_bytes", "mkdir", "rename", "replace"])
def test_a_failure_at_any_call_leaves_everything_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, method: str, whole: tuple[str, ...]
) -> None:
    folder = tmp_path / "out"
    write_files(folder, OLD, whole=whole)
    original: Callable[..., object] = getattr(Path, method)
    for fatal in range(1, 100):
        calls = 0

        def sometimes(
            path: Path, *arguments: object, _fatal: int = fatal, **named: object
        ) -> object:
            nonlocal calls
            calls += 1
            return failing() if calls == _fatal else original(path, *arguments, **named)

        with monkeypatch.context() as patched:
            patched.setattr(Path, method, sometimes)
            if failure_of(folder, whole) is None:
                break
        assert everything_in(folder) == OLD, (method, fatal)
        assert not (folder / "b.csv").exists()
    assert fatal > 1
    assert everything_in(folder) == (NEW if whole else OLD | NEW)


def test_a_failure_leaves_a_whole_folder_that_is_not_of_the_set(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_files(tmp_path, OLD)
    monkeypatch.setattr(Path, "replace", failing)
    with pytest.raises(OSError, match="No space left"):
        write_files(tmp_path, {"a.csv": b"new a"}, whole=WHOLE)
    assert everything_in(tmp_path) == OLD


def test_a_failure_leaves_no_new_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Path, "write_bytes", failing)
    with pytest.raises(OSError, match="No space left"):
        write_files(tmp_path / "new" / "out", NEW)
    assert not (tmp_path / "new" / "out" / "due").exists()


def test_a_file_that_cannot_be_written_is_left_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_file(tmp_path / "a.csv", b"old")
    for method in ("chmod", "replace"):
        with monkeypatch.context() as patched:
            patched.setattr(Path, method, failing)
            with pytest.raises(OSError, match="No space left"):
                write_file(tmp_path / "a.csv", b"new")
        assert everything_in(tmp_path) == {"a.csv": b"old"}


@pytest.mark.parametrize(
    "write", [write_file, lambda path, content: write_files(path.parent, {path.name: content})]
)
def test_a_folder_in_the_place_of_a_file_is_an_error(
    tmp_path: Path, write: Callable[[Path, bytes], None]
) -> None:
    (tmp_path / "a.csv").mkdir()
    with pytest.raises(OSError, match="a folder stands in its place"):
        write(tmp_path / "a.csv", b"")
    assert [path.name for path in tmp_path.iterdir()] == ["a.csv"]


def test_a_folder_that_cannot_be_made_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(OSError, match=r"Not a directory|File exists"):
        write_files(tmp_path / "file" / "fleet", {"a.csv": b""})


# --- Stopped from outside ------------------------------------------------------------------------

KILLED_AT_EVERY_STEP = f"""
import os, signal, sys
from pathlib import Path
from planner.inventory.writing import write_files

OLD, NEW, WHOLE = {OLD!r}, {NEW!r}, {WHOLE!r}
STEPS = ("open", "os.rename", "os.mkdir", "os.remove", "os.rmdir", "os.chmod", "shutil.copyfile")

def killed_at(folder, step):
    child = os.fork()
    if child == 0:
        left = step
        def count(event, _):
            nonlocal left
            if event in STEPS:
                left -= 1
                if left == 0:
                    os.kill(os.getpid(), signal.SIGKILL)
        sys.addaudithook(count)
        write_files(folder, NEW, whole=WHOLE)
        os._exit(0)
    return os.waitpid(child, 0)[1] == signal.SIGKILL

base, step = Path(sys.argv[1]), 0
while True:
    step += 1
    folder = base / str(step)
    write_files(folder, OLD, whole=WHOLE)
    if not killed_at(folder, step):
        break
    print(step, flush=True)
"""


@pytest.fixture(scope="module")
def killed(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Return the folders in which a planner was killed, one for each step of its writing."""
    base = tmp_path_factory.mktemp("killed")
    command = [sys.executable, "-c", KILLED_AT_EVERY_STEP, str(base)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return [base / line for line in done.stdout.split()]


def test_a_planner_killed_at_any_step_leaves_every_file_old_or_new(killed: list[Path]) -> None:
    assert len(killed) > 40
    for folder in killed:
        found = {name: content for name, content in everything_in(folder).items() if name[0] != "."}
        for name, content in found.items():
            assert content in (OLD.get(name), NEW.get(name)), (folder, name)
        if not (folder / FINISHED).exists():
            assert found in (OLD, NEW), folder


def test_what_was_finished_is_completed_and_what_was_not_is_forgotten(killed: list[Path]) -> None:
    n_finished = 0
    for folder in killed:
        is_finished = (folder / FINISHED).exists()
        n_finished += is_finished
        before = everything_in(folder)
        complete_writing(folder)
        found = {name: content for name, content in everything_in(folder).items() if name[0] != "."}
        if is_finished:
            assert found == NEW, folder
            assert not (folder / FINISHED).exists()
        else:
            assert everything_in(folder) == before
    assert 5 < n_finished < len(killed)


def test_the_next_set_is_written_as_if_nothing_had_happened(killed: list[Path]) -> None:
    for folder in killed:
        write_files(folder, {"a.csv": b"next"}, whole=WHOLE)
        assert (folder / "a.csv").read_bytes() == b"next"
        assert not [path for path in folder.iterdir() if path.name.startswith(".")]


LIMITED = """
import resource, signal, sys
from pathlib import Path
from planner.inventory.writing import write_files
resource.setrlimit(resource.RLIMIT_FSIZE, (5000, 5000))
try:
    write_files(Path(sys.argv[1]), {"a.csv": b"new", "b.csv": b"x" * 10_000})
except OSError as error:
    print(error.errno)
"""


def test_a_disk_that_takes_no_more_leaves_everything_as_it_was(tmp_path: Path) -> None:
    write_files(tmp_path, OLD)
    command = [sys.executable, "-c", LIMITED, str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert int(done.stdout) == errno.EFBIG
    assert everything_in(tmp_path) == OLD


# --- Two at once ---------------------------------------------------------------------------------


@pytest.fixture
def in_use(tmp_path: Path) -> Iterator[Path]:
    """Return a folder into which somebody else is writing."""
    write_files(tmp_path, OLD)
    with FileLock(tmp_path / LOCK):
        yield tmp_path


def test_a_second_planner_is_told_that_the_folder_is_in_use(in_use: Path) -> None:
    with pytest.raises(FolderInUseError) as caught:
        write_files(in_use, NEW)
    assert str(caught.value) == f"{in_use}: {IN_USE} folder"
    (in_use / FINISHED).mkdir()
    with pytest.raises(FolderInUseError, match=IN_USE):
        complete_writing(in_use)
    (in_use / FINISHED).rmdir()
    (in_use / LOCK).unlink()
    assert everything_in(in_use) == OLD


def test_a_file_system_without_locks_is_written_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise NotImplementedError("FileSystem does not appear to support flock")

    monkeypatch.setattr(FileLock, "acquire", refuse)
    write_files(tmp_path, NEW)
    assert everything_in(tmp_path) == NEW


RACE = """
import sys
from pathlib import Path
from planner.inventory.writing import FolderInUseError, write_files
folder, word = Path(sys.argv[1]), sys.argv[2].encode()
written = 0
while written < 40:
    try:
        write_files(folder, {f"{n}.csv": word for n in range(6)})
    except FolderInUseError:
        continue
    written += 1
"""


def test_writers_at_the_same_time_leave_one_whole_set(tmp_path: Path) -> None:
    racing = [
        subprocess.Popen([sys.executable, "-c", RACE, str(tmp_path), word], cwd=ROOT)
        for word in ("one", "two")
    ]
    assert [process.wait() for process in racing] == [0, 0]
    found = everything_in(tmp_path)
    assert len(found) == 6
    assert len(set(found.values())) == 1


def test_no_other_module_writes_files() -> None:
    calls = (".write_bytes(", ".write_text(", "mkstemp(", "os.replace(", "to_csv(path")
    for path in sorted((ROOT / "planner").rglob("*.py")):
        if path.name not in ("writing.py", "report.py"):  # the report prints in a temporary folder
            text = path.read_text(encoding="utf-8")
            assert not [call for call in calls if call in text], path
