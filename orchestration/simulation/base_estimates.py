"""What the operator's planners and the sellers expect base allocations to be (rules §2).

Here belongs the simulation's own rough reckoning of the next announcement: planners build capacity
by it, sellers decide by it how much extra space to ask for and how much stock fits. It is an
estimate and no more: the announced allocations are made by the pipeline, from the facts.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from fbacap_logic.policy import Policy
from orchestration.simulation.demand import Lines
from orchestration.simulation.population import BoolArray, Float64Array, Int64Array, Population
from orchestration.simulation.stock import Stock

_POLICY = Policy().base_allocation
_MILLI = 1_000
_QUARTER_DAYS, _MONTH_DAYS = 91, 28
_MEDIAN_TO_MEAN = 0.95  # of a seller's quarterly demand
_BASIS_POINTS = 10_000


@dataclass(frozen=True)
class Claims:
    """Expected claims to base space on an announcement day, by seller market."""

    takes_part: BoolArray  # whether the announcement will know it
    floor_ft3: Float64Array
    claim_ft3: Float64Array


class Track:
    """Running totals of what sellers shipped and held, kept as they stood on chosen mornings."""

    def __init__(self, population: Population, announcements: Iterable[np.datetime64]) -> None:
        self._population = population
        rows, products = len(population.seller_markets.seller), len(population.products.name)
        self._names = ("volume", "units", "on_hand", "stranded", "in_stock_days")
        self._totals = {name: np.zeros(rows) for name in self._names}
        self._last_sold = np.full(products, np.datetime64("1900-01-01", "D"))
        self._volume_on_hand = np.zeros(rows)
        self._marks: dict[np.datetime64, dict[str, Float64Array]] = {}
        self._days_to_mark = {
            day - np.timedelta64(back, "D")
            for day in announcements
            for back in (0, _MONTH_DAYS, _QUARTER_DAYS)
        }

    def morning(self, day: np.datetime64) -> None:
        """Keep the totals as they stand before a day, if it is one of those chosen."""
        if day in self._days_to_mark:
            self._marks[day] = {name: total.copy() for name, total in self._totals.items()}

    def evening(self, day: np.datetime64, lines: Lines, sold: Int64Array, stock: Stock) -> None:
        """Add a day's sales and its closing stocks."""
        population = self._population
        units = np.bincount(lines.product, weights=sold, minlength=len(stock.on_hand))
        self._last_sold[units > 0] = day
        sells = self._last_sold > day - np.timedelta64(_QUARTER_DAYS, "D")
        self._volume_on_hand = population.per_seller_market(stock.on_hand * population.volume_ft3)
        for name, numbers in zip(
            self._names,
            (
                units * population.volume_ft3,
                units,
                stock.on_hand,
                stock.stranded,
                (stock.on_hand > 0) & sells,
            ),
            strict=True,
        ):
            self._totals[name] += population.per_seller_market(numbers)

    def claims(self, announced: np.datetime64) -> Claims:
        """What each seller market will claim on an announcement day (rules §§2.1–2.5)."""
        population = self._population
        per_day = self._volume_per_day(announced) * _MEDIAN_TO_MEAN
        multiplier = self._multiplier(announced, 90 * per_day)
        takes_part = population.joined_on < announced
        floor = np.where(takes_part, floors_ft3(population, announced), 0.0)
        earned = 7 * _POLICY.cover_weeks * per_day * multiplier
        claim = np.where(population.is_individual, floor, np.maximum(earned, floor))
        return Claims(takes_part, floor, np.where(takes_part, claim, 0.0))

    def _since(self, name: str, day: np.datetime64, days: int) -> Float64Array:
        return self._marks[day][name] - self._marks[day - np.timedelta64(days, "D")][name]

    def _volume_per_day(self, announced: np.datetime64) -> Float64Array:
        age = np.maximum((announced - self._population.joined_on).astype(int), 1)
        means = [
            self._since("volume", announced, days) / np.minimum(days, age)
            for days in (_QUARTER_DAYS, _MONTH_DAYS)
        ]
        return np.asarray((means[0] + means[1]) / 2)

    def _multiplier(self, announced: np.datetime64, demand_90d: Float64Array) -> Float64Array:
        days = _QUARTER_DAYS
        on_hand = self._since("on_hand", announced, days)
        shipped = self._since("units", announced, days)
        sells = self._last_sold > announced - np.timedelta64(days, "D")
        sku_days = days * self._population.per_seller_market(sells)
        in_stock = self._since("in_stock_days", announced, days)
        values = {
            "excess_share": 1.0 - _ratio(demand_90d, self._volume_on_hand, 1.0),
            "sell_through": _ratio(shipped * days, on_hand, 0.0),
            "stranded_share": _ratio(self._since("stranded", announced, days), on_hand, 0.0),
            "in_stock_rate": _ratio(in_stock, sku_days, 0.5),
        }
        score = np.zeros(len(on_hand))
        for component in _POLICY.components:
            at, points = np.array(component.breakpoints, dtype=np.float64).T
            share = component.weight_bp / _BASIS_POINTS
            score += share * np.interp(_BASIS_POINTS * values[component.name], at, points)
        at, multiplier = np.array(_POLICY.multiplier_points, dtype=np.float64).T
        no_evidence = (on_hand == 0) & (shipped == 0)
        score = np.where(no_evidence, _POLICY.score_without_evidence, score)
        return np.asarray(np.interp(score, at, multiplier) / _BASIS_POINTS)


def floors_ft3(population: Population, announced: np.datetime64) -> Float64Array:
    """The least that each seller market gets once it is known, exactly (rules §2.5)."""
    new_after = announced - np.timedelta64(7 * _POLICY.new_professional_weeks, "D")
    is_new = population.joined_on > new_after
    floor = np.where(is_new, _POLICY.new_professional_floor_milli_ft3, 0)
    return np.where(population.is_individual, _POLICY.individual_milli_ft3, floor) / _MILLI


def fitted_ft3(claims: Claims, market: Int64Array, pool_ft3: Float64Array) -> Float64Array:
    """Expected base allocations: what lies above the floors shares a short pool (rules §2.6)."""
    markets = len(pool_ft3)
    above = claims.claim_ft3 - claims.floor_ft3
    floors = np.bincount(market, weights=claims.floor_ft3, minlength=markets)
    wanted = np.bincount(market, weights=above, minlength=markets)
    left = np.maximum(pool_ft3 - floors, 0.0)
    factor = np.minimum(np.divide(left, wanted, out=np.ones(markets), where=wanted > 0), 1.0)
    return np.asarray(claims.floor_ft3 + factor[market] * above)


def _ratio(over: Float64Array, under: Float64Array, otherwise: float) -> Float64Array:
    return np.divide(over, under, out=np.full(len(under), otherwise), where=under > 0)
