"""Who gets how much of a limited volume where equal fees share (rules §4, tie_rule pro_rata).

Here belongs sharing what is left among the requests at the marginal fee, in proportion to open
volume, with largest remainder and dropped minimums. The walk by time is ``clearing_walk``.
"""

from __future__ import annotations

import numpy as np

from fbacap_logic.clearing_selection import Queue, blocks, first_in_order, marginal_level
from fbacap_logic.clearing_walk import Allocation
from fbacap_logic.units import (
    INT64_MAX,
    Int64Array,
    exact_cumulative,
    exact_sum,
    first_above,
    largest_remainder,
    ratio_floor,
)

_LEVELS_BEFORE_SORTING = 8  # each level found by selection costs a pass over what is left


def share_by_level(queue: Queue, supply_milli_ft3: int) -> Allocation:
    """Grant fee by fee; the first fee that does not fit shares what is left (rules §4, pro_rata).

    The fee is found by selection, and its requests are sorted only if one of them falls short of
    its minimum. What dropped requests leave over goes to the fees below.

    >>> queue = Queue(np.array([400, 500, 400]), np.array([2, 1, 1]), np.array(["B", "A", "C"]),
    ...               np.array([50, 60, 30]), np.array([0, 0, 0]))
    >>> share_by_level(queue, 100).granted_milli_ft3
    array([25, 60, 15])
    """
    return _share(queue, supply_milli_ft3, _LEVELS_BEFORE_SORTING)


def _share(queue: Queue, room_milli_ft3: int, levels: int) -> Allocation:
    asked = exact_sum(queue.open_milli_ft3)
    if asked <= room_milli_ft3:
        nothing = np.zeros(len(queue), dtype=np.bool_)
        return Allocation(queue.open_milli_ft3.copy(), nothing, room_milli_ft3 - asked)
    if levels == 0:
        return _share_sorted(queue, room_milli_ft3)
    fee, left = marginal_level(
        queue.fee_minor_per_ft3, queue.open_milli_ft3, room_milli_ft3, highest_first=True
    )
    granted = queue.granted_above(fee)
    dropped = np.zeros(len(queue), dtype=np.bool_)
    level = np.flatnonzero(queue.fee_minor_per_ft3 == fee)
    shared = _share_one_fee(queue.take(level), left)
    granted[level] = shared.granted_milli_ft3
    dropped[level] = shared.is_dropped
    left = shared.left_milli_ft3
    if left:
        below = np.flatnonzero(queue.fee_minor_per_ft3 < fee)
        shared = _share(queue.take(below), left, levels - 1)
        granted[below] = shared.granted_milli_ft3
        dropped[below] = shared.is_dropped
        left = shared.left_milli_ft3
    return Allocation(granted, dropped, left)


def _share_one_fee(queue: Queue, left_milli_ft3: int) -> Allocation:
    """``share_level`` over rows of one fee in no order, sorted only where the order matters."""
    weights = queue.open_milli_ft3
    asked = exact_sum(weights)
    fits = max(int(weights.max()) * left_milli_ft3, asked) <= INT64_MAX
    if fits:
        parts = _parts(queue, left_milli_ft3, asked)
        if not ((parts > 0) & (parts < queue.minimum_milli_ft3)).any():
            return Allocation(parts, np.zeros(len(queue), dtype=np.bool_), 0)
    order = queue.order()
    level = share_level(weights[order], queue.minimum_milli_ft3[order], left_milli_ft3)
    return _unsorted(level, order)


