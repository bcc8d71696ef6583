"""Who gets how much of a limited volume (rules §§3–4): plain columns in, plain columns out.

Here belong the walk down the total order, the pro-rata share, and the search for the margin. Frames
and prices are in ``clearing_round``; quarters and caps in ``clearing_quarter``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from fbacap_logic.frames import BoolArray, InstantArray, TextArray
from fbacap_logic.total_order import order_requests
from fbacap_logic.units import (
    INT64_MAX,
    Int64Array,
    WideArray,
    exact_cumulative,
    exact_sum,
    largest_remainder,
    ratio_floor,
)

TieRule = Literal["time_priority", "pro_rata"]

_PASSES_BEFORE_SETTING_ASIDE = 64  # setting rows aside costs a pass over the rest of the book


@dataclass(frozen=True)
class Allocation:
    """What each row got, which rows were dropped for their minimum, and what is left over."""

    granted_milli_ft3: Int64Array
    is_dropped: BoolArray
    left_milli_ft3: int


def allocate(
    fee_minor_per_ft3: Int64Array,
    instant: InstantArray,
    request_id: TextArray,
    open_milli_ft3: Int64Array,
    minimum_milli_ft3: Int64Array,
    supply_milli_ft3: int,
    tie_rule: TieRule,
) -> Allocation:
    """Grant supply down the total order, dropping requests whose minimum is not met (rules §4).

    Only the requests at the marginal fee are sorted; the margin itself is found by selection. What
    lies below is sorted only if dropped requests leave something over for it.
    """
    rows = len(fee_minor_per_ft3)
    granted = np.zeros(rows, dtype=np.int64)
    dropped = np.zeros(rows, dtype=np.bool_)
    demanded = exact_sum(open_milli_ft3)
    if demanded <= supply_milli_ft3:
        return Allocation(open_milli_ft3.copy(), dropped, supply_milli_ft3 - demanded)
    if supply_milli_ft3 == 0:
        return Allocation(granted, dropped, 0)
    margin = marginal_fee(fee_minor_per_ft3, open_milli_ft3, supply_milli_ft3)
    above = fee_minor_per_ft3 > margin
    granted[above] = open_milli_ft3[above]
    left = supply_milli_ft3 - exact_sum(open_milli_ft3[above])
    for rows_of_step in (fee_minor_per_ft3 == margin, fee_minor_per_ft3 < margin):
        if left == 0:
            break
        step = np.flatnonzero(rows_of_step)
        step = step[order_requests(fee_minor_per_ft3[step], instant[step], request_id[step])]
        volumes, minimums = open_milli_ft3[step], minimum_milli_ft3[step]
        if tie_rule == "pro_rata":
            walked = walk_levels(volumes, minimums, left, fee_minor_per_ft3[step])
        else:
            walked = walk(volumes, minimums, left)
        granted[step] = walked.granted_milli_ft3
        dropped[step] = walked.is_dropped
        left = walked.left_milli_ft3
    return Allocation(granted, dropped, left)


def marginal_fee(
    fee_minor_per_ft3: Int64Array, open_milli_ft3: Int64Array, supply_milli_ft3: int
) -> int:
    """The highest fee at and above which more is asked than there is: ``Σ open > supply``.

    Found by halving around the median, so the whole costs a few passes and no sort.

    Raises:
        ValueError: the supply covers everything, so there is no margin.

    >>> marginal_fee(np.array([500, 400, 300]), np.array([60, 50, 10]), 100)
    400
    """
    if exact_sum(open_milli_ft3) <= supply_milli_ft3:
        raise ValueError("the supply covers every request, so no fee is marginal")
    fees, volumes, left = fee_minor_per_ft3, open_milli_ft3, supply_milli_ft3
    while True:
        middle = len(fees) // 2
        pivot = np.partition(fees, middle)[middle]
        above = fees > pivot
        volume_above = exact_sum(volumes[above])
        if volume_above > left:
            fees, volumes = fees[above], volumes[above]
            continue
        volume_to_pivot = volume_above + exact_sum(volumes[fees == pivot])
        if volume_to_pivot > left:
            return int(pivot)
        below = fees < pivot
        fees, volumes, left = fees[below], volumes[below], left - volume_to_pivot


def walk(
    open_milli_ft3: Int64Array, minimum_milli_ft3: Int64Array, room_milli_ft3: int
) -> Allocation:
    """Deal room to rows that already stand in the total order (rules §§3–4).

    Each row gets all it asks while room lasts; the first that does not fit gets the rest, unless
    the rest is below its minimum: then it is passed over and the walk goes on. Passing over the
    one row that came short and walking on is the same as clearing again without it, because
    nothing before it changes.

    Room only shrinks, so rows whose minimum is above what is left can be set aside all at once;
    whether they were passed over or never reached shows when the room has run out.

    >>> walk(np.array([60, 50, 10]), np.array([0, 45, 0]), 100).granted_milli_ft3
    array([60,  0, 10])
    """
    granted = np.zeros(len(open_milli_ft3), dtype=np.int64)
    waiting = np.arange(len(open_milli_ft3))
    reached, left = len(waiting), int(room_milli_ft3)
    if left == 0:
        reached = 0
    while len(waiting) and left > 0:
        dealt, done, left = _deal(open_milli_ft3[waiting], minimum_milli_ft3[waiting], left)
        granted[waiting[:done]] = dealt[:done]
        if left == 0:
            reached = int(waiting[done - 1]) + 1
        waiting = waiting[done:]
        waiting = waiting[minimum_milli_ft3[waiting] <= left]
    dropped = (granted == 0) & (open_milli_ft3 > 0)
    dropped[reached:] = False
    return Allocation(granted, dropped, left)


def walk_levels(
    open_milli_ft3: Int64Array,
    minimum_milli_ft3: Int64Array,
    room_milli_ft3: int,
    fee_minor_per_ft3: Int64Array,
) -> Allocation:
    """``walk`` under pro_rata: the rows of the fee that does not fit share what is left (rules §4).

    The loop turns once per fee at which dropped rows leave something over for the next.

    >>> at_one_fee = np.array([400, 400])
    >>> walk_levels(np.array([50, 30]), np.array([0, 0]), 40, at_one_fee).granted_milli_ft3
    array([25, 15])
    """
    granted = open_milli_ft3.copy()
    dropped = np.zeros(len(granted), dtype=np.bool_)
    cumulative = exact_cumulative(open_milli_ft3)
    ascending = -fee_minor_per_ft3
    start, left = 0, int(room_milli_ft3)
    while start < len(granted):
        before = int(cumulative[start - 1]) if start else 0
        short = _first_above(cumulative, before + left)
        if short == len(granted):
            return Allocation(granted, dropped, left - (int(cumulative[-1]) - before))
        first = int(np.searchsorted(ascending, ascending[short], side="left"))
        end = int(np.searchsorted(ascending, ascending[short], side="right"))
        left -= (int(cumulative[first - 1]) if first else 0) - before
        level = share_level(open_milli_ft3[first:end], minimum_milli_ft3[first:end], left)
        granted[first:end] = level.granted_milli_ft3
        dropped[first:end] = level.is_dropped
        start, left = end, level.left_milli_ft3
        if left == 0:
            granted[end:] = 0
            break
    return Allocation(granted, dropped, left)


def share_level(
    open_milli_ft3: Int64Array, minimum_milli_ft3: Int64Array, left_milli_ft3: int
) -> Allocation:
    """Share what is left among rows of one fee, in proportion to open volume (rules §4).

    A row whose share would be positive but below its minimum is dropped, the last in the order
    first, and the rest is shared again. One row alone simply gets the rest.

    >>> share_level(np.array([50, 30]), np.array([0, 0]), 40).granted_milli_ft3
    array([25, 15])
    """
    granted = np.zeros(len(open_milli_ft3), dtype=np.int64)
    dropped = np.zeros(len(open_milli_ft3), dtype=np.bool_)
    active = np.arange(len(open_milli_ft3))
    while True:
        weights, minimum = open_milli_ft3[active], minimum_milli_ft3[active]
        asked = exact_sum(weights)
        if asked <= left_milli_ft3:
            granted[active] = weights
            return Allocation(granted, dropped, left_milli_ft3 - asked)
        if left_milli_ft3 and int(minimum.min()) > left_milli_ft3:
            dropped[active] = True  # someone always gets a share, and nobody's can be enough
            return Allocation(granted, dropped, left_milli_ft3)
        parts = largest_remainder(
            [left_milli_ft3], np.zeros(len(active), dtype=np.int64), weights, np.arange(len(active))
        )
        short = np.flatnonzero((parts > 0) & (parts < minimum))
        if len(short) == 0:
            granted[active] = parts
            return Allocation(granted, dropped, 0)
        lost = _sure_drops(weights, minimum, left_milli_ft3, asked)
        lost = lost if len(lost) else short[-1:]
        dropped[active[lost]] = True
        active = np.delete(active, lost)


def _sure_drops(
    weights: Int64Array, minimum: Int64Array, left_milli_ft3: int, asked_milli_ft3: int
) -> Int64Array:
    """Rows at the end of the order that dropping one by one would surely drop, all at once.

    Shares only grow in their floors as others leave, and a share is its floor or one more. So rows
    whose floor reaches the minimum are safe for good; of the others, taken from the last, one
    falls for sure if its floor is positive already and, when its turn comes, even floor + 1 is
    below its minimum. Saves one sharing per drop where a whole level asks all or nothing.
    """
    if asked_milli_ft3 > INT64_MAX:
        return np.empty(0, dtype=np.int64)
    floor_now = ratio_floor([weights, left_milli_ft3], asked_milli_ft3)
    doubtful = np.flatnonzero(floor_now < minimum)
    weight = weights[doubtful]
    gone_before_its_turn = np.cumsum(weight[::-1])[::-1] - weight
    floor_then = ratio_floor([weight, left_milli_ft3], asked_milli_ft3 - gone_before_its_turn)
    sure = (floor_now[doubtful] >= 1) & (floor_then + 1 < minimum[doubtful])
    run_length = int(np.argmin(np.r_[sure[::-1], False]))
    return doubtful[len(doubtful) - run_length :]


def _deal(
    open_milli_ft3: Int64Array, minimum_milli_ft3: Int64Array, left_milli_ft3: int
) -> tuple[Int64Array, int, int]:
    """Deal until the room or the rows run out, or enough rows were passed over one by one.

    Returns (volume of each row, number of rows dealt with, room left).
    """
    dealt = open_milli_ft3.copy()
    cumulative = exact_cumulative(open_milli_ft3)
    start, left = 0, left_milli_ft3
    for _ in range(_PASSES_BEFORE_SETTING_ASIDE):
        before = int(cumulative[start - 1]) if start else 0
        short = _first_above(cumulative, before + left)
        left -= (int(cumulative[short - 1]) if short else 0) - before
        if short == len(dealt) or left == 0:
            return dealt, short, left
        if left >= int(minimum_milli_ft3[short]):
            dealt[short] = left
            return dealt, short + 1, 0
        dealt[short] = 0
        start = short + 1
    return dealt, start, left


def _first_above(cumulative: WideArray, target: int) -> int:
    """The first row at which the running sum passes the target; their number if none does."""
    within = target if cumulative.dtype == object else min(target, INT64_MAX)
    return int(np.searchsorted(cumulative, within, side="right"))
