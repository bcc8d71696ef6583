"""The invariants of rules §8, each by its number, on whatever the pipeline makes of quarters.

Written out in plain Python over the published tables; the checks that run on published data
(``fbacap_logic.invariants``) are held against the same quarters at the end.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace

import pandas as pd
from hypothesis import given
from hypothesis import strategies as st
from market_run import published_tables, rounds_of
from proof_effort import examples
from strategies import book_frame, books, clearing_rules, quarters, supplies

from fbacap_logic.clearing import clear_round
from fbacap_logic.invariants import INVARIANTS


def rows_of(table):
    return list(table.astype(object).itertuples(index=False))


def market_of(row):
    return (row.marketplace_id, row.storage_type)


def by_market_round(rows):
    groups = defaultdict(list)
    for row in rows:
        groups[(*market_of(row), row.round)].append(row)
    return groups


def rank(row):
    return (-row.max_fee_minor_per_ft3, row.priority_at, row.request_id.encode())


@examples(25)
@given(quarters())
def test_invariant_1_grants_never_pass_supply_and_space_is_conserved(quarter):
    tables = rounds_of(quarter)
    grants = by_market_round(rows_of(tables["cleared_allocations"]))
    released, granted, unsold = defaultdict(int), defaultdict(int), {}
    for row in rows_of(tables["market_rounds"]):
        own = sum(grant.granted_milli_ft3 for grant in grants[(*market_of(row), row.round)])
        assert own <= row.supply_milli_ft3
        released[market_of(row)] += row.released_milli_ft3
        granted[market_of(row)] += own
        unsold[market_of(row)] = row.unsold_milli_ft3
    for market, volume in released.items():
        assert granted[market] + unsold[market] == volume
        asked = "/".join(market)
        assert volume == sum(
            each for (of_market, _), each in quarter.released.items() if of_market == asked
        )


@examples(25)
@given(quarters())
def test_invariant_2_nobody_gets_more_than_open_than_asked_or_than_the_cap(quarter):
    tables = rounds_of(quarter)
    caps = {
        (*market_of(row), row.seller_id): row.cap_milli_ft3
        for row in rows_of(tables["round_requests"])
    }
    won, largest, of_seller = defaultdict(int), defaultdict(int), defaultdict(int)
    for row in rows_of(tables["cleared_allocations"]):
        assert 0 <= row.granted_milli_ft3 <= row.trimmed_milli_ft3 <= row.open_milli_ft3
        won[row.request_id] += row.granted_milli_ft3
        largest[row.request_id] = max(largest[row.request_id], row.requested_milli_ft3)
        of_seller[(*market_of(row), row.seller_id)] += row.granted_milli_ft3
    assert all(volume <= largest[request_id] for request_id, volume in won.items())
    assert all(volume <= caps[seller] for seller, volume in of_seller.items())


@examples(25)
@given(quarters())
def test_invariant_3_no_request_that_outranks_a_winner_is_left_short(quarter):
    groups = by_market_round(rows_of(rounds_of(quarter)["cleared_allocations"]))
    for (marketplace_id, storage_type, _), rows in groups.items():
        rules = quarter.policy.clearing_rules(marketplace_id, storage_type)
        winners = [row for row in rows if row.granted_milli_ft3 > 0]
        for row in rows:
            by_its_minimum = row.reason in ("minimum_not_met", "cap_below_minimum")
            if row.granted_milli_ft3 == row.trimmed_milli_ft3 or by_its_minimum:
                continue
            outranked = [winner for winner in winners if rank(winner) > rank(row)]
            if rules.tie_rule == "pro_rata":
                fee = row.max_fee_minor_per_ft3
                outranked = [each for each in outranked if each.max_fee_minor_per_ft3 != fee]
            assert not outranked


@examples(30)
@given(quarters())
def test_invariant_4_fees_never_rise_and_who_came_early_never_pays_more(quarter):
    fees = rows_of(rounds_of(quarter)["repriced_fees"])
    for row in fees:
        rules = quarter.policy.clearing_rules(*market_of(row))
        assert row.max_fee_minor_per_ft3 >= row.round_fee_minor_per_ft3
        assert row.round_fee_minor_per_ft3 >= row.final_fee_minor_per_ft3
        assert row.final_fee_minor_per_ft3 >= rules.minimum_fee_minor_per_ft3
        if rules.price_rule == "pay_as_bid" or rules.minimum_repricing_milli_ft3:
            continue
        for later in fees:
            if market_of(later) == market_of(row) and later.round > row.round:
                assert row.final_fee_minor_per_ft3 <= later.final_fee_minor_per_ft3


@examples(15)
@given(quarters(), st.data())
def test_invariant_5_credits_stay_within_fees_and_the_ledger_sums_to_zero(quarter, data):
    tables = published_tables(quarter, data.draw)
    for row in rows_of(tables["settlements"]):
        assert 0 <= row.credit_minor <= row.fee_minor
        assert row.net_due_minor == row.fee_minor - row.credit_minor >= 0
    balance = defaultdict(int)
    for row in rows_of(tables["ledger_entries"]):
        balance[(*market_of(row), row.currency)] += row.amount_minor
    assert set(balance.values()) <= {0}


@examples(12)
@given(quarters(), st.data())
def test_invariant_6_permuting_rows_or_running_twice_changes_no_byte(quarter, data):
    once, again, permuted = rounds_of(quarter), rounds_of(quarter), rounds_of(quarter, data.draw)
    for name in set(once) - {"judged_requests"}:
        assert once[name].to_csv() == again[name].to_csv()
        pd.testing.assert_frame_equal(once[name], permuted[name])


@examples(100)
@given(books(with_minimums=False), supplies, clearing_rules, st.data())
def test_invariant_7_raising_a_fee_never_lowers_the_grant_of_its_request(book, supply, rules, data):
    if not book:
        return
    place = data.draw(st.integers(0, len(book) - 1))
    raised = list(book)
    raised[place] = replace(book[place], fee=book[place].fee + data.draw(st.integers(1, 10_000)))
    granted = [
        clear_round(book_frame(asks), supply, rules).grants["granted_milli_ft3"].iloc[place]
        for asks in (book, raised)
    ]
    assert granted[1] >= granted[0]


@examples(20)
@given(quarters(), st.integers(1, 4))
def test_invariant_8_later_records_never_change_an_earlier_round(quarter, number):
    close = quarter.calendar.rounds[number - 1].closes_at.replace(tzinfo=None)
    known = replace(
        quarter,
        revisions=[each for each in quarter.revisions if each.received_at < close],
        released={key: volume for key, volume in quarter.released.items() if key[1] <= number},
    )
    then, now = rounds_of(known), rounds_of(quarter)
    for name in ("cleared_allocations", "market_rounds"):
        table = now[name]
        earlier = table[table["round"] <= number].reset_index(drop=True)
        pd.testing.assert_frame_equal(then[name], earlier)


@examples(15)
@given(quarters(), st.data())
def test_invariant_9_everything_received_is_judged_and_everything_paid_traces_back(quarter, data):
    tables = published_tables(quarter, data.draw)
    judged = rows_of(tables["round_requests"])
    received = {(each.request_id, each.revision) for each in quarter.revisions}
    assert len(judged) == len(received)
    assert {(row.request_id, row.revision) for row in judged} == received
    accepted = {(row.request_id, row.revision) for row in judged if row.is_accepted}
    granted = [row for row in rows_of(tables["cleared_allocations"]) if row.granted_milli_ft3 > 0]
    assert all((row.request_id, row.revision) in accepted for row in granted)
    keys = sorted((row.request_id, row.round) for row in granted)
    for name in ("repriced_fees", "settlements"):
        assert sorted((row.request_id, row.round) for row in rows_of(tables[name])) == keys


@examples(12)
@given(quarters(), st.data())
def test_every_published_check_of_an_invariant_holds_on_every_random_quarter(quarter, data):
    tables = published_tables(quarter, data.draw)
    for invariant in INVARIANTS:
        broken = invariant.breaches(tables, quarter.policy)
        assert broken.empty, f"{invariant.name}: {broken.to_dict('records')}"
