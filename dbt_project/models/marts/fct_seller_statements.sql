{{ config(tags=['settle']) }}

with run as (
  select * from {{ ref('stg_run') }}
),

base_allocations as (
  select * from {{ source('market', 'base_allocations') }}
),

-- A request asks once, however many rounds it stood in: what bound in its last round counts.
ranked_requests as (
  select
    *,
    row_number() over (partition by request_id order by round desc nulls last) as place
  from {{ source('market', 'cleared_allocations') }}
),

requested as (
  select
    marketplace_id,
    seller_id,
    storage_type,
    {{ sum_bigint('requested_milli_ft3') }} as requested_milli_ft3
  from ranked_requests
  where place = 1
  group by marketplace_id, seller_id, storage_type
),

settled as (
  select
    marketplace_id,
    seller_id,
    storage_type,
    {{ sum_bigint('granted_milli_ft3') }} as granted_milli_ft3,
    {{ sum_bigint('fee_minor') }} as fee_minor,
    {{ sum_bigint('credit_minor') }} as credit_minor,
    {{ sum_bigint('net_due_minor') }} as net_due_minor,
    {{ sum_bigint('delta_net_due_minor') }} as delta_net_due_minor
  from {{ ref('fct_settlements') }}
  group by marketplace_id, seller_id, storage_type
),

incremental_sales as (
  select * from {{ source('market', 'incremental_sales') }}
),

seller_markets as (
  select
    marketplace_id,
    storage_type,
    seller_id
  from base_allocations
  union distinct
  select
    marketplace_id,
    storage_type,
    seller_id
  from requested
  union distinct
  select
    marketplace_id,
    storage_type,
    seller_id
  from settled
),

statements as (
  select
    seller_markets.marketplace_id,
    seller_markets.storage_type,
    seller_markets.seller_id,
    run.quarter_start,
    run.stage as settlement_run,
    marketplaces.currency,
    marketplaces.minor_unit_digits,
    coalesce(base_allocations.base_milli_ft3, 0) as base_milli_ft3,
    coalesce(requested.requested_milli_ft3, 0) as requested_milli_ft3,
    coalesce(settled.granted_milli_ft3, 0) as granted_milli_ft3,
    coalesce(settled.fee_minor, 0) as fee_minor,
    coalesce(settled.credit_minor, 0) as credit_minor,
    coalesce(settled.net_due_minor, 0) as net_due_minor,
    coalesce(settled.delta_net_due_minor, 0) as delta_net_due_minor,
    incremental_sales.method as attribution_method,
    incremental_sales.net_sales_minor,
    incremental_sales.incremental_sales_minor,
    incremental_sales.usage_layer_minor,
    incremental_sales.capacity_share_minor,
    incremental_sales.forecast_uplift_minor
  from seller_markets
  cross join run
  left join {{ ref('int_marketplaces') }} as marketplaces
    on seller_markets.marketplace_id = marketplaces.marketplace_id
  left join base_allocations on {{ same_seller_market('seller_markets', 'base_allocations') }}
  left join requested on {{ same_seller_market('seller_markets', 'requested') }}
  left join settled on {{ same_seller_market('seller_markets', 'settled') }}
  left join incremental_sales on {{ same_seller_market('seller_markets', 'incremental_sales') }}
),

fct_seller_statements as (
  select
    marketplace_id,
    storage_type,
    seller_id,
    quarter_start,
    settlement_run,
    currency,
    base_milli_ft3,
    {{ to_ft3('base_milli_ft3') }} as base_ft3,
    requested_milli_ft3,
    {{ to_ft3('requested_milli_ft3') }} as requested_ft3,
    granted_milli_ft3,
    {{ to_ft3('granted_milli_ft3') }} as granted_ft3,
    fee_minor,
    {{ to_currency('fee_minor', 'minor_unit_digits') }} as fee,
    credit_minor,
    {{ to_currency('credit_minor', 'minor_unit_digits') }} as credit,
    net_due_minor,
    {{ to_currency('net_due_minor', 'minor_unit_digits') }} as net_due,
    delta_net_due_minor,
    attribution_method,
    net_sales_minor,
    incremental_sales_minor,
    {{ to_currency('incremental_sales_minor', 'minor_unit_digits') }} as incremental_sales,
    usage_layer_minor,
    capacity_share_minor,
    forecast_uplift_minor
  from statements
)

select * from fct_seller_statements
