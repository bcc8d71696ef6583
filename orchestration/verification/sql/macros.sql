-- The only rounding of money (rules §0). Both arguments are non-negative; the divisor is positive.
create or replace temp macro half_even(dividend, divisor) as
  dividend // divisor
  + case
    when 2 * (dividend % divisor) > divisor then 1
    when 2 * (dividend % divisor) = divisor and (dividend // divisor) % 2 = 1 then 1
    else 0
  end;

-- One step of a walk: the room that an item leaves, and whether the walk stops there (rules §4).
-- State and item have one type, because list_reduce wants it so.
create or replace temp macro walk_step(state, item) as {
  'asked': item.asked,
  'least': item.least,
  'members': item.members,
  'room': case
    when state.is_stopped then state.room
    when item.asked <= state.room then state.room - item.asked
    when item.least <= state.room and item.members = 1 then 0
    else state.room
  end,
  'is_stopped': state.is_stopped or (
    state.room > 0 and item.asked > state.room and item.least <= state.room and item.members > 1
  )
};
