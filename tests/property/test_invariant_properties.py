"""Every invariant of rules §8 holds on whatever the pipeline makes of random quarters."""

from __future__ import annotations

import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import judged_frame, quarters, sales_of, supply_frame

from fbacap_logic.clearing import clear_quarter
from fbacap_logic.invariants import EARLIER_ALLOCATIONS, EARLIER_ROUNDS, INVARIANTS
from fbacap_logic.repricing import reprice_quarter, repricing_steps_quarter
from fbacap_logic.requests import judge_requests
from fbacap_logic.settlement import ledger, settle

CURRENCIES = pd.DataFrame({"marketplace_id": ["DE", "US"], "currency": ["EUR", "USD"]})


def published_tables(quarter, draw):
    policy, calendar = quarter.policy, quarter.calendar
    received = judged_frame(quarter)
    judged = judge_requests(received, calendar, policy)
    accepted = judged[judged["is_accepted"]]
    supply = supply_frame(quarter)
    cleared = clear_quarter(accepted, supply, calendar, policy)
    earlier = clear_quarter(accepted, supply[supply["round"] == 1], calendar, policy)
    repriced = reprice_quarter(cleared.grants, cleared.rounds, calendar, policy)
    settled = settle(repriced, sales_of(draw, repriced), CURRENCIES, None, policy)
    return {
        "judged_requests": received,
        "round_requests": judged,
        "cleared_allocations": cleared.grants,
        EARLIER_ALLOCATIONS: earlier.grants,
        EARLIER_ROUNDS: earlier.rounds,
        "market_rounds": cleared.rounds,
        "repriced_fees": repriced,
        "repricing_steps": repricing_steps_quarter(
            cleared.grants, cleared.rounds, calendar, policy
        ),
        "settlements": settled,
        "ledger_entries": ledger(settled),
    }


@settings(max_examples=60)
@given(quarters(), st.data())
def test_every_invariant_holds_on_every_random_quarter(quarter, data):
    tables = published_tables(quarter, data.draw)
    for invariant in INVARIANTS:
        broken = invariant.breaches(tables, quarter.policy)
        assert broken.empty, f"{invariant.name}: {broken.to_dict('records')}"


@settings(max_examples=30)
@given(quarters())
def test_a_quarter_run_twice_is_the_same_to_the_byte(quarter):
    texts = []
    for _ in range(2):
        judged = judge_requests(judged_frame(quarter), quarter.calendar, quarter.policy)
        accepted = judged[judged["is_accepted"]]
        cleared = clear_quarter(accepted, supply_frame(quarter), quarter.calendar, quarter.policy)
        texts.append([table.to_csv() for table in (judged, cleared.grants, cleared.rounds)])
    assert texts[0] == texts[1]
