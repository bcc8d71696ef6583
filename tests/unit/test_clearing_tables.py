"""The published tables of clearing: their rows, types and figures (rules §4)."""

from __future__ import annotations

import numpy as np
import pandas as pd
from market_examples import CALENDAR, cleared, judge, supply

from fbacap_logic.clearing import (
    CLEARED_ALLOCATION_COLUMNS,
    MARKET_ROUND_COLUMNS,
    clear_quarter,
)
from fbacap_logic.policy import Policy, RequestPolicy


def by_request(clearing, column):
    return clearing.grants.sort_values("request_id")[column].tolist()


def test_an_empty_round_and_one_sold_out_at_the_lowest_fee_are_told_apart():
    cheap = Policy(requests=RequestPolicy(minimum_request_milli_ft3=1))
    requests = judge({"max_fee_micro": 10_000}, {"max_fee_micro": 10_000}, policy=cheap)
    empty = by_request(cleared(requests, 0, policy=cheap), "reason_text")
    sold_out = by_request(cleared(requests, 50_000, policy=cheap), "reason_text")
    assert empty == ["no space was left in this round"] * 2
    assert sold_out == ["granted in full", "at the clearing fee, but no space was left for it"]


def test_published_rows_hold_whole_numbers_times_and_plain_text():
    result = cleared(judge({}, {"max_fee_micro": 5_000_000}), 60_000)
    whole = {"round", "revision", "requests", "winners"}
    nullable = {"clearing_fee_minor_per_ft3", "cover_ratio_bp", "marginal_fill_bp"}
    for frame in (result.grants, result.rounds):
        for name, dtype in frame.dtypes.astype(str).items():
            is_whole = name in whole or name.endswith(("_milli_ft3", "_per_ft3", "_bp"))
            expected = "Int64" if name in nullable else "int64" if is_whole else "object"
            assert dtype == ("datetime64[us]" if name == "priority_at" else expected), name
        assert list(frame.index) == list(range(len(frame)))
    assert {type(text) for text in result.grants["outcome"]} == {str}
    assert {type(text) for text in result.grants["reason"]} == {str}


def test_every_closed_round_of_a_market_has_a_row_even_without_requests():
    result = cleared(judge({}).iloc[:0], 5_000, 0)
    assert result.grants.empty
    assert result.rounds["supply_milli_ft3"].tolist() == [5_000, 5_000]
    assert result.rounds["clearing_fee_minor_per_ft3"].isna().all()
    assert result.rounds["cover_ratio_bp"].tolist() == [0, 0]


def test_a_market_is_listed_from_the_first_round_that_knows_of_it():
    releases = pd.concat([supply(5_000, 0), supply(0, 7_000, storage_type="oversize").iloc[1:]])
    later = judge({"storage_type": "oversize", "received_at": "2026-09-10"})
    result = clear_quarter(later, releases, CALENDAR, Policy())
    listed = result.rounds[["storage_type", "round"]].to_numpy().tolist()
    assert listed == [["oversize", 2], ["standard", 1], ["standard", 2]]


def test_a_request_at_the_instant_of_a_close_makes_its_market_known_in_the_next_round():
    at_the_close = judge({"storage_type": "oversize", "received_at": "2026-09-03"})
    rounds = clear_quarter(at_the_close, supply(5_000, 0), CALENDAR, Policy()).rounds
    assert rounds.loc[rounds["storage_type"] == "oversize", "round"].tolist() == [2]


def test_no_supply_and_no_requests_give_typed_empty_tables():
    result = clear_quarter(judge({}).iloc[:0], supply(), CALENDAR, Policy())
    assert list(result.grants.columns) == list(CLEARED_ALLOCATION_COLUMNS)
    assert list(result.rounds.columns) == list(MARKET_ROUND_COLUMNS)
    assert result.rounds["supply_milli_ft3"].dtype == np.int64


def test_rows_stand_by_market_round_and_the_total_order_however_many_there_are():
    rows = [
        {
            "request_id": f"r{place:03}",
            "seller_id": f"s{place}",
            "storage_type": ("standard", "oversize")[place % 2],
            "max_fee_micro": (1 + place * 7 % 5) * 10_000,
        }
        for place in range(120)
    ]
    releases = pd.concat([supply(90_000, 40_000), supply(7_000, 0, storage_type="oversize")])
    result = clear_quarter(judge(*rows).iloc[::-1], releases, CALENDAR, Policy())
    grants = result.grants
    assert list(grants.index) == list(range(len(grants)))
    found = list(
        zip(grants["storage_type"], grants["round"], -grants["max_fee_minor_per_ft3"],
            grants["request_id"], strict=True)
    )  # fmt: skip
    assert found == sorted(found)
    assert result.rounds[["storage_type", "round"]].to_numpy().tolist() == [
        ["oversize", 1], ["oversize", 2], ["standard", 1], ["standard", 2],
    ]  # fmt: skip
    assert list(result.rounds.index) == [0, 1, 2, 3]


def test_rounds_without_grants_keep_their_types():
    rounds = cleared(judge({}), 0).rounds
    assert rounds.dtypes.astype(str).to_dict() == {
        name: "object"
        if name in ("marketplace_id", "storage_type")
        else "Int64"
        if name in ("clearing_fee_minor_per_ft3", "cover_ratio_bp", "marginal_fill_bp")
        else "int64"
        for name in MARKET_ROUND_COLUMNS
    }


def test_the_cover_ratio_of_the_smallest_supply_is_exact():
    assert cleared(judge({}), 1).rounds["cover_ratio_bp"].tolist() == [50_000 * 10_000]
