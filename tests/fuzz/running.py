"""Runs cases and counts what came of them."""

from __future__ import annotations

import os
import resource
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from .case import Case
from .kinds import Kind, Name, block_of
from .oracle import Arena, Broken, Outcome

SECONDS_A_CASE = 120
_MOST_GIB = 6.0


@dataclass
class Tally:
    """Outcomes by kind and layer, and what broke."""

    outcomes: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    broken: list[tuple[str, str]] = field(default_factory=list)
    slowest: tuple[float, str] = (0.0, "")

    @property
    def cases(self) -> int:
        return sum(self.outcomes.values())


@contextmanager
def watched(seconds: float = SECONDS_A_CASE) -> Iterator[Callable[[str], None]]:
    """Ends the process when one case takes longer than ``seconds``, or takes too much memory.

    Gives the function that tells which case is running. The engine's own work cannot be
    interrupted from Python, so the process goes, after naming the case.
    """
    now = ["", time.monotonic()]
    over = threading.Event()

    def watch() -> None:
        while not over.wait(0.5):
            took = time.monotonic() - float(now[1])
            gib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
            if now[0] and (took > seconds or gib > _MOST_GIB):
                sys.stderr.write(
                    f"\n{now[0]}: {took:.0f} s, {gib:.1f} GiB; a case may take {seconds:.0f} s "
                    f"and {_MOST_GIB:.0f} GiB\n"
                )
                sys.stderr.flush()
                os._exit(3)

    def tell(name: str) -> None:
        now[:] = [name, time.monotonic()]

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield tell
    finally:
        over.set()
        watcher.join()


def run_case(arena: Arena, name: Name, case: Case) -> Outcome:
    """Run one case in its layer.

    Raises:
        Broken: what must hold does not, or something else than a refusal was raised.
    """
    try:
        if name.is_whole or not case.is_one_file:
            return arena.whole(case)
        return arena.reading(case)
    except Broken:
        raise
    except Exception as fault:
        raise Broken(f"{type(fault).__name__}: {fault}"[:600]) from fault


def plan(cases: int, kinds: list[Kind], part: int, parts: int) -> list[tuple[Kind, int]]:
    """The blocks of a run, or of one of its parts, in turn of kinds."""
    shares = sum(kind.share for kind in kinds)
    blocks = []
    for kind in kinds:
        count = max(1, round(cases * kind.share / shares / kind.block))
        blocks += [(kind, block, (block + 0.5) / count) for block in range(count)]
    blocks.sort(key=lambda each: (each[2], each[0].name))
    return [(kind, block) for kind, block, _ in blocks][part - 1 :: parts]


def run(
    root: Path,
    run_seed: int,
    blocks: list[tuple[Kind, int]],
    progress: Callable[[Tally], None] = lambda _tally: None,
    limit: int | None = None,
) -> Tally:
    """Run blocks of cases; ``limit``: so many cases of each block at most."""
    tally, arena = Tally(), Arena(root)
    with watched() as tell:
        for kind, block in blocks:
            for place, case in enumerate(block_of(kind, run_seed, block)[:limit]):
                name = Name(kind.name, run_seed, block, place)
                tell(str(name))
                begin = time.monotonic()
                try:
                    outcome = run_case(arena, name, case).what
                except Broken as fault:
                    outcome = "broken"
                    tally.broken.append((str(name), str(fault)))
                tally.slowest = max(tally.slowest, (time.monotonic() - begin, str(name)))
                layer = "whole" if name.is_whole or not case.is_one_file else "reading"
                tally.outcomes[kind.name, layer, outcome] += 1
            tell("")
            progress(tally)
    return tally
