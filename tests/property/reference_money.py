"""The rules of money again, slowly and literally: repricing, attribution, credits (rules §§0, 5–7).

Here belongs what the fast code is compared with, written from the rules' text in integers and
fractions. Who gets space is in ``reference``.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from fbacap_logic.policy import ClearingRules


def half_even(value: Fraction) -> int:
    return round(value)


def share_out(total: int, weights: list[int]) -> list[int]:
    """Largest remainder (§0); ``weights`` stand in the order that breaks ties."""
    whole = sum(weights)
    if whole == 0:
        return [0 for _ in weights]
    exact = [Fraction(total * weight, whole) for weight in weights]
    parts = [int(part) for part in exact]
    by_rest = sorted(range(len(weights)), key=lambda i: (parts[i] - exact[i], i))
    for index in by_rest[: total - sum(parts)]:
        parts[index] += 1
    return parts


@dataclass(frozen=True)
class Grant:
    request_id: str
    made_in: int
    granted: int
    max_fee: int
    days_in_force: int
    days_in_quarter: int


@dataclass(frozen=True)
class Priced:
    """What a grant pays (§5); each step is (lowering round, fee before, fee after)."""

    round_fee: int
    final_fee: int
    steps: list[tuple[int, int, int]]
    fee_minor: int


def price(grant: Grant, rounds: dict[int, tuple[int | None, int]], rules: ClearingRules) -> Priced:
    """§5 for one grant; rounds: number → (clearing fee, volume granted)."""
    of_its_round = rounds[grant.made_in][0]
    assert of_its_round is not None
    start = grant.max_fee if rules.price_rule == "pay_as_bid" else of_its_round
    fee, steps = start, []
    for number in sorted(number for number in rounds if number > grant.made_in):
        clearing_fee, granted = rounds[number]
        if clearing_fee is None or granted == 0:
            continue
        if granted >= rules.minimum_repricing_milli_ft3 and clearing_fee < fee:
            steps.append((number, fee, clearing_fee))
            fee = clearing_fee
    amount = Fraction(fee * grant.granted, 1000)
    if rules.fee_basis == "prorated":
        amount *= Fraction(grant.days_in_force, grant.days_in_quarter)
    return Priced(start, fee, steps, half_even(amount))


def credits_of(fees: list[int], incremental: int, rate_bp: int, cap_bp: int) -> list[int]:
    """One seller's credits (§7); ``fees`` stand in the total order."""
    caps = [cap_bp * fee // 10_000 for fee in fees]
    total = max(0, min(half_even(Fraction(incremental * rate_bp, 10_000)), sum(caps)))
    return share_out(total, caps)


def usage_layer_micro(sales: int, used: int, base: int, extra: int) -> int:
    """§6, one day, in millionths of a minor unit."""
    extra_used = min(extra, max(0, used - base))
    return half_even(Fraction(sales * 10**6 * extra_used, used)) if used else 0


def capacity_share_micro(sales: int, base: int, extra: int) -> int:
    """§6, one day, in millionths of a minor unit."""
    return half_even(Fraction(sales * 10**6 * extra, base + extra)) if base + extra else 0
