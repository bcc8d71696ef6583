"""Requests that break a rule, one of each kind a marketplace and quarter (rules §3).

Here belongs every way in which a request is rejected, so that a generated market shows each reason.
Two of the reasons need a policy that sets a minimum fee or a fee ceiling: those bids are withdrawn
the same day, and so disturb no market where the policy lets them pass.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fbacap_logic.calendar import QuarterCalendar
from orchestration.simulation.base_estimates import Claims
from orchestration.simulation.bids import Bids
from orchestration.simulation.population import (
    CENTS_PER_MINOR,
    MARKETPLACES,
    STANDARD,
    STORAGE_TYPES,
    Population,
)

UNKNOWN_SELLER = "seller-nobody-knows"
UNKNOWN_STORAGE_TYPE = "hazmat"

_MICRO_PER_MINOR = 10_000  # × CENTS_PER_MINOR: millionths of the currency in a minor unit
_USUAL_VOLUME_MICRO, _SMALL_VOLUME_MICRO = 10_000_000, 500_000
_TOO_FINE_MICRO = 500  # half a milli cubic foot
_OUTRAGEOUS = 1_000  # times the usual fee
_USUAL_FEE_MINOR = {0: 400, 1: 300}  # where nobody else bids
_REPEATED_AFTER_S, _WITHDRAWN_AFTER_S = 60, 3_600


@dataclass(frozen=True)
class _Kind:
    """One mistake. ``rows``: what each row of it has instead of a usual request's values."""

    number: int
    seller: str = "professional"
    rows: tuple[dict[str, int], ...] = ({},)
    storage_type: str | None = None
    is_late: bool = False


_WITHDRAWAL = {"revision": 2, "withdrawn": 1, "seconds": _WITHDRAWN_AFTER_S}
_KINDS = (
    _Kind(901, seller=UNKNOWN_SELLER),
    _Kind(902, storage_type=UNKNOWN_STORAGE_TYPE),
    _Kind(903, seller="individual"),
    _Kind(904, is_late=True),
    _Kind(905, rows=({}, {"volume": 15_000_000, "seconds": _REPEATED_AFTER_S})),  # duplicate key
    _Kind(906, rows=({"minimum": 20_000_000},)),  # minimum above requested
    _Kind(907, rows=({"half_minor": 1},)),  # a fee finer than the currency
    _Kind(908, rows=({"volume": _USUAL_VOLUME_MICRO + _TOO_FINE_MICRO},)),
    _Kind(909, rows=({"volume": 0},)),
    _Kind(910, rows=({"volume": _SMALL_VOLUME_MICRO},)),
    _Kind(911, rows=({"fee_minor": 0},)),
    _Kind(912, rows=({"times": _OUTRAGEOUS}, {"times": _OUTRAGEOUS, **_WITHDRAWAL})),
    _Kind(913, rows=({}, {"seconds": _REPEATED_AFTER_S})),  # the same again: no mistake, no row
    _Kind(914, rows=({"fee_minor": 1}, {"fee_minor": 1, **_WITHDRAWAL})),
)


def mistake_columns(
    population: Population, claims: Claims, bids: Bids, calendar: QuarterCalendar
) -> dict[str, list[object]]:
    """Rows of capacity_requests, sorted by request, revision and time received.

    A marketplace without a professional or an individual that the announcement knows lacks the
    mistakes that need one.
    """
    rows: list[dict[str, object]] = []
    for marketplace in range(len(MARKETPLACES)):
        rows += _of_marketplace(population, claims, bids, calendar, marketplace)
    rows.sort(key=lambda row: (str(row["request_id"]), row["revision"], row["received_at"]))
    names = rows[0].keys() if rows else ()
    return {name: [row[name] for row in rows] for name in names}


def _of_marketplace(
    population: Population, claims: Claims, bids: Bids, calendar: QuarterCalendar, marketplace: int
) -> list[dict[str, object]]:
    known = claims.takes_part & (population.marketplace == marketplace)
    known &= ~population.seller_markets.demand_is_arranged
    professional = _first(population, known & ~population.is_individual)
    individual = _first(population, known & population.is_individual)
    if professional is None:
        return []
    market = population.market[professional]
    fees = bids.fee_minor[population.market[bids.seller_market] == market]
    usual = int(np.median(fees)) if len(fees) else _USUAL_FEE_MINOR[marketplace]
    rows: list[dict[str, object]] = []
    for kind in _KINDS:
        place = individual if kind.seller == "individual" else professional
        if place is not None:
            rows += _rows_of(population, kind, place, usual, calendar)
    return rows


def _first(population: Population, fits: np.ndarray) -> int | None:
    """The first seller market that fits, in standard storage if there is one."""
    in_standard = np.flatnonzero(fits & (population.seller_markets.storage_type == STANDARD))
    places = in_standard if len(in_standard) else np.flatnonzero(fits)
    return int(places[0]) if len(places) else None


def _rows_of(
    population: Population, kind: _Kind, place: int, usual_fee: int, calendar: QuarterCalendar
) -> list[dict[str, object]]:
    seller = str(population.sellers.name[population.seller_markets.seller[place]])
    if kind.seller == UNKNOWN_SELLER:
        seller = UNKNOWN_SELLER
    marketplace = int(population.marketplace[place])
    own_type = STORAGE_TYPES[int(population.seller_markets.storage_type[place])]
    storage_type = kind.storage_type or own_type
    micro_per_minor = int(CENTS_PER_MINOR[marketplace]) * _MICRO_PER_MINOR
    window = calendar.rounds[-1 if kind.is_late else 0]
    days = np.timedelta64(2 if kind.is_late else -2, "D")
    sent = np.datetime64(window.closes_at.replace(tzinfo=None), "s") + days
    name = f"{calendar.quarter.label}-{MARKETPLACES[marketplace]}-{seller}-{storage_type}"
    rows: list[dict[str, object]] = []
    for change in kind.rows:
        fee_minor = change.get("fee_minor", usual_fee * change.get("times", 1))
        fee = fee_minor * micro_per_minor + change.get("half_minor", 0) * micro_per_minor // 2
        received = sent + np.timedelta64(2 + change.get("seconds", 0), "s")
        revision = change.get("revision", 1)
        rows.append(
            {
                "request_id": f"{name}-{kind.number}",
                "revision": revision,
                "marketplace_id": MARKETPLACES[marketplace],
                "seller_id": seller,
                "storage_type": storage_type,
                "quarter": calendar.quarter.first_day,
                "max_fee_per_ft3": fee,
                "requested_ft3": change.get("volume", _USUAL_VOLUME_MICRO),
                "minimum_ft3": change.get("minimum", 0),
                # A repeated row says that it was sent when the first was.
                "submitted_at": (sent if revision == 1 else received).item(),
                "withdrawn": bool(change.get("withdrawn", 0)),
                "received_at": received.item(),
            }
        )
    return rows
