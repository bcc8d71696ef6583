"""The operator's records of what happened: order lines, refunds and stock snapshots.

Here belongs how a day's events become rows of the input tables, and when each row is received. The
events themselves are made in ``demand`` and ``stock``.
"""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from orchestration.simulation.demand import Lines
from orchestration.simulation.population import (
    APPAREL,
    CENTS_PER_MINOR,
    MARKETPLACES,
    Float64Array,
    Int64Array,
    Population,
)
from orchestration.simulation.stock import Stock
from orchestration.simulation.writing import input_writer, texts

TABLES = ("order_lines", "refunds", "inventory_snapshots")

_BATCH_ROWS = 200_000
_DIGITS = 10  # of the running number in an order line's name
_LAST_ORDER_S = 23 * 3_600
_RECEIVED_ORDERS = np.timedelta64(23 * 3_600 + 30 * 60, "s")
_RECEIVED_SNAPSHOT = np.timedelta64(24 * 3_600 - 1, "s")
_RECEIVED_REFUND_AFTER = np.timedelta64(60, "s")
_APPAREL_REFUNDED, _REFUNDED = 0.11, 0.045
_REFUNDED_WHOLE = 0.75
_REFUND_DAYS_SCALE, _LATEST_REFUND_DAYS = 10.0, 90


class Records:
    """Writers of the three tables that grow day by day. Use as a context manager."""

    def __init__(self, directory: Path, population: Population) -> None:
        self._population = population
        products, traits = population.products, population.seller_markets
        owner = products.seller_market
        self._price = products.price_minor
        self._cents = CENTS_PER_MINOR[population.marketplace[owner]]
        is_apparel = traits.storage_type[owner] == APPAREL
        arranged = traits.demand_is_arranged[owner]
        chance = np.where(is_apparel, _APPAREL_REFUNDED, _REFUNDED)
        self._refunded: Float64Array = np.where(arranged, 0.0, chance)
        self._key = {
            "marketplace_id": texts(MARKETPLACES, population.marketplace[owner]),
            "seller_id": texts(population.sellers.name, traits.seller[owner]),
            "sku": pa.array(products.name, pa.string()),
        }
        self._writers = {table: input_writer(directory, table) for table in TABLES}
        self._waiting: dict[str, list[dict[str, npt.NDArray[Any]]]] = {t: [] for t in TABLES}
        self._waiting_rows = dict.fromkeys(TABLES, 0)
        self._lines = 0
        self._stack = ExitStack()

    @property
    def rows(self) -> dict[str, int]:
        """Rows written by table, once closed."""
        return {table: writer.rows for table, writer in self._writers.items()}

    def add_sales(
        self,
        day: np.datetime64,
        lines: Lines,
        sold: Int64Array,
        demand_random: np.random.Generator,
        refund_random: np.random.Generator,
    ) -> None:
        """A day's order lines, received the same evening, and what is ever refunded of them."""
        is_sold = sold > 0
        product, units = lines.product[is_sold], sold[is_sold]
        second = demand_random.integers(0, _LAST_ORDER_S, len(lines.product))[is_sold]
        number = self._lines + 1 + np.arange(len(product))
        self._lines += len(product)
        revenue = units * self._price[product]
        ordered_at = day.astype("datetime64[s]") + second.astype("timedelta64[s]")
        self._add(
            "order_lines",
            {
                "number": number,
                "product": product,
                "ordered_at": ordered_at,
                "units": units,
                "revenue": revenue * self._cents[product],
                "received_at": np.full(
                    len(product), day.astype("datetime64[s]") + _RECEIVED_ORDERS
                ),
            },
        )
        self._add_refunds(number, product, revenue, ordered_at, refund_random)

    def add_snapshot(self, day: np.datetime64, stock: Stock) -> None:
        """What stands in the warehouse at the end of a day; products without any are left out."""
        product = np.flatnonzero((stock.on_hand > 0) | (stock.inbound > 0))
        rows = len(product)
        self._add(
            "inventory_snapshots",
            {
                "snapshot_date": np.full(rows, day),
                "product": product,
                "on_hand_units": stock.on_hand[product],
                "inbound_units": stock.inbound[product],
                "stranded_units": stock.stranded[product],
                "received_at": np.full(rows, day.astype("datetime64[s]") + _RECEIVED_SNAPSHOT),
            },
        )

    def _add_refunds(
        self,
        number: Int64Array,
        product: Int64Array,
        revenue_minor: Int64Array,
        ordered_at: npt.NDArray[np.datetime64],
        random: np.random.Generator,
    ) -> None:
        rows = np.flatnonzero(random.random(len(number)) < self._refunded[product])
        whole = random.random(len(rows)) < _REFUNDED_WHOLE
        part = random.uniform(0.1, 0.7, len(rows))
        days = 1.0 + random.gamma(1.8, _REFUND_DAYS_SCALE, len(rows))
        seconds = np.floor(np.minimum(days, _LATEST_REFUND_DAYS) * 86_400).astype("timedelta64[s]")
        revenue = revenue_minor[rows]
        partial = np.maximum((revenue * part).astype(np.int64), 1)
        refunded_at = ordered_at[rows] + seconds
        self._add(
            "refunds",
            {
                "number": number[rows],
                "refunded_at": refunded_at,
                "amount": np.where(whole, revenue, partial) * self._cents[product[rows]],
                "received_at": refunded_at + _RECEIVED_REFUND_AFTER,
            },
        )

    def _add(self, table: str, columns: dict[str, npt.NDArray[Any]]) -> None:
        self._waiting[table].append(columns)
        self._waiting_rows[table] += len(columns["received_at"])
        if self._waiting_rows[table] >= _BATCH_ROWS:
            self._flush(table)

    def _flush(self, table: str) -> None:
        waiting = self._waiting[table]
        if not waiting:
            return
        columns: dict[str, Any] = {
            name: np.concatenate([batch[name] for batch in waiting]) for name in waiting[0]
        }
        waiting.clear()
        self._waiting_rows[table] = 0
        number = columns.pop("number", None)
        if number is not None:
            columns["order_line_id"] = numbered("L", number)
        if table == "refunds":
            columns["refund_id"] = numbered("R", number)
        else:
            product = pa.array(columns.pop("product"))
            columns |= {name: values.take(product) for name, values in self._key.items()}
        self._writers[table].append(columns)

    def __enter__(self) -> Records:
        for writer in self._writers.values():
            self._stack.enter_context(writer)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        try:
            if kind is None:
                for table in TABLES:
                    self._flush(table)
        finally:
            self._stack.__exit__(kind, error, traceback)


def numbered(letter: str, number: Int64Array) -> pa.Array:
    """Names with a running number, all of one length, so that they sort as they count.

    >>> numbered("L", np.array([7, 12])).to_pylist()
    ['L0000000007', 'L0000000012']
    """
    digits = np.empty((len(number), _DIGITS + 1), dtype=np.uint8)
    digits[:, 0] = ord(letter)
    powers = 10 ** np.arange(_DIGITS - 1, -1, -1, dtype=np.int64)
    digits[:, 1:] = (number[:, None] // powers) % 10 + ord("0")
    ends = np.arange(len(number) + 1, dtype=np.int32) * (_DIGITS + 1)
    return pa.StringArray.from_buffers(len(number), pa.py_buffer(ends), pa.py_buffer(digits))
