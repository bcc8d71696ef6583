{{ config(meta={'dagster': {'ref': {'name': 'fct_quarter_summary'}}}) }}

with settlements as (
  select
    marketplace_id,
    storage_type,
    sum(granted_milli_ft3) as granted_milli_ft3,
    sum(fee_minor) as fee_minor,
    sum(credit_minor) as credit_minor,
    sum(net_due_minor) as net_due_minor
  from {{ ref('fct_settlements') }}
  group by marketplace_id, storage_type
)

select
  summary.marketplace_id,
  summary.storage_type
from {{ ref('fct_quarter_summary') }} as summary
left join settlements on {{ same_market('summary', 'settlements') }}
where
  summary.granted_milli_ft3 <> coalesce(settlements.granted_milli_ft3, 0)
  or summary.fee_minor <> coalesce(settlements.fee_minor, 0)
  or summary.credit_minor <> coalesce(settlements.credit_minor, 0)
  or summary.net_due_minor <> coalesce(settlements.net_due_minor, 0)
