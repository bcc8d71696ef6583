"""``python -m benchmarks.forecast``: two years of weeks, forecast and allocated.

Histories are made, the score is 500 for all; what is timed is from the weekly rows to the base
allocations.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import pandas as pd

from benchmarks.machine import describe, peak_memory_mib
from benchmarks.tables import print_table
from fbacap_logic.base_allocation import ALLOCATION_COLUMNS, allocate
from fbacap_logic.calendar import Quarter
from fbacap_logic.forecast import forecast_quarter
from fbacap_logic.frames import SELLER_MARKET_KEY
from fbacap_logic.policy import BaseAllocationPolicy
from fbacap_logic.score import SCORE_COLUMNS

SIZES = (10_000, 100_000)
LARGE = 1_000_000
WEEKS = 104
_QUARTER = Quarter(2026, 4)
_ANNOUNCED_ON = date(2026, 8, 20)
_ACTIVE_SHARE = 0.1


@dataclass(frozen=True)
class Forecast:
    """What forecasting and fitting one marketplace took."""

    sellers: int
    weekly_rows: int
    forecast_seconds: float
    allocate_seconds: float
    peak_mib: float

    @property
    def seconds(self) -> float:
        """Both together."""
        return self.forecast_seconds + self.allocate_seconds


def make_history(sellers: int, seed: int = 1) -> tuple[pd.DataFrame, pd.DataFrame]:
    """(weekly_demand, seller_markets) of sellers that sell in a tenth of 104 weeks, in no order."""
    random = np.random.default_rng(seed)
    active = random.random((sellers, WEEKS)) < _ACTIVE_SHARE
    seller, week = np.nonzero(active)
    del active
    size = random.lognormal(8, 1.5, sellers)[seller]
    volume = np.maximum(1, random.gamma(2.0, size)).astype(np.int64)
    names = np.char.mod("S%08d", np.arange(sellers)).astype(object)
    weekly = pd.DataFrame(
        {
            "marketplace_id": "us",
            "seller_id": names[seller],
            "storage_type": "standard",
            "week_index": week.astype(np.int32),
            "volume_milli_ft3": volume,
            "net_sales_minor": 3 * volume,
        }
    )
    markets = pd.DataFrame(
        {
            "marketplace_id": "us",
            "seller_id": names,
            "storage_type": "standard",
            "history_start": _ANNOUNCED_ON - timedelta(weeks=WEEKS),
        }
    )
    return weekly, markets


def measure(sizes: Sequence[int]) -> Iterator[Forecast]:
    """Forecast and fit marketplaces of each size, the smallest first."""
    for sellers in sizes:
        weekly, markets = make_history(sellers)
        started = time.perf_counter()
        policy = BaseAllocationPolicy()
        table = forecast_quarter(weekly, markets, _ANNOUNCED_ON, _QUARTER, policy)
        forecast_seconds = time.perf_counter() - started
        rows = len(weekly)
        del weekly
        started = time.perf_counter()
        _allocate(markets, table, policy)
        allocate_seconds = time.perf_counter() - started
        yield Forecast(sellers, rows, forecast_seconds, allocate_seconds, peak_memory_mib())


def _allocate(markets: pd.DataFrame, table: pd.DataFrame, policy: BaseAllocationPolicy) -> None:
    key = list(SELLER_MARKET_KEY)
    unknown = pd.array([pd.NA] * len(table), dtype="Int64")
    scores = table[key].assign(**dict.fromkeys(SCORE_COLUMNS, unknown)).assign(score=500)
    nothing = pd.DataFrame({name: pd.Series(dtype="int64") for name in ALLOCATION_COLUMNS})
    nothing = nothing.astype(dict.fromkeys([*key, "cohort"], "object"))
    capacity = pd.DataFrame(
        {
            "marketplace_id": "us",
            "storage_type": "standard",
            "quarter_start": [_QUARTER.first_day],
            "base_pool_milli_ft3": [int(table["demand_milli_ft3"].sum())],
        }
    )
    allocate(
        markets.assign(account_type="professional", joined_on=date(2020, 1, 1), currency="USD"),
        table,
        scores,
        capacity,
        previous_base_allocations=nothing,
        confirmed_base_allocations=nothing,
        announced_on=_ANNOUNCED_ON,
        quarter=_QUARTER,
        policy=policy,
    )


def growth(measured: Sequence[Forecast]) -> Iterator[tuple[Forecast, Forecast]]:
    """Each measurement with that of ten times the sellers."""
    for small in measured:
        for large in measured:
            if large.sellers == 10 * small.sellers:
                yield small, large


def print_forecast(*, large: bool) -> None:
    """Measure and print the sizes, then their growth."""
    measured: list[Forecast] = []

    def rows() -> Iterator[tuple[object, ...]]:
        for one in measure((*SIZES, *((LARGE,) if large else ()))):
            measured.append(one)
            yield (
                f"{one.sellers:,}",
                f"{one.weekly_rows:,}",
                one.forecast_seconds,
                one.allocate_seconds,
                f"{one.peak_mib:.0f}",
            )

    print("\n## Forecast and allocation\n")
    heads = ("sellers", "weekly rows", "forecast, s", "allocate, s", "peak memory, MiB")
    print_table(heads, rows())
    print("\n## Growth from 1× to 10×\n")
    print_table(
        ("sellers", "forecast and allocate"),
        [
            (f"{small.sellers:,} → {big.sellers:,}", f"{big.seconds / small.seconds:.1f}×")
            for small, big in growth(measured)
        ],
    )


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.forecast")
    parser.add_argument("--large", action="store_true", help="also a million sellers")
    options = parser.parse_args()
    print(describe())
    print_forecast(large=options.large)


if __name__ == "__main__":
    main()
