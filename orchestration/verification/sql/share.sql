-- One sharing of what is left at a contested fee, in proportion to volume, by largest remainder.
-- Nobody short of a minimum: settled. Else the last one short in the total order is dropped, with
-- those that would fall after it one by one anyway:
--   floors only grow while others leave, so a member whose floor reaches its minimum is safe; going
--   up from the end, a member with a positive floor is short at its turn when even that floor and
--   one more, with every doubtful member after it gone, stays below its minimum.
create or replace temp table contested as
with active as (
  select
    *,
    sum(asked) over (partition by walk) as all_asked,
    min(least) over (partition by walk) as least_of_all
  from contested
  where not is_dropped and not is_settled
),

floors as (
  select
    *,
    all_asked <= room as all_fit,
    case when all_asked <= room then asked else room * asked // all_asked end as floor_share,
    case when all_asked <= room then 0 else room * asked % all_asked end as remainder
  from active
),

shares as (
  select
    *,
    floor_share + case
      when row_number() over (partition by walk order by remainder desc, place)
      <= room - sum(floor_share) over (partition by walk)
      and not all_fit then 1
      else 0
    end as share,
    floor_share < least as is_doubtful,
    coalesce(
      sum(asked) filter (where floor_share < least) over (
        partition by walk order by place desc
        rows between unbounded preceding and 1 preceding
      ),
      0
    ) as doubtful_after
  from floors
),

verdicts as (
  select
    *,
    share > 0 and share < least as is_short,
    bool_and(
      not is_doubtful
      or (floor_share >= 1 and room * asked // (all_asked - doubtful_after) + 1 < least)
    ) over (partition by walk order by place desc) as falls_from_the_end
  from shares
),

fallen as (
  select
    *,
    bool_or(is_short) over (partition by walk) as is_anyone_short,
    max(place) filter (where is_short) over (partition by walk) as last_short,
    bool_or(is_doubtful and falls_from_the_end) over (partition by walk) as is_run
  from verdicts
)

select
  walk,
  item,
  place,
  asked,
  least,
  room,
  case when is_anyone_short then 0 else share end as granted,
  is_anyone_short and (
    -- Somebody always gets a share, and nobody's can be enough: all fall.
    least_of_all > room
    or case when is_run then is_doubtful and falls_from_the_end else place = last_short end
  ) as is_dropped,
  not is_anyone_short as is_settled
from fallen
union all
select * from contested where is_dropped or is_settled;
