from __future__ import annotations

import pandas as pd
import pytest
from market_examples import CALENDAR, judge, received

from fbacap_logic.policy import ClearingRules, MarketOverride, Policy, RequestPolicy
from fbacap_logic.requests import REQUEST_REASONS, ROUND_REQUEST_COLUMNS, judge_requests

CEILING = Policy(requests=RequestPolicy(fee_ceiling_minor_per_ft3=900))
NO_MARKET = "this market has no space on offer in this quarter"
REJECTED = [
    ({"account_type": None}, "unknown_seller", "the marketplace does not know this seller"),
    ({"market_exists": False}, "unknown_market", NO_MARKET),
    ({"minor_unit_digits": None}, "unknown_market", NO_MARKET),
    ({"account_type": "individual"}, "not_eligible", "individual accounts may not request space"),
    ({"received_at": "2026-11-12"}, "late",
     "received after the last round of the quarter had closed"),
    ({"version_number": 2}, "duplicate_id",
     "this request id and revision were received before, with other content"),
    ({"max_fee_micro": None}, "malformed", "the maximum fee is missing or too large"),
    ({"max_fee_micro": 4_001_000}, "malformed",
     "the maximum fee is finer than the currency's smallest unit"),
    ({"max_fee_micro": 0}, "malformed", "the maximum fee must be above zero"),
    ({"max_fee_micro": -10_000}, "malformed", "the maximum fee must be above zero"),
    ({"requested_micro_ft3": None}, "malformed", "the requested volume is missing or too large"),
    ({"requested_micro_ft3": 50_000_001}, "malformed",
     "the requested volume is finer than 0.001 ft3"),
    ({"requested_micro_ft3": 0}, "malformed", "the requested volume must be above zero"),
    ({"minimum_micro_ft3": 1}, "malformed", "the minimum volume is finer than 0.001 ft3"),
    ({"minimum_micro_ft3": -1000}, "malformed", "the minimum volume may not be below zero"),
    ({"minimum_micro_ft3": 50_001_000}, "malformed",
     "the minimum volume is above the requested volume"),
    ({"submitted_at": None}, "malformed", "the time of submission is missing"),
    ({"quarter_start": pd.Timestamp("2027-01-01")}, "malformed",
     "the request names another quarter, and a revision may not change it"),
    ({"minor_unit_digits": 7}, "malformed",
     "the market's currency has more decimals than a fee can carry"),
    ({"requested_micro_ft3": 999_000}, "too_small",
     "the requested volume is below the smallest request of 1 ft3"),
    ({"max_fee_micro": 9_010_000}, "above_fee_ceiling",
     "the maximum fee is above the ceiling of 9.00"),
]  # fmt: skip


def verdict(*rows, policy=None):
    judged = judge(*rows, policy=policy).sort_values("source_row")
    return list(zip(judged["reason"], judged["reason_text"], strict=True))


def reasons(*rows, policy=None):
    return [reason for reason, _ in verdict(*rows, policy=policy)]


@pytest.mark.parametrize(("row", "reason", "sentence"), REJECTED)
def test_a_request_that_breaks_a_rule_is_rejected_with_reason_and_sentence(row, reason, sentence):
    assert verdict(row, policy=CEILING) == [(reason, sentence)]


def test_a_good_request_is_accepted_with_its_amounts_in_whole_units():
    judged = judge({"minimum_micro_ft3": None}).iloc[0]
    assert judged["is_accepted"]
    assert judged["reason_text"] == "accepted"
    assert judged["max_fee_minor_per_ft3"] == 400
    assert judged["requested_milli_ft3"] == 50_000
    assert judged["minimum_milli_ft3"] == 0


def test_a_fee_is_read_in_its_own_currencys_minor_units():
    yen = {"minor_unit_digits": 0, "max_fee_micro": 450_000_000}
    assert judge(yen)["max_fee_minor_per_ft3"].tolist() == [450]
    assert reasons(yen | {"max_fee_micro": 450_500_000}) == ["malformed"]


def test_the_minimum_fee_is_the_markets_own():
    own = ClearingRules(minimum_fee_minor_per_ft3=450)
    override = MarketOverride(marketplace_id="US", storage_type="oversize", clearing=own)
    found = verdict({}, {"storage_type": "oversize"}, policy=Policy(market_overrides=(override,)))
    assert found == [
        ("accepted", "accepted"),
        ("below_minimum_fee", "the maximum fee is below the minimum fee of 4.50"),
    ]


