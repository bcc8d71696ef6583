"""What bidders could try, worked out on small books: what it brings, and what it does not.

Cases in which an attempt pays are here too: docs/threat-model.md calls them not stopped, and a
change that stops one must change that page.
"""

from __future__ import annotations

import pytest
from market_examples import book, cleared, judge

from fbacap_logic.clearing import ClearingRules, clear_round
from fbacap_logic.policy import Policy, RequestPolicy

PRO_RATA = ClearingRules(tie_rule="pro_rata")


def granted(asks, supply, rules=PRO_RATA):
    """Volume by request id."""
    rows = clear_round(asks, supply, rules).grants
    return dict(zip(rows["request_id"], rows["granted_milli_ft3"], strict=True))


def own_fee(bid, rule):
    """What the last of two winners pays, whose space is worth 4, after bidding."""
    asks = book(("A", 6, 60, 0), ("B", bid, 40, 0), ("C", 2, 40, 0))
    return clear_round(asks, 100, ClearingRules(price_rule=rule)).clearing_fee_minor_per_ft3


def test_the_last_winner_lowers_its_own_fee_under_one_price_rule_and_not_under_the_other():
    assert (own_fee(4, "lowest_granted"), own_fee(3, "lowest_granted")) == (4, 3)
    assert own_fee(4, "highest_rejected") == own_fee(3, "highest_rejected") == 2


@pytest.mark.parametrize("first_part", [1, 17, 30, 59])
def test_cutting_a_request_in_two_wins_no_more_than_rounding_in_a_shared_tie(first_part):
    whole = granted(book(("mine", 4, 60, 0), ("rival", 4, 50, 0)), 70)
    parts = book(("mine-1", 4, first_part, 0), ("mine-2", 4, 60 - first_part, 0), ("r", 4, 50, 0))
    cut = granted(parts, 70)
    assert abs(cut["mine-1"] + cut["mine-2"] - whole["mine"]) <= 1


def test_cutting_a_request_in_two_does_not_get_past_the_cap():
    policy = Policy(requests=RequestPolicy(request_cap_floor_milli_ft3=80_000))
    rows = [{"requested_micro_ft3": 60_000_000}, {"requested_micro_ft3": 60_000_000}]
    result = cleared(judge(*rows, policy=policy), 200_000, policy=policy)
    assert result.grants["granted_milli_ft3"].sum() == 80_000


def test_a_second_account_brings_a_second_cap():
    policy = Policy(requests=RequestPolicy(request_cap_floor_milli_ft3=80_000))
    row = {"requested_micro_ft3": 100_000_000}
    rows = [row, row | {"seller_id": "s1-again"}]
    result = cleared(judge(*rows, policy=policy), 200_000, policy=policy)
    assert result.grants["granted_milli_ft3"].sum() == 2 * 80_000


def test_overstating_wins_a_larger_share_of_a_tie_up_to_the_cap_and_not_beyond():
    policy = Policy(
        clearing=ClearingRules(tie_rule="pro_rata"),
        requests=RequestPolicy(request_cap_floor_milli_ft3=80_000),
    )

    def share(asked_ft3):
        mine = {"requested_micro_ft3": asked_ft3 * 1_000_000}
        rival = {"seller_id": "rival", "requested_micro_ft3": 40_000_000}
        result = cleared(judge(mine, rival, policy=policy), 60_000, policy=policy)
        return result.grants.set_index("seller_id").loc["s1", "granted_milli_ft3"]

    assert (share(40), share(80), share(800)) == (30_000, 40_000, 40_000)


def test_under_time_priority_overstating_moves_nobody_up():
    asks = book(("rival", 4, 40, 0), ("mine", 4, 40, 0)), book(("rival", 4, 40, 0), ("m", 4, 80, 0))
    assert [granted(each, 60, ClearingRules())["rival"] for each in asks] == [40, 40]


def test_a_revision_takes_its_own_place_in_the_queue():
    early = {"request_id": "early", "submitted_at": "2026-08-22"}
    rows = [
        early | {"received_at": "2026-08-22"},
        {"request_id": "rival", "seller_id": "s2", "received_at": "2026-08-25"},
        early | {"revision": 2, "submitted_at": "2026-08-30", "received_at": "2026-08-30"},
    ]
    for row in rows:
        row["submitted_at"] = row["received_at"]

    def winner(*given):
        grants = cleared(judge(*given), 50_000).grants
        return grants.loc[(grants["round"] == 1) & (grants["granted_milli_ft3"] > 0), "request_id"]

    assert list(winner(*rows[:2])) == ["early"]
    assert list(winner(*rows)) == ["rival"]
