"""What buyers want, day by day, whether or not it is in stock.

Here belong seasons, growth, shocks and the drawing of order lines. What is sold of them is
``stock``'s business, since nobody sells what is not there.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from orchestration.simulation.costume_shops import HALLOWEEN_SHOP, UNITS_PER_SHOP_LINE, shop_lines
from orchestration.simulation.horizon import Horizon, day64
from orchestration.simulation.population import (
    APPAREL,
    OVERSIZE,
    STANDARD,
    STORAGE_TYPES,
    Float64Array,
    Int64Array,
    Population,
)

_SHOCK_LOG_SD = 0.45
_BELIEF_LOG_SD = 0.18
_RAMP_DAYS = 60.0  # in which a newcomer's sales come up
_WEEKEND, _WORKDAY = 1.2, 0.92
_MOST_UNITS_A_LINE = 50

# storage type: (middle of the peak as day of the year, its width in days, its height)
_PEAKS = {
    APPAREL: ((115, 25, 0.25), (330, 28, 0.55)),
    OVERSIZE: ((165, 35, 0.25), (335, 25, 0.40)),
    STANDARD: ((335, 26, 0.75),),
}
_DAYS_A_YEAR = 365.25


@dataclass(frozen=True)
class Lines:
    """Order lines wanted on one day, by product: ``product`` never falls."""

    product: Int64Array
    units: Int64Array


class Demand:
    """Intensities by seller market and day; ``shock`` and ``expected_shock`` by quarter."""

    def __init__(
        self, population: Population, horizon: Horizon, random: np.random.Generator
    ) -> None:
        self._population = population
        self._horizon = horizon
        self._joined = population.joined_on
        quarters, rows = len(horizon.all_quarters), len(self._joined)
        shock = np.exp(random.normal(0.0, _SHOCK_LOG_SD, (quarters, rows)))
        expected = shock * np.exp(random.normal(0.0, _BELIEF_LOG_SD, (quarters, rows)))
        arranged = population.seller_markets.demand_is_arranged
        self.shock = np.where(arranged, 1.0, shock)
        self.expected_shock = np.where(arranged, 1.0, expected)
        of_shop = population.sellers.name[population.seller_markets.seller] == HALLOWEEN_SHOP
        self._shop_product = int(np.flatnonzero(of_shop[population.products.seller_market])[0])

    def units_per_day(self, day: np.datetime64, *, expected: bool = False) -> Float64Array:
        """Units that buyers want of each seller market on a day, on average.

        ``expected``: as its seller foresees it, whether or not it has joined yet.
        """
        traits = self._population.seller_markets
        years = float((day - day64(self._horizon.first_day)).astype(int)) / _DAYS_A_YEAR
        age = (day - self._joined).astype(int)
        if expected:
            ramp = 1.0 - np.exp(-(np.maximum(age, 0) + 30) / _RAMP_DAYS)
            shock = self.expected_shock
        else:
            ramp = np.where(age >= 0, 1.0 - np.exp(-(age + 3) / _RAMP_DAYS), 0.0)
            shock = self.shock
        ramp = np.where(traits.demand_is_arranged, age >= 0, ramp)
        return (
            traits.units_per_day
            * np.exp(traits.growth_per_year * years)
            * seasons(day)[traits.storage_type]
            * shock[min(self._horizon.quarter_position(day), len(shock) - 1)]
            * ramp
        )

    def lines(self, day: np.datetime64, random: np.random.Generator) -> Lines:
        """Draw one day's order lines."""
        products = self._population.products
        weekday = int((day.astype("datetime64[D]").astype(int) + 3) % 7)  # 0 is Monday
        rate = self.units_per_day(day) * (_WEEKEND if weekday >= 5 else _WORKDAY)
        units = rate[products.seller_market] * products.share
        count = random.poisson(units / products.units_per_line)
        count[self._shop_product] = shop_lines(day, self._horizon.halloween_quarter)
        product = np.repeat(np.arange(len(count)), count)
        drawn = random.geometric(1.0 / products.units_per_line[product])
        drawn = np.where(product == self._shop_product, UNITS_PER_SHOP_LINE, drawn)
        return Lines(product, np.minimum(drawn, _MOST_UNITS_A_LINE).astype(np.int64))


def seasons(day: np.datetime64) -> Float64Array:
    """How demand for each storage type stands on a day against its quiet days.

    >>> busy, quiet = seasons(np.datetime64("2025-12-01")), seasons(np.datetime64("2025-08-01"))
    >>> bool(busy[STANDARD] > 1.6 * quiet[STANDARD])
    True
    """
    year = day.astype("datetime64[Y]")
    place = float((day.astype("datetime64[D]") - year.astype("datetime64[D]")).astype(int))
    level = np.ones(len(STORAGE_TYPES))
    for kind, peaks in _PEAKS.items():
        for middle, width, height in peaks:
            apart = abs(place - middle)
            apart = min(apart, _DAYS_A_YEAR - apart)
            level[kind] += height * np.exp(-0.5 * (apart / width) ** 2)
    return level
