"""Every invariant is shown a market that breaks it."""

from __future__ import annotations

import pandas as pd
import pytest
from market_examples import CALENDAR, CURRENCIES, cleared, judge, received

from fbacap_logic.invariants import EARLIER_ALLOCATIONS, EARLIER_ROUNDS, INVARIANTS
from fbacap_logic.policy import ClearingRules, Policy
from fbacap_logic.repricing import reprice_quarter
from fbacap_logic.settlement import ledger, settle

BY_NAME = {invariant.name: invariant for invariant in INVARIANTS}
ROWS = (
    {"max_fee_micro": 5_000_000},
    {"max_fee_micro": 4_000_000, "seller_id": "s2"},
    {"max_fee_micro": 3_000_000, "seller_id": "s3", "requested_micro_ft3": 10_000_000},
)


@pytest.fixture
def tables():
    judged = judge(*ROWS)
    result = cleared(judged, 70_000, 40_000)
    repriced = reprice_quarter(result.grants, result.rounds, CALENDAR, Policy())
    sales = repriced[["marketplace_id", "storage_type", "seller_id"]].drop_duplicates()
    settled = settle(
        repriced, sales.assign(incremental_sales_minor=100_000), CURRENCIES, None, Policy()
    )
    return {
        "judged_requests": received(*ROWS),
        "round_requests": judged,
        "cleared_allocations": result.grants,
        EARLIER_ALLOCATIONS: cleared(judged, 70_000).grants,
        EARLIER_ROUNDS: cleared(judged, 70_000).rounds,
        "market_rounds": result.rounds,
        "repriced_fees": repriced,
        "settlements": settled,
        "ledger_entries": ledger(settled),
    }


def with_cell(frame, row, column, value):
    changed = frame.copy()
    changed.loc[changed.index[row], column] = value
    return changed


BREAKS = [
    ("rounds_conserve_space", "market_rounds", 0, "unsold_milli_ft3", 1),
    ("rounds_conserve_space", "market_rounds", 1, "carried_in_milli_ft3", 1),
    ("rounds_conserve_space", "market_rounds", 0, "granted_milli_ft3", 70_001),
    ("grants_sum_to_rounds", "cleared_allocations", 0, "granted_milli_ft3", 49_999),
    ("grants_sum_to_rounds", "market_rounds", 0, "winners", 9),
    ("grants_sum_to_rounds", "market_rounds", 0, "demanded_milli_ft3", 9),
    ("grants_within_open_volume", "cleared_allocations", 0, "granted_milli_ft3", 50_001),
    ("grants_within_open_volume", "cleared_allocations", 0, "trimmed_milli_ft3", 60_000),
    ("grants_within_open_volume", "cleared_allocations", 0, "outcome", "partial"),
    ("grants_within_open_volume", "cleared_allocations", 0, "remaining_minimum_milli_ft3", 50_001),
    ("grants_within_requests", "cleared_allocations", 0, "granted_milli_ft3", 50_001),
    ("grants_within_caps", "round_requests", 0, "cap_milli_ft3", 49_999),
    ("no_request_outranked", "cleared_allocations", 0, "granted_milli_ft3", 10_000),
    ("clearing_fees_follow_grants", "market_rounds", 0, "clearing_fee_minor_per_ft3", 399),
    ("clearing_fees_follow_grants", "market_rounds", 0, "clearing_fee_minor_per_ft3", pd.NA),
    ("fees_in_order", "repriced_fees", 0, "round_fee_minor_per_ft3", 501),
    ("fees_in_order", "repriced_fees", 0, "final_fee_minor_per_ft3", 0),
    ("fees_in_order", "repriced_fees", 0, "repriced_in_round", pd.NA),
    ("earlier_winners_pay_no_more", "repriced_fees", 0, "final_fee_minor_per_ft3", 301),
    ("credits_within_fees", "settlements", 0, "credit_minor", -1),
    ("credits_within_fees", "settlements", 0, "credit_minor", 10**9),
    ("credits_within_fees", "settlements", 0, "net_due_minor", 1),
    ("deltas_lead_to_latest", "settlements", 0, "delta_credit_minor", 1),
    ("ledger_balances", "ledger_entries", 0, "amount_minor", 1),
    ("ledger_matches_settlements", "ledger_entries", 0, "account", "another"),
    ("ledger_matches_settlements", "settlements", 0, "delta_fee_minor", 1),
    ("earlier_rounds_stand", "cleared_allocations", 0, "reason", "other"),
    ("every_request_judged_once", "round_requests", 0, "request_id", "r9"),
    ("every_request_judged_once", "round_requests", 0, "is_accepted", False),
    ("every_request_judged_once", "round_requests", 0, "reason_text", ""),
    ("allocations_trace_to_requests", "round_requests", 0, "is_accepted", False),
    ("allocations_trace_to_requests", "round_requests", 0, "max_fee_minor_per_ft3", 501),
    ("allocations_trace_to_requests", "round_requests", 0, "first_round", 2),
    ("allocations_trace_to_requests", "cleared_allocations", 0, "seller_id", "s9"),
    ("fees_trace_to_grants", "repriced_fees", 0, "granted_milli_ft3", 1),
    ("fees_trace_to_grants", "repriced_fees", 0, "request_id", "r9"),
    ("settlements_trace_to_fees", "settlements", 0, "fee_minor", 1),
    ("settlements_trace_to_fees", "repriced_fees", 0, "round", 2),
]


