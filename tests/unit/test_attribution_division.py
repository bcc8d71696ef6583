from __future__ import annotations

import numpy as np
import pytest

from fbacap_logic.attribution_division import divide_over, divide_product, share_half_even
from fbacap_logic.units import largest_remainder

MAX = 2**63 - 1
EDGES = [0, 1, 2, 3, 2**31, 2**32 - 1, 2**32, 2**32 + 1, 2**62 - 1, 2**62, MAX - 1, MAX]


def column(values):
    return np.array(values, dtype=np.int64)


def every_edge():
    return [
        (amount, part, whole)
        for amount in EDGES
        for whole in EDGES[1:]
        for part in EDGES
        if part <= whole
    ]


def test_floor_and_remainder_are_those_of_unbounded_integers_at_every_edge():
    rows = every_edge()
    quotient, remainder = divide_product(*(column(values) for values in zip(*rows, strict=True)))
    for (amount, part, whole), found in zip(
        rows, zip(quotient.tolist(), remainder.tolist(), strict=True), strict=True
    ):
        assert found == divmod(amount * part, whole)


def test_halves_go_to_the_even_side_however_wide_the_product_is():
    amount = column([1, 3, MAX, MAX - 2, 2**62 + 1])
    part = column([1, 1, 2**61, 2**61, 2**61])
    whole = column([2, 2, 2**62, 2**62, 2**62])
    assert share_half_even(amount, part, whole).tolist() == [
        0, 2, 2**62, 2**62 - 2, 2**61,
    ]  # fmt: skip


@pytest.mark.parametrize("row", [(-1, 1, 1), (1, -1, 1), (1, 1, 0), (1, 2, 1)])
def test_what_is_no_share_of_a_whole_is_refused(row):
    with pytest.raises(ValueError, match="a part must lie within its whole"):
        divide_product(*(column([value]) for value in row))


def test_no_rows_are_no_shares():
    none = column([])
    assert share_half_even(none, none, none).tolist() == []
    assert divide_over(none, none, none, none, none).tolist() == []


def test_parts_are_those_of_largest_remainder_in_128_bits_too():
    totals = column([10, 2**60 + 1, 0])
    group = column([0, 0, 0, 1, 1, 2])
    weight = column([1, 1, 1, 2**61, 2**61 - 1, 5])
    weight_sum = column([3, 3, 3, 2**62 - 1, 2**62 - 1, 5])
    rank = column([2, 0, 1, 3, 4, 5])
    parts = divide_over(totals[group], group, weight, weight_sum, rank)
    assert parts.tolist() == largest_remainder(totals, group, weight, rank).tolist()
    sums = [int(parts[group == number].sum()) for number in range(3)]
    assert sums == totals.tolist()
