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

lines_in_minor as (
  select
    order_lines.order_line_id,
    order_lines.marketplace_id,
    order_lines.seller_id,
    order_lines.sku,
    order_lines.sales_date,
    order_lines.units,
    marketplaces.minor_unit_digits,
    {{ to_minor('order_lines.revenue', 'marketplaces.minor_unit_digits',
                "'order line ' || order_lines.order_line_id") }} as gross_sales_minor
  from order_lines
  left join marketplaces on order_lines.marketplace_id = marketplaces.marketplace_id
),

refunds_in_minor as (
  select
    refunds.order_line_id,
    {{ to_minor('refunds.amount', 'lines_in_minor.minor_unit_digits',
                "'refund ' || refunds.refund_id || ' of order line ' || refunds.order_line_id") }}
      as refund_minor
  from {{ ref('stg_refunds') }} as refunds
  inner join lines_in_minor on refunds.order_line_id = lines_in_minor.order_line_id
),

refunds_by_line as (
  select
    order_line_id,
    {{ sum_bigint('refund_minor') }} as refund_minor
  from refunds_in_minor
  group by order_line_id
),

minor_amounts as (
  select
    lines_in_minor.order_line_id,
    lines_in_minor.marketplace_id,
    lines_in_minor.seller_id,
    lines_in_minor.sku,
    lines_in_minor.sales_date,
    lines_in_minor.units,
    lines_in_minor.gross_sales_minor,
    -- A line's refunds never exceed it (rules §6).
    least(coalesce(refunds_by_line.refund_minor, 0), lines_in_minor.gross_sales_minor)
      as refunded_minor
  from lines_in_minor
  left join refunds_by_line on lines_in_minor.order_line_id = refunds_by_line.order_line_id
),

order_line_net as (
  select
    *,
    gross_sales_minor - refunded_minor as net_sales_minor
  from minor_amounts
)

select * from order_line_net
