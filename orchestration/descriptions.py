"""What the lineage UI says of an asset: owner, grain, rule, columns with units.

Here belongs text for people, taken from contracts and stages so that it is written once.
"""

from __future__ import annotations

import dagster as dg

from orchestration.contracts import Contract, load_contract
from orchestration.stages import Stage, asset_path

OWNERS = ["team:capacity-programme"]


def column_schema(contract: Contract) -> dg.TableSchema:
    """A contract's columns as Dagster shows them, unit first in the description."""
    return dg.TableSchema(
        columns=[
            dg.TableColumn(
                name=column.name,
                type=column.physical_type,
                description=f"[{column.unit}] {column.description}"
                if column.unit
                else column.description,
                constraints=dg.TableColumnConstraints(nullable=not column.required),
            )
            for column in contract.columns
        ]
    )


def stage_specs(stage: Stage) -> list[dg.AssetSpec]:
    """The assets of a stage, one a table."""
    deps = [dg.AssetKey(asset_path(relation)) for relation in stage.reads]
    return [_stage_spec(stage, table, deps) for table in stage.tables]


def _stage_spec(stage: Stage, table: str, deps: list[dg.AssetKey]) -> dg.AssetSpec:
    contract = load_contract(table)
    return dg.AssetSpec(
        table,
        deps=deps,
        group_name=stage.name,
        owners=OWNERS,
        kinds={"python", "duckdb"},
        code_version=contract.version,
        description=(
            f"{contract.description}\n\nGrain: {contract.grain}.\n\n"
            f"Rule: {stage.rule} of docs/rules.md ({stage.summary})."
        ),
        metadata={
            "dagster/column_schema": column_schema(contract),
            "rule": stage.rule,
            "contract_version": contract.version,
        },
    )
