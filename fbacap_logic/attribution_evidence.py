"""Evidence: each day's incremental sales over the grants in force that day (rules §6).

Here belongs the division of a day's amount. The amounts are worked out in ``attribution``.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
import pandas as pd

from fbacap_logic.calendar import QuarterCalendar
from fbacap_logic.frames import (
    SELLER_MARKET_KEY,
    instants,
    integers,
    refuse,
    require_columns,
    require_unique,
    texts,
)
from fbacap_logic.total_order import rank_grants
from fbacap_logic.units import largest_remainder

EVIDENCE_COLUMNS = (
    "marketplace_id", "storage_type", "seller_id", "day", "request_id", "round",
    "granted_milli_ft3", "incremental_sales_micro_minor",
)  # fmt: skip


def evidence_by_grant(
    days: pd.DataFrame,
    grants: pd.DataFrame,
    calendar: QuarterCalendar,
    method: Literal["usage_layer", "capacity_share"] = "usage_layer",
) -> pd.DataFrame:
    """Divide each day's amount over the grants in force that day, by volume (rules §6).

    Largest remainder, ties by the total order and then the round, so that no dollar is counted
    twice and none for a grant before it began. ``forecast_uplift`` has no amount per day, so it has
    no evidence per day.

    Args:
        days: ``attribute_days`` output with marketplace_id, storage_type, seller_id and day.
        grants: repriced_fees or cleared_allocations; rows that were granted nothing are left out.
        calendar: says from which day each round's grants are in force.
        method: which amount is divided.

    Returns:
        One row per day and grant in force, sorted by seller and market, day, request_id and round:
        granted_milli_ft3 and incremental_sales_micro_minor (millionths of a minor unit).

    Raises:
        ValueError: bad columns, or a day with an amount and no grant in force.
    """
    require_unique(days, [*SELLER_MARKET_KEY, "day"], "days")
    require_columns(grants, [*SELLER_MARKET_KEY, "request_id", "round"], "grants")
    amount = integers(days, f"{method}_micro_minor", "days")
    day_rows = days[[*SELLER_MARKET_KEY, "day"]].reset_index(drop=True)
    day_rows["day"] = pd.to_datetime(day_rows["day"])
    day_rows["day_row"] = np.arange(len(day_rows), dtype=np.int64)
    shared = day_rows.merge(_grants_in_force(grants, calendar), on=list(SELLER_MARKET_KEY))
    shared = shared[shared["day"] >= shared["in_force_from"]]
    group = shared["day_row"].to_numpy(dtype=np.int64)
    uncovered = amount > 0
    uncovered[group] = False
    if uncovered.any():
        row = int(np.argmax(uncovered))
        refuse("days", f"{method}_micro_minor", row, "has an amount but no grant was in force")
    shared["incremental_sales_micro_minor"] = largest_remainder(
        amount,
        group,
        shared["granted_milli_ft3"].to_numpy(dtype=np.int64),
        shared["rank"].to_numpy(dtype=np.int64),
    )
    key = [*SELLER_MARKET_KEY, "day", "request_id", "round"]
    return shared.sort_values(key, ignore_index=True)[list(EVIDENCE_COLUMNS)]


def _grants_in_force(grants: pd.DataFrame, calendar: QuarterCalendar) -> pd.DataFrame:
    """Each grant with its volume, its first day in force and its place in the total order."""
    won = grants[integers(grants, "granted_milli_ft3", "grants") > 0].reset_index(drop=True)
    require_unique(won, ["request_id", "round"], "grants")
    first_days = {window.round: window.in_force_from for window in calendar.rounds}
    made_in = integers(won, "round", "grants")
    unknown = ~np.isin(made_in, list(first_days))
    if unknown.any():
        refuse("grants", "round", int(np.argmax(unknown)), "is not a round of the calendar")
    rounds, place = np.unique(made_in, return_inverse=True)
    starts = np.array([first_days[int(number)] for number in rounds], dtype="datetime64[us]")
    rank = rank_grants(
        integers(won, "max_fee_minor_per_ft3", "grants"),
        instants(won, "priority_at", "grants"),
        texts(won, "request_id", "grants"),
        made_in,
    )
    result = won[[*SELLER_MARKET_KEY, "request_id", "round", "granted_milli_ft3"]]
    return result.assign(in_force_from=starts[place], rank=rank)
