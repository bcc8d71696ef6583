"""How well a seller uses its space, as a score from 0 to 1000 (rules §2.3).

Here belong the four components, their points and the score they make, in integers throughout. Here
does not belong what a score does to an allocation (``base_allocation``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from fbacap_logic.frames import SELLER_MARKET_KEY, BoolArray, integers, nullable
from fbacap_logic.policy import BaseAllocationPolicy
from fbacap_logic.seller_market_rows import matching_rows, sorted_by_seller_market
from fbacap_logic.units import BASIS_POINTS, Int64Array, ratio_half_even

SCORE_COLUMNS = (
    "excess_share_bp",
    "sell_through_bp",
    "stranded_share_bp",
    "in_stock_rate_bp",
    "excess_points",
    "sell_through_points",
    "stranded_points",
    "in_stock_points",
    "score",
)

# A component's column of values and its column of points.
COLUMNS_OF_COMPONENT = {
    "excess_share": ("excess_share_bp", "excess_points"),
    "sell_through": ("sell_through_bp", "sell_through_points"),
    "stranded_share": ("stranded_share_bp", "stranded_points"),
    "in_stock_rate": ("in_stock_rate_bp", "in_stock_points"),
}
_SELL_THROUGH_MOST_BP = 10_000 * BASIS_POINTS
_TABLE = "inventory_health"

_Component = tuple[Int64Array, BoolArray]  # (values, 0 where there is no evidence; no evidence)


def performance_scores(
    inventory_health: pd.DataFrame, forecast: pd.DataFrame, policy: BaseAllocationPolicy
) -> pd.DataFrame:
    """Score every seller market, with every component's value and points (rules §2.3).

    Args:
        inventory_health: ``facts.inventory_health``.
        forecast: ``forecast_quarter``'s table; cover_90d_milli_ft3 is read.
        policy: components with their weights and breakpoints, score_without_evidence.

    Returns:
        One row per row of inventory_health, ordered by SELLER_MARKET_KEY, then SCORE_COLUMNS.
        Values in basis points and points 0–1000 are nullable: null without evidence, points also
        where the policy does not use the component. A component without evidence leaves its
        weight to the others; without any, the score is score_without_evidence.

    Raises:
        ValueError: a key twice, a seller market without a forecast, a column that is not what it
            should be, more SKU days in stock than SKU days.
    """
    health = sorted_by_seller_market(inventory_health, _TABLE)
    rows = matching_rows(health, _TABLE, forecast, "forecast")
    cover = integers(forecast, "cover_90d_milli_ft3", "forecast")[rows]
    components: dict[str, _Component] = {
        "excess_share": _excess_share(health, cover),
        "sell_through": _sell_through(health),
        "stranded_share": _stranded_share(health),
        "in_stock_rate": _in_stock_rate(health),
    }
    points = _points(components, policy)
    result = health.loc[:, list(SELLER_MARKET_KEY)].copy()
    for name, (value_column, _) in COLUMNS_OF_COMPONENT.items():
        result[value_column] = nullable(*components[name])
    for name, (_, points_column) in COLUMNS_OF_COMPONENT.items():
        result[points_column] = nullable(*points[name])
    result["score"] = _weighted_score(points, policy, len(health))
    return result


def piecewise_linear(values: Int64Array, breakpoints: Sequence[tuple[int, int]]) -> Int64Array:
    """Read values off a broken line, rounded half to even; flat before and after its ends.

    Never falls where the line never falls, and the other way round.

    Args:
        values: whole numbers in the unit of the breakpoints' first members.
        breakpoints: (value, result), at least one, values ascending.

    Raises:
        ValueError: no breakpoints, or values that do not ascend.

    >>> piecewise_linear(np.array([-5, 0, 250, 500, 2000]), [(0, 6000), (500, 10_000)])
    array([ 6000,  6000,  8000, 10000, 10000])
    """
    starts = np.array([start for start, _ in breakpoints], dtype=np.int64)
    results = np.array([result for _, result in breakpoints], dtype=np.int64)
    if len(starts) == 0 or np.any(np.diff(starts) <= 0):
        raise ValueError("breakpoints: give at least one, with values that ascend")
    if len(starts) == 1:
        return np.full(len(values), results[0], dtype=np.int64)
    inside = np.clip(values, starts[0], starts[-1])
    segment = np.clip(np.searchsorted(starts, inside, side="right") - 1, 0, len(starts) - 2)
    risen = ratio_half_even(
        [inside - starts[segment], np.diff(results)[segment]], np.diff(starts)[segment]
    )
    return np.asarray(results[segment] + risen, dtype=np.int64)


def _excess_share(health: pd.DataFrame, cover: Int64Array) -> _Component:
    """Part of the stock's volume above 90 days of forecast cover, in basis points."""
    stock = integers(health, "on_hand_volume_milli_ft3", _TABLE)
    return _ratio_bp(np.maximum(stock - cover, 0), stock)


