{#- The last received version of each key of `rows` (a CTE's name): latest received_at, ties by
    the content, so that neither row nor file order matters. Few keys repeat, so only those that
    do are ranked: ranking everything costs about three times as much. -#}
{% macro last_received(rows, key, content) -%}
  {%- set same_key -%}
    {%- for column in key -%}
      {{ rows }}.{{ column }} = repeated_keys.{{ column }}
      {%- if not loop.last %} and {% endif -%}
    {%- endfor -%}
  {%- endset %}
  with repeated_keys as (
    select {{ key | join(', ') }}
    from {{ rows }}
    group by {{ key | join(', ') }}
    having count(*) > 1
  ),

  single_rows as (
    select {{ rows }}.*
    from {{ rows }}
    left join repeated_keys on {{ same_key }}
    where repeated_keys.{{ key[0] }} is null
  ),

  ranked_rows as (
    select
      {{ rows }}.*,
      row_number() over (
        partition by {% for column in key %}{{ rows }}.{{ column }}{{ ', ' if not loop.last }}{% endfor %}
        order by
          {{ rows }}.received_at desc nulls last
          {%- for column in content %}, {{ rows }}.{{ column }} desc nulls last{% endfor %}
      ) as place
    from {{ rows }}
    inner join repeated_keys on {{ same_key }}
  )

  select {{ (key + content) | join(', ') }}
  from single_rows
  union all
  select {{ (key + content) | join(', ') }}
  from ranked_rows
  where place = 1
{%- endmacro %}
