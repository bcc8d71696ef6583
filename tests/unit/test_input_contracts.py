"""Every rule of the input tables and the marts passes good rows and is broken by a bad one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import duckdb
import pytest
from table_rows import BAD_VALUES, BROKEN_WITH, GOOD, bad_value, row_sql

from orchestration.contracts import Contract, contract_names, load_contract

# Rules that reach beyond the row are tested where there is more than a row: tests/contracts.
CASES = [
    (table, rule.name)
    for table in GOOD
    for rule in load_contract(table).rules
    if rule.kind == "row"
]


@pytest.fixture(scope="module")
def engine() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        yield connection


def broken_rules(
    engine: duckdb.DuckDBPyConnection, contract: Contract, row: Mapping[str, str]
) -> set[str]:
    engine.execute(f"create or replace temp table given as {row_sql(contract, row)}")
    counts = {
        rule.name: engine.execute(rule.count_sql("given")).fetchone()
        for rule in contract.rules
        if rule.kind == "row"
    }
    return {name for name, count in counts.items() if count != (0,)}


@pytest.mark.parametrize("table", GOOD)
def test_a_good_row_breaks_nothing(table: str, engine: duckdb.DuckDBPyConnection) -> None:
    assert broken_rules(engine, load_contract(table), GOOD[table]) == set()


@pytest.mark.parametrize(("table", "rule"), CASES)
def test_a_bad_value_breaks_the_rule_that_is_about_it_alone(
    table: str, rule: str, engine: duckdb.DuckDBPyConnection
) -> None:
    contract = load_contract(table)
    bad = {**GOOD[table], **bad_value(rule, contract)}
    assert broken_rules(engine, contract, bad) == {rule} | BROKEN_WITH.get(rule, set())


def test_every_input_table_and_mart_is_tested_here() -> None:
    assert set(GOOD) == {*contract_names("input"), *contract_names("mart")}


def test_every_bad_value_is_of_a_rule_that_exists() -> None:
    assert BAD_VALUES.keys() <= {rule for _, rule in CASES}


@pytest.mark.parametrize("table", contract_names("input"))
def test_defaults_are_values_of_their_columns_and_break_nothing(
    table: str, engine: duckdb.DuckDBPyConnection
) -> None:
    contract = load_contract(table)
    defaults = {
        column.name: f"'{column.default}'"
        for column in contract.columns
        if column.default is not None
    }
    assert broken_rules(engine, contract, {**GOOD[table], **defaults}) == set()


def test_only_these_columns_may_be_left_out_of_a_delivery() -> None:
    optional = {
        f"{table}.{column.name}": column.default
        for table in contract_names("input")
        for column in load_contract(table).columns
        if not column.required
    }
    assert optional == {
        "capacity_requests.revision": "1",
        "capacity_requests.minimum_ft3": "0",
        "capacity_requests.withdrawn": "false",
        "inventory_snapshots.inbound_units": "0",
        "inventory_snapshots.stranded_units": "0",
    }


def test_a_request_is_never_refused_for_its_amounts() -> None:
    amounts = {"max_fee_per_ft3", "requested_ft3", "minimum_ft3"}
    for rule in load_contract("capacity_requests").rules:
        assert not amounts & set(rule.columns), rule.name


def test_only_requests_may_repeat_their_keys() -> None:
    assert contract_names("keys-may-repeat") == ("capacity_requests",)
