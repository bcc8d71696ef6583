"""The loop that hands out a backfill's stage runs as soon as nothing they wait for is missing.

Here belong order, locks and what follows from a failure. What waits for what is ``graph``; making a
stage run is ``workers``; showing progress is for whoever is told of it.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import ExitStack
from dataclasses import dataclass, field

from fbacap_logic.calendar import Quarter, StageCutoff
from orchestration.backfill.graph import BackfillGraph
from orchestration.backfill.make import StageResult
from orchestration.errors import Busy, FbacapError
from orchestration.locks import quarter_lock
from orchestration.paths import DataFolder
from orchestration.plan import StageOfQuarter
from orchestration.working import clear_leftovers

Submit = Callable[[StageOfQuarter, StageCutoff], "Future[StageResult]"]


@dataclass
class Backfill:
    """A backfill's state: what is running, done, failed, and what will not be made because of it.

    ``not_made`` names, for each stage run left out, the failed one that it waits for.
    """

    graph: BackfillGraph
    running: dict[StageOfQuarter, Future[StageResult]] = field(default_factory=dict)
    done: dict[StageOfQuarter, StageResult] = field(default_factory=dict)
    failed: dict[StageOfQuarter, FbacapError] = field(default_factory=dict)
    not_made: dict[StageOfQuarter, StageOfQuarter] = field(default_factory=dict)

    @property
    def settled(self) -> set[StageOfQuarter]:
        """Stage runs about which nothing is left to do."""
        return {*self.done, *self.failed, *self.not_made}

    @property
    def ready(self) -> list[StageOfQuarter]:
        """What can be started now, most urgent first."""
        return self.graph.ready({*self.running, *self.settled}, self.done)

    @property
    def first_failure(self) -> FbacapError:
        """The failure of the earliest stage run that failed, saying how many were not made.

        Raises:
            ValueError: nothing failed.
        """
        first = min(self.failed)
        others = len(self.failed) + len(self.not_made) - 1
        rest = f" ({others} more stage runs not made)" if others else ""
        error = self.failed[first]
        return type(error)(f"{error}{rest}")

    def fail(self, node: StageOfQuarter, error: FbacapError) -> None:
        """Give up a stage run and everything that waits for it."""
        self.failed[node] = error
        for follower in self.graph.after(node):
            self.not_made.setdefault(follower, node)


def run_backfill(
    data: DataFolder,
    graph: BackfillGraph,
    submit: Submit,
    workers: int,
    on_change: Callable[[Backfill], None],
) -> Backfill:
    """Make every stage run of a graph, at most ``workers`` at a time.

    A failure stops what waits for it and nothing else. Each quarter's lock is held from its first
    stage run to its last.

    Args:
        data: the data folder.
        graph: the stage runs.
        submit: starts one; its future gives the result.
        workers: how many may be under way.
        on_change: told after every change.

    Raises:
        FbacapError: a worker process died.
    """
    state = Backfill(graph)
    with _Locks(data) as locks:
        while len(state.settled) < len(graph.stages):
            _start(state, submit, workers, locks)
            on_change(state)
            if state.running:
                _collect(state)
            locks.release(_finished(state))
        on_change(state)
    return state


def _start(state: Backfill, submit: Submit, workers: int, locks: _Locks) -> None:
    for node in state.ready:
        if len(state.running) >= workers:
            return
        try:
            locks.take(node.quarter)
        except Busy as error:
            state.fail(node, error)
            continue
        state.running[node] = submit(node, state.graph.stages[node])


def _collect(state: Backfill) -> None:
    finished, _ = wait(state.running.values(), return_when=FIRST_COMPLETED)
    for node in [node for node, future in state.running.items() if future in finished]:
        future = state.running.pop(node)
        try:
            state.done[node] = future.result()
        except FbacapError as error:
            state.fail(node, error)
        except BrokenProcessPool as error:
            raise FbacapError(
                f"a worker process died at {node.label}, most often for want of memory; "
                "run the same command again with fewer in --parallel, it goes on where it stopped"
            ) from error


def _finished(state: Backfill) -> list[Quarter]:
    settled = state.settled
    return [
        quarter
        for quarter in state.graph.quarters
        if all(node in settled for node in state.graph.of_quarter(quarter))
    ]


class _Locks:
    """The quarters' locks that a backfill holds."""

    def __init__(self, data: DataFolder) -> None:
        self._data = data
        self._held: dict[Quarter, ExitStack] = {}

    def __enter__(self) -> _Locks:
        return self

    def __exit__(self, *_: object) -> None:
        self.release(list(self._held))

    def take(self, quarter: Quarter) -> None:
        """Hold a quarter's lock until it is released.

        Raises:
            Busy: another process is working on the quarter.
        """
        if quarter not in self._held:
            stack = ExitStack()
            stack.enter_context(quarter_lock(self._data, quarter))
            clear_leftovers(self._data, quarter)
            self._held[quarter] = stack

    def release(self, quarters: list[Quarter]) -> None:
        """Let go of locks; those not held are none."""
        for quarter in quarters:
            if quarter in self._held:
                self._held.pop(quarter).close()
