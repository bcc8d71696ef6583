"""Clearing agrees with the slow reference, and does not depend on what it must not depend on."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd
import pytest
import reference
from edge_strategies import (
    accepted_quarters,
    edge_books,
    edge_supplies,
    large_books,
    stubborn_books,
)
from hypothesis import given
from hypothesis import strategies as st
from market_run import cleared_accepted, expected_of, passes_63_bits
from proof_effort import examples
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

from fbacap_logic.clearing import ClearingRules, QuarterClearing, clear_quarter, clear_round
from fbacap_logic.requests import judge_requests


def cleared_of(quarter: MarketQuarter) -> QuarterClearing:
    judged = judge_requests(judged_frame(quarter), quarter.calendar, quarter.policy)
    accepted = judged[judged["is_accepted"]]
    return clear_quarter(accepted, supply_frame(quarter), quarter.calendar, quarter.policy)


def assert_cleared_as_the_reference(book, supply, rules):
    expected = reference.clear(book, supply, rules)
    cleared = clear_round(book_frame(book), supply, rules)
    volumes = [expected.granted[ask.request_id] for ask in book]
    assert cleared.grants["request_id"].tolist() == [ask.request_id for ask in book]
    assert cleared.grants["granted_milli_ft3"].tolist() == volumes
    assert cleared.grants["outcome"].tolist() == [
        reference.outcome_of(granted, ask.open) for granted, ask in zip(volumes, book, strict=True)
    ]
    assert cleared.grants["reason"].tolist() == [expected.reason[ask.request_id] for ask in book]
    assert cleared.clearing_fee_minor_per_ft3 == expected.fee
    assert cleared.lowest_granted_minor_per_ft3 == expected.lowest
    assert cleared.granted_milli_ft3 == sum(volumes)
    assert cleared.unsold_milli_ft3 == expected.unsold
    assert cleared.demanded_milli_ft3 == expected.demanded
    assert cleared.marginal_granted_milli_ft3 == expected.marginal_granted
    assert cleared.marginal_open_milli_ft3 == expected.marginal_open
    assert cleared.winners == expected.winners


@examples(100)
@given(books(), supplies, clearing_rules)
def test_a_cleared_round_is_what_the_slow_reference_says(book, supply, rules):
    assert_cleared_as_the_reference(book, supply, rules)


@examples(150)
@given(crowded_levels(), st.integers(0, 120), clearing_rules)
def test_a_crowd_of_all_or_nothing_requests_is_dropped_one_by_one(book, supply, rules):
    assert_cleared_as_the_reference(book, supply, rules)


@examples(100)
@given(edge_books(), edge_supplies, clearing_rules)
def test_a_round_near_and_past_2_to_the_63_is_cleared_to_the_unit(book, supply, rules):
    assert_cleared_as_the_reference(book, supply, rules)


@examples(80)
@given(stubborn_books, st.integers(0, 1_050), clearing_rules)
def test_drop_after_drop_on_many_fees_is_the_same_as_clearing_again(book, permille, rules):
    asks = book.asks
    supply = sum(ask.open for ask in asks) * permille // 1_000
    assert_cleared_as_the_reference(asks, supply, rules)


@examples(12)
@given(large_books, st.integers(0, 1_050), clearing_rules)
def test_a_book_of_thousands_is_cleared_like_a_small_one(book, supply_permille, rules):
    asks = book.asks
    supply = sum(ask.open for ask in asks) * supply_permille // 1_000
    assert_cleared_as_the_reference(asks, supply, rules)


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


@examples(40)
@given(edge_books(), edge_supplies, clearing_rules)
def test_a_request_that_is_not_open_or_too_cheap_changes_nothing_for_others(book, supply, rules):
    in_book = [ask for ask in book if ask.open and ask.fee >= rules.minimum_fee_minor_per_ft3]
    whole = clear_round(book_frame(book), supply, rules)
    alone = clear_round(book_frame(in_book), supply, rules)
    kept = whole.grants["request_id"].isin([ask.request_id for ask in in_book])
    pd.testing.assert_frame_equal(whole.grants[kept].reset_index(drop=True), alone.grants)
    assert replace(whole, grants=alone.grants) == replace(alone, grants=alone.grants)


def assert_quarter_as_the_reference(cleared, expected):
    listed = {
        (f"{row.marketplace_id}/{row.storage_type}", row.round): row
        for row in cleared.rounds.astype(object).itertuples()
    }
    assert list(listed) == sorted(expected)
    for key, outcome in expected.items():
        row, wanted = listed[key], outcome.cleared
        supply = outcome.released + outcome.carried_in
        found = {name: None if pd.isna(value) else value for name, value in row._asdict().items()}
        assert found["released_milli_ft3"] == outcome.released
        assert found["carried_in_milli_ft3"] == outcome.carried_in
        assert found["supply_milli_ft3"] == supply
        assert found["demanded_milli_ft3"] == wanted.demanded
        assert found["granted_milli_ft3"] == supply - wanted.unsold
        assert found["unsold_milli_ft3"] == wanted.unsold
        assert found["clearing_fee_minor_per_ft3"] == wanted.fee
        assert found["cover_ratio_bp"] == reference.ratio_bp(wanted.demanded, supply)
        fill = reference.ratio_bp(wanted.marginal_granted, wanted.marginal_open)
        assert found["marginal_fill_bp"] == fill
        assert (found["requests"], found["winners"]) == (len(outcome.entries), wanted.winners)
    assert allocations_of(cleared) == [
        allocation
        for key in sorted(expected)
        for allocation in expected_allocations(key, expected[key])
    ]


ALLOCATION_COLUMNS = [
    "marketplace_id", "storage_type", "request_id", "round", "revision", "seller_id",
    "max_fee_minor_per_ft3", "priority_at", "requested_milli_ft3", "open_milli_ft3",
    "trimmed_milli_ft3", "remaining_minimum_milli_ft3", "granted_milli_ft3", "outcome", "reason",
]  # fmt: skip


def allocations_of(cleared):
    return list(cleared.grants[ALLOCATION_COLUMNS].itertuples(index=False, name=None))


def expected_allocations(key, outcome):
    """Rows of cleared_allocations in the total order."""
    market, number = key
    rows = []
    for entry in outcome.entries:
        bound = entry.bound
        granted, result, reason = reference.told(entry, outcome.cleared)
        row = (
            *market.split("/"), bound.request_id, number, bound.revision, bound.seller, bound.fee,
            pd.Timestamp(bound.at), bound.requested, entry.open, entry.trimmed, entry.minimum,
            granted, result, reason,
        )  # fmt: skip
        rows.append(((-bound.fee, bound.at, bound.request_id.encode()), row))
    return [row for _, row in sorted(rows)]


@examples(60)
@given(accepted_quarters())
def test_a_cleared_quarter_is_what_the_slow_reference_says(quarter):
    expected = expected_of(quarter)
    if passes_63_bits(expected):
        with pytest.raises(ValueError, match=r"2\^63 - 1"):
            cleared_accepted(quarter)
    else:
        assert_quarter_as_the_reference(cleared_accepted(quarter), expected)


@examples(30)
@given(accepted_quarters(sellers=("s1",)))
def test_a_quarter_of_one_seller_is_what_the_slow_reference_says(quarter):
    expected = expected_of(quarter)
    if not passes_63_bits(expected):
        assert_quarter_as_the_reference(cleared_accepted(quarter), expected)


@examples(20)
@given(quarters())
def test_a_judged_and_cleared_quarter_is_what_the_slow_reference_says(quarter):
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
    assert_quarter_as_the_reference(cleared_of(quarter), expected)
