"""Base allocations: what every seller gets without asking, and why (rules §2).

Here belongs the order of the steps of an announcement. The steps live beside it: ``forecast`` and
``score`` come first, ``base_cohorts`` makes claims, ``pool_fit`` fits them to the pools,
``base_change`` explains the change, ``base_estimates`` looks two quarters on. Requests for more
space than this are ``requests``.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd

from fbacap_logic.base_change import CHANGE_COLUMNS, explain_change
from fbacap_logic.base_cohorts import (
    INDIVIDUAL,
    NEW_PROFESSIONAL,
    PROFESSIONAL,
    claims,
    cohorts,
    floors,
    targets,
)
from fbacap_logic.base_estimates import ESTIMATE_COLUMNS, estimate_later_quarters
from fbacap_logic.calendar import Quarter
from fbacap_logic.frames import MARKET_KEY, SELLER_MARKET_KEY, codes_of, integers, require_unique
from fbacap_logic.policy import BaseAllocationPolicy
from fbacap_logic.pool_fit import fit_to_pool, names_of, pools_of_quarter
from fbacap_logic.score import SCORE_COLUMNS, piecewise_linear
from fbacap_logic.seller_market_rows import matching_rows, sorted_by_seller_market
from fbacap_logic.units import Int64Array

__all__ = [
    "ALLOCATION_COLUMNS",
    "ESTIMATE_COLUMNS",
    "INDIVIDUAL",
    "NEW_PROFESSIONAL",
    "PROFESSIONAL",
    "BaseAllocation",
    "allocate",
    "cohorts",
    "explain_change",
    "fit_to_pool",
    "multiplier_bp",
]

_FORECAST_COLUMNS = (
    "demand_p10_milli_ft3",
    "demand_p50_milli_ft3",
    "demand_p90_milli_ft3",
    "demand_milli_ft3",
    "sales_forecast_minor",
)

ALLOCATION_COLUMNS = (
    *SELLER_MARKET_KEY,
    "cohort",
    *_FORECAST_COLUMNS,
    "target_milli_ft3",
    *SCORE_COLUMNS,
    "multiplier_bp",
    "unscaled_milli_ft3",
    "floor_milli_ft3",
    "pool_milli_ft3",
    "base_milli_ft3",
    *CHANGE_COLUMNS,
)

_SELLERS = "facts.seller_markets"
_CONFIRMED = "history.confirmed_base_allocations"


@dataclass(frozen=True)
class BaseAllocation:
    """One announcement: ``base_allocations`` and ``base_allocation_estimates`` (rules §2)."""

    allocations: pd.DataFrame
    estimates: pd.DataFrame


def multiplier_bp(score: Int64Array, policy: BaseAllocationPolicy) -> Int64Array:
    """What a performance score (0–1000) multiplies the target by, basis points (rules §2.4).

    >>> multiplier_bp(np.array([0, 250, 500, 1000]), BaseAllocationPolicy()).tolist()
    [6000, 8000, 10000, 13000]
    """
    return piecewise_linear(score, policy.multiplier_points)


def allocate(
    seller_markets: pd.DataFrame,
    forecast: pd.DataFrame,
    scores: pd.DataFrame,
    market_capacity: pd.DataFrame,
    *,
    previous_base_allocations: pd.DataFrame,
    confirmed_base_allocations: pd.DataFrame,
    announced_on: date,
    quarter: Quarter,
    policy: BaseAllocationPolicy,
) -> BaseAllocation:
    """Announce one quarter: a base for every seller market, and two estimates (rules §2).

    Announcing again from the same facts, with the first result as confirmed, gives the same rows.

    Args:
        seller_markets: ``facts.seller_markets``.
        forecast: one row a seller market, as ``forecast`` gives it.
        scores: one row a seller market, as ``score`` gives it.
        market_capacity: ``facts.market_capacity``.
        previous_base_allocations: the quarter before's announcement, or no rows.
        confirmed_base_allocations: this quarter's announcement if it was published, or no rows.
        announced_on: the announcement day, which ages are counted to.
        quarter: the quarter that is announced.
        policy: the policy in force on the announcement day.

    Returns:
        ``ALLOCATION_COLUMNS`` sorted by marketplace_id, storage_type and seller_id (bytes), and
        ``ESTIMATE_COLUMNS`` sorted by these and quarter_start.

    Raises:
        ValueError: a market has no capacity in the quarter, its floors or confirmed volumes exceed
            its pool, a confirmed seller is not in ``seller_markets``, an account type is unknown,
            or an input breaks its shape.
    """
    sellers = sorted_by_seller_market(seller_markets, _SELLERS)
    forecast = _row_by_row(forecast, "forecast", sellers)
    scores = _row_by_row(scores, "scores", sellers)
    confirmed = _confirmed_volumes(confirmed_base_allocations, sellers)
    market, markets = _markets(sellers)
    pool = _pools(market_capacity, quarter, markets)

    claimed = _claim(sellers, forecast, scores, announced_on, policy)
    base = fit_to_pool(
        claimed["unscaled_milli_ft3"].to_numpy(),
        claimed["floor_milli_ft3"].to_numpy(),
        market,
        pool,
        names_of(markets),
        confirmed,
    )
    allocations = claimed.assign(pool_milli_ft3=pool[market], base_milli_ft3=base)
    change = explain_change(allocations, previous_base_allocations)
    estimates = estimate_later_quarters(
        sellers,
        forecast,
        claimed["multiplier_bp"].to_numpy(),
        market,
        pool,
        markets,
        market_capacity,
        announced_on=announced_on,
        quarter=quarter,
        policy=policy,
    )
    return BaseAllocation(
        allocations=allocations.assign(**change)[list(ALLOCATION_COLUMNS)], estimates=estimates
    )


def _claim(
    sellers: pd.DataFrame,
    forecast: pd.DataFrame,
    scores: pd.DataFrame,
    announced_on: date,
    policy: BaseAllocationPolicy,
) -> pd.DataFrame:
    """All columns of an allocation that do not depend on the pool, from rows that match."""
    cohort = cohorts(sellers, announced_on, policy)
    floor = floors(cohort, policy)
    target = targets(integers(forecast, "demand_milli_ft3", "forecast"), policy)
    multiplier = multiplier_bp(integers(scores, "score", "scores"), policy)
    return sellers[list(SELLER_MARKET_KEY)].assign(
        cohort=cohort,
        **{column: integers(forecast, column, "forecast") for column in _FORECAST_COLUMNS},
        target_milli_ft3=target,
        **{column: scores[column] for column in SCORE_COLUMNS},
        multiplier_bp=multiplier,
        unscaled_milli_ft3=claims(target, multiplier, cohort, floor),
        floor_milli_ft3=floor,
    )


def _markets(sellers: pd.DataFrame) -> tuple[Int64Array, pd.MultiIndex]:
    """Each row's market as a number, and the markets in the order of these numbers."""
    key = list(MARKET_KEY)
    market, first_row = codes_of(*(sellers[column].to_numpy(dtype=object) for column in key))
    return market, pd.MultiIndex.from_frame(sellers.loc[first_row, key])


