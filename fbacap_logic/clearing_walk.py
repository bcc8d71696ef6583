"""Who gets how much of a limited volume, in the total order (rules §§3–4): the walk.

Here belongs the walk of ``time_priority``: over rows that already stand in order, and over a book
in no order, of which only the rows at the margin are ever sorted. Sharing in proportion is in
``clearing_pro_rata``; frames, prices and reasons are in ``clearing_round``.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fbacap_logic.clearing_selection import (
    Queue,
    is_before,
    last_in_order,
    marginal_level,
    sort_by_id,
)
from fbacap_logic.frames import BoolArray
from fbacap_logic.units import Int64Array, exact_cumulative, exact_sum, first_above

_PASSES_BEFORE_SETTING_ASIDE = 64  # setting rows aside costs a pass over the rest of the book
_MARGINS_BEFORE_SORTING = 8  # each margin found by selection costs a pass over what is left


@dataclass(frozen=True)
class Allocation:
    """What each row got, which rows were dropped for their minimum, and what is left over."""

    granted_milli_ft3: Int64Array
    is_dropped: BoolArray
    left_milli_ft3: int


def grant_in_order(queue: Queue, supply_milli_ft3: int) -> Allocation:
    """Walk down the total order of a book that stands in no order (rules §4, time_priority).

    All before the margin are granted in full, the marginal request gets the rest; where the rest is
    below its minimum it is dropped, and the margin is looked for again behind it. After a few such
    drops, what is left of the book is sorted and walked.

    >>> queue = Queue(np.array([300, 500, 400]), np.array([1, 1, 1]), np.array(["D", "A", "B"]),
    ...               np.array([10, 60, 50]), np.array([0, 0, 45]))
    >>> allocation = grant_in_order(queue, 100)
    >>> allocation.granted_milli_ft3, allocation.is_dropped, allocation.left_milli_ft3
    (array([10, 60,  0]), array([False, False,  True]), 30)
    """
    walked = _grant(queue, supply_milli_ft3, _MARGINS_BEFORE_SORTING)
    dropped = np.zeros(len(queue), dtype=np.bool_)
    if walked.has_passed_over:
        dropped = walked.granted_milli_ft3 == 0
        if walked.end is not None:
            dropped &= is_before(queue, walked.end)
    return Allocation(walked.granted_milli_ft3, dropped, walked.left_milli_ft3)


def walk(
    open_milli_ft3: Int64Array, minimum_milli_ft3: Int64Array, room_milli_ft3: int
) -> Allocation:
    """Deal room to rows that already stand in the total order (rules §§3–4).

    Each row gets all it asks while room lasts; the first that does not fit gets the rest, unless
    the rest is below its minimum: then it is passed over and the walk goes on. Passing over the
    one row that came short and walking on is the same as clearing again without it, because
    nothing before it changes.

    >>> walk(np.array([60, 50, 10]), np.array([0, 45, 0]), 100).granted_milli_ft3
    array([60,  0, 10])
    """
    granted, left, reached = _walk(open_milli_ft3, minimum_milli_ft3, room_milli_ft3)
    dropped = (granted == 0) & (open_milli_ft3 > 0)
    dropped[reached:] = False
    return Allocation(granted, dropped, left)


@dataclass(frozen=True)
class _Walked:
    """What each row got, what is left, and where the walk ended.

    ``end`` is the row that got the last of the room; None: the walk went through.
    """

    granted_milli_ft3: Int64Array
    left_milli_ft3: int
    end: int | None
    has_passed_over: bool


def _grant(queue: Queue, room_milli_ft3: int, margins: int) -> _Walked:
    asked = exact_sum(queue.open_milli_ft3)
    if asked <= room_milli_ft3:
        end = last_in_order(queue, np.arange(len(queue))) if asked == room_milli_ft3 else None
        return _Walked(queue.open_milli_ft3.copy(), room_milli_ft3 - asked, end, False)
    if margins == 0:
        return _grant_sorted(queue, room_milli_ft3)
    fee, left = marginal_level(
        queue.fee_minor_per_ft3, queue.open_milli_ft3, room_milli_ft3, highest_first=True
    )
    granted = queue.granted_above(fee)
    level = np.flatnonzero(queue.fee_minor_per_ft3 == fee)
    level_time, level_open = queue.time[level], queue.open_milli_ft3[level]
    time, left = marginal_level(level_time, level_open, left, highest_first=False)
    sooner = level_time < time
    granted[level[sooner]] = level_open[sooner]
    tied = sort_by_id(queue, level[level_time == time])
    running = exact_cumulative(queue.open_milli_ft3[tied])
    place = first_above(running, left)
    granted[tied[:place]] = queue.open_milli_ft3[tied[:place]]
    left -= int(running[place - 1]) if place else 0
    row = int(tied[place])
    if left == 0:
        return _Walked(granted, 0, last_in_order(queue, np.flatnonzero(granted)), False)
    if left >= queue.minimum_milli_ft3[row]:
        granted[row] = left
        return _Walked(granted, 0, row, False)
    behind = np.r_[
        np.flatnonzero(queue.fee_minor_per_ft3 < fee), level[level_time > time], tied[place + 1 :]
    ]
    behind = behind[queue.minimum_milli_ft3[behind] <= left]  # room only shrinks
    rest = _grant(queue.take(behind), left, margins - 1)
    granted[behind] = rest.granted_milli_ft3
    end = None if rest.end is None else int(behind[rest.end])
    return _Walked(granted, rest.left_milli_ft3, end, True)


def _grant_sorted(queue: Queue, room_milli_ft3: int) -> _Walked:
    order = queue.order()
    dealt, left, reached = _walk(
        queue.open_milli_ft3[order], queue.minimum_milli_ft3[order], room_milli_ft3
    )
    granted = np.empty(len(queue), dtype=np.int64)
    granted[order] = dealt
    end = int(order[reached - 1]) if left == 0 else None
    return _Walked(granted, left, end, True)


def _walk(
    open_milli_ft3: Int64Array, minimum_milli_ft3: Int64Array, room_milli_ft3: int
) -> tuple[Int64Array, int, int]:
    """``walk``: the volume of each row, the room left, and how many rows the walk came to.

    Room only shrinks, so rows whose minimum is above what is left can be set aside all at once;
    whether they were passed over or never reached shows when the room has run out.
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
    return granted, left, reached


def _deal(
    open_milli_ft3: Int64Array, minimum_milli_ft3: Int64Array, left_milli_ft3: int
) -> tuple[Int64Array, int, int]:
    """Deal until the room or the rows run out, or enough rows were passed over one by one.

    Returns (volume of each row, number of rows dealt with, room left).
    """
    dealt = open_milli_ft3.copy()
    running = exact_cumulative(open_milli_ft3)
    start, left = 0, left_milli_ft3
    for _ in range(_PASSES_BEFORE_SETTING_ASIDE):
        before = int(running[start - 1]) if start else 0
        short = first_above(running, before + left)
        left -= (int(running[short - 1]) if short else 0) - before
        if short == len(dealt) or left == 0:
            return dealt, short, left
        if left >= int(minimum_milli_ft3[short]):
            dealt[short] = left
            return dealt, short + 1, 0
        dealt[short] = 0
        start = short + 1
    return dealt, start, left
