{{ config(tags=['announce']) }}

with stocked_markets as (
  select distinct
    marketplace_id,
    seller_id,
    storage_type
  from {{ ref('stg_products') }}
),

sellers as (
  select * from {{ ref('stg_sellers') }}
),

marketplaces as (
  select * from {{ ref('int_marketplaces') }}
),

first_sales as (
  select
    marketplace_id,
    seller_id,
    storage_type,
    min(sales_date) as history_start
  from {{ ref('int_daily_sku_sales') }}
  group by marketplace_id, seller_id, storage_type
),

seller_markets as (
  select
    stocked_markets.marketplace_id,
    stocked_markets.seller_id,
    stocked_markets.storage_type,
    sellers.account_type,
    sellers.joined_on,
    marketplaces.currency,
    first_sales.history_start
  from stocked_markets
  left join sellers
    on
      stocked_markets.marketplace_id = sellers.marketplace_id
      and stocked_markets.seller_id = sellers.seller_id
  left join marketplaces on stocked_markets.marketplace_id = marketplaces.marketplace_id
  left join first_sales
    on {{ same_seller_market('stocked_markets', 'first_sales') }}
)

select * from seller_markets
