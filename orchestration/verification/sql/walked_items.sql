insert into walked
select
  walk,
  item,
  asked,
  left_before,
  outcome
from walk_outcomes
where outcome <> 'waiting';
