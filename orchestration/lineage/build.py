"""The whole graph: beginnings, dbt models, tables that Python makes.

Here belongs putting the parts together. Each part comes from the place that is true of it: the SQL
that runs, the contracts that are tested against the functions that run.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from orchestration.contracts import contract_names, load_contract
from orchestration.dbt_runner import compiled_models, manifest_document
from orchestration.lineage.beginnings import (
    history_tables,
    landing_tables,
    policy_tables,
    run_tables,
)
from orchestration.lineage.graph import Lineage, LineageColumn, LineageTable, rule_in, unit_in
from orchestration.lineage.sql_columns import QueryColumns, columns_of_query
from orchestration.stages import RESULTS_TABLE, STAGES


@cache
def whole_lineage() -> Lineage:
    """The lineage of every column that a run reads, makes or publishes; worked out once a process.

    Raises:
        BadConfiguration: a query cannot be resolved, or a contract names what does not exist.
    """
    document = manifest_document()
    sources = [document["sources"][key] for key in sorted(document["sources"])]
    declared = [f"{each['schema']}.{each['identifier']}" for each in sources]
    read = [relation for stage in STAGES for relation in stage.reads]
    history = [name for name in (*declared, *read) if name.startswith("history.")]
    return Lineage(
        [
            *policy_tables(),
            *landing_tables(),
            *run_tables(sources),
            *history_tables(history),
            *model_tables(document, compiled_models()),
            *stage_tables(),
        ]
    )


def stage_tables() -> Iterator[LineageTable]:
    """The tables that Python makes, as their contracts declare them."""
    for stage in STAGES:
        for table in stage.tables:
            yield _made_table(table, f"stage {stage.name}", stage.rule)
    yield _made_table(RESULTS_TABLE, "the run's last step but one", "§8")


def _made_table(table: str, made_by: str, rule: str) -> LineageTable:
    contract = load_contract(table)
    return LineageTable(
        relation=f"market.{table}",
        description=contract.description,
        columns=tuple(
            LineageColumn(
                column.name,
                column.origin.sources,
                column.origin.formula,
                column.origin.description,
                column.description,
                column.physical_type,
                column.unit,
                rule_in(column.origin.description, column.description) or rule,
            )
            for column in contract.columns
        ),
        row_sources=contract.row_sources,
        made_by=made_by,
        contract_version=contract.version,
    )


def model_tables(
    document: Mapping[str, Any], compiled: Mapping[str, str]
) -> Iterator[LineageTable]:
    """The dbt models, each resolved against the tables before it.

    Args:
        document: dbt's manifest.
        compiled: the SQL of each model.
    """
    schema: dict[str, dict[str, dict[str, str]]] = {}
    for source in document["sources"].values():
        types = {name: each["data_type"] for name, each in source["columns"].items()}
        schema.setdefault(source["schema"], {})[source["identifier"]] = types
    for name in _in_order(document, compiled):
        node = document["nodes"][f"model.fbacap.{name}"]
        found = columns_of_query(compiled[name], schema, name)
        declared = node["columns"]
        schema.setdefault(node["schema"], {})[name] = {
            column: declared.get(column, {}).get("data_type") or "varchar"
            for column in found.columns
        }
        yield _model_table(name, node, found)


def _in_order(document: Mapping[str, Any], compiled: Mapping[str, str]) -> Iterator[str]:
    """Model names, each after those that it reads."""
    done: set[str] = set()
    waiting = sorted(compiled)
    while waiting:
        for name in waiting:
            reads = document["nodes"][f"model.fbacap.{name}"]["depends_on"]["nodes"]
            models = {each.split(".")[-1] for each in reads if each.startswith("model.")}
            if models <= done:
                done.add(name)
                yield name
        waiting = [name for name in waiting if name not in done]


def _model_table(name: str, node: Mapping[str, Any], found: QueryColumns) -> LineageTable:
    contract = load_contract(name) if name in contract_names() else None
    about = " ".join(str(node["description"]).split())
    columns = []
    for column, query in found.columns.items():
        declared = node["columns"].get(column, {})
        promised = contract.column(column) if contract and column in contract.column_names else None
        text = promised.description if promised else str(declared.get("description") or "")
        kind = promised.physical_type if promised else str(declared.get("data_type") or "").upper()
        columns.append(
            LineageColumn(
                name=column,
                sources=_full_names(query.sources),
                formula=query.expression,
                reason=None,
                description=text,
                physical_type=kind,
                unit=(promised.unit if promised else None) or unit_in(column),
                rule=rule_in(text, about),
            )
        )
    return LineageTable(
        relation=f"{node['schema']}.{name}",
        description=contract.description if contract else about,
        columns=tuple(columns),
        row_sources=_full_names(found.rows),
        made_by=f"dbt model {name}",
        contract_version=contract.version if contract else None,
    )


def _full_names(columns: frozenset[tuple[str, str]]) -> tuple[str, ...]:
    return tuple(sorted(f"{relation}.{column}" for relation, column in columns))
