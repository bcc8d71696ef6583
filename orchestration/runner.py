"""Running stages from the command line: in order, each with its own cut-off, in Dagster.

Here belong what is due, the order, and executing it. Runs land in the same instance that the UI
reads. What became of a run is ``outcome``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from functools import cache
from typing import TYPE_CHECKING

from fbacap_logic.calendar import Quarter, StageCutoff
from orchestration.errors import BadUsage
from orchestration.locks import quarter_lock
from orchestration.paths import DataFolder
from orchestration.policies import policy_for
from orchestration.stage_run import tags_of
from orchestration.storage_faults import explained

if TYPE_CHECKING:
    import dagster as dg

    from orchestration.outcome import StageOutcome


def due_stages(data: DataFolder, quarter: Quarter, now: datetime) -> tuple[StageCutoff, ...]:
    """The stage runs of a quarter whose cut-off has passed, in order."""
    calendar = policy_for(data.policies, quarter).calendar_of(quarter)
    return tuple(stage for stage in calendar.stages if stage.cutoff_at <= now)


def choose_stages(
    data: DataFolder, quarter: Quarter, stage_name: str | None, now: datetime
) -> tuple[StageCutoff, ...]:
    """The stage runs to execute: the one named, or all that are due.

    Raises:
        BadUsage: there is no such stage, or nothing (or not that one) is due yet.
    """
    calendar = policy_for(data.policies, quarter).calendar_of(quarter)
    due = due_stages(data, quarter, now)
    if stage_name is None:
        if not due:
            first = calendar.stages[0]
            raise BadUsage(
                f"nothing of {quarter.label} is due: it is announced on "
                f"{first.cutoff_at.date().isoformat()}"
            )
        return due
    try:
        stage = calendar.stage(stage_name)
    except ValueError as error:
        raise BadUsage(str(error)) from error
    if stage not in due:
        raise BadUsage(
            f"{quarter.label} {stage.name} is not due before {stage.cutoff_at.date().isoformat()}"
        )
    return (stage,)


def run_quarter(
    data: DataFolder,
    quarter: Quarter,
    stages: Sequence[StageCutoff],
    on_stage: Callable[[StageCutoff], None] | None = None,
) -> Iterator[StageOutcome]:
    """Execute stage runs of one quarter in order, holding the quarter's lock.

    Raises:
        FbacapError: a stage failed; the stages after it did not run.
    """
    from orchestration.instance import instance
    from orchestration.working import clear_leftovers

    with quarter_lock(data, quarter), instance(data) as dagster_instance:
        clear_leftovers(data, quarter)
        for stage in stages:
            if on_stage is not None:
                on_stage(stage)
            yield execute_stage(data, dagster_instance, quarter, stage)


def rerun_quarter(
    data: DataFolder, quarter: Quarter, reason: str, cut_off: datetime, now: datetime
) -> StageOutcome:
    """Settle a quarter again for a stated reason, holding the quarter's lock.

    Raises:
        BadUsage: the reason or the cut-off cannot stand (see ``directed``).
        FbacapError: the settlement failed.
    """
    from orchestration.directed import directed_stage, stated_reason
    from orchestration.instance import instance
    from orchestration.working import clear_leftovers

    stated = stated_reason(reason)
    with quarter_lock(data, quarter):
        clear_leftovers(data, quarter)
        stage = directed_stage(data, quarter, cut_off, now)
        with instance(data) as dagster_instance:
            return execute_stage(data, dagster_instance, quarter, stage, stated)


def utc_now() -> datetime:
    """The clock, asked here and nowhere deeper."""
    return datetime.now(UTC)


@cache
def _definitions(data: DataFolder) -> dg.Definitions:
    from orchestration.build import build_definitions

    return build_definitions(data)


def execute_stage(
    data: DataFolder,
    dagster_instance: dg.DagsterInstance,
    quarter: Quarter,
    stage: StageCutoff,
    reason: str | None = None,
) -> StageOutcome:
    """Execute one stage run of a quarter in this process; ``reason`` for a directed rerun.

    Raises:
        FbacapError: the stage failed.
    """
    from orchestration.jobs import job_name
    from orchestration.outcome import stage_outcome

    job = _definitions(data).resolve_job_def(job_name(stage.name))
    started = utc_now()
    try:
        result = job.execute_in_process(
            instance=dagster_instance,
            partition_key=quarter.key,
            run_config={"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}},
            tags=tags_of(stage, reason),
            raise_on_error=False,
        )
    except Exception as error:
        fault = explained(error, data.root)
        if fault is None:
            raise
        raise type(fault)(f"{quarter.label} {stage.name}: {fault}") from error
    return stage_outcome(data, quarter, stage, result, (utc_now() - started).total_seconds())
