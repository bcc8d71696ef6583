"""No figure of the published demand curve speaks of fewer than three sellers (rules §4).

Not by itself, not less another, not beside what market_rounds tells of the same round, and not
beside the curve of the next.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import pandas as pd
from curve_strategies import CurveBook, allocations_frame, curve_books, unfilled
from hypothesis import example, given
from hypothesis import strategies as st
from strategies import shuffled

from fbacap_logic.demand_curve import MINIMUM_SELLERS, demand_curves

KEY = ["marketplace_id", "storage_type", "round"]


@dataclass(frozen=True)
class SlowCell:
    rows: list[CurveBook]

    @property
    def sellers(self) -> set[str]:
        return {row.seller for row in self.rows}


def slow_cells(rows: list[CurveBook]) -> list[SlowCell]:
    """The cells of one market round, highest fees first, one fee at a time."""
    asked = sorted((row for row in rows if row.trimmed), key=lambda row: row.fee)
    found: list[list[CurveBook]] = [[]]
    for fee in sorted({row.fee for row in asked}):
        if len({row.seller for row in found[-1]}) >= MINIMUM_SELLERS:
            found.append([])
        found[-1] += [row for row in asked if row.fee == fee]
    if len(found) > 1 and len({row.seller for row in found[-1]}) < MINIMUM_SELLERS:
        top = found.pop()
        found[-1] += top
    if len({row.seller for row in found[0]}) < MINIMUM_SELLERS:
        return []
    won = [row.fee for row in asked if row.granted]
    if won:
        margin = next(
            place for place, cell in enumerate(found) if min(won) in {row.fee for row in cell}
        )
        winners = {row.seller for row in found[margin] if row.granted}
        losers = {row.seller for row in found[margin] if row.granted < row.trimmed}
        if len(winners) < MINIMUM_SELLERS and margin + 1 < len(found):
            found[margin] += found.pop(margin + 1)
        if 0 < len(losers) < MINIMUM_SELLERS and margin > 0:
            found[margin - 1] += found.pop(margin)
    return [SlowCell(cell) for cell in reversed(found)]


def by_market_round(frame: pd.DataFrame, book: list[CurveBook]):
    """Each market round's rows, with its curve."""
    curve = demand_curves(frame)
    for key in sorted({row.key for row in book}):
        of_it = (curve[KEY] == key).all(axis=1)
        yield [row for row in book if row.key == key], curve[of_it]


def edges(curve: pd.DataFrame) -> list[int]:
    return curve["from_fee_minor_per_ft3"].tolist()


def sellers_between(rows: list[CurveBook], low: int, high: float) -> set[str]:
    return {row.seller for row in rows if row.trimmed and low <= row.fee < high}


@given(curve_books())
def test_a_curve_is_what_cutting_fee_by_fee_says(book):
    for rows, curve in by_market_round(allocations_frame(book), book):
        expected = slow_cells(rows)
        assert curve["cell"].tolist() == list(range(1, len(expected) + 1))
        assert curve["sellers"].tolist() == [len(cell.sellers) for cell in expected]
        assert curve["requests"].tolist() == [len(cell.rows) for cell in expected]
        volumes = [sum(row.trimmed for row in cell.rows) for cell in expected]
        assert curve["demanded_milli_ft3"].tolist() == volumes


@given(curve_books())
def test_every_cell_is_of_three_sellers_and_the_cells_are_all_that_was_demanded(book):
    for rows, curve in by_market_round(allocations_frame(book), book):
        shown = len(sellers_between(rows, 0, float("inf"))) >= MINIMUM_SELLERS
        assert shown == (len(curve) > 0)
        reached = float("inf")
        for cell in curve.itertuples():
            held = sellers_between(rows, cell.from_fee_minor_per_ft3, reached)
            assert len(held) == cell.sellers >= MINIMUM_SELLERS
            reached = cell.from_fee_minor_per_ft3
            at_or_above = sum(row.trimmed for row in rows if row.fee >= reached)
            assert cell.cumulative_demanded_milli_ft3 == at_or_above
        if shown:
            total = sum(row.trimmed for row in rows)
            assert curve["cumulative_demanded_milli_ft3"].iloc[-1] == total


@given(curve_books())
def test_what_was_granted_in_a_round_does_not_split_a_cell_into_fewer_than_three(book):
    for rows, curve in by_market_round(allocations_frame(book), book):
        bounds = [float("inf"), *edges(curve)]
        won = [row for row in rows if row.granted]
        lost = [row for row in rows if row.granted < row.trimmed]
        for high, low in pairwise(bounds):
            winners = {row.seller for row in won if low <= row.fee < high}
            losers = {row.seller for row in lost if low <= row.fee < high}
            if not winners or not losers:
                continue
            # Where the cell holds all winners, or all losers, market_rounds tells their sum itself.
            holds_all_winners = all(row.fee < high for row in won)
            holds_all_losers = all(row.fee >= low for row in lost)
            assert len(winners) >= MINIMUM_SELLERS or holds_all_winners
            assert len(losers) >= MINIMUM_SELLERS or holds_all_losers


@given(curve_books(), st.data())
def test_two_rounds_of_one_book_are_not_cut_fewer_than_three_sellers_apart(book, data):
    left = unfilled(book, data.draw)
    first = list(by_market_round(allocations_frame(book), book))
    second = {rows[0].key: (rows, curve) for rows, curve in by_market_round(
        allocations_frame(left), left)}  # fmt: skip
    for rows, curve in first:
        if rows[0].key not in second:
            continue
        margin = min((row.fee for row in rows if row.granted), default=float("inf"))
        both = edges(curve) + edges(second[rows[0].key][1])
        below = sorted(fee for fee in both if fee < margin)
        for low, high in pairwise(below):
            apart = sellers_between(rows, low, high)
            assert not apart or len(apart) >= MINIMUM_SELLERS


@given(curve_books(), st.data())
def test_the_order_of_rows_changes_nothing_in_a_curve(book, data):
    frame = allocations_frame(book)
    pd.testing.assert_frame_equal(demand_curves(frame), demand_curves(shuffled(data.draw, frame)))


@given(curve_books())
@example([])
def test_a_cell_never_begins_above_its_own_lowest_fee(book):
    for rows, curve in by_market_round(allocations_frame(book), book):
        fees = sorted({row.fee for row in rows if row.trimmed})
        for edge in edges(curve):
            assert any(fee >= edge for fee in fees)
            assert edge >= 1
