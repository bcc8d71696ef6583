-- Over the quarter, the space in force adds up to each grant times its days in force (rules §6).
{{ config(meta={'dagster': {'ref': {'name': 'seller_market_days'}}}) }}

with granted as (
  select
    cleared.marketplace_id,
    cleared.seller_id,
    cleared.storage_type,
    sum(cast(cleared.granted_milli_ft3 as {{ type_wide_integer() }}) * rounds.days_in_force)
      as milli_ft3_days
  from {{ source('market', 'cleared_allocations') }} as cleared
  left join {{ source('run', 'rounds') }} as rounds on cleared.round = rounds.round
  where cleared.granted_milli_ft3 > 0
  group by cleared.marketplace_id, cleared.seller_id, cleared.storage_type
),

in_force as (
  select
    marketplace_id,
    seller_id,
    storage_type,
    sum(extra_milli_ft3) as milli_ft3_days
  from {{ ref('seller_market_days') }}
  group by marketplace_id, seller_id, storage_type
)

select
  granted.marketplace_id,
  granted.seller_id,
  granted.storage_type,
  granted.milli_ft3_days as granted_milli_ft3_days,
  in_force.milli_ft3_days as in_force_milli_ft3_days
from granted
left join in_force on {{ same_seller_market('granted', 'in_force') }}
where coalesce(granted.milli_ft3_days, 0) <> coalesce(in_force.milli_ft3_days, 0)
