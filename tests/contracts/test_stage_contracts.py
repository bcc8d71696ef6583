"""Every rule of every stage contract accepts the valid quarter and fails on data that breaks it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from breaking_cases import BreakingCase, breaking_cases
from column_cases import breaking_copies, column_rules, marker_column, wrong_value
from contract_fixtures import broken_quarter, valid_quarter
from mini_quarter import TABLES

from orchestration.checks.contract_result import ContractResult, RuleResult
from orchestration.checks.contract_run import run_contract
from orchestration.checks.implied_rules import (
    COLUMNS_RULE,
    KEY_RULE,
    TYPES_RULE,
    content_rules,
)
from orchestration.contracts import load_contract

CASES = breaking_cases()

__all__ = ["broken_quarter", "valid_quarter"]  # fixtures, which pytest finds in this module

Break = Callable[[str], Path]


def judged(database: Path, table: str) -> ContractResult:
    return run_contract(database, TABLES[table], load_contract(table))


def broken_rule(result: ContractResult, name: str) -> RuleResult:
    rules = {rule.name: rule for rule in result.broken}
    assert name in rules, f"{name} holds; broken are {sorted(rules)}"
    return rules[name]


def names(sample: Mapping[str, str], wanted: Mapping[str, str]) -> bool:
    return wanted.items() <= sample.items()


@pytest.mark.parametrize("table", TABLES)
def test_a_coherent_quarter_passes_every_rule(table: str, valid_quarter: Path) -> None:
    result = judged(valid_quarter, table)
    assert result.passed
    assert not result.broken, result.summary
    assert result.checked_rows > 0
    rules = content_rules(load_contract(table))
    assert [rule.name for rule in result.rules[2:]] == [rule.name for rule in rules]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_data_that_breaks_a_rule_fails_it_and_names_the_row(
    case: BreakingCase, broken_quarter: Break
) -> None:
    result = judged(broken_quarter(case.sql), case.table)
    rule = broken_rule(result, case.rule)
    assert rule.failed_rows > 0
    assert any(names(sample, case.row) for sample in rule.sample), rule.sample
    assert result.passed == all(broken.severity == "warning" for broken in result.broken)


@pytest.mark.parametrize("table", TABLES)
def test_a_wrong_value_fails_its_columns_rule_on_that_row_alone(
    table: str, broken_quarter: Break
) -> None:
    contract = load_contract(table)
    database = broken_quarter(breaking_copies(f"{TABLES[table]}.{table}", contract))
    result = judged(database, table)
    marker = marker_column(contract)
    for rule in column_rules(contract):
        found = broken_rule(result, rule.name)
        assert found.failed_rows == 1, rule.name
        wrong = str(wrong_value(rule)).strip("'")
        assert found.sample[0][marker] == (wrong if rule.columns == (marker,) else rule.name)


@pytest.mark.parametrize("table", TABLES)
def test_a_row_that_stands_twice_fails_the_key(table: str, broken_quarter: Break) -> None:
    contract = load_contract(table)
    relation = f"{TABLES[table]}.{table}"
    order = ", ".join(contract.key)
    sql = f"insert into {relation} select * from {relation} order by {order} limit 1"
    found = broken_rule(judged(broken_quarter(sql), table), KEY_RULE)
    assert found.failed_rows == 1
    assert found.sample[0]["rows_sharing_it"] == "2"
    assert set(contract.key) < found.sample[0].keys()


@pytest.mark.parametrize("table", TABLES)
def test_a_missing_column_fails_and_leaves_the_rows_unjudged(
    table: str, broken_quarter: Break
) -> None:
    contract = load_contract(table)
    last = contract.columns[-1].name
    database = broken_quarter(f"alter table {TABLES[table]}.{table} drop column {last}")
    result = judged(database, table)
    found = broken_rule(result, COLUMNS_RULE)
    assert [sample["column_name"] for sample in found.sample] == [last]
    assert not result.passed
    assert result.unjudged == tuple(rule.name for rule in content_rules(contract))


@pytest.mark.parametrize("table", TABLES)
def test_a_column_of_another_type_fails(table: str, broken_quarter: Break) -> None:
    last = load_contract(table).columns[-1].name
    database = broken_quarter(
        f"alter table {TABLES[table]}.{table} alter {last} type blob using null"
    )
    found = broken_rule(judged(database, table), TYPES_RULE)
    assert [sample["column_name"] for sample in found.sample] == [last]
    assert found.sample[0]["found_type"] == "BLOB"


def test_every_rule_of_every_stage_contract_has_a_breaking_case() -> None:
    written = {(case.table, case.rule) for case in CASES}
    for table in TABLES:
        contract = load_contract(table)
        alone = {rule.name for rule in column_rules(contract)}
        for rule in contract.rules:
            assert rule.name in alone or (table, rule.name) in written, f"{table}.{rule.name}"


def test_every_breaking_case_is_of_a_rule_that_exists() -> None:
    for case in CASES:
        assert case.rule in {rule.name for rule in load_contract(case.table).rules}, str(case)
    assert len({str(case) for case in CASES}) == len(CASES)