def _row_by_row(frame: pd.DataFrame, table: str, sellers: pd.DataFrame) -> pd.DataFrame:
    """The frame's rows in the order of the sellers; exactly one for each, and none besides."""
    matching_rows(frame, table, sellers, _SELLERS)
    rows = matching_rows(sellers, _SELLERS, frame, table)
    return frame.take(rows).reset_index(drop=True)


def _pools(market_capacity: pd.DataFrame, quarter: Quarter, markets: pd.MultiIndex) -> Int64Array:
    pool, is_known = pools_of_quarter(market_capacity, quarter, markets)
    unknown = names_of(markets[~is_known])
    if unknown:
        others = f" (and {len(unknown) - 1} more markets)" if len(unknown) > 1 else ""
        raise ValueError(
            f"market {unknown[0]}{others} has sellers but no capacity in {quarter.label}; "
            "add it to network_capacity"
        )
    return pool


def _confirmed_volumes(confirmed: pd.DataFrame, sellers: pd.DataFrame) -> Int64Array:
    """What each seller market was announced before for this quarter; 0 where nothing was."""
    require_unique(confirmed, SELLER_MARKET_KEY, _CONFIRMED)
    keys = list(SELLER_MARKET_KEY)
    volumes = integers(confirmed, "base_milli_ft3", _CONFIRMED)
    place = pd.MultiIndex.from_frame(sellers[keys]).get_indexer(
        pd.MultiIndex.from_frame(confirmed[keys])
    )
    if np.any(place < 0):
        lost = confirmed.loc[place < 0, keys].sort_values(keys).iloc[0]
        raise ValueError(
            f"seller {lost['seller_id']} has a confirmed base allocation in market "
            f"{lost['marketplace_id']}/{lost['storage_type']} but is not in {_SELLERS}; "
            "restore its products, since a confirmed allocation is never lowered"
        )
    result = np.zeros(len(sellers), dtype=np.int64)
    result[place] = volumes
    return result
