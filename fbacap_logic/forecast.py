"""How much a seller will ship, as a distribution (rules §2.1).

Here belong the announcement's forecast from the facts, and the same method on any regular panel,
by which it is measured against other methods. What crosses to the market is whole milli cubic
feet and minor units, rounded half to even once. Here do not belong the method itself
(``forecast_learned``) or what is done with a forecast (``score``, ``base_allocation``).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import numpy as np
import pandas as pd

from fbacap_logic.calendar import Quarter
from fbacap_logic.forecast_features import FloatArray, Span
from fbacap_logic.forecast_learned import forecast_steps, forecast_totals
from fbacap_logic.frames import (
    SELLER_MARKET_KEY,
    integers,
    require_columns,
    require_unique,
)
from fbacap_logic.policy import BaseAllocationPolicy
from fbacap_logic.seller_market_rows import matching_rows, sorted_by_seller_market
from fbacap_logic.units import BASIS_POINTS, INT64_MIN, Int64Array

__all__ = [
    "LATER_DEMAND_COLUMNS",
    "forecast_panel",
    "forecast_panel_totals",
    "forecast_quarter",
    "matching_rows",
    "sorted_by_seller_market",
]

LATER_DEMAND_COLUMNS = ("demand_next_milli_ft3", "demand_after_next_milli_ft3")

_WEEKS_PER_QUARTER = 13
_WEEKS_PER_YEAR = 52
_COVER_DAYS = 90  # the score calls stock beyond this much cover excess (rules §2.3)
_PUBLISHED_QUANTILES = (0.1, 0.5, 0.9)
# Whole numbers below 2^53 add up exactly in a float, on every machine; the totals of 13 weeks that
# the simple rule adds up count every week of volume up to 13 times.
_VOLUME_BELOW = 2**49
_SALES_BELOW = 2**53


def forecast_panel(
    history: pd.DataFrame, horizon: int, season_length: int, quantiles: Sequence[float]
) -> pd.DataFrame:
    """Forecast each of the next periods of every series of a regular panel.

    Args:
        history: columns unique_id, ds (anything that sorts), y; one row a series
            and period, no period between a series' first and last left out.
        horizon: periods ahead, at least 1.
        season_length: periods in a season (52 for weeks of a year), at least 1.
        quantiles: distinct shares between 0 and 1.

    Returns:
        One row per unique_id and step (1 … horizon), in that order: mean, and one column per
        quantile (0.1 is p10), in y's unit.

    Raises:
        ValueError: an argument out of range, y not finite, a null key, a period that
            stands twice or is left out.

    >>> weeks = pd.DataFrame({"unique_id": "a", "ds": range(52), "y": 3.0})
    >>> forecast_panel(weeks, 2, 52, [0.5]).to_dict("list")
    {'unique_id': ['a', 'a'], 'step': [1, 2], 'mean': [3.0, 3.0], 'p50': [3.0, 3.0]}
    """
    _require_arguments(horizon, season_length, quantiles)
    names, past, periods = _dense_panel(history)
    mean, found = forecast_steps(past, periods, horizon, season_length, quantiles)
    table = pd.DataFrame(
        {
            "unique_id": names.repeat(horizon),
            "step": np.tile(np.arange(1, horizon + 1), len(names)),
            "mean": mean.reshape(-1),
        }
    )
    for position, quantile in enumerate(quantiles):
        table[_quantile_name(quantile)] = found[:, :, position].reshape(-1)
    return table


def forecast_panel_totals(
    history: pd.DataFrame, horizon: int, season_length: int, quantiles: Sequence[float]
) -> pd.DataFrame:
    """Forecast the total over the next periods of every series of a regular panel.

    Arguments and errors are those of ``forecast_panel``; quantiles are of the total.

    Returns:
        One row per unique_id, in that order: mean, and one column per quantile.

    >>> weeks = pd.DataFrame({"unique_id": "a", "ds": range(52), "y": 3.0})
    >>> forecast_panel_totals(weeks, 13, 52, [0.5]).to_dict("list")
    {'unique_id': ['a'], 'mean': [39.0], 'p50': [39.0]}
    """
    _require_arguments(horizon, season_length, quantiles)
    names, past, periods = _dense_panel(history)
    mean, found = forecast_totals(past, periods, Span(0, horizon), season_length, quantiles)
    table = pd.DataFrame({"unique_id": names, "mean": mean})
    for position, quantile in enumerate(quantiles):
        table[_quantile_name(quantile)] = found[:, position]
    return table


def forecast_quarter(
    weekly_demand: pd.DataFrame,
    seller_markets: pd.DataFrame,
    announced_on: date,
    quarter: Quarter,
    policy: BaseAllocationPolicy,
) -> pd.DataFrame:
    """Forecast what every seller ships and sells in a quarter and the two after (rules §2.1).

    Args:
        weekly_demand: ``facts.weekly_demand``; a week without a row had no demand.
        seller_markets: ``facts.seller_markets``; history_start says where zeros begin to count.
        announced_on: the announcement's cut-off day; week 0 is the 7 days before it.
        quarter: the quarter announced.
        policy: names the quantile (demand_quantile_bp) and the history (history_weeks).

    Returns:
        One row per row of seller_markets, ordered by SELLER_MARKET_KEY: demand_mean_milli_ft3,
        demand_p10_milli_ft3, demand_p50_milli_ft3, demand_p90_milli_ft3; at the policy's quantile
        demand_milli_ft3, cover_90d_milli_ft3 (90 days of it) and the two LATER_DEMAND_COLUMNS;
        sales_forecast_minor (mean net sales of the quarter, at least 0). All int64. A seller
        without history gets 0.

    Raises:
        ValueError: a key twice, demand of an unknown seller market, a week before the history
            began, a column that is not what it should be.
    """
    table = sorted_by_seller_market(seller_markets, "seller_markets")
    weeks = _weeks_of_history(table, announced_on, policy.history_weeks)
    volume, sales = _dense_weeks(weekly_demand, table, weeks)
    weeks_ahead = max(0, round((quarter.first_day - announced_on).days / 7))
    chosen = policy.demand_quantile_bp / BASIS_POINTS
    mean, found = forecast_totals(
        volume,
        weeks,
        Span(weeks_ahead, _WEEKS_PER_QUARTER),
        _WEEKS_PER_YEAR,
        (*_PUBLISHED_QUANTILES, chosen),
        given_demand=True,
    )
    p10, p50, p90, at_policy = found.T

    def over(days: int, amounts: FloatArray) -> Int64Array:
        return _whole(amounts * (days / (7 * _WEEKS_PER_QUARTER)))

    result = table.loc[:, list(SELLER_MARKET_KEY)].copy()
    result["demand_mean_milli_ft3"] = over(quarter.days, mean)
    result["demand_p10_milli_ft3"] = over(quarter.days, p10)
    result["demand_p50_milli_ft3"] = over(quarter.days, p50)
    result["demand_p90_milli_ft3"] = over(quarter.days, p90)
    result["demand_milli_ft3"] = over(quarter.days, at_policy)
    result["cover_90d_milli_ft3"] = over(_COVER_DAYS, at_policy)
    for later, column in enumerate(LATER_DEMAND_COLUMNS, start=1):
        result[column] = over(quarter.plus(later).days, at_policy)
    sales_mean = mean * _sales_per_volume(sales, volume)
    result["sales_forecast_minor"] = over(quarter.days, np.maximum(sales_mean, 0.0))
    return result


def _sales_per_volume(sales: FloatArray, volume: FloatArray) -> FloatArray:
    """Net sales that a unit of volume brought over the latest year; 0 where none was shipped."""
    shipped = volume[:, :_WEEKS_PER_YEAR].sum(axis=1)
    sold = sales[:, :_WEEKS_PER_YEAR].sum(axis=1)
    return np.asarray(np.where(shipped > 0, sold / np.where(shipped > 0, shipped, 1.0), 0.0))


def _require_arguments(horizon: int, season_length: int, quantiles: Sequence[float]) -> None:
    if horizon < 1:
        raise ValueError(f"horizon is {horizon}; it must be at least 1 period")
    if season_length < 1:
        raise ValueError(f"season_length is {season_length}; it must be at least 1 period")
    for quantile in quantiles:
        if not 0 <= quantile <= 1:
            raise ValueError(f"quantiles: {quantile} is out of range; give shares from 0 to 1")
    if len({_quantile_name(quantile) for quantile in quantiles}) < len(quantiles):
        raise ValueError("quantiles: one stands twice; give each share once")


def _quantile_name(quantile: float) -> str:
    return f"p{100 * quantile:g}"


def _dense_panel(history: pd.DataFrame) -> tuple[pd.Index, FloatArray, Int64Array]:
    """A panel as (names, y by series and age with the latest period first, periods of each)."""
    require_columns(history, ("unique_id", "ds", "y"), "history")
    series, names = pd.factorize(history["unique_id"], sort=True)
    period, _ = pd.factorize(history["ds"], sort=True)
    y = history["y"].to_numpy(dtype=np.float64, na_value=np.nan)
    for wrong, column, fault in (
        (series < 0, "unique_id", "is null; every row needs a series"),
        (period < 0, "ds", "is null; every row needs a period"),
        (~np.isfinite(y), "y", "is not a finite number"),
    ):
        if wrong.any():
            raise ValueError(f"history: column '{column}', row {np.argmax(wrong)}: {fault}")
    order = np.lexsort((period, series))
    series, period, y = series[order], period[order], y[order]
    step = np.diff(period)
    irregular = (series[1:] == series[:-1]) & (step != 1)
    if irregular.any():
        at = int(np.argmax(irregular))
        moment = history["ds"].iloc[order[at]]
        fault = "stands twice" if step[at] == 0 else "is followed by a gap"
        raise ValueError(
            f"history: period {moment} of series {names[series[at]]!r} {fault}; "
            "give one row a series and period"
        )
    periods = np.bincount(series, minlength=len(names)).astype(np.int64)
    age = np.cumsum(periods)[series] - 1 - np.arange(len(y))
    past = np.zeros((len(names), int(periods.max(initial=0))))
    past[series, age] = y
    return pd.Index(names), past, periods


def _weeks_of_history(table: pd.DataFrame, announced_on: date, history_weeks: int) -> Int64Array:
    """Weeks from each seller market's first order to the announcement, a begun one counted."""
    require_columns(table, ("history_start",), "seller_markets")
    try:
        start = pd.to_datetime(table["history_start"]).to_numpy(dtype="datetime64[D]")
    except (TypeError, ValueError) as error:
        raise ValueError(
            "seller_markets: column 'history_start' holds something that is not a day; "
            "cast it to DATE"
        ) from error
    known = ~np.isnat(start)
    cutoff = np.datetime64(announced_on, "D")
    days = np.where(known, (cutoff - np.where(known, start, cutoff)).astype(np.int64), 0)
    weeks: Int64Array = np.clip(-(-days // 7), 0, history_weeks)
    return weeks


def _dense_weeks(
    weekly_demand: pd.DataFrame, table: pd.DataFrame, weeks: Int64Array
) -> tuple[FloatArray, FloatArray]:
    """(volume in milli cubic feet, net sales in minor units) by seller market and week_index."""
    name = "weekly_demand"
    rows = matching_rows(weekly_demand, name, table, "seller_markets")
    week = integers(weekly_demand, "week_index", name)
    volume = integers(weekly_demand, "volume_milli_ft3", name)
    sales = integers(weekly_demand, "net_sales_minor", name, minimum=INT64_MIN)
    beyond = week >= weeks[rows]
    if beyond.any():
        row = int(np.argmax(beyond))
        raise ValueError(
            f"{name}: column 'week_index', row {row}: week {week[row]} lies beyond the "
            f"{weeks[rows[row]]} weeks of history of seller_id "
            f"{weekly_demand['seller_id'].iloc[row]!r}; make both tables with one cut-off"
        )
    width = int(weeks.max(initial=0))
    cell = rows * width + week
    if np.bincount(cell, minlength=1).max(initial=0) > 1:
        require_unique(weekly_demand, (*SELLER_MARKET_KEY, "week_index"), name)
    shape = (len(table), width)
    return (
        _dense(weekly_demand, "volume_milli_ft3", volume, cell, shape, _VOLUME_BELOW),
        _dense(weekly_demand, "net_sales_minor", sales, cell, shape, _SALES_BELOW),
    )


def _dense(
    weekly_demand: pd.DataFrame,
    column: str,
    values: Int64Array,
    cell: Int64Array,
    shape: tuple[int, int],
    limit: int,
) -> FloatArray:
    dense = np.bincount(cell, weights=values, minlength=shape[0] * shape[1])
    past: FloatArray = dense.astype(np.float64, copy=False).reshape(shape)
    # One week alone is caught as well: rounding to a float cannot carry it below the limit.
    if np.abs(past).sum(axis=1).max(initial=0.0) >= limit:
        row = int(np.argmax(np.abs(past).sum(axis=1)[cell // max(shape[1], 1)] >= limit))
        raise ValueError(
            f"weekly_demand: column '{column}', row {row}: the history of seller_id "
            f"{weekly_demand['seller_id'].iloc[row]!r} sums to {limit} or more; "
            "that is too large to forecast, check its unit"
        )
    return past


def _whole(amounts: FloatArray) -> Int64Array:
    return np.rint(amounts).astype(np.int64)
