"""A quarter's rounds over all markets (rules §§3–4).

Here belong which revision binds, what is open, and what one round hands to the next. Clearing one
book is ``clearing_round``; judging requests is ``requests``; the rows that are published are laid
out in ``clearing_tables``.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from fbacap_logic.calendar import QuarterCalendar, RoundWindow
from fbacap_logic.clearing_caps import deal_room
from fbacap_logic.clearing_inputs import Revisions, read_revisions, read_supply
from fbacap_logic.clearing_round import (
    BookColumns,
    RoundFigures,
    checked_supply,
    clear_columns,
    validate_book,
)
from fbacap_logic.clearing_tables import (
    CLEARED_ALLOCATION_COLUMNS,
    MARKET_ROUND_COLUMNS,
    Entered,
    allocation_rows,
    market_round_rows,
    stack_by_market,
)
from fbacap_logic.frames import naive_utc
from fbacap_logic.policy import ClearingRules, Policy
from fbacap_logic.total_order import inverse_of, order_requests
from fbacap_logic.units import Int64Array


@dataclass(frozen=True)
class QuarterClearing:
    """The rounds of a quarter that have closed.

    ``grants`` is cleared_allocations (a row per request open in a round), sorted by market, round
    and the total order; ``rounds`` is market_rounds (a row per market and closed round).
    """

    grants: pd.DataFrame
    rounds: pd.DataFrame


@dataclass
class _Progress:
    """What earlier rounds left behind: grants per request and seller, unsold space per market."""

    granted_by_request: Int64Array
    granted_by_seller_market: Int64Array
    unsold_by_market: Int64Array


def clear_quarter(
    requests: pd.DataFrame,
    round_supply: pd.DataFrame,
    calendar: QuarterCalendar,
    policy: Policy,
) -> QuarterClearing:
    """Clear every closed round of every market, in order (rules §§3–4).

    Round r uses only revisions received before r closed. Among a request's revisions the highest
    number binds; ``open = max(0, requested − granted earlier)``, 0 once withdrawn; each seller's
    room under the cap is dealt in the total order; then each market clears with
    ``supply = released + unsold``.

    Args:
        requests: accepted revisions only: request_id, revision, marketplace_id, seller_id,
            storage_type, max_fee_minor_per_ft3, requested_milli_ft3, minimum_milli_ft3,
            priority_at, received_at, withdrawn, cap_milli_ft3, and optionally minor_unit_digits
            (default 2). A withdrawal's amounts are not read.
        round_supply: marketplace_id, storage_type, round, released_milli_ft3 of closed rounds. The
            calendar's rounds up to the last one present are cleared; a market without a row for
            one of them releases nothing in it, and is listed in market_rounds from the first round
            that knows of it, by supply or request.
        calendar: the quarter's dates.
        policy: clearing rules per market, carry-over.

    Raises:
        ValueError: a column of the wrong type, null or negative; a repeated revision; a request
            that names two sellers or markets; a seller with two caps in one market.
    """
    supply = read_supply(round_supply, requests, calendar)
    revisions = read_revisions(requests, supply)
    rules = [policy.clearing_rules(*market) for market in supply.markets]
    progress = _Progress(
        np.zeros(revisions.requests, dtype=np.int64),
        np.zeros(len(revisions.cap_by_seller_market), dtype=np.int64),
        np.zeros(len(supply.markets), dtype=np.int64),
    )
    allocations: list[pd.DataFrame] = []
    rounds: list[pd.DataFrame] = []
    is_known = np.zeros(len(supply.markets), dtype=np.bool_)
    for place, window in enumerate(calendar.rounds[: supply.rounds]):
        released = supply.released_milli_ft3[:, place]
        carried_in = progress.unsold_by_market.copy()
        entered = _enter(revisions, window, calendar, policy, rules, progress)
        figures = _clear_markets(revisions, entered, released, rules, progress)
        allocations.append(allocation_rows(revisions, entered, window.round, figures, rules))
        is_known |= supply.is_scheduled[:, place]
        is_known[revisions.market[revisions.received_at < naive_utc(window.closes_at)]] = True
        rows = market_round_rows(window.round, released, carried_in, figures)
        rounds.append(rows[is_known])
    return QuarterClearing(
        grants=stack_by_market(allocations, supply.markets, CLEARED_ALLOCATION_COLUMNS),
        rounds=stack_by_market(rounds, supply.markets, MARKET_ROUND_COLUMNS),
    )


def _enter(
    revisions: Revisions,
    window: RoundWindow,
    calendar: QuarterCalendar,
    policy: Policy,
    rules: list[ClearingRules],
    progress: _Progress,
) -> Entered:
    """The requests open in a round, with their room under the cap dealt (rules §3)."""
    closes = [naive_utc(each.closes_at) for each in calendar.rounds if each.round < window.round]
    known = np.flatnonzero(revisions.received_at < naive_utc(window.closes_at))
    request = revisions.request[known]
    changes = request[1:] != request[:-1]
    row = known[np.r_[changes, True]] if len(known) else known  # highest revision: rows are sorted
    taken = progress.granted_by_request[revisions.request[row]]
    open_volume = np.maximum(revisions.requested_milli_ft3[row] - taken, 0)
    open_volume[revisions.withdrawn[row]] = 0
    if not policy.requests.carry_over and closes:
        was_open_before = np.zeros(revisions.requests, dtype=np.bool_)
        was_open_before[revisions.request[revisions.received_at < closes[-1]]] = True
        open_volume[was_open_before[revisions.request[row]]] = 0
    minimum_fee = np.array([each.minimum_fee_minor_per_ft3 for each in rules], dtype=np.int64)
    is_open = open_volume > 0
    is_open &= revisions.max_fee_minor_per_ft3[row] >= minimum_fee[revisions.market[row]]
    row, open_volume, taken = row[is_open], open_volume[is_open], taken[is_open]
    order = order_requests(
        revisions.max_fee_minor_per_ft3[row],
        revisions.priority_at[row],
        revisions.request_id[row],
    )
    minimum = np.maximum(revisions.minimum_milli_ft3[row] - taken, 0)
    room = np.maximum(revisions.cap_by_seller_market - progress.granted_by_seller_market, 0)
    trimmed, passed = deal_room(
        revisions.seller_market[row], inverse_of(order), open_volume, minimum, room
    )
    by_market = order[np.argsort(revisions.market[row[order]], kind="stable")]
    return Entered(
        row=row[by_market],
        open_milli_ft3=open_volume[by_market],
        minimum_milli_ft3=minimum[by_market],
        trimmed_milli_ft3=trimmed[by_market],
        is_passed_over=passed[by_market],
    )


def _clear_markets(
    revisions: Revisions,
    entered: Entered,
    released: Int64Array,
    rules: list[ClearingRules],
    progress: _Progress,
) -> list[RoundFigures]:
    """Clear each market's book and book what was granted and left (rules §4)."""
    validate_book(pd.DataFrame({"request_id": revisions.request[entered.row]}))
    market = revisions.market[entered.row]
    results = []
    for number, market_rules in enumerate(rules):
        first, end = np.searchsorted(market, [number, number + 1])
        rows = entered.row[first:end]
        figures = clear_columns(
            BookColumns(
                request_id=revisions.request_id[rows],
                submitted_at=revisions.priority_at[rows],
                max_fee_minor_per_ft3=revisions.max_fee_minor_per_ft3[rows],
                open_milli_ft3=entered.trimmed_milli_ft3[first:end],
                minimum_milli_ft3=entered.minimum_milli_ft3[first:end],
            ),
            checked_supply(int(released[number]) + int(progress.unsold_by_market[number])),
            market_rules,
        )
        granted = figures.granted_per_row_milli_ft3
        progress.granted_by_request[revisions.request[rows]] += granted
        np.add.at(progress.granted_by_seller_market, revisions.seller_market[rows], granted)
        progress.unsold_by_market[number] = figures.unsold_milli_ft3
        results.append(figures)
    return results
