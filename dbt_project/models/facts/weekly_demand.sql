{{ config(tags=['announce']) }}

with run as (
  select * from {{ ref('stg_run') }}
),

sales as (
  select
    daily_sku_sales.*,
    run.cutoff_day,
    {{ days_between('daily_sku_sales.sales_date', 'run.cutoff_day') }} - 1 as days_before
  from {{ ref('int_daily_sku_sales') }} as daily_sku_sales
  inner join run
    on
      daily_sku_sales.sales_date >= run.facts_from
      and daily_sku_sales.sales_date < run.cutoff_day
),

numbered_sales as (
  select
    *,
    cast((days_before - days_before % 7) / 7 as integer) as week_index
  from sales
),

weeks as (
  select
    marketplace_id,
    seller_id,
    storage_type,
    cutoff_day,
    week_index,
    {{ sum_bigint('units') }} as units,
    cast(sum(volume_micro_ft3) as {{ type_wide_integer() }}) as volume_micro_ft3,
    {{ sum_bigint('net_sales_minor') }} as net_sales_minor
  from numbered_sales
  group by marketplace_id, seller_id, storage_type, cutoff_day, week_index
),

weekly_demand as (
  select
    marketplace_id,
    seller_id,
    storage_type,
    {{ add_days('cutoff_day', '(-7 * (week_index + 1))') }} as week_start,
    week_index,
    units,
    {{ round_half_even_div('volume_micro_ft3', '1000') }} as volume_milli_ft3,
    net_sales_minor
  from weeks
)

select * from weekly_demand
