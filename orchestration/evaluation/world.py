"""A generated marketplace lived in memory, with the truth about its extra space beside it.

Here belongs the order of things on a day, as in ``simulation.generator``, and what of it becomes
facts. Base and extra space are those that the simulated sellers live with, so that the truth is of
exactly the space that attribution is told of; nobody sends anything back, since a refund takes the
same share off both sides. Measuring is ``measure``.

Stock that extra space let in also sells after the quarter, so the world without extra space is
lived on for one quarter more, in the space that its sellers really have by then.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from fbacap_logic.calendar import Quarter
from fbacap_logic.units import Int64Array, ratio_half_even
from orchestration.evaluation.conduct import BURN_IN_QUARTERS, Conduct
from orchestration.evaluation.facts import History, LivedQuarter, QuarterLog
from orchestration.simulation.base_estimates import Track
from orchestration.simulation.costume_shops import make_shops
from orchestration.simulation.demand import Demand, Lines
from orchestration.simulation.horizon import Horizon, calendar_of, day64
from orchestration.simulation.population import Float64Array, Population, make_population
from orchestration.simulation.quarter_plan import QuarterPlan, plan_quarter
from orchestration.simulation.stock import Stock, planning_day, reviewing, target_units
from orchestration.simulation.streams import Streams, streams_of
from orchestration.simulation.truth import QuarterTruth

_INITIAL_FILL = 0.75
_MILLI = 1_000
WHOLE_SPACE_PERCENT = 100


def live(
    *,
    sellers: int,
    quarters: int,
    seed: int,
    last_quarter: Quarter,
    scenario: str,
    space_percent: int = WHOLE_SPACE_PERCENT,
) -> Iterator[LivedQuarter]:
    """Live a marketplace and give each of its market quarters when the one after it has ended.

    The same arguments give the same quarters; what buyers want is the same in every scenario. One
    market quarter is lived before those that are given, so that stocks fit the space.
    ``space_percent``: how much of planned base and extra space there is.

    Raises:
        ValueError: a negative seed.
    """
    horizon = Horizon(last_quarter.plus(1 - quarters - BURN_IN_QUARTERS), last_quarter.next)
    streams = streams_of(seed)
    population = make_population(sellers, horizon, streams.population, make_shops(horizon))
    conduct = Conduct.of(scenario, population, horizon)
    world = _World(horizon, population, streams, conduct, space_percent)
    given = 0
    for number in range(len(horizon.days)):
        ended = world.live(number)
        if ended is not None:
            given += 1
            if given > BURN_IN_QUARTERS:
                yield ended


@dataclass
class _Market:
    """The quarter that today belongs to."""

    plan: QuarterPlan
    truth: QuarterTruth
    log: QuarterLog


@dataclass
class _Aftermath:
    """The quarter after one: what the one's extra space still sells, stock against stock."""

    ended: LivedQuarter
    winners: Int64Array
    stock: Stock
    later_minor: Int64Array  # sales more than in the world without extra space, by seller market


