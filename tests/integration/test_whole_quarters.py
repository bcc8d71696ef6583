"""Backfills from the UI: the daemon makes whole quarters in the order that the loop demands."""

from __future__ import annotations

from contextlib import contextmanager

import dagster as dg
import pytest
from two_quarters import QUARTERS, STAGES, copy_of, published_bytes
from ui_server import running, serving

from orchestration.assets.whole_quarters import HELD, SETTLED
from orchestration.paths import DataFolder
from orchestration.published import published_runs

_LAUNCH = """
mutation($backfill: LaunchBackfillParams!) {
  launchPartitionBackfill(backfillParams: $backfill) {
    __typename
    ... on LaunchBackfillSuccess { backfillId }
    ... on PythonError { message }
  }
}
"""
_ASSET = "query($key: AssetKeyInput!) { assetNodeOrError(assetKey: $key) { __typename } }"
_STATUS = """
query($id: String!) {
  partitionBackfillOrError(backfillId: $id) { ... on PartitionBackfill { status } }
}
"""
_PATIENCE_SECONDS = 600


def knows_the_assets(server) -> bool:
    """Whether the UI has loaded the definitions."""
    found = server.ask(_ASSET, key={"path": [SETTLED]})["data"]
    return bool(found) and found["assetNodeOrError"]["__typename"] == "AssetNode"


@pytest.fixture(scope="module")
def backfilled(landed_quarters, tmp_path_factory):
    """Both quarters backfilled from the UI, asked for in the wrong order."""
    data = copy_of(landed_quarters, tmp_path_factory.mktemp("ui") / "data")
    folder = ("--data", data.root)
    with running("daemon", *folder) as daemon, serving(*folder) as server:
        assert server.wait_until(lambda: knows_the_assets(server), _PATIENCE_SECONDS, daemon)
        backfill = {
            "assetSelection": [{"path": [SETTLED]}, {"path": [HELD]}],
            "partitionNames": [quarter.key for quarter in reversed(QUARTERS)],
        }
        launched = server.ask(_LAUNCH, backfill=backfill)["data"]["launchPartitionBackfill"]
        assert launched["__typename"] == "LaunchBackfillSuccess", launched

        def status() -> str:
            found = server.ask(_STATUS, id=launched["backfillId"])["data"]
            return found["partitionBackfillOrError"]["status"]

        assert server.wait_until(lambda: status() != "REQUESTED", _PATIENCE_SECONDS, daemon)
        ended = status()
    return data, ended


@contextmanager
def history_of(data: DataFolder):
    home = str(data.dagster_home)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DAGSTER_HOME", home)
        with dg.DagsterInstance.from_config(home) as dagster:
            yield dagster


def test_a_backfill_from_the_ui_publishes_the_same_bytes_as_the_command_line(
    backfilled, one_after_another
):
    data, ended = backfilled
    assert ended == "COMPLETED_SUCCESS"
    for quarter in QUARTERS:
        assert [run.stage for run in published_runs(data.published, quarter)] == list(STAGES)
    assert published_bytes(data) == published_bytes(one_after_another)


def test_no_market_began_before_the_one_before_it_was_held(backfilled):
    data, _ = backfilled
    held = {}
    with history_of(data) as dagster:
        for record in dagster.get_run_records():
            run = record.dagster_run
            if dg.AssetKey(HELD) in (run.asset_selection or ()):
                held[run.tags["dagster/partition"]] = record
        (event,) = dagster.fetch_materializations(
            dg.AssetRecordsFilter(dg.AssetKey(HELD), asset_partitions=[QUARTERS[0].key]), limit=10
        ).records
    assert set(held) == {quarter.key for quarter in QUARTERS}
    assert held[QUARTERS[1].key].start_time >= event.timestamp


def test_the_stage_runs_of_a_backfill_stand_in_the_same_history_with_their_own_checks(backfilled):
    data, _ = backfilled
    with history_of(data) as dagster:
        jobs = [run.job_name for run in dagster.get_runs() if "fbacap/stage" in run.tags]
    assert sorted(jobs) == sorted(stage.replace("-", "_") for stage in STAGES for _ in QUARTERS)
