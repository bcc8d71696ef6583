{{ config(materialized='view', tags=['settle']) }}

with run as (
  select * from {{ ref('stg_run') }}
),

quarter_days as (
  select {{ each_day('quarter_start', 'quarter_end') }} as day
  from run
)

select * from quarter_days
