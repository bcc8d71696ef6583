{#- Arithmetic of rules §0: integers only, one rounding, no float anywhere. -#}

{#- round_half_even(numerator / divisor) as BIGINT, exact for any sign of the numerator.
    Both are integer expressions (give columns: they are repeated); divisor > 0, null at 0.
    A result beyond 64 bits stops the query. -#}
{% macro round_half_even_div(numerator, divisor) -%}
  {%- set wide = type_wide_integer() -%}
  {%- set size = "cast(abs(" ~ numerator ~ ") as " ~ wide ~ ")" -%}
  {%- set parts = "cast(nullif(" ~ divisor ~ ", 0) as " ~ wide ~ ")" -%}
  {%- set whole = whole_quotient(size, parts) -%}
  {%- set rest = "(" ~ size ~ " % " ~ parts ~ ")" -%}
  cast(
    case when {{ numerator }} < 0 then -1 else 1 end * (
      {{ whole }} + case
        when 2 * {{ rest }} > {{ parts }} then 1
        when 2 * {{ rest }} = {{ parts }} and {{ whole }} % 2 = 1 then 1
        else 0
      end
    ) as {{ dbt.type_bigint() }}
  )
{%- endmacro %}

{#- Minor units in one unit of a currency: 10 to the power of its ISO 4217 digits.
    A currency without known digits stops the query; `place` names the row. -#}
{% macro minor_per_currency_unit(minor_unit_digits, place) -%}
  case {{ minor_unit_digits }}
    when 0 then cast(1 as decimal(5, 0))
    when 1 then cast(10 as decimal(5, 0))
    when 2 then cast(100 as decimal(5, 0))
    when 3 then cast(1000 as decimal(5, 0))
    when 4 then cast(10000 as decimal(5, 0))
    else {{ raise_error(
      place ~ " || ' belongs to a marketplace whose currency is unknown; deliver the marketplace'"
      ~ " || ' with an ISO 4217 currency'"
    ) }}
  end
{%- endmacro %}

{#- A DECIMAL(18,2) amount in minor units, BIGINT. An amount finer than the minor unit is
    malformed (rules §0) and stops the query; `place` is a text expression that names the row. -#}
{% macro to_minor(amount, minor_unit_digits, place) -%}
  {%- set scaled -%}
    (cast({{ amount }} as decimal(18, 2)) * {{ minor_per_currency_unit(minor_unit_digits, place) }})
  {%- endset -%}
  case
    when {{ scaled }} % 1 <> 0
      then {{ raise_error(
        place ~ " || ' has an amount of ' || cast(" ~ amount ~ " as " ~ dbt.type_string() ~ ")"
        ~ " || ', finer than its currency; correct it and deliver it again'"
      ) }}
    else cast({{ scaled }} as {{ dbt.type_bigint() }})
  end
{%- endmacro %}

{#- Minor units as a DECIMAL(28,4) amount of the currency, for people; exact. -#}
{% macro to_currency(minor, minor_unit_digits) -%}
  cast(
    cast({{ minor }} as decimal(19, 0)) * case {{ minor_unit_digits }}
      when 0 then cast(1 as decimal(5, 4))
      when 1 then cast(0.1 as decimal(5, 4))
      when 2 then cast(0.01 as decimal(5, 4))
      when 3 then cast(0.001 as decimal(5, 4))
      when 4 then cast(0.0001 as decimal(5, 4))
    end as decimal(28, 4)
  )
{%- endmacro %}

{#- Milli cubic feet as DECIMAL(22,3) cubic feet, for people; exact. -#}
{% macro to_ft3(milli_ft3) -%}
  cast(cast({{ milli_ft3 }} as decimal(19, 0)) * cast(0.001 as decimal(4, 3)) as decimal(22, 3))
{%- endmacro %}

{#- A DECIMAL(24,6) value in millionths, BIGINT; null where 64 bits cannot hold it. -#}
{% macro to_micro(value) -%}
  case
    when {{ value }} between -9223372036854.775808 and 9223372036854.775807
      then cast({{ value }} * cast(1000000 as decimal(7, 0)) as {{ dbt.type_bigint() }})
  end
{%- endmacro %}

{#- A sum of integers as BIGINT: added up in 128 bits, and refused (not wrapped) beyond 64. -#}
{% macro sum_bigint(expression) -%}
  cast(coalesce(sum({{ expression }}), 0) as {{ dbt.type_bigint() }})
{%- endmacro %}
