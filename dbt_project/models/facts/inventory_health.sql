{{ config(tags=['announce']) }}

with run as (
  select * from {{ ref('stg_run') }}
),

seller_markets as (
  select * from {{ ref('seller_markets') }}
),

sales as (
  select
    daily_sku_sales.marketplace_id,
    daily_sku_sales.seller_id,
    daily_sku_sales.storage_type,
    {{ sum_bigint('daily_sku_sales.units') }} as shipped_units,
    cast(sum(daily_sku_sales.volume_micro_ft3) as {{ type_wide_integer() }})
      as shipped_micro_ft3
  from {{ ref('int_daily_sku_sales') }} as daily_sku_sales
  inner join run on daily_sku_sales.sales_date between run.health_from and run.health_to
  group by
    daily_sku_sales.marketplace_id, daily_sku_sales.seller_id, daily_sku_sales.storage_type
),

stock_days as (
  select daily_stock.*
  from {{ ref('int_daily_stock') }} as daily_stock
  inner join run on daily_stock.snapshot_date between run.health_from and run.health_to
),

snapshot_days as (
  select
    marketplace_id,
    cast(count(distinct snapshot_date) as integer) as snapshot_days,
    max(snapshot_date) as last_snapshot_date
  from stock_days
  group by marketplace_id
),

stock as (
  select
    stock_days.marketplace_id,
    stock_days.seller_id,
    stock_days.storage_type,
    {{ sum_bigint('stock_days.on_hand_units') }} as on_hand_unit_days,
    {{ sum_bigint('stock_days.stranded_units') }} as stranded_unit_days,
    {{ sum_bigint('stock_days.used_milli_ft3') }} as used_milli_ft3_days,
    -- One row a day, so these pick the last snapshot's row.
    {{ sum_bigint(
      'case when stock_days.snapshot_date = snapshot_days.last_snapshot_date'
      ~ ' then stock_days.on_hand_units end'
    ) }} as on_hand_units,
    {{ sum_bigint(
      'case when stock_days.snapshot_date = snapshot_days.last_snapshot_date'
      ~ ' then stock_days.on_hand_milli_ft3 end'
    ) }} as on_hand_milli_ft3
  from stock_days
  inner join snapshot_days on stock_days.marketplace_id = snapshot_days.marketplace_id
  group by stock_days.marketplace_id, stock_days.seller_id, stock_days.storage_type
),

in_stock as (
  select * from {{ ref('int_in_stock') }}
),

idle_extra as (
  select * from {{ ref('int_idle_extra') }}
),

evidence as (
  select
    seller_markets.marketplace_id,
    seller_markets.seller_id,
    seller_markets.storage_type,
    coalesce(sales.shipped_units, 0) as shipped_units_90d,
    coalesce(sales.shipped_micro_ft3, 0) as shipped_micro_ft3,
    coalesce(snapshot_days.snapshot_days, 0) as snapshot_days_90d,
    coalesce(stock.on_hand_unit_days, 0) as on_hand_unit_days,
    coalesce(stock.on_hand_milli_ft3, 0) as on_hand_volume_milli_ft3,
    coalesce(stock.on_hand_units, 0) as on_hand_units,
    coalesce(stock.stranded_unit_days, 0) as stranded_unit_days,
    coalesce(in_stock.sold_skus * snapshot_days.snapshot_days, 0) as sku_days,
    coalesce(in_stock.in_stock_sku_days, 0) as in_stock_sku_days,
    coalesce(idle_extra.idle_extra_milli_ft3_days, 0) as idle_extra_milli_ft3_days,
    coalesce(stock.used_milli_ft3_days, 0) as used_milli_ft3_days
  from seller_markets
  left join sales
    on {{ same_seller_market('seller_markets', 'sales') }}
  left join stock
    on {{ same_seller_market('seller_markets', 'stock') }}
  left join in_stock
    on {{ same_seller_market('seller_markets', 'in_stock') }}
  left join idle_extra
    on {{ same_seller_market('seller_markets', 'idle_extra') }}
  left join snapshot_days on seller_markets.marketplace_id = snapshot_days.marketplace_id
),

inventory_health as (
  select
    marketplace_id,
    seller_id,
    storage_type,
    shipped_units_90d,
    {{ round_half_even_div('shipped_micro_ft3', '1000') }} as shipped_volume_milli_ft3_90d,
    snapshot_days_90d,
    on_hand_unit_days,
    on_hand_volume_milli_ft3,
    on_hand_units,
    stranded_unit_days,
    cast(sku_days as {{ dbt.type_bigint() }}) as sku_days,
    in_stock_sku_days,
    idle_extra_milli_ft3_days,
    used_milli_ft3_days
  from evidence
)

select * from inventory_health
