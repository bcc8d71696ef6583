"""Finding the margin without sorting the book (rules §4).

Here belong the weighted selection of the level at which space runs out, and the choice of the first
few in the total order. What is granted around the margin is the business of ``clearing_walk`` and
``clearing_pro_rata``.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fbacap_logic.frames import BoolArray, TextArray, TextColumn
from fbacap_logic.total_order import order_requests
from fbacap_logic.units import INT64_MAX, Int64Array, exact_cumulative, exact_sum

RowArray = npt.NDArray[np.intp]

BLOCK_ROWS = 65_536  # a block's columns and temporaries stay in the processor's cache
_SORTED_AT_ONCE = 8_192  # below this a sort costs less than another pass
_SAMPLE_ROWS = 4_096
_BRACKET_ROWS = 200  # three standard deviations of a sampled rank, and a little
_TRIES_BY_SAMPLE = 4


@dataclass(frozen=True)
class Queue:
    """Requests that wait for space, as plain columns of one length, in no particular order.

    ``time`` is the instant of the total order as a count; ``request_id`` may be any column of text.
    """

    fee_minor_per_ft3: Int64Array
    time: Int64Array
    request_id: TextColumn
    open_milli_ft3: Int64Array
    minimum_milli_ft3: Int64Array

    def __len__(self) -> int:
        return len(self.fee_minor_per_ft3)

    def take(self, rows: RowArray) -> Queue:
        """Some of the rows, in the order given; all of them, ascending, are the queue itself."""
        if len(rows) == len(self):
            return self
        return Queue(
            self.fee_minor_per_ft3[rows],
            self.time[rows],
            self.request_id[rows],
            self.open_milli_ft3[rows],
            self.minimum_milli_ft3[rows],
        )

    def texts_of(self, rows: RowArray | slice) -> TextArray:
        """The request ids of some rows."""
        return np.asarray(self.request_id[rows], dtype=object)

    def order(self) -> RowArray:
        """All rows in the total order."""
        return order_requests(self.fee_minor_per_ft3, self.time, self.texts_of(slice(None)))

    def granted_above(self, fee_minor_per_ft3: int) -> Int64Array:
        """All of its open volume to each row above a fee, nothing to the others."""
        granted = np.empty(len(self), dtype=np.int64)
        for block in blocks(len(self)):
            above = self.fee_minor_per_ft3[block] > fee_minor_per_ft3
            np.multiply(self.open_milli_ft3[block], above, out=granted[block])
        return granted


def blocks(rows: int) -> Iterator[slice]:
    """Slices that cover ``rows`` rows, each small enough for the processor's cache."""
    for start in range(0, rows, BLOCK_ROWS):
        yield slice(start, min(start + BLOCK_ROWS, rows))


def marginal_level(
    keys: Int64Array, volumes: Int64Array, room: int, *, highest_first: bool
) -> tuple[int, int]:
    """The level at which more is asked than there is, and the room left when it is reached.

    Going through the levels of ``keys`` (fees: highest first; times: lowest first), it is the first
    for which ``Σ volumes`` up to and including it passes ``room``. A sample says where to look, one
    pass over the rows keeps what lies near; the rows that are left shrink tenfold a pass, so the
    whole costs little more than one.

    Args:
        keys: the level of each row.
        volumes: the volume of each row, not negative.
        room: what there is to give.
        highest_first: the direction.

    Returns:
        (level, room less the volume of the levels before it).

    Raises:
        ValueError: the room covers everything, so there is no margin.

    >>> marginal_level(np.array([500, 400, 300]), np.array([60, 50, 10]), 100, highest_first=True)
    (400, 40)
    """
    if exact_sum(volumes) <= room:
        raise ValueError("the room covers every request, so no level is marginal")
    tries = 0
    while len(keys) > _SORTED_AT_ONCE:
        near, far = _bracket(keys, volumes, room, tries, highest_first=highest_first)
        tries += 1
        before, inside, inside_volumes = _split(
            keys, volumes, near, far, highest_first=highest_first
        )
        through = before + exact_sum(inside_volumes)
        if before > room:
            ahead = keys > near if highest_first else keys < near
            keys, volumes = keys[ahead], volumes[ahead]
        elif through <= room:
            behind = keys < far if highest_first else keys > far
            keys, volumes, room = keys[behind], volumes[behind], room - through
        elif near == far:
            return near, room - before
        else:
            keys, volumes, room = inside, inside_volumes, room - before
    order = np.argsort(keys)
    order = order[::-1] if highest_first else order
    running = exact_cumulative(volumes[order])
    level = keys[order[int(np.argmax(running > room))]]
    ahead = keys > level if highest_first else keys < level
    return int(level), room - exact_sum(volumes[ahead])


