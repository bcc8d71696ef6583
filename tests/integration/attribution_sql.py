"""Seller days of 2025Q4 from delivered files, in SQL that shares nothing with dbt or the logic."""

from __future__ import annotations

# From the delivered files to seller days, without dbt: every case of rules §6 stands in one place.
SELLER_DAYS_IN_SQL = """
with lines as (
  select l.*, p.storage_type, if(m.currency = 'JPY', 1, 100) as minor
  from order_lines as l
  join products as p using (marketplace_id, seller_id, sku)
  join marketplaces as m using (marketplace_id)
  where l.received_at < timestamp '{cutoff}'
    and l.ordered_at >= date '2025-10-01' and l.ordered_at < date '2026-01-01'
), refunded as (
  select order_line_id, sum(amount) as amount from refunds
  where received_at < timestamp '{cutoff}' group by order_line_id
), sales as (
  select marketplace_id, seller_id, storage_type, ordered_at::date as day,
    sum((revenue - least(revenue, coalesce(amount, 0))) * minor)::bigint as net
  from lines left join refunded using (order_line_id) group by all
), used as (
  select marketplace_id, seller_id, storage_type, snapshot_date,
    round_even(sum((on_hand_units + inbound_units) * unit_volume_ft3 * 1000), 0)::bigint as used
  from inventory_snapshots join products using (marketplace_id, seller_id, sku) group by all
), days as (
  select unnest(generate_series(timestamp '2025-10-01', timestamp '2025-12-31', interval 1 day))
    ::date as day
), snapshots as (
  select distinct marketplace_id, snapshot_date from inventory_snapshots
), standing as (
  select marketplace_id, day, (
      select max(snapshot_date) from snapshots
      where snapshots.marketplace_id = marketplaces.marketplace_id
        and snapshot_date <= day and snapshot_date >= day - 7
    ) as snapshot_date
  from marketplaces cross join days
), extra as (
  select marketplace_id, seller_id, storage_type, day, sum(granted_milli_ft3) filter (
      day >= case round when 3 then date '2025-10-16' when 4 then date '2025-11-13' else day end
    )::bigint as extra
  from grants cross join days group by all
)
select *,
  least(extra_milli_ft3, greatest(0, used_milli_ft3 - base_milli_ft3)) as extra_used_milli_ft3,
  coalesce(half_even(net_sales_minor::hugeint * 1000000 * extra_used_milli_ft3,
    nullif(used_milli_ft3, 0)), 0)::bigint as usage_layer_micro_minor,
  coalesce(half_even(net_sales_minor::hugeint * 1000000 * extra_milli_ft3,
    nullif(base_milli_ft3 + extra_milli_ft3, 0)), 0)::bigint as capacity_share_micro_minor,
  coalesce(snapshot_date < day, false) as is_carried, snapshot_date is null as is_missing
from (
  select marketplace_id, seller_id, storage_type, day, coalesce(net, 0) as net_sales_minor,
    coalesce(used, 0) as used_milli_ft3, coalesce(bases.base_milli_ft3, 0) as base_milli_ft3,
    coalesce(extra, 0) as extra_milli_ft3, snapshot_date
  from extra join standing using (marketplace_id, day)
  left join sales using (marketplace_id, seller_id, storage_type, day)
  left join used using (marketplace_id, seller_id, storage_type, snapshot_date)
  left join bases using (marketplace_id, seller_id, storage_type)
)
order by all
"""
HALF_EVEN = """
create macro half_even(amount, divisor) as amount // divisor + case
  when 2 * (amount % divisor) > divisor then 1
  when 2 * (amount % divisor) = divisor and (amount // divisor) % 2 = 1 then 1 else 0 end
"""
