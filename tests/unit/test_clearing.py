from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from market_examples import CALENDAR, book, cleared, judge, supply

from fbacap_logic.clearing import (
    ClearingRules,
    clear_quarter,
    clear_round,
    validate_book,
)
from fbacap_logic.policy import Policy, RequestPolicy

SMALL_CAP = Policy(requests=RequestPolicy(request_cap_floor_milli_ft3=80_000))


def volume(cubic_feet):
    return {"requested_micro_ft3": cubic_feet * 1_000_000}


def at_least(cubic_feet):
    return {"minimum_micro_ft3": cubic_feet * 1_000_000}


def by_request(clearing, column, round_=1):
    rows = clearing.grants[clearing.grants["round"] == round_].sort_values("request_id")
    return rows[column].tolist()


def test_equal_fee_and_time_are_ordered_by_the_bytes_of_the_request_id():
    asks = book(("é", 5, 10, 0), ("z", 5, 10, 0), ("Z", 5, 10, 0))
    asks["submitted_at"] = pd.Timestamp("2026-09-01", tz="UTC")
    granted = clear_round(asks, 20, ClearingRules()).grants["granted_milli_ft3"]
    assert granted.tolist() == [0, 10, 10]


def test_nothing_granted_means_no_clearing_fee():
    for rule in ("lowest_granted", "highest_rejected", "pay_as_bid"):
        result = clear_round(book(("A", 5, 10, 0)), 0, ClearingRules(price_rule=rule))
        assert result.clearing_fee_minor_per_ft3 is None
        assert result.grants["reason"].tolist() == ["no_supply"]
    empty = clear_round(book(), 10, ClearingRules())
    assert (empty.clearing_fee_minor_per_ft3, empty.unsold_milli_ft3) == (None, 10)


def test_a_fee_below_the_minimum_is_not_in_the_book():
    rules = ClearingRules(minimum_fee_minor_per_ft3=3, price_rule="highest_rejected")
    result = clear_round(book(("A", 5, 10, 0), ("B", 2, 50, 0)), 40, rules)
    assert result.grants["reason"].tolist() == ["granted", "below_minimum_fee"]
    assert result.demanded_milli_ft3 == 10
    assert result.clearing_fee_minor_per_ft3 == 3


def test_a_dropped_request_does_not_set_the_highest_rejected_fee():
    asks = book(("A", 5, 60, 0), ("B", 4, 50, 45), ("D", 3, 10, 0), ("E", 2, 90, 0))
    result = clear_round(asks, 100, ClearingRules(price_rule="highest_rejected"))
    assert result.grants["granted_milli_ft3"].tolist() == [60, 0, 10, 30]
    assert result.clearing_fee_minor_per_ft3 == 2


def test_a_request_without_supply_counts_as_rejected_whatever_its_minimum():
    asks = book(("A", 5, 100, 0), ("B", 4, 50, 45))
    result = clear_round(asks, 100, ClearingRules(price_rule="highest_rejected"))
    assert result.grants["reason"].tolist() == ["granted", "no_supply"]
    assert result.clearing_fee_minor_per_ft3 == 4


def test_pro_rata_drops_the_last_in_the_order_first_and_shares_again():
    asks = book(("A", 4, 60, 40), ("B", 4, 60, 40), ("C", 4, 60, 40))
    result = clear_round(asks, 90, ClearingRules(tie_rule="pro_rata"))
    assert result.grants["granted_milli_ft3"].tolist() == [45, 45, 0]
    assert result.grants["reason"].tolist() == ["marginal", "marginal", "minimum_not_met"]
    assert (result.marginal_granted_milli_ft3, result.marginal_open_milli_ft3) == (90, 120)


