"""What of a backfill waits for what, and what comes first among the runs that wait for nothing.

Here belong the stage runs of a range of quarters as a graph, pure. Making them is ``loop``.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

from fbacap_logic.calendar import Quarter, QuarterCalendar, StageCutoff
from orchestration.plan import StageOfQuarter, prerequisites, quarters_before


@dataclass(frozen=True)
class BackfillGraph:
    """Stage runs with those that must be published before each; both in the order to take them.

    ``stages``: announcements and rounds first, because the next quarter waits for them, then
    settlements; among those by cut-off. ``waits_for``: only stage runs of this backfill; what lies
    outside it is checked when a run reads it.
    """

    stages: Mapping[StageOfQuarter, StageCutoff]
    waits_for: Mapping[StageOfQuarter, tuple[StageOfQuarter, ...]]

    def ready(
        self, started: Container[StageOfQuarter], done: Container[StageOfQuarter]
    ) -> list[StageOfQuarter]:
        """What has not been started and waits for nothing any more, most urgent first."""
        return [
            node
            for node in self.stages
            if node not in started and all(before in done for before in self.waits_for[node])
        ]

    def after(self, node: StageOfQuarter) -> set[StageOfQuarter]:
        """Everything that waits for a stage run, directly or through others."""
        found: set[StageOfQuarter] = set()
        waiting = [node]
        while waiting:
            for follower in self._followers.get(waiting.pop(), ()):
                if follower not in found:
                    found.add(follower)
                    waiting.append(follower)
        return found

    def of_quarter(self, quarter: Quarter) -> list[StageOfQuarter]:
        """A quarter's stage runs, in order."""
        mine = [node for node in self.stages if node.quarter == quarter]
        return sorted(mine, key=lambda node: self.stages[node].cutoff_at)

    @cached_property
    def quarters(self) -> tuple[Quarter, ...]:
        """The quarters, in order."""
        return tuple(sorted({node.quarter for node in self.stages}))

    @cached_property
    def _followers(self) -> dict[StageOfQuarter, list[StageOfQuarter]]:
        followers: dict[StageOfQuarter, list[StageOfQuarter]] = {}
        for node, before in self.waits_for.items():
            for other in before:
                followers.setdefault(other, []).append(node)
        return followers


def backfill_graph(
    due: Iterable[tuple[QuarterCalendar, Iterable[StageCutoff]]],
) -> BackfillGraph:
    """The graph of a backfill.

    Args:
        due: each quarter's calendar, and those of its stage runs that are to be made.

    >>> from fbacap_logic.policy import Policy
    >>> calendars = [Policy().calendar_of(Quarter(2025, number)) for number in (3, 4)]
    >>> graph = backfill_graph((calendar, calendar.stages) for calendar in calendars)
    >>> [node.label for node in graph.ready((), ())]
    ['2025Q3 announce']
    >>> [node.label for node in graph.waits_for[StageOfQuarter(Quarter(2025, 4), "announce")]]
    ['2025Q3 round-4']
    """
    entries = [(calendar, list(stages)) for calendar, stages in due]
    calendars = {calendar.quarter: calendar for calendar, _ in entries}
    stages = {
        StageOfQuarter(calendar.quarter, stage.name): stage
        for calendar, chosen in entries
        for stage in chosen
    }
    urgent = sorted(
        stages, key=lambda node: (stages[node].kind == "settle", stages[node].cutoff_at, node)
    )
    waits_for = {
        node: tuple(
            before
            for before in prerequisites(
                stages[node],
                calendars[node.quarter],
                {quarter: calendars[quarter] for quarter in _known(node.quarter, calendars)},
                held=calendars,
            )
            if before in stages
        )
        for node in urgent
    }
    return BackfillGraph({node: stages[node] for node in urgent}, waits_for)


def _known(quarter: Quarter, calendars: Mapping[Quarter, QuarterCalendar]) -> list[Quarter]:
    return [before for before in quarters_before(quarter).values() if before in calendars]
