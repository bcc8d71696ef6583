"""The margin found by selection is the margin found by sorting, whatever the sample says."""

from __future__ import annotations

from contextlib import contextmanager

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from proof_effort import examples
from strategies import book_frame, books, clearing_rules, crowded_levels, supplies

from fbacap_logic import clearing_pro_rata, clearing_selection, clearing_walk
from fbacap_logic.clearing import clear_round
from fbacap_logic.clearing_selection import Queue, first_in_order, marginal_level

volumes = st.lists(st.integers(1, 9) | st.integers(2**61, 2**63 - 1), min_size=1, max_size=60)


@contextmanager
def books_are_large(margins: int, tries: int):
    """Small books take the paths of large ones: samples of a few rows, blocks of a few more."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(clearing_selection, "_SORTED_AT_ONCE", 1)
        patch.setattr(clearing_selection, "_SAMPLE_ROWS", 3)
        patch.setattr(clearing_selection, "_BRACKET_ROWS", 1)
        patch.setattr(clearing_selection, "_TRIES_BY_SAMPLE", tries)
        patch.setattr(clearing_selection, "BLOCK_ROWS", 4)
        patch.setattr(clearing_walk, "_MARGINS_BEFORE_SORTING", margins)
        patch.setattr(clearing_pro_rata, "_LEVELS_BEFORE_SORTING", margins)
        yield


def assert_selection_changes_nothing(book, supply, rules, margins, tries):
    frame = book_frame(book)
    expected = clear_round(frame, supply, rules)
    with books_are_large(margins, tries):
        found = clear_round(frame, supply, rules)
    pd.testing.assert_frame_equal(found.grants, expected.grants)
    assert {**vars(found), "grants": None} == {**vars(expected), "grants": None}


@examples(300)
@given(books(), supplies, clearing_rules, st.integers(0, 9), st.integers(0, 4))
def test_a_book_clears_alike_by_selection_and_by_sorting(book, supply, rules, margins, tries):
    assert_selection_changes_nothing(book, supply, rules, margins, tries)


@examples(300)
@given(crowded_levels(), st.integers(0, 120), clearing_rules, st.integers(0, 9), st.integers(0, 4))
def test_unmet_minimums_are_dropped_alike_by_selection_and_by_sorting(
    book, supply, rules, margins, tries
):
    assert_selection_changes_nothing(book, supply, rules, margins, tries)


@given(volumes, st.booleans(), st.integers(0, 4), st.data())
def test_the_marginal_level_is_the_first_at_which_the_running_sum_passes_the_room(
    volumes, highest_first, tries, data
):
    keys = data.draw(
        st.lists(st.integers(-3, 3), min_size=len(volumes), max_size=len(volumes)), label="keys"
    )
    room = data.draw(st.integers(0, sum(volumes)), label="room")
    assume(room < sum(volumes))
    left = room
    for level in sorted(set(keys), reverse=highest_first):
        asked = sum(volume for key, volume in zip(keys, volumes, strict=True) if key == level)
        if asked > left:
            break
        left -= asked
    with books_are_large(margins=0, tries=tries):
        found = marginal_level(np.array(keys), np.array(volumes), room, highest_first=highest_first)
    assert found == (level, left)


@given(st.lists(st.tuples(st.integers(0, 3), st.text(max_size=2)), unique=True), st.data())
def test_the_first_few_of_one_fee_are_those_of_the_sorted_rows(entries, data):
    count = data.draw(st.integers(0, len(entries)), label="count")
    rows = len(entries)
    queue = Queue(
        np.ones(rows, dtype=np.int64),
        np.array([time for time, _ in entries], dtype=np.int64),
        np.array([name for _, name in entries], dtype=object),
        np.ones(rows, dtype=np.int64),
        np.zeros(rows, dtype=np.int64),
    )
    expected = sorted(range(rows), key=lambda row: (entries[row][0], entries[row][1].encode()))
    assert set(first_in_order(queue, np.arange(rows), count)) == set(expected[:count])


def test_room_for_everything_leaves_no_margin():
    with pytest.raises(ValueError, match="no level is marginal"):
        marginal_level(np.array([1]), np.array([5]), 5, highest_first=True)
