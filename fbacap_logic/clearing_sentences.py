"""What a seller is told about a request after a round (rules §4).

Here belongs one sentence per reason of ``clearing_round.REASONS``. The reasons themselves are
decided there and in ``clearing_caps``.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd

from fbacap_logic.clearing_round import (
    BELOW_CLEARING_FEE,
    CAP_BELOW_MINIMUM,
    CAP_REACHED,
    IN_FULL,
    MARGINAL,
    MINIMUM_NOT_MET,
    NO_SUPPLY,
)
from fbacap_logic.frames import BoolArray, TextArray
from fbacap_logic.sentences import cubic_feet, money, percent_filled, write_distinct
from fbacap_logic.units import Int64Array


def reason_texts(
    reason_code: Int64Array,
    allocations: pd.DataFrame,
    shortfall_minor_per_ft3: Int64Array,
    minor_unit_digits: Int64Array,
    is_pay_as_bid: BoolArray,
    something_was_granted: BoolArray,
) -> TextArray:
    """One plain sentence per row.

    Args:
        reason_code: place in ``REASONS``.
        allocations: open_milli_ft3, trimmed_milli_ft3, remaining_minimum_milli_ft3 and
            granted_milli_ft3 of the same rows.
        shortfall_minor_per_ft3: clearing fee less max fee; read only where the reason says so.
        minor_unit_digits: decimals of the market's currency.
        is_pay_as_bid: the market's price rule, per row.
        something_was_granted: whether the round granted anything in the row's market.
    """
    granted = allocations["granted_milli_ft3"].to_numpy()
    trimmed = allocations["trimmed_milli_ft3"].to_numpy()
    open_volume = allocations["open_milli_ft3"].to_numpy()
    minimum = allocations["remaining_minimum_milli_ft3"].to_numpy()
    inputs: dict[int, tuple[Callable[..., str], tuple[Int64Array, ...]]] = {
        IN_FULL: (lambda _: "granted in full", (reason_code,)),
        MARGINAL: (_marginal, (granted, trimmed, open_volume)),
        BELOW_CLEARING_FEE: (
            _below_clearing_fee,
            (shortfall_minor_per_ft3, minor_unit_digits, is_pay_as_bid.astype(np.int64)),
        ),
        NO_SUPPLY: (
            _no_supply,
            (something_was_granted.astype(np.int64), is_pay_as_bid.astype(np.int64)),
        ),
        MINIMUM_NOT_MET: (_minimum_not_met, (minimum,)),
        CAP_REACHED: (_cap_reached, (granted, open_volume)),
        CAP_BELOW_MINIMUM: (_cap_below_minimum, (minimum,)),
    }
    sentences = np.empty(len(reason_code), dtype=object)
    for code, (write, columns) in inputs.items():
        rows = np.flatnonzero(reason_code == code)
        sentences[rows] = write_distinct(write, *(column[rows] for column in columns))
    return sentences


def _marginal(granted: int, trimmed: int, open_volume: int) -> str:
    sentence = f"marginal, {percent_filled(granted, trimmed)} filled"
    if trimmed < open_volume:
        sentence += f" of the {cubic_feet(trimmed)} that the seller's cap left room for"
    return sentence


def _below_clearing_fee(shortfall: int, digits: int, pay_as_bid: int) -> str:
    return f"{money(shortfall, digits)} below {_reference_fee(pay_as_bid)}"


def _no_supply(something_was_granted: int, pay_as_bid: int) -> str:
    # Says nothing of who came first: under pro rata a share that rounds to nothing ends here too.
    if something_was_granted:
        return f"at {_reference_fee(pay_as_bid)}, but no space was left for it"
    return "no space was left in this round"


def _reference_fee(pay_as_bid: int) -> str:
    return "the lowest granted fee" if pay_as_bid else "the clearing fee"


def _minimum_not_met(minimum: int) -> str:
    return f"minimum not met, it would have got less than the {cubic_feet(minimum)} that it needs"


def _cap_reached(granted: int, open_volume: int) -> str:
    if granted:
        return f"cap reached, {percent_filled(granted, open_volume)} filled"
    return "cap reached, no room was left under the seller's cap"


def _cap_below_minimum(minimum: int) -> str:
    return f"cap below minimum, less than {cubic_feet(minimum)} was left under the seller's cap"
