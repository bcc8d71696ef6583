"""What must be published before a stage run: quarters and their stages as a graph.

Here belongs the order that the market's loop demands, from calendars alone. Whether a run is due is
asked of a clock by ``runner`` and ``schedule``; what it reads from those before it is
``earlier_runs``.
"""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from fbacap_logic.calendar import Quarter, QuarterCalendar, RoundWindow, StageCutoff


@dataclass(frozen=True, order=True)
class StageOfQuarter:
    """One stage run of one quarter, by name."""

    quarter: Quarter
    stage: str

    @property
    def label(self) -> str:
        """As messages name it: ``2026Q4 round-2``."""
        return f"{self.quarter.label} {self.stage}"


def quarters_before(quarter: Quarter) -> dict[str, Quarter]:
    """The quarters whose space the 90 days before an announcement lie in, by their tables' prefix.

    >>> {name: before.label for name, before in quarters_before(Quarter.parse("2026Q1")).items()}
    {'previous': '2025Q4', 'second_previous': '2025Q3'}
    """
    return {"previous": quarter.previous, "second_previous": quarter.previous.previous}


def last_closed_round(calendar: QuarterCalendar, moment: datetime) -> RoundWindow | None:
    """The last round of a quarter that had closed by an instant (UTC), or None."""
    closed = [window for window in calendar.rounds if window.closes_at <= moment]
    return closed[-1] if closed else None


def prerequisites(
    stage: StageCutoff,
    calendar: QuarterCalendar,
    calendars_before: Mapping[Quarter, QuarterCalendar],
    held: Container[Quarter],
) -> tuple[StageOfQuarter, ...]:
    """What must be published before a stage run can be made; each stands for all before it.

    Args:
        stage: the stage run.
        calendar: its quarter's calendar.
        calendars_before: the calendars of the quarters before (see ``quarters_before``); one that
            no policy governed may be left out.
        held: the quarters that had a market by the stage's cut-off.

    Returns:
        The stage before it in its own quarter; and for an announcement, of each quarter before
        that had a market, the last round that had closed, or else its announcement.

    >>> from fbacap_logic.policy import Policy
    >>> quarters = [Quarter.parse(label) for label in ("2026Q4", "2026Q3", "2026Q2")]
    >>> now, *before = [Policy().calendar_of(quarter) for quarter in quarters]
    >>> needs = prerequisites(
    ...     now.stage("announce"), now, dict(zip(quarters[1:], before)), held=quarters)
    >>> [need.label for need in needs]
    ['2026Q3 round-4', '2026Q2 round-4']
    >>> [need.label for need in prerequisites(now.stage("final"), now, {}, held=())]
    ['2026Q4 preliminary']
    """
    if stage.kind != "announce":
        names = [other.name for other in calendar.stages]
        before = names[: names.index(stage.name)] if stage.name in names else names
        return (StageOfQuarter(calendar.quarter, before[-1]),)
    needs = []
    for quarter in quarters_before(calendar.quarter).values():
        if quarter in held and quarter in calendars_before:
            closed = last_closed_round(calendars_before[quarter], stage.cutoff_at)
            needs.append(StageOfQuarter(quarter, f"round-{closed.round}" if closed else "announce"))
    return tuple(needs)


def in_order(stages: Sequence[tuple[Quarter, StageCutoff]]) -> list[tuple[Quarter, StageCutoff]]:
    """Stage runs as they fall due: by cut-off, then by quarter."""
    return sorted(stages, key=lambda entry: (entry[1].cutoff_at, entry[0]))
