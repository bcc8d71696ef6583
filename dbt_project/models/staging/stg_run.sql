{{ config(tags=['announce', 'round', 'settle']) }}

with parameters as (
  select * from {{ source('run', 'parameters') }}
),

runs as (
  select
    quarter as quarter_label,
    quarter_start,
    quarter_end,
    days_in_quarter,
    stage,
    stage_kind,
    cutoff_at,
    cast(cutoff_at as date) as cutoff_day,
    facts_from,
    snapshot_carry_days,
    previous_quarter_start,
    {{ add_days('cast(cutoff_at as date)', -90) }} as health_from,
    {{ add_days('cast(cutoff_at as date)', -1) }} as health_to
  from parameters
),

run as (
  select
    *,
    -- A settlement reads the quarter, an announcement all that was sold before it.
    case when stage_kind = 'settle' then quarter_start end as sales_from,
    case when stage_kind = 'settle' then quarter_end else health_to end as sales_to,
    case
      when stage_kind = 'settle' then {{ add_days('quarter_start', '-snapshot_carry_days') }}
      else health_from
    end as stock_from,
    case when stage_kind = 'settle' then quarter_end else health_to end as stock_to
  from runs
)

select * from run
