"""What repricing and credits refuse: every column of every input, by name and first wrong row."""

from __future__ import annotations

import pandas as pd
import pytest
from column_faults import faults_of, names, says_missing
from market_examples import CALENDAR, MARKET, cleared, judge

from fbacap_logic.credits import performance_credits
from fbacap_logic.policy import ClearingRules, Policy
from fbacap_logic.repricing import (
    reprice,
    reprice_quarter,
    repricing_steps,
    repricing_steps_quarter,
)

LARGEST = 2**63 - 1
PRORATED = ClearingRules(fee_basis="prorated")
GRANTS = pd.DataFrame(
    {
        "request_id": ["a", "b", "c"],
        "round": [1, 2, 3],
        "granted_milli_ft3": [60_000, 40_000, 10_000],
        "max_fee_minor_per_ft3": [600, 700, 250],
        "days_in_force": [92, 92, 77],
        "days_in_quarter": [92, 92, 92],
    }
)
ROUNDS = pd.DataFrame(
    {
        "round": [1, 2, 3],
        "clearing_fee_minor_per_ft3": pd.array([600, 700, 250], dtype="Int64"),
        "granted_milli_ft3": [60_000, 40_000, 10_000],
    }
)
DAY_COLUMNS = {"days_in_force": "positive", "days_in_quarter": "positive"}
GRANT_COLUMNS = {
    "request_id": "text",
    "round": "positive",
    "granted_milli_ft3": "positive",
    "max_fee_minor_per_ft3": "whole",
}
ROUND_COLUMNS = {
    "round": "positive",
    "clearing_fee_minor_per_ft3": "nullable_positive",
    "granted_milli_ft3": "whole",
}
CREDIT_GRANTS = pd.DataFrame(
    {
        "request_id": ["a", "b", "c"],
        "seller_id": ["s1", "s2", "s1"],
        **MARKET,
        "round": [1, 1, 2],
        "max_fee_minor_per_ft3": [600, 700, 250],
        "submitted_at": pd.date_range("2026-09-01", periods=3, freq="h"),
        "fee_minor": [20_000, 50_000, 100],
    }
)
SALES = pd.DataFrame(
    {"seller_id": ["s1", "s2", "s3"], **MARKET, "incremental_sales_minor": [10_000, 5_000, 1]}
)
SELLER_MARKET = {"seller_id": "text", "marketplace_id": "text", "storage_type": "text"}
CREDIT_COLUMNS = SELLER_MARKET | {
    "request_id": "text",
    "round": "whole",
    "max_fee_minor_per_ft3": "whole",
    "submitted_at": "instant",
    "fee_minor": "whole",
}
SALES_COLUMNS = SELLER_MARKET | {"incremental_sales_minor": "signed"}
CLEARED = cleared(judge(*({"max_fee_micro": fee * 10_000} for fee in (600, 500, 400))), 150_000, 0)
ALLOCATION_COLUMNS = SELLER_MARKET | GRANT_COLUMNS | {
    "granted_milli_ft3": "whole",
    "priority_at": "instant",
}  # fmt: skip


@pytest.mark.parametrize("function", [reprice, repricing_steps])
@pytest.mark.parametrize(("column", "breaks", "row"), faults_of(GRANT_COLUMNS))
def test_a_bad_column_of_the_grants_is_refused(function, column, breaks, row):
    bad = GRANTS.assign(**{column: breaks(GRANTS[column])})
    with pytest.raises(ValueError, match=names("grants", column, row)):
        function(bad, ROUNDS, ClearingRules())


@pytest.mark.parametrize(("column", "breaks", "row"), faults_of(DAY_COLUMNS))
def test_bad_days_are_refused_where_fees_are_prorated(column, breaks, row):
    bad = GRANTS.assign(**{column: breaks(GRANTS[column])})
    with pytest.raises(ValueError, match=names("grants", column, row)):
        reprice(bad, ROUNDS, PRORATED)
    assert len(reprice(bad, ROUNDS, ClearingRules())) == 3


def test_more_days_than_a_quarter_has_are_refused():
    odd = GRANTS.assign(days_in_quarter=[92, 93, 93])
    with pytest.raises(ValueError, match=names("grants", "days_in_quarter", 1) + "passes the 92"):
        reprice(odd, ROUNDS, PRORATED)
    odd = GRANTS.assign(days_in_quarter=90, days_in_force=[90, 91, 91])
    with pytest.raises(ValueError, match=names("grants", "days_in_force", 1) + "passes the days"):
        reprice(odd, ROUNDS, PRORATED)


def test_a_grant_may_be_in_force_for_one_day_or_all():
    fees = reprice(GRANTS.assign(days_in_force=[1, 92, 92]), ROUNDS, PRORATED)
    assert fees["fee_minor"].tolist() == [163, 10_000, 2_500]
    alone = GRANTS.iloc[:1].assign(days_in_force=1, days_in_quarter=1)
    assert reprice(alone, ROUNDS, PRORATED)["fee_minor"].tolist() == [15_000]


