"""The second computation as asset checks: before a run is published, and after a settlement was.

Here belongs running it inside a stage run. What is computed and compared is ``verification``, which
knows no Dagster and shares no code with ``fbacap_logic`` (decision 8).
"""

from collections.abc import Mapping, Sequence
from typing import Any, cast

import dagster as dg
import duckdb

from orchestration.checks.contract_result import rows_markdown
from orchestration.checks.invariants import LAST_TABLE
from orchestration.checks.outcomes import record_outcome
from orchestration.descriptions.run_metadata import of_which_run
from orchestration.policies import policy_document
from orchestration.report.kept import keep_verification
from orchestration.resources import Market, OpenStage
from orchestration.stages import PUBLICATIONS
from orchestration.verification.findings import Comparison, broken
from orchestration.verification.manifests import quarter_manifests
from orchestration.verification.pairings import ROUND_TABLES, SETTLEMENT_TABLES
from orchestration.verification.quarter import QuarterVerification, verify_quarter
from orchestration.verification.run_checks import (
    impossible,
    recompute_round,
    recompute_settlement,
)
from orchestration.verification.statements import RunParameters

BEFORE = "second_computation"
AFTER = "verified"
_AGREE = "every figure is the same, computed a second time in SQL"
_OTHER_RELATIONS = {
    "announced_base_allocations": "market.base_allocations",
    "published_repriced_fees": "market.repriced_fees",
    "settled_before": "history.previous_settlements",
}


def verified_checks() -> list[dg.AssetChecksDefinition]:
    """One before publishing for each kind of run that has figures, and one after a settlement."""
    return [_before_publishing("round"), _before_publishing("settle"), _after_publishing()]


def _before_publishing(kind: str) -> dg.AssetChecksDefinition:
    is_round = kind == "round"
    asset = LAST_TABLE["round" if is_round else "settle"]
    tables = ROUND_TABLES if is_round else SETTLEMENT_TABLES
    recompute = recompute_round if is_round else recompute_settlement

    @dg.asset_check(
        asset=dg.AssetKey(asset),
        name=BEFORE,
        blocking=True,
        additional_deps=[dg.AssetKey(table) for table in tables if table != asset],
        description="Grants, fees, credits and net dues are the same computed a second time, in "
        "SQL that shares no code with the first (rules §§3–5, 7).",
        required_resource_keys={"market"},
    )
    def second_computation(context: dg.AssetCheckExecutionContext) -> dg.AssetCheckResult:
        market = cast("Market", context.op_execution_context.resources.market)
        with market.open(context) as opened:
            _lay_out(opened, tables)
            run = opened.run
            parameters = RunParameters(
                policy_document(run.policy), run.quarter.first_day, run.stage.cutoff_at
            )
            try:
                comparisons = recompute(opened.connection, run.stage.name, parameters)
            except duckdb.Error as error:
                comparisons = [impossible(run.stage.name, str(error).splitlines()[0])]
        record_outcome(market.folder(context), BEFORE, _outcome(comparisons))
        return _result(comparisons, of_which_run(context.run.tags))

    return second_computation


def _after_publishing() -> dg.AssetChecksDefinition:
    @dg.asset_check(
        asset=dg.AssetKey(PUBLICATIONS["settle"]),
        name=AFTER,
        blocking=True,
        description="What stands published is what a second computation gives, byte for byte what "
        "its manifest says, and so are the files that it was built on.",
        required_resource_keys={"market"},
    )
    def verified(context: dg.AssetCheckExecutionContext) -> dg.AssetCheckResult:
        market = cast("Market", context.op_execution_context.resources.market)
        run = market.stage_run(context)
        zone, key, label = run.data.published, run.quarter.key, run.quarter.label
        settled = [each for each in quarter_manifests(zone, key, label) if each.kind == "settle"]
        # A directed rerun that gives what stands already leaves no run of its own name.
        published = [each for each in settled if each.stage == run.stage.name] or settled
        found = verify_quarter(zone, key, label, run=published[-1].run)
        keep_verification(run.data, run.quarter, found)
        return _result(found.comparisons, of_which_run(context.run.tags), found)

    return verified


def _lay_out(opened: OpenStage, tables: Sequence[str]) -> None:
    """Give a working file's tables the names that the SQL reads."""
    relations = {f"published_{table}": f"market.{table}" for table in tables}
    for view, relation in {**_OTHER_RELATIONS, **relations}.items():
        opened.connection.execute(f"create temp view {view} as select * from {relation}")
    opened.connection.execute("set threads = 1")  # the book is small beside the facts


def _outcome(comparisons: Sequence[Comparison]) -> dict[str, object]:
    rules = [
        {
            "name": each.name,
            "sentence": f"{each.name}: {_AGREE}.",
            "passed": each.holds,
            "failed_rows": each.differing_rows,
            "rows": each.rows,
        }
        for each in comparisons
    ]
    passed = not broken(comparisons)
    return {"table": BEFORE, "kind": BEFORE, "passed": passed, "rules": rules}


def _result(
    comparisons: Sequence[Comparison],
    about: Mapping[str, str],
    found: QuarterVerification | None = None,
) -> dg.AssetCheckResult:
    different = broken(comparisons)
    sentences = [text for each in different for text in each.sentences()]
    counts = [
        {"comparison": each.name, "run": each.run, "rows": str(each.rows),
         "differing": str(each.differing_rows)}
        for each in comparisons
    ]  # fmt: skip
    metadata: dict[str, Any] = {
        **about,
        "rows_compared": sum(each.rows for each in comparisons),
        "differing_rows": sum(each.differing_rows for each in comparisons),
        "comparisons": dg.MetadataValue.md(rows_markdown(counts)),
    }
    if found is not None:
        metadata["manifests"] = dg.MetadataValue.json(
            {str(run.manifest.run): run.manifest_sha256 for run in found.runs}
        )
    if different:
        first = [
            {**each.key, "column": each.column, "published": each.published,
             "expected": each.expected}
            for each in different[0].first
        ]  # fmt: skip
        metadata["first_differences"] = dg.MetadataValue.md(rows_markdown(first))
    return dg.AssetCheckResult(
        passed=not different,
        severity=dg.AssetCheckSeverity.ERROR,
        description=_AGREE if not different else "; ".join(sentences[:5]),
        metadata=metadata,
    )
