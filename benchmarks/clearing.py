"""Clearing one book against sorting its fees, the least that a clearing built on a sort would do.

Where all fees are equal there is nothing to sort by fee; there the times are sorted, which decide.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from benchmarks.machine import peak_memory_mib
from benchmarks.timing import best_seconds
from fbacap_logic.clearing import ClearingRules, clear_round

SIZES = (100_000, 1_000_000)
LARGE = 10_000_000
TIE_RULES = ("time_priority", "pro_rata")
BOOKS = {
    "2,000 fees": (2_000, "max_fee_minor_per_ft3"),
    "one fee": (1, "submitted_at"),
}
"""How many fees a book's requests are spread over, and the column that is sorted beside it."""
_SUPPLY_SHARE = 0.6
_MOST_WITH_MINIMUM = 0.1
_DAYS = 60


@dataclass(frozen=True)
class Cleared:
    """What clearing one book took."""

    rows: int
    book: str
    tie_rule: str
    clear_seconds: float
    sort_seconds: float
    peak_mib: float

    @property
    def ratio(self) -> float:
        """How many sorts one clear takes."""
        return self.clear_seconds / self.sort_seconds


def make_book(rows: int, fee_levels: int, seed: int = 1) -> pd.DataFrame:
    """A book of distinct requests in no order, 10 % of them with a minimum of half their volume.

    Fees are evenly spread over ``fee_levels`` values, times over 60 days in microseconds.
    """
    random = np.random.default_rng(seed)
    volume = random.integers(1_000, 500_000, rows)
    with_minimum = random.random(rows) < _MOST_WITH_MINIMUM
    day_one = np.datetime64("2026-09-01", "us")
    names = np.char.mod("R%09d", random.permutation(rows)).astype(object)
    return pd.DataFrame(
        {
            "request_id": names,
            "submitted_at": day_one + random.integers(0, _DAYS * 86_400_000_000, rows),
            "max_fee_minor_per_ft3": random.integers(1, fee_levels + 1, rows),
            "open_milli_ft3": volume,
            "minimum_milli_ft3": np.where(with_minimum, volume // 2, 0),
        }
    )


def measure(sizes: Sequence[int]) -> Iterator[Cleared]:
    """Clear a book of each size, kind and tie rule, in turns with a sort of one of its columns."""
    for rows in sizes:
        for kind, (levels, sorted_column) in BOOKS.items():
            book = make_book(rows, levels)
            column = book[sorted_column].to_numpy().view(np.int64)
            supply = int(int(book["open_milli_ft3"].sum()) * _SUPPLY_SHARE)
            for tie_rule in TIE_RULES:
                rules = ClearingRules(tie_rule=tie_rule)
                clear, sort = best_seconds(
                    lambda book=book, supply=supply, rules=rules: clear_round(book, supply, rules),
                    lambda column=column: np.argsort(column),
                    repeats=3 if rows >= LARGE else 7,
                )
                yield Cleared(rows, kind, tie_rule, clear, sort, peak_memory_mib())


def growth(measured: Sequence[Cleared]) -> Iterator[tuple[Cleared, Cleared]]:
    """Each measurement with that of the tenfold book."""
    for small in measured:
        for large in measured:
            same = (small.book, small.tie_rule) == (large.book, large.tie_rule)
            if same and large.rows == 10 * small.rows:
                yield small, large
