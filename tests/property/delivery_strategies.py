"""Random deliveries of order lines: good rows, bad ones, repeated and restated keys, in any split.

Here belong the rows and what must become of them, worked out row by row; taking them in is for the
test.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from hypothesis import strategies as st

HEADER = "order_line_id,marketplace_id,seller_id,sku,ordered_at,units,revenue\n"
# The last is what a loosened contract lets pass: see ``test_quarantine_properties``.
BAD_UNITS = ("", "x", "1.0", "-1", "99999999999999999999", "0")


@dataclass(frozen=True)
class Line:
    """A row. ``units``: as text; ``order_line_id`` is the key."""

    order_line_id: str
    units: str

    @property
    def is_good(self) -> bool:
        return self.units not in BAD_UNITS and self.order_line_id != ""


# Most rows are good, so that most deliveries are taken in; keys are few, so that many come again.
lines = st.builds(
    Line,
    order_line_id=st.sampled_from([*(f"k{number}" for number in range(24)), "=g", ""]),
    units=st.sampled_from([*("1", "2", "3") * 6, *BAD_UNITS, "0"]),
)
files = st.lists(lines, min_size=3, max_size=12)
deliveries = st.lists(st.lists(files, min_size=1, max_size=3), min_size=1, max_size=3)


@dataclass
class Expected:
    """What must have become of every row of the deliveries that were not refused."""

    accepted: list[tuple[str, str, str]] = field(default_factory=list)
    quarantined: int = 0
    received: int = 0


def write(folder: Path, number: int, contents: list[list[Line]]) -> Path:
    """A delivery's folder; the sku makes every file's bytes its own."""
    source = folder / f"delivery-{number}"
    (source / "order_lines").mkdir(parents=True)
    for place, rows in enumerate(contents):
        text = "".join(
            f"{row.order_line_id},US,s1,{sku(number, place)},2026-07-01T10:00:00Z,{row.units},1\n"
            for row in rows
        )
        (source / "order_lines" / f"{place}.csv").write_text(HEADER + text)
    return source


def sku(number: int, place: int) -> str:
    """The sku of a file's rows."""
    return f"{number}/{place}"


def good_rows(contents: list[list[Line]]) -> list[list[Line]] | None:
    """The rows of a delivery that are taken in, by file; None when it is refused."""
    seen: set[str] = set()
    accepted = []
    for rows in contents:
        mine = []
        for row in rows:
            if row.is_good and row.order_line_id not in seen:
                seen.add(row.order_line_id)
                mine.append(row)
        if 2 * len(mine) < len(rows):  # files this small may be half bad
            return None
        accepted.append(mine)
    return accepted
