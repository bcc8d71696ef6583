"""What a new run of a stage changed against the run of that stage before it.

Here belongs the comparison of two published runs, table by table, inside DuckDB. What each changed
row is shows ``fbacap sql`` over ``all_runs``.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import duckdb

from orchestration.engine import engine
from orchestration.files import sql_literal
from orchestration.published import PublishedRun, published_runs
from orchestration.same_content import RELATIVE_TABLES, absolute_columns

_AMOUNTS = ("base_milli_ft3", "granted_milli_ft3", "fee_minor", "credit_minor", "net_due_minor")


@dataclass(frozen=True)
class TableChange:
    """How one table differs between two runs: rows by key, columns, and totals that moved.

    Of a table that only one run has, all rows are added or removed. ``changed`` compares the
    columns that both have. ``totals``: (marketplace_id, column, before, after), in the column's
    unit.
    """

    table: str
    added: int
    removed: int
    changed: int
    totals: tuple[tuple[str, str, int, int], ...] = ()
    columns_added: tuple[str, ...] = ()
    columns_removed: tuple[str, ...] = ()


@dataclass(frozen=True)
class RunChange:
    """A new run, the run of the same stage before it, and the tables that differ."""

    before: PublishedRun
    after: PublishedRun
    tables: tuple[TableChange, ...]

    def as_document(self) -> dict[str, Any]:
        """Plain values, for ``--json``."""
        return {
            "stage": self.after.stage,
            "run_before": self.before.run,
            "run": self.after.run,
            "tables": [
                {
                    "table": change.table,
                    "rows_added": change.added,
                    "rows_removed": change.removed,
                    "rows_changed": change.changed,
                    "columns_added": list(change.columns_added),
                    "columns_removed": list(change.columns_removed),
                    "totals": [
                        {"marketplace_id": market, "column": column, "before": old, "after": new}
                        for market, column, old, new in change.totals
                    ],
                }
                for change in self.tables
            ],
        }


def change_of(after: PublishedRun) -> RunChange | None:
    """What a run changed; None when it is the first of its stage."""
    earlier = [
        run
        for run in published_runs(after.zone, after.quarter)
        if run.stage == after.stage and run.run < after.run
    ]
    if not earlier:
        return None
    before = earlier[-1]
    with engine() as connection:
        return RunChange(before, after, tuple(_changes(connection, before, after)))


def _changes(
    connection: duckdb.DuckDBPyConnection, before: PublishedRun, after: PublishedRun
) -> Iterator[TableChange]:
    for table in [*after.tables, *(name for name in before.tables if name not in after.tables)]:
        old, new = before.tables.get(table), after.tables.get(table)
        if table in RELATIVE_TABLES:
            continue
        if old is None or new is None:
            added, removed = (entry["rows"] if entry else 0 for entry in (new, old))
            yield TableChange(table, added, removed, 0)
        elif old["sha256"] != new["sha256"]:
            yield from _table_change(connection, table, before, after)


def _table_change(
    connection: duckdb.DuckDBPyConnection, table: str, before: PublishedRun, after: PublishedRun
) -> Iterator[TableChange]:
    old_names, new_names = (
        [column["name"] for column in run.tables[table]["columns"]] for run in (before, after)
    )
    both = [name for name in new_names if name in old_names]
    old, new = (
        f"read_parquet({sql_literal(run.file(table))}, hive_partitioning = false)"
        for run in (before, after)
    )
    key = [name for name in after.tables[table]["key"] if name in both]
    counts = _row_counts(connection, old, new, key, absolute_columns(tuple(both)))
    change = TableChange(
        table,
        *counts,
        tuple(_totals(connection, old, new, both)),
        tuple(name for name in new_names if name not in both),
        tuple(name for name in old_names if name not in both),
    )
    if any(counts) or change.columns_added or change.columns_removed:
        yield change


def _row_counts(
    connection: duckdb.DuckDBPyConnection,
    old: str,
    new: str,
    key: list[str],
    compared: tuple[str, ...],
) -> tuple[int, int, int]:
    joined = " and ".join(f'o."{name}" is not distinct from n."{name}"' for name in key)
    others = [name for name in compared if name not in key]
    differs = " or ".join(f'o."{name}" is distinct from n."{name}"' for name in others) or "false"
    row = connection.execute(
        f"""
        select count(*) filter (where o.present is null),
               count(*) filter (where n.present is null),
               count(*) filter (where o.present and n.present and ({differs}))
        from (select true as present, * from {old}) as o
        full join (select true as present, * from {new}) as n on {joined}
        """
    ).fetchone()
    added, removed, changed = row or (0, 0, 0)
    return int(added), int(removed), int(changed)


def _totals(
    connection: duckdb.DuckDBPyConnection, old: str, new: str, names: list[str]
) -> Iterator[tuple[str, str, int, int]]:
    for column in (name for name in _AMOUNTS if name in names):
        yield from (
            (str(market), column, int(was), int(now))
            for market, was, now in connection.execute(
                f"""
                select marketplace_id, coalesce(o.total, 0), coalesce(n.total, 0)
                from (select marketplace_id, sum({column}) as total from {old} group by all) as o
                full join (select marketplace_id, sum({column}) as total from {new} group by all)
                    as n using (marketplace_id)
                where o.total is distinct from n.total
                order by marketplace_id
                """
            ).fetchall()
        )
