{{ config(materialized='view', tags=['settle']) }}

with run as (
  select * from {{ ref('stg_run') }}
),

days as (
  select * from {{ ref('int_quarter_days') }}
),

marketplaces as (
  select * from {{ ref('int_marketplaces') }}
),

snapshot_dates as (
  select distinct
    marketplace_id,
    snapshot_date
  from {{ ref('int_daily_stock') }}
),

last_snapshots as (
  select
    marketplaces.marketplace_id,
    days.day,
    max(snapshot_dates.snapshot_date) as snapshot_date
  from marketplaces
  cross join days
  cross join run
  -- A day without a snapshot takes the last one, so many days back at most (rules §6).
  left join snapshot_dates
    on
      marketplaces.marketplace_id = snapshot_dates.marketplace_id
      and days.day >= snapshot_dates.snapshot_date
      and {{ add_days('days.day', '-run.snapshot_carry_days') }} <= snapshot_dates.snapshot_date
  group by marketplaces.marketplace_id, days.day
),

marketplace_snapshot_days as (
  select
    marketplace_id,
    day,
    snapshot_date,
    coalesce(snapshot_date < day, false) as is_carried,
    snapshot_date is null as is_missing
  from last_snapshots
)

select * from marketplace_snapshot_days
