"""Files on disk: only regular ones are opened, and names of files lead out of no folder."""

import hashlib
import os
import stat
import urllib.parse
from io import BufferedReader
from pathlib import Path
from types import TracebackType
from typing import Final

from planner.domain.errors import Fault

LONGEST_NAME: Final = 120
"""Longest file name that is made of a text [characters]."""

_DEVICES: Final = frozenset(
    ["con", "prn", "aux", "nul", *(f"{port}{n}" for port in ("com", "lpt") for n in range(10))]
)


class UnusableFileError(Exception):
    """A file that cannot be opened as it stands: what is wrong, and what to do."""

    def __init__(self, what: str, cure: str) -> None:
        self.what, self.cure = what, cure
        super().__init__(f"{what}; {cure}")


def open_input(path: Path, *, within: Path | None = None) -> BufferedReader:
    """Open a regular file for reading.

    Parameters
    ----------
    path
        The file.
    within
        The folder that no link may lead out of, where that matters.

    Raises
    ------
    UnusableFileError
        If it is missing, a folder, a pipe or device, reached by a link out of `within`, or may not
        be read.
    """
    try:
        if within is not None and not _is_within(path, within):
            raise UnusableFileError("the link leads out of the folder", "put the file itself here")
        mode = path.stat().st_mode
        if stat.S_ISDIR(mode):
            raise UnusableFileError("this is a folder", "put a file in its place")
        if not stat.S_ISREG(mode):  # opening a pipe would wait for ever
            raise UnusableFileError("this is no regular file", "put a file in its place")
        return path.open("rb")
    except FileNotFoundError as error:
        raise UnusableFileError("the file is missing", "create it, or correct its name") from error
    except PermissionError as error:
        cure = "give yourself the right to read it"
        raise UnusableFileError("the file may not be read", cure) from error
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        raise UnusableFileError(*_unreadable(error)) from error


def _is_within(path: Path, folder: Path) -> bool:
    top = os.path.realpath(folder)
    return os.path.commonpath([top, os.path.realpath(path)]) == top


def _unreadable(error: OSError | ValueError) -> tuple[str, str]:
    return f"it cannot be read ({reason_of(error)})", "check the disk and the path"


def reason_of(error: OSError | ValueError) -> str:
    """Return in words what the system says of a path; a ValueError is a NUL in it."""
    reason: str | None = getattr(error, "strerror", None)
    return reason or str(error)


class Reading:
    """A `with` block in which whatever keeps a file from being read becomes a fault of it."""

    def __init__(self, name: str, faults: list[Fault]) -> None:
        self._name, self._faults = name, faults

    def __enter__(self) -> None:
        """Begin to read."""

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> bool:
        """Record what went wrong, and go on behind the block."""
        match error:
            case UnusableFileError(what=what, cure=cure):
                pass
            case OSError():
                what, cure = _unreadable(error)
            case _:
                return False
        self._faults.append(Fault(file=self._name, what=what, cure=cure))
        return True


def read_bytes(
    path: Path, name: str, faults: list[Fault], *, largest: int, within: Path | None = None
) -> bytes | None:
    """Return the content of a file of at most `largest` bytes; a fault and None where it has none.

    `name` is what a fault calls the file.
    """
    with Reading(name, faults), open_input(path, within=within) as file:
        content = file.read(largest + 1)
        if len(content) > largest:
            what = f"the file is larger than {largest:,} bytes"
            raise UnusableFileError(what, "put the right file here")
        return content
    return None


def safe_name(text: str) -> str:
    """Return a file name for any text: it leads out of no folder, and different texts differ.

    Signs that some system gives a meaning to are written as in a URL; a long name is cut and ends
    in a digest of the whole.

    Examples
    --------
    >>> safe_name("DB 1"), safe_name("../up"), safe_name("con")
    ('DB%201', '%2E.%2Fup', 'con%')
    """
    name = urllib.parse.quote(text, safe="")
    if name.startswith((".", "-", "~")):
        name = f"%{ord(name[0]):02X}{name[1:]}"
    if name.endswith("."):
        name = f"{name[:-1]}%2E"
    if name.partition(".")[0].casefold() in _DEVICES:  # files of these names are devices on Windows
        stem, dot, rest = name.partition(".")
        name = f"{stem}%{dot}{rest}"
    if len(name) > LONGEST_NAME:
        digest = hashlib.sha256(text.encode()).hexdigest()[:16]
        name = f"{name[: LONGEST_NAME - 17]}%{digest}"
    return name or "%"
