"""What became of a stage run's attempts, as Dagster's history of runs tells it.

Here belongs reading that history, whoever launched the runs. What follows is ``due``'s to say.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import takewhile

import dagster as dg

from fbacap_logic.calendar import Quarter
from orchestration.locks import is_locked
from orchestration.outcome import failure_sentence, first_fault
from orchestration.paths import DataFolder
from orchestration.plan import StageOfQuarter
from orchestration.schedule.due import Tries
from orchestration.stage_run import STAGE_TAG

PARTITION_TAG = "dagster/partition"
ATTEMPT_TAG = "fbacap/attempt"
INPUTS_TAG = "fbacap/inputs"

_NOT_YET_STARTED = (dg.DagsterRunStatus.NOT_STARTED, dg.DagsterRunStatus.STARTING)
_EXECUTING = (dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.CANCELING)
_UNDER_WAY = (dg.DagsterRunStatus.QUEUED, *_NOT_YET_STARTED, *_EXECUTING)
# A run takes its quarter's lock in its first step, well within this.
_LOCK_IS_TAKEN_BY = timedelta(minutes=10)
# Longer than a run that waits for a lock takes to see that it is free, or than one that has just
# given it back takes to say that it has ended.
_LOOK_AGAIN_SECONDS = 2.0
_LOST = "its process ended without a word, as when a machine restarts"


def tries_of(
    data: DataFolder, instance: dg.DagsterInstance, node: StageOfQuarter, now: datetime
) -> Tries:
    """What was tried of one stage run."""
    records = _records(instance, node)
    under_way = [record for record in records if record.dagster_run.status in _UNDER_WAY]
    if any(not is_lost(data, node.quarter, record, now) for record in under_way):
        return Tries(_launched(records), is_running=True)
    scheduled = [record for record in records if ATTEMPT_TAG in record.dagster_run.tags]
    if not records or records[0].dagster_run.is_success:
        return Tries(_launched(records))
    return Tries(
        launched=_launched(records),
        failure=_failure(instance, node, records[0]),
        inputs=scheduled[0].dagster_run.tags.get(INPUTS_TAG) if scheduled else None,
        interruptions=_interruptions(instance, records[0], scheduled),
    )


def is_lost(data: DataFolder, quarter: Quarter, record: dg.RunRecord, now: datetime) -> bool:
    """Whether a run counts as in progress though no process is executing it any more.

    A run holds its quarter's lock from its first step to its last, and the operating system frees
    it when the process ends, however it ends. A run in the queue holds none and is not lost.
    """
    if record.dagster_run.status in _NOT_YET_STARTED:
        since = record.update_timestamp  # one that has long been queued may just have left
    elif record.dagster_run.status in _EXECUTING and record.start_time is not None:
        since = datetime.fromtimestamp(record.start_time, UTC)
    else:
        return False
    return now - since > _LOCK_IS_TAKEN_BY and not is_locked(data, quarter)


def report_lost_runs(data: DataFolder, instance: dg.DagsterInstance, now: datetime) -> None:
    """Have Dagster count lost runs as failed, so that they take up no place in its queue.

    Runs of every stage of every quarter, whoever launched them and whatever has been published
    since.
    """
    suspects = set(_lost_runs(data, instance, now))
    if not suspects:
        return
    time.sleep(_LOOK_AGAIN_SECONDS)
    for run_id, run in _lost_runs(data, instance, now).items():
        if run_id in suspects:
            instance.report_run_failed(run, _LOST)


def _lost_runs(
    data: DataFolder, instance: dg.DagsterInstance, now: datetime
) -> dict[str, dg.DagsterRun]:
    found = {}
    wanted = dg.RunsFilter(statuses=[*_NOT_YET_STARTED, *_EXECUTING])
    for record in instance.get_run_records(wanted):
        run = record.dagster_run
        if PARTITION_TAG not in run.tags:
            continue
        try:
            quarter = Quarter.parse(run.tags[PARTITION_TAG])
        except ValueError:
            continue
        if is_lost(data, quarter, record, now):
            found[run.run_id] = run
    return found


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


def _interruptions(
    instance: dg.DagsterInstance, newest: dg.RunRecord, scheduled: Sequence[dg.RunRecord]
) -> int:
    """How many of the last attempts in a row, on the same inputs, were interrupted."""
    if not scheduled or not _was_interrupted(instance, newest):
        return 0
    inputs = scheduled[0].dagster_run.tags.get(INPUTS_TAG)
    return sum(
        1
        for _ in takewhile(
            lambda record: (
                record.dagster_run.tags.get(INPUTS_TAG) == inputs
                and _was_interrupted(instance, record)
            ),
            scheduled,
        )
    )


def _was_interrupted(instance: dg.DagsterInstance, record: dg.RunRecord) -> bool:
    run = record.dagster_run
    if run.status == dg.DagsterRunStatus.FAILURE:
        return first_fault(instance, run.run_id, run.run_id) is None
    return run.status in _UNDER_WAY  # lost, and not reported yet
