-- The walk down the total order, every market (or seller) at once. An item is whole while room
-- lasts; the first that does not fit gets the rest, unless that is below what it takes at least:
-- then it is dropped, and the walk goes on with the same room. An item of several members that
-- does not fit is contested: the walk stops there, and what comes after waits for its sharing.
--
-- Up to the first item that does not fit, running sums say everything. Room only shrinks, so
-- after it only items that take no more than what is left there can matter; they are folded one
-- by one, in blocks, so that each item reads the state at its block's start and not the whole walk.
create or replace temp table walk_outcomes as
with recursive running as (
  select * from walk_running
),

margins as materialized (
  select
    walk,
    any_value(room) - coalesce(max(running) filter (where running <= room), 0) as left_at_margin
  from running
  group by walk
),

candidates as materialized (
  select
    running.*,
    row_number() over (partition by running.walk order by running.item) - 1 as place
  from running
  inner join margins on running.walk = margins.walk
  where
    running.running > running.room
    and margins.left_at_margin > 0
    and running.least <= margins.left_at_margin
),

blocks as materialized (
  select
    walk,
    place // 64 as block,
    list(
      {
        'asked': asked, 'least': least, 'members': members, 'room': cast(0 as hugeint),
        'is_stopped': false
      }
      order by item
    ) as items
  from candidates
  group by walk, place // 64
),

folded as (
  select
    walk,
    cast(0 as bigint) as block,
    left_at_margin as room,
    false as is_stopped
  from margins
  where left_at_margin > 0
  union all
  select
    walk,
    block + 1 as block,
    state.room,
    state.is_stopped
  from (
    select
      folded.walk,
      folded.block,
      list_reduce(
        blocks.items,
        lambda state, item: walk_step(state, item),
        {
          'asked': cast(0 as hugeint), 'least': cast(0 as hugeint), 'members': cast(0 as bigint),
          'room': folded.room, 'is_stopped': folded.is_stopped
        }
      ) as state
    from folded
    inner join blocks on folded.walk = blocks.walk and folded.block = blocks.block
  )
),

states as materialized (
  select
    candidates.walk,
    candidates.item,
    candidates.asked,
    candidates.least,
    candidates.members,
    list_reduce(
      blocks.items[1:candidates.place % 64],
      lambda state, item: walk_step(state, item),
      {
        'asked': cast(0 as hugeint), 'least': cast(0 as hugeint), 'members': cast(0 as bigint),
        'room': folded.room, 'is_stopped': folded.is_stopped
      }
    ) as state
  from candidates
  inner join blocks on candidates.walk = blocks.walk and candidates.place // 64 = blocks.block
  inner join folded on candidates.walk = folded.walk and candidates.place // 64 = folded.block
),

judged as materialized (
  select
    walk,
    item,
    asked,
    state.room as left_before,
    case
      when state.is_stopped then 'waiting'
      when state.room = 0 then 'unreached'
      when asked <= state.room then 'whole'
      when least > state.room then 'dropped'
      when members = 1 then 'marginal'
      else 'contested'
    end as outcome
  from states
),

ends as (
  select
    walk,
    min(item) filter (
      where outcome = 'marginal' or (outcome = 'whole' and asked = left_before)
    ) as exhausted_at,
    min(item) filter (where outcome = 'contested') as stopped_at
  from judged
  group by walk
)

select
  running.walk,
  running.item,
  running.asked,
  case
    when running.running <= running.room then running.room - running.running + running.asked
    when judged.outcome is not null then judged.left_before
  end as left_before,
  case
    when running.running <= running.room then 'whole'
    when judged.outcome is not null then judged.outcome
    when margins.left_at_margin = 0 or running.item > ends.exhausted_at then 'unreached'
    when running.item > ends.stopped_at then 'waiting'
    else 'dropped'
  end as outcome
from running
inner join margins on running.walk = margins.walk
left join judged on running.walk = judged.walk and running.item = judged.item
left join ends on running.walk = ends.walk;
