{{ config(tags=['announce']) }}

with run as (
  select
    previous_quarter_start,
    cast({{ dbt.dateadd('month', -3, 'previous_quarter_start') }} as date) as quarter_start
  from {{ ref('stg_run') }}
),

announced as (
  select * from {{ source('history', 'second_previous_base_allocations') }}
),

shipped as (
  select
    daily_sku_sales.marketplace_id,
    daily_sku_sales.seller_id,
    daily_sku_sales.storage_type,
    cast(sum(daily_sku_sales.volume_micro_ft3) as {{ type_wide_integer() }}) as shipped_micro_ft3
  from {{ ref('int_daily_sku_sales') }} as daily_sku_sales
  inner join run
    on
      daily_sku_sales.sales_date >= run.quarter_start
      and daily_sku_sales.sales_date < run.previous_quarter_start
  group by
    daily_sku_sales.marketplace_id, daily_sku_sales.seller_id, daily_sku_sales.storage_type
),

volumes as (
  select
    announced.marketplace_id,
    announced.seller_id,
    announced.storage_type,
    announced.demand_p10_milli_ft3,
    announced.demand_p50_milli_ft3,
    announced.demand_p90_milli_ft3,
    coalesce(shipped.shipped_micro_ft3, 0) as shipped_micro_ft3
  from announced
  left join shipped
    on {{ same_seller_market('announced', 'shipped') }}
),

foretold_quarter as (
  select
    marketplace_id,
    storage_type,
    seller_id,
    demand_p10_milli_ft3,
    demand_p50_milli_ft3,
    demand_p90_milli_ft3,
    {{ round_half_even_div('shipped_micro_ft3', '1000') }} as shipped_milli_ft3
  from volumes
)

select * from foretold_quarter
