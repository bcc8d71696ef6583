{{ config(tags=['announce', 'round', 'settle']) }}

with received as (
  select
    marketplace_id,
    currency,
    received_at
  from {{ source('landing', 'marketplaces') }}
),

marketplaces as (
  {{ last_received('received', key=['marketplace_id'], content=['currency']) }}
)

select * from marketplaces
