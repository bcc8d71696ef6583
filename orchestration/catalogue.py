"""The auditor's catalogue: views over the published zone, any number of readers at once.

Here belongs SQL over published runs, read-only. ``<table>`` shows, quarter by quarter, the run that
holds now; ``all_runs.<table>`` shows every run; ``runs`` tells what each run was.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import duckdb

from fbacap_logic.calendar import Quarter
from orchestration.contracts import load_contract
from orchestration.engine import engine
from orchestration.errors import BadUsage, FbacapError
from orchestration.files import sql_literal
from orchestration.paths import DataFolder
from orchestration.published import (
    PublishedRun,
    current_of,
    published_quarters,
    published_runs,
)
from orchestration.stages import PUBLICATIONS, published_tables
from orchestration.whole_files import require_whole

_OF_FILES = (duckdb.IOException, duckdb.InvalidInputException, duckdb.InternalException)


def open_catalogue(
    data: DataFolder, only: Collection[Quarter] | None = None
) -> duckdb.DuckDBPyConnection:
    """An in-memory connection with a view over every published table, closed to everything else.

    Tables that nothing has been published of yet are there, empty. ``only``: the quarters to show,
    for who needs few of many; default: all.

    Raises:
        Corrupted: a published file is missing or damaged.
    """
    quarters = [
        quarter for quarter in published_quarters(data.published) if only is None or quarter in only
    ]
    runs = {quarter: published_runs(data.published, quarter) for quarter in quarters}
    connection = engine()
    try:
        _lay_out(connection, runs)
    except duckdb.Error as error:
        connection.close()
        _require_whole(runs)
        raise FbacapError(f"{data.published} cannot be read: {error}") from error
    return connection


def _lay_out(
    connection: duckdb.DuckDBPyConnection, runs: Mapping[Quarter, Sequence[PublishedRun]]
) -> None:
    connection.execute("set TimeZone = 'UTC'")
    connection.execute("create schema all_runs")
    current = [current_of(found) for found in runs.values()]
    _create_runs(connection, runs)
    for table in dict.fromkeys(name for kind in PUBLICATIONS for name in published_tables(kind)):
        every = [run for found in runs.values() for run in found if table in run.tables]
        latest = [found[table] for found in current if table in found]
        _create_view(connection, f"all_runs.{table}", table, every)
        _create_view(connection, table, table, latest)
    files = sorted(
        {run.file(table) for found in runs.values() for run in found for table in run.tables}
    )
    connection.execute(f"set allowed_paths = [{', '.join(map(sql_literal, files))}]")
    connection.execute("set enable_external_access = false")
    connection.execute("set lock_configuration = true")


def _require_whole(runs: Mapping[Quarter, Sequence[PublishedRun]]) -> None:
    for found in runs.values():
        for run in found:
            require_whole(run.files)


def query(data: DataFolder, sql: str) -> tuple[list[str], list[tuple[object, ...]]]:
    """Run one reading statement over the catalogue; column names and rows.

    Raises:
        BadUsage: the text is not SQL, is not one statement, or is not one that reads.
        Corrupted: a published file is missing or damaged.
    """
    with open_catalogue(data) as connection:
        try:
            statements = connection.extract_statements(sql)
            if len(statements) != 1 or statements[0].type != duckdb.StatementType.SELECT:
                raise BadUsage("give one SELECT; published tables are never changed")
            cursor = connection.execute(statements[0])
            columns = [str(entry[0]) for entry in cursor.description or []]
            return columns, cursor.fetchall()
        except duckdb.Error as error:
            if isinstance(error, _OF_FILES):
                for quarter in published_quarters(data.published):
                    _require_whole({quarter: published_runs(data.published, quarter)})
            raise BadUsage(f"that query failed: {error}") from error


def _create_runs(
    connection: duckdb.DuckDBPyConnection, runs: Mapping[Quarter, Sequence[PublishedRun]]
) -> None:
    connection.execute(
        "create table runs (quarter varchar, run integer, stage varchar, stage_kind varchar, "
        "cutoff_at timestamp, reason varchar, policy_version varchar, code_version varchar, "
        "engine varchar, rows bigint, manifest varchar)"
    )
    rows = [
        (
            run.quarter.label,
            run.run,
            run.stage,
            run.kind,
            run.cutoff_at.replace(tzinfo=None),
            run.reason,
            run.manifest["policy_version"],
            run.manifest["code_version"],
            run.manifest["engine"],
            sum(entry["rows"] for entry in run.tables.values()),
            str(run.manifest_path),
        )
        for found in runs.values()
        for run in found
    ]
    if rows:
        connection.executemany("insert into runs values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", rows)


def _create_view(
    connection: duckdb.DuckDBPyConnection, name: str, table: str, runs: Sequence[PublishedRun]
) -> None:
    contract = load_contract(table)
    if not runs:
        empty = ", ".join(
            f'cast(null as {column.physical_type}) as "{column.name}"'
            for column in contract.columns
        )
        connection.execute(
            f"create view {name} as select cast(null as varchar) as quarter, "
            f"cast(null as integer) as run, {empty} where false"
        )
        return
    columns = ", ".join(f'file."{column}"' for column in contract.column_names)
    paths = ", ".join(sql_literal(run.file(table)) for run in runs)
    connection.execute(
        f"""
        create view {name} as
        select
            printf('%dQ%d', year(file.quarter), quarter(file.quarter)) as quarter,
            file.run as run,
            {columns}
        from read_parquet(
            [{paths}],
            hive_partitioning = true,
            hive_types = {{'quarter': date, 'run': integer}}
        ) as file
        """
    )
