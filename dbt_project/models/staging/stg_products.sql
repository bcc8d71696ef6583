{{ config(tags=['announce', 'settle']) }}

with received as (
  select
    marketplace_id,
    seller_id,
    sku,
    storage_type,
    cast(unit_volume_ft3 * cast(1000000 as decimal(7, 0)) as {{ dbt.type_bigint() }})
      as unit_volume_micro_ft3,
    received_at
  from {{ source('landing', 'products') }}
),

products as (
  {{ last_received(
    'received',
    key=['marketplace_id', 'seller_id', 'sku'],
    content=['storage_type', 'unit_volume_micro_ft3']
  ) }}
)

select * from products
