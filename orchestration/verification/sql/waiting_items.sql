-- Where the walks go on after their contested items: what waits there, and what sharing left.
create or replace temp table walk_items as
select walk_items.*
from walk_items
inner join walk_outcomes using (walk, item)
where walk_outcomes.outcome = 'waiting';

create or replace temp table walk_rooms as
select
  walk,
  any_value(room) - sum(granted) as room
from contested
group by walk;
