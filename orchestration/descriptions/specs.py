"""What the lineage UI says of an asset: owner, grain, rule, formula, columns with units.

Here belongs text for people, taken from contracts, stages, rules and dbt's YAML so that it is
written once. Formulas themselves are ``formulas``; figures of a run are ``figures``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import dagster as dg

from orchestration.contracts import Contract, contract_names, load_contract
from orchestration.descriptions.formulas import Formula, formula_of
from orchestration.descriptions.groups import group_of
from orchestration.descriptions.rules import RULES_PAGE, rule_text
from orchestration.descriptions.units import is_number, shown_unit
from orchestration.paths import PROJECT
from orchestration.stages import Stage, asset_path

OWNERS = ["team:capacity-programme"]
COLUMN_SCHEMA = "dagster/column_schema"


def description(what: str, grain: str, formula: Formula) -> str:
    """An asset's description: what it is, its grain, rule and formula."""
    return (
        f"{what.strip()}\n\n"
        f"**Grain:** {grain.strip().rstrip('.')}.\n\n"
        f"**Rule:** {formula.rule} of docs/rules.md (in full under metadata, `rule_text`).\n\n"
        f"**Formula** (computed in {formula.code}):\n\n```text\n{formula.text.strip()}\n```"
    )


def rule_metadata(rule: str) -> dict[str, Any]:
    """The rule that an asset follows: its number, its words, and where to read on."""
    return {
        "rule": rule,
        "rule_text": dg.MetadataValue.md(rule_text(rule)),
        "rules_page": dg.MetadataValue.path(str(RULES_PAGE.relative_to(PROJECT))),
    }


def column(
    name: str, data_type: str, text: str, *, unit: str | None = None, nullable: bool = True
) -> dg.TableColumn:
    """A column as Dagster shows it; a number's unit stands first in its description."""
    found = shown_unit(name, unit) if unit or is_number(data_type) else None
    return dg.TableColumn(
        name=name,
        type=data_type.upper(),
        description=f"[{found}] {text}" if found else text,
        constraints=dg.TableColumnConstraints(nullable=nullable),
    )


def column_schema(contract: Contract) -> dg.TableSchema:
    """A contract's columns."""
    return dg.TableSchema(
        columns=[
            column(
                each.name,
                each.physical_type,
                each.description,
                unit=each.unit,
                nullable=not each.required,
            )
            for each in contract.columns
        ]
    )


def declared_columns(columns: Mapping[str, Mapping[str, Any]]) -> dg.TableSchema:
    """Columns as dbt's YAML declares them, by name."""
    return dg.TableSchema(
        columns=[
            column(name, str(each["data_type"]), str(each["description"]))
            for name, each in columns.items()
        ]
    )


def stage_specs(stage: Stage) -> list[dg.AssetSpec]:
    """The assets of a stage, one a table."""
    deps = [dg.AssetKey(asset_path(relation)) for relation in stage.reads]
    return [_stage_spec(stage, table, deps) for table in stage.tables]


def _stage_spec(stage: Stage, table: str, deps: list[dg.AssetKey]) -> dg.AssetSpec:
    contract, formula = load_contract(table), formula_of(table)
    return dg.AssetSpec(
        table,
        deps=deps,
        group_name=group_of(stage.name),
        owners=OWNERS,
        kinds={"python", "duckdb"},
        code_version=contract.version,
        description=description(contract.description, contract.grain, formula),
        metadata={
            COLUMN_SCHEMA: column_schema(contract),
            **rule_metadata(formula.rule),
            "stage": f"{stage.name}: {stage.summary}",
            "contract_version": contract.version,
        },
    )


def described_model(spec: dg.AssetSpec, model: Mapping[str, Any]) -> dg.AssetSpec:
    """A dbt model's spec with what its YAML says of rule and formula, and its SQL.

    A model that crosses a stage shows its contract's columns, the others their YAML's.
    """
    meta, name = model["config"]["meta"], str(model["name"])
    formula = Formula(meta["rule"], meta["formula"], f"dbt_project/{model['original_file_path']}")
    grain, _, more = str(model["description"]).strip().partition(". ")
    text = description(more or f"The table {name}, made by dbt.", grain, formula)
    has_contract = name in contract_names()
    schema = (
        column_schema(load_contract(name)) if has_contract else declared_columns(model["columns"])
    )
    return spec.replace_attributes(
        description=f"{text}\n\n**SQL**:\n\n```sql\n{model['raw_code'].strip()}\n```",
        metadata={**spec.metadata, COLUMN_SCHEMA: schema, **rule_metadata(formula.rule)},
    )
