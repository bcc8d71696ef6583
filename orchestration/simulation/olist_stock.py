"""The stock behind Olist's real sales, made up (rules §§2, 6).

Here belongs what stood in the warehouses day by day. Olist tells what was sold, never what was in
stock, so every unit sold is taken to have been sent in some weeks before: stock on any day is what
will sell within the weeks of cover, as an order-up-to policy with good forecasts would have it.
"""

from __future__ import annotations

import duckdb
import numpy as np

from orchestration.simulation.olist_tables import MARKET_QUARTERS, MARKETPLACE_ID

COVER_DAYS = 42
WINNERS_COVER_DAYS = 91
"""A seller that wins space stocks a quarter's sales ahead: that is what it asked space for."""

_INBOUND_DAYS = 7
_UNSOLD_ONE_IN = 12
_UNSOLD_DAYS = 120

# A unit is sent in no earlier than its seller's first sale: before that day nobody knows the
# seller, so its first units arrive and leave on the same day, and no snapshot sees them.
_UNITS = f"""
create table units as
select
  lines.seller_id,
  lines.sku,
  lines.storage_type,
  lines.unit_micro_ft3,
  lines.sold_on,
  greatest(
    lines.sold_on - if(likely_winners.seller_id is null, {COVER_DAYS}, {WINNERS_COVER_DAYS}),
    first_days.joined_on
  ) as sent_on,
  least(sent_on + {_INBOUND_DAYS}, lines.sold_on) as arrived_on
from lines
inner join first_days on lines.seller_id = first_days.seller_id
left join likely_winners
  on lines.seller_id = likely_winners.seller_id
  and lines.storage_type = likely_winners.storage_type
  and date_trunc('quarter', lines.sold_on) = likely_winners.quarter
"""

# Days are counted with whole numbers standing for products: text is joined on at the end only.
_STOCK = f"""
create table stock as
with unit_days as (
  select
    product,
    day,
    day >= arrived_on as is_on_hand,
    false as is_stranded
  from (
    select product, sold_on, arrived_on,
      unnest(range(sent_on::timestamp, sold_on::timestamp, interval 1 day))::date as day
    from units inner join skus using (seller_id, sku)
  )
),
stranded_days as (
  select
    product,
    unnest(range(last_sold_on::timestamp, last_sold_on::timestamp + to_days({_UNSOLD_DAYS}),
      interval 1 day))::date as day,
    true as is_on_hand,
    true as is_stranded
  from skus where keeps_unsold
)
select
  day,
  product,
  count(*) filter (is_on_hand) as on_hand_units,
  count(*) filter (not is_on_hand) as inbound_units,
  count(*) filter (is_stranded) as stranded_units
from (from unit_days union all from stranded_days)
where day <= $last_day
group by day, product
"""

INVENTORY_SNAPSHOTS_SQL = f"""
select day as snapshot_date, '{MARKETPLACE_ID}' as marketplace_id, seller_id, sku,
  on_hand_units, inbound_units, stranded_units,
  day::timestamp + interval '23:59:59' as received_at
from stock inner join skus using (product)
order by day, product
"""


def build_units(connection: duckdb.DuckDBPyConnection, rng: np.random.Generator) -> None:
    """Make ``units`` (every unit sold, with the day it was sent in) and ``skus``.

    ``skus`` numbers the products in the order of seller and sku, and says which of them keeps a
    unit that nobody buys.
    """
    connection.execute(_UNITS)
    count = connection.execute("select count(*) from (select distinct seller_id, sku from lines)")
    keeps_unsold = rng.random(count.fetchall()[0][0]) < 1 / _UNSOLD_ONE_IN
    connection.execute(
        """
        create table skus as
        select seller_id, sku, max(sold_on) as last_sold_on,
          row_number() over (order by seller_id, sku) as product,
          false as keeps_unsold
        from lines group by seller_id, sku
        """
    )
    connection.execute(
        "update skus set keeps_unsold = true where list_contains($products, product)",
        {"products": (np.flatnonzero(keeps_unsold) + 1).tolist()},
    )


def build_stock(connection: duckdb.DuckDBPyConnection) -> None:
    """Make ``stock``: units on hand, inbound and stranded, per day and product that holds any."""
    connection.execute(_STOCK, {"last_day": MARKET_QUARTERS[-1].last_day})
