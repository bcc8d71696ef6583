"""What the Olist importer makes up: a market that can be held, and stock that uses its space."""

from __future__ import annotations

from collections.abc import Iterator

import duckdb
import pytest
from olist_files import write_source

from fbacap_logic.policy import Policy
from orchestration.simulation.olist import write_olist_delivery
from orchestration.simulation.olist_tables import MARKET_QUARTERS, SHORT_QUARTERS

TABLES = (
    "sellers",
    "products",
    "order_lines",
    "inventory_snapshots",
    "network_capacity",
    "round_supply",
    "capacity_requests",
)


@pytest.fixture(scope="module")
def delivery(tmp_path_factory: pytest.TempPathFactory) -> Iterator[duckdb.DuckDBPyConnection]:
    folder = tmp_path_factory.mktemp("olist_market")
    write_olist_delivery(write_source(folder / "source"), folder)
    with duckdb.connect() as connection:
        for table in TABLES:
            connection.execute(f"create table {table} as from '{folder}/{table}.parquet'")
        connection.execute(
            "create table calendar (quarter date, announced_at timestamp, round_1 timestamp,"
            " last_round timestamp, is_short boolean)"
        )
        calendars = [(quarter, Policy().calendar_of(quarter)) for quarter in MARKET_QUARTERS]
        connection.executemany(
            "insert into calendar values (?, ?, ?, ?, ?)",
            [
                (
                    quarter.first_day,
                    dates.announced_at.replace(tzinfo=None),
                    dates.rounds[0].closes_at.replace(tzinfo=None),
                    dates.rounds[-1].closes_at.replace(tzinfo=None),
                    quarter in SHORT_QUARTERS,
                )
                for quarter, dates in calendars
            ],
        )
        yield connection


def rows(connection: duckdb.DuckDBPyConnection, query: str) -> list[tuple[object, ...]]:
    return connection.execute(query).fetchall()


def test_every_market_has_capacity_for_its_quarters_and_two_more(
    delivery: duckdb.DuckDBPyConnection,
) -> None:
    quarters = [quarter.first_day for quarter in MARKET_QUARTERS]
    quarters += [MARKET_QUARTERS[-1].plus(1).first_day, MARKET_QUARTERS[-1].plus(2).first_day]
    types = ["apparel", "footwear", "oversize", "standard"]
    assert rows(
        delivery, "select storage_type, quarter from network_capacity order by all"
    ) == sorted((kind, quarter) for kind in types for quarter in quarters)


def test_capacity_is_known_when_it_is_first_read(delivery: duckdb.DuckDBPyConnection) -> None:
    # An announcement reads its own quarter and the two after it (rules §2).
    late = rows(
        delivery,
        """select storage_type, calendar.quarter, received_at
        from network_capacity as capacity inner join calendar
          on capacity.quarter between calendar.quarter and calendar.quarter + interval 6 month
        where received_at >= announced_at
        union all
        select storage_type, quarter, received_at
        from round_supply inner join calendar using (quarter)
        where received_at >= announced_at""",
    )
    assert late == []


def test_the_rounds_release_exactly_what_is_kept_for_requests(
    delivery: duckdb.DuckDBPyConnection,
) -> None:
    found = rows(
        delivery,
        """select count(*), bool_and(released = request_ft3), min(rounds), max(rounds)
        from network_capacity inner join (
          select storage_type, quarter, sum(released_ft3) as released, count(*) as rounds
          from round_supply group by all
        ) using (storage_type, quarter)""",
    )
    assert found == [(4 * len(MARKET_QUARTERS), True, 4, 4)]


def test_pools_hold_the_floors_of_every_new_seller(delivery: duckdb.DuckDBPyConnection) -> None:
    found = rows(
        delivery,
        """select count(*), max(floor_ft3), bool_and(floor_ft3 <= network_ft3 - request_ft3)
        from network_capacity inner join (
          select quarter, storage_type, 5 * count(distinct seller_id) as floor_ft3
          from calendar, products inner join sellers using (seller_id)
          where products.received_at < announced_at
            and joined_on > announced_at::date - 7 * 39
          group by all
        ) using (quarter, storage_type)""",
    )
    markets, largest_floor_ft3, floors_fit = found[0]
    assert markets
    assert largest_floor_ft3
    assert floors_fit is True


