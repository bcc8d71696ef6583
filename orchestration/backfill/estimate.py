"""How long a backfill will still take, from how long its stage runs took so far.

Here belongs the estimate, pure. Nothing published depends on it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from statistics import fmean

from orchestration.backfill.graph import BackfillGraph
from orchestration.plan import StageOfQuarter


def seconds_left(
    graph: BackfillGraph,
    seconds: Mapping[StageOfQuarter, float],
    left: Iterable[StageOfQuarter],
    workers: int,
) -> float | None:
    """Seconds until everything that is left is made; None before the first stage run ended.

    No backfill ends sooner than its work shared out among its workers, nor sooner than its longest
    chain of runs that wait for each other. A stage run is expected to take as long as those of the
    same stage did, or else as long as all did.

    Args:
        graph: the backfill's stage runs.
        seconds: how long each of those that ended took.
        left: those that have not ended.
        workers: how many are made at a time.
    """
    if not seconds:
        return None
    by_stage: dict[str, list[float]] = {}
    for node, took in seconds.items():
        by_stage.setdefault(node.stage, []).append(took)
    every = fmean(seconds.values())
    expected = {
        node: fmean(by_stage[node.stage]) if node.stage in by_stage else every for node in left
    }
    if not expected:
        return 0.0
    ends: dict[StageOfQuarter, float] = {}
    for node in sorted(expected, key=lambda node: (graph.stages[node].cutoff_at, node)):
        start = max((ends.get(before, 0.0) for before in graph.waits_for[node]), default=0.0)
        ends[node] = start + expected[node]
    return max(*ends.values(), sum(expected.values()) / workers)


def spoken(seconds: float) -> str:
    """A duration as people say it.

    >>> spoken(8), spoken(95), spoken(3 * 3600 + 1260)
    ('less than a minute', 'about 2 min', 'about 3 h 21 min')
    """
    minutes = round(seconds / 60)
    if minutes < 1:
        return "less than a minute"
    if minutes < 60:
        return f"about {minutes} min"
    return f"about {minutes // 60} h {minutes % 60} min"
