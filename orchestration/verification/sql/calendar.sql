-- Every round of the quarter, from the policy's calendar (rules §1).
create or replace temp table rounds as
with closes as (
  select
    generate_subscripts(days, 1) as round,
    unnest(days) as days
  from (
    select cast(getvariable('policy') -> 'calendar' -> 'round_close_days' as integer[]) as days
  )
),

quarter as (
  select
    getvariable('quarter_start') as first_day,
    cast(getvariable('quarter_start') + interval 3 month as date) as next_first_day
)

select
  cast(closes.round as integer) as round,
  cast(quarter.first_day + closes.days as timestamp) as closes_at,
  greatest(quarter.first_day, quarter.first_day + closes.days + 1) as in_force_from,
  quarter.next_first_day,
  date_diff('day', in_force_from, quarter.next_first_day) as days_in_force,
  date_diff('day', quarter.first_day, quarter.next_first_day) as days_in_quarter,
  cast(quarter.first_day + closes.days as timestamp) <= getvariable('cutoff_at') as is_closed
from closes
cross join quarter;
