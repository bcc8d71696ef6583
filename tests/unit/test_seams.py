"""What two rooms must agree on is written in one and checked against the other."""

import pytest
import yaml

from orchestration.contracts import contract_names, load_contract
from orchestration.paths import DBT_PROJECT
from orchestration.stages import INPUT_TABLES, MARTS, PUBLICATIONS, STAGES, published_tables

SOURCES = {
    f"{source['name']}.{table['name']}": table
    for path in sorted((DBT_PROJECT / "models" / "sources").glob("*.yml"))
    for source in yaml.safe_load(path.read_text(encoding="utf-8"))["sources"]
    for table in source["tables"]
}
LINEAGE = ("received_at", "source_file", "source_row")
HISTORY = {
    "previous_base_allocations": "base_allocations",
    "previous_cleared_allocations": "cleared_allocations",
    "second_previous_base_allocations": "base_allocations",
    "second_previous_cleared_allocations": "cleared_allocations",
}


def source_columns(name: str) -> list[tuple[str, str]]:
    return [
        (column["name"], str(column["data_type"]).upper().replace(" ", ""))
        for column in SOURCES[name]["columns"]
    ]


def contract_columns(table: str) -> list[tuple[str, str]]:
    return [(column.name, column.physical_type) for column in load_contract(table).columns]


@pytest.mark.parametrize("table", INPUT_TABLES)
def test_dbt_reads_input_tables_as_their_contracts_say(table):
    declared = source_columns(f"landing.{table}")
    plain = [column for column in declared if column[0] not in LINEAGE]
    assert plain == contract_columns(table)
    assert {name for name, _ in declared} >= set(LINEAGE)


@pytest.mark.parametrize(
    "name", sorted(name for name in SOURCES if name.split(".")[0] in ("market", "history"))
)
def test_dbt_reads_stage_tables_as_their_contracts_say(name):
    table = HISTORY.get(name.split(".")[1], name.split(".")[1])
    promised = dict(contract_columns(table))
    for column, data_type in source_columns(name):
        assert promised[column] == data_type, column


@pytest.mark.parametrize("table", MARTS)
def test_a_mart_is_built_as_its_contract_says(table):
    document = yaml.safe_load(
        (DBT_PROJECT / "models" / "marts" / f"{table}.yml").read_text(encoding="utf-8")
    )
    columns = [
        (column["name"], str(column["data_type"]).upper().replace(" ", ""))
        for column in document["models"][0]["columns"]
    ]
    assert columns == contract_columns(table)


def test_every_table_that_is_published_or_crosses_a_stage_has_a_contract():
    published = {table for kind in PUBLICATIONS for table in published_tables(kind)}
    read = {
        name.removeprefix("facts.")
        for stage in STAGES
        for name in stage.reads
        if name.startswith("facts.")
    }
    assert set(contract_names()) == published | read | set(INPUT_TABLES)
