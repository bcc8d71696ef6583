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
  {% for before in ['previous', 'second_previous'] %}
    select
      '{{ before }}' as held_in,
      cleared.marketplace_id,
      cleared.seller_id,
      cleared.storage_type,
      cleared.granted_milli_ft3,
      rounds.in_force_from,
      rounds.in_force_to
    from {{ source('history', before ~ '_cleared_allocations') }} as cleared
    inner join {{ source('run', before ~ '_rounds') }} as rounds on cleared.round = rounds.round
    where cleared.granted_milli_ft3 > 0
    {% if not loop.last %}union all{% endif %}
  {% endfor %}
),

bases as (
  {% for before in ['previous', 'second_previous'] %}
    select
      '{{ before }}' as held_in,
      marketplace_id,
      seller_id,
      storage_type,
      base_milli_ft3
    from {{ source('history', before ~ '_base_allocations') }}
    {% if not loop.last %}union all{% endif %}
  {% endfor %}
),

extra_days as (
  select
    grants.held_in,
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
    grants.held_in,
    grants.marketplace_id,
    grants.seller_id,
    grants.storage_type,
    snapshot_days.snapshot_date
),

extra_use as (
  select
    extra_days.*,
    -- Base is filled first: only what stands above it uses the extra space.
    least(
      extra_days.extra_milli_ft3,
      greatest(0, coalesce(stock.used_milli_ft3, 0) - coalesce(bases.base_milli_ft3, 0))
    ) as extra_used_milli_ft3
  from extra_days
  left join stock
    on
      {{ same_seller_market('extra_days', 'stock') }}
      and extra_days.snapshot_date = stock.snapshot_date
  left join bases
    on
      {{ same_seller_market('extra_days', 'bases') }}
      and extra_days.held_in = bases.held_in
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
