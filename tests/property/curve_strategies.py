"""Random rounds as a demand curve reads them: who asked for what, and what the walk granted.

Here belong books of several market rounds, filled highest fee first without minimums, so that what
market_rounds tells splits each book at one place.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import pandas as pd
from hypothesis import strategies as st

_SELLERS = "abcdefghijklmnopqrstuvwxyz"
_KEYS = (("DE", "oversize", 1), ("US", "standard", 1), ("US", "standard", 2))


@dataclass(frozen=True)
class CurveBook:
    """One request of a market round, with what it got."""

    key: tuple[str, str, int]
    seller: str
    fee: int
    trimmed: int
    granted: int = 0


@st.composite
def curve_books(draw: st.DrawFn) -> list[CurveBook]:
    """Requests of up to three market rounds, from empty ones to some with many cells."""
    fees = st.integers(1, draw(st.sampled_from([6, 40, 10_000])))
    sellers = st.sampled_from(_SELLERS[: draw(st.sampled_from([3, 8, len(_SELLERS)]))])
    volumes = st.one_of(st.integers(0, 9), st.integers(1, 10**12))
    book = []
    for key in draw(st.lists(st.sampled_from(_KEYS), unique=True)):
        asks = st.builds(CurveBook, st.just(key), sellers, fees, volumes)
        rows = draw(st.lists(asks, min_size=draw(st.sampled_from([0, 12, 24]))))
        book += filled(rows, draw(_supplies(rows)))
    return book


def filled(rows: list[CurveBook], supply: int) -> list[CurveBook]:
    """The rows of one market round, granted from the highest fee down while supply lasts."""
    granted = []
    for row in sorted(rows, key=lambda row: -row.fee):
        granted.append(replace(row, granted=min(row.trimmed, supply)))
        supply -= granted[-1].granted
    return granted


def unfilled(book: list[CurveBook], draw: Callable[..., int]) -> list[CurveBook]:
    """The next round of the same books, to which nobody comes: what is left, filled further."""
    left = []
    for key in sorted({row.key for row in book}):
        rows = [
            replace(row, trimmed=row.trimmed - row.granted, granted=0)
            for row in book
            if row.key == key
        ]
        left += filled(rows, draw(_supplies(rows)))
    return left


def allocations_frame(book: list[CurveBook]) -> pd.DataFrame:
    """cleared_allocations of the rows, as far as a demand curve reads it."""
    columns = ["marketplace_id", "storage_type", "round", "seller_id"]
    numbers = ["max_fee_minor_per_ft3", "trimmed_milli_ft3", "granted_milli_ft3"]
    rows = [(*row.key, row.seller, row.fee, row.trimmed, row.granted) for row in book]
    frame = pd.DataFrame(rows, columns=columns + numbers)
    return frame.astype(dict.fromkeys(["round", *numbers], "int64"))


def _supplies(rows: list[CurveBook]) -> st.SearchStrategy[int]:
    """Supplies that end within the book, between two requests, and beyond it."""
    reached = [0]
    for row in sorted(rows, key=lambda row: -row.fee):
        reached.append(reached[-1] + row.trimmed)
    return st.one_of(st.sampled_from(reached), st.integers(0, reached[-1] + 1))
