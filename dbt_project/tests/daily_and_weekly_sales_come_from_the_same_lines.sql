-- Weekly demand is the daily sales of its weeks, added up: nothing is lost or counted twice.
{{ config(meta={'dagster': {'ref': {'name': 'weekly_demand'}}}) }}

with daily as (
  select
    coalesce(sum(sales.units), 0) as units,
    coalesce(sum(sales.net_sales_minor), 0) as net_sales_minor
  from {{ ref('int_daily_sku_sales') }} as sales
  inner join {{ ref('stg_run') }} as run
    on sales.sales_date >= run.facts_from and sales.sales_date < run.cutoff_day
),

weekly as (
  select
    coalesce(sum(units), 0) as units,
    coalesce(sum(net_sales_minor), 0) as net_sales_minor
  from {{ ref('weekly_demand') }}
)

select
  daily.units as daily_units,
  weekly.units as weekly_units,
  daily.net_sales_minor as daily_net_sales_minor,
  weekly.net_sales_minor as weekly_net_sales_minor
from daily
cross join weekly
where daily.units <> weekly.units or daily.net_sales_minor <> weekly.net_sales_minor