class _World:
    """Everything that changes from day to day."""

    def __init__(
        self,
        horizon: Horizon,
        population: Population,
        streams: Streams,
        conduct: Conduct,
        space_percent: int,
    ) -> None:
        self._horizon, self._population = horizon, population
        self._streams, self._conduct = streams, conduct
        self._space_percent = space_percent
        self._announcements = {
            day64(calendar_of(quarter).announced_at.date()): quarter
            for quarter in horizon.market_quarters
        }
        self._demand = Demand(population, horizon, streams.shocks)
        self._track = Track(population, self._announcements)
        self._history = History(population, horizon)
        self._announced: dict[Quarter, tuple[QuarterPlan, pd.DataFrame]] = {}
        self._market: _Market | None = None
        self._aftermath: _Aftermath | None = None
        self._stock = Stock(population)
        first_target = _INITIAL_FILL * self._target(horizon.days[0])
        self._stock.fill_up(first_target, population.seller_markets.unallocated_ft3)

    def live(self, number: int) -> LivedQuarter | None:
        """One day; the quarter that ended with it, if one did."""
        day = self._horizon.days[number]
        self._morning(day)
        self._stock.receive(number)
        lines = self._conduct.lines(day, self._demand.lines(day, self._streams.demand))
        sold = self._stock.sell(lines)
        chance = self._streams.stranding.random(len(self._stock.on_hand))
        arranged = self._population.seller_markets.demand_is_arranged
        chance = np.where(arranged[self._population.products.seller_market], 0.5, chance)
        self._stock.strand(chance)
        target = np.where(reviewing(self._population, number), self._target(day), 0.0)
        self._stock.order(number, target, self._space(day))
        self._track.evening(day, lines, sold, self._stock)
        self._history.add(number, lines, sold)
        if self._market is None:
            return None
        if self._aftermath is not None:
            other = self._aftermath.stock
            other.receive(number)
            more = self._sales_minor(lines, sold) - self._sales_minor(lines, other.sell(lines))
            self._aftermath.later_minor += more
            other.strand(chance)
            other.order(number, target, self._space(day))
        self._market.truth.live(number, lines, chance, target, self._stock, sold)
        self._log(self._market, day, lines, sold)
        if day != day64(self._market.plan.calendar.quarter.last_day):
            return None
        return self._end(self._market)

    def _morning(self, day: np.datetime64) -> None:
        self._track.morning(day)
        if day in self._announcements:
            quarter = self._announcements[day]
            plan = plan_quarter(
                quarter,
                self._population,
                self._demand,
                self._track,
                self._streams,
                is_example=quarter == self._horizon.halloween_quarter,
            )
            percent = self._space_percent
            plan = replace(
                plan,
                base_ft3=plan.base_ft3 * (percent / WHOLE_SPACE_PERCENT),
                granted_milli_ft3=plan.granted_milli_ft3 * percent // WHOLE_SPACE_PERCENT,
            )
            self._announced[quarter] = plan, self._history.forecasts(day, quarter)
        starting = [quarter for quarter in self._announced if day64(quarter.first_day) == day]
        for quarter in starting:
            plan, forecasts = self._announced.pop(quarter)
            self._market = _Market(
                plan,
                QuarterTruth(self._population, plan, self._stock),
                QuarterLog(self._population, self._conduct, plan, forecasts),
            )

    def _log(self, market: _Market, day: np.datetime64, lines: Lines, sold: Int64Array) -> None:
        units = self._stock.on_hand + self._stock.inbound
        used_micro = self._whole_sums(units * self._population.products.volume_micro_ft3)
        used = ratio_half_even([used_micro], _MILLI)
        market.log.add(day, self._sales_minor(lines, sold), used)

    def _end(self, market: _Market) -> LivedQuarter | None:
        """Close a quarter; gives the one before it, whose aftermath this was."""
        before = self._aftermath
        ended = market.log.quarter(market.truth.sales_without_extra_minor)
        self._aftermath = _Aftermath(
            ended=ended,
            winners=market.log.winners,
            stock=market.truth.stock_without_extra,
            later_minor=np.zeros(len(self._population.seller_markets.seller), dtype=np.int64),
        )
        if before is None:
            return None
        truth = before.ended.truth.assign(later_sales_minor=before.later_minor[before.winners])
        return replace(before.ended, truth=truth)

    def _sales_minor(self, lines: Lines, sold: Int64Array) -> Int64Array:
        products = self._population.products
        sums = np.bincount(
            products.seller_market[lines.product],
            weights=sold * products.price_minor[lines.product],
            minlength=len(self._population.seller_markets.seller),
        )
        return sums.astype(np.int64)

    def _whole_sums(self, of_products: Int64Array) -> Int64Array:
        """Sums by seller market; whole numbers below 2^53 are exact in floats."""
        return self._population.per_seller_market(of_products).astype(np.int64)

    def _target(self, day: np.datetime64) -> Float64Array:
        expected = self._demand.units_per_day(planning_day(day), expected=True)
        return target_units(self._population, expected, day)

    def _space(self, day: np.datetime64) -> Float64Array:
        if self._market is None:
            return self._population.seller_markets.unallocated_ft3
        return self._market.plan.base_ft3 + self._market.plan.extra_ft3(day)
