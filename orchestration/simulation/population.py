"""Who sells what in a generated marketplace.

Here belong sellers, their seller markets (a seller and a storage type) and their products, with the
traits that never change: size, growth, cover, margin, prices, volumes. What happens to them day by
day is in ``demand`` and ``stock``; the costume shops of rules §9 are added by ``costume_shops``.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from orchestration.simulation.horizon import DayArray, Horizon, day64

MARKETPLACES = ("JP", "US")
CURRENCIES = ("JPY", "USD")
CENTS_PER_MINOR = np.array([100, 1])  # hundredths of the currency in one minor unit of it
STORAGE_TYPES = ("apparel", "oversize", "seasonal", "standard")
APPAREL, OVERSIZE, SEASONAL, STANDARD = range(4)

JOINED_BEFORE_HISTORY_DAYS = 1_500
MICRO_PER_FT3 = 1_000_000

_JP_SHARE = 0.30
_SELLS_IN_BOTH = 0.4  # of the Japanese sellers, who have an American account too
_INDIVIDUALS = 0.30
_JOINED_BEFORE = 0.62
_TYPE_SHARES = {APPAREL: 0.22, OVERSIZE: 0.20, STANDARD: 0.58}
_SECOND_TYPE = 0.16
_MOST_SKUS = 4  # a storage type, so that SKU-1 … SKU-8 sort as they count
_MOST_UNITS_A_DAY = 60.0
_VOLUMES = {
    APPAREL: (0.115, 0.5),
    OVERSIZE: (2.8, 0.4),
    SEASONAL: (0.8, 0.0),
    STANDARD: (0.37, 0.5),
}
_PRICES_PER_FT3 = {APPAREL: 68.0, OVERSIZE: 16.5, SEASONAL: 37.5, STANDARD: 30.0}  # USD
_YEN_PER_DOLLAR = 145.0

Float64Array = npt.NDArray[np.float64]
Int64Array = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]
TextArray = npt.NDArray[np.object_]


@dataclass(frozen=True)
class Sellers:
    """One row a seller of a marketplace."""

    marketplace: Int64Array
    name: TextArray
    is_individual: BoolArray
    joined_on: DayArray


@dataclass(frozen=True)
class SellerMarkets:
    """One row a seller and storage type. ``seller`` is a row of ``Sellers``."""

    seller: Int64Array
    storage_type: Int64Array
    units_per_day: Float64Array
    growth_per_year: Float64Array
    cover_days: Float64Array
    margin: Float64Array
    belief_log_sd: Float64Array
    review_phase: Int64Array  # day of the week on which it orders; −1: every day
    demand_is_arranged: BoolArray
    unallocated_ft3: Float64Array  # what it may use where no base was announced for it


@dataclass(frozen=True)
class Products:
    """One row a product. ``seller_market`` is a row of ``SellerMarkets``."""

    seller_market: Int64Array
    name: TextArray
    volume_micro_ft3: Int64Array
    price_minor: Int64Array
    share: Float64Array  # of its seller market's demand; sums to 1
    units_per_line: Float64Array
    lead_days: Int64Array
    forecast_bias: Float64Array  # how far its seller over- or underrates it


@dataclass(frozen=True)
class Population:
    """Sellers, seller markets and products, each in the order of its key."""

    sellers: Sellers
    seller_markets: SellerMarkets
    products: Products

    @property
    def marketplace(self) -> Int64Array:
        """Marketplace of every seller market."""
        return self.sellers.marketplace[self.seller_markets.seller]

    @property
    def joined_on(self) -> DayArray:
        """Joining day of every seller market."""
        return self.sellers.joined_on[self.seller_markets.seller]

    @property
    def is_individual(self) -> BoolArray:
        """Whether each seller market belongs to an individual."""
        return self.sellers.is_individual[self.seller_markets.seller]

    @property
    def market(self) -> Int64Array:
        """Market of every seller market, as ``market_number`` counts them."""
        return market_number(self.marketplace, self.seller_markets.storage_type)

    @property
    def volume_ft3(self) -> Float64Array:
        """Unit volume of every product, for sellers' reckoning."""
        return self.products.volume_micro_ft3 / MICRO_PER_FT3

    def per_seller_market(self, of_products: npt.NDArray[np.generic]) -> Float64Array:
        """Sums of a number of every product, by seller market."""
        rows = len(self.seller_markets.seller)
        sums = np.bincount(self.products.seller_market, weights=of_products, minlength=rows)
        return sums.astype(np.float64)


_Rows = TypeVar("_Rows", Sellers, SellerMarkets, Products)

MARKETS = len(MARKETPLACES) * len(STORAGE_TYPES)


def market_number(marketplace: Int64Array, storage_type: Int64Array) -> Int64Array:
    """Number of a market: marketplaces first, then storage types, both in bytes order."""
    return marketplace * len(STORAGE_TYPES) + storage_type


def make_population(
    sellers: int, horizon: Horizon, random: np.random.Generator, shops: Population
) -> Population:
    """So many sellers, the arranged shops included, of skewed sizes, joining all the time."""
    regular = _sellers(sellers - len(shops.sellers.name), horizon, random)
    seller_markets = _seller_markets(regular, random)
    products = _products(regular, seller_markets, random)
    return joined(Population(regular, seller_markets, products), shops)


