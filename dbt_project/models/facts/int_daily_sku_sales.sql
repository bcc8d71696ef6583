{{ config(tags=['announce', 'settle']) }}

with order_lines as (
  select * from {{ ref('int_order_line_net') }}
),

products as (
  select * from {{ ref('stg_products') }}
),

-- Added up before products are joined: far fewer rows meet the join.
sku_days as (
  select
    marketplace_id,
    seller_id,
    sku,
    sales_date,
    {{ sum_bigint('units') }} as units,
    {{ sum_bigint('gross_sales_minor') }} as gross_sales_minor,
    {{ sum_bigint('refunded_minor') }} as refunded_minor,
    {{ sum_bigint('net_sales_minor') }} as net_sales_minor
  from order_lines
  group by marketplace_id, seller_id, sku, sales_date
),

daily_sku_sales as (
  select
    sku_days.marketplace_id,
    sku_days.seller_id,
    products.storage_type,
    sku_days.sku,
    sku_days.sales_date,
    sku_days.units,
    cast(sku_days.units as {{ type_wide_integer() }}) * products.unit_volume_micro_ft3
      as volume_micro_ft3,
    sku_days.gross_sales_minor,
    sku_days.refunded_minor,
    sku_days.net_sales_minor
  from sku_days
  left join products
    on
      sku_days.marketplace_id = products.marketplace_id
      and sku_days.seller_id = products.seller_id
      and sku_days.sku = products.sku
)

select * from daily_sku_sales