def test_amounts_that_are_not_whole_units_are_null_where_malformed():
    judged = judge({"max_fee_micro": 4_001_000}, {"requested_micro_ft3": 1})
    assert judged["max_fee_minor_per_ft3"].isna().tolist() == [True, False]
    assert judged["requested_milli_ft3"].isna().tolist() == [False, True]


def test_the_time_of_the_order_is_the_earlier_of_submission_and_receipt():
    fast_clock = pd.Timestamp("2026-12-24")
    judged = judge({"submitted_at": pd.Timestamp("2026-08-30")}, {"submitted_at": fast_clock})
    days = [at.date().isoformat() for at in judged["priority_at"]]
    assert days == ["2026-08-30", "2026-09-01"]


def test_the_cap_is_half_the_base_or_the_floor_if_that_is_more():
    judged = judge({"base_milli_ft3": 10_000_001}, {"base_milli_ft3": 0, "seller_id": "s2"})
    assert judged["cap_milli_ft3"].tolist() == [5_000_000, 2_000_000]


@pytest.mark.parametrize("change", [{"seller_id": "s2"}, {"storage_type": "oversize"}])
def test_a_revision_that_changes_seller_or_market_is_rejected(change):
    found = verdict({"request_id": "a"}, {"request_id": "a", "revision": 2} | change)
    assert [reason for reason, _ in found] == ["accepted", "malformed"]
    assert found[1][1] == "a revision may not change the seller or the market of its request"


def test_a_revision_is_held_against_the_first_accepted_and_not_the_first_received():
    found = reasons(
        {"request_id": "a", "seller_id": "s9", "account_type": None},
        {"request_id": "a", "revision": 2, "received_at": "2026-09-02"},
        {"request_id": "a", "revision": 3, "received_at": "2026-09-02T01:00"},
    )
    assert found == ["unknown_seller", "accepted", "accepted"]


def test_the_first_received_is_first_whatever_its_revision_number():
    found = reasons(
        {"request_id": "a", "revision": 1, "seller_id": "s2", "received_at": "2026-09-05"},
        {"request_id": "a", "revision": 2, "received_at": "2026-09-01"},
    )
    assert found == ["malformed", "accepted"]


def test_of_versions_with_one_key_the_first_received_stands():
    found = reasons(
        {"request_id": "a", "version_number": 2, "max_fee_micro": 0},
        {"request_id": "a", "version_number": 1, "max_fee_micro": 0},
    )
    assert found == ["duplicate_id", "malformed"]


def test_without_carry_over_a_revision_after_the_requests_round_is_late():
    rows = (
        {"request_id": "a", "received_at": "2026-09-01"},
        {"request_id": "a", "revision": 2, "received_at": "2026-09-02"},
        {"request_id": "a", "revision": 3, "received_at": "2026-09-10"},
        {"request_id": "b", "received_at": "2026-09-10"},
    )
    once = Policy(requests=RequestPolicy(carry_over=False))
    assert reasons(*rows, policy=once) == ["accepted", "accepted", "late", "accepted"]
    assert verdict(*rows, policy=once)[2][1] == "received after the request's only round had closed"
    assert reasons(*rows) == ["accepted"] * 4


def test_a_withdrawal_is_accepted_whatever_its_amounts():
    row = {"withdrawn": True, "max_fee_micro": None, "requested_micro_ft3": 0}
    assert reasons(row) == ["accepted"]
    assert reasons(row | {"account_type": None}) == ["unknown_seller"]


def test_no_rows_in_give_no_rows_out_with_every_column():
    judged = judge_requests(received({}).iloc[:0], CALENDAR, Policy())
    assert list(judged.columns) == list(ROUND_REQUEST_COLUMNS)
    assert judged.empty


def test_every_reason_is_met_in_these_tests():
    met = {reason for _, reason, _ in REJECTED} | {"accepted", "below_minimum_fee"}
    assert met == set(REQUEST_REASONS)


def test_the_same_version_twice_is_refused():
    with pytest.raises(ValueError, match="row 1 repeats the key request_id 'a'"):
        judge({"request_id": "a"}, {"request_id": "a"})
