"""The compiler of the kernel, with a cache on disk that never goes stale.

numba's cache notices a change of the file that defines a function, but not of the constants and
functions that it takes from other files. So each state of the sources has a cache folder of its
own.
"""

import hashlib
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import ParamSpec, TypeVar

import numba
from numba.core import config

Parameters = ParamSpec("Parameters")
Returned = TypeVar("Returned")

_ENGINE = Path(__file__).parent
_SETTING = "CACHE_DIR"  # numba makes the names of its settings at run time


def _sources_digest() -> str:
    """Digest of all that compiled code is made from: what is compiled, its inputs, the domain."""
    digest = hashlib.sha256(numba.__version__.encode())
    for source in sorted((*_ENGINE.glob("*.py"), *(_ENGINE.parent / "domain").glob("*.py"))):
        content = source.read_bytes()
        is_compiled = b"planner.engine.compiled import" in content
        if is_compiled or source.name == "program.py" or source.parent != _ENGINE:
            digest.update(content)
    return digest.hexdigest()[:16]


def _cache_folder() -> str:
    """Folder for the machine code; empty, which leaves the choice to numba, if it is read-only."""
    folder = _ENGINE / "__pycache__" / f"kernel-{_sources_digest()}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return ""
    for stale in folder.parent.glob("kernel-*"):
        if stale != folder:
            shutil.rmtree(stale, ignore_errors=True)
    return str(folder)


_FOLDER = _cache_folder()


def compiled(function: Callable[Parameters, Returned]) -> Callable[Parameters, Returned]:
    """Compile a function to machine code at its first call, once for each state of the sources."""
    return _compiled(function, counts_references=True)


def allocation_free(function: Callable[Parameters, Returned]) -> Callable[Parameters, Returned]:
    """Compile a function that makes no array, without counting references to those it reads.

    A program is a tuple of some forty arrays; counting references to them at every call took 30
    times as long as the work itself.
    """
    return _compiled(function, counts_references=False)


def _compiled(
    function: Callable[Parameters, Returned], *, counts_references: bool
) -> Callable[Parameters, Returned]:
    # numba's own annotation does not know `_nrt`.
    compiler: Callable[
        ..., Callable[[Callable[Parameters, Returned]], Callable[Parameters, Returned]]
    ] = numba.njit
    before = getattr(config, _SETTING)
    setattr(config, _SETTING, _FOLDER or before)
    try:
        if counts_references:
            return compiler(cache=True, nogil=True)(function)
        return compiler(cache=True, nogil=True, _nrt=False, forceinline=True)(function)
    finally:
        setattr(config, _SETTING, before)


@allocation_free
def natural(row: int) -> int:
    """Return a row number as it is; the compiler then knows that it does not count from the end.

    Without it each access to an array tests for that: it took a quarter of the time of a walk.
    """
    return row & 0x7FFF_FFFF
