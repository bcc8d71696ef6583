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

from tests.faults.crash import Tally, crash_test
from tests.faults.record import kills_table


def main() -> int:
    words = argparse.ArgumentParser(
        prog="python -m tests.faults", description="Kill real runs, and see what is left."
    )
    words.add_argument("--kills", type=int, default=120, help="beside those at step boundaries")
    words.add_argument(
        "--first-boundary", type=int, default=1, help="of each stage, where a test before left off"
    )
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
    for tally in crash_test(root, chosen.kills, chosen.seed, chosen.lives, chosen.first_boundary):
        done = sum(tally.kills.values())
        seconds = time.perf_counter() - started
        print(f"{tally.lives} of {chosen.lives} lives, {done} kills, {seconds:.0f} s",
              file=sys.stderr)  # fmt: skip
    document = asdict(tally)
    document["kills"] = _listed(tally.kills, "kind")
    document["left"] = _listed(tally.left, "left")
    document["seconds"] = round(time.perf_counter() - started)
    print(kills_table(document))
    for fault in tally.faults:
        print(f"FAULT: {fault}")
    if chosen.json is not None:
        chosen.json.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
    return 1 if tally.faults else 0


def _listed(counts: Counter[tuple[str, str]], name: str) -> list[dict[str, object]]:
    return [{"phase": phase, name: each, "kills": count} for (phase, each), count in counts.items()]


if __name__ == "__main__":
    sys.exit(main())
