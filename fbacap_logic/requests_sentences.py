"""Collecting judgements, and what a seller is told about each (rules §3).

Here belongs the record of which reason each row was given, and the sentence for every fault. Which
fault a row has is decided in ``requests``.
"""

from __future__ import annotations

import numpy as np

from fbacap_logic.frames import BoolArray, TextArray
from fbacap_logic.sentences import cubic_feet, money, write_distinct
from fbacap_logic.units import Int64Array

_SENTENCES = {
    "accepted": "accepted",
    "duplicate_id": "this request id and revision were received before, with other content",
    "unknown_seller": "the marketplace does not know this seller",
    "unknown_market": "this market has no space on offer in this quarter",
    "not_eligible": "individual accounts may not request space",
    "late": "received after the last round of the quarter had closed",
    "late_revision": "received after the request's only round had closed",
    "moved": "a revision may not change the seller or the market of its request",
    "quarter": "the request names another quarter, and a revision may not change it",
    "submitted_at": "the time of submission is missing",
    "digits": "the market's currency has more decimals than a fee can carry",
    "fee_absent": "the maximum fee is missing or too large",
    "fee_too_fine": "the maximum fee is finer than the currency's smallest unit",
    "fee_not_positive": "the maximum fee must be above zero",
    "volume_absent": "the requested volume is missing or too large",
    "volume_too_fine": "the requested volume is finer than 0.001 ft3",
    "volume_not_positive": "the requested volume must be above zero",
    "minimum_too_fine": "the minimum volume is finer than 0.001 ft3",
    "minimum_negative": "the minimum volume may not be below zero",
    "minimum_above_volume": "the minimum volume is above the requested volume",
}
_FAULTS = (*_SENTENCES, "too_small", "below_minimum_fee", "above_fee_ceiling")


class Judged:
    """One reason, one fault and one limit per row; the first given to a row stands."""

    def __init__(self, rows: int) -> None:
        self.reason: TextArray = np.full(rows, "accepted", dtype=object)
        self.fault: Int64Array = np.zeros(rows, dtype=np.int64)
        self.limit: Int64Array = np.zeros(rows, dtype=np.int64)

    @property
    def is_accepted(self) -> BoolArray:
        """Rows that nothing has been held against."""
        return np.equal(self.fault, 0)

    def reject(self, mask: BoolArray, reason: str, fault: str, limit: Int64Array | int = 0) -> None:
        """Give a reason to the rows of ``mask`` that have none yet."""
        rows = mask & self.is_accepted
        self.reason[rows] = reason
        self.fault[rows] = _FAULTS.index(fault)
        self.limit[rows] = np.broadcast_to(limit, rows.shape)[rows]


def sentences(judged: Judged, minor_unit_digits: Int64Array) -> TextArray:
    """One plain sentence per row, limits in the currency's decimals."""
    return write_distinct(_sentence, judged.fault, judged.limit, minor_unit_digits)


def _sentence(fault_code: int, limit: int, digits: int) -> str:
    fault = _FAULTS[fault_code]
    if fault == "too_small":
        return f"the requested volume is below the smallest request of {cubic_feet(limit)}"
    if fault == "below_minimum_fee":
        return f"the maximum fee is below the minimum fee of {money(limit, digits)}"
    if fault == "above_fee_ceiling":
        return f"the maximum fee is above the ceiling of {money(limit, digits)}"
    return _SENTENCES[fault]
