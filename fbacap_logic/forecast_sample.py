"""Which of a panel's own past moments a model learns from.

Here belongs the choice of rows: moments of the past at which the span ahead had come to pass, and
series drawn by a fixed mix of their rank, so that the rows stay few however large the panel and are
the same whatever the order of its rows. Here do not belong the columns (``forecast_features``) or
the learning (``forecast_model``).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from fbacap_logic.forecast_features import (
    FeatureArray,
    FloatArray,
    InputsOfPast,
    Past,
    Span,
)
from fbacap_logic.units import Int64Array

MOST_ROWS = 60_000
_MOMENTS = 40
_MOST_MOMENTS = 120
_MIX = np.uint64(2_654_435_761)  # the golden ratio in 32 bits: neighbours fall far apart


@dataclass(frozen=True)
class Lessons:
    """Rows to learn from, all of one width.

    Args:
        target: mean per period over the span, from the level, in spreads.
        spread: in the series' unit; what an error of 1 in the target weighs.
        group: the number of the span in the sequence asked for.
        fold: 0 or 1, one for each series.
    """

    straight: FloatArray
    features: FeatureArray
    target: FloatArray
    spread: FloatArray
    has_demand: FloatArray
    group: Int64Array
    fold: Int64Array

    def __len__(self) -> int:
        """Rows."""
        return len(self.target)


def mixed(ranks: Int64Array) -> Int64Array:
    """A fixed number below 2^32 for each rank, in no order that a name could have.

    >>> mixed(np.arange(3)).tolist()
    [0, 2654435761, 1013904226]
    """
    return ((ranks.astype(np.uint64) * _MIX) & np.uint64(2**32 - 1)).astype(np.int64)


def gather(
    values: FloatArray, ages: Int64Array, width: int, season: int, spans: Sequence[Span]
) -> Lessons | None:
    """Rows of past moments whose spans had all come to pass; None when there are none.

    Args:
        values: histories, right-aligned, shape (series, periods).
        ages: periods of history of each series.
        width: as in ``Past``.
        season: as in ``Past``.
        spans: what is to be forecast.
    """
    moments = _moments(values, ages, max(span.end for span in spans), len(spans))
    share = max(1, MOST_ROWS // max(1, len(moments) * len(spans)))
    ranked = np.argsort(mixed(np.arange(len(ages))), kind="stable")
    parts: list[tuple[np.ndarray, ...]] = []
    for number, moment in enumerate(moments):
        ages_then = ages - (values.shape[1] - moment)
        # Each moment draws others, so that a large panel is seen in its breadth.
        drawn = np.roll(ranked, -number * share)
        drawn = drawn[ages_then[drawn] > 0][:share]
        if not len(drawn):
            continue
        past = Past(values[drawn, :moment], ages_then[drawn], width, season)
        inputs = InputsOfPast(past)
        fold = (mixed(drawn) >> 16) & 1
        for group, span in enumerate(spans):
            came = values[drawn, moment + span.lead : moment + span.end].mean(axis=1)
            given = inputs.of(span)
            heard = past.size > 0
            parts.append(
                tuple(
                    column[heard]
                    for column in (
                        given.straight,
                        given.features,
                        (came - past.level) / past.spread,
                        past.spread,
                        (came != 0).astype(np.float64),
                        np.full(len(drawn), group),
                        fold,
                    )
                )
            )
    if not parts:
        return None
    return Lessons(*(np.concatenate(column) for column in zip(*parts, strict=True)))


def _moments(values: FloatArray, ages: Int64Array, ahead: int, spans: int) -> list[int]:
    """The latest moments to learn from, more of them where series are few."""
    last = values.shape[1] - ahead
    alive = max(1, int((ages > ahead).sum()))
    wanted = -(-MOST_ROWS // (alive * spans))
    count = min(max(wanted, _MOMENTS // 2), _MOST_MOMENTS)
    first = max(2, last - 4 * count)
    available = list(range(last, first - 1, -1))
    step = max(1, min(2, len(available) // count))
    return available[::step][:count]
