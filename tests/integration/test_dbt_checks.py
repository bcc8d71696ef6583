"""Every data test of the dbt project, run on data that breaks it.

The compiled SQL of each test is run on a sound working file with one relation swapped for a
broken copy. A new data test without a case here fails the last test of this module.
"""

from __future__ import annotations

import pytest

# Test: the relation to break, and the broken copy, selected from {it}.
BROKEN = {
    "a_run_reads_no_day_at_or_after_its_cut_off": (
        "staging.stg_run",
        "* replace (cutoff_day as health_to) from {it}",
    ),
    "every_seller_has_a_known_account_type": (
        "staging.stg_sellers",
        "* replace ('robot' as account_type) from {it}",
    ),
    "every_product_has_a_market_and_a_volume": (
        "staging.stg_products",
        "* replace (0 as unit_volume_micro_ft3) from {it}",
    ),
    "every_marketplace_has_an_iso_4217_currency": (
        "facts.int_marketplaces",
        "* replace (null as minor_unit_digits) from {it}",
    ),
    "every_order_line_has_a_known_product": (
        "facts.int_daily_sku_sales",
        "* replace (null as storage_type) from {it}",
    ),
    "every_snapshot_row_has_a_known_product": (
        "facts.int_daily_stock",
        "* replace (null as storage_type) from {it}",
    ),
    "weekly_demand_is_positive": ("facts.weekly_demand", "* replace (0 as units) from {it}"),
    "every_seller_market_has_a_seller_and_a_currency": (
        "facts.seller_markets",
        "* replace (null as currency) from {it}",
    ),
    "parts_of_inventory_health_never_exceed_the_whole": (
        "facts.inventory_health",
        "* replace (sku_days + 1 as in_stock_sku_days) from {it}",
    ),
    "the_space_kept_for_requests_fits_in_the_network": (
        "facts.market_capacity",
        "* replace (-1 as base_pool_milli_ft3) from {it}",
    ),
    "every_request_received_has_its_evidence": (
        "facts.judged_requests",
        "* replace (null as source_file) from {it}",
    ),
    "released_supply_is_never_negative": (
        "facts.round_supply_released",
        "* replace (-1 as released_milli_ft3) from {it}",
    ),
    "net_sales_are_gross_sales_less_refunds": (
        "facts.daily_net_sales",
        "* replace (net_sales_minor + 1 as net_sales_minor) from {it}",
    ),
    "a_day_is_carried_or_missing_or_its_own": (
        "facts.daily_used_volume",
        "* replace (not is_missing as is_missing) from {it}",
    ),
    "space_in_force_is_never_negative": (
        "facts.seller_market_days",
        "* replace (-1 as extra_milli_ft3) from {it}",
    ),
    "every_amount_has_a_currency": ("marts.fct_settlements", "* replace (null as fee) from {it}"),
    "every_settled_grant_was_priced": (
        "marts.fct_settlements",
        "* replace (null as round_fee_minor_per_ft3) from {it}",
    ),
    "a_statement_adds_up": (
        "marts.fct_seller_statements",
        "* replace (credit_minor + 1 as credit_minor) from {it}",
    ),
    "supply_is_released_and_carried_in_and_is_granted_or_unsold": (
        "marts.fct_market_rounds",
        "* replace (unsold_milli_ft3 + 1 as unsold_milli_ft3) from {it}",
    ),
    "a_round_has_a_fee_exactly_when_it_granted": (
        "marts.fct_market_rounds",
        "* replace (null as clearing_fee_minor_per_ft3) from {it}",
    ),
    "granted_and_unsold_add_up_to_released": (
        "marts.fct_quarter_summary",
        "* replace (unsold_milli_ft3 + 1 as unsold_milli_ft3) from {it}",
    ),
    "no_more_winners_are_offset_than_there_are": (
        "marts.fct_quarter_summary",
        "* replace (winners + 1 as winners_wholly_offset) from {it}",
    ),
    "net_sales_never_exceed_gross_sales": (
        "facts.daily_net_sales",
        "* replace (gross_sales_minor + 1 as net_sales_minor) from {it}",
    ),
    "used_volume_is_never_negative": (
        "facts.daily_used_volume",
        "* replace (-1 as used_milli_ft3) from {it}",
    ),
    "daily_and_weekly_sales_come_from_the_same_lines": (
        "facts.weekly_demand",
        "* replace (units + 1 as units) from {it}",
    ),
    "a_marketplace_never_changes_currency": (
        "landing.marketplaces",
        "* replace ('EUR' as currency) from {it}",
    ),
    "every_refund_belongs_to_an_order_line": ("landing.order_lines", "* from {it} where false"),
    "every_earlier_grant_has_days_in_force": ("run.previous_rounds", "* from {it} where false"),
    "no_revision_received_is_lost": (
        "facts.judged_requests",
        "* from {it} where request_id <> 'q4'",
    ),
    "every_winner_has_a_row_for_every_day": (
        "facts.seller_market_days",
        "* from {it} where day <> date '2026-10-13'",
    ),
    "the_space_in_force_is_what_was_granted": (
        "facts.seller_market_days",
        "* replace (extra_milli_ft3 - 1 as extra_milli_ft3) from {it}",
    ),
    "statements_add_up_to_the_summary": (
        "marts.fct_quarter_summary",
        "* replace (fee_minor + 1 as fee_minor) from {it}",
    ),
    "released_supply_adds_up_to_the_space_kept_for_requests": (
        "staging.stg_round_supply",
        "* from {it} where false",
    ),
}


