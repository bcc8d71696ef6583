"""A backfill from the words of a command to its end: what is due, by how many processes.

Here belongs putting the parts together; each is a module beside this one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from fbacap_logic.calendar import Quarter
from orchestration.backfill.graph import BackfillGraph, backfill_graph
from orchestration.backfill.loop import Backfill, run_backfill
from orchestration.backfill.workers import sensible_count, workers
from orchestration.errors import BadUsage, NotPublished
from orchestration.markets import quarters_with_market
from orchestration.paths import DataFolder
from orchestration.policies import policy_for
from orchestration.runner import due_stages


@dataclass(frozen=True)
class BackfillOrder:
    """What a backfill is to make, and how.

    ``again``: make also what was published from the same inputs by the same code. ``left_out``:
    quarters of the range of which there is nothing to make, with the reason.
    """

    graph: BackfillGraph
    processes: int
    again: bool
    left_out: Mapping[Quarter, str]


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
        NotPublished: no quarter of them has a market.
        BadUsage: nothing of any of them is due.
        BadConfiguration: the policy folder is unusable.
    """
    held = quarters_with_market(data)
    if not held.intersection(quarters):
        raise NotPublished(
            f"nothing is known of {', '.join(quarter.label for quarter in quarters)}: no network "
            "capacity has landed; `fbacap ingest` it first, or name the data folder with --data"
        )
    left_out = {
        quarter: "no network capacity has landed, so it has no market"
        for quarter in quarters
        if quarter not in held
    }
    due = []
    for quarter in sorted(held.intersection(quarters)):
        calendar = policy_for(data.policies, quarter).calendar_of(quarter)
        if stages := due_stages(data, quarter, now):
            due.append((calendar, stages))
        else:
            day = calendar.announced_at.date().isoformat()
            left_out[quarter] = f"nothing of it is due: it is announced on {day}"
    if not due:
        first = min(quarter for quarter in quarters if quarter in held)
        raise BadUsage(left_out[first].replace("of it is due", f"of {first.label} is due"))
    return BackfillOrder(
        backfill_graph(due), processes or sensible_count(len(due)), again, left_out
    )


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
