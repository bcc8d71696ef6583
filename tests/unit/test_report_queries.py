"""The report's queries over small tables: thinned curves, rounded credits, shell-safe words."""

import duckdb
import pytest

from fbacap_logic.calendar import Quarter
from orchestration.report.queries import CURVE_POINTS, queries_of

QUARTER = Quarter(2026, 4)
QUERIES = queries_of(QUARTER, 1_500, 10_000)


@pytest.mark.parametrize("cells", [1, CURVE_POINTS, CURVE_POINTS + 1, 5_000])
def test_a_long_curve_is_thinned_to_cells_that_stand_at_their_exact_volume(cells):
    with duckdb.connect() as connection:
        connection.execute(
            "create table demand_curves as select '2026Q4' as quarter, 'US' as marketplace_id, "
            "'standard' as storage_type, 1 as round, cell::int as cell, "
            "10000 - cell as from_fee_minor_per_ft3, cell * 7 as cumulative_demanded_milli_ft3 "
            f"from range(1, {cells + 1}) as made(cell)"
        )
        rows = connection.execute(QUERIES["curves"].sql).fetchall()
    assert len(rows) == min(cells, CURVE_POINTS)
    assert rows[-1][3] == cells
    assert all(row[6] == row[3] * 7 and row[5] == 10_000 - row[3] for row in rows)


@pytest.mark.parametrize(
    ("sales", "fee", "credit"),
    [(10, 100, 2), (30, 100, 4), (31, 100, 5), (1_000, 100, 100), (-50, 100, 0), (10**17, 50, 50)],
)
def test_a_methods_credit_is_rounded_half_even_and_capped_by_the_fee(sales, fee, credit):
    with duckdb.connect() as connection:
        seller = "'2026Q4' as quarter, 'US' as marketplace_id, 'standard' as storage_type, 's' as "
        connection.execute(
            f"create table settlements as select {seller} seller_id, {fee}::bigint as fee_minor"
        )
        connection.execute(
            f"create table incremental_sales as select {seller} seller_id, "
            f"'usage_layer' as method, {sales}::bigint as usage_layer_minor, "
            "0::bigint as capacity_share_minor, 0::bigint as forecast_uplift_minor"
        )
        rows = connection.execute(QUERIES["methods"].sql).fetchall()
    credits_ = {method: amount for _, method, _, _, amount in rows}
    assert credits_ == {"usage_layer": credit, "capacity_share": 0, "forecast_uplift": 0}
    assert [pays for _, _, pays, _, _ in rows] == [False, False, True]


def test_a_shell_takes_a_query_between_double_quotes_as_it_is():
    for query in QUERIES.values():
        assert not set('"$`\\!') & set(query.sql), query.name
        assert "{" not in query.sql
