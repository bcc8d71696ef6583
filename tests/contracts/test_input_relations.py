"""Foreign keys and volume of input tables warn of the rows that break them, and of nothing else."""

from __future__ import annotations

from collections.abc import Iterator

import duckdb
import pytest
from table_rows import GOOD, row_sql

from orchestration.checks.input_rules import (
    input_rules,
    judge_inputs,
    judged_tables,
    outcome_document,
    staged_tables,
)
from orchestration.checks.results_table import results_frame
from orchestration.contracts import contract_names, load_contract

# One marketplace, seller, product, order line and market, that all other rows are of.
ONE = {
    "order_line_id": "'../1'", "marketplace_id": "'us'", "seller_id": "'s'", "sku": "'a'",
    "storage_type": "'standard'", "quarter": "date '2026-10-01'",
}  # fmt: skip
# For every relationship: a change that leaves a row without its match, and what is shown of it.
ORPHANS = {
    ("sellers", "found_in_marketplaces"): ("marketplace_id", "nowhere"),
    ("products", "found_in_sellers"): ("seller_id", "nobody"),
    ("order_lines", "found_in_products"): ("sku", "nothing"),
    ("refunds", "found_in_order_lines"): ("order_line_id", "no-line"),
    ("inventory_snapshots", "found_in_products"): ("sku", "nothing"),
    ("capacity_requests", "found_in_sellers"): ("seller_id", "nobody"),
    ("network_capacity", "found_in_marketplaces"): ("marketplace_id", "nowhere"),
    ("round_supply", "found_in_network_capacity"): ("storage_type", "loft"),
}
# For every volume rule: the column that dates a row, and the month in which its quarter begins.
VOLUMES = {
    "order_lines": ("ordered_at", "2026-07-01"),
    "inventory_snapshots": ("snapshot_date", "2026-07-01"),
    "refunds": ("refunded_at", "2026-07-01"),
    "network_capacity": ("quarter", "2026-10-01"),
    "round_supply": ("quarter", "2026-10-01"),
    "capacity_requests": ("quarter", "2026-10-01"),
}
CUT_OFF = "2026-10-05"


@pytest.fixture
def market() -> Iterator[duckdb.DuckDBPyConnection]:
    """Every input table with one row of a whole market, received before the run's cut-off."""
    with duckdb.connect() as connection:
        connection.execute(
            "create schema run; create schema landing; create table run.parameters as select "
            f"timestamp '{CUT_OFF}' as cutoff_at, date '2026-10-01' as quarter_start"
        )
        for table in contract_names("input"):
            contract = load_contract(table)
            given = {name: ONE[name] for name in contract.column_names if name in ONE}
            connection.execute(
                f"create table landing.{table} as select *, timestamp '2026-08-01' as received_at "
                f"from ({row_sql(contract, {**GOOD[table], **given})})"
            )
        yield connection


def found_of(connection: duckdb.DuckDBPyConnection, table: str) -> dict[str, dict]:
    return {each["name"]: each for each in judge_inputs(connection, {table})}


def test_every_relationship_and_volume_rule_is_broken_here() -> None:
    rules = {
        (table, rule.name): rule.kind for table in judged_tables() for rule in input_rules(table)
    }
    assert {key for key, kind in rules.items() if kind == "relationship"} == ORPHANS.keys()
    assert {table for (table, _), kind in rules.items() if kind == "volume"} == VOLUMES.keys()
    assert set(rules.values()) == {"relationship", "volume"}


def test_a_whole_market_has_no_orphans_and_nothing_to_compare_volumes_with(market) -> None:
    found = judge_inputs(market, judged_tables())
    assert all(each["passed"] for each in found)
    assert {each["judged"] for each in found if each["kind"] == "relationship"} == {True}
    assert {each["judged"] for each in found if each["kind"] == "volume"} == {False}


@pytest.mark.parametrize(("table", "rule"), ORPHANS)
def test_a_row_without_its_match_is_warned_of_and_named(market, table, rule) -> None:
    column, value = ORPHANS[table, rule]
    market.execute(
        f"insert into landing.{table} select * replace ('{value}' as {column}) from landing.{table}"
    )
    found = found_of(market, table)[rule]
    assert (found["passed"], found["severity"], found["failed_rows"]) == (False, "warning", 1)
    assert [row[column] for row in found["sample"]] == [value]
    assert set(load_contract(table).key) <= found["sample"][0].keys()


