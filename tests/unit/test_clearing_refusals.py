"""What clearing refuses: every column of every input, by name and first wrong row."""

from __future__ import annotations

import pandas as pd
import pytest
from column_faults import faults_of, names, says_missing
from market_examples import CALENDAR, book, judge, supply

from fbacap_logic.clearing import ClearingRules, clear_quarter, clear_round
from fbacap_logic.policy import Policy

LARGEST = 2**63 - 1
BOOK = book(("A", 500, 60, 1), ("B", 400, 50, 1), ("C", 300, 10, 1))
BOOK_COLUMNS = {
    "request_id": "text",
    "submitted_at": "instant",
    "max_fee_minor_per_ft3": "whole",
    "open_milli_ft3": "whole",
    "minimum_milli_ft3": "whole",
}
REQUESTS = judge(*({"minimum_micro_ft3": 10**6} for _ in range(3)))
REQUEST_COLUMNS = {
    "request_id": "text",
    "marketplace_id": "text",
    "storage_type": "text",
    "seller_id": "text",
    "revision": "whole",
    "max_fee_minor_per_ft3": "whole",
    "requested_milli_ft3": "whole",
    "minimum_milli_ft3": "whole",
    "cap_milli_ft3": "whole",
    "priority_at": "instant",
    "received_at": "instant",
    "withdrawn": "flag",
    "is_accepted": "flag",
    "minor_unit_digits": "whole",
}
OPTIONAL_COLUMNS = {"is_accepted", "minor_unit_digits"}
SUPPLY = supply(50_000, 10_000, 5_000)
SUPPLY_COLUMNS = {
    "marketplace_id": "text",
    "storage_type": "text",
    "round": "positive",
    "released_milli_ft3": "whole",
}


@pytest.mark.parametrize(("column", "breaks", "row"), faults_of(BOOK_COLUMNS))
def test_a_bad_column_of_a_book_is_refused(column, breaks, row):
    bad = BOOK.assign(**{column: breaks(BOOK[column])})
    with pytest.raises(ValueError, match=names("book", column, row)):
        clear_round(bad, 100, ClearingRules())


@pytest.mark.parametrize("column", BOOK_COLUMNS)
def test_a_book_without_a_column_is_refused(column):
    with pytest.raises(ValueError, match=says_missing("book", column)):
        clear_round(BOOK.drop(columns=column), 100, ClearingRules())


def test_a_minimum_above_its_open_volume_is_refused_where_anything_is_open():
    above = BOOK.assign(minimum_milli_ft3=[60, 51, 11])
    with pytest.raises(ValueError, match=names("book", "minimum_milli_ft3", 1)):
        clear_round(above, 100, ClearingRules())
    closed = BOOK.assign(open_milli_ft3=[60, 0, 10], minimum_milli_ft3=[60, 51, 10])
    assert clear_round(closed, 100, ClearingRules()).granted_milli_ft3 == 70


def test_demand_past_63_bits_is_summed_and_not_wrapped():
    huge = BOOK.assign(open_milli_ft3=LARGEST, minimum_milli_ft3=0)
    result = clear_round(huge, LARGEST, ClearingRules())
    assert result.demanded_milli_ft3 == 3 * LARGEST
    assert result.grants["granted_milli_ft3"].tolist() == [LARGEST, 0, 0]


def test_book_columns_may_be_narrow_unsigned_or_nullable_as_long_as_they_are_whole():
    for dtype in ("int16", "uint64", "Int64", "UInt32"):
        typed = BOOK.astype(dict.fromkeys(list(BOOK_COLUMNS)[2:], dtype))
        assert clear_round(typed, 100, ClearingRules()).granted_milli_ft3 == 100


@pytest.mark.parametrize(("column", "breaks", "row"), faults_of(REQUEST_COLUMNS))
def test_a_bad_column_of_the_requests_is_refused(column, breaks, row):
    bad = REQUESTS.assign(**{column: breaks(REQUESTS[column])})
    with pytest.raises(ValueError, match=names("requests", column, row)):
        clear_quarter(bad, SUPPLY, CALENDAR, Policy())


@pytest.mark.parametrize("column", sorted(set(REQUEST_COLUMNS) - OPTIONAL_COLUMNS))
def test_requests_without_a_column_are_refused(column):
    with pytest.raises(ValueError, match=says_missing("requests", column)):
        clear_quarter(REQUESTS.drop(columns=column), SUPPLY, CALENDAR, Policy())


def test_requests_may_lack_the_columns_that_have_a_default():
    bare = REQUESTS.drop(columns=sorted(OPTIONAL_COLUMNS))
    pd.testing.assert_frame_equal(
        clear_quarter(bare, SUPPLY, CALENDAR, Policy()).grants,
        clear_quarter(REQUESTS, SUPPLY, CALENDAR, Policy()).grants,
    )


def test_the_amounts_of_a_withdrawal_are_never_read():
    amounts = ["max_fee_minor_per_ft3", "requested_milli_ft3", "minimum_milli_ft3"]
    for amount in (pd.NA, -5, 0):
        withdrawn = REQUESTS.assign(withdrawn=[False, True, False])
        withdrawn.loc[1, amounts] = amount
        result = clear_quarter(withdrawn, SUPPLY.iloc[:1], CALENDAR, Policy())
        assert result.grants["request_id"].tolist() == ["r1", "r3"]
    odd = REQUESTS.assign(withdrawn=[False, True, False], minimum_milli_ft3=[0, 10**9, 0])
    assert len(clear_quarter(odd, SUPPLY.iloc[:1], CALENDAR, Policy()).grants) == 2


