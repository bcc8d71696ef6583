-- Credit pooled per seller and market, divided over the grants by their caps (rules §7): largest
-- remainder, ties by the total order and then the round.
create or replace temp table derived_credits as
with settlement_policy as (
  select
    cast(getvariable('policy') -> 'settlement' ->> 'credit_rate_bp' as hugeint) as rate_bp,
    cast(getvariable('policy') -> 'settlement' ->> 'credit_cap_bp' as hugeint) as cap_bp
),

grants as (
  select
    fees.*,
    settlement_policy.rate_bp,
    cast(fees.fee_minor as hugeint) * settlement_policy.cap_bp // 10000 as cap_minor
  from published_repriced_fees as fees
  cross join settlement_policy
),

pools as (
  select
    grants.*,
    cast(sum(cap_minor) over seller as hugeint) as all_caps_minor,
    least(
      half_even(
        cast(greatest(sales.incremental_sales_minor, 0) as hugeint) * grants.rate_bp, 10000
      ),
      cast(sum(cap_minor) over seller as hugeint)
    ) as total_minor
  from grants
  left join derived_incremental_sales as sales using (marketplace_id, storage_type, seller_id)
  window seller as (partition by marketplace_id, storage_type, seller_id)
),

floors as (
  select
    *,
    coalesce(total_minor * cap_minor // nullif(all_caps_minor, 0), 0) as floor_minor,
    coalesce(total_minor * cap_minor % nullif(all_caps_minor, 0), 0) as remainder
  from pools
)

select
  * exclude (floor_minor, remainder),
  floor_minor + case
    when row_number() over (
      partition by marketplace_id, storage_type, seller_id
      order by remainder desc, max_fee_minor_per_ft3 desc, priority_at, request_id, round
    ) <= total_minor - sum(floor_minor) over (
      partition by marketplace_id, storage_type, seller_id
    ) then 1
    else 0
  end as credit_minor
from floors;
