-- The figures of a round and the rows of its requests (rules §4).
create or replace temp table round_fees as
with fees as (
  select
    market,
    min(max_fee_minor_per_ft3) filter (where is_won) as lowest_granted,
    max(max_fee_minor_per_ft3) filter (
      where trimmed_milli_ft3 > granted_milli_ft3 and not is_dropped
    ) as highest_rejected
  from round_grants
  group by market
)

select
  fees.market,
  fees.lowest_granted,
  case
    when fees.lowest_granted is null then null
    when market_rules.price_rule = 'highest_rejected' then greatest(
      coalesce(fees.highest_rejected, 0), market_rules.minimum_fee_minor_per_ft3
    )
    else fees.lowest_granted
  end as clearing_fee
from fees
inner join market_rules using (market);

insert into derived_market_rounds
with totals as (
  select
    round_grants.market,
    sum(round_grants.trimmed_milli_ft3) as demanded,
    sum(round_grants.granted_milli_ft3) as granted,
    count(*) as requests,
    count(*) filter (where round_grants.is_won) as winners,
    sum(round_grants.granted_milli_ft3) filter (
      where
      round_grants.is_partly and round_grants.max_fee_minor_per_ft3 = round_fees.lowest_granted
    ) as marginal_granted,
    sum(round_grants.trimmed_milli_ft3) filter (
      where
      round_grants.is_partly and round_grants.max_fee_minor_per_ft3 = round_fees.lowest_granted
    ) as marginal_open
  from round_grants
  inner join round_fees using (market)
  group by round_grants.market
),

supplied as (
  select
    *,
    released_milli_ft3 + carried_in_milli_ft3 as supply
  from round_supply
)

select
  supplied.market,
  getvariable('round') as round,
  supplied.released_milli_ft3,
  supplied.carried_in_milli_ft3,
  supplied.supply as supply_milli_ft3,
  coalesce(totals.demanded, 0) as demanded_milli_ft3,
  coalesce(totals.granted, 0) as granted_milli_ft3,
  supplied.supply - coalesce(totals.granted, 0) as unsold_milli_ft3,
  round_fees.clearing_fee as clearing_fee_minor_per_ft3,
  half_even(coalesce(totals.demanded, 0) * 10000, nullif(supplied.supply, 0)) as cover_ratio_bp,
  half_even(totals.marginal_granted * 10000, totals.marginal_open) as marginal_fill_bp,
  coalesce(totals.requests, 0) as requests,
  coalesce(totals.winners, 0) as winners
from supplied
left join totals using (market)
left join round_fees using (market);

insert into derived_cleared_allocations
select
  round_grants.request_id,
  getvariable('round') as round,
  round_grants.market,
  round_grants.seller_market,
  round_grants.seller_id,
  round_grants.revision,
  round_grants.max_fee_minor_per_ft3,
  round_grants.priority_at,
  round_grants.requested_milli_ft3,
  round_grants.open_milli_ft3,
  round_grants.trimmed_milli_ft3,
  round_grants.remaining_minimum_milli_ft3,
  round_grants.granted_milli_ft3,
  case
    when not round_grants.is_won then 'rejected'
    when round_grants.granted_milli_ft3 < round_grants.open_milli_ft3 then 'partial'
    else 'granted'
  end as outcome,
  case
    when round_grants.is_passed_over then 'cap_below_minimum'
    when round_grants.trimmed_milli_ft3 = 0 then 'cap_reached'
    when round_grants.is_dropped then 'minimum_not_met'
    when round_grants.is_partly then 'marginal'
    when round_grants.granted_milli_ft3 = round_grants.open_milli_ft3 then 'granted'
    when round_grants.is_won then 'cap_reached'
    when round_grants.max_fee_minor_per_ft3 < round_fees.clearing_fee then 'below_clearing_fee'
    else 'no_supply'
  end as reason
from round_grants
inner join round_fees using (market);
