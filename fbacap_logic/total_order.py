"""The total order of requests (rules §3): fee descending, time ascending, request_id by bytes.

Here belongs the order that every tie is broken by. Who gets what in that order is the business of
``clearing``, ``credits`` and ``attribution``.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from fbacap_logic.frames import InstantArray, TextArray
from fbacap_logic.units import Int64Array


def order_requests(
    fee_minor_per_ft3: Int64Array, instant: InstantArray | Int64Array, request_id: TextArray
) -> Int64Array:
    """Row numbers in the total order. Text is compared only where fee and time are equal.

    UTF-8 sorts by bytes as Python's text sorts by code points, so no encoding is needed.

    >>> at = np.array(["2026-01-02", "2026-01-01", "2026-01-01"], dtype="datetime64[us]")
    >>> ids = np.array(["c", "b", "a"], dtype=object)
    >>> order_requests(np.array([400, 400, 400]), at, ids)
    array([2, 1, 0])
    """
    time = instant.view(np.int64)
    order = np.lexsort((time, -fee_minor_per_ft3))
    fee_sorted, time_sorted = fee_minor_per_ft3[order], time[order]
    same = (fee_sorted[1:] == fee_sorted[:-1]) & (time_sorted[1:] == time_sorted[:-1])
    if not same.any():
        return order
    tied = np.flatnonzero(np.r_[False, same] | np.r_[same, False])
    run = np.cumsum(np.r_[True, ~same])[tied]
    id_code, _ = pd.factorize(request_id[order[tied]], sort=True)
    order[tied] = order[tied][np.lexsort((id_code, run))]
    return order


def rank_grants(
    fee_minor_per_ft3: Int64Array, instant: InstantArray, request_id: TextArray, round_: Int64Array
) -> Int64Array:
    """Each grant's place in the total order; grants of one request by round (rules §0)."""
    id_code, _ = pd.factorize(request_id, sort=True)
    order = np.lexsort((round_, id_code, instant.view(np.int64), -fee_minor_per_ft3))
    return inverse_of(order)


def inverse_of(order: Int64Array) -> Int64Array:
    """The place of each row, given the rows in order.

    >>> inverse_of(np.array([2, 0, 1]))
    array([1, 2, 0])
    """
    place = np.empty(len(order), dtype=np.int64)
    place[order] = np.arange(len(order), dtype=np.int64)
    return place
