"""Invariants of space and fees (rules §8.1–4), on published tables.

Here belongs one function per invariant: frames in, the rows that break it out (none when it holds).
Names and sentences are in ``invariants``.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from fbacap_logic.frames import MARKET_KEY, SELLER_MARKET_KEY, BoolArray, TextArray, codes_of
from fbacap_logic.policy import Policy
from fbacap_logic.total_order import inverse_of
from fbacap_logic.units import INT64_MAX, Int64Array

_MARKET_ROUND = (*MARKET_KEY, "round")


def rounds_conserve_space(market_rounds: pd.DataFrame) -> pd.DataFrame:
    """Rounds whose supply, grants and unsold space do not add up, or pass what was released."""
    frame = market_rounds.sort_values(list(_MARKET_ROUND), ignore_index=True)
    unsold_before = frame.groupby(list(MARKET_KEY))["unsold_milli_ft3"].shift(fill_value=0)
    supply = frame["released_milli_ft3"] + frame["carried_in_milli_ft3"]
    holds = (
        (frame["carried_in_milli_ft3"] == unsold_before)
        & (frame["supply_milli_ft3"] == supply)
        & (frame["granted_milli_ft3"] + frame["unsold_milli_ft3"] == frame["supply_milli_ft3"])
        & (frame["granted_milli_ft3"] >= 0)
        & (frame["unsold_milli_ft3"] >= 0)
    )
    return _breaking(frame, holds)


def grants_sum_to_rounds(
    cleared_allocations: pd.DataFrame, market_rounds: pd.DataFrame
) -> pd.DataFrame:
    """Rounds whose allocations do not sum to their granted and demanded volume and winners.

    Demanded is the trimmed volume of the book; a request without room under the cap is not in it.
    """
    allocations = cleared_allocations.assign(won=cleared_allocations["granted_milli_ft3"] > 0)
    sums = allocations.groupby(list(_MARKET_ROUND), as_index=False).agg(
        summed_granted_milli_ft3=("granted_milli_ft3", "sum"),
        summed_demanded_milli_ft3=("trimmed_milli_ft3", "sum"),
        counted_winners=("won", "sum"),
        counted_requests=("request_id", "count"),
    )
    whole = {name: "Int64" for name in sums.columns if name not in _MARKET_ROUND}
    published_rounds = market_rounds.astype(
        dict.fromkeys(["granted_milli_ft3", "demanded_milli_ft3", "winners", "requests"], "Int64")
    )
    frame = published_rounds.merge(sums.astype(whole), how="outer", on=list(_MARKET_ROUND))
    pairs = (
        ("granted_milli_ft3", "summed_granted_milli_ft3"),
        ("demanded_milli_ft3", "summed_demanded_milli_ft3"),
        ("winners", "counted_winners"),
        ("requests", "counted_requests"),
    )
    holds = np.ones(len(frame), dtype=np.bool_)
    for published, summed in pairs:
        same = frame[published] == frame[summed].fillna(0)
        holds &= same.fillna(False).to_numpy(np.bool_)
    return _breaking(frame, holds)


def grants_within_open_volume(cleared_allocations: pd.DataFrame) -> pd.DataFrame:
    """Allocations that break 0 ≤ granted ≤ trimmed ≤ open, or a minimum, or say a wrong outcome."""
    granted = cleared_allocations["granted_milli_ft3"]
    trimmed = cleared_allocations["trimmed_milli_ft3"]
    open_volume = cleared_allocations["open_milli_ft3"]
    minimum = cleared_allocations["remaining_minimum_milli_ft3"]
    some = np.where(granted < open_volume, "partial", "granted")
    outcome = np.where(granted == 0, "rejected", some)
    holds = (
        (granted >= 0)
        & (granted <= trimmed)
        & (trimmed <= open_volume)
        & ((granted == 0) | (granted >= minimum))
        & (cleared_allocations["outcome"].astype(object) == outcome)
    )
    return _breaking(cleared_allocations, holds)


def grants_within_requests(cleared_allocations: pd.DataFrame) -> pd.DataFrame:
    """Requests whose grants pass the largest volume that bound in a round with a grant."""
    won = cleared_allocations[cleared_allocations["granted_milli_ft3"] > 0]
    sums = won.groupby([*MARKET_KEY, "request_id"], as_index=False).agg(
        granted_milli_ft3=("granted_milli_ft3", "sum"),
        largest_requested_milli_ft3=("requested_milli_ft3", "max"),
    )
    return _breaking(sums, sums["granted_milli_ft3"] <= sums["largest_requested_milli_ft3"])


def grants_within_caps(
    cleared_allocations: pd.DataFrame, round_requests: pd.DataFrame
) -> pd.DataFrame:
    """Sellers whose grants in a market pass their cap, or who have none."""
    key = list(SELLER_MARKET_KEY)
    caps = round_requests.groupby(key, as_index=False)["cap_milli_ft3"].min()
    caps = caps.assign(cap_milli_ft3=caps["cap_milli_ft3"].astype("Int64"))
    sums = cleared_allocations.groupby(key, as_index=False)["granted_milli_ft3"].sum()
    frame = sums[sums["granted_milli_ft3"] > 0].merge(caps, how="left", on=key)
    return _breaking(frame, frame["granted_milli_ft3"] <= frame["cap_milli_ft3"].fillna(-1))


def no_request_outranked(cleared_allocations: pd.DataFrame, policy: Policy) -> pd.DataFrame:
    """Requests left short though one after them in the total order was granted space.

    Short of the trimmed volume, so that the cap excuses; a request dropped for its minimum is
    excused; under pro_rata so is one at the lowest fee that was granted.
    """
    frame = cleared_allocations.reset_index(drop=True)
    if len(frame) == 0:
        return frame
    granted = frame["granted_milli_ft3"].to_numpy()
    fee = frame["max_fee_minor_per_ft3"].to_numpy()
    order = frame.assign(fee_descending=-fee).sort_values(
        ["fee_descending", "priority_at", "request_id"]
    )
    place = pd.Series(inverse_of(order.index.to_numpy()))
    group = frame.groupby(list(_MARKET_ROUND)).ngroup()
    last_granted = place.where(granted > 0, -1).groupby(group).transform("max").to_numpy()
    lowest = pd.Series(fee).where(granted > 0, INT64_MAX).groupby(group).transform("min")
    is_pro_rata = _rule_by_market(frame, policy, "tie_rule") == "pro_rata"
    excused = (frame["reason"].astype(object) == "minimum_not_met").to_numpy(np.bool_)
    excused |= is_pro_rata & (fee == lowest.to_numpy())
    short = granted < frame["trimmed_milli_ft3"].to_numpy()
    return _breaking(frame, ~(short & (place.to_numpy() < last_granted) & ~excused))


def clearing_fees_follow_grants(
    market_rounds: pd.DataFrame, cleared_allocations: pd.DataFrame, policy: Policy
) -> pd.DataFrame:
    """Rounds whose clearing fee is not what the price rule makes of their allocations (rules §4.4).

    lowest_granted and pay_as_bid: the lowest max fee that was granted anything; highest_rejected:
    the highest max fee left unfilled, dropped requests apart, at least the minimum fee.
    """
    key = list(_MARKET_ROUND)
    frame = cleared_allocations
    won = frame[frame["granted_milli_ft3"] > 0]
    unfilled = frame[
        (frame["granted_milli_ft3"] < frame["trimmed_milli_ft3"])
        & (frame["reason"].astype(object) != "minimum_not_met")
    ]
    rounds = market_rounds
    for name, rows, pick in (("lowest", won, "min"), ("highest", unfilled, "max")):
        fees = rows.groupby(key)["max_fee_minor_per_ft3"].agg(pick).astype("Int64")
        rounds = rounds.merge(fees.rename(name).reset_index(), how="left", on=key)
    minimum = pd.Series(_minimum_fee_by_market(rounds, policy), dtype="Int64")
    rejected = rounds["highest"].fillna(0)
    rejected = rejected.where(rejected > minimum, minimum)
    by_rejected = _rule_by_market(rounds, policy, "price_rule") == "highest_rejected"
    expected = rounds["lowest"].where(~by_rejected | rounds["lowest"].isna(), rejected)
    published = rounds["clearing_fee_minor_per_ft3"].astype("Int64")
    same = (published == expected).fillna(False) | (published.isna() & expected.isna())
    return _breaking(rounds.drop(columns=["lowest", "highest"]), same)


def fees_in_order(repriced_fees: pd.DataFrame, policy: Policy) -> pd.DataFrame:
    """Grants that break own maximum ≥ round fee ≥ final fee ≥ the market's minimum fee."""
    minimum = _minimum_fee_by_market(repriced_fees, policy)
    final = repriced_fees["final_fee_minor_per_ft3"]
    round_fee = repriced_fees["round_fee_minor_per_ft3"]
    was_lowered = repriced_fees["repriced_in_round"].notna()
    holds = (
        (repriced_fees["max_fee_minor_per_ft3"] >= round_fee)
        & (round_fee >= final)
        & (final >= minimum)
        & ((final < round_fee) == was_lowered)
    )
    return _breaking(repriced_fees, holds)


