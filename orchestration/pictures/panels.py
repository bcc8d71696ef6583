"""Small multiples: one panel a market, the same height, as few as stay readable.

Here belongs choosing markets and laying out panels that the pictures of metadata share.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pandas as pd

from fbacap_logic.frames import MARKET_KEY
from orchestration.pictures.canvas import new_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MOST_PANELS = 4
_PANELS_ABREAST = 2  # as wide as the UI's dialog
_LONGEST_NAME = 28

Market = tuple[str, ...]


def largest_markets(frame: pd.DataFrame, measure: str) -> list[Market]:
    """The markets with the largest sum of a column, in key order; those with nothing are left out.

    >>> frame = pd.DataFrame({"marketplace_id": ["B", "A"], "storage_type": "s", "v": [1, 2]})
    >>> largest_markets(frame, "v")
    [('A', 's'), ('B', 's')]
    """
    sums = frame.groupby(list(MARKET_KEY), sort=True)[measure].sum()
    chosen = sums[sums > 0].sort_values(ascending=False, kind="stable").head(MOST_PANELS)
    return sorted(chosen.index.tolist())


def rows_of(frame: pd.DataFrame, market: Market) -> pd.DataFrame:
    """The rows of one market."""
    chosen = frame[MARKET_KEY[0]] == market[0]
    return frame[chosen & (frame[MARKET_KEY[1]] == market[1])]


def market_name(market: Market) -> str:
    """A market's name, cut where it would not fit over its panel."""
    name = " ".join(market)
    return name if len(name) <= _LONGEST_NAME else f"{name[:_LONGEST_NAME]}…"


@contextmanager
def panels(
    markets: list[Market], draw: Callable[[Axes, Market], None], title: str
) -> Iterator[Figure]:
    """A figure with a panel for every market, drawn; save it inside the block."""
    columns = min(len(markets), _PANELS_ABREAST)
    rows = -(-len(markets) // columns)
    with new_figure(4.1 * columns, 2.6 * rows + 0.8, font_size=8) as figure:
        for place, market in enumerate(markets, start=1):
            axes = figure.add_subplot(rows, columns, place)
            draw(axes, market)
            axes.set_title(market_name(market), fontsize=9)
            axes.spines[["top", "right"]].set_visible(False)
        handles, labels = figure.axes[0].get_legend_handles_labels()
        if handles:
            figure.legend(handles, labels, loc="outside lower center", ncols=4, fontsize=8)
        figure.suptitle(title, fontsize=10)
        yield figure
