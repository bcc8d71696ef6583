"""Working files: one DuckDB file a run, built from landing and published inputs, then thrown away.

Here belongs everything that makes a working file or opens one. Its file name never changes,
because dbt's parsed manifest names the catalogue after it. Every connection is closed before the
next step opens its own: DuckDB lets one process write, and one configuration, at a time. What an
earlier run left is ``earlier_runs``' to find.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb

from fbacap_logic.calendar import Quarter
from orchestration.contracts import load_contract
from orchestration.earlier_runs import EarlierTable, earlier_tables
from orchestration.errors import BadUsage, NotPublished
from orchestration.files import sql_literal
from orchestration.landing import LandedFile, landed_files
from orchestration.paths import DataFolder
from orchestration.plan import quarters_before
from orchestration.run_tables import create_run_tables, naive_utc
from orchestration.stage_run import StageRun
from orchestration.stages import INPUT_TABLES
from orchestration.whole_files import require_whole

FILE_NAME = "quarter.duckdb"
THREADS_VARIABLE = "FBACAP_THREADS"
SCHEMAS = ("run", "landing", "history", "market", "staging", "facts", "marts")
LINEAGE_COLUMNS = (
    ("received_at", "TIMESTAMP"),
    ("source_file", "VARCHAR"),
    ("source_row", "BIGINT"),
)


def working_folder(run: StageRun, run_id: str) -> Path:
    """Where one run's working file stands."""
    return run.data.work / run.quarter.key / f"{run.stage.name}-{run_id}"


def clear_leftovers(data: DataFolder, quarter: Quarter) -> None:
    """Delete what killed runs of a quarter left; the quarter's lock must be held."""
    shutil.rmtree(data.work / quarter.key, ignore_errors=True)


