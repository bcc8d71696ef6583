-- What each grant costs net of credit, and the difference to the run before (rules §7). The currency
-- is published with each row; what can be asked of it here is to be one a marketplace.
create or replace temp table derived_settlements as
with currencies as (
  select
    marketplace_id,
    min(currency) as currency
  from published_settlements
  group by marketplace_id
),

amounts as (
  select
    credits.marketplace_id,
    credits.storage_type,
    credits.request_id,
    credits.round,
    credits.seller_id,
    currencies.currency,
    credits.granted_milli_ft3,
    credits.final_fee_minor_per_ft3,
    credits.fee_minor,
    credits.credit_minor,
    credits.fee_minor - credits.credit_minor as net_due_minor,
    coalesce(before.fee_minor, 0) as previous_fee_minor,
    coalesce(before.credit_minor, 0) as previous_credit_minor,
    coalesce(before.net_due_minor, 0) as previous_net_due_minor
  from derived_credits as credits
  left join settled_before as before using (marketplace_id, storage_type, request_id, round)
  left join currencies on credits.marketplace_id = currencies.marketplace_id
)

select
  *,
  fee_minor - previous_fee_minor as delta_fee_minor,
  credit_minor - previous_credit_minor as delta_credit_minor,
  net_due_minor - previous_net_due_minor as delta_net_due_minor
from amounts;
