-- What follows from a received record alone: its cap, its time in the total order, its first round.
create or replace temp table derived_round_requests as
with cap_rule as (
  select
    cast(getvariable('policy') -> 'requests' ->> 'request_cap_base_share_bp' as hugeint)
      as share_bp,
    cast(getvariable('policy') -> 'requests' ->> 'request_cap_floor_milli_ft3' as hugeint)
      as floor_milli_ft3
)

select
  requests.request_id,
  requests.revision,
  requests.version_number,
  least(requests.submitted_at, requests.received_at) as priority_at,
  (
    select min(rounds.round) from rounds where rounds.closes_at > requests.received_at
  ) as first_round,
  greatest(
    coalesce(base.base_milli_ft3, 0) * cap_rule.share_bp // 10000, cap_rule.floor_milli_ft3
  ) as cap_milli_ft3
from published_round_requests as requests
cross join cap_rule
left join announced_base_allocations as base
  using (marketplace_id, storage_type, seller_id);
