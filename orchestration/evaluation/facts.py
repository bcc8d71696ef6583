"""What the market learns of a lived marketplace: seller days, grants and announced forecasts.

Here belongs turning simulated columns into the tables that ``fbacap_logic`` takes, with the
columns of docs/architecture.md. Living the days is ``world``.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd

from fbacap_logic.calendar import Quarter, QuarterCalendar
from fbacap_logic.forecast import forecast_quarter
from fbacap_logic.frames import SELLER_MARKET_KEY
from fbacap_logic.policy import Policy
from fbacap_logic.units import Int64Array, ratio_half_even
from orchestration.evaluation.conduct import Conduct
from orchestration.simulation.demand import Lines
from orchestration.simulation.horizon import Horizon, day64
from orchestration.simulation.population import (
    CURRENCIES,
    MARKETPLACES,
    STORAGE_TYPES,
    BoolArray,
    Population,
)
from orchestration.simulation.quarter_plan import QuarterPlan

_MILLI, _WEEK = 1_000, 7
_NEVER = -1


@dataclass(frozen=True)
class LivedQuarter:
    """One market quarter: its facts, and what nobody in it knows.

    ``days``: facts.seller_market_days; ``grants``: repriced_fees as far as evidence reads it;
    ``forecasts``: sales_forecast_minor; ``truth``: per winner, net_sales_without_extra_minor (in
    the world without extra space), later_sales_minor (sold more in the quarter after, because of
    it) and whether it games.
    """

    calendar: QuarterCalendar
    days: pd.DataFrame
    grants: pd.DataFrame
    forecasts: pd.DataFrame
    truth: pd.DataFrame


class History:
    """Sales of every seller market and day so far, as announcements read them."""

    def __init__(self, population: Population, horizon: Horizon) -> None:
        self._population, self._horizon = population, horizon
        shape = (len(horizon.days), len(population.seller_markets.seller))
        self._units = np.zeros(shape, dtype=np.int64)
        self._volume_micro_ft3 = np.zeros(shape, dtype=np.int64)
        self._sales_minor = np.zeros(shape, dtype=np.int64)

    def add(self, number: int, lines: Lines, sold: Int64Array) -> None:
        """Add what was sold on a day."""
        products = self._population.products
        owner, rows = products.seller_market[lines.product], self._units.shape[1]
        for kept, amounts in (
            (self._units, sold),
            (self._volume_micro_ft3, sold * products.volume_micro_ft3[lines.product]),
            (self._sales_minor, sold * products.price_minor[lines.product]),
        ):
            # Sums of whole numbers below 2^53 are exact in floats.
            kept[number] = np.bincount(owner, weights=amounts, minlength=rows)

    def forecasts(self, announced: np.datetime64, quarter: Quarter) -> pd.DataFrame:
        """The sales forecast at the announcement, by the market's own logic (rules §2.1)."""
        policy = Policy().base_allocation
        today = int((announced - self._horizon.days[0]).astype(int))
        known = np.flatnonzero(self._population.joined_on < announced)
        announced_on = announced.astype(date)
        return forecast_quarter(
            self._weekly(known, today, announced, policy.history_weeks),
            self._sellers(known, today),
            announced_on,
            quarter,
            policy,
        )[[*SELLER_MARKET_KEY, "sales_forecast_minor"]]

    def _weekly(
        self, known: Int64Array, today: int, announced: np.datetime64, history_weeks: int
    ) -> pd.DataFrame:
        weeks = min(today // _WEEK, history_weeks)
        first = today - _WEEK * weeks
        shape = (weeks, _WEEK, len(known))
        units, volume, sales = (
            kept[first:today, known].reshape(shape).sum(axis=1)
            for kept in (self._units, self._volume_micro_ft3, self._sales_minor)
        )
        week, row = np.nonzero(units)
        index = weeks - 1 - week
        start = announced - (_WEEK * (index + 1)).astype("timedelta64[D]")
        return keys_of(self._population, known[row]).assign(
            week_start=start,
            week_index=index,
            units=units[week, row],
            volume_milli_ft3=ratio_half_even([volume[week, row]], _MILLI),
            net_sales_minor=sales[week, row],
        )

    def _sellers(self, known: Int64Array, today: int) -> pd.DataFrame:
        population = self._population
        has_sold = self._units[:today, known] > 0
        first = np.where(has_sold.any(axis=0), has_sold.argmax(axis=0), _NEVER)
        days = self._horizon.days.astype(object)
        individual = population.is_individual[known]
        return keys_of(population, known).assign(
            account_type=np.where(individual, "individual", "professional").astype(object),
            joined_on=population.joined_on[known].astype("datetime64[D]").astype(object),
            currency=np.array(CURRENCIES, dtype=object)[population.marketplace[known]],
            history_start=pd.Series(
                [days[place] if place != _NEVER else None for place in first.tolist()], dtype=object
            ),
        )


class QuarterLog:
    """The facts of one quarter, day by day, for those who won space in it."""

    def __init__(
        self,
        population: Population,
        conduct: Conduct,
        plan: QuarterPlan,
        forecasts: pd.DataFrame,
    ) -> None:
        self._population, self._conduct = population, conduct
        self._plan, self._forecasts = plan, forecasts
        arranged = population.seller_markets.demand_is_arranged
        won = plan.granted_milli_ft3.sum(axis=0) > 0
        self._winners = np.flatnonzero(won & ~arranged)
        self._is_winner: BoolArray = np.isin(np.arange(len(won)), self._winners)
        base = np.where(self._is_winner, plan.base_ft3, 0.0) * _MILLI
        self._base_milli_ft3 = np.floor(base).astype(np.int64)
        self._days: list[pd.DataFrame] = []

    @property
    def winners(self) -> Int64Array:
        """The seller markets that won space, the costume shops' arranged ones left out."""
        return self._winners

    def add(
        self, day: np.datetime64, net_sales_minor: Int64Array, used_milli_ft3: Int64Array
    ) -> None:
        """Add a day's sales and stock, by seller market."""
        windows = self._plan.calendar.rounds
        in_force = np.array([day >= day64(window.in_force_from) for window in windows])
        extra = self._plan.granted_milli_ft3[in_force].sum(axis=0)
        shown = self._conduct.used_milli_ft3(used_milli_ft3, self._base_milli_ft3 + extra)
        rows = self._winners
        self._days.append(
            pd.DataFrame(
                {
                    "row": rows,
                    "day": np.full(len(rows), day).astype("datetime64[s]"),
                    "net_sales_minor": net_sales_minor[rows],
                    "used_milli_ft3": shown[rows],
                    "base_milli_ft3": self._base_milli_ft3[rows],
                    "extra_milli_ft3": extra[rows],
                }
            )
        )

    def quarter(self, sales_without_extra_minor: Int64Array) -> LivedQuarter:
        """The quarter once all its days are there."""
        days = pd.concat(self._days, ignore_index=True)
        named = keys_of(self._population, days["row"].to_numpy())
        facts = pd.concat([named, days.drop(columns="row")], axis=1)
        truth = keys_of(self._population, self._winners).assign(
            net_sales_without_extra_minor=sales_without_extra_minor[self._winners],
            games=self._conduct.games[self._winners],
        )
        return LivedQuarter(
            calendar=self._plan.calendar,
            days=facts.assign(is_carried=False, is_missing=False),
            grants=self._grants(),
            forecasts=self._forecasts,
            truth=truth,
        )

    def _grants(self) -> pd.DataFrame:
        """What each round granted each winner, cut into as many grants as the conduct says."""
        volume = self._plan.granted_milli_ft3[:, self._winners]
        place, winner = np.nonzero(volume)
        pieces = self._conduct.pieces
        whole = volume[place, winner]
        piece = np.tile(np.arange(pieces), len(whole))
        parts = whole.repeat(pieces) // pieces + (piece < whole.repeat(pieces) % pieces)
        rows, numbers = self._winners[winner].repeat(pieces), place.repeat(pieces) + 1
        names = [f"{row}-{part}" for row, part in zip(rows.tolist(), piece.tolist(), strict=True)]
        return keys_of(self._population, rows).assign(
            request_id=pd.Series(names, dtype=object),
            round=numbers,
            granted_milli_ft3=parts,
            max_fee_minor_per_ft3=1,
            priority_at=pd.Timestamp(self._plan.calendar.announced_at.date()),
        )


def keys_of(population: Population, rows: Int64Array) -> pd.DataFrame:
    """The names of seller markets."""
    kinds = np.array(STORAGE_TYPES, dtype=object)[population.seller_markets.storage_type[rows]]
    return pd.DataFrame(
        {
            "marketplace_id": np.array(MARKETPLACES, dtype=object)[population.marketplace[rows]],
            "storage_type": kinds,
            "seller_id": population.sellers.name[population.seller_markets.seller[rows]],
        }
    )
