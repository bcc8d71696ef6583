"""``python -m benchmarks``: measure, and print Markdown tables."""

from __future__ import annotations

import argparse

from benchmarks import clearing, quarter
from benchmarks.machine import describe


def main() -> None:
    options = _options()
    print(describe())
    if options.only != "clearing":
        _print_quarter(options.sellers)
    if options.only != "quarter":
        _print_clearing((*clearing.SIZES, *((clearing.LARGE,) if options.large else ())))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--large", action="store_true", help="also a book of 10^7 (some 3 GiB)")
    parser.add_argument("--only", choices=("clearing", "quarter"), help="one of the two parts")
    parser.add_argument("--sellers", type=int, default=50, help="of the generated marketplace")
    return parser.parse_args()


def _print_quarter(sellers: int) -> None:
    print(f"\n## A quarter of {sellers} sellers\n")
    runs = list(quarter.measure(sellers))
    first = runs[0]
    print(f"{first.stage_runs} stage runs over {first.order_lines:,} order lines.\n")
    _print_table(
        ("wall seconds", "first run of the process", "second run"),
        [
            ("the six stages", *(run.stage_seconds for run in runs)),
            *(
                (part, *(run.part_seconds.get(part, 0.0) for run in runs))
                for part in first.part_seconds
            ),
            ("all else: imports, Dagster, invariants", *(run.other_seconds for run in runs)),
            ("**whole run**", *(run.seconds for run in runs)),
            ("processor seconds of the whole run", *(run.cpu_seconds for run in runs)),
            ("**whole ÷ (stages + dbt)**", *(run.ratio for run in runs)),
            ("peak memory, MiB", *(f"{run.peak_mib:.0f}" for run in runs)),
        ],
    )


def _print_clearing(sizes: tuple[int, ...]) -> None:
    print("\n## Clearing one book\n")
    measured = list(clearing.measure(sizes))
    _print_table(
        (
            "requests",
            "book",
            "tie rule",
            "clear, ms",
            "argsort, ms",
            "clear ÷ argsort",
            "peak memory, MiB",
        ),
        [
            (
                f"{row.rows:,}",
                row.book,
                row.tie_rule,
                1000 * row.clear_seconds,
                1000 * row.sort_seconds,
                row.ratio,
                f"{row.peak_mib:.0f}",
            )
            for row in measured
        ],
    )
    print("\n## Growth of a clear from 1× to 10×\n")
    _print_table(
        ("requests", "book", "tie rule", "clear", "argsort"),
        [
            (
                f"{small.rows:,} → {large.rows:,}",
                small.book,
                small.tie_rule,
                f"{large.clear_seconds / small.clear_seconds:.1f}×",
                f"{large.sort_seconds / small.sort_seconds:.1f}×",
            )
            for small, large in clearing.growth(measured)
        ],
    )


def _print_table(heads: tuple[str, ...], rows: list[tuple]) -> None:
    print(f"| {' | '.join(heads)} |")
    print(f"|{'---|' * len(heads)}")
    for row in rows:
        cells = (f"{cell:.2f}" if isinstance(cell, float) else str(cell) for cell in row)
        print(f"| {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
