-- Later rounds lower what earlier winners pay, never raise it (rules §5).
create or replace temp table repricing_path as
with grants as (
  select
    allocations.*,
    market_rules.fee_basis,
    market_rules.minimum_repricing_milli_ft3,
    case market_rules.price_rule
      when 'pay_as_bid' then allocations.max_fee_minor_per_ft3
      else made_in.clearing_fee_minor_per_ft3
    end as round_fee
  from derived_cleared_allocations as allocations
  inner join market_rules using (market)
  inner join derived_market_rounds as made_in
    on allocations.market = made_in.market and allocations.round = made_in.round
  where allocations.granted_milli_ft3 > 0
)

select
  grants.*,
  later.round as later_round,
  later.clearing_fee_minor_per_ft3 as later_fee,
  least(
    grants.round_fee,
    min(later.clearing_fee_minor_per_ft3) over (
      partition by grants.request_id, grants.round order by later.round
      rows between unbounded preceding and 1 preceding
    )
  ) as fee_before
from grants
left join derived_market_rounds as later
  on
    grants.market = later.market
    and grants.round < later.round
    and later.granted_milli_ft3 >= greatest(grants.minimum_repricing_milli_ft3, 1);

create or replace temp table derived_repricing_steps as
select
  request_id,
  round,
  later_round as repriced_in_round,
  market,
  fee_before as fee_before_minor_per_ft3,
  later_fee as fee_after_minor_per_ft3
from repricing_path
where later_fee < fee_before;

create or replace temp table derived_repriced_fees as
with paths as (
  select
    request_id,
    round,
    any_value(market) as market,
    any_value(seller_id) as seller_id,
    any_value(granted_milli_ft3) as granted_milli_ft3,
    any_value(max_fee_minor_per_ft3) as max_fee_minor_per_ft3,
    any_value(priority_at) as priority_at,
    any_value(round_fee) as round_fee_minor_per_ft3,
    any_value(fee_basis) as fee_basis,
    least(any_value(round_fee), min(later_fee)) as final_fee_minor_per_ft3,
    max(later_round) filter (where later_fee < fee_before) as repriced_in_round
  from repricing_path
  group by request_id, round
)

select
  paths.* exclude (fee_basis),
  rounds.days_in_force,
  rounds.days_in_quarter,
  case paths.fee_basis
    when 'prorated' then half_even(
      cast(final_fee_minor_per_ft3 as hugeint) * granted_milli_ft3 * days_in_force,
      cast(1000 as hugeint) * days_in_quarter
    )
    else half_even(cast(final_fee_minor_per_ft3 as hugeint) * granted_milli_ft3, 1000)
  end as fee_minor
from paths
inner join rounds using (round);
