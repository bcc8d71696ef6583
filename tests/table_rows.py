"""One good row of every input table and mart, and for every rule the values that break it.

Here belong rows, as SQL; what checking them must find is in the tests that share them.
"""

from __future__ import annotations

from collections.abc import Mapping

from orchestration.checks.implied_rules import KEY_RULE, content_rules
from orchestration.contracts import Contract

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
    "submitted_at_exclusive_maximum": {"submitted_at": "timestamp '2200-01-01 00:00:00'"},
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

# What fills a mart's columns that no rule is about.
_FILLERS = {
    "VARCHAR": "'x'",
    "DATE": "date '2026-10-01'",
    "TIMESTAMP": "timestamp '2026-10-01 00:00:00'",
    "BOOLEAN": "false",
}


def bad_value(rule: str, contract: Contract) -> Mapping[str, str]:
    for column in contract.column_names:
        fault = rule.removeprefix(f"{column}_")
        if fault in ID_FAULTS:
            return {column: ID_FAULTS[fault]}
    return BAD_VALUES[rule]


def row_sql(contract: Contract, row: Mapping[str, str]) -> str:
    """A SELECT of one row with the contract's types; columns that are not named are null."""
    cells = ", ".join(
        f"cast({row.get(column.name, 'null')} as {column.physical_type}) as {column.name}"
        for column in contract.columns
    )
    return f"select {cells}"


def whole_row(contract: Contract) -> dict[str, str]:
    """The good row with every required column filled."""
    fillers = {
        column.name: _FILLERS.get(column.physical_type, "1")
        for column in contract.columns
        if column.required
    }
    return fillers | dict(GOOD[contract.table])


def marker_of(contract: Contract, column: str = "") -> str:
    """The text column of the key that rows are told apart by: another than the one named."""
    texts = [name for name in contract.key if contract.column(name).physical_type == "VARCHAR"]
    return next((name for name in texts if name != column), texts[0])


def bad_rows(contract: Contract) -> dict[str, dict[str, str]]:
    """For every rule of single rows, required columns included, a row that breaks it.

    Its key is marked with the rule's name, unless the rule is about the one column that could be.
    """
    rows = {}
    for rule in content_rules(contract):
        if rule.kind != "row" or rule.name == KEY_RULE:
            continue
        is_present = rule.name == f"{rule.columns[0]}_is_present"
        values = {rule.columns[0]: "null"} if is_present else dict(bad_value(rule.name, contract))
        marker = marker_of(contract, next(iter(values)))
        rows[rule.name] = whole_row(contract) | {marker: f"'{rule.name}'"} | values
    return rows


def good_rows(contract: Contract, count: int) -> list[dict[str, str]]:
    """Good rows with keys of their own."""
    marker = marker_of(contract)
    return [whole_row(contract) | {marker: f"'good {number}'"} for number in range(count)]
