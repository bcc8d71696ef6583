"""Full disks and folders closed to writing: one sentence, and afterwards all goes on."""

from __future__ import annotations

import os
import shutil

import pytest

from orchestration.paths import DataFolder
from tests.faults.disks import grow, read_only, small_disk
from tests.faults.killed import Ended, fbacap
from tests.faults.wreck import faults_of_finished, faults_of_zone
from tests.two_quarters import QUARTERS, copy_of, published_bytes

_ANNOUNCE = ("run", QUARTERS[0].label, "--stage", "announce")
_LARGE_KIB = 64 * 1024
_long = pytest.mark.skipif(
    not os.environ.get("FBACAP_LONG"), reason="a long form of its neighbour: make faults"
)


@pytest.fixture
def data(landed_quarters, tmp_path):
    return copy_of(landed_quarters, tmp_path / "data")


@pytest.fixture(scope="module")
def announced(one_after_another):
    """What the first quarter's announcement published, by path."""
    key = QUARTERS[0].key
    return {
        name: digest
        for name, digest in published_bytes(one_after_another).items()
        if f"quarter={key}/run=0001" in name
    }


def assert_one_sentence(ended: Ended, *names: str) -> None:
    """One line for people: what, where, what to do."""
    told = [line for line in ended.errors.splitlines() if line.startswith("fbacap: ")]
    assert len(told) == 1, ended.errors
    assert "Traceback" not in ended.errors
    assert ended.returncode == 10, ended.errors
    for name in names:
        assert name in told[0]
    assert "same command again" in told[0]


@pytest.mark.parametrize(
    ("folder", "kibibytes"),
    [
        ("published", 24),
        pytest.param("published", 8, marks=_long),
        pytest.param("published", 32, marks=_long),
        pytest.param("work", 64, marks=_long),
        pytest.param("work", 1500, marks=_long),
        pytest.param("work", 3500, marks=_long),
        pytest.param("dagster", 600, marks=_long),
        pytest.param("dagster", 900, marks=_long),
    ],
)
def test_a_disk_that_fills_up_is_told_of_and_when_it_has_grown_the_run_completes(
    data, announced, folder, kibibytes
):
    disk = data.root / folder
    with small_disk(disk, kibibytes):
        full = fbacap(data.root, *_ANNOUNCE)
        assert_one_sentence(full, "the disk is full", str(data.root))
        assert faults_of_zone(data, announced) == []
        grow(disk, _LARGE_KIB)
        with read_only(data.landing):  # reading is all that a run does there
            again = fbacap(data.root, *_ANNOUNCE)
        assert again.returncode == 0, again.errors
        assert faults_of_finished(data, announced) == []


@pytest.mark.parametrize("kibibytes", [4, 200, 500, 700])
def test_a_delivery_that_fills_the_disk_is_not_taken_in_and_then_is(
    landed_quarters, tmp_path, kibibytes
):
    delivery = landed_quarters.root.parent / "input"
    data = DataFolder(tmp_path / "data")
    with small_disk(data.root, kibibytes):
        full = fbacap(data.root, "ingest", str(delivery), "--historical")
        assert_one_sentence(full, "the disk is full", str(data.root))
        grow(data.root, _LARGE_KIB)
        again = fbacap(data.root, "ingest", str(delivery), "--historical")
        assert again.returncode == 0, again.errors
        expected = {path.name for path in landed_quarters.landing.glob("typed/*/*")}
        assert {path.name for path in data.landing.glob("typed/*/*")} == expected


@pytest.mark.parametrize(
    "folder", ["work", pytest.param("published", marks=_long), pytest.param("dagster", marks=_long)]
)
def test_a_folder_closed_to_writing_is_named_and_opened_again_the_run_completes(
    data, announced, folder
):
    with read_only(data.root / folder):
        ended = fbacap(data.root, *_ANNOUNCE)
        assert_one_sentence(ended, str(data.root / folder))
        assert faults_of_zone(data, announced) == []
    if os.environ.get("FBACAP_LONG"):
        again = fbacap(data.root, *_ANNOUNCE)
        assert again.returncode == 0, again.errors
        assert faults_of_finished(data, announced) == []


def test_a_delivery_into_a_landing_zone_closed_to_writing_is_refused(
    landed_quarters, data, tmp_path
):
    with read_only(data.landing):
        ended = fbacap(
            data.root, "ingest", str(landed_quarters.root.parent / "input"), "--historical"
        )
        assert_one_sentence(ended, str(data.landing))


def test_a_published_zone_closed_to_writing_is_read_all_the_same(one_after_another, tmp_path):
    data = DataFolder(tmp_path / "data")
    shutil.copytree(one_after_another.published, data.published)
    with read_only(data.root):
        ended = fbacap(data.root, "sql", "select count(*) as runs from runs", "--csv")
        assert (ended.returncode, ended.output) == (0, "runs\n10\n"), ended.errors
        assert fbacap(data.root, "status").returncode == 0
