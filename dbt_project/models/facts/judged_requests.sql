{{ config(tags=['round', 'settle']) }}

with run as (
  select * from {{ ref('stg_run') }}
),

versions as (
  select * from {{ ref('stg_capacity_requests') }}
),

ordered_versions as (
  select
    request_id,
    quarter_start,
    row_number() over (
      partition by request_id
      order by received_at asc nulls first, revision asc nulls first, version_number asc nulls first
    ) as place
  from versions
),

-- A request belongs to the quarter that its first version named, and so do all its revisions: one
-- that names another quarter is judged, and rejected, once and here.
requests_of_the_quarter as (
  select ordered_versions.request_id
  from ordered_versions
  inner join run on ordered_versions.quarter_start = run.quarter_start
  where ordered_versions.place = 1
),

placed_requests as (
  select
    versions.*,
    rounds.round as first_round,
    -- What was known of seller and market when the first round closed, so that a later run of the
    -- same round judges alike; a late request is judged at the cut-off.
    coalesce(rounds.closes_at, run.cutoff_at) as judged_at
  from versions
  inner join requests_of_the_quarter on versions.request_id = requests_of_the_quarter.request_id
  cross join run
  left join {{ ref('int_rounds') }} as rounds
    on
      versions.received_at < rounds.closes_at
      and versions.received_at >= coalesce(rounds.opens_at, versions.received_at)
),

markets as (
  select
    supply.marketplace_id,
    supply.storage_type,
    min(supply.received_at) as first_supply_received_at
  from {{ ref('stg_round_supply_versions') }} as supply
  inner join run on supply.quarter_start = run.quarter_start
  group by supply.marketplace_id, supply.storage_type
),

judged_requests as (
  select
    requests.request_id,
    requests.revision,
    requests.version_number,
    requests.marketplace_id,
    requests.seller_id,
    requests.storage_type,
    requests.quarter_start,
    marketplaces.currency,
    marketplaces.minor_unit_digits,
    requests.max_fee_per_ft3,
    requests.requested_ft3,
    requests.minimum_ft3,
    {{ to_micro('requests.max_fee_per_ft3') }} as max_fee_micro,
    {{ to_micro('requests.requested_ft3') }} as requested_micro_ft3,
    {{ to_micro('requests.minimum_ft3') }} as minimum_micro_ft3,
    requests.submitted_at,
    requests.received_at,
    requests.withdrawn,
    requests.first_round,
    sellers.account_type,
    coalesce(markets.first_supply_received_at < requests.judged_at, false) as market_exists,
    coalesce(base.base_milli_ft3, 0) as base_milli_ft3,
    requests.source_file,
    requests.source_row
  from placed_requests as requests
  left join {{ ref('int_marketplaces') }} as marketplaces
    on
      requests.marketplace_id = marketplaces.marketplace_id
      and requests.judged_at > marketplaces.first_received_at
  left join {{ ref('stg_seller_versions') }} as sellers
    on
      requests.marketplace_id = sellers.marketplace_id
      and requests.seller_id = sellers.seller_id
      and requests.judged_at > sellers.received_at
      and requests.judged_at <= coalesce(sellers.superseded_at, requests.judged_at)
  left join markets on {{ same_market('requests', 'markets') }}
  left join {{ source('market', 'base_allocations') }} as base
    on {{ same_seller_market('requests', 'base') }}
)

select * from judged_requests
