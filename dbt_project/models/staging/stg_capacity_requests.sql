{{ config(tags=['round', 'settle']) }}

{%- set content = [
  'marketplace_id', 'seller_id', 'storage_type', 'quarter_start', 'max_fee_per_ft3',
  'requested_ft3', 'minimum_ft3', 'submitted_at', 'withdrawn'
] %}

with received as (
  select
    request_id,
    revision,
    marketplace_id,
    seller_id,
    storage_type,
    quarter as quarter_start,
    max_fee_per_ft3,
    requested_ft3,
    coalesce(minimum_ft3, 0) as minimum_ft3,
    submitted_at,
    coalesce(withdrawn, false) as withdrawn,
    received_at,
    source_file,
    source_row
  from {{ source('landing', 'capacity_requests') }}
),

deliveries as (
  select
    *,
    row_number() over (
      partition by
        request_id,
        revision,
        {{ content | join(',\n        ') }}
      order by received_at asc nulls first, source_file asc nulls first, source_row asc nulls first
    ) as delivery_number
  from received
),

first_deliveries as (
  select * from deliveries
  where delivery_number = 1
),

capacity_requests as (
  select
    request_id,
    revision,
    cast(
      row_number() over (
        partition by request_id, revision
        order by
          received_at asc nulls first,
          {{ content | join(' asc nulls first,\n          ') }} asc nulls first
      ) as integer
    ) as version_number,
    {{ content | join(',\n    ') }},
    received_at,
    source_file,
    source_row
  from first_deliveries
)

select * from capacity_requests
