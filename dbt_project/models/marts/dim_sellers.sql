{{ config(tags=['settle']) }}

with run as (
  select * from {{ ref('stg_run') }}
),

sellers as (
  select * from {{ ref('stg_sellers') }}
),

product_counts as (
  select
    marketplace_id,
    seller_id,
    cast(count(*) as {{ dbt.type_bigint() }}) as products
  from {{ ref('stg_products') }}
  group by marketplace_id, seller_id
),

marketplaces as (
  select * from {{ ref('int_marketplaces') }}
),

dim_sellers as (
  select
    sellers.marketplace_id,
    sellers.seller_id,
    run.quarter_start,
    sellers.account_type,
    sellers.joined_on,
    {{ days_between('sellers.joined_on', 'run.quarter_start') }} as days_since_joining,
    marketplaces.currency,
    coalesce(product_counts.products, 0) as products
  from sellers
  cross join run
  left join product_counts
    on
      sellers.marketplace_id = product_counts.marketplace_id
      and sellers.seller_id = product_counts.seller_id
  left join marketplaces on sellers.marketplace_id = marketplaces.marketplace_id
)

select * from dim_sellers
