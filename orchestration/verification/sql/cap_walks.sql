-- Each seller's room under the cap is dealt like a round's supply: one walk a seller and market.
create or replace temp table walk_items as
select
  seller_market as walk,
  place as item,
  cast(open_milli_ft3 as hugeint) as asked,
  cast(remaining_minimum_milli_ft3 as hugeint) as least,
  1 as members
from book;

create or replace temp table walk_rooms as
with granted_before as (
  select
    seller_market,
    sum(granted_milli_ft3) as granted_milli_ft3
  from derived_cleared_allocations
  group by seller_market
)

select
  book.seller_market as walk,
  cast(greatest(
    any_value(book.cap_milli_ft3) - coalesce(any_value(granted_before.granted_milli_ft3), 0), 0
  ) as hugeint) as room
from book
left join granted_before using (seller_market)
group by book.seller_market;
