"""The network's space: base pools, space kept for requests, and its release (rules §§2.6, 4).

Here belongs how an operator that knows its demand well plans a quarter: a little short of claims in
peak quarters, with room to spare in others, and never below the floors that it owes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fbacap_logic.calendar import Quarter
from fbacap_logic.units import Int64Array, largest_remainder
from orchestration.simulation.base_estimates import Claims
from orchestration.simulation.horizon import day64
from orchestration.simulation.population import (
    MARKETPLACES,
    MARKETS,
    STORAGE_TYPES,
)

PEAK_QUARTER = 4
RELEASE_PERCENT = (40, 25, 20, 15)
PUBLISHED_DAYS_BEFORE = 240  # before the quarter begins
LATER_GROWTH_PERCENT = 3  # a quarter, of the plans for quarters beyond the last market

_PEAK_SHORTAGE = (1.12, 1.19)  # claims ÷ pool
_SLACK = (1.10, 1.25)  # pool ÷ claims
_ABOVE_FLOORS = 1.05
_LEAST_POOL_FT3 = 20.0
_PEAK_REQUESTS_SERVED, _SLACK_REQUESTS_SERVED = 0.70, 1.05
_LEAST_REQUEST_SHARE = 0.06  # of the pool
_LEAST_REQUEST_FT3 = 4.0
_MILLI = 1_000


@dataclass(frozen=True)
class MarketSpace:
    """A quarter's space in milli_ft3, by market as ``population.market_number`` counts them."""

    quarter: Quarter
    pool_milli_ft3: Int64Array
    request_milli_ft3: Int64Array


def is_peak(quarter: Quarter) -> bool:
    """Whether a quarter's space is planned short."""
    return quarter.number == PEAK_QUARTER


def plan_pools(
    claims: Claims, market: Int64Array, quarter: Quarter, random: np.random.Generator
) -> Int64Array:
    """Base pools of every market, milli_ft3: short at peak, never below what is owed."""
    shortage = random.uniform(*_PEAK_SHORTAGE, MARKETS)
    slack = random.uniform(*_SLACK, MARKETS)
    claimed = np.bincount(market, weights=claims.claim_ft3, minlength=MARKETS)
    floors = np.bincount(market, weights=claims.floor_ft3, minlength=MARKETS)
    planned = claimed / shortage if is_peak(quarter) else claimed * slack
    pool = np.maximum(np.maximum(planned, floors * _ABOVE_FLOORS), _LEAST_POOL_FT3)
    return np.ceil(pool * _MILLI).astype(np.int64)


def plan_request_space(
    asked_milli_ft3: Int64Array, pool_milli_ft3: Int64Array, quarter: Quarter
) -> Int64Array:
    """Space kept for requests, milli_ft3: most of what is asked for, all of it off peak."""
    served = _PEAK_REQUESTS_SERVED if is_peak(quarter) else _SLACK_REQUESTS_SERVED
    least = np.maximum(pool_milli_ft3 * _LEAST_REQUEST_SHARE, _LEAST_REQUEST_FT3 * _MILLI)
    return np.ceil(np.maximum(asked_milli_ft3 * served, least)).astype(np.int64)


def release(request_milli_ft3: Int64Array) -> Int64Array:
    """What each round offers, shape (markets, rounds); each market's rounds sum to its space.

    >>> release(np.array([101])).tolist()
    [[41, 25, 20, 15]]
    """
    rounds, markets = len(RELEASE_PERCENT), len(request_milli_ft3)
    group = np.repeat(np.arange(markets), rounds)
    weights = np.tile(np.array(RELEASE_PERCENT, dtype=np.int64), markets)
    parts = largest_remainder(request_milli_ft3, group, weights, np.arange(markets * rounds))
    return parts.reshape(markets, rounds)


def market_columns(markets: Int64Array) -> dict[str, list[str]]:
    """The names of markets, as columns of a table."""
    kinds = len(STORAGE_TYPES)
    return {
        "marketplace_id": [MARKETPLACES[m // kinds] for m in markets.tolist()],
        "storage_type": [STORAGE_TYPES[m % kinds] for m in markets.tolist()],
    }


def capacity_columns(plans: list[MarketSpace], markets: Int64Array) -> dict[str, object]:
    """Rows of network_capacity for every plan and the two quarters after, by key."""
    last = plans[-1]
    later = [
        MarketSpace(
            last.quarter.plus(ahead),
            _grown(last.pool_milli_ft3, ahead),
            _grown(last.request_milli_ft3, ahead),
        )
        for ahead in (1, 2)
    ]
    spaces = [*plans, *later]
    row_market, row_plan = _by_market_then_plan(markets, len(spaces))
    pool = np.stack([space.pool_milli_ft3 for space in spaces])[row_plan, row_market]
    request = np.stack([space.request_milli_ft3 for space in spaces])[row_plan, row_market]
    first_days = np.array([day64(space.quarter.first_day) for space in spaces])
    return {
        **market_columns(row_market),
        "quarter": first_days[row_plan],
        "network_ft3": pool + request,
        "request_ft3": request,
        "received_at": _published(first_days)[row_plan],
    }


def supply_columns(
    plans: list[MarketSpace], releases: list[Int64Array], markets: Int64Array
) -> dict[str, object]:
    """Rows of round_supply for every plan, by key; ``releases`` as ``release`` gives them."""
    rounds = releases[0].shape[1]
    row_market, row_plan = _by_market_then_plan(markets, len(plans))
    first_days = np.array([day64(plan.quarter.first_day) for plan in plans])
    released = np.stack(releases)[row_plan, row_market]
    return {
        **{name: np.repeat(v, rounds) for name, v in market_columns(row_market).items()},
        "quarter": np.repeat(first_days[row_plan], rounds),
        "round": np.tile(np.arange(1, rounds + 1), len(row_market)),
        "released_ft3": released.ravel(),
        "received_at": np.repeat(_published(first_days)[row_plan], rounds),
    }


def _by_market_then_plan(markets: Int64Array, plans: int) -> tuple[Int64Array, Int64Array]:
    return np.repeat(markets, plans), np.tile(np.arange(plans), len(markets))


def _grown(milli_ft3: Int64Array, quarters: int) -> Int64Array:
    return milli_ft3 * (100 + LATER_GROWTH_PERCENT * quarters) // 100


def _published(first_days: np.ndarray) -> np.ndarray:
    return first_days - np.timedelta64(PUBLISHED_DAYS_BEFORE, "D")
