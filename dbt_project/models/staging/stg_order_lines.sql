{{ config(tags=['announce', 'settle']) }}

with received as (
  select
    order_line_id,
    marketplace_id,
    seller_id,
    sku,
    cast(ordered_at as date) as sales_date,
    units,
    revenue,
    received_at
  from {{ source('landing', 'order_lines') }}
),

order_lines as (
  {{ last_received(
    'received',
    key=['order_line_id'],
    content=['marketplace_id', 'seller_id', 'sku', 'sales_date', 'units', 'revenue']
  ) }}
)

select * from order_lines
