"""What is due: the state of every stage run of every quarter at an instant, and which to launch.

Here belongs the decision, pure: from calendars, what is published, what was tried and what has
landed. Reading those from disk and from Dagster is ``state``; launching is ``sensors``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from fbacap_logic.calendar import Quarter, QuarterCalendar, StageCutoff
from orchestration.plan import StageOfQuarter, in_order, prerequisites, quarters_before
from orchestration.schedule.readiness import Arrivals, lacks
from orchestration.service_levels import ServiceLevels

StageState = Literal["published", "passed over", "running", "due", "waiting", "failed", "to come"]


_MOST_INTERRUPTIONS = 2


@dataclass(frozen=True)
class Tries:
    """What became of a stage run's attempts so far.

    Attributes:
        launched: the highest attempt that the schedule has launched; 0 before the first.
        is_running: whether a run of the stage, whoever launched it, is queued or in progress.
        failure: why the last run failed, in a sentence; None if none did.
        inputs: the digest of what the schedule's last failed attempt read.
        interruptions: how many of the schedule's last attempts in a row, on those inputs, were
            interrupted: stopped or killed, and no fault of what they read.
    """

    launched: int = 0
    is_running: bool = False
    failure: str | None = None
    inputs: str | None = None
    interruptions: int = 0

    @property
    def may_be_tried_again(self) -> bool:
        """Whether the same inputs are worth another attempt."""
        return 0 < self.interruptions <= _MOST_INTERRUPTIONS


@dataclass(frozen=True)
class Situation:
    """Everything the decision rests on.

    Attributes:
        now: the instant (UTC).
        calendars: the calendar of every quarter that has a market or is announced, and of those
            that somebody asks about.
        published: by quarter, the runs' numbers by stage; only the last of each.
        arrivals: what has landed.
        levels: the service levels of the input tables.
        tries: what was tried of a stage run; asked only of those that could be launched.
        inputs: the digest of what a stage run would read now; asked as ``tries`` is.
        is_locked: whether a process is working on a quarter; asked as ``tries`` is.
    """

    now: datetime
    calendars: Mapping[Quarter, QuarterCalendar]
    published: Mapping[Quarter, Mapping[str, int]]
    arrivals: Arrivals
    levels: Mapping[str, ServiceLevels]
    tries: Callable[[StageOfQuarter], Tries] = field(default=lambda _: Tries())
    inputs: Callable[[StageOfQuarter], str] = field(default=lambda _: "")
    is_locked: Callable[[Quarter], bool] = field(default=lambda _: False)

    def is_published(self, node: StageOfQuarter) -> bool:
        """Whether a run of the stage stands published."""
        return node.stage in self.published.get(node.quarter, {})


@dataclass(frozen=True)
class ScheduledStage:
    """One stage run at an instant.

    Attributes:
        node: which.
        cutoff: its cut-off.
        state: published; passed over (a later one of its quarter is published); running; due (to
            be launched); waiting; failed (and nothing it reads has changed); to come.
        run: the number of its published run.
        attempt: the attempt to launch, when due.
        inputs: the digest of what that attempt reads.
        sentences: what it waits for, why it failed, or what it goes on without.
    """

    node: StageOfQuarter
    cutoff: StageCutoff
    state: StageState
    run: int | None = None
    attempt: int | None = None
    inputs: str | None = None
    sentences: tuple[str, ...] = ()

    @property
    def run_key(self) -> str:
        """What tells this launch from every other: ``round-2:2026Q4:1``."""
        return f"{self.node.stage}:{self.node.quarter.label}:{self.attempt}"


def schedule(situation: Situation) -> tuple[ScheduledStage, ...]:
    """The state of every stage run, in the order in which they fall due.

    A quarter's stage runs are launched one at a time: only the first that is neither published nor
    passed over can be due. Those whose cut-offs passed while nobody launched them follow in order.
    """
    found = [
        entry
        for quarter in sorted(situation.calendars)
        for entry in _of_quarter(situation.calendars[quarter], situation)
    ]
    order = in_order([(entry.node.quarter, entry.cutoff) for entry in found])
    by_node = {(entry.node.quarter, entry.cutoff.name): entry for entry in found}
    return tuple(by_node[quarter, cutoff.name] for quarter, cutoff in order)


def to_launch(stages: Iterable[ScheduledStage]) -> tuple[ScheduledStage, ...]:
    """Those to launch now, in the order in which they fell due."""
    return tuple(entry for entry in stages if entry.state == "due")


def why_nothing(stages: Sequence[ScheduledStage], now: datetime) -> str:
    """In words, what every open stage run waits for, and what comes next."""
    told = [
        f"{entry.node.label} {_VERBS[entry.state]}{'; '.join(entry.sentences)}"
        for entry in stages
        if entry.state in _VERBS and entry.cutoff.cutoff_at <= now and entry.sentences
    ]
    told += [
        ": ".join((f"{entry.node.label} is running", *entry.sentences))
        for entry in stages
        if entry.state == "running"
    ]
    coming = next((entry for entry in stages if entry.cutoff.cutoff_at > now), None)
    if coming is not None:
        told.append(f"next: {coming.node.label} on {coming.cutoff.cutoff_at.date().isoformat()}")
    if told:
        return ". ".join(told)
    if stages:
        return "every stage run that is due is published"
    return "no quarter has a market yet: ingest its network_capacity"


_VERBS = {"waiting": "waits: ", "failed": "failed and is not tried again: "}


def _of_quarter(calendar: QuarterCalendar, situation: Situation) -> list[ScheduledStage]:
    quarter = calendar.quarter
    published = situation.published.get(quarter, {})
    found: list[ScheduledStage] = []
    blocked_by: StageOfQuarter | None = None
    for position, cutoff in enumerate(calendar.stages):
        node = StageOfQuarter(quarter, cutoff.name)
        if cutoff.name in published:
            entry = ScheduledStage(node, cutoff, "published", run=published[cutoff.name])
        elif any(later.name in published for later in calendar.stages[position + 1 :]):
            entry = ScheduledStage(node, cutoff, "passed over")
        elif cutoff.cutoff_at > situation.now:
            entry = ScheduledStage(node, cutoff, "to come")
        elif blocked_by is not None:
            entry = _waiting(node, cutoff, [f"{blocked_by.label} is not published"])
        else:
            entry = _open_stage(node, cutoff, calendar, situation)
            blocked_by = node
        found.append(entry)
    return found


def _open_stage(
    node: StageOfQuarter, cutoff: StageCutoff, calendar: QuarterCalendar, situation: Situation
) -> ScheduledStage:
    """The state of a quarter's first open stage run, whose cut-off has passed."""
    tries = situation.tries(node)
    if tries.is_running:
        return ScheduledStage(node, cutoff, "running")
    if situation.is_locked(node.quarter):
        told = "another process is working on the quarter"
        return ScheduledStage(node, cutoff, "running", sentences=(told,))
    missing = [
        f"{need.label} is not published"
        for need in _needs(cutoff, calendar, situation)
        if not situation.is_published(need)
    ]
    lacking = lacks(node.quarter, cutoff, situation.arrivals, situation.levels)
    missing += [
        f"{lack.sentence} (goes on without from {lack.waits_until.date().isoformat()})"
        if lack.waits_until
        else lack.sentence
        for lack in lacking
        if lack.holds_back(situation.now)
    ]
    if missing:
        return _waiting(node, cutoff, missing)
    inputs = situation.inputs(node)
    is_same = tries.failure is not None and tries.inputs == inputs
    if is_same and not tries.may_be_tried_again:
        return ScheduledStage(
            node,
            cutoff,
            "failed",
            attempt=tries.launched,
            inputs=inputs,
            sentences=(tries.failure or "", _remedy(node)),
        )
    return ScheduledStage(
        node,
        cutoff,
        "due",
        attempt=tries.launched + 1,
        inputs=inputs,
        sentences=tuple(f"goes on though {lack.sentence}" for lack in lacking),
    )


def _needs(
    cutoff: StageCutoff, calendar: QuarterCalendar, situation: Situation
) -> tuple[StageOfQuarter, ...]:
    """What must be published; within its quarter, a stage run comes after those not passed over."""
    if cutoff.kind != "announce":
        return ()
    capacity = situation.arrivals.capacity
    held = {quarter for quarter, received in capacity.items() if received < cutoff.cutoff_at}
    before = {
        quarter: situation.calendars[quarter]
        for quarter in quarters_before(calendar.quarter).values()
        if quarter in situation.calendars
    }
    return prerequisites(cutoff, calendar, before, held)


def _waiting(node: StageOfQuarter, cutoff: StageCutoff, sentences: Iterable[str]) -> ScheduledStage:
    return ScheduledStage(node, cutoff, "waiting", sentences=tuple(sentences))


def _remedy(node: StageOfQuarter) -> str:
    return (
        "tried again once a delivery, the policy or the code changes, or by hand with "
        f"`fbacap run {node.quarter.label} --stage {node.stage}`"
    )
