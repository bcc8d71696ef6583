"""The loop of a backfill: order, failures, locks and estimates, whatever ends first."""

from __future__ import annotations

from concurrent.futures import Future
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fbacap_logic.calendar import Quarter, StageCutoff, quarter_range
from fbacap_logic.policy import Policy
from orchestration.backfill.estimate import seconds_left
from orchestration.backfill.graph import BackfillGraph, backfill_graph
from orchestration.backfill.loop import Backfill, run_backfill
from orchestration.backfill.make import StageResult
from orchestration.errors import Busy, ContractBroken, FbacapError
from orchestration.locks import quarter_lock
from orchestration.paths import DataFolder
from orchestration.plan import StageOfQuarter
from orchestration.published import PublishedRun

STAGES = ("announce", "round-1", "round-2", "round-3", "round-4", "preliminary", "final", "true-up")


def graph_of(first: Quarter, last: Quarter) -> BackfillGraph:
    calendars = [Policy().calendar_of(quarter) for quarter in quarter_range(first, last)]
    return backfill_graph((calendar, calendar.stages) for calendar in calendars)


def result(node: StageOfQuarter) -> StageResult:
    return StageResult(node, PublishedRun(Path("zone"), node.quarter, 1, {}), None, 1.0)


def first(_count: int) -> int:
    return 0


class Hands:
    """Stands where the worker processes stand: ends what is under way in an order it is given."""

    def __init__(self, choices, failing=()):
        self.choices, self.failing = choices, set(failing)
        self.under_way: dict[StageOfQuarter, Future] = {}
        self.started: list[StageOfQuarter] = []
        self.ended: list[StageOfQuarter] = []
        self.most = 0

    def submit(self, node: StageOfQuarter, stage: StageCutoff) -> Future:
        assert stage.name == node.stage
        future: Future = Future()
        self.under_way[node] = future
        self.started.append(node)
        self.most = max(self.most, len(self.under_way))
        return future

    def end_one(self, _state: Backfill) -> None:
        """Called after every change, so that the loop finds something ended when it waits."""
        if not self.under_way:
            return
        nodes = sorted(self.under_way)
        node = nodes[self.choices(len(nodes))]
        future = self.under_way.pop(node)
        self.ended.append(node)
        if node in self.failing:
            future.set_exception(ContractBroken(f"{node.label}: broken"))
        else:
            future.set_result(result(node))


def run(tmp_path, graph, hands, workers) -> Backfill:
    return run_backfill(DataFolder(tmp_path), graph, hands.submit, workers, hands.end_one)


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data(), workers=st.integers(1, 5), quarters=st.integers(1, 5))
def test_no_stage_run_starts_before_what_it_builds_on_whatever_ends_first(
    tmp_path, data, workers, quarters
):
    graph = graph_of(Quarter(2024, 2), Quarter(2024, 2).plus(quarters - 1))
    hands = Hands(lambda count: data.draw(st.integers(0, count - 1)))
    events: list[tuple[str, StageOfQuarter]] = []
    submit, end_one = hands.submit, hands.end_one

    def noted_submit(node, stage):
        events.append(("start", node))
        return submit(node, stage)

    def noted_end(state):
        before = len(hands.ended)
        end_one(state)
        events.extend(("end", node) for node in hands.ended[before:])

    hands.submit, hands.end_one = noted_submit, noted_end
    state = run(tmp_path, graph, hands, workers)
    assert sorted(state.done) == sorted(graph.stages)
    assert len(hands.started) == len(set(hands.started)) == 8 * quarters
    assert hands.most <= workers
    for place, (what, node) in enumerate(events):
        if what == "start":
            ended = {other for kind, other in events[:place] if kind == "end"}
            assert set(_by_hand(node, graph)) <= ended


def _by_hand(node: StageOfQuarter, graph: BackfillGraph) -> list[StageOfQuarter]:
    """What the rules demand, written out: the stage before; for announcements the rounds before."""
    place = STAGES.index(node.stage)
    if place:
        return [StageOfQuarter(node.quarter, STAGES[place - 1])]
    before = [node.quarter.previous, node.quarter.previous.previous]
    return [StageOfQuarter(quarter, "round-4") for quarter in before if quarter in graph.quarters]


def test_a_slow_first_quarter_holds_up_every_announcement_after_it(tmp_path):
    graph = graph_of(Quarter(2024, 1), Quarter(2024, 3))
    slow = StageOfQuarter(Quarter(2024, 1), "round-4")

    def ends_the_slow_one_last(state: Backfill) -> None:
        quick = [node for node in sorted(hands.under_way) if node != slow]
        if quick or slow in hands.under_way:
            node = quick[0] if quick else slow
            if node == slow:
                assert {other.quarter for other in hands.started} == {Quarter(2024, 1)}
            hands.ended.append(node)
            hands.under_way.pop(node).set_result(result(node))

    hands = Hands(first)
    run_backfill(DataFolder(tmp_path), graph, hands.submit, 4, ends_the_slow_one_last)
    assert hands.ended.index(slow) < hands.ended.index(StageOfQuarter(Quarter(2024, 2), "announce"))


