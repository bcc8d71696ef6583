"""What a stage run needs has arrived, or it is named, with how long it is waited for."""

from __future__ import annotations

from datetime import timedelta

import pytest

from fbacap_logic.calendar import Quarter
from fbacap_logic.policy import Policy
from orchestration.contract_rules import ContractFault
from orchestration.schedule.landed import input_levels, landing_arrivals
from orchestration.schedule.readiness import Arrivals, lacks
from orchestration.service_levels import ServiceLevels, service_levels

QUARTER = Quarter(2026, 4)
CALENDAR = Policy().calendar_of(QUARTER)
LEVELS = input_levels()
ANNOUNCE, ROUND = CALENDAR.stage("announce"), CALENDAR.stage("round-2")


def arrived(**changes) -> Arrivals:
    before = ANNOUNCE.cutoff_at - timedelta(days=1)
    whole = {
        "first_received": dict.fromkeys(("marketplaces", "sellers", "products"), before),
        "last_received": dict.fromkeys(("order_lines", "inventory_snapshots"), before),
        "capacity": {QUARTER: before},
    }
    return Arrivals(**{**whole, **changes})


def told(arrivals: Arrivals, stage=ANNOUNCE) -> list[str]:
    return [lack.sentence for lack in lacks(QUARTER, stage, arrivals, LEVELS)]


def test_nothing_is_lacking_when_everything_was_received_the_day_before():
    assert told(arrived()) == []


@pytest.mark.parametrize(("age", "is_lacking"), [(3, False), (4, True)])
def test_a_feed_is_lacking_once_it_is_older_than_its_contract_allows(age, is_lacking):
    received = ANNOUNCE.cutoff_at - timedelta(days=age)
    fresh = arrived().last_received["order_lines"]
    arrivals = arrived(last_received={"order_lines": received, "inventory_snapshots": fresh})
    assert bool(told(arrivals)) == is_lacking


def test_rows_received_after_the_cut_off_show_that_a_feed_is_alive():
    later = ANNOUNCE.cutoff_at + timedelta(days=30)
    arrivals = arrived(last_received={"order_lines": later, "inventory_snapshots": later})
    assert told(arrivals) == []


def test_capacity_received_after_the_cut_off_has_not_arrived_and_the_remedy_is_told():
    (sentence,) = told(arrived(capacity={QUARTER: ANNOUNCE.cutoff_at}))
    assert sentence == (
        "network_capacity of 2026Q4 was received on 2026-08-20, not before the cut-off "
        "2026-08-20; deliver it with the received_at it had"
    )


def test_without_capacity_or_sellers_a_stage_run_never_goes_on():
    nothing = lacks(QUARTER, ANNOUNCE, Arrivals(), LEVELS)
    years_later = ANNOUNCE.cutoff_at + timedelta(days=3000)
    assert {lack.table for lack in nothing if lack.holds_back(years_later)} == {
        "marketplaces", "sellers", "products", "network_capacity",
    }  # fmt: skip


def test_feeds_are_waited_for_as_long_as_their_contract_says_and_not_longer():
    feeds = [lack for lack in lacks(QUARTER, ANNOUNCE, Arrivals(), LEVELS) if lack.waits_until]
    assert [lack.table for lack in feeds] == ["order_lines", "inventory_snapshots"]
    ten_days_on = ANNOUNCE.cutoff_at + timedelta(days=10)
    assert all(lack.holds_back(ten_days_on - timedelta(seconds=1)) for lack in feeds)
    assert not any(lack.holds_back(ten_days_on) for lack in feeds)


def test_a_settlement_warns_of_missing_refunds_and_does_not_wait_for_them():
    final = CALENDAR.stage("final")
    (refunds,) = [
        lack for lack in lacks(QUARTER, final, Arrivals(), LEVELS) if lack.table == "refunds"
    ]
    assert not refunds.holds_back(final.cutoff_at)


def test_a_round_needs_its_own_release_before_its_close():
    other = {(QUARTER, 1): ROUND.cutoff_at - timedelta(days=9)}
    assert told(arrived(supply=other), ROUND) == [
        "no round_supply of 2026Q4 round 2 has been received"
    ]
    own = {(QUARTER, 2): ROUND.cutoff_at - timedelta(seconds=1)}
    assert told(arrived(supply=own), ROUND) == []


def test_an_empty_landing_zone_has_no_arrivals(tmp_path):
    assert landing_arrivals(tmp_path) == ((), Arrivals())


class Entry:
    def __init__(self, property, value, unit="d"):  # noqa: A002 - the standard's name
        self.property, self.value, self.unit = property, value, unit


def test_service_levels_are_read_in_days():
    levels = service_levels([Entry("frequency", 7), Entry("latency", 2), Entry("longestWait", 0)])
    assert levels == ServiceLevels(frequency_days=7, latency_days=2, longest_wait_days=0)
    assert service_levels(None) == ServiceLevels()


@pytest.mark.parametrize(
    ("entries", "sentence"),
    [
        ([Entry("availability", 1)], "the slaProperty availability is not understood here"),
        ([Entry("frequency", 1), Entry("frequency", 2)], "frequency stands twice"),
        ([Entry("frequency", 0)], "frequency has the value 0; give whole days from 1 on"),
        ([Entry("longestWait", "ten")], "longestWait has the value ten"),
        ([Entry("longestWait", True)], "longestWait has the value True"),
        ([Entry("frequency", 24, "h")], "frequency has the unit h; write it in d"),
        ([Entry("latency", 1)], "latency needs a frequency beside it"),
    ],
)
def test_service_levels_that_say_something_else_are_refused(entries, sentence):
    with pytest.raises(ContractFault, match=sentence):
        service_levels(entries)
