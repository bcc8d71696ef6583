"""The dbt models as assets of the same graph.

Here belongs the translation between dbt's project and Dagster's graph. The SQL is in
``dbt_project``; running it is ``dbt_runner``.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import dagster as dg
from dagster_dbt import DagsterDbtTranslator, build_dbt_asset_specs

from orchestration.checks.row_accounts import row_account_results, row_account_specs
from orchestration.dbt_runner import NodeResult, build_models, manifest_document
from orchestration.descriptions.groups import group_of
from orchestration.descriptions.run_metadata import of_which_run, run_metadata
from orchestration.descriptions.specs import OWNERS, described_model
from orchestration.partitions import QUARTERS
from orchestration.resources import Market
from orchestration.working import connect

CHECK_NAME = "dbt_tests"


class Translator(DagsterDbtTranslator):
    """Keys are model names, groups are the layers' folders."""

    def get_group_name(self, dbt_resource_props: Mapping[str, Any]) -> str | None:
        """The layer: staging, facts or marts."""
        is_model = dbt_resource_props["resource_type"] == "model"
        return group_of(str(dbt_resource_props["fqn"][1])) if is_model else None

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
    nodes = document["nodes"]
    specs = [
        described_model(spec, nodes[f"model.fbacap.{spec.key.path[-1]}"])
        for spec in build_dbt_asset_specs(
            manifest=document,
            dagster_dbt_translator=Translator(),
            select=" ".join(f"fqn:{model}" for model in models),
        )
    ]

    @dg.multi_asset(
        specs=specs,
        check_specs=[
            *(_check_spec(model) for model in models if tests_of(model)),
            *row_account_specs(models),
        ],
        partitions_def=QUARTERS,
        name=name,
        can_subset=True,
    )
    def step(
        context: dg.AssetExecutionContext, market: Market
    ) -> Iterator[dg.MaterializeResult | dg.AssetCheckResult]:
        selected = sorted(key.path[-1] for key in context.selected_asset_keys)
        results = build_models(market.working_file(context), selected)
        yield from _outcomes(context, market, results)
        yield from row_account_results(context, market)

    return step


def tests_of(model: str) -> list[str]:
    """The dbt tests that are reported with a model: those attached to it, by unique id.

    A singular test belongs to the model that its configuration names, else to the first it reads.
    """
    return sorted(
        unique_id
        for unique_id, node in manifest_document()["nodes"].items()
        if node["resource_type"] == "test" and _tested_model(node) == f"model.fbacap.{model}"
    )


def _tested_model(test: Mapping[str, Any]) -> str:
    if test.get("attached_node"):
        return str(test["attached_node"])
    reference = test["config"].get("meta", {}).get("dagster", {}).get("ref")
    if reference:
        return f"model.fbacap.{reference['name']}"
    return str(min(test["depends_on"]["nodes"], default=""))


def _check_spec(model: str) -> dg.AssetCheckSpec:
    nodes = manifest_document()["nodes"]
    names = "\n".join(f"- {nodes[each]['name'].replace('_', ' ')}" for each in tests_of(model))
    return dg.AssetCheckSpec(
        CHECK_NAME,
        asset=dg.AssetKey(model),
        blocking=True,
        description=f"No row of {model} breaks one of its dbt tests:\n\n{names}",
    )


def _outcomes(
    context: dg.AssetExecutionContext, market: Market, results: Sequence[NodeResult]
) -> Iterator[dg.MaterializeResult | dg.AssetCheckResult]:
    failed = [result for result in results if result.status in ("error", "skipped")]
    if failed:
        raise dg.Failure(
            description="; ".join(f"{result.name}: {result.message}" for result in failed),
            allow_retries=False,
        )
    rows, facts = _row_counts(context, market, results), run_metadata(market.stage_run(context))
    tested = {result.unique_id: result for result in results if result.resource_type == "test"}
    for result in results:
        if result.resource_type != "model":
            continue
        count = rows.get(result.name)
        counted = {} if count is None else {"rows_out": count, "dagster/row_count": count}
        yield dg.MaterializeResult(
            asset_key=result.name,
            metadata={**counted, **facts},
        )
        held = [tested[name] for name in tests_of(result.name) if name in tested]
        if dg.AssetCheckKey(dg.AssetKey(result.name), CHECK_NAME) in (
            context.selected_asset_check_keys
        ):
            yield _check_result(result.name, held, of_which_run(context.run.tags))


def _check_result(
    model: str, tests: Sequence[NodeResult], about: Mapping[str, str]
) -> dg.AssetCheckResult:
    broken = [test for test in tests if not test.succeeded]
    lines = ["| | test | failing rows |", "|---|---|---|"]
    marks = {"pass": "✓", "warn": "!"}
    lines += [
        f"| {marks.get(test.status, '✗')} | {test.name} | {test.failures} |" for test in tests
    ]
    warned = [test for test in tests if test.status == "warn"]
    summary = "; ".join(f"{test.name}: {test.message}" for test in broken + warned)
    return dg.AssetCheckResult(
        asset_key=dg.AssetKey(model),
        check_name=CHECK_NAME,
        passed=not broken,
        severity=dg.AssetCheckSeverity.ERROR,
        description=summary or f"all {len(tests)} tests hold",
        metadata={
            **about,
            "tests": len(tests),
            "broken": len(broken),
            "warned": len(warned),
            "results": dg.MetadataValue.md("\n".join(lines)),
        },
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
