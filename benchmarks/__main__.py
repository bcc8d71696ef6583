"""``python -m benchmarks``: measure, and print Markdown tables."""

from __future__ import annotations

import argparse

from benchmarks import quarter
from benchmarks.backfill import print_backfill
from benchmarks.clearing_report import print_clearing
from benchmarks.forecast import print_forecast
from benchmarks.machine import describe
from benchmarks.tables import print_table


def main() -> None:
    options = _options()
    print(describe())
    if options.only in (None, "quarter"):
        _print_quarter(options.sellers)
    if options.only in (None, "backfill"):
        print_backfill(sellers=30, quarters=24 if options.large else 3)
    if options.only in (None, "clearing"):
        print_clearing(large=options.large)
    if options.only in (None, "forecast"):
        print_forecast(large=options.large)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "--large", action="store_true", help="also the largest sizes: a book of 10^7, 10^6 sellers"
    )
    parser.add_argument(
        "--only", choices=("backfill", "clearing", "quarter", "forecast"), help="one part"
    )
    parser.add_argument("--sellers", type=int, default=50, help="of the generated marketplace")
    return parser.parse_args()


def _print_quarter(sellers: int) -> None:
    print(f"\n## A quarter of {sellers} sellers\n")
    runs = list(quarter.measure(sellers))
    first = runs[0]
    print(f"{first.stage_runs} stage runs over {first.order_lines:,} order lines.\n")
    print_table(
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


if __name__ == "__main__":
    main()
