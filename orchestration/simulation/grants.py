"""Whom sellers and planners expect to win space (rules §4).

Here belongs the simulation's own rough clearing, by which winners fill their space: highest fee
first, round by round. Caps and the finer points of minimums are left to the real one in
``fbacap_logic``, which alone decides; where the two differ, a seller has stocked for space that it
did not get, or has space that it did not stock for, as happens.
"""

from __future__ import annotations

import numpy as np

from fbacap_logic.calendar import QuarterCalendar
from orchestration.simulation.bids import Bids
from orchestration.simulation.population import Int64Array


def expected_grants(
    bids: Bids, market_of_seller_market: Int64Array, released: Int64Array, calendar: QuarterCalendar
) -> Int64Array:
    """Milli ft3 that each round is expected to grant each seller market, shape (rounds, rows).

    Args:
        bids: versions of requests, sorted by request and revision.
        market_of_seller_market: market number of each seller market.
        released: what each round offers, shape (markets, rounds), milli ft3.
        calendar: the quarter's dates.
    """
    requests = int(bids.request.max(initial=-1)) + 1
    granted = np.zeros(requests, dtype=np.int64)
    carried = np.zeros(len(released), dtype=np.int64)
    by_seller_market = np.zeros((len(calendar.rounds), len(market_of_seller_market)), np.int64)
    for place, window in enumerate(calendar.rounds):
        closes_at = np.datetime64(window.closes_at.replace(tzinfo=None), "s")
        rows = _binding(bids, closes_at)
        rows = rows[_in_order(bids, rows, market_of_seller_market)]
        market = market_of_seller_market[bids.seller_market[rows]]
        open_volume = np.maximum(bids.volume_milli_ft3 - granted[bids.request], 0)[rows]
        supply = released[:, place] + carried
        grant = _walk(open_volume, market, supply)
        least = np.maximum(bids.minimum_milli_ft3 - granted[bids.request], 0)[rows]
        grant = np.where(grant < least, 0, grant)
        carried = supply.copy()
        np.subtract.at(carried, market, grant)
        np.add.at(granted, bids.request[rows], grant)
        np.add.at(by_seller_market[place], bids.seller_market[rows], grant)
    return by_seller_market


def _binding(bids: Bids, closes_at: np.datetime64) -> Int64Array:
    """Rows of the last version of each request that came before a close and stands."""
    rows = np.flatnonzero(bids.received_at < closes_at)
    request = bids.request[rows]
    is_last = np.r_[request[1:] != request[:-1], True][: len(rows)]
    rows = rows[is_last]
    return rows[~bids.withdrawn[rows]]


def _in_order(bids: Bids, rows: Int64Array, market_of_seller_market: Int64Array) -> Int64Array:
    """Each market's requests in the total order of rules §3."""
    priority = np.minimum(bids.submitted_at, bids.received_at)[rows]
    market = market_of_seller_market[bids.seller_market[rows]]
    return np.lexsort((bids.request[rows], priority, -bids.fee_minor[rows], market))


def _walk(open_volume: Int64Array, market: Int64Array, supply: Int64Array) -> Int64Array:
    """Grant in order until each market's supply is gone; ``market`` never falls."""
    before = np.cumsum(open_volume) - open_volume
    is_first = np.r_[True, market[1:] != market[:-1]][: len(market)]
    start = np.maximum.accumulate(np.where(is_first, before, 0))
    return np.clip(supply[market] - (before - start), 0, open_volume)
