"""The market on PostgreSQL as `deploy/` sets it up: the same bytes, one history, limits that hold.

The reference is the quarter that other tests share, run with the storage of a data folder.
"""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import dagster as dg
import pytest
import sqlalchemy
from late_records import QUARTER, zone_bytes
from network_watch import outside, watched
from postgres_server import PASSWORD, postgres_server, programs
from processes import command_lines, listening_addresses
from ui_server import LOCATION, running, serving

from orchestration.errors import BadConfiguration
from orchestration.instance import instance
from orchestration.paths import PROJECT, DataFolder
from orchestration.published import published_runs

_COMMAND = [sys.executable, "-m", "orchestration.cli"]
_RUN_STAGES = f"""
import sys
from orchestration.cli import app
for stage in sys.argv[2:]:
    words = ["run", "{QUARTER.label}", "--stage", stage, "--data", sys.argv[1]]
    app(words, standalone_mode=False)
"""
_STAGES = ("announce", "round-4", "preliminary")
_PATIENCE_SECONDS = 180
_BOTH = ["SUCCESS", "SUCCESS"]
_LOOPBACK = "0100007F"  # 127.0.0.1, as the kernel writes it
_LAUNCH = """
mutation($params: ExecutionParams!) { answer: launchRun(executionParams: $params) {
  __typename ... on LaunchRunSuccess { run { runId status } } ... on PythonError { message } } }
"""
_STATES = "{ runsOrError { ... on Runs { results { runId status } } } }"


@pytest.fixture(scope="module")
def database():
    found = programs()
    if found is None:
        if os.environ.get("FBACAP_SKIP_NOTHING"):
            pytest.fail("PostgreSQL's server is not installed: apt-get install postgresql")
        pytest.skip("PostgreSQL's server is not installed")
    with postgres_server(found) as url:
        yield url


@pytest.fixture(scope="module")
def environment(database, tmp_path_factory):
    """What /etc/fbacap/fbacap.env sets, with the dagster.yaml of `deploy/` in Dagster's home."""
    home = tmp_path_factory.mktemp("dagster-home")
    shutil.copy(PROJECT / "deploy" / "dagster.yaml", home)
    return {
        **os.environ,
        "DAGSTER_HOME": str(home),
        "FBACAP_POSTGRES_URL": database.format(role="fbacap"),
    }