def test_the_next_quarter_comes_before_a_settlement(tmp_path):
    graph = graph_of(Quarter(2024, 1), Quarter(2024, 2))
    hands = Hands(first)
    run(tmp_path, graph, hands, 1)
    settled = hands.started.index(StageOfQuarter(Quarter(2024, 1), "preliminary"))
    assert settled > hands.started.index(StageOfQuarter(Quarter(2024, 2), "round-4"))


def test_a_failure_stops_what_waits_for_it_and_nothing_else(tmp_path):
    graph = graph_of(Quarter(2024, 1), Quarter(2024, 3))
    broken = StageOfQuarter(Quarter(2024, 2), "round-2")
    state = run(tmp_path, graph, Hands(first, failing=[broken]), 2)
    assert set(state.failed) == {broken}
    kept = [StageOfQuarter(Quarter(2024, 1), stage) for stage in STAGES]
    kept += [StageOfQuarter(Quarter(2024, 2), stage) for stage in STAGES[:2]]
    assert sorted(state.done) == sorted(kept)
    assert set(state.not_made.values()) == {broken}
    assert len(state.not_made) == 24 - 8 - 3
    assert isinstance(state.first_failure, ContractBroken)
    assert str(state.first_failure) == ("2024Q2 round-2: broken (13 more stage runs not made)")


def test_a_quarter_that_another_process_runs_is_left_alone(tmp_path):
    graph = graph_of(Quarter(2024, 1), Quarter(2024, 2))
    with quarter_lock(DataFolder(tmp_path), Quarter(2024, 1)):
        state = run(tmp_path, graph, Hands(first), 2)
    assert not state.done
    assert isinstance(state.first_failure, Busy)


def test_every_lock_is_let_go_of_at_the_end_and_held_until_then(tmp_path):
    graph = graph_of(Quarter(2024, 1), Quarter(2024, 1))
    data = DataFolder(tmp_path)
    hands = Hands(first)

    def look_and_end(state: Backfill) -> None:
        if state.running:
            with pytest.raises(Busy), quarter_lock(data, Quarter(2024, 1)):
                pass
        hands.end_one(state)

    run_backfill(data, graph, hands.submit, 2, look_and_end)
    with quarter_lock(data, Quarter(2024, 1)):
        pass


def test_only_what_is_due_is_in_the_graph_and_waits_for_nothing_outside_it():
    calendar = Policy().calendar_of(Quarter(2024, 1))
    due = [
        stage for stage in calendar.stages if stage.cutoff_at <= datetime(2024, 1, 20, tzinfo=UTC)
    ]
    graph = backfill_graph([(calendar, due[1:])])
    assert [node.stage for node in graph.stages] == ["round-1", "round-2", "round-3"]
    assert graph.waits_for[StageOfQuarter(Quarter(2024, 1), "round-1")] == ()


def test_time_left_is_the_longest_chain_or_the_shared_work_whichever_is_longer():
    graph = graph_of(Quarter(2024, 1), Quarter(2024, 2))
    seconds = {StageOfQuarter(Quarter(2024, 1), stage): 10.0 for stage in STAGES}
    left = [StageOfQuarter(Quarter(2024, 2), stage) for stage in STAGES]
    assert seconds_left(graph, seconds, left, workers=1) == pytest.approx(80)
    assert seconds_left(graph, seconds, left, workers=8) == pytest.approx(80)
    both = [*left, *(StageOfQuarter(Quarter(2024, 1), stage) for stage in STAGES[5:])]
    assert seconds_left(graph, seconds, both, workers=1) == pytest.approx(110)
    assert seconds_left(graph, seconds, both, workers=2) == pytest.approx(80)
    assert seconds_left(graph, {}, left, workers=2) is None
    assert seconds_left(graph, seconds, [], workers=2) == 0


def test_an_error_that_is_not_ours_is_not_swallowed(tmp_path):
    graph = graph_of(Quarter(2024, 1), Quarter(2024, 1))

    def submit(node, stage):
        future: Future = Future()
        future.set_exception(ZeroDivisionError("a bug"))
        return future

    with pytest.raises(ZeroDivisionError):
        run_backfill(DataFolder(tmp_path), graph, submit, 1, lambda _: None)
    assert not issubclass(ZeroDivisionError, FbacapError)
