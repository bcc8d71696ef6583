"""Rows that break their contract, with the sentence.

A strict delivery is refused with it and nothing of it is taken in; an ordinary one keeps the row
apart with the same sentence (``bad_row_refusal`` sees to both).
"""

from __future__ import annotations

import pytest
from ingest_examples import (
    AGAIN,
    GOOD,
    TIME,
    bad_orders_refusal,
    bad_row_refusal,
    deliver,
    order_row,
    orders,
)


@pytest.fixture
def landing(tmp_path):
    return tmp_path / "landing"


@pytest.mark.parametrize(
    ("column", "value", "why"),
    [
        ("units", "1.0", "is not a whole number"),
        ("units", "1e3", "is not a whole number"),
        ("units", " 1", "is not a whole number"),
        ("units", "9223372036854775808", "is out of the range of BIGINT"),
        ("revenue", "1.005", "has more than 2 decimal places"),
        ("revenue", "10000000000000000", "is too large for DECIMAL(18,2)"),
        ("revenue", "1e2", "is not a number in plain digits"),
        ("revenue", "$5", "is not a number in plain digits"),
        ("revenue", ".", "is not a number in plain digits"),
        ("revenue", "NaN", "is not a number in plain digits"),
        ("revenue", "Infinity", "is not a number in plain digits"),
        ("revenue", "-inf", "is not a number in plain digits"),
        ("ordered_at", "2026-07-01", TIME),
        ("ordered_at", "2026-02-30T10:00:00Z", TIME),
        ("ordered_at", "01/07/2026 10:00", TIME),
        ("ordered_at", "2026-07-01T10:00:00.1234567Z", TIME),
        ("ordered_at", "2026-07-01T10:00:00 CET", TIME),
        ("ordered_at", "infinity", TIME),
        ("ordered_at", "1751364000", TIME),
    ],
)
def test_a_value_of_the_wrong_type_is_refused(tmp_path, column, value, why):
    content = orders(order_row("o0"), order_row("o1", **{column: value}))
    sentence = f"order_lines.csv, line 3, column {column}: '{value}' {why}{AGAIN}"
    assert bad_orders_refusal(tmp_path, content) == sentence


@pytest.mark.parametrize("value", ["1.500", "1.", "+1", ".50", "0001.5000000000"])
def test_a_decimal_is_too_fine_only_for_digits_that_count(tmp_path, value):
    content = orders(order_row(revenue=value), order_row("o2", revenue="oops"))
    assert bad_orders_refusal(tmp_path, content).startswith("order_lines.csv, line 3,")


@pytest.mark.parametrize(
    ("table", "old", "new", "sentence"),
    [
        (
            *("sellers", "2024-03-05", "2024-3-5"),
            "sellers.csv, line 2, column joined_on: '2024-3-5' is not a day as 2026-08-20",
        ),
        (
            *("sellers", "2024-03-05", "2024-02-30"),
            "sellers.csv, line 2, column joined_on: '2024-02-30' is not a day as 2026-08-20",
        ),
        (
            *("sellers", "professional", "Pro"),
            (
                "sellers.csv, line 2, account_type is 'Pro': The account is individual or "
                "professional (rules §2.5)"
            ),
        ),
        (
            *("capacity_requests", "false", "no"),
            "capacity_requests.csv, line 2, column withdrawn: 'no' is neither true nor false",
        ),
        (
            *("network_capacity", "2026Q4", "2026Q5"),
            (
                "network_capacity.csv, line 2, column quarter: '2026Q5' is not a quarter as "
                "2026Q4 or 2026-10-01"
            ),
        ),
        (
            *("network_capacity", "2026Q4", "2026-11-01"),
            (
                "network_capacity.csv, line 2, quarter is '2026-11-01': quarter is the first day "
                "of a quarter, as 2026-10-01"
            ),
        ),
        (
            *("network_capacity", "1000.5,100", "99,100"),
            (
                "network_capacity.csv, line 2, network_ft3 is '99.000' and request_ft3 is "
                "'100.000': The space kept for requests is part of the network's (rules §2.6)"
            ),
        ),
        (
            *("marketplaces", "USD", "usd"),
            (
                "marketplaces.csv, line 2, column currency: 'usd' is not the ISO 4217 code, in "
                "capitals, of a currency with a minor unit"
            ),
        ),
        (
            *("marketplaces", "USD", "XAU"),
            (
                "marketplaces.csv, line 2, column currency: 'XAU' is not the ISO 4217 code, in "
                "capitals, of a currency with a minor unit"
            ),
        ),
        (
            *("products", "0.05", "0"),
            "products.csv, line 2, unit_volume_ft3 is '0.000000': unit_volume_ft3 is more than 0",
        ),
        (
            *("refunds", "9.95", "-9.95"),
            "refunds.csv, line 2, amount is '-9.95': amount is more than 0",
        ),
        (
            *("inventory_snapshots", "20,3", "20,-3"),
            "inventory_snapshots.csv, line 2, stranded_units is '-3': stranded_units is at least 0",
        ),
    ],
)
def test_a_row_that_breaks_its_contract_is_refused(tmp_path, landing, table, old, new, sentence):
    assert old in GOOD[table]
    source = deliver(tmp_path / "in", **{table: GOOD[table].replace(old, new)})
    assert bad_row_refusal(source, landing) == sentence + AGAIN


