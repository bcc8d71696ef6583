{{ config(tags=['announce', 'settle']) }}

with received as (
  select
    marketplace_id,
    storage_type,
    quarter as quarter_start,
    cast(network_ft3 * cast(1000 as decimal(4, 0)) as {{ dbt.type_bigint() }}) as network_milli_ft3,
    cast(request_ft3 * cast(1000 as decimal(4, 0)) as {{ dbt.type_bigint() }}) as request_milli_ft3,
    received_at
  from {{ source('landing', 'network_capacity') }}
),

network_capacity as (
  {{ last_received(
    'received',
    key=['marketplace_id', 'storage_type', 'quarter_start'],
    content=['network_milli_ft3', 'request_milli_ft3']
  ) }}
)

select * from network_capacity