@pytest.mark.parametrize(("column", "breaks", "row"), faults_of(SUPPLY_COLUMNS))
def test_a_bad_column_of_the_supply_is_refused(column, breaks, row):
    bad = SUPPLY.assign(**{column: breaks(SUPPLY[column])})
    with pytest.raises(ValueError, match=names("round_supply", column, row)):
        clear_quarter(REQUESTS, bad, CALENDAR, Policy())


@pytest.mark.parametrize("column", SUPPLY_COLUMNS)
def test_a_supply_without_a_column_is_refused(column):
    with pytest.raises(ValueError, match=says_missing("round_supply", column)):
        clear_quarter(REQUESTS, SUPPLY.drop(columns=column), CALENDAR, Policy())


def test_a_market_and_round_twice_in_the_supply_is_refused():
    twice = pd.concat([SUPPLY, SUPPLY.iloc[[2]]], ignore_index=True)
    with pytest.raises(
        ValueError, match=r"^round_supply: row 3 repeats the key marketplace_id 'US'"
    ):
        clear_quarter(REQUESTS, twice, CALENDAR, Policy())


FAULTY_REQUESTS = [
    ("is_accepted", [True, False, False], "is false; only accepted clear"),
    ("requested_milli_ft3", [50_000, -1, -1], "is negative in a standing request"),
    (
        "minimum_milli_ft3",
        [50_000, 50_001, 50_002],
        "is above requested_milli_ft3, so it can never be met; reject the request",
    ),
    ("minimum_milli_ft3", pd.array([1, None, None], "Int64"), "is null in a standing request"),
]


@pytest.mark.parametrize(("column", "values", "fault"), FAULTY_REQUESTS)
def test_a_request_that_cannot_clear_is_refused_in_a_sentence(column, values, fault):
    with pytest.raises(ValueError, match=names("requests", column, 1) + fault + "$"):
        clear_quarter(REQUESTS.assign(**{column: values}), SUPPLY, CALENDAR, Policy())


def test_a_revision_twice_is_refused():
    twice = pd.concat([REQUESTS, REQUESTS.iloc[[1]]], ignore_index=True)
    with pytest.raises(ValueError, match=r"^requests: row 3 repeats the key request_id 'r2', rev"):
        clear_quarter(twice, SUPPLY, CALENDAR, Policy())


def test_the_request_that_names_two_sellers_is_named_and_not_its_neighbour():
    again = REQUESTS.iloc[[1, 2]].assign(revision=2, seller_id=["s1", "s9"])
    both = pd.concat([REQUESTS, again], ignore_index=True)
    sentence = r"^requests: 'r3' names two sellers or markets; reject one revision$"
    with pytest.raises(ValueError, match=sentence):
        clear_quarter(both, SUPPLY, CALENDAR, Policy())
    capped = REQUESTS.assign(seller_id=["s1", "s2", "s2"], cap_milli_ft3=[1, 2, 3])
    with pytest.raises(ValueError, match=r"^requests: 's2' has two caps in one market; give one$"):
        clear_quarter(capped, SUPPLY, CALENDAR, Policy())


def test_a_request_in_two_markets_is_refused_though_its_seller_is_one():
    moved = pd.concat([REQUESTS, REQUESTS.iloc[[0]].assign(revision=2, storage_type="oversize")])
    with pytest.raises(ValueError, match=r"^requests: 'r1' names two sellers or markets; reject"):
        clear_quarter(moved, SUPPLY, CALENDAR, Policy())


def test_supply_that_passes_63_bits_with_what_was_left_is_refused():
    with pytest.raises(ValueError, match=r"^supply_milli_ft3 is 9223372036854775808; it must lie"):
        clear_quarter(REQUESTS.iloc[:0], supply(LARGEST, 1), CALENDAR, Policy())


def test_demand_of_a_round_past_63_bits_is_refused():
    huge = REQUESTS.assign(
        seller_id=["s1", "s2", "s3"],
        requested_milli_ft3=[2**62, 2**62 - 1, 1],
        cap_milli_ft3=LARGEST,
        minimum_milli_ft3=0,
    )
    most = clear_quarter(huge.iloc[:2], supply(LARGEST), CALENDAR, Policy())
    assert most.rounds["demanded_milli_ft3"].tolist() == [LARGEST]
    with pytest.raises(ValueError, match=r"^market_rounds: a sum passes 2\^63 - 1; check the caps"):
        clear_quarter(huge, supply(LARGEST), CALENDAR, Policy())


def test_demand_without_supply_has_no_cover_ratio_however_large_it_is():
    huge = REQUESTS.assign(requested_milli_ft3=LARGEST, cap_milli_ft3=LARGEST).iloc[:1]
    rounds = clear_quarter(huge, supply(0), CALENDAR, Policy()).rounds
    assert rounds["demanded_milli_ft3"].tolist() == [LARGEST]
    assert rounds["cover_ratio_bp"].isna().all()
