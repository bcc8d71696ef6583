"""Every rule of input tables and marts fails on the row that breaks it, where it is asked."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pytest
from table_rows import GOOD, bad_rows, good_rows, marker_of, row_sql

from orchestration.checks.contract_result import RuleResult
from orchestration.checks.contract_run import run_contract
from orchestration.checks.implied_rules import (
    COLUMNS_RULE,
    KEY_RULE,
    TYPES_RULE,
    content_rules,
)
from orchestration.contracts import contract_names, load_contract
from orchestration.landing import receive

INPUTS, MARTS = contract_names("input"), contract_names("mart")


def union_sql(table: str, rows: list[dict[str, str]]) -> str:
    contract = load_contract(table)
    return " union all ".join(row_sql(contract, row) for row in rows)


def judged(path: Path, table: str, sql: str) -> dict[str, RuleResult]:
    with duckdb.connect(str(path)) as connection:
        connection.execute(f"create schema marts; create table marts.{table} as {sql}")
    return {rule.name: rule for rule in run_contract(path, "marts", load_contract(table)).rules}


@pytest.mark.parametrize("table", MARTS)
def test_a_bad_row_of_a_mart_fails_its_rule_and_is_named(table: str, tmp_path: Path) -> None:
    contract = load_contract(table)
    bad, good = bad_rows(contract), good_rows(contract, 3)
    twice = good[0]
    rows = union_sql(table, [*good, twice, *bad.values()])
    found = judged(tmp_path / "quarter.duckdb", table, rows)
    columns = {rule.name: rule.columns for rule in content_rules(contract)}
    for name, row in bad.items():
        marker = marker_of(contract, columns[name][0])
        marked = row[marker].strip("'")
        assert not found[name].passed, name
        assert any(sample[marker] == marked for sample in found[name].sample), name
    assert found[KEY_RULE].failed_rows == 1
    assert found[KEY_RULE].sample[0][marker_of(contract)] == twice[marker_of(contract)].strip("'")
    assert {name for name, rule in found.items() if not rule.passed} == {*bad, KEY_RULE}


@pytest.mark.parametrize("table", MARTS)
def test_a_mart_with_a_column_missing_and_one_of_another_type_fails(
    table: str, tmp_path: Path
) -> None:
    contract = load_contract(table)
    first, last = contract.columns[0].name, contract.columns[-1].name
    rows = union_sql(table, good_rows(contract, 1))
    sql = f"select * exclude ({last}) replace (null::blob as {first}) from ({rows})"
    found = judged(tmp_path / "quarter.duckdb", table, sql)
    assert found[COLUMNS_RULE].sample[0]["column_name"] == last
    assert found[TYPES_RULE].sample[0]["column_name"] == first
    assert found[TYPES_RULE].sample[0]["found_type"] == "BLOB"


@pytest.mark.parametrize("table", INPUTS)
def test_a_bad_row_of_a_delivery_is_kept_apart_with_the_rule_it_breaks(
    table: str, tmp_path: Path
) -> None:
    contract = load_contract(table)
    bad = bad_rows(contract)
    good = good_rows(contract, 10 * len(bad))
    source = tmp_path / "in"
    source.mkdir()
    with duckdb.connect() as connection:
        sql = union_sql(table, [*good, *bad.values()])
        connection.execute(f"copy ({sql}) to '{source}/{table}.parquet' (format parquet)")
    (file,) = receive(
        source, tmp_path / "landing", received_at=datetime(2199, 12, 31, tzinfo=UTC),
        historical=False, wait=False,
    ).files  # fmt: skip
    with duckdb.connect() as connection:
        kept = connection.execute(
            f"select source_row, rules from read_parquet('{file.quarantine_path}') "
            "order by source_row"
        ).fetchall()
    # Rows come in the order in which they were written: good ones first, then one a rule.
    assert [row for row, _ in kept] == [len(good) + place for place in range(1, len(bad) + 1)]
    for rule, (_, rules) in zip(bad, kept, strict=True):
        assert rule in rules, rules
    assert file.rows == len(good)


def test_every_row_rule_of_every_input_table_and_mart_has_a_bad_row() -> None:
    assert set(GOOD) == {*INPUTS, *MARTS}
    for table in GOOD:
        contract = load_contract(table)
        rules = {rule.name for rule in content_rules(contract) if rule.kind == "row"}
        assert bad_rows(contract).keys() == rules
