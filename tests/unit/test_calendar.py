from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from fbacap_logic.calendar import Quarter, quarter_range
from fbacap_logic.policy import Policy


@pytest.mark.parametrize("text", ["2026Q4", "2026q4", " 2026-10-01 "])
def test_a_quarter_is_read_from_its_label_or_its_first_day(text):
    assert Quarter.parse(text) == Quarter(2026, 4)


@pytest.mark.parametrize("text", ["2026Q5", "2026-10-02", "2026-11-01", "Q4", "", "2026-13-01"])
def test_what_is_no_quarter_is_refused_with_the_two_ways_to_write_one(text):
    with pytest.raises(ValueError, match="2026Q4 or as its first day"):
        Quarter.parse(text)


def test_quarters_have_the_days_of_their_months():
    assert [Quarter(2024, number).days for number in (1, 2, 3, 4)] == [91, 91, 92, 92]
    assert Quarter(2026, 1).days == 90
    assert Quarter(2026, 4).last_day == date(2026, 12, 31)


def test_quarters_count_over_the_turn_of_the_year():
    assert Quarter(2026, 4).next == Quarter(2027, 1)
    assert Quarter(2026, 1).previous == Quarter(2025, 4)
    assert Quarter(2026, 2).plus(-6) == Quarter(2024, 4)
    assert Quarter.containing(date(2026, 12, 31)).label == "2026Q4"


def test_a_range_of_quarters_includes_both_ends_and_never_runs_backwards():
    labels = [quarter.label for quarter in quarter_range(Quarter(2026, 3), Quarter(2027, 1))]
    assert labels == ["2026Q3", "2026Q4", "2027Q1"]
    with pytest.raises(ValueError, match="comes before"):
        quarter_range(Quarter(2027, 1), Quarter(2026, 3))


def test_the_default_calendar_has_the_dates_of_the_rules():
    calendar = Policy().calendar_of(Quarter(2026, 4))
    assert calendar.announced_at == datetime(2026, 8, 20, tzinfo=UTC)
    closes = [window.closes_at.date().isoformat() for window in calendar.rounds]
    assert closes == ["2026-09-03", "2026-09-17", "2026-10-15", "2026-11-12"]
    settled = {name: at.date().isoformat() for name, at in calendar.settlements}
    assert settled == {"preliminary": "2027-01-08", "final": "2027-02-15", "true-up": "2027-05-01"}


def test_space_is_in_force_from_the_day_after_the_close_or_the_first_day_if_later():
    rounds = Policy().calendar_of(Quarter(2026, 4)).rounds
    first_days = [window.in_force_from.isoformat() for window in rounds]
    assert first_days == ["2026-10-01", "2026-10-01", "2026-10-16", "2026-11-13"]
    assert [window.days_in_force for window in rounds] == [92, 92, 77, 49]


def test_stages_stand_in_the_order_in_which_they_fall_due():
    calendar = Policy().calendar_of(Quarter(2026, 4))
    cutoffs = [stage.cutoff_at for stage in calendar.stages]
    assert cutoffs == sorted(cutoffs)
    assert calendar.stage("round-3").round == 3
    with pytest.raises(ValueError, match="choose one of announce"):
        calendar.stage("round-9")
