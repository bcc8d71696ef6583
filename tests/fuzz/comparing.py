"""What a delivered file should become, and whether what became of it is the same.

Here belong the second reader's rows, those that landed, and comparing them. What each value must be
is ``model``; what else must hold after a case is ``oracle``.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from orchestration.landing import LandedFile

from . import model
from .case import File
from .tables import TABLES

_MOST_ROWS_READ = 20_000  # a bomb is not unfolded to look for what is in it
_BEYOND = 0.5  # no column takes a fraction in binary


class Broken(AssertionError):  # noqa: N818 - reads as what happened
    """Something that must hold after every case does not."""


def expected_of(file: File) -> model.Judged | None:
    """What the model makes of a file; None when it is no regular file of its table."""
    table = file.table
    if table is None:
        return None
    read = model.read_csv(file.data) if file.path.endswith(".csv") else read_parquet(file.data)
    return model.judge(read, table) if read is not None and model.fits(read, table) else None


def read_parquet(content: bytes) -> model.Read | None:
    """A Parquet file's rows, read by Arrow; None if it cannot, or there are very many."""
    try:
        # INT96 times are in microseconds for the engine as well.
        file = pq.ParquetFile(io.BytesIO(content), coerce_int96_timestamp_unit="us")
        if file.metadata.num_rows > _MOST_ROWS_READ or not _is_understood(file):
            return None
        table = file.read()
        columns = [_values(column) for column in table.columns]
    except (pa.ArrowException, OSError, ValueError, OverflowError, KeyError):
        return None
    # Nanoseconds with a zone are a type that is not taken.
    zoned = [str(kind).startswith("timestamp[ns, tz") for kind in table.schema.types]
    beyond = any(zoned) or any(_BEYOND in column for column in columns)
    rows = tuple(zip(*columns, strict=True))
    return model.Read(tuple(table.column_names), rows, is_plain=not beyond)


def _is_understood(file: pq.ParquetFile) -> bool:
    """Whether Arrow knows what every column is meant to hold; else it shows bytes for texts."""
    leaves = [file.schema.column(place) for place in range(len(file.schema))]
    return all(leaf.logical_type.type != "UNDEFINED" for leaf in leaves)


def _values(column: pa.ChunkedArray) -> list[Any]:
    """Values of a column; a time beyond Python's years, or finer than it knows, fits nothing."""
    if pa.types.is_duration(column.type):
        return column.cast(pa.int64()).to_pylist()
    if not pa.types.is_temporal(column.type):
        return column.to_pylist()
    found = []
    for each in column:
        try:
            value = each.as_py()
        except (ValueError, OverflowError):
            value = _BEYOND
        found.append(_BEYOND if getattr(value, "nanosecond", 0) else value)
    return found


def is_taken(expected: model.Judged, *, strict: bool) -> bool:
    allowed = 0 if strict else model.allowed_bad(expected.received)
    return expected.is_plain and expected.bad <= allowed


def first_of_each_key(
    name: str, good: Mapping[int, tuple[Any, ...]], taken: set[tuple[Any, ...]]
) -> dict[int, tuple[Any, ...]]:
    table = TABLES[name]
    places = [table.names.index(column) for column in table.key]
    kept = {}
    for number, values in good.items():
        key = tuple(values[place] for place in places)
        if not key or key not in taken:
            kept[number] = values
            taken.add(key)
    return kept


def typed_rows(file: LandedFile) -> dict[int, tuple[Any, ...]]:
    table = pq.read_table(file.typed_path)
    own = [*TABLES[file.table].names, "received_at"]
    columns = [table.column(name).to_pylist() for name in own]
    rows = zip(*columns, strict=True)
    return dict(zip(table.column("source_row").to_pylist(), rows, strict=True))


def rows_apart(file: LandedFile) -> int:
    return pq.read_table(file.quarantine_path).num_rows if file.quarantine_path else 0


def same_rows(
    found: Mapping[int, tuple[Any, ...]], expected: Mapping[int, tuple[Any, ...]]
) -> None:
    """Compare typed rows, over the columns that both have."""
    if list(found) != list(expected):
        raise Broken(f"rows {list(found)} were accepted, not {list(expected)}")
    for number, values in expected.items():
        if tuple(found[number][: len(values)]) != tuple(values):
            raise Broken(f"row {number} is {found[number]}, not {values}"[:600])
