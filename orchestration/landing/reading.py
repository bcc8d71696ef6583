"""A delivered file as the engine reads it: its columns matched to the contract's.

Here belong the match by name and the SELECT that brings rows into the contract's types. Judging
the rows is ``checking``; the types' own expressions are ``column_types``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import duckdb

from orchestration.contract_rules import column_rules
from orchestration.contracts import Column, Contract
from orchestration.errors import BadInput
from orchestration.landing import csv_file, parquet_file
from orchestration.landing.column_types import quoted, typed_sql
from orchestration.landing.source_folder import FileKind
from orchestration.landing.words import printable, shown

RECEIVED_AT = Column(
    name="received_at",
    physical_type="TIMESTAMP",
    required=True,
    description="When the operator received the row (UTC).",
)
# As every other time: one that is centuries off would count for all cut-offs, or for none.
RECEIVED_AT_RULES = column_rules(
    RECEIVED_AT.name,
    "timestamp",
    {"minimum": "1900-01-01T00:00:00", "exclusiveMaximum": "2200-01-01T00:00:00"},
)

ROWS = "delivered_rows"
_LONGEST_TYPE = 60


@dataclass(frozen=True)
class ReadableFile:
    """A file whose columns the contract knows. ``name``: as people find it in their folder."""

    name: str
    kind: FileKind
    path: Path
    contract: Contract
    types: Mapping[str, str]

    @property
    def columns(self) -> tuple[Column, ...]:
        """The contract's columns, and ``received_at`` where the file has its own."""
        own = (RECEIVED_AT,) if RECEIVED_AT.name in self.types else ()
        return (*self.contract.columns, *own)

    @property
    def relation(self) -> str:
        """A SELECT of the file's rows as they stand, with ``source_row``."""
        if self.kind == "csv":
            return csv_file.relation(self.path, tuple(self.types))
        return parquet_file.relation(self.path)

    def lines(self, rows: Iterable[int]) -> dict[int, int]:
        """The lines on which data rows begin; none in Parquet, which has no lines."""
        return csv_file.lines_of(self.path, rows) if self.kind == "csv" else {}

    def place(self, row: int, lines: Mapping[int, int]) -> str:
        """Where people find a data row: its line in CSV, its row in Parquet."""
        return f"{self.name}, line {lines[row]}" if row in lines else f"{self.name}, row {row}"


def open_file(
    connection: duckdb.DuckDBPyConnection,
    path: Path,
    name: str,
    kind: FileKind,
    contract: Contract,
) -> ReadableFile:
    """Read a file's columns and match them to the contract's.

    Raises:
        BadInput: the file is empty or broken, or a column is missing, unknown, there twice or of a
            type that cannot be taken without loss.
    """
    if kind == "csv":
        found = tuple((column, "VARCHAR") for column in csv_file.header(path, name))
    else:
        found = parquet_file.columns(connection, path, name)
    _check_names(tuple(column for column, _ in found), name, contract)
    file = ReadableFile(name, kind, path, contract, dict(found))
    for column in file.columns:
        file_type = file.types.get(column.name)
        if file_type is not None and typed_sql(column, file_type) is None:
            raise BadInput(
                f"{name}: column {column.name} is {_type_shown(file_type)}, which cannot be taken "
                f"for {column.physical_type} without loss; write it as {column.physical_type}"
            )
    return file


def read_rows(connection: duckdb.DuckDBPyConnection, file: ReadableFile) -> None:
    """Make the table ``ROWS``: the contract's columns typed, with ``source_row``.

    ``unfit_<column>`` is true where a value stands that does not fit its column; the column is
    null there. Defaults fill missing columns and empty cells.

    Raises:
        BadInput: the file is no regular CSV or no whole Parquet.
    """
    found = ", ".join(
        f"{_raw(file, column)} as raw_{column.name}, {_typed(file, column)} as typed_{column.name}"
        for column in file.columns
    )
    kept = ", ".join(
        f"{_filled(column)} as {quoted(column.name)}, "
        f"(raw_{column.name} and typed_{column.name} is null) as unfit_{column.name}"
        for column in file.columns
    )
    try:
        connection.execute(
            f"create or replace temp table {ROWS} as select source_row, {kept} "
            f"from (select source_row, {found} from ({file.relation}))"
        )
    except duckdb.OutOfMemoryException:
        raise
    except duckdb.Error as fault:
        if file.kind == "csv":
            sentence = csv_file.structure_fault(file.path, file.name, len(file.types))
        else:
            sentence = parquet_file.structure_fault(file.name, fault)
        raise BadInput(sentence) from fault


def _type_shown(file_type: str) -> str:
    """An engine's type on one line; a nested one holds whatever names its file gave it."""
    return printable(
        file_type if len(file_type) <= _LONGEST_TYPE else f"{file_type[:_LONGEST_TYPE]}…"
    )


def _raw(file: ReadableFile, column: Column) -> str:
    """Whether something stands in the cell."""
    if column.name not in file.types:
        return "false"
    name = quoted(column.name)
    if file.types[column.name] == "VARCHAR" and column.physical_type != "VARCHAR":
        name = f"nullif({name}, '')"
    return f"{name} is not null"


def _typed(file: ReadableFile, column: Column) -> str:
    if column.name not in file.types:
        return f"cast(null as {column.physical_type})"
    return f"cast({typed_sql(column, file.types[column.name])} as {column.physical_type})"


def _filled(column: Column) -> str:
    typed, raw = f"typed_{column.name}", f"raw_{column.name}"
    if column.default is None:
        return typed
    default = "'" + column.default.replace("'", "''") + "'"
    return f"case when {raw} then {typed} else cast({default} as {column.physical_type}) end"


def _check_names(found: tuple[str, ...], name: str, contract: Contract) -> None:
    known = (*contract.column_names, RECEIVED_AT.name)
    listed = f"(columns of {contract.table}: {', '.join(known)})"
    for position, column in enumerate(found):
        if column in found[:position]:
            raise BadInput(f"{name}: column {column} stands twice; keep one of them")
        if column not in known:
            hint = "separate columns by commas" if ";" in column or "\t" in column else "remove it"
            raise BadInput(
                f"{name}: column {shown(column)} is not known; {hint} or rename it {listed}"
            )
    for wanted in contract.columns:
        if wanted.required and wanted.default is None and wanted.name not in found:
            raise BadInput(f"{name}: column {wanted.name} is missing; add it {listed}")
