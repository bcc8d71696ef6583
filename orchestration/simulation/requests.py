"""Who asks for extra space, how much, at what fee and when (rules §3).

Here belong the bids of sellers who foresee more than their base would hold, with stepped curves,
minimums, revisions and withdrawals. Bids that break a rule are in ``mistakes``; the worth of space
is in ``bidding``; who wins is expected in ``grants``.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from fbacap_logic.calendar import QuarterCalendar
from orchestration.simulation.base_estimates import Claims
from orchestration.simulation.bidding import break_even_fee, whole_minor
from orchestration.simulation.bids import Bids, taken, with_revisions
from orchestration.simulation.demand import Demand
from orchestration.simulation.horizon import DayArray, day64
from orchestration.simulation.population import (
    Float64Array,
    Population,
)
from orchestration.simulation.stock import planning_day, target_units

_SECOND = np.timedelta64(1, "s")
_MILLI = 1_000

_DAYS_INTO_QUARTER = 20  # for which sellers plan their fullest stock
_LEAST_ASK_FT3, _LEAST_ASK_OF_BASE = 1.2, 0.08
_CAP_OF_BASE, _CAP_FLOOR_FT3, _BELOW_CAP = 0.5, 2_000.0, 0.95
_TAKES_PART = 0.85
_NEW_SALES_SHARE = 0.7  # of what space sells on average, for the space added last
_STEPS = ((1.0,), (1.25, 0.75), (1.25, 1.0, 0.75))  # of the break-even fee, part by part
_STEPS_CHANCE = (0.82, 0.10, 0.08)
_ROUND_CHANCE = (0.55, 0.20, 0.15, 0.10)
_WITH_MINIMUM, _REVISED, _WITHDRAWN, _CLOCK_AHEAD = 0.15, 0.14, 0.30, 0.04
_LATEST_REVISION_DAYS = 40


@dataclass(frozen=True)
class Wishes:
    """What sellers would like, by seller market; 0 where they do not ask."""

    ask_ft3: Float64Array
    break_even_minor: Float64Array


def make_wishes(
    population: Population,
    demand: Demand,
    claims: Claims,
    base_ft3: Float64Array,
    calendar: QuarterCalendar,
    random: np.random.Generator,
) -> Wishes:
    """Which sellers ask for how much, and the fee that the space is worth to them."""
    traits, products = population.seller_markets, population.products
    day = day64(calendar.quarter.first_day) + np.timedelta64(_DAYS_INTO_QUARTER, "D")
    expected = demand.units_per_day(planning_day(day), expected=True)
    target = target_units(population, expected, day)
    wanted_ft3 = population.per_seller_market(target * population.volume_ft3)
    missing = wanted_ft3 - base_ft3
    asks = (
        claims.takes_part
        & ~population.is_individual
        & ~traits.demand_is_arranged
        & (missing > np.maximum(_LEAST_ASK_FT3, _LEAST_ASK_OF_BASE * base_ft3))
        & (random.random(len(missing)) < _TAKES_PART)
    )
    cap = np.maximum(_CAP_OF_BASE * base_ft3, _CAP_FLOOR_FT3) * _BELOW_CAP
    ask = np.where(asks, np.minimum(missing, cap), 0.0)
    average_price = population.per_seller_market(products.share * products.price_minor)
    sales = expected * average_price * calendar.quarter.days
    per_ft3 = np.divide(sales, wanted_ft3, out=np.zeros(len(ask)), where=wanted_ft3 > 0)
    fee = break_even_fee(_NEW_SALES_SHARE * per_ft3, traits.belief_log_sd, traits.margin)
    return Wishes(ask, np.where(asks, fee, 0.0))


def make_bids(wishes: Wishes, calendar: QuarterCalendar, random: np.random.Generator) -> Bids:
    """The requests that the wishes become, and what becomes of them before the rounds close."""
    asking = np.flatnonzero(wishes.ask_ft3 > 0)
    curve = random.choice(len(_STEPS), len(asking), p=_STEPS_CHANCE)
    steps = np.array([len(parts) for parts in _STEPS])[curve]
    owner = np.repeat(np.arange(len(asking)), steps)
    step = np.arange(len(owner)) - np.repeat(np.cumsum(steps) - steps, steps)
    table = np.array([[*parts, *[0.0] * (3 - len(parts))] for parts in _STEPS])
    fee = wishes.break_even_minor[asking][owner] * table[curve[owner], step]
    # A tenth of a cubic foot is as fine as anyone asks, except for parts of a curve.
    whole = np.maximum(np.rint(wishes.ask_ft3[asking] * 10) * 100, _MILLI).astype(np.int64)
    volume = np.maximum(whole[owner] // steps[owner], _MILLI)
    has_minimum = random.random(len(owner)) < _WITH_MINIMUM
    submitted = _submission_times(len(owner), calendar, random)
    is_ahead = random.random(len(owner)) < _CLOCK_AHEAD
    first = Bids(
        request=np.arange(len(owner)),
        seller_market=asking[owner],
        step=step + 1,
        revision=np.ones(len(owner), dtype=np.int64),
        fee_minor=np.maximum(whole_minor(fee), 1),
        volume_milli_ft3=volume,
        minimum_milli_ft3=np.where(has_minimum, volume // 2, 0),
        submitted_at=submitted,
        received_at=submitted + np.where(is_ahead, -60, 2) * _SECOND,
        withdrawn=np.zeros(len(owner), dtype=bool),
    )
    return with_revisions(first, _revisions(first, calendar, random))


def _submission_times(
    count: int, calendar: QuarterCalendar, random: np.random.Generator
) -> DayArray:
    opens = [calendar.announced_at, *(window.closes_at for window in calendar.rounds)]
    instants = np.array([instant.replace(tzinfo=None) for instant in opens], "datetime64[s]")
    chance = np.array(_ROUND_CHANCE)[: len(calendar.rounds)]
    at = random.choice(len(chance), count, p=chance / chance.sum())
    length = (instants[at + 1] - instants[at]).astype(np.int64)
    return instants[at] + np.floor(60 + random.random(count) * (length - 3600)) * _SECOND


def _revisions(first: Bids, calendar: QuarterCalendar, random: np.random.Generator) -> Bids:
    count = len(first.request)
    later = np.floor(random.uniform(0.02, _LATEST_REVISION_DAYS, count) * 86_400) * _SECOND
    dearer = random.uniform(0.85, 1.2, count)
    larger = random.uniform(0.8, 1.4, count)
    is_revised = random.random(count) < _REVISED
    is_withdrawn = random.random(count) < _WITHDRAWN
    submitted = first.submitted_at + later
    last_close = np.datetime64(calendar.rounds[-1].closes_at.replace(tzinfo=None), "s")
    rows = np.flatnonzero(is_revised & (submitted < last_close - 3600 * _SECOND))
    revised = taken(first, rows)
    volume = np.maximum((revised.volume_milli_ft3 * larger[rows]).astype(np.int64), _MILLI)
    return replace(
        revised,
        revision=np.full(len(rows), 2),
        fee_minor=np.maximum(whole_minor(revised.fee_minor * dearer[rows]), 1),
        volume_milli_ft3=volume,
        minimum_milli_ft3=np.minimum(revised.minimum_milli_ft3, volume),
        submitted_at=submitted[rows],
        received_at=submitted[rows] + 2 * _SECOND,
        withdrawn=is_withdrawn[rows],
    )
