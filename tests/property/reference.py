"""The rules again, slowly and literally: plain integers, dicts and fractions, one thing at a time.

Here belongs what the fast code is compared with, written from the rules' text. Nothing here is
imported from it except policy, calendar and their types. Money after clearing is in
``reference_money``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction

from reference_money import half_even, share_out

from fbacap_logic.calendar import QuarterCalendar
from fbacap_logic.policy import ClearingRules, Policy


@dataclass(frozen=True)
class Ask:
    request_id: str
    fee: int
    at: datetime
    open: int
    minimum: int = 0

    @property
    def rank(self) -> tuple[int, datetime, bytes]:
        """The total order (§3): fee descending, time ascending, request_id by bytes."""
        return (-self.fee, self.at, self.request_id.encode())


@dataclass(frozen=True)
class Cleared:
    """One round (§4): what everyone got and why not more, and the round's figures."""

    granted: dict[str, int]
    reason: dict[str, str]
    dropped: set[str]
    fee: int | None
    lowest: int | None
    demanded: int
    unsold: int
    marginal_granted: int
    marginal_open: int

    @property
    def winners(self) -> int:
        return sum(volume > 0 for volume in self.granted.values())


@dataclass(frozen=True)
class Revision:
    request_id: str
    revision: int
    market: str
    seller: str
    fee: int
    requested: int
    minimum: int
    at: datetime
    received_at: datetime
    withdrawn: bool


@dataclass(frozen=True)
class Entry:
    """A request open in a round: the revision that binds, and its volumes before and after caps."""

    bound: Revision
    open: int
    minimum: int
    trimmed: int
    is_passed_over: bool


@dataclass(frozen=True)
class RoundOutcome:
    """One market's round in a quarter."""

    released: int
    carried_in: int
    entries: list[Entry]
    cleared: Cleared


def walk(ordered: list[Ask], supply: int, tie_rule: str) -> dict[str, int]:
    """§4.1–2: everyone in the total order gets all, until the first that does not fit."""
    granted = {ask.request_id: 0 for ask in ordered}
    left = supply
    for ask in ordered:
        if ask.open <= left:
            granted[ask.request_id] = ask.open
            left -= ask.open
            continue
        if tie_rule == "time_priority":
            granted[ask.request_id] = left
            return granted
        at_the_margin = [other for other in ordered if other.fee == ask.fee]
        above = sum(other.open for other in ordered if other.fee > ask.fee)
        parts = share_out(supply - above, [other.open for other in at_the_margin])
        for other, part in zip(at_the_margin, parts, strict=True):
            granted[other.request_id] = part
        return granted
    return granted


def clear(book: list[Ask], supply: int, rules: ClearingRules) -> Cleared:
    """§4: clear, drop the last whose minimum is not met, clear again, until none is left."""
    listed = [ask for ask in book if ask.open > 0 and ask.fee >= rules.minimum_fee_minor_per_ft3]
    active = sorted(listed, key=lambda ask: ask.rank)
    granted = walk(active, supply, rules.tie_rule)
    while short := [ask for ask in active if 0 < granted[ask.request_id] < ask.minimum]:
        active.remove(short[-1])
        granted = walk(active, supply, rules.tie_rule)
    dropped = {ask.request_id for ask in listed} - {ask.request_id for ask in active}
    won = [ask for ask in active if granted[ask.request_id] > 0]
    lowest = min((ask.fee for ask in won), default=None)
    fee = lowest
    if won and rules.price_rule == "highest_rejected":
        unfilled = [ask.fee for ask in active if granted[ask.request_id] < ask.open]
        fee = max([rules.minimum_fee_minor_per_ft3, *unfilled])
    everyone = {ask.request_id: granted.get(ask.request_id, 0) for ask in book}
    margin = [ask for ask in won if ask.fee == lowest and everyone[ask.request_id] < ask.open]
    return Cleared(
        granted=everyone,
        reason={
            ask.request_id: why(
                ask, everyone[ask.request_id], ask.request_id in dropped, fee, rules
            )
            for ask in book
        },
        dropped=dropped,
        fee=fee,
        lowest=lowest,
        demanded=sum(ask.open for ask in listed),
        unsold=supply - sum(everyone.values()),
        marginal_granted=sum(everyone[ask.request_id] for ask in margin),
        marginal_open=sum(ask.open for ask in margin),
    )


def why(ask: Ask, granted: int, is_dropped: bool, fee: int | None, rules: ClearingRules) -> str:
    """What a seller is told about one request after one round (§4)."""
    if ask.fee < rules.minimum_fee_minor_per_ft3:
        return "below_minimum_fee"
    if ask.open == 0:
        return "cap_reached"
    if granted == ask.open:
        return "granted"
    if granted > 0:
        return "marginal"
    if is_dropped:
        return "minimum_not_met"
    return "below_clearing_fee" if fee is not None and ask.fee < fee else "no_supply"


def outcome_of(granted: int, asked: int) -> str:
    if granted == 0:
        return "rejected"
    return "granted" if granted == asked else "partial"


