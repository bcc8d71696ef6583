"""Worked examples of the rules (§9), to the unit and to the word.

A case is a folder: README.md (the story), policy.json, requests.csv, round_supply.csv and, when it
settles, incremental_sales.csv; the expected tables beside them list the columns that matter. One
market, one quarter, 2026Q4.
"""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path

import pandas as pd
import pytest

from fbacap_logic.calendar import Quarter
from fbacap_logic.clearing import clear_quarter, clear_round
from fbacap_logic.policy import Policy, parse_policy
from fbacap_logic.repricing import reprice_quarter
from fbacap_logic.requests import judge_requests
from fbacap_logic.settlement import settle

CASES = sorted(path.parent for path in Path(__file__).parent.glob("*/requests.csv"))
QUARTER = Quarter(2026, 4)
MARKET = {"marketplace_id": "US", "storage_type": "standard"}


def read_text(path: Path) -> pd.DataFrame:
    return pd.read_csv(path, dtype=str, keep_default_na=False)


def in_micro(column: pd.Series) -> pd.Series:
    return column.map(lambda text: int(Decimal(text) * 1_000_000)).astype("int64")


def judged_requests(case: Path, policy: Policy) -> pd.DataFrame:
    asked = read_text(case / "requests.csv")
    received_at = pd.to_datetime(asked["submitted_at"])
    closes = [
        window.closes_at.replace(tzinfo=None) for window in policy.calendar_of(QUARTER).rounds
    ]
    return pd.DataFrame(
        {
            **MARKET,
            "request_id": asked["request_id"],
            "revision": 1,
            "version_number": 1,
            "seller_id": asked["seller_id"],
            "quarter_start": QUARTER.first_day,
            "minor_unit_digits": 2,
            "max_fee_micro": in_micro(asked["max_fee_per_ft3"]),
            "requested_micro_ft3": in_micro(asked["requested_ft3"]),
            "minimum_micro_ft3": in_micro(asked["minimum_ft3"]),
            "submitted_at": received_at,
            "received_at": received_at,
            "withdrawn": False,
            "first_round": [1 + sum(at >= close for close in closes) for at in received_at],
            "account_type": "professional",
            "market_exists": True,
            "base_milli_ft3": in_micro(asked["base_ft3"]) // 1000,
            "source_file": "golden",
            "source_row": range(1, len(asked) + 1),
        }
    )


def run(case: Path) -> dict[str, pd.DataFrame]:
    policy = parse_policy(json.loads((case / "policy.json").read_text()))
    calendar = policy.calendar_of(QUARTER)
    judged = judge_requests(judged_requests(case, policy), calendar, policy)
    released = read_text(case / "round_supply.csv")
    supply = pd.DataFrame(
        {
            **MARKET,
            "round": released["round"].astype("int64"),
            "released_milli_ft3": in_micro(released["released_ft3"]) // 1000,
        }
    )
    cleared = clear_quarter(judged[judged["is_accepted"]], supply, calendar, policy)
    repriced = reprice_quarter(cleared.grants, cleared.rounds, calendar, policy)
    tables = {
        "cleared_allocations": cleared.grants,
        "market_rounds": cleared.rounds,
        "repriced_fees": repriced,
    }
    if (case / "incremental_sales.csv").exists():
        sales = read_text(case / "incremental_sales.csv").assign(**MARKET)
        sales["incremental_sales_minor"] = sales["incremental_sales_minor"].astype("int64")
        currencies = pd.DataFrame({"marketplace_id": ["US"], "currency": ["USD"]})
        tables["settlements"] = settle(repriced, sales, currencies, None, policy)
    return tables


def as_text(frame: pd.DataFrame, columns: list[str]) -> list[list[str]]:
    rows = frame[columns].astype(object).where(frame[columns].notna(), "")
    return [[str(value) for value in row] for row in rows.itertuples(index=False)]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_worked_example_comes_out_to_the_unit_and_to_the_word(case: Path) -> None:
    tables = run(case)
    expected_files = sorted(case.glob("expected_*.csv"))
    assert len(expected_files) == len(tables)
    for path in expected_files:
        expected = read_text(path)
        columns = list(expected.columns)
        actual = tables[path.stem.removeprefix("expected_")]
        assert as_text(actual, columns) == expected.to_numpy().tolist(), path.name


ONE_ROUND = [case for case in CASES if len(read_text(case / "round_supply.csv")) == 1]


@pytest.mark.parametrize("case", ONE_ROUND, ids=lambda case: case.name)
def test_a_worked_example_of_one_round_clears_alone_as_in_its_quarter(case: Path) -> None:
    policy = parse_policy(json.loads((case / "policy.json").read_text()))
    judged = judged_requests(case, policy)
    book = pd.DataFrame(
        {
            "request_id": judged["request_id"],
            "submitted_at": judged["submitted_at"],
            "max_fee_minor_per_ft3": judged["max_fee_micro"] // 10_000,
            "open_milli_ft3": judged["requested_micro_ft3"] // 1_000,
            "minimum_milli_ft3": judged["minimum_micro_ft3"] // 1_000,
        }
    )
    released = in_micro(read_text(case / "round_supply.csv")["released_ft3"]).item() // 1_000
    cleared = clear_round(book, released, policy.clearing)
    expected = read_text(case / "expected_cleared_allocations.csv")
    columns = ["request_id", "granted_milli_ft3", "outcome", "reason"]
    in_order = cleared.grants.sort_values("request_id")
    assert as_text(in_order, columns) == expected[columns].to_numpy().tolist()
    figures = read_text(case / "expected_market_rounds.csv").iloc[0]
    assert str(cleared.clearing_fee_minor_per_ft3) == figures["clearing_fee_minor_per_ft3"]
    assert str(cleared.unsold_milli_ft3) == figures["unsold_milli_ft3"]
    assert str(cleared.demanded_milli_ft3) == figures["demanded_milli_ft3"]


def test_every_worked_example_of_the_rules_has_a_case() -> None:
    told = {case.name for case in CASES}
    margin = {f"margin_{rule}" for rule in ("time_priority", "pro_rata", "highest_rejected")}
    assert told >= margin | {
        "halloween_shop", "slack", "slack_highest_rejected", "minimum", "two_grants_one_seller",
        "two_rounds",
    }  # fmt: skip


def test_every_case_tells_its_story() -> None:
    assert len(CASES) >= 8
    assert all((case / "README.md").read_text().startswith("# ") for case in CASES)
