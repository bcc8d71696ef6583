{{ config(tags=['announce', 'settle']) }}

with received as (
  select
    refund_id,
    order_line_id,
    refunded_at,
    amount,
    received_at
  from {{ source('landing', 'refunds') }}
),

refunds as (
  {{ last_received(
    'received', key=['refund_id'], content=['order_line_id', 'refunded_at', 'amount']
  ) }}
)

select * from refunds
