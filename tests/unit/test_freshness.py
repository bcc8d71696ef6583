"""What a run says of the age of its feeds, and how it is kept with what its checks found."""

from datetime import UTC, datetime, timedelta

import pytest

from fbacap_logic.calendar import Quarter
from fbacap_logic.policy import Policy
from orchestration.checks.freshness import feeds, freshness_sentence, judge_feed
from orchestration.checks.results_table import results_frame
from orchestration.contracts import load_contract

STAGES = {stage.name: stage for stage in Policy().calendar_of(Quarter(2026, 4)).stages}
FINAL = STAGES["final"]
CUTOFF = FINAL.cutoff_at.replace(tzinfo=UTC)


def frame_of(stage, rule):
    outcome = {"table": "freshness", "kind": "freshness", "passed": True, "rules": [rule]}
    return results_frame(stage.name, [outcome]).iloc[0]


def test_the_feeds_are_the_tables_whose_contracts_say_how_often_they_come():
    assert set(feeds()) == {"order_lines", "inventory_snapshots", "refunds"}


@pytest.mark.parametrize("table", ["order_lines", "inventory_snapshots", "refunds"])
def test_a_feed_is_fresh_up_to_the_days_of_its_contract_and_stale_an_instant_before(table):
    oldest = CUTOFF - timedelta(days=load_contract(table).levels.tolerance_days)
    assert judge_feed(table, oldest, FINAL)["passed"]
    stale = judge_feed(table, oldest - timedelta(microseconds=1), FINAL)
    assert (stale["passed"], stale["judged"], stale["failed_rows"]) == (False, True, 1)


def test_a_stale_feed_is_a_failed_warning_of_its_contract_with_its_age():
    row = frame_of(FINAL, judge_feed("order_lines", CUTOFF - timedelta(days=45), FINAL))
    assert row[["table_name", "rule_name", "kind", "severity", "outcome"]].tolist() == [
        "order_lines", "newest_row_is_fresh", "freshness", "warning", "failed",
    ]  # fmt: skip
    assert row["sentence"] == (
        "The newest row of order_lines was received at most 3 days before the cut-off."
    )
    assert row["contract_version"] == load_contract("order_lines").version
    assert (row["rows_checked"], row["rows_failed"]) == (1, 1)
    newest = (CUTOFF - timedelta(days=45)).isoformat()
    assert row["sample"] == f'[{{"newest_received_at": "{newest}", "age_days": "45"}}]'


def test_a_feed_that_never_came_is_stale():
    row = frame_of(FINAL, judge_feed("refunds", None, FINAL))
    assert (row["outcome"], row["sample"]) == ("failed", '[{"newest_received_at": "never"}]')
    told = freshness_sentence("refunds", FINAL, None, load_contract("refunds").levels, is_read=True)
    assert told == (
        "no refunds had been received by the cut-off; "
        "ingest what is missing of refunds and run final again"
    )


def test_a_feed_that_a_stage_run_does_not_read_is_not_judged():
    stage = STAGES["round-1"]
    row = frame_of(stage, judge_feed("order_lines", datetime(2000, 1, 1, tzinfo=UTC), stage))
    assert (row["outcome"], row["rows_failed"], row["sample"]) == ("not_judged", 0, None)
