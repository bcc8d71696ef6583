-- One walk a market. Under time priority each request is an item; under pro rata each fee is one,
-- because its requests share what is left (rules §4).
create or replace temp table walk_members as
select
  trimmed_book.market as walk,
  case market_rules.tie_rule
    when 'pro_rata' then min(trimmed_book.place) over (
      partition by trimmed_book.market, trimmed_book.max_fee_minor_per_ft3
    )
    else trimmed_book.place
  end as item,
  trimmed_book.place,
  trimmed_book.trimmed_milli_ft3 as asked,
  trimmed_book.remaining_minimum_milli_ft3 as least
from trimmed_book
inner join market_rules using (market)
where trimmed_book.trimmed_milli_ft3 > 0;

create or replace temp table walk_items as
select
  walk,
  item,
  sum(asked) as asked,
  cast(min(least) as hugeint) as least,
  count(*) as members
from walk_members
group by walk, item;

create or replace temp table round_supply as
with released as (
  select
    market_rules.market,
    published.released_milli_ft3
  from published_market_rounds as published
  inner join market_rules using (marketplace_id, storage_type)
  where published.round = getvariable('round')
),

known as (
  select distinct market_rules.market
  from published_market_rounds as published
  inner join market_rules using (marketplace_id, storage_type)
  where published.round <= getvariable('round')
  union
  select revisions.market
  from revisions
  inner join rounds on rounds.round = getvariable('round')
  where revisions.received_at < rounds.closes_at
)

select
  known.market,
  cast(coalesce(released.released_milli_ft3, 0) as hugeint) as released_milli_ft3,
  coalesce(before.unsold_milli_ft3, 0) as carried_in_milli_ft3
from known
left join released using (market)
left join derived_market_rounds as before
  on known.market = before.market and before.round = getvariable('round') - 1;

create or replace temp table walk_rooms as
select
  market as walk,
  released_milli_ft3 + carried_in_milli_ft3 as room
from round_supply;
