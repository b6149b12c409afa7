"""Numbers of the core into cells of a table: picked from texts, no row at a time."""

from collections.abc import Iterable
from typing import TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from planner.domain.calendar import iso
from planner.domain.version import MADE_BY
from planner.inventory.csv_tables import neutral

Texts = NDArray[np.object_]
TextColumn: TypeAlias = "pd.Series[str]"
NumberColumn: TypeAlias = "pd.Series[int]"
AnyNumbers = NDArray[np.integer]


def texts(values: Iterable[str]) -> Texts:
    """Texts to pick from by number, neutralised, with an empty one last: -1 picks that."""
    cells = [neutral(value) for value in values]
    cells.append("")
    array = np.empty(len(cells), dtype=object)
    array[:] = cells
    return array


def picked(choices: Texts, numbers: AnyNumbers) -> TextColumn:
    """Column of the text that each number stands for; -1 stands for the last one."""
    return text_column(choices[numbers])


def text_column(cells: Texts) -> TextColumn:
    """Column of texts, also where there are none."""
    return pd.Series(pd.array(cells, dtype="str"), copy=False)


def column_of(values: Iterable[str]) -> TextColumn:
    """Column of one text for each row, neutralised."""
    return text_column(texts(values)[:-1])


def dates(days: AnyNumbers) -> TextColumn:
    """Column of ISO dates; `NEVER` and `ALWAYS` are empty."""
    numbers, distinct = pd.factorize(days)
    return picked(texts(iso(int(day)) for day in distinct), numbers)


def whole_numbers(values: AnyNumbers, *, empty: NDArray[np.bool_] | None = None) -> NumberColumn:
    """Column of whole numbers, some of them empty."""
    mask = np.zeros(len(values), dtype=np.bool_) if empty is None else empty
    return pd.Series(pd.arrays.IntegerArray(values.astype(np.int64), mask), copy=False)


def ranks(names: Iterable[str]) -> NDArray[np.intp]:
    """Place of each name in the order of code points; equal names share a place."""
    array = np.array([*names], dtype=object)
    _, rank = np.unique(array, return_inverse=True)
    return rank


def csv_bytes(table: pd.DataFrame) -> bytes:
    """Return a table as the content of its CSV file."""
    return table.to_csv(index=False, lineterminator="\n").encode()


def text_bytes(lines: Iterable[str]) -> bytes:
    """Return lines as the content of a text file; the last one says which version made it."""
    return "".join(f"{line}\n" for line in (*lines, f"Made by {MADE_BY}.")).encode()
