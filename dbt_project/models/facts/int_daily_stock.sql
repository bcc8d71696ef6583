{{ config(tags=['announce', 'settle']) }}

with snapshots as (
  select * from {{ ref('stg_inventory_snapshots') }}
),

products as (
  select * from {{ ref('stg_products') }}
),

sku_stock as (
  select
    snapshots.marketplace_id,
    snapshots.seller_id,
    products.storage_type,
    snapshots.snapshot_date,
    snapshots.on_hand_units,
    snapshots.inbound_units,
    snapshots.stranded_units,
    cast(snapshots.on_hand_units as {{ type_wide_integer() }}) * products.unit_volume_micro_ft3
      as on_hand_micro_ft3,
    cast(snapshots.on_hand_units + snapshots.inbound_units as {{ type_wide_integer() }})
    * products.unit_volume_micro_ft3 as used_micro_ft3
  from snapshots
  left join products
    on
      snapshots.marketplace_id = products.marketplace_id
      and snapshots.seller_id = products.seller_id
      and snapshots.sku = products.sku
),

seller_market_stock as (
  select
    marketplace_id,
    seller_id,
    storage_type,
    snapshot_date,
    {{ sum_bigint('on_hand_units') }} as on_hand_units,
    {{ sum_bigint('inbound_units') }} as inbound_units,
    {{ sum_bigint('stranded_units') }} as stranded_units,
    cast(sum(on_hand_micro_ft3) as {{ type_wide_integer() }}) as on_hand_micro_ft3,
    cast(sum(used_micro_ft3) as {{ type_wide_integer() }}) as used_micro_ft3
  from sku_stock
  group by marketplace_id, seller_id, storage_type, snapshot_date
),

daily_stock as (
  select
    marketplace_id,
    seller_id,
    storage_type,
    snapshot_date,
    on_hand_units,
    inbound_units,
    stranded_units,
    {{ round_half_even_div('on_hand_micro_ft3', '1000') }} as on_hand_milli_ft3,
    {{ round_half_even_div('used_micro_ft3', '1000') }} as used_milli_ft3
  from seller_market_stock
)

select * from daily_stock
