"""Repricing agrees with the slow reference, over a market and over a quarter (rules §5)."""

from __future__ import annotations

import pandas as pd
import pytest
import reference_money
from edge_strategies import MAX, accepted_quarters, edge_priced_markets
from hypothesis import given
from hypothesis import strategies as st
from market_run import cleared_accepted, expected_of, passes_63_bits
from proof_effort import examples
from strategies import QUARTER, clearing_rules, priced_markets, shuffled

from fbacap_logic.repricing import (
    REPRICED_FEE_COLUMNS,
    REPRICING_STEP_COLUMNS,
    reprice,
    reprice_quarter,
    repricing_steps,
    repricing_steps_quarter,
)


def priced_by_reference(grants, rounds, rules):
    path = {
        row.round: (
            None if pd.isna(row.clearing_fee_minor_per_ft3) else row.clearing_fee_minor_per_ft3,
            row.granted_milli_ft3,
        )
        for row in rounds.astype(object).itertuples()
    }
    return [
        reference_money.price(
            reference_money.Grant(
                row.request_id, row.round, row.granted_milli_ft3, row.max_fee_minor_per_ft3,
                row.days_in_force, row.days_in_quarter,
            ),
            path,
            rules,
        )
        for row in grants.astype(object).itertuples()
    ]  # fmt: skip


def assert_priced_as_the_reference(grants, rounds, rules):
    expected = priced_by_reference(grants, rounds, rules)
    repriced = reprice(grants, rounds, rules)
    kept = ["request_id", "round", "granted_milli_ft3", "max_fee_minor_per_ft3"]
    assert repriced[kept].to_numpy().tolist() == grants[kept].to_numpy().tolist()
    last = [each.steps[-1][0] if each.steps else None for each in expected]
    found = repriced["repriced_in_round"].astype(object)
    assert [None if pd.isna(number) else number for number in found] == last
    for name in ("round_fee", "final_fee"):
        wanted = [getattr(each, name) for each in expected]
        assert repriced[f"{name}_minor_per_ft3"].tolist() == wanted
    assert repriced["fee_minor"].tolist() == [each.fee_minor for each in expected]


def assert_steps_of_the_reference(grants, rounds, rules):
    expected = priced_by_reference(grants, rounds, rules)
    wanted = [
        (row.request_id, row.round, *step)
        for row, each in zip(grants.itertuples(), expected, strict=True)
        for step in each.steps
    ]
    steps = repricing_steps(grants, rounds, rules)
    assert list(steps.columns) == [
        "request_id", "round", "repriced_in_round", "fee_before_minor_per_ft3",
        "fee_after_minor_per_ft3",
    ]  # fmt: skip
    assert list(steps.itertuples(index=False, name=None)) == sorted(
        wanted, key=lambda step: (step[0].encode(), *step[1:])
    )


@given(priced_markets(), clearing_rules)
def test_a_grant_pays_the_least_of_its_round_and_of_later_rounds(market, rules):
    assert_priced_as_the_reference(*market, rules)


@examples(80)
@given(edge_priced_markets(), clearing_rules)
def test_fees_past_2_to_the_63_are_exact_or_refused(market, rules):
    grants, rounds = market
    if any(each.fee_minor > MAX for each in priced_by_reference(grants, rounds, rules)):
        with pytest.raises(ValueError, match=r"a result passes 2\^63 - 1"):
            reprice(grants, rounds, rules)
    else:
        assert_priced_as_the_reference(grants, rounds, rules)
    assert_steps_of_the_reference(grants, rounds, rules)


@given(priced_markets(), clearing_rules)
def test_every_step_is_the_one_of_the_slow_reference(market, rules):
    assert_steps_of_the_reference(*market, rules)


def expected_fees(quarter):
    """Rows of repriced_fees and repricing_steps, from the reference alone."""
    outcomes = expected_of(quarter)
    windows = {window.round: window for window in quarter.calendar.rounds}
    fees, steps = [], []
    for (market, number), outcome in outcomes.items():
        path = {
            each: (other.cleared.fee, sum(other.cleared.granted.values()))
            for (of_market, each), other in outcomes.items()
            if of_market == market
        }
        rules = quarter.policy.clearing_rules(*market.split("/"))
        days = windows[number].days_in_force
        for entry in outcome.entries:
            bound, granted = entry.bound, outcome.cleared.granted[entry.bound.request_id]
            if granted == 0:
                continue
            grant = reference_money.Grant(
                bound.request_id, number, granted, bound.fee, days, QUARTER.days
            )
            priced = reference_money.price(grant, path, rules)
            key = (*market.split("/"), bound.request_id, number)
            last = priced.steps[-1][0] if priced.steps else None
            fees.append(
                (*key, bound.seller, granted, bound.fee, pd.Timestamp(bound.at), priced.round_fee,
                 priced.final_fee, last, days, QUARTER.days, priced.fee_minor)
            )  # fmt: skip
            steps += [(*key, *step) for step in priced.steps]
    by_bytes = [sorted(rows, key=lambda row: (row[:2], row[2].encode(), *row[3:5])) for rows in
                (fees, steps)]  # fmt: skip
    return by_bytes[0], by_bytes[1]


@examples(40)
@given(accepted_quarters(), st.data())
def test_a_repriced_quarter_is_what_the_slow_reference_says(quarter, data):
    if passes_63_bits(expected_of(quarter)):
        return
    fees, steps = expected_fees(quarter)
    cleared = cleared_accepted(quarter)
    inputs = (
        shuffled(data.draw, cleared.grants), shuffled(data.draw, cleared.rounds),
        quarter.calendar, quarter.policy,
    )  # fmt: skip
    repriced_steps = repricing_steps_quarter(*inputs)
    assert list(repriced_steps.columns) == list(REPRICING_STEP_COLUMNS)
    assert list(repriced_steps.itertuples(name=None)) == [
        (place, *row) for place, row in enumerate(steps)
    ]
    if any(row[-1] > MAX for row in fees):
        with pytest.raises(ValueError, match=r"a result passes 2\^63 - 1"):
            reprice_quarter(*inputs)
        return
    repriced = reprice_quarter(*inputs)
    assert list(repriced.columns) == list(REPRICED_FEE_COLUMNS)
    plain = repriced.astype(object).where(repriced.notna(), None)
    assert list(plain.itertuples(name=None)) == [(place, *row) for place, row in enumerate(fees)]


@given(priced_markets(), clearing_rules, st.data())
def test_the_order_of_grants_and_rounds_changes_no_fee(market, rules, data):
    grants, rounds = market
    one = reprice(grants, rounds, rules).sort_values(["request_id", "round"], ignore_index=True)
    other = reprice(shuffled(data.draw, grants), shuffled(data.draw, rounds), rules)
    other = other.sort_values(["request_id", "round"], ignore_index=True)
    pd.testing.assert_frame_equal(one, other)
