"""Forecasts of a dense panel by the model learned from its own past, or by the simple rule.

Here belongs the way from dense histories to means and quantiles in the panel's unit: how far ahead
to learn, learning, predicting in blocks, and the simple rule (``forecast_simple``) for panels
too small to learn from. Here do not belong tables, names and whole units (``forecast``).

Histories come one row a series and one column a period, the latest first, zeros beyond a series'
own history.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from fbacap_logic.forecast_features import FloatArray, InputsOfPast, Past, Span
from fbacap_logic.forecast_model import Model, learn
from fbacap_logic.forecast_sample import gather
from fbacap_logic.forecast_simple import simple_totals
from fbacap_logic.units import Int64Array

_ROWS_AT_ONCE = 16_384  # so that the columns of many series never stand in memory at once
_LEAST_ROWS = 400
_LEAST_SERIES = 5
_LEAST_AGES_PER_SPAN = 0.5
_MOST_PERIODS = 256
_MOST_SPANS = 24
_AGES_PER_SPAN = 4.0


def forecast_totals(
    past: FloatArray,
    ages: Int64Array,
    span: Span,
    season: int,
    quantiles: Sequence[float],
    *,
    given_demand: bool = False,
) -> tuple[FloatArray, FloatArray]:
    """Mean and quantiles of each series' total over a span ahead.

    The quantiles are learned from totals: a quantile of a sum is not the sum of quantiles.

    Args:
        past: shape (series, periods), the latest first.
        ages: periods of history of each series.
        span: the periods added up.
        season: periods in a season.
        quantiles: shares from 0 to 1, in any order.
        given_demand: see ``forecast_model.learn``.

    Returns:
        Means, and quantiles of shape (series, quantiles), in the unit of ``past``.
    """
    values, unit = _prepared(past, season)
    whole_ages, ages = ages, np.minimum(ages, values.shape[1])
    ascending, places = np.unique(np.asarray(quantiles, dtype=np.float64), return_inverse=True)
    model = None
    if _is_old_enough(span, ages):
        near = [_near(span, ages)]
        model = _learned(
            values, ages, span.width, season, near, ascending, given_demand=given_demand
        )
    if model is None:
        mean, found = simple_totals(past, whole_ages, span, season, ascending.tolist())
        return mean, found[:, places]
    mean = np.empty(len(ages))
    found = np.empty((len(ages), len(ascending)))
    for block in _blocks(len(ages)):
        known = Past(values[block], ages[block], span.width, season)
        inputs = InputsOfPast(known).of(span)
        mean[block], found[block] = _in_unit(model, known, *model.predict(inputs, 0))
    scale = unit * span.width
    return mean * scale, found[:, places] * scale


def forecast_steps(
    past: FloatArray, ages: Int64Array, horizon: int, season: int, quantiles: Sequence[float]
) -> tuple[FloatArray, FloatArray]:
    """Mean and quantiles of each series' next periods, one by one.

    The means of a series add up to the mean of ``forecast_totals``.

    Returns:
        Means of shape (series, horizon), quantiles of shape (series, horizon, quantiles).
    """
    total, _ = forecast_totals(past, ages, Span(0, horizon), season, [])
    values, unit = _prepared(past, season)
    whole_ages, ages = ages, np.minimum(ages, values.shape[1])
    ascending, places = np.unique(np.asarray(quantiles, dtype=np.float64), return_inverse=True)
    steps = _learned_steps(horizon, ages)
    model = None
    if _is_old_enough(Span(0, horizon), ages):
        spans = [Span(step - 1, 1) for step in steps]
        model = _learned(values, ages, horizon, season, spans, ascending, given_demand=False)
    if model is None:
        ahead = [Span(step, 1) for step in range(horizon)]
        by_step = [
            simple_totals(past, whole_ages, one, season, ascending.tolist()) for one in ahead
        ]
        mean = np.column_stack([one for one, _ in by_step])
        return _adding_up(mean, total), np.stack([one for _, one in by_step], axis=1)[:, :, places]
    mean = np.empty((len(ages), horizon))
    found = np.empty((len(ages), horizon, len(ascending)))
    for block in _blocks(len(ages)):
        known = Past(values[block], ages[block], horizon, season)
        inputs = InputsOfPast(known)
        for step in range(1, horizon + 1):
            group = int(np.argmin([abs(step - learned) for learned in steps]))
            predicted = model.predict(inputs.of(Span(step - 1, 1)), group)
            mean[block, step - 1], found[block, step - 1] = _in_unit(model, known, *predicted)
    return _adding_up(mean * unit, total), found[:, :, places] * unit


def _prepared(past: FloatArray, season: int) -> tuple[FloatArray, float]:
    """The latest periods, the oldest first, divided by a power of two near the largest."""
    kept = max(_MOST_PERIODS, 4 * season)
    values = past[:, :kept][:, ::-1]
    largest = float(np.abs(values).max(initial=0.0))
    unit = float(2.0 ** np.floor(np.log2(largest))) if largest > 0 else 1.0
    return np.ascontiguousarray(values / unit), unit


def _is_old_enough(span: Span, ages: Int64Array) -> bool:
    """Whether the panel is past its infancy, of which alone it could otherwise be taught."""
    return len(ages) > 0 and float(ages.mean()) >= _LEAST_AGES_PER_SPAN * span.end


def _near(span: Span, ages: Int64Array) -> Span:
    """The span, drawn in where histories are short.

    Few moments of a young panel are followed by the whole span, and those are of its infancy; more
    and later ones are followed by a part of it.
    """
    mean_age = float(ages.mean()) if len(ages) else 0.0
    part = min(1.0, max(1 / 3, mean_age / _AGES_PER_SPAN / span.end))
    return Span(round(span.lead * part), max(1, round(span.width * part)))


def _learned_steps(horizon: int, ages: Int64Array) -> list[int]:
    """The steps ahead that are learned; others go by the nearest of them."""
    furthest = _near(Span(0, horizon), ages).end
    count = min(furthest, _MOST_SPANS)
    steps = np.linspace(1, furthest, count).round().astype(np.int64)
    return [int(step) for step in np.unique(steps)]


def _learned(
    values: FloatArray,
    ages: Int64Array,
    width: int,
    season: int,
    spans: Sequence[Span],
    quantiles: FloatArray,
    *,
    given_demand: bool,
) -> Model | None:
    if len(ages) < _LEAST_SERIES or values.shape[1] <= max(span.end for span in spans):
        return None
    lessons = gather(values, ages, width, season, spans)
    if lessons is None or len(lessons) < _LEAST_ROWS * len(spans) ** 0.5:
        return None
    if lessons.group.max() < len(spans) - 1:
        lessons = replace(lessons, group=np.zeros_like(lessons.group))
    return learn(lessons, quantiles.tolist(), given_demand=given_demand)


def _in_unit(
    model: Model, known: Past, mean: FloatArray, quantiles: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """From spreads around the level to values; 0 without demand, never below 0 needlessly."""
    low, high = model.reach
    heard = known.size > 0
    floor = known.values.min(axis=1, initial=0.0) if (known.values < 0).any() else 0.0
    bottom = np.where(np.asarray(floor) < 0, -np.inf, 0.0)

    def value(target: FloatArray) -> FloatArray:
        found = known.level + known.spread * np.clip(target, low, high)
        return np.where(heard, np.maximum(found, bottom), 0.0)

    columns = [value(quantiles[:, column]) for column in range(quantiles.shape[1])]
    stacked = np.column_stack(columns) if columns else np.zeros(quantiles.shape)
    return value(mean), stacked


def _adding_up(steps: FloatArray, total: FloatArray) -> FloatArray:
    """Steps moved to add up to the total: in proportion where all are positive, else evenly."""
    horizon = steps.shape[1]
    found = steps.sum(axis=1)
    positive = (steps >= 0).all(axis=1) & (found > 0) & (total >= 0)
    factor = np.where(positive, total / np.where(positive, found, 1.0), 1.0)
    shift = np.where(positive, 0.0, (total - found) / horizon)
    return np.asarray(steps * factor[:, None] + shift[:, None])


def _blocks(rows: int) -> list[slice]:
    return [slice(start, start + _ROWS_AT_ONCE) for start in range(0, rows, _ROWS_AT_ONCE)]
