"""How well forecasts foretold what was shipped, and simple forecasts to beat.

Here belong the measures and the simple means. Forecasting itself is ``forecast``; which quarters
are measured, and how that is shown, is ``orchestration.backtest``'s business.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd

from fbacap_logic.frames import SELLER_MARKET_KEY, integers
from fbacap_logic.seller_market_rows import matching_rows
from fbacap_logic.units import Int64Array, exact_sum, ratio_half_even

DECILES = 10
SIMPLE_METHODS = ("mean_13_weeks", "mean_8_weeks", "mean_4_weeks", "mean_13_and_4_weeks")
_SIZE_WEEKS = 26
_DAYS_PER_WEEK = 7


@dataclass(frozen=True)
class Accuracy:
    """How one method's forecasts compare with what was shipped; volumes in milli ft3.

    ``wape`` = Σ|shipped − forecast| ÷ Σ shipped; ``bias`` = Σ(forecast − shipped) ÷ Σ shipped;
    ``covered`` = share of the rows with demand that shipped no more than the forecast; ``pinball``
    = twice the quantile loss at the forecast's share ÷ Σ shipped. None where nothing was shipped.
    """

    rows: int
    rows_with_demand: int
    shipped_milli_ft3: int
    forecast_milli_ft3: int
    wape: float | None
    bias: float | None
    covered: float | None
    pinball: float | None


def accuracy(shipped: Int64Array, forecast: Int64Array, share: float) -> Accuracy:
    """Measure one method's forecasts of some seller markets.

    Args:
        shipped: volume shipped, milli ft3, a row a seller market.
        forecast: volume forecast for it.
        share: the share of outcomes that the forecast means to cover (0.9 for p90, 0.5 for a point
            forecast).

    >>> found = accuracy(np.array([10, 0, 30]), np.array([12, 4, 20]), 0.5)
    >>> found.wape, found.bias, found.covered
    (0.4, -0.1, 0.5)
    """
    error = shipped - forecast
    with_demand = shipped > 0
    total = exact_sum(shipped)
    measured: tuple[float | None, ...] = (None, None, None, None)
    if total:
        over, under = exact_sum(np.maximum(-error, 0)), exact_sum(np.maximum(error, 0))
        measured = (
            (over + under) / total,
            (over - under) / total,
            float((error <= 0)[with_demand].mean()),
            2 * (share * under + (1 - share) * over) / total,
        )
    return Accuracy(len(shipped), int(with_demand.sum()), total, exact_sum(forecast), *measured)


def accuracy_as_announced(foretold: pd.DataFrame) -> dict[str, float]:
    """How an announcement's forecast came out, once its quarter is over (rules §2.1).

    Args:
        foretold: ``facts.foretold_quarter``.

    Returns:
        wape and bias of p50, and the shares of sellers with demand that shipped no more than p10,
        p50 and p90; nothing where nothing was announced or shipped.
    """
    shipped = integers(foretold, "shipped_milli_ft3", "foretold_quarter")
    measured = {
        name: accuracy(
            shipped, integers(foretold, f"demand_{name}_milli_ft3", "foretold_quarter"), share
        )
        for name, share in (("p10", 0.1), ("p50", 0.5), ("p90", 0.9))
    }
    figures = {f"covered by {name}": found.covered for name, found in measured.items()}
    figures |= {"error (WAPE)": measured["p50"].wape, "bias": measured["p50"].bias}
    return {name: round(value, 4) for name, value in figures.items() if value is not None}


def simple_forecasts(
    weekly_demand: pd.DataFrame, seller_markets: pd.DataFrame, days_in_quarter: int
) -> pd.DataFrame:
    """Recent weekly means, carried through the quarter: what a forecast must beat.

    Args:
        weekly_demand: ``facts.weekly_demand``; week_index 0 is the last week before the cut-off.
        seller_markets: the seller markets to forecast, each once.
        days_in_quarter: days in the quarter that is forecast.

    Returns:
        SELLER_MARKET_KEY, then ``SIMPLE_METHODS`` in milli ft3 and ``size_milli_ft3`` (what the
        seller shipped in the last 26 weeks), row by row of ``seller_markets``.
    """
    keys = list(SELLER_MARKET_KEY)
    week = integers(weekly_demand, "week_index", "weekly_demand")
    volume = integers(weekly_demand, "volume_milli_ft3", "weekly_demand")
    row = matching_rows(weekly_demand, "weekly_demand", seller_markets, "seller_markets")
    result = seller_markets[keys].reset_index(drop=True)

    def shipped(weeks: int) -> Int64Array:
        total = np.zeros(len(result), dtype=np.int64)
        recent = week < weeks
        np.add.at(total, row[recent], volume[recent])
        return total

    def carried(windows: tuple[int, ...]) -> Int64Array:
        """The average of some weekly means, times the weeks of the quarter."""
        scale = math.lcm(*windows)
        sums = sum(shipped(weeks) * (scale // weeks) for weeks in windows)
        return ratio_half_even(
            [np.asarray(sums), days_in_quarter], scale * _DAYS_PER_WEEK * len(windows)
        )

    for name, windows in zip(SIMPLE_METHODS, ((13,), (8,), (4,), (13, 4)), strict=True):
        result[name] = carried(windows)
    return result.assign(size_milli_ft3=shipped(_SIZE_WEEKS))


def size_deciles(size_milli_ft3: Int64Array) -> Int64Array:
    """Tenths of the rows by size, 1 the smallest; equal sizes share the lower tenth.

    >>> size_deciles(np.array([5, 0, 9, 0])).tolist()
    [6, 1, 8, 1]
    """
    below = np.searchsorted(np.sort(size_milli_ft3), size_milli_ft3, side="left")
    rows = max(len(size_milli_ft3), 1)
    return np.asarray(below * DECILES // rows + 1, dtype=np.int64)
