"""One tiny quarter from announcement to true-up, every run launched by the sensor and real.

A policy with one round keeps it short, and shows whose calendar is followed.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import dagster as dg
import duckdb
import pytest
from dagster._core.execution.execute_in_process_result import ExecuteInProcessResult

from fbacap_logic.calendar import Quarter
from orchestration.build import build_definitions
from orchestration.ingest import ingest_folder
from orchestration.instance import instance
from orchestration.locks import is_locked
from orchestration.paths import DataFolder
from orchestration.published import published_runs
from orchestration.published_checks import rule_outcomes
from orchestration.schedule.view import market_calendar
from orchestration.simulation import generate

QUARTER = Quarter(2025, 4)
STAGES = ("announce", "round-1", "preliminary", "final", "true-up")
POLICY = """\
policy_version: one-round-1
calendar: {round_close_days: [-28]}
"""
NOW = datetime(2026, 6, 1, tzinfo=UTC)


class Daemon:
    """What Dagster's daemon does, in one process: ticks, and every requested run executed."""

    def __init__(self, data: DataFolder, history: dg.DagsterInstance) -> None:
        self.repository = build_definitions(data, clock=lambda: NOW).get_repository_def()
        self.history = history
        self.run_keys: list[str] = []
        self.results: list[ExecuteInProcessResult] = []

    def run_until_idle(self) -> str:
        while True:
            context = dg.build_sensor_context(instance=self.history, repository_def=self.repository)
            tick = self.repository.get_sensor_def("scheduled_quarters").evaluate_tick(context)
            if not tick.run_requests:
                return tick.skip_message
            for request in tick.run_requests:
                job = self.repository.get_job(request.job_name)
                self.run_keys.append(request.run_key)
                self.results.append(
                    job.execute_in_process(
                        instance=self.history, tags=request.tags, raise_on_error=False
                    )
                )


def keep_one_market(folder: Path) -> None:
    """Leave out the capacity of later quarters and the releases of later rounds."""
    with duckdb.connect() as connection:
        for table, rule in (("network_capacity", "true"), ("round_supply", '"round" = 1')):
            path = folder / f"{table}.parquet"
            connection.execute(
                f"create table {table} as select * from '{path}' "
                f"where quarter = date '{QUARTER.key}' and {rule}"
            )
            connection.execute(f"copy {table} to '{path}'")


@pytest.fixture(scope="module")
def scheduled(tmp_path_factory, monkeypatch_module):
    root = tmp_path_factory.mktemp("scheduled")
    generate(root / "input", sellers=12, quarters=1, seed=7, last_quarter=QUARTER)
    keep_one_market(root / "input")
    data = DataFolder(root / "data")
    data.policies.mkdir(parents=True)
    (data.policies / "one-round.yaml").write_text(POLICY)
    ingest_folder(data, root / "input", kind="tables", historical=True)
    with instance(data) as history:
        daemon = Daemon(data, history)
        yield data, daemon, daemon.run_until_idle()


@pytest.fixture(scope="module")
def monkeypatch_module(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("DAGSTER_HOME", raising=False)
        patch.setenv("FBACAP_DATA", "")
        yield patch


def test_the_sensor_launches_a_whole_quarter_in_order_and_every_run_publishes(scheduled):
    data, daemon, _ = scheduled
    assert daemon.run_keys == [f"{stage}:2025Q4:1" for stage in STAGES]
    assert all(result.success for result in daemon.results)
    assert [run.stage for run in published_runs(data.published, QUARTER)] == list(STAGES)


def test_when_everything_is_published_the_sensor_says_so_and_launches_nothing(scheduled):
    _, daemon, last_words = scheduled
    assert last_words == "every stage run that is due is published"
    assert daemon.run_until_idle() == last_words
    assert len(daemon.run_keys) == len(STAGES)


def test_the_quarters_lock_is_free_again_after_scheduled_runs(scheduled):
    data, _, _ = scheduled
    assert (data.work / "2025-10-01.lock").exists()
    assert not is_locked(data, QUARTER)


def test_a_feed_that_ended_is_a_warning_which_stops_nothing_and_is_published(scheduled):
    data, daemon, _ = scheduled
    last = daemon.results[-1].get_asset_check_evaluations()
    stale = {
        evaluation.asset_key.path[-1]: evaluation
        for evaluation in last
        if evaluation.check_name == "freshness" and not evaluation.passed
    }
    assert {"order_lines", "inventory_snapshots"} <= set(stale)
    assert all(entry.severity == dg.AssetCheckSeverity.WARN for entry in stale.values())
    assert "ingest what is missing of order_lines" in stale["order_lines"].description
    *_, trued_up = published_runs(data.published, QUARTER)
    told = {each.table: each for each in rule_outcomes(trued_up) if each.kind == "freshness"}
    assert {table for table, each in told.items() if each.outcome == "failed"} == set(stale)
    assert {each.severity for each in told.values()} == {"warning"}


def test_the_calendar_shows_every_stage_published_with_its_run(scheduled):
    data, _, _ = scheduled
    view = market_calendar(data, NOW, [QUARTER])
    (shown,) = view["quarters"]
    assert [(row["state"], row["run"]) for row in shown["stages"]] == [
        ("published", number) for number in range(1, len(STAGES) + 1)
    ]


def test_runs_of_after_the_day_asked_about_are_still_to_come(scheduled):
    data, _, _ = scheduled
    view = market_calendar(data, datetime(2025, 9, 10, tzinfo=UTC), [QUARTER])
    (shown,) = view["quarters"]
    assert [row["state"] for row in shown["stages"]] == ["published", "published", *["to come"] * 3]
