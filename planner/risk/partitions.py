"""Blocks as Parquet: what a cluster's workers are sent. One row, one column for each array."""

import io
import json
from collections.abc import Callable, Iterator
from typing import Final, TypeVar, get_type_hints

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from planner.risk.model import Block

_FORMAT: Final = b"planner"

T = TypeVar("T")
Cell = NDArray[np.generic] | int | bool


def to_parquet(block: Block) -> bytes:
    """Return a block as a Parquet file; its names are paths, as `retimable.program.start`."""
    columns, shapes = {}, {}
    for name, value in _cells(block, ""):
        array = np.atleast_1d(np.asarray(value))
        shapes[name] = list(array.shape) if isinstance(value, np.ndarray) else []
        flat = pa.array(array.ravel())
        columns[name] = pa.ListArray.from_arrays(pa.array([0, len(flat)], pa.int32()), flat)
    table = pa.table(columns).replace_schema_metadata({_FORMAT: json.dumps(shapes)})
    file = io.BytesIO()
    pq.write_table(table, file, compression="zstd")
    return file.getvalue()


def from_parquet(content: bytes) -> Block:
    """Read a block that `to_parquet` wrote."""
    table = pq.read_table(pa.BufferReader(content))
    shapes = json.loads(table.schema.metadata[_FORMAT])
    cells: dict[str, Cell] = {}
    for name in table.column_names:
        flat = table[name].combine_chunks().values.to_numpy(zero_copy_only=False).copy()
        cells[name] = flat.reshape(shapes[name]) if shapes[name] else flat[0].item()
    return _built(Block, "", cells)


def _cells(value: tuple[object, ...], path: str) -> Iterator[tuple[str, Cell]]:
    for name, kind in get_type_hints(type(value)).items():
        cell = getattr(value, name)
        if _is_table(kind):
            yield from _cells(cell, f"{path}{name}.")
        else:
            yield f"{path}{name}", cell


def _built(kind: Callable[..., T], path: str, cells: dict[str, Cell]) -> T:
    return kind(
        **{
            name: _built(inner, f"{path}{name}.", cells)
            if _is_table(inner)
            else cells[f"{path}{name}"]
            for name, inner in get_type_hints(kind).items()
        }
    )


def _is_table(kind: object) -> bool:
    """Whether a type is a table of columns: a NamedTuple."""
    return isinstance(kind, type) and issubclass(kind, tuple)
