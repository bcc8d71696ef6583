"""Pieces of SVG, the same bytes each time: scales, axes, lines, bars, words.

Here belongs drawing in whole numbers; what a chart shows is ``charts``. Every text is escaped here,
and coordinates are tenths of a unit, worked out without floats.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from markupsafe import escape

Point = tuple[int, int]


@dataclass(frozen=True)
class Scale:
    """Values from 0 to ``largest`` laid over the tenths from ``start`` to ``end``."""

    largest: int
    start: int
    end: int

    def at(self, value: int) -> int:
        """Where a value lies, in tenths.

        >>> Scale(1000, 0, 3000).at(250), Scale(1000, 2000, 0).at(1000)
        (750, 0)
        """
        return self.start + (self.end - self.start) * value // self.largest

    def ticks(self, most: int) -> tuple[int, ...]:
        """Round values from 0 on, at most ``most`` of them above it.

        >>> Scale(870, 0, 1).ticks(5), Scale(3, 0, 1).ticks(5)
        ((0, 200, 400, 600, 800), (0, 1, 2, 3))
        """
        step = round_step(self.largest, most)
        return tuple(range(0, self.largest + 1, step))


def round_step(largest: int, most: int) -> int:
    """The least of 1, 2 and 5 times a power of ten that reaches ``largest`` in ``most`` steps.

    >>> round_step(870, 5), round_step(5, 5), round_step(0, 5)
    (200, 1, 1)
    """
    power = 1
    while True:
        for factor in (1, 2, 5):
            if factor * power * most >= largest:
                return factor * power
        power *= 10


def tenths(value: int) -> str:
    """A coordinate.

    >>> tenths(1205), tenths(-3), tenths(40)
    ('120.5', '-0.3', '4')
    """
    sign = "-" if value < 0 else ""
    whole, part = divmod(abs(value), 10)
    return f"{sign}{whole}.{part}" if part else f"{sign}{whole}"


def line(name: str, start: Point, end: Point) -> str:
    """A straight line of a class."""
    (x1, y1), (x2, y2) = start, end
    return (
        f'<line class="{name}" x1="{tenths(x1)}" y1="{tenths(y1)}" '
        f'x2="{tenths(x2)}" y2="{tenths(y2)}"/>'
    )


def path(name: str, points: Sequence[Point]) -> str:
    """An open line through points."""
    steps = " ".join(f"{tenths(x)},{tenths(y)}" for x, y in points)
    return f'<polyline class="{name}" points="{steps}"/>'


def box(name: str, corner: Point, size: Point) -> str:
    """A rectangle from its upper left corner."""
    (x, y), (width, height) = corner, size
    return (
        f'<rect class="{name}" x="{tenths(x)}" y="{tenths(y)}" '
        f'width="{tenths(width)}" height="{tenths(height)}"/>'
    )


def dot(name: str, centre: Point, radius: int) -> str:
    """A circle."""
    return (
        f'<circle class="{name}" cx="{tenths(centre[0])}" cy="{tenths(centre[1])}" '
        f'r="{tenths(radius)}"/>'
    )


def words(text: str, at: Point, anchor: str = "start", name: str = "") -> str:
    """Text, escaped; ``anchor``: start, middle or end.

    >>> words("<b>", (0, 0))
    '<text x="0" y="0">&lt;b&gt;</text>'
    """
    kind = f' class="{name}"' if name else ""
    side = "" if anchor == "start" else f' text-anchor="{anchor}"'
    return f'<text{kind} x="{tenths(at[0])}" y="{tenths(at[1])}"{side}>{escape(text)}</text>'


def axes(
    across: Scale,
    up: Scale,
    across_text: Callable[[int], str] | None,
    up_text: Callable[[int], str],
) -> list[str]:
    """Grid lines with their values; without ``across_text`` only the line at the bottom."""
    drawn = []
    for value in up.ticks(4):
        y = up.at(value)
        drawn.append(line("base" if value == 0 else "grid", (across.start, y), (across.end, y)))
        drawn.append(words(up_text(value), (across.start - 45, y + 36), "end"))
    if across_text is not None:
        for value in across.ticks(3):
            x = across.at(value)
            drawn.append(line("tick", (x, up.start), (x, up.start + 40)))
            drawn.append(words(across_text(value), (x, up.start + 150), "middle"))
    return drawn
