-- What each request of the book got, and why (rules §4).
create or replace temp table round_grants as
with granted as (
  select
    trimmed_book.*,
    case
      when trimmed_book.trimmed_milli_ft3 = 0 then 0
      when shared.place is not null then shared.granted
      when walked.outcome = 'whole' then trimmed_book.trimmed_milli_ft3
      when walked.outcome = 'marginal' then walked.left_before
      else 0
    end as granted_milli_ft3,
    trimmed_book.trimmed_milli_ft3 > 0
    and coalesce(shared.is_dropped, walked.outcome = 'dropped') as is_dropped
  from trimmed_book
  left join walk_members
    on trimmed_book.market = walk_members.walk and trimmed_book.place = walk_members.place
  left join walked on walk_members.walk = walked.walk and walk_members.item = walked.item
  left join shared on trimmed_book.market = shared.walk and trimmed_book.place = shared.place
)

select
  granted.*,
  granted_milli_ft3 > 0 as is_won,
  granted_milli_ft3 > 0 and granted_milli_ft3 < trimmed_milli_ft3 as is_partly
from granted;
