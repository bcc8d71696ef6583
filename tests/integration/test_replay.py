"""A published run made again from its manifest is the same to the byte, wherever that is done."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest
from late_records import QUARTER, deliver_refunds, zone_bytes
from tampering import copied, edit, edit_manifest, run_of
from typer.testing import CliRunner

from orchestration.cli import app
from orchestration.dbt_runner import build_models
from orchestration.errors import BadUsage, Corrupted, NotPublished
from orchestration.files import file_digest
from orchestration.landing import landed_files
from orchestration.paths import DataFolder
from orchestration.published import published_runs
from orchestration.replay import RunReplay, replay_quarter
from orchestration.working import connect


def replayed(data: DataFolder, run: int | None = None, keep: Path | None = None) -> list[RunReplay]:
    return list(replay_quarter(data, QUARTER, run=run, keep=keep))


def folder_bytes(folder: Path) -> dict[Path, tuple[int, str]]:
    return {
        path: (path.stat().st_mtime_ns, file_digest(path))
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@pytest.fixture
def market(settled_market, tmp_path) -> DataFolder:
    """A market that a test may change."""
    data = DataFolder(tmp_path / "market" / "data")
    shutil.copytree(settled_market.root, data.root, ignore=shutil.ignore_patterns("published"))
    copied(settled_market.published, data.published)
    return data


def test_every_run_of_a_quarter_is_made_again_to_the_byte_and_leaves_no_trace(settled_market):
    before = folder_bytes(settled_market.root)
    found = replayed(settled_market)
    assert [each.stage for each in found] == [
        "announce", "round-4", "preliminary", "final", "true-up", "rerun-1",
    ]  # fmt: skip
    assert [each.sentence for each in found] == [None] * 6
    assert all(table.is_same for each in found for table in each.tables)
    assert sum(table.rows for each in found for table in each.tables) > 0
    assert {table.table for table in found[-1].tables} == set(
        published_runs(settled_market.published, QUARTER)[-1].tables
    )
    assert folder_bytes(settled_market.root) == before


def test_records_delivered_later_with_an_early_receipt_do_not_change_a_replay(market):
    deliver_refunds(market, part=3, received_at="2026-01-02")
    (found,) = replayed(market, run=3)
    assert (found.stage, found.holds) == ("preliminary", True)


@pytest.mark.parametrize(
    "surroundings",
    [
        {"TZ": "Asia/Tokyo", "LC_ALL": "C", "FBACAP_THREADS": "1", "PYTHONHASHSEED": "1"},
        {"TZ": "America/Sao_Paulo", "LC_ALL": "tr_TR.UTF-8", "FBACAP_THREADS": "3"},
    ],
    ids=["tokyo, C, one thread", "sao paulo, turkish, three threads"],
)
def test_a_replay_holds_elsewhere(settled_market, surroundings, tmp_path):
    program = "from orchestration.cli import main; main()"
    words = ["replay", QUARTER.label, "--data", str(settled_market.root), "--json"]
    runs = {}
    for run in ("1", "6"):
        done = subprocess.run(
            [sys.executable, "-c", program, *words, "--run", run],
            env={**os.environ, **surroundings},
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=600,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        (runs[run],) = json.loads(done.stdout)["runs"]
    assert [runs[run]["stage"] for run in runs] == ["announce", "rerun-1"]
    assert all(runs[run]["same"] for run in runs)


def test_the_engine_uses_as_many_threads_as_it_is_told(dbt_announced, tmp_path, monkeypatch):
    working_file = tmp_path / "quarter.duckdb"
    shutil.copy(dbt_announced.working_file, working_file)
    monkeypatch.setenv("FBACAP_THREADS", "3")
    with connect(working_file) as connection:
        assert connection.execute("select current_setting('threads')").fetchone() == (3,)
        connection.execute("set threads = 1")
        build_models(working_file, ["stg_run"])  # the same engine, as one process opens a file once
        assert connection.execute("select current_setting('threads')").fetchone() == (3,)
    monkeypatch.setenv("FBACAP_THREADS", "many")
    with pytest.raises(BadUsage, match="FBACAP_THREADS is 'many'"), connect(working_file):
        pass


def test_a_changed_published_file_is_found_and_named(market):
    edit(
        market.published, QUARTER, "rerun-1", "settlements",
        "select * replace (net_due_minor + cast(request_id = (select min(request_id) from rows) "
        "as int) as net_due_minor) from rows",
    )  # fmt: skip
    words = ["replay", QUARTER.label, "--run", "6", "--data", str(market.root)]
    answered = CliRunner().invoke(app, words)
    assert answered.exit_code == 1
    assert str(answered.exception) == (
        "2025Q4 is not what it was published as: run 6 rerun-1: settlements differs first: 1 rows "
        "stand only in what was published, 1 only in what was made again; compare the code "
        "versions, or restore the published files from a backup"
    )


def test_a_changed_policy_in_a_manifest_is_found(market):
    def sneak(document):
        document["policy"]["settlement"]["credit_rate_bp"] = 1

    edit_manifest(market.published, QUARTER, "rerun-1", sneak)
    (found,) = replayed(market, run=6)
    assert not found.holds
    assert "was announced under policy version" in found.sentence


def test_a_run_that_other_code_made_is_replayed_with_a_warning(market):
    edit_manifest(
        market.published, QUARTER, "announce", lambda manifest: manifest.update(code_version="0+0")
    )
    (found,) = replayed(market, run=1)
    assert found.holds
    assert found.warning is not None
    assert found.warning.startswith("published by code 0+0 on duckdb")


def test_an_input_that_is_gone_or_changed_stops_the_replay(market):
    edit(
        market.published, QUARTER, "true-up", "settlements",
        "select * replace (fee_minor + 1 as fee_minor) from rows",
    )  # fmt: skip
    with pytest.raises(Corrupted, match=r"settlements.parquet is missing or not what it was"):
        replayed(market, run=6)
    refunds = [file for file in landed_files(market.landing) if file.table == "refunds"]
    refunds[0].typed_path.chmod(0o644)
    with duckdb.connect() as connection:
        path = str(refunds[0].typed_path)
        connection.execute(f"copy (from read_parquet('{path}') limit 1) to '{path}.new'")
    Path(f"{path}.new").replace(path)
    with pytest.raises(Corrupted, match=r"is missing or not what it was when it was an input"):
        replayed(market, run=3)


def test_a_run_that_is_not_published_cannot_be_replayed(settled_market):
    with pytest.raises(NotPublished, match="no published run to replay as run 99; its runs are 1,"):
        replayed(settled_market, run=99)


def test_what_was_made_again_can_be_kept(settled_market, tmp_path):
    place = tmp_path / "kept"
    (found,) = replayed(settled_market, run=2, keep=place)
    assert found.holds
    kept = DataFolder(place / "run-0002")
    assert (
        run_of(kept.published, QUARTER, "round-4").manifest["tables"]
        == (run_of(settled_market.published, QUARTER, "round-4").manifest["tables"])
    )
    assert zone_bytes(kept)
    with pytest.raises(BadUsage, match="run-0002 is not an empty folder"):
        replayed(settled_market, run=2, keep=place)
