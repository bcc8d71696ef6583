"""The published tables of clearing: cleared_allocations and market_rounds (rules §4).

Here belongs putting results into rows, with outcome, reason and sentence. The results themselves
come from ``clearing_quarter`` and ``clearing_round``.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from fbacap_logic.clearing_inputs import Revisions
from fbacap_logic.clearing_round import (
    CAP_BELOW_MINIMUM,
    CAP_REACHED,
    IN_FULL,
    OUTCOMES,
    PARTIAL,
    REASONS,
    REJECTED,
    RoundFigures,
)
from fbacap_logic.clearing_sentences import reason_texts
from fbacap_logic.frames import BoolArray, empty_table
from fbacap_logic.policy import ClearingRules
from fbacap_logic.units import BASIS_POINTS, INT64_MAX, Int64Array, ratio_half_even

CLEARED_ALLOCATION_COLUMNS = (
    "marketplace_id", "storage_type", "request_id", "round", "revision", "seller_id",
    "max_fee_minor_per_ft3", "priority_at", "requested_milli_ft3", "open_milli_ft3",
    "trimmed_milli_ft3", "remaining_minimum_milli_ft3", "granted_milli_ft3", "outcome", "reason",
    "reason_text",
)  # fmt: skip
MARKET_ROUND_COLUMNS = (
    "marketplace_id", "storage_type", "round", "released_milli_ft3", "carried_in_milli_ft3",
    "supply_milli_ft3", "demanded_milli_ft3", "granted_milli_ft3", "unsold_milli_ft3",
    "clearing_fee_minor_per_ft3", "cover_ratio_bp", "marginal_fill_bp", "requests", "winners",
)  # fmt: skip


@dataclass(frozen=True)
class Entered:
    """The requests open in one round, by row of ``Revisions``, sorted by market and total order."""

    row: Int64Array
    open_milli_ft3: Int64Array
    minimum_milli_ft3: Int64Array
    trimmed_milli_ft3: Int64Array
    is_passed_over: BoolArray


def allocation_rows(
    revisions: Revisions,
    entered: Entered,
    round_number: int,
    figures: list[RoundFigures],
    rules: list[ClearingRules],
) -> pd.DataFrame:
    """One round's rows of cleared_allocations."""
    row = entered.row
    market = revisions.market[row]
    granted = _joined(each.granted_per_row_milli_ft3 for each in figures)
    outcome = _joined(each.outcome_code.astype(np.int64) for each in figures)
    reason = _joined(each.reason_code.astype(np.int64) for each in figures)
    is_capped = (entered.trimmed_milli_ft3 < entered.open_milli_ft3) & (reason == IN_FULL)
    outcome[is_capped] = PARTIAL
    has_no_room = entered.trimmed_milli_ft3 == 0
    outcome[has_no_room] = REJECTED
    reason[is_capped | has_no_room] = CAP_REACHED
    reason[entered.is_passed_over] = CAP_BELOW_MINIMUM
    fee = revisions.max_fee_minor_per_ft3[row]
    clearing_fee = np.array([each.clearing_fee_minor_per_ft3 or 0 for each in figures], np.int64)
    pay_as_bid = np.array([each.price_rule == "pay_as_bid" for each in rules], np.bool_)
    frame = pd.DataFrame(
        {
            "market": market,
            "request_id": revisions.request_id[row],
            "round": np.full(len(row), round_number, dtype=np.int64),
            "revision": revisions.revision[row],
            "seller_id": revisions.seller_id[row],
            "max_fee_minor_per_ft3": fee,
            "priority_at": revisions.priority_at[row],
            "requested_milli_ft3": revisions.requested_milli_ft3[row],
            "open_milli_ft3": entered.open_milli_ft3,
            "trimmed_milli_ft3": entered.trimmed_milli_ft3,
            "remaining_minimum_milli_ft3": entered.minimum_milli_ft3,
            "granted_milli_ft3": granted,
            "outcome": np.array(OUTCOMES, dtype=object)[outcome],
            "reason": np.array(REASONS, dtype=object)[reason],
        }
    )
    frame["reason_text"] = reason_texts(
        reason,
        frame,
        clearing_fee[market] - fee,
        revisions.minor_unit_digits[row],
        pay_as_bid[market],
        clearing_fee[market] > 0,
    )
    return frame


def market_round_rows(
    round_number: int, released: Int64Array, carried_in: Int64Array, figures: list[RoundFigures]
) -> pd.DataFrame:
    """One round's rows of market_rounds."""
    supply = released + carried_in
    demanded = _column(each.demanded_milli_ft3 for each in figures)
    marginal_open = _column(each.marginal_open_milli_ft3 for each in figures)
    marginal_granted = _column(each.marginal_granted_milli_ft3 for each in figures)
    covered = np.where(supply > 0, demanded, 0)  # without supply the ratio is null, however large
    cover = ratio_half_even([covered, BASIS_POINTS], np.maximum(supply, 1))
    fill = ratio_half_even([marginal_granted, BASIS_POINTS], np.maximum(marginal_open, 1))
    return pd.DataFrame(
        {
            "market": np.arange(len(figures), dtype=np.int64),
            "round": np.full(len(figures), round_number, dtype=np.int64),
            "released_milli_ft3": released,
            "carried_in_milli_ft3": carried_in,
            "supply_milli_ft3": supply,
            "demanded_milli_ft3": demanded,
            "granted_milli_ft3": _column(each.granted_milli_ft3 for each in figures),
            "unsold_milli_ft3": _column(each.unsold_milli_ft3 for each in figures),
            "clearing_fee_minor_per_ft3": pd.array(
                [each.clearing_fee_minor_per_ft3 for each in figures], dtype="Int64"
            ),
            "cover_ratio_bp": pd.array(cover, dtype="Int64"),
            "marginal_fill_bp": pd.array(fill, dtype="Int64"),
            "requests": _column(len(each.reason_code) for each in figures),
            "winners": _column(each.winners for each in figures),
        }
    ).assign(
        cover_ratio_bp=lambda frame: frame["cover_ratio_bp"].mask(supply == 0),
        marginal_fill_bp=lambda frame: frame["marginal_fill_bp"].mask(marginal_open == 0),
    )


def stack_by_market(
    frames: list[pd.DataFrame], markets: list[tuple[str, str]], columns: tuple[str, ...]
) -> pd.DataFrame:
    """All rounds' rows under one another, by market and round, with the markets' names."""
    if not frames or not markets:
        return empty_table(columns)
    frame = pd.concat(frames, ignore_index=True)
    frame = frame.sort_values("market", kind="stable", ignore_index=True)
    for level, name in enumerate(("marketplace_id", "storage_type")):
        names = np.array([market[level] for market in markets], dtype=object)
        frame[name] = names[frame["market"].to_numpy()]
    return frame[list(columns)]


def _joined(parts: Iterable[Int64Array]) -> Int64Array:
    return np.concatenate(list(parts))


def _column(values: Iterable[int]) -> Int64Array:
    numbers = list(values)
    if max(numbers, default=0) > INT64_MAX:
        raise ValueError("market_rounds: a sum passes 2^63 - 1; check the caps and the supply")
    return np.array(numbers, dtype=np.int64)
