"""The schedule's situation, read from disk and from Dagster's history of runs.

Here belongs gathering what ``due`` decides on. What became of a stage run's attempts is
``tries``; the clock is asked by whoever calls.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING

from fbacap_logic.calendar import Quarter, QuarterCalendar
from fbacap_logic.policy import policy_in_force
from orchestration.code_version import code_version
from orchestration.landing import LandedFile
from orchestration.locks import is_locked
from orchestration.paths import DataFolder
from orchestration.plan import StageOfQuarter, quarters_before
from orchestration.policies import load_policies, policy_digest, policy_for
from orchestration.published import published_quarters, published_runs
from orchestration.schedule.due import Situation, Tries
from orchestration.schedule.landed import input_levels, landing_arrivals

if TYPE_CHECKING:
    import dagster as dg


def read_situation(
    data: DataFolder,
    instance: dg.DagsterInstance | None,
    now: datetime,
    asked: Iterable[Quarter] = (),
) -> Situation:
    """Read everything that the schedule rests on.

    A quarter is scheduled when its market's capacity has landed or something of it is published;
    one that no policy governs is left out.

    Args:
        data: the data folder.
        instance: the history of runs; None when there is none yet.
        now: the instant (UTC).
        asked: further quarters to tell of.

    Raises:
        Corrupted: a receipt is missing or damaged.
        BadConfiguration: a policy cannot be read.
    """
    files, arrivals = landing_arrivals(data.landing)
    quarters = sorted({*published_quarters(data.published), *arrivals.capacity, *asked})
    published = {
        quarter: {
            run.stage: run.run
            for run in published_runs(data.published, quarter)
            if run.cutoff_at <= now  # asked about a day gone by, later runs are still to come
        }
        for quarter in quarters
    }
    calendars = _calendars(data, quarters)

    def tries(node: StageOfQuarter) -> Tries:
        if instance is None:
            return Tries()
        from orchestration.schedule.tries import tries_of

        return tries_of(data, instance, node, now)

    def inputs(node: StageOfQuarter) -> str:
        return _inputs_digest(data, node, calendars[node.quarter], files, published)

    def locked(quarter: Quarter) -> bool:
        return is_locked(data, quarter)

    return Situation(now, calendars, published, arrivals, input_levels(), tries, inputs, locked)


def _calendars(data: DataFolder, quarters: Iterable[Quarter]) -> dict[Quarter, QuarterCalendar]:
    policies = load_policies(data.policies)
    calendars = {}
    for quarter in quarters:
        try:
            calendars[quarter] = policy_in_force(policies, quarter).calendar_of(quarter)
        except ValueError:
            continue
    return calendars


def _inputs_digest(
    data: DataFolder,
    node: StageOfQuarter,
    calendar: QuarterCalendar,
    files: Iterable[LandedFile],
    published: Mapping[Quarter, Mapping[str, int]],
) -> str:
    """A digest of all that could make another attempt end otherwise than the last."""
    cutoff = calendar.stage(node.stage).cutoff_at.replace(tzinfo=None)
    landed = sorted(
        f"{file.table}:{file.typed_sha256}"
        for file in files
        if file.received_at_min is not None and file.received_at_min < cutoff
    )
    earlier = (node.quarter, *quarters_before(node.quarter).values())
    document = {
        "code": code_version(),
        "policy": policy_digest(policy_for(data.policies, node.quarter)),
        "landed": landed,
        "published": {quarter.label: dict(published.get(quarter, {})) for quarter in earlier},
    }
    text = json.dumps(document, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]
