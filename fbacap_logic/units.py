"""Units, and arithmetic that never drifts (rules §0).

Here belong the unit constants, exact sums, and the only ways money or volume is ever divided:
``ratio_half_even`` (one rounding, once per amount), ``ratio_floor`` (caps and shares, where a rule
says floor) and ``largest_remainder`` (parts that sum to their total). Conversions between a
currency's text form and minor units are SQL's business.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

Int64Array = npt.NDArray[np.int64]
WideArray = npt.NDArray[Any]  # int64 where that is wide enough, Python integers elsewhere

MILLI_PER_FT3 = 1_000
MICRO_PER_MINOR = 1_000_000
BASIS_POINTS = 10_000
INT64_MAX = 2**63 - 1
INT64_MIN = -(2**63)


def ratio_half_even(factors: Sequence[Int64Array | int], divisor: Int64Array | int) -> Int64Array:
    """Round the product of ``factors`` over ``divisor`` half to even, exactly (rules §0).

    ``result = round_half_even(f1 × f2 × … / divisor)``, element by element. Products that would
    leave 63 bits are computed with Python's unbounded integers, never wrapped, never floated.

    Args:
        factors: int64 arrays of one length, or ints; any sign. At least one is an array.
        divisor: positive int64 array of that length, or a positive int.

    Raises:
        ValueError: a divisor is not positive, or a result does not fit in 64 bits.

    >>> ratio_half_even([np.array([5, 15, 25]), 1], 10)
    array([0, 2, 2])
    >>> ratio_half_even([np.array([2**62]), 1000], 1000)
    array([4611686018427387904])
    """
    quotient, remainder, denominator = _divide(factors, divisor)
    twice = 2 * remainder
    up = (twice > denominator) | ((twice == denominator) & (quotient % 2 == 1))
    return _narrow(quotient + up.astype(quotient.dtype))


def ratio_floor(factors: Sequence[Int64Array | int], divisor: Int64Array | int) -> Int64Array:
    """Floor of the product of ``factors`` over ``divisor``, exactly (rules §§3, 7: the caps).

    Arguments and errors are those of ``ratio_half_even``.

    >>> ratio_floor([np.array([9_999, 2**62]), 5_000], 10_000)
    array([               4999, 2305843009213693952])
    """
    quotient, _, _ = _divide(factors, divisor)
    return _narrow(quotient)


def exact_sum(values: Int64Array) -> int:
    """Sum of an int64 array as an unbounded integer, never wrapped.

    >>> exact_sum(np.array([2**62, 2**62, 2**62])) == 3 * 2**62
    True
    """
    if _largest_magnitude(values) * len(values) <= INT64_MAX:
        return int(values.sum())
    low = values & 0xFFFF_FFFF
    return (int((values >> 32).sum()) << 32) + int(low.sum())


def exact_cumulative(values: Int64Array) -> WideArray:
    """Running sums: int64 where they are sure to fit, Python integers otherwise.

    >>> int(exact_cumulative(np.array([2**62, 2**62, 2**62]))[-1]) == 3 * 2**62
    True
    """
    wide = _largest_magnitude(values) * len(values) > INT64_MAX
    return np.cumsum(values.astype(object) if wide else values)


def first_above(running: WideArray, target: int) -> int:
    """The first row at which a running sum passes the target; their number if none does.

    >>> first_above(np.array([60, 110, 120]), 110)
    2
    """
    within = target if running.dtype == object else min(target, INT64_MAX)
    return int(np.searchsorted(running, within, side="right"))


def group_sums(values: Int64Array, group: Int64Array, groups: int) -> Int64Array:
    """Exact sum of ``values`` per group number (0 ≤ group < groups).

    Raises:
        ValueError: a sum does not fit in 64 bits.

    >>> group_sums(np.array([1, 2, 3]), np.array([0, 1, 0]), 3)
    array([4, 2, 0])
    """
    return _narrow(_group_sums(values, group, groups))


def largest_remainder(
    totals: Int64Array | Sequence[int],
    group: Int64Array,
    weights: Int64Array,
    rank: Int64Array,
) -> Int64Array:
    """Divide each group's total over its rows in proportion to weight (rules §0).

    Every row gets ``floor(total × weight / Σ weight)``; the units left go one each to the rows
    with the largest remainders, ties to the lowest ``rank``. Parts sum to the total exactly.

    Args:
        totals: one non-negative total per group, shape (groups,).
        group: group number of each row, 0 ≤ group < groups, shape (rows,).
        weights: non-negative weight of each row, shape (rows,).
        rank: each row's place in the total order, shape (rows,).

    Returns:
        int64 parts, shape (rows,), in the rows' own order.

    Raises:
        ValueError: a positive total whose weights are all zero, or a negative total or weight.

    >>> largest_remainder([100], np.zeros(3, int), np.array([1, 1, 1]), np.array([2, 0, 1]))
    array([33, 34, 33])
    """
    total = np.asarray(totals, dtype=np.int64)
    if np.any(total < 0) or np.any(weights < 0):
        raise ValueError("totals and weights must not be negative")
    weight_sum = _group_sums(weights, group, len(total))
    if np.any((weight_sum == 0) & (total > 0)):
        raise ValueError("a positive total cannot be divided over weights that are all zero")
    wide = _largest_magnitude(total) * _largest_magnitude(weights) > INT64_MAX
    dtype = object if wide or weight_sum.dtype == object else np.int64
    product = total.astype(dtype)[group] * weights.astype(dtype)
    divisor = np.where(weight_sum == 0, 1, weight_sum).astype(dtype)[group]
    parts = product // divisor
    remainder = product - parts * divisor
    left = total.astype(dtype).copy()
    np.subtract.at(left, group, parts)
    parts = np.asarray(parts, dtype=np.int64)
    order = np.lexsort((rank, _descending_rank(remainder), group))
    place_in_group = place_within(group[order])
    winners = order[place_in_group < left.astype(np.int64)[group[order]]]
    parts[winners] += 1
    return parts


def place_within(sorted_group: Int64Array) -> Int64Array:
    """0, 1, 2 … within each run of equal values of a sorted array.

    >>> place_within(np.array([4, 4, 7, 7, 7]))
    array([0, 1, 0, 1, 2])
    """
    if len(sorted_group) == 0:
        return np.empty(0, dtype=np.int64)
    starts = np.flatnonzero(np.r_[True, sorted_group[1:] != sorted_group[:-1]])
    lengths = np.diff(np.r_[starts, len(sorted_group)])
    return np.arange(len(sorted_group), dtype=np.int64) - np.repeat(starts, lengths)


def _divide(
    factors: Sequence[Int64Array | int], divisor: Int64Array | int
) -> tuple[WideArray, WideArray, WideArray]:
    """Floor quotient, remainder and divisor, in a type wide enough for twice the remainder."""
    if np.any(np.asarray(divisor) <= 0):
        raise ValueError("divisor must be positive")
    product_bound = 1
    for factor in factors:
        product_bound *= max(_largest_magnitude(factor), 1)
    wide = max(product_bound, 2 * _largest_magnitude(divisor)) > INT64_MAX
    dtype = object if wide else np.int64
    numerator: WideArray = np.asarray(1, dtype=dtype)
    for factor in factors:
        numerator = numerator * np.asarray(factor).astype(dtype)
    denominator = np.asarray(divisor).astype(dtype)
    quotient = np.asarray(numerator // denominator)
    return quotient, np.asarray(numerator - quotient * denominator), denominator


def _narrow(values: WideArray) -> Int64Array:
    is_wide = values.dtype == object and values.size > 0
    if is_wide and (values.max() > INT64_MAX or values.min() < INT64_MIN):
        raise ValueError("a result passes 2^63 - 1; the amounts are too large for this market")
    return np.asarray(values, dtype=np.int64)


def _group_sums(values: Int64Array, group: Int64Array, groups: int) -> WideArray:
    wide = _largest_magnitude(values) * max(len(values), 1) > INT64_MAX
    sums: WideArray = np.zeros(groups, dtype=object if wide else np.int64)
    np.add.at(sums, group, values.astype(sums.dtype))
    return sums


def _largest_magnitude(values: Int64Array | int) -> int:
    array = np.asarray(values)
    if array.size == 0:
        return 0
    return max(abs(int(array.max())), abs(int(array.min())))


def _descending_rank(values: WideArray) -> Int64Array:
    """Sort keys, largest value first; equal values share a key."""
    if values.dtype != object:
        return -values.astype(np.int64)
    _, inverse = np.unique(values, return_inverse=True)
    return -inverse.astype(np.int64)
