{{ config(tags=['round', 'settle']) }}

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

distinct_versions as (
  select distinct * from received
),

round_supply_versions as (
  select
    *,
    lead(received_at) over (
      partition by marketplace_id, storage_type, quarter_start, round
      order by received_at asc nulls first, released_milli_ft3 asc nulls first
    ) as superseded_at
  from distinct_versions
)

select * from round_supply_versions
