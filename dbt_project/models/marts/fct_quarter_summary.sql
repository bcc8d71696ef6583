{{ config(tags=['settle']) }}

with run as (
  select * from {{ ref('stg_run') }}
),

ranked_rounds as (
  select
    *,
    row_number() over (
      partition by marketplace_id, storage_type
      order by round desc nulls last
    ) as place
  from {{ ref('fct_market_rounds') }}
),

supply as (
  select
    marketplace_id,
    storage_type,
    {{ sum_bigint('released_milli_ft3') }} as released_milli_ft3,
    {{ sum_bigint('granted_milli_ft3') }} as granted_milli_ft3,
    -- What a round leaves goes to the next: only what the last one leaves is unsold.
    {{ sum_bigint('case when place = 1 then unsold_milli_ft3 end') }} as unsold_milli_ft3
  from ranked_rounds
  group by marketplace_id, storage_type
),

settled as (
  select
    marketplace_id,
    storage_type,
    {{ sum_bigint('fee_minor') }} as fee_minor,
    {{ sum_bigint('credit_minor') }} as credit_minor,
    {{ sum_bigint('net_due_minor') }} as net_due_minor,
    cast(sum(case when granted_milli_ft3 > 0 then 1 else 0 end) as integer) as winners,
    cast(sum(case when granted_milli_ft3 > 0 and net_due_minor = 0 then 1 else 0 end) as integer)
      as winners_wholly_offset
  from {{ ref('fct_seller_statements') }}
  group by marketplace_id, storage_type
),

markets as (
  select
    marketplace_id,
    storage_type
  from supply
  union distinct
  select
    marketplace_id,
    storage_type
  from settled
),

summaries as (
  select
    markets.marketplace_id,
    markets.storage_type,
    run.quarter_start,
    run.stage as settlement_run,
    marketplaces.currency,
    marketplaces.minor_unit_digits,
    coalesce(supply.released_milli_ft3, 0) as released_milli_ft3,
    coalesce(supply.granted_milli_ft3, 0) as granted_milli_ft3,
    coalesce(supply.unsold_milli_ft3, 0) as unsold_milli_ft3,
    coalesce(settled.fee_minor, 0) as fee_minor,
    coalesce(settled.credit_minor, 0) as credit_minor,
    coalesce(settled.net_due_minor, 0) as net_due_minor,
    coalesce(settled.winners, 0) as winners,
    coalesce(settled.winners_wholly_offset, 0) as winners_wholly_offset
  from markets
  cross join run
  left join {{ ref('int_marketplaces') }} as marketplaces
    on markets.marketplace_id = marketplaces.marketplace_id
  left join supply on {{ same_market('markets', 'supply') }}
  left join settled on {{ same_market('markets', 'settled') }}
),

fct_quarter_summary as (
  select
    marketplace_id,
    storage_type,
    quarter_start,
    settlement_run,
    currency,
    released_milli_ft3,
    granted_milli_ft3,
    {{ to_ft3('granted_milli_ft3') }} as granted_ft3,
    unsold_milli_ft3,
    {{ to_ft3('unsold_milli_ft3') }} as unsold_ft3,
    fee_minor,
    {{ to_currency('fee_minor', 'minor_unit_digits') }} as fee,
    credit_minor,
    {{ to_currency('credit_minor', 'minor_unit_digits') }} as credit,
    net_due_minor,
    {{ to_currency('net_due_minor', 'minor_unit_digits') }} as net_due,
    winners,
    winners_wholly_offset
  from summaries
)

select * from fct_quarter_summary
