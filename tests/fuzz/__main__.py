"""``python -m tests.fuzz``: the long form."""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from .kinds import KINDS, Name, case_named
from .oracle import Arena, Broken
from .running import Tally, plan, run, run_case

_OUTCOMES = ("taken", "apart", "unread", "nothing", "refused", "broken")
_EPILOG = """
outcomes: taken (all rows), apart (taken in with rows in quarantine), nothing (these bytes had
landed before), refused (one sentence, nothing landed), broken (a failure: exit code 1), unread
(taken: a mutated Parquet file that only the engine can read, so that nobody else counts its rows).
layers: whole cases go through orchestration.landing.receive as `fbacap ingest` does; reading cases
through the functions by which it reads and judges one file.
A case's name holds for the code that printed it: constants of the code are among what is drawn.
A case that takes more than two minutes or 6 GiB ends the run with exit code 3 and its name.

examples:
  python -m tests.fuzz --cases 100000 --seed 1
  python -m tests.fuzz --cases 100000 --seed 1 --part 1/2 --json part-1.json
  python -m tests.fuzz --case csv_times:1:0:3
"""


def main(arguments: list[str] | None = None) -> int:
    """Run the cases that the command line asks for; 0 when all that must hold held."""
    asked = _parser().parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="fbacap-fuzz-", dir=_quick_folder()) as folder:
        if asked.case:
            return _replay(Path(folder), asked.case)
        kinds = [KINDS[name] for name in asked.kind or KINDS]
        blocks = plan(asked.cases, kinds, *asked.part)
        begin = time.monotonic()

        def progress(tally: Tally) -> None:
            if sys.stderr.isatty():
                took = time.monotonic() - begin
                sys.stderr.write(
                    f"\r{tally.cases:,} cases, {len(tally.broken)} broken, {took:.0f} s "
                )
                sys.stderr.flush()

        tally = run(Path(folder), asked.seed, blocks, progress)
    sys.stderr.write("\n" if sys.stderr.isatty() else "")
    took = time.monotonic() - begin
    _print_table(tally, took)
    if asked.json:
        asked.json.write_text(json.dumps(_document(tally, asked.seed, took), indent=2) + "\n")
    return 1 if tally.broken else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tests.fuzz",
        description="Hostile deliveries against fbacap ingest: the same ones for the same seed.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--cases", type=int, default=100_000, help="about how many (100000)")
    parser.add_argument("--seed", type=int, default=1, help="other seeds, other cases (1)")
    parser.add_argument(
        "--part", type=_part, default=(1, 1), metavar="I/N", help="every Nth block from the Ith"
    )
    parser.add_argument(
        "--kind", action="append", choices=sorted(KINDS), help="only this kind; may be repeated"
    )
    parser.add_argument("--case", type=_name, metavar="ID", help="run one case again, and show it")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the counts there as well")
    return parser


def _part(text: str) -> tuple[int, int]:
    part, _, parts = text.partition("/")
    if not (part.isdigit() and parts.isdigit() and 1 <= int(part) <= int(parts)):
        raise argparse.ArgumentTypeError(f"{text!r} is no part; write it as 1/2")
    return int(part), int(parts)


def _name(text: str) -> Name:
    try:
        return Name.parse(text)
    except ValueError as fault:
        raise argparse.ArgumentTypeError(str(fault)) from fault


def _quick_folder() -> str | None:
    """Memory instead of a disk where there is some: every case writes files and flushes them."""
    return "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")


def _replay(folder: Path, name: Name) -> int:
    case = case_named(name)
    for file in case.files:
        content = f"{file.what} {file.content!r}"
        _say(f"{file.path!r}: {repr(file.data[:2_000]) if file.what == 'file' else content}")
    _say(f"historical: {case.historical}, strict: {case.strict}")
    try:
        outcome = run_case(Arena(folder), name, case)
    except Broken as fault:
        _say(f"broken: {fault}")
        return 1
    _say(f"{outcome.what} {outcome.sentence}")
    return 0


def _print_table(tally: Tally, took: float) -> None:
    _say(f"{'kind':<18}{'layer':<9}" + "".join(f"{each:>9}" for each in (*_OUTCOMES, "all")))
    totals: Counter[str] = Counter()
    layers: Counter[str] = Counter()
    for kind, layer in sorted({(kind, layer) for kind, layer, _ in tally.outcomes}):
        counts = [tally.outcomes[kind, layer, each] for each in _OUTCOMES]
        totals.update(dict(zip(_OUTCOMES, counts, strict=True)))
        layers[layer] += sum(counts)
        cells = "".join(f"{count:>9,}" for count in (*counts, sum(counts)))
        _say(f"{kind:<18}{layer:<9}{cells}")
    cells = "".join(
        f"{count:>9,}" for count in (*(totals[each] for each in _OUTCOMES), tally.cases)
    )
    _say(f"{'all':<27}{cells}")
    _say(
        f"{tally.cases:,} cases in {took:.0f} s: {layers['whole']:,} through the whole ingest, "
        f"{layers['reading']:,} through its reading layer; slowest {tally.slowest[0]:.1f} s "
        f"({tally.slowest[1]})"
    )
    for name, fault in tally.broken:
        _say(f"broken: {name}: {fault}")


def _document(tally: Tally, seed: int, took: float) -> dict[str, object]:
    return {
        "seed": seed,
        "cases": tally.cases,
        "seconds": round(took),
        "outcomes": [
            {"kind": kind, "layer": layer, "outcome": outcome, "cases": count}
            for (kind, layer, outcome), count in sorted(tally.outcomes.items())
        ],
        "broken": [{"case": name, "fault": fault} for name, fault in tally.broken],
    }


if __name__ == "__main__":
    sys.exit(main())
