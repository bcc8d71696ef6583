from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fbacap_logic.units import (
    exact_cumulative,
    exact_sum,
    group_sums,
    largest_remainder,
    place_within,
    ratio_floor,
    ratio_half_even,
)

whole = st.one_of(st.integers(-20, 20), st.integers(-(2**62), 2**62))


@settings(deadline=None, derandomize=True)
@given(st.lists(whole, min_size=1, max_size=4), whole, st.integers(1, 2**62))
def test_a_ratio_is_rounded_half_even_exactly_or_refused(values, factor, divisor):
    exact = [Fraction(value * factor, divisor) for value in values]
    for ratio, expected in (
        (ratio_half_even, [round(value) for value in exact]),
        (ratio_floor, [value.__floor__() for value in exact]),
    ):
        if any(not -(2**63) <= value < 2**63 for value in expected):
            with pytest.raises(ValueError, match="passes 2\\^63 - 1"):
                ratio([np.array(values), factor], divisor)
        else:
            assert ratio([np.array(values), factor], divisor).tolist() == expected


def test_halves_go_to_the_even_neighbour_on_both_sides_of_zero():
    halves = ratio_half_even([np.array([-25, -15, -5, 5, 15, 25]), 1], 10)
    assert halves.tolist() == [-2, -2, 0, 0, 2, 2]


@pytest.mark.parametrize("divisor", [0, -1, np.array([1, 0])])
def test_a_divisor_that_is_not_positive_is_refused(divisor):
    with pytest.raises(ValueError, match="positive"):
        ratio_half_even([np.array([1, 2])], divisor)


def test_a_factor_of_zero_hides_no_overflow_of_the_others():
    assert ratio_half_even([np.array([2**62, 1]), np.array([0, 0]), 2**62], 1).tolist() == [0, 0]


@settings(deadline=None, derandomize=True)
@given(st.lists(st.integers(0, 2**63 - 1), max_size=5))
def test_sums_never_wrap(values):
    column = np.array(values, dtype=np.int64)
    assert exact_sum(column) == sum(values)
    running = [sum(values[: place + 1]) for place in range(len(values))]
    assert [int(value) for value in exact_cumulative(column)] == running


def test_a_group_sum_past_64_bits_is_refused():
    with pytest.raises(ValueError, match="passes 2\\^63 - 1"):
        group_sums(np.array([2**62, 2**62]), np.array([0, 0]), 1)
    assert group_sums(np.array([2**62, 2**62]), np.array([0, 1]), 2).tolist() == [2**62, 2**62]


@settings(deadline=None, derandomize=True)
@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 9)), max_size=8), st.integers(0, 2**62))
def test_parts_sum_to_their_total_and_stay_within_one_of_the_exact_share(rows, total):
    group = np.array([number for number, _ in rows], dtype=np.int64)
    weights = np.array([weight for _, weight in rows], dtype=np.int64)
    sums = [sum(weight for number, weight in rows if number == each) for each in range(3)]
    totals = [total if weight_sum else 0 for weight_sum in sums]
    parts = largest_remainder(totals, group, weights, np.arange(len(rows)))
    for number, weight_sum in enumerate(sums):
        assert sum(int(part) for part in parts[group == number]) == totals[number]
        for part, weight in zip(parts[group == number], weights[group == number], strict=True):
            share = Fraction(total * int(weight), max(weight_sum, 1))
            assert abs(int(part) - share) < 1


def test_what_is_left_goes_to_the_largest_remainder_and_then_to_the_lowest_rank():
    one_group = np.zeros(3, dtype=np.int64)
    by_rest = largest_remainder([10], one_group, np.array([5, 3, 3]), np.array([2, 1, 0]))
    assert by_rest.tolist() == [4, 3, 3]
    by_rank = largest_remainder([1], one_group, np.array([1, 1, 1]), np.array([2, 1, 0]))
    assert by_rank.tolist() == [0, 0, 1]


def test_a_positive_total_over_zero_weights_is_refused():
    zero = np.zeros(1, dtype=np.int64)
    assert largest_remainder([0], zero, zero, zero).tolist() == [0]
    with pytest.raises(ValueError, match="all zero"):
        largest_remainder([5], zero, zero, zero)
    with pytest.raises(ValueError, match="negative"):
        largest_remainder([-5], zero, zero + 1, zero)


def test_places_within_runs_restart_at_zero():
    assert place_within(np.array([], dtype=np.int64)).tolist() == []
    assert place_within(np.array([1, 1, 2])).tolist() == [0, 1, 0]
