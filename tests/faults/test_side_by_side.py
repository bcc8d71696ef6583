"""Processes side by side, an auditor asking all the while: no lock error, the same bytes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest

from orchestration.catalogue import query
from orchestration.instance import prepare_history
from orchestration.locks import is_locked
from orchestration.paths import PROJECT, DataFolder
from orchestration.status import quarter_status
from tests.faults.killed import fbacap
from tests.faults.wreck import faults_of_finished
from tests.two_quarters import (
    QUARTERS,
    STAGES,
    copy_of,
    land_quarters,
    published_bytes,
    run_one_after_another,
)

_NOW = datetime(2030, 1, 1, tzinfo=UTC)
_ANNOUNCE = ("run", QUARTERS[0].label, "--stage", "announce")


@pytest.fixture
def data(landed_quarters, tmp_path):
    return copy_of(landed_quarters, tmp_path / "data")


def start(
    data: DataFolder, *words: str, module: str = "orchestration.cli"
) -> subprocess.Popen[str]:
    environment = {**os.environ, "PYTHONPATH": str(PROJECT), "FBACAP_DATA": str(data.root)}
    environment.pop("DAGSTER_HOME", None)
    if module == "dagster":
        environment["DAGSTER_HOME"] = str(data.dagster_home)
    return subprocess.Popen(
        [sys.executable, "-m", module, *words],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment,
    )  # fmt: skip


def announced(one_after_another: DataFolder) -> dict[str, str]:
    """What the first quarter's announcement published, by path."""
    run = f"quarter={QUARTERS[0].key}/run=0001"
    return {name: each for name, each in published_bytes(one_after_another).items() if run in name}


def ask_until(is_over: threading.Event, data: DataFolder, seen: list[tuple[int, ...]]) -> None:
    """Ask as an auditor does; each answer: runs in the catalogue, in its tables, in the status."""
    while True:
        was_over = is_over.is_set()
        _, ((runs, in_tables),) = query(
            data,
            "select (select count(*) from runs), (select count(distinct (quarter, run)) from ("
            "select quarter, run from all_runs.base_allocations "
            "union all select quarter, run from all_runs.repriced_fees "
            "union all select quarter, run from all_runs.settlements))",
        )
        shown = sum(row["state"] == "published" for row in quarter_status(data, _NOW))
        seen.append((int(runs), int(in_tables), shown))
        if was_over:
            return


@pytest.mark.skipif(not os.environ.get("FBACAP_LONG"), reason="the long form: make faults")
def test_while_eight_quarters_are_backfilled_side_by_side_every_answer_is_whole(
    tmp_path, record_property
):
    quarters = [QUARTERS[-1].plus(-back) for back in range(7, -1, -1)]
    every_run = len(quarters) * len(STAGES)
    eight = land_quarters(tmp_path / "eight", len(quarters))
    data = copy_of(eight, tmp_path / "side-by-side")
    seen: list[list[tuple[int, ...]]] = [[], []]
    is_over = threading.Event()
    with ThreadPoolExecutor(2) as auditors:
        asked = [auditors.submit(ask_until, is_over, data, answers) for answers in seen]
        command = ("backfill", quarters[0].label, quarters[-1].label, "--parallel", "8")
        process = start(data, *command)
        errors = process.communicate()[1]
        is_over.set()
        for each in asked:
            each.result()
    assert process.returncode == 0, errors
    for answers in seen:
        assert all(runs == in_tables for runs, in_tables, _ in answers)
        assert all(shown >= runs for runs, _, shown in answers)
        assert answers == sorted(answers)  # what was published stays so
        assert answers[-1] == (every_run, every_run, every_run)
        assert len(set(answers)) > len(quarters)
    serial = run_one_after_another(eight, tmp_path / "serial", quarters)
    assert faults_of_finished(data, published_bytes(serial)) == []
    record_property("answers", sum(map(len, seen)))


def test_of_two_processes_asked_for_one_quarter_one_runs_it_and_one_says_so(
    data, one_after_another
):
    both = [start(data, *_ANNOUNCE) for _ in range(2)]
    ended = [(process.communicate()[1], process.returncode) for process in both]
    assert sorted(code for _, code in ended) in ([0, 6], [0, 0])  # 0 and 0: one after the other
    for errors, code in ended:
        assert "Traceback" not in errors
        if code == 6:
            assert "another process is running 2025Q3; wait until it has ended" in errors
    assert faults_of_finished(data, announced(one_after_another)) == []


def test_the_command_line_is_told_of_a_run_launched_in_dagster_and_then_agrees_with_it(
    data, one_after_another
):
    prepare_history(data)
    quarter = QUARTERS[0]
    tags = json.dumps({"dagster/partition": quarter.key, "fbacap/stage": "announce"})
    launched = start(
        data, "job", "execute", "-m", "orchestration.definitions", "-j", "announce",
        "--tags", tags, module="dagster",
    )  # fmt: skip
    while not is_locked(data, quarter):
        assert launched.poll() is None, launched.communicate()
        time.sleep(0.05)
    meanwhile = fbacap(data.root, *_ANNOUNCE)
    assert launched.poll() is None
    assert meanwhile.returncode == 6, meanwhile.errors
    told = "fbacap: another process is running 2025Q3; wait until it has ended and try again"
    assert meanwhile.errors.strip().splitlines()[-1].strip() == told
    _, errors = launched.communicate()
    assert launched.returncode == 0, errors
    expected = announced(one_after_another)
    assert faults_of_finished(data, expected) == []
    afterwards = fbacap(data.root, *_ANNOUNCE)
    assert afterwards.returncode == 0, afterwards.errors
    assert faults_of_finished(data, expected) == []
