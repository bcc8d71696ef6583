"""The aggregate demand curve that is published of a round (rules §4), small cells merged away.

Here belongs cutting a book into cells of neighbouring fees, so that nothing published of them
speaks of fewer than three sellers. Who is granted what is decided in ``clearing_round``; pictures
of the curve belong to whoever shows it.

Why the cells are cut as they are is told in docs/decisions/0009-demand-curves-hide-small-cells.md.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from fbacap_logic.frames import (
    MARKET_KEY,
    BoolArray,
    TextArray,
    codes_of,
    empty_table,
    integers,
    texts,
)
from fbacap_logic.units import Int64Array, group_sums

MINIMUM_SELLERS = 3
DEMAND_CURVE_COLUMNS = (
    "marketplace_id", "storage_type", "round", "cell", "from_fee_minor_per_ft3", "sellers",
    "requests", "demanded_milli_ft3", "cumulative_demanded_milli_ft3",
)  # fmt: skip


@dataclass(frozen=True)
class _Book:
    """Requests with volume, sorted by market round and fee, the lowest fee first.

    ``market_round`` numbers the market rounds, ``level`` the distinct fees of all of them.
    """

    market_round: Int64Array
    level: Int64Array
    fee_minor_per_ft3: Int64Array
    seller: Int64Array
    trimmed_milli_ft3: Int64Array
    granted_milli_ft3: Int64Array


def demand_curves(cleared_allocations: pd.DataFrame) -> pd.DataFrame:
    """The published demand curve of every market and round (rules §4).

    A cell holds the requests of neighbouring fees. Fees join a cell, from the lowest fee up, until
    it holds three distinct sellers; what is left at the top joins the highest cell. A round with
    volume of fewer than three sellers has no curve. The cell in which supply ran out takes in its
    neighbours until what was granted in it, and what was not, each come from three sellers too:
    market_rounds tells both.

    ``cumulative(cell) = Σ trimmed volume of requests with max fee ≥ from_fee(cell)``, exactly.
    ``from_fee`` is the roundest amount that cuts there, seldom a fee that a seller offered.

    Args:
        cleared_allocations: marketplace_id, storage_type, round, seller_id,
            max_fee_minor_per_ft3, trimmed_milli_ft3, granted_milli_ft3, a row per request open in
            a round, dropped ones included. Rows without volume after the cap are not counted.

    Returns:
        One row per market, round and cell, sorted so; cell 1 has the highest fees.

        | column                        | unit                                               |
        |-------------------------------|----------------------------------------------------|
        | cell                          | from 1, the highest fees first                     |
        | from_fee_minor_per_ft3        | minor units per ft3; the cell reaches from it      |
        |                               | upwards, to below the cell before                  |
        | sellers                       | distinct sellers in the cell, at least 3           |
        | requests                      | requests in the cell                               |
        | demanded_milli_ft3            | trimmed open volume of the cell                    |
        | cumulative_demanded_milli_ft3 | of the cell and all before it                      |

    Raises:
        ValueError: a column of the wrong type, null or negative; a sum past 2^63 − 1.

    >>> cleared = pd.DataFrame({
    ...     "marketplace_id": "US", "storage_type": "standard", "round": 1,
    ...     "seller_id": ["a", "b", "c", "d", "e", "f"],
    ...     "max_fee_minor_per_ft3": [920, 640, 515, 480, 470, 350],
    ...     "trimmed_milli_ft3": [10, 20, 30, 40, 50, 60],
    ...     "granted_milli_ft3": [10, 20, 30, 0, 0, 0]})
    >>> curve = demand_curves(cleared)
    >>> curve[["from_fee_minor_per_ft3", "sellers", "cumulative_demanded_milli_ft3"]].to_numpy()
    array([[500,   3,  60],
           [300,   3, 210]])
    """
    names, book = _read_book(cleared_allocations)
    book = _only_market_rounds_to_show(book)
    if len(book.level) == 0:
        return empty_table(DEMAND_CURVE_COLUMNS).astype({"cell": "int64", "sellers": "int64"})
    starts = _greedy_starts(book)
    starts = _joined_round_the_margin(book, starts)
    return _cells(book, starts, names)


def _read_book(cleared_allocations: pd.DataFrame) -> tuple[pd.DataFrame, _Book]:
    """The book in order, and the names of its market rounds."""
    table = "cleared_allocations"
    trimmed = integers(cleared_allocations, "trimmed_milli_ft3", table)
    keys: list[TextArray | Int64Array] = [
        texts(cleared_allocations, name, table) for name in MARKET_KEY
    ]
    keys.append(integers(cleared_allocations, "round", table, minimum=1))
    fee = integers(cleared_allocations, "max_fee_minor_per_ft3", table)
    granted = integers(cleared_allocations, "granted_milli_ft3", table)
    seller, _ = pd.factorize(texts(cleared_allocations, "seller_id", table))
    market_round, first_row = codes_of(*keys)
    named = zip((*MARKET_KEY, "round"), keys, strict=True)
    names = pd.DataFrame({name: column[first_row] for name, column in named})
    order = np.lexsort((fee, market_round))  # nothing depends on the order within a level
    order = order[trimmed[order] > 0]
    return names, _Book(
        market_round=market_round[order],
        level=_run_numbers(market_round[order], fee[order]),
        fee_minor_per_ft3=fee[order],
        seller=seller[order].astype(np.int64),
        trimmed_milli_ft3=trimmed[order],
        granted_milli_ft3=granted[order],
    )


def _only_market_rounds_to_show(book: _Book) -> _Book:
    """Without the market rounds in which fewer than three sellers ask for volume."""
    if len(book.level) == 0:
        return book
    sellers = _distinct_sellers(book.market_round, book.seller, int(book.market_round[-1]) + 1)
    shown = sellers[book.market_round] >= MINIMUM_SELLERS
    market_round, fee = book.market_round[shown], book.fee_minor_per_ft3[shown]
    return _Book(
        market_round=market_round,
        level=_run_numbers(market_round, fee),
        fee_minor_per_ft3=fee,
        seller=book.seller[shown],
        trimmed_milli_ft3=book.trimmed_milli_ft3[shown],
        granted_milli_ft3=book.granted_milli_ft3[shown],
    )


def _greedy_starts(book: _Book) -> BoolArray:
    """Which levels begin a cell, when cells close at their third seller, lowest fee first.

    From each level, the level after the one with the third seller is known; the levels that begin
    a cell are those reached from a market round's lowest by such leaps. Leaps are followed by
    doubling their length, so that the work is the logarithm of the longest curve.
    """
    first_row = np.flatnonzero(_is_new(book.level))
    levels = len(first_row)
    market_round = book.market_round[first_row]
    third_row = _third_seller(book.seller)[first_row]
    end_of_round = np.searchsorted(book.market_round, market_round, side="right")
    is_whole = third_row < end_of_round
    leap = np.full(levels + 1, levels, dtype=np.int64)
    leap[:-1][is_whole] = book.level[third_row[is_whole]] + 1
    reached = np.zeros(levels + 1, dtype=np.bool_)
    reached[:-1] = _is_new(market_round)
    while True:
        landed = leap[reached]
        if reached[landed].all():
            return reached[:-1] & is_whole
        reached[landed] = True
        leap = leap[leap]


def _third_seller(seller: Int64Array) -> Int64Array:
    """For each row, the first row from there on that makes three distinct sellers; else the end.

    In runs of one seller, the third after a run is the run after next, unless that is the run's
    own seller again: then it is the third after the next run, whose first two are the same pair.

    >>> _third_seller(np.array([1, 1, 2, 1, 3, 3]))
    array([4, 4, 4, 6, 6, 6])
    """
    is_new = _is_new(seller)
    run_start = np.flatnonzero(is_new)
    runs = len(run_start)
    run_seller = seller[run_start]
    found = np.full(runs, runs, dtype=np.int64)
    if runs > 2:
        places = np.arange(2, runs, dtype=np.int64)
        after_next = np.where(run_seller[2:] != run_seller[:-2], places, runs)
        found[:-2] = np.minimum.accumulate(after_next[::-1])[::-1]
    start_or_end = np.r_[run_start, len(seller)]
    third: Int64Array = start_or_end[found[np.cumsum(is_new) - 1]]
    return third


def _joined_round_the_margin(book: _Book, starts: BoolArray) -> BoolArray:
    """Join the cell in which supply ran out to its neighbours, where its two parts are too small.

    Whoever knows what was granted in the round knows, of this cell, what was granted and what was
    not. Each part must come from three sellers or from none, so the cell takes in the one above
    (which was granted) or the one below (which was not).
    """
    cell = (np.cumsum(starts) - 1)[book.level]
    cells = int(cell[-1]) + 1
    first_row = np.flatnonzero(_is_new(cell))
    market_round = book.market_round[first_row]
    won = np.flatnonzero(book.granted_milli_ft3 > 0)
    lowest_won = won[_is_new(book.market_round[won])]
    is_margin = np.zeros(cells, dtype=np.bool_)
    is_margin[cell[lowest_won]] = True
    unfilled = np.flatnonzero(book.granted_milli_ft3 < book.trimmed_milli_ft3)
    winners = _distinct_sellers(cell[won], book.seller[won], cells)
    losers = _distinct_sellers(cell[unfilled], book.seller[unfilled], cells)
    is_lowest = _is_new(market_round)
    too_few_losers = is_margin & (losers > 0) & (losers < MINIMUM_SELLERS) & ~is_lowest
    too_few_winners = is_margin & (winners < MINIMUM_SELLERS)
    starts_below = np.r_[False, too_few_winners[:-1]] & ~is_lowest
    joined = starts.copy()
    joined[book.level[first_row[too_few_losers | starts_below]]] = False
    return joined


def _cells(book: _Book, starts: BoolArray, names: pd.DataFrame) -> pd.DataFrame:
    """The rows of the curve, highest fees first within a market and round."""
    cell = (np.cumsum(starts) - 1)[book.level]
    first_row = np.flatnonzero(_is_new(cell))
    cells = len(first_row)
    market_round = book.market_round[first_row]
    order = np.lexsort((-np.arange(cells), market_round))
    end = np.searchsorted(market_round, market_round, side="right")
    group_sums(book.trimmed_milli_ft3, book.market_round, len(names))  # refuses what does not fit
    demanded = group_sums(book.trimmed_milli_ft3, cell, cells)
    named = names.iloc[market_round[order]].reset_index(drop=True)
    curve = named.assign(
        cell=(end - np.arange(cells))[order],
        from_fee_minor_per_ft3=_cutting_fees(book, first_row)[order],
        sellers=_distinct_sellers(cell, book.seller, cells)[order],
        requests=np.bincount(cell, minlength=cells)[order],
        demanded_milli_ft3=demanded[order],
        cumulative_demanded_milli_ft3=_running_sums(demanded[order], market_round[order]),
    )
    return curve[list(DEMAND_CURVE_COLUMNS)]


def _cutting_fees(book: _Book, first_row: Int64Array) -> Int64Array:
    """Where each cell begins: the roundest fee above the level below it, not above its own lowest.

    Any fee in that gap cuts at the same place; the roundest tells least of either seller.

    >>> level = np.array([0, 1])
    >>> fee = np.array([412, 937])
    >>> _cutting_fees(_Book(level * 0, level, fee, level, level, level), np.array([0, 1]))
    array([400, 900])
    """
    lowest = book.fee_minor_per_ft3[first_row]
    below = np.where(
        _is_new(book.market_round[first_row]), 0, book.fee_minor_per_ft3[first_row - 1]
    )
    cutting = lowest.copy()
    for zeros in range(1, len(str(int(lowest.max())))):
        rounder = lowest // 10**zeros * 10**zeros
        cutting = np.where(rounder > below, rounder, cutting)
    return cutting


def _distinct_sellers(group: Int64Array, seller: Int64Array, groups: int) -> Int64Array:
    """How many distinct sellers each group has."""
    order = np.lexsort((seller, group))
    is_new = _is_new(group[order]) | _is_new(seller[order])
    return np.bincount(group[order][is_new], minlength=groups).astype(np.int64)


def _running_sums(values: Int64Array, group: Int64Array) -> Int64Array:
    """Running sums within each run of a sorted group; a total past 63 bits was refused before."""
    is_new = _is_new(group)
    running = np.cumsum(values)  # may wrap over many groups; the differences below come out right
    before = (running - values)[is_new]
    within: Int64Array = running - before[np.cumsum(is_new) - 1]
    return within


def _run_numbers(*columns: Int64Array) -> Int64Array:
    """Number the runs of equal rows of some columns, from 0."""
    is_new = np.zeros(len(columns[0]), dtype=np.bool_)
    for column in columns:
        is_new |= _is_new(column)
    return np.cumsum(is_new) - 1


def _is_new(values: Int64Array) -> BoolArray:
    """Whether each value differs from the one before; the first does."""
    changes = np.ones(len(values), dtype=np.bool_)
    changes[1:] = values[1:] != values[:-1]
    return changes
