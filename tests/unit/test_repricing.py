from __future__ import annotations

import pandas as pd
import pytest
from market_examples import CALENDAR, cleared, judge, supply

from fbacap_logic.clearing import clear_quarter
from fbacap_logic.policy import ClearingRules, Policy
from fbacap_logic.repricing import (
    REPRICED_FEE_COLUMNS,
    REPRICING_STEP_COLUMNS,
    reprice,
    reprice_quarter,
    repricing_steps,
    repricing_steps_quarter,
)


def grants(*rows):
    columns = ["request_id", "round", "granted_milli_ft3", "max_fee_minor_per_ft3"]
    return pd.DataFrame(rows, columns=columns).assign(days_in_force=77, days_in_quarter=92)


def rounds(*rows):
    columns = ["round", "clearing_fee_minor_per_ft3", "granted_milli_ft3"]
    return pd.DataFrame(rows, columns=columns).astype({"clearing_fee_minor_per_ft3": "Int64"})


GRANTS = grants(("A", 1, 60_000, 600), ("E", 2, 40_000, 700), ("F", 3, 10_000, 250))
ROUNDS = rounds((1, 600, 60_000), (2, 700, 40_000), (3, 250, 10_000))


def test_a_slack_last_round_pulls_every_earlier_fee_down():
    fees = reprice(GRANTS, ROUNDS, ClearingRules())
    assert fees["final_fee_minor_per_ft3"].tolist() == [250, 250, 250]
    assert fees["repriced_in_round"].isna().tolist() == [False, False, True]


def test_the_guard_keeps_a_tiny_round_from_repricing_anyone():
    guarded = ClearingRules(minimum_repricing_milli_ft3=10_001)
    fees = reprice(GRANTS, ROUNDS, guarded)
    assert fees["final_fee_minor_per_ft3"].tolist() == [600, 700, 250]
    just_enough = ClearingRules(minimum_repricing_milli_ft3=10_000)
    assert reprice(GRANTS, ROUNDS, just_enough)["final_fee_minor_per_ft3"].tolist() == [250] * 3


def test_a_round_that_granted_nothing_never_reprices():
    idle = rounds((1, 600, 60_000), (2, 100, 0), (3, None, 0))
    fees = reprice(grants(("A", 1, 60_000, 600)), idle, ClearingRules())
    assert fees["final_fee_minor_per_ft3"].tolist() == [600]


def test_who_pays_as_bid_starts_at_the_own_maximum():
    fees = reprice(
        grants(("A", 1, 1_000, 900), ("B", 1, 1_000, 600)),
        rounds((1, 600, 2_000), (2, 650, 1)),
        ClearingRules(price_rule="pay_as_bid"),
    )
    assert fees["round_fee_minor_per_ft3"].tolist() == [900, 600]
    assert fees["final_fee_minor_per_ft3"].tolist() == [650, 600]


def test_a_prorated_fee_is_rounded_once():
    fees = reprice(grants(("A", 1, 1_234, 33)), rounds((1, 33, 9)), ClearingRules())
    assert fees["fee_minor"].tolist() == [41]
    prorated = ClearingRules(fee_basis="prorated")
    fees = reprice(grants(("A", 1, 1_234, 33)), rounds((1, 33, 9)), prorated)
    assert fees["fee_minor"].tolist() == [round(33 * 1_234 * 77 / 92_000)]


def test_every_step_is_kept_from_what_to_what():
    path = rounds((1, 600, 60_000), (2, 500, 1), (3, 550, 1), (4, 400, 1))
    steps = repricing_steps(grants(("A", 1, 60_000, 600)), path, ClearingRules())
    assert steps.to_numpy().tolist() == [["A", 1, 2, 600, 500], ["A", 1, 4, 500, 400]]


@pytest.mark.parametrize(
    ("own", "path", "message"),
    [
        (("A", 9, 1, 600), (1, 600, 1), "grants: column 'round', row 0: is not among the rounds"),
        (("A", 1, 1, 500), (1, 600, 1), "'max_fee_minor_per_ft3', row 0: is below the clearing"),
        (("A", 1, 1, 600), (1, None, 0), "'round', row 0: has no clearing fee"),
        (("A", 1, 1, 600), (1, None, 5), "'clearing_fee_minor_per_ft3', row 0: is null though"),
        (("A", 1, 0, 600), (1, 600, 1), "'granted_milli_ft3', row 0: is 0"),
    ],
)
def test_grants_and_rounds_that_contradict_each_other_are_refused(own, path, message):
    with pytest.raises(ValueError, match=message):
        reprice(grants(own), rounds(path), ClearingRules())


def test_more_days_in_force_than_the_quarter_has_are_refused():
    odd = grants(("A", 1, 1, 600)).assign(days_in_force=93)
    with pytest.raises(ValueError, match="'days_in_force', row 0: passes the days"):
        reprice(odd, rounds((1, 600, 1)), ClearingRules(fee_basis="prorated"))


