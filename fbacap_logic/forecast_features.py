"""What a series' past says of the window to be forecast, as columns free of the series' size.

Here belongs the arithmetic that turns dense histories into a model's inputs: one row a series, one
column a period, the oldest first, right-aligned, zeros before a series began. Here do not belong
what is learned from the columns (``forecast_model``) or which rows are learned from
(``forecast_sample``).

Every column is measured from the series' own level, in units of its own spread, so that one model
serves the largest seller and the smallest. The spread of a steady series is twice its mean absolute
deviation, with a few periods added at which that would be as large as the level (a newcomer's two
equal weeks are no proof of steadiness); that of an irregular one is its level.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from fbacap_logic.units import Int64Array

FloatArray = npt.NDArray[np.float64]
FeatureArray = npt.NDArray[np.float32]
BoolArray = npt.NDArray[np.bool_]

_LADDER = (1, 2, 4, 8, 16, 32, 64)
_SEASONS = 3
_PRIOR_PERIODS = 4.0
_LEAST_SPREAD = 1e-12


@dataclass(frozen=True)
class Span:
    """A run of periods ahead: it begins after ``lead`` periods and is ``width`` long."""

    lead: int
    width: int

    @property
    def end(self) -> int:
        """Periods from the forecast to the span's end."""
        return self.lead + self.width