def ratio_bp(part: int, whole: int) -> int | None:
    return half_even(Fraction(part * 10_000, whole)) if whole else None


def deal_cap(asks: list[Ask], room: int) -> tuple[dict[str, int], set[str]]:
    """One seller's asks in one market (§3): (share of each, those passed over)."""
    shares, passed = {}, set()
    for ask in sorted(asks, key=lambda ask: ask.rank):
        share = min(ask.open, room)
        if 0 < share < ask.minimum:
            passed.add(ask.request_id)
            share = 0
        shares[ask.request_id] = share
        room -= share
    return shares, passed


def clear_quarter(
    revisions: list[Revision],
    released: dict[tuple[str, int], int],
    caps: dict[tuple[str, str], int],
    calendar: QuarterCalendar,
    policy: Policy,
    rules_of: Callable[[str], ClearingRules],
) -> dict[tuple[str, int], RoundOutcome]:
    """(market, round) → its outcome, round after round (§§3–4).

    A market is there from the first round that knows of it, by a release or by a request.
    """
    history: dict[tuple[str, int], RoundOutcome] = {}
    markets = sorted({market for market, _ in released} | {each.market for each in revisions})
    last_round = max((number for _, number in released), default=0)
    closes = {window.round: window.closes_at.replace(tzinfo=None) for window in calendar.rounds}
    for number in range(1, last_round + 1):
        for market in markets:
            known = [
                each
                for each in revisions
                if each.market == market and each.received_at < closes[number]
            ]
            is_scheduled = any((market, earlier) in released for earlier in range(1, number + 1))
            if not known and not is_scheduled:
                continue
            past = [closes[earlier] for earlier in closes if earlier < number]
            rules = rules_of(market)
            won = grants_so_far(history, market)
            entries = enter(known, won, past, policy.requests.carry_over, rules, caps)
            before = history.get((market, number - 1))
            carried_in = before.cleared.unsold if before else 0
            released_now = released.get((market, number), 0)
            book = [
                Ask(e.bound.request_id, e.bound.fee, e.bound.at, e.trimmed, e.minimum)
                for e in entries
            ]
            cleared = clear(book, released_now + carried_in, rules)
            history[market, number] = RoundOutcome(released_now, carried_in, entries, cleared)
    return history


def grants_so_far(history: dict[tuple[str, int], RoundOutcome], market: str) -> dict[str, int]:
    """Volume each request of a market has won in the rounds so far."""
    won: dict[str, int] = {}
    for (of_market, _), outcome in history.items():
        for request_id, volume in outcome.cleared.granted.items():
            if of_market == market:
                won[request_id] = won.get(request_id, 0) + volume
    return won


def enter(
    known: list[Revision],
    won: dict[str, int],
    past_closes: list[datetime],
    carry_over: bool,
    rules: ClearingRules,
    caps: dict[tuple[str, str], int],
) -> list[Entry]:
    """The requests of one market that are open in a round, their sellers' room dealt (§3)."""
    versions: dict[str, list[Revision]] = {}
    for each in known:
        versions.setdefault(each.request_id, []).append(each)
    seller_of = {request_id: own[0].seller for request_id, own in versions.items()}
    asks: dict[str, list[Ask]] = {}
    binding: dict[str, Revision] = {}
    for request_id, own in versions.items():
        bound = max(own, key=lambda each: each.revision)
        earlier = won.get(request_id, 0)
        volume = 0 if bound.withdrawn else max(0, bound.requested - earlier)
        took_part_before = any(each.received_at < close for each in own for close in past_closes)
        if not carry_over and took_part_before:
            volume = 0
        if volume > 0 and bound.fee >= rules.minimum_fee_minor_per_ft3:
            minimum = max(0, bound.minimum - earlier)
            ask = Ask(request_id, bound.fee, bound.at, volume, minimum)
            asks.setdefault(bound.seller, []).append(ask)
            binding[request_id] = bound
    entries = []
    for seller, own_asks in asks.items():
        used = sum(volume for request_id, volume in won.items() if seller_of[request_id] == seller)
        cap = caps[binding[own_asks[0].request_id].market, seller]
        shares, passed = deal_cap(own_asks, max(0, cap - used))
        for ask in own_asks:
            trimmed, is_passed_over = shares[ask.request_id], ask.request_id in passed
            bound = binding[ask.request_id]
            entries.append(Entry(bound, ask.open, ask.minimum, trimmed, is_passed_over))
    return entries


def told(entry: Entry, cleared: Cleared) -> tuple[int, str, str]:
    """(granted, outcome, reason) as published for a request in a quarter's round (§§3–4)."""
    granted = cleared.granted[entry.bound.request_id]
    reason = cleared.reason[entry.bound.request_id]
    if entry.is_passed_over:
        reason = "cap_below_minimum"
    elif reason == "granted" and entry.trimmed < entry.open:
        reason = "cap_reached"
    return granted, outcome_of(granted, entry.open), reason
