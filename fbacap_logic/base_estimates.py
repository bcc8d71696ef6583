"""Estimates of base allocations for the two quarters after the announced one (rules §2).

Here belongs what sellers may plan with but not rely on: nothing here is ever confirmed, and
nothing here stops an announcement for what a later quarter may lack. Allocations proper are
``base_allocation``.
"""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd

from fbacap_logic.base_cohorts import claims, cohorts, floors, targets
from fbacap_logic.calendar import Quarter
from fbacap_logic.forecast import LATER_DEMAND_COLUMNS
from fbacap_logic.frames import SELLER_MARKET_KEY, integers
from fbacap_logic.policy import BaseAllocationPolicy
from fbacap_logic.pool_fit import fit_to_pool, names_of, pools_of_quarter
from fbacap_logic.units import Int64Array, group_sums

ESTIMATE_COLUMNS = (
    *SELLER_MARKET_KEY,
    "quarter_start",
    "demand_milli_ft3",
    "estimate_milli_ft3",
    "is_estimate",
)


def estimate_later_quarters(
    sellers: pd.DataFrame,
    forecast: pd.DataFrame,
    multiplier_bp: Int64Array,
    market: Int64Array,
    pool_milli_ft3: Int64Array,
    markets: pd.MultiIndex,
    market_capacity: pd.DataFrame,
    *,
    announced_on: date,
    quarter: Quarter,
    policy: BaseAllocationPolicy,
) -> pd.DataFrame:
    """What each seller may expect in the two quarters after ``quarter`` (rules §2).

    The later quarter's forecast demand, today's multiplier, the cohort that the seller will have
    on that quarter's own announcement day, and that quarter's pool; where its pool is not known
    yet, this quarter's stands for it. Where later floors exceed a later pool, everyone is shown
    the floor: finding the space is for that quarter's announcement.

    Args:
        sellers: rows of facts.seller_markets in the order of their key.
        forecast: their forecasts, row by row.
        multiplier_bp: their multipliers, row by row.
        market: each row's market, an index into the pools.
        pool_milli_ft3: this quarter's pools.
        markets: (marketplace_id, storage_type) of the pools.
        market_capacity: ``facts.market_capacity``.
        announced_on: day of this announcement; later ones lie as far before their quarters.
        quarter: the announced quarter.
        policy: this announcement's policy.

    Returns:
        ``ESTIMATE_COLUMNS``, sorted by seller market and quarter.

    Raises:
        ValueError: a later demand is missing, null or negative.
    """
    later = []
    for distance, column in enumerate(LATER_DEMAND_COLUMNS, start=1):
        later_quarter = quarter.plus(distance)
        known_pool, is_known = pools_of_quarter(market_capacity, later_quarter, markets)
        demand = integers(forecast, column, "forecast")
        announced_later = announced_on + (later_quarter.first_day - quarter.first_day)
        cohort = cohorts(sellers, announced_later, policy)
        floor = floors(cohort, policy)
        estimate = fit_to_pool(
            claims(targets(demand, policy), multiplier_bp, cohort, floor),
            floor,
            market,
            _at_least_the_floors(np.where(is_known, known_pool, pool_milli_ft3), floor, market),
            names_of(markets),
        )
        later.append(
            sellers[list(SELLER_MARKET_KEY)].assign(
                quarter_start=later_quarter.first_day,
                demand_milli_ft3=demand,
                estimate_milli_ft3=estimate,
                is_estimate=True,
            )
        )
    both = pd.concat(later, ignore_index=True)
    by_key = both.sort_values([*SELLER_MARKET_KEY, "quarter_start"], ignore_index=True)
    return by_key[list(ESTIMATE_COLUMNS)]


def _at_least_the_floors(pool: Int64Array, floor: Int64Array, market: Int64Array) -> Int64Array:
    return np.maximum(pool, group_sums(floor, market, len(pool)))
