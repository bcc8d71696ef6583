"""The market's invariants, checked on published tables (rules §8).

Here belong the registry ``INVARIANTS`` and how one is run. The checks themselves stand in
``invariants_rounds`` (space and fees of rounds) and ``invariants_records`` (money, and what traces
to what). Invariants 6 (order of rows) and 7 (raising a fee) compare whole runs, so they are
property tests; 8 is checked against the round run before, where there is one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import pandas as pd

from fbacap_logic import invariants_records as records
from fbacap_logic import invariants_rounds as rounds
from fbacap_logic.calendar import StageKind
from fbacap_logic.policy import Policy

EARLIER_ALLOCATIONS = "earlier_cleared_allocations"
EARLIER_ROUNDS = "earlier_market_rounds"


@dataclass(frozen=True)
class Invariant:
    """One thing that must hold of what is published.

    ``tables`` are the tables it reads, by name, in the order in which ``check`` takes them
    (``earlier_cleared_allocations``, ``earlier_market_rounds``: those of the round run published
    before, empty in the first). ``stage_kinds`` are the stage runs in which all of them are at
    hand. ``check`` returns the rows that break it: none when it holds.
    """

    name: str
    number: int
    sentence: str
    tables: tuple[str, ...]
    stage_kinds: tuple[StageKind, ...]
    check: Callable[..., pd.DataFrame]
    needs_policy: bool = False

    def breaches(self, tables: Mapping[str, pd.DataFrame], policy: Policy) -> pd.DataFrame:
        """The rows that break this invariant, given tables by name.

        Raises:
            ValueError: a table that it reads was not given.
        """
        for name in self.tables:
            if name not in tables:
                raise ValueError(f"invariant {self.name} reads table '{name}'; give it")
        frames = [tables[name] for name in self.tables]
        return self.check(*frames, policy) if self.needs_policy else self.check(*frames)


_ROUND: tuple[StageKind, ...] = ("round",)
_SETTLE: tuple[StageKind, ...] = ("settle",)
_BOTH: tuple[StageKind, ...] = ("round", "settle")

INVARIANTS = (
    Invariant(
        "rounds_conserve_space", 1,
        "In every market and round, supply is what was released plus what was left, and granted "
        "plus unsold is supply.",
        ("market_rounds",), _ROUND, rounds.rounds_conserve_space,
    ),
    Invariant(
        "grants_sum_to_rounds", 1,
        "The grants of a market and round sum to what the round says it granted.",
        ("cleared_allocations", "market_rounds"), _ROUND, rounds.grants_sum_to_rounds,
    ),
    Invariant(
        "grants_within_open_volume", 2,
        "No request is granted more than its open volume, trimmed by the cap, in a round.",
        ("cleared_allocations",), _ROUND, rounds.grants_within_open_volume,
    ),
    Invariant(
        "grants_within_requests", 2,
        "A request's grants never sum to more than the largest volume that bound in a round.",
        ("cleared_allocations",), _ROUND, rounds.grants_within_requests,
    ),
    Invariant(
        "grants_within_caps", 2,
        "A seller's grants in a market never sum to more than the seller's cap.",
        ("cleared_allocations", "round_requests"), _ROUND, rounds.grants_within_caps,
    ),
    Invariant(
        "no_request_outranked", 3,
        "No request that outranks one granted in the same round is left short, unless by its own "
        "minimum, its cap, or pro-rata at its own fee.",
        ("cleared_allocations",), _ROUND, rounds.no_request_outranked, needs_policy=True,
    ),
    Invariant(
        "clearing_fees_follow_grants", 4,
        "A round has a clearing fee exactly when it granted something, and the fee is what the "
        "price rule makes of its grants.",
        ("market_rounds", "cleared_allocations"), _ROUND, rounds.clearing_fees_follow_grants,
        needs_policy=True,
    ),
    Invariant(
        "fees_in_order", 4,
        "Own maximum fee, round fee, final fee and minimum fee never rise from one to the next.",
        ("repriced_fees",), _BOTH, rounds.fees_in_order, needs_policy=True,
    ),
    Invariant(
        "earlier_winners_pay_no_more", 4,
        "Who won space in an earlier round never pays more per cubic foot than who won it later "
        "(uniform price rules without a repricing guard).",
        ("repriced_fees",), _BOTH, rounds.earlier_winners_pay_no_more, needs_policy=True,
    ),
    Invariant(
        "credits_within_fees", 5,
        "Every credit lies between nothing and its fee, and net due is fee less credit.",
        ("settlements",), _SETTLE, records.credits_within_fees,
    ),
    Invariant(
        "deltas_lead_to_latest", 5,
        "Every delta is the amount of this settlement run less that of the run before.",
        ("settlements",), _SETTLE, records.deltas_lead_to_latest,
    ),
    Invariant(
        "ledger_balances", 5,
        "Ledger entries sum to zero per market, currency and grant.",
        ("ledger_entries",), _SETTLE, records.ledger_balances,
    ),
    Invariant(
        "ledger_matches_settlements", 5,
        "The ledger posts exactly the deltas of the settlements.",
        ("ledger_entries", "settlements"), _SETTLE, records.ledger_matches_settlements,
    ),
    Invariant(
        "earlier_rounds_stand", 8,
        "What an earlier round run published about a round is published again unchanged.",
        ("cleared_allocations", "market_rounds", EARLIER_ALLOCATIONS, EARLIER_ROUNDS), _ROUND,
        records.earlier_rounds_stand,
    ),
    Invariant(
        "every_request_judged_once", 9,
        "Accepted plus rejected is received: every version received is judged exactly once.",
        ("round_requests", "judged_requests"), _BOTH, records.every_request_judged_once,
    ),
    Invariant(
        "allocations_trace_to_requests", 9,
        "Every allocation traces to one accepted revision that was received before its round "
        "closed, with that revision's fee and volume.",
        ("cleared_allocations", "round_requests"), _ROUND, records.allocations_trace_to_requests,
    ),
    Invariant(
        "fees_trace_to_grants", 9,
        "Every grant has one fee, and every fee one grant of the same volume.",
        ("repriced_fees", "cleared_allocations"), _ROUND, records.fees_trace_to_grants,
    ),
    Invariant(
        "settlements_trace_to_fees", 9,
        "Every grant has one settlement row, and every settlement row one grant with its fee.",
        ("settlements", "repriced_fees"), _SETTLE, records.settlements_trace_to_fees,
    ),
)  # fmt: skip
