-- The clearing rules of each market: the policy's, or the first override that names the market.
create or replace temp table market_rules as
with listed_overrides as (
  select
    generate_subscripts(listed, 1) as place,
    unnest(listed) as override
  from (
    select cast(getvariable('policy') -> 'market_overrides' as json[]) as listed
  )
),

overrides as (
  select
    override ->> 'marketplace_id' as marketplace_id,
    override ->> 'storage_type' as storage_type,
    override -> 'clearing' as clearing
  from listed_overrides
  qualify row_number() over (partition by marketplace_id, storage_type order by place) = 1
),

markets as (
  select marketplace_id, storage_type from published_market_rounds
  union
  select marketplace_id, storage_type from published_round_requests where is_accepted
),

rules as (
  select
    markets.*,
    coalesce(overrides.clearing, getvariable('policy') -> 'clearing') as clearing
  from markets
  left join overrides using (marketplace_id, storage_type)
)

select
  row_number() over (order by marketplace_id, storage_type) as market,
  marketplace_id,
  storage_type,
  cast(clearing ->> 'minimum_fee_minor_per_ft3' as bigint) as minimum_fee_minor_per_ft3,
  clearing ->> 'tie_rule' as tie_rule,
  clearing ->> 'price_rule' as price_rule,
  cast(clearing ->> 'minimum_repricing_milli_ft3' as bigint) as minimum_repricing_milli_ft3,
  clearing ->> 'fee_basis' as fee_basis
from rules;
