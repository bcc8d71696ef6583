"""The warehouse network that Olist never had: capacity and the rounds' supply (rules §§2.6, 4).

Here belong how much space each market has in a quarter, how much of it is kept for requests, and
who is likely to win that. Being made up, it may know the totals that it is meant to fit: pools are
short in the quarters of ``SHORT_QUARTERS`` and slack otherwise, and never less than the floors.
"""

from __future__ import annotations

import duckdb
import numpy as np

from fbacap_logic.policy import Policy
from fbacap_logic.units import largest_remainder
from orchestration.simulation.olist_requests import USUAL_MULTIPLIER_BP, WEEKS_IN_QUARTER
from orchestration.simulation.olist_tables import MARKETPLACE_ID

RELEASE_SHARES = (40, 25, 20, 15)
"""Percent of the requests' space that each of the four rounds releases."""

_SLACK_BP = 12_500
# A third off what lies above the floors takes about 15 % off all claims: floors do not shrink, and
# sellers' claims fall a little short of their recent sales, as forecasts of rising sales do.
_SHORT_BP = 6_800
_OFFERED_SHORT_BP = 5_500  # of the volume asked for
_OFFERED_SLACK_BP = 8_000
_LATEST_WEEKS = 4
_LEAST_OFFERED_MILLI_FT3 = 2_000
# Floors are certain and claims are estimated: the pool leaves this much above the floors anyway.
_ABOVE_FLOORS_BP = 500
_KNOWN_DAYS_BEFORE = 240  # before the announcements of the two quarters before, too
_QUARTERS_SHOWN_AHEAD = 2  # estimates are published for the two quarters after (rules §2)

_OFFERS = f"""
create table offers as
with markets as (
  select quarter, is_short, storage_type
  from quarters, (select distinct storage_type from lines)
),
asked as (
  select quarter, storage_type, sum(requested_micro_ft3) // 1000 as asked_milli_ft3
  from requests where revision = 1 group by all
)
select
  quarter,
  storage_type,
  greatest(
    {_LEAST_OFFERED_MILLI_FT3},
    coalesce(asked_milli_ft3, 0) * if(is_short, {_OFFERED_SHORT_BP}, {_OFFERED_SLACK_BP}) // 10000
  )::bigint as request_milli_ft3
from markets left join asked using (quarter, storage_type)
order by quarter, storage_type
"""

# Highest fees first, as a round clears (rules §4), without the caps, minimums and revisions that
# make the real outcome differ: sellers plan their stock on what they expect to win.
_LIKELY_WINNERS = """
create table likely_winners as
with ranked as (
  select
    quarter, storage_type, seller_id, request_milli_ft3,
    sum(requested_micro_ft3 // 1000) over (
      partition by quarter, storage_type order by fee_micro desc, submitted_at, request_id
      rows between unbounded preceding and 1 preceding
    ) as before_milli_ft3
  from requests inner join offers using (quarter, storage_type)
  where revision = 1
)
select distinct quarter, storage_type, seller_id
from ranked where coalesce(before_milli_ft3, 0) < request_milli_ft3
"""

