"""Repricing: later rounds can only lower what earlier winners pay (rules §5).

Here belong round fees, final fees, the steps between them, and the fee of each grant. How a round's
clearing fee comes about is ``clearing_round``; credits against the fee are ``credits``.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from fbacap_logic.calendar import QuarterCalendar
from fbacap_logic.frames import (
    MARKET_KEY,
    BoolArray,
    TextArray,
    codes_of,
    empty_table,
    instants,
    integers,
    nullable,
    nullable_integers,
    refuse,
    require_unique,
    texts,
)
from fbacap_logic.policy import ClearingRules, Policy
from fbacap_logic.units import MILLI_PER_FT3, Int64Array, ratio_half_even

REPRICED_FEE_COLUMNS = (
    "marketplace_id", "storage_type", "request_id", "round", "seller_id", "granted_milli_ft3",
    "max_fee_minor_per_ft3", "priority_at", "round_fee_minor_per_ft3", "final_fee_minor_per_ft3",
    "repriced_in_round", "days_in_force", "days_in_quarter", "fee_minor",
)  # fmt: skip
REPRICING_STEP_COLUMNS = (
    "marketplace_id", "storage_type", "request_id", "round", "repriced_in_round",
    "fee_before_minor_per_ft3", "fee_after_minor_per_ft3",
)  # fmt: skip
_LONGEST_QUARTER_DAYS = 92
_FEE_COLUMNS = (
    "round_fee_minor_per_ft3", "final_fee_minor_per_ft3", "repriced_in_round", "fee_minor",
)  # fmt: skip


@dataclass(frozen=True)
class _Path:
    """The grants, their fees, and the steps that lowered them as (row, round, before, after)."""

    request_id: TextArray
    made_in: Int64Array
    granted: Int64Array
    max_fee: Int64Array
    round_fee: Int64Array
    final_fee: Int64Array
    last_step_round: Int64Array
    steps: list[tuple[Int64Array, int, Int64Array, Int64Array]]


def reprice(grants: pd.DataFrame, rounds: pd.DataFrame, rules: ClearingRules) -> pd.DataFrame:
    """Final fee and amount of every grant of one market (rules §5).

    ``final = min(round fee, clearing_fee(s) for later rounds s that granted at least the guard)``,
    and ``fee_minor = round_half_even(final × granted / 1000)``; with ``fee_basis = prorated``
    times days in force ÷ days in the quarter inside that one rounding.

    Args:
        grants: request_id, round, granted_milli_ft3 (above 0), max_fee_minor_per_ft3; and
            days_in_force, days_in_quarter when prorated.
        rounds: round, clearing_fee_minor_per_ft3 (nullable), granted_milli_ft3.
        rules: price rule, guard (``minimum_repricing_milli_ft3``), fee basis.

    Returns:
        grants' request_id, round, granted_milli_ft3 and max_fee_minor_per_ft3, in their order, with
        round_fee_minor_per_ft3, final_fee_minor_per_ft3, repriced_in_round (the last round that
        lowered the fee, Int64, null if none did) and fee_minor.

    Raises:
        ValueError: bad columns; a grant of an unknown round, of a round without clearing fee, or
            whose max fee is below its round's clearing fee.

    >>> grants = pd.DataFrame({"request_id": ["A"], "round": [1], "granted_milli_ft3": [60_000],
    ...                        "max_fee_minor_per_ft3": [600]})
    >>> rounds = pd.DataFrame({"round": [1, 2], "granted_milli_ft3": [60_000, 10_000],
    ...                        "clearing_fee_minor_per_ft3": [600, 250]})
    >>> reprice(grants, rounds, ClearingRules())[["final_fee_minor_per_ft3", "fee_minor"]].values
    array([[  250, 15000]])
    """
    path = _fee_path(grants, rounds, rules)
    factors: list[Int64Array | int] = [path.final_fee, path.granted]
    divisor: Int64Array | int = MILLI_PER_FT3
    if rules.fee_basis == "prorated":
        days_in_force, days_in_quarter = _days(grants)
        factors.append(days_in_force)
        divisor = days_in_quarter * MILLI_PER_FT3
    return pd.DataFrame(
        {
            "request_id": path.request_id,
            "round": path.made_in,
            "granted_milli_ft3": path.granted,
            "max_fee_minor_per_ft3": path.max_fee,
            "round_fee_minor_per_ft3": path.round_fee,
            "final_fee_minor_per_ft3": path.final_fee,
            "repriced_in_round": nullable(path.last_step_round, path.last_step_round == 0),
            "fee_minor": ratio_half_even(factors, divisor),
        }
    )


def repricing_steps(
    grants: pd.DataFrame, rounds: pd.DataFrame, rules: ClearingRules
) -> pd.DataFrame:
    """Every step: which round lowered which grant from what to what (rules §5).

    Arguments and errors are those of ``reprice``. Returns request_id, round, repriced_in_round,
    fee_before_minor_per_ft3 and fee_after_minor_per_ft3, sorted by grant and lowering round.
    """
    path = _fee_path(grants, rounds, rules)
    row, lowering, before, after = _joined_steps(path)
    frame = pd.DataFrame(
        {
            "request_id": path.request_id[row],
            "round": path.made_in[row],
            "repriced_in_round": lowering,
            "fee_before_minor_per_ft3": before,
            "fee_after_minor_per_ft3": after,
        }
    )
    return frame.sort_values(["request_id", "round", "repriced_in_round"], ignore_index=True)


def reprice_quarter(
    grants: pd.DataFrame, rounds: pd.DataFrame, calendar: QuarterCalendar, policy: Policy
) -> pd.DataFrame:
    """``reprice`` over every market of a quarter (rules §5).

    Args:
        grants: cleared_allocations; rows that were granted nothing are left out of the result.
        rounds: market_rounds.
        calendar: gives each round's days in force.
        policy: clearing rules per market.

    Returns:
        repriced_fees, one row per grant, sorted by market, request_id and round.
    """
    won = _won(grants, calendar)
    parts = []
    for market_grants, market_rounds, rules in _by_market(won, rounds, policy):
        fees = reprice(market_grants, market_rounds, rules)
        priced = market_grants.assign(**{name: fees[name] for name in _FEE_COLUMNS})
        parts.append(priced[list(REPRICED_FEE_COLUMNS)])
    return _stacked(parts, REPRICED_FEE_COLUMNS)


def repricing_steps_quarter(
    grants: pd.DataFrame, rounds: pd.DataFrame, calendar: QuarterCalendar, policy: Policy
) -> pd.DataFrame:
    """``repricing_steps`` over every market of a quarter; arguments as ``reprice_quarter``.

    Returns repricing_steps, sorted by market, request_id, round and lowering round.
    """
    won = _won(grants, calendar)
    parts = []
    for market_grants, market_rounds, rules in _by_market(won, rounds, policy):
        steps = repricing_steps(market_grants, market_rounds, rules)
        for level, name in enumerate(MARKET_KEY):
            steps.insert(level, name, market_grants[name].iloc[0])
        parts.append(steps[list(REPRICING_STEP_COLUMNS)])
    filled = [part for part in parts if len(part)]
    return _stacked(filled, REPRICING_STEP_COLUMNS)


def _fee_path(grants: pd.DataFrame, rounds: pd.DataFrame, rules: ClearingRules) -> _Path:
    """Walk the rounds in order, lowering each earlier grant's fee where a round is cheaper."""
    request_id = texts(grants, "request_id", "grants")
    made_in = integers(grants, "round", "grants", minimum=1)
    require_unique(grants, ["request_id", "round"], "grants")
    volume = integers(grants, "granted_milli_ft3", "grants", minimum=1)
    max_fee = integers(grants, "max_fee_minor_per_ft3", "grants")
    number, fee, has_fee, granted = _read_rounds(rounds)
    round_fee = _round_fees(made_in, max_fee, number, fee, has_fee, rules)
    current = round_fee.copy()
    last_step = np.zeros(len(max_fee), dtype=np.int64)
    steps = []
    for later in np.flatnonzero(has_fee & (granted >= max(rules.minimum_repricing_milli_ft3, 1))):
        row = np.flatnonzero((made_in < number[later]) & (fee[later] < current))
        after = np.full(len(row), fee[later], dtype=np.int64)
        steps.append((row, int(number[later]), current[row], after))
        current[row] = after
        last_step[row] = number[later]
    return _Path(request_id, made_in, volume, max_fee, round_fee, current, last_step, steps)


