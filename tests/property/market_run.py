"""One random quarter through every stage of the market, and through the slow reference.

Here belongs running the stages. What must hold of the tables is in ``test_invariant_properties``.
"""

from __future__ import annotations

import pandas as pd
import reference
from edge_strategies import MAX, AcceptedQuarter
from hypothesis import strategies as st
from strategies import MarketQuarter, judged_frame, sales_of, shuffled, supply_frame

from fbacap_logic.clearing import QuarterClearing, clear_quarter
from fbacap_logic.invariants import EARLIER_ALLOCATIONS, EARLIER_ROUNDS
from fbacap_logic.repricing import reprice_quarter, repricing_steps_quarter
from fbacap_logic.requests import judge_requests
from fbacap_logic.settlement import ledger, settle

CURRENCIES = pd.DataFrame({"marketplace_id": ["DE", "US"], "currency": ["EUR", "USD"]})

Tables = dict[str, pd.DataFrame]


def rounds_of(quarter: MarketQuarter, draw: st.DrawFn | None = None) -> Tables:
    """Judged, cleared and repriced; with ``draw``, every input table shuffled first."""
    policy, calendar = quarter.policy, quarter.calendar
    received, supply = judged_frame(quarter), supply_frame(quarter)
    if draw:
        received, supply = shuffled(draw, received), shuffled(draw, supply)
    judged = judge_requests(received, calendar, policy)
    accepted = judged[judged["is_accepted"]]
    if draw:
        accepted = shuffled(draw, accepted)
    cleared = clear_quarter(accepted, supply, calendar, policy)
    grants, rounds = cleared.grants, cleared.rounds
    if draw:
        grants, rounds = shuffled(draw, grants), shuffled(draw, rounds)
    return {
        "judged_requests": received,
        "round_requests": judged,
        "cleared_allocations": cleared.grants,
        "market_rounds": cleared.rounds,
        "repriced_fees": reprice_quarter(grants, rounds, calendar, policy),
        "repricing_steps": repricing_steps_quarter(grants, rounds, calendar, policy),
    }


def published_tables(quarter: MarketQuarter, draw: st.DrawFn) -> Tables:
    """``rounds_of``, settled with drawn sales, beside what the first round published."""
    tables = rounds_of(quarter)
    judged, supply = tables["round_requests"], supply_frame(quarter)
    earlier = clear_quarter(
        judged[judged["is_accepted"]],
        supply[supply["round"] == 1],
        quarter.calendar,
        quarter.policy,
    )
    repriced = tables["repriced_fees"]
    settled = settle(repriced, sales_of(draw, repriced), CURRENCIES, None, quarter.policy)
    return tables | {
        EARLIER_ALLOCATIONS: earlier.grants,
        EARLIER_ROUNDS: earlier.rounds,
        "settlements": settled,
        "ledger_entries": ledger(settled),
    }


def cleared_accepted(quarter: AcceptedQuarter) -> QuarterClearing:
    """What the logic makes of a quarter."""
    return clear_quarter(quarter.requests, quarter.round_supply, quarter.calendar, quarter.policy)


def expected_of(quarter: AcceptedQuarter) -> dict[tuple[str, int], reference.RoundOutcome]:
    """What the slow reference makes of a quarter."""
    return reference.clear_quarter(
        quarter.revisions,
        quarter.released,
        quarter.caps,
        quarter.calendar,
        quarter.policy,
        lambda market: quarter.policy.clearing_rules(*market.split("/")),
    )


def passes_63_bits(expected: dict[tuple[str, int], reference.RoundOutcome]) -> bool:
    """Whether a published figure would not fit, so that the quarter must be refused."""
    for outcome in expected.values():
        supply = outcome.released + outcome.carried_in
        cover = reference.ratio_bp(outcome.cleared.demanded, supply)
        if max(supply, outcome.cleared.demanded, cover or 0) > MAX:
            return True
    return False
