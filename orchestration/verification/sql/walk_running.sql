-- What each item and those before it ask for together, against the room of their walk.
create or replace temp table walk_running as
select
  walk_items.*,
  walk_rooms.room,
  sum(walk_items.asked) over (partition by walk_items.walk order by walk_items.item) as running
from walk_items
inner join walk_rooms on walk_items.walk = walk_rooms.walk;
