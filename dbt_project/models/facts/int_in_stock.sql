{{ config(materialized='view', tags=['announce']) }}

with run as (
  select * from {{ ref('stg_run') }}
),

sold_skus as (
  select
    sales.marketplace_id,
    sales.seller_id,
    sales.storage_type,
    sales.sku
  from {{ ref('int_daily_sku_sales') }} as sales
  inner join run on sales.sales_date between run.health_from and run.health_to
  group by sales.marketplace_id, sales.seller_id, sales.storage_type, sales.sku
  having sum(sales.units) > 0
),

stocked_days as (
  select
    snapshots.marketplace_id,
    snapshots.seller_id,
    snapshots.sku,
    count(*) as in_stock_days
  from {{ ref('stg_inventory_snapshots') }} as snapshots
  inner join run on snapshots.snapshot_date between run.health_from and run.health_to
  where snapshots.on_hand_units > 0
  group by snapshots.marketplace_id, snapshots.seller_id, snapshots.sku
),

in_stock as (
  select
    sold_skus.marketplace_id,
    sold_skus.seller_id,
    sold_skus.storage_type,
    cast(count(*) as {{ dbt.type_bigint() }}) as sold_skus,
    {{ sum_bigint('stocked_days.in_stock_days') }} as in_stock_sku_days
  from sold_skus
  left join stocked_days
    on
      sold_skus.marketplace_id = stocked_days.marketplace_id
      and sold_skus.seller_id = stocked_days.seller_id
      and sold_skus.sku = stocked_days.sku
  group by sold_skus.marketplace_id, sold_skus.seller_id, sold_skus.storage_type
)

select * from in_stock
