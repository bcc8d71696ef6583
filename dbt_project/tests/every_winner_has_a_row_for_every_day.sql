-- A winner without a day would lose the credit of that day's sales in silence.
{{ config(meta={'dagster': {'ref': {'name': 'seller_market_days'}}}) }}

with winners as (
  select distinct
    marketplace_id,
    seller_id,
    storage_type
  from {{ source('market', 'cleared_allocations') }}
  where granted_milli_ft3 > 0
),

day_counts as (
  select
    marketplace_id,
    seller_id,
    storage_type,
    count(*) as days
  from {{ ref('seller_market_days') }}
  group by marketplace_id, seller_id, storage_type
)

select
  winners.marketplace_id,
  winners.seller_id,
  winners.storage_type,
  day_counts.days
from winners
cross join {{ ref('stg_run') }} as run
left join day_counts on {{ same_seller_market('winners', 'day_counts') }}
where coalesce(day_counts.days, 0) <> run.days_in_quarter