def _read_rounds(rounds: pd.DataFrame) -> tuple[Int64Array, Int64Array, BoolArray, Int64Array]:
    """Round numbers ascending, clearing fees, where there is one, and volumes granted."""
    number = integers(rounds, "round", "rounds", minimum=1)
    require_unique(rounds, ["round"], "rounds")
    fee, null = nullable_integers(rounds, "clearing_fee_minor_per_ft3", "rounds", minimum=1)
    granted = integers(rounds, "granted_milli_ft3", "rounds")
    feeless = null & (granted > 0)
    if feeless.any():
        row = int(np.argmax(feeless))
        refuse("rounds", "clearing_fee_minor_per_ft3", row, "is null though space was granted")
    order = np.argsort(number)
    return number[order], fee[order], ~null[order], granted[order]


def _round_fees(
    made_in: Int64Array,
    max_fee: Int64Array,
    number: Int64Array,
    fee: Int64Array,
    has_fee: BoolArray,
    rules: ClearingRules,
) -> Int64Array:
    """What each grant pays before any repricing."""
    place = np.minimum(np.searchsorted(number, made_in), max(len(number) - 1, 0))
    known = (number[place] == made_in) if len(number) else np.zeros(len(made_in), np.bool_)
    if not known.all():
        refuse("grants", "round", int(np.argmin(known)), "is not among the rounds")
    if not has_fee[place].all():
        row = int(np.argmin(has_fee[place]))
        refuse("grants", "round", row, "has no clearing fee though it granted this")
    if (max_fee < fee[place]).any():
        row = int(np.argmax(max_fee < fee[place]))
        refuse("grants", "max_fee_minor_per_ft3", row, "is below the clearing fee of its round")
    return max_fee.copy() if rules.price_rule == "pay_as_bid" else fee[place]