@pytest.mark.parametrize("table", VOLUMES)
@pytest.mark.parametrize(
    ("counts", "passes"),
    [
        ([10, 10, 10, 10, 10], True),
        ([10, 10, 10, 10, 1], False),
        ([10, 10, 10, 10, 60], False),
        ([0, 0, 0, 10, 1], False),
        ([10, 10, 10, 10, 0], False),
        ([1000, 10, 10, 10, 10, 10], True),
    ],
)
def test_a_quarter_with_far_fewer_or_more_rows_than_before_is_warned_of(
    market, table, counts, passes
) -> None:
    market.execute(f"create temp table one as from landing.{table} limit 1")
    market.execute(f"delete from landing.{table}")
    column, start = VOLUMES[table]
    kind = load_contract(table).column(column).physical_type
    for before, count in enumerate(reversed(counts)):
        quarter = f"(timestamp '{start}' - interval {3 * before} month)"
        market.execute(
            f"insert into landing.{table} select one.* replace ({quarter}::{kind} as {column}, "
            f"{quarter} - interval 20 day as received_at) from one, range({count})"
        )
    found = found_of(market, table)["volume_is_near_the_last_quarters"]
    assert (found["judged"], found["passed"]) == (True, passes)
    if not passes:
        (row,) = found["sample"]
        assert row["quarter_start"] == start
        assert (row["rows_found"], row["rows_mean_before"]) == (str(counts[-1]), "10")
        assert row.get("marketplace_id", "us") == "us"


def test_marketplaces_are_counted_apart(market) -> None:
    market.execute(
        """
        create temp table one as from landing.order_lines limit 1;
        delete from landing.order_lines;
        insert into landing.order_lines
        select one.* replace (place as marketplace_id, day as ordered_at) from one, (values
            ('us', timestamp '2026-04-01', 100), ('us', timestamp '2026-07-01', 100),
            ('br', timestamp '2026-04-01', 4)) as rows (place, day, rows), range(rows)
        """
    )
    found = found_of(market, "order_lines")["volume_is_near_the_last_quarters"]
    assert [row["marketplace_id"] for row in found["sample"]] == ["br"]


def test_requests_count_as_they_stood_as_early_in_the_quarters_before(market) -> None:
    market.execute(
        """
        create temp table one as from landing.capacity_requests limit 1;
        delete from landing.capacity_requests;
        insert into landing.capacity_requests
        select one.* replace (of_quarter as quarter, day as received_at) from one, (values
            (date '2026-07-01', timestamp '2026-06-01', 5),
            (date '2026-07-01', timestamp '2026-08-15', 500),
            (date '2026-10-01', timestamp '2026-09-01', 5)) as rows (of_quarter, day, rows),
            range(rows)
        """
    )
    found = found_of(market, "capacity_requests")["volume_is_near_the_last_quarters"]
    assert (found["judged"], found["passed"]) == (True, True)


def test_results_are_rows_of_the_published_table_under_the_input_tables_own_names(market) -> None:
    market.execute("update landing.refunds set order_line_id = '<script>'")
    found = judge_inputs(market, staged_tables("settle"))
    frame = results_frame("final", [outcome_document(found)]).set_index(["table_name", "rule_name"])
    broken = frame.loc["refunds", "found_in_order_lines"]
    assert (broken["kind"], broken["severity"], broken["outcome"]) == (
        "relationship", "warning", "failed",
    )  # fmt: skip
    assert "<script>" in broken["sample"]
    unjudged = frame.loc["refunds", "volume_is_near_the_last_quarters"]
    assert (unjudged["outcome"], unjudged["contract_version"]) == (
        "not_judged", load_contract("refunds").version,
    )  # fmt: skip


def test_a_run_asks_only_of_the_tables_that_it_stages() -> None:
    assert "order_lines" in staged_tables("announce") & staged_tables("settle")
    assert "order_lines" not in staged_tables("round")
    assert "capacity_requests" in staged_tables("round")
