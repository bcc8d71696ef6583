"""Clearing agrees with the slow reference, and keeps the invariants of rules §8.1–3, 6–8."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd
import pytest
import reference
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import (
    MarketQuarter,
    book_frame,
    books,
    clearing_rules,
    crowded_levels,
    judged_frame,
    quarters,
    shuffled,
    supplies,
    supply_frame,
)

from fbacap_logic import clearing_walk
from fbacap_logic.clearing import ClearingRules, QuarterClearing, clear_quarter, clear_round
from fbacap_logic.requests import judge_requests


def cleared_of(quarter: MarketQuarter) -> QuarterClearing:
    judged = judge_requests(judged_frame(quarter), quarter.calendar, quarter.policy)
    accepted = judged[judged["is_accepted"]]
    return clear_quarter(accepted, supply_frame(quarter), quarter.calendar, quarter.policy)


def assert_cleared_as_the_reference(book, supply, rules):
    expected = reference.clear(book, supply, rules)
    cleared = clear_round(book_frame(book), supply, rules)
    grants = cleared.grants
    found = dict(zip(grants["request_id"], grants["granted_milli_ft3"], strict=True))
    assert found == expected.granted
    dropped = grants.loc[grants["reason"] == "minimum_not_met", "request_id"]
    assert set(dropped) == expected.dropped
    assert cleared.clearing_fee_minor_per_ft3 == expected.fee
    assert cleared.unsold_milli_ft3 == expected.unsold
    assert cleared.granted_milli_ft3 + cleared.unsold_milli_ft3 == supply


@given(books(), supplies, clearing_rules)
def test_a_cleared_round_is_what_the_slow_reference_says(book, supply, rules):
    assert_cleared_as_the_reference(book, supply, rules)


@settings(max_examples=300)
@given(crowded_levels(), st.integers(0, 120), clearing_rules)
def test_a_crowd_of_all_or_nothing_requests_is_dropped_one_by_one(book, supply, rules):
    assert_cleared_as_the_reference(book, supply, rules)


@given(crowded_levels(), st.integers(0, 120), clearing_rules)
def test_setting_hopeless_requests_aside_at_once_changes_nothing(book, supply, rules):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(clearing_walk, "_PASSES_BEFORE_SETTING_ASIDE", 1)
        assert_cleared_as_the_reference(book, supply, rules)


@given(books(), supplies, clearing_rules, st.data())
def test_the_order_of_rows_in_a_book_changes_nothing(book, supply, rules, data):
    frame = book_frame(book)
    key = ["request_id"]
    one = clear_round(frame, supply, rules)
    other = clear_round(shuffled(data.draw, frame), supply, rules)
    pd.testing.assert_frame_equal(
        one.grants.sort_values(key, ignore_index=True),
        other.grants.sort_values(key, ignore_index=True),
    )
    assert one.clearing_fee_minor_per_ft3 == other.clearing_fee_minor_per_ft3


@given(books(with_minimums=False), supplies, clearing_rules, st.data())
def test_raising_a_fee_never_lowers_the_grant_of_its_request(book, supply, rules, data):
    if not book:
        return
    place = data.draw(st.integers(0, len(book) - 1))
    raised = list(book)
    raised[place] = replace(book[place], fee=book[place].fee + data.draw(st.integers(1, 5)))
    before = clear_round(book_frame(book), supply, rules).grants["granted_milli_ft3"]
    after = clear_round(book_frame(raised), supply, rules).grants["granted_milli_ft3"]
    assert after[place] >= before[place]


@given(books(), supplies, clearing_rules)
def test_clear_round_never_changes_its_book(book, supply, rules):
    frame = book_frame(book)
    kept = frame.copy(deep=True)
    clear_round(frame, supply, rules)
    pd.testing.assert_frame_equal(frame, kept)


@settings(max_examples=60)
@given(quarters())
def test_a_cleared_quarter_is_what_the_slow_reference_says(quarter):
    judged = judge_requests(judged_frame(quarter), quarter.calendar, quarter.policy)
    key = judged.loc[judged["is_accepted"], ["request_id", "revision"]]
    accepted = set(key.itertuples(index=False, name=None))
    floor = quarter.policy.requests.request_cap_floor_milli_ft3
    expected = reference.clear_quarter(
        [each for each in quarter.revisions if (each.request_id, each.revision) in accepted],
        quarter.released,
        {key: max(base // 2, floor) for key, base in quarter.bases.items()},
        quarter.calendar,
        quarter.policy,
        lambda market: quarter.policy.clearing_rules(*market.split("/")),
    )
    cleared = cleared_of(quarter)
    assert len(cleared.rounds) == len(expected)
    for row in cleared.rounds.itertuples():
        wanted, supply, passed = expected[f"{row.marketplace_id}/{row.storage_type}", row.round]
        fee = None if pd.isna(row.clearing_fee_minor_per_ft3) else row.clearing_fee_minor_per_ft3
        found = (row.supply_milli_ft3, row.unsold_milli_ft3, fee)
        assert found == (supply, wanted.unsold, wanted.fee)
        own = cleared.grants.query("marketplace_id == @row.marketplace_id and round == @row.round")
        grants = dict(zip(own["request_id"], own["granted_milli_ft3"], strict=True))
        assert grants == wanted.granted
        assert set(own.loc[own["reason"] == "minimum_not_met", "request_id"]) == wanted.dropped
        assert set(own.loc[own["reason"] == "cap_below_minimum", "request_id"]) == passed


@settings(max_examples=60)
@given(quarters(), st.data())
def test_the_order_of_records_changes_nothing_in_a_quarter(quarter, data):
    received = judged_frame(quarter)
    one = judge_requests(received, quarter.calendar, quarter.policy)
    other = judge_requests(shuffled(data.draw, received), quarter.calendar, quarter.policy)
    pd.testing.assert_frame_equal(one, other)
    supply = supply_frame(quarter)
    accepted = one[one["is_accepted"]]
    first = clear_quarter(accepted, supply, quarter.calendar, quarter.policy)
    second = clear_quarter(
        shuffled(data.draw, accepted), shuffled(data.draw, supply), quarter.calendar, quarter.policy
    )
    pd.testing.assert_frame_equal(first.grants, second.grants)
    pd.testing.assert_frame_equal(first.rounds, second.rounds)


@settings(max_examples=60)
@given(quarters())
def test_later_records_never_change_an_earlier_round(quarter):
    closes = quarter.calendar.rounds[0].closes_at.replace(tzinfo=None)
    known = replace(
        quarter,
        revisions=[each for each in quarter.revisions if each.received_at < closes],
        released={key: volume for key, volume in quarter.released.items() if key[1] == 1},
    )
    then, later = cleared_of(known), cleared_of(quarter)
    now = later.grants[later.grants["round"] == 1].reset_index(drop=True)
    pd.testing.assert_frame_equal(then.grants, now)
    rounds = later.rounds[later.rounds["round"] == 1].reset_index(drop=True)
    pd.testing.assert_frame_equal(then.rounds, rounds)


@given(books(), supplies)
def test_the_price_rule_never_changes_who_gets_what(book, supply):
    grants = [
        clear_round(book_frame(book), supply, ClearingRules(price_rule=rule)).grants
        for rule in ("lowest_granted", "highest_rejected", "pay_as_bid")
    ]
    assert all(
        grants[0]["granted_milli_ft3"].equals(other["granted_milli_ft3"]) for other in grants[1:]
    )


@given(books(), supplies)
def test_the_highest_rejected_fee_is_never_above_the_lowest_granted(book, supply):
    rules = ClearingRules(price_rule="highest_rejected")
    cleared = clear_round(book_frame(book), supply, rules)
    if cleared.clearing_fee_minor_per_ft3 is not None:
        assert cleared.clearing_fee_minor_per_ft3 <= cleared.lowest_granted_minor_per_ft3
