"""Where a quarter's figures come from: published runs, their manifests, the files as received.

Here belongs reading manifests for a statement. Recomputing what they vouch for is
``orchestration.verification``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fbacap_logic.calendar import Quarter
from fbacap_logic.policy import Policy, parse_policy
from orchestration.errors import BadConfiguration, NotPublished
from orchestration.paths import DataFolder
from orchestration.published import PublishedRun, current_runs, published_quarters
from orchestration.statements.figures import InputFile, Provenance, SourceRun, SourceTable

FIGURES_OF_TABLE = {
    "base_allocations": "base allocation, score, change",
    "base_allocation_estimates": "estimates of later quarters",
    "round_requests": "requests and their judgement",
    "cleared_allocations": "what each round granted, and why",
    "market_rounds": "clearing fees",
    "repriced_fees": "round fees, final fees, fees",
    "repricing_steps": "repricing steps",
    "incremental_sales": "incremental sales by method",
    "incremental_sales_days": "incremental sales by day",
    "settlements": "credits, net due, deltas",
}


def held_runs(data: DataFolder, quarter: Quarter) -> dict[str, PublishedRun]:
    """For each table of a statement the run that holds now.

    Raises:
        NotPublished: nothing of the quarter has been published.
    """
    current = current_runs(data.published, quarter)
    held = {table: current[table] for table in FIGURES_OF_TABLE if table in current}
    if not held:
        others = [each.label for each in published_quarters(data.published)]
        known = f"published quarters are {', '.join(others)}" if others else "no quarter has been"
        raise NotPublished(
            f"nothing of {quarter.label} has been published; {known}, and "
            f"`fbacap run {quarter.label}` runs the stages that are due"
        )
    return held


def latest_held(held: Mapping[str, PublishedRun]) -> PublishedRun:
    """The run with the latest cut-off among those that hold."""
    return max(held.values(), key=lambda run: (run.cutoff_at, run.run))


def policy_of(run: PublishedRun) -> Policy:
    """The policy that a run was made under, as its manifest repeats it.

    Raises:
        BadConfiguration: this version does not read it.
    """
    try:
        return parse_policy(run.manifest["policy"])
    except ValueError as error:
        raise BadConfiguration(
            f"{run.manifest_path}: its policy is not one that this version reads ({error}); use "
            f"version {run.manifest['code_version']}, which published it"
        ) from error


def provenance_of(held: Mapping[str, PublishedRun]) -> Provenance:
    """Tables, runs and input files behind the figures, the same for every seller of a quarter."""
    runs = {run.run: run for run in held.values()}
    return Provenance(
        tables=tuple(
            SourceTable(
                figures=FIGURES_OF_TABLE[table],
                table=table,
                run=run.run,
                stage=run.stage,
                rows=int(run.tables[table]["rows"]),
                sha256=str(run.tables[table]["sha256"]),
            )
            for table, run in held.items()
        ),
        runs=tuple(source_run(runs[number]) for number in sorted(runs)),
    )


def source_run(run: PublishedRun) -> SourceRun:
    """A run, what it was built on and the input files that it read, as its manifest tells them."""
    inputs: Mapping[str, Any] = run.manifest["inputs"]
    return SourceRun(
        quarter=run.quarter.label,
        run=run.run,
        stage=run.stage,
        cutoff_at=run.cutoff_at.replace(tzinfo=None),
        policy_version=str(run.manifest["policy_version"]),
        code_version=str(run.manifest["code_version"]),
        manifest=run.manifest_path.relative_to(run.zone).as_posix(),
        built_on=tuple(
            f"{entry['quarter']} run {entry['run']} ({entry['stage']})"
            for entry in inputs.get("published", ())
        ),
        input_files=tuple(
            InputFile(
                table=str(entry["table"]),
                rows=int(entry["rows"]),
                sha256=str(entry["sha256"]),
                simulated=entry.get("simulated"),
            )
            for entry in inputs.get("landing", ())
        ),
    )
