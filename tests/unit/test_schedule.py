"""Which stage run is launched next, decided from dates and records alone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import dagster as dg
import pytest
from dagster._core.remote_origin import RegisteredCodeLocationOrigin, RemoteRepositoryOrigin
from dagster._core.test_utils import create_run_for_test
from failed_steps import fail_in_a_step

from fbacap_logic.calendar import Quarter
from fbacap_logic.policy import Policy
from orchestration.errors import BadConfiguration
from orchestration.locks import quarter_lock
from orchestration.paths import DataFolder
from orchestration.plan import StageOfQuarter
from orchestration.schedule.due import Situation, Tries, schedule, to_launch, why_nothing
from orchestration.schedule.landed import input_levels
from orchestration.schedule.readiness import Arrivals
from orchestration.schedule.state import read_situation
from orchestration.schedule.tries import report_lost_runs, tries_of
from orchestration.sensors import default_status

QUARTER = Quarter(2026, 4)
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
AFTER_ROUND_2 = datetime(2026, 9, 18, tzinfo=UTC)


def situation(now=AFTER_ROUND_2, *, published=("announce",), quarters=(QUARTER,), **more):
    arrivals = Arrivals(
        first_received=dict.fromkeys(("marketplaces", "sellers", "products"), LONG_AGO),
        last_received=dict.fromkeys(("order_lines", "inventory_snapshots", "refunds"), now),
        capacity=dict.fromkeys(quarters, LONG_AGO),
        supply={(quarter, number): LONG_AGO for quarter in quarters for number in range(1, 5)},
    )
    whole = {
        "calendars": {quarter: Policy().calendar_of(quarter) for quarter in quarters},
        "published": {QUARTER: {stage: number for number, stage in enumerate(published, 1)}},
        "arrivals": arrivals,
        "levels": input_levels(),
    }
    return Situation(now, **{**whole, **more})


def states(found) -> dict[str, str]:
    return {entry.node.stage: entry.state for entry in schedule(found)}


def test_one_stage_of_a_quarter_is_launched_at_a_time():
    (entry,) = to_launch(schedule(situation()))
    assert entry.run_key == "round-1:2026Q4:1"
    assert states(situation())["round-2"] == "waiting"
    assert states(situation())["round-3"] == "to come"


def test_a_cut_off_is_due_from_its_own_instant_on():
    close = datetime(2026, 9, 3, tzinfo=UTC)
    assert states(situation(close))["round-1"] == "due"
    assert states(situation(close - timedelta(microseconds=1)))["round-1"] == "to come"


def test_a_stage_whose_later_one_is_published_is_passed_over():
    after = datetime(2026, 11, 13, tzinfo=UTC)
    found = states(situation(after, published=("announce", "round-4")))
    assert [found[f"round-{number}"] for number in (1, 2, 3)] == ["passed over"] * 3


def test_a_stage_in_progress_is_not_launched_again():
    found = schedule(situation(tries=lambda _: Tries(launched=1, is_running=True)))
    assert to_launch(found) == ()
    assert "2026Q4 round-1 is running" in why_nothing(found, AFTER_ROUND_2)


def test_a_failed_stage_is_tried_again_when_what_it_reads_has_changed():
    failed = Tries(launched=1, failure="it broke", inputs="before")
    same = situation(tries=lambda _: failed, inputs=lambda _: "before")
    assert states(same)["round-1"] == "failed"
    assert "it broke" in why_nothing(schedule(same), AFTER_ROUND_2)
    changed = situation(tries=lambda _: failed, inputs=lambda _: "after")
    assert [entry.run_key for entry in to_launch(schedule(changed))] == ["round-1:2026Q4:2"]


def test_an_announcement_waits_for_the_rounds_it_reads():
    now = datetime(2026, 11, 21, tzinfo=UTC)
    both = situation(now, quarters=(QUARTER, QUARTER.next))
    waiting = next(entry for entry in schedule(both) if entry.node.quarter == QUARTER.next)
    assert waiting.state == "waiting"
    assert waiting.sentences == ("2026Q4 round-4 is not published",)


def test_a_stage_that_goes_on_without_a_feed_says_so():
    now = datetime(2027, 3, 1, tzinfo=UTC)
    rounds = ("announce", "round-1", "round-2", "round-3", "round-4")
    stopped = Arrivals(capacity={QUARTER: LONG_AGO})
    (entry,) = to_launch(schedule(situation(now, published=rounds, arrivals=stopped)))
    assert entry.node.stage == "preliminary"
    assert entry.sentences[0] == "goes on though no order_lines have been received"


def test_without_a_market_the_schedule_says_what_to_deliver():
    assert why_nothing(schedule(situation(quarters=())), AFTER_ROUND_2) == (
        "no quarter has a market yet: ingest its network_capacity"
    )


@pytest.fixture
def history():
    with dg.DagsterInstance.ephemeral() as instance:
        yield instance


NODE = StageOfQuarter(QUARTER, "round-1")
TAGS = {"fbacap/stage": "round-1", "dagster/partition": QUARTER.key}


def started(history: dg.DagsterInstance) -> dg.DagsterRun:
    run = create_run_for_test(history, job_name="round_1", tags={**TAGS, "fbacap/attempt": "1"})
    event = dg.DagsterEvent(dg.DagsterEventType.RUN_START.value, run.job_name)
    history.report_dagster_event(event, run.run_id)
    return run


def test_a_run_that_nobody_executes_any_more_is_lost_and_reported_as_failed(history, tmp_path):
    data, run = DataFolder(tmp_path), started(history)
    later = datetime.now(UTC) + timedelta(hours=1)
    assert tries_of(data, history, NODE, datetime.now(UTC)).is_running
    with quarter_lock(data, QUARTER):
        assert tries_of(data, history, NODE, later).is_running
    lost = tries_of(data, history, NODE, later)
    assert (lost.is_running, lost.launched) == (False, 1)
    assert "its process ended without a word" in lost.failure
    report_lost_runs(data, history, later)
    assert history.get_run_by_id(run.run_id).status == dg.DagsterRunStatus.FAILURE


def test_lost_runs_of_every_stage_are_reported_and_queued_ones_are_not_lost(history, tmp_path):
    data = DataFolder(tmp_path)
    origin = RemoteRepositoryOrigin(RegisteredCodeLocationOrigin("here"), "market")
    runs = [
        create_run_for_test(
            history,
            tags={**TAGS, "fbacap/stage": stage},
            status=status,
            remote_job_origin=origin.get_job_origin("a_job"),
        )
        for stage, status in (
            ("announce", dg.DagsterRunStatus.STARTING),
            ("final", dg.DagsterRunStatus.NOT_STARTED),
            ("round-1", dg.DagsterRunStatus.QUEUED),
        )
    ]
    now = datetime.now(UTC)

    def found() -> list[dg.DagsterRunStatus]:
        return [history.get_run_by_id(run.run_id).status for run in runs]

    before = found()
    report_lost_runs(data, history, now + timedelta(minutes=9))
    with quarter_lock(data, QUARTER):
        report_lost_runs(data, history, now + timedelta(minutes=11))
    assert found() == before
    report_lost_runs(data, history, now + timedelta(minutes=11))
    failed = dg.DagsterRunStatus.FAILURE
    assert found() == [failed, failed, dg.DagsterRunStatus.QUEUED]


def attempt(history: dg.DagsterInstance, number: int, error: str | None, inputs="same") -> None:
    """A scheduled attempt that failed: in a step with an error, or reported as lost."""
    tags = {**TAGS, "fbacap/attempt": str(number), "fbacap/inputs": inputs}
    run = create_run_for_test(history, job_name="round_1", tags=tags)
    if error is None:
        history.report_run_failed(run)
    else:
        fail_in_a_step(history, run, error, "it broke")


def test_an_interrupted_run_is_tried_again_twice_on_the_same_inputs(history, tmp_path):
    def now() -> Situation:
        return situation(
            tries=lambda node: tries_of(DataFolder(tmp_path), history, node, datetime.now(UTC)),
            inputs=lambda _: "same",
        )

    attempt(history, 1, None, inputs="before")
    for number, error in ((2, "DagsterExecutionInterruptedError"), (3, None)):
        attempt(history, number, error)
        (entry,) = to_launch(schedule(now()))
        assert entry.run_key == f"round-1:2026Q4:{number + 1}"
    attempt(history, 4, "DagsterExecutionInterruptedError")
    assert states(now())["round-1"] == "failed"
    assert "2026Q4 round-1: the run was interrupted" in why_nothing(schedule(now()), AFTER_ROUND_2)


def test_a_run_that_fails_by_itself_is_not_tried_again_though_one_before_was_interrupted(
    history, tmp_path
):
    attempt(history, 1, None)
    attempt(history, 2, "ContractBroken")
    found = tries_of(DataFolder(tmp_path), history, NODE, datetime.now(UTC))
    assert (found.interruptions, found.failure) == (0, "2026Q4 round-1: it broke")


def test_a_quarter_that_another_process_works_on_is_left_alone():
    found = schedule(situation(is_locked=lambda quarter: quarter == QUARTER))
    assert to_launch(found) == ()
    assert ("2026Q4 round-1 is running: another process is working on the quarter") in why_nothing(
        found, AFTER_ROUND_2
    )


def test_the_lock_of_a_live_process_is_what_tells_that_it_works_on_a_quarter(tmp_path):
    data = DataFolder(tmp_path)
    found = read_situation(data, None, AFTER_ROUND_2, [QUARTER])
    assert not found.is_locked(QUARTER)
    with quarter_lock(data, QUARTER):
        assert found.is_locked(QUARTER)


def test_a_run_launched_by_hand_counts_as_in_progress_but_not_as_an_attempt(history, tmp_path):
    create_run_for_test(history, job_name="round_1", tags=TAGS)
    found = tries_of(DataFolder(tmp_path), history, NODE, datetime.now(UTC))
    assert found == Tries(launched=0, is_running=True)


def test_sensors_run_only_when_the_environment_says_so(monkeypatch):
    monkeypatch.delenv("FBACAP_SCHEDULE", raising=False)
    assert default_status() == dg.DefaultSensorStatus.STOPPED
    monkeypatch.setenv("FBACAP_SCHEDULE", "on")
    assert default_status() == dg.DefaultSensorStatus.RUNNING
    monkeypatch.setenv("FBACAP_SCHEDULE", "yes")
    with pytest.raises(BadConfiguration, match="set it to on or off"):
        default_status()
