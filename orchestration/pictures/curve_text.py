"""A demand curve as text for a terminal.

Here belongs laying out a ``Curve`` in words and columns; reading it is in ``curve_data``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fbacap_logic.sentences import cubic_feet, money, percent_filled
from orchestration.pictures.curve_data import Curve, Step

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

_BAR_WIDTH = 15  # leaves room for the figures on a terminal of 80 columns


def title(curve: Curve) -> str:
    """What the curve is of."""
    return (
        f"{curve.marketplace_id} {curve.storage_type}, {curve.quarter} round {curve.round}: "
        "demand against supply"
    )


def fee_text(curve: Curve, fee_minor_per_ft3: int) -> str:
    """A fee with its currency, where that is known."""
    amount = money(fee_minor_per_ft3, curve.minor_unit_digits)
    return f"{amount} {curve.currency}" if curve.currency else amount


def headline(curve: Curve) -> str:
    """The round's figures in one sentence, whole volumes first."""
    parts = [
        f"supply {cubic_feet(curve.supply_milli_ft3)}",
        f"demanded {cubic_feet(curve.demanded_milli_ft3)}",
        f"granted {cubic_feet(curve.granted_milli_ft3)}",
        f"unsold {cubic_feet(curve.unsold_milli_ft3)}",
    ]
    if curve.cover_ratio_bp is not None:
        parts.append(f"cover ratio {money(curve.cover_ratio_bp, 4)}")
    if curve.clearing_fee_minor_per_ft3 is None:
        parts.append("no clearing fee, for nothing was granted")
    else:
        parts.append(f"clearing fee {fee_text(curve, curve.clearing_fee_minor_per_ft3)} per ft3")
    if curve.marginal_fill_bp is not None:
        parts.append(f"marginal requests {percent_filled(curve.marginal_fill_bp, 10_000)} filled")
    return ", ".join(parts)


def print_curve(console: Console, curve: Curve) -> None:
    """Print title, figures and steps."""
    from rich.text import Text

    console.print(Text(title(curve), style="bold"))
    console.print(Text(headline(curve)))
    if not curve.steps:
        console.print(Text(curve.why_no_steps))
        return
    console.print(_table(curve))
    console.print(
        Text(
            "every fee by itself: shows single sellers, not for publication"
            if curve.is_exact
            else "neighbouring fees together, three sellers or more in each cell"
        )
    )


def _table(curve: Curve) -> Table:
    from rich.box import SIMPLE
    from rich.table import Table
    from rich.text import Text

    table = Table(box=SIMPLE)
    for name in ("max fee" if curve.is_exact else "from fee", "sellers", "ft3", "cumulative"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("█ within supply ░ beyond")
    above: int | None = None
    for step in curve.steps:
        table.add_row(
            Text(money(step.from_fee_minor_per_ft3, curve.minor_unit_digits)),
            str(step.sellers),
            _volume(step.demanded_milli_ft3),
            _volume(step.cumulative_demanded_milli_ft3),
            Text(_bar(curve, step) + _mark(curve, step, above)),
        )
        above = step.from_fee_minor_per_ft3
    return table


def _bar(curve: Curve, step: Step) -> str:
    """Demand at this fee or above, on the scale of the larger of demand and supply."""
    whole = max(curve.demanded_milli_ft3, curve.supply_milli_ft3)
    reached = step.cumulative_demanded_milli_ft3 * _BAR_WIDTH // whole
    within = min(reached, curve.supply_milli_ft3 * _BAR_WIDTH // whole)
    return "█" * within + "░" * (reached - within)


def _mark(curve: Curve, step: Step, above_minor_per_ft3: int | None) -> str:
    fee = curve.clearing_fee_minor_per_ft3
    is_here = (
        fee is not None
        and step.from_fee_minor_per_ft3 <= fee
        and (above_minor_per_ft3 is None or fee < above_minor_per_ft3)
    )
    return " ← clearing fee" if is_here else ""


def _volume(volume_milli_ft3: int) -> str:
    return money(volume_milli_ft3, 3)
