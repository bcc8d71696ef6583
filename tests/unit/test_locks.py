"""One run per quarter at a time."""

import pytest

from fbacap_logic.calendar import Quarter
from orchestration.errors import Busy
from orchestration.locks import quarter_lock
from orchestration.paths import DataFolder

QUARTER = Quarter(2026, 4)


def test_a_second_run_of_the_same_quarter_is_told_to_wait(tmp_path):
    data = DataFolder(tmp_path)
    with (
        quarter_lock(data, QUARTER),
        pytest.raises(Busy, match="another process is running 2026Q4"),
        quarter_lock(data, QUARTER),
    ):
        pass


def test_other_quarters_and_later_runs_are_free(tmp_path):
    data = DataFolder(tmp_path)
    with quarter_lock(data, QUARTER), quarter_lock(data, QUARTER.next):
        pass
    with quarter_lock(data, QUARTER):
        assert (data.work / "2026-10-01.lock").exists()
