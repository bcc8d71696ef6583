"""Requests for space, version by version, as columns (rules §3).

Here belong the shape of a set of requests and how it becomes rows of capacity_requests. Who asks
for what is in ``requests``, ``mistakes`` and ``costume_shops``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from fbacap_logic.calendar import QuarterCalendar
from orchestration.simulation.horizon import DayArray, day64
from orchestration.simulation.population import (
    CENTS_PER_MINOR,
    MARKETPLACES,
    STORAGE_TYPES,
    BoolArray,
    Int64Array,
    Population,
)
from orchestration.simulation.writing import texts

_MICRO_PER_MILLI = 1_000
_MICRO_PER_CENT = 10_000


@dataclass(frozen=True)
class Bids:
    """Versions of requests, sorted by request and revision. ``request`` numbers them from 0."""

    request: Int64Array
    seller_market: Int64Array
    step: Int64Array  # 1, 2, 3 of the seller's curve
    revision: Int64Array
    fee_minor: Int64Array
    volume_milli_ft3: Int64Array
    minimum_milli_ft3: Int64Array
    submitted_at: DayArray
    received_at: DayArray
    withdrawn: BoolArray


def with_revisions(first: Bids, revisions: Bids) -> Bids:
    """Requests and their revisions, sorted by request and revision."""
    both = _concatenated(first, revisions)
    return taken(both, np.lexsort((both.revision, both.request)))


def with_more(bids: Bids, others: Bids) -> Bids:
    """Two sets of different requests; those of the second are numbered after the first's."""
    after = int(bids.request.max(initial=-1)) + 1
    return _concatenated(bids, replace(others, request=others.request + after))


def taken(bids: Bids, rows: Int64Array) -> Bids:
    """Some rows of a set of requests."""
    return Bids(*(getattr(bids, field.name)[rows] for field in fields(Bids)))


def _concatenated(first: Bids, second: Bids) -> Bids:
    names = [field.name for field in fields(Bids)]
    return Bids(*(np.concatenate([getattr(first, n), getattr(second, n)]) for n in names))


def bid_columns(
    population: Population, bids: Bids, calendar: QuarterCalendar
) -> dict[str, pa.Array | npt.NDArray[np.generic]]:
    """Rows of capacity_requests, in the order of the bids."""
    at = bids.seller_market
    marketplace = population.marketplace[at]
    names = {
        "marketplace_id": texts(MARKETPLACES, marketplace),
        "seller_id": texts(population.sellers.name, population.seller_markets.seller[at]),
        "storage_type": texts(STORAGE_TYPES, population.seller_markets.storage_type[at]),
    }
    return {
        "request_id": request_ids(calendar.quarter.label, list(names.values()), bids.step),
        **names,
        "revision": bids.revision,
        "quarter": np.full(len(at), day64(calendar.quarter.first_day)),
        "max_fee_per_ft3": bids.fee_minor * CENTS_PER_MINOR[marketplace] * _MICRO_PER_CENT,
        "requested_ft3": bids.volume_milli_ft3 * _MICRO_PER_MILLI,
        "minimum_ft3": bids.minimum_milli_ft3 * _MICRO_PER_MILLI,
        "submitted_at": bids.submitted_at,
        "received_at": bids.received_at,
        "withdrawn": bids.withdrawn,
    }


def request_ids(label: str, parts: Sequence[pa.Array], number: Int64Array) -> pa.Array:
    """Names of requests, as 2025Q4-US-S000012-standard-1."""
    quarter = pa.repeat(pa.scalar(label), len(number))
    last = pa.array(number).cast(pa.string())
    return pc.binary_join_element_wise(quarter, *parts, last, "-")
