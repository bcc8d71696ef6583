"""Sellers as pictures for the run's metadata: forecast against truth, and credits against fees.

Here belongs drawing computed frames for operator and auditor. No seller is named in them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from fbacap_logic.frames import SELLER_MARKET_KEY
from orchestration.pictures.canvas import BLACK, BLUE, SKY, VERMILION, new_figure, picture_bytes
from orchestration.pictures.panels import Market, largest_markets, panels, rows_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_MILLI = 1_000
_DRAWN_SELLERS = 2_000
_TENTHS = np.linspace(0, 100, 11)


def draw_forecast_error(foretold: pd.DataFrame) -> bytes | None:
    """What sellers shipped against what was foretold, a point a seller; None without any.

    Args:
        foretold: ``facts.foretold_quarter``.
    """
    markets = largest_markets(foretold, "shipped_milli_ft3")
    if not markets:
        return None

    def draw(axes: Axes, market: Market) -> None:
        mine = rows_of(foretold, market).nlargest(_DRAWN_SELLERS, "shipped_milli_ft3")
        said = mine["demand_p50_milli_ft3"].to_numpy(dtype=float) / _MILLI
        came = mine["shipped_milli_ft3"].to_numpy(dtype=float) / _MILLI
        far = max(float(said.max()), float(came.max()), 1.0)
        axes.plot([0, far], [0, far], color=BLACK, linewidth=0.8, label="as foretold")
        axes.plot(
            said, came, "o", color=BLUE, markersize=3, alpha=0.35, markeredgewidth=0,
            label="a seller",
        )  # fmt: skip
        axes.set_xscale("symlog", linthresh=1)
        axes.set_yscale("symlog", linthresh=1)
        axes.xaxis.set_major_formatter("{x:g}")
        axes.yaxis.set_major_formatter("{x:g}")
        axes.set_xlim(0, far * 1.2)
        axes.set_ylim(0, far * 1.2)
        axes.set_xlabel("foretold (p50), ft³")
        axes.set_ylabel("shipped, ft³")

    title = "Two quarters ago: what the announcement foretold, and what was shipped"
    with panels(markets, draw, title) as figure:
        return picture_bytes(figure, "png")


def draw_credits(settled: pd.DataFrame) -> bytes | None:
    """How much of its fees each winner's credits offset, and fees by market; None without fees.

    Args:
        settled: ``settlements``.
    """
    names = ["fee_minor", "credit_minor", "net_due_minor"]
    sellers = settled.groupby(list(SELLER_MARKET_KEY), sort=True)[names].sum()
    paying = sellers[sellers["fee_minor"] > 0]
    if paying.empty:
        return None
    share = 100 * paying["credit_minor"].to_numpy(dtype=float) / paying["fee_minor"].to_numpy()
    with new_figure(8, 3.2, font_size=8) as figure:
        spread, markets = figure.subplots(1, 2)
        spread.hist(share, bins=_TENTHS, color=SKY, edgecolor=BLACK, linewidth=0.5)
        wholly = int((paying["net_due_minor"] == 0).sum())
        spread.set_title(f"{len(paying)} winners, {wholly} of them offset wholly", fontsize=9)
        spread.set_xlabel("share of the fee that the credit offsets, %")
        spread.set_ylabel("winners")
        _fees_by_market(markets, settled)
        for axes in (spread, markets):
            axes.spines[["top", "right"]].set_visible(False)
        figure.suptitle("Credits against fees", fontsize=10)
        return picture_bytes(figure, "png")


def _fees_by_market(axes: Axes, settled: pd.DataFrame) -> None:
    """Shares, not amounts: markets of several currencies stand beside each other."""
    markets = largest_markets(settled, "fee_minor")
    rows = [rows_of(settled, market)[["fee_minor", "credit_minor"]].sum() for market in markets]
    offset = [100 * float(row["credit_minor"]) / float(row["fee_minor"]) for row in rows]
    places = range(len(markets))
    axes.barh(places, offset, color=SKY, label="credit")
    left = [100 - each for each in offset]
    axes.barh(places, left, left=offset, color=VERMILION, alpha=0.7, label="net due")
    axes.set_yticks(places, [" ".join(market)[:24] for market in markets])
    axes.set_xlabel("share of the market's fees, %")
    axes.set_title("credit and net due by market", fontsize=9)
    axes.legend(fontsize=8, loc="lower left")
