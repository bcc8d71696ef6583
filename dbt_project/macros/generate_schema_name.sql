{#- Schemas are named exactly staging, facts and marts: a working file holds one run, so there is
    no target to prefix. -#}
{% macro generate_schema_name(custom_schema_name, node) -%}
  {{ (custom_schema_name or target.schema) | trim }}
{%- endmacro %}
