{{ config(tags=['round', 'settle']) }}

with received as (
  select
    marketplace_id,
    seller_id,
    account_type,
    joined_on,
    received_at
  from {{ source('landing', 'sellers') }}
),

distinct_versions as (
  select distinct * from received
),

seller_versions as (
  select
    *,
    lead(received_at) over (
      partition by marketplace_id, seller_id
      order by received_at asc nulls first, account_type asc nulls first, joined_on asc nulls first
    ) as superseded_at
  from distinct_versions
)

select * from seller_versions
