{{ config(tags=['settle']) }}

with received as (
  select
    marketplace_id,
    storage_type,
    quarter as quarter_start,
    round,
    cast(released_ft3 * cast(1000 as decimal(4, 0)) as {{ dbt.type_bigint() }})
      as released_milli_ft3,
    received_at
  from {{ source('landing', 'round_supply') }}
),

round_supply as (
  {{ last_received(
    'received',
    key=['marketplace_id', 'storage_type', 'quarter_start', 'round'],
    content=['released_milli_ft3']
  ) }}
)

select * from round_supply
