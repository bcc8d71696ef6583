"""Attribution: which sales did the extra space make? (rules §6).

Here belong the three methods, per day and per quarter. Dividing a day over its grants is
``attribution_evidence``; net sales and used volume come from SQL; what the sales earn is
``credits``.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from fbacap_logic.attribution_division import share_half_even
from fbacap_logic.attribution_evidence import GRANT_EVIDENCE_DAY_COLUMNS, evidence_by_grant
from fbacap_logic.frames import (
    SELLER_MARKET_KEY,
    codes_of,
    flags,
    integers,
    refuse,
    require_columns,
    require_unique,
    texts,
)
from fbacap_logic.policy import Policy
from fbacap_logic.units import (
    INT64_MAX,
    MICRO_PER_MINOR,
    Int64Array,
    group_sums,
    ratio_half_even,
)

INCREMENTAL_SALES_DAY_COLUMNS = (
    "marketplace_id", "storage_type", "seller_id", "day", "net_sales_minor", "used_milli_ft3",
    "base_milli_ft3", "extra_milli_ft3", "extra_used_milli_ft3", "usage_layer_micro_minor",
    "capacity_share_micro_minor", "is_carried", "is_missing",
)  # fmt: skip
INCREMENTAL_SALES_COLUMNS = (
    "marketplace_id", "storage_type", "seller_id", "method", "incremental_sales_minor",
    "usage_layer_minor", "capacity_share_minor", "forecast_uplift_minor", "net_sales_minor",
    "sales_forecast_minor", "missing_days", "carried_days",
)  # fmt: skip


def attribute_days(days: pd.DataFrame) -> pd.DataFrame:
    """Each day's sales made by extra space, in millionths of a minor unit (rules §6).

    ``extra_used = min(extra, max(0, used − base))``; usage_layer is
    ``round_half_even(net_sales × 10^6 × extra_used / used)`` and capacity_share
    ``round_half_even(net_sales × 10^6 × extra / (base + extra))``, exact in 128 bits, and 0 where
    the divisor is 0.

    Args:
        days: facts.seller_market_days: net_sales_minor, used_milli_ft3, base_milli_ft3,
            extra_milli_ft3 and any other columns.

    Returns:
        ``days`` in its order with extra_used_milli_ft3, usage_layer_micro_minor and
        capacity_share_micro_minor added.

    Raises:
        ValueError: bad columns, or a day's amount that does not fit in 64 bits.

    >>> attribute_days(pd.DataFrame({
    ...     "net_sales_minor": [900], "used_milli_ft3": [3000], "base_milli_ft3": [2000],
    ...     "extra_milli_ft3": [2000]})).iloc[0, -3:].tolist()
    [1000, 300000000, 450000000]
    """
    table = "seller_market_days"
    sales = integers(days, "net_sales_minor", table)
    used = integers(days, "used_milli_ft3", table)
    base = integers(days, "base_milli_ft3", table)
    extra = integers(days, "extra_milli_ft3", table)
    too_large = extra > INT64_MAX - base
    if too_large.any():
        row = int(np.argmax(too_large))
        refuse(table, "extra_milli_ft3", row, "plus base_milli_ft3 passes 2^63 - 1")
    extra_used = np.minimum(extra, np.maximum(used - base, 0))
    return days.assign(
        extra_used_milli_ft3=extra_used,
        usage_layer_micro_minor=_share(sales, extra_used, used, "used_milli_ft3"),
        capacity_share_micro_minor=_share(sales, extra, base + extra, "extra_milli_ft3"),
    )


def attribute_quarter(days: pd.DataFrame, forecasts: pd.DataFrame, policy: Policy) -> pd.DataFrame:
    """Incremental sales of each seller and market by every method, and which one pays (rules §6).

    The days' millionths are summed and rounded half-even to minor units once per seller and
    market. ``forecast_uplift = max(0, net_sales − sales_forecast)``.

    Args:
        days: facts.seller_market_days, one row per seller, market and day of the whole quarter,
            with is_carried and is_missing.
        forecasts: marketplace_id, seller_id, storage_type, sales_forecast_minor of
            base_allocations. A seller without a row was forecast nothing.
        policy: ``settlement.attribution_method`` names the method that pays.

    Returns:
        incremental_sales, one row per seller and market, sorted by that key.

    Raises:
        ValueError: bad columns, a repeated day or forecast, or a sum past 64 bits.
    """
    table = "seller_market_days"
    require_unique(days, [*SELLER_MARKET_KEY, "day"], table)
    require_unique(forecasts, SELLER_MARKET_KEY, "forecasts")
    daily = attribute_days(days)
    keys = {name: texts(days, name, table) for name in SELLER_MARKET_KEY}
    group, first_row = codes_of(*keys.values())
    groups = len(first_row)
    totals = {
        method: _rounded_sum(daily[f"{method}_micro_minor"].to_numpy(), group, groups)
        for method in ("usage_layer", "capacity_share")
    }
    net_sales = group_sums(integers(days, "net_sales_minor", table), group, groups)
    result = pd.DataFrame({name: column[first_row] for name, column in keys.items()})
    forecast = _forecasts(result, forecasts)
    totals["forecast_uplift"] = np.maximum(net_sales - forecast, 0)
    method = policy.settlement.attribution_method
    result["method"] = np.full(groups, method, dtype=object)
    result["incremental_sales_minor"] = totals[method]
    for name, total in totals.items():
        result[f"{name}_minor"] = total
    result["net_sales_minor"] = net_sales
    result["sales_forecast_minor"] = forecast
    for counted, flag in (("missing_days", "is_missing"), ("carried_days", "is_carried")):
        marked = flags(days, flag, table).astype(np.int64)
        result[counted] = group_sums(marked, group, groups)
    return result[list(INCREMENTAL_SALES_COLUMNS)]


def _share(sales: Int64Array, part: Int64Array, whole: Int64Array, column: str) -> Int64Array:
    """``round_half_even(sales × 10^6 × part / whole)``, 0 where the whole is 0.

    A day's share never passes the day's sales, so only a day whose sales alone are too large for
    millionths in 64 bits can be refused; those few days take the slower way.
    """
    amount = np.zeros(len(sales), dtype=np.int64)
    has_share = (part > 0) & (whole > 0)
    fits = sales <= INT64_MAX // MICRO_PER_MINOR
    rows, large = np.flatnonzero(has_share & fits), np.flatnonzero(has_share & ~fits)
    amount[rows] = share_half_even(sales[rows] * MICRO_PER_MINOR, part[rows], whole[rows])
    try:
        amount[large] = ratio_half_even([sales[large], MICRO_PER_MINOR, part[large]], whole[large])
    except ValueError as error:
        row = int(large[0])
        raise ValueError(
            f"seller_market_days: column 'net_sales_minor', row {row}: its share by {column} in "
            f"millionths passes 2^63 - 1; a day's sales must stay below 9.2 × 10^12 minor units"
        ) from error
    return amount


def _rounded_sum(micro_minor: Int64Array, group: Int64Array, groups: int) -> Int64Array:
    return ratio_half_even([group_sums(micro_minor, group, groups)], MICRO_PER_MINOR)


def _forecasts(sellers: pd.DataFrame, forecasts: pd.DataFrame) -> Int64Array:
    """The announced sales forecast of each seller and market, 0 where none was made."""
    require_columns(forecasts, SELLER_MARKET_KEY, "forecasts")
    amount = integers(forecasts, "sales_forecast_minor", "forecasts")
    known = pd.MultiIndex.from_arrays([forecasts[name] for name in SELLER_MARKET_KEY])
    wanted = pd.MultiIndex.from_arrays([sellers[name] for name in SELLER_MARKET_KEY])
    place = known.get_indexer(wanted)
    found = place >= 0
    result = np.zeros(len(sellers), dtype=np.int64)
    result[found] = amount[place[found]]
    return result


__all__ = [
    "GRANT_EVIDENCE_DAY_COLUMNS",
    "INCREMENTAL_SALES_COLUMNS",
    "INCREMENTAL_SALES_DAY_COLUMNS",
    "attribute_days",
    "attribute_quarter",
    "evidence_by_grant",
]
