"""Outcomes of checks become rows of one table, and are read back from new and older runs alike."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

from fbacap_logic.calendar import Quarter
from orchestration.checks.implied_rules import COLUMNS_RULE, KEY_RULE
from orchestration.checks.results_table import results_frame
from orchestration.contracts import load_contract
from orchestration.published import PublishedRun
from orchestration.published_checks import RuleOutcome, rule_outcomes
from orchestration.report.older_checks import older_checks

RULE = "credit_never_exceeds_the_fee"
HOSTILE = "<script>alert(1)</script>\u202e=cmd()'\""
SETTLEMENTS = {
    "table": "settlements",
    "contract_version": "9.9.9",
    "passed": True,
    "rows": 8,
    "rules": [
        {"name": COLUMNS_RULE, "severity": "error", "passed": True, "failed_rows": 0},
        {"name": KEY_RULE, "severity": "error", "passed": True, "failed_rows": 0},
        {
            "name": RULE, "severity": "error", "passed": False, "failed_rows": 2,
            "sample": [{"request_id": HOSTILE}],
        },
    ],
    "unjudged": [],
}  # fmt: skip
SECOND = {
    "table": "second_computation",
    "kind": "second_computation",
    "passed": True,
    "rules": [
        {"name": "fees", "sentence": "The same.", "passed": True, "failed_rows": 0, "rows": 5}
    ],
}
VOLUME = {
    "table": "volume",
    "kind": "volume",
    "passed": True,
    "rules": [
        {
            "table": "refunds", "name": "near", "sentence": "Near.", "severity": "warning",
            "contract_version": "1.1.0", "passed": True, "judged": False, "failed_rows": 0,
        }
    ],
}  # fmt: skip


def rows(*outcomes: dict) -> dict[str, dict]:
    frame = results_frame("final", outcomes)
    assert list(frame.columns) == list(load_contract("contract_results").column_names)
    return {row["rule_name"]: row for row in frame.to_dict(orient="records")}


def test_a_contracts_rule_brings_its_words_and_the_version_that_judged() -> None:
    found = rows(SETTLEMENTS)
    assert [found[name]["kind"] for name in (COLUMNS_RULE, KEY_RULE, RULE)] == [
        "shape", "key", "row",
    ]  # fmt: skip
    broken = found[RULE]
    assert broken["sentence"] == "A credit offsets the fee at most wholly (rules §7, §8.5)."
    assert (broken["contract_version"], broken["stage"]) == ("9.9.9", "final")
    assert (broken["outcome"], broken["rows_checked"], broken["rows_failed"]) == ("failed", 8, 2)
    assert found[KEY_RULE]["sample"] is None


def test_a_sample_is_plain_ascii_json_whatever_rows_hold() -> None:
    sample = rows(SETTLEMENTS)[RULE]["sample"]
    assert sample.isascii()
    assert json.loads(sample) == [{"request_id": HOSTILE}]


def test_checks_beside_contracts_have_rows_too() -> None:
    found = rows(SECOND, VOLUME)
    assert (found["fees"]["kind"], found["fees"]["rows_checked"]) == ("second_computation", 5)
    assert found["fees"]["contract_version"] is None
    assert (found["near"]["table_name"], found["near"]["outcome"]) == ("refunds", "not_judged")
    assert pd.isna(found["near"]["rows_checked"])
    assert found["near"]["contract_version"] == "1.1.0"


def test_the_tables_own_contract_is_no_row_of_it() -> None:
    assert results_frame("final", [{**SETTLEMENTS, "table": "contract_results"}]).empty


@pytest.fixture
def older() -> PublishedRun:
    """A run published before there was the table."""
    older_second = {name: value for name, value in SECOND.items() if name != "kind"}
    manifest = {
        "run": 3,
        "stage": "round-1",
        "tables": {"market_rounds": {}},
        "checks": [
            SETTLEMENTS | {"unjudged": ["never_asked"]},
            {"table": "row_accounts", "passed": True, "rules": [{"name": "kept", "passed": True}]},
            older_second,
        ],
    }
    return PublishedRun(Path("zone"), Quarter(2026, 4), 3, manifest)


def test_checks_of_an_older_run_are_read_from_its_manifest(older: PublishedRun) -> None:
    found = {each.rule: each for each in rule_outcomes(older)}
    assert found[RULE] == RuleOutcome(
        "settlements", RULE, "row", "error", "failed", 8, 2, json.dumps([{"request_id": HOSTILE}])
    )
    assert found["never_asked"].outcome == "not_judged"
    assert (found["kept"].kind, found["kept"].outcome) == ("row_account", "passed")
    assert (found["fees"].kind, found["fees"].rows_checked) == ("second_computation", 5)


def test_a_report_counts_the_checks_of_an_older_run_as_its_queries_would(
    older: PublishedRun,
) -> None:
    found = older_checks([older])
    about = {"run": 3, "stage": "round-1"}
    assert found["checks"] == [
        about | {"table_name": "row_accounts", "rules": 1, "hold": 1, "broken": 0, "warned": 0,
                 "not_judged": 0},
        about | {"table_name": "settlements", "rules": 4, "hold": 2, "broken": 1, "warned": 0,
                 "not_judged": 1},
    ]  # fmt: skip
    assert [(row["rule_name"], row["rows_failed"]) for row in found["breaches"]] == [(RULE, 2)]
    assert found["second"] == [about | {"rows_checked": 5, "rows_failed": 0}]


def test_a_run_with_the_table_is_left_to_the_queries(older: PublishedRun) -> None:
    tables = {"contract_results": {}}
    new = PublishedRun(older.zone, older.quarter, 4, {**older.manifest, "tables": tables})
    assert older_checks([new]) == {"checks": [], "breaches": [], "second": []}
