"""One stage run of one quarter: which quarter, which cut-off, which policy.

Here belongs what a run needs to know before it touches any data. Dagster's tags carry a stage's
name, and of a directed rerun its cut-off and reason, from whoever launches a run to the assets
that execute it. When a directed rerun may be launched is ``directed``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from fbacap_logic.calendar import Quarter, QuarterCalendar, StageCutoff
from fbacap_logic.policy import Policy
from orchestration.errors import BadUsage
from orchestration.paths import DataFolder
from orchestration.policies import policy_for

STAGE_TAG = "fbacap/stage"
CUTOFF_TAG = "fbacap/cut_off"
REASON_TAG = "fbacap/reason"


@dataclass(frozen=True)
class StageRun:
    """A stage of a quarter under the policy that governs the quarter.

    ``reason``: why, when it is a directed rerun; None for the calendar's own stages.
    """

    data: DataFolder
    quarter: Quarter
    policy: Policy
    calendar: QuarterCalendar
    stage: StageCutoff
    reason: str | None = None

    @property
    def label(self) -> str:
        """As messages name it: ``2026Q4 round-2``."""
        return f"{self.quarter.label} {self.stage.name}"


def stage_run(data: DataFolder, quarter: Quarter, tags: Mapping[str, str]) -> StageRun:
    """Look up policy, calendar and cut-off of the stage run that Dagster's tags name.

    Raises:
        BadUsage: the quarter has no such stage, or a directed rerun lacks its cut-off.
        BadConfiguration: the policy folder is unusable.
    """
    policy = policy_for(data.policies, quarter)
    calendar = policy.calendar_of(quarter)
    reason = tags.get(REASON_TAG)
    try:
        stage = calendar.stage(tags[STAGE_TAG]) if reason is None else _directed(tags)
    except ValueError as error:
        raise BadUsage(str(error)) from error
    return StageRun(data, quarter, policy, calendar, stage, reason)


def _directed(tags: Mapping[str, str]) -> StageCutoff:
    if CUTOFF_TAG not in tags:
        raise ValueError(
            f"directed rerun '{tags[STAGE_TAG]}' has no '{CUTOFF_TAG}' tag, so its cut-off is "
            "unknown; launch it with `fbacap rerun`"
        )
    return StageCutoff(tags[STAGE_TAG], "settle", datetime.fromisoformat(tags[CUTOFF_TAG]))


def tags_of(stage: StageCutoff, reason: str | None) -> dict[str, str]:
    """The tags that carry a stage run to the assets that execute it."""
    tags = {STAGE_TAG: stage.name}
    if reason is not None:
        tags |= {CUTOFF_TAG: stage.cutoff_at.isoformat(), REASON_TAG: reason}
    return tags
