"""Who belongs to which cohort on an announcement day (rules §2.5)."""

from __future__ import annotations

from datetime import date
from typing import Any

import pandas as pd
import pytest

from fbacap_logic.base_cohorts import INDIVIDUAL, NEW_PROFESSIONAL, PROFESSIONAL, cohorts
from fbacap_logic.policy import BaseAllocationPolicy

ANNOUNCED_ON = date(2026, 8, 20)
POLICY = BaseAllocationPolicy()


def sellers_of(*rows: dict[str, Any]) -> pd.DataFrame:
    usual = {
        "marketplace_id": "us",
        "storage_type": "standard",
        "account_type": "professional",
        "joined_on": date(2020, 1, 1),
        "history_start": date(2020, 2, 1),
    }
    return pd.DataFrame([usual | row for row in rows])


class TestCohorts:
    def cohort(self, **row: Any) -> str:
        seller = {"seller_id": "a", "joined_on": None, "history_start": None} | row
        return str(cohorts(sellers_of(seller), ANNOUNCED_ON, POLICY)[0])

    def test_a_professional_is_new_until_39_weeks_have_passed(self) -> None:
        assert self.cohort(joined_on=date(2025, 11, 20)) == PROFESSIONAL  # 273 days, 39 weeks
        assert self.cohort(joined_on=date(2025, 11, 21)) == NEW_PROFESSIONAL

    def test_an_individual_is_an_individual_however_young(self) -> None:
        assert self.cohort(account_type="individual", joined_on=ANNOUNCED_ON) == INDIVIDUAL
        assert self.cohort(account_type="individual", joined_on=date(2010, 1, 1)) == INDIVIDUAL

    def test_without_a_joining_day_the_first_order_counts(self) -> None:
        assert self.cohort(history_start=date(2020, 1, 1)) == PROFESSIONAL
        assert self.cohort(history_start=date(2026, 8, 1)) == NEW_PROFESSIONAL

    def test_a_joining_day_goes_before_the_first_order(self) -> None:
        row = {"joined_on": date(2026, 8, 1), "history_start": date(2020, 1, 1)}
        assert self.cohort(**row) == NEW_PROFESSIONAL

    def test_with_neither_a_professional_is_new(self) -> None:
        assert self.cohort() == NEW_PROFESSIONAL

    def test_the_first_order_in_any_storage_type_of_the_same_marketplace_counts(self) -> None:
        known = {"joined_on": None, "history_start": date(2020, 1, 1)}
        unknown = {"joined_on": None, "history_start": None}
        sellers = sellers_of(
            {"seller_id": "a", "storage_type": "oversize"} | unknown,
            {"seller_id": "a"} | known,
            {"seller_id": "a", "marketplace_id": "br"} | unknown,
        )
        found = cohorts(sellers, ANNOUNCED_ON, POLICY).tolist()
        assert found == [PROFESSIONAL, PROFESSIONAL, NEW_PROFESSIONAL]

    @pytest.mark.parametrize("dtype", ["datetime64[ns]", "datetime64[us]", "datetime64[s]"])
    def test_days_may_be_dates_or_timestamps(self, dtype: str) -> None:
        sellers = sellers_of({"seller_id": "a"}, {"seller_id": "b", "joined_on": ANNOUNCED_ON})
        typed = sellers.astype({"joined_on": dtype, "history_start": dtype})
        expected = [PROFESSIONAL, NEW_PROFESSIONAL]
        assert cohorts(sellers, ANNOUNCED_ON, POLICY).tolist() == expected
        assert cohorts(typed, ANNOUNCED_ON, POLICY).tolist() == expected

    @pytest.mark.parametrize("account_type", ["Professional", "", None])
    def test_an_unknown_account_type_is_refused(self, account_type: str | None) -> None:
        with pytest.raises(ValueError, match=r"seller a of marketplace us has .*account type"):
            self.cohort(account_type=account_type)
