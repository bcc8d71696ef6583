"""What a market quarter will be, as planners and sellers see it on its announcement day.

Here belongs the order in which a quarter is made up: claims, pools, wishes, bids, space for
requests, expected winners. Each step is in the module named after it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fbacap_logic.calendar import Quarter, QuarterCalendar
from orchestration.simulation import costume_shops
from orchestration.simulation.base_estimates import Claims, Track, fitted_ft3
from orchestration.simulation.bids import Bids, with_more
from orchestration.simulation.capacity import (
    MarketSpace,
    plan_pools,
    plan_request_space,
    release,
)
from orchestration.simulation.demand import Demand
from orchestration.simulation.grants import expected_grants
from orchestration.simulation.horizon import calendar_of, day64
from orchestration.simulation.population import MARKETS, Float64Array, Int64Array, Population
from orchestration.simulation.requests import Wishes, make_bids, make_wishes
from orchestration.simulation.streams import Streams

_MILLI = 1_000


@dataclass(frozen=True)
class QuarterPlan:
    """Everything that is settled on the announcement day."""

    calendar: QuarterCalendar
    claims: Claims
    base_ft3: Float64Array  # where the announcement knows the seller market, else what it may use
    wishes: Wishes
    bids: Bids
    space: MarketSpace
    released_milli_ft3: Int64Array  # shape (markets, rounds)
    granted_milli_ft3: Int64Array  # expected; shape (rounds, seller markets)

    def extra_ft3(self, day: np.datetime64) -> Float64Array:
        """Space won and in force on a day of the quarter, by seller market (rules §1)."""
        last_day = day64(self.calendar.quarter.last_day)
        in_force = [
            day64(window.in_force_from) <= day <= last_day for window in self.calendar.rounds
        ]
        return self.granted_milli_ft3[np.array(in_force)].sum(axis=0) / _MILLI


def plan_quarter(
    quarter: Quarter,
    population: Population,
    demand: Demand,
    track: Track,
    streams: Streams,
    *,
    is_example: bool,
) -> QuarterPlan:
    """Plan a quarter from what is known on the morning of its announcement.

    ``is_example``: whether the costume shops' bids of rules §9 belong in it.
    """
    calendar = calendar_of(quarter)
    market = population.market
    claims = track.claims(day64(calendar.announced_at.date()))
    pool = costume_shops.arrange_pool(plan_pools(claims, market, quarter, streams.capacity))
    fitted = fitted_ft3(claims, market, pool / _MILLI)
    base = np.where(claims.takes_part, fitted, population.seller_markets.unallocated_ft3)
    wishes = make_wishes(population, demand, claims, fitted, calendar, streams.requests)
    bids = make_bids(wishes, calendar, streams.requests)
    asked = np.bincount(market, weights=wishes.ask_ft3 * _MILLI, minlength=MARKETS)
    released = release(plan_request_space(asked, pool, quarter))
    if is_example:
        bids = with_more(bids, costume_shops.shop_bids(population, calendar))
        released = costume_shops.arrange_release(released)
    return QuarterPlan(
        calendar=calendar,
        claims=claims,
        base_ft3=base,
        wishes=wishes,
        bids=bids,
        space=MarketSpace(quarter, pool, released.sum(axis=1)),
        released_milli_ft3=released,
        granted_milli_ft3=expected_grants(bids, market, released, calendar),
    )
