"""One run per quarter at a time."""

import fcntl
import os
import subprocess
import sys

import pytest

from fbacap_logic.calendar import Quarter
from orchestration import locks
from orchestration.errors import Busy
from orchestration.locks import is_locked, quarter_lock, run_lock
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


def test_a_run_of_the_locks_holder_goes_on_under_its_lock(tmp_path):
    data = DataFolder(tmp_path)
    told: list[str] = []
    with quarter_lock(data, QUARTER), run_lock(data, QUARTER, told.append):
        assert is_locked(data, QUARTER)
    assert told == []
    assert not is_locked(data, QUARTER)


def test_a_process_that_the_holder_started_runs_under_the_holders_lock(tmp_path):
    data = DataFolder(tmp_path)
    with quarter_lock(data, QUARTER):
        assert in_another_process(tmp_path).communicate(timeout=60) == ("has it\n", None)


def test_a_launched_run_waits_until_the_quarter_is_free(tmp_path):
    data = DataFolder(tmp_path)
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert holder.stdout.readline() == "held\n"
    told: list[str] = []

    def free_it(sentence: str) -> None:
        told.append(sentence)
        holder.communicate("now\n", timeout=60)

    with run_lock(data, QUARTER, free_it):
        assert is_locked(data, QUARTER)
    assert told == ["another process is running 2026Q4; this run waits for it"]


def test_a_run_holds_the_lock_so_that_the_command_line_is_told_to_wait(tmp_path):
    data = DataFolder(tmp_path)
    with (
        run_lock(data, QUARTER, print),
        pytest.raises(Busy, match="another process is running 2026Q4"),
        quarter_lock(data, QUARTER),
    ):
        pass


def test_somebody_who_looks_whether_a_quarter_is_locked_makes_nobody_wait(tmp_path, monkeypatch):
    data = DataFolder(tmp_path)
    with quarter_lock(data, QUARTER):
        pass
    looker = (data.work / "2026-10-01.lock").open()
    fcntl.flock(looker, fcntl.LOCK_SH)
    monkeypatch.setattr(locks.time, "sleep", lambda _: looker.close())
    with quarter_lock(data, QUARTER):
        assert is_locked(data, QUARTER)


def test_whether_a_quarter_is_locked_is_asked_without_writing(tmp_path):
    data = DataFolder(tmp_path)
    with quarter_lock(data, QUARTER):
        pass
    opened: list[int] = []
    is_watching = True

    def watch(event: str, words: tuple[object, ...]) -> None:
        if is_watching and event == "open" and str(words[0]).endswith("2026-10-01.lock"):
            opened.append(words[2])

    sys.addaudithook(watch)
    is_locked(data, QUARTER)
    is_watching = False
    assert [flags & os.O_ACCMODE for flags in opened] == [os.O_RDONLY]


HEAD = """
import sys
from pathlib import Path
from fbacap_logic.calendar import Quarter
from orchestration.locks import is_locked, quarter_lock, run_lock, run_lock
from orchestration.paths import DataFolder
data, quarter = DataFolder(Path(sys.argv[1])), Quarter(2026, 4)
"""
HOLD = f"""{HEAD}
with quarter_lock(data, quarter):
    print("held", flush=True)
    sys.stdin.readline()
"""
RUN = f"""{HEAD}
with run_lock(data, quarter, print):
    print("has it", flush=True)
"""


def in_another_process(root) -> subprocess.Popen:
    return subprocess.Popen(
        [sys.executable, "-c", RUN, str(root)], stdout=subprocess.PIPE, text=True
    )
