"""The dbt project as a whole: it builds on nothing, refuses what is wrong, leaves no files."""

from __future__ import annotations

import re

import duckdb
import pytest
from dbt_runs import PROJECT, describe_run, filled, insert, messages, run_dbt
from dbt_scenarios import add_catalogue, add_earlier_grant, add_market, add_sales_of_the_quarter


def test_everything_builds_and_every_unit_test_passes_on_an_empty_working_file(dbt_empty):
    result = dbt_empty.result
    assert result.success, messages(result)
    kinds = {row.node.resource_type.value for row in result.result.results}
    assert {"model", "test", "unit_test"} <= kinds


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        (
            {"order_line_id": "yen", "marketplace_id": "JP", "units": 1, "revenue": "980.50"},
            (
                "order line yen has an amount of 980.50, finer than its currency; "
                "correct it and deliver it again"
            ),
        ),
        (
            {"order_line_id": "lost", "marketplace_id": "XX", "units": 1, "revenue": "9.50"},
            (
                "order line lost belongs to a marketplace whose currency is unknown; "
                "deliver the marketplace with an ISO 4217 currency"
            ),
        ),
    ],
)
def test_an_amount_that_has_no_minor_units_stops_the_run_and_names_the_line(
    dbt_settled, line, sentence
):
    connection = dbt_settled.connection
    connection.begin()
    try:
        dated = line | {"ordered_at": "2026-10-06", "received_at": "2026-10-06"}
        insert(connection, "landing.order_lines", [dated])
        with pytest.raises(duckdb.Error, match=re.escape(sentence)):
            connection.execute("select sum(net_sales_minor) from facts.int_order_line_net")
    finally:
        connection.rollback()


def test_the_order_of_rows_changes_nothing(dbt_settled, dbt_empty, tmp_path):
    def fill(connection):
        describe_run(connection, "final")
        add_market(connection)
        add_sales_of_the_quarter(connection)
        add_earlier_grant(connection)
        add_catalogue(connection)
        for (name,) in connection.execute(
            "select table_name from information_schema.tables where table_schema = 'landing'"
        ).fetchall():
            connection.execute(
                f"create or replace table landing.{name} as"
                f" select * from landing.{name} order by rowid desc"
            )

    working_file = filled(dbt_empty.working_file, tmp_path, fill)
    result = run_dbt(working_file, "run", "--select", "tag:settle")
    assert result.success, messages(result)
    with duckdb.connect(str(working_file), read_only=True) as connection:
        for table in ("facts.seller_market_days", "facts.judged_requests", "facts.daily_net_sales"):
            query = f"from {table} order by all"
            expected = dbt_settled.connection.execute(query).fetchall()
            assert expected
            assert connection.execute(query).fetchall() == expected


def test_a_source_of_another_type_is_refused_by_name(dbt_empty, tmp_path):
    def fill(connection):
        connection.execute("alter table landing.marketplaces alter received_at type timestamptz")

    working_file = filled(dbt_empty.working_file, tmp_path, fill)
    result = run_dbt(working_file, "run", "--select", "stg_marketplaces")
    assert not result.success
    assert (
        "landing.marketplaces.received_at is timestamp with time zone where dbt's sources declare "
        "timestamp; cast it in the step that makes landing.marketplaces"
    ) in messages(result)


def test_a_source_without_a_declared_column_is_refused_by_name(dbt_empty, tmp_path):
    def fill(connection):
        connection.execute("alter table landing.marketplaces drop currency")

    working_file = filled(dbt_empty.working_file, tmp_path, fill)
    result = run_dbt(working_file, "run", "--select", "stg_marketplaces")
    assert not result.success
    assert "landing.marketplaces has no column currency" in messages(result)


def test_a_missing_source_is_refused_by_name_in_production(tmp_path):
    strict = ("--vars", "{create_missing_sources: false}")
    result = run_dbt(tmp_path / "quarter.duckdb", "run", "--select", "stg_marketplaces", *strict)
    assert not result.success
    assert "the working file has no landing.marketplaces" in messages(result)


def test_runs_leave_nothing_in_the_project(dbt_settled, dbt_announced):
    kept = {"target", "logs"}  # of runs by hand; ignored by git
    found = [path for path in PROJECT.rglob("*") if path.relative_to(PROJECT).parts[0] not in kept]
    assert {path.suffix for path in found if path.is_file()} == {".sql", ".yml", ".md"}
