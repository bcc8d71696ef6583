"""Printing what ``clearing`` measures."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from benchmarks import clearing
from benchmarks.clearing import Cleared
from benchmarks.tables import print_table

_HEADS = (
    "requests",
    "book",
    "tie rule",
    "clear, ms",
    "argsort, ms",
    "clear ÷ argsort",
    "bytes held ÷ bytes of book",
)


def print_clearing(*, large: bool) -> None:
    """Clear books of all sizes beside a sort, over many markets, and beside window functions."""
    sizes = (*clearing.SIZES, *((clearing.LARGE,) if large else ()))
    print("\n## Clearing one book\n")
    measured: list[Cleared] = []
    print_table(_HEADS, _kept(clearing.measure(sizes), measured))
    print(f"\n## Clearing {clearing.MARKETS} markets\n")
    print_table(_HEADS, map(_cells, clearing.measure_many_markets(sizes[-1])))
    print("\n## Clearing beside window functions\n")
    print_table(
        (
            "requests",
            "tie rule",
            "clear, ms",
            "DuckDB ÷ clear",
            "polars ÷ clear",
            "argsort ÷ clear",
        ),
        (
            (
                f"{row.rows:,}",
                row.tie_rule,
                1000 * row.clear_seconds,
                row.duckdb_seconds / row.clear_seconds,
                row.polars_seconds / row.clear_seconds,
                row.sort_seconds / row.clear_seconds,
            )
            for row in clearing.compare(sizes)
        ),
    )
    print("\n## Growth of a clear from 1× to 10×\n")
    print_table(("requests", "book", "tie rule", "clear", "argsort"), _growth(measured))


def _kept(rows: Iterable[Cleared], kept: list[Cleared]) -> Iterator[tuple[object, ...]]:
    for row in rows:
        kept.append(row)
        yield _cells(row)


def _cells(row: Cleared) -> tuple[object, ...]:
    return (
        f"{row.rows:,}",
        row.book,
        row.tie_rule,
        1000 * row.clear_seconds,
        1000 * row.sort_seconds,
        row.ratio,
        row.bytes_per_book_byte,
    )


def _growth(measured: Sequence[Cleared]) -> Iterator[tuple[object, ...]]:
    for small, large in clearing.growth(measured):
        yield (
            f"{small.rows:,} → {large.rows:,}",
            small.book,
            small.tie_rule,
            f"{large.clear_seconds / small.clear_seconds:.1f}×",
            f"{large.sort_seconds / small.sort_seconds:.1f}×",
        )
