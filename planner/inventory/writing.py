"""Files are written whole or not at all, and so is each set of files of one run.

A set is first written into a folder of its own beside its places. Giving that folder its second
name is the moment from which the set counts: what stops the program before leaves everything as
it was, and what stops it after, while files move to their places, is completed by whoever reads
or writes the folder next. One planner at a time writes into a folder.
"""

import errno
import os
import shutil
import tempfile
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from filelock import FileLock, Timeout

from planner.domain.errors import PlannerError

LOCK: Final = ".planner-lock"
"""Is held by the planner that writes into a folder."""
UNFINISHED: Final = ".planner-unfinished"
"""Holds a set of files that is being written; it counts for nothing."""
FINISHED: Final = ".planner-finished"
"""Holds a set of files that is written, and on its way to its places."""

_FILES: Final = "files"
_FOLDERS: Final = "folders"
_BEFORE: Final = "before"


class FolderInUseError(PlannerError):
    """A folder into which another planner is writing."""


def write_file(path: Path, content: bytes) -> None:
    """Write a file whole or not at all; its folder is made where it is missing.

    Raises
    ------
    OSError
        If it cannot be written; what stood there is left as it was.
    """
    with _made(path.parent):
        _refuse_folder(path)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        temporary = Path(name)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(content)
            temporary.chmod(0o644)
            temporary.replace(path)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise


def write_files(
    folder: Path, contents: Mapping[str, bytes], *, whole: Collection[str] = ()
) -> None:
    """Write a set of files below a folder: all of them, or none.

    Parameters
    ----------
    folder
        Is made where it is missing.
    contents
        The files by their paths below `folder`.
    whole
        Subfolders that are replaced whole, so that no file of an earlier set is left in them.

    Raises
    ------
    FolderInUseError
        If another planner is writing into the folder.
    OSError
        If the folder or a file cannot be written; everything is as before then.
    """
    for name in contents:
        _refuse_folder(folder / name)
    with _made(folder), _alone(folder):
        _complete(folder)
        unfinished = folder / UNFINISHED
        try:
            for name, content in contents.items():
                is_whole = _top(name) in whole
                path = unfinished / (_FOLDERS if is_whole else _FILES) / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(content)
            for name in contents:
                if (folder / name).exists() and _top(name) not in whole:
                    kept = unfinished / _BEFORE / name
                    kept.parent.mkdir(parents=True, exist_ok=True)
                    shutil.copy2(folder / name, kept)
            unfinished.rename(folder / FINISHED)
        except BaseException:
            shutil.rmtree(unfinished, ignore_errors=True)
            raise
        try:
            _put_in_place(folder)
        except BaseException:
            _bring_back(folder, contents, whole)
            raise


def complete_writing(folder: Path) -> None:
    """Complete what an earlier planner had written and was stopped from putting in place.

    Raises
    ------
    FolderInUseError
        If another planner is doing so.
    OSError
        If the folder cannot be written.
    """
    if (folder / FINISHED).exists():
        with _alone(folder):
            _complete(folder)


def check_folder(folder: Path) -> None:
    """Check, before long work, that a folder can be made or written into.

    Raises
    ------
    OSError
        If something else stands in its place or above it, or it may not be written.
    """
    standing = next((path for path in (folder, *folder.parents) if path.exists()), None)
    if standing is not None and not standing.is_dir():
        raise NotADirectoryError(errno.ENOTDIR, "no folder, but a file", str(standing))
    if standing is not None and not os.access(standing, os.W_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(standing))


def _refuse_folder(path: Path) -> None:
    if path.is_dir():
        raise IsADirectoryError(0, "a folder stands in its place", str(path))


@contextmanager
def _made(folder: Path) -> Iterator[None]:
    """Make a folder, and take away again what was made if that was in vain."""
    missing = [path for path in (folder, *folder.parents) if not path.exists()]
    made: list[Path] = []
    try:
        for path in reversed(missing):
            path.mkdir()
            made.append(path)
        yield
    except BaseException:
        for path in reversed(made):
            with suppress(OSError):
                path.rmdir()
        raise


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Be the only planner that writes into a folder."""
    lock = FileLock(folder / LOCK, timeout=0)
    try:
        lock.acquire()
    except NotImplementedError:  # a file system without locks
        pass
    except Timeout:
        what = f"{folder}: another planner is writing into this folder"
        cure = "wait until it has ended, or name another folder"
        raise FolderInUseError(f"{what}; {cure}") from None
    try:
        yield
    finally:
        # Whoever comes now makes a new one; here everything is written.
        with suppress(OSError):
            (folder / LOCK).unlink()
        lock.release()


def _complete(folder: Path) -> None:
    """Take away what counts for nothing, and put in place what counts."""
    if (folder / UNFINISHED).exists():
        shutil.rmtree(folder / UNFINISHED)
    if (folder / FINISHED).exists():
        _put_in_place(folder)


def _put_in_place(folder: Path) -> None:
    """Move a finished set to its places; where this is stopped, it can be done again."""
    finished = folder / FINISHED
    for new in sorted(path for path in (finished / _FILES).rglob("*") if path.is_file()):
        place = folder / new.relative_to(finished / _FILES)
        place.parent.mkdir(parents=True, exist_ok=True)
        new.replace(place)
    for new in sorted((finished / _FOLDERS).glob("*")):
        place, before = folder / new.name, finished / _BEFORE / new.name
        if place.exists():
            before.parent.mkdir(exist_ok=True)
            place.rename(before)
        new.rename(place)
    shutil.rmtree(finished)


def _bring_back(folder: Path, contents: Iterable[str], whole: Collection[str]) -> None:
    """Undo the moves of a set, so that everything is as it was before."""
    finished = folder / FINISHED
    tops = {_top(name) for name in contents}
    files = [name for name in contents if _top(name) not in whole]
    for name in (*files, *tops.intersection(whole)):
        place, before = folder / name, finished / _BEFORE / name
        is_moved = not (finished / (_FOLDERS if name in whole else _FILES) / name).exists()
        if is_moved and place.is_dir():
            shutil.rmtree(place)
        elif is_moved:
            place.unlink(missing_ok=True)
        if before.exists() and not place.exists():
            before.rename(place)
    for name in contents:
        for parent in Path(name).parents[:-1]:
            with suppress(OSError):  # it is needed where it holds something
                (folder / parent).rmdir()
    shutil.rmtree(finished, ignore_errors=True)


def _top(name: str) -> str:
    return Path(name).parts[0]
