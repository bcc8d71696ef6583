from __future__ import annotations

import pandas as pd
import pytest
from market_examples import CALENDAR, MARKET

from fbacap_logic.attribution import (
    GRANT_EVIDENCE_DAY_COLUMNS,
    INCREMENTAL_SALES_COLUMNS,
    attribute_days,
    attribute_quarter,
    evidence_by_grant,
)
from fbacap_logic.policy import Policy, SettlementPolicy


def days(*rows):
    """Rows of (net sales, used, base, extra), one a day from the first of the quarter."""
    columns = ["net_sales_minor", "used_milli_ft3", "base_milli_ft3", "extra_milli_ft3"]
    frame = pd.DataFrame(rows, columns=columns).assign(**MARKET, seller_id="s1")
    frame["day"] = pd.date_range("2026-10-01", periods=len(rows))
    return frame.assign(is_carried=False, is_missing=False)


def forecast(amount):
    return pd.DataFrame([MARKET | {"seller_id": "s1", "sales_forecast_minor": amount}])


def grants(*rows):
    """Rows of (request_id, round, granted, max fee)."""
    columns = ["request_id", "round", "granted_milli_ft3", "max_fee_minor_per_ft3"]
    frame = pd.DataFrame(rows, columns=columns).assign(**MARKET, seller_id="s1")
    return frame.assign(priority_at=pd.Timestamp("2026-09-01"))


@pytest.mark.parametrize(
    ("row", "extra_used", "usage_layer", "capacity_share"),
    [
        ((900, 3_000, 2_000, 2_000), 1_000, 300_000_000, 450_000_000),
        ((900, 9_000, 2_000, 1_000), 1_000, 100_000_000, 300_000_000),
        ((900, 1_000, 2_000, 1_000), 0, 0, 300_000_000),
        ((900, 0, 0, 1_000), 0, 0, 900_000_000),
        ((900, 1_000, 0, 0), 0, 0, 0),
        ((1, 3, 1, 2), 2, 666_667, 666_667),
    ],
)
def test_a_day_counts_the_extra_space_that_was_used(row, extra_used, usage_layer, capacity_share):
    found = attribute_days(days(row)).iloc[0]
    assert found["extra_used_milli_ft3"] == extra_used
    assert found["usage_layer_micro_minor"] == usage_layer
    assert found["capacity_share_micro_minor"] == capacity_share


def test_a_day_too_large_for_64_bits_is_refused_by_its_row():
    with pytest.raises(ValueError, match=r"'net_sales_minor', row 1: .*must stay below 9\.2"):
        attribute_days(days((1, 1, 0, 1), (10**13, 1, 0, 1)))
    with pytest.raises(ValueError, match="'extra_milli_ft3', row 0: plus base"):
        attribute_days(days((1, 1, 2**62, 2**62)))


def test_the_days_are_summed_in_millionths_and_rounded_once():
    quarter = attribute_quarter(days(*[(1, 3, 2, 1)] * 3), forecast(0), Policy())
    assert list(quarter.columns) == list(INCREMENTAL_SALES_COLUMNS)
    assert quarter["usage_layer_minor"].tolist() == [1]


def test_each_method_may_pay_and_all_are_shown():
    rows = days((900, 3_000, 2_000, 2_000), (100, 1_000, 2_000, 2_000))
    paid = {}
    for method in ("usage_layer", "capacity_share", "forecast_uplift"):
        policy = Policy(settlement=SettlementPolicy(attribution_method=method))
        row = attribute_quarter(rows, forecast(750), policy).iloc[0]
        paid[method] = row["incremental_sales_minor"]
        shown = [row[f"{each}_minor"] for each in ("usage_layer", "capacity_share")]
        assert [*shown, row["forecast_uplift_minor"]] == [300, 500, 250]
    assert paid == {"usage_layer": 300, "capacity_share": 500, "forecast_uplift": 250}


def test_sales_below_the_forecast_are_no_uplift_and_no_forecast_is_zero():
    rows = days((900, 0, 0, 1))
    below = attribute_quarter(rows, forecast(1_000), Policy())
    assert below["forecast_uplift_minor"].tolist() == [0]
    none = attribute_quarter(rows, forecast(1_000).iloc[:0], Policy())
    assert none["forecast_uplift_minor"].tolist() == [900]


