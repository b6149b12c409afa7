"""CSV files as people make them: read forgivingly, with every fault at its line, and written."""

import csv
import io
import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TextIO

from planner.domain.errors import Fault
from planner.inventory.files import Reading, open_input
from planner.inventory.hints import nearest, quoted
from planner.inventory.schema import Column, find_column

MAX_LINE: Final = 1 << 20
"""Longest line that a reader takes [characters]; a longer one is no table of this kit."""
LARGEST_TABLE: Final = 1 << 30
"""Longest file that a reader takes [characters]."""
MOST_ROWS: Final = 5_000_000
"""Most rows that a reader takes."""
MAX_COLUMNS: Final = 500
"""Most columns that a reader takes."""

_DELIMITERS: Final = ",;\t"
_FORMULA_STARTS: Final = ("=", "+", "-", "@", "\t", "\r")
_UTF_16: Final = (b"\xff\xfe", b"\xfe\xff")
_ROWS_AT_ONCE: Final = 10_000
_TOO_LARGE: Final = "leave only the rows of this fleet"


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """The cells of one file by column, `''` where empty, and the line of each row.

    `extra_columns` are those that the kit does not know, by their headings. `is_whole` is false
    where a fault kept rows from being read: then names that are missing here may yet exist.
    """

    file: str
    lines: Sequence[int]
    columns: Mapping[str, Sequence[str]]
    extra_columns: Mapping[str, tuple[str, ...]]
    heading_line: int
    is_whole: bool

    def __len__(self) -> int:
        return len(self.lines)

    def __getitem__(self, column: str) -> Sequence[str]:
        return self.columns[column]

    def fault(self, row: int, what: str, cure: str) -> Fault:
        """Return a fault of a row."""
        return Fault(file=self.file, line=self.lines[row], what=what, cure=cure)


def empty_table(name: str, columns: Sequence[Column], *, is_whole: bool) -> Table:
    """Return a table without rows: of an optional file, or of one that could not be read."""
    return Table(
        file=name,
        lines=(),
        columns={column.name: () for column in columns},
        extra_columns={},
        heading_line=0,
        is_whole=is_whole,
    )


def neutral(text: str) -> str:
    """Put a `'` before a text that a spreadsheet would take for a formula.

    A text that already starts with `'` before such a sign gets one too, so that it reads back.

    Examples
    --------
    >>> neutral("=1+1"), restored(neutral("=1+1"))
    ("'=1+1", '=1+1')
    """
    bare = text.lstrip("'")
    return f"'{text}" if bare.startswith(_FORMULA_STARTS) else text


def restored(cell: str) -> str:
    """Take off the `'` that `neutral` put before a text."""
    if cell.startswith("'") and cell.lstrip("'").startswith(_FORMULA_STARTS):
        return cell[1:]
    return cell


def table_text(headings: Sequence[str], columns: Sequence[Sequence[str]]) -> str:
    r"""Return a CSV file of columns: comma, RFC 4180 quoting, `\n`, formulas neutralised."""
    body = [_cells(column) for column in columns]
    rows = itertools.chain([_cells(headings)], zip(*body, strict=True))
    return "".join(",".join(row) + "\n" for row in rows)


def _cells(texts: Sequence[str]) -> list[str]:
    """Cell of each text, made once for equal texts."""
    cells = {text: _cell(text) for text in set(texts)}
    return [cells[text] for text in texts]


def _cell(text: str) -> str:
    # The csv module of Python 3.11 leaves a lone CR unquoted, and so breaks the line there.
    cell = neutral(text)
    if any(sign in cell for sign in ',"\r\n'):
        return '"' + cell.replace('"', '""') + '"'
    return cell


