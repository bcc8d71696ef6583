"""An evaluation as a picture: PNG, the same bytes each time.

Here belongs drawing what ``measure`` found; nothing is computed but the places of bars and dots.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from orchestration.evaluation.conduct import HONEST
from orchestration.evaluation.measure import METHODS
from orchestration.pictures.canvas import BLACK, BLUE, GREEN, ORANGE, new_figure, picture_bytes

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_COLOURS = {"usage_layer": BLUE, "capacity_share": ORANGE, "forecast_uplift": GREEN}
_TRUTH = BLACK
_MARKS = {"usage_layer": "o", "capacity_share": "s", "forecast_uplift": "^"}
_BAR = 0.26
_TOP_PERCENT = 100


def draw(measured: pd.DataFrame) -> bytes:
    """Credited and true sales by seller size, by fullness, and credit by scenario, as PNG."""
    scenarios = list(dict.fromkeys(measured["scenario"]))
    shown = HONEST if HONEST in scenarios else scenarios[0]
    with new_figure(12, 4.6, font_size=9) as figure:
        by_size, by_fullness, by_scenario = figure.subplots(1, 3, width_ratios=(1.2, 1, 1.2))
        _shares(by_size, _rows(measured, shown, "size_decile"))
        by_size.set(xlabel="decile of winners by net sales", title=f"by size ({shown})")
        by_size.set_ylabel("share of net sales, %")
        by_size.legend(loc="upper right", frameon=True, framealpha=0.9, fontsize=8)
        _shares(by_fullness, _rows(measured, shown, "fullness"))
        by_fullness.set(xlabel="space in use while extra was held", title=f"by fullness ({shown})")
        for axes in (by_size, by_fullness):
            axes.set_ylim(0, _TOP_PERCENT)  # small groups may have made more than they sold
        _scenarios(by_scenario, measured, scenarios)
        return picture_bytes(figure, "png")


def _rows(measured: pd.DataFrame, scenario: str, split: str) -> pd.DataFrame:
    return measured[(measured["scenario"] == scenario) & (measured["split"] == split)]


def _shares(axes: Axes, rows: pd.DataFrame) -> None:
    """Credited sales of each group by method, and the true ones, in percent of net sales."""
    rows = rows[rows["net_sales"] > 0]
    for method in METHODS:
        mine = rows[rows["method"] == method]
        share = 100 * mine["credited_sales"] / mine["net_sales"]
        axes.plot(
            mine["group"].tolist(), share.tolist(), marker=_MARKS[method], color=_COLOURS[method],
            label=method.replace("_", " "),
        )  # fmt: skip
    truth = rows[rows["method"] == METHODS[0]]
    for column, style, label in (
        ("true_sales", "-", "truth, within the quarter"),
        ("true_sales_with_later", ":", "truth, with the quarter after"),
    ):
        share = 100 * truth[column] / truth["net_sales"]
        axes.plot(truth["group"].tolist(), share.tolist(), style, color=_TRUTH, label=label)
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(axis="x", labelsize=8)


def _scenarios(axes: Axes, measured: pd.DataFrame, scenarios: list[str]) -> None:
    """What those who game are credited with, in percent of what they were when honest."""
    rows = measured[(measured["split"] == "conduct") & (measured["group"] == "gaming half")]
    credited = rows.pivot_table(index="scenario", columns="method", values="credited_sales")
    first, others = credited.loc[scenarios[0]], scenarios[1:] or scenarios
    for place, method in enumerate(METHODS):
        change = 100 * (credited.loc[others, method] / max(first[method], 1) - 1)
        at = [number + (place - 1) * _BAR for number in range(len(others))]
        bars = axes.bar(at, change.tolist(), width=_BAR, color=_COLOURS[method])
        axes.bar_label(bars, fmt="%+.1f", fontsize=7)
    axes.axhline(0, color=_TRUTH, linewidth=0.8)
    axes.set_xticks(range(len(others)), others, fontsize=8)
    axes.set(title="what gaming adds to credited sales", ylabel=f"% above {scenarios[0]}")
    axes.spines[["top", "right"]].set_visible(False)
