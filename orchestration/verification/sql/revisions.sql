-- Accepted revisions, with their market's and seller's number and their place in the total order
-- (rules §3: fee descending, time ascending, request_id by bytes).
create or replace temp table revisions as
with accepted as (
  select
    requests.request_id,
    requests.revision,
    requests.seller_id,
    requests.max_fee_minor_per_ft3,
    requests.requested_milli_ft3,
    requests.minimum_milli_ft3,
    requests.received_at,
    requests.withdrawn,
    derived.priority_at,
    derived.cap_milli_ft3,
    market_rules.market,
    market_rules.minimum_fee_minor_per_ft3,
    dense_rank() over (order by market_rules.market, requests.seller_id) as seller_market
  from published_round_requests as requests
  inner join derived_round_requests as derived using (request_id, revision, version_number)
  inner join market_rules using (marketplace_id, storage_type)
  where requests.is_accepted
)

select
  *,
  row_number() over (
    order by max_fee_minor_per_ft3 desc nulls last, priority_at, request_id, revision
  ) as place,
  min(received_at) over (partition by request_id) as first_received_at
from accepted;