def test_an_empty_cell_that_must_hold_a_value_is_refused(tmp_path):
    sentence = f"order_lines.csv, line 2, column sku: the value is missing{AGAIN}"
    assert bad_orders_refusal(tmp_path, orders(order_row(sku=""))) == sentence
    assert bad_orders_refusal(tmp_path, orders(order_row(sku='""'))) == sentence


def test_a_received_at_that_is_empty_is_refused(tmp_path, landing):
    content = "marketplace_id,currency,received_at\nUS,USD,\n"
    assert bad_row_refusal(deliver(tmp_path / "in", marketplaces=content), landing) == (
        f"marketplaces.csv, line 2, column received_at: the value is missing{AGAIN}"
    )


def test_the_first_bad_row_is_named_and_those_like_it_are_counted(tmp_path):
    bad = [order_row(f"o{number}", units="0") for number in range(4)]
    content = orders(order_row("good"), *bad, order_row("o9", revenue="x"))
    assert bad_orders_refusal(tmp_path, content) == (
        "order_lines.csv, line 3, units is '0': units is at least 1 "
        f"(3 more rows have this fault){AGAIN}"
    )
    assert "(1 more row has this fault)" in bad_orders_refusal(tmp_path, orders(*bad[:2]))


def test_lines_are_counted_as_an_editor_counts_them(tmp_path):
    content = orders(order_row(), "\n", order_row("o2", sku='"a\nb"'), order_row("o3", units="x"))
    # The line end in the first sku is a fault of its own, on an earlier line.
    assert bad_orders_refusal(tmp_path, content).startswith(
        "order_lines.csv, line 4, sku is 'a\\nb':"
    )
    content = orders(order_row(), "\n", order_row("o2", revenue='"1\n"'), order_row("o3"))
    assert bad_orders_refusal(tmp_path, content).startswith(
        "order_lines.csv, line 4, column revenue:"
    )
    content = content.replace('"1\n"', '"1"') + order_row("o4", units="x")
    assert bad_orders_refusal(tmp_path, content).startswith(
        "order_lines.csv, line 6, column units:"
    )


def test_a_key_that_stands_twice_in_a_file_is_refused_naming_both_lines(tmp_path):
    content = orders(order_row("o1"), order_row("o2"), order_row("o1", units="3"), order_row("o2"))
    assert bad_orders_refusal(tmp_path, content) == (
        "order_lines.csv, line 4: order_line_id 'o1' stands already in order_lines.csv, line 2 "
        "(1 more row repeats a key); keep one of them and deliver again"
    )


def test_a_key_that_stands_in_two_files_of_a_delivery_is_refused_naming_both(tmp_path, landing):
    header, row = GOOD["products"].splitlines()
    source = deliver(
        tmp_path / "in",
        products__a=f"{header}\n{row}\n",
        products__b=f"{header}\n{row.replace('mug', 'lamp')}\n{row.replace('0.05', '0.06')}\n",
    )
    assert bad_row_refusal(source, landing) == (
        "products/b.csv, line 3: marketplace_id 'US', seller_id 's1', sku 'mug' stands already in "
        "products/a.csv, line 2; keep one of them and deliver again"
    )
