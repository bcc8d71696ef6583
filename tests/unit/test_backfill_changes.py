"""What a new run changed against the run before it, also where their columns or tables differ."""

from __future__ import annotations

import json
from pathlib import Path

import duckdb
import pytest

from fbacap_logic.calendar import Quarter
from orchestration.backfill.changes import change_of
from orchestration.published import PublishedRun, published_runs

QUARTER = Quarter(2026, 4)


def published(zone: Path, number: int, stage: str, **tables: str) -> PublishedRun:
    """A run whose tables are what queries give; the first column of each is its key."""

    entries = {}
    for table, query in tables.items():
        folder = zone / table / f"quarter={QUARTER.key}" / f"run={number:04d}"
        folder.mkdir(parents=True)
        with duckdb.connect() as connection:
            connection.execute(f"copy ({query}) to '{folder / f'{table}.parquet'}'")
            described = connection.execute(f"describe {query}").fetchall()
            (rows,) = connection.execute(f"select count(*) from ({query})").fetchone()
        names = [row[0] for row in described]
        entries[table] = {
            "rows": rows,
            "sha256": query,
            "key": names[:1],
            "columns": [{"name": name} for name in names],
        }
    folder = zone / "_manifests" / f"quarter={QUARTER.key}"
    folder.mkdir(parents=True, exist_ok=True)
    document = {
        "run": number,
        "stage": stage,
        "stage_kind": "settle",
        "cutoff_at": "2027-05-01T00:00:00Z",
        "tables": entries,
    }
    (folder / f"run={number:04d}.json").write_text(json.dumps(document), encoding="utf-8")
    return published_runs(zone, QUARTER)[-1]


def rows(*values: str, columns: str = "request_id, marketplace_id, net_due_minor") -> str:
    return f"select * from (values {', '.join(values)}) as t({columns})"


def test_rows_added_removed_and_changed_are_counted_and_totals_shown(tmp_path):
    published(tmp_path, 1, "final", settlements=rows("('a', 'US', 5)", "('b', 'US', 7)"))
    after = published(tmp_path, 2, "final", settlements=rows("('a', 'US', 4)", "('c', 'US', 1)"))
    change = change_of(after)
    assert change is not None
    (table,) = change.tables
    assert (table.added, table.removed, table.changed) == (1, 1, 1)
    assert table.totals == (("US", "net_due_minor", 12, 5),)


def test_a_column_that_only_one_run_has_is_named_and_the_others_are_compared(tmp_path):
    published(tmp_path, 1, "final", settlements=rows("('a', 'US', 5)"))
    wider = rows("('a', 'US', 5, 'x')", columns="request_id, marketplace_id, net_due_minor, reason")
    change = change_of(published(tmp_path, 2, "final", settlements=wider))
    assert change is not None
    (table,) = change.tables
    assert (table.added, table.removed, table.changed) == (0, 0, 0)
    assert (table.columns_added, table.columns_removed) == (("reason",), ())


@pytest.mark.parametrize("is_new", [True, False])
def test_a_table_that_only_one_run_has_counts_with_all_its_rows(tmp_path, is_new):
    both = {"settlements": rows("('a', 'US', 5)")}
    more = both | {"grants": rows("('a', 'US', 5)", "('b', 'US', 5)")}
    published(tmp_path, 1, "final", **(both if is_new else more))
    change = change_of(published(tmp_path, 2, "final", **(more if is_new else both)))
    assert change is not None
    (table,) = change.tables
    assert table.table == "grants"
    assert (table.added, table.removed) == ((2, 0) if is_new else (0, 2))


def test_the_first_run_of_a_stage_changed_nothing(tmp_path):
    published(tmp_path, 1, "preliminary", settlements=rows("('a', 'US', 5)"))
    assert change_of(published(tmp_path, 2, "final", settlements=rows("('a', 'US', 6)"))) is None
