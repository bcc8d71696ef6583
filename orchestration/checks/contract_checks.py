"""Contracts as blocking asset checks: a table that breaks its contract stops what comes after.

Here belongs what Dagster sees of a contract. Running it is ``contract_run``; keeping outcomes for
the manifest is ``outcomes``; which assets get a check is for whoever assembles the definitions.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import dagster as dg

from orchestration.checks.contract_result import ContractResult
from orchestration.checks.contract_run import run_contract
from orchestration.contracts import Contract, load_contract
from orchestration.descriptions.run_metadata import of_which_run

CHECK_NAME = "contract"


def contract_check(
    table: str,
    asset_key: dg.AssetKey,
    *,
    working_file: Callable[[dg.AssetCheckExecutionContext], Path],
    schema: str = "market",
    keep: Callable[[dg.AssetCheckExecutionContext, ContractResult], None] | None = None,
    required_resource_keys: set[str] | None = None,
) -> dg.AssetChecksDefinition:
    """The blocking check, named ``contract``, of one table.

    Args:
        table: the table, which has a contract.
        asset_key: the asset that makes it.
        working_file: finds the working file of the run that the context belongs to.
        schema: where in it the table stands: ``market``, ``facts`` or ``marts``.
        keep: called with every result, passed or not, before the check reports.
        required_resource_keys: resources that ``working_file`` and ``keep`` take from the context.

    Raises:
        BadConfiguration: the table has no contract, or one that cannot be read.
    """
    contract = load_contract(table)

    @dg.asset_check(
        asset=asset_key,
        name=CHECK_NAME,
        blocking=True,
        description=_description(contract),
        required_resource_keys=required_resource_keys,
    )
    def contract_holds(context: dg.AssetCheckExecutionContext) -> dg.AssetCheckResult:
        result = run_contract(working_file(context), schema, contract)
        if keep is not None:
            keep(context, result)
        return check_result(result, of_which_run(context.run.tags))

    return contract_holds


def _description(contract: Contract) -> str:
    rules = "\n".join(f"- {rule.sentence}" for rule in contract.rules)
    return (
        f"{contract.table} keeps its data contract, version {contract.version} "
        f"(data_contracts/{contract.table}.odcs.yaml): columns and types as agreed, "
        f"{contract.grain}, and:\n\n{rules}"
    )


def check_result(
    result: ContractResult, about: Mapping[str, str] = MappingProxyType({})
) -> dg.AssetCheckResult:
    """A contract's result as Dagster shows it; a broken warning is shown but does not block.

    Args:
        result: what checking the table found.
        about: which run it was, shown first.
    """
    metadata: dict[str, Any] = {
        **about,
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
