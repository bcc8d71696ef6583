"""Quarantined rows on disk: one Parquet file for each landed file that has some.

Here belong the columns of those files and their bytes, which depend on the delivered bytes, the
contract, the receive time and the engine's version only. What became of a row since is
``quarantine``.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import duckdb
import pyarrow as pa

from orchestration.files import sql_literal
from orchestration.landing.bad_rows import BadRow

# ``number`` counts the table's quarantined rows in the delivery, and names the row for good.
COLUMNS = (
    ("number", pa.int64()),
    ("source_file", pa.string()),
    ("source_row", pa.int64()),
    ("source_line", pa.int64()),
    ("rules", pa.list_(pa.string())),
    ("fault", pa.string()),
    ("sentence", pa.string()),
    ("received_at", pa.timestamp("us")),
    ("cells", pa.map_(pa.string(), pa.string())),
)


def write_quarantine(
    connection: duckdb.DuckDBPyConnection,
    target: Path,
    rows: Sequence[BadRow],
    *,
    source_sha256: str,
    first_number: int,
) -> int:
    """Write a file's bad rows as Parquet, in the file's order; gives how many were written."""
    values = [
        {
            "number": number,
            "source_file": source_sha256,
            "source_row": row.source_row,
            "source_line": row.source_line,
            "rules": row.fault.rules,
            "fault": row.fault.words,
            "sentence": row.sentence,
            "received_at": row.received_at,
            "cells": row.cells,
        }
        for number, row in enumerate(rows, start=first_number)
    ]
    # A cursor of its own: a table cannot be registered beside a result that is still being read.
    with connection.cursor() as cursor:
        cursor.register("kept_apart", pa.Table.from_pylist(values, schema=pa.schema(COLUMNS)))
        written = cursor.execute(
            f"copy (select * from kept_apart order by number) to {sql_literal(target)} "
            "(format parquet, compression zstd)"
        ).fetchone()
    return int(written[0]) if written else 0
