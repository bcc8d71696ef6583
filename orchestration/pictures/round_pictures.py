"""Rounds as pictures for the run's metadata: demand against supply, and the path of fees.

Here belongs drawing computed frames for operator and auditor: every max fee by itself, so not for
publication (published curves are ``curve_picture``). Fees are in minor units, as the tables are.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from fbacap_logic.frames import MARKET_KEY
from orchestration.pictures.canvas import BLACK, BLUE, GREEN, SKY, VERMILION, picture_bytes
from orchestration.pictures.panels import Market, largest_markets, panels, rows_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_MILLI = 1_000
_FEE = "max_fee_minor_per_ft3"
_CLEARING_FEE = "clearing_fee_minor_per_ft3"
_DRAWN_FEES = 400


def draw_demand_and_supply(grants: pd.DataFrame, rounds: pd.DataFrame) -> bytes | None:
    """Demand against supply of each market's last closed round; None where nobody asked.

    Args:
        grants: ``cleared_allocations`` of all rounds.
        rounds: ``market_rounds``.
    """
    last = rounds.groupby(list(MARKET_KEY), sort=True).tail(1)
    markets = largest_markets(last, "demanded_milli_ft3")
    if not markets:
        return None

    def draw(axes: Axes, market: Market) -> None:
        figures = rows_of(last, market).iloc[0]
        asked = rows_of(grants, market)
        asked = asked[asked["round"] == figures["round"]]
        _demand(axes, asked)
        supply = figures["supply_milli_ft3"] / _MILLI
        axes.axvline(supply, color=VERMILION, linewidth=2, label="supply")
        if not pd.isna(figures[_CLEARING_FEE]):
            fee = float(figures[_CLEARING_FEE])
            axes.axhline(fee, color=BLACK, linewidth=1, linestyle="--", label="clearing fee")
            granted = figures["granted_milli_ft3"] / _MILLI
            axes.bar(0, fee, width=granted, align="edge", color=SKY, alpha=0.35, label="granted")
        axes.set_xlim(0, 1.04 * max(supply, figures["demanded_milli_ft3"] / _MILLI))
        axes.set_ylim(0, _highest_shown(asked, figures[_CLEARING_FEE]))
        axes.set_xlabel(f"round {figures['round']}: volume, ft³")
        axes.set_ylabel("max fee, minor units per ft³")

    with panels(markets, draw, "Demand against supply in the last closed round") as figure:
        return picture_bytes(figure, "png")


def _highest_shown(asked: pd.DataFrame, clearing_fee: Any) -> float:
    """Fees far above the clearing fee are cut off, so that where demand meets it is seen."""
    highest = 1.08 * float(asked[_FEE].max())
    return highest if pd.isna(clearing_fee) else min(highest, 5.0 * float(clearing_fee))


def _demand(axes: Axes, asked: pd.DataFrame) -> None:
    """Steps from the highest max fee down, as many as can be told apart."""
    by_fee = asked.groupby(_FEE)["trimmed_milli_ft3"].sum().sort_index(ascending=False)
    by_fee = by_fee[by_fee > 0]
    reached = by_fee.cumsum().to_numpy(dtype=float) / _MILLI
    fees = by_fee.index.to_numpy(dtype=float)
    shown = np.unique(np.linspace(0, len(fees) - 1, min(len(fees), _DRAWN_FEES)).astype(int))
    axes.stairs(
        fees[shown], np.r_[0.0, reached[shown]], baseline=None, color=BLUE, linewidth=2,
        label="demand",
    )  # fmt: skip


def draw_fee_path(rounds: pd.DataFrame, fees: pd.DataFrame) -> bytes | None:
    """Clearing fees over the rounds, and what grants of each round pay in the end.

    Args:
        rounds: ``market_rounds``.
        fees: ``repriced_fees``.

    Returns:
        None where nothing was granted.
    """
    markets = largest_markets(rounds, "granted_milli_ft3")
    if not markets:
        return None
    numbers = sorted(rounds["round"].unique().tolist())

    def draw(axes: Axes, market: Market) -> None:
        mine = rows_of(rounds, market)
        cleared = mine[mine[_CLEARING_FEE].notna()]
        axes.plot(
            cleared["round"].to_numpy(dtype=float),
            cleared[_CLEARING_FEE].to_numpy(dtype=float),
            color=BLUE, marker="o", linewidth=2, label="clearing fee of the round",
        )  # fmt: skip
        final = rows_of(fees, market).groupby("round")["final_fee_minor_per_ft3"].max()
        axes.plot(
            final.index.to_numpy(dtype=float), final.to_numpy(dtype=float),
            color=GREEN, marker="s", linewidth=1.2, linestyle="--",
            label="most that a grant of the round pays in the end",
        )  # fmt: skip
        axes.set_xticks(numbers)
        axes.set_xlim(min(numbers) - 0.3, max(numbers) + 0.3)
        axes.set_ylim(bottom=0)
        axes.set_xlabel("round")
        axes.set_ylabel("fee, minor units per ft³")

    with panels(markets, draw, "Fees over the rounds: later rounds only ever lower them") as figure:
        return picture_bytes(figure, "png")
