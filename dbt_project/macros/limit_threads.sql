{#- The engine's threads as FBACAP_THREADS says; nothing when it is not set. -#}
{% macro limit_threads() -%}
  {%- if env_var('FBACAP_THREADS', '') -%}
    set threads = {{ env_var('FBACAP_THREADS') | int }}
  {%- endif -%}
{%- endmacro %}
