"""Evidence: each day's incremental sales over the grants in force that day (rules §6).

Here belongs the division of a day's amounts. The amounts are worked out in ``attribution``; the
order lines behind a day's net sales are listed by ``orchestration.evidence``.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from fbacap_logic.attribution_division import divide_over
from fbacap_logic.calendar import QuarterCalendar
from fbacap_logic.frames import (
    SELLER_MARKET_KEY,
    codes_of,
    instants,
    integers,
    refuse,
    require_columns,
    require_unique,
    texts,
)
from fbacap_logic.total_order import rank_grants
from fbacap_logic.units import Int64Array, group_sums, place_within

GRANT_EVIDENCE_DAY_COLUMNS = (
    "marketplace_id", "storage_type", "seller_id", "request_id", "round", "day",
    "granted_milli_ft3", "usage_layer_micro_minor", "capacity_share_micro_minor",
)  # fmt: skip

_DIVIDED = ("usage_layer_micro_minor", "capacity_share_micro_minor")


def evidence_by_grant(
    days: pd.DataFrame, grants: pd.DataFrame, calendar: QuarterCalendar
) -> pd.DataFrame:
    """Divide each day's amounts over the grants in force that day, by volume (rules §6).

    Largest remainder, ties by the total order and then the round, so that no dollar is counted
    twice and none for a grant before it began. ``forecast_uplift`` has no amount per day, so it has
    no evidence per day.

    Args:
        days: ``attribute_days`` output with marketplace_id, storage_type, seller_id and day.
        grants: repriced_fees or cleared_allocations; rows that were granted nothing are left out.
        calendar: says from which day each round's grants are in force.

    Returns:
        grant_evidence_days: one row per grant and day in force, sorted by request_id, round and
        day: granted_milli_ft3, usage_layer_micro_minor and capacity_share_micro_minor (millionths
        of a minor unit).

    Raises:
        ValueError: bad columns, or a day with an amount and no grant in force.
    """
    require_unique(days, [*SELLER_MARKET_KEY, "day"], "days")
    require_columns(grants, [*SELLER_MARKET_KEY, "request_id", "round"], "grants")
    amounts = {name: integers(days, name, "days") for name in _DIVIDED}
    held = _grants_in_force(grants, calendar)
    day_row, grant_row = _pairs(days, held)
    _refuse_uncovered(amounts, day_row)
    shares = {name: held[name].to_numpy()[grant_row] for name in held.columns}
    weight = shares["granted_milli_ft3"]
    weight_sum = group_sums(weight, day_row, len(days))[day_row]
    divided = {
        name: divide_over(amount[day_row], day_row, weight, weight_sum, shares["rank"])
        for name, amount in amounts.items()
    }
    evidence = pd.DataFrame(shares | {"day": days["day"].to_numpy()[day_row]} | divided)
    return evidence[list(GRANT_EVIDENCE_DAY_COLUMNS)]


def _grants_in_force(grants: pd.DataFrame, calendar: QuarterCalendar) -> pd.DataFrame:
    """Each grant with its volume, first day in force and place in the total order, by its key."""
    won = grants[integers(grants, "granted_milli_ft3", "grants") > 0].reset_index(drop=True)
    require_unique(won, ["request_id", "round"], "grants")
    first_days = {window.round: window.in_force_from for window in calendar.rounds}
    made_in = integers(won, "round", "grants")
    unknown = ~np.isin(made_in, list(first_days))
    if unknown.any():
        refuse("grants", "round", int(np.argmax(unknown)), "is not a round of the calendar")
    rounds, place = np.unique(made_in, return_inverse=True)
    starts = np.array([first_days[int(number)] for number in rounds], dtype="datetime64[D]")
    rank = rank_grants(
        integers(won, "max_fee_minor_per_ft3", "grants"),
        instants(won, "priority_at", "grants"),
        texts(won, "request_id", "grants"),
        made_in,
    )
    held = won[[*SELLER_MARKET_KEY, "request_id", "round", "granted_milli_ft3"]]
    held = held.assign(in_force_from=starts[place], rank=rank)
    return held.sort_values(["request_id", "round"], ignore_index=True)


def _pairs(days: pd.DataFrame, held: pd.DataFrame) -> tuple[Int64Array, Int64Array]:
    """Rows of days and of grants in force on them, grant by grant and day by day."""
    keys = [
        np.concatenate([texts(days, name, "days"), texts(held, name, "grants")])
        for name in SELLER_MARKET_KEY
    ]
    seller, _ = codes_of(*keys)
    of_day, of_grant = seller[: len(days)], seller[len(days) :]
    day = instants(days, "day", "days").astype("datetime64[D]").astype(np.int64)
    starts = held["in_force_from"].to_numpy().astype("datetime64[D]").astype(np.int64)
    span = int(max(day.max(initial=0), starts.max(initial=0))) + 1
    order = np.lexsort((day, of_day))
    place_of_day = (of_day * span + day)[order]
    first = np.searchsorted(place_of_day, of_grant * span + starts)
    end = np.searchsorted(place_of_day, (of_grant + 1) * span)
    grant_row = np.repeat(np.arange(len(held), dtype=np.int64), end - first)
    return order[first[grant_row] + place_within(grant_row)], grant_row


def _refuse_uncovered(amounts: dict[str, Int64Array], day_row: Int64Array) -> None:
    for name, amount in amounts.items():
        uncovered = amount > 0
        uncovered[day_row] = False
        if uncovered.any():
            row = int(np.argmax(uncovered))
            refuse("days", name, row, "has an amount but no grant was in force")
