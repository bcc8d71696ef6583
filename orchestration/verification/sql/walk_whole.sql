-- Where every walk has room for all it is asked, nothing has to be folded.
insert into walked
select
  walk,
  item,
  asked,
  room - running + asked as left_before,
  'whole' as outcome
from walk_running;