def joined(first: Population, second: Population) -> Population:
    """Two populations as one; the second's keys all come after the first's."""
    sellers, markets = len(first.sellers.name), len(first.seller_markets.seller)
    moved_markets = _moved(second.seller_markets, "seller", sellers)
    moved_products = _moved(second.products, "seller_market", markets)
    return Population(
        _stacked(first.sellers, second.sellers),
        _stacked(first.seller_markets, moved_markets),
        _stacked(first.products, moved_products),
    )


def _sellers(count: int, horizon: Horizon, random: np.random.Generator) -> Sellers:
    in_jp = round(_JP_SHARE * count)
    first_us = round((1 - _SELLS_IN_BOTH) * in_jp)
    numbers = np.r_[np.arange(in_jp), first_us + np.arange(count - in_jp)]
    start, end = day64(horizon.first_day), horizon.last_market_day
    age_at_start = random.integers(1, JOINED_BEFORE_HISTORY_DAYS - 60, count)
    days_after_start = random.integers(0, int((end - start).astype(int)) - 10, count)
    was_there = random.random(count) < _JOINED_BEFORE
    offset = np.where(was_there, -age_at_start, days_after_start)
    return Sellers(
        marketplace=np.repeat([0, 1], [in_jp, count - in_jp]),
        name=np.char.mod("S%06d", numbers).astype(object),
        is_individual=random.random(count) < _INDIVIDUALS,
        joined_on=start + offset.astype("timedelta64[D]"),
    )


def _seller_markets(sellers: Sellers, random: np.random.Generator) -> SellerMarkets:
    count = len(sellers.name)
    kinds, shares = np.array(list(_TYPE_SHARES)), np.array(list(_TYPE_SHARES.values()))
    first = random.choice(len(kinds), count, p=shares)
    second = (first + random.integers(1, len(kinds), count)) % len(kinds)
    has_second = random.random(count) < _SECOND_TYPE
    seller = np.r_[np.arange(count), np.flatnonzero(has_second)]
    storage_type = kinds[np.r_[first, second[has_second]]]
    order = np.lexsort((storage_type, seller))
    seller, storage_type = seller[order], storage_type[order]
    rows = len(seller)
    size = np.exp(random.normal(np.log(0.34), 1.35, rows))
    size *= np.where(sellers.is_individual[seller], 0.45, 1.0)
    size *= np.where(storage_type == OVERSIZE, 0.5, 1.0)
    return SellerMarkets(
        seller=seller,
        storage_type=storage_type,
        units_per_day=np.minimum(size, _MOST_UNITS_A_DAY),
        growth_per_year=random.normal(0.06, 0.15, rows),
        cover_days=np.clip(np.exp(random.normal(np.log(100), 0.3, rows)), 50, 220),
        margin=random.uniform(0.08, 0.22, rows),
        belief_log_sd=random.uniform(0.3, 0.7, rows),
        review_phase=random.integers(0, 7, rows),
        demand_is_arranged=np.zeros(rows, dtype=bool),
        unallocated_ft3=np.full(rows, np.inf),
    )


def _products(
    sellers: Sellers, seller_markets: SellerMarkets, random: np.random.Generator
) -> Products:
    count = np.minimum(1 + random.poisson(1.0, len(seller_markets.seller)), _MOST_SKUS)
    owner = np.repeat(np.arange(len(count)), count)
    rows = len(owner)
    seller, kind = seller_markets.seller[owner], seller_markets.storage_type[owner]
    medians = np.array([_VOLUMES[k][0] for k in range(len(STORAGE_TYPES))])[kind]
    spreads = np.array([_VOLUMES[k][1] for k in range(len(STORAGE_TYPES))])[kind]
    volume = medians * np.exp(spreads * np.clip(random.normal(size=rows), -2.5, 2.5))
    per_ft3 = np.array([_PRICES_PER_FT3[k] for k in range(len(STORAGE_TYPES))])[kind]
    dollars = per_ft3 * medians**0.3 * volume**0.7 * np.exp(random.normal(0, 0.4, rows))
    is_yen = sellers.marketplace[seller] == 0
    minor = np.where(is_yen, dollars * _YEN_PER_DOLLAR, dollars * 100)
    weight = random.exponential(size=rows) + 0.05
    total = np.bincount(owner, weights=weight)[owner]
    first_of_seller = np.searchsorted(seller, seller, side="left")
    number = np.arange(rows) - first_of_seller + 1
    return Products(
        seller_market=owner,
        name=np.array([f"SKU-{n}" for n in range(2 * _MOST_SKUS + 1)], dtype=object)[number],
        volume_micro_ft3=np.maximum(np.rint(volume * MICRO_PER_FT3), 1).astype(np.int64),
        price_minor=np.maximum(np.rint(minor), 1).astype(np.int64),
        share=weight / total,
        units_per_line=1 + random.exponential(1.2, rows),
        lead_days=random.integers(10, 46, rows),
        forecast_bias=np.exp(random.normal(0.0, 0.35, rows)),
    )


def _stacked(first: _Rows, second: _Rows) -> _Rows:
    return type(first)(
        *(np.r_[getattr(first, f.name), getattr(second, f.name)] for f in fields(first))
    )


def _moved(rows: _Rows, reference: str, by: int) -> _Rows:
    values = {f.name: getattr(rows, f.name) for f in fields(rows)}
    return type(rows)(**{**values, reference: values[reference] + by})
