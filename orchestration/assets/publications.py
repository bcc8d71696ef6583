"""Last step of every run: publish the stage's tables, all or nothing.

It comes after the stage's tables and their blocking checks, so nothing that breaks a contract is
ever published.
"""

import shutil
from typing import Any

import dagster as dg
import duckdb

from fbacap_logic.calendar import StageKind
from orchestration.checks.outcomes import outcomes_of
from orchestration.code_version import code_version
from orchestration.descriptions.formulas import formula_of
from orchestration.descriptions.groups import group_of
from orchestration.descriptions.run_metadata import check_figures, run_metadata, where_next
from orchestration.descriptions.specs import OWNERS, description, rule_metadata
from orchestration.files import file_digest
from orchestration.partitions import QUARTERS
from orchestration.policies import policy_digest, policy_document
from orchestration.published import Publication, publish
from orchestration.resources import Market
from orchestration.stage_run import StageRun
from orchestration.stages import PUBLICATIONS, published_tables
from orchestration.working import connect

FORMULA = formula_of("published")
_DESCRIPTIONS: dict[StageKind, str] = {
    "announce": "The announcement of a quarter: its base allocations and the estimates after it.",
    "round": "The results of every round closed so far: requests, grants, market figures, fees.",
    "settle": "A settlement run: incremental sales, credits, net dues, ledger and statements.",
}


def publication_assets() -> list[dg.AssetsDefinition]:
    """One publishing asset for each kind of stage run."""
    return [_publication(kind) for kind in PUBLICATIONS]


def _publication(kind: StageKind) -> dg.AssetsDefinition:
    @dg.asset(
        key=PUBLICATIONS[kind],
        deps=[dg.AssetKey(table) for table in published_tables(kind)],
        partitions_def=QUARTERS,
        group_name=group_of("published"),
        owners=OWNERS,
        kinds={"parquet"},
        description=description(
            f"{_DESCRIPTIONS[kind]}\n\nImmutable Parquet files and a manifest naming every input "
            "by hash; identical content is not published twice.",
            f"one run of one quarter, with the tables {', '.join(published_tables(kind))}",
            FORMULA,
        ),
        metadata=rule_metadata(FORMULA.rule),
    )
    def publication(context: dg.AssetExecutionContext, market: Market) -> dg.MaterializeResult:
        run = market.stage_run(context)
        market.require_whole_inputs(context)
        with connect(market.working_file(context)) as connection:
            published = publish(
                connection,
                run.data.published,
                run.quarter,
                run.stage,
                published_tables(kind),
                _facts(context, market, run),
                reason=run.reason,
            )
        outcomes = outcomes_of(market.folder(context))
        shutil.rmtree(market.folder(context))
        return dg.MaterializeResult(metadata=_metadata(published, run, outcomes))

    return publication


def _facts(context: dg.AssetExecutionContext, market: Market, run: StageRun) -> dict[str, Any]:
    return {
        "policy_version": run.policy.policy_version,
        "policy_sha256": policy_digest(run.policy),
        "policy": policy_document(run.policy),
        "code_version": code_version(),
        "engine": f"duckdb {duckdb.__version__}",
        "inputs": market.inputs(context),
    }


def _metadata(
    published: Publication, stage_run: StageRun, outcomes: list[dict[str, Any]]
) -> dict[str, Any]:
    run = published.run
    rows = {table: entry["rows"] for table, entry in run.tables.items()}
    digests = {table: entry["sha256"] for table, entry in run.tables.items()}
    return {
        "run": run.run,
        "is_new": published.is_new,
        "superseded_by": published.superseded_by.run if published.superseded_by else 0,
        **where_next(run, stage_run.data.root),
        **check_figures(outcomes),
        "rows_out": sum(rows.values()),
        "rows": dg.MetadataValue.json(rows),
        "sha256": dg.MetadataValue.json(digests),
        "manifest_sha256": file_digest(run.manifest_path),
        "published_by_code_version": run.manifest["code_version"],
        **run_metadata(stage_run),
    }
