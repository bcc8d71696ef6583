{{ config(tags=['settle']) }}

with grants as (
  select
    marketplace_id,
    seller_id,
    storage_type,
    round,
    {{ sum_bigint('granted_milli_ft3') }} as granted_milli_ft3
  from {{ source('market', 'cleared_allocations') }}
  where granted_milli_ft3 > 0
  group by marketplace_id, seller_id, storage_type, round
),

rounds as (
  select * from {{ ref('int_rounds') }}
),

winners as (
  select distinct
    marketplace_id,
    seller_id,
    storage_type
  from grants
),

marketplace_days as (
  select * from {{ ref('int_marketplace_snapshot_days') }}
),

extra as (
  select
    grants.marketplace_id,
    grants.seller_id,
    grants.storage_type,
    days.day,
    {{ sum_bigint('grants.granted_milli_ft3') }} as extra_milli_ft3
  from grants
  inner join rounds on grants.round = rounds.round
  inner join {{ ref('int_quarter_days') }} as days
    on days.day between rounds.in_force_from and rounds.in_force_to
  group by grants.marketplace_id, grants.seller_id, grants.storage_type, days.day
),

seller_market_days as (
  select
    winners.marketplace_id,
    winners.seller_id,
    winners.storage_type,
    marketplace_days.day,
    coalesce(sales.net_sales_minor, 0) as net_sales_minor,
    coalesce(used.used_milli_ft3, 0) as used_milli_ft3,
    coalesce(base.base_milli_ft3, 0) as base_milli_ft3,
    coalesce(extra.extra_milli_ft3, 0) as extra_milli_ft3,
    marketplace_days.snapshot_date,
    marketplace_days.is_carried,
    marketplace_days.is_missing
  from winners
  inner join marketplace_days on winners.marketplace_id = marketplace_days.marketplace_id
  left join extra
    on
      {{ same_seller_market('winners', 'extra') }}
      and marketplace_days.day = extra.day
  left join {{ ref('daily_net_sales') }} as sales
    on
      {{ same_seller_market('winners', 'sales') }}
      and marketplace_days.day = sales.sales_date
  left join {{ ref('daily_used_volume') }} as used
    on
      {{ same_seller_market('winners', 'used') }}
      and marketplace_days.day = used.day
  left join {{ source('market', 'base_allocations') }} as base
    on {{ same_seller_market('winners', 'base') }}
)

select * from seller_market_days
