"""First step of every run: the working file, built from landing zone and published runs."""

import json
from collections.abc import Iterator

import dagster as dg

from orchestration.contracts import load_contract
from orchestration.descriptions import OWNERS, column_schema
from orchestration.partitions import QUARTERS
from orchestration.resources import INPUTS_FILE, Market
from orchestration.stages import INPUT_TABLES, RUN_TABLES
from orchestration.working import create_working_file

_RUN_DESCRIPTIONS = {
    "parameters": "One row: quarter, stage, cut-off and policy of this run (rules §1).",
    "rounds": "One row a round of the quarter: when it closes, when its space is in force.",
    "previous_rounds": "The same of the quarter before, for space that was in force then.",
    "second_previous_rounds": "The same of the quarter before that.",
    "currencies": "One row a currency: its minor-unit digits (ISO 4217).",
}


def _specs() -> Iterator[dg.AssetSpec]:
    for table in INPUT_TABLES:
        contract = load_contract(table)
        yield dg.AssetSpec(
            ["landing", table],
            group_name="landing",
            owners=OWNERS,
            kinds={"parquet"},
            description=(
                f"{contract.description}\n\nGrain: {contract.grain}. As received, every version, "
                "only what had been received before the run's cut-off (rules §1)."
            ),
            metadata={"dagster/column_schema": column_schema(contract)},
        )
    for table in RUN_TABLES:
        yield dg.AssetSpec(
            ["run", table],
            group_name="landing",
            owners=OWNERS,
            kinds={"python"},
            description=_RUN_DESCRIPTIONS[table],
        )


@dg.multi_asset(specs=list(_specs()), partitions_def=QUARTERS, name="landing_tables")
def landing_tables(
    context: dg.AssetExecutionContext, market: Market
) -> Iterator[dg.MaterializeResult]:
    """Make the working file: what this stage of this quarter may know, and nothing else."""
    run = market.stage_run(context)
    folder = market.folder(context)
    inputs = create_working_file(run, folder)
    (folder / INPUTS_FILE).write_text(json.dumps(inputs.record, sort_keys=True), encoding="utf-8")
    for table in INPUT_TABLES:
        files = [entry for entry in inputs.record["landing"] if entry["table"] == table]
        simulated = sorted({entry["simulated"] for entry in files if "simulated" in entry})
        yield dg.MaterializeResult(
            asset_key=["landing", table],
            metadata={
                "dagster/row_count": inputs.landed_rows[table],
                "rows_out": inputs.landed_rows[table],
                "files": dg.MetadataValue.json(files),
                "simulated": ", ".join(simulated) or "no",
                "cut_off": run.stage.cutoff_at.isoformat(),
            },
        )
    for table in RUN_TABLES:
        yield dg.MaterializeResult(
            asset_key=["run", table], metadata={"policy_version": run.policy.policy_version}
        )
