"""What a seller is told after a round, where two rules would want different words (rules §4)."""

from __future__ import annotations

import pytest
from market_examples import cleared, judge

from fbacap_logic.clearing import ClearingRules
from fbacap_logic.policy import Policy


def column_of(result, name):
    return result.grants.sort_values("request_id")[name].tolist()


@pytest.mark.parametrize(
    ("rules", "reference"),
    [
        ({"tie_rule": "pro_rata"}, "the clearing fee"),
        ({"tie_rule": "pro_rata", "price_rule": "pay_as_bid"}, "the lowest granted fee"),
    ],
)
def test_a_share_that_rounds_to_nothing_is_not_told_that_others_came_first(rules, reference):
    policy = Policy(clearing=ClearingRules(**rules))
    requests = judge({}, {"received_at": "2026-09-02"}, policy=policy)
    result = cleared(requests, 1, policy=policy)
    assert column_of(result, "granted_milli_ft3") == [1, 0]
    assert column_of(result, "reason") == ["marginal", "no_supply"]
    assert column_of(result, "reason_text") == [
        "marginal, under 1 % filled", f"at {reference}, but no space was left for it",
    ]  # fmt: skip


def test_a_share_below_the_minimum_is_told_what_it_needs():
    policy = Policy(clearing=ClearingRules(tie_rule="pro_rata"))
    requests = judge(
        {}, {"minimum_micro_ft3": 40_000_000, "received_at": "2026-09-02"}, policy=policy
    )
    result = cleared(requests, 60_000, policy=policy)
    assert column_of(result, "granted_milli_ft3") == [50_000, 0]
    assert column_of(result, "reason_text")[1] == (
        "minimum not met, it would have got less than the 40 ft3 that it needs"
    )
