"""One run per quarter at a time, across processes."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager

from fbacap_logic.calendar import Quarter
from orchestration.errors import Busy
from orchestration.paths import DataFolder


@contextmanager
def quarter_lock(data: DataFolder, quarter: Quarter) -> Iterator[None]:
    """Hold a quarter's lock; the operating system frees it however the process ends.

    Raises:
        Busy: another process is working on the quarter.
    """
    data.work.mkdir(parents=True, exist_ok=True)
    path = data.work / f"{quarter.key}.lock"
    with path.open("w") as stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise Busy(
                f"another process is running {quarter.label}; wait until it has ended and try again"
            ) from error
        yield
