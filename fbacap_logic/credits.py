"""Performance credits (rules §7).

Here belongs turning incremental sales into credits against fees. Which sales are incremental is
``attribution``; deltas between settlement runs and the ledger are ``settlement``.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from fbacap_logic.frames import (
    SELLER_MARKET_KEY,
    codes_of,
    instants,
    integers,
    require_unique,
    texts,
)
from fbacap_logic.total_order import rank_grants
from fbacap_logic.units import (
    BASIS_POINTS,
    INT64_MAX,
    Int64Array,
    group_sums,
    largest_remainder,
    ratio_floor,
    ratio_half_even,
)


def performance_credits(
    grants: pd.DataFrame, incremental: pd.DataFrame, credit_rate_bp: int, credit_cap_bp: int
) -> pd.DataFrame:
    """Credit of every grant, pooled per seller and market (rules §7).

    ``cap_g = floor(credit_cap_bp × fee_minor_g / 10000)``;
    ``total = max(0, min(round_half_even(incremental × rate / 10000), Σ cap_g))``, divided over the
    grants in proportion to cap_g (largest remainder; ties by the total order, then the round).

    Args:
        grants: seller_id, marketplace_id, storage_type, request_id, round, max_fee_minor_per_ft3,
            submitted_at (the time of the total order), fee_minor.
        incremental: seller_id, marketplace_id, storage_type, incremental_sales_minor; a row for
            every seller and market with a grant.
        credit_rate_bp: credit per incremental sales, basis points, ≥ 0.
        credit_cap_bp: most of a fee that a credit may cover, 0 … 10000 basis points.

    Returns:
        seller_id, marketplace_id, storage_type, request_id, round, fee_minor and credit_minor in
        the order of ``grants``; 0 ≤ credit_minor ≤ fee_minor.

    Raises:
        ValueError: bad columns or rates, a repeated key, or a seller without incremental sales row.

    >>> at = pd.to_datetime(["2026-09-01", "2026-09-01"])
    >>> grants = pd.DataFrame({
    ...     "seller_id": "s", "marketplace_id": "US", "storage_type": "standard",
    ...     "request_id": ["a", "b"], "round": 1, "max_fee_minor_per_ft3": [200, 500],
    ...     "submitted_at": at, "fee_minor": [20_000, 50_000]})
    >>> sales = pd.DataFrame({"seller_id": ["s"], "marketplace_id": "US",
    ...     "storage_type": "standard", "incremental_sales_minor": [300_000]})
    >>> performance_credits(grants, sales, 1500, 10_000)["credit_minor"].tolist()
    [12857, 32143]
    """
    _check_rates(credit_rate_bp, credit_cap_bp)
    keys = {name: texts(grants, name, "grants") for name in SELLER_MARKET_KEY}
    request_id = texts(grants, "request_id", "grants")
    round_ = integers(grants, "round", "grants")
    require_unique(grants, ["request_id", "round"], "grants")
    fee = integers(grants, "fee_minor", "grants")
    rank = rank_grants(
        integers(grants, "max_fee_minor_per_ft3", "grants"),
        instants(grants, "submitted_at", "grants"),
        request_id,
        round_,
    )
    group, first_row = codes_of(*keys.values())
    sellers = pd.DataFrame({name: column[first_row] for name, column in keys.items()})
    cap = ratio_floor([fee, credit_cap_bp], BASIS_POINTS)
    earned = ratio_half_even([_sales_of(sellers, incremental), credit_rate_bp], BASIS_POINTS)
    total = np.maximum(np.minimum(earned, group_sums(cap, group, len(first_row))), 0)
    return pd.DataFrame(
        {
            "seller_id": keys["seller_id"],
            "marketplace_id": keys["marketplace_id"],
            "storage_type": keys["storage_type"],
            "request_id": request_id,
            "round": round_,
            "fee_minor": fee,
            "credit_minor": largest_remainder(total, group, cap, rank),
        }
    )


def _check_rates(credit_rate_bp: int, credit_cap_bp: int) -> None:
    """Rates are whole basis points: a share written as 0.15 would silently count as 0."""
    for name, value in (("credit_rate_bp", credit_rate_bp), ("credit_cap_bp", credit_cap_bp)):
        if isinstance(value, bool) or not isinstance(value, int | np.integer):
            raise ValueError(f"{name} is {value!r}; give whole basis points, 1500 for 15 %")
    if not 0 <= credit_rate_bp <= INT64_MAX or not 0 <= credit_cap_bp <= BASIS_POINTS:
        raise ValueError("credit_rate_bp must be at least 0, and credit_cap_bp within 0 … 10000")


def _sales_of(sellers: pd.DataFrame, incremental: pd.DataFrame) -> Int64Array:
    """Each seller and market's incremental sales; evidence that is missing is never taken as 0."""
    keys = [texts(incremental, name, "incremental") for name in SELLER_MARKET_KEY]
    require_unique(incremental, SELLER_MARKET_KEY, "incremental")
    amount = integers(incremental, "incremental_sales_minor", "incremental", minimum=None)
    known = pd.MultiIndex.from_arrays(keys)
    wanted = pd.MultiIndex.from_arrays([sellers[name] for name in SELLER_MARKET_KEY])
    place = known.get_indexer(wanted)
    if (place < 0).any():
        missing = sellers.iloc[int(np.argmax(place < 0))]
        raise ValueError(
            f"incremental: seller {missing['seller_id']!r} has a grant in "
            f"{missing['marketplace_id']} {missing['storage_type']} but no row; add it, 0 if none"
        )
    return amount[place]
