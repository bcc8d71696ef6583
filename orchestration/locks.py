"""One run per quarter at a time, across processes.

A lock file names who holds it, so that a run can tell whether the command that started it holds
the lock on its behalf.
"""

from __future__ import annotations

import fcntl
import os
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from fbacap_logic.calendar import Quarter
from orchestration.errors import Busy
from orchestration.paths import DataFolder

_LOOK_AGAIN_SECONDS = 1.0
_LOOKER_IS_GONE_SECONDS = 0.05


@contextmanager
def quarter_lock(data: DataFolder, quarter: Quarter) -> Iterator[None]:
    """Hold a quarter's lock; the operating system frees it however the process ends.

    Raises:
        Busy: another process is working on the quarter.
    """
    with _open(data, quarter) as stream:
        if not _take_though_looked_at(stream):
            raise Busy(
                f"another process is running {quarter.label}; wait until it has ended and try again"
            )
        yield


@contextmanager
def run_lock(data: DataFolder, quarter: Quarter, on_wait: Callable[[str], None]) -> Iterator[None]:
    """Hold a quarter's lock for one run, waiting for whoever has it.

    A run that the lock's holder executes, in its own process or in one that it started, goes on
    under that lock.

    Args:
        data: the data folder.
        quarter: the quarter.
        on_wait: told once, in a sentence, when the run has to wait.
    """
    has_waited = False
    with _open(data, quarter) as stream:
        while not _take(stream):
            if _holder(stream) in (_name(os.getpid()), _name(os.getppid())):
                break
            if not has_waited:
                on_wait(f"another process is running {quarter.label}; this run waits for it")
                has_waited = True
            time.sleep(_LOOK_AGAIN_SECONDS)
        yield


def is_locked(data: DataFolder, quarter: Quarter) -> bool:
    """Whether somebody holds a quarter's lock."""
    try:
        with _path(data, quarter).open("r", encoding="utf-8") as stream:
            fcntl.flock(stream, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    return False


def _path(data: DataFolder, quarter: Quarter) -> Path:
    return data.work / f"{quarter.key}.lock"


def _open(data: DataFolder, quarter: Quarter) -> IO[str]:
    data.work.mkdir(parents=True, exist_ok=True)
    return _path(data, quarter).open("a+")  # "w" would wipe out the holder's name


def _take_though_looked_at(stream: IO[str]) -> bool:
    """Take the lock, though ``is_locked`` of another process may share it for an instant."""
    if _take(stream):
        return True
    time.sleep(_LOOKER_IS_GONE_SECONDS)
    return _take(stream)


def _take(stream: IO[str]) -> bool:
    try:
        fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    stream.truncate(0)
    stream.write(_name(os.getpid()))
    stream.flush()
    return True


def _holder(stream: IO[str]) -> str:
    stream.seek(0)
    return stream.read()


def _name(process_id: int) -> str:
    return f"{socket.gethostname()} {process_id}"