def test_short_quarters_have_less_base_space_for_their_sales(
    delivery: duckdb.DuckDBPyConnection,
) -> None:
    shares = dict(
        rows(
            delivery,
            """select is_short, sum(pool_ft3) / sum(sold_ft3) from (
              select quarter, is_short, sum(unit_volume_ft3) as sold_ft3
              from calendar, order_lines inner join products using (seller_id, sku)
              where ordered_at >= announced_at - interval 91 day and ordered_at < announced_at
              group by all
            ) inner join (
              select quarter, sum(network_ft3 - request_ft3) as pool_ft3
              from network_capacity group by all
            ) using (quarter) where quarter >= date '2017-07-01' group by all""",
        )
    )
    assert shares[True] < 0.85 * shares[False]


def test_bids_name_whole_centavos_and_arrive_while_a_round_is_open(
    delivery: duckdb.DuckDBPyConnection,
) -> None:
    wrong = rows(
        delivery,
        """select * from capacity_requests inner join calendar using (quarter)
        where not regexp_matches(request_id, '-9..$') and not (
          max_fee_per_ft3 >= 0.01 and max_fee_per_ft3 * 100 % 1 = 0
          and requested_ft3 >= 1 and requested_ft3 * 1000 % 1 = 0
          and minimum_ft3 between 0 and requested_ft3
          and submitted_at >= announced_at and submitted_at < received_at
          and received_at < last_round)""",
    )
    assert wrong == []


def test_requests_have_steps_minimums_revisions_and_withdrawals(
    delivery: duckdb.DuckDBPyConnection,
) -> None:
    found = rows(
        delivery,
        """select count(*) filter (request_id like '%-2'), count(*) filter (minimum_ft3 > 0),
          count(*) filter (revision = 2 and not withdrawn), count(*) filter (withdrawn)
        from capacity_requests where not regexp_matches(request_id, '-9..$')""",
    )
    assert all(count for count in found[0])


def test_a_revision_comes_after_what_it_revises(delivery: duckdb.DuckDBPyConnection) -> None:
    found = rows(
        delivery,
        """select count(*), bool_and(second.submitted_at >= first.submitted_at + interval 1 hour)
        from capacity_requests as second left join capacity_requests as first
          on second.request_id = first.request_id and first.revision = 1
        where second.revision = 2""",
    )
    count, in_order = found[0]
    assert count
    assert in_order is True


def test_each_step_of_a_sellers_demand_bids_less_than_the_one_before(
    delivery: duckdb.DuckDBPyConnection,
) -> None:
    found = rows(
        delivery,
        """select count(*), bool_and(lower.max_fee_per_ft3 < upper.max_fee_per_ft3)
        from capacity_requests as upper inner join capacity_requests as lower
          on lower.request_id = left(upper.request_id, -1) || '2'
        where upper.request_id like '%-1' and upper.revision = 1 and lower.revision = 1""",
    )
    count, falling = found[0]
    assert count
    assert falling is True


def test_every_kind_of_mistake_is_made_once_in_a_quarter_with_known_bidders(
    delivery: duckdb.DuckDBPyConnection,
) -> None:
    mistakes = rows(
        delivery,
        """select quarter,
          count(*) filter (seller_id = 'seller-nobody-knows'),
          count(*) filter (storage_type = 'hazmat'),
          count(*) filter (received_at > last_round),
          count(*) filter (minimum_ft3 > requested_ft3),
          count(*) filter (max_fee_per_ft3 * 100 % 1 > 0),
          count(*) filter (requested_ft3 * 1000 % 1 > 0),
          count(*) filter (requested_ft3 = 0),
          count(*) filter (requested_ft3 > 0 and requested_ft3 < 1),
          count(*) filter (max_fee_per_ft3 = 0),
          count(*) filter (max_fee_per_ft3 > 1000)
        from capacity_requests inner join calendar using (quarter)
        where regexp_matches(request_id, '-9..$') group by all order by all""",
    )
    assert len(mistakes) >= 4
    assert {row[1:] for row in mistakes} == {(1,) * 10}
    repeated = rows(
        delivery,
        """select right(request_id, 3), count(*), count(distinct requested_ft3)
        from capacity_requests where revision = 1 and quarter = date '2018-04-01'
        group by request_id having count(*) > 1 order by all""",
    )
    assert repeated == [("905", 2, 2), ("913", 2, 1)]