@dataclass(frozen=True)
class Past:
    """Histories as they stood at one moment, and what does not depend on the span ahead.

    Args:
        values: shape (series, periods), right-aligned.
        ages: periods since each series began.
        width: periods in the spans to be forecast, or in their sum.
        season: periods in a season.
    """

    values: FloatArray
    ages: Int64Array
    width: int
    season: int

    @property
    def periods(self) -> int:
        """Periods in the table, which no series' history passes."""
        return int(self.values.shape[1])

    @cached_property
    def running(self) -> FloatArray:
        """Totals of the first 0, 1, 2 … periods."""
        return _running(self.values)

    @cached_property
    def running_active(self) -> FloatArray:
        """Counts of periods with demand among the first 0, 1, 2 …."""
        return _running(self.values != 0)

    @cached_property
    def level(self) -> FloatArray:
        """What a period brings: half the latest ``width`` periods', half the whole history's."""
        return (self.latest(self.width) + self.running[:, -1] / self._whole_ages) / 2

    @cached_property
    def spread(self) -> FloatArray:
        """Twice how far a period lies from the mean, but at most the level; never 0."""
        valid, count, wide = self._recent
        mean = (wide * valid).sum(axis=1) / count
        deviation = (np.abs(wide - mean[:, None]) * valid).sum(axis=1)
        spread = 2 * (deviation + _PRIOR_PERIODS * self.size) / (count + _PRIOR_PERIODS)
        return np.asarray(np.maximum(np.minimum(spread, self.size), _LEAST_SPREAD))

    @cached_property
    def size(self) -> FloatArray:
        """The level without its sign; 0 only for a series that never had demand."""
        valid, count, wide = self._recent
        absolute = (np.abs(wide) * valid).sum(axis=1) / count
        sizes = np.abs(self.latest(self.width)) + np.abs(self.running[:, -1] / self._whole_ages)
        return np.asarray(np.maximum(sizes / 2, absolute / 10))

    @cached_property
    def _whole_ages(self) -> Int64Array:
        return np.maximum(self.ages, 1)

    @cached_property
    def _recent(self) -> tuple[BoolArray, FloatArray, FloatArray]:
        wide = min(self.periods, max(2 * self.width, self.season))
        valid = np.arange(wide, 0, -1)[None, :] <= self.ages[:, None]
        count = np.maximum(valid.sum(axis=1), 1).astype(np.float64)
        return valid, count, self.values[:, self.periods - wide :]

    def latest(self, count: int, back: int = 0) -> FloatArray:
        """Mean of ``count`` periods, the last of them ``back`` periods ago."""
        return self._mean(self.running, count, back)

    def active(self, count: int) -> FloatArray:
        """Share of the latest ``count`` periods with demand."""
        return self._mean(self.running_active, count, 0)

    def _mean(self, running: FloatArray, count: int, back: int) -> FloatArray:
        end = max(self.periods - back, 0)
        begin = max(end - count, 0)
        return np.asarray((running[:, end] - running[:, begin]) / max(end - begin, 1))

    def seasonal(self, span: Span) -> tuple[FloatArray, FloatArray, FloatArray, BoolArray]:
        """The span one season ago, over the last seasons, and one season ago but for growth.

        Also whether there was such a season; without one all three are the level.
        """
        back = self.season * -(-span.end // self.season)
        total = np.zeros(len(self.ages))
        seasons = np.zeros(len(self.ages))
        latest, grown = self.level, self.level
        known = np.zeros(len(self.ages), dtype=np.bool_)
        for number in range(_SEASONS):
            begin = self.periods + span.lead - back - number * self.season
            if begin < 0:
                break
            there = self.ages >= self.periods - begin
            mean = (self.running[:, begin + span.width] - self.running[:, begin]) / span.width
            total += np.where(there, mean, 0.0)
            seasons += there
            if number == 0:
                known = there
                latest = np.where(there, mean, self.level)
                then = self.latest(self.width, back)
                whole = self.ages >= back + self.width
                now = self.latest(self.width)
                grown = np.where(whole, mean + now - then, latest)
        average = np.where(seasons > 0, total / np.maximum(seasons, 1), self.level)
        return latest, average, grown, known


def _running(values: npt.NDArray[np.generic]) -> FloatArray:
    running = np.zeros((values.shape[0], values.shape[1] + 1))
    np.cumsum(values, axis=1, out=running[:, 1:])
    return running


@dataclass(frozen=True)
class Inputs:
    """What a model sees of one span.

    Args:
        straight: columns for the linear part.
        features: columns for the trees; NaN where there is no such season.
    """

    straight: FloatArray
    features: FeatureArray


class InputsOfPast:
    """Inputs of one span after another; what they share is worked out once."""

    def __init__(self, past: Past) -> None:
        self._past = past
        self._spread = past.spread[:, None]
        level = past.level[:, None]
        width, season = past.width, past.season
        longest = max(2 * width, 2 * season, 8)
        counts = sorted({count for count in _LADDER if count <= longest} | {width, season})
        means = [past.latest(count) for count in counts]
        means.append(past.level + past.latest(width) - past.latest(width, width))
        self._means = (np.column_stack(means) - level) / self._spread
        self._young = (past.ages <= width)[:, None]
        self._state = self._state_columns()

    def _state_columns(self) -> FloatArray:
        past = self._past
        ages = np.maximum(past.ages, 1)
        active = past.running_active[:, -1]
        reversed_active = (past.values != 0)[:, ::-1]
        since = np.where(active > 0, reversed_active.argmax(axis=1), past.periods)
        recent = past.values[:, -min(past.periods, max(2 * past.width, past.season)) :]
        return np.column_stack(
            [
                np.minimum(past.ages, 2 * past.season),
                since,
                active,
                active / ages,
                past.active(4),
                past.active(past.width),
                past.level / past.spread,
                np.log(np.maximum(past.size, _LEAST_SPREAD)),
                recent.max(axis=1, initial=0.0) / past.spread,
            ]
        )

    def of(self, span: Span) -> Inputs:
        """The columns for one span ahead."""
        past = self._past
        latest, average, grown, known = past.seasonal(span)
        seasonal = np.column_stack([latest, average, grown]) - past.level[:, None]
        moves = np.column_stack([self._means, seasonal / self._spread])
        rest = np.column_stack(
            [np.ones(len(moves)), past.level / past.spread, np.minimum(past.ages / past.season, 1)]
        )
        straight = np.column_stack([moves, rest])
        straight = np.column_stack([straight, straight * self._young])
        gaps = np.where(known[:, None], moves[:, -3:], np.nan)
        ahead = np.full(len(moves), span.lead + span.width / 2)
        features = np.column_stack([moves[:, :-3], gaps, self._state, ahead])
        return Inputs(straight, features.astype(np.float32))
