"""Figures of a stage's tables as single numbers, which the UI plots over quarters.

Here belong sums and counts for people who watch; nothing that is published or paid reads them.
Money is never summed over currencies: it stands by market, or by marketplace, which has one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

import pandas as pd

from fbacap_logic.frames import MARKET_KEY, SELLER_MARKET_KEY

PLOTTED_MARKETS = 20
_LAST_ROUND = (
    "supply_milli_ft3",
    "demanded_milli_ft3",
    "unsold_milli_ft3",
    "clearing_fee_minor_per_ft3",
    "cover_ratio_bp",
    "marginal_fill_bp",
    "winners",
)
_SALES = (
    "incremental_sales_minor",
    "usage_layer_minor",
    "capacity_share_minor",
    "forecast_uplift_minor",
    "net_sales_minor",
)
_DUES = ("fee_minor", "credit_minor", "net_due_minor", "delta_net_due_minor")


def sums_by(frame: pd.DataFrame, keys: Sequence[str], names: Sequence[str]) -> dict[str, int]:
    """Σ of some columns by market or marketplace, of the first in key order.

    >>> frame = pd.DataFrame({"marketplace_id": ["US", "US"], "fee_minor": [1, 2]})
    >>> sums_by(frame, ["marketplace_id"], ["fee_minor"])
    {'US: fee_minor': 3}
    """
    sums = frame.groupby(list(keys), sort=True)[list(names)].sum().head(PLOTTED_MARKETS)
    rows = sums.reset_index().to_dict(orient="records")
    return {f"{_label(row, keys)}: {name}": int(row[name]) for row in rows for name in names}


def last_round_figures(rounds: pd.DataFrame) -> dict[str, int]:
    """Figures of each market's last closed round, as numbers that plot over quarters.

    The first markets in key order only, so that a marketplace with many of them does not bury the
    rest; a figure that is null (no grants, no supply) is left out.
    """
    last = rounds.groupby(list(MARKET_KEY), sort=True).tail(1).head(PLOTTED_MARKETS)
    return {
        f"{_label(row, MARKET_KEY)}: {name}": int(row[name])
        for row in last.to_dict(orient="records")
        for name in _LAST_ROUND
        if not pd.isna(row[name])
    }


def cleared_figures(rounds: pd.DataFrame) -> dict[str, int]:
    """The quarter's space: released, granted, left; each market's last round and average fee."""
    figures = {
        "released_milli_ft3": int(rounds["released_milli_ft3"].sum()),
        "granted_milli_ft3": int(rounds["granted_milli_ft3"].sum()),
        "unsold_milli_ft3": int(
            rounds.groupby(list(MARKET_KEY), sort=True).tail(1)["unsold_milli_ft3"].sum()
        ),
    }
    granted = rounds[rounds["granted_milli_ft3"] > 0]
    return (
        figures
        | sums_by(rounds, MARKET_KEY, ["released_milli_ft3", "granted_milli_ft3"])
        | last_round_figures(rounds)
        | average_fees(granted, "clearing_fee_minor_per_ft3", "average clearing_fee_minor_per_ft3")
    )


def average_fees(grants: pd.DataFrame, fee: str, name: str) -> dict[str, int]:
    """Each market's fee per cubic foot, averaged over the volume granted at it; half-even.

    Args:
        grants: rows with a fee, minor units per ft3, and a positive granted_milli_ft3.
        fee: the fee's column.
        name: what to call the average.
    """
    averages = {}
    for market, rows in list(grants.groupby(list(MARKET_KEY), sort=True))[:PLOTTED_MARKETS]:
        volumes = rows["granted_milli_ft3"].astype(object)  # products may pass 63 bits
        paid = (rows[fee].astype(object) * volumes).sum()
        label = " ".join(map(str, market))
        averages[f"{label}: {name}"] = _half_even(int(paid), int(volumes.sum()))
    return averages


def repriced_figures(fees: pd.DataFrame) -> dict[str, int]:
    """Grants, how many a later round lowered, and what markets pay."""
    return (
        {"grants": len(fees), "grants_repriced": int(fees["repriced_in_round"].notna().sum())}
        | sums_by(fees, MARKET_KEY, ["fee_minor"])
        | average_fees(fees, "final_fee_minor_per_ft3", "average final_fee_minor_per_ft3")
    )


def allocation_figures(allocations: pd.DataFrame) -> dict[str, int]:
    """Space allocated and asked for by forecast, the score's median, the pool of each market."""
    pools = allocations.groupby(list(MARKET_KEY), sort=True)["pool_milli_ft3"].first()
    scores = allocations["score"].sort_values()
    median = {"score_median": int(scores.iloc[(len(scores) - 1) // 2])} if len(scores) else {}
    return (
        {
            "base_milli_ft3": int(allocations["base_milli_ft3"].sum()),
            "target_milli_ft3": int(allocations["target_milli_ft3"].sum()),
            "pool_milli_ft3": int(pools.sum()),
        }
        | median
        | sums_by(allocations, MARKET_KEY, ["base_milli_ft3", "demand_milli_ft3"])
    )


def came_out(accuracy: Mapping[str, float]) -> dict[str, float]:
    """How the announcement of two quarters ago came out, named as such."""
    return {f"forecast of two quarters ago: {name}": found for name, found in accuracy.items()}


def request_figures(judged: pd.DataFrame) -> dict[str, int]:
    """Versions received, accepted, rejected, and rejected by reason; every reason that occurs."""
    rejected = judged[~judged["is_accepted"].astype(bool)]
    reasons = rejected.groupby("reason", sort=True).size()
    return {
        "received": len(judged),
        "accepted": len(judged) - len(rejected),
        "rejected": len(rejected),
    } | {f"rejected: {reason}": int(count) for reason, count in reasons.items()}


def sales_figures(quarter: pd.DataFrame) -> dict[str, int]:
    """Incremental sales by every method, and days whose snapshot was carried or is missing."""
    flagged = {
        name: int(quarter[name].max()) if len(quarter) else 0
        for name in ("missing_days", "carried_days")
    }
    return flagged | sums_by(quarter, ["marketplace_id"], _SALES)


def settlement_figures(settled: pd.DataFrame) -> dict[str, int]:
    """Fees, credits and net dues; winners (a seller in a market), and those who owe nothing."""
    sellers = settled.groupby(list(SELLER_MARKET_KEY), sort=True)["net_due_minor"].sum()
    figures = {
        "grants": len(settled),
        "winners": len(sellers),
        "winners_wholly_offset": int((sellers == 0).sum()),
    }
    by_marketplace = sums_by(settled, ["marketplace_id"], _DUES)
    for name in settled["marketplace_id"].drop_duplicates().sort_values().head(PLOTTED_MARKETS):
        fee = by_marketplace[f"{name}: fee_minor"]
        credit = by_marketplace[f"{name}: credit_minor"]
        if fee:
            figures[f"{name}: fees offset bp"] = _half_even(credit * 10_000, fee)
    return figures | by_marketplace | sums_by(settled, MARKET_KEY, ["fee_minor", "credit_minor"])


def ledger_figures(entries: pd.DataFrame) -> dict[str, int]:
    """What a run posts, and what is left over, which is 0 (rules §8.5)."""
    posted = entries[entries["amount_minor"] > 0]
    return sums_by(posted, ["marketplace_id"], ["amount_minor"]) | {
        "ledger_residual_minor": int(entries["amount_minor"].sum())
    }


def _half_even(numerator: int, divisor: int) -> int:
    return round(Fraction(numerator, divisor))


def _label(row: Mapping[Any, Any], keys: Sequence[str]) -> str:
    return " ".join(str(row[key]) for key in keys)
