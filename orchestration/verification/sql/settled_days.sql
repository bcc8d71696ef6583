-- A row for every seller and market with a grant and every day of the quarter: base and extra space
-- from the rules, net sales and used volume as published (rules §6). A day without any snapshot
-- within reach counts as nothing used.
create or replace temp table settled_days as
with grants as (
  select
    published_repriced_fees.marketplace_id,
    published_repriced_fees.storage_type,
    published_repriced_fees.seller_id,
    published_repriced_fees.granted_milli_ft3,
    rounds.in_force_from
  from published_repriced_fees
  inner join rounds using (round)
),

grants_by_first_day as (
  select
    marketplace_id,
    storage_type,
    seller_id,
    in_force_from,
    sum(granted_milli_ft3) as granted_milli_ft3
  from grants
  group by marketplace_id, storage_type, seller_id, in_force_from
),

days as (
  select cast(unnest(generate_series(
    cast(getvariable('quarter_start') as timestamp),
    (select any_value(next_first_day) from rounds) - interval 1 day,
    interval 1 day
  )) as date) as day
),

extra as (
  select
    grants.marketplace_id,
    grants.storage_type,
    grants.seller_id,
    days.day,
    coalesce(
      sum(grants.granted_milli_ft3) filter (where days.day >= grants.in_force_from), 0
    ) as extra_milli_ft3
  from grants_by_first_day as grants
  cross join days
  group by grants.marketplace_id, grants.storage_type, grants.seller_id, days.day
)

select
  extra.*,
  cast(coalesce(base.base_milli_ft3, 0) as hugeint) as base_milli_ft3,
  cast(published.net_sales_minor as hugeint) as net_sales_minor,
  cast(
    case when published.is_missing then 0 else published.used_milli_ft3 end as hugeint
  ) as used_milli_ft3,
  published.is_carried,
  published.is_missing
from extra
left join announced_base_allocations as base using (marketplace_id, storage_type, seller_id)
left join published_incremental_sales_days as published
  using (marketplace_id, storage_type, seller_id, day);
