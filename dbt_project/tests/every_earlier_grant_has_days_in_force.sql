-- Without its round's dates an earlier quarter's grant would look as if it had never stood idle.
-- depends_on: {{ ref('int_idle_extra') }}
{{ config(meta={'dagster': {'ref': {'name': 'int_idle_extra'}}}) }}

{% for before in ['previous', 'second_previous'] %}
  select
    cleared.request_id,
    cleared.round
  from {{ source('history', before ~ '_cleared_allocations') }} as cleared
  left join {{ source('run', before ~ '_rounds') }} as rounds on cleared.round = rounds.round
  where cleared.granted_milli_ft3 > 0 and rounds.in_force_from is null
  {% if not loop.last %}union all{% endif %}
{% endfor %}
