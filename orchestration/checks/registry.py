"""Every check of the graph, in the order of stages."""

from pathlib import Path
from typing import cast

import dagster as dg

from orchestration.checks.contract_checks import contract_check
from orchestration.checks.contract_result import ContractResult
from orchestration.checks.invariants import invariant_checks
from orchestration.checks.outcomes import record_outcome
from orchestration.checks.verified import verified_checks
from orchestration.resources import Market
from orchestration.stages import MARTS, RESULTS_TABLE, STAGES


def all_checks() -> list[dg.AssetChecksDefinition]:
    """A contract for each table that crosses a stage, invariants, second computation."""
    made = [f"market.{table}" for stage in STAGES for table in stage.tables]
    read = [
        relation for stage in STAGES for relation in stage.reads if relation.startswith("facts.")
    ]
    marts = [f"marts.{table}" for table in MARTS]
    results = f"market.{RESULTS_TABLE}"
    contracts = [_contract(*relation.split(".")) for relation in (*read, *made, *marts, results)]
    return [*contracts, *invariant_checks(), *verified_checks()]


def _contract(schema: str, table: str) -> dg.AssetChecksDefinition:
    return contract_check(
        table,
        dg.AssetKey(table),
        schema=schema,
        working_file=_working_file,
        keep=_keep,
        required_resource_keys={"market"},
    )


def _market(context: dg.AssetCheckExecutionContext) -> Market:
    return cast("Market", context.op_execution_context.resources.market)


def _working_file(context: dg.AssetCheckExecutionContext) -> Path:
    return _market(context).working_file(context)


def _keep(context: dg.AssetCheckExecutionContext, result: ContractResult) -> None:
    record_outcome(_market(context).folder(context), result.table, result.as_document())