def first_in_order(queue: Queue, rows: RowArray, count: int) -> RowArray:
    """The first ``count`` of some rows of one fee in the total order, themselves in no order.

    >>> queue = Queue(np.zeros(3, int), np.array([5, 4, 5]), np.array(["b", "c", "a"], object),
    ...               np.ones(3, int), np.zeros(3, int))
    >>> first_in_order(queue, np.arange(3), 2).tolist()
    [1, 2]
    """
    if count == 0 or count == len(rows):
        return rows[:count]
    time = queue.time[rows]
    last = np.partition(time, count - 1)[count - 1]
    sooner = rows[time < last]
    tied = sort_by_id(queue, rows[time == last])
    chosen: RowArray = np.r_[sooner, tied[: count - len(sooner)]]
    return chosen


def sort_by_id(queue: Queue, rows: RowArray) -> RowArray:
    """Rows of one fee and time in the total order: by the bytes of request_id.

    UTF-8 sorts by bytes as Python's text sorts by code points, so no encoding is needed.
    """
    if len(rows) < 2:
        return rows
    order = np.argsort(queue.texts_of(rows), kind="stable")
    return rows[order]


def last_in_order(queue: Queue, rows: RowArray) -> int:
    """The last of some rows, at least one, in the total order."""
    fee = queue.fee_minor_per_ft3[rows]
    level = rows[fee == fee.min()]
    time = queue.time[level]
    return int(sort_by_id(queue, level[time == time.max()])[-1])


def is_before(queue: Queue, row: int) -> BoolArray:
    """Which rows stand strictly before one row in the total order."""
    fee, time = queue.fee_minor_per_ft3[row], queue.time[row]
    at_fee = queue.fee_minor_per_ft3 == fee
    result: BoolArray = (queue.fee_minor_per_ft3 > fee) | (at_fee & (queue.time < time))
    tied = sort_by_id(queue, np.flatnonzero(at_fee & (queue.time == time)))
    result[tied[: int(np.argmax(tied == row))]] = True
    return result


def _bracket(
    keys: Int64Array, volumes: Int64Array, room: int, tries: int, *, highest_first: bool
) -> tuple[int, int]:
    """Two levels, the nearer and the farther, between which the margin probably lies.

    They are one level where it takes up much of the sample: a pass can then tell what lies before,
    in and after it. A sample that misleads time and again gives way to the median.
    """
    if tries >= _TRIES_BY_SAMPLE:
        middle = len(keys) // 2
        median = int(np.partition(keys, middle)[middle])
        return median, median
    step = max(len(keys) // _SAMPLE_ROWS, 1)
    sample, weights = keys[::step], volumes[::step]
    order = np.argsort(sample)
    order = order[::-1] if highest_first else order
    running = exact_cumulative(weights[order])
    target = int(running[-1]) * room // exact_sum(volumes)
    place = min(int(np.searchsorted(running, min(target, INT64_MAX))), len(order) - 1)
    near_place = max(place - _BRACKET_ROWS, 0)
    far_place = min(place + _BRACKET_ROWS, len(order) - 1)
    near, far = int(sample[order[near_place]]), int(sample[order[far_place]])
    inside = (sample >= min(near, far)) & (sample <= max(near, far))
    if int(np.count_nonzero(inside)) > len(sample) // 4:
        pivot = int(sample[order[place]])
        return pivot, pivot
    return near, far


def _split(
    keys: Int64Array, volumes: Int64Array, near: int, far: int, *, highest_first: bool
) -> tuple[int, Int64Array, Int64Array]:
    """The volume before level ``near``, and the rows from it through level ``far``."""
    low, high = (far, near) if highest_first else (near, far)
    is_wide = int(volumes.max()) > INT64_MAX // BLOCK_ROWS
    before = 0
    inside_keys, inside_volumes = [], []
    for block in blocks(len(keys)):
        key, volume = keys[block], volumes[block]
        ahead = key > high if highest_first else key < low
        before += exact_sum(volume[ahead]) if is_wide else int((volume * ahead).sum())
        inside = np.flatnonzero((key >= low) & (key <= high))
        inside_keys.append(key[inside])
        inside_volumes.append(volume[inside])
    return before, np.concatenate(inside_keys), np.concatenate(inside_volumes)
