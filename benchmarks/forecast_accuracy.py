"""``python -m benchmarks.forecast_accuracy FOLDER``: how well the Olist quarters are foretold.

Each quarter is forecast from what had been received 42 days before it, for every seller that had
sold by then, and compared with the volume the seller then shipped. Beside the announcement's own
forecast stand simple means, for which weeks before the first order count as zero.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd

from fbacap_logic.calendar import Quarter
from fbacap_logic.forecast import forecast_quarter
from fbacap_logic.forecast_accuracy import Accuracy, accuracy
from fbacap_logic.policy import BaseAllocationPolicy, Policy
from orchestration.simulation.olist_source import read_source
from orchestration.simulation.olist_tables import build_tables

QUARTERS = (Quarter(2017, 3), Quarter(2017, 4), Quarter(2018, 1), Quarter(2018, 2))
_LEAD = timedelta(days=42)
_WEEKLY_SQL = """
select 'BR' as marketplace_id, seller_id, {market} as storage_type,
  cast(datediff('day', sold_on, $cutoff) - 1 as integer) // 7 as week_index,
  cast(sum(unit_micro_ft3) // 1000 as bigint) as volume_milli_ft3,
  cast(sum(revenue_minor) as bigint) as net_sales_minor
from lines where sold_on < $cutoff and sold_on >= $cutoff - interval 728 day group by all
"""
_STARTS_SQL = """
select 'BR' as marketplace_id, seller_id, {market} as storage_type, min(sold_on) as history_start
from lines where sold_on < $cutoff group by all
"""
_SHIPPED_SQL = """
select seller_id, sum(unit_micro_ft3) / 1000 as shipped from lines
where sold_on between $first and $last group by all
"""


@dataclass(frozen=True)
class Compared:
    """One method's forecasts of one quarter, or of several, beside what came."""

    method: str
    quarter: str
    forecast: np.ndarray
    shipped: np.ndarray

    @property
    def measured(self) -> Accuracy:
        """Error, bias, coverage and pinball loss at the method's share."""
        share = {"p10": 0.1, "p90": 0.9}.get(self.method, 0.5)
        return accuracy(self.shipped, self.forecast, share)

    @property
    def covered_of_all(self) -> float:
        """Share of all sellers that shipped no more than the forecast."""
        return float((self.shipped <= self.forecast).mean())


def open_olist(folder: Path) -> duckdb.DuckDBPyConnection:
    """A connection that holds Olist's order lines with their volumes."""
    connection = duckdb.connect()
    read_source(connection, folder)
    build_tables(connection, Policy())
    return connection


def compare(connection: duckdb.DuckDBPyConnection, *, by_market: bool) -> Iterator[Compared]:
    """Forecast every quarter by every method.

    Args:
        connection: as ``open_olist`` gives it.
        by_market: forecast a seller's storage types apart, as the announcement does, and add up
            what is forecast of each.
    """
    market = "storage_type" if by_market else "'all'"
    for quarter in QUARTERS:
        cutoff = quarter.first_day - _LEAD
        weekly, starts = (
            connection.execute(sql.format(market=market), {"cutoff": cutoff}).df()
            for sql in (_WEEKLY_SQL, _STARTS_SQL)
        )
        days = {"first": quarter.first_day, "last": quarter.last_day}
        shipped = connection.execute(_SHIPPED_SQL, days).df().set_index("seller_id")["shipped"]
        table = forecast_quarter(weekly, starts, cutoff, quarter, BaseAllocationPolicy())
        found = {
            name: table.groupby("seller_id")[f"demand_{name}_milli_ft3"].sum()
            for name in ("p10", "p50", "p90", "mean")
        } | dict(_means(weekly, quarter.days))
        came = shipped.reindex(found["p50"].index, fill_value=0.0).to_numpy()
        for method, forecast in found.items():
            aligned = forecast.reindex(found["p50"].index, fill_value=0.0).to_numpy()
            whole = np.rint(aligned).astype(np.int64)
            yield Compared(method, quarter.label, whole, np.rint(came).astype(np.int64))


def _means(weekly: pd.DataFrame, days: int) -> Iterator[tuple[str, pd.Series]]:
    def latest(weeks: int) -> pd.Series:
        rows = weekly.assign(heard=weekly["volume_milli_ft3"].where(weekly["week_index"] < weeks))
        return rows.groupby("seller_id")["heard"].sum() / weeks * days / 7

    yield "mean of 13 weeks", latest(13)
    yield "mean of 4 weeks", latest(4)
    yield "mean of 8 weeks", latest(8)
    yield "average of 13 and 4", (latest(13) + latest(4)) / 2


def pooled(compared: list[Compared]) -> list[Compared]:
    """Each method over all quarters together."""
    methods = dict.fromkeys(one.method for one in compared)
    return [
        Compared(
            method,
            "all four",
            np.concatenate([one.forecast for one in compared if one.method == method]),
            np.concatenate([one.shipped for one in compared if one.method == method]),
        )
        for method in methods
    ]


def print_table(compared: list[Compared]) -> None:
    """A Markdown table of every method and quarter, and of the quarters together."""
    print("| method | quarter | WAPE | bias | covered | covered, of all | pinball |")
    print("|---|---|---|---|---|---|---|")
    for one in [*compared, *pooled(compared)]:
        found = one.measured
        print(
            f"| {one.method} | {one.quarter} | {found.wape:.3f} | {found.bias:+.3f} "
            f"| {found.covered:.3f} | {one.covered_of_all:.3f} | {found.pinball:.3f} |"
        )


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.forecast_accuracy")
    parser.add_argument("folder", type=Path, help="of the Olist files")
    connection = open_olist(parser.parse_args().folder)
    for by_market in (False, True):
        kind = "seller and storage type, added up to sellers" if by_market else "seller"
        print(f"\n## Forecast by {kind}\n")
        print_table(list(compare(connection, by_market=by_market)))


if __name__ == "__main__":
    main()
