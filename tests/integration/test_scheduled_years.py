"""Three years of a market's calendar, tick by tick, against a list of launches worked out by hand.

The dates below are days counted from each quarter's first day, as the rules' default calendar says
(§1); none is asked of the project's own calendar.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import dagster as dg
import pytest
from dagster._core.test_utils import freeze_time
from schedule_market import STAGES, Deliveries, Runs

from orchestration.build import build_definitions
from orchestration.paths import DataFolder

NEW_YORK = ZoneInfo("America/New_York")
FIRST_TICK, LAST_TICK = date(2026, 11, 1), date(2029, 11, 1)
FIRST_DAYS = [date(year, month, 1) for year in (2027, 2028, 2029) for month in (1, 4, 7, 10)]
NEXT_FIRST_DAYS = [*FIRST_DAYS[1:], date(2030, 1, 1)]
BEFORE_IT_BEGINS = {"announce": -42, "round-1": -28, "round-2": -14, "round-3": 14, "round-4": 42}
AFTER_IT_ENDS = {"preliminary": 7, "final": 45, "true-up": 120}

OUTAGE = (date(2027, 11, 11), date(2027, 11, 20))  # both without a tick
LATE_FEED = (date(2028, 4, 1), "announce", date(2028, 2, 25))
NO_RELEASE = (date(2028, 7, 1), "round-3", date(2028, 7, 22))
FAILS_ONCE = (date(2028, 10, 1), "round-2", date(2028, 9, 20))
DIES_ONCE = (date(2028, 1, 1), "round-3")  # its process is killed; found at the next day's tick

Launch = tuple[date, str, str, int]


def cut_offs() -> Iterator[tuple[date, date, str]]:
    """Cut-off, quarter's first day and stage."""
    for first_day, next_first_day in zip(FIRST_DAYS, NEXT_FIRST_DAYS, strict=True):
        for stage, days in BEFORE_IT_BEGINS.items():
            yield first_day + timedelta(days=days), first_day, stage
        for stage, days in AFTER_IT_ENDS.items():
            yield next_first_day + timedelta(days=days), first_day, stage


def launches_by_hand() -> list[Launch]:
    found: list[tuple[date, date, date, str, int]] = []
    for cut_off, first_day, stage in cut_offs():
        day, attempt = cut_off, 1
        if OUTAGE[0] <= day <= OUTAGE[1]:
            day = OUTAGE[1] + timedelta(days=1)
        for special in (LATE_FEED, NO_RELEASE):
            if (first_day, stage) == special[:2]:
                day = special[2]
        found.append((day, cut_off, first_day, stage, attempt))
        if (first_day, stage) == FAILS_ONCE[:2]:
            found.append((FAILS_ONCE[2], cut_off, first_day, stage, 2))
        if (first_day, stage) == DIES_ONCE:
            found.append((cut_off + timedelta(days=1), cut_off, first_day, stage, 2))
    due = sorted(entry for entry in found if entry[0] <= LAST_TICK)
    return [(day, first.isoformat(), stage, number) for day, _, first, stage, number in due]


def test_the_dates_worked_out_by_hand_know_the_leap_day():
    by_hand = {(first, stage): cut_off for cut_off, first, stage in cut_offs()}
    assert by_hand[date(2028, 4, 1), "announce"] == date(2028, 2, 19)
    assert by_hand[date(2029, 4, 1), "announce"] == date(2029, 2, 18)
    assert by_hand[date(2027, 10, 1), "true-up"] == date(2028, 4, 30)
    assert by_hand[date(2028, 10, 1), "true-up"] == date(2029, 5, 1)