def earlier_winners_pay_no_more(repriced_fees: pd.DataFrame, policy: Policy) -> pd.DataFrame:
    """Grants that cost more per cubic foot than one of a later round of the same market.

    Holds for uniform price rules without a repricing guard; other markets are not looked at.
    """
    uniform = _rule_by_market(repriced_fees, policy, "price_rule") != "pay_as_bid"
    unguarded = _rule_by_market(repriced_fees, policy, "minimum_repricing_milli_ft3") == 0
    frame = repriced_fees[uniform & unguarded].reset_index(drop=True)
    lowest = frame.groupby(list(_MARKET_ROUND), as_index=False)["final_fee_minor_per_ft3"].min()
    lowest = lowest.astype({"final_fee_minor_per_ft3": "Int64"})
    lowest = lowest.sort_values(["round"], ascending=False, kind="stable", ignore_index=True)
    running = lowest.groupby(list(MARKET_KEY))["final_fee_minor_per_ft3"].cummin()
    later = running.groupby([lowest[name] for name in MARKET_KEY]).shift()
    lowest = lowest.assign(lowest_later_minor_per_ft3=later)
    key = list(_MARKET_ROUND)
    frame = frame.merge(lowest[[*key, "lowest_later_minor_per_ft3"]], how="left", on=key)
    holds = frame["final_fee_minor_per_ft3"] <= frame["lowest_later_minor_per_ft3"]
    return _breaking(frame, holds.fillna(True))


def _breaking(frame: pd.DataFrame, holds: pd.Series[bool] | BoolArray) -> pd.DataFrame:
    """The rows of ``frame`` where the invariant does not hold."""
    kept = np.asarray(holds).astype(np.bool_)
    return frame.loc[~kept].reset_index(drop=True)


def _rule_by_market(frame: pd.DataFrame, policy: Policy, rule: str) -> TextArray:
    """One clearing rule of each row's market."""
    names = [frame[name].to_numpy(dtype=object) for name in MARKET_KEY]
    market, first_row = codes_of(*names)
    values = [
        getattr(policy.clearing_rules(names[0][row], names[1][row]), rule) for row in first_row
    ]
    return np.array(values, dtype=object)[market]


def _minimum_fee_by_market(frame: pd.DataFrame, policy: Policy) -> Int64Array:
    return _rule_by_market(frame, policy, "minimum_fee_minor_per_ft3").astype(np.int64)
