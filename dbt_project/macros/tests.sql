{#- Generic tests over several columns. -#}

{#- Fails for each key that stands more than once, or has a null in it. -#}
{% test unique_key(model, columns) -%}
select {{ columns | join(', ') }}, count(*) as row_count
from {{ model }}
group by {{ columns | join(', ') }}
having
  count(*) > 1
  {%- for column in columns %} or {{ column }} is null{% endfor %}
{%- endtest %}

{#- Fails for each key whose row in `to` is missing. -#}
{% test has_parent(model, columns, to) -%}
select {% for column in columns %}child.{{ column }}{{ ', ' if not loop.last }}{% endfor %}
from {{ model }} as child
left join {{ to }} as parent
  on {% for column in columns %}child.{{ column }} = parent.{{ column }}
  {{- ' and ' if not loop.last }}{% endfor %}
where parent.{{ columns[0] }} is null
{%- endtest %}

{#- Fails for each row where the condition is false or unknown. -#}
{% test always(model, condition) -%}
select *
from {{ model }}
where not coalesce({{ condition }}, false)
{%- endtest %}
