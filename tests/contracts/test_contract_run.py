"""Running a contract: what it refuses, what it leaves behind, and how its outcome reads."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import duckdb
import pytest
from contract_fixtures import broken_quarter, valid_quarter

from orchestration.checks.contract_result import ContractResult, RuleResult
from orchestration.checks.contract_run import run_contract
from orchestration.contracts import Column, Contract, Rule, load_contract
from orchestration.errors import BadConfiguration, Busy, NotPublished

__all__ = ["broken_quarter", "valid_quarter"]  # fixtures, which pytest finds in this module

Break = Callable[[str], Path]


def contract_with(*rules: Rule) -> Contract:
    columns = (
        Column("seller_id", "VARCHAR", True, "The seller."),
        Column("amount_minor", "BIGINT", False, "Amount."),
    )
    return Contract(
        "amounts", "2.1.0", "Amounts.", "one row per seller", columns, ("seller_id",), rules
    )


def row_rule(sql: str, severity: str = "error") -> Rule:
    return Rule("the_rule", "The rule holds.", sql, severity, ("amount_minor",))  # type: ignore[arg-type]


def query_rule(sql: str) -> Rule:
    return Rule("the_rule", "The rule holds.", sql, "error", (), "query")


@pytest.fixture
def amounts(tmp_path: Path) -> Iterator[Path]:
    path = tmp_path / "quarter.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute(
            "create schema market; create table market.amounts as "
            "select * from (values ('d', 4), ('b', 2), ('a', null), ('c', 3), ('{x}:y%', 5)) "
            "as amounts (seller_id, amount_minor);"
            "alter table market.amounts alter amount_minor type bigint"
        )
    yield path
    with duckdb.connect(str(path)) as connection:  # nothing of the check holds the file
        connection.execute("create table market.written_afterwards (a integer)")


def the_rule(result: ContractResult) -> RuleResult:
    return next(rule for rule in result.rules if rule.name == "the_rule")


def test_samples_stand_in_key_order_and_stop_at_the_limit(amounts: Path) -> None:
    rule = row_rule("amount_minor < 3")
    found = the_rule(run_contract(amounts, "market", contract_with(rule), sample=2))
    assert found.failed_rows == 4
    assert found.checked_rows == 5
    assert found.sample == (
        {"seller_id": "a", "amount_minor": "null"},
        {"seller_id": "c", "amount_minor": "3"},
    )


def test_a_predicate_that_is_null_is_broken(amounts: Path) -> None:
    found = the_rule(run_contract(amounts, "market", contract_with(row_rule("amount_minor > 0"))))
    assert [sample["seller_id"] for sample in found.sample] == ["a"]


def test_a_broken_warning_is_shown_but_passes(amounts: Path) -> None:
    rule = row_rule("amount_minor <> 4", severity="warning")
    result = run_contract(amounts, "market", contract_with(rule))
    assert result.passed
    assert [broken.name for broken in result.broken] == ["the_rule"]


@pytest.mark.parametrize(
    "sql",
    [
        "seller_id <> '{x}:y%'",
        "not regexp_matches(seller_id, '^.x.{1,2}y%$')",
        "seller_id::varchar not like '{%:y\\%' escape '\\'",
    ],
)
def test_braces_colons_and_percent_signs_in_rules_are_just_text(amounts: Path, sql: str) -> None:
    for rule in (
        row_rule(sql),
        query_rule(f"select seller_id from ${{table}} where not ({sql})"),
    ):
        found = the_rule(run_contract(amounts, "market", contract_with(rule)))
        assert [sample["seller_id"] for sample in found.sample] == ["{x}:y%"]


@pytest.mark.parametrize(
    ("rule", "reason"),
    [
        (row_rule("no_such_column > 0"), 'Referenced column "no_such_column" not found'),
        (row_rule("error('worn out') is null"), "worn out"),
        (query_rule("select * from ${table} natural join market.no_such_table"), "does not exist"),
    ],
)
def test_a_rule_that_cannot_be_evaluated_is_an_error_and_never_a_pass(
    amounts: Path, rule: Rule, reason: str
) -> None:
    sound = Rule("a_sound_rule", "Holds.", "seller_id <> ''", "error", ("seller_id",))
    with pytest.raises(BadConfiguration) as raised:
        run_contract(amounts, "market", contract_with(sound, rule))
    message = str(raised.value)
    assert message.startswith("data_contracts/amounts.odcs.yaml: rule the_rule cannot be evaluated")
    assert reason in message
    assert "\n" not in message


def test_an_amount_that_overflows_is_an_error_and_never_a_pass(amounts: Path) -> None:
    rule = row_rule("amount_minor * amount_minor * 4000000000000000000 > 5")
    with pytest.raises(BadConfiguration, match=r"rule the_rule cannot be evaluated.*Overflow"):
        run_contract(amounts, "market", contract_with(rule))


def test_a_table_that_is_not_there_fails_its_columns(amounts: Path) -> None:
    result = run_contract(amounts, "facts", contract_with())
    assert not result.passed
    assert [rule.name for rule in result.broken] == ["columns_are_as_agreed"]
    assert result.checked_rows == 0


def test_columns_in_another_order_fail(amounts: Path) -> None:
    contract = contract_with()
    swapped = Contract(**{**vars(contract), "columns": contract.columns[::-1]})
    result = run_contract(amounts, "market", swapped)
    assert [sample["column_name"] for sample in result.broken[0].sample] == [
        "amount_minor",
        "seller_id",
    ]


def test_an_empty_table_keeps_its_contract(broken_quarter: Break) -> None:
    path = broken_quarter("delete from market.ledger_entries; delete from market.settlements")
    result = run_contract(path, "market", load_contract("ledger_entries"))
    assert result.passed
    assert result.checked_rows == 0


def test_a_view_is_checked_like_a_table(broken_quarter: Break) -> None:
    path = broken_quarter(
        "alter table market.market_rounds rename to kept_rounds;"
        "create view market.market_rounds as from market.kept_rounds"
    )
    result = run_contract(path, "market", load_contract("market_rounds"))
    assert result.passed
    assert result.checked_rows == 8


def test_the_same_data_gives_the_same_result(valid_quarter: Path) -> None:
    contract = load_contract("cleared_allocations")
    first, second = (run_contract(valid_quarter, "market", contract) for _ in range(2))
    assert first == second
    assert first.as_document() == second.as_document()


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    path = tmp_path / "quarter.duckdb"
    with pytest.raises(NotPublished, match=f"there is no working file {path}"):
        run_contract(path, "market", contract_with())


def test_a_file_that_is_held_for_writing_is_busy(amounts: Path) -> None:
    with duckdb.connect(str(amounts)), pytest.raises(Busy, match="close what writes to it"):
        run_contract(amounts, "market", contract_with())


def test_nothing_is_printed_when_the_interpreter_ends(amounts: Path) -> None:
    script = (
        "import sys; from pathlib import Path;"
        "from orchestration.checks.contract_run import run_contract;"
        "from orchestration.contracts import Column, Contract;"
        "c = (Column('seller_id', 'VARCHAR', True, 'd'),"
        "     Column('amount_minor', 'BIGINT', False, 'd'));"
        "contract = Contract('amounts', '1', 'd', 'g', c, ('seller_id',), ());"
        "print(run_contract(Path(sys.argv[1]), 'market', contract).passed)"
    )
    ended = subprocess.run(
        [sys.executable, "-c", script, str(amounts)], capture_output=True, text=True, check=True
    )
    assert ended.stdout == "True\n"
    assert "leaked" not in ended.stderr


def test_importing_the_checks_does_not_import_great_expectations() -> None:
    script = (
        "import sys; import orchestration.checks.contract_checks;"
        "assert 'great_expectations' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", script], check=True)