def _parts(queue: Queue, left_milli_ft3: int, asked_milli_ft3: int) -> Int64Array:
    """Largest remainder in 64 bits, the last units found by selection (rules §0)."""
    weights = queue.open_milli_ft3
    parts = np.empty(len(queue), dtype=np.int64)
    remainder = np.empty(len(queue), dtype=np.int64)
    for block in blocks(len(queue)):
        product = weights[block] * left_milli_ft3
        np.floor_divide(product, asked_milli_ft3, out=parts[block])
        np.subtract(product, parts[block] * asked_milli_ft3, out=remainder[block])
    units = left_milli_ft3 - int(parts.sum())
    if units:
        least = np.partition(remainder, len(queue) - units)[len(queue) - units]
        larger = np.flatnonzero(remainder > least)
        parts[larger] += 1
        tied = np.flatnonzero(remainder == least)
        parts[first_in_order(queue, tied, units - len(larger))] += 1
    return parts


def _share_sorted(queue: Queue, room_milli_ft3: int) -> Allocation:
    order = queue.order()
    in_order = _walk_levels(
        queue.open_milli_ft3[order],
        queue.minimum_milli_ft3[order],
        room_milli_ft3,
        queue.fee_minor_per_ft3[order],
    )
    return _unsorted(in_order, order)


def _unsorted(in_order: Allocation, order: Int64Array) -> Allocation:
    """An allocation over rows in order, put back into the rows' own places."""
    granted = np.empty(len(order), dtype=np.int64)
    granted[order] = in_order.granted_milli_ft3
    dropped = np.empty(len(order), dtype=np.bool_)
    dropped[order] = in_order.is_dropped
    return Allocation(granted, dropped, in_order.left_milli_ft3)


def _walk_levels(
    open_milli_ft3: Int64Array,
    minimum_milli_ft3: Int64Array,
    room_milli_ft3: int,
    fee_minor_per_ft3: Int64Array,
) -> Allocation:
    """``share_by_level`` over rows in the total order.

    The loop turns once per fee at which dropped rows leave something over for the next.
    """
    granted = open_milli_ft3.copy()
    dropped = np.zeros(len(granted), dtype=np.bool_)
    running = exact_cumulative(open_milli_ft3)
    ascending = -fee_minor_per_ft3
    start, left = 0, int(room_milli_ft3)
    while start < len(granted):
        before = int(running[start - 1]) if start else 0
        short = first_above(running, before + left)
        if short == len(granted):
            return Allocation(granted, dropped, left - (int(running[-1]) - before))
        first = int(np.searchsorted(ascending, ascending[short], side="left"))
        end = int(np.searchsorted(ascending, ascending[short], side="right"))
        left -= (int(running[first - 1]) if first else 0) - before
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
        lost = _drops_of_single_units(weights, minimum, left_milli_ft3, asked)
        lost = lost if len(lost) else _sure_drops(weights, minimum, left_milli_ft3, asked)
        lost = lost if len(lost) else short[-1:]
        dropped[active[lost]] = True
        active = np.delete(active, lost)


def _drops_of_single_units(
    weights: Int64Array, minimum: Int64Array, left_milli_ft3: int, asked_milli_ft3: int
) -> Int64Array:
    """Rows that would be dropped one by one while there is less than a unit for each, all at once.

    As long as every floor is 0, the units go one each to the rows of largest weight. Of these the
    last in the order whose minimum is above a unit is dropped, and the row next in weight takes
    its unit. So after ``drops`` of them, the rows that still hold a unit are the first in the order
    of all that ever held one, and the row that came last. None where a floor is not 0.
    """
    none = np.empty(0, dtype=np.int64)
    largest = int(weights.max())
    spare = asked_milli_ft3 - 1 - left_milli_ft3 * largest  # weight that may go, floors still 0
    by_weight = np.argsort(-weights, kind="stable")
    waiting = by_weight[left_milli_ft3:]
    content = np.flatnonzero(minimum[waiting] <= 1)  # a unit is enough for these
    drops = min(int(content[0]) if len(content) else len(waiting), spare // largest)
    if drops < 1:
        return none
    held = by_weight[: left_milli_ft3 + drops - 1]
    short = np.sort(held[minimum[held] > 1])
    return short[len(short) - drops :] if len(short) >= drops else none


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