def data_tests(built) -> dict:
    return {
        row.node.name: row.node
        for row in built.result.result.results
        if row.node.resource_type.value == "test"
    }


def failing_rows(built, name: str, relation: str, broken: str) -> int:
    quoted = ".".join(f'"{part}"' for part in ("quarter", *relation.split(".")))
    sql = data_tests(built)[name].compiled_code
    assert quoted in sql, f"{name} does not read {relation}"
    broken_sql = sql.replace(quoted, f"(select {broken.format(it=quoted)})")
    return len(built.connection.execute(broken_sql).fetchall())


@pytest.mark.parametrize("name", sorted(BROKEN))
def test_a_check_fails_on_data_that_breaks_it(dbt_settled, name):
    assert failing_rows(dbt_settled, name, *BROKEN[name]) > 0


def generic_tests(built, kind: str) -> dict:
    return {
        name: node
        for name, node in data_tests(built).items()
        if getattr(node, "test_metadata", None) and node.test_metadata.name == kind
    }


def test_every_key_check_fails_on_rows_that_stand_twice(dbt_settled):
    keys = generic_tests(dbt_settled, "unique_key")
    assert len(keys) > 20
    for name, node in keys.items():
        model = node.attached_node.split(".")[-1]
        relation = f"{layer_of(dbt_settled, model)}.{model}"
        twice = "* from {it} union all select * from {it}"
        assert failing_rows(dbt_settled, name, relation, twice) > 0, name


def test_every_key_check_fails_on_a_key_that_is_null(dbt_settled):
    for name, node in generic_tests(dbt_settled, "unique_key").items():
        model = node.attached_node.split(".")[-1]
        relation = f"{layer_of(dbt_settled, model)}.{model}"
        column = node.test_metadata.kwargs["columns"][-1]
        nulls = f"* replace (null as {column}) from {{it}} limit 1"
        assert failing_rows(dbt_settled, name, relation, nulls) > 0, name


def test_every_parent_check_fails_when_the_parents_are_gone(dbt_settled):
    parents = generic_tests(dbt_settled, "has_parent")
    assert len(parents) > 3
    for name, node in parents.items():
        parent = node.test_metadata.kwargs["to"].split("'")[1]
        relation = f"{layer_of(dbt_settled, parent)}.{parent}"
        assert failing_rows(dbt_settled, name, relation, "* from {it} where false") > 0, name


def test_the_rounding_check_fails_on_a_wrong_rounding(dbt_settled):
    sql = data_tests(dbt_settled)["division_rounds_halves_to_even"].compiled_code
    wrong = sql.replace("('15', 10, 2)", "('15', 10, 1)")
    assert wrong != sql
    assert len(dbt_settled.connection.execute(wrong).fetchall()) == 1


def test_every_check_has_a_case_that_breaks_it(dbt_settled):
    covered = {
        *BROKEN,
        *generic_tests(dbt_settled, "unique_key"),
        *generic_tests(dbt_settled, "has_parent"),
        "division_rounds_halves_to_even",
    }
    assert set(data_tests(dbt_settled)) == covered


def layer_of(built, model: str) -> str:
    return built.connection.execute(
        "select table_schema from information_schema.tables where table_name = ?"
        " and table_schema in ('staging', 'facts', 'marts')",
        [model],
    ).fetchone()[0]
