"""How sellers are spread: base allocations by size, performance scores by hundreds.

Here belong counts of sellers in classes; no single seller can be read off them but by their number.
"""

from __future__ import annotations

from orchestration.report.charts import short_volume, spread_chart
from orchestration.report.document import (
    Block,
    Charts,
    Column,
    Figure,
    Folded,
    Prose,
    Section,
    Table,
)
from orchestration.report.queries import EDGES_FT3
from orchestration.report.reading import Reading

_SCORES = tuple(range(0, 1_000, 100))


def spread_section(reading: Reading) -> Section:
    """A chart a market of allocations and of scores, and both as tables."""
    if not reading.rows["markets"]:
        return Section("Allocations and scores", (Prose("No base allocation is published."),))
    sizes = tuple(edge * 1_000 for edge in EDGES_FT3)
    return Section(
        "Allocations and scores",
        (
            *_spread(
                reading, "allocations", "from_milli_ft3", sizes,
                "Base allocations by size: sellers in each class (across: from ft³)",
                "base allocations by size", "sellers",
            ),
            *_spread(
                reading, "scores", "from_score", _SCORES,
                "Performance scores, individual accounts left out: sellers in each class "
                "(across: from score)",
                "performance scores", "sellers",
            ),
        ),
    )  # fmt: skip


def _spread(
    reading: Reading,
    query: str,
    column: str,
    classes: tuple[int, ...],
    caption: str,
    title: str,
    of_what: str,
) -> tuple[Block, ...]:
    names = [str(edge) if query == "scores" else short_volume(edge) for edge in classes]
    named = range(0, len(classes) - 2, 2 if query == "scores" else 3)
    pictures, rows = [], []
    for market in reading.markets:
        held = {int(row[column]): int(row["sellers"]) for row in reading.of(query, market)}
        place = reading.name(market)
        bars = [(name, held.get(edge, 0)) for name, edge in zip(names, classes, strict=True)]
        heading = place[:1].upper() + place[1:]
        pictures.append(spread_chart(heading, f"{place}, {title}", bars, of_what, named))
        rows.append((place, *(f"{number:,}" for _, number in bars)))
    columns = (Column("Market", "text"), *(Column(f"from {name}") for name in names))
    table = Figure(Table(f"As a table: {title}", columns, tuple(rows)), query)
    return (
        Charts(caption, tuple(pictures), source=query),
        Folded(f"{title[:1].upper()}{title[1:]} as a table", (table,)),
    )
