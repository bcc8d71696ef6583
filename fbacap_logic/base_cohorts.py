"""Cohorts of sellers, their floors and their claims to base space (rules §§2.2, 2.5).

Here belongs who counts as what on an announcement day, and what that gives before the pool is
looked at. Fitting the claims is ``pool_fit``; the order of the steps is ``base_allocation``.
"""

from __future__ import annotations

from datetime import date

import numpy as np
import numpy.typing as npt
import pandas as pd

from fbacap_logic.frames import SELLER_MARKET_KEY, require_columns
from fbacap_logic.policy import BaseAllocationPolicy
from fbacap_logic.units import BASIS_POINTS, Int64Array, ratio_half_even

INDIVIDUAL = "individual"
NEW_PROFESSIONAL = "new_professional"
PROFESSIONAL = "professional"

WEEKS_IN_QUARTER = 13

_ACCOUNT_TYPES = ("individual", "professional")

CohortArray = npt.NDArray[np.object_]


def cohorts(
    seller_markets: pd.DataFrame, announced_on: date, policy: BaseAllocationPolicy
) -> CohortArray:
    """The cohort of every row of seller_markets on an announcement day (rules §2.5).

    A professional is new if it joined less than ``policy.new_professional_weeks`` before
    ``announced_on``. Where the joining day is not known, the seller's first order in the
    marketplace, in any storage type, stands for it; a seller with neither is new.

    Returns:
        One of ``INDIVIDUAL``, ``NEW_PROFESSIONAL``, ``PROFESSIONAL`` a row, in the rows' order.

    Raises:
        ValueError: a column is missing, or an account type is not known.

    >>> sellers = pd.DataFrame({"marketplace_id": "us", "storage_type": "standard",
    ...     "seller_id": ["a", "b"], "account_type": "professional", "history_start": None,
    ...     "joined_on": [date(2020, 1, 1), date(2026, 7, 1)]})
    >>> cohorts(sellers, date(2026, 8, 20), BaseAllocationPolicy()).tolist()
    ['professional', 'new_professional']
    """
    require_columns(
        seller_markets,
        (*SELLER_MARKET_KEY, "account_type", "joined_on", "history_start"),
        "facts.seller_markets",
    )
    _require_known_account_types(seller_markets)
    joined = _days(seller_markets["joined_on"])
    first_order = _days(seller_markets["history_start"])
    seller = [seller_markets["marketplace_id"], seller_markets["seller_id"]]
    earliest = first_order.groupby(seller, dropna=False).transform("min")
    since = joined.fillna(earliest)
    age_limit = np.datetime64(announced_on, "D") - np.timedelta64(
        7 * policy.new_professional_weeks, "D"
    )
    is_new = (since.isna() | (since > pd.Timestamp(age_limit))).to_numpy()
    is_individual = (seller_markets["account_type"] == "individual").to_numpy()
    result = np.where(is_new, NEW_PROFESSIONAL, PROFESSIONAL)
    return np.where(is_individual, INDIVIDUAL, result).astype(object)


def floors(cohort: CohortArray, policy: BaseAllocationPolicy) -> Int64Array:
    """The least that each row's cohort gives, milli_ft3 (rules §2.5).

    >>> floors(np.array([INDIVIDUAL, PROFESSIONAL], object), BaseAllocationPolicy()).tolist()
    [15000, 0]
    """
    floor = np.zeros(len(cohort), dtype=np.int64)
    floor[cohort == INDIVIDUAL] = policy.individual_milli_ft3
    floor[cohort == NEW_PROFESSIONAL] = policy.new_professional_floor_milli_ft3
    return floor


def targets(demand_milli_ft3: Int64Array, policy: BaseAllocationPolicy) -> Int64Array:
    """Demand stretched over the policy's weeks of cover, milli_ft3 (rules §2.2).

    >>> targets(np.array([13_000]), BaseAllocationPolicy()).tolist()
    [22000]
    """
    return ratio_half_even([demand_milli_ft3, policy.cover_weeks], WEEKS_IN_QUARTER)


def claims(
    target_milli_ft3: Int64Array,
    multiplier_bp: Int64Array,
    cohort: CohortArray,
    floor_milli_ft3: Int64Array,
) -> Int64Array:
    """What each row would get if no pool were short, milli_ft3 (rules §§2.4–2.5).

    An individual gets its floor, whatever it sells; everyone else target × multiplier, at least
    the floor.

    >>> claims(np.array([9_000, 9_000]), np.array([13_000, 13_000]),
    ...     np.array([INDIVIDUAL, PROFESSIONAL], object), np.array([15_000, 0])).tolist()
    [15000, 11700]
    """
    earned = ratio_half_even([target_milli_ft3, multiplier_bp], BASIS_POINTS)
    return np.where(cohort == INDIVIDUAL, floor_milli_ft3, np.maximum(earned, floor_milli_ft3))


def _days(column: pd.Series) -> pd.Series:
    # Seconds, not pandas' nanoseconds: those end in 2262, and a wrong far date is no crash here.
    return column.astype("datetime64[s]")


def _require_known_account_types(seller_markets: pd.DataFrame) -> None:
    unknown = seller_markets[~seller_markets["account_type"].isin(_ACCOUNT_TYPES)]
    if unknown.empty:
        return
    first = unknown.sort_values(list(SELLER_MARKET_KEY), kind="stable").iloc[0]
    kind = first["account_type"]
    described = "no account type" if pd.isna(kind) else f"the account type '{kind}'"
    raise ValueError(
        f"seller {first['seller_id']} of marketplace {first['marketplace_id']} has {described}; "
        f"make it one of {', '.join(_ACCOUNT_TYPES)} in the sellers table"
    )
