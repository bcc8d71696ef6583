-- accepted + rejected = received (rules §3): every revision of the quarter's requests is judged.
{{ config(meta={'dagster': {'ref': {'name': 'judged_requests'}}}) }}

with received as (
  select distinct
    requests.request_id,
    requests.revision
  from {{ source('landing', 'capacity_requests') }} as requests
  inner join {{ ref('stg_run') }} as run on requests.quarter = run.quarter_start
),

-- A revision that moves a request of another quarter into this one is judged with the other.
moved as (
  select distinct requests.request_id
  from {{ source('landing', 'capacity_requests') }} as requests
  inner join {{ ref('stg_run') }} as run on requests.quarter <> run.quarter_start
)

select
  received.request_id,
  received.revision
from received
left join {{ ref('judged_requests') }} as judged
  on received.request_id = judged.request_id and received.revision = judged.revision
left join moved on received.request_id = moved.request_id
where judged.request_id is null and moved.request_id is null
