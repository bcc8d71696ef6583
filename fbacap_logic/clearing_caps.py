"""Room under the sellers' caps (rules §3).

Here belongs dealing each seller's room over the seller's open requests, before clearing. What the
cap is comes from ``requests``; what the market then grants from ``clearing_round``.
"""

from __future__ import annotations

import numpy as np

from fbacap_logic.clearing_walk import walk
from fbacap_logic.frames import BoolArray
from fbacap_logic.units import Int64Array, exact_cumulative


def deal_room(
    seller_market: Int64Array,
    place: Int64Array,
    open_milli_ft3: Int64Array,
    minimum_milli_ft3: Int64Array,
    room_milli_ft3: Int64Array,
) -> tuple[Int64Array, BoolArray]:
    """Trim open volumes to the room each seller has left, in the total order (rules §3).

    A request whose share would be positive but below its remaining minimum is passed over, and its
    room goes to the next.

    Args:
        seller_market: number of the seller and market of each request.
        place: place of each request in the total order.
        open_milli_ft3: what each request still asks for.
        minimum_milli_ft3: its remaining minimum.
        room_milli_ft3: cap less earlier grants, per seller_market number.

    Returns:
        (trimmed volume of each request, whether it was passed over).

    >>> trimmed, passed = deal_room(
    ...     np.array([0, 0, 0]), np.array([0, 1, 2]), np.array([60, 50, 30]),
    ...     np.array([0, 45, 0]), np.array([100]))
    >>> trimmed, passed
    (array([60,  0, 30]), array([False,  True, False]))
    """
    order = np.lexsort((place, seller_market))
    seller = seller_market[order]
    room = room_milli_ft3[seller]
    wanted = np.minimum(open_milli_ft3[order], room)  # more would not change a share
    if len(order) == 0:
        return wanted, np.zeros(0, dtype=np.bool_)
    starts = np.flatnonzero(np.r_[True, seller[1:] != seller[:-1]])
    ends = np.r_[starts[1:], len(seller)]
    cumulative = exact_cumulative(wanted)
    before_start = np.r_[cumulative[:1] * 0, cumulative[starts[1:] - 1]]
    before = cumulative - wanted - np.repeat(before_start, ends - starts)
    share = np.clip(room - before, 0, wanted).astype(np.int64)
    passed = np.zeros(len(seller), dtype=np.bool_)
    short = (share > 0) & (share < minimum_milli_ft3[order])
    for group in np.unique(np.searchsorted(starts, np.flatnonzero(short), side="right") - 1):
        rows = order[starts[group] : ends[group]]
        dealt = walk(open_milli_ft3[rows], minimum_milli_ft3[rows], int(room[starts[group]]))
        share[starts[group] : ends[group]] = dealt.granted_milli_ft3
        passed[starts[group] : ends[group]] = dealt.is_dropped
    trimmed = np.empty(len(order), dtype=np.int64)
    trimmed[order] = share
    was_passed = np.empty(len(order), dtype=np.bool_)
    was_passed[order] = passed
    return trimmed, was_passed
