"""First step of every run: the working file, built from landing zone and published runs."""

import json
from collections.abc import Iterator

import dagster as dg

from orchestration.checks.freshness import freshness_results, freshness_specs
from orchestration.checks.input_rules import input_rule_results, input_rule_specs
from orchestration.descriptions.inputs import landing_spec, run_spec
from orchestration.descriptions.run_metadata import run_metadata
from orchestration.partitions import QUARTERS
from orchestration.resources import FILES_FILE, INPUTS_FILE, Market
from orchestration.stages import INPUT_TABLES, RUN_TABLES
from orchestration.working import create_working_file


def _specs() -> Iterator[dg.AssetSpec]:
    yield from (landing_spec(table) for table in INPUT_TABLES)
    yield from (run_spec(table) for table in RUN_TABLES)


@dg.multi_asset(
    specs=list(_specs()),
    check_specs=[*input_rule_specs(), *freshness_specs()],
    partitions_def=QUARTERS,
    name="landing_tables",
)
def landing_tables(
    context: dg.AssetExecutionContext, market: Market
) -> Iterator[dg.MaterializeResult | dg.AssetCheckResult]:
    """Make the working file: what this stage of this quarter may know, and nothing else."""
    run = market.stage_run(context)
    folder = market.folder(context)
    inputs = create_working_file(run, folder)
    (folder / INPUTS_FILE).write_text(json.dumps(inputs.record, sort_keys=True), encoding="utf-8")
    files = {str(path): sha256 for path, sha256 in inputs.files.items()}
    (folder / FILES_FILE).write_text(json.dumps(files, sort_keys=True), encoding="utf-8")
    for table in INPUT_TABLES:
        received = [entry for entry in inputs.record["landing"] if entry["table"] == table]
        simulated = sorted({entry["simulated"] for entry in received if "simulated" in entry})
        yield dg.MaterializeResult(
            asset_key=["landing", table],
            metadata={
                "dagster/row_count": inputs.landed_rows[table],
                "rows_out": inputs.landed_rows[table],
                "files": dg.MetadataValue.json(received),
                "simulated": ", ".join(simulated) or "no",
                **run_metadata(run),
            },
        )
    for table in RUN_TABLES:
        yield dg.MaterializeResult(asset_key=["run", table], metadata=run_metadata(run))
    yield from input_rule_results(context, market)
    yield from freshness_results(context, market)
