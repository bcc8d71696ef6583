"""Files flipped, cut or removed, before and during a run: named, and never published from."""

from __future__ import annotations

import os
import shutil

import pytest

from orchestration.catalogue import query
from orchestration.damage import damage_under
from orchestration.errors import BadConfiguration, Corrupted, FbacapError, NotPublished
from orchestration.landing import check_landing, landed_files
from orchestration.paths import DataFolder
from orchestration.published import published_runs
from orchestration.runner import choose_stages, run_quarter, utc_now
from tests.faults.killed import Ended, Instant, fbacap, harm_file
from tests.faults.wreck import faults_of_finished
from tests.two_quarters import QUARTERS, copy_of, published_bytes

QUARTER = QUARTERS[0]
_ANNOUNCE = ("run", QUARTER.label, "--stage", "announce")
HARMS = ("flip", "truncate", "remove")
_long = pytest.mark.skipif(
    not os.environ.get("FBACAP_LONG"), reason="a long form of its neighbour: make faults"
)


@pytest.fixture
def data(landed_quarters, tmp_path):
    return copy_of(landed_quarters, tmp_path / "data")


@pytest.fixture
def published(one_after_another, tmp_path):
    """Both quarters published, in a copy without a history of runs."""
    data = DataFolder(tmp_path / "data")
    for name in ("landing", "published", "policies"):
        shutil.copytree(one_after_another.root / name, data.root / name)
    return data


def run(data: DataFolder, stage: str) -> None:
    list(run_quarter(data, QUARTER, choose_stages(data, QUARTER, stage, utc_now())))


def assert_refused(data: DataFolder, stage: str, kind: type[FbacapError], *names: str) -> None:
    """The stage run ends with a sentence that names the file, and publishes nothing."""
    before = published_bytes(data)
    with pytest.raises(kind) as caught:
        run(data, stage)
    for name in names:
        assert name in str(caught.value)
    assert published_bytes(data) == before


@pytest.mark.parametrize("harm", HARMS)
def test_a_damaged_typed_copy_is_read_by_no_run(data, harm):
    (file,) = [file for file in landed_files(data.landing) if file.table == "order_lines"]
    harm_file(file.typed_path, harm)
    assert_refused(data, "announce", Corrupted, str(file.typed_path), "restore it from a backup")


@pytest.mark.parametrize("harm", HARMS)
def test_a_damaged_original_is_named_and_no_run_reads_it(data, harm):
    (file,) = [file for file in landed_files(data.landing) if file.table == "order_lines"]
    harm_file(file.stored_path, harm)
    (fault,) = check_landing(data.landing)
    assert fault.startswith(str(file.stored_path))
    assert damage_under(data, QUARTER) is None


@pytest.mark.parametrize("harm", ["flip", "truncate"])
def test_a_damaged_receipt_stops_every_run(data, harm):
    receipt = data.landing / "deliveries" / "000001.json"
    harm_file(receipt, harm)
    assert_refused(data, "announce", Corrupted, str(receipt), "restore it from a backup")


def test_without_its_receipt_a_delivery_does_not_count(data):
    harm_file(data.landing / "deliveries" / "000001.json", "remove")
    assert_refused(data, "announce", NotPublished, "ingest")


def test_a_policy_cut_in_half_is_named(data):
    policy = data.policies / "policy.yaml"
    policy.write_text(policy.read_text(encoding="utf-8").replace("calendar: {", "calendar: {{"))
    with pytest.raises(BadConfiguration, match=r"policy\.yaml"):
        run(data, "announce")


@pytest.mark.parametrize("harm", HARMS)
def test_a_damaged_published_file_is_built_on_by_no_run(published, harm):
    path = published_runs(published.published, QUARTER)[0].file("base_allocations")
    harm_file(path, harm)
    assert_refused(published, "round-1", Corrupted, str(path), "restore it from a backup")


@pytest.mark.parametrize("content", [None, "{}"], ids=["cut in half", "another document"])
def test_a_damaged_manifest_stops_its_quarter(published, content):
    path = published_runs(published.published, QUARTER)[0].manifest_path
    harm_file(path, "truncate")
    if content is not None:
        path.write_text(content, encoding="utf-8")
    for use in (lambda: run(published, "round-1"), lambda: query(published, "from runs")):
        with pytest.raises(Corrupted, match="no whole manifest any more") as caught:
            use()
        assert str(path) in str(caught.value)


def test_a_lost_manifest_between_others_stops_the_next_publication(published):
    path = published_runs(published.published, QUARTER)[0].manifest_path
    path.unlink()
    assert_refused(published, "announce", Corrupted, str(path), "is missing")


