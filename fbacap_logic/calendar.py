"""Quarters and their calendar (rules §1).

Here belong dates and cut-offs, computed from policy alone. What is due now is asked of a clock by
``orchestration``; no function here knows what time it is.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Literal

StageKind = Literal["announce", "round", "settle"]

# Far enough from both ends of the calendar that no cut-off of a quarter falls off them.
_YEARS = range(1900, 9000)
_QUARTER_LABEL = re.compile(r"^(\d{4})[Qq]([1-4])$")


@dataclass(frozen=True, order=True)
class Quarter:
    """Three calendar months. Key: first day (``2026-10-01``); label: ``2026Q4``."""

    year: int
    number: int

    @classmethod
    def parse(cls, text: str) -> Quarter:
        """Read ``2026Q4`` or ``2026-10-01``.

        >>> Quarter.parse("2026-10-01").label
        '2026Q4'
        """
        match = _QUARTER_LABEL.match(text.strip())
        if match and int(match[1]) in _YEARS:
            return cls(int(match[1]), int(match[2]))
        try:
            day = date.fromisoformat(text.strip())
        except ValueError:
            day = None
        if day is None or day.day != 1 or day.month % 3 != 1 or day.year not in _YEARS:
            raise ValueError(
                f"'{text}' is not a quarter; write it as 2026Q4 or as its first day, 2026-10-01"
            )
        return cls.containing(day)

    @classmethod
    def containing(cls, day: date) -> Quarter:
        """The quarter that a day belongs to."""
        return cls(day.year, (day.month - 1) // 3 + 1)

    @property
    def first_day(self) -> date:
        """The first day, which is also the key."""
        return date(self.year, 3 * self.number - 2, 1)

    @property
    def last_day(self) -> date:
        """The last day, included in the quarter."""
        return self.next.first_day - timedelta(days=1)

    @property
    def days(self) -> int:
        """Number of days, 90 to 92."""
        return (self.next.first_day - self.first_day).days

    @property
    def label(self) -> str:
        """As people write it: ``2026Q4``."""
        return f"{self.year:04d}Q{self.number}"

    @property
    def key(self) -> str:
        """As partitions and paths write it: ``2026-10-01``."""
        return self.first_day.isoformat()

    @property
    def next(self) -> Quarter:
        """The quarter after."""
        return self.plus(1)

    @property
    def previous(self) -> Quarter:
        """The quarter before."""
        return self.plus(-1)

    def plus(self, quarters: int) -> Quarter:
        """The quarter so many later (or earlier, when negative)."""
        index = self.year * 4 + self.number - 1 + quarters
        return Quarter(index // 4, index % 4 + 1)


def quarter_range(first: Quarter, last: Quarter) -> tuple[Quarter, ...]:
    """Every quarter from ``first`` to ``last``, both included.

    Raises:
        ValueError: ``last`` comes before ``first``.
    """
    if last < first:
        raise ValueError(f"{last.label} comes before {first.label}; give the earlier quarter first")
    quarters = [first]
    while quarters[-1] < last:
        quarters.append(quarters[-1].next)
    return tuple(quarters)


@dataclass(frozen=True)
class RoundOffset:
    """A round's number and the day it closes, counted from the quarter's first day."""

    round: int
    close_days: int


@dataclass(frozen=True)
class RoundWindow:
    """One round: when it closes and which days its grants are in force, both ends included."""

    round: int
    closes_at: datetime
    in_force_from: date
    in_force_to: date

    @property
    def days_in_force(self) -> int:
        """Days of the quarter on which space won in this round is in force."""
        return (self.in_force_to - self.in_force_from).days + 1


@dataclass(frozen=True)
class StageCutoff:
    """One stage run of a quarter: its name, its kind, and the instant its facts end."""

    name: str
    kind: StageKind
    cutoff_at: datetime
    round: int | None = None


@dataclass(frozen=True)
class QuarterCalendar:
    """Every date of one quarter, in UTC (rules §1)."""

    quarter: Quarter
    announced_at: datetime
    rounds: tuple[RoundWindow, ...]
    settlements: tuple[tuple[str, datetime], ...]

    @property
    def stages(self) -> tuple[StageCutoff, ...]:
        """Stage runs in the order in which they fall due."""
        return (
            StageCutoff("announce", "announce", self.announced_at),
            *(
                StageCutoff(f"round-{window.round}", "round", window.closes_at, window.round)
                for window in self.rounds
            ),
            *(StageCutoff(name, "settle", cutoff_at) for name, cutoff_at in self.settlements),
        )

    def stage(self, name: str) -> StageCutoff:
        """One stage run by name.

        Raises:
            ValueError: the quarter has no such stage.
        """
        for stage in self.stages:
            if stage.name == name:
                return stage
        names = ", ".join(stage.name for stage in self.stages)
        raise ValueError(f"'{name}' is not a stage of {self.quarter.label}; choose one of {names}")


def build_calendar(
    quarter: Quarter,
    *,
    announce_days_before: int,
    rounds: tuple[RoundOffset, ...],
    settlement_days_after: Mapping[str, int],
) -> QuarterCalendar:
    """Lay a policy's offsets onto one quarter (rules §1).

    Cut-offs are midnights UTC. Settlement offsets count from the instant the quarter ends, which
    is midnight after its last day.

    >>> calendar = build_calendar(
    ...     Quarter(2026, 4), announce_days_before=42,
    ...     rounds=(RoundOffset(1, -28), RoundOffset(2, 14)), settlement_days_after={"final": 45})
    >>> calendar.announced_at.date().isoformat(), calendar.rounds[1].in_force_from.isoformat()
    ('2026-08-20', '2026-10-16')
    """
    first_day = quarter.first_day
    windows = []
    for offset in rounds:
        close_day = first_day + timedelta(days=offset.close_days)
        windows.append(
            RoundWindow(
                round=offset.round,
                closes_at=_midnight(close_day),
                in_force_from=max(first_day, close_day + timedelta(days=1)),
                in_force_to=quarter.last_day,
            )
        )
    return QuarterCalendar(
        quarter=quarter,
        announced_at=_midnight(first_day - timedelta(days=announce_days_before)),
        rounds=tuple(windows),
        settlements=tuple(
            (name, _midnight(quarter.next.first_day + timedelta(days=days)))
            for name, days in settlement_days_after.items()
        ),
    )


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)
