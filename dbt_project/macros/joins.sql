{#- Join condition: both sides speak of the same seller in the same market. -#}
{% macro same_seller_market(left, right) -%}
  {{ left }}.marketplace_id = {{ right }}.marketplace_id
  and {{ left }}.seller_id = {{ right }}.seller_id
  and {{ left }}.storage_type = {{ right }}.storage_type
{%- endmacro %}

{#- Join condition: both sides speak of the same market. -#}
{% macro same_market(left, right) -%}
  {{ left }}.marketplace_id = {{ right }}.marketplace_id
  and {{ left }}.storage_type = {{ right }}.storage_type
{%- endmacro %}
