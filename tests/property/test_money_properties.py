"""Repricing, attribution, credits and settlement agree with the slow reference (rules §§5–7)."""

from __future__ import annotations

from fractions import Fraction

import pandas as pd
import reference
from hypothesis import given
from hypothesis import strategies as st
from strategies import (
    QUARTER,
    clearing_rules,
    policies,
    priced_markets,
    sales_of,
    seller_days,
    settled_grants,
    shuffled,
)

from fbacap_logic.attribution import attribute_days, attribute_quarter, evidence_by_grant
from fbacap_logic.credits import performance_credits
from fbacap_logic.policy import Policy
from fbacap_logic.repricing import reprice, repricing_steps
from fbacap_logic.settlement import ledger, settle

CURRENCIES = pd.DataFrame({"marketplace_id": ["US"], "currency": ["USD"]})


def in_total_order(grants: pd.DataFrame) -> pd.DataFrame:
    key = ["fee", "priority_at", "request_id", "round"]
    return grants.assign(fee=-grants["max_fee_minor_per_ft3"]).sort_values(key)


@given(priced_markets(), clearing_rules)
def test_a_grant_pays_the_least_of_its_round_and_of_later_rounds(market, rules):
    grants, rounds = market
    fees = dict(zip(rounds["round"], rounds["clearing_fee_minor_per_ft3"], strict=True))
    volumes = dict(zip(rounds["round"], rounds["granted_milli_ft3"], strict=True))
    known = {n: (None if pd.isna(fees[n]) else int(fees[n]), int(volumes[n])) for n in fees}
    repriced = reprice(grants, rounds, rules)
    for row, days in zip(repriced.itertuples(), grants["days_in_force"], strict=True):
        start = row.max_fee_minor_per_ft3 if rules.price_rule == "pay_as_bid" else fees[row.round]
        guard = rules.minimum_repricing_milli_ft3
        final, last = reference.final_fee(int(start), row.round, known, guard)
        in_force = Fraction(days, 92) if rules.fee_basis == "prorated" else 1
        assert row.round_fee_minor_per_ft3 == start
        assert row.final_fee_minor_per_ft3 == final
        assert (None if pd.isna(row.repriced_in_round) else row.repriced_in_round) == last
        amount = Fraction(final * row.granted_milli_ft3, 1000) * in_force
        assert row.fee_minor == reference.half_even(amount)


@given(priced_markets(), clearing_rules)
def test_the_steps_lead_from_the_round_fee_to_the_final_fee(market, rules):
    grants, rounds = market
    repriced = reprice(grants, rounds, rules)
    steps = repricing_steps(grants, rounds, rules)
    for row in repriced.itertuples():
        own = steps[(steps["request_id"] == row.request_id) & (steps["round"] == row.round)]
        path = [row.round_fee_minor_per_ft3, *own["fee_after_minor_per_ft3"]]
        assert list(own["fee_before_minor_per_ft3"]) == path[:-1]
        assert path[-1] == row.final_fee_minor_per_ft3
        assert sorted(path, reverse=True) == path


@given(priced_markets(), clearing_rules, st.data())
def test_the_order_of_grants_and_rounds_changes_no_fee(market, rules, data):
    grants, rounds = market
    one = reprice(grants, rounds, rules).sort_values(["request_id", "round"], ignore_index=True)
    other = reprice(shuffled(data.draw, grants), shuffled(data.draw, rounds), rules)
    other = other.sort_values(["request_id", "round"], ignore_index=True)
    pd.testing.assert_frame_equal(one, other)


@given(seller_days())
def test_every_day_is_attributed_exactly(days):
    for row in attribute_days(days).itertuples():
        sales, base, extra = row.net_sales_minor, row.base_milli_ft3, row.extra_milli_ft3
        assert row.usage_layer_micro_minor == reference.usage_layer_micro(
            sales, row.used_milli_ft3, base, extra
        )
        assert row.capacity_share_micro_minor == reference.capacity_share_micro(sales, base, extra)
        assert 0 <= row.usage_layer_micro_minor <= sales * 10**6


@given(seller_days(largest=9 * 10**12))
def test_a_day_near_the_limit_of_64_bits_is_exact(days):
    for row in attribute_days(days).itertuples():
        assert row.usage_layer_micro_minor == reference.usage_layer_micro(
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
            wanted = reference.half_even(Fraction(total, 10**6))
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
    days = days.assign(usage_layer_micro_minor=amount)
    shares = evidence_by_grant(days, shuffled(data.draw, grants), calendar)
    for row in days.itertuples():
        own = shares[(shares["seller_id"] == row.seller_id) & (shares["day"] == row.day)]
        started = (grants["round"] <= 2) | (row.day >= pd.Timestamp("2026-10-16"))
        in_force = in_total_order(grants[(grants["seller_id"] == row.seller_id) & started])
        wanted = reference.share_out(amount, in_force["granted_milli_ft3"].tolist())
        found = own.set_index("request_id")["incremental_sales_micro_minor"]
        assert found.reindex(in_force["request_id"]).tolist() == wanted
        assert len(own) == len(in_force)


@given(settled_grants(), st.integers(0, 20_000), st.integers(0, 10_000), st.data())
def test_credits_are_pooled_capped_and_divided_exactly(grants, rate_bp, cap_bp, data):
    sales = sales_of(data.draw, grants)
    renamed = grants.rename(columns={"priority_at": "submitted_at"})
    credited = performance_credits(renamed, sales, rate_bp, cap_bp)
    assert credited["request_id"].tolist() == grants["request_id"].tolist()
    found = credited.set_index("request_id")["credit_minor"]
    for row in sales.itertuples():
        own = in_total_order(grants[grants["seller_id"] == row.seller_id])
        wanted = reference.credits_of(
            own["fee_minor"].tolist(), row.incremental_sales_minor, rate_bp, cap_bp
        )
        assert found.reindex(own["request_id"]).tolist() == wanted
    assert (credited["credit_minor"] <= credited["fee_minor"]).all()
    assert (credited["credit_minor"] >= 0).all()


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
