"""One round of one market: who gets space, and the clearing fee (rules §4).

Here belongs the clearing of one book. Which requests form the book, revisions, caps and what is
carried over are in ``clearing_quarter``; the walk itself is in ``clearing_walk``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np
import pandas as pd

from fbacap_logic.clearing_walk import allocate
from fbacap_logic.frames import (
    BoolArray,
    InstantArray,
    TextArray,
    instants,
    integers,
    refuse,
    require_columns,
    require_unique,
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


@dataclass(frozen=True)
class BookColumns:
    """The book as plain columns of one length, already checked."""

    request_id: TextArray
    submitted_at: InstantArray
    max_fee_minor_per_ft3: Int64Array
    open_milli_ft3: Int64Array
    minimum_milli_ft3: Int64Array


@dataclass(frozen=True)
class RoundFigures:
    """One cleared round in numbers, and per row what it got and why."""

    granted_per_row_milli_ft3: Int64Array
    outcome_code: Int64Array
    reason_code: Int64Array
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
        }
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
    fee = book.max_fee_minor_per_ft3
    listed = (fee >= rules.minimum_fee_minor_per_ft3) & (book.open_milli_ft3 > 0)
    entered = slice(None) if listed.all() else np.flatnonzero(listed)
    open_volume = book.open_milli_ft3[entered]
    allocation = allocate(
        fee[entered],
        book.submitted_at[entered],
        book.request_id[entered],
        open_volume,
        book.minimum_milli_ft3[entered],
        supply_milli_ft3,
        rules.tie_rule,
    )
    granted = np.zeros(len(fee), dtype=np.int64)
    granted[entered] = allocation.granted_milli_ft3
    dropped = np.zeros(len(fee), dtype=np.bool_)
    dropped[entered] = allocation.is_dropped
    won = granted > 0
    lowest = int(fee[won].min()) if won.any() else None
    clearing_fee = _clearing_fee(
        fee, listed & ~dropped, granted, book.open_milli_ft3, lowest, rules
    )
    partly = won & (granted < book.open_milli_ft3)
    at_margin = partly & (fee == (lowest if lowest is not None else -1))
    return RoundFigures(
        granted_per_row_milli_ft3=granted,
        outcome_code=np.where(won, np.where(partly, PARTIAL, GRANTED), REJECTED),
        reason_code=_reasons(book, rules, won, partly, dropped, clearing_fee),
        clearing_fee_minor_per_ft3=clearing_fee,
        lowest_granted_minor_per_ft3=lowest,
        granted_milli_ft3=supply_milli_ft3 - allocation.left_milli_ft3,
        unsold_milli_ft3=allocation.left_milli_ft3,
        demanded_milli_ft3=exact_sum(open_volume),
        marginal_granted_milli_ft3=exact_sum(granted[at_margin]),
        marginal_open_milli_ft3=exact_sum(book.open_milli_ft3[at_margin]),
        winners=int(won.sum()),
    )


def _clearing_fee(
    fee: Int64Array,
    counts_for_price: BoolArray,
    granted: Int64Array,
    open_volume: Int64Array,
    lowest_granted: int | None,
    rules: ClearingRules,
) -> int | None:
    """The round's fee under the price rule; None when nothing was granted (rules §4.4)."""
    if lowest_granted is None or rules.price_rule != "highest_rejected":
        return lowest_granted
    unfilled = counts_for_price & (granted < open_volume)
    return int(fee[unfilled].max(initial=rules.minimum_fee_minor_per_ft3))


def _reasons(
    book: BookColumns,
    rules: ClearingRules,
    won: BoolArray,
    partly: BoolArray,
    dropped: BoolArray,
    clearing_fee: int | None,
) -> Int64Array:
    fee = book.max_fee_minor_per_ft3
    reason = np.full(len(fee), NO_SUPPLY, dtype=np.int64)
    if clearing_fee is not None:
        reason[fee < clearing_fee] = BELOW_CLEARING_FEE
    reason[book.open_milli_ft3 == 0] = CAP_REACHED
    reason[fee < rules.minimum_fee_minor_per_ft3] = BELOW_MINIMUM_FEE
    reason[dropped] = MINIMUM_NOT_MET
    reason[won] = IN_FULL
    reason[partly] = MARGINAL
    return reason


def _read_book(book: pd.DataFrame) -> BookColumns:
    table = "book"
    require_columns(book, ["request_id"], table)
    columns = BookColumns(
        request_id=book["request_id"].to_numpy(dtype=object),
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


def _categories(codes: Int64Array, names: tuple[str, ...]) -> pd.Categorical:
    of_names = pd.CategoricalDtype(list(names))
    return pd.Categorical.from_codes(cast("Sequence[int]", codes.astype(np.int8)), dtype=of_names)
