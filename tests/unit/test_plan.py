"""What must be published before a stage run."""

from __future__ import annotations

from itertools import pairwise

from fbacap_logic.calendar import Quarter
from fbacap_logic.policy import CalendarPolicy, Policy
from orchestration.plan import StageOfQuarter, last_closed_round, prerequisites

QUARTER = Quarter(2026, 4)
BEFORE = (Quarter(2026, 3), Quarter(2026, 2))


def calendars(policy: Policy):
    return {quarter: policy.calendar_of(quarter) for quarter in BEFORE}


def needs(stage: str, policy: Policy | None = None, held=BEFORE) -> list[str]:
    policy = policy or Policy()
    calendar = policy.calendar_of(QUARTER)
    found = prerequisites(calendar.stage(stage), calendar, calendars(policy), held)
    return [need.label for need in found]


def test_each_stage_but_the_announcement_waits_for_the_one_before_it():
    names = [stage.name for stage in Policy().calendar_of(QUARTER).stages]
    for before, stage in pairwise(names):
        assert needs(stage) == [f"2026Q4 {before}"]


def test_an_announcement_waits_for_the_last_round_closed_by_then_of_both_quarters_before():
    assert needs("announce") == ["2026Q3 round-4", "2026Q2 round-4"]


def test_a_round_that_closes_after_the_announcement_is_not_waited_for():
    late = Policy(calendar=CalendarPolicy(round_close_days=(-28, 14, 80)))
    assert needs("announce", late) == ["2026Q3 round-2", "2026Q2 round-3"]


def test_when_no_round_had_closed_the_announcement_itself_is_waited_for():
    late = Policy(calendar=CalendarPolicy(round_close_days=(80,)))
    assert needs("announce", late) == ["2026Q3 announce", "2026Q2 round-1"]


def test_a_quarter_without_a_market_is_not_waited_for():
    assert needs("announce", held=BEFORE[1:]) == ["2026Q2 round-4"]
    assert needs("announce", held=()) == []


def test_a_round_counts_as_closed_at_its_very_close():
    calendar = Policy().calendar_of(QUARTER)
    second = calendar.rounds[1]
    assert last_closed_round(calendar, second.closes_at) == second
    assert last_closed_round(calendar, calendar.announced_at) is None


def test_stages_of_quarters_sort_by_quarter():
    assert StageOfQuarter(BEFORE[1], "true-up") < StageOfQuarter(BEFORE[0], "announce")
