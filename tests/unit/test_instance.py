"""Where Dagster's history of a data folder stands."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from orchestration.instance import instance, prepare_history, prepare_home
from orchestration.paths import DataFolder


def test_each_data_folder_has_a_history_of_its_own_in_one_process(tmp_path, monkeypatch):
    monkeypatch.delenv("DAGSTER_HOME", raising=False)
    first, second = DataFolder(tmp_path / "first"), DataFolder(tmp_path / "second")
    assert prepare_home(first) == first.dagster_home
    assert prepare_home(second) == second.dagster_home
    assert os.environ["DAGSTER_HOME"] == str(second.dagster_home)
    assert prepare_home(first) == first.dagster_home


def test_a_home_that_somebody_has_named_wins(tmp_path, monkeypatch):
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path / "named"))
    assert prepare_home(DataFolder(tmp_path / "data")) == tmp_path / "named"


_OPEN_TOGETHER = """
import sys
sys.stdin.readline()
from pathlib import Path
from orchestration.instance import instance
from orchestration.paths import DataFolder
with instance(DataFolder(Path(sys.argv[1]))) as history:
    stores = history.run_storage, history.event_log_storage, history.schedule_storage
    print([store.alembic_version()[0] == store.alembic_version()[1] for store in stores])
"""


def test_processes_that_open_a_new_history_at_the_same_time_all_find_it_whole(
    tmp_path, monkeypatch
):
    monkeypatch.delenv("DAGSTER_HOME", raising=False)
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", _OPEN_TOGETHER, str(tmp_path)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )
        for _ in range(3)
    ]  # fmt: skip
    for process in processes:
        process.stdin.write("\n")
        process.stdin.flush()
    for process in processes:
        out, errors = process.communicate(timeout=300)
        assert (process.returncode, out.strip()) == (0, "[True, True, True]"), errors


@pytest.fixture
def opened(tmp_path, monkeypatch):
    monkeypatch.delenv("DAGSTER_HOME", raising=False)
    with instance(DataFolder(tmp_path)) as history:
        yield history


def test_every_store_waits_a_minute_for_another_writer(opened):
    log = opened.event_log_storage
    for connection in (
        opened.run_storage.connect(),
        opened.schedule_storage.connect(),
        log.index_connection(),
        log.run_connection("some-run"),
    ):
        with connection as open_one:
            assert open_one.exec_driver_sql("pragma busy_timeout").scalar() == 60_000
            assert open_one.exec_driver_sql("pragma journal_mode").scalar() == "wal"


def test_tables_are_looked_for_until_they_are_there(opened):
    assert not opened.event_log_storage.has_table("no_such_table")
    assert opened.event_log_storage.has_table("event_logs")


def test_the_stores_stand_where_dagster_itself_would_put_them(tmp_path, monkeypatch):
    monkeypatch.delenv("DAGSTER_HOME", raising=False)
    prepare_history(DataFolder(tmp_path))
    home = DataFolder(tmp_path).dagster_home
    for name in ("history/runs.db", "history/runs/index.db", "schedules/schedules.db"):
        assert (home / name).is_file()
