{{ config(tags=['announce', 'settle']) }}

with received as (
  select
    marketplace_id,
    seller_id,
    account_type,
    joined_on,
    received_at
  from {{ source('landing', 'sellers') }}
),

sellers as (
  {{ last_received(
    'received', key=['marketplace_id', 'seller_id'], content=['account_type', 'joined_on']
  ) }}
)

select * from sellers
