-- Balanced double entries for the deltas of the run, debits positive (rules §7).
create or replace temp table derived_ledger_entries as
with entries as (
  select
    unnest([
      {'account': 'seller_receivable', 'amount_minor': delta_net_due_minor},
      {'account': 'performance_credit_expense', 'amount_minor': delta_credit_minor},
      {'account': 'reservation_fee_revenue', 'amount_minor': -delta_fee_minor}
    ]) as entry,
    *
  from derived_settlements
)

select
  request_id || '/' || cast(round as varchar) || '/' || entry.account as entry_id,
  marketplace_id,
  storage_type,
  currency,
  seller_id,
  request_id,
  round,
  entry.account,
  entry.amount_minor
from entries
where entry.amount_minor <> 0;