@pytest.mark.parametrize("name", sorted(BY_NAME))
def test_a_true_market_breaks_no_invariant(name, tables):
    assert BY_NAME[name].breaches(tables, Policy()).empty


@pytest.mark.parametrize(("name", "table", "row", "column", "value"), BREAKS)
def test_a_market_that_breaks_an_invariant_shows_the_rows(name, table, row, column, value, tables):
    tables[table] = with_cell(tables[table], row, column, value)
    assert len(BY_NAME[name].breaches(tables, Policy())) >= 1


def test_every_invariant_is_broken_somewhere_in_these_tests():
    assert {name for name, *_ in BREAKS} == set(BY_NAME)


def test_a_lost_or_an_added_row_breaks_what_traces(tables):
    for name in ("fees_trace_to_grants", "settlements_trace_to_fees", "earlier_rounds_stand"):
        table = BY_NAME[name].tables[0]
        lost = tables | {table: tables[table].iloc[1:]}
        assert len(BY_NAME[name].breaches(lost, Policy())) == 1
        again = tables | {table: pd.concat([tables[table], tables[table].iloc[:1]])}
        assert len(BY_NAME[name].breaches(again, Policy())) == 1


def test_a_round_published_without_grants_may_not_gain_any_later(tables):
    tables[EARLIER_ALLOCATIONS] = tables[EARLIER_ALLOCATIONS].iloc[:0]
    gained = BY_NAME["earlier_rounds_stand"].breaches(tables, Policy())
    assert set(gained["round"]) == {1}


def test_a_minimum_excuses_a_request_that_was_outranked(tables):
    allocations = with_cell(tables["cleared_allocations"], 0, "granted_milli_ft3", 0)
    excused = with_cell(allocations, 0, "reason", "minimum_not_met")
    check = BY_NAME["no_request_outranked"]
    assert len(check.breaches({"cleared_allocations": allocations}, Policy())) == 1
    assert check.breaches({"cleared_allocations": excused}, Policy()).empty


def test_pro_rata_excuses_only_at_the_lowest_granted_fee(tables):
    allocations = tables["cleared_allocations"].query("round == 1").reset_index(drop=True)
    same_fee = allocations.assign(max_fee_minor_per_ft3=400)
    short = with_cell(same_fee, 0, "granted_milli_ft3", 10_000)
    check = BY_NAME["no_request_outranked"]
    shared = Policy(clearing=ClearingRules(tie_rule="pro_rata"))
    assert len(check.breaches({"cleared_allocations": short}, Policy())) == 1
    assert check.breaches({"cleared_allocations": short}, shared).empty


def test_an_invariant_names_the_table_that_it_lacks():
    with pytest.raises(ValueError, match="rounds_conserve_space reads table 'market_rounds'"):
        BY_NAME["rounds_conserve_space"].breaches({}, Policy())


def test_every_invariant_has_a_sentence_and_a_stage():
    for invariant in INVARIANTS:
        assert invariant.sentence.endswith(".")
        assert invariant.stage_kinds
    assert len(BY_NAME) == len(INVARIANTS)
    assert {invariant.number for invariant in INVARIANTS} == {1, 2, 3, 4, 5, 8, 9}
