"""The inputs of a quarter's clearing, checked and as plain columns (rules §3).

Here belongs reading ``requests`` and ``round_supply``. What is done with them is in
``clearing_quarter``.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from fbacap_logic.calendar import QuarterCalendar
from fbacap_logic.frames import (
    BoolArray,
    InstantArray,
    TextArray,
    codes_of,
    flags,
    instants,
    integers,
    nullable_integers,
    refuse,
    require_unique,
    texts,
)
from fbacap_logic.units import Int64Array

_DEFAULT_MINOR_UNIT_DIGITS = 2
_MARKET = ("marketplace_id", "storage_type")


@dataclass(frozen=True)
class RoundSupply:
    """Markets in key order, how many rounds have closed, and what each round releases.

    ``released_milli_ft3`` and ``is_scheduled`` (the schedule has a row for it) have a row per
    market and a column per closed round; ``market_of_request`` numbers the requests' markets.
    """

    markets: list[tuple[str, str]]
    rounds: int
    released_milli_ft3: Int64Array
    is_scheduled: BoolArray
    market_of_request: Int64Array


@dataclass(frozen=True)
class Revisions:
    """Accepted revisions as plain columns, sorted by request_id (bytes) and revision."""

    requests: int
    request: Int64Array
    market: Int64Array
    seller_market: Int64Array
    cap_by_seller_market: Int64Array
    request_id: TextArray
    seller_id: TextArray
    revision: Int64Array
    max_fee_minor_per_ft3: Int64Array
    requested_milli_ft3: Int64Array
    minimum_milli_ft3: Int64Array
    priority_at: InstantArray
    received_at: InstantArray
    withdrawn: BoolArray
    minor_unit_digits: Int64Array


def read_supply(
    round_supply: pd.DataFrame, requests: pd.DataFrame, calendar: QuarterCalendar
) -> RoundSupply:
    """Check the release schedule of closed rounds and lay it out by market and round.

    The markets are those of the schedule and those of the requests: a market that releases nothing
    before its third round may be asked for space in its first.

    Raises:
        ValueError: bad columns, a repeated market and round, or a round that the calendar lacks.
    """
    table = "round_supply"
    schedule = [texts(round_supply, name, table) for name in _MARKET]
    asked = [texts(requests, name, "requests") for name in _MARKET]
    number = integers(round_supply, "round", table, minimum=1)
    released = integers(round_supply, "released_milli_ft3", table)
    require_unique(round_supply, [*_MARKET, "round"], table)
    numbers = np.array([window.round for window in calendar.rounds], dtype=np.int64)
    unknown = ~np.isin(number, numbers)
    if unknown.any():
        row = int(np.argmax(unknown))
        refuse(table, "round", row, f"is {number[row]}; {calendar.quarter.label} has no such round")
    names = [np.concatenate(pair) for pair in zip(schedule, asked, strict=True)]
    market, first_row = codes_of(*names)
    place = np.searchsorted(numbers, number)
    by_round = np.zeros((len(first_row), int(place.max(initial=-1)) + 1), dtype=np.int64)
    by_round[market[: len(number)], place] = released
    is_scheduled = np.zeros(by_round.shape, dtype=np.bool_)
    is_scheduled[market[: len(number)], place] = True
    markets = list(zip(names[0][first_row], names[1][first_row], strict=True))
    return RoundSupply(markets, by_round.shape[1], by_round, is_scheduled, market[len(number) :])


def read_revisions(requests: pd.DataFrame, supply: RoundSupply) -> Revisions:
    """Check the accepted revisions and sort them by request and revision.

    Raises:
        ValueError: as ``clear_quarter`` says.
    """
    table = "requests"
    if "is_accepted" in requests.columns:
        rejected = ~flags(requests, "is_accepted", table)
        if rejected.any():
            refuse(table, "is_accepted", int(np.argmax(rejected)), "is false; only accepted clear")
    request_id = texts(requests, "request_id", table)
    revision = integers(requests, "revision", table)
    require_unique(requests, ["request_id", "revision"], table)
    marketplace, storage = (texts(requests, name, table) for name in _MARKET)
    seller_id = texts(requests, "seller_id", table)
    withdrawn = flags(requests, "withdrawn", table)
    cap = integers(requests, "cap_milli_ft3", table)
    max_fee = _amount(requests, "max_fee_minor_per_ft3", withdrawn)
    requested = _amount(requests, "requested_milli_ft3", withdrawn)
    minimum = _amount(requests, "minimum_milli_ft3", withdrawn)
    request, first_row = codes_of(request_id)
    seller_market, first_of_seller = codes_of(marketplace, storage, seller_id)
    _require_one_market_and_cap(request, request_id, seller_market, seller_id, cap)
    _require_minimum_within_volume(requested, minimum, withdrawn)
    order = np.lexsort((revision, request))
    return Revisions(
        requests=len(first_row),
        request=request[order],
        market=supply.market_of_request[order],
        seller_market=seller_market[order],
        cap_by_seller_market=cap[first_of_seller],
        request_id=request_id[order],
        seller_id=seller_id[order],
        revision=revision[order],
        max_fee_minor_per_ft3=max_fee[order],
        requested_milli_ft3=requested[order],
        minimum_milli_ft3=minimum[order],
        priority_at=instants(requests, "priority_at", table)[order],
        received_at=instants(requests, "received_at", table)[order],
        withdrawn=withdrawn[order],
        minor_unit_digits=_digits(requests)[order],
    )


def _amount(frame: pd.DataFrame, column: str, withdrawn: BoolArray) -> Int64Array:
    """An amount of a request; a withdrawal needs none, and its own is never read."""
    values, null = nullable_integers(frame, column, "requests", minimum=None)
    missing = null & ~withdrawn
    if missing.any():
        refuse("requests", column, int(np.argmax(missing)), "is null in a standing request")
    negative = (values < 0) & ~withdrawn
    if negative.any():
        refuse("requests", column, int(np.argmax(negative)), "is negative in a standing request")
    return values


def _require_minimum_within_volume(
    requested: Int64Array, minimum: Int64Array, withdrawn: BoolArray
) -> None:
    above = (minimum > requested) & ~withdrawn
    if above.any():
        row = int(np.argmax(above))
        fault = "is above requested_milli_ft3, so it can never be met; reject the request"
        refuse("requests", "minimum_milli_ft3", row, fault)


def _digits(frame: pd.DataFrame) -> Int64Array:
    if "minor_unit_digits" not in frame.columns:
        return np.full(len(frame), _DEFAULT_MINOR_UNIT_DIGITS, dtype=np.int64)
    return integers(frame, "minor_unit_digits", "requests")


def _require_one_market_and_cap(
    request: Int64Array,
    request_id: TextArray,
    seller_market: Int64Array,
    seller_id: TextArray,
    cap: Int64Array,
) -> None:
    """One seller and market a request, one cap a seller and market."""
    for key, value, name, fault in (
        (request, seller_market, request_id, "names two sellers or markets; reject one revision"),
        (seller_market, cap, seller_id, "has two caps in one market; give one"),
    ):
        order = np.lexsort((value, key))
        differs = (key[order][1:] == key[order][:-1]) & (value[order][1:] != value[order][:-1])
        if differs.any():
            raise ValueError(f"requests: {name[order[int(np.argmax(differs)) + 1]]!r} {fault}")
