"""What the Olist data really says: order lines, products, sellers (rules §§0, 2, 6).

Here belongs the translation of real rows, and the working tables (schema ``main``) that the
simulated parts read. Nothing here is made up, but the day on which a product becomes known, which
is when its first unit is sent in (``olist_stock``).

Volumes are micro cubic feet and money is centavos, both integers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import duckdb

from fbacap_logic.calendar import Quarter, quarter_range
from fbacap_logic.policy import Policy

MARKETPLACE_ID = "BR"
CURRENCY = "BRL"

MARKET_QUARTERS = quarter_range(Quarter(2017, 1), Quarter(2018, 2))
SHORT_QUARTERS = (Quarter(2017, 4), Quarter(2018, 1))

# The data set names categories in Portuguese; fashion_bolsas_e_acessorios is bags, and so on.
_CLOTHING_PREFIX = "fashion_"
_FOOTWEAR_CATEGORY = "fashion_calcados"
_OVERSIZE_ABOVE_MICRO_FT3 = 1_800_000

_CM3_PER_FT3_MILLIONTHS = 28_316_846_592  # a foot is 30.48 cm exactly

_WORKING_TABLES = f"""
create table unit_volumes as
with sized as (
  select
    product_id,
    coalesce(product_category_name, '') as category,
    product_length_cm::hugeint * product_height_cm * product_width_cm as cm3,
    least(product_length_cm, product_height_cm, product_width_cm) > 0 as has_size
  from source.products
),

medians as (
  select category, quantile_disc(cm3, 0.5) as cm3 from sized
  where has_size and cm3 is not null group by category
),

completed as (
  select
    sized.product_id,
    sized.category,
    sized.has_size is not true or sized.cm3 is null as is_median,
    case
      when sized.has_size and sized.cm3 is not null then sized.cm3
      else coalesce(
        medians.cm3,
        (select quantile_disc(cm3, 0.5) from sized where has_size and cm3 is not null)
      )
    end as cm3
  from sized left join medians on sized.category = medians.category
),

measured as (
  select
    *,
    -- to the nearest millionth of a cubic foot, at least one: no product takes no room
    greatest(1, (2 * cm3 * 1000000000000 + {_CM3_PER_FT3_MILLIONTHS})
      // (2 * {_CM3_PER_FT3_MILLIONTHS}))::bigint as unit_micro_ft3
  from completed
)

select
  product_id,
  is_median,
  unit_micro_ft3,
  case
    when category = '{_FOOTWEAR_CATEGORY}' then 'footwear'
    when starts_with(category, '{_CLOTHING_PREFIX}') then 'apparel'
    when unit_micro_ft3 > {_OVERSIZE_ABOVE_MICRO_FT3} then 'oversize'
    else 'standard'
  end as storage_type
from measured;

create table lines as
select
  items.order_id || '-' || items.order_item_id as order_line_id,
  items.seller_id,
  items.product_id as sku,
  coalesce(
    orders.purchase_ts_true, orders.purchase_date_est::timestamp + interval 12 hours
  ) as ordered_at,
  cast(ordered_at as date) as sold_on,
  cast(cast(items.price as decimal(18, 2)) * 100 as bigint) as revenue_minor,
  volumes.storage_type,
  volumes.unit_micro_ft3
from source.order_items as items
inner join source.orders_recovered as orders on items.order_id = orders.order_id
inner join unit_volumes as volumes on items.product_id = volumes.product_id;

create table first_days as
select seller_id, min(sold_on) as joined_on from lines group by seller_id;
"""

_QUARTER_TABLES = """
create table quarters (quarter date, last_day date, announced_on date, is_short boolean,
  label varchar, new_since date);
create table rounds (quarter date, round integer, opens_at timestamp, closes_at timestamp);
"""

SELLERS_SQL = f"""
select '{MARKETPLACE_ID}' as marketplace_id, seller_id, 'professional' as account_type,
  joined_on, joined_on::timestamp as received_at
from first_days order by seller_id
"""

ORDER_LINES_SQL = f"""
select order_line_id, '{MARKETPLACE_ID}' as marketplace_id, seller_id, sku, ordered_at,
  1::bigint as units, revenue_minor as revenue,
  sold_on::timestamp + interval '23:59:59' as received_at
from lines order by order_line_id
"""

MARKETPLACES_SQL = f"""
select '{MARKETPLACE_ID}' as marketplace_id, '{CURRENCY}' as currency,
  min(joined_on)::timestamp as received_at
from first_days
"""

PRODUCTS_SQL = f"""
select '{MARKETPLACE_ID}' as marketplace_id, seller_id, sku,
  any_value(storage_type) as storage_type,
  any_value(unit_micro_ft3) as unit_volume_ft3,
  min(sent_on)::timestamp as received_at
from units group by seller_id, sku order by seller_id, sku
"""


@dataclass(frozen=True)
class Facts:
    """What a delivery's note tells of the data it came from."""

    first_order_day: date
    median_volumes: int


def build_tables(connection: duckdb.DuckDBPyConnection, policy: Policy) -> Facts:
    """Make ``unit_volumes``, ``lines``, ``first_days``, ``quarters`` and ``rounds``.

    ``source`` must hold the Olist files (``olist_source.read_source``).
    """
    connection.execute(_WORKING_TABLES)
    connection.execute(_QUARTER_TABLES)
    connection.executemany("insert into quarters values (?, ?, ?, ?, ?, ?)", _quarters(policy))
    connection.executemany("insert into rounds values (?, ?, ?, ?)", _rounds(policy))
    row = connection.execute(
        "select (select min(joined_on) from first_days),"
        " (select count(*) from unit_volumes where is_median)"
    ).fetchall()[0]
    return Facts(first_order_day=row[0], median_volumes=row[1])


def _quarters(policy: Policy) -> Sequence[tuple[Any, ...]]:
    weeks = policy.base_allocation.new_professional_weeks
    rows = []
    for quarter in MARKET_QUARTERS:
        announced_on = policy.calendar_of(quarter).announced_at.date()
        new_since = announced_on - timedelta(weeks=weeks)
        rows.append(
            (
                quarter.first_day,
                quarter.last_day,
                announced_on,
                quarter in SHORT_QUARTERS,
                quarter.label,
                new_since,
            )
        )
    return rows


def _rounds(policy: Policy) -> Sequence[tuple[Any, ...]]:
    rows = []
    for quarter in MARKET_QUARTERS:
        calendar = policy.calendar_of(quarter)
        opens_at = calendar.announced_at.replace(tzinfo=None)
        for window in calendar.rounds:
            closes_at = window.closes_at.replace(tzinfo=None)
            rows.append((quarter.first_day, window.round, opens_at, closes_at))
            opens_at = closes_at
    return rows
