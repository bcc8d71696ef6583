"""What became of a stage run's attempts, as Dagster's history of runs tells it.

Here belongs reading that history, whoever launched the runs. What follows is ``due``'s to say.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import dagster as dg

from orchestration.locks import is_locked
from orchestration.outcome import failure_sentence
from orchestration.paths import DataFolder
from orchestration.plan import StageOfQuarter
from orchestration.schedule.due import Tries
from orchestration.stage_run import STAGE_TAG

PARTITION_TAG = "dagster/partition"
ATTEMPT_TAG = "fbacap/attempt"
INPUTS_TAG = "fbacap/inputs"

_UNDER_WAY = (
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
)
_EXECUTING = (dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.CANCELING)
# A run takes its quarter's lock in its first step, well within this.
_LOCK_IS_TAKEN_BY = timedelta(minutes=10)


def tries_of(
    data: DataFolder, instance: dg.DagsterInstance, node: StageOfQuarter, now: datetime
) -> Tries:
    """What was tried of one stage run."""
    records = _records(instance, node)
    under_way = [record for record in records if record.dagster_run.status in _UNDER_WAY]
    if any(not is_lost(data, node, record, now) for record in under_way):
        return Tries(_launched(records), is_running=True)
    scheduled = [record for record in records if ATTEMPT_TAG in record.dagster_run.tags]
    if not records or records[0].dagster_run.is_success:
        return Tries(_launched(records))
    return Tries(
        launched=_launched(records),
        failure=_failure(instance, node, records[0]),
        inputs=scheduled[0].dagster_run.tags.get(INPUTS_TAG) if scheduled else None,
    )


def is_lost(data: DataFolder, node: StageOfQuarter, record: dg.RunRecord, now: datetime) -> bool:
    """Whether a run counts as in progress though no process is executing it any more.

    A run holds its quarter's lock from its first step to its last, and the operating system frees
    it when the process ends, however it ends.
    """
    if record.start_time is None or record.dagster_run.status not in _EXECUTING:
        return False
    started = datetime.fromtimestamp(record.start_time, UTC)
    return now - started > _LOCK_IS_TAKEN_BY and not is_locked(data, node.quarter)


def report_lost_runs(
    data: DataFolder, instance: dg.DagsterInstance, node: StageOfQuarter, now: datetime
) -> None:
    """Have Dagster count lost runs as failed, so that they take up no place in its queue."""
    for record in _records(instance, node):
        if record.dagster_run.status in _UNDER_WAY and is_lost(data, node, record, now):
            instance.report_run_failed(record.dagster_run, _LOST)


_LOST = "its process ended without a word, as when a machine restarts"


def _records(instance: dg.DagsterInstance, node: StageOfQuarter) -> Sequence[dg.RunRecord]:
    """Newest first."""
    tags = {STAGE_TAG: node.stage, PARTITION_TAG: node.quarter.key}
    return instance.get_run_records(dg.RunsFilter(tags=tags))


def _launched(records: Sequence[dg.RunRecord]) -> int:
    attempts = [record.dagster_run.tags.get(ATTEMPT_TAG, "0") for record in records]
    return max((int(attempt) for attempt in attempts if attempt.isdecimal()), default=0)


def _failure(instance: dg.DagsterInstance, node: StageOfQuarter, record: dg.RunRecord) -> str:
    run = record.dagster_run
    if run.status == dg.DagsterRunStatus.CANCELED:
        return "it was cancelled by hand"
    if run.status != dg.DagsterRunStatus.FAILURE:
        return _LOST
    return failure_sentence(instance, run.run_id, node.label)
