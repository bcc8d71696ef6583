"""A backtest as a picture: error, bias and coverage by quarter, error by size of seller.

Here belongs drawing the rows that ``orchestration.backtest.summarise`` gives.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from orchestration.backtest import EVERY
from orchestration.pictures.canvas import (
    BLACK,
    BLUE,
    GREEN,
    ORANGE,
    PURPLE,
    SKY,
    VERMILION,
    new_figure,
    picture_bytes,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_LINES = {
    "p50": (BLUE, "forecast, p50"),
    "mean": (SKY, "forecast, mean"),
    "mean_13_weeks": (VERMILION, "mean of 13 weeks"),
    "mean_8_weeks": (ORANGE, "mean of 8 weeks"),
    "mean_4_weeks": (GREEN, "mean of 4 weeks"),
    "mean_13_and_4_weeks": (PURPLE, "average of 13 and 4 weeks"),
}


def draw_backtest(rows: pd.DataFrame, file_format: str) -> bytes:
    """Four panels, in one of ``canvas.FORMATS``.

    Args:
        rows: what ``summarise`` gives of each quarter, and of all together as quarter ``all``.
        file_format: png or svg.
    """
    whole = rows[(rows["market"] == EVERY) & (rows["size_decile"] == EVERY)]
    by_quarter = whole[whole["quarter"] != EVERY]
    with new_figure(10, 7) as figure:
        (error, bias), (covered, by_size) = figure.subplots(2, 2)
        _by_quarter(error, by_quarter, "wape", "error (WAPE)")
        _by_quarter(bias, by_quarter, "bias", "bias")
        bias.axhline(0, color=BLACK, linewidth=0.8)
        _coverage(covered, by_quarter)
        _by_size(by_size, rows)
        handles, labels = error.get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower center", ncols=3, fontsize=9)
        figure.suptitle("How well announcements foretold what sellers shipped", fontsize=12)
        return picture_bytes(figure, file_format)


def _by_quarter(axes: Axes, rows: pd.DataFrame, measure: str, title: str) -> None:
    for method, (colour, label) in _LINES.items():
        mine = rows[rows["method"] == method]
        is_ours = method in ("p50", "mean")
        axes.plot(
            mine["quarter"].tolist(),
            mine[measure].tolist(),
            color=colour,
            label=label,
            marker="o",
            linewidth=2.4 if is_ours else 1.2,
            linestyle="-" if is_ours else "--",
        )
    _finish(axes, title)


def _coverage(axes: Axes, rows: pd.DataFrame) -> None:
    for method, share, colour in (("p10", 0.1, ORANGE), ("p50", 0.5, BLUE), ("p90", 0.9, GREEN)):
        mine = rows[rows["method"] == method]
        axes.plot(mine["quarter"].tolist(), mine["covered"].tolist(), color=colour, marker="o")
        axes.axhline(share, color=colour, linewidth=0.8, linestyle=":")
        axes.annotate(method, (0, share), xytext=(-4, 3), textcoords="offset points", color=colour)
    axes.set_ylim(0, 1)
    _finish(axes, "share of sellers with demand that shipped no more")


def _by_size(axes: Axes, rows: pd.DataFrame) -> None:
    pooled = rows[(rows["quarter"] == EVERY) & (rows["size_decile"] != EVERY)]
    mine = pooled[pooled["method"] == "p50"]
    axes.bar(mine["size_decile"].tolist(), mine["wape"].tolist(), color=BLUE)
    axes.set_xlabel("tenth of sellers by what they shipped before, 1 the least")
    _finish(axes, "error of p50 by size of seller, all quarters")


def _finish(axes: Axes, title: str) -> None:
    axes.set_title(title, fontsize=10)
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(labelsize=8)
