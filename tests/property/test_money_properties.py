"""Attribution, credits and settlement agree with the slow reference (rules §§6–7)."""

from __future__ import annotations

from fractions import Fraction

import pandas as pd
import pytest
import reference_money
from edge_strategies import MAX, credited_grants
from hypothesis import given
from hypothesis import strategies as st
from proof_effort import examples
from strategies import (
    QUARTER,
    policies,
    sales_of,
    seller_days,
    settled_grants,
    shuffled,
)

from fbacap_logic.attribution import attribute_days, attribute_quarter, evidence_by_grant
from fbacap_logic.credits import performance_credits
from fbacap_logic.policy import Policy
from fbacap_logic.settlement import ledger, settle

CURRENCIES = pd.DataFrame({"marketplace_id": ["US"], "currency": ["USD"]})


def in_total_order(grants: pd.DataFrame) -> pd.DataFrame:
    key = ["fee", "priority_at", "request_id", "round"]
    return grants.assign(fee=-grants["max_fee_minor_per_ft3"]).sort_values(key)


@given(seller_days())
def test_every_day_is_attributed_exactly(days):
    for row in attribute_days(days).itertuples():
        sales, base, extra = row.net_sales_minor, row.base_milli_ft3, row.extra_milli_ft3
        assert row.usage_layer_micro_minor == reference_money.usage_layer_micro(
            sales, row.used_milli_ft3, base, extra
        )
        assert row.capacity_share_micro_minor == reference_money.capacity_share_micro(
            sales, base, extra
        )
        assert 0 <= row.usage_layer_micro_minor <= sales * 10**6


@given(seller_days(largest=9 * 10**12))
def test_a_day_near_the_limit_of_64_bits_is_exact(days):
    for row in attribute_days(days).itertuples():
        assert row.usage_layer_micro_minor == reference_money.usage_layer_micro(
            row.net_sales_minor, row.used_milli_ft3, row.base_milli_ft3, row.extra_milli_ft3
        )


@given(seller_days(), policies, st.data())
def test_a_quarter_sums_its_days_and_rounds_once(days, policy, data):
    sellers = days[["marketplace_id", "storage_type", "seller_id"]].drop_duplicates()
    forecasts = sellers.assign(sales_forecast_minor=data.draw(st.integers(0, 10**9)))
    quarter = attribute_quarter(shuffled(data.draw, days), forecasts, policy)
    assert len(quarter) == len(sellers)
    for row in quarter.itertuples():
        own = attribute_days(days[days["seller_id"] == row.seller_id])
        for method in ("usage_layer", "capacity_share"):
            total = sum(int(amount) for amount in own[f"{method}_micro_minor"])
            wanted = reference_money.half_even(Fraction(total, 10**6))
            assert getattr(row, f"{method}_minor") == wanted
        sales = int(own["net_sales_minor"].sum())
        assert row.forecast_uplift_minor == max(0, sales - row.sales_forecast_minor)
        method = policy.settlement.attribution_method
        assert row.method == method
        assert row.incremental_sales_minor == getattr(row, f"{method}_minor")


@given(settled_grants(), st.integers(0, 10**9), st.data())
def test_evidence_divides_every_day_over_the_grants_in_force(grants, amount, data):
    calendar = Policy().calendar_of(QUARTER)
    sellers = grants.loc[grants["round"] <= 2, ["marketplace_id", "storage_type", "seller_id"]]
    days = sellers.drop_duplicates().merge(
        pd.DataFrame({"day": pd.to_datetime(["2026-10-01", "2026-10-15", "2026-10-16"])}),
        how="cross",
    )
    days = days.assign(usage_layer_micro_minor=amount, capacity_share_micro_minor=2 * amount)
    shares = evidence_by_grant(days, shuffled(data.draw, grants), calendar)
    for row in days.itertuples():
        own = shares[(shares["seller_id"] == row.seller_id) & (shares["day"] == row.day)]
        started = (grants["round"] <= 2) | (row.day >= pd.Timestamp("2026-10-16"))
        in_force = in_total_order(grants[(grants["seller_id"] == row.seller_id) & started])
        found = own.set_index("request_id").reindex(in_force["request_id"])
        for column, total in (("usage_layer", amount), ("capacity_share", 2 * amount)):
            wanted = reference_money.share_out(total, in_force["granted_milli_ft3"].tolist())
            assert found[f"{column}_micro_minor"].tolist() == wanted
        assert len(own) == len(in_force)


@examples(100)
@given(credited_grants(), st.one_of(st.integers(0, 20_000), st.just(MAX)), st.integers(0, 10_000))
def test_credits_are_pooled_capped_and_divided_exactly(inputs, rate_bp, cap_bp):
    grants, sales = inputs
    renamed = grants.rename(columns={"submitted_at": "priority_at"})
    expected, must_refuse = {}, False
    key = ["marketplace_id", "storage_type", "seller_id"]
    for _, own in renamed.groupby(key):
        amount = own[key].iloc[:1].merge(sales, on=key)["incremental_sales_minor"].item()
        ordered = in_total_order(own)
        fees = ordered["fee_minor"].tolist()
        earned = reference_money.half_even(Fraction(amount * rate_bp, 10_000))
        caps = sum(cap_bp * fee // 10_000 for fee in fees)
        must_refuse |= not -MAX - 1 <= earned <= MAX or caps > MAX
        wanted = reference_money.credits_of(fees, amount, rate_bp, cap_bp)
        names = zip(ordered["request_id"], ordered["round"], strict=True)
        expected |= dict(zip(names, wanted, strict=True))
    if must_refuse:
        with pytest.raises(ValueError, match=r"a result passes 2\^63 - 1"):
            performance_credits(grants, sales, rate_bp, cap_bp)
        return
    credited = performance_credits(grants, sales, rate_bp, cap_bp)
    kept = ["seller_id", "marketplace_id", "storage_type", "request_id", "round", "fee_minor"]
    assert list(credited.columns) == [*kept, "credit_minor"]
    pd.testing.assert_frame_equal(credited[kept], grants[kept])
    names = zip(credited["request_id"], credited["round"], strict=True)
    assert dict(zip(names, credited["credit_minor"], strict=True)) == expected


@given(settled_grants(), policies, st.data())
def test_the_deltas_of_all_settlement_runs_sum_to_the_latest(grants, policy, data):
    runs = []
    previous = None
    for _ in range(3):
        sales = sales_of(data.draw, grants)
        previous = settle(shuffled(data.draw, grants), sales, CURRENCIES, previous, policy)
        runs.append(previous)
    for name in ("fee", "credit", "net_due"):
        total = sum(run[f"delta_{name}_minor"] for run in runs)
        assert total.tolist() == runs[-1][f"{name}_minor"].tolist()


@given(settled_grants(), policies, st.data())
def test_every_settlement_run_posts_entries_that_sum_to_zero(grants, policy, data):
    first = settle(grants, sales_of(data.draw, grants), CURRENCIES, None, policy)
    second = settle(grants, sales_of(data.draw, grants), CURRENCIES, first, policy)
    for run in (first, second):
        entries = ledger(run)
        assert entries["entry_id"].is_unique
        assert (entries["amount_minor"] != 0).all()
        assert entries["amount_minor"].sum() == 0
        receivable = entries.loc[entries["account"] == "seller_receivable", "amount_minor"].sum()
        assert receivable == run["delta_net_due_minor"].sum()
