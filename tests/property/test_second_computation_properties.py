"""Two independent computations agree: the SQL of ``fbacap verify``, and ``fbacap_logic``."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pandas as pd
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from proof_effort import examples
from reference import Ask
from second_side import frame_rows, parameters, rows, session
from strategies import (
    FIRST_MOMENT,
    HUGE,
    MARKETS,
    QUARTER,
    MarketQuarter,
    book_frame,
    books,
    clearing_rules,
    crowded_levels,
    judged_frame,
    policies,
    quarters,
    sales_of,
    seller_days,
    settled_grants,
    supplies,
    supply_frame,
)

from fbacap_logic.attribution import (
    INCREMENTAL_SALES_COLUMNS,
    attribute_days,
    attribute_quarter,
)
from fbacap_logic.clearing import ClearingRules, clear_quarter, clear_round
from fbacap_logic.credits import performance_credits
from fbacap_logic.policy import MarketOverride, Policy, RequestPolicy
from fbacap_logic.repricing import reprice_quarter, repricing_steps_quarter
from fbacap_logic.requests import judge_requests
from orchestration.verification.rounds import derive_rounds
from orchestration.verification.settlements import derive_credits, derive_day_amounts

ALLOCATIONS = [
    "request_id", "round", "revision", "seller_id", "max_fee_minor_per_ft3", "requested_milli_ft3",
    "open_milli_ft3", "trimmed_milli_ft3", "remaining_minimum_milli_ft3", "granted_milli_ft3",
    "outcome", "reason",
]  # fmt: skip
ROUNDS = [
    "marketplace_id", "storage_type", "round", "released_milli_ft3", "carried_in_milli_ft3",
    "supply_milli_ft3", "demanded_milli_ft3", "granted_milli_ft3", "unsold_milli_ft3",
    "clearing_fee_minor_per_ft3", "cover_ratio_bp", "marginal_fill_bp", "requests", "winners",
]  # fmt: skip
FEES = [
    "request_id", "round", "granted_milli_ft3", "max_fee_minor_per_ft3", "round_fee_minor_per_ft3",
    "final_fee_minor_per_ft3", "repriced_in_round", "days_in_force", "days_in_quarter", "fee_minor",
]  # fmt: skip
STEPS = [
    "request_id", "round", "repriced_in_round", "fee_before_minor_per_ft3",
    "fee_after_minor_per_ft3",
]  # fmt: skip
DAY_AMOUNTS = [
    "seller_id", "net_sales_minor", "extra_used_milli_ft3", "usage_layer_micro_minor",
    "capacity_share_micro_minor",
]  # fmt: skip
overridden = st.one_of(
    st.just(()),
    clearing_rules.map(
        lambda rules: (
            MarketOverride(
                marketplace_id=MARKETS[0][0], storage_type=MARKETS[0][1], clearing=rules
            ),
        )
    ),
)


def bases_frame(quarter: MarketQuarter) -> pd.DataFrame:
    return pd.DataFrame(
        [(*market.split("/"), seller, base) for (market, seller), base in quarter.bases.items()],
        columns=["marketplace_id", "storage_type", "seller_id", "base_milli_ft3"],
    )


def assert_quarter_derived_alike(quarter: MarketQuarter) -> None:
    supply, calendar, policy = supply_frame(quarter), quarter.calendar, quarter.policy
    judged = judge_requests(judged_frame(quarter), calendar, policy)
    cleared = clear_quarter(judged[judged["is_accepted"]], supply, calendar, policy)
    fees = reprice_quarter(cleared.grants, cleared.rounds, calendar, policy)
    steps = repricing_steps_quarter(cleared.grants, cleared.rounds, calendar, policy)
    closed = calendar.rounds[int(supply["round"].max()) - 1]
    with session(
        published_round_requests=judged,
        published_market_rounds=cleared.rounds,
        announced_base_allocations=bases_frame(quarter),
    ) as connection:
        derive_rounds(connection, parameters(policy, closed.closes_at))
        for relation, frame, columns in (
            ("derived_cleared_allocations", cleared.grants, ALLOCATIONS),
            ("derived_market_rounds join market_rules using (market)", cleared.rounds, ROUNDS),
            ("derived_repriced_fees", fees, FEES),
            ("derived_repricing_steps", steps, STEPS),
        ):
            derived = rows(connection, f"select {', '.join(columns)} from {relation}")
            assert sorted(derived, key=repr) == frame_rows(frame, columns), relation
        caps = ["request_id", "revision", "version_number", "first_round", "cap_milli_ft3"]
        derived = rows(connection, f"select {', '.join(caps)} from derived_round_requests")
        assert sorted(derived, key=repr) == frame_rows(judged, caps)


@examples(100)
@given(quarters(), overridden)
def test_grants_fees_and_caps_of_random_quarters_are_derived_alike(quarter, overrides):
    policy = replace(quarter.policy, market_overrides=overrides)
    assert_quarter_derived_alike(replace(quarter, policy=policy))


def one_round(book: list[Ask], rules: ClearingRules, supply: int):
    """What the SQL makes of one book in one market: grants, dropped requests, clearing fee."""
    policy = Policy(
        clearing=rules,
        requests=RequestPolicy(
            minimum_request_milli_ft3=1, request_cap_floor_milli_ft3=HUGE * 2 - 1
        ),
    )
    requests = book_frame(book).rename(
        columns={"open_milli_ft3": "requested_milli_ft3", "submitted_at": "received_at"}
    )
    requests = requests.assign(
        marketplace_id="US",
        storage_type="standard",
        seller_id=requests["request_id"],
        revision=1,
        version_number=1,
        submitted_at=requests["received_at"],
        withdrawn=False,
        is_accepted=True,
    )
    released = pd.DataFrame(
        [("US", "standard", 1, supply)],
        columns=["marketplace_id", "storage_type", "round", "released_milli_ft3"],
    )
    bases = pd.DataFrame(
        {name: pd.Series(dtype=object) for name in ("marketplace_id", "storage_type", "seller_id")}
    ).assign(base_milli_ft3=pd.Series(dtype="int64"))
    closes_at = policy.calendar_of(QUARTER).rounds[0].closes_at
    with session(
        published_round_requests=requests,
        published_market_rounds=released,
        announced_base_allocations=bases.astype(
            {"marketplace_id": str, "storage_type": str, "seller_id": str}
        ),
    ) as connection:
        derive_rounds(connection, parameters(policy, closes_at))
        derived = rows(
            connection,
            "select request_id, granted_milli_ft3, reason from derived_cleared_allocations",
        )
        ((fee, unsold),) = rows(
            connection,
            "select clearing_fee_minor_per_ft3, unsold_milli_ft3 from derived_market_rounds",
        )
    return sorted(derived), fee, unsold


def assert_round_derived_alike(book: list[Ask], rules: ClearingRules, supply: int) -> None:
    cleared = clear_round(book_frame(book), supply, rules)
    in_book = cleared.grants["reason"].astype(object) != "below_minimum_fee"
    grants = cleared.grants[in_book].astype({"reason": object})
    expected = frame_rows(grants, ["request_id", "granted_milli_ft3", "reason"])
    derived, fee, unsold = one_round(book, rules, supply)
    assert derived == sorted(expected)
    assert fee == cleared.clearing_fee_minor_per_ft3
    assert unsold == cleared.unsold_milli_ft3


@examples(100)
@given(books(), clearing_rules, supplies)
@example(
    [Ask("a", 5, FIRST_MOMENT, HUGE, 0), Ask("b", 5, FIRST_MOMENT, HUGE - 1, 0)],
    ClearingRules(tie_rule="pro_rata"),
    2 * HUGE - 2,
)
@example([], ClearingRules(), 0)
def test_a_round_of_ties_minimums_and_huge_volumes_is_derived_alike(book, rules, supply):
    assert_round_derived_alike(book, rules, supply)


@examples(100)
@given(crowded_levels(), clearing_rules, st.integers(0, 120))
def test_a_crowd_of_all_or_nothing_requests_is_derived_alike(book, rules, supply):
    assert_round_derived_alike(book, rules, supply)


@pytest.mark.parametrize("tie_rule", ["time_priority", "pro_rata"])
def test_walks_longer_than_a_block_are_derived_alike(tie_rule):
    book = [
        Ask(f"r{place:03}", 900 - place // 3, FIRST_MOMENT + timedelta(minutes=place % 7),
            3 + place * 7 % 11, (3 + place * 7 % 11) if place % 4 else 0)
        for place in range(400)
    ]  # fmt: skip
    for supply in (7, 100, 1_003, 2_500):
        assert_round_derived_alike(book, ClearingRules(tie_rule=tie_rule), supply)


@given(settled_grants(), policies, st.data())
def test_credits_of_random_sellers_are_derived_alike(grants, policy, data):
    sales = sales_of(data.draw, grants)
    rates = policy.settlement
    expected = performance_credits(
        grants.rename(columns={"priority_at": "submitted_at"}),
        sales,
        rates.credit_rate_bp,
        rates.credit_cap_bp,
    )
    columns = ["request_id", "round", "fee_minor", "credit_minor"]
    with session(published_repriced_fees=grants, derived_incremental_sales=sales) as connection:
        derive_credits(connection, parameters(policy, policy.calendar_of(QUARTER).announced_at))
        derived = rows(connection, f"select {', '.join(columns)} from derived_credits")
    assert sorted(derived, key=repr) == frame_rows(expected, columns)


@given(seller_days(), policies)
def test_days_and_their_sums_are_derived_alike(days, policy):
    forecasts = pd.DataFrame(
        [("US", "standard", seller, 30) for seller in ("s1", "é")],
        columns=["marketplace_id", "storage_type", "seller_id", "sales_forecast_minor"],
    )
    with session(settled_days=days, announced_base_allocations=forecasts) as connection:
        derive_day_amounts(connection, parameters(policy, policy.calendar_of(QUARTER).announced_at))
        for relation, frame, columns in (
            ("derived_incremental_sales_days", attribute_days(days), DAY_AMOUNTS),
            (
                "derived_incremental_sales",
                attribute_quarter(days, forecasts, policy),
                list(INCREMENTAL_SALES_COLUMNS),
            ),
        ):
            derived = rows(connection, f"select {', '.join(columns)} from {relation}")
            assert sorted(derived, key=repr) == frame_rows(frame, columns), relation
