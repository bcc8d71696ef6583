"""Drop after drop: a book in which ten minimums in a row are missed by one (rules §4.3)."""

from __future__ import annotations

import pytest
from market_examples import book

from fbacap_logic.clearing import ClearingRules, clear_round

STEPS = 10
SUPPLY = 2**12


def staircase(*last):
    """Each step halves what is left, then asks for one more than that, all or nothing."""
    asks, left = [], SUPPLY
    for step in range(STEPS):
        left //= 2
        asks.append((f"half{step}", 1_000 - 2 * step, left, 0))
        asks.append((f"more{step}", 999 - 2 * step, left + 1, left + 1))
    return book(*asks, *last)


def verdicts_of_last(result, rows):
    grants = result.grants
    assert grants["reason"].tolist()[: 2 * STEPS] == ["granted", "minimum_not_met"] * STEPS
    last = grants.tail(rows)
    return list(zip(last["granted_milli_ft3"], last["reason"], strict=True))


@pytest.mark.parametrize("tie_rule", ["time_priority", "pro_rata"])
@pytest.mark.parametrize("price_rule", ["lowest_granted", "highest_rejected"])
def test_the_request_that_gets_the_rest_ends_the_drops(tie_rule, price_rule):
    asks = staircase(("margin", 50, 10, 0), ("after", 40, 10, 0), ("late", 30, 10, 10))
    rules = ClearingRules(tie_rule=tie_rule, price_rule=price_rule)
    result = clear_round(asks, SUPPLY, rules)
    assert verdicts_of_last(result, 3) == [
        (4, "marginal"), (0, "below_clearing_fee"), (0, "below_clearing_fee"),
    ]  # fmt: skip
    assert result.clearing_fee_minor_per_ft3 == 50
    assert result.unsold_milli_ft3 == 0


@pytest.mark.parametrize("tie_rule", ["time_priority", "pro_rata"])
def test_the_request_that_just_fits_ends_the_drops(tie_rule):
    asks = staircase(("fits", 50, 4, 4), ("equal", 50, 4, 0), ("late", 30, 1, 1))
    result = clear_round(asks, SUPPLY, ClearingRules(tie_rule=tie_rule))
    if tie_rule == "time_priority":
        expected = [(4, "granted"), (0, "no_supply"), (0, "below_clearing_fee")]
    else:
        expected = [(0, "minimum_not_met"), (4, "granted"), (0, "below_clearing_fee")]
    assert verdicts_of_last(result, 3) == expected


@pytest.mark.parametrize("tie_rule", ["time_priority", "pro_rata"])
def test_what_nobody_can_take_is_left_unsold(tie_rule):
    asks = staircase(("high", 50, 5, 5), ("low", 40, 3, 3), ("lower", 30, 2, 2))
    result = clear_round(asks, SUPPLY, ClearingRules(tie_rule=tie_rule))
    assert verdicts_of_last(result, 3) == [
        (0, "minimum_not_met"), (3, "granted"), (0, "minimum_not_met"),
    ]  # fmt: skip
    assert (result.unsold_milli_ft3, result.clearing_fee_minor_per_ft3) == (1, 40)


@pytest.mark.parametrize("tie_rule", ["time_priority", "pro_rata"])
def test_all_that_fit_after_the_last_drop_are_granted_whole(tie_rule):
    asks = staircase(("low", 40, 2, 2), ("lower", 30, 1, 1))
    result = clear_round(asks, SUPPLY, ClearingRules(tie_rule=tie_rule))
    assert verdicts_of_last(result, 2) == [(2, "granted"), (1, "granted")]
    assert (result.unsold_milli_ft3, result.clearing_fee_minor_per_ft3) == (1, 30)


def test_equal_requests_share_what_ten_drops_left():
    asks = staircase(("b", 50, 10, 0), ("a", 50, 6, 0), ("c", 50, 4, 2), ("d", 40, 1, 0))
    result = clear_round(asks, SUPPLY, ClearingRules(tie_rule="pro_rata"))
    assert verdicts_of_last(result, 4) == [
        (3, "marginal"), (1, "marginal"), (0, "minimum_not_met"), (0, "below_clearing_fee"),
    ]  # fmt: skip
    assert (result.marginal_granted_milli_ft3, result.marginal_open_milli_ft3) == (4, 16)
