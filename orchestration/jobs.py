"""Jobs: one a stage run, each over exactly the assets that its kind needs."""

from __future__ import annotations

from collections.abc import Iterable

import dagster as dg
from dagster._core.definitions.unresolved_asset_job_definition import (
    UnresolvedAssetJobDefinition,
)

from fbacap_logic.calendar import Quarter, StageCutoff, StageKind
from fbacap_logic.policy import Policy
from orchestration.assets.dbt_models import models_of_kind
from orchestration.assets.quarter_report import KEY as QUARTER_REPORT
from orchestration.directed import is_directed
from orchestration.stage_run import STAGE_TAG
from orchestration.stages import (
    INPUT_TABLES,
    PUBLICATIONS,
    RESULTS_TABLE,
    RUN_TABLES,
    stages_of,
)

DIRECTED_JOB = "directed_rerun"
_ANY_QUARTER = Quarter(2026, 4)


def job_name(stage: str) -> str:
    """The job of a stage run; one job serves every directed rerun.

    >>> job_name("round-2"), job_name("rerun-3")
    ('round_2', 'directed_rerun')
    """
    return DIRECTED_JOB if is_directed(stage) else stage.replace("-", "_")


def stage_jobs(policies: Iterable[Policy]) -> list[UnresolvedAssetJobDefinition]:
    """One job for every stage run that any policy version knows, and one for directed reruns."""
    stages: dict[str, StageCutoff] = {}
    for policy in policies:
        for stage in policy.calendar_of(_ANY_QUARTER).stages:
            stages.setdefault(stage.name, stage)
    return [
        dg.define_asset_job(
            job_name(stage.name),
            selection=kind_selection(stage.kind),
            executor_def=dg.in_process_executor,
            tags={STAGE_TAG: stage.name},
            description=f"Stage run {stage.name} of one quarter, published as one immutable run.",
        )
        for stage in stages.values()
    ] + [
        dg.define_asset_job(
            DIRECTED_JOB,
            selection=kind_selection("settle"),
            executor_def=dg.in_process_executor,
            description=(
                "Settles a quarter again with what was received since, for a stated reason; "
                "launched by `fbacap rerun`, which names cut-off and reason in the run's tags."
            ),
        )
    ]


def kind_selection(kind: StageKind) -> dg.AssetSelection:
    """Every asset that one kind of stage run makes, from landing tables to what it publishes."""
    keys = [dg.AssetKey(["landing", table]) for table in INPUT_TABLES]
    keys += [dg.AssetKey(["run", table]) for table in RUN_TABLES]
    keys += [dg.AssetKey(model) for model in models_of_kind(kind)]
    keys += [dg.AssetKey(table) for stage in stages_of(kind) for table in stage.tables]
    keys += [dg.AssetKey(RESULTS_TABLE), dg.AssetKey(PUBLICATIONS[kind])]
    if kind == "settle":
        keys.append(dg.AssetKey(QUARTER_REPORT))
    return dg.AssetSelection.assets(*keys)
