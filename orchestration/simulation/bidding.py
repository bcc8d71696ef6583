"""What extra space is worth to a seller who does not know its sales yet (rules §§3, 7).

Here belongs the fee at which a seller neither gains nor loses by reserving space, given what it
believes about the sales that the space would make. Who asks for how much, and when, is
``requests``; what the market does with the bids is ``fbacap_logic``.

Fees here are real numbers: they are beliefs of simulated sellers, not money. They become money when
``whole_minor`` cuts them to the minor units that a request may name (rules §0).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import ndtr

Float64Array = npt.NDArray[np.float64]
Int64Array = npt.NDArray[np.int64]

CREDIT_RATE = 0.15
"""What a seller gets back of the sales that its extra space makes, up to its fee (rules §7)."""

_HALVINGS = 60  # halves an interval of width 1 to below the spacing of doubles around it


def break_even_fee(
    sales_per_ft3_mean: npt.ArrayLike,
    sales_per_ft3_log_sd: npt.ArrayLike,
    margin: npt.ArrayLike,
    credit_rate: npt.ArrayLike = CREDIT_RATE,
) -> Float64Array:
    """The fee b at which reserving a cubic foot is worth nothing on average (rules §7).

    The space makes sales of S per cubic foot, on which the seller earns ``margin × S``. It pays its
    fee less its credit, ``max(0, b − credit_rate × S)``. The break-even fee solves

        E[margin × S] = E[max(0, b − credit_rate × S)]        (S lognormal)

    With y = b / (credit_rate × E[S]) and s the standard deviation of ln S, the right-hand side is
    the price of a put option, and the equation becomes

        y Φ(ln y / s + s / 2) − Φ(ln y / s − s / 2) = margin / credit_rate

    whose left-hand side never falls, never passes y and never lies below y − 1. So the root lies
    between margin / credit_rate and one more than that, and is found there by bisection.

    Args:
        sales_per_ft3_mean: E[S], not negative, in any unit of money.
        sales_per_ft3_log_sd: standard deviation of ln S, not negative; 0 means S is certain.
        margin: share of sales that the seller keeps before the fee, not negative; at 0 extra sales
            are worth nothing and so is the space: the fee is 0.
        credit_rate: share of sales credited against the fee, not negative.

    Returns:
        The fee in the unit of ``sales_per_ft3_mean``, of the arguments' common shape.

    Raises:
        ValueError: an argument is negative or not a number.

    >>> break_even_fee([1000.0], [0.0], [0.30], 0.15).round(6)  # certain: (margin + rate) × S
    array([450.])
    >>> bool(break_even_fee([1000.0], [0.5], [0.30], 0.15)[0] < 450)  # a doubtful credit is less
    True
    """
    mean, log_sd, margin_share, rate = np.broadcast_arrays(
        *(
            _not_negative(name, values)
            for name, values in (
                ("sales_per_ft3_mean", sales_per_ft3_mean),
                ("sales_per_ft3_log_sd", sales_per_ft3_log_sd),
                ("margin", margin),
                ("credit_rate", credit_rate),
            )
        )
    )
    has_credit = rate > 0
    gain = np.divide(margin_share, rate, out=np.zeros(mean.shape), where=has_credit)
    low, high = gain.copy(), gain + 1.0
    for _ in range(_HALVINGS):
        middle = 0.5 * (low + high)
        too_low = _expected_payment(middle, log_sd) < gain
        low, high = np.where(too_low, middle, low), np.where(too_low, high, middle)
    with_credit = 0.5 * (low + high) * rate * mean
    fee = np.where(has_credit, with_credit, margin_share * mean)
    return np.where(margin_share > 0, fee, 0.0)


def whole_minor(fee_minor: Float64Array) -> Int64Array:
    """Cut fees to whole minor units, downwards: nobody bids above break-even (rules §0).

    >>> whole_minor(np.array([212.9, 0.4]))
    array([212,   0])
    """
    return np.floor(fee_minor).astype(np.int64)


def _expected_payment(fee_ratio: Float64Array, log_sd: Float64Array) -> Float64Array:
    """E[max(0, y − X)] for lognormal X of mean 1 and the given log sd; max(0, y − 1) at sd 0."""
    certain = np.maximum(fee_ratio - 1.0, 0.0)
    # Where the sd is so small that dividing by it could overflow, X is as good as certain.
    is_doubtful = (log_sd > 1e-9) & (fee_ratio > 0)
    spread = np.where(is_doubtful, log_sd, 1.0)
    distance = np.log(np.where(is_doubtful, fee_ratio, 1.0)) / spread
    put = fee_ratio * ndtr(distance + 0.5 * spread) - ndtr(distance - 0.5 * spread)
    return np.where(is_doubtful, put, certain)


def _not_negative(name: str, values: npt.ArrayLike) -> npt.NDArray[Any]:
    array = np.asarray(values, dtype=np.float64)
    if not np.all(array >= 0):  # false for NaN too
        raise ValueError(f"{name} must be zero or more wherever a break-even fee is asked for")
    return array
