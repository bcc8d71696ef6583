"""Running dbt on small working files, for tests of the dbt project.

Here belong the call into dbt and what it needs around it; the rows of the small marketplace are in
``dbt_scenarios``.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import duckdb
from dbt.adapters.duckdb.connections import DuckDBConnectionManager
from dbt.cli.main import dbtRunner, dbtRunnerResult
from dbt.contracts.graph.manifest import Manifest

from fbacap_logic.calendar import Quarter
from fbacap_logic.policy import Policy

PROJECT = Path(__file__).parents[2] / "dbt_project"
QUARTER = Quarter(2026, 4)
CARRY_DAYS = 7

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Built:
    """A working file that dbt has built, how that went, and a connection to look at it."""

    working_file: Path
    result: dbtRunnerResult
    connection: duckdb.DuckDBPyConnection


@contextmanager
def built(working_file: Path, *arguments: str) -> Iterator[Built]:
    """Run dbt, and open what it built."""
    result = run_dbt(working_file, *arguments)
    with duckdb.connect(str(working_file)) as connection:
        yield Built(working_file, result, connection)


def filled(
    empty_file: Path, folder: Path, fill: Callable[[duckdb.DuckDBPyConnection], None]
) -> Path:
    """A copy of an empty working file, with rows."""
    working_file = folder / "quarter.duckdb"
    shutil.copy(empty_file, working_file)
    with duckdb.connect(str(working_file)) as connection:
        fill(connection)
    return working_file


def messages(result: dbtRunnerResult) -> str:
    """What went wrong, in dbt's words."""
    if result.exception:
        return str(result.exception)
    return "\n".join(f"{row.node.name}: {row.message}" for row in result.result.results)


@cache
def _manifest(strictness: tuple[str, ...]) -> Manifest:
    with TemporaryDirectory() as folder:
        return _invoke(Path(folder) / "quarter.duckdb", None, "parse", *strictness).result


def run_dbt(working_file: Path, *arguments: str) -> dbtRunnerResult:
    """Run dbt in this process on a working file; its artifacts go beside the file."""
    strictness = arguments[arguments.index("--vars") :] if "--vars" in arguments else ()
    return _invoke(working_file, _manifest(strictness), *arguments)


def _invoke(working_file: Path, manifest: Manifest | None, *arguments: str) -> dbtRunnerResult:
    folder = working_file.parent
    earlier = os.environ.get("FBACAP_WORKING_FILE")
    os.environ["FBACAP_WORKING_FILE"] = str(working_file)
    try:
        return dbtRunner(manifest=manifest).invoke(
            [
                *arguments,
                "--quiet",
                *("--project-dir", str(PROJECT), "--profiles-dir", str(PROJECT)),
                *("--target-path", str(folder / "target"), "--log-path", str(folder / "logs")),
            ]
        )
    finally:
        if DuckDBConnectionManager._ENV is not None:  # close_all_connections only forgets it
            DuckDBConnectionManager._ENV.close()
        DuckDBConnectionManager.close_all_connections()
        if earlier is None:
            del os.environ["FBACAP_WORKING_FILE"]
        else:
            os.environ["FBACAP_WORKING_FILE"] = earlier


def insert(connection: duckdb.DuckDBPyConnection, table: str, rows: Iterable[Row]) -> None:
    """Add rows by column name; columns not named stay null."""
    for row in rows:
        names = ", ".join(row)
        places = ", ".join("?" for _ in row)
        connection.execute(f"insert into {table} ({names}) values ({places})", list(row.values()))


def add_rows(connection: duckdb.DuckDBPyConnection, table: str, text: str) -> None:
    """Add rows from a table in text: column names first; ``T`` joins day and time."""
    header, *lines = (line.split() for line in text.strip().splitlines())
    insert(connection, table, [dict(zip(header, line, strict=True)) for line in lines])


def describe_run(connection: duckdb.DuckDBPyConnection, stage_name: str) -> None:
    """Fill the run schema for one stage run of 2026Q4 under the default policy."""
    calendar = Policy().calendar_of(QUARTER)
    stage = calendar.stage(stage_name)
    cutoff_at = stage.cutoff_at.replace(tzinfo=None)
    parameters = {
        "quarter": QUARTER.label,
        "quarter_start": QUARTER.first_day,
        "quarter_end": QUARTER.last_day,
        "days_in_quarter": QUARTER.days,
        "stage": stage.name,
        "stage_kind": stage.kind,
        "cutoff_at": cutoff_at,
        "announced_at": calendar.announced_at.replace(tzinfo=None),
        "facts_from": "2024-08-22",
        "snapshot_carry_days": CARRY_DAYS,
        "policy_version": "default-1",
        "previous_quarter_start": QUARTER.previous.first_day,
    }
    insert(connection, "run.parameters", [parameters])
    for table, quarter in (
        ("rounds", QUARTER),
        ("previous_rounds", QUARTER.previous),
        ("second_previous_rounds", QUARTER.previous.previous),
    ):
        for window in Policy().calendar_of(quarter).rounds:
            closes_at = window.closes_at.replace(tzinfo=None)
            row = {
                "round": window.round,
                "closes_at": closes_at,
                "in_force_from": window.in_force_from,
                "in_force_to": window.in_force_to,
                "days_in_force": window.days_in_force,
                "is_closed": closes_at <= cutoff_at,
            }
            insert(connection, f"run.{table}", [row])
    digits = (("USD", 2), ("JPY", 0))
    insert(
        connection,
        "run.currencies",
        [{"currency": code, "minor_unit_digits": places} for code, places in digits],
    )
