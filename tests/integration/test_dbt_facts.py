"""What dbt makes of a small marketplace, against figures worked out by hand."""

from __future__ import annotations

from datetime import date, timedelta

SELLER_MARKET = "marketplace_id, seller_id, storage_type"


def test_weekly_demand_counts_whole_weeks_back_from_the_cut_off_day(dbt_announced):
    weeks = dbt_announced.connection.execute(
        "select week_index, week_start, units, volume_milli_ft3, net_sales_minor"
        " from facts.weekly_demand order by week_index"
    ).fetchall()
    assert weeks == [
        (0, date(2026, 8, 13), 3, 1_500, 3_550),  # 30.00 − 4.50 + 10.00
        (1, date(2026, 8, 6), 5, 2_500, 5_000),  # l3 as last received
    ]


def test_seller_markets_are_where_a_seller_has_products(dbt_announced):
    rows = dbt_announced.connection.execute(
        f"select {SELLER_MARKET}, account_type, currency, history_start"
        " from facts.seller_markets order by all"
    ).fetchall()
    assert rows == [
        ("JP", "s2", "standard", "professional", "JPY", None),
        ("US", "s1", "oversize", "professional", "USD", None),
        ("US", "s1", "standard", "professional", "USD", date(2026, 8, 12)),
    ]


def test_inventory_health_adds_up_the_ninety_days_before_the_cut_off(dbt_announced):
    columns = (
        "shipped_units_90d, shipped_volume_milli_ft3_90d, snapshot_days_90d, on_hand_unit_days,"
        " on_hand_units, on_hand_volume_milli_ft3, stranded_unit_days, sku_days,"
        " in_stock_sku_days, idle_extra_milli_ft3_days, used_milli_ft3_days"
    )
    health = {
        row[:2]: row[2:]
        for row in dbt_announced.connection.execute(
            f"select marketplace_id, storage_type, {columns} from facts.inventory_health"
        ).fetchall()
    }
    # 18 August: 6 mugs fill 3,000, of which 2,000 above the base of 1,000; 1,000 of 3,000 is idle.
    # 19 August: nothing is used, so all 3,000 is idle.
    assert health["US", "standard"] == (8, 4_000, 2, 4, 0, 0, 0, 2, 1, 4_000, 3_000)
    assert health["US", "oversize"] == (0, 0, 2, 6, 3, 6_000, 1, 0, 0, 0, 12_000)
    assert health["JP", "standard"] == (0,) * 11


def test_market_capacity_covers_this_quarter_and_the_two_after(dbt_announced):
    rows = dbt_announced.connection.execute(
        "select quarter_start, network_milli_ft3, request_milli_ft3, base_pool_milli_ft3"
        " from facts.market_capacity order by quarter_start"
    ).fetchall()
    assert rows == [
        (date(2026, 10, 1), 1_000_000, 100_000, 900_000),
        (date(2027, 4, 1), 1_200_001, 100_000, 1_100_001),
    ]


def test_net_sales_are_of_the_order_day_and_refunds_stop_at_the_line(dbt_settled):
    rows = dbt_settled.connection.execute(
        "select marketplace_id, sales_date, units, gross_sales_minor, refunded_minor,"
        " net_sales_minor from facts.daily_net_sales order by all"
    ).fetchall()
    assert rows == [
        ("JP", date(2026, 10, 6), 3, 900, 0, 900),
        ("US", date(2026, 10, 5), 3, 5_000, 1_000, 4_000),
        ("US", date(2026, 12, 31), 1, 1_000, 0, 1_000),
    ]


