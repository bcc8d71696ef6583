"""Figures that come out as the same bytes each time, in colours that everybody can tell apart.

Here belong what all pictures share; each picture has a module of its own beside this one.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FORMATS = ("png", "svg")

# Okabe and Ito's colours, told apart by people who do not see all of them.
BLUE, VERMILION, BLACK, SKY, GREEN, ORANGE, PURPLE = (
    "#0072B2", "#D55E00", "#000000", "#56B4E9", "#009E73", "#E69F00", "#CC79A7",
)  # fmt: skip
_STYLE: Any = {
    "font.family": "DejaVu Sans",  # comes with matplotlib, so letters do not depend on the machine
    "svg.hashsalt": "fbacap",
    "svg.fonttype": "path",
    "text.parse_math": False,  # a market's name is data, not a formula
}
_NOTHING_OF_TODAY = {"png": {"Software": None}, "svg": {"Date": None, "Creator": None}}


@contextmanager
def new_figure(width: float, height: float, *, font_size: int = 10) -> Iterator[Figure]:
    """A figure to draw on, in inches; draw and save it inside the block."""
    import matplotlib as mpl
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    with mpl.rc_context(_STYLE | {"font.size": font_size}):
        figure = Figure(figsize=(width, height), dpi=110, layout="constrained")
        FigureCanvasAgg(figure)
        yield figure


def picture_bytes(figure: Figure, file_format: str) -> bytes:
    """The figure as PNG or SVG, without a date."""
    written = io.BytesIO()
    figure.savefig(written, format=file_format, metadata=_NOTHING_OF_TODAY[file_format])
    return written.getvalue()
