"""What a performance score is made of, and what would raise it most (rules §2.3).

Here belongs taking a score apart, component by component, so that a seller can read it. How values
become points and points a score is ``score``.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from fbacap_logic.frames import SELLER_MARKET_KEY, BoolArray, integers, nullable, nullable_integers
from fbacap_logic.policy import BaseAllocationPolicy
from fbacap_logic.score import COLUMNS_OF_COMPONENT
from fbacap_logic.units import Int64Array, largest_remainder, ratio_half_even

SCORE_COMPONENT_COLUMNS = (
    *SELLER_MARKET_KEY,
    "component",
    "value_bp",
    "points",
    "weight_bp",
    "score_part",
    "score_gain",
    "raises_most",
)
_TABLE = "base_allocations"


def score_components(allocations: pd.DataFrame, policy: BaseAllocationPolicy) -> pd.DataFrame:
    """A row for each seller market and component of the policy (rules §2.3).

    ``score_part`` is what the component adds to the score: the parts of a seller market sum to its
    score (largest remainder, ties in the policy's order of components). ``score_gain`` is how far
    the score would rise if this component alone had the most points that its breakpoints give.
    A component without evidence has neither value nor points and no weight; it adds nothing. A
    seller market without evidence of any kind has the policy's score and no parts.

    Args:
        allocations: SELLER_MARKET_KEY, the components' values and points as
            ``score.performance_scores`` gives them, and score.
        policy: components with their weights and breakpoints.

    Returns:
        ``SCORE_COMPONENT_COLUMNS``, sorted by SELLER_MARKET_KEY as ``allocations`` is, then in the
        policy's order of components: value_bp, points (0–1000, nullable), weight_bp (basis points),
        score_part and score_gain (points of score), raises_most (the one component, at most, that
        would gain most; the first of equals).

    Raises:
        ValueError: a column is missing, not whole numbers, or a score is null.
    """
    score = integers(allocations, "score", _TABLE)
    components = policy.components
    columns = [COLUMNS_OF_COMPONENT[component.name] for component in components]
    rows, kinds = len(allocations), len(components)
    points, missing = _matrix(allocations, [column for _, column in columns])
    weights = np.array([component.weight_bp for component in components], dtype=np.int64)
    weight = np.where(missing, 0, weights)
    most = np.array(
        [max(result for _, result in component.breakpoints) for component in components],
        dtype=np.int64,
    )
    earned = weight * points
    total_weight = np.maximum(weight.sum(axis=1), 1)
    best = earned.sum(axis=1)[:, None] - earned + weight * most
    raised = ratio_half_even([best.ravel()], np.repeat(total_weight, kinds)).reshape(rows, kinds)
    gain = np.where(missing, 0, np.maximum(raised - score[:, None], 0))
    has_parts = earned.sum(axis=1) > 0
    parts = largest_remainder(
        np.where(has_parts, score, 0),
        np.repeat(np.arange(rows), kinds),
        earned.ravel(),
        np.tile(np.arange(kinds), rows),
    )
    values, no_value = _matrix(allocations, [column for column, _ in columns])
    result = allocations.loc[np.repeat(allocations.index, kinds), list(SELLER_MARKET_KEY)]
    names = np.array([component.name for component in components], dtype=object)
    leads = (np.arange(kinds) == gain.argmax(axis=1)[:, None]) & (gain > 0)
    return result.reset_index(drop=True).assign(
        component=np.tile(names, rows),
        value_bp=nullable(values.ravel(), no_value.ravel()),
        points=nullable(points.ravel(), missing.ravel()),
        weight_bp=weight.ravel(),
        score_part=parts,
        score_gain=gain.ravel(),
        raises_most=leads.ravel(),
    )[list(SCORE_COMPONENT_COLUMNS)]


def _matrix(frame: pd.DataFrame, columns: list[str]) -> tuple[Int64Array, BoolArray]:
    """Nullable columns side by side: values, 0 where null, and where they are null."""
    read = [nullable_integers(frame, column, _TABLE) for column in columns]
    values = np.column_stack([column for column, _ in read])
    return values, np.column_stack([null for _, null in read])
