"""The costume shops: the programme's worked example, arranged inside a generated marketplace.

Here belong the Halloween shop of rules §9, its neighbours, their demand, their market's capacity
and their bids. Nothing here is drawn at random except what the neighbours sell day by day, so that
the example comes out for every seed and every size.

The arrangement of the quarter that the example is in:

- base: the four attics are individuals with a fixed 15 ft³ each; the shop claims far more than the
  rest of a pool of 10,060 ft³, and so gets exactly 10,000 (rules §2.6). The pop-ups join after the
  announcement and have none.
- round 1 releases 6,000: pop-up 1 takes 1,000 at 6.50, the shop its 5,000 at 6.00; fee 6.00.
- round 2 releases 1,000: pop-up 2 takes them at 5.00. Round 3 releases 1,000: pop-up 2 takes its
  other 500, pop-up 3 takes 500 at 4.00; fee 4.00. Round 4 releases 500: pop-up 3 again, at 4.00;
  pop-up 4, at 3.00, gets nothing. So the lowest later fee is 4.00.
- the shop fills base and extra space every day and sells 30,000 costumes at 30.00: a third of it,
  300,000.00, is the extra space's. Nobody sends a costume back.
"""

from __future__ import annotations

import numpy as np

from fbacap_logic.calendar import Quarter, QuarterCalendar
from orchestration.simulation.bids import Bids
from orchestration.simulation.horizon import Horizon, calendar_of, day64, quarter_of
from orchestration.simulation.population import (
    SEASONAL,
    STORAGE_TYPES,
    Int64Array,
    Population,
    Products,
    SellerMarkets,
    Sellers,
)

HALLOWEEN_SHOP = "halloween-shop"
UNITED_STATES = 1
SHOPS_MARKET = UNITED_STATES * len(STORAGE_TYPES) + SEASONAL

BASE_POOL_MILLI_FT3 = 10_060_000
RELEASED_MILLI_FT3 = (6_000_000, 1_000_000, 1_000_000, 500_000)

_ATTICS, _POP_UPS = 4, 4
SHOPS = _ATTICS + 1 + _POP_UPS
_SHOP = _ATTICS  # its place among them
_FIRST_POP_UP = _ATTICS + 1
_JOINED_LONG_AGO = 400  # days before the history begins
_PRICE_CENTS = 30_00
_UNIT_VOLUME_MICRO_FT3 = 800_000
_LINES_A_QUARTER, _LINES_IN_HALLOWEEN_QUARTER = 2_500, 3_000
UNITS_PER_SHOP_LINE = 10
_POP_UP_UNITS_A_DAY = 22.0
_POP_UP_COVER_DAYS = 400.0  # more than any space they can win: they fill it

# shop, round before whose close it is submitted, fee in minor units, volume
BIDS = (
    (_SHOP, 1, 600, 5_000_000),
    (_FIRST_POP_UP, 1, 650, 1_000_000),
    (_FIRST_POP_UP + 1, 2, 500, 1_500_000),
    (_FIRST_POP_UP + 2, 3, 400, 1_200_000),
    (_FIRST_POP_UP + 3, 4, 300, 100_000),
)


