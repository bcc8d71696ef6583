"""Contracts as blocking asset checks: a table that breaks its contract stops what comes after.

Here belongs what Dagster sees of a contract. Running it is ``contract_run``; keeping outcomes for
the manifest is ``outcomes``; which assets get a check is for whoever assembles the definitions.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import dagster as dg

from orchestration.checks.contract_result import ContractResult
from orchestration.checks.contract_run import run_contract
from orchestration.checks.outcomes import record_outcome
from orchestration.contracts import load_contract

CHECK_NAME = "contract"


def market_working_file(context: dg.AssetCheckExecutionContext) -> Path:
    """The working file of the run, through the resource ``market``."""
    path: Path = context.resources.market.working_file(context)
    return path


def keep_outcome(context: dg.AssetCheckExecutionContext, result: ContractResult) -> None:
    """Keep the outcome in the run's working folder, until the manifest records it."""
    record_outcome(context.resources.market.folder(context), result.table, result.as_document())


def contract_check(
    table: str,
    asset_key: dg.AssetKey | None = None,
    *,
    schema: str = "market",
    working_file: Callable[[dg.AssetCheckExecutionContext], Path] = market_working_file,
    keep: Callable[[dg.AssetCheckExecutionContext, ContractResult], None] = keep_outcome,
) -> dg.AssetChecksDefinition:
    """The blocking check, named ``contract``, of one table.

    Args:
        table: the table, which has a contract.
        asset_key: the asset that makes it; the table's name by default.
        schema: where in the working file the table stands: ``market``, ``facts`` or ``marts``.
        working_file: finds the working file of the run that the context belongs to.
        keep: called with every result, passed or not, before the check reports.

    Raises:
        BadConfiguration: the table has no contract, or one that cannot be read.
    """
    contract = load_contract(table)

    @dg.asset_check(
        asset=asset_key or dg.AssetKey(table),
        name=CHECK_NAME,
        blocking=True,
        description=f"{table} keeps its data contract, version {contract.version}.",
        required_resource_keys={"market"},
    )
    def contract_holds(context: dg.AssetCheckExecutionContext) -> dg.AssetCheckResult:
        result = run_contract(working_file(context), schema, contract)
        keep(context, result)
        return check_result(result)

    return contract_holds


def check_result(result: ContractResult) -> dg.AssetCheckResult:
    """A contract's result as Dagster shows it; a broken warning is shown but does not block."""
    metadata: dict[str, Any] = {
        "contract_version": result.version,
        "rows_checked": result.checked_rows,
        "rules": len(result.rules),
        "rules_broken": len(result.broken),
        "rules_not_judged": len(result.unjudged),
        "results": dg.MetadataValue.md(result.rules_markdown()),
    }
    if samples := result.samples_markdown():
        metadata["failing_rows"] = dg.MetadataValue.md(samples)
    return dg.AssetCheckResult(
        passed=result.passed,
        severity=dg.AssetCheckSeverity.ERROR,
        description=result.summary,
        metadata=metadata,
    )
