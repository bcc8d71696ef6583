"""Writing made-up deliveries: Parquet files that the landing zone can receive.

Here belong the shape of the nine input tables as files, exact decimals, and files that are either
whole or not there. What stands in the tables is the business of the modules that make them up.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from orchestration.stages import INPUT_TABLES

DELIVERY_NOTE = "_delivery.json"
TRUTH_FOLDER = "_truth"
TRUTH_TABLE = "seller_market_quarters"
ROW_GROUP_ROWS = 1 << 20

_TEXT, _DAY, _TIME = pa.string(), pa.date32(), pa.timestamp("us")
_MONEY, _SPACE, _BID = pa.decimal128(18, 2), pa.decimal128(18, 3), pa.decimal128(24, 6)
_SELLER = (("marketplace_id", _TEXT), ("seller_id", _TEXT))
_MARKET = (("marketplace_id", _TEXT), ("storage_type", _TEXT), ("quarter", _DAY))
_RECEIVED = (("received_at", _TIME),)

SCHEMAS: dict[str, pa.Schema] = {
    name: pa.schema([pa.field(column, kind) for column, kind in (*columns, *_RECEIVED)])
    for name, columns in {
        "marketplaces": (("marketplace_id", _TEXT), ("currency", _TEXT)),
        "sellers": (*_SELLER, ("account_type", _TEXT), ("joined_on", _DAY)),
        "products": (
            *_SELLER,
            ("sku", _TEXT),
            ("storage_type", _TEXT),
            ("unit_volume_ft3", pa.decimal128(12, 6)),
        ),
        "order_lines": (
            ("order_line_id", _TEXT),
            *_SELLER,
            ("sku", _TEXT),
            ("ordered_at", _TIME),
            ("units", pa.int64()),
            ("revenue", _MONEY),
        ),
        "refunds": (
            ("refund_id", _TEXT),
            ("order_line_id", _TEXT),
            ("refunded_at", _TIME),
            ("amount", _MONEY),
        ),
        "inventory_snapshots": (
            ("snapshot_date", _DAY),
            *_SELLER,
            ("sku", _TEXT),
            ("on_hand_units", pa.int64()),
            ("inbound_units", pa.int64()),
            ("stranded_units", pa.int64()),
        ),
        "network_capacity": (*_MARKET, ("network_ft3", _SPACE), ("request_ft3", _SPACE)),
        "round_supply": (*_MARKET, ("round", pa.int32()), ("released_ft3", _SPACE)),
        "capacity_requests": (
            ("request_id", _TEXT),
            ("revision", pa.int32()),
            *_SELLER,
            ("storage_type", _TEXT),
            ("quarter", _DAY),
            ("max_fee_per_ft3", _BID),
            ("requested_ft3", _BID),
            ("minimum_ft3", _BID),
            ("submitted_at", _TIME),
            ("withdrawn", pa.bool_()),
        ),
    }.items()
}
"""The input tables as files (docs/architecture.md, landing), each with its received_at."""


@dataclass(frozen=True)
class Summary:
    """What a simulation wrote: rows per input table, in the order of ``INPUT_TABLES``."""

    rows: dict[str, int]


class TableWriter:
    """One Parquet file, written batch by batch; it appears under its name only when whole.

    Batches are regrouped into row groups of a fixed size, so that the bytes depend on the rows and
    their order only, never on how they were cut into batches.

    Use as a context manager; on an error the unfinished file is removed.
    """

    def __init__(self, path: Path, schema: pa.Schema) -> None:
        self.rows = 0
        self._path = path
        self._unfinished = path.with_name(f"_{path.name}.part")
        self._schema = schema
        self._waiting: list[pa.Table] = []
        self._waiting_rows = 0
        path.parent.mkdir(parents=True, exist_ok=True)
        self._writer = pq.ParquetWriter(self._unfinished, schema, compression="zstd")

    def append(self, columns: Mapping[str, Any]) -> None:
        """Add rows, given column by column.

        Decimal columns are given as integers in units of their last digit: 1234 in a
        DECIMAL(18,2) column is 12.34. Other columns are given as anything pyarrow converts.

        Raises:
            ValueError: the columns are not the table's, or differ in length.
        """
        table = _table(columns, self._schema, self._path.name)
        self.rows += table.num_rows
        self._waiting.append(table)
        self._waiting_rows += table.num_rows
        if self._waiting_rows >= ROW_GROUP_ROWS:
            self._flush(whole_groups_only=True)

    def _flush(self, *, whole_groups_only: bool) -> None:
        waiting = pa.concat_tables(self._waiting) if self._waiting else self._schema.empty_table()
        start = 0
        while waiting.num_rows - start >= ROW_GROUP_ROWS:
            self._writer.write_table(waiting.slice(start, ROW_GROUP_ROWS))
            start += ROW_GROUP_ROWS
        rest = waiting.slice(start)
        if not whole_groups_only and rest.num_rows:
            self._writer.write_table(rest)
            rest = rest.slice(rest.num_rows)
        self._waiting = [rest] if rest.num_rows else []
        self._waiting_rows = rest.num_rows

    def __enter__(self) -> TableWriter:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        try:
            if kind is None:
                self._flush(whole_groups_only=False)
        finally:
            self._writer.close()
            if kind is not None:
                self._unfinished.unlink(missing_ok=True)
        if kind is None:
            self._unfinished.replace(self._path)


def input_writer(directory: Path, table: str) -> TableWriter:
    """A writer of one input table in a delivery's folder.

    Raises:
        KeyError: there is no such input table.
    """
    return TableWriter(directory / f"{table}.parquet", SCHEMAS[table])


def write_input(directory: Path, table: str, columns: Mapping[str, Any]) -> int:
    """Write one input table whole; returns its number of rows. Columns as ``TableWriter.append``.

    Raises:
        ValueError: the columns are not the table's, or differ in length.
    """
    with input_writer(directory, table) as writer:
        writer.append(columns)
    return writer.rows


def write_delivery_note(
    directory: Path, simulated: Mapping[str, str], **more: Mapping[str, Any]
) -> None:
    """Say which tables are simulated, and how, each in a sentence; ``more`` is kept beside it."""
    note = {"simulated": dict(simulated), **more}
    text = json.dumps(note, indent=2, sort_keys=True, ensure_ascii=False) + "\n"
    directory.mkdir(parents=True, exist_ok=True)
    (directory / DELIVERY_NOTE).write_text(text, encoding="utf-8")


def summary_of(rows: Mapping[str, int]) -> Summary:
    """A summary with its tables in the order of ``INPUT_TABLES``; others are left out."""
    return Summary({table: rows[table] for table in INPUT_TABLES if table in rows})


def decimals(units: npt.ArrayLike, kind: pa.Decimal128Type) -> pa.Array:
    """Exact decimals from integers in units of the last digit.

    Raises:
        ValueError: a number has more digits than the type holds.

    >>> [str(number) for number in decimals([1234, -5], pa.decimal128(18, 2)).to_pylist()]
    ['12.34', '-0.05']
    """
    low = np.asarray(units, dtype=np.int64)
    limit = 10**kind.precision
    if low.size and limit <= 2**63 and max(int(low.max()), -int(low.min())) >= limit:
        raise ValueError(f"an amount has more than {kind.precision} digits")
    # A 128-bit little-endian integer is the 64-bit one followed by copies of its sign.
    words = np.empty((low.size, 2), dtype="<i8")
    words[:, 0], words[:, 1] = low, low >> 63
    return pa.Array.from_buffers(kind, low.size, [None, pa.py_buffer(words.tobytes())])


def texts(names: Sequence[str] | pa.Array, positions: npt.NDArray[np.integer]) -> pa.Array:
    """The names at the given positions, as a text column.

    >>> texts(["US", "JP"], np.array([1, 1, 0])).to_pylist()
    ['JP', 'JP', 'US']
    """
    return pa.array(names, pa.string()).take(pa.array(positions))


def input_table(table: str, columns: Mapping[str, Any]) -> pa.Table:
    """Rows of an input table that are not written yet. Columns as ``TableWriter.append``.

    Raises:
        ValueError: the columns are not the table's, or differ in length.
    """
    return _table(columns, SCHEMAS[table], table)


def _table(columns: Mapping[str, Any], schema: pa.Schema, name: str) -> pa.Table:
    if set(columns) != set(schema.names):
        differing = ", ".join(sorted(set(columns) ^ set(schema.names)))
        raise ValueError(f"{name}: columns missing or unknown: {differing}")
    arrays = [_array(columns[field.name], field.type) for field in schema]
    if len({len(array) for array in arrays}) != 1:
        raise ValueError(f"{name}: give every column the same number of rows")
    return pa.Table.from_arrays(arrays, schema=schema)


def _array(values: Any, kind: pa.DataType) -> pa.Array:
    if isinstance(values, pa.ChunkedArray):
        values = values.combine_chunks()
    if isinstance(values, pa.Array):
        return values if values.type == kind else values.cast(kind)
    if pa.types.is_decimal(kind):
        return decimals(values, kind)
    if isinstance(values, np.ndarray) and values.dtype.kind == "M":
        values = values.astype("datetime64[D]" if kind == _DAY else "datetime64[us]")
    return pa.array(values, kind)
