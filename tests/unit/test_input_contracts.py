"""Every rule of the input tables and the marts passes good rows and is broken by a bad one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import duckdb
import pytest

from orchestration.contracts import Contract, contract_names, load_contract

SELLER = {"marketplace_id": "'us'", "seller_id": "'Lojas Ação'"}
MARKET = {"marketplace_id": "'us'", "storage_type": "'standard'"}
STATEMENT = {"fee_minor": "2000", "credit_minor": "500", "net_due_minor": "1500"}

# One good row a table, as SQL; columns that are not named are null.
GOOD: Mapping[str, Mapping[str, str]] = {
    "marketplaces": {"marketplace_id": "'us'", "currency": "'USD'"},
    "sellers": {**SELLER, "account_type": "'individual'", "joined_on": "date '1900-01-01'"},
    "products": {**SELLER, **MARKET, "sku": "'=1+1; ''--'", "unit_volume_ft3": "0.000001"},
    "order_lines": {
        **SELLER,
        "order_line_id": "'../1'",
        "sku": "'a'",
        "units": "1",
        "revenue": "0",
        "ordered_at": "timestamp '2199-12-31 23:59:59.999999'",
    },
    "refunds": {
        "refund_id": "'r'",
        "order_line_id": "'1'",
        "amount": "0.01",
        "refunded_at": "timestamp '2026-10-01 00:00:00'",
    },
    "inventory_snapshots": {
        **SELLER,
        "snapshot_date": "date '2199-12-31'",
        "sku": "'a'",
        "on_hand_units": "1000000000",
        "inbound_units": "0",
        "stranded_units": "0",
    },
    "network_capacity": {
        **MARKET,
        "quarter": "date '2026-10-01'",
        "network_ft3": "10",
        "request_ft3": "10",
    },
    "round_supply": {**MARKET, "quarter": "date '2026-01-01'", "round": "1", "released_ft3": "0"},
    "capacity_requests": {
        **SELLER,
        **MARKET,
        "request_id": "'q'",
        "revision": "1",
        "quarter": "date '2026-04-01'",
        "max_fee_per_ft3": "-0.000001",
        "requested_ft3": "0",
        "minimum_ft3": "9999999",
        "submitted_at": "timestamp '2026-01-01 00:00:00'",
        "withdrawn": "false",
    },
    "dim_sellers": {**SELLER, "account_type": "'professional'"},
    "fct_market_rounds": {
        "supply_milli_ft3": "9",
        "granted_milli_ft3": "4",
        "unsold_milli_ft3": "5",
    },
    "fct_settlements": {**STATEMENT, "fee": "20", "credit": "5", "net_due": "15"},
    "fct_seller_statements": STATEMENT,
    "fct_quarter_summary": {
        **STATEMENT,
        "released_milli_ft3": "9",
        "granted_milli_ft3": "4",
        "unsold_milli_ft3": "5",
    },
}

# What breaks a rule that its name and column do not tell by themselves.
BAD_VALUES: Mapping[str, Mapping[str, str]] = {
    "account_type_is_known": {"account_type": "'Professional'"},
    "joined_on_minimum": {"joined_on": "date '1899-12-31'"},
    "joined_on_maximum": {"joined_on": "date '2200-01-01'"},
    "snapshot_date_minimum": {"snapshot_date": "date '1899-12-31'"},
    "snapshot_date_maximum": {"snapshot_date": "date '2200-01-01'"},
    "quarter_minimum": {"quarter": "date '1899-10-01'"},
    "quarter_maximum": {"quarter": "date '2200-01-01'"},
    "quarter_is_a_first_day": {"quarter": "date '2026-11-01'"},
    "ordered_at_minimum": {"ordered_at": "timestamp '1899-12-31 23:59:59'"},
    "ordered_at_exclusive_maximum": {"ordered_at": "timestamp '2200-01-01 00:00:00'"},
    "refunded_at_minimum": {"refunded_at": "timestamp '1899-12-31 23:59:59'"},
    "refunded_at_exclusive_maximum": {"refunded_at": "timestamp '2200-01-01 00:00:00'"},
    "submitted_at_minimum": {"submitted_at": "timestamp '1899-12-31 23:59:59'"},
    "submitted_at_exclusive_maximum": {"submitted_at": "timestamp 'infinity'"},
    "units_minimum": {"units": "0"},
    "units_maximum": {"units": "1000000001"},
    "revenue_minimum": {"revenue": "-0.01"},
    "amount_exclusive_minimum": {"amount": "0"},
    "unit_volume_ft3_exclusive_minimum": {"unit_volume_ft3": "0"},
    **{
        f"{stock}_{bound}": {stock: value}
        for stock in ("on_hand_units", "inbound_units", "stranded_units")
        for bound, value in (("minimum", "-1"), ("maximum", "1000000001"))
    },
    "network_ft3_minimum": {"network_ft3": "-0.001"},
    "request_ft3_minimum": {"request_ft3": "-0.001"},
    "released_ft3_minimum": {"released_ft3": "-0.001"},
    "request_space_fits_the_network": {"request_ft3": "10.001"},
    "round_minimum": {"round": "0"},
    "revision_minimum": {"revision": "0"},
    "net_is_fee_less_credit": {"net_due_minor": "1501"},
    "decimals_say_what_minor_units_say": {"net_due": "-15"},
    "supply_is_granted_or_unsold": {"unsold_milli_ft3": "6"},
    "released_is_granted_or_unsold": {"unsold_milli_ft3": "4"},
}
# Rules that cannot be broken without these: space below nothing holds no space for requests.
BROKEN_WITH = {"network_ft3_minimum": {"request_space_fits_the_network"}}
ID_FAULTS = {
    "min_length": "''",
    "max_length": "repeat('é', 201)",
    "has_no_control_characters": "'a' || chr(10)",
}

CASES = [(table, rule.name) for table in GOOD for rule in load_contract(table).rules]


@pytest.fixture(scope="module")
def engine() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        yield connection


def broken_rules(
    engine: duckdb.DuckDBPyConnection, contract: Contract, row: Mapping[str, str]
) -> set[str]:
    cells = ", ".join(
        f"cast({row.get(column.name, 'null')} as {column.physical_type}) as {column.name}"
        for column in contract.columns
    )
    engine.execute(f"create or replace temp table given as select {cells}")
    counts = {
        rule.name: engine.execute(rule.count_sql("given")).fetchone() for rule in contract.rules
    }
    return {name for name, count in counts.items() if count != (0,)}


def bad_value(rule: str, contract: Contract) -> Mapping[str, str]:
    for column in contract.column_names:
        fault = rule.removeprefix(f"{column}_")
        if fault in ID_FAULTS:
            return {column: ID_FAULTS[fault]}
    return BAD_VALUES[rule]


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
