"""Dagster's sensors: scheduled quarters, and alerts about them.

Here belong launches and ticks only. What is due is ``schedule``; what an alert says and where it
goes is ``alerts``. Both are off unless FBACAP_SCHEDULE says ``on``.
"""

import os
from collections.abc import Callable, Sequence
from datetime import datetime

import dagster as dg
from dagster._core.definitions.unresolved_asset_job_definition import (
    UnresolvedAssetJobDefinition,
)

from orchestration.alerts import send_pending
from orchestration.errors import BadConfiguration
from orchestration.jobs import job_name
from orchestration.paths import DataFolder
from orchestration.runner import utc_now
from orchestration.schedule.due import ScheduledStage, schedule, to_launch, why_nothing
from orchestration.schedule.state import read_situation
from orchestration.schedule.tries import ATTEMPT_TAG, INPUTS_TAG, report_lost_runs
from orchestration.stage_run import tags_of

SCHEDULE_VARIABLE = "FBACAP_SCHEDULE"
_SECONDS_BETWEEN_TICKS = 60


def sensors(
    data: DataFolder,
    jobs: Sequence[UnresolvedAssetJobDefinition],
    clock: Callable[[], datetime] = utc_now,
) -> list[dg.SensorDefinition]:
    """The sensors over one data folder; ``clock`` tells the instant (UTC) of a tick."""
    return [_scheduled_quarters(data, jobs, clock), _market_alerts(data, clock)]


def default_status() -> dg.DefaultSensorStatus:
    """Running when FBACAP_SCHEDULE is ``on``.

    Raises:
        BadConfiguration: it is neither on nor off.
    """
    text = (os.environ.get(SCHEDULE_VARIABLE) or "off").strip().lower()
    if text not in ("on", "off"):
        raise BadConfiguration(f"{SCHEDULE_VARIABLE} is '{text}'; set it to on or off")
    if text == "on":
        return dg.DefaultSensorStatus.RUNNING
    return dg.DefaultSensorStatus.STOPPED


def _scheduled_quarters(
    data: DataFolder,
    jobs: Sequence[UnresolvedAssetJobDefinition],
    clock: Callable[[], datetime],
) -> dg.SensorDefinition:
    @dg.sensor(
        name="scheduled_quarters",
        jobs=list(jobs),
        minimum_interval_seconds=_SECONDS_BETWEEN_TICKS,
        default_status=default_status(),
        description=(
            "Launches every stage run that the policy's calendar makes due, in order, once what it "
            "reads has arrived; says what it waits for otherwise (docs/scheduling.md)."
        ),
    )
    def scheduled_quarters(context: dg.SensorEvaluationContext) -> dg.SensorResult:
        now = clock()
        report_lost_runs(data, context.instance, now)
        stages = schedule(read_situation(data, context.instance, now))
        due = to_launch(stages)
        for entry in due:
            for sentence in entry.sentences:
                context.log.warning(f"{entry.node.label} {sentence}")
        if due:
            return dg.SensorResult(run_requests=[_request(entry) for entry in due])
        return dg.SensorResult(skip_reason=why_nothing(stages, now))

    return scheduled_quarters


def _request(entry: ScheduledStage) -> dg.RunRequest:
    return dg.RunRequest(
        run_key=entry.run_key,
        job_name=job_name(entry.node.stage),
        partition_key=entry.node.quarter.key,
        tags={
            **tags_of(entry.cutoff, None),
            ATTEMPT_TAG: str(entry.attempt),
            INPUTS_TAG: entry.inputs or "",
        },
    )


def _market_alerts(data: DataFolder, clock: Callable[[], datetime]) -> dg.SensorDefinition:
    @dg.sensor(
        name="market_alerts",
        minimum_interval_seconds=_SECONDS_BETWEEN_TICKS,
        default_status=default_status(),
        description=(
            "Tells of failed runs, of stage runs that are late and of what blocks the schedule, "
            "each once, where alerts.yaml of the data folder says (docs/scheduling.md)."
        ),
    )
    def market_alerts(context: dg.SensorEvaluationContext) -> dg.SkipReason:
        outcome = send_pending(data, context.instance, clock())
        for line in outcome.logged:
            context.log.warning(line)
        for line in outcome.failures:
            context.log.error(line)
        return dg.SkipReason(outcome.summary)

    return market_alerts