@pytest.fixture(scope="module")
def on_postgres(cleared_market, environment, tmp_path_factory):
    """The shared quarter's input in a folder that readers' group owns, run by the command line."""
    watch = tmp_path_factory.mktemp("watch") / "network"
    data = DataFolder(tmp_path_factory.mktemp("on-postgres") / "market")
    shutil.copytree(cleared_market.landing, data.landing)
    data.root.chmod(0o2750)
    data.landing.chmod(0o2750)
    if os.geteuid() == 0:
        shutil.chown(data.root, group="nogroup")
    command = [sys.executable, "-c", _RUN_STAGES, str(data.root), *_STAGES]
    done = subprocess.run(
        command, env=watched(environment, watch),
        capture_output=True, text=True, umask=0o027, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert outside(watch) == []
    return data


@pytest.fixture
def history(environment, on_postgres, monkeypatch):
    for name in ("DAGSTER_HOME", "FBACAP_POSTGRES_URL"):
        monkeypatch.setenv(name, environment[name])
    with instance(on_postgres) as opened:
        yield opened


def test_the_same_bytes_are_published_as_with_the_storage_of_a_data_folder(
    on_postgres, settled_market
):
    published = zone_bytes(on_postgres)
    numbers = {run.stage: run.run for run in published_runs(on_postgres.published, QUARTER)}
    assert tuple(numbers) == _STAGES
    expected = {
        path: digest
        for path, digest in zone_bytes(settled_market).items()
        if "_locks" in path or any(f"run={number:04d}" in path for number in numbers.values())
    }
    assert len(expected) > 20
    assert published == expected


def test_runs_their_events_and_materializations_are_read_from_postgresql(history, on_postgres):
    assert type(history.event_log_storage).__name__ == "PostgresEventLogStorage"
    finished = [run for run in history.get_runs() if run.is_success]
    stages = {run.tags["fbacap/stage"] for run in finished}
    assert set(_STAGES) <= stages
    events = history.all_logs(finished[-1].run_id)
    assert len(events) > 100
    latest = history.get_latest_materialization_event(dg.AssetKey("settlements"))
    assert latest is not None
    assert not (on_postgres.root / "dagster").exists()


def test_what_is_published_can_be_read_by_the_readers_group_and_changed_by_nobody(on_postgres):
    group = on_postgres.root.stat().st_gid
    entries = [path for path in on_postgres.published.rglob("*") if "_locks" not in path.parts]
    assert entries
    for path in (*entries, *(on_postgres.landing / "files").rglob("*")):
        status = path.stat()
        assert status.st_gid == group or on_postgres.landing in path.parents, path
        assert status.st_mode & stat.S_IRGRP, path
        assert not status.st_mode & (stat.S_IWGRP | stat.S_IWOTH), path
        if path.is_file():
            assert not status.st_mode & stat.S_IWUSR, path


def test_the_auditors_ui_shows_the_history_through_a_role_that_can_only_read(
    on_postgres, environment, database, tmp_path
):
    shutil.copy(PROJECT / "deploy" / "dagster-auditors.yaml", tmp_path / "dagster.yaml")
    url = database.format(role="fbacap-audit")
    theirs = {**environment, "DAGSTER_HOME": str(tmp_path), "FBACAP_POSTGRES_URL": url}
    words = ("--read-only", "--data", on_postgres.root)
    with serving(*words, environment=theirs) as server:
        results = server.ask(_STATES)["data"]["runsOrError"]["results"]
        refused = server.ask(_LAUNCH, params=_parameters())
    assert [run["status"] for run in results] == ["SUCCESS"] * len(_STAGES)
    assert refused["data"]["answer"]["__typename"] == "UnauthorizedError"
    with sqlalchemy.create_engine(url).connect() as connection:
        assert connection.execute(sqlalchemy.text("select count(*) from runs")).scalar() > 0
        with pytest.raises(sqlalchemy.exc.ProgrammingError, match="permission denied"):
            connection.execute(sqlalchemy.text("delete from runs"))


def test_a_quarter_launched_twice_runs_once_at_a_time_and_a_stopped_daemon_lets_it_end(
    on_postgres, environment, history
):
    folder = ("--data", on_postgres.root)
    before = zone_bytes(on_postgres)
    seen: list[str] = []

    def are_done_or_one_is() -> bool:
        seen.extend([*command_lines(server.process.pid), *command_lines(daemon.process.pid)])
        return sorted(_states(server, launched)) in (["STARTED", "SUCCESS"], _BOTH)

    with (
        serving(*folder, environment=environment) as server,
        running("daemon", "--no-schedule", *folder, environment=environment) as daemon,
    ):
        launched = [_launch(server) for _ in range(2)]
        assert server.wait_until(are_done_or_one_is, _PATIENCE_SECONDS, daemon)
        assert listening_addresses(daemon.process.pid) == set()
        daemon.process.terminate()
        assert daemon.process.wait(_PATIENCE_SECONDS) == 0, daemon.said.read_text()[-4000:]
        assert {address.split(":")[0] for address in listening_addresses(server.process.pid)} == {
            _LOOPBACK
        }
        printed = server.said.read_text() + daemon.said.read_text()
    assert any(launched[0] in line for line in seen), "no run was seen among the processes"
    assert PASSWORD not in "".join(seen)
    assert PASSWORD not in printed
    records = history.get_run_records(dg.RunsFilter(run_ids=launched))
    assert [record.dagster_run.status.value for record in records] == _BOTH
    first, second = sorted((record.start_time, record.end_time) for record in records)
    assert first[1] <= second[0]
    assert zone_bytes(on_postgres) == before


def _launch(server) -> str:
    answer = server.ask(_LAUNCH, params=_parameters())
    run = answer["data"]["answer"].get("run")
    assert run, answer
    assert run["status"] == "QUEUED"
    return run["runId"]


def _parameters() -> dict:
    tags = {"dagster/partition": QUARTER.key, "fbacap/stage": "announce"}
    return {
        "selector": {**LOCATION, "jobName": "announce"},
        "mode": "default",
        "executionMetadata": {"tags": [{"key": key, "value": tags[key]} for key in tags]},
    }


def _states(server, launched: list[str]) -> list[str]:
    results = server.ask(_STATES)["data"]["runsOrError"]["results"]
    return [run["status"] for run in results if run["runId"] in launched]


def test_the_databases_password_is_nowhere_that_anything_was_written(
    on_postgres, environment, database, history
):
    assert PASSWORD in environment["FBACAP_POSTGRES_URL"]
    folders = (on_postgres.root, Path(environment["DAGSTER_HOME"]))
    files = [path for folder in folders for path in folder.rglob("*") if path.is_file()]
    assert any(path.suffix == ".err" for path in files), "what runs printed is not among them"
    assert [path for path in files if PASSWORD.encode() in path.read_bytes()] == []
    with sqlalchemy.create_engine(database.format(role="fbacap")).connect() as connection:
        for table in sqlalchemy.inspect(connection).get_table_names():
            rows = connection.execute(sqlalchemy.text(f'select * from "{table}"')).fetchall()
            assert PASSWORD not in repr(rows), table
            assert table != "event_logs" or len(rows) > 100


@pytest.mark.parametrize("words", [["run", QUARTER.label], ["daemon"]])
def test_a_wrong_password_of_the_database_is_not_repeated(
    words, on_postgres, environment, database
):
    wrong = database.format(role="fbacap").replace(PASSWORD, "wr0ng-canary")
    done = subprocess.run(
        [*_COMMAND, *words, "--data", str(on_postgres.root)],
        env={**environment, "FBACAP_POSTGRES_URL": wrong},
        capture_output=True, text=True, timeout=_PATIENCE_SECONDS, check=False,
    )  # fmt: skip
    assert done.returncode != 0
    said = done.stdout + done.stderr
    assert "OperationalError" in said or "password authentication failed" in said, said[-2000:]
    assert "wr0ng-canary" not in said


@pytest.mark.parametrize(
    "url",
    [
        None,
        "postgresql://fbacap@/fbacap?host=/nowhere",
        "no URL of a database, secret",
        "postgresql+psycopg2://fbacap@127.0.0.1:secret/fbacap",
    ],
)
def test_a_history_that_cannot_be_opened_is_one_sentence_without_secrets(
    tmp_path, monkeypatch, url
):
    pytest.importorskip("dagster_postgres", reason="fbacap[postgres] is not installed")
    shutil.copy(PROJECT / "deploy" / "dagster.yaml", tmp_path)
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path))
    monkeypatch.setenv("FBACAP_DATA", "")
    monkeypatch.delenv("FBACAP_POSTGRES_URL", raising=False)
    if url is not None:
        monkeypatch.setenv("FBACAP_POSTGRES_URL", url)
    with pytest.raises(BadConfiguration, match="check the file, FBACAP_POSTGRES_URL") as caught:
        instance(DataFolder(tmp_path / "data"))
    assert "secret" not in str(caught.value)
    assert "\n" not in str(caught.value)
