-- Fees, sales and credits of a marketplace are compared over time: its currency is for ever.
{{ config(meta={'dagster': {'ref': {'name': 'stg_marketplaces'}}}) }}

select
  received.marketplace_id,
  received.currency as earlier_currency,
  marketplaces.currency
from {{ source('landing', 'marketplaces') }} as received
inner join {{ ref('stg_marketplaces') }} as marketplaces
  on received.marketplace_id = marketplaces.marketplace_id
where received.currency <> marketplaces.currency
