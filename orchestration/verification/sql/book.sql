-- The requests open in a round: the binding revision, what earlier rounds left of it (rules §3).
create or replace temp table book as
with this_round as (
  select
    closes_at,
    (select max(closes_at) from rounds where round < getvariable('round')) as closed_before
  from rounds
  where round = getvariable('round')
),

binding as (
  select
    revisions.*,
    -- Without carry-over a request takes part only in its first round.
    coalesce(
      not cast(getvariable('policy') -> 'requests' ->> 'carry_over' as boolean)
      and revisions.first_received_at < this_round.closed_before,
      false
    ) as had_its_round
  from revisions
  cross join this_round
  where revisions.received_at < this_round.closes_at
  qualify
    row_number() over (partition by revisions.request_id order by revisions.revision desc) = 1
),

granted_before as (
  select
    request_id,
    sum(granted_milli_ft3) as granted_milli_ft3
  from derived_cleared_allocations
  group by request_id
),

still_open as (
  select
    binding.*,
    case
      when binding.withdrawn or binding.had_its_round then 0
      else binding.requested_milli_ft3 - coalesce(granted_before.granted_milli_ft3, 0)
    end as open_milli_ft3,
    greatest(
      binding.minimum_milli_ft3 - coalesce(granted_before.granted_milli_ft3, 0), 0
    ) as remaining_minimum_milli_ft3
  from binding
  left join granted_before using (request_id)
)

select * from still_open
where open_milli_ft3 > 0 and max_fee_minor_per_ft3 >= minimum_fee_minor_per_ft3;
