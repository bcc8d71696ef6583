"""The forecast of a panel too small to learn from.

Here belongs the rule by hand: the latest rate, the season's shape where a series has shown it
twice, and the spread of the panel's own totals (``forecast_statistics``). Here do not belong panels
with enough history, which ``forecast_model`` learns from.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from fbacap_logic.forecast_features import FloatArray, Span
from fbacap_logic.forecast_statistics import latest_rate, relative_quantiles, running_totals
from fbacap_logic.units import Int64Array


def simple_totals(
    past: FloatArray, ages: Int64Array, span: Span, season: int, quantiles: Sequence[float]
) -> tuple[FloatArray, FloatArray]:
    """Means and quantiles of each series' total over a span ahead.

    Args:
        past: shape (series, periods), the latest first; values below 0 are moved up for the rule,
            which knows shares only, and the forecast is moved back.
        ages: periods of history of each series.
        span: the periods added up.
        season: periods in a season.
        quantiles: shares from 0 to 1.

    Returns:
        Means, and quantiles of shape (series, quantiles), in the unit of ``past``.

    >>> past, ages = np.array([[3.0, 3.0]]), np.array([2])
    >>> simple_totals(past, ages, Span(0, 4), 52, [0.5])
    (array([12.]), array([[12.]]))
    """
    least = min(float(past.min(initial=0.0)), 0.0)
    inside = np.arange(past.shape[1])[None, :] < ages[:, None]
    moved = np.where(inside, past - least, 0.0)
    running = running_totals(moved)
    mean = span.width * latest_rate(running, ages, season)
    pool = np.zeros(len(ages), dtype=np.int64)
    relative = relative_quantiles(running, ages, pool, span.width, quantiles)
    mean = mean * _season_shape(moved, ages, span, season)
    back = span.width * least * (ages > 0)
    return mean + back, mean[:, None] * relative + back[:, None]


def _season_shape(moved: FloatArray, ages: Int64Array, span: Span, season: int) -> FloatArray:
    """The span's share of a season over the share of so many periods; 1 where there is no season.

    It counts by how alike the last two seasons are: chance has no shape.
    """
    if season < 2 or moved.shape[1] < 2 * season:
        return np.ones(len(ages))
    # Periods of the season in the order in which they come next.
    latest, before = moved[:, :season][:, ::-1], moved[:, season : 2 * season][:, ::-1]
    places = np.arange(span.lead, span.end) % season
    both = (latest + before) / 2
    level = both.mean(axis=1)
    shape = both[:, places].mean(axis=1) / np.where(level > 0, level, 1.0)
    first = latest - latest.mean(axis=1, keepdims=True)
    second = before - before.mean(axis=1, keepdims=True)
    scale = np.sqrt((first**2).sum(axis=1) * (second**2).sum(axis=1))
    alike = np.where(scale > 0, (first * second).sum(axis=1) / np.where(scale > 0, scale, 1.0), 0.0)
    counts = (ages >= 2 * season) & (level > 0)
    return np.asarray(np.where(counts, 1 + np.maximum(alike, 0.0) * (shape - 1), 1.0))
