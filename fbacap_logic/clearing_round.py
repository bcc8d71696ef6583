"""One round of one market: who gets space, and the clearing fee (rules §4).

Here belongs the clearing of one book. Which requests form the book, revisions, caps and what is
carried over are in ``clearing_quarter``; the walk itself is in ``clearing_walk``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np
import numpy.typing as npt
import pandas as pd

from fbacap_logic.clearing_pro_rata import share_by_level
from fbacap_logic.clearing_selection import Queue, RowArray, blocks
from fbacap_logic.clearing_walk import Allocation, grant_in_order
from fbacap_logic.frames import (
    InstantArray,
    TextColumn,
    instants,
    integers,
    refuse,
    require_unique,
    text_column,
)
from fbacap_logic.policy import ClearingRules
from fbacap_logic.units import INT64_MAX, Int64Array, exact_sum

OUTCOMES = ("granted", "partial", "rejected")
REASONS = (
    "granted",
    "marginal",
    "below_clearing_fee",
    "no_supply",
    "minimum_not_met",
    "cap_reached",
    "cap_below_minimum",
    "below_minimum_fee",
)
GRANTED, PARTIAL, REJECTED = range(3)
(
    IN_FULL,
    MARGINAL,
    BELOW_CLEARING_FEE,
    NO_SUPPLY,
    MINIMUM_NOT_MET,
    CAP_REACHED,
    CAP_BELOW_MINIMUM,
    BELOW_MINIMUM_FEE,
) = range(len(REASONS))

_OUTCOME_OF_REASON = np.full(len(REASONS), REJECTED, dtype=np.int8)
_OUTCOME_OF_REASON[[IN_FULL, MARGINAL]] = GRANTED, PARTIAL

CodeArray = npt.NDArray[np.int8]


@dataclass(frozen=True)
class BookColumns:
    """The book as plain columns of one length, already checked."""

    request_id: TextColumn
    submitted_at: InstantArray
    max_fee_minor_per_ft3: Int64Array
    open_milli_ft3: Int64Array
    minimum_milli_ft3: Int64Array


@dataclass(frozen=True)
class RoundFigures:
    """One cleared round in numbers, and per row what it got and why."""

    granted_per_row_milli_ft3: Int64Array
    outcome_code: CodeArray
    reason_code: CodeArray
    clearing_fee_minor_per_ft3: int | None
    lowest_granted_minor_per_ft3: int | None
    granted_milli_ft3: int
    unsold_milli_ft3: int
    demanded_milli_ft3: int
    marginal_granted_milli_ft3: int
    marginal_open_milli_ft3: int
    winners: int


@dataclass(frozen=True)
class RoundClearing:
    """The result of ``clear_round``.

    ``grants`` has one row per book row, in the book's order: request_id, granted_milli_ft3 (int64),
    outcome and reason (categorical). The figures are whole numbers; ``clearing_fee_minor_per_ft3``
    and ``lowest_granted_minor_per_ft3`` are None when nothing was granted. The marginal figures
    cover the partly filled requests at the lowest granted fee (both 0 when there is none).
    """

    grants: pd.DataFrame
    clearing_fee_minor_per_ft3: int | None
    lowest_granted_minor_per_ft3: int | None
    granted_milli_ft3: int
    unsold_milli_ft3: int
    demanded_milli_ft3: int
    marginal_granted_milli_ft3: int
    marginal_open_milli_ft3: int
    winners: int


def clear_round(book: pd.DataFrame, supply_milli_ft3: int, rules: ClearingRules) -> RoundClearing:
    """Clear one round of one market, highest max fee first (rules §4).

    The walk down the total order (fee descending, ``submitted_at`` ascending, ``request_id`` by
    bytes) grants each request its open volume while supply lasts; the marginal one gets the rest.
    A request that would get something, but less than its minimum, is dropped and the round is
    cleared again without it, the last in the order first.

    Args:
        book: one row per request open in the round.

            | column                | type      | unit                                           |
            |-----------------------|-----------|------------------------------------------------|
            | request_id            | text      | unique (``validate_book`` checks)              |
            | submitted_at          | timestamp | UTC, aware or naive; the time of the order     |
            | max_fee_minor_per_ft3 | integer   | minor units per ft3 for the quarter            |
            | open_milli_ft3        | integer   | milli ft3, after the cap; 0: not in the book   |
            | minimum_milli_ft3     | integer   | milli ft3, the remaining minimum; ≤ open       |

        supply_milli_ft3: what this round may grant.
        rules: tie rule, price rule and minimum fee. Rows below the minimum fee are not in the book.

    Raises:
        ValueError: a column of the wrong type, null, negative or past 63 bits; a minimum above the
            open volume; a negative supply.

    >>> book = pd.DataFrame({
    ...     "request_id": ["A", "B"], "max_fee_minor_per_ft3": [500, 400],
    ...     "submitted_at": pd.to_datetime(["2026-09-01", "2026-09-02"]),
    ...     "open_milli_ft3": [60_000, 50_000], "minimum_milli_ft3": [0, 0]})
    >>> cleared = clear_round(book, 100_000, ClearingRules())
    >>> cleared.grants["granted_milli_ft3"].tolist(), cleared.clearing_fee_minor_per_ft3
    ([60000, 40000], 400)
    """
    columns = _read_book(book)
    figures = clear_columns(columns, checked_supply(supply_milli_ft3), rules)
    grants = pd.DataFrame(
        {
            "request_id": columns.request_id,
            "granted_milli_ft3": figures.granted_per_row_milli_ft3,
            "outcome": _categories(figures.outcome_code, OUTCOMES),
            "reason": _categories(figures.reason_code, REASONS),
        },
        copy=False,
    )
    return RoundClearing(
        grants=grants,
        clearing_fee_minor_per_ft3=figures.clearing_fee_minor_per_ft3,
        lowest_granted_minor_per_ft3=figures.lowest_granted_minor_per_ft3,
        granted_milli_ft3=figures.granted_milli_ft3,
        unsold_milli_ft3=figures.unsold_milli_ft3,
        demanded_milli_ft3=figures.demanded_milli_ft3,
        marginal_granted_milli_ft3=figures.marginal_granted_milli_ft3,
        marginal_open_milli_ft3=figures.marginal_open_milli_ft3,
        winners=figures.winners,
    )


def validate_book(book: pd.DataFrame) -> None:
    """Refuse a book in which a request stands twice (rules §3: one revision binds).

    Raises:
        ValueError: a request_id is repeated; names it and its row.
    """
    require_unique(book, ["request_id"], "book")


def checked_supply(supply_milli_ft3: int) -> int:
    """The supply as a whole number of milli ft3.

    Raises:
        ValueError: not a whole number, negative, or past 2^63 − 1.
    """
    if isinstance(supply_milli_ft3, bool) or not isinstance(supply_milli_ft3, int | np.integer):
        raise ValueError(
            f"supply_milli_ft3 is {supply_milli_ft3!r}; give a whole number of milli ft3"
        )
    if not 0 <= supply_milli_ft3 <= INT64_MAX:
        raise ValueError(f"supply_milli_ft3 is {supply_milli_ft3}; it must lie in 0 … 2^63 - 1")
    return int(supply_milli_ft3)


def clear_columns(book: BookColumns, supply_milli_ft3: int, rules: ClearingRules) -> RoundFigures:
    """``clear_round`` on plain columns that are already checked (rules §4)."""
    fee, open_volume = book.max_fee_minor_per_ft3, book.open_milli_ft3
    entered = _entered(book, rules)
    queue = Queue(
        fee, book.submitted_at.view(np.int64), book.request_id, open_volume, book.minimum_milli_ft3
    ).take(entered)
    demanded = exact_sum(queue.open_milli_ft3)
    allocation = _allocate(queue, demanded, supply_milli_ft3, rules)
    granted, dropped = allocation.granted_milli_ft3, np.flatnonzero(allocation.is_dropped)
    if len(queue) < len(fee):
        granted = np.zeros(len(fee), dtype=np.int64)
        granted[entered] = allocation.granted_milli_ft3
        dropped = entered[dropped]
    lowest = _lowest_granted(fee, granted) if allocation.left_milli_ft3 < supply_milli_ft3 else None
    clearing_fee = lowest
    if lowest is not None and rules.price_rule == "highest_rejected":
        clearing_fee = _highest_rejected(queue, allocation, rules.minimum_fee_minor_per_ft3)
    outcome, reason, partly = _verdicts(book, rules, granted, dropped, clearing_fee)
    marginal = partly[fee[partly] == lowest]
    return RoundFigures(
        granted_per_row_milli_ft3=granted,
        outcome_code=outcome,
        reason_code=reason,
        clearing_fee_minor_per_ft3=clearing_fee,
        lowest_granted_minor_per_ft3=lowest,
        granted_milli_ft3=supply_milli_ft3 - allocation.left_milli_ft3,
        unsold_milli_ft3=allocation.left_milli_ft3,
        demanded_milli_ft3=demanded,
        marginal_granted_milli_ft3=exact_sum(granted[marginal]),
        marginal_open_milli_ft3=exact_sum(open_volume[marginal]),
        winners=int(np.count_nonzero(granted)),
    )


def _entered(book: BookColumns, rules: ClearingRules) -> RowArray:
    """The rows that form the book: something open, at the minimum fee or above."""
    rows = len(book.open_milli_ft3)
    low_fee = rules.minimum_fee_minor_per_ft3
    if rows and book.open_milli_ft3.min() > 0 and book.max_fee_minor_per_ft3.min() >= low_fee:
        return np.arange(rows)
    return np.flatnonzero((book.open_milli_ft3 > 0) & (book.max_fee_minor_per_ft3 >= low_fee))


def _allocate(
    queue: Queue, demanded_milli_ft3: int, supply_milli_ft3: int, rules: ClearingRules
) -> Allocation:
    nothing = np.zeros(len(queue), dtype=np.bool_)
    if demanded_milli_ft3 <= supply_milli_ft3:
        left = supply_milli_ft3 - demanded_milli_ft3
        return Allocation(queue.open_milli_ft3.copy(), nothing, left)
    if supply_milli_ft3 == 0:
        return Allocation(np.zeros(len(queue), dtype=np.int64), nothing, 0)
    if rules.tie_rule == "pro_rata":
        return share_by_level(queue, supply_milli_ft3)
    return grant_in_order(queue, supply_milli_ft3)


def _lowest_granted(fee: Int64Array, granted: Int64Array) -> int:
    """The lowest max fee that got any volume (rules §4.4)."""
    lowest = INT64_MAX
    for block in blocks(len(fee)):
        winners = np.where(granted[block] > 0, fee[block], INT64_MAX)
        lowest = min(lowest, int(winners.min()))
    return lowest


def _highest_rejected(queue: Queue, allocation: Allocation, minimum_fee: int) -> int:
    """The highest max fee left unfilled by lack of supply, or the minimum fee (rules §4.4)."""
    highest = minimum_fee
    for block in blocks(len(queue)):
        unfilled = allocation.granted_milli_ft3[block] < queue.open_milli_ft3[block]
        unfilled &= ~allocation.is_dropped[block]
        highest = max(highest, int((queue.fee_minor_per_ft3[block] * unfilled).max()))
    return highest


def _verdicts(
    book: BookColumns,
    rules: ClearingRules,
    granted: Int64Array,
    dropped: RowArray,
    clearing_fee: int | None,
) -> tuple[CodeArray, CodeArray, RowArray]:
    """Outcome and reason of every row, and the rows that were partly filled."""
    rows = len(granted)
    outcome, reason = np.empty(rows, dtype=np.int8), np.empty(rows, dtype=np.int8)
    reference = 0 if clearing_fee is None else clearing_fee
    partly = []
    for block in blocks(rows):
        fee, open_volume = book.max_fee_minor_per_ft3[block], book.open_milli_ft3[block]
        got = granted[block]
        whole = got == open_volume
        verdict = np.where(fee < reference, np.int8(BELOW_CLEARING_FEE), np.int8(NO_SUPPLY))
        np.copyto(verdict, np.int8(IN_FULL), where=whole)
        part = np.flatnonzero((got > 0) & ~whole)
        verdict[part] = MARGINAL
        np.copyto(verdict, np.int8(CAP_REACHED), where=open_volume == 0)
        below_minimum = fee < rules.minimum_fee_minor_per_ft3
        np.copyto(verdict, np.int8(BELOW_MINIMUM_FEE), where=below_minimum)
        reason[block] = verdict
        partly.append(part + block.start)
    reason[dropped] = MINIMUM_NOT_MET
    outcome[:] = _OUTCOME_OF_REASON[reason]
    return outcome, reason, np.concatenate(partly) if partly else np.empty(0, dtype=np.intp)


def _read_book(book: pd.DataFrame) -> BookColumns:
    table = "book"
    columns = BookColumns(
        request_id=text_column(book, "request_id", table),
        submitted_at=instants(book, "submitted_at", table),
        max_fee_minor_per_ft3=integers(book, "max_fee_minor_per_ft3", table),
        open_milli_ft3=integers(book, "open_milli_ft3", table),
        minimum_milli_ft3=integers(book, "minimum_milli_ft3", table),
    )
    above = (columns.minimum_milli_ft3 > columns.open_milli_ft3) & (columns.open_milli_ft3 > 0)
    if above.any():
        row = int(np.argmax(above))
        refuse(table, "minimum_milli_ft3", row, "is above open_milli_ft3, so it can never be met")
    return columns


def _categories(codes: CodeArray, names: tuple[str, ...]) -> pd.Categorical:
    of_names = pd.CategoricalDtype(list(names))
    return pd.Categorical.from_codes(cast("Sequence[int]", codes), dtype=of_names)