@pytest.mark.parametrize("column", [*GRANT_COLUMNS, *DAY_COLUMNS])
def test_grants_without_a_column_are_refused(column):
    with pytest.raises(ValueError, match=says_missing("grants", column)):
        reprice(GRANTS.drop(columns=column), ROUNDS, PRORATED)


@pytest.mark.parametrize(("column", "breaks", "row"), faults_of(ROUND_COLUMNS))
def test_a_bad_column_of_the_rounds_is_refused(column, breaks, row):
    bad = ROUNDS.assign(**{column: breaks(ROUNDS[column])})
    with pytest.raises(ValueError, match=names("rounds", column, row)):
        reprice(GRANTS, bad, ClearingRules())


@pytest.mark.parametrize("column", ROUND_COLUMNS)
def test_rounds_without_a_column_are_refused(column):
    with pytest.raises(ValueError, match=says_missing("rounds", column)):
        reprice(GRANTS, ROUNDS.drop(columns=column), ClearingRules())


def test_a_round_that_granted_a_milli_cubic_foot_without_a_fee_is_refused():
    feeless = pd.DataFrame(
        {
            "round": [1, 2, 3],
            "clearing_fee_minor_per_ft3": pd.array([600, None, None], dtype="Int64"),
            "granted_milli_ft3": [1, 1, 5],
        }
    )
    pattern = names("rounds", "clearing_fee_minor_per_ft3", 1) + "is null though space was granted"
    with pytest.raises(ValueError, match=pattern + "$"):
        reprice(GRANTS.iloc[:1], feeless, ClearingRules())


def test_a_grant_or_a_round_twice_is_refused():
    twice = pd.concat([GRANTS, GRANTS.iloc[[1]]], ignore_index=True)
    with pytest.raises(ValueError, match=r"^grants: row 3 repeats the key request_id 'b', round 2"):
        reprice(twice, ROUNDS, ClearingRules())
    twice = pd.concat([ROUNDS, ROUNDS.iloc[[2]]], ignore_index=True)
    with pytest.raises(ValueError, match=r"^rounds: row 3 repeats the key round 3"):
        reprice(GRANTS, twice, ClearingRules())


@pytest.mark.parametrize(
    ("column", "values", "fault"),
    [
        ("round", [1, 4, 4], "is not among the rounds"),
        ("round", [2, 1, 3], "is below the clearing fee of its round"),
        ("max_fee_minor_per_ft3", [600, 699, 249], "is below the clearing fee of its round"),
    ],
)
def test_a_grant_that_contradicts_the_rounds_is_refused_by_its_row(column, values, fault):
    with pytest.raises(ValueError, match=rf"^grants: column '.*', row [01]: {fault}$") as caught:
        reprice(GRANTS.assign(**{column: values}), ROUNDS, ClearingRules())
    wrong = 0 if values == [2, 1, 3] else 1
    assert f"row {wrong}:" in str(caught.value)


def test_grants_without_any_round_are_refused():
    with pytest.raises(ValueError, match=names("grants", "round", 0) + "is not among the rounds$"):
        reprice(GRANTS, ROUNDS.iloc[:0], ClearingRules())
    assert reprice(GRANTS.iloc[:0], ROUNDS.iloc[:0], ClearingRules()).empty
    assert repricing_steps(GRANTS.iloc[:0], ROUNDS.iloc[:0], ClearingRules()).empty


def test_a_grant_of_a_round_without_clearing_fee_is_refused():
    idle = ROUNDS.assign(
        clearing_fee_minor_per_ft3=pd.array([600, None, 250], dtype="Int64"),
        granted_milli_ft3=[60_000, 0, 10_000],
    )
    pattern = names("grants", "round", 1) + "has no clearing fee though it granted this$"
    with pytest.raises(ValueError, match=pattern):
        reprice(GRANTS, idle, ClearingRules())


def test_an_amount_past_63_bits_is_refused_and_the_last_that_fits_is_exact():
    huge = pd.DataFrame({"request_id": ["a"], "round": 1, "granted_milli_ft3": [LARGEST]})
    path = pd.DataFrame({"round": [1], "granted_milli_ft3": [LARGEST]})
    for fee, amount in ((1_000, LARGEST), (1_001, None)):
        grants = huge.assign(max_fee_minor_per_ft3=fee)
        rounds = path.assign(clearing_fee_minor_per_ft3=fee)
        if amount:
            assert reprice(grants, rounds, ClearingRules())["fee_minor"].tolist() == [amount]
        else:
            with pytest.raises(ValueError, match=r"^a result passes 2\^63 - 1"):
                reprice(grants, rounds, ClearingRules())


@pytest.mark.parametrize("function", [reprice_quarter, repricing_steps_quarter])
@pytest.mark.parametrize(("column", "breaks", "row"), faults_of(ALLOCATION_COLUMNS))
def test_a_bad_column_of_a_quarters_allocations_is_refused(function, column, breaks, row):
    bad = CLEARED.grants.assign(**{column: breaks(CLEARED.grants[column])})
    with pytest.raises(ValueError, match=names("grants", column, row)):
        function(bad, CLEARED.rounds, CALENDAR, Policy())


