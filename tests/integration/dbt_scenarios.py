"""A small marketplace by hand, whose every figure can be worked out on paper.

Here belong the rows; how dbt is run on them is in ``dbt_runs``, what it makes of them is asserted
in the tests beside this module.
"""

from __future__ import annotations

import duckdb
from dbt_runs import add_rows


def add_catalogue(connection: duckdb.DuckDBPyConnection) -> None:
    """Two marketplaces, two sellers, three products, and the space there is."""
    add_rows(
        connection,
        "landing.marketplaces",
        """
        marketplace_id currency received_at
        US             USD      2020-01-01
        JP             JPY      2020-01-01
        """,
    )
    add_rows(
        connection,
        "landing.sellers",
        """
        marketplace_id seller_id account_type joined_on  received_at
        US             s1        individual   2020-01-01 2020-01-01
        US             s1        professional 2020-01-01 2021-01-01
        JP             s2        professional 2026-01-01 2026-01-01
        """,
    )
    add_rows(
        connection,
        "landing.products",
        """
        marketplace_id seller_id sku  storage_type unit_volume_ft3 received_at
        US             s1        mug  standard     0.5             2020-01-01
        US             s1        lamp oversize     2               2020-01-01
        JP             s2        fan  standard     0.000500        2026-01-01
        """,
    )
    add_rows(
        connection,
        "landing.network_capacity",
        """
        marketplace_id storage_type quarter    network_ft3 request_ft3 received_at
        US             standard     2026-10-01 1000        100         2026-08-01
        US             standard     2026-10-01 1000.5      90          2026-07-01
        US             standard     2027-04-01 1200.001    100         2026-08-01
        US             standard     2027-07-01 1300        100         2026-08-01
        """,
    )


def add_earlier_grant(connection: duckdb.DuckDBPyConnection) -> None:
    """What the quarter before granted: 3 ft³ in round 1."""
    add_rows(
        connection,
        "history.previous_cleared_allocations",
        """
        marketplace_id storage_type seller_id request_id round granted_milli_ft3
        US             standard     s1        old        1     3000
        """,
    )


def add_sales_before_the_announcement(connection: duckdb.DuckDBPyConnection) -> None:
    """Orders and stock of the weeks before 20 August 2026; l3 is received twice."""
    add_rows(
        connection,
        "landing.order_lines",
        """
        order_line_id marketplace_id seller_id sku ordered_at          units revenue received_at
        l1            US             s1        mug 2026-08-19T23:59:59 2     30.00   2026-08-19
        l2            US             s1        mug 2026-08-13T00:00:00 1     10.00   2026-08-13
        l3            US             s1        mug 2026-08-12T23:59:59 4     60.00   2026-08-12
        l3            US             s1        mug 2026-08-12T23:59:59 5     50.00   2026-08-15
        """,
    )
    add_rows(
        connection,
        "landing.refunds",
        """
        refund_id order_line_id refunded_at amount received_at
        r1        l1            2026-08-19  4.50   2026-08-19
        """,
    )
    add_rows(
        connection,
        "landing.inventory_snapshots",
        """
        snapshot_date marketplace_id seller_id sku  on_hand_units inbound_units stranded_units received_at
        2026-05-21    US             s1        mug  999           0             0              2026-05-22
        2026-08-18    US             s1        mug  4             2             0              2026-08-19
        2026-08-18    US             s1        lamp 3             0             0              2026-08-19
        2026-08-19    US             s1        mug  0             0             0              2026-08-19
        2026-08-19    US             s1        lamp 3             0             1              2026-08-19
        """,  # noqa: E501
    )
    add_rows(
        connection,
        "history.previous_base_allocations",
        """
        marketplace_id storage_type seller_id base_milli_ft3
        US             standard     s1        1000
        """,
    )
    add_earlier_grant(connection)


