"""``python -m tests.faults``: the long crash test, with a table and a JSON document of what it did.

Here belongs the command line. The bounded form is ``test_killed``, in ``make test``.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections import Counter
from dataclasses import asdict
from pathlib import Path

from tests.faults.crash import KINDS, Tally, crash_test


def main() -> int:
    words = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    words.add_argument("--kills", type=int, default=240)
    words.add_argument("--lives", type=int, default=5, help="data folders to spread them over")
    words.add_argument("--seed", type=int, default=1, help="same seed, same instants")
    words.add_argument("--data", type=Path, help="a new folder to work in; default: one of /tmp's")
    words.add_argument("--json", type=Path, help="a file to write the counts to")
    chosen = words.parse_args()
    started = time.perf_counter()
    if chosen.data is not None:
        chosen.data.mkdir(parents=True)
        return _test(chosen, chosen.data.resolve(), started)
    with tempfile.TemporaryDirectory(prefix="fbacap-faults-") as folder:
        return _test(chosen, Path(folder).resolve(), started)


def _test(chosen: argparse.Namespace, root: Path, started: float) -> int:
    tally = Tally()
    for tally in crash_test(root, chosen.kills, chosen.seed, chosen.lives):
        done = sum(tally.kills.values())
        seconds = time.perf_counter() - started
        print(f"{tally.lives} of {chosen.lives} lives, {done} kills, {seconds:.0f} s",
              file=sys.stderr)  # fmt: skip
    print(_table(tally))
    for fault in tally.faults:
        print(f"FAULT: {fault}")
    if chosen.json is not None:
        document = asdict(tally)
        document["kills"] = _listed(tally.kills, "kind")
        document["left"] = _listed(tally.left, "left")
        document["seconds"] = round(time.perf_counter() - started)
        chosen.json.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
    return 1 if tally.faults else 0


def _listed(counts: Counter[tuple[str, str]], name: str) -> list[dict[str, object]]:
    return [{"phase": phase, name: each, "kills": count} for (phase, each), count in counts.items()]


def _table(tally: Tally) -> str:
    """Kills by phase: at which kind of instant, and what they left; then what else was counted."""
    outcomes = ("nothing new", "whole", "torn")
    columns = [(tally.kills, kind) for kind in KINDS.values()]
    columns += [(tally.left, outcome) for outcome in outcomes]
    phases = list(dict.fromkeys(phase for phase, _ in tally.kills))
    rows = [["killed during", *(name for _, name in columns), "all"]]
    for phase in phases:
        counts = [counter[phase, name] for counter, name in columns]
        rows.append([phase, *map(str, counts), str(sum(counts[: len(KINDS)]))])
    sums = [sum(counter[phase, name] for phase in phases) for counter, name in columns]
    rows.append(["all", *map(str, sums), str(sum(sums[: len(KINDS)]))])
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = [
        "  ".join(
            text.ljust(width) if number == 0 else text.rjust(width)
            for number, (text, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in rows
    ]
    done = ", ".join(f"{stage} {at} of {known}" for stage, (at, known) in tally.boundaries.items())
    ended = f"{tally.ended_before} ended before their instant came"
    return "\n".join(
        [*lines, f"step boundaries: {done}",
         f"{tally.lives} lives, {ended}, {len(tally.faults)} faults"]
    )  # fmt: skip


if __name__ == "__main__":
    sys.exit(main())
