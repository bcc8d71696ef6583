"""The processes of a backfill: each makes one stage run after another, in its own interpreter.

Here belongs what happens on both sides of the process boundary. Which stage run comes next is
``loop``'s to say. A worker ends when its parent does, however that ends.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import ExitStack, contextmanager
from multiprocessing.connection import wait
from multiprocessing.util import Finalize
from pathlib import Path
from typing import TYPE_CHECKING

from orchestration.backfill.make import StageResult, make_stage
from orchestration.paths import DataFolder
from orchestration.plan import StageOfQuarter
from orchestration.working import THREADS_VARIABLE

if TYPE_CHECKING:
    import dagster as dg

    from fbacap_logic.calendar import StageCutoff

_MOST_WORKERS = 4


class Workers:
    """Processes that make stage runs of one data folder."""

    def __init__(self, pool: ProcessPoolExecutor) -> None:
        self._pool = pool

    def submit(
        self, node: StageOfQuarter, stage: StageCutoff, *, again: bool
    ) -> Future[StageResult]:
        """Have a stage run made; the future raises what the run raised."""
        return self._pool.submit(_make, node, stage, again=again)


@contextmanager
def workers(data: DataFolder, count: int) -> Iterator[Workers]:
    """As many processes as asked for; those still at work when this is left early are ended."""
    threads = max(1, (os.cpu_count() or 1) // count)
    pool = ProcessPoolExecutor(
        max_workers=count,
        mp_context=multiprocessing.get_context("spawn"),
        initializer=_begin,
        initargs=(str(data.root), threads),
    )
    try:
        yield Workers(pool)
    except BaseException:
        for process in list(pool._processes.values()):  # the pool has no way to end a running call
            process.terminate()
        pool.shutdown(wait=True, cancel_futures=True)
        raise
    pool.shutdown(wait=True)


def sensible_count(quarters: int) -> int:
    """As many processes as there are cores, but no more than four, nor than quarters."""
    return max(1, min(os.cpu_count() or 1, _MOST_WORKERS, quarters))


_open = ExitStack()
_data: DataFolder | None = None
_instance: dg.DagsterInstance | None = None


def _begin(root: str, threads: int) -> None:
    global _data  # noqa: PLW0603 - a worker process serves one data folder all its life
    Finalize(None, _end, exitpriority=0)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent hears it and ends the workers
    threading.Thread(target=_end_with_the_parent, daemon=True).start()
    os.environ.setdefault(THREADS_VARIABLE, str(threads))
    _data = DataFolder(Path(root))


def _end() -> None:
    """End without the interpreter's clearing up, of which DuckDB's bindings complain at length."""
    _open.close()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)


def _end_with_the_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)


def _make(node: StageOfQuarter, stage: StageCutoff, *, again: bool) -> StageResult:
    if _data is None:
        raise RuntimeError("a worker was used before it began")
    data = _data
    return make_stage(data, lambda: _dagster_instance(data), node, stage, again=again)


def _dagster_instance(data: DataFolder) -> dg.DagsterInstance:
    global _instance  # noqa: PLW0603
    if _instance is None:
        from orchestration.instance import instance

        _instance = _open.enter_context(instance(data))
    return _instance
