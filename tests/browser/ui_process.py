"""The UI as a process of its own, with every process that it starts.

Here belongs starting it, waiting for its answer and ending it. What a page of it shows is in the
tests.
"""

from __future__ import annotations

import os
import select
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_COMMAND = "from orchestration.cli import main; main()"
_START_SECONDS = 120
_END_SECONDS = 30


@contextmanager
def read_only_ui(data: Path) -> Iterator[str]:
    """`fbacap ui --read-only` over a data folder, by its address, from its first answer on.

    Raises:
        AssertionError: it does not answer, or a process that it started outlives it.
    """
    port = _free_port()
    command = [sys.executable, "-c", _COMMAND, "ui", "--read-only", "--port", str(port)]
    environment = {key: value for key, value in os.environ.items() if key != "DAGSTER_HOME"}
    process = subprocess.Popen(
        [*command, "--data", str(data)],
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    started: set[tuple[int, str | None]] = set()
    try:
        answers = _waited(process, _START_SECONDS, lambda: _is_listening(port))
        assert answers, f"the UI did not answer on port {port} within {_START_SECONDS} s"
        started = {(pid, born(pid)) for pid in _with_children(process.pid)}
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(timeout=_END_SECONDS)
    left = outliving(started, _END_SECONDS)
    assert not left, f"the UI left processes behind: {sorted(left)}"


def _waited(process: subprocess.Popen[bytes], seconds: float, holds) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end and process.poll() is None:
        if holds():
            return True
        with suppress(subprocess.TimeoutExpired):
            process.wait(timeout=0.2)
    return False


def outliving(started: set[tuple[int, str | None]], seconds: float) -> set[int]:
    """Of processes, by number and birth, those that still run when the time to end is over."""
    end = time.monotonic() + seconds
    left = set()
    for pid, at in started:
        with suppress(ProcessLookupError):
            if at is not None and born(pid) == at:
                _await_exit(pid, end - time.monotonic())
        if at is not None and born(pid) == at:
            left.add(pid)
    return left


def _await_exit(pid: int, seconds: float) -> None:
    handle = os.pidfd_open(pid)
    try:
        select.select([handle], [], [], max(0, seconds))
    finally:
        os.close(handle)


def born(pid: int) -> str | None:
    """When a process started, by the kernel's ticks: tells it from a later one of its number.

    None: it has ended, whether or not its parent has asked how.
    """
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return None if fields[0] == "Z" else fields[19]


def _with_children(pid: int) -> list[int]:
    tasks = Path(f"/proc/{pid}/task").iterdir()
    children = " ".join((task / "children").read_text() for task in tasks).split()
    return [pid, *(each for child in children for each in _with_children(int(child)))]


def _is_listening(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
