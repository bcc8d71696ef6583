{{ config(materialized='view', tags=['announce']) }}

with run as (
  select * from {{ ref('stg_run') }}
),

stock as (
  select daily_stock.*
  from {{ ref('int_daily_stock') }} as daily_stock
  inner join run on daily_stock.snapshot_date between run.health_from and run.health_to
),

snapshot_days as (
  select distinct
    marketplace_id,
    snapshot_date
  from stock
),

grants as (
  select
    cleared.marketplace_id,
    cleared.seller_id,
    cleared.storage_type,
    cleared.granted_milli_ft3,
    rounds.in_force_from,
    rounds.in_force_to
  from {{ source('history', 'previous_cleared_allocations') }} as cleared
  inner join {{ source('run', 'previous_rounds') }} as rounds on cleared.round = rounds.round
  where cleared.granted_milli_ft3 > 0
),

extra_days as (
  select
    grants.marketplace_id,
    grants.seller_id,
    grants.storage_type,
    snapshot_days.snapshot_date,
    {{ sum_bigint('grants.granted_milli_ft3') }} as extra_milli_ft3
  from grants
  inner join snapshot_days
    on
      grants.marketplace_id = snapshot_days.marketplace_id
      and snapshot_days.snapshot_date between grants.in_force_from and grants.in_force_to
  group by
    grants.marketplace_id, grants.seller_id, grants.storage_type, snapshot_days.snapshot_date
),

extra_use as (
  select
    extra_days.*,
    -- Base is filled first: only what stands above it uses the extra space.
    least(
      extra_days.extra_milli_ft3,
      greatest(0, coalesce(stock.used_milli_ft3, 0) - coalesce(base.base_milli_ft3, 0))
    ) as extra_used_milli_ft3
  from extra_days
  left join stock
    on
      {{ same_seller_market('extra_days', 'stock') }}
      and extra_days.snapshot_date = stock.snapshot_date
  left join {{ source('history', 'previous_base_allocations') }} as base
    on {{ same_seller_market('extra_days', 'base') }}
),

idle_extra as (
  select
    marketplace_id,
    seller_id,
    storage_type,
    {{ sum_bigint('extra_milli_ft3 - extra_used_milli_ft3') }} as idle_extra_milli_ft3_days
  from extra_use
  group by marketplace_id, seller_id, storage_type
)

select * from idle_extra
