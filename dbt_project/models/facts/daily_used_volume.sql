{{ config(tags=['settle']) }}

with stock as (
  select * from {{ ref('int_daily_stock') }}
),

marketplace_days as (
  select * from {{ ref('int_marketplace_snapshot_days') }}
),

holders as (
  select distinct
    marketplace_id,
    seller_id,
    storage_type
  from stock
),

daily_used_volume as (
  select
    holders.marketplace_id,
    holders.seller_id,
    holders.storage_type,
    marketplace_days.day,
    coalesce(stock.used_milli_ft3, 0) as used_milli_ft3,
    coalesce(stock.on_hand_units, 0) as on_hand_units,
    coalesce(stock.inbound_units, 0) as inbound_units,
    coalesce(stock.stranded_units, 0) as stranded_units,
    marketplace_days.snapshot_date,
    marketplace_days.is_carried,
    marketplace_days.is_missing
  from holders
  inner join marketplace_days on holders.marketplace_id = marketplace_days.marketplace_id
  left join stock
    on
      {{ same_seller_market('holders', 'stock') }}
      and marketplace_days.snapshot_date = stock.snapshot_date
)

select * from daily_used_volume
