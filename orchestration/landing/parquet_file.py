"""Parquet as delivered: its columns and their types.

Here belongs what makes a file no Parquet at all. Which types a contract's column takes is for
``column_types``.
"""

from __future__ import annotations

from pathlib import Path

import duckdb

from orchestration.errors import BadInput
from orchestration.files import sql_literal


def columns(
    connection: duckdb.DuckDBPyConnection, path: Path, name: str
) -> tuple[tuple[str, str], ...]:
    """Names and engine types of the columns, in order; a name that stands twice comes twice.

    Raises:
        BadInput: the bytes are no whole Parquet file.
    """
    if path.stat().st_size == 0:
        raise BadInput(f"{name} is empty; deliver it with its rows")
    literal = sql_literal(path)
    try:
        described = connection.execute(f"describe select * from read_parquet({literal})").fetchall()
        tree = connection.execute(
            f"select name, coalesce(num_children, 0) from parquet_schema({literal})"
        ).fetchall()
    except duckdb.OutOfMemoryException:
        raise
    except duckdb.Error as fault:
        raise BadInput(structure_fault(name)) from fault
    types = [(str(row[0]), str(row[1])) for row in described]
    # The engine renames a name's second appearance; the file's own names tell of it. In a file
    # with nested columns the tree holds more than the columns, and those are refused by type.
    own_names = [str(row[0]) for row in tree[1:]]
    if len(own_names) != len(types):
        return tuple(types)
    return tuple((own, kind) for own, (_, kind) in zip(own_names, types, strict=True))


def relation(path: Path) -> str:
    """A SELECT of the file's rows: ``source_row`` (from 1) and the columns."""
    return (
        "select file_row_number + 1 as source_row, * exclude (file_row_number) "
        f"from read_parquet({sql_literal(path)}, file_row_number = true)"
    )


def structure_fault(name: str) -> str:
    """The sentence for a file that is not whole."""
    return f"{name} is not a whole Parquet file; it may be cut off: deliver it again"
