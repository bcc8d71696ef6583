"""The dbt models as assets of the same graph.

Here belongs the translation between dbt's project and Dagster's graph. The SQL is in
``dbt_project``; running it is ``dbt_runner``.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import dagster as dg
from dagster_dbt import DagsterDbtTranslator, DagsterDbtTranslatorSettings
from dagster_dbt.asset_utils import build_dbt_specs

from orchestration.dbt_runner import NodeResult, build_models, manifest_document
from orchestration.descriptions import OWNERS
from orchestration.partitions import QUARTERS
from orchestration.resources import Market
from orchestration.working import connect

_UNIQUE_ID = "dagster_dbt/unique_id"


class Translator(DagsterDbtTranslator):
    """Keys are model names, groups are the layers' folders."""

    def get_group_name(self, dbt_resource_props: Mapping[str, Any]) -> str | None:
        """The layer: staging, facts or marts."""
        fqn = dbt_resource_props.get("fqn", [])
        return str(fqn[1]) if len(fqn) > 2 else None

    def get_asset_key(self, dbt_resource_props: Mapping[str, Any]) -> dg.AssetKey:
        """A model's own name; a source's declared asset key."""
        if dbt_resource_props["resource_type"] == "model":
            return dg.AssetKey([dbt_resource_props["name"]])
        return super().get_asset_key(dbt_resource_props)

    def get_owners(self, dbt_resource_props: Mapping[str, Any]) -> Sequence[str] | None:  # noqa: ARG002
        """The programme's team owns every model."""
        return OWNERS


def dbt_assets() -> list[dg.AssetsDefinition]:
    """Every dbt model, in two steps: what Python stages read, and what reads them.

    A stage run selects the models of its kind from each step, so that dbt is called twice at most.
    """
    document = manifest_document()
    models = [node for node in document["nodes"].values() if node["resource_type"] == "model"]
    marts = sorted(node["name"] for node in models if node["fqn"][1] == "marts")
    facts = sorted(node["name"] for node in models if node["fqn"][1] != "marts")
    return [_step(document, "dbt_facts", facts), _step(document, "dbt_marts", marts)]


def models_of_kind(kind: str) -> list[str]:
    """The models that one kind of stage run builds."""
    return sorted(
        node["name"]
        for node in manifest_document()["nodes"].values()
        if node["resource_type"] == "model" and kind in node["tags"]
    )


def _step(document: Mapping[str, Any], name: str, models: Sequence[str]) -> dg.AssetsDefinition:
    specs, checks = build_dbt_specs(
        translator=Translator(DagsterDbtTranslatorSettings(enable_asset_checks=True)),
        manifest=document,
        select=" ".join(f"fqn:{model}" for model in models),
        exclude="",
        selector="",
        io_manager_key=None,
        project=None,
    )

    @dg.multi_asset(
        specs=specs, check_specs=checks, partitions_def=QUARTERS, name=name, can_subset=True
    )
    def step(
        context: dg.AssetExecutionContext, market: Market
    ) -> Iterator[dg.MaterializeResult | dg.AssetCheckResult]:
        selected = sorted(key.path[-1] for key in context.selected_asset_keys)
        results = build_models(market.working_file(context), selected)
        yield from _outcomes(context, market, results)

    return step


def _outcomes(
    context: dg.AssetExecutionContext, market: Market, results: Sequence[NodeResult]
) -> Iterator[dg.MaterializeResult | dg.AssetCheckResult]:
    checks = {
        spec.metadata[_UNIQUE_ID]: spec
        for spec in context.assets_def.check_specs
        if spec.key in context.selected_asset_check_keys
    }
    broken = [
        result
        for result in results
        if result.status in ("error", "skipped")
        or (not result.succeeded and result.unique_id not in checks)
    ]
    if broken:
        raise dg.Failure(
            description="; ".join(f"{result.name}: {result.message}" for result in broken),
            allow_retries=False,
        )
    rows = _row_counts(context, market, results)
    for result in results:
        if result.resource_type == "model":
            count = rows.get(result.name)
            yield dg.MaterializeResult(
                asset_key=result.name,
                metadata={} if count is None else {"rows_out": count, "dagster/row_count": count},
            )
        elif result.unique_id in checks:
            spec = checks[result.unique_id]
            yield dg.AssetCheckResult(
                asset_key=spec.asset_key,
                check_name=spec.name,
                passed=result.succeeded,
                severity=dg.AssetCheckSeverity.ERROR,
                description=result.message or "holds",
                metadata={"failing_rows": result.failures},
            )


def _row_counts(
    context: dg.AssetExecutionContext, market: Market, results: Sequence[NodeResult]
) -> dict[str, int]:
    """Rows of every table built; a view is not evaluated just to be counted."""
    nodes = manifest_document()["nodes"]
    tables = [
        nodes[result.unique_id]
        for result in results
        if result.resource_type == "model"
        and nodes[result.unique_id]["config"]["materialized"] == "table"
    ]
    counts = {}
    with connect(market.working_file(context)) as connection:
        for node in tables:
            relation = f'{node["schema"]}."{node["alias"]}"'
            row = connection.execute(f"select count(*) from {relation}").fetchone()
            counts[node["name"]] = int(row[0]) if row else 0
    return counts