def test_stock_on_a_day_is_what_will_sell_within_the_weeks_of_cover(
    delivery: duckdb.DuckDBPyConnection,
) -> None:
    # Products of sellers that never asked for space and keep no unsold unit hold six weeks.
    wrong = rows(
        delivery,
        """with plain as (
          from products inner join sellers using (seller_id)
          where seller_id not in (select seller_id from capacity_requests)
            and not exists (
              from inventory_snapshots as stock where stranded_units > 0
              and stock.seller_id = products.seller_id and stock.sku = products.sku)
        ),
        expected as (
          select snapshot_date, seller_id, sku, count(*) as units
          from plain inner join order_lines using (seller_id, sku),
            (select distinct snapshot_date from inventory_snapshots)
          where ordered_at::date > snapshot_date and ordered_at::date - 42 <= snapshot_date
            and snapshot_date >= joined_on
          group by all
        )
        select * from expected full join (
          select snapshot_date, seller_id, sku, on_hand_units + inbound_units as units
          from inventory_snapshots inner join plain using (seller_id, sku)
        ) as found using (snapshot_date, seller_id, sku)
        where expected.units is distinct from found.units""",
    )
    assert wrong == []


def test_sellers_that_ask_hold_more_weeks_of_sales_than_others(
    delivery: duckdb.DuckDBPyConnection,
) -> None:
    cover = dict(
        rows(
            delivery,
            """with asked as (
              select distinct quarter, seller_id, storage_type from capacity_requests
            ),
            sold as (
              select date_trunc('quarter', ordered_at)::date as quarter, seller_id, storage_type,
                count(*) as units
              from order_lines inner join products using (seller_id, sku) group by all
            ),
            held as (
              select date_trunc('quarter', snapshot_date)::date as quarter, seller_id,
                storage_type, sum(on_hand_units + inbound_units - stranded_units) / 91 as units
              from inventory_snapshots inner join products using (seller_id, sku) group by all
            )
            select asked.seller_id is not null as has_asked, sum(held.units) / sum(sold.units)
            from sold inner join calendar using (quarter)
            inner join held using (quarter, seller_id, storage_type)
            left join asked using (quarter, seller_id, storage_type)
            group by all""",
        )
    )
    assert cover[True] > 1.2 * cover[False]


def test_snapshots_end_with_the_last_quarter_and_miss_no_day_of_a_quarter(
    delivery: duckdb.DuckDBPyConnection,
) -> None:
    found = rows(
        delivery,
        """select max(snapshot_date), count(distinct snapshot_date)
        from inventory_snapshots where snapshot_date >= date '2017-01-01'""",
    )
    last_day = MARKET_QUARTERS[-1].last_day
    assert found == [(last_day, (last_day - MARKET_QUARTERS[0].first_day).days + 1)]


def test_an_unsold_unit_is_stranded_for_four_months_from_the_last_sale(
    delivery: duckdb.DuckDBPyConnection,
) -> None:
    found = rows(
        delivery,
        """select count(*), max(days), max(units), bool_and(first_day = last_sold_on) from (
          select seller_id, sku, count(*) as days, max(stranded_units) as units,
            min(snapshot_date) as first_day
          from inventory_snapshots where stranded_units > 0 group by all
        ) inner join (
          select seller_id, sku, max(ordered_at)::date as last_sold_on
          from order_lines group by all
        ) using (seller_id, sku)""",
    )
    products, longest_days, most_units, from_last_sale = found[0]
    assert products
    assert longest_days == 120
    assert most_units == 1
    assert from_last_sale is True
