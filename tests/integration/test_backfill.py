"""Quarters backfilled side by side, killed and gone on with, against the same one after another."""

from __future__ import annotations

import fcntl
import json
import os
import select
import signal
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import pytest
from late_records import deliver_refunds
from rich.console import Console
from two_quarters import QUARTERS, STAGES, copy_of, published_bytes

from orchestration.backfill.text import print_backfill
from orchestration.paths import PROJECT, DataFolder
from orchestration.published import published_quarters, published_runs


def backfill(data: DataFolder, *words: str) -> subprocess.Popen[str]:
    program = "from orchestration.cli import main\nif __name__ == '__main__': main()\n"
    script = data.root / "fbacap_command.py"
    script.write_text(program, encoding="utf-8")
    return subprocess.Popen(
        [sys.executable, str(script), "backfill", *(quarter.label for quarter in QUARTERS),
         "--data", str(data.root), "--parallel", "2", *words],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=data.root,
        env={**os.environ, "PYTHONPATH": str(PROJECT), "DAGSTER_HOME": str(data.dagster_home)},
    )  # fmt: skip


def lines_until(process: subprocess.Popen[str], beginning: str) -> list[str]:
    assert process.stderr is not None
    lines = []
    for line in process.stderr:
        lines.append(line.rstrip("\n"))
        if line.startswith(beginning):
            return lines
    pytest.fail(f"the backfill ended before it said '{beginning}…': {lines}")


def worker_ids(process: subprocess.Popen[str]) -> list[int]:
    """The processes that a process has spawned as workers."""
    tasks = Path(f"/proc/{process.pid}/task")
    children = " ".join((task / "children").read_text() for task in tasks.iterdir()).split()
    commands = {int(pid): Path(f"/proc/{pid}/cmdline").read_bytes() for pid in children}
    return [pid for pid, command in commands.items() if b"spawn_main" in command]


def has_ended(pid: int) -> bool:
    """Waits for a process that is no child of this one, at most a minute."""
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        return bool(select.select([handle], [], [], 60)[0])
    finally:
        os.close(handle)


@contextmanager
def nothing_is_published_of(data: DataFolder, quarter):
    """Hold up every publication of a quarter, as a slow disk would."""
    with (data.published / "_locks" / f"{quarter.key}.lock").open("w") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        yield


@pytest.fixture(scope="module")
def killed_and_gone_on_with(landed_quarters, tmp_path_factory):
    """A backfill whose first quarter is slow, killed meanwhile, then started again to its end."""
    data = copy_of(landed_quarters, tmp_path_factory.mktemp("parallel") / "data")
    first = backfill(data)
    lines_until(first, "2025Q3 announce: published")
    with nothing_is_published_of(data, QUARTERS[0]):
        workers = worker_ids(first)
        first.send_signal(signal.SIGKILL)
        first.communicate()
        ended = [has_ended(pid) for pid in workers]
        stages = {quarter: published_runs(data.published, quarter) for quarter in QUARTERS}
    second = backfill(data, "--json")
    shown, errors = second.communicate()
    assert second.returncode == 0, errors
    return data, workers, ended, stages, json.loads(shown)


def test_side_by_side_killed_and_gone_on_with_gives_the_same_bytes_as_one_after_another(
    one_after_another, killed_and_gone_on_with
):
    data = killed_and_gone_on_with[0]
    assert [run.stage for run in published_runs(data.published, QUARTERS[1])] == list(STAGES)
    expected = published_bytes(one_after_another)
    assert len(expected) > 50
    assert published_bytes(data) == expected


def test_while_the_first_quarter_is_slow_nothing_of_the_next_is_published(killed_and_gone_on_with):
    _, _, _, stages, _ = killed_and_gone_on_with
    assert [run.stage for run in stages[QUARTERS[0]]] == ["announce"]
    assert stages[QUARTERS[1]] == ()


def test_no_worker_outlives_a_killed_backfill(killed_and_gone_on_with):
    _, workers, ended, _, _ = killed_and_gone_on_with
    assert workers
    assert all(ended)


def test_what_was_published_before_the_kill_is_not_made_again(killed_and_gone_on_with):
    *_, documents = killed_and_gone_on_with
    states = {(row["quarter"], stage["stage"]): stage["state"]
              for row in documents for stage in row["stages"]}  # fmt: skip
    assert states.pop(("2025Q3", "announce")) == "kept"
    assert len(states) == 9
    assert set(states.values()) == {"new"}


def test_nothing_is_made_again_until_told_so_and_then_nothing_is_published_twice(
    killed_and_gone_on_with,
):
    data = killed_and_gone_on_with[0]
    before = published_bytes(data)
    third = backfill(data)
    shown, errors = third.communicate()
    assert third.returncode == 0, errors
    lines = [line for line in errors.splitlines() if " stands: nothing it was made from" in line]
    assert len(lines) == 10
    assert "5 kept" in shown
    assert "of 10; done)" in lines[-1]
    assert published_bytes(data) == before


def test_a_changed_result_becomes_a_new_run_and_what_changed_is_shown(
    one_after_another, tmp_path, capsys
):
    data = copy_of(one_after_another, tmp_path / "data")
    deliver_refunds(data, part=0, received_at="2026-03-01")
    process = backfill(data, "--json")
    shown, errors = process.communicate()
    assert process.returncode == 0, errors
    documents = json.loads(shown)
    last = documents[-1]
    states = {stage["stage"]: stage["state"] for stage in last["stages"]}
    assert states == {
        "announce": "kept", "round-1": "kept", "preliminary": "kept", "final": "kept",
        "true-up": "new",
    }  # fmt: skip
    assert [change["stage"] for change in last["changes"]] == ["true-up"]
    (settled,) = [t for t in last["changes"][0]["tables"] if t["table"] == "settlements"]
    assert (settled["rows_added"], settled["rows_removed"]) == (0, 0)
    assert settled["rows_changed"] >= 1
    moved = {total["column"]: total for total in settled["totals"]}
    assert set(moved) == {"credit_minor", "net_due_minor"}
    delta = moved["net_due_minor"]["after"] - moved["net_due_minor"]["before"]
    assert delta > 0
    assert moved["credit_minor"]["after"] - moved["credit_minor"]["before"] == -delta
    print_backfill(Console(width=80), [{**row, "settlements": []} for row in documents])
    printed = capsys.readouterr().out
    assert f"({delta:+,} minor units)" in printed
    assert "changed: 2025Q4 true-up run 5 → 6 settlements: rows" in printed


def test_the_quarters_are_the_ones_that_were_asked_for(killed_and_gone_on_with):
    data, *_, documents = killed_and_gone_on_with
    assert published_quarters(data.published) == QUARTERS
    assert [row["quarter"] for row in documents] == ["2025Q3", "2025Q4"]
