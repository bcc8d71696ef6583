"""Clearing with window functions, as one would in DuckDB or polars, to measure ours beside it.

Both sort the book and keep running sums; neither drops a request for its minimum, so they are given
books without minimums, of which they make the same grants.
"""

from __future__ import annotations

import duckdb
import pandas as pd
import polars as pl

_BY_TIME = """
select request_id, greatest(0, least(open_milli_ft3, $supply - (running - open_milli_ft3)))::bigint
    as granted_milli_ft3
from (
    select *, sum(open_milli_ft3) over (
        order by max_fee_minor_per_ft3 desc, submitted_at, request_id
        rows between unbounded preceding and current row
    ) as running
    from book
)
"""
_PRO_RATA = """
with levels as (
    select *,
        sum(open_milli_ft3) over (
            order by max_fee_minor_per_ft3 desc range between unbounded preceding and current row
        ) as running,
        sum(open_milli_ft3) over (partition by max_fee_minor_per_ft3) as asked
    from book
), shares as (
    select *, greatest(0, least(asked, $supply - (running - asked))) as room from levels
), parts as (
    select *,
        (room * open_milli_ft3) // asked as part,
        (room * open_milli_ft3) % asked as remainder
    from shares
)
select request_id, (part + case when row_number() over (
        partition by max_fee_minor_per_ft3 order by remainder desc, submitted_at, request_id
    ) <= room - sum(part) over (partition by max_fee_minor_per_ft3) then 1 else 0 end)::bigint
    as granted_milli_ft3
from parts
"""
_ORDER = ("max_fee_minor_per_ft3", "submitted_at", "request_id")


def by_duckdb(book: pd.DataFrame, supply_milli_ft3: int, tie_rule: str) -> pd.DataFrame:
    """Grants of a book without minimums, in DuckDB's own order."""
    sql = _PRO_RATA if tie_rule == "pro_rata" else _BY_TIME
    with duckdb.connect() as connection:
        connection.register("book", book)
        return connection.execute(sql, {"supply": supply_milli_ft3}).df()


def by_polars(book: pl.DataFrame, supply_milli_ft3: int, tie_rule: str) -> pl.DataFrame:
    """Grants of a book without minimums, in the total order."""
    open_volume, supply = pl.col("open_milli_ft3"), pl.lit(supply_milli_ft3)
    ordered = book.lazy().sort(_ORDER, descending=[True, False, False])
    if tie_rule != "pro_rata":
        before = open_volume.cum_sum() - open_volume
        granted = pl.min_horizontal(open_volume, supply - before).clip(lower_bound=0)
        return ordered.select("request_id", granted_milli_ft3=granted).collect()
    fee = "max_fee_minor_per_ft3"
    levels = ordered.with_columns(
        asked=open_volume.sum().over(fee), running=open_volume.cum_sum()
    ).with_columns(
        room=pl.min_horizontal(
            "asked", (supply - pl.col("running").last().over(fee) + pl.col("asked")).clip(0)
        )
    )
    product = pl.col("room") * open_volume
    parts = levels.with_columns(
        part=product // pl.col("asked"), remainder=product % pl.col("asked")
    )
    place = pl.col("remainder").rank("ordinal", descending=True).over(fee)
    units = (pl.col("room") - pl.col("part").sum().over(fee)).cast(pl.Int64)
    granted = pl.col("part") + (place.cast(pl.Int64) <= units).cast(pl.Int64)
    return parts.select("request_id", granted_milli_ft3=granted).collect()
