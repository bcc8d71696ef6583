"""What is learned from a whole panel's past: a straight part, and trees on what it leaves.

Here belong fitting and prediction in units of each series' own spread. Here do not belong the
columns (``forecast_features``), the choice of rows (``forecast_sample``) or units and tables.

- **Straight part**: one linear combination of the level's means and the season's values for all
  series, fitted to a Huber loss: near the absolute error for the median, wider for the mean.
- **Trees** (LightGBM): quantiles of what the straight part leaves, and of the target itself; what
  is learned from half of the series says, by its errors on the other half, how much each counts.

LightGBM is pinned to one thread while learning, with its seed and its deterministic mode. Sums are
made by ``einsum`` rather than BLAS, whose result may change with its threads, and coefficients are
rounded, so that the last bit of a sum never shows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from fbacap_logic.forecast_features import FeatureArray, FloatArray, Inputs
from fbacap_logic.forecast_sample import Lessons

_ROUNDS = 40
_TREES: dict[str, Any] = {
    "learning_rate": 0.05,
    "num_leaves": 8,
    "min_data_in_leaf": 50,
    "feature_fraction": 0.7,
    "bagging_fraction": 0.7,
    "bagging_freq": 1,
    "lambda_l2": 1.0,
    "seed": 1,
    "num_threads": 1,
    "deterministic": True,
    "force_row_wise": True,
    "verbose": -1,
}
_WEIGHT_POWER = 0.8  # between errors in the panel's unit (1) and every series alike (0)
_NEAR_ABSOLUTE = 0.3
_OUTLIERS = 0.3  # a mean that whatever happened once to one series cannot move
_SELDOM = 0.001
_RIDGE = 0.01
_ROUND_COEFFICIENTS = 6
_ITERATIONS = 10
_SHARPNESS = 16  # a part whose error is a tenth larger than the best's counts a fifth of it
_ROUND_SHARES = 3


@dataclass(frozen=True)
class Parts:
    """How much of a median comes from the straight part, its trees and the trees alone."""

    straight: float
    corrected: float
    alone: float

    @property
    def corrected_trees(self) -> float:
        """Of the two kinds of trees, the share of those on top of the straight part."""
        trees = self.corrected + self.alone
        return self.corrected / trees if trees else 1.0


@dataclass(frozen=True)
class Model:
    """What was learned: targets per period, from the level, in spreads.

    Args:
        reach: the lowest and highest target to believe, nearly all that was ever seen.
    """

    reach: tuple[float, float]
    quantiles: tuple[float, ...]
    median_coefficients: FloatArray
    mean_coefficients: FloatArray
    parts: Parts
    corrected: tuple[Any, ...]
    alone: tuple[Any, ...]
    mean_trees: Any

    def predict(self, inputs: Inputs, group: int) -> tuple[FloatArray, FloatArray]:
        """(mean, quantiles in ascending order of share) of each row's target."""
        group = min(group, len(self.median_coefficients) - 1)
        middle = _dot(inputs.straight, self.median_coefficients[group])
        mean = _dot(inputs.straight, self.mean_coefficients[group])
        mean = mean + _predict(self.mean_trees, inputs.features)
        columns = []
        share = self.parts.corrected_trees
        for quantile, corrected, alone in zip(
            self.quantiles, self.corrected, self.alone, strict=True
        ):
            value = np.zeros(len(middle))
            if share:
                value += share * (middle + _predict(corrected, inputs.features))
            if share < 1:
                value += (1 - share) * _predict(alone, inputs.features)
            if quantile == 0.5:
                value = self.parts.straight * middle + (1 - self.parts.straight) * value
            columns.append(value)
        stacked = np.column_stack(columns) if columns else np.zeros((len(middle), 0))
        return mean, np.sort(stacked, axis=1)


def learn(lessons: Lessons, quantiles: Sequence[float], *, given_demand: bool) -> Model:
    """Fit a model to a panel's past.

    Args:
        lessons: rows of one width; spans are numbered by ``group`` from 0.
        quantiles: shares, ascending.
        given_demand: quantiles above the median are those of spans with any demand, so that they
            cover what they promise among the series that do have demand.
    """
    weights = lessons.spread**_WEIGHT_POWER
    weights = weights / weights.mean()
    middle, middle_fit = _fit_groups(lessons, weights, lambda _: _NEAR_ABSOLUTE)
    mean, mean_fit = _fit_groups(
        lessons, weights, lambda error: float(np.quantile(np.abs(error), 1 - _OUTLIERS))
    )
    parts = _choose_parts(lessons, weights)
    rest = lessons.target - middle_fit
    heard = lessons.has_demand > 0
    corrected, alone = [], []
    for quantile in quantiles:
        rows = heard if given_demand and quantile > 0.5 else np.ones(len(lessons), dtype=np.bool_)
        grow = partial(_grow, lessons.features[rows], weights=weights[rows], quantile=quantile)
        corrected.append(grow(rest[rows]) if parts.corrected_trees else None)
        alone.append(grow(lessons.target[rows]) if parts.corrected_trees < 1 else None)
    low, high = np.quantile(lessons.target - mean_fit, [_SELDOM, 1 - _OUTLIERS / 2])
    clipped = np.clip(lessons.target - mean_fit, low, high)
    reach = np.quantile(lessons.target, [_SELDOM, 1 - _SELDOM]).tolist()
    return Model(
        reach=(reach[0], reach[1]),
        quantiles=tuple(quantiles),
        median_coefficients=middle,
        mean_coefficients=mean,
        parts=parts,
        corrected=tuple(corrected),
        alone=tuple(alone),
        mean_trees=_grow(lessons.features, clipped, weights=weights, quantile=None),
    )


