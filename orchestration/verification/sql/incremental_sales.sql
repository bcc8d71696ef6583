-- Each day's sales made by extra space, in millionths of a minor unit, and their sums (rules §6).
create or replace temp table derived_incremental_sales_days as
with used as (
  select
    *,
    least(extra_milli_ft3, greatest(used_milli_ft3 - base_milli_ft3, 0)) as extra_used_milli_ft3
  from settled_days
)

select
  *,
  coalesce(
    half_even(net_sales_minor * 1000000 * extra_used_milli_ft3, nullif(used_milli_ft3, 0)), 0
  ) as usage_layer_micro_minor,
  coalesce(
    half_even(
      net_sales_minor * 1000000 * extra_milli_ft3, nullif(base_milli_ft3 + extra_milli_ft3, 0)
    ),
    0
  ) as capacity_share_micro_minor
from used;

create or replace temp table derived_incremental_sales as
with sums as (
  select
    marketplace_id,
    storage_type,
    seller_id,
    half_even(sum(usage_layer_micro_minor), 1000000) as usage_layer_minor,
    half_even(sum(capacity_share_micro_minor), 1000000) as capacity_share_minor,
    sum(net_sales_minor) as net_sales_minor,
    count(*) filter (where is_missing) as missing_days,
    count(*) filter (where is_carried) as carried_days
  from derived_incremental_sales_days
  group by marketplace_id, storage_type, seller_id
),

methods as (
  select
    sums.*,
    getvariable('policy') -> 'settlement' ->> 'attribution_method' as method,
    coalesce(base.sales_forecast_minor, 0) as sales_forecast_minor,
    greatest(
      sums.net_sales_minor - coalesce(base.sales_forecast_minor, 0), 0
    ) as forecast_uplift_minor
  from sums
  left join announced_base_allocations as base using (marketplace_id, storage_type, seller_id)
)

select
  *,
  case method
    when 'usage_layer' then usage_layer_minor
    when 'capacity_share' then capacity_share_minor
    when 'forecast_uplift' then forecast_uplift_minor
  end as incremental_sales_minor
from methods;
