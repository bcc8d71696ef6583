"""What became of a stage run: its tables, checks and publication, or the reason why not.

Here belongs reading a finished Dagster run. Executing one is ``runner``; showing it is ``summary``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fbacap_logic.calendar import Quarter, StageCutoff
from orchestration import errors
from orchestration.damage import damage_under
from orchestration.errors import ContractBroken, Corrupted, FbacapError
from orchestration.paths import DataFolder
from orchestration.published import PublishedRun, published_runs
from orchestration.storage_faults import fault_in

if TYPE_CHECKING:
    import dagster as dg


@dataclass(frozen=True)
class TableOutcome:
    """What one step of a stage run made."""

    table: str
    rows_in: int | None
    rows_out: int | None
    seconds: float | None


@dataclass(frozen=True)
class CheckOutcome:
    """What one check of a stage run gave."""

    table: str
    name: str
    passed: bool
    description: str
    is_warning: bool = False


@dataclass(frozen=True)
class StageOutcome:
    """One stage run that succeeded: what it made, what was checked, what stands published.

    ``warnings``: checks that did not hold and stop nothing; ``checks``: all others.
    """

    quarter: Quarter
    stage: StageCutoff
    run_id: str
    tables: tuple[TableOutcome, ...]
    checks: tuple[CheckOutcome, ...]
    warnings: tuple[CheckOutcome, ...]
    published: PublishedRun
    is_new: bool
    superseded_by: PublishedRun | None
    seconds: float

    @property
    def superseded_sentence(self) -> str | None:
        """Why what this run gave was not published, though it differs from what stands."""
        if self.superseded_by is None:
            return None
        by, label = self.superseded_by, self.quarter.label
        return (
            f"{label} {self.stage.name} would now differ from run {self.published.run}, but "
            f"{by.stage} (run {by.run}) has settled with more; "
            f'`fbacap rerun {label} --reason "…"` settles what was received since'
        )


def stage_outcome(
    data: DataFolder,
    quarter: Quarter,
    stage: StageCutoff,
    result: dg.ExecuteInProcessResult,
    seconds: float,
) -> StageOutcome:
    """Read a finished run.

    Raises:
        FbacapError: the run failed; the error says where and why, in one sentence.
    """
    evaluated = tuple(_checks(result))
    checks = tuple(check for check in evaluated if not check.is_warning)
    if not result.success:
        label = f"{quarter.label} {stage.name}"
        damage = damage_under(data, quarter)
        raise Corrupted(f"{label}: {damage}") if damage else _failure(label, result, checks)
    publication = _publication_metadata(result)
    number = int(publication["run"])
    runs = {run.run: run for run in published_runs(data.published, quarter)}
    return StageOutcome(
        quarter=quarter,
        stage=stage,
        run_id=result.run_id,
        tables=tuple(_tables(result)),
        checks=checks,
        warnings=tuple(check for check in evaluated if check.is_warning),
        published=runs[number],
        is_new=bool(publication["is_new"]),
        superseded_by=runs.get(int(publication["superseded_by"])),
        seconds=seconds,
    )


def failure_sentence(instance: dg.DagsterInstance, run_id: str, label: str) -> str:
    """Why a run failed, read back from the history of runs: the first thing that went wrong."""
    return first_fault(instance, run_id, label) or f"{label}: the run was interrupted"


def first_fault(instance: dg.DagsterInstance, run_id: str, label: str) -> str | None:
    """The first step of a run that failed or check that did not hold, in a sentence.

    None for a run that did not come to its end for another reason: its process was stopped or died.
    """
    import dagster as dg

    wanted = {dg.DagsterEventType.ASSET_CHECK_EVALUATION, dg.DagsterEventType.STEP_FAILURE}
    for entry in instance.all_logs(run_id, of_type=wanted):
        event = entry.get_dagster_event()
        if event.is_step_failure:
            if _is_interruption(event):
                continue
            return str(_step_failure(label, event))
        check = event.asset_check_evaluation_data
        if not check.passed and check.severity == dg.AssetCheckSeverity.ERROR:
            broken = f"{check.asset_key.path[-1]} breaks its check '{check.check_name}'"
            return f"{label}: {broken}: {check.description or ''}"
    return None


def _is_interruption(event: Any) -> bool:
    error = event.step_failure_data.error
    while error is not None:
        if error.cls_name in ("DagsterExecutionInterruptedError", "KeyboardInterrupt"):
            return True
        error = error.cause
    return False


def _metadata(event: Any) -> dict[str, Any]:
    return {name: entry.value for name, entry in event.materialization.metadata.items()}


def _tables(result: dg.ExecuteInProcessResult) -> Iterator[TableOutcome]:
    for event in result.get_asset_materialization_events():
        metadata = _metadata(event)
        if event.asset_key is not None:
            yield TableOutcome(
                table=event.asset_key.path[-1],
                rows_in=metadata.get("rows_in"),
                rows_out=metadata.get("rows_out"),
                seconds=metadata.get("seconds"),
            )


def _publication_metadata(result: dg.ExecuteInProcessResult) -> Mapping[str, Any]:
    for event in reversed(result.get_asset_materialization_events()):
        metadata = _metadata(event)
        if "manifest" in metadata:
            return metadata
    raise FbacapError("a stage run ended without publishing; its job lacks the publishing asset")


def _checks(result: dg.ExecuteInProcessResult) -> Iterator[CheckOutcome]:
    for evaluation in result.get_asset_check_evaluations():
        yield CheckOutcome(
            table=evaluation.asset_key.path[-1],
            name=evaluation.check_name,
            passed=evaluation.passed,
            description=evaluation.description or "",
            is_warning=not evaluation.passed and evaluation.severity.value == "WARN",
        )


def _failure(
    label: str, result: dg.ExecuteInProcessResult, checks: Sequence[CheckOutcome]
) -> FbacapError:
    """The first thing that went wrong, as one sentence with the right exit code."""
    failed = [check for check in checks if not check.passed]
    if failed:
        first = failed[0]
        more = f" (and {len(failed) - 1} more)" if len(failed) > 1 else ""
        return ContractBroken(
            f"{label}: {first.table} breaks its check '{first.name}'{more}: {first.description}"
        )
    for event in result.all_events:
        if event.is_step_failure:
            return _step_failure(label, event)
    return FbacapError(f"{label}: the run failed; see its log in the Dagster UI (make ui)")


def _step_failure(label: str, event: Any) -> FbacapError:
    failure = event.step_failure_data
    message, name, sentence = "no reason was given", "", ""
    error = failure.error
    while error is not None:  # the first explained error of the chain, else its root
        message = error.message.strip()
        name, _, sentence = message.partition(": ")
        kind = getattr(errors, name.rsplit(".", 1)[-1], None)
        if isinstance(kind, type) and issubclass(kind, FbacapError):
            return kind(f"{label}: {sentence}")
        if fault := fault_in(message):
            return type(fault)(f"{label}: {fault}")
        error = error.cause
    if name == "ValueError":
        return FbacapError(f"{label}: {sentence}")
    described = failure.user_failure_data.description if failure.user_failure_data else None
    return FbacapError(f"{label}: step {event.step_key} failed: {described or message}")
