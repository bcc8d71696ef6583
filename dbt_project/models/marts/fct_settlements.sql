{{ config(tags=['settle']) }}

with run as (
  select * from {{ ref('stg_run') }}
),

settlements as (
  select * from {{ source('market', 'settlements') }}
),

repriced_fees as (
  select * from {{ source('market', 'repriced_fees') }}
),

currencies as (
  select * from {{ source('run', 'currencies') }}
),

fct_settlements as (
  select
    settlements.marketplace_id,
    settlements.storage_type,
    settlements.seller_id,
    settlements.request_id,
    settlements.round,
    run.quarter_start,
    run.stage as settlement_run,
    settlements.currency,
    settlements.granted_milli_ft3,
    {{ to_ft3('settlements.granted_milli_ft3') }} as granted_ft3,
    repriced_fees.max_fee_minor_per_ft3,
    repriced_fees.round_fee_minor_per_ft3,
    settlements.final_fee_minor_per_ft3,
    repriced_fees.repriced_in_round,
    {{ to_currency('settlements.final_fee_minor_per_ft3', 'currencies.minor_unit_digits') }}
      as final_fee_per_ft3,
    settlements.fee_minor,
    {{ to_currency('settlements.fee_minor', 'currencies.minor_unit_digits') }} as fee,
    settlements.credit_minor,
    {{ to_currency('settlements.credit_minor', 'currencies.minor_unit_digits') }} as credit,
    settlements.net_due_minor,
    {{ to_currency('settlements.net_due_minor', 'currencies.minor_unit_digits') }} as net_due,
    settlements.delta_fee_minor,
    settlements.delta_credit_minor,
    settlements.delta_net_due_minor,
    {{ to_currency('settlements.delta_net_due_minor', 'currencies.minor_unit_digits') }}
      as delta_net_due
  from settlements
  cross join run
  left join repriced_fees
    on
      settlements.request_id = repriced_fees.request_id
      and settlements.round = repriced_fees.round
  left join currencies on settlements.currency = currencies.currency
)

select * from fct_settlements
