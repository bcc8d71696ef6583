{{ config(tags=['round']) }}

with run as (
  select * from {{ ref('stg_run') }}
),

rounds as (
  select * from {{ ref('int_rounds') }}
  where is_closed
),

supply as (
  select * from {{ ref('stg_round_supply_versions') }}
),

round_supply_released as (
  select
    supply.marketplace_id,
    supply.storage_type,
    supply.round,
    supply.released_milli_ft3
  from supply
  inner join run on supply.quarter_start = run.quarter_start
  -- The version last received before the round closed.
  inner join rounds
    on
      supply.round = rounds.round
      and supply.received_at < rounds.closes_at
      and coalesce(supply.superseded_at, rounds.closes_at) >= rounds.closes_at
)

select * from round_supply_released