_POOLS = f"""
create table pools as
with known as (
  select quarter, storage_type, seller_id,
    joined_on > new_since as is_new
  from quarters, (
    select seller_id, storage_type, min(sent_on) as known_on from units group by all
  ) as stocked
  inner join first_days using (seller_id)
  where known_on < announced_on
),
recent as (
  select quarter, storage_type, seller_id, sum(unit_micro_ft3) as recent_micro_ft3
  from quarters, lines
  where sold_on >= announced_on - 7 * {WEEKS_IN_QUARTER} and sold_on < announced_on
  group by all
),
-- a market that has just begun to grow is forecast from its last weeks, not from all thirteen;
-- nobody made room for that in a short quarter
growth as (
  select quarter, storage_type,
    sum(unit_micro_ft3)::hugeint as weeks_micro_ft3,
    if(any_value(is_short), weeks_micro_ft3, greatest(
      weeks_micro_ft3,
      coalesce(sum(unit_micro_ft3) filter (sold_on >= announced_on - 7 * {_LATEST_WEEKS}), 0)
        * {WEEKS_IN_QUARTER} // {_LATEST_WEEKS}
    )) as pace_micro_ft3
  from quarters, lines
  where sold_on >= announced_on - 7 * {WEEKS_IN_QUARTER} and sold_on < announced_on
  group by all
),
claims as (
  select
    quarter, storage_type,
    if(is_new, $floor_milli_ft3, 0) as floor_milli_ft3,
    coalesce(recent_micro_ft3, 0)::hugeint * $cover_weeks // {WEEKS_IN_QUARTER}
      * {USUAL_MULTIPLIER_BP} // 10000000
      * coalesce(pace_micro_ft3, 1) // coalesce(weeks_micro_ft3, 1) as claim_milli_ft3
  from known
  left join recent using (quarter, storage_type, seller_id)
  left join growth using (quarter, storage_type)
),
totals as (
  select quarter, storage_type,
    sum(floor_milli_ft3) as floor_milli_ft3,
    sum(greatest(claim_milli_ft3, floor_milli_ft3)) as claimed_milli_ft3
  from claims group by all
)
select
  quarter, storage_type, request_milli_ft3,
  coalesce(greatest(
    floor_milli_ft3 + floor_milli_ft3 * {_ABOVE_FLOORS_BP} // 10000,
    if(
      is_short,
      floor_milli_ft3 + (claimed_milli_ft3 - floor_milli_ft3) * {_SHORT_BP} // 10000,
      claimed_milli_ft3 * {_SLACK_BP} // 10000
    )
  ), 0)::bigint as pool_milli_ft3
from offers
inner join quarters using (quarter)
left join totals using (quarter, storage_type)
order by quarter, storage_type
"""

NETWORK_CAPACITY_SQL = f"""
with shown as (
  from pools
  union all by name
  select * replace (quarter + to_months(3 * ahead)::interval as quarter)
  from pools, range(1, {_QUARTERS_SHOWN_AHEAD + 1}) as later(ahead)
  where quarter = (select max(quarter) from pools)
)
select '{MARKETPLACE_ID}' as marketplace_id, storage_type, quarter::date as quarter,
  pool_milli_ft3 + request_milli_ft3 as network_ft3, request_milli_ft3 as request_ft3,
  quarter::timestamp - to_days({_KNOWN_DAYS_BEFORE}) as received_at
from shown order by storage_type, quarter
"""

ROUND_SUPPLY_SQL = f"""
select '{MARKETPLACE_ID}' as marketplace_id, storage_type, quarter, round,
  released_milli_ft3 as released_ft3,
  quarter::timestamp - to_days({_KNOWN_DAYS_BEFORE}) as received_at
from released order by storage_type, quarter, round
"""


def build_offers(connection: duckdb.DuckDBPyConnection) -> None:
    """Make ``offers`` (space kept for requests), ``released`` (by round) and ``likely_winners``.

    What the rounds release sums to the space kept for requests (rules §4).
    """
    connection.execute(_OFFERS)
    connection.execute(_LIKELY_WINNERS)
    schedule = connection.sql(
        "select quarter, storage_type, round, request_milli_ft3"
        " from offers inner join rounds using (quarter) order by quarter, storage_type, round"
    ).to_arrow_table()
    rounds = schedule["round"].to_numpy().astype(np.int64)
    group = np.cumsum(rounds == 1) - 1
    totals = schedule["request_milli_ft3"].to_numpy()[rounds == 1]
    released = largest_remainder(totals, group, np.array(RELEASE_SHARES)[rounds - 1], rounds)
    connection.register("schedule", schedule.append_column("released_milli_ft3", [released]))
    connection.execute(
        "create table released as"
        " select quarter, storage_type, round, released_milli_ft3 from schedule"
    )
    connection.unregister("schedule")


def build_pools(connection: duckdb.DuckDBPyConnection, policy: Policy) -> None:
    """Make ``pools``: the base pool of every market and quarter, milli_ft3.

    Never below the floors of the new professionals that have a product in the market on the
    announcement day: a pool that is stops the announcement (rules §2.6).
    """
    rules = policy.base_allocation
    connection.execute(
        _POOLS,
        {
            "floor_milli_ft3": rules.new_professional_floor_milli_ft3,
            "cover_weeks": rules.cover_weeks,
        },
    )
