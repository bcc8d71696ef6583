"""Processes killed with everything they started: nothing half-made counts, and all goes on.

The long form, hundreds of kills of real runs on their way from delivery to settlement, is
``make faults``.
"""

from __future__ import annotations

import re

import pytest

from orchestration.landing import landed_files
from orchestration.paths import DataFolder
from tests.faults.killed import Instant, fbacap, instants, process
from tests.faults.publishing import announcement
from tests.faults.wreck import faults_of_finished, faults_of_landing, faults_of_zone
from tests.two_quarters import QUARTERS, published_bytes

_PUBLISHING = "tests.faults.publishing"
_COMMITTING = re.compile("fsync|rename|chmod|manifests.*json|os.mkdir published/[.]staging|rmdir")


@pytest.fixture(scope="module")
def announced(one_after_another):
    """What the first quarter's announcement published, by path."""
    every = published_bytes(one_after_another)
    run = announcement(one_after_another.published)
    mine = {run.manifest_path, *run.files}
    return {
        name: digest for name, digest in every.items() if one_after_another.published / name in mine
    }


def publish(source: DataFolder, data: DataFolder, **how):
    return process(data.root, _PUBLISHING, str(source.published), str(data.published), **how)


@pytest.fixture
def data(tmp_path):
    (tmp_path / "data").mkdir()
    return DataFolder(tmp_path / "data")


def test_killed_before_every_step_of_its_commit_a_publication_is_whole_or_not_there(
    one_after_another, announced, data, tmp_path
):
    publish(one_after_another, data, record="file", log=tmp_path / "instants")
    assert faults_of_finished(data, announced) == []
    known = [each for each in instants(tmp_path / "instants") if _COMMITTING.search(each.match)]
    assert len(known) > 15
    elsewhere = DataFolder(tmp_path / "elsewhere")
    elsewhere.root.mkdir()
    kills = 0
    for instant in known:
        ended = publish(one_after_another, elsewhere, kill=instant)
        kills += ended.was_killed
        assert faults_of_zone(elsewhere, announced) == [], ended.instant
    assert kills == len(known)
    assert publish(one_after_another, elsewhere).returncode == 0
    assert faults_of_finished(elsewhere, announced) == []


def test_a_publication_that_writes_its_manifest_first_is_caught(one_after_another, announced, data):
    before_the_first_rename = Instant("file", 1, r"^os\.rename published/base_allocations/")
    ended = publish(one_after_another, data, kill=before_the_first_rename, wreck="manifest-first")
    assert ended.was_killed
    faults = faults_of_zone(data, announced)
    assert any("which is not there" in fault for fault in faults)


@pytest.mark.parametrize(
    "instant",
    [
        Instant("file", 1, "fsync landing/incoming"),
        Instant("file", 5, "rename landing/files"),
        Instant("file", 9, "rename landing/typed"),
        Instant("file", 1, "rename landing/deliveries"),
        Instant("file", 1, "fsync landing/deliveries$"),
        Instant("time", 0.6),
    ],
    ids=lambda instant: instant.match or "random",
)
def test_a_killed_delivery_is_taken_in_whole_or_not_at_all_and_then_again(
    landed_quarters, data, instant
):
    delivery = landed_quarters.root.parent / "input"
    expected = {file.table: file.sha256 for file in landed_files(landed_quarters.landing)}
    ended = fbacap(data.root, "ingest", str(delivery), "--historical", kill=instant)
    assert ended.was_killed
    assert faults_of_landing(data, expected) == []
    again = fbacap(data.root, "ingest", str(delivery), "--historical")
    assert again.returncode == 0, again.errors
    assert {file.table: file.sha256 for file in landed_files(data.landing)} == expected
    typed = {file.table: file.typed_sha256 for file in landed_files(landed_quarters.landing)}
    assert {file.table: file.typed_sha256 for file in landed_files(data.landing)} == typed
    assert faults_of_landing(data, expected) == []
    assert not (data.landing / "incoming").exists()


def test_an_orphan_of_a_killed_publication_is_gone_when_another_stage_gets_its_number(
    one_after_another, announced, data
):
    publish(one_after_another, data, kill=Instant("file", 1, r"rename published/_manifests"))
    orphan = data.published / f"cleared_allocations/quarter={QUARTERS[0].key}/run=0001"
    orphan.mkdir(parents=True)
    (orphan / "cleared_allocations.parquet").write_bytes(b"half of it")
    assert faults_of_zone(data, announced) == []
    assert publish(one_after_another, data).returncode == 0
    assert faults_of_finished(data, announced) == []
