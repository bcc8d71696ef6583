"""Exact shares of amounts whose products pass 64 bits, column by column (rules §0, §6).

Here belongs ``a × b / c`` in 128 bits without a Python integer per row: two limbs of 32 bits and
Knuth's long division (The Art of Computer Programming, 4.3.1, algorithm D). Which amounts are
divided, and how they are rounded, is ``attribution`` and ``attribution_evidence``; products of more
than two factors are ``units``.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from fbacap_logic.units import Int64Array, place_within

_WordArray = npt.NDArray[np.uint64]

_HALF = np.uint64(32)
_LOW_HALF = np.uint64(2**32 - 1)
_SIGN = np.uint64(63)
_ZERO, _ONE = np.uint64(0), np.uint64(1)


def divide_product(
    amount: Int64Array, part: Int64Array, whole: Int64Array
) -> tuple[Int64Array, Int64Array]:
    """Floor and remainder of ``amount × part / whole``, exact in 128 bits.

    Args:
        amount: not negative, shape (rows,), any unit.
        part: 0 ≤ part ≤ whole, shape (rows,).
        whole: positive, shape (rows,).

    Returns:
        (quotient, at most the amount; remainder, below the whole), shape (rows,).

    Raises:
        ValueError: a negative amount or part, a whole that is not positive, or a part above it.

    >>> floor, rest = divide_product(np.array([2**62]), np.array([3]), np.array([7]))
    >>> (int(floor[0]), int(rest[0])) == divmod(3 * 2**62, 7)
    True
    """
    if np.any(amount < 0) or np.any(part < 0) or np.any(whole <= 0) or np.any(part > whole):
        raise ValueError("an amount must not be negative, and a part must lie within its whole")
    divisor = whole.astype(np.uint64)
    high, low = _product(amount.astype(np.uint64), part.astype(np.uint64))
    quotient = low // divisor
    remainder = low - quotient * divisor
    wide = np.flatnonzero(high)
    if len(wide):
        quotient[wide], remainder[wide] = _long_division(high[wide], low[wide], divisor[wide])
    return quotient.astype(np.int64), remainder.astype(np.int64)


def share_half_even(amount: Int64Array, part: Int64Array, whole: Int64Array) -> Int64Array:
    """``round_half_even(amount × part / whole)``, exact in 128 bits (rules §0).

    Arguments and errors are those of ``divide_product``.

    >>> share_half_even(np.array([1, 3, 2**62]), np.array([1, 1, 2**62]), np.array([2, 2, 2**62]))
    array([                  0,                   2, 4611686018427387904])
    """
    quotient, remainder = divide_product(amount, part, whole)
    rest = whole - remainder  # compared with the remainder, so that it is never doubled
    up = (remainder > rest) | ((remainder == rest) & (quotient % 2 == 1))
    rounded: Int64Array = quotient + up.astype(np.int64)
    return rounded


def divide_over(
    total: Int64Array,
    group: Int64Array,
    weight: Int64Array,
    weight_sum: Int64Array,
    rank: Int64Array,
) -> Int64Array:
    """Divide each row's group total in proportion to weight, largest remainder (rules §0).

    What ``units.largest_remainder`` computes, for many small groups whose sums are known.

    Args:
        total: the total of each row's group, shape (rows,).
        group: the group of each row, any whole numbers, shape (rows,).
        weight: positive weight of each row, shape (rows,).
        weight_sum: sum of the weights of the row's group, shape (rows,).
        rank: each row's place in the total order, shape (rows,).

    Returns:
        Parts that sum to their group's total, shape (rows,).

    >>> ones, group = np.ones(3, int), np.zeros(3, int)
    >>> divide_over(100 * ones, group, ones, 3 * ones, np.array([2, 0, 1]))
    array([33, 34, 33])
    """
    parts = total.copy()  # a row that is its whole group takes all
    shared = np.flatnonzero(weight < weight_sum)
    if len(shared) == 0:
        return parts
    floor, remainder = divide_product(total[shared], weight[shared], weight_sum[shared])
    order = np.lexsort((rank[shared], -remainder, group[shared]))
    groups = group[shared][order]
    starts = np.flatnonzero(np.r_[True, groups[1:] != groups[:-1]])
    rows_of_group = np.diff(np.r_[starts, len(groups)])
    left = total[shared][order][starts] - np.add.reduceat(floor[order], starts)
    floor[order] += place_within(groups) < np.repeat(left, rows_of_group)
    parts[shared] = floor
    return parts


def _product(first: _WordArray, second: _WordArray) -> tuple[_WordArray, _WordArray]:
    """High and low 64 bits of a product."""
    first_high, first_low = first >> _HALF, first & _LOW_HALF
    second_high, second_low = second >> _HALF, second & _LOW_HALF
    lowest = first_low * second_low
    crossed, crossed_back = first_low * second_high, first_high * second_low
    middle = (lowest >> _HALF) + (crossed & _LOW_HALF) + (crossed_back & _LOW_HALF)
    high = first_high * second_high + (crossed >> _HALF) + (crossed_back >> _HALF)
    return high + (middle >> _HALF), (middle << _HALF) | (lowest & _LOW_HALF)


def _long_division(
    high: _WordArray, low: _WordArray, divisor: _WordArray
) -> tuple[_WordArray, _WordArray]:
    """Quotient and remainder of ``(high × 2^64 + low) / divisor``; high < divisor < 2^63."""
    shift = _leading_zeros(divisor)  # at least 1, because the divisor has 63 bits at most
    scaled = divisor << shift
    upper = (high << shift) | (low >> (_SIGN + _ONE - shift))
    lower = low << shift
    first, rest = _digit(upper, lower >> _HALF, scaled)
    second, rest = _digit(rest, lower & _LOW_HALF, scaled)
    return (first << _HALF) | second, rest >> shift


def _digit(
    upper: _WordArray, next_half: _WordArray, divisor: _WordArray
) -> tuple[_WordArray, _WordArray]:
    """One digit of 32 bits of a quotient, and what is left; the divisor's top bit is set."""
    top, bottom = divisor >> _HALF, divisor & _LOW_HALF
    digit: _WordArray = upper // top
    rest: _WordArray = upper - digit * top
    for _ in range(2):  # the guess is never too small, and at most two too large
        fits_half = rest <= _LOW_HALF
        too_large = (digit > _LOW_HALF) | (digit * bottom > ((rest << _HALF) | next_half))
        too_large &= fits_half
        digit = digit - too_large.astype(np.uint64)
        rest = rest + top * too_large.astype(np.uint64)
    # Wrapping is meant: the true difference is below the divisor.
    left = np.subtract((upper << _HALF) | next_half, digit * divisor, dtype=np.uint64)
    return digit, left


def _leading_zeros(values: _WordArray) -> _WordArray:
    zeros = np.zeros(len(values), dtype=np.uint64)
    for bits in (32, 16, 8, 4, 2, 1):
        is_short = (values << zeros) >> np.uint64(64 - bits) == 0
        zeros += np.where(is_short, np.uint64(bits), _ZERO)
    return zeros
