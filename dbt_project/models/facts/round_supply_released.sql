{{ config(tags=['round']) }}

with run as (
  select * from {{ ref('stg_run') }}
),

rounds as (
  select * from {{ ref('int_rounds') }}
  where is_closed
),

supply as (
  select supply.*
  from {{ ref('stg_round_supply_versions') }} as supply
  inner join run on supply.quarter_start = run.quarter_start
),

markets as (
  select
    marketplace_id,
    storage_type,
    min(received_at) as first_received_at
  from supply
  group by marketplace_id, storage_type
),

-- A round that releases nothing is a round all the same: what earlier rounds left is offered in it.
round_supply_released as (
  select
    markets.marketplace_id,
    markets.storage_type,
    rounds.round,
    coalesce(supply.released_milli_ft3, 0) as released_milli_ft3
  from markets
  inner join rounds on markets.first_received_at < rounds.closes_at
  -- The version last received before the round closed.
  left join supply
    on
      {{ same_market('markets', 'supply') }}
      and rounds.round = supply.round
      and rounds.closes_at > supply.received_at
      and rounds.closes_at <= coalesce(supply.superseded_at, rounds.closes_at)
)

select * from round_supply_released
