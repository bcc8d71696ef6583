"""The parts of a change, one factor at a time (rules §2.7)."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from fbacap_logic.base_change import CHANGE_COLUMNS, explain_change
from fbacap_logic.base_cohorts import INDIVIDUAL, NEW_PROFESSIONAL, PROFESSIONAL

CHANGES = list(CHANGE_COLUMNS[1:])


class TestChange:
    def row(self, seller: str = "a", **values: Any) -> pd.DataFrame:
        usual = {
            "marketplace_id": "us",
            "storage_type": "standard",
            "seller_id": seller,
            "cohort": PROFESSIONAL,
            "target_milli_ft3": 0,
            "multiplier_bp": 10_000,
            "floor_milli_ft3": 0,
            "base_milli_ft3": 0,
        }
        return pd.DataFrame([usual | values])

    def parts(self, now: pd.DataFrame, before: pd.DataFrame) -> list[int]:
        return explain_change(now, before)[CHANGES].iloc[0].tolist()

    def test_each_factor_has_its_own_part(self) -> None:
        before = self.row(target_milli_ft3=100, multiplier_bp=10_000, base_milli_ft3=90)
        now = self.row(target_milli_ft3=200, multiplier_bp=12_000, base_milli_ft3=150)
        # Demand 100 → 200, score 200 → 240; the pool took 10 of 100 before and takes 90 now.
        assert self.parts(now, before) == [100, 40, 0, -80]

    def test_a_new_seller_starts_from_nothing_with_a_neutral_multiplier(self) -> None:
        now = self.row(target_milli_ft3=200, multiplier_bp=8_000, base_milli_ft3=120)
        assert self.parts(now, self.row(seller="b")) == [200, -40, 0, -40]
        assert explain_change(now, self.row(seller="b"))["previous_base_milli_ft3"].tolist() == [0]

    def test_what_a_new_individual_gets_is_floor(self) -> None:
        now = self.row(cohort=INDIVIDUAL, target_milli_ft3=9, floor_milli_ft3=15, base_milli_ft3=15)
        assert self.parts(now, self.row(seller="b")) == [0, 0, 15, 0]

    def test_outgrowing_the_floor_of_new_professionals_counts_as_floor(self) -> None:
        before = self.row(cohort=NEW_PROFESSIONAL, floor_milli_ft3=50, base_milli_ft3=50)
        now = self.row(target_milli_ft3=30, base_milli_ft3=30)
        assert self.parts(now, before) == [0, 0, -20, 0]

    def test_turning_professional_counts_as_floor(self) -> None:
        before = self.row(
            cohort=INDIVIDUAL, target_milli_ft3=10, floor_milli_ft3=15, base_milli_ft3=15
        )
        now = self.row(target_milli_ft3=100, multiplier_bp=9_000, base_milli_ft3=80)
        assert self.parts(now, before) == [0, 0, 75, -10]

    def test_nothing_changed_means_no_parts(self) -> None:
        same = self.row(target_milli_ft3=100, multiplier_bp=9_000, base_milli_ft3=50)
        assert self.parts(same, same) == [0, 0, 0, 0]

    def test_claims_too_large_to_subtract_are_refused(self) -> None:
        with pytest.raises(ValueError, match=r"passes 2\^60"):
            explain_change(self.row(target_milli_ft3=2**60 + 1), self.row())

    def test_the_previous_quarter_may_not_hold_a_seller_twice(self) -> None:
        with pytest.raises(ValueError, match=r"previous_base_allocations: row 1 repeats"):
            explain_change(self.row(), pd.concat([self.row(), self.row()]))
