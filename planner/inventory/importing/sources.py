"""The files that a user gives: what each one is, whose it is, and its reader."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from planner.domain.errors import Fault, Faults
from planner.domain.fleet import SessionKind
from planner.inventory.files import read_bytes
from planner.inventory.hints import quoted
from planner.inventory.importing.certificates import read_certificate
from planner.inventory.importing.dsmadmc import read_export
from planner.inventory.importing.error_log import is_error_log, read_error_log
from planner.inventory.importing.evidence import Evidence, Observer
from planner.inventory.importing.key_databases import is_listing, read_listing
from planner.inventory.importing.option_files import read_options
from planner.inventory.importing.text import decoded, is_name
from planner.inventory.x509 import LARGEST_FILE, SUFFIXES

LARGEST_EXPORT: Final = 1 << 29
"""Largest file that is read [bytes]."""
MOST_FILES: Final = 200_000
"""Most files that are read in one run."""

_OPTION_FILE: Final = re.compile(r"\.(opt|sys|smp|sample)\b|\bdsm\.(sys|opt)", re.IGNORECASE)
_OWN_FILE: Final = re.compile(
    r"(.+)[._-](dsm|dsmsta|dsmcert|dsmerror|dsierror)\.\w+", re.IGNORECASE
)
_GIVEN: Final = re.compile(r"([^=/\\]{1,256})=(.+)", re.DOTALL)
_PROGRAM_FOLDERS: Final = re.compile(
    "opt|usr|tivoli|tsm|client|ba|bin|bin64|api|api64|baclient|etc|adsm|local|ibm|[cd]|"
    "program files|common files|library|application support"
)
"""Folders of the vendor's programs, which name no client."""
_API_FOLDERS: Final = frozenset(("api", "api64"))


@dataclass(frozen=True, slots=True)
class Given:
    """One file that a user named, and the name given with it as `NAME=FILE`."""

    path: Path
    name: str = ""


@dataclass(frozen=True, slots=True)
class Owner:
    """Whose file it is by its path: the client, and whether the API's folder holds it."""

    client: str
    is_api: bool


def given(text: str | Path) -> Given:
    """Return what an argument `FILE` or `NAME=FILE` means; a file of that very name comes first.

    Examples
    --------
    >>> given("BOLLARD=exports/b.txt")
    Given(path=PosixPath('exports/b.txt'), name='BOLLARD')
    """
    found = _GIVEN.fullmatch(str(text))
    if found is None or Path(text).exists():
        return Given(Path(text))
    return Given(Path(found[2]), found[1].strip())


def owner_of(path: Path) -> Owner:
    """Return whose file a path is: `NAME.dsm.sys`, or the nearest folder that names a client.

    Examples
    --------
    >>> owner_of(Path("hosts/db1/opt/tivoli/tsm/client/api/bin64/dsm.sys"))
    Owner(client='db1', is_api=True)
    >>> owner_of(Path("files/web2.dsm.opt"))
    Owner(client='web2', is_api=False)
    """
    folders = [part for part in path.parts[:-1] if part.strip("/\\.")]
    folded = [part.casefold().rstrip(":") for part in folders]
    own = len(folders)
    while own and _PROGRAM_FOLDERS.fullmatch(folded[own - 1]):
        own -= 1
    is_api = not _API_FOLDERS.isdisjoint(folded[own:])
    stem = _OWN_FILE.fullmatch(path.name)
    if stem:
        return Owner(stem[1], is_api)
    return Owner(folders[own - 1] if own else "", is_api)


def read_sources(arguments: Iterable[str | Path], *, observer: Observer | None = None) -> Evidence:
    """Read every file that is named, and every file of the folders that are.

    Parameters
    ----------
    arguments
        Paths; `NAME=PATH` says which server an export or certificate is of, or which client an
        options file or listing.
    observer
        Is told how many files are read.

    Returns
    -------
    The evidence of all files, in order; what cannot be used is among its faults.
    """
    faults = Faults()
    files = _files(arguments, faults)
    if len(files) > MOST_FILES:
        what = f"{len(files):,} files are named; {MOST_FILES:,} are read"
        faults.append(Fault(file="import", what=what, cure="name fewer"))
        files = []
    parts = []
    for number, one in enumerate(files, 1):
        parts.append(_read(one, faults))
        if observer is not None:
            observer("reading files", number, len(files))
    return Evidence.joined([*parts, Evidence(faults=tuple(faults))])


def _files(arguments: Iterable[str | Path], faults: list[Fault]) -> list[Given]:
    """Every file once, in order; a name given with it counts wherever it is given."""
    files: dict[Path, Given] = {}
    for argument in arguments:
        one = given(argument)
        paths: Sequence[Path] = (one.path,)
        if one.path.is_dir():
            paths = sorted(path for path in one.path.rglob("*") if path.is_file())
        for path in paths:
            if path.name.startswith(".") and path is not one.path:
                continue
            if not str(path).isprintable():
                what = "the file name holds a character that cannot be printed"
                faults.append(Fault(file=quoted(str(path)), what=what, cure="rename the file"))
                continue
            known = files.get(path.absolute())
            if known is None or (one.name and not known.name):
                files[path.absolute()] = Given(path, one.name)
    return list(files.values())


def _read(one: Given, faults: list[Fault]) -> Evidence:
    """Read one file by what it is."""
    file = one.path.as_posix()
    if one.name and not is_name(one.name):
        what = "the name given with the file holds a blank or a character that cannot be printed"
        faults.append(Fault(file=file, what=what, cure="write it as NAME=FILE"))
        return Evidence()
    content = read_bytes(one.path, file, faults, largest=LARGEST_EXPORT)
    if content is None:
        return Evidence()
    return read_content(file, content, name=one.name)


def read_content(file: str, content: bytes, *, name: str = "") -> Evidence:
    """Read the content of a file by what it is.

    Parameters
    ----------
    file, content
        Its path, by which it is recognised too.
    name
        Whose it is, where that was given.
    """
    path = Path(file)
    owner = owner_of(path)
    client = name or owner.client
    key_database = "api" if owner.is_api else ""
    is_certificate = path.suffix.casefold() in SUFFIXES or content[:4096].lstrip().startswith(
        b"-----BEGIN"
    )
    if is_certificate:
        return _read_certificate(file, content, name)
    text = decoded(content)
    if _OPTION_FILE.search(path.name):
        if not client:
            return _nameless(file)
        kind = SessionKind.API if owner.is_api else SessionKind.BACKUP
        if "dsmsta" in path.name.casefold():
            kind = SessionKind.STORAGE_AGENT
        return read_options(file, text, client=client, kind=kind, key_database=key_database)
    if is_error_log(path.name, text):
        if not client:
            return _nameless(file)
        return read_error_log(file, text, client=client)
    if is_listing(text):
        if not client:
            return _nameless(file)
        return read_listing(file, text, owner=client, key_database=key_database)
    return read_export(file, text, server=name, client=client)


def _read_certificate(file: str, content: bytes, server: str) -> Evidence:
    if len(content) > LARGEST_FILE:
        what = f"the file is larger than {LARGEST_FILE:,} bytes"
        return Evidence(faults=(Fault(file=file, what=what, cure="give the certificate alone"),))
    return read_certificate(file, content, server=server)


def _nameless(file: str) -> Evidence:
    what = "nothing says which client the file is of"
    cure = f"give it as CLIENT={file}, or put it into a folder of the client's name"
    return Evidence(faults=(Fault(file=file, what=what, cure=cure),))