def read_table(
    path: Path,
    name: str,
    columns: Sequence[Column],
    faults: list[Fault],
    *,
    within: Path | None = None,
) -> Table:
    """Read one CSV file: any column order, BOM, CRLF or CR, comma, `;` or tab, blank lines.

    Parameters
    ----------
    path, name
        The file, and what faults call it.
    columns
        The columns that the kit knows; those it does not know are kept aside.
    faults
        Receives every fault.
    within
        The folder that no link may lead out of, where that matters.

    Returns
    -------
    What could be read; without rows where that is nothing.
    """
    with Reading(name, faults), open_input(path, within=within) as file:
        if file.peek(2).startswith(_UTF_16):
            what, cure = "the file is UTF-16 text", "save it as CSV with UTF-8"
            faults.append(Fault(file=name, line=1, what=what, cure=cure))
            return empty_table(name, columns, is_whole=False)
        # Every fault of a line shall name that line, so undecodable bytes go on as surrogates.
        with io.TextIOWrapper(
            file, encoding="utf-8-sig", errors="surrogateescape", newline=""
        ) as text:
            return _read(_Lines(text, name, faults), name, columns, faults)
    return empty_table(name, columns, is_whole=False)


def _read(lines: "_Lines", name: str, columns: Sequence[Column], faults: list[Fault]) -> Table:
    nothing = empty_table(name, columns, is_whole=False)
    first = next((line for line in lines if line.strip()), "")
    delimiter = max(
        _DELIMITERS, key=lambda sign: (_n_known(first, sign, columns), first.count(sign))
    )
    reader = csv.reader(itertools.chain([first], lines), delimiter=delimiter, strict=True)
    rows = _rows(reader, lines)
    heading_line, header = next(rows, (1, []))
    header = [restored(title.strip()) for title in header]
    if not header:
        if lines.is_whole:
            cure = f"begin it with {','.join(column.name for column in columns)}"
            faults.append(Fault(file=name, line=1, what="the file is empty", cure=cure))
        return nothing
    places = _places(header, name, heading_line, columns, faults)
    if places is None:
        return nothing
    known, extra = places
    body = _Body(name, len(header), faults)
    for line, cells in rows:
        if len(body.lines) == MOST_ROWS:
            lines.stop(f"the file has more than {MOST_ROWS:,} rows", _TOO_LARGE, line=line)
            break
        body.add(line, cells)
    texts = body.columns()
    blank = ("",) * len(body.lines)
    for place, title in enumerate(header):
        if not title and any(texts[place]):
            row = next(row for row, text in enumerate(texts[place]) if text)
            what = f"cell {quoted(texts[place][row])} stands in a column without a heading"
            fault = Fault(file=name, line=body.lines[row], what=what, cure="give it a heading")
            faults.append(fault)
    return Table(
        file=name,
        lines=body.lines,
        columns={c.name: texts[known[c.name]] if c.name in known else blank for c in columns},
        extra_columns={title: tuple(texts[place]) for title, place in extra.items()},
        heading_line=heading_line,
        is_whole=lines.is_whole,
    )


def _n_known(heading: str, delimiter: str, columns: Sequence[Column]) -> int:
    titles = heading.replace('"', "").split(delimiter, MAX_COLUMNS)
    return sum(find_column(restored(title.strip()), columns) is not None for title in titles)


def _rows(reader: Iterator[list[str]], lines: "_Lines") -> Iterator[tuple[int, list[str]]]:
    """Rows that are not blank, each with its first line; stops at one that is no CSV."""
    line = lines.number  # the heading is waiting in the reader
    while True:
        try:
            cells = next(reader, None)
        except csv.Error as error:
            what, cure = f"the row is no CSV ({error})", "check its quotation marks"
            lines.stop(what, cure, line=line)
            return
        if cells is None or not lines.is_whole:
            return
        if "".join(cells).strip():
            yield line, cells
        line = lines.number + 1


