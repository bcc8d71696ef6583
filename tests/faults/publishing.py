"""Publishes an announcement again from the rows of a published one: the commit protocol alone.

Here belongs a process small enough to be killed before every single change that it makes. Its
result is the published announcement that it read, to the byte.
"""

from __future__ import annotations

import sys
from pathlib import Path

from fbacap_logic.calendar import StageCutoff
from orchestration.engine import engine
from orchestration.files import sql_literal
from orchestration.published import PublishedRun, publish, published_runs
from tests.two_quarters import QUARTERS

_OF_THE_ZONE = {
    "manifest_version", "quarter", "quarter_start", "run", "stage", "stage_kind", "cutoff_at",
    "tables",
}  # fmt: skip


def announcement(zone: Path) -> PublishedRun:
    """The first quarter's announcement in a published zone."""
    return published_runs(zone, QUARTERS[0])[0]


def main(source: Path, target: Path) -> None:
    """Publish the announcement of one zone in another."""
    run = announcement(source)
    with engine() as connection:
        connection.execute("create schema market")
        for table in run.tables:
            rows = f"read_parquet({sql_literal(run.file(table))}, hive_partitioning = false)"
            connection.execute(f"create table market.{table} as from {rows}")
        facts = {name: entry for name, entry in run.manifest.items() if name not in _OF_THE_ZONE}
        stage = StageCutoff(run.stage, "announce", run.cutoff_at)
        publish(connection, target, run.quarter, stage, run.tables, facts)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
