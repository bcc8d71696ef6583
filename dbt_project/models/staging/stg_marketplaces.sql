{{ config(tags=['announce', 'round', 'settle']) }}

with received as (
  select
    marketplace_id,
    currency,
    received_at
  from {{ source('landing', 'marketplaces') }}
),

last_versions as (
  {{ last_received('received', key=['marketplace_id'], content=['currency']) }}
),

first_versions as (
  select
    marketplace_id,
    min(received_at) as first_received_at
  from received
  group by marketplace_id
),

marketplaces as (
  select
    last_versions.marketplace_id,
    last_versions.currency,
    first_versions.first_received_at
  from last_versions
  inner join first_versions on last_versions.marketplace_id = first_versions.marketplace_id
)

select * from marketplaces
