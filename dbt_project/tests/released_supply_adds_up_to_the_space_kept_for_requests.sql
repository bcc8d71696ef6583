-- The release schedule promises the space kept for requests (no more, no less), but a release
-- corrected after its round closed breaks the sum without harming a result: a warning.
{{ config(
  severity='warn',
  meta={'dagster': {'ref': {'name': 'stg_round_supply'}}}
) }}

with released as (
  select
    marketplace_id,
    storage_type,
    quarter_start,
    sum(released_milli_ft3) as released_milli_ft3
  from {{ ref('stg_round_supply') }}
  group by marketplace_id, storage_type, quarter_start
)

select
  capacity.marketplace_id,
  capacity.storage_type,
  capacity.request_milli_ft3,
  released.released_milli_ft3
from {{ ref('stg_network_capacity') }} as capacity
inner join {{ ref('stg_run') }} as run on capacity.quarter_start = run.quarter_start
left join released
  on
    {{ same_market('capacity', 'released') }}
    and capacity.quarter_start = released.quarter_start
where capacity.request_milli_ft3 <> coalesce(released.released_milli_ft3, 0)
