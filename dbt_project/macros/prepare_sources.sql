{#- Before anything runs, the sources that the selected nodes read: one that is there has the
    declared columns and types; one that is not is created, typed and empty, or named in an error
    (var create_missing_sources). -#}
{% macro prepare_sources() -%}
  {%- if execute -%}
    {%- set needed = sources_of(selected_resources) -%}
    {%- set found = existing_source_columns() -%}
    {%- for source in graph.sources.values() | sort(attribute='unique_id') -%}
      {%- set place = source.schema ~ '.' ~ source.identifier -%}
      {%- if source.unique_id not in needed -%}
      {%- elif place in found -%}
        {%- do check_source(source, place, found[place]) -%}
      {%- elif var('create_missing_sources') -%}
        {%- do create_empty_source(source) -%}
      {%- else -%}
        {%- do exceptions.raise_compiler_error(
          "the working file has no " ~ place ~ "; the step that makes it must run before dbt"
        ) -%}
      {%- endif -%}
    {%- endfor -%}
  {%- endif -%}
{%- endmacro %}

{#- Unique ids of the sources that these nodes read; unit tests may read any of them. -#}
{% macro sources_of(node_ids) -%}
  {%- set needed = [] -%}
  {%- for node_id in node_ids -%}
    {%- if node_id.startswith('unit_test.') -%}
      {{ return(graph.sources.keys() | list) }}
    {%- elif node_id in graph.nodes -%}
      {%- do needed.extend(graph.nodes[node_id].depends_on.nodes) -%}
    {%- endif -%}
  {%- endfor -%}
  {{ return(needed) }}
{%- endmacro %}

{#- {'landing.sellers': {'seller_id': 'varchar', …}, …} of what the working file has. -#}
{% macro existing_source_columns() -%}
  {%- set found = {} -%}
  {%- set schemas = graph.sources.values() | map(attribute='schema') | unique | sort -%}
  {%- set rows = run_query(
    "select table_schema, table_name, column_name, data_type from information_schema.columns"
    ~ " where table_catalog = '" ~ target.database ~ "'"
    ~ " and table_schema in ('" ~ schemas | join("', '") ~ "')"
  ) -%}
  {%- for row in rows -%}
    {%- do found.setdefault(row[0] ~ '.' ~ row[1], {}).update({row[2]: row[3] | lower}) -%}
  {%- endfor -%}
  {{ return(found) }}
{%- endmacro %}

{% macro check_source(source, place, found) -%}
  {%- for column in source.columns.values() -%}
    {%- if column.name not in found -%}
      {%- do exceptions.raise_compiler_error(
        place ~ " has no column " ~ column.name ~ "; dbt's sources declare it as "
        ~ column.data_type
      ) -%}
    {%- elif type_family(found[column.name]) != type_family(column.data_type) -%}
      {%- do exceptions.raise_compiler_error(
        place ~ "." ~ column.name ~ " is " ~ found[column.name] ~ " where dbt's sources declare "
        ~ column.data_type ~ "; cast it in the step that makes " ~ place
      ) -%}
    {%- endif -%}
  {%- endfor -%}
{%- endmacro %}

{#- Integers of up to 64 bits are one family: they mix without loss. Nothing else is. -#}
{% macro type_family(data_type) -%}
  {%- set name = data_type | lower | replace(' ', '') -%}
  {{ return('integer' if name in ['tinyint', 'smallint', 'integer', 'bigint'] else name) }}
{%- endmacro %}

{% macro create_empty_source(source) -%}
  {%- set columns = [] -%}
  {%- for column in source.columns.values() -%}
    {%- do columns.append(adapter.quote(column.name) ~ ' ' ~ column.data_type) -%}
  {%- endfor -%}
  {%- do run_query('create schema if not exists ' ~ adapter.quote(source.schema)) -%}
  {%- do run_query(
    'create table ' ~ adapter.quote(source.schema) ~ '.' ~ adapter.quote(source.identifier)
    ~ ' (' ~ columns | join(', ') ~ ')'
  ) -%}
{%- endmacro %}