def _places(
    header: Sequence[str], name: str, line: int, columns: Sequence[Column], faults: list[Fault]
) -> tuple[dict[str, int], dict[str, int]] | None:
    """Places of the known and the extra columns; faults and None where the heading is no use."""
    known: dict[str, int] = {}
    extra: dict[str, int] = {}
    n_before = len(faults)

    def fault(what: str, cure: str) -> None:
        faults.append(Fault(file=name, line=line, what=what, cure=cure))

    if len(header) > MAX_COLUMNS:
        fault(f"the heading has {len(header):,} columns", f"leave at most {MAX_COLUMNS}")
        return None
    folds = set()
    for place, title in enumerate(header):
        column = find_column(title, columns) if title else None
        if title and (column.name if column else title.casefold()) in folds:
            fault(f"column {quoted(title)} occurs twice", "remove or rename one of the two")
        elif column:
            known[column.name] = place
            folds.add(column.name)
        elif title:
            extra[title] = place
            folds.add(title.casefold())
    missing = [column.name for column in columns if column.name not in known]
    misspelt = []
    for title in extra:
        near = nearest(title, missing, cutoff=0.75)
        if near:
            misspelt.append(near)
            cure = f"write it as {near!r}, or rename it if it is a column of your own"
            fault(f"unknown column {quoted(title)}", cure)
    for column in columns:
        if column.is_required and column.name in missing and column.name not in misspelt:
            names = ", ".join(column.name for column in columns)
            fault(f"column {column.name!r} is missing", f"add it; the known columns are {names}")
    return (known, extra) if len(faults) == n_before else None


class _Body:
    """The rows below a heading, gathered by column; equal texts of some rows share memory."""

    def __init__(self, name: str, n_columns: int, faults: list[Fault]) -> None:
        self._name = name
        self._faults = faults
        self._waiting: list[list[str]] = []
        self._columns: list[list[str]] = [[] for _ in range(n_columns)]
        self.lines: list[int] = []

    def add(self, line: int, cells: list[str]) -> None:
        """Add one row; a row with more cells than headings is a fault."""
        n_columns = len(self._columns)
        if len(cells) != n_columns:
            if any(cell.strip() for cell in cells[n_columns:]):
                what = f"{len(cells)} cells stand under {n_columns} headings"
                cure = "quote a cell that holds the delimiter, or remove the surplus"
                self._faults.append(Fault(file=self._name, line=line, what=what, cure=cure))
                return
            cells = (cells + [""] * n_columns)[:n_columns]
        self.lines.append(line)
        self._waiting.append(cells)
        if len(self._waiting) == _ROWS_AT_ONCE:
            self.columns()

    def columns(self) -> list[list[str]]:
        """Return all columns so far, cells stripped and formulas restored."""
        for column, texts in zip(self._columns, zip(*self._waiting, strict=True), strict=False):
            clean = {text: restored(text.strip()) for text in set(texts)}
            column.extend(map(clean.__getitem__, texts))
        self._waiting = []
        return self._columns


class _Lines:
    """Lines of a text file, decoded and checked; `number` is the last one given out."""

    def __init__(self, text: TextIO, name: str, faults: list[Fault]) -> None:
        self._text = text
        self._name = name
        self._faults = faults
        self._is_utf_8 = True
        self._n_read = 0
        self.number = 0
        self.is_whole = True

    def stop(self, what: str, cure: str, *, line: int) -> None:
        """Record a fault after which nothing more of the file can be read."""
        self.is_whole = False
        self._faults.append(Fault(file=self._name, line=line, what=what, cure=cure))

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = self._text.readline(MAX_LINE + 1) if self.is_whole else ""
        if not line:
            raise StopIteration
        self.number += 1
        self._n_read += len(line)
        if len(line) > MAX_LINE:
            what = f"the line is longer than {MAX_LINE:,} characters"
            self.stop(what, "break it, or export the table again", line=self.number)
            raise StopIteration
        if self._n_read > LARGEST_TABLE:
            what = f"the file is longer than {LARGEST_TABLE:,} characters"
            self.stop(what, _TOO_LARGE, line=self.number)
            raise StopIteration
        if "\0" in line:
            self.stop("the line holds a NUL byte", "save the file as UTF-8 text", line=self.number)
            raise StopIteration
        return line if line.isascii() else self._decoded(line)

    def _decoded(self, line: str) -> str:
        try:
            line.encode()
        except UnicodeEncodeError as error:
            byte = ord(line[error.start]) & 0xFF
            what = f"character {error.start + 1} is no UTF-8 (byte 0x{byte:02x})"
            if self._is_utf_8:  # one such line says it for the whole file
                cure = "save the file as UTF-8"
                self._faults.append(Fault(file=self._name, line=self.number, what=what, cure=cure))
            self._is_utf_8 = False
            return line.encode(errors="surrogateescape").decode("cp1252", errors="replace")
        return line