@pytest.mark.parametrize("column", ALLOCATION_COLUMNS)
def test_a_quarters_allocations_without_a_column_are_refused(column):
    with pytest.raises(ValueError, match=says_missing("grants", column)):
        reprice_quarter(CLEARED.grants.drop(columns=column), CLEARED.rounds, CALENDAR, Policy())


def test_a_round_that_the_calendar_lacks_is_refused():
    later = CLEARED.grants.assign(round=[1, 5, 5])
    with pytest.raises(ValueError, match=names("grants", "round", 1) + "is not a round of the"):
        reprice_quarter(later, CLEARED.rounds, CALENDAR, Policy())


@pytest.mark.parametrize("column", ["marketplace_id", "storage_type"])
def test_a_quarters_rounds_need_their_market(column):
    with pytest.raises(ValueError, match=says_missing("rounds", column)):
        reprice_quarter(CLEARED.grants, CLEARED.rounds.drop(columns=column), CALENDAR, Policy())
    nameless = CLEARED.rounds.assign(**{column: ["US", None]})
    with pytest.raises(ValueError, match=names("rounds", column, 1)):
        reprice_quarter(CLEARED.grants, nameless, CALENDAR, Policy())


@pytest.mark.parametrize(("column", "breaks", "row"), faults_of(CREDIT_COLUMNS))
def test_a_bad_column_of_the_credited_grants_is_refused(column, breaks, row):
    bad = CREDIT_GRANTS.assign(**{column: breaks(CREDIT_GRANTS[column])})
    with pytest.raises(ValueError, match=names("grants", column, row)):
        performance_credits(bad, SALES, 1_500, 10_000)


@pytest.mark.parametrize("column", CREDIT_COLUMNS)
def test_credited_grants_without_a_column_are_refused(column):
    with pytest.raises(ValueError, match=says_missing("grants", column)):
        performance_credits(CREDIT_GRANTS.drop(columns=column), SALES, 1_500, 10_000)


@pytest.mark.parametrize(("column", "breaks", "row"), faults_of(SALES_COLUMNS))
def test_a_bad_column_of_the_sales_is_refused(column, breaks, row):
    bad = SALES.assign(**{column: breaks(SALES[column])})
    with pytest.raises(ValueError, match=names("incremental", column, row)):
        performance_credits(CREDIT_GRANTS, bad, 1_500, 10_000)


@pytest.mark.parametrize("column", SALES_COLUMNS)
def test_sales_without_a_column_are_refused(column):
    with pytest.raises(ValueError, match=says_missing("incremental", column)):
        performance_credits(CREDIT_GRANTS, SALES.drop(columns=column), 1_500, 10_000)


def test_a_grant_or_a_seller_twice_earns_no_credit_twice():
    twice = pd.concat([CREDIT_GRANTS, CREDIT_GRANTS.iloc[[1]]], ignore_index=True)
    with pytest.raises(ValueError, match=r"^grants: row 3 repeats the key request_id 'b', round 1"):
        performance_credits(twice, SALES, 1_500, 10_000)
    twice = pd.concat([SALES, SALES.iloc[[0]]], ignore_index=True)
    with pytest.raises(
        ValueError, match=r"^incremental: row 3 repeats the key marketplace_id 'US'"
    ):
        performance_credits(CREDIT_GRANTS, twice, 1_500, 10_000)


def test_a_seller_without_sales_is_named_with_its_market():
    sentence = "^incremental: seller 's2' has a grant in US standard but no row; add it, 0 if none$"
    with pytest.raises(ValueError, match=sentence):
        performance_credits(CREDIT_GRANTS, SALES.iloc[[0, 2]], 1_500, 10_000)


@pytest.mark.parametrize("rates", [(0.15, 10_000), (True, 10_000), (1_500, 1.0), ("15", 10_000)])
def test_a_rate_that_is_no_whole_number_of_basis_points_is_refused(rates):
    with pytest.raises(ValueError, match=r"^credit_(rate|cap)_bp is .*; give whole basis points"):
        performance_credits(CREDIT_GRANTS, SALES, *rates)


def test_credits_past_63_bits_are_refused():
    many = CREDIT_GRANTS.assign(seller_id="s1", fee_minor=LARGEST)
    with pytest.raises(ValueError, match=r"^a result passes 2\^63 - 1"):
        performance_credits(many, SALES, 1_500, 10_000)
    rich = SALES.assign(incremental_sales_minor=LARGEST)
    with pytest.raises(ValueError, match=r"^a result passes 2\^63 - 1"):
        performance_credits(CREDIT_GRANTS, rich, 10_001, 10_000)
    assert performance_credits(CREDIT_GRANTS, rich, 10_000, 10_000)["credit_minor"].sum() == 70_100
