{{ config(tags=['announce']) }}

with run as (
  select * from {{ ref('stg_run') }}
),

capacity as (
  select * from {{ ref('stg_network_capacity') }}
),

market_capacity as (
  select
    capacity.marketplace_id,
    capacity.storage_type,
    capacity.quarter_start,
    capacity.network_milli_ft3,
    capacity.request_milli_ft3,
    capacity.network_milli_ft3 - capacity.request_milli_ft3 as base_pool_milli_ft3
  from capacity
  inner join run
    on
      capacity.quarter_start >= run.quarter_start
      and capacity.quarter_start <= cast({{ dbt.dateadd('month', 6, 'run.quarter_start') }} as date)
)

select * from market_capacity
