{{ config(tags=['settle']) }}

with run as (
  select * from {{ ref('stg_run') }}
),

daily_net_sales as (
  select
    sales.marketplace_id,
    sales.seller_id,
    sales.storage_type,
    sales.sales_date,
    {{ sum_bigint('sales.units') }} as units,
    {{ sum_bigint('sales.gross_sales_minor') }} as gross_sales_minor,
    {{ sum_bigint('sales.refunded_minor') }} as refunded_minor,
    {{ sum_bigint('sales.net_sales_minor') }} as net_sales_minor
  from {{ ref('int_daily_sku_sales') }} as sales
  inner join run on sales.sales_date between run.quarter_start and run.quarter_end
  group by sales.marketplace_id, sales.seller_id, sales.storage_type, sales.sales_date
)

select * from daily_net_sales
