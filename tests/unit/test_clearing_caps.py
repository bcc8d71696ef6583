"""Room under the sellers' caps is dealt seller by seller (rules §3)."""

from __future__ import annotations

import numpy as np

from fbacap_logic.clearing_caps import deal_room


def dealt(seller, place, volumes, minimums, room):
    columns = (np.array(column, dtype=np.int64) for column in (seller, place, volumes, minimums))
    trimmed, passed = deal_room(*columns, np.array(room, dtype=np.int64))
    assert trimmed.dtype == np.int64
    assert passed.dtype == np.bool_
    return trimmed.tolist(), passed.tolist()


def test_each_seller_is_passed_over_only_where_its_own_room_runs_short():
    assert dealt(
        seller=[0, 1, 0, 2, 1, 2, 1],
        place=[6, 5, 4, 3, 2, 1, 0],
        volumes=[9, 7, 8, 5, 6, 4, 10],
        minimums=[0, 0, 0, 5, 6, 0, 0],
        room=[20, 15, 6],
    ) == ([9, 5, 8, 0, 0, 4, 10], [False, False, False, True, True, False, False])


def test_a_share_of_just_the_minimum_is_kept():
    assert dealt([0, 0], [0, 1], [60, 50], [0, 40], [100]) == ([60, 40], [False, False])
    assert dealt([0, 0], [0, 1], [60, 50], [0, 41], [100]) == ([60, 0], [False, True])


def test_a_request_after_the_room_is_gone_gets_nothing_and_is_not_passed_over():
    assert dealt([0, 0], [0, 1], [60, 50], [0, 40], [60]) == ([60, 0], [False, False])
    assert dealt([0], [0], [60], [0], [0]) == ([0], [False])


def test_volumes_of_many_requests_that_pass_63_bits_are_dealt_to_the_unit():
    most = 2**63 - 1
    assert dealt([0, 1, 0, 1], [0, 1, 2, 3], [most] * 4, [0] * 4, [most, 5]) == (
        [most, 5, 0, 0], [False] * 4,
    )  # fmt: skip


def test_no_requests_are_dealt_nothing():
    assert dealt([], [], [], [], [5]) == ([], [])
