{{ config(materialized='view', tags=['announce', 'round', 'settle']) }}

with marketplaces as (
  select * from {{ ref('stg_marketplaces') }}
),

currencies as (
  select * from {{ source('run', 'currencies') }}
),

marketplaces_with_currency as (
  select
    marketplaces.marketplace_id,
    marketplaces.currency,
    marketplaces.first_received_at,
    currencies.minor_unit_digits
  from marketplaces
  left join currencies on marketplaces.currency = currencies.currency
)

select * from marketplaces_with_currency
