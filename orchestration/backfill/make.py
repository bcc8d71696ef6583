"""Making one stage run of a backfill, unless what is published would come out the same.

Here belong the decision and its result. Which run comes next is ``loop``; executing one is
``runner``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from orchestration.backfill.up_to_date import made_from, published_from, remember
from orchestration.paths import DataFolder
from orchestration.plan import StageOfQuarter
from orchestration.runner import execute_stage, utc_now

if TYPE_CHECKING:
    from fbacap_logic.calendar import StageCutoff
    from orchestration.outcome import StageOutcome
    from orchestration.published import PublishedRun


@dataclass(frozen=True)
class StageResult:
    """What became of one stage run. ``outcome``: None when it did not have to be made again."""

    node: StageOfQuarter
    published: PublishedRun
    outcome: StageOutcome | None
    seconds: float

    @property
    def state(self) -> str:
        """One word: new, same (made again, identical), kept (not made again) or superseded."""
        if self.outcome is None:
            return "kept"
        if self.outcome.superseded_by is not None:
            return "superseded"
        return "new" if self.outcome.is_new else "same"


def make_stage(
    data: DataFolder,
    instance: Callable[[], Any],
    node: StageOfQuarter,
    stage: StageCutoff,
    *,
    again: bool,
) -> StageResult:
    """Make one stage run; its quarter's lock is the caller's to hold.

    Args:
        data: the data folder.
        instance: opens the Dagster instance; not asked when nothing has to be made.
        node: which stage run.
        stage: the same with its cut-off.
        again: make it even if it would come out the same.

    Raises:
        FbacapError: the stage failed.
    """
    started = utc_now()
    digest = made_from(data, node.quarter, stage)
    kept = None if again else published_from(data, node.quarter, stage, digest)
    if kept is not None:
        return StageResult(node, kept, None, (utc_now() - started).total_seconds())
    outcome = execute_stage(data, instance(), node.quarter, stage)
    result = StageResult(node, outcome.published, outcome, (utc_now() - started).total_seconds())
    if result.state == "same" and made_from(data, node.quarter, stage) == digest:
        remember(data, result.published, digest)
    return result
