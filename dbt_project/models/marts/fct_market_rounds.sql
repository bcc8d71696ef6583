{{ config(tags=['settle']) }}

with run as (
  select * from {{ ref('stg_run') }}
),

market_rounds as (
  select * from {{ source('market', 'market_rounds') }}
),

rounds as (
  select * from {{ ref('int_rounds') }}
),

marketplaces as (
  select * from {{ ref('int_marketplaces') }}
),

fct_market_rounds as (
  select
    market_rounds.marketplace_id,
    market_rounds.storage_type,
    market_rounds.round,
    run.quarter_start,
    rounds.closes_at,
    rounds.in_force_from,
    marketplaces.currency,
    market_rounds.released_milli_ft3,
    market_rounds.carried_in_milli_ft3,
    market_rounds.supply_milli_ft3,
    {{ to_ft3('market_rounds.supply_milli_ft3') }} as supply_ft3,
    market_rounds.demanded_milli_ft3,
    {{ to_ft3('market_rounds.demanded_milli_ft3') }} as demanded_ft3,
    market_rounds.granted_milli_ft3,
    {{ to_ft3('market_rounds.granted_milli_ft3') }} as granted_ft3,
    market_rounds.unsold_milli_ft3,
    {{ to_ft3('market_rounds.unsold_milli_ft3') }} as unsold_ft3,
    market_rounds.clearing_fee_minor_per_ft3,
    {{ to_currency('market_rounds.clearing_fee_minor_per_ft3', 'marketplaces.minor_unit_digits') }}
      as clearing_fee_per_ft3,
    market_rounds.cover_ratio_bp,
    market_rounds.marginal_fill_bp,
    market_rounds.requests,
    market_rounds.winners
  from market_rounds
  cross join run
  left join rounds on market_rounds.round = rounds.round
  left join marketplaces on market_rounds.marketplace_id = marketplaces.marketplace_id
)

select * from fct_market_rounds
