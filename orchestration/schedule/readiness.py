"""Whether what a stage run reads has arrived (docs/decisions/0013-when-a-stage-waits.md).

Here belongs the judgement, pure: what a stage run needs, by its kind, against what has landed and
what the input tables' contracts say of their timing. Reading the landing zone is
``landed``; what follows for a stage run is ``due``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from fbacap_logic.calendar import Quarter, StageCutoff, StageKind
from orchestration.service_levels import ServiceLevels

NEEDS: Mapping[StageKind, tuple[str, ...]] = {
    "announce": (
        "marketplaces",
        "sellers",
        "products",
        "network_capacity",
        "order_lines",
        "inventory_snapshots",
    ),
    "round": ("round_supply",),
    "settle": ("order_lines", "refunds", "inventory_snapshots"),
}


@dataclass(frozen=True)
class Arrivals:
    """What has landed, by when it had been received (UTC).

    Attributes:
        first_received: by table, the earliest instant of any row.
        last_received: by table, the latest instant of any row.
        capacity: by quarter, the earliest instant of its network capacity.
        supply: by quarter and round, the earliest instant of a release for it.
    """

    first_received: Mapping[str, datetime] = field(default_factory=dict)
    last_received: Mapping[str, datetime] = field(default_factory=dict)
    capacity: Mapping[Quarter, datetime] = field(default_factory=dict)
    supply: Mapping[tuple[Quarter, int], datetime] = field(default_factory=dict)


@dataclass(frozen=True)
class Lack:
    """Something that has not arrived: what, in a sentence, and until when a stage run waits for it.

    ``waits_until``: None when the stage run cannot go on without.
    """

    table: str
    sentence: str
    waits_until: datetime | None

    def holds_back(self, now: datetime) -> bool:
        """Whether a stage run still waits for it."""
        return self.waits_until is None or now < self.waits_until


def lacks(
    quarter: Quarter,
    stage: StageCutoff,
    arrivals: Arrivals,
    levels: Mapping[str, ServiceLevels],
) -> tuple[Lack, ...]:
    """What of a stage run's inputs has not arrived, in the order of ``NEEDS``.

    A feed has arrived when its newest row was received no longer before the cut-off than its
    contract's frequency and latency together; a row received after the cut-off shows it too.
    Anything else has arrived when a row of it was received before the cut-off.

    Args:
        quarter: the stage run's quarter.
        stage: the stage run.
        arrivals: what has landed.
        levels: the service levels of every table in ``NEEDS``.
    """
    return tuple(
        Lack(table, sentence, _waits_until(stage, levels[table]))
        for table in NEEDS[stage.kind]
        for sentence in _lack_of(table, quarter, stage, arrivals, levels[table])
    )


def feed_age_days(last_received: datetime, cutoff_at: datetime) -> int:
    """Whole days from the newest row to a cut-off; 0 when it was received after.

    >>> feed_age_days(datetime(2026, 8, 17, 12), datetime(2026, 8, 20))
    2
    """
    return max(0, (cutoff_at - last_received).days)


def is_fresh(last_received: datetime, cutoff_at: datetime, levels: ServiceLevels) -> bool:
    """Whether a feed's newest row is young enough at a cut-off."""
    return cutoff_at - last_received <= timedelta(days=levels.tolerance_days)


def _waits_until(stage: StageCutoff, levels: ServiceLevels) -> datetime | None:
    if levels.longest_wait_days is None:
        return None
    return stage.cutoff_at + timedelta(days=levels.longest_wait_days)


def _lack_of(
    table: str, quarter: Quarter, stage: StageCutoff, arrivals: Arrivals, levels: ServiceLevels
) -> Iterator[str]:
    if table == "network_capacity":
        name, received = f"network_capacity of {quarter.label}", arrivals.capacity.get(quarter)
    elif table == "round_supply":
        name = f"round_supply of {quarter.label} round {stage.round}"
        received = arrivals.supply.get((quarter, stage.round or 0))
    elif levels.is_feed:
        yield from _stale(table, stage, arrivals.last_received.get(table), levels)
        return
    else:
        name, received = table, arrivals.first_received.get(table)
    if received is None:
        yield f"no {name} has been received"
    elif received >= stage.cutoff_at:
        yield (
            f"{name} was received on {received.date().isoformat()}, not before the cut-off "
            f"{stage.cutoff_at.date().isoformat()}; deliver it with the received_at it had"
        )


def _stale(
    table: str, stage: StageCutoff, received: datetime | None, levels: ServiceLevels
) -> Iterator[str]:
    if received is None:
        yield f"no {table} have been received"
    elif not is_fresh(received, stage.cutoff_at, levels):
        needed = stage.cutoff_at - timedelta(days=levels.tolerance_days)
        yield (
            f"{table} end on {received.date().isoformat()}, "
            f"{feed_age_days(received, stage.cutoff_at)} days before the cut-off; rows received "
            f"from {needed.date().isoformat()} on are needed"
        )
