-- What rounds write their results to, before the first one clears.
create or replace temp table derived_cleared_allocations (
  request_id varchar, round integer, market bigint, seller_market bigint, seller_id varchar,
  revision integer, max_fee_minor_per_ft3 bigint, priority_at timestamp,
  requested_milli_ft3 hugeint, open_milli_ft3 hugeint, trimmed_milli_ft3 hugeint,
  remaining_minimum_milli_ft3 hugeint, granted_milli_ft3 hugeint, outcome varchar, reason varchar
);

create or replace temp table derived_market_rounds (
  market bigint, round integer, released_milli_ft3 hugeint, carried_in_milli_ft3 hugeint,
  supply_milli_ft3 hugeint, demanded_milli_ft3 hugeint, granted_milli_ft3 hugeint,
  unsold_milli_ft3 hugeint, clearing_fee_minor_per_ft3 bigint, cover_ratio_bp hugeint,
  marginal_fill_bp hugeint, requests bigint, winners bigint
);
