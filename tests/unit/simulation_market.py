"""A generated delivery read back and put through the market's own logic, for tests.

The facts are worked out here from the files, in SQL of the tests' own, so that they do not rest on
the generator's reckoning.
"""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import duckdb
import pandas as pd

from fbacap_logic.base_allocation import ALLOCATION_COLUMNS, allocate
from fbacap_logic.calendar import Quarter
from fbacap_logic.clearing import QuarterClearing, clear_quarter
from fbacap_logic.forecast import forecast_quarter
from fbacap_logic.policy import Policy
from fbacap_logic.requests import judge_requests
from fbacap_logic.score import performance_scores
from orchestration.stages import INPUT_TABLES

KEY = "marketplace_id, seller_id, storage_type"

WEEKLY_SQL = f"""
select {KEY}, (date '{{day}}' - 1 - ordered_at::date) // 7 as week_index,
  date '{{day}}' as week_start, sum(units)::bigint as units,
  round(sum(units * unit_volume_ft3 * 1000))::bigint as volume_milli_ft3,
  round(sum(revenue) * 100)::bigint as net_sales_minor
from order_lines join products using (marketplace_id, seller_id, sku)
where ordered_at >= date '{{day}}' - 728 and ordered_at < date '{{day}}' group by all
"""
SELLERS_SQL = f"""
select {KEY}, any_value(account_type) as account_type, any_value(joined_on) as joined_on,
  any_value(currency) as currency, min(ordered_at)::date as history_start
from products join sellers using (marketplace_id, seller_id)
join marketplaces using (marketplace_id)
left join (from order_lines where ordered_at < date '{{day}}')
  using (marketplace_id, seller_id, sku)
where products.received_at < date '{{day}}' group by {KEY}
"""
HEALTH_SQL = f"""
with stock as (
  select {KEY}, snapshot_date, sum(on_hand_units) as units, sum(stranded_units) as stranded,
    sum(on_hand_units * unit_volume_ft3 * 1000) as volume,
    sum((on_hand_units + inbound_units) * unit_volume_ft3 * 1000) as used
  from inventory_snapshots join products using (marketplace_id, seller_id, sku)
  where snapshot_date >= date '{{day}}' - 90 and snapshot_date < date '{{day}}' group by all
), held as (
  select {KEY}, sum(units) as on_hand_unit_days, sum(stranded) as stranded_unit_days,
    sum(used) as used_milli_ft3_days,
    max(units) filter (snapshot_date = date '{{day}}' - 1) as on_hand_units,
    max(volume) filter (snapshot_date = date '{{day}}' - 1) as on_hand_volume_milli_ft3
  from stock group by all
), sold as (
  select {KEY}, sku, sum(units) as units
  from order_lines join products using (marketplace_id, seller_id, sku)
  where ordered_at >= date '{{day}}' - 90 and ordered_at < date '{{day}}' group by all
), present as (
  select marketplace_id, seller_id, sku, count(*) as days from inventory_snapshots
  where snapshot_date >= date '{{day}}' - 90 and snapshot_date < date '{{day}}'
    and on_hand_units > 0 group by all
), sales as (
  select {KEY}, sum(units) as units, 90 * count(*) as sku_days, sum(days) as in_stock_days
  from sold left join present using (marketplace_id, seller_id, sku) group by all
)
select {KEY}, coalesce(units, 0)::bigint as shipped_units_90d,
  0::bigint as shipped_volume_milli_ft3_90d, 90::bigint as snapshot_days_90d,
  coalesce(on_hand_unit_days, 0)::bigint as on_hand_unit_days,
  coalesce(on_hand_volume_milli_ft3, 0)::bigint as on_hand_volume_milli_ft3,
  coalesce(on_hand_units, 0)::bigint as on_hand_units,
  coalesce(stranded_unit_days, 0)::bigint as stranded_unit_days,
  coalesce(sku_days, 0)::bigint as sku_days,
  coalesce(in_stock_days, 0)::bigint as in_stock_sku_days,
  0::bigint as idle_extra_milli_ft3_days,
  coalesce(used_milli_ft3_days, 0)::bigint as used_milli_ft3_days
from seller_markets left join held using ({KEY}) left join sales using ({KEY})
"""
CAPACITY_SQL = """
select marketplace_id, storage_type, quarter as quarter_start,
  (network_ft3 * 1000)::bigint as network_milli_ft3,
  (request_ft3 * 1000)::bigint as request_milli_ft3,
  ((network_ft3 - request_ft3) * 1000)::bigint as base_pool_milli_ft3
from network_capacity where received_at < date '{day}'
"""
REQUESTS_SQL = """
with content as (
  select * exclude (received_at), min(received_at) as received_at from capacity_requests
  where quarter = date '{first_day}' group by all
)
select request_id, revision, marketplace_id, seller_id, storage_type, quarter as quarter_start,
  row_number() over (
    partition by request_id, revision order by content.received_at
  ) as version_number,
  if(currency = 'JPY', 0, 2) as minor_unit_digits,
  (max_fee_per_ft3 * 1000000)::bigint as max_fee_micro,
  (requested_ft3 * 1000000)::bigint as requested_micro_ft3,
  (minimum_ft3 * 1000000)::bigint as minimum_micro_ft3,
  submitted_at, content.received_at, withdrawn, account_type,
  nullif(1 + list_sum(list_transform({closes}, lambda t: (content.received_at >= t)::int)), 5)
    as first_round,
  exists (from round_supply s where s.marketplace_id = content.marketplace_id
    and s.storage_type = content.storage_type and s.quarter = content.quarter) as market_exists,
  coalesce(base_milli_ft3, 0)::bigint as base_milli_ft3, 'file' as source_file, 1 as source_row
from content join marketplaces using (marketplace_id)
left join (select marketplace_id, seller_id, account_type from sellers)
  using (marketplace_id, seller_id)
left join bases using (marketplace_id, seller_id, storage_type)
"""


