"""Why a base allocation moved since the quarter before (rules §2.7).

Here belongs the split of the change into demand, score, floor and pool. What the allocations are
is ``base_allocation``; how the split is shown to a seller is the statement's business.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from fbacap_logic.base_cohorts import CohortArray, claims
from fbacap_logic.frames import SELLER_MARKET_KEY, integers, require_unique, texts
from fbacap_logic.units import BASIS_POINTS, Int64Array

CHANGE_COLUMNS = (
    "previous_base_milli_ft3",
    "change_demand_milli_ft3",
    "change_score_milli_ft3",
    "change_floor_milli_ft3",
    "change_pool_milli_ft3",
)

NEUTRAL_MULTIPLIER_BP = BASIS_POINTS

# Differences of differences of volumes below this stay inside 63 bits.
_LARGEST_MILLI_FT3 = 2**60


def explain_change(
    allocations: pd.DataFrame, previous_base_allocations: pd.DataFrame
) -> pd.DataFrame:
    """Split every base's change since the quarter before into four parts (rules §2.7).

    From the claim of the quarter before, one factor after the other is set to its new value:
    demand (the target), score (the multiplier), floor (the floor, and the cohort with it). What
    each step moves the claim by is that factor's part; pool is the rest of the change, that is
    what fitting, and what was confirmed, took or gave. A seller without a row in the quarter
    before starts from a claim of 0 with the neutral multiplier 1.00.

    Args:
        allocations: rows with marketplace_id, storage_type, seller_id, cohort, target_milli_ft3,
            multiplier_bp, floor_milli_ft3 and base_milli_ft3.
        previous_base_allocations: the same columns, as the quarter before published them.

    Returns:
        ``CHANGE_COLUMNS``, milli_ft3, row by row of ``allocations``; the four parts sum to
        base − previous base.

    Raises:
        ValueError: a column is missing or null, a key stands twice, or a volume is past 2^60.
    """
    now = _Claim.read(allocations, "base_allocations")
    before = _Claim.read(previous_base_allocations, "history.previous_base_allocations")
    before = before.at(_places(allocations, previous_base_allocations), newcomers=now)

    claim_before = before.volume()
    with_demand = claims(now.target, before.multiplier, before.cohort, before.floor)
    with_score = claims(now.target, now.multiplier, before.cohort, before.floor)
    with_floor = now.volume()
    for volumes in (claim_before, with_demand, with_score, with_floor, before.base, now.base):
        if len(volumes) and int(volumes.max()) > _LARGEST_MILLI_FT3:
            raise ValueError(
                "base_allocations: a claim passes 2^60 milli ft³; correct the demand behind it"
            )
    columns = (
        before.base,
        with_demand - claim_before,
        with_score - with_demand,
        with_floor - with_score,
        (now.base - before.base) - (with_floor - claim_before),
    )
    return pd.DataFrame(dict(zip(CHANGE_COLUMNS, columns, strict=True)), index=allocations.index)


class _Claim:
    """The factors of many claims, and the bases that were made of them."""

    def __init__(
        self,
        cohort: CohortArray,
        target: Int64Array,
        multiplier: Int64Array,
        floor: Int64Array,
        base: Int64Array,
    ) -> None:
        self.cohort = cohort
        self.target = target
        self.multiplier = multiplier
        self.floor = floor
        self.base = base

    @classmethod
    def read(cls, frame: pd.DataFrame, table: str) -> _Claim:
        require_unique(frame, SELLER_MARKET_KEY, table)
        return cls(
            texts(frame, "cohort", table),
            integers(frame, "target_milli_ft3", table),
            integers(frame, "multiplier_bp", table),
            integers(frame, "floor_milli_ft3", table),
            integers(frame, "base_milli_ft3", table),
        )

    def volume(self) -> Int64Array:
        return claims(self.target, self.multiplier, self.cohort, self.floor)

    def at(self, places: Int64Array, newcomers: _Claim) -> _Claim:
        """The claims at some rows; nothing at all where the place is −1.

        A newcomer has its own cohort from the start, so that what an individual gets is floor.
        """
        known = places >= 0
        cohort = newcomers.cohort.copy()
        cohort[known] = self.cohort[places[known]]
        multiplier = np.full(len(places), NEUTRAL_MULTIPLIER_BP, dtype=np.int64)
        multiplier[known] = self.multiplier[places[known]]
        amounts = []
        for source in (self.target, self.floor, self.base):
            amount = np.zeros(len(places), dtype=np.int64)
            amount[known] = source[places[known]]
            amounts.append(amount)
        return _Claim(cohort, amounts[0], multiplier, amounts[1], amounts[2])


def _places(frame: pd.DataFrame, within: pd.DataFrame) -> Int64Array:
    keys = list(SELLER_MARKET_KEY)
    index = pd.MultiIndex.from_frame(within[keys])
    return index.get_indexer(pd.MultiIndex.from_frame(frame[keys])).astype(np.int64)