def _stranded_share(health: pd.DataFrame) -> _Component:
    """Part of the stock that cannot be sold, in basis points."""
    stock = integers(health, "on_hand_unit_days", _TABLE)
    stranded = integers(health, "stranded_unit_days", _TABLE)
    # An operator may count stranded units apart from those on hand; the share stays a share.
    return _ratio_bp(stranded, np.maximum(stock, stranded))


def _in_stock_rate(health: pd.DataFrame) -> _Component:
    """Part of the days of SKUs that sold on which the SKU was in stock, in basis points."""
    in_stock = integers(health, "in_stock_sku_days", _TABLE)
    all_days = integers(health, "sku_days", _TABLE)
    over = in_stock > all_days
    if over.any():
        row = int(np.argmax(over))
        raise ValueError(
            f"{_TABLE}: in_stock_sku_days of seller_id {health['seller_id'].iloc[row]!r} is "
            f"{in_stock[row]}, above its sku_days {all_days[row]}; count only SKUs that sold"
        )
    return _ratio_bp(in_stock, all_days)


def _sell_through(health: pd.DataFrame) -> _Component:
    """Units shipped in 90 days ÷ average units on hand, in basis points.

    Space won in rounds and left empty counts as units that do not sell, as many as would have
    filled it: an average over the snapshot days, like the stock it is added to.
    """
    shipped = integers(health, "shipped_units_90d", _TABLE)
    days = integers(health, "snapshot_days_90d", _TABLE)
    stock = integers(health, "on_hand_unit_days", _TABLE)
    idle = integers(health, "idle_extra_milli_ft3_days", _TABLE)
    units, volume = _mean_unit(health, shipped)
    # shipped ÷ ((stock + idle × units ÷ volume) ÷ days), as one fraction of unbounded integers.
    sold = _unbounded(shipped) * days * volume * BASIS_POINTS
    held = _unbounded(stock) * volume + _unbounded(idle) * units
    capped = np.asarray(sold >= held * _SELL_THROUGH_MOST_BP, dtype=np.bool_)
    ratio = ratio_half_even(
        [np.where(capped, _unbounded(np.zeros_like(shipped)), sold)], np.where(capped, 1, held)
    )
    missing = (days == 0) | ((shipped == 0) & (stock == 0) & (idle == 0))
    values = np.where(capped, _SELL_THROUGH_MOST_BP, ratio)
    return np.where(missing, 0, values).astype(np.int64), missing


def _mean_unit(health: pd.DataFrame, shipped: Int64Array) -> tuple[Int64Array, Int64Array]:
    """Units and the milli cubic feet they fill: the stock on hand, or else what was shipped."""
    on_hand = integers(health, "on_hand_units", _TABLE)
    on_hand_volume = integers(health, "on_hand_volume_milli_ft3", _TABLE)
    shipped_volume = integers(health, "shipped_volume_milli_ft3_90d", _TABLE)
    in_stock = on_hand > 0
    units = np.where(in_stock, on_hand, shipped)
    volume = np.where(in_stock, on_hand_volume, shipped_volume)
    # With neither, nothing sold: any size of unit gives the same 0. A volume that rounded to 0
    # milli cubic feet is still some volume.
    return np.maximum(units, 1), np.maximum(volume, 1)


def _ratio_bp(part: Int64Array, whole: Int64Array) -> _Component:
    """``part / whole`` in basis points; no evidence where the whole is 0."""
    missing = whole == 0
    share = ratio_half_even([part, BASIS_POINTS], np.where(missing, 1, whole))
    return np.where(missing, 0, share), missing


def _points(
    components: Mapping[str, _Component], policy: BaseAllocationPolicy
) -> dict[str, _Component]:
    """Points of each component; no evidence where the policy does not use it."""
    lines: dict[str, tuple[tuple[int, int], ...]] = {
        component.name: component.breakpoints for component in policy.components
    }
    points: dict[str, _Component] = {}
    for name, (values, missing) in components.items():
        if name in lines:
            read = piecewise_linear(values, lines[name])
            points[name] = (np.where(missing, 0, read), missing)
        else:
            points[name] = (np.zeros_like(values), np.ones_like(missing))
    return points


def _weighted_score(
    points: Mapping[str, _Component], policy: BaseAllocationPolicy, rows: int
) -> Int64Array:
    earned = np.zeros(rows, dtype=np.int64)
    weights = np.zeros(rows, dtype=np.int64)
    for component in policy.components:
        values, missing = points[component.name]
        weight = np.where(missing, 0, component.weight_bp)
        earned += weight * values
        weights += weight
    without = weights == 0
    score = ratio_half_even([earned], np.where(without, 1, weights))
    return np.where(without, policy.score_without_evidence, score).astype(np.int64)


def _unbounded(values: Int64Array) -> npt.NDArray[np.object_]:
    """Python integers: products of unit days and volumes may pass 63 bits."""
    return values.astype(object)
