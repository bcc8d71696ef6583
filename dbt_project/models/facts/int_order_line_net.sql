{{ config(materialized='view', tags=['announce', 'settle']) }}

with run as (
  select * from {{ ref('stg_run') }}
),

order_lines as (
  select order_lines.*
  from {{ ref('stg_order_lines') }} as order_lines
  inner join run
    on
      order_lines.sales_date <= run.sales_to
      and order_lines.sales_date >= coalesce(run.sales_from, order_lines.sales_date)
),

marketplaces as (
  select * from {{ ref('int_marketplaces') }}
),

refunds as (
  select
    order_line_id,
    cast(sum(amount) as decimal(38, 2)) as refunded
  from {{ ref('stg_refunds') }}
  group by order_line_id
),

capped_refunds as (
  select
    order_lines.*,
    marketplaces.minor_unit_digits,
    -- A line's refunds never exceed it (rules §6).
    cast(least(coalesce(refunds.refunded, 0), order_lines.revenue) as decimal(18, 2)) as refunded
  from order_lines
  left join marketplaces on order_lines.marketplace_id = marketplaces.marketplace_id
  left join refunds on order_lines.order_line_id = refunds.order_line_id
),

minor_amounts as (
  select
    order_line_id,
    marketplace_id,
    seller_id,
    sku,
    sales_date,
    units,
    {{ to_minor('revenue', 'minor_unit_digits', "'order line ' || order_line_id") }}
      as gross_sales_minor,
    {{ to_minor('refunded', 'minor_unit_digits', "'a refund of order line ' || order_line_id") }}
      as refunded_minor
  from capped_refunds
),

order_line_net as (
  select
    *,
    gross_sales_minor - refunded_minor as net_sales_minor
  from minor_amounts
)

select * from order_line_net