def make_shops(horizon: Horizon) -> Population:
    """The nine costume shops of the United States, in the order of their names."""
    announced = day64(calendar_of(horizon.halloween_quarter).announced_at.date())
    long_ago = day64(horizon.first_day) - np.timedelta64(_JOINED_LONG_AGO, "D")
    pop_ups_joined = announced + np.array([2, 3, 4, 1], dtype="timedelta64[D]")
    names = [
        *(f"costume-attic-{number}" for number in range(1, _ATTICS + 1)),
        HALLOWEEN_SHOP,
        *(f"pop-up-costumes-{number}" for number in range(1, _POP_UPS + 1)),
    ]
    is_shop = np.arange(SHOPS) == _SHOP
    is_pop_up = np.arange(SHOPS) >= _FIRST_POP_UP
    units_a_day = _LINES_A_QUARTER * UNITS_PER_SHOP_LINE / 91
    sellers = Sellers(
        marketplace=np.full(SHOPS, UNITED_STATES),
        name=np.array(names, dtype=object),
        is_individual=np.arange(SHOPS) < _ATTICS,
        joined_on=np.r_[np.repeat(long_ago, _ATTICS + 1), pop_ups_joined],
    )
    seller_markets = SellerMarkets(
        seller=np.arange(SHOPS),
        storage_type=np.full(SHOPS, SEASONAL),
        units_per_day=np.where(
            is_shop, units_a_day, np.where(is_pop_up, _POP_UP_UNITS_A_DAY, 0.07)
        ),
        growth_per_year=np.zeros(SHOPS),
        cover_days=np.where(is_shop | is_pop_up, _POP_UP_COVER_DAYS, 60.0),
        margin=np.zeros(SHOPS),
        belief_log_sd=np.zeros(SHOPS),
        review_phase=np.where(is_shop | is_pop_up, -1, 3),
        demand_is_arranged=np.ones(SHOPS, dtype=bool),
        unallocated_ft3=np.where(is_shop, 10_000.0, np.where(is_pop_up, 0.0, 15.0)),
    )
    products = Products(
        seller_market=np.arange(SHOPS),
        name=np.full(SHOPS, "COSTUME-1", dtype=object),
        volume_micro_ft3=np.full(SHOPS, _UNIT_VOLUME_MICRO_FT3),
        price_minor=np.full(SHOPS, _PRICE_CENTS),
        share=np.ones(SHOPS),
        units_per_line=np.where(is_shop, UNITS_PER_SHOP_LINE, np.where(is_pop_up, 5.0, 1.3)),
        lead_days=np.where(is_pop_up, 7, 5),
        forecast_bias=np.ones(SHOPS),
    )
    return Population(sellers, seller_markets, products)


def shop_lines(day: np.datetime64, halloween_quarter: Quarter) -> int:
    """Order lines of the Halloween shop on a day: a quarter's number of them, evenly spread.

    >>> days = np.arange("2025-10-01", "2026-01-01", dtype="datetime64[D]")
    >>> sum(shop_lines(day, Quarter(2025, 4)) for day in days)
    3000
    """
    quarter = quarter_of(day)
    is_example = quarter == halloween_quarter
    lines = _LINES_IN_HALLOWEEN_QUARTER if is_example else _LINES_A_QUARTER
    place = int((day - day64(quarter.first_day)).astype(int))
    return lines * (place + 1) // quarter.days - lines * place // quarter.days


def shop_bids(population: Population, calendar: QuarterCalendar) -> Bids:
    """The bids of the example's quarter."""
    first_shop = len(population.seller_markets.seller) - SHOPS
    shop, round_number, fee, volume = np.array(BIDS, dtype=np.int64).T
    closes = [window.closes_at.replace(tzinfo=None) for window in calendar.rounds]
    submitted = np.array(closes, "datetime64[s]")[round_number - 1] - np.timedelta64(3, "D")
    return Bids(
        request=np.arange(len(BIDS)),
        seller_market=first_shop + shop,
        step=np.ones(len(BIDS), dtype=np.int64),
        revision=np.ones(len(BIDS), dtype=np.int64),
        fee_minor=fee,
        volume_milli_ft3=volume,
        minimum_milli_ft3=np.zeros(len(BIDS), dtype=np.int64),
        submitted_at=submitted,
        received_at=submitted + np.timedelta64(2, "s"),
        withdrawn=np.zeros(len(BIDS), dtype=bool),
    )


def arrange_pool(pool_milli_ft3: Int64Array) -> Int64Array:
    """The markets' base pools with that of the costume shops as the example needs it."""
    arranged = pool_milli_ft3.copy()
    arranged[SHOPS_MARKET] = BASE_POOL_MILLI_FT3
    return arranged


def arrange_release(released: Int64Array) -> Int64Array:
    """What rounds offer, shape (markets, rounds), with the example's own in its market."""
    arranged = released.copy()
    arranged[SHOPS_MARKET] = RELEASED_MILLI_FT3
    return arranged
