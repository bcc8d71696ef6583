"""A backfill from the words of a command to its end: what is due, by how many processes.

Here belongs putting the parts together; each is a module beside this one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from fbacap_logic.calendar import Quarter
from orchestration.backfill.graph import BackfillGraph, backfill_graph
from orchestration.backfill.loop import Backfill, run_backfill
from orchestration.backfill.workers import sensible_count, workers
from orchestration.paths import DataFolder
from orchestration.policies import policy_for
from orchestration.runner import choose_stages


@dataclass(frozen=True)
class BackfillOrder:
    """What a backfill is to make, and how.

    ``again``: make also what was published from the same inputs by the same code.
    """

    graph: BackfillGraph
    processes: int
    again: bool


def order_backfill(
    data: DataFolder,
    quarters: Sequence[Quarter],
    now: datetime,
    processes: int | None = None,
    *,
    again: bool = False,
) -> BackfillOrder:
    """Everything that is due of some quarters.

    Args:
        data: the data folder.
        quarters: the quarters, in order.
        now: the instant to act at (UTC).
        processes: how many stage runs to make at a time; None: as many as is sensible here.
        again: whether to make what need not be made again.

    Raises:
        BadUsage: nothing of a quarter is due.
        BadConfiguration: the policy folder is unusable.
    """
    due = [
        (
            policy_for(data.policies, quarter).calendar_of(quarter),
            choose_stages(data, quarter, None, now),
        )
        for quarter in quarters
    ]
    return BackfillOrder(backfill_graph(due), processes or sensible_count(len(due)), again)


def make_backfill(
    data: DataFolder, order: BackfillOrder, on_change: Callable[[Backfill], None]
) -> Backfill:
    """Make a backfill; ``on_change`` is told of every step.

    Raises:
        FbacapError: a worker process died. A failed stage run is in the result instead.
    """
    with workers(data, order.processes) as pool:
        return run_backfill(
            data,
            order.graph,
            lambda node, stage: pool.submit(node, stage, again=order.again),
            order.processes,
            on_change,
        )
