-- Without its round's dates a grant of the quarter before would look as if it had never stood idle.
-- depends_on: {{ ref('int_idle_extra') }}
{{ config(meta={'dagster': {'ref': {'name': 'int_idle_extra'}}}) }}

select
  cleared.request_id,
  cleared.round
from {{ source('history', 'previous_cleared_allocations') }} as cleared
left join {{ source('run', 'previous_rounds') }} as rounds on cleared.round = rounds.round
where cleared.granted_milli_ft3 > 0 and rounds.in_force_from is null