def add_sales_of_the_quarter(connection: duckdb.DuckDBPyConnection) -> None:
    """Orders on both edges of the quarter, refunds above a line, stock with gaps.

    Three fans of half a milli cubic foot are 1.5, which rounds to 2.
    """
    add_rows(
        connection,
        "landing.order_lines",
        """
        order_line_id marketplace_id seller_id sku ordered_at          units revenue received_at
        m1            US             s1        mug 2026-10-05T10:00:00 2     40.00   2026-10-05
        m2            US             s1        mug 2026-10-05T23:59:59 1     10.00   2026-10-05
        m3            JP             s2        fan 2026-10-06T00:00:00 3     900.00  2026-10-06
        m4            US             s1        mug 2026-09-30T23:59:59 9     90.00   2026-09-30
        m5            US             s1        mug 2027-01-01T00:00:00 9     90.00   2027-01-01
        m6            US             s1        mug 2026-12-31T12:00:00 1     10.00   2026-12-31
        """,
    )
    add_rows(
        connection,
        "landing.refunds",
        """
        refund_id order_line_id refunded_at amount received_at
        r1        m2            2026-10-07  4.00   2026-10-07
        r2        m2            2026-10-08  9.00   2026-10-08
        """,
    )
    add_rows(
        connection,
        "landing.inventory_snapshots",
        """
        snapshot_date marketplace_id seller_id sku  on_hand_units inbound_units stranded_units received_at
        2026-09-28    US             s1        mug  10            0             0              2026-09-29
        2026-10-04    US             s1        mug  100           20            5              2026-10-05
        2026-10-05    US             s1        lamp 1             0             0              2026-10-06
        2026-12-31    US             s1        mug  1             0             0              2027-01-01
        2026-12-31    JP             s2        fan  3             0             0              2027-01-01
        """,  # noqa: E501
    )


def add_requests(connection: duckdb.DuckDBPyConnection) -> None:
    """Four requests: q2 arrives at the instant round 1 closes, q4 after the last round."""
    add_rows(
        connection,
        "landing.round_supply",
        """
        marketplace_id storage_type quarter    round released_ft3 received_at
        US             standard     2026-10-01 1     60           2026-08-01
        US             standard     2026-10-01 4     40           2026-08-01
        JP             standard     2026-10-01 1     1            2026-09-02
        """,
    )
    add_rows(
        connection,
        "landing.capacity_requests",
        """
        request_id revision marketplace_id seller_id storage_type quarter    max_fee_per_ft3 requested_ft3 received_at source_file source_row
        q1         1        US             s1        standard     2026-10-01 6.00            20            2026-09-01  f           1
        q2         1        US             s1        standard     2026-10-01 4.00            10            2026-09-03  f           2
        q3         1        JP             s2        standard     2026-10-01 500             1             2026-09-01  f           3
        q4         1        US             s9        standard     2026-10-01 1.00            1             2026-12-01  f           4
        """,  # noqa: E501
    )


def add_market(connection: duckdb.DuckDBPyConnection) -> None:
    """What the Python stages made of the requests: two winners, one of them wholly offset."""
    add_requests(connection)
    add_rows(
        connection,
        "market.base_allocations",
        """
        marketplace_id storage_type seller_id base_milli_ft3
        US             standard     s1        30000
        US             oversize     s1        5000
        """,
    )
    add_rows(
        connection,
        "market.cleared_allocations",
        """
        marketplace_id storage_type seller_id request_id round requested_milli_ft3 granted_milli_ft3
        US             standard     s1        q1         1     20000               20000
        US             standard     s1        q2         2     10000               0
        US             standard     s1        q2         4     10000               10000
        JP             standard     s2        q3         1     1000                1000
        """,
    )
    add_rows(
        connection,
        "market.market_rounds",
        """
        marketplace_id storage_type round released_milli_ft3 carried_in_milli_ft3 supply_milli_ft3 granted_milli_ft3 unsold_milli_ft3 clearing_fee_minor_per_ft3
        US             standard     1     60000              0                    60000            20000             40000            600
        US             standard     4     40000              40000                80000            10000             70000            400
        JP             standard     1     1000               0                    1000             1000              0                500
        """,  # noqa: E501
    )
    add_rows(
        connection,
        "market.repriced_fees",
        """
        marketplace_id storage_type seller_id request_id round granted_milli_ft3 round_fee_minor_per_ft3
        US             standard     s1        q1         1     20000             600
        US             standard     s1        q2         4     10000             400
        JP             standard     s2        q3         1     1000              500
        """,  # noqa: E501
    )
    add_rows(
        connection,
        "market.settlements",
        """
        marketplace_id storage_type seller_id request_id round currency granted_milli_ft3 fee_minor credit_minor net_due_minor
        US             standard     s1        q1         1     USD      20000             8000      600          7400
        US             standard     s1        q2         4     USD      10000             4000      0            4000
        JP             standard     s2        q3         1     JPY      1000              500       500          0
        """,  # noqa: E501
    )
    add_rows(
        connection,
        "market.incremental_sales",
        """
        marketplace_id storage_type seller_id method      incremental_sales_minor usage_layer_minor
        US             standard     s1        usage_layer 4000                    4000
        JP             standard     s2        usage_layer 9000                    9000
        """,
    )
