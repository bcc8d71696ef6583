"""Who gains and who loses: a quarter as published beside the same quarter under another policy.

Here belong the comparison's tables, made in SQL from two sets of published runs, and writing them
as CSV. Running the other policy is ``what_if``; showing the tables is ``what_if_text``.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import iso4217

from orchestration.engine import engine
from orchestration.export import csv_text
from orchestration.files import sql_literal
from orchestration.landing import landed_files
from orchestration.published import PublishedRun
from orchestration.what_if import QuarterRuns, WhatIf

TABLES = ("markets", "rounds", "sellers")
_AMOUNTS = (
    "base_milli_ft3", "granted_milli_ft3", "fee_minor", "credit_minor", "net_due_minor",
)  # fmt: skip
_ROWS_AT_ONCE = 20_000


@dataclass(frozen=True)
class Comparison:
    """The comparison's tables in an open connection, and each currency's minor-unit digits."""

    connection: duckdb.DuckDBPyConnection
    digits: dict[str, int]

    def rows(self, query: str) -> list[dict[str, Any]]:
        """The rows of a query over ``markets``, ``rounds`` and ``sellers``."""
        cursor = self.connection.execute(query)
        columns = [str(entry[0]) for entry in cursor.description or []]
        return [dict(zip(columns, row, strict=True)) for row in cursor.fetchall()]

    def write(self, folder: Path) -> None:
        """Write each table as ``<table>.csv``."""
        for table in TABLES:
            cursor = self.connection.execute(f"from {table}")
            columns = [str(entry[0]) for entry in cursor.description or []]
            with (folder / f"{table}.csv").open("w", encoding="utf-8", newline="") as stream:
                stream.write(csv_text(columns, []))
                while rows := cursor.fetchmany(_ROWS_AT_ONCE):
                    stream.write(csv_text(columns, rows).partition("\n")[2])


@contextmanager
def compare(tried: WhatIf) -> Iterator[Comparison]:
    """Lay the published quarter and the supposed one side by side.

    ``sellers``: one row a seller and market with space won or a base that differs, volumes and
    money as published, as supposed, and the change. ``verdict``: gains (pays no more for no less
    space, and one of the two is better), loses (the reverse), mixed (more space for more money, or
    less for less), same. ``markets``: their sums. ``rounds``: what each round cleared at.
    """
    with engine() as connection:
        for side, runs in (("published", tried.published), ("supposed", tried.supposed)):
            _lay_out(connection, side, runs)
        _lay_out_currencies(connection, tried)
        connection.execute(_SELLERS)
        connection.execute(_MARKETS)
        connection.execute(_ROUNDS)
        currencies = connection.execute("select distinct currency from currencies").fetchall()
        digits = {str(code): iso4217.Currency(code).exponent or 0 for (code,) in currencies}
        yield Comparison(connection, digits)


def what_if_document(tried: WhatIf, comparison: Comparison) -> dict[str, Any]:
    """Plain values for ``--json``."""
    return {
        "quarter": tried.quarter.label,
        "policy_version": tried.policy.policy_version,
        "published_policy_version": tried.published.rounds.manifest["policy_version"],
        "compared_with": [f"run {run.run} ({run.stage})" for run in tried.published.all],
        **{table: comparison.rows(f"from {table}") for table in TABLES},
    }


def _reader(run: PublishedRun, table: str) -> str:
    return f"read_parquet({sql_literal(run.file(table))}, hive_partitioning = false)"


def _lay_out(connection: duckdb.DuckDBPyConnection, side: str, runs: QuarterRuns) -> None:
    settled = (
        "select marketplace_id, storage_type, seller_id, granted_milli_ft3, fee_minor, 0::bigint "
        f"as credit_minor, fee_minor as net_due_minor from {_reader(runs.rounds, 'repriced_fees')}"
        if runs.settlement is None
        else "select marketplace_id, storage_type, seller_id, granted_milli_ft3, fee_minor, "
        f"credit_minor, net_due_minor from {_reader(runs.settlement, 'settlements')}"
    )
    connection.execute(
        f"""
        create temp table {side} as
        with won as (
            select marketplace_id, storage_type, seller_id,
                sum(granted_milli_ft3) as granted_milli_ft3, sum(fee_minor) as fee_minor,
                sum(credit_minor) as credit_minor, sum(net_due_minor) as net_due_minor
            from ({settled}) group by all
        ),
        based as (
            select marketplace_id, storage_type, seller_id, base_milli_ft3
            from {_reader(runs.announcement, "base_allocations")}
        )
        select marketplace_id, storage_type, seller_id,
            {", ".join(f"cast(coalesce({name}, 0) as bigint) as {name}" for name in _AMOUNTS)}
        from won full join based using (marketplace_id, storage_type, seller_id)
        """
    )
    connection.execute(
        f"create temp view {side}_rounds as from {_reader(runs.rounds, 'market_rounds')}"
    )


def _lay_out_currencies(connection: duckdb.DuckDBPyConnection, tried: WhatIf) -> None:
    paths = ", ".join(
        sql_literal(file.typed_path)
        for file in landed_files(tried.data.landing)
        if file.table == "marketplaces"
    )
    connection.execute(
        "create temp table currencies as select marketplace_id, "
        "arg_max(currency, (received_at, source_file, source_row)) as currency "
        f"from read_parquet([{paths}], hive_partitioning = false) group by marketplace_id"
    )


_CHANGES = ",\n".join(
    f"    coalesce(published.{name}, 0) as published_{name},\n"
    f"    coalesce(supposed.{name}, 0) as supposed_{name},\n"
    f"    coalesce(supposed.{name}, 0) - coalesce(published.{name}, 0) as change_{name}"
    for name in _AMOUNTS
)
_SELLERS = f"""
create temp table sellers as
with compared as (
    select marketplace_id, storage_type, seller_id,
{_CHANGES}
    from published full join supposed using (marketplace_id, storage_type, seller_id)
)
select
    marketplace_id, storage_type, seller_id, currency,
    case
        when change_net_due_minor = 0 and change_granted_milli_ft3 = 0 then 'same'
        when change_net_due_minor <= 0 and change_granted_milli_ft3 >= 0 then 'gains'
        when change_net_due_minor >= 0 and change_granted_milli_ft3 <= 0 then 'loses'
        else 'mixed'
    end as verdict,
    compared.* exclude (marketplace_id, storage_type, seller_id)
