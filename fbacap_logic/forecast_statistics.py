"""The forecast's method: a rate from the latest periods, and a spread around it (rules §2.1).

Here belongs the arithmetic on dense histories, in floats: one row a series, one column a period,
the latest first, zeros beyond a series' own history. Here do not belong tables and units
(``forecast``).

The method, for a horizon of h periods and a season of s:

- rate = the average of the mean of the last s/4 periods and the mean of the last s/13 periods (of
  a year of weeks: a quarter and a month), each over what history there is;
- relative spread = the quantiles of the series' rolling h-period totals divided by their mean.
  They are averaged with the pool's, which counts as 4 windows; the pool's are the average of its
  members', averaged with uniform(0, 2), which counts as 4 windows too. A series of n periods
  counts as n/h − 1 windows: rolling totals overlap, so that n/h of them are independent, and one
  is spent on their own mean;
- quantile of the total = rate × h × relative quantile.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from fbacap_logic.units import Int64Array

FloatArray = npt.NDArray[np.float64]

_PRIOR_WINDOWS = 4.0
_ROWS_AT_ONCE = 8_192  # so that the rolling totals of many series never stand in memory at once


def running_totals(past: FloatArray) -> FloatArray:
    """Totals of the latest 0, 1, 2 … periods, shape (series, periods + 1).

    Sums of whole numbers below 2^53 are exact, so that every machine finds the same.

    >>> running_totals(np.array([[3.0, 1.0]]))
    array([[0., 3., 4.]])
    """
    running = np.zeros((past.shape[0], past.shape[1] + 1))
    np.cumsum(past, axis=1, out=running[:, 1:])
    return running


def latest_rate(running: FloatArray, periods: Int64Array, season_length: int) -> FloatArray:
    """The level of each series, per period; 0 without history.

    >>> latest_rate(running_totals(np.array([[4.0, 0.0]])), np.array([2]), 52)
    array([2.])
    """
    rows = np.arange(len(periods))
    means = []
    for part in (4, 13):
        latest = np.minimum(periods, max(1, season_length // part))
        means.append(running[rows, latest] / np.maximum(latest, 1))
    return np.asarray((means[0] + means[1]) / 2)


def relative_quantiles(
    running: FloatArray,
    periods: Int64Array,
    pool: Int64Array,
    horizon: int,
    quantiles: Sequence[float],
) -> FloatArray:
    """Quantiles of each series' h-period total divided by its mean, shape (series, quantiles).

    Averages of quantile functions: never negative, and never falling from one share to a higher.

    Args:
        running: ``running_totals`` of the histories.
        periods: periods of history of each series.
        pool: pool number of each series, from 0 without gaps.
        horizon: periods in a total.
        quantiles: shares from 0 to 1.
    """
    own = _own_quantiles(running, periods, horizon, quantiles)
    windows = np.maximum(periods / horizon - 1.0, 0.0)
    windows[~np.isfinite(own[:, :1]).all(axis=1)] = 0.0
    own = np.where(windows[:, None] > 0, own, 1.0)
    pools = int(pool.max(initial=-1)) + 1
    pool_windows = np.bincount(pool, weights=windows, minlength=pools)
    result = np.empty_like(own)
    for column, quantile in enumerate(quantiles):
        uniform = 2.0 * quantile
        pooled = np.bincount(pool, weights=windows * own[:, column], minlength=pools)
        pooled = (pooled + _PRIOR_WINDOWS * uniform) / (pool_windows + _PRIOR_WINDOWS)
        shrunk = windows * own[:, column] + _PRIOR_WINDOWS * pooled[pool]
        result[:, column] = shrunk / (windows + _PRIOR_WINDOWS)
    return result


def _own_quantiles(
    running: FloatArray, periods: Int64Array, horizon: int, quantiles: Sequence[float]
) -> FloatArray:
    """Quantiles of each series' rolling totals over their mean; NaN where there is no mean."""
    own = np.full((len(periods), len(quantiles)), np.nan)
    if running.shape[1] <= horizon:
        return own
    for start in range(0, len(periods), _ROWS_AT_ONCE):
        block = slice(start, start + _ROWS_AT_ONCE)
        totals = running[block, horizon:] - running[block, :-horizon]
        count = np.maximum(periods[block] - horizon + 1, 0)
        inside = np.arange(totals.shape[1]) < count[:, None]
        mean = np.where(inside, totals, 0.0).sum(axis=1) / np.maximum(count, 1)
        # Float noise may put a total of zeros a hair below zero.
        totals = np.where(inside, np.maximum(totals, 0.0), np.inf)
        totals.sort(axis=1)
        has_mean = mean > 0
        for column, quantile in enumerate(quantiles):
            place = quantile * np.maximum(count - 1, 0)
            below = np.floor(place).astype(np.int64)
            above = np.minimum(below + 1, np.maximum(count - 1, 0))
            low = np.take_along_axis(totals, below[:, None], axis=1)[:, 0]
            high = np.take_along_axis(totals, above[:, None], axis=1)[:, 0]
            part = np.where(has_mean, place - below, 0.0)
            with np.errstate(invalid="ignore"):
                value = np.minimum(low + (high - low) * part, high)
            own[block, column] = np.where(has_mean, value / np.where(has_mean, mean, 1.0), np.nan)
    return own
