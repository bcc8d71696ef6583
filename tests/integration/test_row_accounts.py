"""No stage run loses a row that landed, sees one that was kept apart, or counts one twice."""

from __future__ import annotations

import shutil
from datetime import datetime

import duckdb
import pytest
from late_records import QUARTER, run_stages

from orchestration.assets import dbt_models
from orchestration.checks.row_accounts import STAGED, RowAccount, account_result, row_account
from orchestration.dbt_runner import build_models
from orchestration.errors import ContractBroken
from orchestration.ingest import ingest_folder
from orchestration.landing import landed_files
from orchestration.landing.quarantine import count_quarantined
from orchestration.paths import DataFolder
from orchestration.published import published_runs
from orchestration.published_checks import rule_outcomes
from orchestration.working import FILE_NAME

# What is wrong with the rows that are added to the generated files, and how many there are.
BAD_ROWS = {
    "order_lines": ("* replace (order_line_id || '-bad' as order_line_id, 0 as units)", 7),
    "sellers": ("* replace (seller_id || '-bad' as seller_id, 'Pro' as account_type)", 3),
    "products": ("* replace (sku || '-bad' as sku, 0 as unit_volume_ft3)", 5),
    "refunds": ("*", 4),  # the key stands in the file already
    "inventory_snapshots": ("* replace (-1 as on_hand_units)", 6),
}


@pytest.fixture(scope="module")
def dirty(cleared_market, tmp_path_factory):
    """The files of ``cleared_market`` with bad rows among them, taken in."""
    folder = tmp_path_factory.mktemp("dirty")
    shutil.copytree(cleared_market.root.parent / "input", folder / "input")
    with duckdb.connect() as connection:
        for table, (bad, count) in BAD_ROWS.items():
            path = folder / "input" / f"{table}.parquet"
            connection.execute(
                f"create or replace table rows as select * from '{path}'; "
                f"copy (select * from rows union all (select {bad} from rows limit {count})) "
                f"to '{path}' (format parquet)"
            )
    data = DataFolder(folder / "data")
    ingest_folder(data, folder / "input", kind="tables", historical=True)
    return data


@pytest.fixture(scope="module")
def announced(dirty):
    (outcome,) = run_stages(dirty, "announce")
    return outcome


def test_the_bad_rows_are_in_quarantine_and_nowhere_else(dirty):
    apart = {file.table: file.quarantined_rows for file in landed_files(dirty.landing)}
    assert {table: rows for table, rows in apart.items() if rows} == {
        table: count for table, (_, count) in BAD_ROWS.items()
    }
    assert count_quarantined(dirty.landing, datetime.fromisoformat("2030-01-01")) == {
        table: count for table, (_, count) in BAD_ROWS.items()
    }


def test_what_is_published_is_the_same_as_if_the_bad_rows_had_never_been(cleared_market, announced):
    clean = next(
        run for run in published_runs(cleared_market.published, QUARTER) if run.stage == "announce"
    )
    dirty = announced.published
    assert dirty.tables == clean.tables
    for table in clean.tables:
        assert dirty.file(table).read_bytes() == clean.file(table).read_bytes(), table
    rows = {entry["table"]: entry["rows"] for entry in clean.manifest["inputs"]["landing"]}
    assert {entry["table"]: entry["rows"] for entry in dirty.manifest["inputs"]["landing"]} == rows


def test_each_stage_run_accounts_for_every_input_table_that_it_stages(announced):
    held = {check.table: check for check in announced.checks if check.name == "rows_accounted_for"}
    assert set(held) == {
        f"stg_{table}"
        for table in ("marketplaces", "sellers", "products", "order_lines", "refunds",
                      "inventory_snapshots", "network_capacity")
    }  # fmt: skip
    assert all(check.passed for check in held.values())
    assert "of order_lines received before the cut-off" in held["stg_order_lines"].description
    recorded = [each for each in rule_outcomes(announced.published) if each.kind == "row_account"]
    assert len(recorded) == len(held)


def test_a_stage_run_that_loses_a_row_is_stopped_and_publishes_nothing(
    dirty, tmp_path, monkeypatch
):
    data = DataFolder(tmp_path / "data")
    shutil.copytree(dirty.landing, data.landing)

    def build_and_lose_one(working_file, models):
        built = build_models(working_file, models)
        with duckdb.connect(str(working_file.parent / FILE_NAME)) as connection:
            replace_staged(connection, "stg_refunds", "from kept order by all offset 1")
        return built

    monkeypatch.setattr(dbt_models, "build_models", build_and_lose_one)
    with pytest.raises(ContractBroken) as caught:
        run_stages(data, "announce")
    message = str(caught.value)
    assert "stg_refunds breaks its check 'rows_accounted_for'" in message
    assert "1 are lost; stg_refunds must keep each key once" in message
    assert published_runs(data.published, QUARTER) == ()


def replace_staged(connection, model, query):
    """Put what a query makes of a staging model's rows (``kept``) in the model's place."""
    connection.execute(f"create or replace table kept as select * from staging.{model}")
    connection.execute(f"create or replace view staging.{model} as {query}")


@pytest.mark.parametrize("model", sorted(STAGED))
@pytest.mark.parametrize(
    ("query", "lost"),
    [("from kept order by all offset 1", 1), ("from kept union all (from kept limit 1)", -1)],
)
def test_a_row_that_staging_loses_or_doubles_is_found(dbt_settled, model, query, lost):
    connection = dbt_settled.connection
    assert row_account(connection, model, {}).lost_rows == 0
    connection.execute("begin")
    try:
        replace_staged(connection, model, query)
        found = row_account(connection, model, {})
    finally:
        connection.execute("rollback")
    assert found.lost_rows == lost
    assert ("are lost" if lost > 0 else "are too many") in found.sentence


@pytest.mark.parametrize("model", ["stg_sellers", "stg_network_capacity"])
def test_versions_that_were_restated_count_as_superseded(dbt_announced, model):
    account = row_account(dbt_announced.connection, model, {})
    assert account.lost_rows == 0
    assert account.superseded_rows == 1


def test_the_check_shows_the_four_numbers():
    account = RowAccount("stg_refunds", "refunds", 10, 6, 3, 1, 2)
    result = account_result(account, {"quarter": "2026Q4"})
    assert result.passed
    assert {name: value.value for name, value in result.metadata.items()} == {
        "quarter": "2026Q4",
        "received_rows": 12,
        "accepted_rows": 6,
        "superseded_rows": 3,
        "quarantined_rows": 2,
        "rows_not_read": 1,
    }
    lost = account_result(RowAccount("stg_refunds", "refunds", 10, 5, 3, 1, 2), {})
    assert not lost.passed
    assert lost.description.endswith("1 are lost; stg_refunds must keep each key once")
