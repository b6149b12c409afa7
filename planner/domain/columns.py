"""What all column tables share: equal lengths, and columns that nobody can write to."""

from collections.abc import Sequence
from dataclasses import fields
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from _typeshed import DataclassInstance


def check_columns(table: "DataclassInstance", length: int) -> None:
    """Check that every column of a table has the given length.

    Raises
    ------
    ValueError
        If a column is longer or shorter.
    """
    for field in fields(table):
        column = getattr(table, field.name)
        if isinstance(column, np.ndarray | Sequence) and len(column) != length:
            raise ValueError(
                f"{type(table).__name__}.{field.name}: {len(column)} rows; expected {length}"
            )


def freeze_columns(table: "DataclassInstance") -> None:
    """Make every array of a table read-only."""
    for field in fields(table):
        column = getattr(table, field.name)
        if isinstance(column, np.ndarray):
            column.setflags(write=False)
