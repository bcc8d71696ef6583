"""A step that failed, in Dagster's history of runs: what the schedule reads of it and no more."""

from __future__ import annotations

import dagster as dg
from dagster._core.execution.plan.objects import StepFailureData
from dagster._utils.error import SerializableErrorInfo


def fail_in_a_step(
    instance: dg.DagsterInstance, run: dg.DagsterRun, error: str, sentence: str
) -> None:
    """Record that a step raised an error, and that the run failed."""
    raised = SerializableErrorInfo(f"{error}: {sentence}", [], error)
    event = dg.DagsterEvent(
        dg.DagsterEventType.STEP_FAILURE.value,
        run.job_name,
        step_key="request_register",
        event_specific_data=StepFailureData(error=raised, user_failure_data=None),
    )
    instance.report_dagster_event(event, run.run_id)
    instance.report_run_failed(run)
