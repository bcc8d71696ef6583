"""What the lineage UI says of a run's inputs: landing tables, the run's own facts, history.

Here belong assets that no stage computes. Stages and dbt models are ``specs``.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import dagster as dg
import yaml

from orchestration.contracts import load_contract
from orchestration.descriptions.formulas import formula_of
from orchestration.descriptions.groups import group_of
from orchestration.descriptions.specs import (
    COLUMN_SCHEMA,
    OWNERS,
    column,
    column_schema,
    declared_columns,
    description,
    rule_metadata,
)
from orchestration.paths import DBT_PROJECT

_RECEIVED = (
    column("received_at", "TIMESTAMP", "When the row was received, UTC", nullable=False),
    column("source_file", "VARCHAR", "SHA-256 of the file as received", nullable=False),
    column("source_row", "BIGINT", "Data row in that file, from 1", nullable=False),
)
_RUN = {
    "parameters": (
        "Which stage of which quarter this run executes: its cut-off and its policy.",
        "one row",
    ),
    "rounds": (
        "When each round of the quarter closes, and when its space is in force.",
        "one row per round",
    ),
    "previous_rounds": (
        "The same of the quarter before, for space that was in force then.",
        "one row per round",
    ),
    "second_previous_rounds": ("The same of the quarter before that.", "one row per round"),
    "currencies": ("The minor-unit digits of every currency (ISO 4217).", "one row per currency"),
}


def landing_spec(table: str) -> dg.AssetSpec:
    """An input table as received."""
    contract = load_contract(table)
    what = (
        f"{contract.description}\n\nAs received, every version, only what had been received before "
        "the run's cut-off; the files and their hashes stand in each materialisation's `files`."
    )
    schema = dg.TableSchema(columns=[*column_schema(contract).columns, *_RECEIVED])
    return _spec(["landing", table], "landing", {"parquet"}, what, contract.grain, schema)


def run_spec(table: str) -> dg.AssetSpec:
    """A table that says what the run itself is."""
    what, grain = _RUN[table]
    schema = declared_columns(_run_columns()[table])
    return _spec(["run", table], "landing", {"python", "duckdb"}, what, grain, schema)


def history_spec(table: str, what: str) -> dg.AssetSpec:
    """A table read from an earlier published run; it has the columns of what was published."""
    published = table.removeprefix("second_").removeprefix("previous_").removeprefix("confirmed_")
    contract = load_contract(published)
    schema = column_schema(contract)
    return _spec(["history", table], "history", {"parquet"}, what, contract.grain, schema)


def _spec(
    key: list[str], group: str, kinds: set[str], what: str, grain: str, schema: dg.TableSchema
) -> dg.AssetSpec:
    formula = formula_of("/".join(key))
    return dg.AssetSpec(
        key,
        group_name=group_of(group),
        owners=OWNERS,
        kinds=kinds,
        description=description(what, grain, formula),
        metadata={COLUMN_SCHEMA: schema, **rule_metadata(formula.rule)},
    )


@cache
def _run_columns() -> dict[str, dict[str, dict[str, Any]]]:
    """The columns that dbt declares of schema ``run``; it reads these tables as sources."""
    path = DBT_PROJECT / "models" / "sources" / "run.yml"
    (source,) = yaml.safe_load(path.read_text(encoding="utf-8"))["sources"]
    return {
        table["name"]: {each["name"]: each for each in table["columns"]}
        for table in source["tables"]
    }