def _days(grants: pd.DataFrame) -> tuple[Int64Array, Int64Array]:
    """Days in force and days in the quarter of each grant."""
    in_quarter = integers(grants, "days_in_quarter", "grants", minimum=1)
    in_force = integers(grants, "days_in_force", "grants", minimum=1)
    for column, too_many, fault in (
        ("days_in_quarter", in_quarter > _LONGEST_QUARTER_DAYS, "passes the 92 days of a quarter"),
        ("days_in_force", in_force > in_quarter, "passes the days of the quarter"),
    ):
        if too_many.any():
            refuse("grants", column, int(np.argmax(too_many)), fault)
    return in_force, in_quarter


def _joined_steps(path: _Path) -> tuple[Int64Array, Int64Array, Int64Array, Int64Array]:
    empty = np.empty(0, dtype=np.int64)
    if not path.steps:
        return empty, empty, empty, empty
    rows, numbers, before, after = zip(*path.steps, strict=True)
    lengths = [len(row) for row in rows]
    lowering = np.repeat(np.array(numbers, dtype=np.int64), lengths)
    return np.concatenate(rows), lowering, np.concatenate(before), np.concatenate(after)


def _won(grants: pd.DataFrame, calendar: QuarterCalendar) -> pd.DataFrame:
    """Rows that were granted something, with their days, sorted by market, request and round."""
    names = ("seller_id", "request_id", *MARKET_KEY)
    keys = {name: texts(grants, name, "grants") for name in names}
    instants(grants, "priority_at", "grants")
    integers(grants, "max_fee_minor_per_ft3", "grants")
    days = {window.round: window.days_in_force for window in calendar.rounds}
    unknown = ~np.isin(integers(grants, "round", "grants"), list(days))
    if unknown.any():
        refuse("grants", "round", int(np.argmax(unknown)), "is not a round of the calendar")
    won = grants.assign(**keys)[integers(grants, "granted_milli_ft3", "grants") > 0]
    won = won.sort_values([*MARKET_KEY, "request_id", "round"], ignore_index=True)
    won["days_in_force"] = won["round"].map(days).astype(np.int64)
    won["days_in_quarter"] = np.full(len(won), calendar.quarter.days, dtype=np.int64)
    return won


def _by_market(
    won: pd.DataFrame, rounds: pd.DataFrame, policy: Policy
) -> list[tuple[pd.DataFrame, pd.DataFrame, ClearingRules]]:
    """Grants, rounds and rules of each market that granted anything."""
    names: list[TextArray] = [texts(rounds, name, "rounds") for name in MARKET_KEY]
    market, first_row = codes_of(*names)
    numbers = {
        (names[0][row], names[1][row]): number for number, row in enumerate(first_row.tolist())
    }
    parts = []
    for _, market_grants in won.groupby(list(MARKET_KEY), sort=True):
        key = (str(market_grants[MARKET_KEY[0]].iloc[0]), str(market_grants[MARKET_KEY[1]].iloc[0]))
        if key not in numbers:
            raise ValueError(f"rounds: market {' '.join(key)} has no row; give its market_rounds")
        market_rounds = rounds.loc[market == numbers[key]].reset_index(drop=True)
        rules = policy.clearing_rules(*key)
        parts.append((market_grants.reset_index(drop=True), market_rounds, rules))
    return parts


def _stacked(parts: list[pd.DataFrame], columns: tuple[str, ...]) -> pd.DataFrame:
    """All markets' rows under one another, typed even when there is none."""
    return pd.concat(parts, ignore_index=True) if parts else empty_table(columns)
