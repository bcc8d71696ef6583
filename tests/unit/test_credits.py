from __future__ import annotations

import pandas as pd
import pytest
from market_examples import MARKET

from fbacap_logic.credits import performance_credits


def grants(*rows):
    """Rows of (request_id, seller, fee)."""
    frame = pd.DataFrame(rows, columns=["request_id", "seller_id", "fee_minor"]).assign(**MARKET)
    at = pd.Timestamp("2026-09-01")
    return frame.assign(round=1, max_fee_minor_per_ft3=100, submitted_at=at)


def sales(**amounts):
    frame = pd.DataFrame(amounts.items(), columns=["seller_id", "incremental_sales_minor"])
    return frame.assign(**MARKET)


def credit(grants, sales, rate_bp=1_500, cap_bp=10_000):
    return performance_credits(grants, sales, rate_bp, cap_bp)["credit_minor"].tolist()


def test_what_one_grant_cannot_use_offsets_another_of_the_same_seller():
    both = grants(("a", "s1", 20_000), ("b", "s1", 50_000), ("c", "s2", 50_000))
    assert credit(both, sales(s1=300_000, s2=0)) == [12_857, 32_143, 0]


def test_a_credit_never_passes_the_cap_share_of_its_fee():
    one = grants(("a", "s1", 101))
    assert credit(one, sales(s1=10**9)) == [101]
    assert credit(one, sales(s1=10**9), cap_bp=5_000) == [50]
    assert credit(one, sales(s1=10**9), cap_bp=0) == [0]


def test_the_total_is_rounded_half_to_even():
    one = grants(("a", "s1", 10_000))
    assert credit(one, sales(s1=5), rate_bp=1_000) == [0]
    assert credit(one, sales(s1=15), rate_bp=1_000) == [2]


def test_negative_incremental_sales_earn_nothing():
    assert credit(grants(("a", "s1", 10)), sales(s1=-500)) == [0]


def test_the_odd_unit_goes_by_the_total_order():
    three = grants(("c", "s1", 10), ("b", "s1", 10), ("a", "s1", 10))
    assert credit(three, sales(s1=100), rate_bp=1_000) == [3, 3, 4]


def test_a_seller_without_a_row_of_sales_is_refused_and_not_taken_as_zero():
    with pytest.raises(ValueError, match="seller 's1' has a grant in US standard but no row"):
        credit(grants(("a", "s1", 10)), sales(s2=5))


def test_rates_outside_their_ranges_are_refused():
    for rate_bp, cap_bp in ((-1, 10_000), (0, 10_001), (0, -1)):
        with pytest.raises(ValueError, match=r"^credit_rate_bp must be at least 0, and .*10000$"):
            credit(grants(("a", "s1", 10)), sales(s1=5), rate_bp, cap_bp)


def test_money_as_float_is_refused():
    with pytest.raises(ValueError, match=r"grants: column 'fee_minor', row 0: .*float64"):
        credit(grants(("a", "s1", 10.0)), sales(s1=5))
    with pytest.raises(ValueError, match="incremental: column 'incremental_sales_minor', row 0"):
        credit(grants(("a", "s1", 10)), sales(s1=5.0))
