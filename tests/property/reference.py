"""The rules again, slowly and literally: plain integers, dicts and fractions, one thing at a time.

Here belongs what the fast code is compared with. Nothing here is imported from it except policy,
calendar and their types.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction

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
        return (-self.fee, self.at, self.request_id.encode())


@dataclass(frozen=True)
class Cleared:
    granted: dict[str, int]
    dropped: set[str]
    fee: int | None
    unsold: int


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


def half_even(value: Fraction) -> int:
    return round(value)


def share_out(total: int, weights: list[int]) -> list[int]:
    """Largest remainder; ``weights`` stand in the order that breaks ties."""
    whole = sum(weights)
    if whole == 0:
        return [0 for _ in weights]
    exact = [Fraction(total * weight, whole) for weight in weights]
    parts = [int(part) for part in exact]
    by_rest = sorted(range(len(weights)), key=lambda i: (parts[i] - exact[i], i))
    for index in by_rest[: total - sum(parts)]:
        parts[index] += 1
    return parts


def walk(asks: list[Ask], supply: int, tie_rule: str) -> dict[str, int]:
    ordered = sorted(asks, key=lambda ask: ask.rank)
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
        equals = [other for other in ordered if other.fee == ask.fee]
        left += sum(granted[other.request_id] for other in equals)
        parts = share_out(left, [other.open for other in equals])
        granted |= {other.request_id: part for other, part in zip(equals, parts, strict=True)}
        return granted
    return granted


def clear(book: list[Ask], supply: int, rules: ClearingRules) -> Cleared:
    active = [ask for ask in book if ask.fee >= rules.minimum_fee_minor_per_ft3 and ask.open > 0]
    listed = list(active)
    while True:
        granted = walk(active, supply, rules.tie_rule)
        short = [ask for ask in active if 0 < granted[ask.request_id] < ask.minimum]
        if not short:
            break
        active.remove(max(short, key=lambda ask: ask.rank))
    winners = [ask for ask in active if granted[ask.request_id] > 0]
    fee = min((ask.fee for ask in winners), default=None)
    if winners and rules.price_rule == "highest_rejected":
        unfilled = [ask.fee for ask in active if granted[ask.request_id] < ask.open]
        fee = max([*unfilled, rules.minimum_fee_minor_per_ft3])
    dropped = {ask.request_id for ask in listed} - {ask.request_id for ask in active}
    everyone = {ask.request_id: granted.get(ask.request_id, 0) for ask in book}
    return Cleared(everyone, dropped, fee, supply - sum(granted.values()))


def deal_cap(asks: list[Ask], room: int) -> tuple[dict[str, int], set[str]]:
    """One seller's asks in one market: (share of each, those passed over)."""
    shares, passed = {}, set()
    for ask in sorted(asks, key=lambda ask: ask.rank):
        share = min(ask.open, max(room, 0))
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
) -> dict[tuple[str, int], tuple[Cleared, int, set[str]]]:
    """(market, round) → (what cleared, its supply, those passed over under the cap)."""
    won_before: dict[str, int] = {}
    by_seller: dict[tuple[str, str], int] = {}
    unsold: dict[str, int] = {}
    closes: list[datetime] = []
    result = {}
    for window in calendar.rounds[: max(number for _, number in released)]:
        close = window.closes_at.replace(tzinfo=None)
        for market in sorted({market for market, _ in released}):
            rules = rules_of(market)
            known = [r for r in revisions if r.market == market and r.received_at < close]
            asks = open_asks(known, won_before, closes, policy.requests.carry_over, rules)
            book, passed = [], set()
            for seller in {seller for seller, _ in asks}:
                own = [ask for each, ask in asks if each == seller]
                room = caps[market, seller] - by_seller.get((market, seller), 0)
                shares, over = deal_cap(own, room)
                passed |= over
                book += [
                    Ask(ask.request_id, ask.fee, ask.at, shares[ask.request_id], ask.minimum)
                    for ask in own
                ]
            supply = released.get((market, window.round), 0) + unsold.get(market, 0)
            cleared = clear(book, supply, rules)
            unsold[market] = cleared.unsold
            for seller, ask in asks:
                won = cleared.granted[ask.request_id]
                won_before[ask.request_id] = won_before.get(ask.request_id, 0) + won
                by_seller[market, seller] = by_seller.get((market, seller), 0) + won
            result[market, window.round] = (cleared, supply, passed)
        closes.append(close)
    return result


def open_asks(
    known: list[Revision],
    won_before: dict[str, int],
    closes: list[datetime],
    carry_over: bool,
    rules: ClearingRules,
) -> list[tuple[str, Ask]]:
    """(seller, ask) of every request of one market that is open in the next round."""
    asks = []
    for request_id in sorted({revision.request_id for revision in known}):
        versions = [each for each in known if each.request_id == request_id]
        bound = max(versions, key=lambda each: each.revision)
        earlier = won_before.get(request_id, 0)
        volume = 0 if bound.withdrawn else max(0, bound.requested - earlier)
        first = min(each.received_at for each in versions)
        if not carry_over and any(first < past for past in closes):
            volume = 0
        if volume and bound.fee >= rules.minimum_fee_minor_per_ft3:
            minimum = max(0, bound.minimum - earlier)
            asks.append((bound.seller, Ask(request_id, bound.fee, bound.at, volume, minimum)))
    return asks


def final_fee(
    round_fee: int, made_in: int, rounds: dict[int, tuple[int | None, int]], guard: int
) -> tuple[int, int | None]:
    """(final fee, last round that lowered it); rounds: number → (clearing fee, granted)."""
    fee, last = round_fee, None
    for number in sorted(rounds):
        clearing_fee, granted = rounds[number]
        counts = clearing_fee is not None and granted > 0 and granted >= guard
        if number > made_in and counts and clearing_fee < fee:
            fee, last = clearing_fee, number
    return fee, last


def credits_of(fees: list[int], incremental: int, rate_bp: int, cap_bp: int) -> list[int]:
    """One seller's credits; ``fees`` stand in the total order."""
    caps = [cap_bp * fee // 10_000 for fee in fees]
    total = max(0, min(half_even(Fraction(incremental * rate_bp, 10_000)), sum(caps)))
    return share_out(total, caps)


def usage_layer_micro(sales: int, used: int, base: int, extra: int) -> int:
    extra_used = min(extra, max(0, used - base))
    return half_even(Fraction(sales * 10**6 * extra_used, used)) if used else 0


def capacity_share_micro(sales: int, base: int, extra: int) -> int:
    return half_even(Fraction(sales * 10**6 * extra, base + extra)) if base + extra else 0