from compared join currencies using (marketplace_id)
where change_base_milli_ft3 <> 0 or published_granted_milli_ft3 <> 0
    or supposed_granted_milli_ft3 <> 0
order by marketplace_id, storage_type, seller_id
"""
_SUMS = ",\n".join(
    f"    cast(sum({side}_{name}) as bigint) as {side}_{name}"
    for name in _AMOUNTS
    for side in ("published", "supposed", "change")
)
_MARKETS = f"""
create temp table markets as
select marketplace_id, storage_type, currency,
    count(*) filter (published_granted_milli_ft3 > 0) as published_winners,
    count(*) filter (supposed_granted_milli_ft3 > 0) as supposed_winners,
    count(*) filter (verdict = 'gains') as gains, count(*) filter (verdict = 'loses') as loses,
    count(*) filter (verdict = 'mixed') as mixed, count(*) filter (verdict = 'same') as same,
{_SUMS}
from sellers group by marketplace_id, storage_type, currency
order by marketplace_id, storage_type
"""
_ROUNDS = """
create temp table rounds as
select marketplace_id, storage_type, round, currency,
    published.supply_milli_ft3 as published_supply_milli_ft3,
    supposed.supply_milli_ft3 as supposed_supply_milli_ft3,
    published.granted_milli_ft3 as published_granted_milli_ft3,
    supposed.granted_milli_ft3 as supposed_granted_milli_ft3,
    published.clearing_fee_minor_per_ft3 as published_clearing_fee_minor_per_ft3,
    supposed.clearing_fee_minor_per_ft3 as supposed_clearing_fee_minor_per_ft3
from published_rounds as published
full join supposed_rounds as supposed using (marketplace_id, storage_type, round)
join currencies using (marketplace_id)
order by marketplace_id, storage_type, round
"""