@pytest.mark.parametrize("harm", ["truncate", "remove"])
def test_the_auditor_is_told_which_published_file_is_damaged(published, harm):
    path = published_runs(published.published, QUARTER)[-1].file("settlements")
    harm_file(path, harm)
    with pytest.raises(Corrupted, match=r"settlements\.parquet .*restore it from a backup"):
        query(published, "select sum(fee_minor) from settlements")


def harmed_run(data: DataFolder, harm: str, path: str, instant: str) -> Ended:
    """An announcement while which, before a step, something befalls a file."""
    ended = fbacap(
        data.root, *_ANNOUNCE, kill=Instant("event", 1, instant), harm={"how": harm, "path": path}
    )
    assert ended.instant, "the instant never came"
    assert "Traceback" not in ended.errors
    return ended


@pytest.mark.parametrize(
    ("harm", "path", "instant"),
    [
        ("flip", "landing/typed/order_lines/*.parquet", "STEP_START announcement"),
        pytest.param(
            "remove", "landing/typed/order_lines/*.parquet", "STEP_START dbt_facts", marks=_long
        ),
        pytest.param(
            "truncate", "landing/typed/sellers/*.parquet", "STEP_START base_alloc", marks=_long
        ),
    ],
)
def test_a_file_damaged_while_a_run_reads_it_is_not_published_from(data, harm, path, instant):
    ended = harmed_run(data, harm, path, instant)
    assert ended.returncode not in (0, 1), ended.errors
    (told,) = [line for line in ended.errors.splitlines() if line.startswith("fbacap: ")]
    assert path.split("*")[0] in told
    assert published_bytes(data) == {}


def announced_in(one_after_another: DataFolder) -> dict[str, str]:
    run = f"quarter={QUARTER.key}/run=0001"
    return {name: each for name, each in published_bytes(one_after_another).items() if run in name}


@_long
@pytest.mark.parametrize(
    ("harm", "instant"),
    [
        ("remove", "STEP_START base_alloc"),
        ("truncate", "STEP_START base_alloc"),
        ("truncate", "STEP_START announ"),
        ("flip", "STEP_START base_alloc"),
    ],
)
def test_a_working_file_damaged_while_its_run_uses_it_is_named_and_the_next_run_makes_another(
    data, one_after_another, harm, instant
):
    ended = harmed_run(data, harm, "work/*/*/quarter.duckdb", instant)
    if ended.returncode != 0:  # a flipped bit that nobody reads harms nothing
        (told,) = [line for line in ended.errors.splitlines() if line.startswith("fbacap: ")]
        assert (ended.returncode, "quarter.duckdb" in told) == (7, True), ended.errors
        assert published_bytes(data) == {}
        again = fbacap(data.root, *_ANNOUNCE)
        assert again.returncode == 0, again.errors
    assert harm == "flip" or ended.returncode == 7
    assert faults_of_finished(data, announced_in(one_after_another)) == []


@_long
def test_a_receipt_damaged_after_it_was_read_changes_nothing_and_stops_the_next_run(
    data, one_after_another
):
    ended = harmed_run(data, "flip", "landing/deliveries/*.json", "STEP_START inventory_health")
    assert ended.returncode == 0, ended.errors
    assert faults_of_finished(data, announced_in(one_after_another)) == []
    after = fbacap(data.root, *_ANNOUNCE)
    assert after.returncode == 7, after.errors
    assert "landing/deliveries" in after.errors


def test_a_damaged_history_of_runs_is_named_and_nothing_is_published_beside_it(data):
    (data.dagster_home / "history").mkdir(parents=True)
    (data.dagster_home / "history" / "runs.db").write_bytes(b"not a database" * 400)
    ended = fbacap(data.root, *_ANNOUNCE)
    assert "Traceback" not in ended.errors
    assert ended.returncode in (7, 8), ended.errors
    assert str(data.dagster_home) in ended.errors
    assert published_bytes(data) == {}


@_long
def test_beside_half_a_working_file_and_without_a_history_quarters_come_out_the_same(
    data, one_after_another
):
    (data.work / QUARTER.key / "announce-left").mkdir(parents=True)
    (data.work / QUARTER.key / "announce-left" / "quarter.duckdb").write_bytes(b"half a file")
    ended = fbacap(data.root, "backfill", *(quarter.label for quarter in QUARTERS))
    assert ended.returncode == 0, ended.errors
    assert faults_of_finished(data, published_bytes(one_after_another)) == []