def test_a_long_book_of_all_or_nothing_requests_is_cleared_like_a_short_one():
    rows = 40_000
    asks = pd.DataFrame(
        {
            "request_id": np.arange(rows).astype(str).astype(object),
            "submitted_at": np.datetime64("2026-09-01", "us") + np.arange(rows),
            "max_fee_minor_per_ft3": np.full(rows, 400),
            "open_milli_ft3": np.full(rows, 1000),
            "minimum_milli_ft3": np.full(rows, 1000),
        }
    )
    for tie_rule in ("time_priority", "pro_rata"):
        result = clear_round(asks, 1000 * (rows // 2) + 999, ClearingRules(tie_rule=tie_rule))
        assert result.granted_milli_ft3 == 1000 * (rows // 2)
        assert result.grants["granted_milli_ft3"].iloc[: rows // 2].eq(1000).all()


@pytest.mark.parametrize(
    ("column", "values", "message"),
    [
        ("max_fee_minor_per_ft3", [5.0, 4.0], "book: column 'max_fee_minor_per_ft3', row 0"),
        ("open_milli_ft3", [10, -1], "book: column 'open_milli_ft3', row 1: is -1"),
        ("minimum_milli_ft3", [0, 11], "book: column 'minimum_milli_ft3', row 1"),
        ("submitted_at", ["a", "b"], "book: column 'submitted_at', row 0"),
    ],
)
def test_a_bad_book_is_refused_by_column_and_first_row(column, values, message):
    asks = book(("A", 5, 10, 0), ("B", 4, 10, 0))
    asks[column] = values
    with pytest.raises(ValueError, match=message):
        clear_round(asks, 10, ClearingRules())


@pytest.mark.parametrize("amount", [-1, 1.5, True, 2**63])
def test_a_supply_that_is_no_whole_volume_is_refused(amount):
    with pytest.raises(ValueError, match="supply_milli_ft3 is"):
        clear_round(book(("A", 5, 10, 0)), amount, ClearingRules())


def test_a_request_twice_in_a_book_is_refused():
    asks = book(("A", 5, 10, 0), ("A", 4, 10, 0))
    with pytest.raises(ValueError, match="book: row 1 repeats the key request_id 'A'"):
        validate_book(asks)
    assert validate_book(asks.iloc[:1]) is None


def test_the_highest_revision_received_before_the_close_binds():
    requests = judge(
        {"request_id": "a", "revision": 1, **volume(10)},
        {"request_id": "a", "revision": 3, "received_at": "2026-09-02", **volume(30)},
        {"request_id": "a", "revision": 2, "received_at": "2026-09-02T12:00", **volume(20)},
        {"request_id": "a", "revision": 4, "received_at": "2026-09-03", **volume(40)},
    )
    result = cleared(requests, 100_000, 100_000)
    assert result.grants["revision"].tolist() == [3, 4]
    assert result.grants["open_milli_ft3"].tolist() == [30_000, 10_000]


def test_a_rejected_revision_leaves_the_one_before_it_binding():
    requests = judge(
        {"request_id": "a", **volume(10)},
        {"request_id": "a", "revision": 2, "received_at": "2026-09-02", **volume(0)},
    )
    assert cleared(requests, 100_000).grants["revision"].tolist() == [1]


def test_a_withdrawn_request_is_not_open_but_keeps_what_it_won():
    requests = judge(
        {"request_id": "a", **volume(50)},
        {"request_id": "a", "revision": 2, "received_at": "2026-09-10", "withdrawn": True},
    )
    result = cleared(requests, 20_000, 100_000)
    assert result.grants["round"].tolist() == [1]
    assert result.grants["granted_milli_ft3"].tolist() == [20_000]
    assert result.rounds["unsold_milli_ft3"].tolist() == [0, 100_000]


def test_a_revision_below_what_was_won_takes_nothing_back():
    requests = judge(
        {"request_id": "a", **volume(50)},
        {"request_id": "a", "revision": 2, "received_at": "2026-09-10", **volume(30)},
    )
    result = cleared(requests, 40_000, 100_000)
    assert result.grants["granted_milli_ft3"].tolist() == [40_000]


def test_what_a_round_leaves_unsold_is_supply_of_the_next():
    result = cleared(judge(volume(30)), 50_000, 10_000)
    rounds = result.rounds.set_index("round")
    assert rounds["carried_in_milli_ft3"].tolist() == [0, 20_000]
    assert rounds["supply_milli_ft3"].tolist() == [50_000, 30_000]


def test_without_carry_over_a_request_takes_part_in_its_first_round_only():
    requests = judge(volume(50), {"received_at": "2026-09-10", **volume(10)})
    once = Policy(requests=RequestPolicy(carry_over=False))
    result = cleared(requests, 20_000, 100_000, policy=once)
    assert by_request(result, "request_id", 1) == ["r1"]
    assert by_request(result, "request_id", 2) == ["r2"]
    assert by_request(cleared(requests, 20_000, 100_000), "request_id", 2) == ["r1", "r2"]


def test_what_was_won_in_all_earlier_rounds_is_no_longer_open():
    result = cleared(judge(volume(50)), 20_000, 20_000, 20_000)
    assert result.grants["open_milli_ft3"].tolist() == [50_000, 30_000, 10_000]
    assert result.grants["granted_milli_ft3"].tolist() == [20_000, 20_000, 10_000]


def test_a_request_received_at_the_instant_of_a_close_belongs_to_the_next_round():
    requests = judge({"received_at": "2026-09-03"}, {"received_at": "2026-09-02T23:59:59.999999"})
    for carry_over, in_second in ((True, ["r1", "r2"]), (False, ["r1"])):
        policy = Policy(requests=RequestPolicy(carry_over=carry_over))
        result = cleared(requests, 0, 0, policy=policy)
        assert by_request(result, "request_id", 1) == ["r2"]
        assert by_request(result, "request_id", 2) == in_second


def test_a_seller_at_its_cap_gets_no_room_in_later_rounds():
    requests = judge(volume(100), policy=SMALL_CAP)
    result = cleared(requests, 80_000, 50_000, policy=SMALL_CAP)
    assert result.grants["trimmed_milli_ft3"].tolist() == [80_000, 0]
    assert result.grants["granted_milli_ft3"].tolist() == [80_000, 0]


def test_the_remaining_minimum_shrinks_by_what_was_won():
    requests = judge(volume(50) | at_least(25))
    result = cleared(requests, 30_000, 100_000)
    assert result.grants["remaining_minimum_milli_ft3"].tolist() == [25_000, 0]


def test_the_cap_is_dealt_in_the_total_order_and_counts_earlier_rounds():
    requests = judge(
        {"max_fee_micro": 5_000_000, **volume(50)},
        {"max_fee_micro": 4_000_000, **volume(50)},
        {"max_fee_micro": 3_000_000, **volume(50)},
        policy=SMALL_CAP,
    )
    result = cleared(requests, 70_000, 100_000, policy=SMALL_CAP)
    assert by_request(result, "trimmed_milli_ft3") == [50_000, 30_000, 0]
    assert by_request(result, "granted_milli_ft3") == [50_000, 20_000, 0]
    assert by_request(result, "reason_text") == [
        "granted in full",
        "marginal, 66 % filled of the 30 ft3 that the seller's cap left room for",
        "cap reached, no room was left under the seller's cap",
    ]
    assert by_request(result, "granted_milli_ft3", 2) == [10_000, 0]
    assert by_request(result, "outcome", 2) == ["partial", "rejected"]
    assert by_request(result, "reason_text", 2)[0] == "cap reached, 33 % filled"


def test_a_request_whose_share_of_the_cap_is_below_its_minimum_is_passed_over():
    requests = judge(
        {"max_fee_micro": 5_000_000, **volume(50)},
        {"max_fee_micro": 4_000_000, **volume(50), **at_least(40)},
        {"max_fee_micro": 3_000_000, **volume(20)},
        policy=SMALL_CAP,
    )
    result = cleared(requests, 100_000, policy=SMALL_CAP)
    assert by_request(result, "granted_milli_ft3") == [50_000, 0, 20_000]
    assert by_request(result, "reason") == ["granted", "cap_below_minimum", "granted"]
    assert by_request(result, "reason_text")[1] == (
        "cap below minimum, less than 40 ft3 was left under the seller's cap"
    )


def test_sentences_show_fees_in_the_currencys_decimals():
    requests = judge(
        {"max_fee_micro": 4_370_000},
        {"max_fee_micro": 4_000_000, "received_at": "2026-09-02"},
    )
    assert by_request(cleared(requests, 40_000), "reason_text") == [
        "marginal, 80 % filled", "0.37 below the clearing fee",
    ]  # fmt: skip
    yen = {"minor_unit_digits": 0}
    requests = judge({"max_fee_micro": 37_000_000} | yen, {"max_fee_micro": 25_000_000} | yen)
    sentences = by_request(cleared(requests, 40_000), "reason_text")
    assert sentences[1] == "12 below the clearing fee"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda requests: requests.assign(seller_id=["s1", "s2"]), "'a' names two sellers"),
        (lambda requests: requests.assign(cap_milli_ft3=[1, 2]), "'s1' has two caps"),
        (lambda requests: requests.assign(revision=1), "row 1 repeats the key request_id 'a'"),
        (lambda requests: requests.assign(is_accepted=[True, False]), "'is_accepted', row 1"),
        (
            lambda requests: requests.assign(minimum_milli_ft3=[0, 60_000]),
            "'minimum_milli_ft3', row 1: is above requested_milli_ft3",
        ),
        (
            lambda requests: requests.assign(requested_milli_ft3=pd.array([5, None], "Int64")),
            "'requested_milli_ft3', row 1: is null in a standing request",
        ),
    ],
)
def test_requests_that_contradict_themselves_are_refused(change, message):
    requests = judge({"request_id": "a"}, {"request_id": "a", "revision": 2})
    with pytest.raises(ValueError, match=message):
        clear_quarter(change(requests), supply(10_000), CALENDAR, Policy())


def test_supply_of_a_round_that_the_calendar_lacks_is_refused():
    with pytest.raises(
        ValueError, match=r"^round_supply: column 'round', row 4: is 5; 2026Q4 has no such round$"
    ):
        cleared(judge({}), 1, 1, 1, 1, 1)