class Years:
    """The simulated clock, market and runs."""

    def __init__(self, root, instance: dg.DagsterInstance) -> None:
        self.data = DataFolder(root / "data")
        self.now = datetime(2026, 11, 1, tzinfo=UTC)
        self.deliveries = Deliveries(self.data, root / "deliveries")
        self.instance, self.runs = instance, Runs(self.data, instance)
        self.definitions = build_definitions(self.data, clock=lambda: self.now)
        self.repository = self.definitions.get_repository_def()
        self.launches: list[Launch] = []
        self.skip_reasons: dict[date, str] = {}
        self.feed_days = {
            cut_off - timedelta(days=1)
            for cut_off, first_day, stage in cut_offs()
            if not stage.startswith("round") and (first_day, stage) != LATE_FEED[:2]
        }
        self.market_days = {first_day - timedelta(days=52): first_day for first_day in FIRST_DAYS}

    def tick(self):
        """One tick of the sensor as a daemon that has just started would evaluate it."""
        context = dg.build_sensor_context(instance=self.instance, repository_def=self.repository)
        with freeze_time(self.now):
            return self.repository.get_sensor_def("scheduled_quarters").evaluate_tick(context)

    def day(self, day: date) -> None:
        self._deliver(day)
        if OUTAGE[0] <= day <= OUTAGE[1]:
            return
        local_midnight = datetime(day.year, day.month, day.day, tzinfo=NEW_YORK)
        self.now = local_midnight
        while (result := self.tick()).run_requests:
            with freeze_time(self.now):
                runs = [(request, self.runs.launch(request)) for request in result.run_requests]
            self.now += timedelta(minutes=1)
            assert not self.tick().run_requests, "a run in progress was launched again"
            for request, run in runs:
                self._end(day, request, run)
            self.now += timedelta(minutes=1)
        self.skip_reasons[day] = result.skip_message

    def _deliver(self, day: date) -> None:
        """What reached the landing zone by the tick of a day: the deliveries of the day before."""
        eve = day - timedelta(days=1)
        if day == FIRST_TICK:
            self.deliveries.catalogue(eve)
        if eve in self.market_days:
            first_day = self.market_days[eve]
            rounds = (1, 2, 4) if first_day == NO_RELEASE[0] else (1, 2, 3, 4)
            self.deliveries.market(eve, first_day, rounds)
        if eve in self.feed_days:
            self.deliveries.feeds(eve)
        if day == LATE_FEED[2]:
            self.deliveries.feeds(eve, received=date(2028, 2, 18))
        if day == FAILS_ONCE[2]:
            self.deliveries.request(eve, FAILS_ONCE[0], received=date(2028, 9, 16))

    def _end(self, day: date, request, run: dg.DagsterRun) -> None:
        stage, label, attempt = request.run_key.split(":")
        quarter = request.tags["dagster/partition"]
        assert label == f"{quarter[:4]}Q{(int(quarter[5:7]) + 2) // 3}"
        self.launches.append((day, quarter, stage, int(attempt)))
        if (date.fromisoformat(quarter), stage) == FAILS_ONCE[:2] and attempt == "1":
            self.runs.fail(run)
        elif (date.fromisoformat(quarter), stage) == DIES_ONCE and attempt == "1":
            with freeze_time(self.now):
                self.runs.start(run)
        else:
            self.runs.succeed(run)


@pytest.fixture(scope="module")
def years(tmp_path_factory) -> Iterator[Years]:
    with dg.DagsterInstance.ephemeral() as instance:
        simulated = Years(tmp_path_factory.mktemp("years"), instance)
        day = FIRST_TICK
        while day <= LAST_TICK:
            simulated.day(day)
            day += timedelta(days=1)
        yield simulated


def test_everything_due_in_three_years_is_launched_once_on_its_day_in_order(years):
    assert years.launches == launches_by_hand()


def test_nothing_is_launched_twice_under_one_key(years):
    keys = [entry[1:] for entry in years.launches]
    assert len(set(keys)) == len(keys)
    retried = [entry for entry in years.launches if entry[3] > 1]
    assert retried == [
        (date(2028, 1, 16), "2028-01-01", "round-3", 2),
        (FAILS_ONCE[2], "2028-10-01", "round-2", 2),
    ]


def test_a_quarters_stages_come_in_their_order_in_every_quarter(years):
    for first_day in FIRST_DAYS:
        mine = [stage for _, quarter, stage, attempt in years.launches
                if quarter == first_day.isoformat() and attempt == 1]  # fmt: skip
        assert mine == list(STAGES[: len(mine)])


def test_after_ten_days_without_a_daemon_the_announcement_comes_after_the_rounds_it_reads(years):
    caught_up = [entry[1:3] for entry in years.launches if entry[0] == date(2027, 11, 21)]
    assert caught_up == [
        ("2027-10-01", "round-4"),
        ("2027-07-01", "final"),
        ("2028-01-01", "announce"),
    ]


def test_a_late_feed_is_named_while_it_is_waited_for(years):
    assert years.skip_reasons[date(2028, 2, 20)].startswith(
        "2028Q2 announce waits: order_lines end on 2028-02-14, 4 days before the cut-off; rows "
        "received from 2028-02-16 on are needed (goes on without from 2028-02-29)"
    )


def test_a_round_without_a_release_waits_for_the_days_its_contract_says(years):
    assert (
        "2028Q3 round-3 waits: no round_supply of 2028Q3 round 3 has been received (goes on "
        "without from 2028-07-22)"
    ) in years.skip_reasons[date(2028, 7, 15)]


def test_a_failure_is_named_and_not_tried_again_until_something_it_reads_has_changed(years):
    told = years.skip_reasons[date(2028, 9, 18)]
    assert "2028Q4 round-2 failed and is not tried again" in told
    assert "`fbacap run 2028Q4 --stage round-2`" in told


def test_a_quiet_day_tells_what_comes_next(years):
    assert years.skip_reasons[date(2027, 3, 1)] == "next: 2027Q2 round-1 on 2027-03-04"
