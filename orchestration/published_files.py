"""Files of the published zone: where they stand, how they get there, what a killed run leaves.

Here belong paths and bytes, each file written under another name, flushed and then renamed. When
what is published is ``published``.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import duckdb

from fbacap_logic.calendar import Quarter
from orchestration.contracts import load_contract
from orchestration.files import file_digest, flush, sql_literal
from orchestration.row_hash import row_hash
from orchestration.stages import schema_of


def table_folder(zone: Path, table: str, quarter: Quarter, run: int) -> Path:
    """The folder of one table's rows of one run."""
    return zone / table / f"quarter={quarter.key}" / f"run={run:04d}"


def manifest_path(zone: Path, quarter: Quarter, run: int) -> Path:
    """Where a run's manifest stands once the run is published."""
    return zone / "_manifests" / f"quarter={quarter.key}" / f"run={run:04d}.json"


def temporary_manifest(zone: Path, quarter: Quarter, run: int) -> Path:
    """The manifest in the making."""
    path = manifest_path(zone, quarter, run)
    return path.with_name(f".{path.name}")


def staging_folder(zone: Path, quarter: Quarter) -> Path:
    """Where a quarter's tables are written before they get their final names."""
    return zone / f".staging-{quarter.key}"


def remove_leftovers(zone: Path, quarter: Quarter, number: int) -> None:
    """Remove what publications of a quarter that were cut short left.

    Args:
        zone: the published zone.
        quarter: the quarter; whoever calls publishes it alone.
        number: the next run's; a publication cut short can only have borne it.
    """
    tables = zone.glob(f"*/quarter={quarter.key}/run={number:04d}")
    for folder in (staging_folder(zone, quarter), *tables):
        if folder.is_dir():
            shutil.rmtree(folder)
    temporary_manifest(zone, quarter, number).unlink(missing_ok=True)


def write_table(connection: duckdb.DuckDBPyConnection, table: str, folder: Path) -> dict[str, Any]:
    """Write a table of a working file, in the order of its key; what the manifest says of it."""
    contract = load_contract(table)
    relation = f"{schema_of(table)}.{table}"
    columns = ", ".join(f'"{name}"' for name in contract.column_names)
    order = ", ".join(f'"{name}"' for name in contract.key)
    path = folder / f"{table}.parquet"
    connection.execute(
        f"copy (select {columns} from {relation} order by {order}) to {sql_literal(path)} "
        "(format parquet, compression zstd, row_group_size 122880)"
    )
    flush(path)
    (rows,) = connection.execute(f"select count(*) from {relation}").fetchone() or (0,)
    return {
        "rows": int(rows),
        "sha256": file_digest(path),
        "row_hash": row_hash(connection, relation, contract.column_names),
        "contract_version": contract.version,
        "key": list(contract.key),
        "columns": [
            {"name": column.name, "type": column.physical_type} for column in contract.columns
        ],
    }


def put_in_place(
    zone: Path, staging: Path, quarter: Quarter, number: int, tables: Iterable[str]
) -> None:
    """Give a run's files their final names, which only its manifest then makes count."""
    for table in tables:
        folder = table_folder(zone, table, quarter, number)
        folder.mkdir(parents=True)
        path = folder / f"{table}.parquet"
        (staging / f"{table}.parquet").replace(path)
        path.chmod(0o444)
        flush(folder)


def write_manifest(zone: Path, quarter: Quarter, number: int, manifest: Mapping[str, Any]) -> None:
    """Write a run's manifest, whole or not at all: with it the run is published."""
    path = manifest_path(zone, quarter, number)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = temporary_manifest(zone, quarter, number)
    text = json.dumps(manifest, indent=2, sort_keys=True, ensure_ascii=False) + "\n"
    temporary.write_text(text, encoding="utf-8")
    temporary.chmod(0o444)
    flush(temporary)
    temporary.replace(path)
    flush(path.parent)
