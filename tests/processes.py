"""Processes that tests start: which ones they start in turn, where those listen, whether they end.

Here belongs asking the kernel. Starting fbacap's own is ``ui_server``.
"""

from __future__ import annotations

import os
import select
import socket
import time
from contextlib import suppress
from pathlib import Path

_LISTENS = "0A"


def with_children(pid: int) -> list[int]:
    """A process and those that it started, and so on; what ends meanwhile is left out."""
    found = [pid]
    with suppress(FileNotFoundError, ProcessLookupError):
        for task in list(Path(f"/proc/{pid}/task").iterdir()):
            with suppress(FileNotFoundError, ProcessLookupError):  # a thread that ended
                for child in (task / "children").read_text().split():
                    found += with_children(int(child))
    return found


def command_lines(pid: int) -> list[str]:
    """What anyone on the machine can read of a process and of those that it started."""
    found = []
    for each in with_children(pid):
        with suppress(FileNotFoundError, ProcessLookupError):  # ended meanwhile
            found.append(Path(f"/proc/{each}/cmdline").read_bytes().decode(errors="replace"))
    return found


def listening_addresses(pid: int) -> set[str]:
    """Addresses, as the kernel writes them, on which a process or one that it started listens."""
    tables = [Path("/proc/net") / name for name in ("tcp", "tcp6")]
    rows = [line.split() for table in tables for line in table.read_text().splitlines()[1:]]
    addresses = {f"socket:[{row[9]}]": row[1] for row in rows if row[3] == _LISTENS}
    opened = set()
    for each in with_children(pid):
        with suppress(FileNotFoundError):  # ended meanwhile
            for descriptor in list(Path(f"/proc/{each}/fd").iterdir()):
                with suppress(FileNotFoundError):  # closed meanwhile
                    opened.add(str(descriptor.readlink()))
    return {address for inode, address in addresses.items() if inode in opened}


def born(pid: int) -> str | None:
    """When a process started, by the kernel's ticks: tells it from a later one of its number.

    None: it has ended, whether or not its parent has asked how.
    """
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return None if fields[0] == "Z" else fields[19]


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


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
