"""Parquet as delivered: its columns and their types.

Here belongs what makes a file no Parquet at all. Which types a contract's column takes is for
``column_types``.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import duckdb

from orchestration.errors import BadInput
from orchestration.files import sql_literal
from orchestration.landing.column_types import quoted
from orchestration.landing.words import shown

# What a file may hold beside its own size, so that a small one cannot fill memory and disk. Ids of
# rows differ, so that no real table comes near: ten rows take one byte, text shrinks a hundredfold.
_ROWS, _ROWS_A_BYTE = 1_000_000, 10
_BYTES, _BYTES_A_BYTE = 256 << 20, 100
# A file says what its least and greatest values are. The engine leaves out what these make
# needless, so that values beyond them would pass unjudged.
DISBELIEVE = "set disabled_optimizers = 'statistics_propagation'"
_DECIMAL = re.compile(r"DecimalType\(scale=(?P<scale>\d+), precision=(?P<precision>\d+)\)")


def columns(
    connection: duckdb.DuckDBPyConnection, path: Path, name: str
) -> tuple[tuple[str, str], ...]:
    """Names and engine types of the columns, in order; a name that stands twice comes twice.

    Raises:
        BadInput: the bytes are no whole Parquet file, or one that unfolds beyond all measure.
    """
    if path.stat().st_size == 0:
        raise BadInput(f"{name} is empty; deliver it with its rows")
    literal = sql_literal(path)
    try:
        described = connection.execute(f"describe select * from read_parquet({literal})").fetchall()
        tree = connection.execute(
            f"select name, precision, scale, logical_type from parquet_schema({literal})"
        ).fetchall()
        _refuse_bomb(connection, path, name, [row[0] for row in described if row[1] == "VARCHAR"])
    except duckdb.OutOfMemoryException:
        raise
    except duckdb.Error as fault:
        raise BadInput(structure_fault(name, fault)) from fault
    _refuse_two_scales(name, tree)
    types = [(str(row[0]), str(row[1])) for row in described]
    # The engine renames a name's second appearance; the file's own names tell of it. In a file
    # with nested columns the tree holds more than the columns, and those are refused by type.
    own_names = [str(row[0]) for row in tree[1:]]
    if len(own_names) != len(types):
        return tuple(types)
    return tuple((own, kind) for own, (_, kind) in zip(own_names, types, strict=True))


def _refuse_two_scales(name: str, tree: list[tuple[Any, ...]]) -> None:
    """Refuse decimals whose two annotations differ: readers would take them for other amounts."""
    for column, precision, scale, logical in tree:
        said = _DECIMAL.fullmatch(str(logical))
        if said and (precision, scale) != (int(said["precision"]), int(said["scale"])):
            raise BadInput(
                f"{name}: column {shown(column)} is DECIMAL({said['precision']},{said['scale']}) "
                f"and DECIMAL({precision},{scale}) in one footer; write the file again"
            )


def _refuse_bomb(
    connection: duckdb.DuckDBPyConnection, path: Path, name: str, texts: list[str]
) -> None:
    """Refuse a file that holds far more than its size lets expect, before it is unfolded.

    Its own figures come first; they say nothing of a text that a dictionary holds once and the rows
    name often, so that texts are measured where the engine holds them once as well.
    """
    literal, size = sql_literal(path), path.stat().st_size
    found = connection.execute(
        f"select (select sum(num_rows) from parquet_file_metadata({literal})), "
        f"(select sum(total_uncompressed_size) from parquet_metadata({literal}))"
    ).fetchone()
    rows, unfolded = (int(value or 0) for value in found or (0, 0))
    if rows > _ROWS + _ROWS_A_BYTE * size:
        raise _too_much(name, size, f"{rows:,} rows")
    most = _BYTES + _BYTES_A_BYTE * size
    if unfolded <= most and texts:
        lengths = ", ".join(f"sum(strlen({quoted(column)}))" for column in texts)
        measured = connection.execute(f"select {lengths} from read_parquet({literal})").fetchone()
        unfolded = sum(int(value or 0) for value in measured or ())
    if unfolded > most:
        raise _too_much(name, size, f"{unfolded:,} bytes of data")


def _too_much(name: str, size: int, what: str) -> BadInput:
    return BadInput(
        f"{name} holds {what} in {size:,} bytes, more than a file of that size can hold of a real "
        "table; look where it comes from, and deliver it as CSV if it is right"
    )


def relation(path: Path) -> str:
    """A SELECT of the file's rows: ``source_row`` (from 1) and the columns."""
    return (
        "select file_row_number + 1 as source_row, * exclude (file_row_number) "
        f"from read_parquet({sql_literal(path)}, file_row_number = true)"
    )


def structure_fault(name: str, fault: duckdb.Error) -> str:
    """The sentence for a file that the engine could not read, from what it says of it."""
    if isinstance(fault, duckdb.ConversionException):
        return (
            f"{name} holds a value beyond the range of its own type, such as a time in "
            "milliseconds of which microseconds have no room; correct it and deliver the file again"
        )
    return f"{name} is not a whole Parquet file; it may be cut off: deliver it again"
