"""The days that a generated marketplace lives through.

Here belongs when its history begins and ends, on which days snapshots are taken, and which calendar
its market quarters follow (rules §1). What happens on a day is in the other modules.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import cached_property

import numpy as np
import numpy.typing as npt

from fbacap_logic.calendar import Quarter, QuarterCalendar, quarter_range
from fbacap_logic.policy import Policy

HISTORY_YEARS = 2
SNAPSHOT_DAYS_BEFORE_ANNOUNCEMENT = 100  # the score reads 90 of them (rules §2.3)
HALLOWEEN_QUARTER = 4

DayArray = npt.NDArray[np.datetime64]


@dataclass(frozen=True)
class Horizon:
    """Market quarters, and the days of history around them.

    Attributes:
        first_quarter: the first in which a market is held.
        last_quarter: the last.
        until_settled: sales go on until the last quarter's true-up; else they end with the quarter.
    """

    first_quarter: Quarter
    last_quarter: Quarter
    until_settled: bool = False

    @property
    def market_quarters(self) -> tuple[Quarter, ...]:
        """The quarters in which a market is held, in order."""
        return quarter_range(self.first_quarter, self.last_quarter)

    @property
    def first_day(self) -> date:
        """The first day of order history: two years before the first market quarter."""
        first = self.first_quarter.first_day
        return first.replace(year=first.year - HISTORY_YEARS)

    @cached_property
    def days(self) -> DayArray:
        """Every day on which something is sold."""
        trued_up = calendar_of(self.last_quarter).stages[-1].cutoff_at.date()
        end = trued_up if self.until_settled else self.last_quarter.next.first_day
        return np.arange(day64(self.first_day), day64(end))

    @property
    def last_market_day(self) -> np.datetime64:
        """The last quarter's last day: nobody joins after it."""
        return day64(self.last_quarter.last_day)

    @property
    def first_snapshot(self) -> np.datetime64:
        """The first day with a snapshot of stocks."""
        announced = np.datetime64(calendar_of(self.first_quarter).announced_at.date(), "D")
        return announced - np.timedelta64(SNAPSHOT_DAYS_BEFORE_ANNOUNCEMENT, "D")

    @property
    def all_quarters(self) -> tuple[Quarter, ...]:
        """Quarters from the first day's to the one after the last: shocks come by quarter."""
        return quarter_range(Quarter.containing(self.first_day), self.last_quarter.next)

    def quarter_position(self, day: np.datetime64) -> int:
        """Place of a day's quarter in ``all_quarters``.

        >>> horizon = Horizon(Quarter(2025, 4), Quarter(2025, 4))
        >>> horizon.quarter_position(np.datetime64("2024-01-01"))
        1
        """
        quarter = quarter_of(day)
        first = self.all_quarters[0]
        return 4 * (quarter.year - first.year) + quarter.number - first.number

    @property
    def halloween_quarter(self) -> Quarter:
        """The quarter of the worked example (rules §9): the last fourth quarter, else the last."""
        fourths = [q for q in self.market_quarters if q.number == HALLOWEEN_QUARTER]
        return fourths[-1] if fourths else self.last_quarter


def calendar_of(quarter: Quarter) -> QuarterCalendar:
    """The dates of a quarter under the default policy (rules §1)."""
    return Policy().calendar_of(quarter)


def quarter_of(day: np.datetime64) -> Quarter:
    """The quarter that a day belongs to."""
    return Quarter.containing(day.astype("datetime64[D]").astype(date))


def day64(day: date) -> np.datetime64:
    """A day as numpy counts them."""
    return np.datetime64(day, "D")
