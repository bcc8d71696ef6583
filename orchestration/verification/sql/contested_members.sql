-- The members of the items that a walk stopped at, none of them dropped or settled yet.
create or replace temp table contested as
select
  walk_members.walk,
  walk_members.item,
  walk_members.place,
  walk_members.asked,
  walk_members.least,
  walk_outcomes.left_before as room,
  cast(0 as hugeint) as granted,
  false as is_dropped,
  false as is_settled
from walk_outcomes
inner join walk_members using (walk, item)
where walk_outcomes.outcome = 'contested';
