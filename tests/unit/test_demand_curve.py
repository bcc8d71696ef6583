"""The published demand curve: what a cell holds, where it is cut, and what is never shown."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from fbacap_logic.demand_curve import DEMAND_CURVE_COLUMNS, demand_curves

EDGES = ["from_fee_minor_per_ft3", "sellers", "requests", "cumulative_demanded_milli_ft3"]


def allocations(*rows, **same):
    """Rows of (seller, max fee, trimmed, granted) of one market round."""
    columns = ["seller_id", "max_fee_minor_per_ft3", "trimmed_milli_ft3", "granted_milli_ft3"]
    frame = pd.DataFrame(rows, columns=columns)
    market = {"marketplace_id": "US", "storage_type": "standard", "round": 1}
    return frame.assign(**(market | same))


def cells(frame, *columns):
    return demand_curves(frame)[list(columns or EDGES)].to_numpy().tolist()


def test_fees_join_a_cell_from_the_lowest_up_until_it_holds_three_sellers():
    frame = allocations(
        ("a", 900, 1, 0), ("b", 800, 2, 0), ("c", 700, 4, 0), ("d", 700, 8, 0),
        ("e", 600, 16, 0), ("f", 500, 32, 0), ("g", 400, 64, 0),
    )  # fmt: skip
    assert cells(frame) == [[700, 4, 4, 15], [400, 3, 3, 127]]
    assert cells(frame, "cell", "demanded_milli_ft3") == [[1, 15], [2, 112]]


def test_one_sellers_steps_count_as_one_seller():
    frame = allocations(
        ("a", 900, 1, 0), ("a", 800, 1, 0), ("b", 700, 1, 0), ("a", 600, 1, 0), ("b", 500, 1, 0),
        ("c", 400, 1, 0), ("c", 300, 1, 0),
    )  # fmt: skip
    assert cells(frame) == [[300, 3, 7, 7]]


def test_what_is_left_at_the_top_joins_the_highest_cell():
    frame = allocations(
        *((seller, 100 * place, 1, 0) for place, seller in enumerate("abcdefgh", 1))
    )
    assert cells(frame) == [[400, 5, 5, 5], [100, 3, 3, 8]]


def test_a_round_with_fewer_than_three_sellers_has_no_curve():
    frame = allocations(("a", 900, 1, 0), ("b", 800, 1, 0), ("a", 700, 1, 0), ("c", 600, 0, 0))
    curve = demand_curves(frame)
    assert curve.empty
    assert list(curve.columns) == list(DEMAND_CURVE_COLUMNS)
    assert curve["cell"].dtype == curve["sellers"].dtype == np.int64


def test_a_request_without_room_under_the_cap_hides_nobody():
    frame = allocations(("a", 900, 5, 5), ("b", 800, 5, 5), ("c", 700, 5, 5), ("d", 700, 0, 0))
    assert cells(frame) == [[700, 3, 3, 15]]


def test_markets_and_rounds_have_curves_of_their_own():
    rows = [("a", 900, 1, 0), ("b", 800, 1, 0), ("c", 700, 1, 0)]
    frame = pd.concat(
        [
            allocations(*rows, round=2),
            allocations(*rows[:2], ("a", 600, 1, 0), marketplace_id="DE"),
            allocations(*rows, ("d", 950, 7, 0), storage_type="apparel"),
            allocations(*rows),
        ],
        ignore_index=True,
    )
    key = ["marketplace_id", "storage_type", "round", "cell", "demanded_milli_ft3"]
    assert cells(frame, *key) == [
        ["US", "apparel", 1, 1, 10], ["US", "standard", 1, 1, 3], ["US", "standard", 2, 1, 3],
    ]  # fmt: skip


def test_a_cell_begins_at_the_roundest_fee_that_cuts_there():
    frame = allocations(
        ("a", 9_871, 1, 0), ("b", 5_123, 1, 0), ("c", 4_567, 1, 0),
        ("d", 4_499, 1, 0), ("e", 4_321, 1, 0), ("f", 3_456, 1, 0),
        ("g", 3_455, 1, 0), ("h", 3_454, 1, 0), ("i", 37, 1, 0),
    )  # fmt: skip
    assert cells(frame, "from_fee_minor_per_ft3") == [[4_500], [3_456], [30]]


def test_the_cell_where_supply_ends_takes_in_the_one_above_for_a_single_winner():
    rows = [(seller, 100 * (9 - place), 10, 0) for place, seller in enumerate("abcdefghi")]
    granted = [10, 10, 10, 4, 0, 0, 0, 0, 0]
    frame = allocations(*rows).assign(granted_milli_ft3=granted)
    assert cells(frame) == [[400, 6, 6, 60], [100, 3, 3, 90]]


def test_the_cell_where_supply_ends_takes_in_the_one_below_for_a_single_loser():
    rows = [(seller, 100 * (9 - place), 10, 0) for place, seller in enumerate("abcdefghi")]
    granted = [10, 10, 10, 10, 10, 4, 0, 0, 0]
    frame = allocations(*rows).assign(granted_milli_ft3=granted)
    assert cells(frame) == [[700, 3, 3, 30], [100, 6, 6, 90]]


def test_the_cell_where_supply_ends_stands_alone_between_two_cells():
    rows = [(seller, 100 * (9 - place), 10, 0) for place, seller in enumerate("abcdefghi")]
    granted = [10, 10, 10, 10, 10, 10, 0, 0, 0]
    frame = allocations(*rows).assign(granted_milli_ft3=granted)
    assert cells(frame) == [[700, 3, 3, 30], [400, 3, 3, 60], [100, 3, 3, 90]]


def test_a_sum_past_64_bits_is_refused():
    rows = [(seller, 100 * place, 2**60, 0) for place, seller in enumerate("abcdefghi", 1)]
    with pytest.raises(ValueError, match="passes 2\\^63 - 1"):
        demand_curves(allocations(*rows))
    assert cells(allocations(*rows[:7]))[-1][-1] == 7 * 2**60


@pytest.mark.parametrize(
    ("column", "value", "said"),
    [
        ("trimmed_milli_ft3", -1, "cleared_allocations: column 'trimmed_milli_ft3', row 0: is -1"),
        ("granted_milli_ft3", 0.5, "'granted_milli_ft3', row 0: the column holds float64"),
        ("round", 0, "column 'round', row 0: is 0; it must be at least 1"),
        ("seller_id", None, "column 'seller_id', row 0: is null or not text"),
    ],
)
def test_a_column_that_is_not_what_it_should_be_is_refused(column, value, said):
    with pytest.raises(ValueError, match="cleared_allocations") as refused:
        demand_curves(allocations(("a", 900, 1, 0)).assign(**{column: value}))
    assert said in str(refused.value)


def test_the_table_that_is_read_is_never_changed():
    frame = allocations(("a", 900, 1, 0), ("b", 800, 1, 0), ("c", 700, 1, 0))
    kept = frame.copy(deep=True)
    demand_curves(frame)
    pd.testing.assert_frame_equal(frame, kept)
