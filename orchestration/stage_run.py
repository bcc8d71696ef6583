"""One stage run of one quarter: which quarter, which cut-off, which policy.

Here belongs what a run needs to know before it touches any data. Dagster's tags carry a stage's
name from whoever launches a run to the assets that execute it.
"""

from __future__ import annotations

from dataclasses import dataclass

from fbacap_logic.calendar import Quarter, QuarterCalendar, StageCutoff
from fbacap_logic.policy import Policy
from orchestration.errors import BadUsage
from orchestration.paths import DataFolder
from orchestration.policies import policy_for

STAGE_TAG = "fbacap/stage"
REBASED_TAG = "fbacap/rebased"


@dataclass(frozen=True)
class StageRun:
    """A stage of a quarter under the policy that governs the quarter.

    ``is_rebased``: a settlement that restates what was published counts its deltas from the latest
    settlement run; otherwise from the run that its stage's last run counted from.
    """

    data: DataFolder
    quarter: Quarter
    policy: Policy
    calendar: QuarterCalendar
    stage: StageCutoff
    is_rebased: bool = False

    @property
    def label(self) -> str:
        """As messages name it: ``2026Q4 round-2``."""
        return f"{self.quarter.label} {self.stage.name}"


def stage_run(
    data: DataFolder, quarter: Quarter, stage_name: str, *, is_rebased: bool = False
) -> StageRun:
    """Look up policy, calendar and cut-off of one stage of a quarter.

    Raises:
        BadUsage: the quarter has no such stage.
        BadConfiguration: the policy folder is unusable.
    """
    policy = policy_for(data.policies, quarter)
    calendar = policy.calendar_of(quarter)
    try:
        stage = calendar.stage(stage_name)
    except ValueError as error:
        raise BadUsage(str(error)) from error
    return StageRun(data, quarter, policy, calendar, stage, is_rebased)
