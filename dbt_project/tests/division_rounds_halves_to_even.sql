-- round_half_even_div against values worked out by hand: both signs, beyond 64 bits (rules §0).
with examples (numerator, divisor, expected) as (
  values
  ('5', 10, 0),
  ('15', 10, 2),
  ('25', 10, 2),
  ('26', 10, 3),
  ('-5', 10, 0),
  ('-15', 10, -2),
  ('-25', 10, -2),
  ('-26', 10, -3),
  ('24', 10, 2),
  ('-24', 10, -2),
  ('7', 3, 2),
  ('8', 3, 3),
  ('0', 1000, 0),
  ('500', 1000, 0),
  ('1500', 1000, 2),
  ('2501', 1000, 3),
  ('9007199254740993500', 1000, 9007199254740994),
  ('9007199254740992500', 1000, 9007199254740992),
  ('9223372036854775807499', 1000, 9223372036854775807),
  ('-9223372036854775808500', 1000, -9223372036854775808)
),

cases as (
  select
    cast(numerator as {{ type_wide_integer() }}) as numerator,
    divisor,
    expected
  from examples
),

results as (
  select
    numerator,
    divisor,
    expected,
    {{ round_half_even_div('numerator', 'divisor') }} as result
  from cases
)

select * from results
where result is null or result <> expected