def test_a_quarter_reprices_each_market_by_itself():
    requests = judge(
        {"max_fee_micro": 6_000_000},
        {"max_fee_micro": 2_500_000, "received_at": "2026-09-10", "requested_micro_ft3": 10**7},
    )
    result = cleared(requests, 50_000, 10_000)
    inputs = (result.grants, result.rounds, CALENDAR, Policy())
    fees = reprice_quarter(*inputs)
    assert list(fees.columns) == list(REPRICED_FEE_COLUMNS)
    assert fees["final_fee_minor_per_ft3"].tolist() == [250, 250]
    assert fees["days_in_force"].tolist() == [92, 92]
    steps = repricing_steps_quarter(*inputs)
    assert steps["repriced_in_round"].tolist() == [2]
    elsewhere = result.rounds.assign(storage_type="oversize")
    with pytest.raises(ValueError, match="rounds: market US standard has no row"):
        reprice_quarter(result.grants, elsewhere, CALENDAR, Policy())


def test_a_quarter_stacks_its_markets_under_one_another_in_key_order():
    requests = judge(
        {"request_id": "b", "max_fee_micro": 6_000_000},
        {"request_id": "a", "max_fee_micro": 5_000_000},
        {"request_id": "é", "max_fee_micro": 9_000_000, "storage_type": "oversize"},
        {"request_id": "c", "max_fee_micro": 2_500_000, "received_at": "2026-09-10"},
    )
    releases = pd.concat([supply(100_000, 50_000), supply(50_000, 0, storage_type="oversize")])
    result = clear_quarter(requests, releases, CALENDAR, Policy())
    shuffled = result.grants.iloc[::-1], result.rounds.iloc[::-1]
    fees = reprice_quarter(*shuffled, CALENDAR, Policy())
    assert fees[["request_id", "final_fee_minor_per_ft3"]].to_dict() == {
        "request_id": {0: "é", 1: "a", 2: "b", 3: "c"},
        "final_fee_minor_per_ft3": {0: 900, 1: 250, 2: 250, 3: 250},
    }
    steps = repricing_steps_quarter(*shuffled, CALENDAR, Policy())
    assert steps.to_dict("list") == {
        "marketplace_id": ["US", "US"],
        "storage_type": ["standard", "standard"],
        "request_id": ["a", "b"],
        "round": [1, 1],
        "repriced_in_round": [2, 2],
        "fee_before_minor_per_ft3": [500, 500],
        "fee_after_minor_per_ft3": [250, 250],
    }


def test_a_markets_steps_stand_in_the_order_of_grants_and_rounds():
    own = grants(("b", 1, 1, 600), ("a", 2, 1, 500), ("a", 1, 1, 600))
    path = rounds((1, 600, 1), (2, 500, 1), (3, 300, 1))
    steps = repricing_steps(own, path, ClearingRules())
    assert list(steps.index) == [0, 1, 2, 3, 4]
    assert steps[["request_id", "round", "repriced_in_round"]].to_numpy().tolist() == [
        ["a", 1, 2], ["a", 1, 3], ["a", 2, 3], ["b", 1, 2], ["b", 1, 3],
    ]  # fmt: skip


def test_steps_of_two_markets_are_counted_through():
    rows = [
        {"request_id": f"{place}{fee}", "max_fee_micro": fee * 10_000, "storage_type": place,
         "received_at": "2026-09-10" if fee == 250 else "2026-09-01"}
        for place in ("oversize", "standard")
        for fee in (600, 250)
    ]  # fmt: skip
    releases = pd.concat([supply(50_000, 50_000), supply(50_000, 50_000, storage_type="oversize")])
    result = clear_quarter(judge(*rows), releases, CALENDAR, Policy())
    steps = repricing_steps_quarter(result.grants, result.rounds, CALENDAR, Policy())
    assert steps["storage_type"].to_dict() == {0: "oversize", 1: "standard"}


def test_a_prorated_quarter_counts_each_rounds_days_and_publishes_whole_numbers():
    prorated = Policy(clearing=ClearingRules(fee_basis="prorated"))
    requests = judge({"received_at": "2026-10-01"})
    result = cleared(requests, 0, 0, 50_000, policy=prorated)
    fees = reprice_quarter(result.grants, result.rounds, CALENDAR, prorated)
    assert fees[["days_in_force", "days_in_quarter", "fee_minor"]].to_dict("records") == [
        {"days_in_force": 77, "days_in_quarter": 92, "fee_minor": 16_739}
    ]
    texts = {"marketplace_id", "storage_type", "request_id", "seller_id"}
    others = {"priority_at": "datetime64[us]", "repriced_in_round": "Int64"}
    assert fees.dtypes.astype(str).to_dict() == {
        name: "object" if name in texts else others.get(name, "int64")
        for name in REPRICED_FEE_COLUMNS
    }


def test_the_smallest_grant_of_a_quarter_has_a_fee_of_its_own():
    cleared_grants = cleared(judge({}), 1)
    fees = reprice_quarter(cleared_grants.grants, cleared_grants.rounds, CALENDAR, Policy())
    assert fees["granted_milli_ft3"].tolist() == [1]


def test_a_quarter_without_grants_gives_typed_empty_tables():
    result = cleared(judge({}), 0)
    inputs = (result.grants, result.rounds, CALENDAR, Policy())
    fees, steps = reprice_quarter(*inputs), repricing_steps_quarter(*inputs)
    assert list(fees.columns) == list(REPRICED_FEE_COLUMNS)
    assert list(steps.columns) == list(REPRICING_STEP_COLUMNS)
    assert str(fees["repriced_in_round"].dtype) == "Int64"
