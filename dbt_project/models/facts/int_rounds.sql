{{ config(materialized='view', tags=['round', 'settle']) }}

with rounds as (
  select * from {{ source('run', 'rounds') }}
),

round_windows as (
  select
    round,
    lag(closes_at) over (order by closes_at asc nulls last, round asc nulls last) as opens_at,
    closes_at,
    in_force_from,
    in_force_to,
    is_closed
  from rounds
)

select * from round_windows