def test_a_snapshot_is_carried_seven_days_and_then_the_day_is_missing(dbt_settled):
    days = dbt_settled.connection.execute(
        "select day, used_milli_ft3, snapshot_date, is_carried, is_missing"
        " from facts.seller_market_days where marketplace_id = 'US' order by day"
    ).fetchall()
    first = date(2026, 10, 1)
    assert [row[0] for row in days] == [first + timedelta(days=i) for i in range(92)]
    by_day = {row[0].strftime("%m-%d"): row[1:] for row in days}
    september = date(2026, 9, 28)
    assert by_day["10-01"] == (5_000, september, True, False)
    assert by_day["10-03"] == (5_000, september, True, False)
    assert by_day["10-04"] == (60_000, date(2026, 10, 4), False, False)
    # The mug is absent from a snapshot that exists, so the seller holds none of it.
    assert by_day["10-05"] == (0, date(2026, 10, 5), False, False)
    assert by_day["10-12"] == (0, date(2026, 10, 5), True, False)
    assert by_day["10-13"] == (0, None, False, True)
    assert by_day["12-31"] == (500, date(2026, 12, 31), False, False)


def test_used_volume_of_a_day_is_rounded_half_to_even_once(dbt_settled):
    used = dbt_settled.connection.execute(
        "select used_milli_ft3 from facts.seller_market_days"
        " where marketplace_id = 'JP' and day = date '2026-12-31'"
    ).fetchone()
    assert used == (2,)


def test_extra_space_is_what_was_granted_in_rounds_in_force_that_day(dbt_settled):
    changes = dbt_settled.connection.execute(
        "select extra_milli_ft3, base_milli_ft3, min(day), max(day) from facts.seller_market_days"
        " where marketplace_id = 'US' group by all order by 3"
    ).fetchall()
    assert changes == [
        (20_000, 30_000, date(2026, 10, 1), date(2026, 11, 12)),
        (30_000, 30_000, date(2026, 11, 13), date(2026, 12, 31)),
    ]


def test_requests_are_judged_as_of_the_close_of_their_first_round(dbt_settled):
    rows = dbt_settled.connection.execute(
        "select request_id, first_round, account_type, market_exists, base_milli_ft3,"
        " minor_unit_digits from facts.judged_requests order by request_id"
    ).fetchall()
    assert rows == [
        ("q1", 1, "professional", True, 30_000, 2),
        # Received at the very instant round 1 closes: the next round's.
        ("q2", 2, "professional", True, 30_000, 2),
        ("q3", 1, "professional", True, 0, 0),
        ("q4", None, None, True, 0, 2),
    ]


def test_a_round_is_given_the_release_known_when_it_closed(dbt_settled):
    rows = dbt_settled.connection.execute(
        "from facts.round_supply_released order by all"
    ).fetchall()
    assert rows == [
        ("JP", "standard", 1, 1_000),
        *(("JP", "standard", number, 0) for number in (2, 3, 4)),
        ("US", "standard", 1, 60_000),
        # Nothing released is a round all the same.
        *(("US", "standard", number, 0) for number in (2, 3)),
        ("US", "standard", 4, 40_000),
    ]


def test_the_summary_names_amounts_in_the_currency_and_who_owes_nothing(dbt_settled):
    rows = dbt_settled.connection.execute(
        "select marketplace_id, released_milli_ft3, granted_milli_ft3, unsold_milli_ft3,"
        " cast(fee as varchar), cast(credit as varchar), net_due_minor, winners,"
        " winners_wholly_offset from marts.fct_quarter_summary where storage_type = 'standard'"
        " order by all"
    ).fetchall()
    assert rows == [
        ("JP", 1_000, 1_000, 0, "500.0000", "500.0000", 0, 1, 1),
        ("US", 100_000, 30_000, 70_000, "120.0000", "6.0000", 11_400, 1, 0),
    ]


def test_a_request_open_in_two_rounds_is_asked_once_on_the_statement(dbt_settled):
    rows = dbt_settled.connection.execute(
        "select storage_type, base_milli_ft3, requested_milli_ft3, granted_milli_ft3,"
        " net_due_minor, usage_layer_minor from marts.fct_seller_statements"
        " where seller_id = 's1' order by all"
    ).fetchall()
    assert rows == [
        ("oversize", 5_000, 0, 0, 0, None),
        ("standard", 30_000, 30_000, 30_000, 11_400, 4_000),
    ]
