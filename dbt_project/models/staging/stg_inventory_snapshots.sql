{{ config(tags=['announce', 'settle']) }}

with received as (
  select
    snapshots.snapshot_date,
    snapshots.marketplace_id,
    snapshots.seller_id,
    snapshots.sku,
    snapshots.on_hand_units,
    snapshots.inbound_units,
    snapshots.stranded_units,
    snapshots.received_at
  from {{ source('landing', 'inventory_snapshots') }} as snapshots
  -- Days that the run never reads go first: the day is in the key, so no version is missed.
  inner join {{ ref('stg_run') }} as run
    on snapshots.snapshot_date between run.stock_from and run.stock_to
),

inventory_snapshots as (
  {{ last_received(
    'received',
    key=['snapshot_date', 'marketplace_id', 'seller_id', 'sku'],
    content=['on_hand_units', 'inbound_units', 'stranded_units']
  ) }}
)

select * from inventory_snapshots
