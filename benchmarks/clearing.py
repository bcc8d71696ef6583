"""Clearing one book against sorting its fees, the least that a clearing built on a sort would do.

Where all fees are equal there is nothing to sort by fee; there the times are sorted, which decide.
"""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import polars as pl

from benchmarks.timing import best_seconds
from benchmarks.window_functions import by_duckdb, by_polars
from fbacap_logic.clearing import ClearingRules, clear_round

SIZES = (100_000, 1_000_000)
LARGE = 10_000_000
MARKETS = 100
TIE_RULES = ("time_priority", "pro_rata")
BOOKS = {
    "2,000 fees": (2_000, "max_fee_minor_per_ft3"),
    "one fee": (1, "submitted_at"),
}
"""How many fees a book's requests are spread over, and the column that is sorted beside it."""
_SUPPLY_SHARE = 0.6
_SHARE_WITH_MINIMUM = 0.1
_DAYS = 60


@dataclass(frozen=True)
class Cleared:
    """What clearing one book took, beside sorting one of its columns."""

    rows: int
    book: str
    tie_rule: str
    clear_seconds: float
    sort_seconds: float
    bytes_per_book_byte: float

    @property
    def ratio(self) -> float:
        """How many sorts one clear takes."""
        return self.clear_seconds / self.sort_seconds


@dataclass(frozen=True)
class Compared:
    """What clearing a book without minimums took, beside two window functions and a sort."""

    rows: int
    tie_rule: str
    clear_seconds: float
    duckdb_seconds: float
    polars_seconds: float
    sort_seconds: float


def make_book(
    rows: int, fee_levels: int, *, share_with_minimum: float = _SHARE_WITH_MINIMUM, seed: int = 1
) -> pd.DataFrame:
    """A book of distinct requests in no order, some with a minimum of half their volume.

    Fees are evenly spread over ``fee_levels`` values, times over 60 days in microseconds.
    """
    random = np.random.default_rng(seed)
    volume = random.integers(1_000, 500_000, rows)
    with_minimum = random.random(rows) < share_with_minimum
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
            for tie_rule in TIE_RULES:
                clear = _clear_action(book, tie_rule)
                seconds = best_seconds(
                    clear, lambda column=column: np.argsort(column), repeats=_repeats(rows)
                )
                yield Cleared(rows, kind, tie_rule, *seconds, _overhead(clear, book))


def measure_many_markets(rows: int) -> Iterator[Cleared]:
    """Clear one book a market, the requests of all markets beside one sort of all their fees."""
    books = [make_book(rows // MARKETS, 2_000, seed=market) for market in range(MARKETS)]
    fees = np.concatenate([book["max_fee_minor_per_ft3"].to_numpy() for book in books])
    whole = pd.concat(books, ignore_index=True)
    for tie_rule in TIE_RULES:
        actions = [_clear_action(book, tie_rule) for book in books]

        def clear_all(actions: Sequence[Callable[[], object]] = actions) -> list[object]:
            return [action() for action in actions]

        seconds = best_seconds(clear_all, lambda: np.argsort(fees), repeats=_repeats(rows))
        yield Cleared(rows, f"{MARKETS} markets", tie_rule, *seconds, _overhead(clear_all, whole))


def compare(sizes: Sequence[int]) -> Iterator[Compared]:
    """Clear a book without minimums in turns with DuckDB, polars and a sort of its fees.

    Raises:
        AssertionError: they do not make the same grants.
    """
    for rows in sizes:
        book = make_book(rows, 2_000, share_with_minimum=0)
        fees, supply = book["max_fee_minor_per_ft3"].to_numpy(), _supply(book)
        of_polars = pl.from_pandas(book)
        for tie_rule in TIE_RULES:
            clear = _clear_action(book, tie_rule)
            _assert_same_grants(book, of_polars, tie_rule)
            seconds = best_seconds(
                clear,
                lambda book=book, rule=tie_rule, supply=supply: by_duckdb(book, supply, rule),
                lambda book=of_polars, rule=tie_rule, supply=supply: by_polars(book, supply, rule),
                lambda fees=fees: np.argsort(fees),
                repeats=_repeats(rows),
            )
            yield Compared(rows, tie_rule, *seconds)


def growth(measured: Sequence[Cleared]) -> Iterator[tuple[Cleared, Cleared]]:
    """Each measurement with that of the tenfold book."""
    for small in measured:
        for large in measured:
            same = (small.book, small.tie_rule) == (large.book, large.tie_rule)
            if same and large.rows == 10 * small.rows:
                yield small, large


def _repeats(rows: int) -> int:
    return 3 if rows >= LARGE else 7


def _supply(book: pd.DataFrame) -> int:
    return int(int(book["open_milli_ft3"].sum()) * _SUPPLY_SHARE)


def _clear_action(book: pd.DataFrame, tie_rule: str) -> Callable[[], object]:
    supply, rules = _supply(book), ClearingRules(tie_rule=tie_rule)
    return lambda: clear_round(book, supply, rules)


def _overhead(clear: Callable[[], object], book: pd.DataFrame) -> float:
    """Most bytes held at once by a clear, its result included, per byte of the book's columns.

    The text of the ids is not counted on either side; the result shares it with the book.
    """
    tracemalloc.start()
    try:
        clear()
        return tracemalloc.get_traced_memory()[1] / int(book.memory_usage(index=False).sum())
    finally:
        tracemalloc.stop()


def _assert_same_grants(book: pd.DataFrame, of_polars: pl.DataFrame, tie_rule: str) -> None:
    supply = _supply(book)
    ours = clear_round(book, supply, ClearingRules(tie_rule=tie_rule)).grants
    expected = ours.set_index("request_id")["granted_milli_ft3"].sort_index()
    for theirs in (
        by_duckdb(book, supply, tie_rule),
        by_polars(of_polars, supply, tie_rule).to_pandas(),
    ):
        found = theirs.set_index("request_id")["granted_milli_ft3"].sort_index()
        pd.testing.assert_series_equal(found, expected, check_index_type=False)