def test_carried_and_missing_days_are_counted():
    rows = days(*[(1, 1, 1, 1)] * 3)
    rows["is_carried"], rows["is_missing"] = [True, True, False], [False, False, True]
    quarter = attribute_quarter(rows, forecast(0), Policy())
    assert quarter[["missing_days", "carried_days"]].to_numpy().tolist() == [[1, 2]]


def test_a_day_or_a_forecast_twice_is_refused():
    rows = days((1, 1, 1, 1))
    with pytest.raises(ValueError, match="seller_market_days: row 1 repeats the key"):
        attribute_quarter(pd.concat([rows, rows]), forecast(0), Policy())
    with pytest.raises(ValueError, match="forecasts: row 1 repeats the key"):
        attribute_quarter(rows, pd.concat([forecast(0), forecast(0)]), Policy())


def test_no_grant_is_credited_with_a_day_before_it_began():
    daily = attribute_days(days(*[(300, 3_000, 0, 3_000)] * 16))
    shares = evidence_by_grant(daily, grants(("A", 2, 1_000, 5), ("B", 3, 2_000, 9)), CALENDAR)
    by_day = shares.pivot_table(index="day", columns="request_id", values="usage_layer_micro_minor")
    assert by_day["A"].tolist() == [300_000_000.0] * 15 + [100_000_000.0]
    assert by_day["B"].dropna().to_dict() == {pd.Timestamp("2026-10-16"): 200_000_000.0}


def test_evidence_without_a_grant_in_force_is_refused():
    daily = attribute_days(days((300, 3_000, 0, 3_000)))
    with pytest.raises(ValueError, match="row 0: has an amount but no grant was in force"):
        evidence_by_grant(daily, grants(("B", 3, 2_000, 9)), CALENDAR)


def test_days_before_the_first_grant_of_a_seller_earn_nothing():
    rows = days((900, 3_000, 2_000, 0), (900, 3_000, 0, 0), (900, 3_000, 2_000, 1_000))
    daily = attribute_days(rows)
    assert daily["usage_layer_micro_minor"].tolist() == [0, 0, 300_000_000]
    assert daily["capacity_share_micro_minor"].tolist() == [0, 0, 300_000_000]


def test_storage_types_and_sellers_beside_each_other_are_added_up_apart():
    one = days((900, 3_000, 2_000, 1_000))
    rows = pd.concat([one, one.assign(storage_type="apparel"), one.assign(seller_id="s2")])
    quarter = attribute_quarter(rows.iloc[::-1], forecast(100), Policy())
    names = ["storage_type", "seller_id", "usage_layer_minor", "forecast_uplift_minor"]
    assert quarter[names].to_numpy().tolist() == [
        ["apparel", "s1", 300, 900],
        ["standard", "s1", 300, 800],
        ["standard", "s2", 300, 900],
    ]


def test_missing_days_use_nothing_but_hold_their_share_of_capacity():
    rows = days((900, 0, 2_000, 1_000)).assign(is_missing=True)
    row = attribute_quarter(rows, forecast(0), Policy()).iloc[0]
    found = row[["usage_layer_minor", "capacity_share_minor", "missing_days"]]
    assert found.tolist() == [0, 300, 1]


def test_evidence_comes_by_request_round_and_day_whatever_the_order_of_rows():
    daily = attribute_days(days(*[(300, 3_000, 0, 3_000)] * 16)).iloc[::-1]
    given = grants(("B", 3, 2_000, 9), ("A", 2, 500, 5), ("A", 1, 500, 5), ("C", 1, 0, 9))
    shares = evidence_by_grant(daily, given, CALENDAR)
    assert list(shares.columns) == list(GRANT_EVIDENCE_DAY_COLUMNS)
    key = shares[["request_id", "round", "day"]]
    assert key.equals(key.sort_values(list(key.columns), ignore_index=True))
    assert shares.groupby(["request_id", "round"]).size().to_dict() == {
        ("A", 1): 16, ("A", 2): 16, ("B", 3): 1,
    }  # fmt: skip


def test_a_market_without_grants_has_no_evidence():
    none = evidence_by_grant(attribute_days(days()), grants(("A", 1, 0, 5)), CALENDAR)
    assert none.empty
    assert list(none.columns) == list(GRANT_EVIDENCE_DAY_COLUMNS)
