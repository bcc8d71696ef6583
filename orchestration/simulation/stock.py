"""Stocks: what stands in the warehouse, what is on its way, and who orders how much when.

Here belong one world's stocks and the order-up-to rule that sellers follow inside the space they
have. The generator keeps several worlds beside each other: the real one, one without extra space
and one without limits. What is wanted of the stocks is ``demand``.
"""

from __future__ import annotations

import numpy as np

from orchestration.simulation.demand import Lines
from orchestration.simulation.population import BoolArray, Float64Array, Int64Array, Population

_STRANDED_A_DAY = 0.0009  # share of products with stock that lose their offer on a day
_STRANDED_PART = 0.3
_RESTORED_A_DAY = 0.04
_PLANS_AHEAD_DAYS = 30
_WHOLE = 1e-6  # a unit that fits but for float noise fits


class Stock:
    """One world's stocks, by product."""

    def __init__(self, population: Population) -> None:
        self._population = population
        self._volume = population.volume_ft3
        self._owner = population.products.seller_market
        self._lead = population.products.lead_days
        self._slots = int(self._lead.max()) + 1
        self._arrivals = np.zeros((self._slots, len(self._owner)), dtype=np.int64)
        self.on_hand = np.zeros(len(self._owner), dtype=np.int64)
        self.inbound = np.zeros(len(self._owner), dtype=np.int64)
        self.stranded = np.zeros(len(self._owner), dtype=np.int64)

    def copy_from(self, other: Stock) -> None:
        """Become what another world is now."""
        for mine, theirs in (
            (self._arrivals, other._arrivals),
            (self.on_hand, other.on_hand),
            (self.inbound, other.inbound),
            (self.stranded, other.stranded),
        ):
            mine[:] = theirs

    def fill_up(self, target_units: Float64Array, space_ft3: Float64Array) -> None:
        """Begin with the target on hand, as far as each seller market's space goes."""
        wanted_space = self._population.per_seller_market(target_units * self._volume)
        fit = _share_of(space_ft3, wanted_space)
        self.on_hand[:] = np.floor(target_units * fit[self._owner] + _WHOLE)

    def receive(self, day_number: int) -> None:
        """Take in what arrives on a day."""
        arriving = self._arrivals[day_number % self._slots]
        self.on_hand += arriving
        self.inbound -= arriving
        arriving[:] = 0

    def sell(self, wanted: Lines) -> Int64Array:
        """Sell what is there, first line first; returns the units sold of each line."""
        running = np.cumsum(wanted.units)
        before = running - wanted.units
        is_first = np.r_[True, wanted.product[1:] != wanted.product[:-1]][: len(running)]
        starts = np.maximum.accumulate(np.where(is_first, before, 0))
        left = (self.on_hand - self.stranded)[wanted.product] - (before - starts)
        sold = np.clip(left, 0, wanted.units)
        np.subtract.at(self.on_hand, wanted.product, sold)
        return sold

    def strand(self, chance: Float64Array) -> None:
        """Some products lose their offer or get it back; ``chance`` is one number a product."""
        sellable = self.on_hand - self.stranded
        lost = np.where(chance < _STRANDED_A_DAY, np.ceil(_STRANDED_PART * sellable), 0)
        is_back = chance > 1.0 - _RESTORED_A_DAY
        self.stranded = np.where(is_back, 0, self.stranded + lost.astype(np.int64))

    def order(self, day_number: int, target_units: Float64Array, space_ft3: Float64Array) -> None:
        """Order up to the target, as far as each seller market's space goes.

        A seller whose target would not fit lowers it for all its products alike; one whose stock
        already fills its space orders nothing. What is ordered uses space from the day it is on
        its way (rules §6: used is on-hand plus inbound).
        """
        owner, volume, per_market = self._owner, self._volume, self._population.per_seller_market
        wanted_space = per_market(target_units * volume)
        fit = _share_of(space_ft3, wanted_space)
        position = self.on_hand + self.inbound
        aim = np.floor(target_units * fit[owner] + _WHOLE)
        missing = np.maximum(aim - position, 0.0)
        room = np.maximum(space_ft3 - per_market(position * volume), 0.0)
        cut = _share_of(room, per_market(missing * volume))
        ordered = np.floor(missing * cut[owner] + _WHOLE).astype(np.int64)
        rows = np.flatnonzero(ordered)
        self._arrivals[(day_number + self._lead[rows]) % self._slots, rows] += ordered[rows]
        self.inbound += ordered

    def used_ft3(self) -> Float64Array:
        """Space in use, by seller market (rules §6)."""
        return self._population.per_seller_market((self.on_hand + self.inbound) * self._volume)


def target_units(
    population: Population, expected_units_per_day: Float64Array, day: np.datetime64
) -> Float64Array:
    """How many units of each product sellers want on hand and on their way on a day.

    Their cover's worth of what they expect to sell, and nothing before they have joined.
    """
    traits, products = population.seller_markets, population.products
    has_joined = population.joined_on <= day
    units = np.where(has_joined, expected_units_per_day * traits.cover_days, 0.0)
    return units[products.seller_market] * products.share * products.forecast_bias


def planning_day(day: np.datetime64) -> np.datetime64:
    """The day whose demand sellers look at when they order: their goods arrive for it."""
    return day + np.timedelta64(_PLANS_AHEAD_DAYS, "D")


def reviewing(population: Population, day_number: int) -> BoolArray:
    """Which products are ordered on a day: each seller on its own day of the week, or daily."""
    phase = population.seller_markets.review_phase
    return ((phase < 0) | (phase == day_number % 7))[population.products.seller_market]


def _share_of(available: Float64Array, wanted: Float64Array) -> Float64Array:
    """How much of what is wanted fits, at most 1."""
    is_short = wanted > available
    return np.where(is_short, available / np.where(is_short, wanted, 1.0), 1.0)