def _choose_parts(lessons: Lessons, weights: FloatArray) -> Parts:
    """Shares by how well each part's median does on series that it was not learned from."""
    from_half, to_half = lessons.fold == 0, lessons.fold == 1
    if min(from_half.sum(), to_half.sum()) < 10 * _TREES["min_data_in_leaf"]:
        return Parts(0.5, 0.5, 0.0)
    middle, _ = _fit_groups(lessons, weights * from_half, lambda _: _NEAR_ABSOLUTE)
    fit = _by_group(lessons, middle)
    grow = partial(_grow, weights=weights[from_half], quantile=0.5)
    features = lessons.features[from_half]
    corrected = grow(features, (lessons.target - fit)[from_half])
    alone = grow(features, lessons.target[from_half])
    straight = fit[to_half]
    unseen = lessons.features[to_half]
    candidates = (straight, straight + _predict(corrected, unseen), _predict(alone, unseen))
    came, weight = lessons.target[to_half], weights[to_half]
    losses = np.array([(weight * np.abs(came - guess)).sum() for guess in candidates])
    least = max(float(losses.min()), 1e-12)
    shares = (least / np.maximum(losses, least)) ** _SHARPNESS
    return Parts(*(shares / shares.sum()).round(_ROUND_SHARES).tolist())


def _fit_groups(
    lessons: Lessons, weights: FloatArray, knee_of: Any
) -> tuple[FloatArray, FloatArray]:
    """Coefficients of each span, and what they give for the rows themselves."""
    groups = int(lessons.group.max()) + 1
    coefficients = np.zeros((groups, lessons.straight.shape[1]))
    for group in range(groups):
        rows = (lessons.group == group) & (weights > 0)
        coefficients[group] = robust_fit(
            lessons.straight[rows], lessons.target[rows], weights[rows], knee_of
        )
    return coefficients, _by_group(lessons, coefficients)


def _by_group(lessons: Lessons, coefficients: FloatArray) -> FloatArray:
    return np.asarray(np.einsum("ij,ij->i", lessons.straight, coefficients[lessons.group]))


def robust_fit(
    columns: FloatArray, target: FloatArray, weights: FloatArray, knee_of: Any
) -> FloatArray:
    """Coefficients of the least Huber loss, drawn towards 0 by a ridge.

    Reweighted least squares: beyond the knee an error counts by its size and not its square.

    Args:
        columns: shape (rows, columns).
        target: one a row.
        weights: one a row, positive.
        knee_of: from the errors of plain least squares to where the loss stops being square.
    """
    size = columns.shape[1]
    if not len(columns):
        return np.zeros(size)
    ridge = _RIDGE * weights.sum() * np.eye(size)
    pull, solution, knee = weights, np.zeros(size), 0.0
    for iteration in range(_ITERATIONS):
        pulled = columns * pull[:, None]
        matrix = np.einsum("ni,nj->ij", pulled, columns) + ridge
        solution = np.linalg.solve(matrix, np.einsum("ni,n->i", pulled, target))
        error = target - _dot(columns, solution)
        if iteration == 0:
            knee = max(knee_of(error), 1e-9)
        pull = weights * np.minimum(1.0, knee / np.maximum(np.abs(error), 1e-9))
    return np.asarray(np.round(solution, _ROUND_COEFFICIENTS))


def _dot(columns: FloatArray, coefficients: FloatArray) -> FloatArray:
    return np.asarray(np.einsum("ij,j->i", columns, coefficients))


def _grow(
    features: FeatureArray, target: FloatArray, weights: FloatArray, quantile: float | None
) -> Any:
    """Trees for one quantile, or for the mean; None where there are too few rows."""
    import lightgbm

    if len(target) < 2 * _TREES["min_data_in_leaf"]:
        return None
    goal: dict[str, Any] = {"objective": "l2"}
    if quantile is not None:
        goal = {"objective": "quantile", "alpha": min(max(quantile, _SELDOM), 1 - _SELDOM)}
    data = lightgbm.Dataset(features, target, weight=weights, free_raw_data=True)
    return lightgbm.train({**_TREES, **goal}, data, _ROUNDS)


def _predict(trees: Any, features: FeatureArray) -> FloatArray:
    if trees is None:
        return np.zeros(len(features))
    return np.asarray(trees.predict(features, num_threads=1), dtype=np.float64)
