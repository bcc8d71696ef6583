{#- What SQL dialects spell differently. Each macro has a DuckDB and an Apache Spark spelling, so
    that models stay the same text on both. -#}

{#- An integer type of at least 38 digits (128 bits), for products and sums of money or volume. -#}
{% macro type_wide_integer() -%}
  {{ return(adapter.dispatch('type_wide_integer')()) }}
{%- endmacro %}

{% macro default__type_wide_integer() -%} decimal(38, 0) {%- endmacro %}

{% macro duckdb__type_wide_integer() -%} hugeint {%- endmacro %}

{#- Whole quotient of two wide integers, towards zero, exact (a plain / is a float in both). -#}
{% macro whole_quotient(numerator, divisor) -%}
  {{ return(adapter.dispatch('whole_quotient')(numerator, divisor)) }}
{%- endmacro %}

{% macro default__whole_quotient(numerator, divisor) -%}
  ({{ numerator }} div {{ divisor }})
{%- endmacro %}

{% macro duckdb__whole_quotient(numerator, divisor) -%}
  divide({{ numerator }}, {{ divisor }})
{%- endmacro %}

{#- An expression that stops the query with a sentence. -#}
{% macro raise_error(message) -%}
  {{ return(adapter.dispatch('raise_error')(message)) }}
{%- endmacro %}

{% macro default__raise_error(message) -%} raise_error({{ message }}) {%- endmacro %}

{% macro duckdb__raise_error(message) -%} error({{ message }}) {%- endmacro %}

{#- One row per day from first_day to last_day, both included; both are DATE expressions. -#}
{% macro each_day(first_day, last_day) -%}
  {{ return(adapter.dispatch('each_day')(first_day, last_day)) }}
{%- endmacro %}

{% macro default__each_day(first_day, last_day) -%}
  explode(sequence({{ first_day }}, {{ last_day }}, interval 1 day))
{%- endmacro %}

{% macro duckdb__each_day(first_day, last_day) -%}
  cast(unnest(generate_series({{ first_day }}, {{ last_day }}, interval 1 day)) as date)
{%- endmacro %}

{#- The day so many days after (before, when negative) a DATE; stays a DATE. -#}
{% macro add_days(day, days) -%}
  cast({{ dbt.dateadd('day', days, day) }} as date)
{%- endmacro %}

{#- Days from the first DATE to the last; negative when the last comes before. -#}
{% macro days_between(first_day, last_day) -%}
  {{ return(adapter.dispatch('days_between')(first_day, last_day)) }}
{%- endmacro %}

{% macro default__days_between(first_day, last_day) -%}
  datediff({{ last_day }}, {{ first_day }})
{%- endmacro %}

{% macro duckdb__days_between(first_day, last_day) -%}
  date_diff('day', {{ first_day }}, {{ last_day }})
{%- endmacro %}
