from __future__ import annotations

import pandas as pd
import pytest
from market_examples import CURRENCIES, MARKET

from fbacap_logic.policy import Policy
from fbacap_logic.settlement import LEDGER_ENTRY_COLUMNS, SETTLEMENT_COLUMNS, ledger, settle


def repriced(*rows):
    """Rows of (request_id, fee)."""
    frame = pd.DataFrame(rows, columns=["request_id", "fee_minor"]).assign(**MARKET)
    return frame.assign(
        seller_id="s1",
        round=1,
        granted_milli_ft3=1_000,
        max_fee_minor_per_ft3=frame["fee_minor"],
        final_fee_minor_per_ft3=frame["fee_minor"],
        priority_at=pd.Timestamp("2026-09-01"),
    )


def sales(amount):
    return pd.DataFrame([MARKET | {"seller_id": "s1", "incremental_sales_minor": amount}])


def run(grants, amount, previous=None):
    return settle(grants, sales(amount), CURRENCIES, previous, Policy())


def test_the_first_run_owes_everything_and_the_next_the_difference():
    first = run(repriced(("a", 1_000)), 2_000)
    assert list(first.columns) == list(SETTLEMENT_COLUMNS)
    assert first["net_due_minor"].tolist() == [700]
    assert first["delta_net_due_minor"].tolist() == [700]
    second = run(repriced(("a", 1_000)), 1_000, first)
    assert second["previous_net_due_minor"].tolist() == [700]
    assert second["delta_credit_minor"].tolist() == [-150]
    assert second["delta_net_due_minor"].tolist() == [150]


def test_the_ledger_posts_both_sides_of_every_difference():
    first = run(repriced(("a", 1_000)), 2_000)
    entries = ledger(first)
    assert list(entries.columns) == list(LEDGER_ENTRY_COLUMNS)
    posted = dict(zip(entries["account"], entries["amount_minor"], strict=True))
    assert posted == {
        "seller_receivable": 700,
        "performance_credit_expense": 300,
        "reservation_fee_revenue": -1_000,
    }
    assert entries["entry_id"].tolist()[0] == "a/1/performance_credit_expense"
    assert entries["currency"].unique().tolist() == ["USD"]


def test_a_run_that_changes_nothing_posts_nothing():
    first = run(repriced(("a", 1_000)), 2_000)
    assert ledger(run(repriced(("a", 1_000)), 2_000, first)).empty


def test_a_grant_that_was_settled_before_cannot_vanish():
    first = run(repriced(("a", 1_000), ("b", 500)), 2_000)
    with pytest.raises(ValueError, match="request 'b' was granted space in round 1 and now is not"):
        run(repriced(("a", 1_000)), 2_000, first)


def test_a_marketplace_without_currency_is_refused():
    elsewhere = CURRENCIES[CURRENCIES["marketplace_id"] == "JP"]
    with pytest.raises(ValueError, match="marketplace 'US' has no currency"):
        settle(repriced(("a", 1)), sales(0), elsewhere, None, Policy())


def test_deltas_that_do_not_balance_are_refused():
    broken = run(repriced(("a", 1_000)), 2_000).assign(delta_fee_minor=999)
    with pytest.raises(ValueError, match="row 0: delta net due is not delta fee less credit"):
        ledger(broken)


def test_no_grants_settle_to_no_rows_and_no_entries():
    nothing = run(repriced(("a", 1)).iloc[:0], 0)
    assert nothing.empty
    assert ledger(nothing).empty
