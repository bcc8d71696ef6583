"""Typed copies: what runs read instead of the delivered files.

Here belong when each row counts as received, and the copy's bytes, which depend on the delivered
bytes, the receive times and the engine's version only.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import duckdb

from orchestration.contracts import Contract
from orchestration.files import sql_literal
from orchestration.landing.column_types import quoted
from orchestration.landing.reading import RECEIVED_AT, ROWS, ReadableFile

# At a quarter's announcement the capacity of that quarter and of the two after must be known, so
# a quarter's capacity counts as received three quarters before it (docs/decisions/0002).
_BEFORE_ANNOUNCEMENTS = "cast(quarter - interval 9 month as timestamp)"
_ALWAYS_KNOWN = "timestamp '1970-01-01 00:00:00'"

_WHEN_IT_HAPPENED = {
    "order_lines": "ordered_at",
    "refunds": "refunded_at",
    "capacity_requests": "submitted_at",
    "inventory_snapshots": "snapshot_date + interval 1 day - interval 1 microsecond",
    "sellers": "cast(joined_on as timestamp)",
    "products": _ALWAYS_KNOWN,
    "marketplaces": _ALWAYS_KNOWN,
    "network_capacity": _BEFORE_ANNOUNCEMENTS,
    "round_supply": _BEFORE_ANNOUNCEMENTS,
}


@dataclass(frozen=True)
class TypedCounts:
    """What a typed copy holds. ``warned_rows``: for each broken rule of severity warning, rows."""

    rows: int
    received_at_min: datetime | None
    received_at_max: datetime | None
    warned_rows: tuple[tuple[str, int], ...]


def received_at_sql(file: ReadableFile, received_at: datetime, *, historical: bool) -> str:
    """When each row of ``ROWS`` was received, as a SQL expression (rules §1).

    The file's own column comes first; then, in historical deliveries, when the thing happened;
    else when the delivery came (``received_at``, naive UTC).
    """
    if RECEIVED_AT.name in file.types:
        return quoted(RECEIVED_AT.name)
    delivered = f"timestamp '{received_at.isoformat(sep=' ')}'"
    if historical:
        return _WHEN_IT_HAPPENED[file.contract.table]
    return delivered


def write_typed(
    connection: duckdb.DuckDBPyConnection,
    contract: Contract,
    target: Path,
    *,
    received_at: str,
    source_sha256: str,
) -> None:
    """Write ``ROWS`` as Parquet: the contract's columns, then where each row comes from."""
    names = ", ".join(quoted(name) for name in contract.column_names)
    # Without an order the bytes would depend on the number of threads.
    connection.execute(
        f"copy (select {names}, {received_at} as received_at, '{source_sha256}' as source_file, "
        f"source_row from {ROWS} order by source_row) "
        f"to {sql_literal(target)} (format parquet, compression zstd)"
    )


def without_rows(
    connection: duckdb.DuckDBPyConnection, typed: Path, rows_sql: str, target: Path
) -> None:
    """Write a typed copy anew without the rows whose ``source_row`` a SELECT gives."""
    connection.execute(
        f"copy (select * from read_parquet({sql_literal(typed)}) "
        f"where source_row not in ({rows_sql}) order by source_row) "
        f"to {sql_literal(target)} (format parquet, compression zstd)"
    )


def count_typed(
    connection: duckdb.DuckDBPyConnection, contract: Contract, typed: Path
) -> TypedCounts:
    """Count a typed copy as it was written: its rows, and those that break a mere warning."""
    warnings = [
        rule for rule in contract.rules if rule.kind == "row" and rule.severity == "warning"
    ]
    counts = "".join(f", count(*) filter (where ({rule.sql}) is not true)" for rule in warnings)
    found = connection.execute(
        f"select count(*), min(received_at), max(received_at){counts} "
        f"from read_parquet({sql_literal(typed)})"
    ).fetchone()
    if found is None:
        raise ValueError("an aggregate has one row")
    rows, earliest, latest, *warned = found
    broken = tuple((rule.name, n) for rule, n in zip(warnings, warned, strict=True) if n)
    return TypedCounts(rows, earliest, latest, broken)
