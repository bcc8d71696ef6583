"""Whether a stage run gives what was published before, however its deltas were counted.

Here belongs the comparison behind "identical content is not published twice". A settlement run's
deltas count from the latest settlement run, so the same facts settled again give other deltas:
zero. They and the run's own name say nothing about the facts, and are left out.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb

from orchestration.contracts import load_contract
from orchestration.files import sql_literal
from orchestration.row_hash import row_hash
from orchestration.stages import RESULTS_TABLE

if TYPE_CHECKING:
    from orchestration.published import PublishedRun

_RELATIVE_COLUMN = re.compile(r"(previous|delta)_.*|settlement_run")
# Results of checks count the rows of relative tables, and follow the contracts, not the facts.
RELATIVE_TABLES = frozenset({"ledger_entries", RESULTS_TABLE})


def same_content(
    connection: duckdb.DuckDBPyConnection,
    before: PublishedRun,
    folder: Path,
    entries: Mapping[str, Mapping[str, Any]],
) -> bool:
    """Whether a published run says of every table what the files of a folder say.

    Args:
        connection: any open connection.
        before: the run published before.
        folder: where the new files stand, ``<table>.parquet``.
        entries: what the new manifest says of each of them.
    """
    if set(before.tables) - RELATIVE_TABLES != set(entries) - RELATIVE_TABLES:
        return False
    return all(
        before.tables[table]["sha256"] == entries[table]["sha256"]
        or _same_facts(connection, table, before.file(table), folder / f"{table}.parquet")
        for table in entries
        if table not in RELATIVE_TABLES
    )


def absolute_columns(columns: tuple[str, ...]) -> tuple[str, ...]:
    """The columns that say something about the facts themselves.

    >>> absolute_columns(("request_id", "fee_minor", "previous_fee_minor", "delta_fee_minor"))
    ('request_id', 'fee_minor')
    """
    return tuple(name for name in columns if not _RELATIVE_COLUMN.fullmatch(name))


def _same_facts(connection: duckdb.DuckDBPyConnection, table: str, before: Path, now: Path) -> bool:
    columns = tuple(load_contract(table).column_names)
    absolute = absolute_columns(columns)
    if absolute == columns:
        return False
    one, other = (
        row_hash(
            connection, f"read_parquet({sql_literal(path)}, hive_partitioning = false)", absolute
        )
        for path in (before, now)
    )
    return one == other
