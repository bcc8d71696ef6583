"""A demand curve as a picture: PNG or SVG, the same bytes each time.

Here belongs drawing a ``Curve``; reading it is in ``curve_data``. Drawing divides volumes and fees
into floats, which nothing else ever reads.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from orchestration.pictures.canvas import (
    BLACK,
    BLUE,
    SKY,
    VERMILION,
    new_figure,
    picture_bytes,
)
from orchestration.pictures.curve_data import Curve
from orchestration.pictures.curve_text import fee_text, title

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_DEMAND, _SUPPLY, _FEE, _GRANTED = BLUE, VERMILION, BLACK, SKY


def draw_curve(curve: Curve, file_format: str) -> bytes:
    """The picture of a curve that has steps, in one of ``canvas.FORMATS``."""
    with new_figure(8, 5) as figure:
        axes = figure.add_subplot()
        _draw_granted(axes, curve)
        _draw_demand(axes, curve)
        _draw_supply_and_fee(axes, curve)
        _label(axes, curve)
        return picture_bytes(figure, file_format)


def _volume(volume_milli_ft3: int) -> float:
    return volume_milli_ft3 / 1_000


def _fee(curve: Curve, fee_minor_per_ft3: int) -> float:
    return fee_minor_per_ft3 / 10**curve.minor_unit_digits


def _draw_demand(axes: Axes, curve: Curve) -> None:
    """Steps down from the highest fee; a cell's own span of fees lightly behind its step."""
    fees = [_fee(curve, step.from_fee_minor_per_ft3) for step in curve.steps]
    reached = [0.0, *(_volume(step.cumulative_demanded_milli_ft3) for step in curve.steps)]
    axes.stairs(fees, reached, baseline=None, color=_DEMAND, linewidth=2.2, label=_demand(curve))
    if not curve.is_exact and len(fees) > 1:
        axes.bar(
            reached[1:-1],
            [above - fee for above, fee in pairwise(fees)],
            width=[end - start for start, end in pairwise(reached[1:])],
            bottom=fees[1:],
            align="edge",
            color=_DEMAND,
            alpha=0.13,
            linewidth=0,
            label="a cell's span of max fees",
        )


def _draw_granted(axes: Axes, curve: Curve) -> None:
    if curve.clearing_fee_minor_per_ft3 is not None:
        axes.bar(
            0,
            _fee(curve, curve.clearing_fee_minor_per_ft3),
            width=_volume(curve.granted_milli_ft3),
            align="edge",
            color=_GRANTED,
            alpha=0.35,
            linewidth=0,
            label=f"granted {_volume(curve.granted_milli_ft3):,.0f} ft³",
        )


def _draw_supply_and_fee(axes: Axes, curve: Curve) -> None:
    supply = _volume(curve.supply_milli_ft3)
    axes.axvline(supply, color=_SUPPLY, linewidth=2.2, label=f"supply {supply:,.0f} ft³")
    fee = curve.clearing_fee_minor_per_ft3
    if fee is not None:
        label = f"clearing fee {fee_text(curve, fee)}"
        axes.axhline(_fee(curve, fee), color=_FEE, linewidth=1.3, linestyle="--", label=label)


def _label(axes: Axes, curve: Curve) -> None:
    kind = (
        "every max fee by itself: for the operator only"
        if curve.is_exact
        else "cells of three sellers or more; each step at the fee its cell starts from"
    )
    axes.set_title(f"{title(curve)}\n{kind}", fontsize=11)
    axes.set_xlabel("volume, ft³")
    axes.set_ylabel(f"max fee for the quarter, {curve.currency or 'currency units'} per ft³")
    furthest = _volume(max(curve.demanded_milli_ft3, curve.supply_milli_ft3))
    highest = max(curve.steps[0].from_fee_minor_per_ft3, curve.clearing_fee_minor_per_ft3 or 0)
    axes.set_xlim(0, furthest * 1.04)
    axes.set_ylim(0, _fee(curve, highest) * 1.08)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(loc="upper right", frameon=True, framealpha=0.9, fontsize=9)


def _demand(curve: Curve) -> str:
    return f"demand, {_volume(curve.demanded_milli_ft3):,.0f} ft³ in all"
