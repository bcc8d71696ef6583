from __future__ import annotations

import pandas as pd
import pytest
from market_examples import CALENDAR, cleared, judge

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


def test_a_quarter_without_grants_gives_typed_empty_tables():
    result = cleared(judge({}), 0)
    inputs = (result.grants, result.rounds, CALENDAR, Policy())
    fees, steps = reprice_quarter(*inputs), repricing_steps_quarter(*inputs)
    assert list(fees.columns) == list(REPRICED_FEE_COLUMNS)
    assert list(steps.columns) == list(REPRICING_STEP_COLUMNS)
    assert str(fees["repriced_in_round"].dtype) == "Int64"
