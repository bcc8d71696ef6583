"""Backfills from the UI: the daemon makes whole quarters in the order that the loop demands."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import contextmanager

import dagster as dg
import pytest
from two_quarters import QUARTERS, STAGES, copy_of, published_bytes

from orchestration.assets.whole_quarters import HELD, SETTLED
from orchestration.paths import PROJECT, DataFolder
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


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def served(data: DataFolder):
    """Webserver and daemon over one data folder, as the command line starts them."""
    port = free_port()
    environment = {name: value for name, value in os.environ.items() if name != "DAGSTER_HOME"} | {
        "PYTHONPATH": str(PROJECT)
    }
    commands = (["ui", "--port", str(port)], ["daemon"])
    with (data.root / "served.log").open("w") as log:
        processes = [
            subprocess.Popen(
                [sys.executable, "-m", "orchestration.cli", *words, "--data", str(data.root)],
                env=environment, stdout=log, stderr=log,
            )
            for words in commands
        ]  # fmt: skip
        try:
            yield f"http://127.0.0.1:{port}/graphql", processes
        finally:
            for process in processes:
                process.send_signal(signal.SIGTERM)
            for process in processes:
                process.wait(timeout=60)


def ask(address: str, query: str, **variables) -> dict:
    request = urllib.request.Request(  # noqa: S310 - an address of this test's own
        address,
        json.dumps({"query": query, "variables": variables}).encode(),
        {"content-type": "application/json"},
    )
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310
            return json.load(answer)["data"]
    except urllib.error.HTTPError as refusal:  # Dagster answers an error so, and says which
        return json.load(refusal)["data"]


def wait_until(happened, processes) -> None:
    """Look once a second: neither webserver nor daemon says by itself when it is done."""
    for _ in range(_PATIENCE_SECONDS):
        if happened():
            return
        assert all(process.poll() is None for process in processes), "a server ended by itself"
        time.sleep(1)
    pytest.fail("neither happened nor failed in ten minutes")


def knows_the_assets(address: str) -> bool:
    """Whether the UI answers and has loaded the definitions."""
    try:
        found = ask(address, _ASSET, key={"path": [SETTLED]})
    except urllib.error.URLError:
        return False
    return found["assetNodeOrError"]["__typename"] == "AssetNode"


@pytest.fixture(scope="module")
def backfilled(landed_quarters, tmp_path_factory):
    """Both quarters backfilled from the UI, asked for in the wrong order."""
    data = copy_of(landed_quarters, tmp_path_factory.mktemp("ui") / "data")
    with served(data) as (address, processes):
        wait_until(lambda: knows_the_assets(address), processes)
        backfill = {
            "assetSelection": [{"path": [SETTLED]}, {"path": [HELD]}],
            "partitionNames": [quarter.key for quarter in reversed(QUARTERS)],
        }
        launched = ask(address, _LAUNCH, backfill=backfill)["launchPartitionBackfill"]
        assert launched["__typename"] == "LaunchBackfillSuccess", launched

        def status() -> str:
            found = ask(address, _STATUS, id=launched["backfillId"])
            return found["partitionBackfillOrError"]["status"]

        wait_until(lambda: status() != "REQUESTED", processes)
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