class GeneratedMarket:
    """A delivery in a folder, and what the market makes of it."""

    def __init__(self, directory: Path) -> None:
        self.connection = duckdb.connect()
        self.connection.execute("set threads = 1")
        for table in INPUT_TABLES:
            self.connection.execute(
                f"create view {table} as from read_parquet('{directory}/{table}.parquet')"
            )

    def query(self, sql: str) -> pd.DataFrame:
        """The rows of a query over the input tables."""
        return self.connection.execute(sql).df()

    def announce(self, quarter: Quarter) -> pd.DataFrame:
        """base_allocations of a quarter, by the market's own logic."""
        policy = Policy()
        day = policy.calendar_of(quarter).announced_at.date()
        sellers = self.query(SELLERS_SQL.format(day=day))
        for column in ("joined_on", "history_start"):
            sellers[column] = sellers[column].dt.date
        self.connection.register("seller_markets", sellers)
        forecast = forecast_quarter(
            self.query(WEEKLY_SQL.format(day=day)), sellers, day, quarter, policy.base_allocation
        )
        score = performance_scores(
            self.query(HEALTH_SQL.format(day=day)), forecast, policy.base_allocation
        )
        capacity = self.query(CAPACITY_SQL.format(day=day))
        capacity["quarter_start"] = capacity["quarter_start"].dt.date
        none = pd.DataFrame({column: [] for column in ALLOCATION_COLUMNS})
        return allocate(
            sellers,
            forecast,
            score,
            capacity,
            previous_base_allocations=none,
            confirmed_base_allocations=none,
            announced_on=day,
            quarter=quarter,
            policy=policy.base_allocation,
        ).allocations

    def judged(self, quarter: Quarter, bases: pd.DataFrame, policy: Policy) -> pd.DataFrame:
        """round_requests of a quarter, by the market's own logic."""
        calendar = policy.calendar_of(quarter)
        self.connection.register("bases", bases)
        closes = [f"timestamp '{w.closes_at:%Y-%m-%d %H:%M:%S}'" for w in calendar.rounds]
        sql = REQUESTS_SQL.format(first_day=quarter.key, closes=f"[{', '.join(closes)}]")
        rows = self.query(sql).astype({"first_round": "Int64"})
        return judge_requests(rows, calendar, policy)

    def cleared(self, quarter: Quarter, judged: pd.DataFrame, policy: Policy) -> QuarterClearing:
        """The quarter's rounds, by the market's own logic."""
        supply = self.query(
            "select marketplace_id, storage_type, round, (released_ft3 * 1000)::bigint as "
            f"released_milli_ft3 from round_supply where quarter = date '{quarter.key}'"
        )
        accepted = judged[judged["is_accepted"]]
        return clear_quarter(accepted, supply, policy.calendar_of(quarter), policy)

    def used(self, quarter: Quarter) -> pd.DataFrame:
        """Used milli ft3 of every seller market and snapshot day of a quarter (rules §6)."""
        end = quarter.next.first_day - timedelta(days=1)
        return self.query(
            f"select {KEY}, snapshot_date, round(sum((on_hand_units + inbound_units) * "
            "unit_volume_ft3 * 1000))::bigint as used_milli_ft3 from inventory_snapshots join "
            "products using (marketplace_id, seller_id, sku) where snapshot_date between "
            f"date '{quarter.key}' and date '{end}' group by all order by all"
        )
