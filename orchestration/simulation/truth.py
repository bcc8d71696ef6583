"""What really happened in a generated market, which no pipeline ever sees.

Here belong the two worlds that did not happen, one without extra space and one without limits,
lived through beside the real one on the same demand, and the table that compares the three. It is
written beside the delivery, in a folder that the landing zone leaves alone.

The break-even fee is 0 where a seller did not bid by it: it had no need of space, or its bid is
arranged (``costume_shops``). The expected grant is the simulation's own guess (``grants``).
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa

from orchestration.simulation.demand import Demand, Lines
from orchestration.simulation.horizon import Horizon, day64
from orchestration.simulation.population import (
    MARKETPLACES,
    STORAGE_TYPES,
    Float64Array,
    Int64Array,
    Population,
)
from orchestration.simulation.quarter_plan import QuarterPlan
from orchestration.simulation.stock import Stock
from orchestration.simulation.writing import TRUTH_FOLDER, TRUTH_TABLE, TableWriter, texts

TRUTH_SCHEMA = pa.schema(
    [
        ("marketplace_id", pa.string()),
        ("seller_id", pa.string()),
        ("storage_type", pa.string()),
        ("quarter", pa.date32()),
        ("shock", pa.float64()),
        ("expected_shock", pa.float64()),
        ("break_even_fee_minor_per_ft3", pa.float64()),
        ("expected_grant_milli_ft3", pa.int64()),
        ("mean_used_milli_ft3", pa.int64()),
        ("sales_minor", pa.int64()),
        ("sales_minor_per_used_ft3", pa.float64()),
        ("sales_without_extra_space_minor", pa.int64()),
        ("sales_with_unlimited_space_minor", pa.int64()),
    ]
)
_MILLI = 1_000
_WITHOUT_EXTRA, _UNLIMITED = 0, 1


def truth_writer(directory: Path) -> TableWriter:
    """A writer of the truth beside a delivery."""
    return TableWriter(directory / TRUTH_FOLDER / f"{TRUTH_TABLE}.parquet", TRUTH_SCHEMA)


class QuarterTruth:
    """One market quarter in three worlds; the two others begin as the real one is that morning."""

    def __init__(self, population: Population, plan: QuarterPlan, real: Stock) -> None:
        self._population = population
        self._plan = plan
        self._others = [Stock(population), Stock(population)]
        for other in self._others:
            other.copy_from(real)
        rows = len(population.seller_markets.seller)
        self._sales = np.zeros((3, rows), dtype=np.int64)  # without extra, unlimited, real
        self._used_ft3 = np.zeros(rows)
        self._days = 0

    def live(
        self,
        day_number: int,
        lines: Lines,
        chance: Float64Array,
        target: Float64Array,
        real: Stock,
        sold: Int64Array,
    ) -> None:
        """A day of the worlds that did not happen, after it has been lived in the real one."""
        unlimited = np.full(len(self._used_ft3), np.inf)
        spaces = {_WITHOUT_EXTRA: self._plan.base_ft3, _UNLIMITED: unlimited}
        for world, stock in enumerate(self._others):
            stock.receive(day_number)
            self._sales[world] += self._sales_minor(lines, stock.sell(lines))
            stock.strand(chance)
            stock.order(day_number, target, spaces[world])
        self._sales[-1] += self._sales_minor(lines, sold)
        self._used_ft3 += real.used_ft3()
        self._days += 1

    @property
    def sales_without_extra_minor(self) -> Int64Array:
        """What each seller market has sold so far in the world without extra space."""
        return self._sales[_WITHOUT_EXTRA].copy()

    @property
    def stock_without_extra(self) -> Stock:
        """Today's stock in the world without extra space."""
        return self._others[_WITHOUT_EXTRA]

    def _sales_minor(self, lines: Lines, sold: Int64Array) -> Int64Array:
        products = self._population.products
        # Sums of whole numbers below 2^53 are exact in floats.
        amounts = sold * products.price_minor[lines.product]
        by_market = np.bincount(
            products.seller_market[lines.product],
            weights=amounts,
            minlength=len(self._used_ft3),
        )
        return by_market.astype(np.int64)

    def write(self, writer: TableWriter, demand: Demand, horizon: Horizon) -> None:
        """Add the quarter's rows, by marketplace, seller and storage type."""
        population, plan = self._population, self._plan
        first_day = day64(plan.calendar.quarter.first_day)
        last_day = day64(plan.calendar.quarter.last_day)
        rows = np.flatnonzero(population.joined_on <= last_day)
        place = horizon.quarter_position(first_day)
        traits = population.seller_markets
        used = self._used_ft3[rows] / max(self._days, 1)
        sales = self._sales[:, rows]
        writer.append(
            {
                "marketplace_id": texts(MARKETPLACES, population.marketplace[rows]),
                "seller_id": texts(population.sellers.name, traits.seller[rows]),
                "storage_type": texts(STORAGE_TYPES, traits.storage_type[rows]),
                "quarter": np.full(len(rows), first_day),
                "shock": demand.shock[place, rows],
                "expected_shock": demand.expected_shock[place, rows],
                "break_even_fee_minor_per_ft3": plan.wishes.break_even_minor[rows],
                "expected_grant_milli_ft3": plan.granted_milli_ft3.sum(axis=0)[rows],
                "mean_used_milli_ft3": np.rint(used * _MILLI).astype(np.int64),
                "sales_minor": sales[-1],
                "sales_minor_per_used_ft3": np.divide(
                    sales[-1], used, out=np.zeros(len(rows)), where=used > 0
                ),
                "sales_without_extra_space_minor": sales[_WITHOUT_EXTRA],
                "sales_with_unlimited_space_minor": sales[_UNLIMITED],
            }
        )