@contextmanager
def connect(path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open a working file for writing, in UTC, and close it whatever happens."""
    connection = duckdb.connect(str(path))
    try:
        connection.execute("set TimeZone = 'UTC'")
        connection.execute("set enable_progress_bar = false")  # it is drawn on standard output
        connection.execute("set autoinstall_known_extensions = false")
        limit_threads(connection)
        yield connection
    finally:
        connection.close()


def limit_threads(connection: duckdb.DuckDBPyConnection) -> None:
    """Use as many threads as FBACAP_THREADS says; all of the machine's when it is not set.

    Raises:
        BadUsage: it is not a whole number from 1 on.
    """
    text = os.environ.get(THREADS_VARIABLE)
    if not text:
        return
    if not text.isdecimal() or int(text) < 1:
        raise BadUsage(f"{THREADS_VARIABLE} is '{text}'; set it to a number of threads, such as 2")
    connection.execute(f"set threads = {int(text)}")


@dataclass(frozen=True)
class WorkingInputs:
    """What a working file was built from, as the manifest records it, and its rows by table.

    ``files``: the files that its views read, with their SHA-256.
    """

    record: Mapping[str, Any]
    landed_rows: Mapping[str, int]
    files: Mapping[Path, str]


def create_working_file(
    run: StageRun, folder: Path, *, with_earlier_runs: bool = True
) -> WorkingInputs:
    """Build a run's working file: parameters, landing views, published inputs (typed when empty).

    Args:
        run: the stage run.
        folder: where the file is made; what stands there is deleted.
        with_earlier_runs: whether to read what earlier runs published; without, facts alone can be
            worked out, of any quarter.

    Raises:
        NotPublished: an earlier stage of this quarter, or the quarter before, should have been
            published and is not.
        Corrupted: a file that it reads is missing or has other bytes than were stored.
    """
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    read: dict[Path, str] = {}
    with connect(folder / FILE_NAME) as connection:
        for schema in SCHEMAS:
            connection.execute(f"create schema {schema}")
        create_run_tables(connection, run)
        files = _files_before(landed_files(run.data.landing), naive_utc(run.stage.cutoff_at))
        read |= {file.typed_path: file.typed_sha256 for file in files}
        require_whole(read)
        landed = [
            entry
            for table in INPUT_TABLES
            for entry in _create_landing_view(connection, run, table, files)
        ]
        if not _has_capacity(connection, run.quarter):
            raise NotPublished(
                f"nothing is known of {run.quarter.label}: no network capacity for it had been "
                f"received by {run.stage.cutoff_at.date().isoformat()}; "
                "`fbacap ingest` it first, or name the data folder with --data"
            )
        before = quarters_before(run.quarter).values()
        held = [quarter for quarter in before if _has_capacity(connection, quarter)]
        earlier = earlier_tables(run, held if with_earlier_runs else ())
        read |= {
            table.source.file(table.published_as): str(
                table.source.tables[table.published_as]["sha256"]
            )
            for table in earlier
            if table.source is not None
        }
        require_whole(read)
        for table in earlier:
            _create_earlier_view(connection, table)
    rows = dict.fromkeys(INPUT_TABLES, 0)
    for entry in landed:
        rows[entry["table"]] += entry["rows"]
    inputs = {
        table.source.manifest_path: table.source.input_record()
        for table in earlier
        if table.source is not None and table.is_input
    }
    published = [inputs[path] for path in sorted(inputs)]
    return WorkingInputs({"landing": landed, "published": published}, rows, read)


def _files_before(files: Sequence[LandedFile], cutoff: datetime) -> list[LandedFile]:
    return [
        file for file in files if file.received_at_min is not None and file.received_at_min < cutoff
    ]


def _create_landing_view(
    connection: duckdb.DuckDBPyConnection, run: StageRun, table: str, files: Sequence[LandedFile]
) -> list[dict[str, Any]]:
    """Make one input table's view, over an explicit list of files; what each brings to it."""
    cutoff = naive_utc(run.stage.cutoff_at)
    mine = sorted((file for file in files if file.table == table), key=lambda file: file.sha256)
    if not mine:
        columns = [(column.name, column.physical_type) for column in load_contract(table).columns]
        _create_empty(connection, f"landing.{table}", [*columns, *LINEAGE_COLUMNS])
        return []
    paths = ", ".join(sql_literal(file.typed_path) for file in mine)
    connection.execute(
        f"create view landing.{table} as "
        f"select * from read_parquet([{paths}], hive_partitioning = false) "
        f"where received_at < timestamp '{cutoff.isoformat(sep=' ')}'"
    )
    rows = {file.sha256: file.rows for file in mine}
    split = [file.sha256 for file in mine if not _is_wholly_before(file, cutoff)]
    if split:
        counted = connection.execute(
            f"select source_file, count(*) from landing.{table} "
            "where source_file in (select unnest(?)) group by source_file",
            [split],
        ).fetchall()
        rows.update({str(source): int(count) for source, count in counted})
    return [
        {
            "table": table,
            "sha256": file.sha256,
            "rows": rows[file.sha256],
            **({"simulated": file.simulated} if file.simulated else {}),
        }
        for file in mine
    ]


def _is_wholly_before(file: LandedFile, cutoff: datetime) -> bool:
    return file.received_at_max is not None and file.received_at_max < cutoff


def _has_capacity(connection: duckdb.DuckDBPyConnection, quarter: Quarter) -> bool:
    """Whether a quarter has a market: whether its capacity had been received."""
    row = connection.execute(
        "select count(*) > 0 from landing.network_capacity where quarter = ?", [quarter.first_day]
    ).fetchone()
    return bool(row and row[0])


def _create_earlier_view(connection: duckdb.DuckDBPyConnection, table: EarlierTable) -> None:
    if table.source is None:
        contract = load_contract(table.published_as)
        columns = [(column.name, column.physical_type) for column in contract.columns]
        _create_empty(connection, table.relation, columns)
        return
    path = sql_literal(table.source.file(table.published_as))
    connection.execute(
        f"create view {table.relation} as "
        f"select * from read_parquet({path}, hive_partitioning = false)"
    )


def _create_empty(
    connection: duckdb.DuckDBPyConnection, name: str, columns: Sequence[tuple[str, str]]
) -> None:
    body = ", ".join(f'"{column}" {physical_type}' for column, physical_type in columns)
    connection.execute(f"create table {name} ({body})")
