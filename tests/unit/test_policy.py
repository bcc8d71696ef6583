from __future__ import annotations

from datetime import date

import pytest

from fbacap_logic.calendar import Quarter
from fbacap_logic.policy import ClearingRules, MarketOverride, Policy, parse_policy, policy_in_force


@pytest.mark.parametrize(
    ("document", "named"),
    [
        ({"settlement": {"credit_cap_bp": 10_001}}, "credit_cap_bp"),
        ({"settlement": {"credit_rate_bp": -1}}, "credit_rate_bp"),
        ({"clearing": {"minimum_fee_minor_per_ft3": 0}}, "minimum_fee_minor_per_ft3"),
        ({"clearing": {"tie_rule": "random"}}, "tie_rule"),
        ({"calendar": {"round_close_days": [14, -28]}}, "round_close_days"),
        ({"calendar": {"round_close_days": [-28, 89]}}, "round_close_days"),
        ({"calendar": {"round_close_days": [-60]}}, "after the announcement"),
        ({"calendar": {"final_days_after": 3}}, "preliminary, then final"),
        ({"requests": {"carry_overs": True}}, "carry_overs"),
        ({"base_allocation": {"components": []}}, "sum to 10000"),
        ({"base_allocation": {"multiplier_points": [[0, 9000], [1000, 8000]]}}, "not decrease"),
    ],
)
def test_a_policy_outside_its_ranges_is_refused_by_name(document, named):
    with pytest.raises(ValueError, match=named):
        parse_policy(document)


def test_an_empty_document_is_the_default_policy():
    assert parse_policy({}) == Policy()


def test_a_market_may_differ_in_its_rules_and_its_ceiling():
    own = ClearingRules(minimum_fee_minor_per_ft3=50)
    override = MarketOverride(
        marketplace_id="US", storage_type="oversize", clearing=own, fee_ceiling_minor_per_ft3=900
    )
    policy = Policy(market_overrides=(override,))
    assert policy.clearing_rules("US", "oversize") == own
    assert policy.clearing_rules("US", "standard") == policy.clearing
    assert policy.fee_ceiling("US", "oversize") == 900
    assert policy.fee_ceiling("US", "standard") is None


def test_the_version_in_force_on_the_announcement_day_governs_the_quarter():
    old = Policy(policy_version="old")
    new = Policy(policy_version="new", in_force_from=date(2026, 8, 20))
    newer = Policy(policy_version="newer", in_force_from=date(2026, 8, 21))
    assert policy_in_force([newer, old, new], Quarter(2026, 4)) == new
    assert policy_in_force([newer, old, new], Quarter(2026, 3)) == old


def test_no_version_or_two_at_once_are_refused():
    late = Policy(in_force_from=date(2030, 1, 1))
    with pytest.raises(ValueError, match="no policy version was in force"):
        policy_in_force([late], Quarter(2026, 4))
    with pytest.raises(ValueError, match="share the first day"):
        policy_in_force([Policy(policy_version="a"), Policy(policy_version="b")], Quarter(2026, 4))
