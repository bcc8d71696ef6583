"""The published zone: all or nothing, never changed, never twice the same."""

import json
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pytest

from fbacap_logic.calendar import Quarter, StageCutoff
from orchestration import published
from orchestration.errors import NotPublished
from orchestration.files import file_digest
from orchestration.published import (
    current_runs,
    latest_run,
    publish,
    published_quarters,
    published_runs,
    required_run,
)

QUARTER = Quarter(2026, 4)
ROUND_1 = StageCutoff("round-1", "round", datetime(2026, 9, 3, tzinfo=UTC), 1)
ROUND_2 = StageCutoff("round-2", "round", datetime(2026, 9, 17, tzinfo=UTC), 2)
FACTS = {"policy_version": "1"}


@pytest.fixture
def connection():
    with duckdb.connect() as opened:
        opened.execute("create schema market")
        opened.execute(
            """
            create table market.repricing_steps as
            select 'US' as marketplace_id, 'standard' as storage_type,
                   'request-' || range as request_id, 1::integer as round,
                   2::integer as repriced_in_round, 600::bigint as fee_before_minor_per_ft3,
                   400::bigint as fee_after_minor_per_ft3
            from range(5)
            """
        )
        yield opened


def publish_steps(connection, zone: Path, stage: StageCutoff = ROUND_1):
    return publish(connection, zone, QUARTER, stage, ["repricing_steps"], FACTS)


def test_a_published_run_is_its_rows_and_a_manifest_that_names_them_by_hash(connection, tmp_path):
    run = publish_steps(connection, tmp_path).run
    path = run.file("repricing_steps")
    assert path == (
        tmp_path / "repricing_steps/quarter=2026-10-01/run=0001/repricing_steps.parquet"
    )
    entry = json.loads(run.manifest_path.read_text())["tables"]["repricing_steps"]
    assert entry["rows"] == 5
    assert entry["sha256"] == file_digest(path)
    assert not path.stat().st_mode & 0o222


def test_identical_content_is_not_published_twice(connection, tmp_path):
    first = publish_steps(connection, tmp_path)
    again = publish_steps(connection, tmp_path)
    assert first.is_new
    assert not again.is_new
    assert again.run.run == 1
    assert len(published_runs(tmp_path, QUARTER)) == 1


def test_changed_content_becomes_the_next_run_and_leaves_the_first_untouched(connection, tmp_path):
    first = publish_steps(connection, tmp_path).run
    before = file_digest(first.file("repricing_steps"))
    connection.execute("update market.repricing_steps set fee_after_minor_per_ft3 = 399")
    second = publish_steps(connection, tmp_path)
    assert (second.is_new, second.run.run) == (True, 2)
    assert file_digest(first.file("repricing_steps")) == before


def test_the_bytes_do_not_depend_on_the_order_of_rows(connection, tmp_path):
    one = publish_steps(connection, tmp_path / "one").run
    connection.execute(
        "create or replace table market.repricing_steps as "
        "from market.repricing_steps order by request_id desc"
    )
    other = publish_steps(connection, tmp_path / "other").run
    assert file_digest(one.file("repricing_steps")) == file_digest(other.file("repricing_steps"))
    assert one.manifest == other.manifest


def test_a_run_without_a_manifest_is_no_run_and_is_replaced(connection, tmp_path, monkeypatch):
    def killed(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(published, "write_manifest", killed)
        with pytest.raises(KeyboardInterrupt):
            publish_steps(connection, tmp_path)
    assert (tmp_path / "repricing_steps/quarter=2026-10-01/run=0001").exists()
    assert published_runs(tmp_path, QUARTER) == ()
    assert published_quarters(tmp_path) == ()
    connection.execute("delete from market.repricing_steps where request_id = 'request-0'")
    run = publish_steps(connection, tmp_path).run
    assert run.run == 1
    assert run.tables["repricing_steps"]["rows"] == 4
    assert file_digest(run.file("repricing_steps")) == run.tables["repricing_steps"]["sha256"]


def test_the_later_stage_holds_even_when_an_earlier_one_was_published_after_it(
    connection, tmp_path
):
    publish_steps(connection, tmp_path, ROUND_1)
    connection.execute("update market.repricing_steps set fee_after_minor_per_ft3 = 300")
    publish_steps(connection, tmp_path, ROUND_2)
    connection.execute("update market.repricing_steps set fee_after_minor_per_ft3 = 350")
    restated = publish_steps(connection, tmp_path, ROUND_1).run
    current = current_runs(tmp_path, QUARTER)
    assert restated.run == 3
    assert current["repricing_steps"].run == 2
    assert latest_run(tmp_path, QUARTER, "round-1").run == 3


def test_what_is_missing_is_named_with_the_command_that_makes_it(tmp_path):
    with pytest.raises(NotPublished) as caught:
        required_run(tmp_path, QUARTER, "announce")
    assert str(caught.value) == (
        "2026Q4 has no published announce; run `fbacap run 2026Q4 --stage announce` first"
    )
